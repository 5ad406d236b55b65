/* The average gradient outer product over the first `examples` training examples (Radhakrishnan et al. 2024, 2212.13881):
 *
 *     G = 1/n sum_i J_i' J_i,   J_i = df(x_i)/dx  [outputs, numbers of an input]
 *
 *     agop_trace     tr G
 *     agop_top       its largest eigenvalue
 *     agop_values    an array: the `top` largest, descending
 *     agop           the array [d, d], with `matrix: true`
 *
 * Not centred.  Inputs must be numbers, not tokens.  Cost: one backward pass an output over those examples, and an eigenvalue problem
 * of size d. */
#include <math.h>

#include "base/context.h"
#include "instrument/probe.h"
#include "numeric/dense.h"
#include "numeric/vector.h"

static const orr_parameter parameters[] = {
    ORR_INSTRUMENT_SCHEDULE("1000"),
    { "examples", ORR_INT, .fallback = "256", .range = "[1, 1000000]", .help = "the first ones, at most all" },
    { "top", ORR_INT, .fallback = "10", .range = "[1, 100000]", .help = "how many eigenvalues, at most all" },
    { "matrix", ORR_FLAG, .fallback = "false", .help = "record the whole matrix as an array" },
    { 0 },
};

typedef struct state {
    orr_probe probe;
    orr_arena *scratch, *results;
    int64_t n, d, top;
    bool matrix;
    orr_node product;
    double *agop; /* [d, d] */
} state;

static void close_agop(void *self) {
    state *s = self;
    if (!s) return;
    orr_context *ctx = s->probe.ctx;
    orr_arena_free(s->results);
    orr_arena_free(s->scratch);
    orr_probe_end(&s->probe);
    orr_release(ctx, s);
}

/* One output's gradients of all examples at a time: [n, d]. */
static orr_status prepare(orr_context *ctx, state *s, const orr_subject *subject) {
    orr_probe *p = &s->probe;
    orr_probe_examples e;
    if (subject->x_type == ORR_I32)
        return orr_fail(ctx, ORR_EINPUT, "agop: inputs are tokens, by which nothing can be derived");
    ORR_TRY(ctx, orr_arena_new(ctx, &s->scratch));
    ORR_TRY(ctx, orr_arena_new(ctx, &s->results));
    ORR_TRY(ctx, orr_probe_begin_examples(ctx, subject, s->n, p, &e));
    s->agop = ORR_NEW(p->arena, double, s->d * s->d);
    if (!s->agop) return orr_fail(ctx, ORR_ENOMEM, "agop: no memory for inputs of %lld numbers", (long long)s->d);
    orr_node flat;
    int64_t outputs;
    ORR_TRY(ctx, orr_probe_outputs(p, "agop", &flat, &outputs));
    s->product = orr_fill(p->g, subject->dtype, ORR_SHAPE(s->d, s->d), 0.0);
    for (int64_t c = 0; c < outputs; c++) {
        const orr_node one = orr_sum_all(p->g, orr_slice(p->g, flat, 0, c, c + 1, 1));
        orr_node gradient, many;
        orr_grad(p->g, one, &e.one[0], 1, &gradient);
        orr_probe_map(p, &e, &gradient, 1, &many);
        const orr_node j = orr_reshape(p->g, many, ORR_SHAPE(s->n, -1));
        s->product = orr_add(p->g, s->product, orr_einsum(p->g, "ni,nj->ij", j, j));
    }
    s->product = orr_scale(p->g, s->product, 1.0 / (double)s->n);
    return orr_probe_compile(p, &s->product, 1);
}

static orr_status open_agop(orr_context *ctx, const orr_settings *settings, const orr_subject *subject, void **out) {
    state *s = orr_allocate(ctx, sizeof *s);
    *out = NULL;
    if (!s) return orr_fail(ctx, ORR_ENOMEM, "agop: out of memory");
    *s = (state){ .probe = { .ctx = ctx },
                  .n = orr_probe_examples_of(settings, subject),
                  .d = orr_shape_count(&subject->input),
                  .top = orr_int(settings, "top"),
                  .matrix = orr_flag(settings, "matrix") };
    if (s->top > s->d) s->top = s->d;
    const orr_status status = prepare(ctx, s, subject);
    if (status == ORR_OK) *out = s;
    else close_agop(s);
    return status;
}

/* value[top], descending; none where the network is no number */
static orr_status find_values(state *s, double *value) {
    orr_symmetric_eigen eigen;
    for (int64_t i = 0; i < s->top; i++) value[i] = (double)NAN;
    if (!orr_vector_is_finite(s->d * s->d, s->agop)) return ORR_OK;
    ORR_TRY(s->probe.ctx, orr_eigen_symmetric_range(s->probe.ctx, s->results, s->scratch, s->d, s->agop, s->d - s->top,
                                                    s->top, &eigen));
    for (int64_t i = 0; i < s->top; i++) value[i] = eigen.value[s->top - 1 - i];
    return ORR_OK;
}

static orr_status record(state *s, int64_t step, const orr_sink *sink) {
    orr_context *ctx = s->probe.ctx;
    double trace = 0.0, *value = ORR_NEW(s->results, double, s->top);
    if (!value) return orr_fail(ctx, ORR_ENOMEM, "agop: no memory for %lld values", (long long)s->top);
    for (int64_t i = 0; i < s->d; i++) trace += s->agop[i * s->d + i];
    ORR_TRY(ctx, find_values(s, value));
    ORR_TRY(ctx, sink->record(sink->self, "agop_trace", step, trace));
    ORR_TRY(ctx, sink->record(sink->self, "agop_top", step, value[0]));
    if (s->matrix) ORR_TRY(ctx, sink->record_array(sink->self, "agop", step, ORR_F64, &ORR_SHAPE(s->d, s->d), s->agop));
    return sink->record_array(sink->self, "agop_values", step, ORR_F64, &ORR_SHAPE(s->top), value);
}

static orr_status measure(void *self, int64_t step, uint64_t seed, void *memory, const orr_sink *sink) {
    state *s = self;
    (void)seed, (void)memory;
    const orr_arena_mark mark = orr_arena_here(s->results);
    ORR_TRY(s->probe.ctx, orr_probe_run(&s->probe));
    orr_probe_read(&s->probe, s->product, s->d * s->d, s->agop);
    const orr_status status = record(s, step, sink);
    orr_arena_rewind(s->results, mark);
    return status;
}

static double cost_of(const orr_settings *s, const orr_subject *subject) {
    return 3.0 * (double)subject->outputs * (double)orr_probe_examples_of(s, subject) / (double)subject->examples;
}

const orr_instrument orr_instrument_agop = {
    .kind = { "agop", "the average outer product of gradients by inputs", parameters },
    .cost = cost_of,
    .open = open_agop,
    .measure = measure,
    .close = close_agop,
};
