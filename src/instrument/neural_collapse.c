/* Neural collapse (Papyan, Han, Donoho 2020, 2008.08186) of the last tapped layer, what the readout sees: h_i in R^d of the first
 * `examples` training examples with labels y_i.  mu_k are the means of the K classes, mu the mean of the mu_k, M has rows mu_k - mu;
 * W [K, d] is the readout, the last matrix of that shape, as the network sees it, and Wc is W without the mean of its rows.
 *
 *     nc1                           tr(Sw pinv(Sb)) / K, Sw = 1/N sum_i (h_i - mu_{y_i})(...)', Sb = M'M / K; pinv on the K - 1
 *                                   largest directions of Sb alone (others hold noise)
 *     nc2_norm, nc2_norm_readout    std_k |M_k| / mean_k |M_k|, and of the rows of Wc
 *     nc2_angle, nc2_angle_readout  mean over j != k of |cos(M_j, M_k) + 1/(K-1)|, and of the rows of Wc
 *     nc3                           | Wc/|Wc|_F - M/|M|_F |_F
 *     nc4                           the part of examples whose largest output is not that of the nearest mu_k
 *
 *     nc_feature_norm, nc_readout_norm   mean |h_i| and mean |W_k|, not centred
 *     nc_margin                     mean over i and the K - 1 wrong classes of f_{y_i} - f_k
 *
 * Classes without an example are left out of everything, also of W.  What W is needed for is left out where no trained matrix has its
 * shape.  nc1 needs no d x d matrix: with M = U diag(s) V' it is sum_{j<K} 1/s_j^2 1/N sum_i (v_j . (h_i - mu_{y_i}))^2.
 * Cost: a forward pass over those examples. */
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "instrument/probe.h"
#include "numeric/dense.h"
#include "numeric/vector.h"

static const orr_parameter parameters[] = {
    ORR_INSTRUMENT_SCHEDULE("100"),
    { "examples", ORR_INT, .fallback = "10000", .range = "[2, 100000000]", .help = "the first ones, at most all" },
    { 0 },
};

typedef struct state {
    orr_probe probe;
    orr_arena *scratch, *results;
    int64_t n, d, classes;
    const int32_t *label; /* live */
    orr_node feature, output, readout;
    double *h, *f, *w; /* [n, d], [n, classes], [classes, d] or NULL */
} state;

/* The classes that have examples. */
typedef struct classes {
    int64_t k;
    int64_t *of;    /* [all]: the place of a class among them, or -1 */
    int64_t *which; /* [k] */
    double *mean;   /* [k, d] */
    double *m;      /* [k, d] */
} classes;

static void close_collapse(void *self) {
    state *s = self;
    if (!s) return;
    orr_context *ctx = s->probe.ctx;
    orr_arena_free(s->results);
    orr_arena_free(s->scratch);
    orr_probe_end(&s->probe);
    orr_release(ctx, s);
}

static orr_status check(orr_context *ctx, const orr_subject *subject) {
    if (subject->classes < 2 || !subject->target)
        return orr_fail(ctx, ORR_EINPUT, "neural-collapse: the data have no classes");
    if (orr_shape_count(&subject->target_of_one) != 1)
        return orr_fail(ctx, ORR_EINPUT, "neural-collapse: the task asks for more than one answer an example");
    return ORR_OK;
}

static orr_status prepare(orr_context *ctx, state *s, const orr_subject *subject) {
    orr_probe *p = &s->probe;
    ORR_TRY(ctx, check(ctx, subject));
    ORR_TRY(ctx, orr_arena_new(ctx, &s->scratch));
    ORR_TRY(ctx, orr_arena_new(ctx, &s->results));
    ORR_TRY(ctx, orr_probe_begin_first(ctx, subject, s->n, p));
    if (p->graph.n_taps == 0) return orr_fail(ctx, ORR_EINPUT, "neural-collapse: this architecture taps no layer");
    s->feature = orr_reshape(p->g, p->graph.tap[p->graph.n_taps - 1].node, ORR_SHAPE(s->n, -1));
    s->output = orr_reshape(p->g, p->graph.output, ORR_SHAPE(s->n, -1));
    const orr_shape h = orr_node_shape(p->g, s->feature), f = orr_node_shape(p->g, s->output);
    ORR_TRY(ctx, orr_graph_status(p->g));
    if (f.size[1] != s->classes)
        return orr_fail(ctx, ORR_EINPUT, "neural-collapse: %lld outputs for %lld classes", (long long)f.size[1],
                        (long long)s->classes);
    s->d = h.size[1];
    for (int64_t t = 0; t < subject->n_tensors; t++)
        if (orr_shape_equal(&subject->shape[t], &ORR_SHAPE(s->classes, s->d))) s->readout = p->graph.effective[t];
    s->h = ORR_NEW(p->arena, double, s->n * s->d);
    s->f = ORR_NEW(p->arena, double, s->n * s->classes);
    s->w = s->readout.id ? ORR_NEW(p->arena, double, s->classes * s->d) : NULL;
    if (!s->h || !s->f || (s->readout.id && !s->w))
        return orr_fail(ctx, ORR_ENOMEM, "neural-collapse: no memory for %lld examples", (long long)s->n);
    const orr_node outputs[3] = { s->feature, s->output, s->readout };
    return orr_probe_share(p, subject, outputs, s->readout.id ? 3 : 2);
}

static orr_status open_collapse(orr_context *ctx, const orr_settings *settings, const orr_subject *subject,
                                void **out) {
    state *s = orr_allocate(ctx, sizeof *s);
    *out = NULL;
    if (!s) return orr_fail(ctx, ORR_ENOMEM, "neural-collapse: out of memory");
    *s = (state){ .probe = { .ctx = ctx },
                  .n = orr_probe_examples_of(settings, subject),
                  .classes = subject->classes,
                  .label = subject->target };
    const orr_status status = prepare(ctx, s, subject);
    if (status == ORR_OK) *out = s;
    else close_collapse(s);
    return status;
}

/* out = a [k, d] without the mean of its rows */
static void centre(int64_t k, int64_t d, const double *a, double *out) {
    for (int64_t j = 0; j < d; j++) {
        double mean = 0.0;
        for (int64_t i = 0; i < k; i++) mean += a[i * d + j] / (double)k;
        for (int64_t i = 0; i < k; i++) out[i * d + j] = a[i * d + j] - mean;
    }
}

static orr_status find_classes(state *s, classes *c) {
    const int64_t all = s->classes, d = s->d;
    double *count = ORR_NEW(s->results, double, all);
    *c = (classes){ .of = ORR_NEW(s->results, int64_t, all),
                    .which = ORR_NEW(s->results, int64_t, all),
                    .mean = ORR_NEW(s->results, double, all *d),
                    .m = ORR_NEW(s->results, double, all *d) };
    if (!count || !c->of || !c->which || !c->mean || !c->m)
        return orr_fail(s->probe.ctx, ORR_ENOMEM, "neural-collapse: no memory for %lld classes", (long long)all);
    for (int64_t i = 0; i < s->n; i++) count[s->label[i]] += 1.0;
    for (int64_t y = 0; y < all; y++) {
        c->of[y] = count[y] > 0.0 ? c->k : -1;
        if (count[y] > 0.0) c->which[c->k++] = y;
    }
    for (int64_t i = 0; i < s->n; i++)
        orr_vector_axpy(d, 1.0 / count[s->label[i]], s->h + i * d, c->mean + c->of[s->label[i]] * d);
    centre(c->k, d, c->mean, c->m);
    return ORR_OK;
}

static orr_status within_over_between(state *s, const classes *c, double *out) {
    const int64_t d = s->d, k = c->k;
    double *away = ORR_NEW(s->results, double, d), sum = 0.0;
    orr_svd svd;
    *out = (double)NAN;
    if (!away) return orr_fail(s->probe.ctx, ORR_ENOMEM, "neural-collapse: out of memory");
    if (k < 2 || !orr_vector_is_finite(k * d, c->m)) return ORR_OK;
    ORR_TRY(s->probe.ctx, orr_svd_thin(s->probe.ctx, s->results, s->scratch, k, d, c->m, &svd));
    const int64_t kept = k - 1 < svd.k ? k - 1 : svd.k;
    for (int64_t i = 0; i < s->n; i++) {
        const double *mean = c->mean + c->of[s->label[i]] * d;
        for (int64_t j = 0; j < d; j++) away[j] = s->h[i * d + j] - mean[j];
        for (int64_t j = 0; j < kept; j++) {
            const double along = orr_vector_dot(d, svd.vt + j * d, away) / svd.s[j];
            sum += along * along;
        }
    }
    *out = sum / (double)s->n;
    return ORR_OK;
}

/* std / mean of the rows' norms, and the mean distance of their cosines from -1/(k-1) */
static void equal_norms_and_angles(int64_t k, int64_t d, const double *a, double *norms, double *angles) {
    double mean = 0.0, square = 0.0, sum = 0.0;
    for (int64_t i = 0; i < k; i++) mean += orr_vector_norm(d, a + i * d) / (double)k;
    for (int64_t i = 0; i < k; i++) {
        const double norm = orr_vector_norm(d, a + i * d);
        square += (norm - mean) * (norm - mean) / (double)k;
        for (int64_t j = 0; j < i; j++) {
            const double cosine = orr_vector_dot(d, a + i * d, a + j * d) / (norm * orr_vector_norm(d, a + j * d));
            sum += 2.0 * fabs(cosine + 1.0 / (double)(k - 1));
        }
    }
    *norms = sqrt(square) / mean;
    *angles = sum / (double)(k * (k - 1));
}

/* Largest output against nearest mean; the first of equals. */
static double disagreement(const state *s, const classes *c) {
    double differ = 0.0;
    for (int64_t i = 0; i < s->n; i++) {
        const double *h = s->h + i * s->d, *f = s->f + i * s->classes;
        int64_t largest = 0, nearest = 0;
        double least = (double)INFINITY;
        for (int64_t k = 0; k < c->k; k++) {
            double distance = 0.0;
            for (int64_t j = 0; j < s->d; j++)
                distance += (h[j] - c->mean[k * s->d + j]) * (h[j] - c->mean[k * s->d + j]);
            if (distance < least) {
                least = distance;
                nearest = c->which[k];
            }
        }
        for (int64_t y = 1; y < s->classes; y++)
            if (f[y] > f[largest]) largest = y;
        differ += largest != nearest;
    }
    return differ / (double)s->n;
}

static orr_status record_readout(state *s, int64_t step, const classes *c, const orr_sink *sink) {
    orr_context *ctx = s->probe.ctx;
    const int64_t d = s->d, k = c->k;
    double *w = ORR_NEW(s->results, double, k *d), norms, angles, sum = 0.0;
    if (!w) return orr_fail(ctx, ORR_ENOMEM, "neural-collapse: out of memory");
    for (int64_t i = 0; i < k; i++) memcpy(w + i * d, s->w + c->which[i] * d, (size_t)d * sizeof *w);
    centre(k, d, w, w);
    equal_norms_and_angles(k, d, w, &norms, &angles);
    const double w_norm = orr_vector_norm(k * d, w), m_norm = orr_vector_norm(k * d, c->m);
    for (int64_t i = 0; i < k * d; i++) sum += (w[i] / w_norm - c->m[i] / m_norm) * (w[i] / w_norm - c->m[i] / m_norm);
    ORR_TRY(ctx, sink->record(sink->self, "nc2_norm_readout", step, norms));
    ORR_TRY(ctx, sink->record(sink->self, "nc2_angle_readout", step, angles));
    return sink->record(sink->self, "nc3", step, sqrt(sum));
}

static double mean_norm(int64_t n, int64_t d, const double *a) {
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) sum += orr_vector_norm(d, a + i * d);
    return sum / (double)n;
}

/* Sizes, and by how much the right answer is the largest: what decays of features and readout set. */
static orr_status record_sizes(state *s, int64_t step, const orr_sink *sink) {
    orr_context *ctx = s->probe.ctx;
    const double others = (double)(s->classes - 1);
    double margin = 0.0;
    for (int64_t i = 0; i < s->n; i++) {
        const double *f = s->f + i * s->classes;
        for (int64_t k = 0; k < s->classes; k++) margin += (f[s->label[i]] - f[k]) / (others * (double)s->n);
    }
    ORR_TRY(ctx, sink->record(sink->self, "nc_margin", step, margin));
    ORR_TRY(ctx, sink->record(sink->self, "nc_feature_norm", step, mean_norm(s->n, s->d, s->h)));
    return s->w ? sink->record(sink->self, "nc_readout_norm", step, mean_norm(s->classes, s->d, s->w)) : ORR_OK;
}

static orr_status record(state *s, int64_t step, const orr_sink *sink) {
    orr_context *ctx = s->probe.ctx;
    classes c;
    double ratio, norms, angles;
    ORR_TRY(ctx, find_classes(s, &c));
    ORR_TRY(ctx, within_over_between(s, &c, &ratio));
    equal_norms_and_angles(c.k, s->d, c.m, &norms, &angles);
    ORR_TRY(ctx, sink->record(sink->self, "nc1", step, ratio));
    ORR_TRY(ctx, sink->record(sink->self, "nc2_norm", step, norms));
    ORR_TRY(ctx, sink->record(sink->self, "nc2_angle", step, angles));
    if (s->w) ORR_TRY(ctx, record_readout(s, step, &c, sink));
    ORR_TRY(ctx, record_sizes(s, step, sink));
    return sink->record(sink->self, "nc4", step, disagreement(s, &c));
}

static orr_status measure(void *self, int64_t step, uint64_t seed, void *memory, const orr_sink *sink) {
    state *s = self;
    const orr_probe *p = &s->probe;
    (void)seed, (void)memory;
    ORR_TRY(p->ctx, orr_probe_run(&s->probe));
    orr_probe_read(p, s->feature, s->n * s->d, s->h);
    orr_probe_read(p, s->output, s->n * s->classes, s->f);
    if (s->w) orr_probe_read(p, s->readout, s->classes * s->d, s->w);
    const orr_arena_mark mark = orr_arena_here(s->results);
    const orr_status status = record(s, step, sink);
    orr_arena_rewind(s->results, mark);
    return status;
}

static double cost_of(const orr_settings *s, const orr_subject *subject) {
    return (double)orr_probe_examples_of(s, subject) / (double)subject->examples;
}

const orr_instrument orr_instrument_neural_collapse = {
    .kind = { "neural-collapse", "how far the last layer's classes collapsed: NC1 to NC4", parameters },
    .cost = cost_of,
    .open = open_collapse,
    .measure = measure,
    .close = close_collapse,
};
