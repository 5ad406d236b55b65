/* The gradient noise scale from gradients of batches of two sizes (McCandlish et al. 2018, 1812.06162, appendix A): `batches` batches
 * of `size` examples, drawn without replacement, and all of them as one large batch.
 *
 *     E |G_B|^2 = |G|^2 + tr Sigma / B,   B = b = size and B = b m, m = batches:
 *
 *     batch_noise_signal    |G|^2 = (b m |G_bm|^2 - b <|G_b|^2>) / (b m - b)
 *     batch_noise_trace     tr Sigma = (<|G_b|^2> - |G_bm|^2) / (1/b - 1/(b m))
 *     batch_noise_scale     tr Sigma / |G|^2
 *
 * The loss is the mean of the task's own over examples, without ridge.  The first two are unbiased; the signal may come out at 0 or
 * below, and then the scale has no value at that step.  per-example-gradients has the same from single examples, which costs more
 * memory.  Batches are a function of the run's seed and the step.
 * Cost: a forward and backward pass over b m examples; m gradients are held. */
#include <string.h>

#include "base/context.h"
#include "base/random.h"
#include "instrument/probe.h"

static const orr_parameter parameters[] = {
    ORR_INSTRUMENT_SCHEDULE("100"),
    { "size", ORR_INT, .fallback = "16", .range = "[1, 1000000]", .help = "of a small batch, in examples" },
    { "batches", ORR_INT, .fallback = "8", .range = "[2, 100000]",
      .help = "small batches, at most as many as there are" },
    { 0 },
};

typedef struct state {
    orr_probe probe;
    int64_t examples, size, batches;
    orr_node index, small, large; /* which examples; <|G_b|^2>, |G_bm|^2 */
    int64_t *order;               /* [examples] */
} state;

static int64_t batches_of(const orr_settings *s, const orr_subject *subject) {
    const int64_t there = subject->examples / orr_int(s, "size"), wanted = orr_int(s, "batches");
    return wanted < there ? wanted : there;
}

static void close_noise(void *self) {
    state *s = self;
    if (!s) return;
    orr_context *ctx = s->probe.ctx;
    orr_probe_end(&s->probe);
    orr_release(ctx, s);
}

/* one: an input for a batch [b, ...];  many: the drawn ones [m, b, ...] out of all, which live memory is */
static void gather(state *s, int part, orr_dtype dtype, orr_shape shape, const void *memory, orr_node *one,
                   orr_node *many) {
    static const char *const all[] = { "all.x", "all.target" }, *const batch[] = { "batch.x", "batch.target" };
    orr_graph *g = s->probe.g;
    const orr_node from = orr_input(g, all[part], dtype, orr_probe_behind(s->examples, shape));
    s->probe.example[part] = (orr_feed){ from, (void *)(uintptr_t)memory }; /* only read */
    *one = orr_input(g, batch[part], dtype, orr_probe_behind(s->size, shape));
    *many = orr_reshape(g, orr_gather(g, from, s->index, 0),
                        orr_probe_behind(s->batches, orr_probe_behind(s->size, shape)));
}

static orr_status build(orr_context *ctx, state *s, const orr_subject *subject) {
    const int32_t n = (int32_t)subject->n_tensors;
    orr_probe *p = &s->probe;
    orr_node one[2] = { ORR_NONE, ORR_NONE }, many[2] = { ORR_NONE, ORR_NONE };
    s->index = orr_input(p->g, "batch.index", ORR_I32, ORR_SHAPE(s->batches * s->size));
    gather(s, 0, subject->x_type, subject->input, subject->x, &one[0], &many[0]);
    if (subject->target) gather(s, 1, subject->target_type, subject->target_of_one, subject->target, &one[1], &many[1]);
    ORR_TRY(ctx, subject->build_on(subject->self, p->arena, p->g, s->size, one[0], one[1], &p->graph));
    if (!p->graph.each.id)
        return orr_fail(ctx, ORR_EINPUT, "gradient-noise: this task's loss is no mean over examples");
    orr_node *g = ORR_NEW(p->arena, orr_node, n), *batch = ORR_NEW(p->arena, orr_node, n);
    if (!g || !batch) return orr_fail(ctx, ORR_ENOMEM, "gradient-noise: out of memory");
    orr_grad(p->g, orr_mean_all(p->g, p->graph.each), p->graph.parameter, n, g);
    orr_vmap(p->g, g, n, one, many, subject->target ? 2 : 1, batch);
    s->small = s->large = orr_fill(p->g, subject->dtype, ORR_SCALAR, 0.0);
    for (int32_t t = 0; t < n; t++) {
        const orr_node flat = orr_reshape(p->g, batch[t], ORR_SHAPE(s->batches, -1)), square = orr_square(p->g, flat);
        s->small = orr_add(p->g, s->small, orr_scale(p->g, orr_sum_all(p->g, square), 1.0 / (double)s->batches));
        s->large = orr_add(p->g, s->large, orr_sum_all(p->g, orr_square(p->g, orr_mean(p->g, flat, ORR_AXES(0)))));
    }
    const orr_node outputs[2] = { s->small, s->large };
    return orr_probe_compile(p, outputs, 2);
}

static orr_status prepare(orr_context *ctx, state *s, const orr_subject *subject) {
    if (s->batches < 2)
        return orr_fail(ctx, ORR_EINPUT, "gradient-noise: needs two batches of %lld, there are %lld examples",
                        (long long)s->size, (long long)s->examples);
    ORR_TRY(ctx, orr_probe_begin_empty(ctx, subject, &s->probe));
    s->order = ORR_NEW(s->probe.arena, int64_t, s->examples);
    if (!s->order) return orr_fail(ctx, ORR_ENOMEM, "gradient-noise: out of memory");
    return build(ctx, s, subject);
}

static orr_status open_noise(orr_context *ctx, const orr_settings *settings, const orr_subject *subject, void **out) {
    state *s = orr_allocate(ctx, sizeof *s);
    *out = NULL;
    if (!s) return orr_fail(ctx, ORR_ENOMEM, "gradient-noise: out of memory");
    *s = (state){ .probe = { .ctx = ctx },
                  .examples = subject->examples,
                  .size = orr_int(settings, "size"),
                  .batches = batches_of(settings, subject) };
    const orr_status status = prepare(ctx, s, subject);
    if (status == ORR_OK) *out = s;
    else close_noise(s);
    return status;
}

static orr_status measure(void *self, int64_t step, uint64_t seed, void *memory, const orr_sink *sink) {
    state *s = self;
    orr_context *ctx = s->probe.ctx;
    const orr_key key = { .seed = seed, .purpose = orr_purpose_of("gradient-noise"), .step = (uint32_t)step };
    const double b = (double)s->size, m = (double)s->batches;
    double small, large;
    (void)memory;
    int32_t *index = orr_program_data(s->probe.program, s->index);
    orr_random_permutation(key, s->examples, s->order);
    for (int64_t i = 0; index && i < s->batches * s->size; i++) index[i] = (int32_t)s->order[i];
    ORR_TRY(ctx, orr_probe_run(&s->probe));
    orr_probe_read(&s->probe, s->small, 1, &small);
    orr_probe_read(&s->probe, s->large, 1, &large);
    const double signal = (m * large - small) / (m - 1.0), trace = (small - large) * b * m / (m - 1.0);
    ORR_TRY(ctx, sink->record(sink->self, "batch_noise_signal", step, signal));
    ORR_TRY(ctx, sink->record(sink->self, "batch_noise_trace", step, trace));
    return signal > 0.0 ? sink->record(sink->self, "batch_noise_scale", step, trace / signal) : ORR_OK;
}

static double cost_of(const orr_settings *s, const orr_subject *subject) {
    return 3.0 * (double)(batches_of(s, subject) * orr_int(s, "size")) / (double)subject->examples;
}

const orr_instrument orr_instrument_gradient_noise = {
    .kind = { "gradient-noise", "the gradient noise scale, from batches of two sizes", parameters },
    .cost = cost_of,
    .open = open_noise,
    .measure = measure,
    .close = close_noise,
};
