/* Whitened inputs and a linear map of given singular values: what the theory of deep linear networks assumes.
 *
 *     X'X / n = I      y = S x,  S = U diag(s) V' = Y'X / n
 *
 * The columns of X are sqrt(n) times orthonormal ones; U [outputs, K] and V [dimension, K] have orthonormal columns, drawn
 * or the first axes.  Test examples, and fresh ones, have x ~ N(0, I): E x x' = I. */
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "ingredient/data/draw.h"

extern const orr_data orr_data_whitened_linear;

static const orr_parameter parameters[] = {
    ORR_DATA_GENERATED,
    { "dimension", ORR_INT, .fallback = "16", .range = "[1, 100000]", .help = "numbers in x; n is not less" },
    { "outputs", ORR_INT, .fallback = "16", .range = "[1, 100000]", .help = "numbers in y" },
    { "singular_values", ORR_REALS, .fallback = "4 3 2 1", .range = "[0, inf)",
      .help = "s_1, s_2, ... of the input-output correlation; the others are 0" },
    { "modes", ORR_CHOICE, .fallback = "random", .choices = "random axes", .help = "the columns of U and V" },
    { 0 },
};

/* a[n, k] with orthonormal columns. */
static orr_status draw_modes(orr_context *ctx, orr_arena *scratch, orr_key key, bool axes, int64_t n, int64_t k,
                             double *a) {
    double *rows = ORR_NEW(scratch, double, k *n);
    if (!rows) return orr_fail(ctx, ORR_ENOMEM, "whitened-linear: no memory");
    if (!axes) orr_draw_orthonormal(key, k, n, rows);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < k; j++) a[i * k + j] = axes ? (double)(i == j) : rows[j * n + i];
    return ORR_OK;
}

/* y[i,o] = sum_k U[o,k] s_k (sum_j V[j,k] x[i,j]) */
static void map(const orr_dataset *d, int64_t k_all, const double *x, double *y) {
    const double *u = d->facts.item[0].data, *s = d->facts.item[1].data, *v = d->facts.item[2].data;
    const int64_t inputs = d->input.size[0], outputs = d->target.size[0];
    for (int64_t i = 0; i < d->n; i++)
        for (int64_t k = 0; k < k_all; k++) {
            double along = 0.0;
            for (int64_t j = 0; j < inputs; j++) along += v[j * k_all + k] * x[i * inputs + j];
            for (int64_t o = 0; o < outputs; o++) y[i * outputs + o] += u[o * k_all + k] * s[k] * along;
        }
}

/* The training examples, exactly white, in place of the sampled ones. */
static orr_status whiten_training(orr_context *ctx, orr_arena *scratch, uint64_t seed, int64_t k, orr_dataset *d,
                                  double *x, double *y) {
    const int64_t n = d->n, inputs = d->input.size[0];
    double *rows = ORR_NEW(scratch, double, inputs *n);
    if (!rows) return orr_fail(ctx, ORR_ENOMEM, "whitened-linear: no memory for %lld inputs", (long long)n);
    orr_draw_orthonormal((orr_key){ seed, ORR_PURPOSE_DATA, 2 }, inputs, n, rows);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < inputs; j++) x[i * inputs + j] = sqrt((double)n) * rows[j * n + i];
    memset(y, 0, (size_t)(n * d->target.size[0]) * sizeof *y);
    map(d, k, x, y);
    return ORR_OK;
}

static orr_status check(orr_context *ctx, const orr_settings *s, int64_t k) {
    const int64_t n = orr_int(s, "n"), inputs = orr_int(s, "dimension"), outputs = orr_int(s, "outputs");
    if (n < inputs)
        return orr_fail(ctx, ORR_EINPUT,
                        "whitened-linear: n is %lld, but inputs of dimension %lld need as many examples", (long long)n,
                        (long long)inputs);
    if (k < 1 || k > inputs || k > outputs)
        return orr_fail(
            ctx, ORR_EINPUT, "whitened-linear: %lld singular values; a map from dimension %lld to %lld has 1 to %lld",
            (long long)k, (long long)inputs, (long long)outputs, (long long)(inputs < outputs ? inputs : outputs));
    return ORR_OK;
}

static orr_status build(orr_context *ctx, orr_arena *scratch, orr_arena *out_arena, const orr_settings *s,
                        uint64_t seed, orr_dataset *out) {
    const int64_t inputs = orr_int(s, "dimension"), outputs = orr_int(s, "outputs");
    const bool axes = strcmp(orr_text(s, "modes"), "axes") == 0;
    const orr_key key = { seed, ORR_PURPOSE_TEACHER, 0 }, other = { seed, ORR_PURPOSE_TEACHER, 1 };
    int64_t k;
    const double *given = orr_reals(s, "singular_values", &k);
    double *u, *values, *v;
    ORR_TRY(ctx, check(ctx, s, k));
    ORR_TRY(ctx, orr_draw_describe(ctx, out_arena, s, ORR_SHAPE(inputs), ORR_SHAPE(outputs), 3,
                                   "whitened inputs, a linear map of given singular values", out));
    ORR_TRY(ctx, orr_data_fact(ctx, out_arena, out, "U", ORR_SHAPE(outputs, k), &u));
    ORR_TRY(ctx, orr_data_fact(ctx, out_arena, out, "S", ORR_SHAPE(k), &values));
    ORR_TRY(ctx, orr_data_fact(ctx, out_arena, out, "V", ORR_SHAPE(inputs, k), &v));
    ORR_TRY(ctx, draw_modes(ctx, scratch, key, axes, outputs, k, u));
    ORR_TRY(ctx, draw_modes(ctx, scratch, other, axes, inputs, k, v));
    memcpy(values, given, (size_t)k * sizeof *values);
    ORR_TRY(ctx, orr_data_generate(ctx, out_arena, &orr_data_whitened_linear, s, seed, out));
    double *x = ORR_NEW(out_arena, double, (out->n + out->n_test) * inputs);
    double *y = ORR_NEW(out_arena, double, (out->n + out->n_test) * outputs);
    if (!x || !y) return orr_fail(ctx, ORR_ENOMEM, "whitened-linear: no memory for the examples");
    memcpy(x, out->x, (size_t)((out->n + out->n_test) * inputs) * sizeof *x);
    memcpy(y, out->y, (size_t)((out->n + out->n_test) * outputs) * sizeof *y);
    out->x = x;
    out->y = y;
    return whiten_training(ctx, scratch, seed, k, out, x, y);
}

static orr_status load(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, uint64_t run_seed,
                       orr_dataset *out) {
    orr_arena *scratch;
    ORR_TRY(ctx, orr_arena_new(ctx, &scratch));
    const orr_status status = build(ctx, scratch, out_arena, s, orr_data_seed(s, run_seed), out);
    orr_arena_free(scratch);
    return status;
}

/* x ~ N(0, I), y = U diag(S) V' x */
static void sample(orr_graph *g, const orr_settings *s, const orr_dataset *d, const orr_node *fact, orr_node key,
                   int64_t n, orr_dtype dtype, orr_node *x, orr_node *y) {
    (void)s;
    *x = orr_random_normal(g, key, dtype, ORR_SHAPE(n, d->input.size[0]));
    const orr_node along = orr_mul(g, orr_matmul(g, *x, fact[2]), fact[1]);
    *y = orr_linear(g, along, fact[0], ORR_NONE);
}

const orr_data orr_data_whitened_linear = {
    .kind = { "whitened-linear", "exactly white inputs, a linear map of given singular values", parameters },
    .load = load,
    .sample = sample,
};
