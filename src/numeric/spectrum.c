#include "numeric/spectrum.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "numeric/dense.h"
#include "numeric/eigen_private.h"
#include "numeric/vector.h"

/* One probe: nodes are the eigenvalues of T, weights the squares of the first entries of its eigenvectors. */
static orr_status probe(orr_context *ctx, orr_arena *scratch, const orr_operator *a, int64_t steps, orr_key key,
                        int64_t i, orr_spectrum *out) {
    double *v = ORR_NEW(scratch, double, a->n);
    if (!v) return orr_fail(ctx, ORR_ENOMEM, "spectrum: no memory for a vector of %lld", (long long)a->n);
    orr_random_fill_sign(key, (uint64_t)(i * a->n), a->n, v);
    orr_vector_scale(a->n, 1 / sqrt((double)a->n), v);
    orr_krylov k;
    ORR_TRY(ctx, orr_krylov_run(ctx, scratch, a, v, steps, false, key, &k));
    out->products += k.products;
    if (!k.finite) {
        out->reason = ORR_REASON_NONFINITE;
        return ORR_OK;
    }
    const int64_t m = k.made;
    double *s = ORR_NEW(scratch, double, m *m), *node = out->node + out->count, *weight = out->weight + out->count;
    if (!s) return orr_fail(ctx, ORR_ENOMEM, "spectrum: no memory for %lld x %lld", (long long)m, (long long)m);
    ORR_TRY(ctx, orr_tridiagonal_eigen(ctx, scratch, m, k.alpha, k.beta, node, s));
    for (int64_t j = 0; j < m; j++) weight[j] = s[j * m] * s[j * m] / (double)out->probes;
    out->lowest = i ? fmin(out->lowest, node[0]) : node[0];
    out->highest = i ? fmax(out->highest, node[m - 1]) : node[m - 1];
    out->first[i] = out->count;
    out->count += m;
    return ORR_OK;
}

orr_status orr_spectrum_lanczos(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch, const orr_operator *a,
                                const orr_spectrum_options *options, orr_spectrum *out) {
    assert(scratch != out_arena && "scratch gets rewound");
    orr_spectrum_options o = options ? *options : (orr_spectrum_options){ 0 };
    if (!o.probes) o.probes = 10;
    if (!o.steps) o.steps = 80;
    if (o.steps > a->n) o.steps = a->n;
    if (!o.key.purpose) o.key.purpose = ORR_PURPOSE_PROBE;
    *out = (orr_spectrum){ .n = a->n, .probes = o.probes };
    if (a->n < 1 || o.probes < 1 || o.steps < 1)
        return orr_fail(ctx, ORR_EINPUT, "spectrum: %lld rows, %lld probes, %lld steps; each must be positive",
                        (long long)a->n, (long long)o.probes, (long long)o.steps);
    out->first = ORR_NEW(out_arena, int64_t, o.probes + 1);
    out->node = orr_arena_take(out_arena, o.probes, (size_t)o.steps * sizeof(double));
    out->weight = orr_arena_take(out_arena, o.probes, (size_t)o.steps * sizeof(double));
    if (!out->first || !out->node || !out->weight)
        return orr_fail(ctx, ORR_ENOMEM, "spectrum: no memory for %lld nodes", (long long)(o.probes * o.steps));
    const orr_arena_mark mark = orr_arena_here(scratch);
    orr_status status = ORR_OK;
    for (int64_t i = 0; i < o.probes && status == ORR_OK && out->reason == ORR_REASON_CONVERGED; i++) {
        status = probe(ctx, scratch, a, o.steps, o.key, i, out);
        orr_arena_rewind(scratch, mark);
    }
    out->first[o.probes] = out->count;
    if (out->reason == ORR_REASON_NONFINITE) {
        out->count = 0;
        memset(out->first, 0, (size_t)(o.probes + 1) * sizeof *out->first);
        out->lowest = out->highest = (double)NAN;
    }
    return status;
}

orr_spectrum_sum orr_spectrum_trace(const orr_spectrum *s, orr_function *f, void *self) {
    const double n = (double)s->n, probes = (double)s->probes;
    double mean = 0, squares = 0; /* Welford: squares = sum of (x - mean)^2 so far */
    for (int64_t i = 0; i < s->probes; i++) {
        double x = 0;
        for (int64_t j = s->first[i]; j < s->first[i + 1]; j++) x += s->weight[j] * f(self, s->node[j]);
        x *= probes * n;
        const double delta = x - mean;
        mean += delta / (double)(i + 1);
        squares += delta * (x - mean);
    }
    return (orr_spectrum_sum){ s->count ? mean : (double)NAN,
                               s->probes > 1 ? sqrt(squares / (probes * (probes - 1))) : 0 };
}

void orr_spectrum_density(const orr_spectrum *s, double width, int64_t points, const double *x, double *density) {
    assert(width > 0 && "a density is seen through a Gaussian of positive width");
    const double scale = 1 / (width * sqrt(2 * acos(-1)));
    for (int64_t i = 0; i < points; i++) {
        density[i] = 0;
        for (int64_t j = 0; j < s->count; j++) {
            const double t = (x[i] - s->node[j]) / width;
            density[i] += s->weight[j] * scale * exp(-0.5 * t * t);
        }
    }
}
