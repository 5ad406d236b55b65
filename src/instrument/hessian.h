/* The Hessian of the loss over all training examples at the live parameters, as an operator on doubles, whatever the network
 * computes in; one program for all instruments that ask it for eigenvalues, traces and spectra.  A product is about four forward
 * passes. */
#ifndef ORR_INSTRUMENT_HESSIAN_H
#define ORR_INSTRUMENT_HESSIAN_H

#include "instrument/probe.h"
#include "numeric/operator.h"

typedef struct orr_hessian orr_hessian;

/* Preconditioned: P^-1/2 H P^-1/2, where the rule divides by P; else H. */
orr_status orr_hessian_open(orr_context *ctx, const orr_subject *subject, bool preconditioned,
                            orr_hessian **out) ORR_MUST_USE;
orr_operator orr_hessian_operator(orr_hessian *h); /* borrows h */
void orr_hessian_close(orr_hessian *h);            /* NULL is fine */

#endif
