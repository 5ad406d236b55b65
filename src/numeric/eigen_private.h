/* What the ways to eigenpairs share. */
#ifndef ORR_NUMERIC_EIGEN_PRIVATE_H
#define ORR_NUMERIC_EIGEN_PRIVATE_H

#include "numeric/eigen.h"

/* Options with their defaults in place. */
orr_status orr_eigen_defaults(orr_context *ctx, const orr_operator *a, const orr_eigen_options *options,
                              orr_eigen_options *out) ORR_MUST_USE;

/* The start vector, unit length, into v. */
orr_status orr_eigen_start(orr_context *ctx, const orr_operator *a, const orr_eigen_options *options,
                           double *v) ORR_MUST_USE;

/* order[0..m): indices of m ascending values, the best first; for ORR_WHICH_BOTH_ENDS the best `count`, then the rest.
 */
void orr_eigen_order(orr_which which, int64_t m, const double *ascending, int64_t count, int64_t *order);

/* One run of Lanczos. */
typedef struct orr_krylov {
    int64_t made;     /* steps made; fewer than asked where the Krylov space closed and `restart` is false */
    double *basis;    /* made x n, orthonormal rows */
    double *alpha;    /* made; diagonal of T */
    double *beta;     /* made; beta[i] couples i and i + 1, beta[made - 1] is what remains */
    int64_t products; /* calls of A */
    bool finite;      /* false: A v had a NaN or an infinity, and nothing else may be read */
} orr_krylov;

/* steps >= 1, start of unit length.  restart: go on from random vectors of `key` where the space closes.  All that is
 * made, and some that was needed on the way, stays in the arena. */
orr_status orr_krylov_run(orr_context *ctx, orr_arena *arena, const orr_operator *a, const double *start, int64_t steps,
                          bool restart, orr_key key, orr_krylov *out) ORR_MUST_USE;

#endif
