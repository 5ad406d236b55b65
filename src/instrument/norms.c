/* Norms of parameters, how far they moved, and the norm of the gradient; over all trained tensors, and with `each` tensor by tensor.
 *
 *     norm, norm.NAME     |w|
 *     gradient_norm       |grad L(w)|, of the loss over all training examples
 *     update_size         |w - w'|, w' the parameters at the last measurement; from the second one on
 *     distance            |w - w_0|, w_0 those at the first measurement */
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "instrument/probe.h"

static const orr_parameter parameters[] = {
    ORR_INSTRUMENT_SCHEDULE("10"),
    { "each", ORR_FLAG, .fallback = "false", .help = "the norm of each tensor too" },
    { 0 },
};

typedef struct state {
    orr_probe probe;
    orr_subject own; /* a copy: it lives as long as this */
    bool each;
    orr_node gradient_square;
    double *w; /* [n] */
} state;

static void close_norms(void *self) {
    state *s = self;
    if (!s) return;
    orr_context *ctx = s->probe.ctx;
    orr_probe_end(&s->probe);
    orr_release(ctx, s);
}

static orr_status prepare(orr_context *ctx, state *s) {
    const int32_t n = (int32_t)s->own.n_tensors;
    orr_probe *p = &s->probe;
    ORR_TRY(ctx, orr_probe_begin(ctx, &s->own, ORR_PART_TRAIN, p));
    orr_node *g = ORR_NEW(p->arena, orr_node, n);
    s->w = ORR_NEW(p->arena, double, s->own.n);
    if (!g || !s->w) return orr_fail(ctx, ORR_ENOMEM, "norms: no memory for %lld parameters", (long long)s->own.n);
    orr_grad(p->g, p->graph.loss, p->graph.parameter, n, g);
    s->gradient_square = orr_dot(p->g, g, g, n);
    return orr_probe_compile(p, &s->gradient_square, 1);
}

static orr_status open_norms(orr_context *ctx, const orr_settings *settings, const orr_subject *subject, void **out) {
    state *s = orr_allocate(ctx, sizeof *s);
    *out = NULL;
    if (!s) return orr_fail(ctx, ORR_ENOMEM, "norms: out of memory");
    *s = (state){ .probe = { .ctx = ctx }, .own = *subject, .each = orr_flag(settings, "each") };
    const orr_status status = prepare(ctx, s);
    if (status == ORR_OK) *out = s;
    else close_norms(s);
    return status;
}

/* The live parameters as doubles, in s->w; records the norm of each. */
static orr_status read_parameters(state *s, int64_t step, const orr_sink *sink, double *square) {
    double *to = s->w;
    *square = 0.0;
    for (int64_t t = 0; t < s->own.n_tensors; t++) {
        const int64_t n = orr_shape_count(&s->own.shape[t]);
        double one = 0.0;
        char name[64];
        for (int64_t i = 0; i < n; i++) {
            to[i] = s->own.dtype == ORR_F32 ? (double)((const float *)s->own.parameter[t])[i]
                                            : ((const double *)s->own.parameter[t])[i];
            one += to[i] * to[i];
        }
        (void)snprintf(name, sizeof name, "norm.%s", s->own.name[t]);
        if (s->each) ORR_TRY(s->probe.ctx, sink->record(sink->self, name, step, sqrt(one)));
        *square += one;
        to += n;
    }
    return ORR_OK;
}

static double distance(int64_t n, const double *a, const double *b) {
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sqrt(sum);
}

/* Remembered: w_0 [n] and w' [n] behind a flag that there are some. */
static size_t memory_of(const orr_settings *settings, const orr_subject *subject) {
    (void)settings;
    return (size_t)(2 * subject->n + 1) * sizeof(double);
}

static orr_status measure(void *self, int64_t step, uint64_t seed, void *memory, const orr_sink *sink) {
    state *s = self;
    orr_context *ctx = s->probe.ctx;
    const int64_t n = s->own.n;
    double *started = memory, *first = started + 1, *last = first + n, square, gradient;
    (void)seed;
    ORR_TRY(ctx, orr_probe_run(&s->probe));
    orr_probe_read(&s->probe, s->gradient_square, 1, &gradient);
    ORR_TRY(ctx, read_parameters(s, step, sink, &square));
    ORR_TRY(ctx, sink->record(sink->self, "norm", step, sqrt(square)));
    ORR_TRY(ctx, sink->record(sink->self, "gradient_norm", step, sqrt(gradient)));
    if (*started == 0.0) memcpy(first, s->w, (size_t)n * sizeof *first);
    ORR_TRY(ctx, sink->record(sink->self, "distance", step, distance(n, s->w, first)));
    if (*started > 0.0) ORR_TRY(ctx, sink->record(sink->self, "update_size", step, distance(n, s->w, last)));
    memcpy(last, s->w, (size_t)n * sizeof *last);
    *started = 1.0;
    return ORR_OK;
}

static double cost_of(const orr_settings *s, const orr_subject *subject) {
    (void)s, (void)subject;
    return 3.0;
}

const orr_instrument orr_instrument_norms = {
    .kind = { "norms", "norms of parameters and gradient, and how far parameters moved", parameters },
    .cost = cost_of,
    .memory = memory_of,
    .open = open_norms,
    .measure = measure,
    .close = close_norms,
};
