/* A linear complementarity problem over symmetric positive semidefinite matrices, k x k:
 *
 *     find  X >= 0,  Z = Z0 + B[X] >= 0,  <X, Z> = 0          >= 0: positive semidefinite;  <X, Z> = tr(X Z)
 *
 * for a symmetric Z0 and a B that is symmetric and positive semidefinite as a k^2 x k^2 matrix.  These are the optimality
 * conditions of   min <X, B[X]>/2 + <X, Z0>  over X >= 0.
 *
 * Method: projected gradient with Nesterov's momentum, started afresh where it turns against the step (O'Donoghue, Candes 2015),
 * until it stands still.  What decides is not how it got there but the certificate
 *
 *     s |X - clip(X - Z/s)|_F / |Z0|_F,   s = lambda_max(B),   clip: negative eigenvalues set to 0
 *
 * which is 0 exactly at the solutions. */
#ifndef ORR_NUMERIC_COMPLEMENTARITY_H
#define ORR_NUMERIC_COMPLEMENTARITY_H

#include "base/arena.h"
#include "orrery.h"

typedef struct orr_complementarity {
    int64_t iterations;
    double certificate; /* as above; 0 where X = 0 solves it */
    double lowest;      /* lambda_min(Z)/|Z0|: not below 0 but for rounding */
    double product;     /* <X, Z>/(|X| |Z0|): 0 but for rounding */
} orr_complementarity;

/* b[k^2, k^2]: entry (i k + j, l k + m) is B_ij,lm; z0[k, k]; x[k, k] and z[k, k] are written.
 * Fails: ORR_ENUMERIC where the certificate is not below 1e-9, which is so where B vanishes on a direction in which Z0 is
 * negative: X would grow without bound.  ORR_EINPUT where an input is no number, ORR_ENOMEM. */
orr_status orr_complementarity_solve(orr_context *ctx, orr_arena *scratch, int64_t k, const double *b, const double *z0,
                                     double *x, double *z, orr_complementarity *out) ORR_MUST_USE;

#endif
