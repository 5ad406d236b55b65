/* A recursive feature machine, a learner beside the network (Radhakrishnan et al. 2024, 2212.13881; sheet
 * empirical/neural-feature-ansatz): a Laplace kernel machine whose metric M becomes the average outer product of its gradients.
 *
 *     M = I; again and again:  K_M(x, z) = exp(-sqrt((x - z)' M (x - z))/bandwidth)     alpha = (K_M + ridge I)^-1 y
 *                              G = 1/n sum_j grad f(x_j) grad f(x_j)'                   M = G^power, scaled to tr M = d
 *
 *     rfm_r2        array [iterations]: 1 - mean squared error over the test examples/variance of their targets
 *     rfm_energy    array [iterations]: the part of the r largest eigenvectors of M, after each, that lies in the data's r
 *                   `directions` (ingredient/data/multi_index.c), sum_k |U v_k|^2/r; NaN where the data have none
 *     rfm_diagonal  array [d]: of the last M
 *
 * Targets are one number.  It says nothing about the network.  Cost: a Cholesky factor and three products of matrices of the training
 * examples each time. */
#include "instrument/recursive_features.h"

#include <math.h>
#include <string.h>

#include "base/context.h"
#include "instrument/probe.h"
#include "numeric/dense.h"
#include "theory/feature_ansatz.h"

static const orr_parameter parameters[] = {
    ORR_INSTRUMENT_SCHEDULE("1000000"),
    { "iterations", ORR_INT, .fallback = "6", .range = "[1, 1000]", .help = "kernel machines, one after another" },
    { "bandwidth", ORR_REAL, .fallback = "10", .range = "(0, inf)", .help = "of the Laplace kernel" },
    { "ridge", ORR_REAL, .fallback = "1e-3", .range = "(0, inf)", .help = "added to the diagonal of K" },
    { "power", ORR_REAL, .fallback = "0.5", .range = "(0, inf)", .help = "of the average gradient outer product" },
    { 0 },
};

typedef struct state {
    orr_context *ctx;
    orr_arena *arena, *scratch;
    orr_subject own; /* a copy: it lives as long as this */
    int64_t iterations, n, n_test, d;
    double bandwidth, ridge, power;
} state;

static void close_features(void *self) {
    state *s = self;
    if (!s) return;
    orr_context *ctx = s->ctx;
    orr_arena_free(s->scratch);
    orr_arena_free(s->arena);
    orr_release(ctx, s);
}

static orr_status no_memory(orr_context *ctx, int64_t n) {
    return orr_fail(ctx, ORR_ENOMEM, "recursive-features: no memory for %lld examples", (long long)n);
}

static orr_status open_features(orr_context *ctx, const orr_settings *settings, const orr_subject *subject,
                                void **out) {
    *out = NULL;
    if (subject->x_type == ORR_I32 || subject->classes > 0 || !subject->target ||
        orr_shape_count(&subject->target_of_one) != 1)
        return orr_fail(ctx, ORR_EINPUT,
                        "recursive-features: needs inputs and targets that are numbers, one target each");
    if (subject->test_examples < 2)
        return orr_fail(ctx, ORR_EINPUT, "recursive-features: the data have no test examples (`n_test`)");
    state *s = orr_allocate(ctx, sizeof *s);
    if (!s) return no_memory(ctx, 0);
    *s = (state){ .ctx = ctx,
                  .own = *subject,
                  .iterations = orr_int(settings, "iterations"),
                  .n = subject->examples,
                  .n_test = subject->test_examples,
                  .d = orr_shape_count(&subject->input),
                  .bandwidth = orr_real(settings, "bandwidth"),
                  .ridge = orr_real(settings, "ridge"),
                  .power = orr_real(settings, "power") };
    orr_status status = orr_arena_new(ctx, &s->arena);
    if (status == ORR_OK) status = orr_arena_new(ctx, &s->scratch);
    if (status == ORR_OK) *out = s;
    else close_features(s);
    return status;
}

/* out[i, j] = sqrt((x_i - z_j)' M (x_i - z_j)) by q_i + q_j - 2 x_i' M z_j; z = x: 0 on the diagonal. */
static orr_status distances(orr_context *ctx, orr_arena *scratch, int64_t n, int64_t k, int64_t d, const double *x,
                            const double *z, const double *m, double *out) {
    const orr_arena_mark mark = orr_arena_here(scratch);
    double *xm = ORR_NEW(scratch, double, n *d), *zm = ORR_NEW(scratch, double, k *d), *q = ORR_NEW(scratch, double, k);
    if (!xm || !zm || !q) return no_memory(ctx, n);
    orr_dense_multiply(n, d, d, x, false, m, false, xm);
    orr_dense_multiply(k, d, d, z, false, m, false, zm);
    orr_dense_multiply(n, k, d, xm, false, z, true, out);
    for (int64_t j = 0; j < k; j++)
        for (int64_t c = 0; c < d; c++) q[j] += zm[j * d + c] * z[j * d + c];
    for (int64_t i = 0; i < n; i++) {
        double qi = 0.0;
        for (int64_t c = 0; c < d; c++) qi += xm[i * d + c] * x[i * d + c];
        for (int64_t j = 0; j < k; j++)
            out[i * k + j] = x == z && i == j ? 0.0 : sqrt(fmax(qi + q[j] - 2.0 * out[i * k + j], 0.0));
    }
    orr_arena_rewind(scratch, mark);
    return ORR_OK;
}

orr_status orr_recursive_gradients(orr_context *ctx, orr_arena *scratch, int64_t n, int64_t d, const double *x,
                                   const double *m, const double *alpha, double bandwidth, double *gradient) {
    const orr_arena_mark mark = orr_arena_here(scratch);
    double *s = orr_arena_take(scratch, n, (size_t)n * sizeof *s), *sx = ORR_NEW(scratch, double, n *d);
    if (!s || !sx) return no_memory(ctx, n);
    ORR_TRY(ctx, distances(ctx, scratch, n, n, d, x, x, m, s));
    for (int64_t j = 0; j < n; j++)
        for (int64_t i = 0; i < n; i++) {
            const double r = s[j * n + i];
            s[j * n + i] = r < 1e-10 ? 0.0 : alpha[i] * exp(-r / bandwidth) / (bandwidth * r);
        }
    orr_dense_multiply(n, d, n, s, false, x, false, sx);
    for (int64_t j = 0; j < n; j++) {
        double sum = 0.0;
        for (int64_t i = 0; i < n; i++) sum += s[j * n + i];
        for (int64_t c = 0; c < d; c++) sx[j * d + c] -= sum * x[j * d + c];
    }
    orr_dense_multiply(n, d, d, sx, false, m, false, gradient);
    orr_arena_rewind(scratch, mark);
    return ORR_OK;
}

typedef struct data {
    double *x, *y, *test_x, *test_y;
} data;

/* alpha[n] */
static orr_status fit(state *s, const data *e, const double *m, double *alpha) {
    double *k = orr_arena_take(s->arena, s->n, (size_t)s->n * sizeof *k);
    if (!k) return no_memory(s->ctx, s->n);
    ORR_TRY(s->ctx, distances(s->ctx, s->scratch, s->n, s->n, s->d, e->x, e->x, m, k));
    for (int64_t i = 0; i < s->n * s->n; i++) k[i] = exp(-k[i] / s->bandwidth);
    for (int64_t i = 0; i < s->n; i++) k[i * s->n + i] += s->ridge;
    ORR_TRY(s->ctx, orr_cholesky(s->ctx, s->n, k, k));
    return orr_cholesky_solve(s->ctx, s->scratch, s->n, k, 1, e->y, alpha);
}

static orr_status score(state *s, const data *e, const double *m, const double *alpha, double *r2) {
    double *k = ORR_NEW(s->arena, double, s->n_test * s->n), *f = ORR_NEW(s->arena, double, s->n_test);
    double mean = 0.0, variance = 0.0, error = 0.0;
    if (!k || !f) return no_memory(s->ctx, s->n_test);
    ORR_TRY(s->ctx, distances(s->ctx, s->scratch, s->n_test, s->n, s->d, e->test_x, e->x, m, k));
    for (int64_t i = 0; i < s->n_test * s->n; i++) k[i] = exp(-k[i] / s->bandwidth);
    orr_dense_multiply(s->n_test, 1, s->n, k, false, alpha, false, f);
    for (int64_t i = 0; i < s->n_test; i++) mean += e->test_y[i] / (double)s->n_test;
    for (int64_t i = 0; i < s->n_test; i++) {
        variance += (e->test_y[i] - mean) * (e->test_y[i] - mean);
        error += (e->test_y[i] - f[i]) * (e->test_y[i] - f[i]);
    }
    *r2 = 1.0 - error / variance;
    return ORR_OK;
}

/* M = G^power d/tr, G of the gradients. */
static orr_status advance(state *s, const data *e, const double *alpha, double *m) {
    double *gradient = ORR_NEW(s->arena, double, s->n * s->d), *g = ORR_NEW(s->arena, double, s->d * s->d), trace = 0.0;
    if (!gradient || !g) return no_memory(s->ctx, s->n);
    ORR_TRY(s->ctx, orr_recursive_gradients(s->ctx, s->scratch, s->n, s->d, e->x, m, alpha, s->bandwidth, gradient));
    orr_dense_multiply(s->d, s->d, s->n, gradient, true, gradient, false, g);
    for (int64_t i = 0; i < s->d * s->d; i++) g[i] /= (double)s->n;
    ORR_TRY(s->ctx, orr_matrix_power(s->ctx, s->scratch, s->d, g, s->power, m));
    for (int64_t i = 0; i < s->d; i++) trace += m[i * s->d + i];
    for (int64_t i = 0; i < s->d * s->d; i++) m[i] *= (double)s->d / trace;
    return ORR_OK;
}

static orr_status energy_of(state *s, const double *m, double *out) {
    const orr_arrays *facts = s->own.facts(s->own.self);
    orr_symmetric_eigen top;
    *out = (double)NAN;
    for (int f = 0; f < facts->n; f++) {
        const orr_array *u = &facts->item[f];
        if (strcmp(u->name, "directions") != 0 || u->shape.rank != 2) continue;
        const int64_t r = u->shape.size[0];
        double sum = 0.0;
        ORR_TRY(s->ctx, orr_eigen_symmetric_range(s->ctx, s->arena, s->scratch, s->d, m, s->d - r, r, &top));
        for (int64_t k = 0; k < r; k++)
            for (int64_t i = 0; i < r; i++) {
                double along = 0.0;
                for (int64_t c = 0; c < s->d; c++)
                    along += ((double *)u->data)[i * s->d + c] * top.vector[k * s->d + c];
                sum += along * along;
            }
        *out = sum / (double)r;
    }
    return ORR_OK;
}

static orr_status read_data(state *s, data *e) {
    const orr_subject *of = &s->own;
    *e = (data){ ORR_NEW(s->arena, double, s->n * s->d), ORR_NEW(s->arena, double, s->n),
                 ORR_NEW(s->arena, double, s->n_test * s->d), ORR_NEW(s->arena, double, s->n_test) };
    if (!e->x || !e->y || !e->test_x || !e->test_y) return no_memory(s->ctx, s->n);
    orr_probe_widen(of->x_type, of->x, s->n * s->d, e->x);
    orr_probe_widen(of->target_type, of->target, s->n, e->y);
    orr_probe_widen(of->x_type, of->test_x, s->n_test * s->d, e->test_x);
    orr_probe_widen(of->target_type, of->test_target, s->n_test, e->test_y);
    return ORR_OK;
}

static orr_status measure_all(state *s, int64_t step, const orr_sink *sink) {
    const int64_t d = s->d;
    double *m = ORR_NEW(s->arena, double, d *d), *alpha = ORR_NEW(s->arena, double, s->n);
    double *r2 = ORR_NEW(s->arena, double, s->iterations), *energy = ORR_NEW(s->arena, double, s->iterations);
    double *diagonal = ORR_NEW(s->arena, double, d);
    data e;
    if (!m || !alpha || !r2 || !energy || !diagonal) return no_memory(s->ctx, s->n);
    ORR_TRY(s->ctx, read_data(s, &e));
    for (int64_t i = 0; i < d; i++) m[i * d + i] = 1.0;
    for (int64_t t = 0; t < s->iterations; t++) {
        const orr_arena_mark mark = orr_arena_here(s->arena);
        ORR_TRY(s->ctx, fit(s, &e, m, alpha));
        ORR_TRY(s->ctx, score(s, &e, m, alpha, &r2[t]));
        ORR_TRY(s->ctx, advance(s, &e, alpha, m));
        ORR_TRY(s->ctx, energy_of(s, m, &energy[t]));
        orr_arena_rewind(s->arena, mark);
    }
    for (int64_t i = 0; i < d; i++) diagonal[i] = m[i * d + i];
    ORR_TRY(s->ctx, sink->record_array(sink->self, "rfm_r2", step, ORR_F64, &ORR_SHAPE(s->iterations), r2));
    ORR_TRY(s->ctx, sink->record_array(sink->self, "rfm_energy", step, ORR_F64, &ORR_SHAPE(s->iterations), energy));
    return sink->record_array(sink->self, "rfm_diagonal", step, ORR_F64, &ORR_SHAPE(d), diagonal);
}

static orr_status measure(void *self, int64_t step, uint64_t seed, void *memory, const orr_sink *sink) {
    state *s = self;
    (void)seed, (void)memory;
    const orr_arena_mark mark = orr_arena_here(s->arena);
    const orr_status status = measure_all(s, step, sink);
    orr_arena_rewind(s->arena, mark);
    return status;
}

const orr_instrument orr_instrument_recursive_features = {
    .kind = { "recursive-features", "a recursive feature machine on the run's data", parameters },
    .open = open_features,
    .measure = measure,
    .close = close_features,
};
