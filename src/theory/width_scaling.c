#include "theory/width_scaling.h"

#include <math.h>
#include <stddef.h>

static double larger(double x, double y) { return x > y ? x : y; }
static double smaller(double x, double y) { return x < y ? x : y; }
static bool same(double x, double y) { return fabs(x - y) < 1e-9; } /* exponents are small fractions, rounded */

/* R = min(a_{L+1} + b_{L+1}, 2 a_{L+1} + c_{L+1}) - 1 + min_{l <= L} (2 a_l + c_l + [l = 1]) */
static double stability_exponent(int64_t layers, const orr_layer_scaling *layer) {
    const orr_layer_scaling *out = &layer[layers - 1];
    double least = (double)INFINITY;
    for (int64_t l = 0; l < layers - 1; l++) least = smaller(least, 2 * layer[l].a + layer[l].c + (l == 0));
    return smaller(out->a + out->b, 2 * out->a + out->c) - 1 + least;
}

orr_width_limit orr_width_limit_of(int64_t layers, const orr_layer_scaling *layer) {
    const orr_layer_scaling *out = &layer[layers - 1];
    const double r = stability_exponent(layers, layer), start = out->a + out->b, step = 2 * out->a + out->c;
    bool start_is_stable = same(layer[0].a + layer[0].b, 0) && start > 0.5 - 1e-9;
    for (int64_t l = 1; l < layers - 1; l++) start_is_stable = start_is_stable && same(layer[l].a + layer[l].b, 0.5);
    const orr_width_limit out_limit = {
        .r = r,
        .stable = start_is_stable && r > -1e-9 && step > 1 - 1e-9 && start + r > 1 - 1e-9,
        .nontrivial = same(start + r, 1) || same(step, 1),
        .feature_learning = same(r, 0),
    };
    return out_limit;
}

/* With h^l of order n^{s_l}, delta^l = dL/dz^l of order n^{e_l}, [l > 1] = 1 where the fan-in grows:
 *
 *     s_0 = 0      s_l = s_{l-1} + 1/2 [l > 1] - a_l - b_l                        random weights
 *     e_L = -(a + b)_{L+1}, later the larger of that and what the readout's own step makes it
 *     e_{l-1} = e_l + 1/2 - a_l - b_l
 *     own update of layer l, aligned with h^{l-1}:
 *         u_l = [l > 1] - 2 a_l - c_l + e_l + 2 s_{l-1}     gradient        [l > 1] - a_l - c_l + s_{l-1}     sign
 *     d_l = max(u_l, d_{l-1} + 1/2 [l > 1] - a_l - b_l)     for l <= L
 *     d_{L+1} = max(u_{L+1}, d_L + 1 - a_{L+1} - b_{L+1})   dh^L is aligned with the readout's rows, through delta^L
 * The result is the largest u_l; slope: d_l, or NULL. */
static double steepest_update(int64_t layers, const orr_layer_scaling *layer, bool divides, bool later, double *slope) {
    const orr_layer_scaling *out = &layer[layers - 1];
    const double start = -(out->a + out->b), step = -(divides ? out->a : 2 * out->a) - out->c;
    double e = later ? larger(start, step) : start; /* e_L, then e_1 */
    for (int64_t l = layers - 2; l >= 1; l--) e += 0.5 - layer[l].a - layer[l].b;
    double s = 0, d = -(double)INFINITY, steepest = -(double)INFINITY;
    for (int64_t l = 0; l < layers; l++) {
        const orr_layer_scaling *at = &layer[l];
        const double grows = l > 0, passes = 0.5 * grows - at->a - at->b;
        const double own = divides ? grows - at->a - at->c + s : grows - 2 * at->a - at->c + e + 2 * s;
        const bool last = l == layers - 1;
        d = larger(own, d + (last ? 1 - at->a - at->b : passes));
        if (slope) slope[l] = d;
        steepest = larger(steepest, own);
        s += passes;
        /* on to e_{l+1}; that of the output is 0 */
        if (l + 2 < layers) e -= 0.5 - layer[l + 1].a - layer[l + 1].b;
        else e = 0;
    }
    return steepest;
}

void orr_width_slopes(int64_t layers, const orr_layer_scaling *layer, bool divides, bool later, double *slope) {
    (void)steepest_update(layers, layer, divides, later, slope);
}

double orr_width_rate_exponent(int64_t layers, const orr_layer_scaling *layer, bool divides) {
    return -steepest_update(layers, layer, divides, true, NULL);
}

double orr_log_slope(int64_t n, const double *width, const double *y) {
    double x_mean = 0, y_mean = 0, xx = 0, xy = 0;
    for (int64_t i = 0; i < n; i++) {
        if (!(y[i] > 0) || !isfinite(y[i])) return (double)NAN;
        x_mean += log(width[i]) / (double)n;
        y_mean += log(y[i]) / (double)n;
    }
    for (int64_t i = 0; i < n; i++) {
        const double x = log(width[i]) - x_mean;
        xx += x * x;
        xy += x * (log(y[i]) - y_mean);
    }
    return xx > 0 ? xy / xx : (double)NAN;
}

double orr_parabola_minimum(int64_t n, const double *x, const double *y) {
    int64_t least = -1;
    for (int64_t i = 0; i < n; i++)
        if (isfinite(y[i]) && (least < 0 || y[i] < y[least])) least = i;
    if (least <= 0 || least == n - 1) return (double)NAN;
    if (!isfinite(y[least - 1]) || !isfinite(y[least + 1])) return x[least];
    /* Newton's form through three points: y_0 + s (x - x_0) + q (x - x_0)(x - x_1) */
    const double *u = &x[least - 1], *v = &y[least - 1];
    const double s = (v[1] - v[0]) / (u[1] - u[0]), q = ((v[2] - v[1]) / (u[2] - u[1]) - s) / (u[2] - u[0]);
    return q > 0 ? 0.5 * (u[0] + u[1]) - s / (2 * q) : x[least];
}

double orr_attention_scale(double base_head, double head) { return sqrt(base_head) / head; }
