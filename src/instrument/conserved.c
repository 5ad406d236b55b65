/* What gradient flow keeps (Du, Hu, Lee 2018, 1806.00900), for each two matrices that follow each other, W_l [h, .] and
 * W_{l+1} [., h], with at most its bias b_l between them.  NAME is that of W_l.
 *
 *     Q = W_{l+1}' W_{l+1} - W_l W_l' - b_l b_l'              [h, h], all of it kept where unit l is linear
 *     q_j = Q_jj = |W_{l+1}[:, j]|^2 - |W_l[j, :]|^2 - b_j^2  kept where it is homogeneous of degree 1 (relu)
 *
 *     balance.NAME         |Q|_F
 *     balance_drift.NAME   |Q - Q_0|_F, Q_0 that of the first measurement
 *     neuron_balance.NAME, neuron_balance_drift.NAME    max_j |q_j| and max_j |q_j - q_0j|
 *     balance.NAME         the array Q, with `matrix: true`
 *
 * W and b are the parameters as they are stored, before the parameterization's multipliers: of those the law holds, where their
 * rates are equal.  A step of gradient descent changes Q by learning_rate^2 times the same form of the gradients.  Whether the layers
 * follow each other in the network too, nothing checks: their order and their shapes say so.
 * Cost: no forward pass; products of h x h. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/context.h"
#include "instrument/probe.h"
#include "numeric/dense.h"

static const orr_parameter parameters[] = {
    ORR_INSTRUMENT_SCHEDULE("10"),
    { "matrix", ORR_FLAG, .fallback = "false", .help = "record each Q as an array" },
    { 0 },
};

typedef struct pair {
    int64_t lower, bias, upper; /* tensors; bias -1: there is none */
} pair;

typedef struct state {
    orr_context *ctx;
    orr_arena *arena;
    orr_subject own; /* a copy: it lives as long as this */
    bool matrix;
    double *w, *q; /* [largest tensor], [largest h, h] */
} state;

static bool is_matrix(const orr_subject *s, int64_t t) { return s->shape[t].rank == 2 && s->shape[t].size[0] > 0; }

/* "layer1.bias" of "layer1.weight": a norm's gain is as long, and makes another law. */
static bool is_bias_of(const char *name, const char *matrix) {
    const char *dot = strrchr(name, '.'), *other = strrchr(matrix, '.');
    return dot && other && strcmp(dot, ".bias") == 0 && dot - name == other - matrix &&
           strncmp(name, matrix, (size_t)(dot - name)) == 0;
}

/* The pair whose lower matrix comes first from tensor `from` on; lower = n_tensors where there is none. */
static pair next_pair(const orr_subject *s, int64_t from) {
    for (int64_t lower = from; lower < s->n_tensors; lower++) {
        if (!is_matrix(s, lower)) continue;
        int64_t upper = lower + 1;
        while (upper < s->n_tensors && s->shape[upper].rank == 1) upper++;
        if (upper == s->n_tensors || !is_matrix(s, upper)) continue;
        const int64_t h = s->shape[lower].size[0], between = upper - lower - 1;
        if (s->shape[upper].size[1] != h || between > 1) continue;
        if (between == 1 && !is_bias_of(s->name[lower + 1], s->name[lower])) continue;
        if (between == 1 && s->shape[lower + 1].size[0] != h) continue;
        return (pair){ lower, between ? lower + 1 : -1, upper };
    }
    return (pair){ s->n_tensors, -1, s->n_tensors };
}

static void close_conserved(void *self) {
    state *s = self;
    if (!s) return;
    orr_arena_free(s->arena);
    orr_release(s->ctx, s);
}

static orr_status prepare(state *s) {
    int64_t largest = 0, h = 0;
    ORR_TRY(s->ctx, orr_arena_new(s->ctx, &s->arena));
    for (int64_t t = 0; t < s->own.n_tensors; t++)
        if (orr_shape_count(&s->own.shape[t]) > largest) largest = orr_shape_count(&s->own.shape[t]);
    for (pair p = next_pair(&s->own, 0); p.lower < s->own.n_tensors; p = next_pair(&s->own, p.lower + 1))
        if (s->own.shape[p.lower].size[0] > h) h = s->own.shape[p.lower].size[0];
    if (h == 0) return orr_fail(s->ctx, ORR_EINPUT, "conserved: no two matrices of this network follow each other");
    s->w = ORR_NEW(s->arena, double, largest);
    s->q = ORR_NEW(s->arena, double, 2 * h * h);
    return s->w && s->q ? ORR_OK : orr_fail(s->ctx, ORR_ENOMEM, "conserved: no memory for %lld units", (long long)h);
}

static orr_status open_conserved(orr_context *ctx, const orr_settings *settings, const orr_subject *subject,
                                 void **out) {
    state *s = orr_allocate(ctx, sizeof *s);
    *out = NULL;
    if (!s) return orr_fail(ctx, ORR_ENOMEM, "conserved: out of memory");
    *s = (state){ .ctx = ctx, .own = *subject, .matrix = orr_flag(settings, "matrix") };
    const orr_status status = prepare(s);
    if (status == ORR_OK) *out = s;
    else close_conserved(s);
    return status;
}

/* s->q = Q; s->q + h h is for work */
static int64_t compute(state *s, pair p) {
    const int64_t h = s->own.shape[p.lower].size[0];
    double *q = s->q, *term = s->q + h * h;
    orr_probe_parameter(&s->own, p.upper, s->w);
    orr_dense_multiply(h, h, s->own.shape[p.upper].size[0], s->w, true, s->w, false, q);
    orr_probe_parameter(&s->own, p.lower, s->w);
    orr_dense_multiply(h, h, s->own.shape[p.lower].size[1], s->w, false, s->w, true, term);
    for (int64_t i = 0; i < h * h; i++) q[i] -= term[i];
    if (p.bias < 0) return h;
    orr_probe_parameter(&s->own, p.bias, s->w);
    for (int64_t i = 0; i < h * h; i++) q[i] -= s->w[i / h] * s->w[i % h];
    return h;
}

/* |a - b|_F and max_j |a_jj - b_jj|; b NULL: 0.  A NaN shows in both. */
static void distances(int64_t h, const double *a, const double *b, double *whole, double *diagonal) {
    *whole = *diagonal = 0.0;
    for (int64_t i = 0; i < h * h; i++) {
        const double d = fabs(a[i] - (b ? b[i] : 0.0));
        *whole += d * d;
        if (i % (h + 1) == 0 && !(d <= *diagonal)) *diagonal = d;
    }
    *whole = sqrt(*whole);
}

static orr_status record(state *s, int64_t step, const char *what, int64_t tensor, double value, const orr_sink *sink) {
    char name[96];
    (void)snprintf(name, sizeof name, "%s.%s", what, s->own.name[tensor]);
    return sink->record(sink->self, name, step, value);
}

static orr_status record_pair(state *s, int64_t step, pair p, int64_t h, const double *first, const orr_sink *sink) {
    double whole, diagonal;
    distances(h, s->q, NULL, &whole, &diagonal);
    ORR_TRY(s->ctx, record(s, step, "balance", p.lower, whole, sink));
    ORR_TRY(s->ctx, record(s, step, "neuron_balance", p.lower, diagonal, sink));
    distances(h, s->q, first, &whole, &diagonal);
    ORR_TRY(s->ctx, record(s, step, "balance_drift", p.lower, whole, sink));
    ORR_TRY(s->ctx, record(s, step, "neuron_balance_drift", p.lower, diagonal, sink));
    if (!s->matrix) return ORR_OK;
    char name[96];
    (void)snprintf(name, sizeof name, "balance.%s", s->own.name[p.lower]);
    return sink->record_array(sink->self, name, step, ORR_F64, &ORR_SHAPE(h, h), s->q);
}

/* Remembered: Q_0 of each pair, behind a flag that there are some. */
static size_t memory_of(const orr_settings *settings, const orr_subject *subject) {
    size_t n = 1;
    (void)settings;
    for (pair p = next_pair(subject, 0); p.lower < subject->n_tensors; p = next_pair(subject, p.lower + 1))
        n += (size_t)(subject->shape[p.lower].size[0] * subject->shape[p.lower].size[0]);
    return n * sizeof(double);
}

static orr_status measure(void *self, int64_t step, uint64_t seed, void *memory, const orr_sink *sink) {
    state *s = self;
    double *started = memory, *first = started + 1;
    (void)seed;
    for (pair p = next_pair(&s->own, 0); p.lower < s->own.n_tensors; p = next_pair(&s->own, p.lower + 1)) {
        const int64_t h = compute(s, p);
        if (*started == 0.0) memcpy(first, s->q, (size_t)(h * h) * sizeof *first);
        ORR_TRY(s->ctx, record_pair(s, step, p, h, first, sink));
        first += h * h;
    }
    *started = 1.0;
    return ORR_OK;
}

static double cost_of(const orr_settings *s, const orr_subject *subject) {
    (void)s, (void)subject;
    return 0.0;
}

const orr_instrument orr_instrument_conserved = {
    .kind = { "conserved", "what gradient flow keeps: balance of consecutive matrices and of each unit", parameters },
    .cost = cost_of,
    .memory = memory_of,
    .open = open_conserved,
    .measure = measure,
    .close = close_conserved,
};
