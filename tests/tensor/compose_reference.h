/* Every composed function a second time, from its printed formula, in extended precision and with plain loops: what
 * test_compose.c differentiates by differences.  Sizes are those of its cases. */
#ifndef ORR_TESTS_TENSOR_COMPOSE_REFERENCE_H
#define ORR_TESTS_TENSOR_COMPOSE_REFERENCE_H

#include <math.h>
#include <stdint.h>

#include "orrery.h"

typedef long double real;

/* ---- one number to one number -------------------------------------------------------------------------------------
 */

static inline real f_relu(real a) { return a > 0 ? a : 0; }
static inline real f_softplus(real a) { return logl(1 + expl(a)); }
static inline real f_silu(real a) { return a / (1 + expl(-a)); }
static inline real f_gelu(real a) { return a * (1 + erfl(a / sqrtl(2.0L))) / 2; }
static inline real f_gelu_tanh(real a) {
    const real pi = 3.14159265358979323846264L;
    return a / 2 * (1 + tanhl(sqrtl(2 / pi) * (a + 0.044715L * a * a * a)));
}

/* ---- along an axis: element i of line (before, after) stands at (before n + i) after_count + after
 * ------------------- */

static inline void r_softmax(const real *x, int before, int n, int after, real *y) {
    for (int b = 0; b < before; b++)
        for (int k = 0; k < after; k++) {
            real sum = 0;
            for (int i = 0; i < n; i++) sum += expl(x[(b * n + i) * after + k]);
            for (int i = 0; i < n; i++) y[(b * n + i) * after + k] = expl(x[(b * n + i) * after + k]) / sum;
        }
}

static inline void r_logsumexp(const real *x, int before, int n, int after, real *y) {
    for (int b = 0; b < before; b++)
        for (int k = 0; k < after; k++) {
            real sum = 0;
            for (int i = 0; i < n; i++) sum += expl(x[(b * n + i) * after + k]);
            y[b * after + k] = logl(sum);
        }
}

/* (x - mean) / sqrt(var + epsilon) gain + bias of x[before, c, after], statistics of each c over before and after */
static inline void r_batch_norm(const real *x, int before, int c, int after, const real *gain, const real *bias,
                                real epsilon, real *y) {
    for (int j = 0; j < c; j++) {
        real mean = 0, var = 0;
        for (int b = 0; b < before; b++)
            for (int k = 0; k < after; k++) mean += x[(b * c + j) * after + k] / (real)(before * after);
        for (int b = 0; b < before; b++)
            for (int k = 0; k < after; k++) {
                const real d = x[(b * c + j) * after + k] - mean;
                var += d * d / (real)(before * after);
            }
        for (int b = 0; b < before; b++)
            for (int k = 0; k < after; k++)
                y[(b * c + j) * after + k] =
                    (x[(b * c + j) * after + k] - mean) / sqrtl(var + epsilon) * (gain ? gain[j] : 1) +
                    (bias ? bias[j] : 0);
    }
}

/* the same of x[rows, n], statistics of each row; without centring for RMS norm */
static inline void r_row_norm(const real *x, int rows, int n, bool centred, const real *gain, const real *bias,
                              real epsilon, real *y) {
    for (int r = 0; r < rows; r++) {
        real mean = 0, square = 0;
        for (int i = 0; centred && i < n; i++) mean += x[r * n + i] / (real)n;
        for (int i = 0; i < n; i++) square += (x[r * n + i] - mean) * (x[r * n + i] - mean) / (real)n;
        for (int i = 0; i < n; i++)
            y[r * n + i] =
                (x[r * n + i] - mean) / sqrtl(square + epsilon) * (gain ? gain[i] : 1) + (bias ? bias[i] : 0);
    }
}

/* ---- contractions
 * ---------------------------------------------------------------------------------------------------- */

static inline void r_attention(const real *q, const real *k, const real *v, int t, int s, int d, int e, bool causal,
                               real scale, real *out) {
    for (int i = 0; i < t; i++) {
        real sum = 0;
        for (int c = 0; c < e; c++) out[i * e + c] = 0;
        for (int j = 0; j < s && (!causal || j <= i); j++) {
            real z = 0;
            for (int c = 0; c < d; c++) z += q[i * d + c] * k[j * d + c];
            sum += expl(scale * z);
            for (int c = 0; c < e; c++) out[i * e + c] += expl(scale * z) * v[j * e + c];
        }
        for (int c = 0; c < e; c++) out[i * e + c] /= sum;
    }
}

static inline void r_linear(const real *x, const real *w, const real *b, int n, int in, int out, real *y) {
    for (int r = 0; r < n; r++)
        for (int o = 0; o < out; o++) {
            y[r * out + o] = b ? b[o] : 0;
            for (int i = 0; i < in; i++) y[r * out + o] += x[r * in + i] * w[o * in + i];
        }
}

/* a[n, c, h, l], w[d, c / groups, kh, kl]; h = kh = 1 makes it one-dimensional */
typedef struct r_image {
    int n, c, h, l;
} r_image;
static inline int r_conv(const real *a, r_image s, const real *w, int d, int kh, int kl, const real *b,
                         const int stride[2], const int low[2], const int high[2], const int dilation[2], int groups,
                         real *y) {
    const int oh = (s.h + low[0] + high[0] - (kh - 1) * dilation[0] - 1) / stride[0] + 1;
    const int ol = (s.l + low[1] + high[1] - (kl - 1) * dilation[1] - 1) / stride[1] + 1, cg = s.c / groups;
    int at = 0;
    for (int n = 0; n < s.n; n++)
        for (int o = 0; o < d; o++)
            for (int i = 0; i < oh; i++)
                for (int j = 0; j < ol; j++) {
                    real sum = b ? b[o] : 0;
                    for (int c = 0; c < cg; c++)
                        for (int p = 0; p < kh; p++)
                            for (int q = 0; q < kl; q++) {
                                const int row = i * stride[0] + p * dilation[0] - low[0];
                                const int column = j * stride[1] + q * dilation[1] - low[1];
                                if (row < 0 || row >= s.h || column < 0 || column >= s.l) continue;
                                const int channel = o / (d / groups) * cg + c;
                                sum += w[((o * cg + c) * kh + p) * kl + q] *
                                       a[((n * s.c + channel) * s.h + row) * s.l + column];
                            }
                    y[at++] = sum;
                }
    return at;
}

/* ---- windows
 * --------------------------------------------------------------------------------------------------------- */

static inline int r_pool(const real *a, r_image s, orr_pooling how, bool largest, real *y) {
    int at = 0, out[2];
    const int extent[2] = { s.h, s.l };
    for (int i = 0; i < 2; i++) {
        if (how.stride[i] == 0) how.stride[i] = how.window[i];
        out[i] = (int)((extent[i] + how.low[i] + how.high[i] - how.window[i]) / how.stride[i]) + 1;
    }
    for (int image = 0; image < s.n * s.c; image++)
        for (int i = 0; i < out[0]; i++)
            for (int j = 0; j < out[1]; j++) {
                real best = -1e300L, sum = 0;
                for (int p = 0; p < how.window[0]; p++)
                    for (int q = 0; q < how.window[1]; q++) {
                        const int row = i * (int)how.stride[0] + p - (int)how.low[0];
                        const int column = j * (int)how.stride[1] + q - (int)how.low[1];
                        if (row < 0 || row >= s.h || column < 0 || column >= s.l) continue;
                        const real x = a[(image * s.h + row) * s.l + column];
                        best = x > best ? x : best;
                        sum += x;
                    }
                y[at++] = largest ? best : sum / (real)(how.window[0] * how.window[1]);
            }
    return at;
}

static inline int r_upsample(const real *a, r_image s, int factor, real *y) {
    int at = 0;
    for (int image = 0; image < s.n * s.c; image++)
        for (int i = 0; i < s.h * factor; i++)
            for (int j = 0; j < s.l * factor; j++) y[at++] = a[(image * s.h + i / factor) * s.l + j / factor];
    return at;
}

#endif
