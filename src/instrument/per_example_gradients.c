/* Gradients example by example: g_i = grad of the loss of example i (the task's own, without ridge), over the first `examples`
 * training examples; vmap of the gradient.
 *
 *     gradient_norm_mean, _min, _max       |g_i|
 *     gradient_noise_trace                 tr Sigma = (sum_i |g_i|^2 - N |gbar|^2) / (N - 1)
 *     gradient_noise_scale                 tr Sigma / (|gbar|^2 - tr Sigma / N)
 *
 * The last is the simple noise scale (McCandlish et al. 2018, 1812.06162), both parts of it unbiased.  The estimate of |G|^2 may
 * come out below 0 where N is small: then NaN would say nothing, so the series has no value at that step.
 * Cost: a forward and backward pass over those examples; their gradients are held. */
#include <math.h>

#include "base/context.h"
#include "instrument/probe.h"

static const orr_parameter parameters[] = {
    ORR_INSTRUMENT_SCHEDULE("100"),
    { "examples", ORR_INT, .fallback = "128", .range = "[2, 1000000]", .help = "the first ones, at most all" },
    { 0 },
};

typedef struct state {
    orr_probe probe;
    int64_t n;
    double *square; /* [n]: |g_i|^2 */
    orr_node squares, mean_square;
} state;

static void close_gradients(void *self) {
    state *s = self;
    if (!s) return;
    orr_context *ctx = s->probe.ctx;
    orr_probe_end(&s->probe);
    orr_release(ctx, s);
}

static orr_status prepare(orr_context *ctx, state *s, const orr_subject *subject) {
    const int32_t n = (int32_t)subject->n_tensors;
    orr_probe *p = &s->probe;
    orr_probe_examples e;
    ORR_TRY(ctx, orr_probe_begin_examples(ctx, subject, s->n, p, &e));
    if (!p->graph.each.id)
        return orr_fail(ctx, ORR_EINPUT, "per-example-gradients: this task's loss is no mean over examples");
    orr_node *g = ORR_NEW(p->arena, orr_node, n), *many = ORR_NEW(p->arena, orr_node, n);
    s->square = ORR_NEW(p->arena, double, s->n);
    if (!g || !many || !s->square) return orr_fail(ctx, ORR_ENOMEM, "per-example-gradients: out of memory");
    orr_grad(p->g, orr_sum_all(p->g, p->graph.each), p->graph.parameter, n, g);
    orr_probe_map(p, &e, g, n, many);
    s->squares = orr_fill(p->g, subject->dtype, ORR_SHAPE(s->n), 0.0);
    s->mean_square = orr_fill(p->g, subject->dtype, ORR_SCALAR, 0.0);
    for (int32_t t = 0; t < n; t++) {
        const orr_node flat = orr_reshape(p->g, many[t], ORR_SHAPE(s->n, -1));
        s->squares = orr_add(p->g, s->squares, orr_sum(p->g, orr_square(p->g, flat), ORR_AXES(1)));
        s->mean_square =
            orr_add(p->g, s->mean_square, orr_sum_all(p->g, orr_square(p->g, orr_mean(p->g, flat, ORR_AXES(0)))));
    }
    const orr_node outputs[2] = { s->squares, s->mean_square };
    return orr_probe_compile(p, outputs, 2);
}

static orr_status open_gradients(orr_context *ctx, const orr_settings *settings, const orr_subject *subject,
                                 void **out) {
    const int64_t wanted = orr_int(settings, "examples");
    state *s = orr_allocate(ctx, sizeof *s);
    *out = NULL;
    if (!s) return orr_fail(ctx, ORR_ENOMEM, "per-example-gradients: out of memory");
    *s = (state){ .probe = { .ctx = ctx }, .n = wanted < subject->examples ? wanted : subject->examples };
    const orr_status status = prepare(ctx, s, subject);
    if (status == ORR_OK) *out = s;
    else close_gradients(s);
    return status;
}

static orr_status measure(void *self, int64_t step, uint64_t seed, void *memory, const orr_sink *sink) {
    state *s = self;
    orr_context *ctx = s->probe.ctx;
    const double n = (double)s->n;
    double low = (double)INFINITY, high = 0.0, sum = 0.0, squares = 0.0, mean_square;
    (void)seed, (void)memory;
    ORR_TRY(ctx, orr_probe_run(&s->probe));
    orr_probe_read(&s->probe, s->squares, s->n, s->square);
    orr_probe_read(&s->probe, s->mean_square, 1, &mean_square);
    for (int64_t i = 0; i < s->n; i++) {
        const double norm = sqrt(s->square[i]);
        sum += norm;
        squares += s->square[i];
        if (!(norm >= low)) low = norm; /* so that a NaN shows */
        if (!(norm <= high)) high = norm;
    }
    ORR_TRY(ctx, sink->record(sink->self, "gradient_norm_mean", step, sum / n));
    ORR_TRY(ctx, sink->record(sink->self, "gradient_norm_min", step, low));
    ORR_TRY(ctx, sink->record(sink->self, "gradient_norm_max", step, high));
    const double trace = (squares - n * mean_square) / (n - 1.0), signal = mean_square - trace / n;
    ORR_TRY(ctx, sink->record(sink->self, "gradient_noise_trace", step, trace));
    return signal > 0.0 ? sink->record(sink->self, "gradient_noise_scale", step, trace / signal) : ORR_OK;
}

static double cost_of(const orr_settings *s, const orr_subject *subject) {
    return 3.0 * fmin(1.0, (double)orr_int(s, "examples") / (double)subject->examples);
}

const orr_instrument orr_instrument_per_example_gradients = {
    .kind = { "per-example-gradients", "norms of single examples' gradients and the gradient noise scale", parameters },
    .cost = cost_of,
    .open = open_gradients,
    .measure = measure,
    .close = close_gradients,
};
