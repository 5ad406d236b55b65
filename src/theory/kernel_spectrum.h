/* Eigenvalues of a kernel under a distribution of inputs, and a target's coefficients: what kernel_regression.h needs.
 *
 *     K(x, x') = sum_i lambda_i phi_i(x) phi_i(x'),  E phi_i phi_j = delta_ij
 *
 * Sheet: laws/solvable/kernel-learning-curves.md, Prediction, spectra (b) and (c) */
#ifndef ORR_THEORY_KERNEL_SPECTRUM_H
#define ORR_THEORY_KERNEL_SPECTRUM_H

#include "base/arena.h"
#include "numeric/function.h"
#include "orrery.h"

/* ---- the unit sphere |x| = 1 in R^d, K = k(x.x'): a level for each degree l ---------------------------------------------- */

/* g_l = (2l + d - 2)/l binom(l + d - 3, l - 1), g_0 = 1: harmonics of degree l, d >= 2. */
double orr_sphere_multiplicity(int64_t d, int64_t l);
/* P_l(t), normalised to P_l(1) = 1:  P_{l+1} = ((2l + d - 2) t P_l - l P_{l-1})/(l + d - 2).  sqrt(g_l) P_l(x.e) has mean
 * square 1 over the sphere, for any unit vector e. */
double orr_sphere_polynomial(int64_t d, int64_t l, double t);
/* lambda_l = E k(t) P_l(t), 0 <= l < levels, t = x.x' of two points: by Simpson's rule with 4,000 intervals in arccos t.  What
 * is below 1e-17 is 0: a kernel has no negative eigenvalues, so that this is rounding.  Error: 1e-10 for a kernel smooth in the angle. */
void orr_sphere_eigenvalues(int64_t d, int64_t levels, orr_function *k, void *self, double *value);

/* ---- a pool of n inputs, all equally likely ------------------------------------------------------------------------------- */

/* Of the Gram matrix G u_i = mu_i u_i:  lambda_i = mu_i/n (negative ones, rounding, are 0),  phi_i(x_j) = sqrt(n) u_ij,
 * v_i = u_i.y/sqrt(n), so that sum_i v_i^2 = mean of y^2. */
typedef struct orr_pool_spectrum {
    int64_t n, outputs;
    double *value;        /* n, descending */
    double *coefficient2; /* [outputs, n] */
} orr_pool_spectrum;

/* y[n, outputs].  gram [n, n] is overwritten; beside it memory is a few n.  Cost: 4/3 n^3.  Fails: as
 * orr_eigen_symmetric_along. */
orr_status orr_pool_spectrum_of(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch, int64_t n, int64_t outputs,
                                double *gram, const double *y, orr_pool_spectrum *out) ORR_MUST_USE;

#endif
