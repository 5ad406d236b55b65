/* Integrals in one variable, and Gaussian means in one and two. */
#ifndef ORR_NUMERIC_QUADRATURE_H
#define ORR_NUMERIC_QUADRATURE_H

#include "base/arena.h"
#include "numeric/function.h"
#include "numeric/reason.h"
#include "orrery.h"

/* ---- rules: integral ~ sum_i w_i f(x_i) -------------------------------------------------------------------------- */

typedef struct orr_rule {
    int64_t n;
    double *x, *w; /* x ascending */
} orr_rule;

/* Gauss rules of n >= 1 points, exact for polynomials of degree 2 n - 1, by Golub and Welsch 1969: nodes are eigenvalues of
 * the tridiagonal matrix of the orthogonal polynomials, weights the squared first entries of its eigenvectors.  Errors
 * are a few eps absolutely; the tiny outer weights have no relative digits.
 * Fails: ORR_EINPUT (n < 1; Legendre: an end not finite), ORR_ENOMEM. */

/* The mean of f(z), z ~ N(0, 1); weights sum to 1. */
orr_status orr_rule_hermite(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch, int64_t n,
                            orr_rule *out) ORR_MUST_USE;
/* Physicists': the integral of e^{-x^2} f(x); weights sum to sqrt(pi). */
orr_status orr_rule_hermite_physicists(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch, int64_t n,
                                       orr_rule *out) ORR_MUST_USE;
/* The integral of f from a to b. */
orr_status orr_rule_legendre(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch, int64_t n, double a, double b,
                             orr_rule *out) ORR_MUST_USE;

/* ---- Gaussian means ---------------------------------------------------------------------------------------------- */

/* E f(z), z ~ N(0, variance), by the trapezoid rule with 1,000 steps on [-10, 10] standard deviations.
 *
 * The trapezoid rule of step h errs by 2 e^{-2 pi d / h} for a function analytic within d of the real line: for tanh at
 * standard deviation 2, d = pi/4 and h = 0.02, nothing is left; truncation leaves 1.5e-23 max|f|.  So the error is
 * rounding, where 120 Gauss-Hermite nodes err by up to 7e-7 for tanh (poles near the real line).  Where f has a kink
 * (ReLU) it is h^2 of the jump in slope, a few 1e-5: use the closed form, or split the integral at the kink. */
double orr_gaussian_mean(double variance, orr_function *f, void *self);

/* E f(u, v) of a centred Gaussian pair: E u^2 = uu, E v^2 = vv, E u v = uv, |uv| <= sqrt(uu vv).
 * u = sqrt(uu) z1, v = sqrt(vv) (c z1 + sqrt(1 - c^2) z2), the same rule in z1 and z2 with 361 nodes on [-9, 9]: error as
 * above with h = 0.05. */
typedef double orr_function_of_two(void *self, double u, double v);
double orr_gaussian_mean_pair(double uu, double uv, double vv, orr_function_of_two *f, void *self);

/* ---- an integral to a tolerance ---------------------------------------------------------------------------------- */

typedef struct orr_integral {
    double value;
    double error; /* change over the last halving of the step; the true error is usually its square */
    int64_t evaluations;
    orr_reason reason; /* CONVERGED: error <= tolerance * integral of |f|; LIMIT; NONFINITE: f was, inside (a, b) */
} orr_integral;

/* The integral from a to b, which may be -INFINITY and INFINITY, by double exponential substitution (Takahasi and Mori
 * 1974): tanh-sinh on finite intervals, exp-sinh and sinh-sinh on infinite ones.  f is smooth inside; singular ends
 * are fine and never evaluated, but near an end e other than 0 nodes can't come closer than eps |e|, which costs digits
 * where f is infinite there: shift it to 0.  b < a gives the negative.  tolerance <= 0: 1e-12.  Allocates nothing. */
orr_integral orr_integrate(double a, double b, double tolerance, orr_function *f, void *self);

#endif
