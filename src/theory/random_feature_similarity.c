#include "theory/random_feature_similarity.h"

#include <math.h>

#include "base/context.h"
#include "numeric/dense.h"

double orr_random_feature_cka(double ratio, double features) { return 1.0 / (1.0 + ratio / features); }
double orr_random_feature_cka_to_limit(double ratio, double features) { return 1.0 / sqrt(1.0 + ratio / features); }

/* q = |H S H|_F^2 */
static double square_of_limit(const orr_random_features *f, int64_t n, int64_t d, const double *x, double *s,
                              double *mean) {
    double all = 0.0, q = 0.0;
    orr_dense_multiply(n, n, d, x, false, x, true, s);
    for (int64_t i = 0; i < n * n; i++) s[i] = f->weight_variance * s[i] / (double)d + f->bias_variance;
    for (int64_t i = 0; i < n; i++) /* above the diagonal, which all of them need, first */
        for (int64_t j = i + 1; j < n; j++)
            s[j * n + i] = orr_pair_of(f->phi, s[i * n + i], s[i * n + j], s[j * n + j]).f;
    for (int64_t i = 0; i < n; i++) {
        s[i * n + i] = orr_pair_same(f->phi, s[i * n + i]).f;
        for (int64_t j = 0; j < i; j++) s[j * n + i] = s[i * n + j];
    }
    for (int64_t i = 0; i < n; i++) {
        mean[i] = 0.0;
        for (int64_t j = 0; j < n; j++) mean[i] += s[i * n + j] / (double)n;
        all += mean[i] / (double)n;
    }
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            const double c = s[i * n + j] - mean[i] - mean[j] + all;
            q += c * c;
        }
    return q;
}

/* |phi_c|^4 of one feature, a column of u [n, stride] */
static double fourth_power(const orr_random_features *f, int64_t n, int64_t stride, const double *u, double bias) {
    double sum = 0.0, squares = 0.0;
    for (int64_t i = 0; i < n; i++) {
        const double y = f->phi->phi(u[i * stride] + bias);
        sum += y;
        squares += y * y;
    }
    const double centred = squares - sum * sum / (double)n;
    return centred * centred;
}

enum { CHUNK = 500 };

orr_status orr_random_feature_ratio(orr_context *ctx, orr_arena *scratch, const orr_random_features *f, int64_t n,
                                    int64_t d, const double *x, int64_t draws, orr_key key, double *ratio) {
    const orr_arena_mark mark = orr_arena_here(scratch);
    double *s = ORR_NEW(scratch, double, n *n), *mean = ORR_NEW(scratch, double, n),
           *omega = ORR_NEW(scratch, double, CHUNK *(d + 1)), *u = ORR_NEW(scratch, double, n *CHUNK);
    const double weight = sqrt(f->weight_variance / (double)d), bias = sqrt(f->bias_variance);
    double sum = 0.0;
    if (!s || !mean || !omega || !u) {
        orr_arena_rewind(scratch, mark);
        return orr_fail(ctx, ORR_ENOMEM, "random features: no memory for %lld inputs", (long long)n);
    }
    const double q = square_of_limit(f, n, d, x, s, mean);
    for (int64_t first = 0; first < draws; first += CHUNK) {
        const int64_t m = draws - first < CHUNK ? draws - first : CHUNK;
        orr_random_fill_normal(key, (uint64_t)(first * (d + 1)), m * (d + 1), omega); /* omega_1 .. omega_m, b */
        for (int64_t i = 0; i < m * d; i++) omega[i] *= weight;
        orr_dense_multiply(n, m, d, x, false, omega, true, u);
        for (int64_t k = 0; k < m; k++) sum += fourth_power(f, n, m, u + k, bias * omega[m * d + k]);
    }
    orr_arena_rewind(scratch, mark);
    *ratio = (sum / (double)draws - q) / q;
    return ORR_OK;
}
