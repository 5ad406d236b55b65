/* How changes inside a network go with its width n, from the exponents of its layers (Yang, Hu 2021, 2011.14522; sheet
 * hyperparameters/mup-transfer).
 *
 *     W^l = n^{-a_l} w^l,   w^l_ij ~ N(0, n^{-2 b_l}),   learning rate eta n^{-c_l},   l = 1 .. L+1 */
#ifndef ORR_THEORY_WIDTH_SCALING_H
#define ORR_THEORY_WIDTH_SCALING_H

#include <stdbool.h>
#include <stdint.h>

typedef struct orr_layer_scaling {
    double a, b, c;
} orr_layer_scaling;

/* What becomes of a network as n grows, under gradient descent. */
typedef struct orr_width_limit {
    double r;              /* features change as n^{-R} */
    bool stable;           /* nothing blows up, at the start or in training */
    bool nontrivial;       /* the function changes in training */
    bool feature_learning; /* and so do features: R = 0 */
} orr_width_limit;

/* layer[layers]: input layer first, readout last; at least two. */
orr_width_limit orr_width_limit_of(int64_t layers, const orr_layer_scaling *layer);

/* Exponents of the mean change of pre-activations |z^l(k) - z^l(0)| ~ n^slope and of the output, slope[layers], after the first
 * update (later = false) or after some.  `divides`: the rule divides by the gradient's size (Adam, sign). */
void orr_width_slopes(int64_t layers, const orr_layer_scaling *layer, bool divides, bool later, double *slope);

/* The rate at which no layer's own update is more than of order one goes as n^this: so does the best rate where that isn't set by
 * the input's dimension (sheet, Agreement). */
double orr_width_rate_exponent(int64_t layers, const orr_layer_scaling *layer, bool divides);

/* Slope of ln y against ln n by least squares; NaN where a y is not positive or n < 2. */
double orr_log_slope(int64_t n, const double *width, const double *y);

/* Where a parabola through the smallest of y[n] and its neighbours is lowest, x[n] ascending; NaN where the smallest stands at an
 * end, so that nothing brackets it.  A y that is no number (it diverged) counts as larger than any. */
double orr_parabola_minimum(int64_t n, const double *x, const double *y);

/* Factor of q.k in a head of d_h numbers that is 1/sqrt d_h at the base size d_0: sqrt(d_0)/d_h. */
double orr_attention_scale(double base_head, double head);

#endif
