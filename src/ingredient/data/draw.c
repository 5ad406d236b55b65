#include "ingredient/data/draw.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/context.h"

void orr_draw_orthonormal(orr_key key, int64_t rows, int64_t n, double *a) {
    assert(rows <= n && "no more orthonormal rows than their length");
    orr_random_fill_normal(key, 0, rows * n, a);
    for (int64_t i = 0; i < rows; i++) {
        double *row = a + i * n, square = 0.0;
        for (int64_t again = 0; again < 2; again++)
            for (int64_t j = 0; j < i; j++) { /* a_i -= (a_i . a_j) a_j */
                const double *other = a + j * n;
                double dot = 0.0;
                for (int64_t k = 0; k < n; k++) dot += row[k] * other[k];
                for (int64_t k = 0; k < n; k++) row[k] -= dot * other[k];
            }
        for (int64_t k = 0; k < n; k++) square += row[k] * row[k];
        for (int64_t k = 0; k < n; k++) row[k] /= sqrt(square);
    }
}

orr_status orr_draw_describe(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, orr_shape input,
                             orr_shape target, int n_facts, const char *source, orr_dataset *out) {
    *out = (orr_dataset){ .n = orr_int(s, "n"), .input = input, .target = target, .source = source };
    out->n_test = orr_int(s, "n_test");
    if (!source) return orr_fail(ctx, ORR_ENOMEM, "data: no memory");
    return orr_data_facts(ctx, out_arena, n_facts, out);
}

orr_node orr_draw_noise(orr_graph *g, orr_node key, orr_node y, double deviation) {
    if (!(deviation > 0.0)) return y;
    const orr_node part = orr_data_key(g, key, ORR_DRAW_NOISE);
    const orr_node noise = orr_random_normal(g, part, orr_node_dtype(g, y), orr_node_shape(g, y));
    return orr_add(g, y, orr_scale(g, noise, deviation));
}

orr_node orr_draw_hermite(orr_graph *g, orr_node z, orr_node c) {
    const int64_t n = orr_node_shape(g, c).size[0];
    orr_node before = ORR_NONE, h = orr_fill(g, orr_node_dtype(g, z), orr_node_shape(g, z), 1.0), sum = ORR_NONE;
    for (int64_t j = 0; j < n; j++) { /* h = h_j, before = h_{j-1} */
        const orr_node term = orr_mul(g, h, orr_slice(g, c, 0, j, j + 1, 1));
        sum = j == 0 ? term : orr_add(g, sum, term);
        orr_node next = orr_mul(g, z, h);
        if (j > 0) next = orr_sub(g, next, orr_scale(g, before, sqrt((double)j)));
        before = h;
        h = orr_scale(g, next, 1.0 / sqrt((double)j + 1.0));
    }
    return sum;
}

/* ---- a linear teacher ---------------------------------------------------------------------------------------------- */

static bool has_targets(const orr_settings *s) { return strcmp(orr_text(s, "targets"), "none") != 0; }

orr_shape orr_linear_target(const orr_settings *s) { return ORR_SHAPE(has_targets(s) ? orr_int(s, "outputs") : 0); }

orr_status orr_linear_teacher(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, uint64_t seed,
                              orr_dataset *d) {
    const int64_t outputs = orr_int(s, "outputs"), features = orr_dataset_features(d);
    double *w;
    if (!has_targets(s)) return ORR_OK;
    ORR_TRY(ctx, orr_data_fact(ctx, out_arena, d, "teacher", ORR_SHAPE(outputs, features), &w));
    orr_random_fill_normal((orr_key){ seed, ORR_PURPOSE_TEACHER, 0 }, 0, outputs * features, w);
    for (int64_t i = 0; i < outputs * features; i++) w[i] /= sqrt((double)features);
    return ORR_OK;
}

orr_node orr_linear_sample(orr_graph *g, const orr_settings *s, orr_node teacher, orr_node key, orr_node x) {
    if (!has_targets(s)) return ORR_NONE;
    return orr_draw_noise(g, key, orr_linear(g, x, teacher, ORR_NONE), orr_real(s, "noise"));
}
