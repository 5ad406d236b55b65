/* The tangent kernel of a problem at given parameters, between all outputs of all examples, and those outputs:
 *
 *     Theta_ab = sum_t c_t sum_{p in t} df_a/dw_p df_b/dw_p
 *
 * t over the trained tensors, c_t the learning rate of tensor t in units of the rule's (orr_tensor.rate_gradient): while
 * parameters have hardly moved, gradient descent on a loss L(f) does df_a = -eta sum_b Theta_ab dL/df_b. */
#ifndef ORR_INGREDIENT_TANGENT_KERNEL_H
#define ORR_INGREDIENT_TANGENT_KERNEL_H

#include "ingredient/problem.h"

/* Numbers stand by example, then by output. */
typedef struct orr_tangent_kernel {
    int64_t n, m;         /* numbers that come out for all training and all test examples */
    double *train, *test; /* [n, n], [m, n]: with the training examples */
    double *f, *f_test;   /* [n], [m]: outputs */
    const double *w;      /* the parameters, borrowed */
} orr_tangent_kernel;

/* tick: called after each column, may be NULL; a status other than ORR_OK ends it.  In the problem's precision.
 * Cost: three passes over the examples for each of n columns.  Fails: ORR_ENOMEM, what tick fails with. */
orr_status orr_tangent_kernel_new(orr_context *ctx, orr_arena *out_arena, const orr_problem *p, const double *w,
                                  orr_status (*tick)(void *user), void *user, orr_tangent_kernel *out) ORR_MUST_USE;

#endif
