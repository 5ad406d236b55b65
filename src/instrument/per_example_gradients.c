/* Gradients example by example: g_i = grad of the loss of example i (the task's own, without ridge), over the first `examples`
 * training examples; vmap of the gradient.
 *
 *     gradient_norm_mean, _min, _max       |g_i|
 *     gradient_noise_trace                 tr Sigma = (sum_i |g_i|^2 - N |gbar|^2) / (N - 1)
 *     gradient_noise_signal                |G|^2 = |gbar|^2 - tr Sigma / N
 *     gradient_noise_scale                 tr Sigma / |G|^2
 *  and with `curvature`, H of the mean loss of those examples:
 *     gradient_curved_trace                tr(H Sigma) = sum_i (g_i - gbar)' H (g_i - gbar) / (N - 1)
 *     gradient_curved_signal               G' H G = gbar' H gbar - tr(H Sigma) / N
 *     gradient_noise_weighted              tr(H Sigma) / G' H G
 *
 * The scale is the simple one (McCandlish et al. 2018, 1812.06162), both parts of it unbiased.  The estimate of |G|^2 may
 * come out below 0 where N is small: then NaN would say nothing, so the series has no value at that step.
 * Cost: a forward and backward pass over those examples; their gradients are held.  With curvature N products of H as well. */
#include <math.h>

#include "base/context.h"
#include "instrument/probe.h"

static const orr_parameter parameters[] = {
    ORR_INSTRUMENT_SCHEDULE("100"),
    { "examples", ORR_INT, .fallback = "128", .range = "[2, 1000000]", .help = "the first ones, at most all" },
    { "curvature", ORR_FLAG, .fallback = "false", .help = "record the noise scale that is weighted by curvature" },
    { 0 },
};

typedef struct state {
    orr_probe probe;
    int64_t n;
    double *square; /* [n]: |g_i|^2 */
    orr_node squares, mean_square;
    bool curvature;
    orr_node curved, curved_mean; /* (g_i - gbar)' H (g_i - gbar), [n]; gbar' H gbar */
} state;

static void close_gradients(void *self) {
    state *s = self;
    if (!s) return;
    orr_context *ctx = s->probe.ctx;
    orr_probe_end(&s->probe);
    orr_release(ctx, s);
}

/* v' H v for v = g_i - gbar and for gbar; gradients[t] is [n, tensor t]. */
static orr_status bend(state *s, const orr_probe_examples *e, int32_t n, const orr_node *gradients) {
    orr_probe *p = &s->probe;
    orr_node *v = ORR_NEW(p->arena, orr_node, n), *hv = ORR_NEW(p->arena, orr_node, n);
    orr_node *mean = ORR_NEW(p->arena, orr_node, n), *apart = ORR_NEW(p->arena, orr_node, n);
    orr_node each;
    if (!v || !hv || !mean || !apart) return orr_fail(p->ctx, ORR_ENOMEM, "per-example-gradients: out of memory");
    orr_probe_map(p, e, &p->graph.each, 1, &each);
    for (int32_t t = 0; t < n; t++) {
        const orr_shape shape = orr_node_shape(p->g, p->graph.parameter[t]);
        const char *name = orr_arena_format(p->arena, "direction.%d", (int)t);
        if (!name) return orr_fail(p->ctx, ORR_ENOMEM, "per-example-gradients: out of memory");
        v[t] = orr_input(p->g, name, p->dtype, shape);
        mean[t] = orr_mean(p->g, gradients[t], ORR_AXES(0));
        apart[t] = orr_sub(p->g, gradients[t], mean[t]);
    }
    orr_hvp(p->g, orr_mean_all(p->g, each), p->graph.parameter, v, n, hv);
    orr_node product = orr_fill(p->g, p->dtype, ORR_SCALAR, 0.0), one;
    for (int32_t t = 0; t < n; t++) product = orr_add(p->g, product, orr_sum_all(p->g, orr_mul(p->g, v[t], hv[t])));
    orr_vmap(p->g, &product, 1, v, apart, n, &s->curved);
    for (int32_t t = 0; t < n; t++)
        mean[t] = orr_reshape(p->g, mean[t], orr_probe_behind(1, orr_node_shape(p->g, v[t])));
    orr_vmap(p->g, &product, 1, v, mean, n, &one);
    s->curved_mean = orr_sum_all(p->g, one);
    return ORR_OK;
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
    if (s->curvature) ORR_TRY(ctx, bend(s, &e, n, many));
    const orr_node outputs[4] = { s->squares, s->mean_square, s->curved, s->curved_mean };
    return orr_probe_compile(p, outputs, s->curvature ? 4 : 2);
}

static orr_status open_gradients(orr_context *ctx, const orr_settings *settings, const orr_subject *subject,
                                 void **out) {
    const int64_t wanted = orr_int(settings, "examples");
    state *s = orr_allocate(ctx, sizeof *s);
    *out = NULL;
    if (!s) return orr_fail(ctx, ORR_ENOMEM, "per-example-gradients: out of memory");
    *s = (state){ .probe = { .ctx = ctx },
                  .n = wanted < subject->examples ? wanted : subject->examples,
                  .curvature = orr_flag(settings, "curvature") };
    const orr_status status = prepare(ctx, s, subject);
    if (status == ORR_OK) *out = s;
    else close_gradients(s);
    return status;
}

static orr_status record_weighted(state *s, int64_t step, const orr_sink *sink) {
    const double n = (double)s->n;
    double trace = 0.0, mean;
    orr_probe_read(&s->probe, s->curved, s->n, s->square);
    orr_probe_read(&s->probe, s->curved_mean, 1, &mean);
    for (int64_t i = 0; i < s->n; i++) trace += s->square[i] / (n - 1.0);
    const double signal = mean - trace / n;
    ORR_TRY(s->probe.ctx, sink->record(sink->self, "gradient_curved_trace", step, trace));
    ORR_TRY(s->probe.ctx, sink->record(sink->self, "gradient_curved_signal", step, signal));
    return signal > 0.0 ? sink->record(sink->self, "gradient_noise_weighted", step, trace / signal) : ORR_OK;
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
    ORR_TRY(ctx, sink->record(sink->self, "gradient_noise_signal", step, signal));
    if (signal > 0.0) ORR_TRY(ctx, sink->record(sink->self, "gradient_noise_scale", step, trace / signal));
    return s->curvature ? record_weighted(s, step, sink) : ORR_OK;
}

static double cost_of(const orr_settings *s, const orr_subject *subject) {
    const double n = fmin((double)orr_int(s, "examples"), (double)subject->examples);
    return 3.0 * n / (double)subject->examples * (orr_flag(s, "curvature") ? 1.0 + 2.0 * n : 1.0);
}

const orr_instrument orr_instrument_per_example_gradients = {
    .kind = { "per-example-gradients", "norms of single examples' gradients and the gradient noise scale", parameters },
    .cost = cost_of,
    .open = open_gradients,
    .measure = measure,
    .close = close_gradients,
};
