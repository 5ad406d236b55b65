/* The spectral density of a symmetric operator, by stochastic Lanczos quadrature (Ubaru, Chen, Saad 2017, "Fast estimation
 * of tr(f(A)) via stochastic Lanczos quadrature"; Ghorbani, Krishnan, Xiao 2019, 1901.10159, for Hessians).
 *
 * m steps of Lanczos from a random vector v give the m-point Gauss rule of the measure that v sees:
 *
 *     v' f(A) v / v'v  ~  sum_j weight_j f(node_j),   exact for polynomials of degree 2 m - 1
 *
 * and the mean over random v is  tr f(A) / n  =  the integral of f over the density of eigenvalues. */
#ifndef ORR_NUMERIC_SPECTRUM_H
#define ORR_NUMERIC_SPECTRUM_H

#include "base/arena.h"
#include "base/random.h"
#include "numeric/function.h"
#include "numeric/operator.h"
#include "numeric/reason.h"
#include "orrery.h"

/* A zero means the default. */
typedef struct orr_spectrum_options {
    int64_t probes; /* random vectors; default 10 */
    int64_t steps;  /* of Lanczos for each; default 80, at most n */
    orr_key key;    /* purpose 0 means ORR_PURPOSE_PROBE; probe i reads elements i n .. of its stream of signs */
} orr_spectrum_options;

typedef struct orr_spectrum {
    int64_t n, probes, count; /* count: nodes of all probes */
    int64_t *first;           /* probes + 1: probe i has nodes first[i] .. first[i + 1] - 1 */
    double *node;             /* count, ascending within a probe; units of A */
    double *weight;           /* count, >= 0; those of one probe sum to 1 / probes */
    double lowest, highest;   /* the extreme nodes: inside the true extremes, and near them */
    int64_t products;
    orr_reason reason; /* CONVERGED, or NONFINITE: a product was not finite (then count = 0) */
} orr_spectrum;

/* Equal bits for any number of threads.  Cost: probes * steps products; steps + 3 vectors of scratch.
 * Fails: ORR_EINPUT (n < 1), ORR_ENOMEM, what apply fails with. */
orr_status orr_spectrum_lanczos(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch, const orr_operator *a,
                                const orr_spectrum_options *options, orr_spectrum *out) ORR_MUST_USE;

/* tr f(A), and its standard error from the spread over probes (0 for one probe, which says nothing). */
typedef struct orr_spectrum_sum {
    double value, standard_error;
} orr_spectrum_sum;
orr_spectrum_sum orr_spectrum_trace(const orr_spectrum *s, orr_function *f, void *self);

/* density[i] = sum_j weight_j N(x[i]; node_j, width^2): the density of eigenvalues, its integral 1, seen through a Gaussian
 * of that width > 0. */
void orr_spectrum_density(const orr_spectrum *s, double width, int64_t points, const double *x, double *density);

#endif
