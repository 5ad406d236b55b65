/* Which continuous symmetries a point's network and task have, and what each keeps (theory/conservation.h). */
#ifndef ORR_LAW_EMPIRICAL_SYMMETRY_H
#define ORR_LAW_EMPIRICAL_SYMMETRY_H

#include "law/law.h"
#include "theory/conservation.h"

/* ORDER kept: checks of the exact laws of gradient-flow-conservation stand in this order */
typedef enum orr_kept {
    ORR_KEPT_LINEAR = 0,  /* all of the balance of linear units */
    ORR_KEPT_UNITS,       /* the diagonal of that of homogeneous ones */
    ORR_KEPT_ATTENTION,   /* all of that of a head's matrices */
    ORR_KEPT_SCALE,       /* |w|^2 of what a norm reads, or whose direction counts */
    ORR_KEPT_TRANSLATION, /* the sum of the rows under a softmax */
    ORR_KEPT_NOTHING
} orr_kept;

/* Degree of homogeneity of the activation; 0: it has none. */
double orr_kept_degree(const orr_point *point);
/* 1 but for transformers. */
int64_t orr_kept_heads(const orr_point *point);
/* Whether all that stands between matrices of a chain is an activation. */
bool orr_is_plain_chain(const orr_point *point);
/* A norm after each hidden layer reads their matrices. */
bool orr_has_norm(const orr_point *point);
bool orr_has_softmax(const orr_point *point);
/* The matrix of tensor t can be scaled: a norm reads what it gives, or its direction alone counts. */
bool orr_has_scale(const orr_point *point, const orr_problem *problem, int64_t t);

/* All balances of a network, of its own degree, kept or not.  Fails: ORR_ENOMEM. */
orr_status orr_kept_balances(orr_context *ctx, orr_arena *out_arena, const orr_point *point, const orr_problem *problem,
                             orr_balances *out) ORR_MUST_USE;
/* What of a balance is kept. */
orr_kept orr_kept_of_balance(const orr_point *point, const orr_balance *balance);

#endif
