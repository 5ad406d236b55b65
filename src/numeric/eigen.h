/* A few eigenpairs of a symmetric operator that is known by its products only.
 *
 *     A u_i = value_i u_i,  |u_i| = 1,  residual_i = |A u_i - value_i u_i|
 *
 * An eigenvalue of A lies within residual_i of value_i (Parlett 1980, "The Symmetric Eigenvalue Problem", 4.5).
 *
 *   eigen_arpack   iterates to a tolerance; restarts, so that memory stays at a few dozen vectors
 *   eigen_lanczos  makes a fixed number of steps: the instrument that follows a slowly moving Hessian
 *
 * Repeatable: start vectors come from a keyed stream or from the caller.  Lanczos has equal bits for any number of
 * threads.  ARPACK calls BLAS, so its last bits may follow the number of threads of BLAS (numeric/dense.h). */
#ifndef ORR_NUMERIC_EIGEN_H
#define ORR_NUMERIC_EIGEN_H

#include "base/arena.h"
#include "base/random.h"
#include "numeric/operator.h"
#include "numeric/reason.h"
#include "orrery.h"

/* Which eigenpairs, and their order in the result: best first. */
typedef enum orr_which {
    ORR_WHICH_LARGEST = 0,       /* algebraically; descending */
    ORR_WHICH_SMALLEST,          /* algebraically; ascending */
    ORR_WHICH_LARGEST_MAGNITUDE, /* |value| descending */
    ORR_WHICH_BOTH_ENDS          /* half from each end, the odd one from above; descending */
} orr_which;

/* A zero means the default. */
typedef struct orr_eigen_options {
    int64_t pairs; /* how many; default 1 (Lanczos: vectors of that many, values of all steps) */
    orr_which which;
    double tolerance;     /* residual <= tolerance |value|; default 1e-10 */
    const double *start;  /* n numbers, not all 0, such as the last eigenvector; default: normal numbers of `key` */
    orr_key key;          /* purpose 0 means ORR_PURPOSE_PROBE */
    int64_t steps;        /* Lanczos: steps to make, at most n are; default 40 */
    int64_t basis;        /* ARPACK: vectors kept; default max(2 pairs + 1, 20) */
    int64_t max_products; /* ARPACK: about how many; default 3000, at least one restart is made */
} orr_eigen_options;

typedef struct orr_eigenpairs {
    int64_t n, k;     /* rows; values that were found */
    int64_t vectors;  /* the first so many of them have vectors */
    double *value;    /* k */
    double *residual; /* k; units of A.  ARPACK: measured.  Lanczos: |beta_m s_mi|, equal to it but for rounding */
    double *vector;   /* vectors x n, row i belongs to value i; signs are arbitrary */
    int64_t products; /* calls of A */
    orr_reason reason;
} orr_eigenpairs;

/* Implicitly restarted Lanczos by ARPACK-NG (Lehoucq, Sorensen, Yang 1998).  Small cases (n <= 32, or pairs too near n)
 * are solved densely from n products.
 *
 * Cost: .products, of which k measure the residuals; basis + 6 vectors of scratch.
 * Reasons: CONVERGED; STALLED where the measured residuals stay far above the tolerance that the recurrence met (the
 * operator's own rounding); LIMIT; NONFINITE (then k = 0).  After LIMIT the pairs are the best so far.
 * Threads: ARPACK keeps its state between calls in Fortran SAVE variables, so one solve at a time: a lock in arpack.c
 * makes others wait, and refuses a solve from within the operator of another.  Where threads or nesting matter, use
 * Lanczos.  The same variables seed the vector by which ARPACK leaves an invariant subspace smaller than the basis:
 * there, only the residuals are promised, not the bits.
 * Fails: ORR_EINPUT (pairs > n, zero or non-finite start, nested), ORR_ENOMEM, what apply fails with. */
orr_status orr_eigen_arpack(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch, const orr_operator *a,
                            const orr_eigen_options *options, orr_eigenpairs *out) ORR_MUST_USE;

/* Lanczos with full re-orthogonalisation, twice, for .steps steps from the start vector:
 *
 *     A V = V T + beta_m v_{m+1} e_m',   T = tridiag(beta, alpha, beta),   T s_i = value_i s_i,   u_i = V s_i
 *
 * Where the Krylov space closes early it goes on from a fresh random vector, so that a start vector that happens to be
 * an eigenvector can't hide the others; k = min(steps, n) values are returned, all Ritz values in the order asked.
 * Reasons: CONVERGED where the first .pairs residuals meet the tolerance, else LIMIT; NONFINITE (then k = 0).
 * Cost: k products, k + 2 vectors of scratch, 4 k^2 n flops.
 * Fails: ORR_EINPUT (pairs > n, zero or non-finite start), ORR_ENOMEM, what apply fails with. */
orr_status orr_eigen_lanczos(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch, const orr_operator *a,
                             const orr_eigen_options *options, orr_eigenpairs *out) ORR_MUST_USE;

#endif
