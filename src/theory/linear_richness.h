/* Lazy and rich training, in closed form: a two-layer linear network on whitened inputs,
 *
 *     f(x) = s (a.W x - v_0.x),   v = W'a   (v_0 at the start)     L = curvature/2 |u - beta|^2,   u = s (v - v_0)
 *
 * closes in v, M = W'W and c = |a|^2; rates r_w of W, r_a of a, g = curvature (beta - u):
 *
 *     flow    v' = s (r_w c I + r_a M) g       M' = r_w s (v g' + g v')       c' = 2 r_a s v.g
 *     steps   the same times eta, and  r_w r_a (s eta)^2 (v.g) g,   r_w^2 (s eta)^2 c g g',   r_a^2 (s eta)^2 g'M g
 *
 * Its tangent kernel is Theta(x, x') = s^2 x'(c I + M) x'.
 *
 * n -> infinity (f = (a.W x - init)/(gamma_0 n), elements N(0, 1), b = |beta|, curvature 1, learning n gamma_0^2 times as fast):
 *     u' = 2 m (b - u),   m = sqrt(1 + gamma_0^2 u^2)       W'W/n = I + (m - 1) bb'/b^2,   |a|^2/n = m
 *     dK = |Theta - Theta_0|_F/|Theta_0|_F = (m_b - 1) sqrt(D + 3)/(2 sqrt D)   at u = b
 *
 *   paper      here       meaning                                       shape
 *   gamma_0    richness   what the output is divided by, over n         1
 *   D          d          numbers in x                                  1
 *   M, c, v    the state  of a finite network, from its initial weights [d, d], 1, [d]
 *
 * Sources: Bordelon, Pehlevan 2022 (2205.09653).  Sheet: laws/limits/lazy-rich.md */
#ifndef ORR_THEORY_LINEAR_RICHNESS_H
#define ORR_THEORY_LINEAR_RICHNESS_H

#include "base/arena.h"
#include "orrery.h"

/* dK when all is learnt. */
double orr_richness_kernel_change(double richness, double b, int64_t d);

/* out[count] = u at the times, which ascend from above 0.  Fails: ORR_ENUMERIC where the integration ends early, ORR_ENOMEM. */
orr_status orr_richness_learned(orr_context *ctx, orr_arena *scratch, double richness, double b, const double *times,
                                int64_t count, double *out) ORR_MUST_USE;

typedef struct orr_two_layer {
    int64_t d;
    double scale;          /* s */
    double rate_w, rate_a; /* r_w, r_a */
    double curvature;
    const double *beta;     /* [d] */
    double *v_0, *v, *m, c; /* [d], [d], [d, d] */
} orr_two_layer;

/* From initial weights w[n, d], a[n]; arrays in out_arena.  Fails: ORR_ENOMEM. */
orr_status orr_two_layer_new(orr_context *ctx, orr_arena *out_arena, int64_t n, int64_t d, const double *w,
                             const double *a, double scale, double rate_w, double rate_a, double curvature,
                             const double *beta, orr_two_layer *out) ORR_MUST_USE;
/* `updates` steps of gradient descent of rate eta. */
orr_status orr_two_layer_descend(orr_context *ctx, orr_arena *scratch, orr_two_layer *t, double eta,
                                 int64_t updates) ORR_MUST_USE;
/* Gradient flow for a time.  Fails: ORR_ENUMERIC, ORR_ENOMEM. */
orr_status orr_two_layer_flow(orr_context *ctx, orr_arena *scratch, orr_two_layer *t, double time) ORR_MUST_USE;

/* c I + M: the tangent kernel over s^2, k[d, d]. */
void orr_two_layer_kernel(const orr_two_layer *t, double *k);

#endif
