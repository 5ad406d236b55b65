/* The trace of the Hessian of the loss over all training examples, tr H, by random probes (numeric/trace.h): hessian_trace, and
 * hessian_trace_error, the standard error over probes.  The probes are those of the run's seed at every measurement, so that what
 * changes between them is the network.
 * Cost: `products` Hessian products, four forward passes each. */
#include <stdio.h>
#include <string.h>

#include "base/context.h"
#include "base/random.h"
#include "instrument/probe.h"
#include "numeric/trace.h"

static const orr_parameter parameters[] = {
    ORR_INSTRUMENT_SCHEDULE("100"),
    { "products", ORR_INT, .fallback = "30", .range = "[6, 100000]", .help = "Hessian products a measurement" },
    { 0 },
};

typedef struct state {
    orr_probe probe;
    orr_arena *scratch;
    orr_subject own; /* a copy: it lives as long as this */
    int64_t products;
    orr_node *v, *hv; /* of each tensor */
} state;

static void close_trace(void *self) {
    state *s = self;
    if (!s) return;
    orr_context *ctx = s->probe.ctx;
    orr_arena_free(s->scratch);
    orr_probe_end(&s->probe);
    orr_release(ctx, s);
}

static orr_status prepare(orr_context *ctx, state *s) {
    const int32_t n = (int32_t)s->own.n_tensors;
    orr_probe *p = &s->probe;
    ORR_TRY(ctx, orr_arena_new(ctx, &s->scratch));
    ORR_TRY(ctx, orr_probe_begin(ctx, &s->own, ORR_PART_TRAIN, p));
    s->v = ORR_NEW(p->arena, orr_node, n);
    s->hv = ORR_NEW(p->arena, orr_node, n);
    if (!s->v || !s->hv) return orr_fail(ctx, ORR_ENOMEM, "hessian-trace: out of memory");
    for (int32_t t = 0; t < n; t++) {
        char name[32];
        (void)snprintf(name, sizeof name, "trace.v%d", t);
        s->v[t] = orr_input(p->g, name, s->own.dtype, s->own.shape[t]);
    }
    orr_hvp(p->g, p->graph.loss, p->graph.parameter, s->v, n, s->hv);
    return orr_probe_compile(p, s->hv, n);
}

static orr_status open_trace(orr_context *ctx, const orr_settings *settings, const orr_subject *subject, void **out) {
    state *s = orr_allocate(ctx, sizeof *s);
    *out = NULL;
    if (!s) return orr_fail(ctx, ORR_ENOMEM, "hessian-trace: out of memory");
    *s = (state){ .probe = { .ctx = ctx }, .own = *subject, .products = orr_int(settings, "products") };
    const orr_status status = prepare(ctx, s);
    if (status == ORR_OK) *out = s;
    else close_trace(s);
    return status;
}

/* out = H v, doubles, whatever the network computes in */
static orr_status apply(void *self, const double *v, double *out) {
    state *s = self;
    for (int64_t t = 0; t < s->own.n_tensors; t++) {
        const int64_t n = orr_shape_count(&s->own.shape[t]);
        void *to = orr_program_data(s->probe.program, s->v[t]); /* NULL where the loss is linear in it */
        for (int64_t i = 0; to && i < n && s->own.dtype == ORR_F32; i++) ((float *)to)[i] = (float)v[i];
        if (to && s->own.dtype == ORR_F64) memcpy(to, v, (size_t)n * sizeof *v);
        v += n;
    }
    ORR_TRY(s->probe.ctx, orr_probe_run(&s->probe));
    for (int64_t t = 0; t < s->own.n_tensors; t++) {
        const int64_t n = orr_shape_count(&s->own.shape[t]);
        orr_probe_read(&s->probe, s->hv[t], n, out);
        out += n;
    }
    return ORR_OK;
}

static orr_status measure(void *self, int64_t step, uint64_t seed, void *memory, const orr_sink *sink) {
    state *s = self;
    const orr_operator hessian = { s->own.n, apply, s };
    const orr_trace_options options = { .products = s->products, .key = { .seed = seed } };
    orr_trace_estimate estimate;
    (void)memory;
    ORR_TRY(s->probe.ctx, orr_trace(s->probe.ctx, s->scratch, &hessian, &options, &estimate));
    ORR_TRY(s->probe.ctx, sink->record(sink->self, "hessian_trace", step, estimate.value));
    return sink->record(sink->self, "hessian_trace_error", step, estimate.standard_error);
}

static double cost_of(const orr_settings *s, const orr_subject *subject) {
    (void)subject;
    return 4.0 * (double)orr_int(s, "products");
}

const orr_instrument orr_instrument_hessian_trace = {
    .kind = { "hessian-trace", "the trace of the Hessian of the loss, by random probes", parameters },
    .cost = cost_of,
    .open = open_trace,
    .measure = measure,
    .close = close_trace,
};
