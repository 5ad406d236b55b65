/* The minimum of a smooth function of many variables, without bounds, by L-BFGS (libLBFGS; Nocedal 1980). */
#ifndef ORR_NUMERIC_MINIMISE_H
#define ORR_NUMERIC_MINIMISE_H

#include "base/arena.h"
#include "numeric/reason.h"
#include "orrery.h"

/* evaluate: *f = f(x) and gradient, n numbers.  A value that is not finite means "not there": the line search shortens its
 * step.  Its status is passed up. */
typedef struct orr_objective {
    int64_t n;
    orr_status (*evaluate)(void *self, const double *x, double *f, double *gradient);
    void *self;
} orr_objective;

/* A zero means the default. */
typedef struct orr_minimise_options {
    double tolerance;  /* |gradient| <= tolerance max(1, |x|); default 1e-8 */
    int64_t max_steps; /* default 10,000 */
    int64_t memory;    /* pairs that stand for the Hessian; default 10 */
} orr_minimise_options;

typedef struct orr_minimised {
    double f, gradient_norm; /* at the returned x, evaluated afresh */
    int64_t steps, evaluations;
    orr_reason reason; /* CONVERGED; LIMIT; STALLED: no step lowers f any more, usually rounding or a wrong gradient;
                          NONFINITE: f was at the first guess */
} orr_minimised;

/* x: n, the first guess on entry, the best found on return.  Backtracking line search with the Wolfe conditions:
 * of libLBFGS's, the one that survives a trial step to where f is infinite.  Repeatable, one thread.
 * libLBFGS takes its 2 memory + 5 vectors from malloc, not from the context.
 * Fails: ORR_EINPUT (a first guess that isn't finite), ORR_ENOMEM, what evaluate fails with. */
orr_status orr_minimise_lbfgs(orr_context *ctx, orr_arena *scratch, const orr_objective *objective,
                              const orr_minimise_options *options, double *x, orr_minimised *out) ORR_MUST_USE;

#endif
