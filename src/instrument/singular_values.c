/* Singular values of every weight matrix as the network sees it, W = multiplier times the stored one; a kernel of a convolution as
 * the matrix [fan out, the rest].
 *
 *     spectral_norm.NAME     the largest, s_1
 *     stable_rank.NAME       |W|_F^2 / s_1^2
 *     singular_values.NAME   an array: the first `top`, descending
 *
 * and with `end_to_end` the same of the product W_L ... W_1 of all matrices, under the name end_to_end: the map of a linear network.
 * The matrices must follow each other; vectors (biases) are passed over.  Where a matrix holds no numbers, its values are none.
 * Cost: no forward pass; an SVD of each. */
#include <math.h>
#include <stdio.h>

#include "base/context.h"
#include "instrument/probe.h"
#include "numeric/dense.h"
#include "numeric/vector.h"

static const orr_parameter parameters[] = {
    ORR_INSTRUMENT_SCHEDULE("100"),
    { "top", ORR_INT, .fallback = "0", .range = "[0, inf)", .help = "how many of each are recorded; 0: all" },
    { "end_to_end", ORR_FLAG, .fallback = "false", .help = "of the product of all matrices too" },
    { 0 },
};

typedef struct matrix {
    int64_t tensor, rows, columns;
} matrix;

typedef struct state {
    orr_probe probe;
    orr_arena *scratch, *results;
    orr_subject own; /* a copy: it lives as long as this */
    matrix *matrix;
    int64_t n, top;
    bool end_to_end;
} state;

static void close_values(void *self) {
    state *s = self;
    if (!s) return;
    orr_context *ctx = s->probe.ctx;
    orr_arena_free(s->results);
    orr_arena_free(s->scratch);
    orr_probe_end(&s->probe);
    orr_release(ctx, s);
}

static orr_status check_chain(const state *s) {
    for (int64_t i = 1; i < s->n; i++)
        if (s->matrix[i].columns != s->matrix[i - 1].rows || s->own.shape[s->matrix[i].tensor].rank != 2)
            return orr_fail(s->probe.ctx, ORR_EINPUT,
                            "singular-values: no end_to_end here, %s (%lld x %lld) doesn't follow %s",
                            s->own.name[s->matrix[i].tensor], (long long)s->matrix[i].rows,
                            (long long)s->matrix[i].columns, s->own.name[s->matrix[i - 1].tensor]);
    return ORR_OK;
}

static orr_status prepare(orr_context *ctx, state *s) {
    orr_probe *p = &s->probe;
    ORR_TRY(ctx, orr_arena_new(ctx, &s->scratch));
    ORR_TRY(ctx, orr_arena_new(ctx, &s->results));
    ORR_TRY(ctx, orr_probe_begin(ctx, &s->own, ORR_PART_TRAIN, p));
    s->matrix = ORR_NEW(p->arena, matrix, s->own.n_tensors);
    orr_node *output = ORR_NEW(p->arena, orr_node, s->own.n_tensors);
    if (!s->matrix || !output) return orr_fail(ctx, ORR_ENOMEM, "singular-values: out of memory");
    for (int64_t t = 0; t < s->own.n_tensors; t++) {
        const orr_shape *shape = &s->own.shape[t];
        if (shape->rank < 2 || orr_shape_count(shape) == 0) continue;
        output[s->n] = p->graph.effective[t];
        s->matrix[s->n++] = (matrix){ t, shape->size[0], orr_shape_count(shape) / shape->size[0] };
    }
    if (s->n == 0) return orr_fail(ctx, ORR_EINPUT, "singular-values: this network has no matrices");
    if (s->end_to_end) ORR_TRY(ctx, check_chain(s));
    return orr_probe_compile(p, output, (int32_t)s->n);
}

static orr_status open_values(orr_context *ctx, const orr_settings *settings, const orr_subject *subject, void **out) {
    state *s = orr_allocate(ctx, sizeof *s);
    *out = NULL;
    if (!s) return orr_fail(ctx, ORR_ENOMEM, "singular-values: out of memory");
    *s = (state){ .probe = { .ctx = ctx },
                  .own = *subject,
                  .top = orr_int(settings, "top"),
                  .end_to_end = orr_flag(settings, "end_to_end") };
    const orr_status status = prepare(ctx, s);
    if (status == ORR_OK) *out = s;
    else close_values(s);
    return status;
}

/* value[k], descending, k = min(rows, columns) */
static orr_status decompose(state *s, int64_t rows, int64_t columns, const double *a, double *value) {
    const int64_t k = rows < columns ? rows : columns;
    const orr_arena_mark mark = orr_arena_here(s->results);
    orr_svd svd;
    if (!orr_vector_is_finite(rows * columns, a)) {
        for (int64_t i = 0; i < k; i++) value[i] = (double)NAN;
        return ORR_OK;
    }
    const orr_status status = orr_svd_thin(s->probe.ctx, s->results, s->scratch, rows, columns, a, &svd);
    for (int64_t i = 0; status == ORR_OK && i < k; i++) value[i] = svd.s[i];
    orr_arena_rewind(s->results, mark);
    return status;
}

static orr_status record(state *s, int64_t step, const char *of, int64_t rows, int64_t columns, const double *a,
                         const orr_sink *sink) {
    const int64_t k = rows < columns ? rows : columns, n = s->top > 0 && s->top < k ? s->top : k;
    double *value = ORR_NEW(s->results, double, k), square = 0.0;
    char name[96];
    if (!value) return orr_fail(s->probe.ctx, ORR_ENOMEM, "singular-values: no memory for %lld", (long long)k);
    ORR_TRY(s->probe.ctx, decompose(s, rows, columns, a, value));
    for (int64_t i = 0; i < k; i++) square += value[i] * value[i];
    (void)snprintf(name, sizeof name, "spectral_norm.%s", of);
    ORR_TRY(s->probe.ctx, sink->record(sink->self, name, step, value[0]));
    (void)snprintf(name, sizeof name, "stable_rank.%s", of);
    ORR_TRY(s->probe.ctx, sink->record(sink->self, name, step, square / (value[0] * value[0])));
    (void)snprintf(name, sizeof name, "singular_values.%s", of);
    return sink->record_array(sink->self, name, step, ORR_F64, &ORR_SHAPE(n), value);
}

/* W_L ... W_1, from the right. */
static orr_status record_product(state *s, int64_t step, double *const *w, const orr_sink *sink) {
    const int64_t columns = s->matrix[0].columns;
    const double *product = w[0];
    for (int64_t i = 1; i < s->n; i++) {
        const matrix m = s->matrix[i];
        double *next = ORR_NEW(s->results, double, m.rows *columns);
        if (!next) return orr_fail(s->probe.ctx, ORR_ENOMEM, "singular-values: no memory for the product");
        orr_dense_multiply(m.rows, columns, m.columns, w[i], false, product, false, next);
        product = next;
    }
    return record(s, step, "end_to_end", s->matrix[s->n - 1].rows, columns, product, sink);
}

static orr_status measure_all(state *s, int64_t step, const orr_sink *sink) {
    orr_context *ctx = s->probe.ctx;
    double **w = ORR_NEW(s->results, double *, s->n);
    if (!w) return orr_fail(ctx, ORR_ENOMEM, "singular-values: out of memory");
    ORR_TRY(ctx, orr_probe_run(&s->probe));
    for (int64_t i = 0; i < s->n; i++) {
        const matrix m = s->matrix[i];
        w[i] = ORR_NEW(s->results, double, m.rows *m.columns);
        if (!w[i]) return orr_fail(ctx, ORR_ENOMEM, "singular-values: no memory for %s", s->own.name[m.tensor]);
        orr_probe_read(&s->probe, s->probe.graph.effective[m.tensor], m.rows * m.columns, w[i]);
        ORR_TRY(ctx, record(s, step, s->own.name[m.tensor], m.rows, m.columns, w[i], sink));
    }
    return s->end_to_end ? record_product(s, step, w, sink) : ORR_OK;
}

static orr_status measure(void *self, int64_t step, uint64_t seed, void *memory, const orr_sink *sink) {
    state *s = self;
    (void)seed, (void)memory;
    const orr_arena_mark mark = orr_arena_here(s->results);
    const orr_status status = measure_all(s, step, sink);
    orr_arena_rewind(s->results, mark);
    return status;
}

static double cost_of(const orr_settings *s, const orr_subject *subject) {
    (void)s, (void)subject;
    return 0.0;
}

const orr_instrument orr_instrument_singular_values = {
    .kind = { "singular-values", "singular values of weight matrices and of their product", parameters },
    .cost = cost_of,
    .open = open_values,
    .measure = measure,
    .close = close_values,
};
