/* What the network answers, as arrays in the type that it computes in:
 *
 *     output        [n, outputs] of all training examples
 *     output_test   [n_test, outputs], where the data have test examples
 *
 * Cost: a forward pass over them. */
#include "base/context.h"
#include "instrument/probe.h"

static const orr_parameter parameters[] = {
    ORR_INSTRUMENT_SCHEDULE("100"),
    { 0 },
};

typedef struct state {
    int n; /* parts: training, and test where there is one */
    orr_probe part[2];
} state;

static void close_outputs(void *self) {
    state *s = self;
    if (!s) return;
    orr_context *ctx = s->part[0].ctx;
    for (int i = 0; i < s->n; i++) orr_probe_end(&s->part[i]);
    orr_release(ctx, s);
}

static orr_status prepare(orr_context *ctx, state *s, const orr_subject *subject) {
    const int wanted = subject->test_examples > 0 ? 2 : 1;
    for (; s->n < wanted;) {
        const int i = s->n++; /* from here on it is there to be closed */
        ORR_TRY(ctx, orr_probe_begin(ctx, subject, i == 0 ? ORR_PART_TRAIN : ORR_PART_TEST, &s->part[i]));
        ORR_TRY(ctx, orr_probe_share(&s->part[i], subject, &s->part[i].graph.output, 1));
    }
    return ORR_OK;
}

static orr_status open_outputs(orr_context *ctx, const orr_settings *settings, const orr_subject *subject, void **out) {
    state *s = orr_allocate(ctx, sizeof *s);
    (void)settings;
    *out = NULL;
    if (!s) return orr_fail(ctx, ORR_ENOMEM, "outputs: out of memory");
    *s = (state){ .part[0] = { .ctx = ctx } };
    const orr_status status = prepare(ctx, s, subject);
    if (status == ORR_OK) *out = s;
    else close_outputs(s);
    return status;
}

static orr_status measure(void *self, int64_t step, uint64_t seed, void *memory, const orr_sink *sink) {
    state *s = self;
    (void)seed, (void)memory;
    for (int i = 0; i < s->n; i++) {
        const orr_probe *p = &s->part[i];
        const orr_shape shape = orr_node_shape(p->g, p->graph.output);
        ORR_TRY(p->ctx, orr_probe_run(&s->part[i]));
        ORR_TRY(p->ctx,
                sink->record_array(sink->self, i == 0 ? "output" : "output_test", step,
                                   orr_node_dtype(p->g, p->graph.output), &shape, orr_probe_data(p, p->graph.output)));
    }
    return ORR_OK;
}

static double cost_of(const orr_settings *s, const orr_subject *subject) {
    (void)s;
    return 1.0 + (double)subject->test_examples / (double)subject->examples;
}

const orr_instrument orr_instrument_outputs = {
    .kind = { "outputs", "answers on training and test examples, as arrays", parameters },
    .cost = cost_of,
    .open = open_outputs,
    .measure = measure,
    .close = close_outputs,
};
