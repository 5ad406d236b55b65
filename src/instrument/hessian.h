/* The Hessian of the loss over all training examples at the live parameters, as an operator on doubles, whatever the network
 * computes in; for instruments that ask it for traces and spectra.  A product is about four forward passes. */
#ifndef ORR_INSTRUMENT_HESSIAN_H
#define ORR_INSTRUMENT_HESSIAN_H

#include "instrument/probe.h"
#include "numeric/operator.h"

typedef struct orr_hessian {
    orr_probe probe;
    orr_subject own;  /* a copy: it lives as long as this */
    orr_node *v, *hv; /* of each tensor */
} orr_hessian;

/* Whatever fails, orr_hessian_end may be called. */
orr_status orr_hessian_begin(orr_context *ctx, const orr_subject *subject, orr_hessian *h) ORR_MUST_USE;
orr_operator orr_hessian_operator(orr_hessian *h); /* borrows h */
void orr_hessian_end(orr_hessian *h);

#endif
