/* The covariance of features over the first N = `examples` training examples:
 *
 *     H_ij = 1/n h(x_i).h(x_j),   h the n numbers that the readout sees (the last tapped layer)
 *
 * A readout of weights N(0, sw2/n) and biases N(0, sb2), drawn anew, makes outputs that are jointly Gaussian with the covariance
 * sw2 H + sb2: the kernel of the network as a Gaussian process, from one network (Neal 1996; Lee et al. 2018, 1711.00165).
 *
 *     nngp_trace   tr H
 *     nngp         the array [N, N]
 *
 * With `layers: true` also nngp_trace.TAP and nngp.TAP of each tapped layer.  Cost: a forward pass over those examples. */
#include <stdio.h>

#include "base/context.h"
#include "instrument/probe.h"

static const orr_parameter parameters[] = {
    ORR_INSTRUMENT_SCHEDULE("1000"),
    { "examples", ORR_INT, .fallback = "64", .range = "[1, 20000]", .help = "the first ones, at most all" },
    { "layers", ORR_FLAG, .fallback = "false", .help = "that of each layer too" },
    { 0 },
};

typedef struct state {
    orr_probe probe;
    int64_t n, kernels; /* examples; matrices: the readout's first, behind it with `layers` all taps' */
    orr_node *kernel;
    double *h; /* [n, n] */
} state;

static void close_nngp(void *self) {
    state *s = self;
    if (!s) return;
    orr_context *ctx = s->probe.ctx;
    orr_probe_end(&s->probe);
    orr_release(ctx, s);
}

static const orr_subject_tap *tap_of(const state *s, int64_t kernel) {
    return &s->probe.graph.tap[kernel ? kernel - 1 : s->probe.graph.n_taps - 1];
}

static orr_status prepare(orr_context *ctx, state *s, const orr_subject *subject, bool layers) {
    orr_probe *p = &s->probe;
    ORR_TRY(ctx, orr_probe_begin_first(ctx, subject, s->n, p));
    if (p->graph.n_taps == 0)
        return orr_fail(ctx, ORR_EINPUT, "nngp: this architecture has no layer before its outputs");
    s->kernels = layers ? 1 + p->graph.n_taps : 1;
    s->kernel = ORR_NEW(p->arena, orr_node, s->kernels);
    s->h = ORR_NEW(p->arena, double, s->n * s->n);
    if (!s->kernel || !s->h) return orr_fail(ctx, ORR_ENOMEM, "nngp: no memory for %lld examples", (long long)s->n);
    for (int64_t i = 0; i < s->kernels; i++) {
        const orr_node h = orr_reshape(p->g, tap_of(s, i)->node, ORR_SHAPE(s->n, -1));
        const double n = (double)orr_node_shape(p->g, h).size[1];
        s->kernel[i] = orr_scale(p->g, orr_einsum(p->g, "ik,jk->ij", h, h), 1.0 / n);
    }
    return orr_probe_share(p, subject, s->kernel, (int32_t)s->kernels);
}

static orr_status open_nngp(orr_context *ctx, const orr_settings *settings, const orr_subject *subject, void **out) {
    state *s = orr_allocate(ctx, sizeof *s);
    *out = NULL;
    if (!s) return orr_fail(ctx, ORR_ENOMEM, "nngp: out of memory");
    *s = (state){ .probe = { .ctx = ctx }, .n = orr_probe_examples_of(settings, subject) };
    const orr_status status = prepare(ctx, s, subject, orr_flag(settings, "layers"));
    if (status == ORR_OK) *out = s;
    else close_nngp(s);
    return status;
}

static orr_status measure(void *self, int64_t step, uint64_t seed, void *memory, const orr_sink *sink) {
    state *s = self;
    orr_context *ctx = s->probe.ctx;
    (void)seed, (void)memory;
    ORR_TRY(ctx, orr_probe_run(&s->probe));
    for (int64_t i = 0; i < s->kernels; i++) {
        double trace = 0.0;
        char name[96];
        const char *dot = i ? "." : "", *tap = i ? tap_of(s, i)->name : "";
        orr_probe_read(&s->probe, s->kernel[i], s->n * s->n, s->h);
        for (int64_t k = 0; k < s->n; k++) trace += s->h[k * s->n + k];
        (void)snprintf(name, sizeof name, "nngp_trace%s%s", dot, tap);
        ORR_TRY(ctx, sink->record(sink->self, name, step, trace));
        (void)snprintf(name, sizeof name, "nngp%s%s", dot, tap);
        ORR_TRY(ctx, sink->record_array(sink->self, name, step, ORR_F64, &ORR_SHAPE(s->n, s->n), s->h));
    }
    return ORR_OK;
}

static double cost_of(const orr_settings *s, const orr_subject *subject) {
    return (double)orr_probe_examples_of(s, subject) / (double)subject->examples;
}

const orr_instrument orr_instrument_nngp = {
    .kind = { "nngp", "the covariance of what the readout sees: the kernel of a Gaussian process", parameters },
    .cost = cost_of,
    .open = open_nngp,
    .measure = measure,
    .close = close_nngp,
};
