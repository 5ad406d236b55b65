#include "theory/neural_collapse.h"

#include <math.h>

/* c = (K-1) sqrt(lw lh n)      m = log((K-1)(1-c)/c)      F = log(1 + (K-1) e^{-m}) + c m
 * q = m (K-1)/K = |w_k| |h_i|      |w_k|^2 = q sqrt(lh n / lw)      |h_i|^2 = q sqrt(lw / (lh n)) */
orr_collapse orr_collapse_optimum(int64_t classes, int64_t examples, double readout_decay, double feature_decay) {
    const double others = (double)(classes - 1), n = (double)examples;
    orr_collapse out = { .c = others * sqrt(readout_decay * feature_decay * n) };
    out.zero = out.c >= others / (double)classes;
    out.objective = log((double)classes);
    if (out.zero) return out;
    out.margin = log(others * (1 - out.c) / out.c);
    out.objective = log1p(others * exp(-out.margin)) + out.c * out.margin;
    const double q = out.margin * others / (double)classes, ratio = sqrt(feature_decay * n / readout_decay);
    out.readout_norm = sqrt(q * ratio);
    out.feature_norm = sqrt(q / ratio);
    return out;
}
