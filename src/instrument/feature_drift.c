/* How far inner values moved from where they were in the initial network:
 *
 *     feature_drift.TAP     |h(w) - h(w_0)|_F / |h(w_0)|_F    over the first `examples` training examples
 *     feature_change.TAP    mean |h(w) - h(w_0)| over their numbers, with `absolute`: the coordinate check (sheet
 *                           hyperparameters/mup-transfer)
 *
 * for each layer that the architecture taps, and the outputs as TAP = output.  What is remembered is w_0; h(w_0) is computed anew.
 * Cost: two forward passes over those examples, one of which others may have made. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/context.h"
#include "instrument/probe.h"

static const orr_parameter parameters[] = {
    ORR_INSTRUMENT_SCHEDULE("100"),
    { "examples", ORR_INT, .fallback = "256", .range = "[1, 1000000]", .help = "the first ones, at most all" },
    { "absolute", ORR_FLAG, .fallback = "false",
      .help = "feature_change in place of feature_drift: the mean of |h - h_0|, not relative to |h_0|" },
    { 0 },
};

typedef struct state {
    orr_probe probe;
    orr_subject own; /* a copy: it lives as long as this */
    int64_t n_taps;  /* the outputs among them */
    orr_node *first; /* w_0 of each tensor */
    bool absolute;
    orr_node *moved, *size; /* of each tap: |h - h_0|^2, |h_0|^2; or their mean |h - h_0| alone */
} state;

static void close_drift(void *self) {
    state *s = self;
    if (!s) return;
    orr_context *ctx = s->probe.ctx;
    orr_probe_end(&s->probe);
    orr_release(ctx, s);
}

static const char *tap_name(const state *s, int64_t i) {
    return i < s->probe.graph.n_taps ? s->probe.graph.tap[i].name : "output";
}

/* The taps twice in one graph: of the live parameters, which are values that others may look at too, and of w_0 in their place. */
static orr_status build(orr_context *ctx, state *s) {
    orr_probe *p = &s->probe;
    const int32_t n = (int32_t)s->own.n_tensors, taps = (int32_t)s->n_taps;
    orr_node *h = ORR_NEW(p->arena, orr_node, 2 * taps), *h_0 = h ? h + taps : NULL;
    orr_node *output = ORR_NEW(p->arena, orr_node, 2 * taps);
    s->first = ORR_NEW(p->arena, orr_node, n);
    if (!h || !output || !s->first) return orr_fail(ctx, ORR_ENOMEM, "feature-drift: out of memory");
    for (int32_t t = 0; t < n; t++) {
        char name[32];
        (void)snprintf(name, sizeof name, "drift.first%d", t);
        s->first[t] = orr_input(p->g, name, s->own.dtype, s->own.shape[t]);
    }
    for (int32_t i = 0; i < taps; i++) h[i] = i < taps - 1 ? p->graph.tap[i].node : p->graph.output;
    orr_substitute(p->g, h, taps, p->graph.parameter, s->first, n, h_0);
    s->moved = output;
    s->size = output + taps;
    for (int32_t i = 0; i < taps && s->absolute; i++)
        s->moved[i] = orr_mean_all(p->g, orr_abs(p->g, orr_sub(p->g, h[i], h_0[i])));
    if (s->absolute) return orr_probe_share(p, &s->own, output, taps);
    for (int32_t i = 0; i < taps; i++) {
        s->moved[i] = orr_sum_all(p->g, orr_square(p->g, orr_sub(p->g, h[i], h_0[i])));
        s->size[i] = orr_sum_all(p->g, orr_square(p->g, h_0[i]));
    }
    return orr_probe_share(p, &s->own, output, 2 * taps);
}

static orr_status open_drift(orr_context *ctx, const orr_settings *settings, const orr_subject *subject, void **out) {
    state *s = orr_allocate(ctx, sizeof *s);
    *out = NULL;
    if (!s) return orr_fail(ctx, ORR_ENOMEM, "feature-drift: out of memory");
    *s = (state){ .probe = { .ctx = ctx }, .own = *subject, .absolute = orr_flag(settings, "absolute") };
    orr_status status = orr_probe_begin_first(ctx, subject, orr_probe_examples_of(settings, subject), &s->probe);
    if (status == ORR_OK) {
        s->n_taps = s->probe.graph.n_taps + 1;
        status = build(ctx, s);
    }
    if (status == ORR_OK) *out = s;
    else close_drift(s);
    return status;
}

/* Remembered: w_0 [n] behind a flag that there is one. */
static size_t memory_of(const orr_settings *settings, const orr_subject *subject) {
    (void)settings;
    return (size_t)(subject->n + 1) * sizeof(double);
}

static orr_status measure(void *self, int64_t step, uint64_t seed, void *memory, const orr_sink *sink) {
    state *s = self;
    double *started = memory, *w = started + 1;
    (void)seed;
    ORR_TRY(s->probe.ctx, orr_probe_ready(&s->probe));
    for (int64_t t = 0; t < s->own.n_tensors; t++) {
        const int64_t n = orr_shape_count(&s->own.shape[t]);
        if (*started == 0.0) orr_probe_parameter(&s->own, t, w);
        orr_probe_write(&s->probe, s->first[t], n, w);
        w += n;
    }
    *started = 1.0;
    ORR_TRY(s->probe.ctx, orr_probe_run(&s->probe));
    for (int64_t i = 0; i < s->n_taps; i++) {
        double moved, size = 0.0;
        char name[64];
        orr_probe_read(&s->probe, s->moved[i], 1, &moved);
        if (!s->absolute) orr_probe_read(&s->probe, s->size[i], 1, &size);
        (void)snprintf(name, sizeof name, "%s.%s", s->absolute ? "feature_change" : "feature_drift", tap_name(s, i));
        ORR_TRY(s->probe.ctx, sink->record(sink->self, name, step, s->absolute ? moved : sqrt(moved / size)));
    }
    return ORR_OK;
}

static double cost_of(const orr_settings *s, const orr_subject *subject) {
    return 2.0 * (double)orr_probe_examples_of(s, subject) / (double)subject->examples;
}

const orr_instrument orr_instrument_feature_drift = {
    .kind = { "feature-drift", "how far layers moved from where they started", parameters },
    .cost = cost_of,
    .memory = memory_of,
    .from_start = orr_instrument_from_start,
    .open = open_drift,
    .measure = measure,
    .close = close_drift,
};
