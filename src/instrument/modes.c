/* Singular modes of the input-output correlation in the network's linear part (Saxe, McClelland, Ganguli 2014, 1312.6120).
 *
 *     S = Y'X/n = U diag(s) V'     P = (F'X/n) C^+,  C = X'X/n     M = U' P V
 *
 * P is the least-squares linear map of the network's outputs F on its inputs X, nothing taken off: of a linear network the
 * product of its matrices, on the span of the inputs.
 *
 *     mode_strength.K   a_K = M_KK, K = 1 the strongest of the data, for the first `top` of min(inputs, outputs)
 *     mode_leakage      |M without its diagonal|_F / |P|_F; of all min(inputs, outputs)
 *
 * Inputs must be numbers, one input an answer.  Cost: one forward pass over the training examples, products of size inputs. */
#include <math.h>
#include <stdio.h>

#include "base/context.h"
#include "instrument/probe.h"
#include "numeric/dense.h"
#include "theory/deep_linear.h"

static const orr_parameter parameters[] = {
    ORR_INSTRUMENT_SCHEDULE("10"),
    { "top", ORR_INT, .fallback = "16", .range = "[1, 100000]", .help = "how many modes, at most all" },
    { 0 },
};

typedef struct state {
    orr_probe probe;
    orr_arena *scratch;
    orr_linear_task task;
    double *inverse; /* C^+ [inputs, inputs] */
    int64_t top;
    orr_node correlation;       /* F'X/n [outputs, inputs] */
    double *f, *map, *m, *work; /* it, P, M, and U'P */
} state;

static void close_modes(void *self) {
    state *s = self;
    if (!s) return;
    orr_context *ctx = s->probe.ctx;
    orr_arena_free(s->scratch);
    orr_probe_end(&s->probe);
    orr_release(ctx, s);
}

/* C^+, without directions in which inputs have less than this part of the largest variance. */
static const double least_variance = 1e-10;

static orr_status invert(state *s) {
    const int64_t d = s->task.inputs;
    orr_symmetric_eigen e;
    orr_arena *work;
    ORR_TRY(s->probe.ctx, orr_arena_new(s->probe.ctx, &work));
    orr_status status = orr_eigen_symmetric(s->probe.ctx, s->scratch, work, d, s->task.c, &e);
    orr_arena_free(work);
    ORR_TRY(s->probe.ctx, status);
    double *scaled = ORR_NEW(s->scratch, double, d *d);
    if (!scaled) return orr_fail(s->probe.ctx, ORR_ENOMEM, "modes: no memory for inputs of %lld numbers", (long long)d);
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = 0; j < d; j++)
            scaled[i * d + j] = e.value[i] > least_variance * e.value[d - 1] ? e.vector[i * d + j] / e.value[i] : 0.0;
    orr_dense_multiply(d, d, d, e.vector, true, scaled, false, s->inverse);
    return ORR_OK;
}

/* x and targets as doubles, labels one-hot. */
static orr_status read_task(state *s, const orr_subject *subject) {
    orr_context *ctx = s->probe.ctx;
    const int64_t n = subject->examples, inputs = orr_shape_count(&subject->input), outputs = subject->outputs;
    double *x = ORR_NEW(s->scratch, double, n *inputs), *y = ORR_NEW(s->scratch, double, n *outputs);
    if (!x || !y) return orr_fail(ctx, ORR_ENOMEM, "modes: no memory for %lld examples", (long long)n);
    orr_probe_widen(subject->x_type, subject->x, n * inputs, x);
    if (subject->target_type == ORR_I32)
        for (int64_t i = 0; i < n; i++) y[i * outputs + ((const int32_t *)subject->target)[i]] = 1.0;
    else orr_probe_widen(subject->target_type, subject->target, n * outputs, y);
    orr_arena *work;
    ORR_TRY(ctx, orr_arena_new(ctx, &work));
    const orr_status status = orr_linear_task_new(ctx, s->probe.arena, work, n, inputs, outputs, x, y, &s->task);
    orr_arena_free(work);
    return status;
}

static orr_status check(orr_context *ctx, const orr_subject *subject) {
    if (subject->x_type == ORR_I32) return orr_fail(ctx, ORR_EINPUT, "modes: inputs are tokens, not numbers");
    const int64_t targets = subject->target_type == ORR_I32 ? subject->outputs : 1;
    if (!subject->target || orr_shape_count(&subject->target_of_one) * targets != subject->outputs)
        return orr_fail(ctx, ORR_EINPUT, "modes: needs a target for each of the network's %lld outputs",
                        (long long)subject->outputs);
    return ORR_OK;
}

static orr_status prepare(state *s, const orr_subject *subject) {
    orr_probe *p = &s->probe;
    orr_context *ctx = p->ctx;
    ORR_TRY(ctx, check(ctx, subject));
    ORR_TRY(ctx, orr_arena_new(ctx, &s->scratch));
    ORR_TRY(ctx, orr_probe_begin(ctx, subject, ORR_PART_TRAIN, p));
    ORR_TRY(ctx, read_task(s, subject));
    const int64_t d = s->task.inputs, o = s->task.outputs, k = s->task.modes;
    s->inverse = ORR_NEW(p->arena, double, d *d);
    s->f = ORR_NEW(p->arena, double, o *d);
    s->map = ORR_NEW(p->arena, double, o *d);
    s->work = ORR_NEW(p->arena, double, k *d);
    s->m = ORR_NEW(p->arena, double, k *k);
    if (!s->inverse || !s->f || !s->map || !s->work || !s->m)
        return orr_fail(ctx, ORR_ENOMEM, "modes: no memory for inputs of %lld numbers", (long long)d);
    ORR_TRY(ctx, invert(s));
    if (s->top > k) s->top = k;
    const int64_t n = subject->examples;
    const orr_node x = orr_reshape(p->g, p->graph.x, ORR_SHAPE(n, d)),
                   f = orr_reshape(p->g, p->graph.output, ORR_SHAPE(n, o));
    s->correlation = orr_scale(p->g, orr_einsum(p->g, "no,nd->od", f, x), 1.0 / (double)n);
    return orr_probe_share(p, subject, &s->correlation, 1);
}

static orr_status open_modes(orr_context *ctx, const orr_settings *settings, const orr_subject *subject, void **out) {
    state *s = orr_allocate(ctx, sizeof *s);
    *out = NULL;
    if (!s) return orr_fail(ctx, ORR_ENOMEM, "modes: out of memory");
    *s = (state){ .probe = { .ctx = ctx }, .top = orr_int(settings, "top") };
    const orr_status status = prepare(s, subject);
    if (status == ORR_OK) *out = s;
    else close_modes(s);
    return status;
}

static orr_status measure(void *self, int64_t step, uint64_t seed, void *memory, const orr_sink *sink) {
    state *s = self;
    const int64_t d = s->task.inputs, o = s->task.outputs, k = s->task.modes;
    double outside = 0.0, whole = 0.0;
    char name[40];
    (void)seed, (void)memory;
    ORR_TRY(s->probe.ctx, orr_probe_run(&s->probe));
    orr_probe_read(&s->probe, s->correlation, o * d, s->f);
    orr_dense_multiply(o, d, d, s->f, false, s->inverse, false, s->map);
    orr_dense_multiply(k, d, o, s->task.u, false, s->map, false, s->work);
    orr_dense_multiply(k, k, d, s->work, false, s->task.v, true, s->m);
    for (int64_t i = 0; i < o * d; i++) whole += s->map[i] * s->map[i];
    for (int64_t i = 0; i < k * k; i++) outside += i % (k + 1) == 0 ? 0.0 : s->m[i] * s->m[i];
    for (int64_t i = 0; i < s->top; i++) {
        (void)snprintf(name, sizeof name, "mode_strength.%lld", (long long)i + 1);
        ORR_TRY(s->probe.ctx, sink->record(sink->self, name, step, s->m[i * (k + 1)]));
    }
    return sink->record(sink->self, "mode_leakage", step, sqrt(outside / whole));
}

const orr_instrument orr_instrument_modes = {
    .kind = { "modes", "singular modes of the input-output correlation in the network's linear part", parameters },
    .open = open_modes,
    .measure = measure,
    .close = close_modes,
};
