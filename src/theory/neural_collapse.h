/* Collapse of a classifier's last layer: the optimum of cross-entropy over features that can be placed at will (Zhu et al. 2021,
 * 2105.02375; sheet empirical/neural-collapse).
 *
 *     F = 1/N sum_i -log softmax(W h_i + b)[y_i] + lw/2 |W|_F^2 + lh/2 sum_i |h_i|^2       K classes, n examples each, N = n K */
#ifndef ORR_THEORY_NEURAL_COLLAPSE_H
#define ORR_THEORY_NEURAL_COLLAPSE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct orr_collapse {
    double c;            /* (K - 1) sqrt(lw lh n) */
    bool zero;           /* c >= (K - 1)/K: the optimum is W = H = 0 */
    double objective;    /* F */
    double margin;       /* between the right and each other output */
    double readout_norm; /* |w_k| */
    double feature_norm; /* |h_i| */
} orr_collapse;

/* classes >= 2, examples >= 1 of each, in at least classes - 1 dimensions. */
orr_collapse orr_collapse_optimum(int64_t classes, int64_t examples, double readout_decay, double feature_decay);

#endif
