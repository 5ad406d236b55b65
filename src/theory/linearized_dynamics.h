/* Training of a model that is linear in its parameters, f = f_0 + J (w - w_0), on 1/2 sum (f - y)^2: what a wide network does.
 *
 *     f_{t+1} = f_t - eta Theta (f_t - y)      Theta = J J', n x n, the tangent kernel of the training examples
 *     f_t(x)  = f_0(x) + k(x)' V [ g_t(lam)/lam r_0 ]      Theta = V diag(lam) V'      r_0 = V' (y - f_0)
 *     g_t     = 1 - (1 - eta lam)^t in steps, 1 - e^{-lam T} along the flow
 *
 *   paper        here      meaning                                           shape
 *   Theta        theta     tangent kernel of the training examples           [n, n]
 *   k(x)         row of k  tangent kernel of x with each of them             [m, n]
 *   lam, V       value, vector                                               [n], row i is the eigenvector of value i
 *   r_0          residual  y - f_0 along the eigenvectors                    [n]
 *
 * n counts numbers that are fitted: examples times outputs.  Theta is never inverted: modes of lam = 0 stay where they are.
 * Sources: Jacot, Gabriel, Hongler 2018 (1806.07572), Lee et al. 2019 (1902.06720).
 * Sheet: laws/solvable/linearized-network-dynamics.md */
#ifndef ORR_THEORY_LINEARIZED_DYNAMICS_H
#define ORR_THEORY_LINEARIZED_DYNAMICS_H

#include "base/arena.h"
#include "orrery.h"

typedef struct orr_linearized {
    int64_t n;
    double *value; /* ascending */
    double *vector;
    double *residual;
} orr_linearized;

/* How long it was trained: `updates` of `rate` eta, or with updates < 0 along the flow for the time `rate`. */
typedef struct orr_linearized_time {
    double rate;
    int64_t updates;
} orr_linearized_time;

/* Only the lower triangle of theta is read.  Fails: ORR_EINPUT where a number isn't finite, ORR_ENOMEM. */
orr_status orr_linearized_new(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch, int64_t n,
                              const double *theta, const double *y, const double *f_0,
                              orr_linearized *out) ORR_MUST_USE;

/* out[m] = f_t of m numbers: k[m, n] their kernel with the training examples (theta for those themselves), f_0[m]. */
orr_status orr_linearized_outputs(orr_context *ctx, orr_arena *scratch, const orr_linearized *l, orr_linearized_time t,
                                  int64_t m, const double *k, const double *f_0, double *out) ORR_MUST_USE;

/* 1/2 sum (f_t - y)^2 over the training examples. */
double orr_linearized_loss(const orr_linearized *l, orr_linearized_time t);

/* lam_max; gradient descent is stable while eta lam_max < 2. */
double orr_linearized_largest(const orr_linearized *l);

#endif
