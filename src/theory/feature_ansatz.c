#include "theory/feature_ansatz.h"

#include <math.h>

#include "base/context.h"
#include "numeric/dense.h"
#include "numeric/matrix_function.h"

double orr_ansatz_power(int64_t layers, int64_t layer) { return 1.0 / (double)(layers - layer + 1); }

double orr_ansatz_cosine_of_power_1(int64_t layers, int64_t layer, int64_t k, const double *t) {
    const double p = 2.0 / (double)layers, q = 2.0 * (double)(layers - layer + 1) / (double)layers;
    double both = 0.0, gram = 0.0, agop = 0.0; /* eigenvalues t^p and t^q, of common eigenvectors */
    for (int64_t i = 0; i < k; i++) {
        both += pow(t[i], p + q);
        gram += pow(t[i], 2.0 * p);
        agop += pow(t[i], 2.0 * q);
    }
    return both / sqrt(gram * agop);
}

orr_status orr_ansatz_imbalance(orr_context *ctx, orr_arena *scratch, int64_t a, int64_t b, int64_t c,
                                const double *first, const double *second, double *out) {
    const orr_arena_mark mark = orr_arena_here(scratch);
    double *left = ORR_NEW(scratch, double, b *b), *right = ORR_NEW(scratch, double, b *b), over = 0.0, under = 0.0;
    if (!left || !right) return orr_fail(ctx, ORR_ENOMEM, "feature ansatz: no memory for width %lld", (long long)b);
    orr_dense_multiply(b, b, c, second, true, second, false, left); /* [c, b]' [c, b] */
    orr_dense_multiply(b, b, a, first, false, first, true, right);  /* [b, a] [b, a]' */
    for (int64_t i = 0; i < b * b; i++) {
        over += (left[i] - right[i]) * (left[i] - right[i]);
        under += right[i] * right[i];
    }
    *out = sqrt(over / under);
    orr_arena_rewind(scratch, mark);
    return ORR_OK;
}

orr_agreement orr_agreement_of(int64_t n, const double *a, const double *b) {
    double ma = 0.0, mb = 0.0, aa = 0.0, bb = 0.0, ab = 0.0, ca = 0.0, cb = 0.0, cab = 0.0, d = 0.0;
    for (int64_t i = 0; i < n; i++) ma += a[i] / (double)n, mb += b[i] / (double)n;
    for (int64_t i = 0; i < n; i++) {
        aa += a[i] * a[i], bb += b[i] * b[i], ab += a[i] * b[i];
        ca += (a[i] - ma) * (a[i] - ma), cb += (b[i] - mb) * (b[i] - mb), cab += (a[i] - ma) * (b[i] - mb);
        d += (a[i] - b[i]) * (a[i] - b[i]);
    }
    return (orr_agreement){ cab / sqrt(ca * cb), ab / sqrt(aa * bb), sqrt(d / aa) };
}

static double power(void *self, double x) { return x > 0.0 ? pow(x, *(const double *)self) : 0.0; }

orr_status orr_matrix_power(orr_context *ctx, orr_arena *scratch, int64_t n, const double *a, double s, double *out) {
    return orr_matrix_function(ctx, scratch, n, a, "power", power, &s, out);
}
