/* A x = b for a symmetric positive definite operator, by conjugate gradients. */
#ifndef ORR_NUMERIC_CONJUGATE_GRADIENT_H
#define ORR_NUMERIC_CONJUGATE_GRADIENT_H

#include "base/arena.h"
#include "numeric/operator.h"
#include "numeric/reason.h"
#include "orrery.h"

/* A zero means the default. */
typedef struct orr_conjugate_gradient_options {
    double tolerance;       /* |b - A x| <= tolerance |b|; default 1e-10 */
    int64_t max_steps;      /* default 10 n, at most 10,000 */
    const double *diagonal; /* n positive numbers near the diagonal of A: the preconditioner; default: none */
} orr_conjugate_gradient_options;

typedef struct orr_conjugate_gradient {
    int64_t steps, products;
    double residual;   /* |b - A x| of the returned x, computed afresh */
    double *history;   /* steps + 1: the residual that the recurrence carries, before each step and at the end */
    orr_reason reason; /* CONVERGED, LIMIT; STALLED: rounding keeps the true residual above the tolerance;
                          INDEFINITE: p' A p <= 0 was met, A is not positive definite; NONFINITE */
} orr_conjugate_gradient;

/* x: n, the first guess on entry (zeros are fine), the best x on return.  Where the recurrence says that it is done the
 * true residual is computed; if that disagrees, it starts again from there, until that no longer helps.
 * Equal bits for any number of threads.  Cost: one product a step and two or more to check; four vectors of scratch.
 * Fails: ORR_EINPUT (b, x or the diagonal not finite, a diagonal entry <= 0), ORR_ENOMEM, what apply fails with. */
orr_status orr_solve_conjugate_gradient(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch,
                                        const orr_operator *a, const double *b,
                                        const orr_conjugate_gradient_options *options, double *x,
                                        orr_conjugate_gradient *out) ORR_MUST_USE;

#endif
