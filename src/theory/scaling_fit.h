/* Scaling laws of the test loss in parameters N and data D, fitted to losses that were measured.
 *
 *     L(N, D) = E + A N^-alpha + B D^-beta
 *
 *   paper        here           meaning                                            unit
 *   E            E              irreducible loss                                   loss
 *   A, alpha     A, alpha       what few parameters cost                           loss N^alpha, 1
 *   B, beta      B, beta        what few data cost                                 loss D^beta, 1
 *   C            compute        6 N D: floating-point operations of a training     1
 *
 * Sources: Hestness et al. 2017 (1712.00409); Hoffmann et al. 2022 (2203.15556), Besiroglu et al. 2024 (2404.10102) for the fit.
 * Sheet: laws/empirical/neural-scaling-laws.md, Prediction (a) to (c). */
#ifndef ORR_THEORY_SCALING_FIT_H
#define ORR_THEORY_SCALING_FIT_H

#include "base/arena.h"
#include "orrery.h"

/* One training: N, D and the loss that it reached; all positive and finite. */
typedef struct orr_scaling_cell {
    double parameters, data, loss;
} orr_scaling_cell;

typedef struct orr_scaling_law {
    double E, A, alpha, B, beta;
} orr_scaling_law;

enum { ORR_SCALING_CELLS_MIN = 6 }; /* one more than the constants */

double orr_scaling_loss(const orr_scaling_law *law, double parameters, double data);

/* The law with the least sum_i Huber(r_i), r_i = log L(N_i, D_i) - log L_i, delta = 1e-3: L-BFGS from 243 starts, the best is kept.
 * Constants are not bounded: E may come out as good as 0, and then A and B say little.
 * Fails: ORR_EINPUT for fewer than ORR_SCALING_CELLS_MIN cells or one that is not positive and finite; ORR_ENOMEM. */
orr_status orr_scaling_fit(orr_context *ctx, orr_arena *scratch, const orr_scaling_cell *cell, int64_t n,
                           orr_scaling_law *out) ORR_MUST_USE;

/* out[resamples]: the fit of as many cells drawn with replacement, from `law`, the fit of all.  Draw i depends on i alone.
 * Fails: ORR_ENOMEM. */
orr_status orr_scaling_bootstrap(orr_context *ctx, orr_arena *scratch, const orr_scaling_cell *cell, int64_t n,
                                 const orr_scaling_law *law, int64_t resamples, orr_scaling_law *out) ORR_MUST_USE;

/* [2.5 %, 97.5 %] of value[n], which gets sorted; between two values on a straight line.  NaN where n = 0. */
void orr_scaling_interval(double *value, int64_t n, double interval[2]);

/* Root mean square of r_i; NaN where n = 0. */
double orr_scaling_rms(const orr_scaling_law *law, const orr_scaling_cell *cell, int64_t n);

/* The law of the cells with little data, held against those with much. */
typedef struct orr_scaling_extrapolation {
    double data_max; /* most data among those that were fitted */
    int64_t fitted, held;
    orr_scaling_law law;
    double mean_error, max_error; /* of |L(N_i, D_i)/L_i - 1| over those held out */
} orr_scaling_extrapolation;

/* Fits the cells with D <= data_max.  Fails as orr_scaling_fit. */
orr_status orr_scaling_extrapolate(orr_context *ctx, orr_arena *scratch, const orr_scaling_cell *cell, int64_t n,
                                   double data_max, orr_scaling_extrapolation *out) ORR_MUST_USE;

/* Where 6 N D = compute and L is least:
 *     N* = G (C/6)^(beta/(alpha + beta)),  D* = (C/6)^(alpha/(alpha + beta))/G,  G = (alpha A/(beta B))^(1/(alpha + beta))
 *     L* - E ~ C^-(alpha beta/(alpha + beta))
 * All NaN where alpha or beta is not positive: then there is no such point. */
typedef struct orr_scaling_optimum {
    double G, parameters, data, loss;
    double parameters_exponent, data_exponent, frontier_exponent;
} orr_scaling_optimum;

orr_scaling_optimum orr_scaling_optimum_at(const orr_scaling_law *law, double compute);

#endif
