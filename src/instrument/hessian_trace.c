/* The trace of the Hessian of the loss over all training examples, tr H, by random probes (numeric/trace.h): hessian_trace, and
 * hessian_trace_error, the standard error over probes.  The probes are those of the run's seed at every measurement, so that what
 * changes between them is the network.
 * Cost: `products` Hessian products, four forward passes each. */
#include "base/context.h"
#include "base/random.h"
#include "instrument/hessian.h"
#include "numeric/trace.h"

static const orr_parameter parameters[] = {
    ORR_INSTRUMENT_SCHEDULE("100"),
    { "products", ORR_INT, .fallback = "30", .range = "[6, 100000]", .help = "Hessian products a measurement" },
    { 0 },
};

typedef struct state {
    orr_context *ctx;
    orr_hessian *hessian;
    orr_arena *scratch;
    int64_t products;
} state;

static void close_trace(void *self) {
    state *s = self;
    if (!s) return;
    orr_arena_free(s->scratch);
    orr_hessian_close(s->hessian);
    orr_release(s->ctx, s);
}

static orr_status open_trace(orr_context *ctx, const orr_settings *settings, const orr_subject *subject, void **out) {
    state *s = orr_allocate(ctx, sizeof *s);
    *out = NULL;
    if (!s) return orr_fail(ctx, ORR_ENOMEM, "hessian-trace: out of memory");
    *s = (state){ .ctx = ctx, .products = orr_int(settings, "products") };
    orr_status status = orr_arena_new(ctx, &s->scratch);
    if (status == ORR_OK) status = orr_hessian_open(ctx, subject, false, &s->hessian);
    if (status == ORR_OK) *out = s;
    else close_trace(s);
    return status;
}

static orr_status measure(void *self, int64_t step, uint64_t seed, void *memory, const orr_sink *sink) {
    state *s = self;
    const orr_operator hessian = orr_hessian_operator(s->hessian);
    const orr_trace_options options = { .products = s->products, .key = { .seed = seed } };
    orr_trace_estimate estimate;
    (void)memory;
    ORR_TRY(s->ctx, orr_trace(s->ctx, s->scratch, &hessian, &options, &estimate));
    ORR_TRY(s->ctx, sink->record(sink->self, "hessian_trace", step, estimate.value));
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
