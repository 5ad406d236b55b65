/* Similarity of layers to each other by linear CKA (Kornblith et al. 2019, 1905.00414), over the first `examples` training
 * examples; K = X X' of a layer's values X [examples, rest], H = 1 - 11'/n.
 *
 *     biased       <HKH, HLH> / (|HKH| |HLH|)
 *     `unbiased`   HSIC_u(K, L) / sqrt(HSIC_u(K, K) HSIC_u(L, L)), with K~, L~ = K, L with zeros on the diagonal and
 *                  HSIC_u(K, L) = (<K~, L~> + (1'K~1)(1'L~1) / ((n-1)(n-2)) - 2 (K~1).(L~1) / (n-2)) / (n (n-3))
 *                  (Song et al. 2012); it may be slightly negative
 *
 *     cka.TAP_TAP    of each tapped layer with the next; the outputs are the last
 *     cka            the array [layers, layers] of all pairs
 *
 * A layer whose values are all the same has no similarity: NaN.  Cost: a forward pass over those examples. */
#include <math.h>
#include <stdio.h>

#include "base/context.h"
#include "instrument/probe.h"

static const orr_parameter parameters[] = {
    ORR_INSTRUMENT_SCHEDULE("1000"),
    { "examples", ORR_INT, .fallback = "256", .range = "[4, 20000]", .help = "the first ones, at most all" },
    { "unbiased", ORR_FLAG, .fallback = "false", .help = "the estimate without the bias of few examples" },
    { 0 },
};

typedef struct state {
    orr_probe probe;
    int64_t n, n_taps; /* the outputs among them */
    bool unbiased;
    orr_node *gram;
    double **k, *cka; /* of each tap: K [n, n], and K~1 [n] behind it */
} state;

static void close_cka(void *self) {
    state *s = self;
    if (!s) return;
    orr_context *ctx = s->probe.ctx;
    orr_probe_end(&s->probe);
    orr_release(ctx, s);
}

static orr_status prepare(orr_context *ctx, state *s, const orr_subject *subject) {
    orr_probe *p = &s->probe;
    if (s->n < 4) return orr_fail(ctx, ORR_EINPUT, "cka: needs 4 examples, there are %lld", (long long)s->n);
    ORR_TRY(ctx, orr_probe_begin_first(ctx, subject, s->n, p));
    s->n_taps = p->graph.n_taps + 1;
    s->gram = ORR_NEW(p->arena, orr_node, s->n_taps);
    s->k = ORR_NEW(p->arena, double *, s->n_taps);
    s->cka = ORR_NEW(p->arena, double, s->n_taps * s->n_taps);
    if (!s->gram || !s->k || !s->cka) return orr_fail(ctx, ORR_ENOMEM, "cka: out of memory");
    for (int64_t i = 0; i < s->n_taps; i++) {
        const orr_node h = i < p->graph.n_taps ? p->graph.tap[i].node : p->graph.output,
                       flat = orr_reshape(p->g, h, ORR_SHAPE(s->n, -1)),
                       x = orr_sub(p->g, flat, orr_mean_keep(p->g, flat, ORR_AXES(0)));
        s->gram[i] = orr_einsum(p->g, "ip,jp->ij", x, x); /* HKH; HSIC_u doesn't see the centring */
        s->k[i] = ORR_NEW(p->arena, double, s->n *(s->n + 1));
        if (!s->k[i]) return orr_fail(ctx, ORR_ENOMEM, "cka: no memory for %lld examples", (long long)s->n);
    }
    return orr_probe_share(p, subject, s->gram, (int32_t)s->n_taps);
}

static orr_status open_cka(orr_context *ctx, const orr_settings *settings, const orr_subject *subject, void **out) {
    state *s = orr_allocate(ctx, sizeof *s);
    *out = NULL;
    if (!s) return orr_fail(ctx, ORR_ENOMEM, "cka: out of memory");
    *s = (state){ .probe = { .ctx = ctx },
                  .n = orr_probe_examples_of(settings, subject),
                  .unbiased = orr_flag(settings, "unbiased") };
    const orr_status status = prepare(ctx, s, subject);
    if (status == ORR_OK) *out = s;
    else close_cka(s);
    return status;
}

static double inner(int64_t n, const double *a, const double *b) {
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

/* K~ in place of K, and its row sums behind it. */
static void clear_diagonal(int64_t n, double *k) {
    for (int64_t i = 0; i < n; i++) {
        double sum = 0.0;
        k[i * n + i] = 0.0;
        for (int64_t j = 0; j < n; j++) sum += k[i * n + j];
        k[n * n + i] = sum;
    }
}

static double hsic(const state *s, const double *k, const double *l) {
    const int64_t n = s->n;
    const double m = (double)n;
    if (!s->unbiased) return inner(n * n, k, l);
    const double *k1 = k + n * n, *l1 = l + n * n;
    double k_all = 0.0, l_all = 0.0;
    for (int64_t i = 0; i < n; i++) {
        k_all += k1[i];
        l_all += l1[i];
    }
    return (inner(n * n, k, l) + k_all * l_all / ((m - 1) * (m - 2)) - 2 / (m - 2) * inner(n, k1, l1)) / (m * (m - 3));
}

static orr_status measure(void *self, int64_t step, uint64_t seed, void *memory, const orr_sink *sink) {
    state *s = self;
    const orr_probe *p = &s->probe;
    const int64_t n = s->n_taps;
    (void)seed, (void)memory;
    ORR_TRY(p->ctx, orr_probe_run(&s->probe));
    for (int64_t i = 0; i < n; i++) {
        orr_probe_read(p, s->gram[i], s->n * s->n, s->k[i]);
        if (s->unbiased) clear_diagonal(s->n, s->k[i]);
        for (int64_t j = 0; j <= i; j++) s->cka[i * n + j] = hsic(s, s->k[i], s->k[j]);
    }
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < i; j++)
            s->cka[j * n + i] = s->cka[i * n + j] /= sqrt(s->cka[i * n + i] * s->cka[j * n + j]);
    for (int64_t i = 0; i < n; i++) s->cka[i * n + i] /= s->cka[i * n + i]; /* 1, or NaN */
    for (int64_t i = 1; i < n; i++) {
        char name[96];
        (void)snprintf(name, sizeof name, "cka.%s_%s", p->graph.tap[i - 1].name,
                       i < p->graph.n_taps ? p->graph.tap[i].name : "output");
        ORR_TRY(p->ctx, sink->record(sink->self, name, step, s->cka[i * n + i - 1]));
    }
    return sink->record_array(sink->self, "cka", step, ORR_F64, &ORR_SHAPE(n, n), s->cka);
}

static double cost_of(const orr_settings *s, const orr_subject *subject) {
    return (double)orr_probe_examples_of(s, subject) / (double)subject->examples;
}

const orr_instrument orr_instrument_cka = {
    .kind = { "cka", "similarity of layers to each other, by linear CKA", parameters },
    .cost = cost_of,
    .open = open_cka,
    .measure = measure,
    .close = close_cka,
};
