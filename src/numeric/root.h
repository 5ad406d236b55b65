/* Zeros and minima of a function of one variable, by Brent's methods (1973, "Algorithms for Minimization without
 * Derivatives", chapters 4 and 5). */
#ifndef ORR_NUMERIC_ROOT_H
#define ORR_NUMERIC_ROOT_H

#include "numeric/function.h"
#include "numeric/reason.h"
#include "orrery.h"
#include "orrery.h"

typedef struct orr_root {
    double x, f;      /* f = f(x) */
    double low, high; /* the last bracket; it holds a change of sign */
    int64_t evaluations;
    orr_reason reason; /* CONVERGED, LIMIT (200 evaluations), NONFINITE: f was at x */
} orr_root;

/* A zero of f between a and b, where f has opposite signs, to 4 eps |x| + tolerance / 2; tolerance 0 is as near as it goes.
 * Fails: ORR_EINPUT where the signs are equal or a value at an end is NaN; the message has both values. */
orr_status orr_root_brent(orr_context *ctx, double a, double b, double tolerance, orr_function *f, void *self,
                          orr_root *out) ORR_MUST_USE;

/* Widens [*a, *b], *a < *b, by 1.6 of its width at the end whose |f| is smaller, staying in [least, most], until f changes
 * sign.  False where 60 steps or both limits don't bring that, or f is NaN on the way. */
bool orr_root_bracket(double *a, double *b, double least, double most, orr_function *f, void *self) ORR_MUST_USE;

typedef struct orr_minimum {
    double x, f;
    int64_t evaluations;
    orr_reason reason; /* CONVERGED, LIMIT (500 evaluations), NONFINITE: f was at x */
} orr_minimum;

/* A local minimum of f inside (a, b), the only one where f is unimodal.  x to 3 (sqrt(eps) |x| + tolerance / 3): f is flat
 * at its minimum, so that no more than half the digits of x can be had.  tolerance 0: 1e-10. */
orr_minimum orr_minimise_brent(double a, double b, double tolerance, orr_function *f, void *self);

#endif
