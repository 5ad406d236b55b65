/* What gradient flow keeps because of symmetries of the parameters (theory/conservation.h), and the exact law of its steps.
 *
 *     balance.NAME         |Q|_F,  Q = W_{l+1}' W_{l+1} - (W_l W_l' + b_l b_l')/r; NAME is that of W_l
 *     balance_drift.NAME   |Q - Q_0|_F, Q_0 that of the initial network; with `exact`, of the first measurement
 *     neuron_balance.NAME, neuron_balance_drift.NAME    max_j |Q_jj| and max_j |Q_jj - Q_0,jj|
 *     balance.NAME         the array Q, with `matrix: true`
 *
 * for two matrices that follow each other with at most the bias b_l between them, and for each head of attention (query and key, value
 * and output).  All of Q is kept where unit l is linear, the diagonal where it is homogeneous of degree r (relu: 1).  With
 * `exact: true`, beside them, for each matrix with its bias, w, and for the last one, W:
 *
 *     scale.NAME           |w|^2, kept where w can be scaled (what a norm reads)
 *     rotation.NAME        angle by which w turns in one update: root mean square since the last record; after the first
 *     translation.NAME     |sum of W's rows|, kept under a softmax
 *     balance_error.NAME, neuron_balance_error.NAME, scale_error.NAME, translation_error.NAME      distance from
 *
 *     Q' = s^2 Q + eta^2 Q(g)      |w'|^2 = s^2 |w|^2 + eta^2 |g|^2      c' = s c          in the update w' = s w - eta g
 *
 * followed from the first measurement on with the gradient of the loss over all training examples, which must be measured after
 * every update (`record_every` thins what is written).  NaN where the rule makes no such updates; the last law holds of others too
 * where nothing decays.
 *
 * W and b are the parameters as they are stored, before the parameterization's multipliers: of those the laws hold, where their
 * rates are equal.  Whether the layers follow each other in the network too, nothing checks: their names and their shapes say so.
 * Cost: products of h x h; with `exact` one backward pass. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/context.h"
#include "instrument/probe.h"
#include "theory/conservation.h"

static const orr_parameter parameters[] = {
    ORR_INSTRUMENT_SCHEDULE("10"),
    { "matrix", ORR_FLAG, .fallback = "false", .help = "record each Q as an array" },
    { "heads", ORR_INT, .fallback = "1", .range = "[1, 10000]", .help = "of attention, each with a Q of its own" },
    { "degree", ORR_REAL, .fallback = "1", .range = "(0, inf)",
      .help = "r: of homogeneity of the activation between two matrices; quadratic: 2" },
    { "exact", ORR_FLAG, .fallback = "false",
      .help = "follow the exact law of a step beside it; scale, rotation and translation too; needs every: 1" },
    { "record_every", ORR_INT, .fallback = "1", .range = "[1, inf)", .unit = "updates",
      .help = "write after 0, record_every, 2 record_every, ... updates" },
    { 0 },
};

/* A matrix and its bias: numbers first .. first + n - 1 of all. */
typedef struct weight {
    const char *name;
    int64_t first, n, rows, columns;
} weight;

typedef struct state {
    orr_context *ctx;
    orr_arena *arena, *scratch;
    orr_subject own; /* a copy: it lives as long as this */
    orr_probe probe; /* of the gradient */
    orr_node *gradient;
    orr_balances balances;
    weight *weight;
    int64_t n_weights, record_every;
    bool matrix, exact;
    double *w, *g, *q; /* [n], [n], [largest h, h] */
} state;

/* What is remembered of a member, in its order. */
typedef struct remembered {
    double *started;   /* a flag */
    double *first;     /* Q_0 of each balance */
    double *expected;  /* Q of each balance, by the law */
    double *scale;     /* of each weight: |w|^2 by the law, sum of squared angles, how many */
    double *direction; /* [n]: the last w */
    double *sum;       /* [columns + 1]: c of the last weight, by the law */
} remembered;

static void close_conserved(void *self) {
    state *s = self;
    if (!s) return;
    orr_probe_end(&s->probe);
    orr_arena_free(s->scratch);
    orr_arena_free(s->arena);
    orr_release(s->ctx, s);
}

/* ---- what there is --------------------------------------------------------------------------------------------------------- */

static bool is_bias_of(const char *name, const char *matrix) {
    const size_t stem = strlen(matrix) - strlen("weight");
    return strlen(matrix) > strlen("weight") && strncmp(name, matrix, stem) == 0 && strcmp(name + stem, "bias") == 0;
}

/* weight NULL: only counts. */
static int64_t list_weights(const orr_subject *s, weight *list) {
    int64_t n = 0, first = 0;
    for (int64_t t = 0; t < s->n_tensors; t++) {
        const int64_t count = orr_shape_count(&s->shape[t]);
        if (s->shape[t].rank >= 2 && count > 0) {
            const bool bias = t + 1 < s->n_tensors && is_bias_of(s->name[t + 1], s->name[t]);
            const int64_t rows = s->shape[t].size[0], beside = bias ? orr_shape_count(&s->shape[t + 1]) : 0;
            if (list) list[n] = (weight){ s->name[t], first, count + beside, rows, count / rows };
            n++;
        }
        first += count;
    }
    return n;
}

static orr_status build_gradient(state *s) {
    orr_probe *p = &s->probe;
    const int32_t n = (int32_t)s->own.n_tensors;
    ORR_TRY(s->ctx, orr_probe_begin(s->ctx, &s->own, ORR_PART_TRAIN, p));
    s->gradient = ORR_NEW(s->arena, orr_node, n);
    if (!s->gradient) return orr_fail(s->ctx, ORR_ENOMEM, "conserved: out of memory");
    orr_grad(p->g, p->graph.loss, p->graph.parameter, n, s->gradient);
    return orr_probe_compile(p, s->gradient, n);
}

static orr_status prepare(state *s, const orr_settings *settings) {
    int64_t h = 0, n_at;
    ORR_TRY(s->ctx, orr_arena_new(s->ctx, &s->arena));
    ORR_TRY(s->ctx, orr_arena_new(s->ctx, &s->scratch));
    ORR_TRY(s->ctx, orr_balances_find(s->ctx, s->arena, s->own.n_tensors, s->own.name, s->own.shape,
                                      orr_int(settings, "heads"), &s->balances));
    for (int64_t i = 0; i < s->balances.n; i++) {
        const orr_balance_kind kind = s->balances.item[i].kind;
        if (kind == ORR_BALANCE_CHAIN || kind == ORR_BALANCE_PERCEPTRON)
            s->balances.item[i].degree = orr_real(settings, "degree");
        h = s->balances.item[i].h > h ? s->balances.item[i].h : h;
    }
    if (h == 0 && !s->exact)
        return orr_fail(s->ctx, ORR_EINPUT, "conserved: no two matrices of this network follow each other");
    (void)orr_ints(settings, "at", &n_at);
    if (s->exact && (orr_int(settings, "every") != 1 || orr_int(settings, "per_decade") != 0 || n_at != 0))
        return orr_fail(s->ctx, ORR_EINPUT, "conserved: exact follows every update; it needs every: 1");
    s->n_weights = list_weights(&s->own, NULL);
    s->weight = ORR_NEW(s->arena, weight, s->n_weights);
    s->w = ORR_NEW(s->arena, double, s->own.n);
    s->g = ORR_NEW(s->arena, double, s->own.n);
    s->q = ORR_NEW(s->arena, double, h *h);
    if (!s->weight || !s->w || !s->g || !s->q)
        return orr_fail(s->ctx, ORR_ENOMEM, "conserved: no memory for %lld units", (long long)h);
    (void)list_weights(&s->own, s->weight);
    if (s->exact && s->n_weights == 0) return orr_fail(s->ctx, ORR_EINPUT, "conserved: this network has no matrices");
    return s->exact ? build_gradient(s) : ORR_OK;
}

static orr_status open_conserved(orr_context *ctx, const orr_settings *settings, const orr_subject *subject,
                                 void **out) {
    state *s = orr_allocate(ctx, sizeof *s);
    *out = NULL;
    if (!s) return orr_fail(ctx, ORR_ENOMEM, "conserved: out of memory");
    *s = (state){ .ctx = ctx,
                  .own = *subject,
                  .probe = { .ctx = ctx },
                  .record_every = orr_int(settings, "record_every"),
                  .matrix = orr_flag(settings, "matrix"),
                  .exact = orr_flag(settings, "exact") };
    const orr_status status = prepare(s, settings);
    if (status == ORR_OK) *out = s;
    else close_conserved(s);
    return status;
}

/* ---- what is remembered ------------------------------------------------------------------------------------------------------ */

/* Numbers of all Q together.  A head's Q is the smaller, so that one head gives room enough. */
static int64_t entries_of(const orr_subject *s) {
    int64_t n = 0;
    for (int64_t t = 0; t < s->n_tensors; t++)
        if (s->shape[t].rank == 2) n += s->shape[t].size[0] * s->shape[t].size[0];
    return n;
}

static size_t memory_of(const orr_settings *settings, const orr_subject *subject) {
    int64_t n = 1 + entries_of(subject);
    if (orr_flag(settings, "exact")) { /* ORDER remembered */
        n += entries_of(subject) + 3 * list_weights(subject, NULL) + subject->n;
        n += subject->n + 1; /* columns of the last weight are fewer */
    }
    return (size_t)n * sizeof(double);
}

static remembered remember(const state *s, double *memory) {
    const int64_t entries = entries_of(&s->own);
    remembered m = { .started = memory, .first = memory + 1 };
    m.expected = m.first + entries;
    m.scale = m.expected + (s->exact ? entries : 0);
    m.direction = m.scale + 3 * s->n_weights;
    m.sum = m.direction + s->own.n;
    return m;
}

/* ---- a measurement --------------------------------------------------------------------------------------------------------- */

typedef struct moment {
    const orr_sink *sink; /* NULL: nothing is written now */
    int64_t step;
    bool first;
    double rate, keep; /* the next update is keep w - rate g */
} moment;

static orr_status record(const moment *m, const char *what, const char *of, double value) {
    char name[96];
    if (!m->sink) return ORR_OK;
    (void)snprintf(name, sizeof name, "%s.%s", what, of);
    return m->sink->record(m->sink->self, name, m->step, value);
}

static orr_status record_both(state *s, const moment *m, const orr_balance *b, const double *from, const char *suffix) {
    double whole, diagonal;
    char name[2][40];
    orr_balance_distance(b->h, s->q, from, &whole, &diagonal);
    (void)snprintf(name[0], sizeof name[0], "balance%s", suffix);
    (void)snprintf(name[1], sizeof name[1], "neuron_balance%s", suffix);
    ORR_TRY(s->ctx, record(m, name[0], b->name, whole));
    return record(m, name[1], b->name, diagonal);
}

static orr_status measure_balance(state *s, const moment *m, const orr_balance *b, double *first, double *expected) {
    const int64_t n = b->h * b->h;
    ORR_TRY(s->ctx, orr_balance_form(s->ctx, s->scratch, b, s->w, s->q));
    if (m->first) memcpy(first, s->q, (size_t)n * sizeof *first);
    if (m->first && s->exact) memcpy(expected, s->q, (size_t)n * sizeof *expected);
    ORR_TRY(s->ctx, record_both(s, m, b, NULL, ""));
    ORR_TRY(s->ctx, record_both(s, m, b, first, "_drift"));
    if (s->matrix && m->sink) {
        char name[96];
        (void)snprintf(name, sizeof name, "balance.%s", b->name);
        ORR_TRY(s->ctx, m->sink->record_array(m->sink->self, name, m->step, ORR_F64, &ORR_SHAPE(b->h, b->h), s->q));
    }
    if (!s->exact) return ORR_OK;
    ORR_TRY(s->ctx, record_both(s, m, b, expected, "_error"));
    ORR_TRY(s->ctx, orr_balance_form(s->ctx, s->scratch, b, s->g, s->q));
    for (int64_t i = 0; i < n; i++) expected[i] = m->keep * m->keep * expected[i] + m->rate * m->rate * s->q[i];
    return ORR_OK;
}

static double dot(int64_t n, const double *a, const double *b) {
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

/* The angle between two vectors, exact for small ones where acos isn't: 2 asin(|u - v|/2) of the unit vectors. */
static double angle_between(int64_t n, const double *a, const double *b) {
    const double length_a = sqrt(dot(n, a, a)), length_b = sqrt(dot(n, b, b));
    double square = 0.0;
    for (int64_t i = 0; i < n; i++) {
        const double d = a[i] / length_a - b[i] / length_b;
        square += d * d;
    }
    return 2.0 * asin(fmin(0.5 * sqrt(square), 1.0));
}

/* scale: |w|^2 by the law, sum of squared angles, how many */
static orr_status measure_scale(state *s, const moment *m, const weight *v, double *scale, const double *last) {
    const double *w = s->w + v->first, *g = s->g + v->first, square = dot(v->n, w, w);
    if (m->first) scale[0] = square;
    else {
        const double angle = angle_between(v->n, last, w);
        scale[1] += angle * angle;
        scale[2] += 1.0;
    }
    ORR_TRY(s->ctx, record(m, "scale", v->name, square));
    ORR_TRY(s->ctx, record(m, "scale_error", v->name, fabs(square - scale[0])));
    if (m->sink && scale[2] > 0.0) {
        ORR_TRY(s->ctx, record(m, "rotation", v->name, sqrt(scale[1] / scale[2])));
        scale[1] = scale[2] = 0.0;
    }
    scale[0] = m->keep * m->keep * scale[0] + m->rate * m->rate * dot(v->n, g, g);
    return ORR_OK;
}

/* c has a number for each column, and one for the bias where there is one. */
static orr_status measure_translation(state *s, const moment *m, const weight *v, double *expected) {
    const int64_t bias = v->n > v->rows * v->columns;
    double square = 0.0, error = 0.0;
    for (int64_t j = 0; j < v->columns + bias; j++) {
        const double *entry = s->w + v->first + (j < v->columns ? j : v->rows * v->columns);
        const int64_t stride = j < v->columns ? v->columns : 1;
        double c = 0.0;
        for (int64_t k = 0; k < v->rows; k++) c += entry[k * stride];
        if (m->first) expected[j] = c;
        square += c * c;
        if (!(fabs(c - expected[j]) <= error)) error = fabs(c - expected[j]);
        expected[j] *= m->keep;
    }
    ORR_TRY(s->ctx, record(m, "translation", v->name, sqrt(square)));
    return record(m, "translation_error", v->name, error);
}

static orr_status read_parameters(state *s) {
    int64_t at = 0;
    for (int64_t t = 0; t < s->own.n_tensors; t++) {
        orr_probe_parameter(&s->own, t, s->w + at);
        at += orr_shape_count(&s->own.shape[t]);
    }
    if (!s->exact) return ORR_OK;
    ORR_TRY(s->ctx, orr_probe_run(&s->probe));
    at = 0;
    for (int64_t t = 0; t < s->own.n_tensors; t++) {
        orr_probe_read(&s->probe, s->gradient[t], orr_shape_count(&s->own.shape[t]), s->g + at);
        at += orr_shape_count(&s->own.shape[t]);
    }
    return ORR_OK;
}

static orr_status measure(void *self, int64_t step, uint64_t seed, void *memory, const orr_sink *sink) {
    state *s = self;
    const remembered r = remember(s, memory);
    moment m = { .sink = step % s->record_every == 0 ? sink : NULL, .step = step, .first = *r.started == 0.0 };
    int64_t at = 0;
    (void)seed;
    if (s->exact) s->own.next_update(s->own.self, &m.rate, &m.keep);
    ORR_TRY(s->ctx, read_parameters(s));
    for (int64_t i = 0; i < s->balances.n; i++) {
        ORR_TRY(s->ctx, measure_balance(s, &m, &s->balances.item[i], r.first + at, r.expected + at));
        at += s->balances.item[i].h * s->balances.item[i].h;
    }
    *r.started = 1.0;
    if (!s->exact) return ORR_OK;
    for (int64_t i = 0; i < s->n_weights; i++)
        ORR_TRY(s->ctx, measure_scale(s, &m, &s->weight[i], r.scale + 3 * i, r.direction + s->weight[i].first));
    memcpy(r.direction, s->w, (size_t)s->own.n * sizeof *r.direction);
    return measure_translation(s, &m, &s->weight[s->n_weights - 1], r.sum);
}

/* The exact laws are followed through every update since the first measurement. */
static bool from_start(const orr_settings *settings) { return !orr_flag(settings, "exact"); }

static double cost_of(const orr_settings *s, const orr_subject *subject) {
    (void)subject;
    return orr_flag(s, "exact") ? 3.0 : 0.0;
}

const orr_instrument orr_instrument_conserved = {
    .kind = { "conserved",
              "what gradient flow keeps: balance of consecutive matrices and of each unit; scale, translation",
              parameters },
    .cost = cost_of,
    .memory = memory_of,
    .from_start = from_start,
    .open = open_conserved,
    .measure = measure,
    .close = close_conserved,
};
