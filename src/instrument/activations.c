/* Inner values themselves, as arrays: activation.TAP [examples, ...] of the first `examples` training examples, for each layer that
 * the architecture taps, and activation.output, in the type that the network computes in.  With `part: test` the same of the first
 * test examples, as activation_test.TAP.
 * Cost: a forward pass over those examples; of the test part, over all of them. */
#include <stdio.h>
#include <string.h>

#include "base/context.h"
#include "instrument/probe.h"

static const orr_parameter parameters[] = {
    ORR_INSTRUMENT_SCHEDULE("1000"),
    { "examples", ORR_INT, .fallback = "16", .range = "[1, 1000000]", .help = "the first ones, at most all" },
    { "part", ORR_CHOICE, .fallback = "train", .choices = "train test", .help = "training or test examples" },
    { 0 },
};

typedef struct state {
    orr_probe probe;
    int64_t n_taps; /* the outputs among them */
    orr_node *tap;
    const char *prefix;
} state;

static void close_activations(void *self) {
    state *s = self;
    if (!s) return;
    orr_context *ctx = s->probe.ctx;
    orr_probe_end(&s->probe);
    orr_release(ctx, s);
}

/* The network over the part's first examples. */
static orr_status begin(orr_context *ctx, state *s, const orr_settings *settings, const orr_subject *subject,
                        int64_t *examples) {
    const int64_t wanted = orr_int(settings, "examples");
    if (strcmp(orr_text(settings, "part"), "train") == 0) {
        s->prefix = "activation";
        *examples = orr_probe_examples_of(settings, subject);
        return orr_probe_begin_first(ctx, subject, *examples, &s->probe);
    }
    s->prefix = "activation_test";
    *examples = wanted < subject->test_examples ? wanted : subject->test_examples;
    if (*examples == 0)
        return orr_fail(ctx, ORR_EINPUT, "activations: part is test, and the data have no test examples");
    return orr_probe_begin(ctx, subject, ORR_PART_TEST, &s->probe);
}

static orr_status prepare(orr_context *ctx, state *s, const orr_settings *settings, const orr_subject *subject) {
    orr_probe *p = &s->probe;
    int64_t examples;
    ORR_TRY(ctx, begin(ctx, s, settings, subject, &examples));
    s->n_taps = p->graph.n_taps + 1;
    s->tap = ORR_NEW(p->arena, orr_node, s->n_taps);
    if (!s->tap) return orr_fail(ctx, ORR_ENOMEM, "activations: out of memory");
    for (int64_t i = 0; i < s->n_taps; i++)
        s->tap[i] = orr_slice(p->g, i < p->graph.n_taps ? p->graph.tap[i].node : p->graph.output, 0, 0, examples, 1);
    return orr_probe_share(p, subject, s->tap, (int32_t)s->n_taps);
}

static orr_status open_activations(orr_context *ctx, const orr_settings *settings, const orr_subject *subject,
                                   void **out) {
    state *s = orr_allocate(ctx, sizeof *s);
    *out = NULL;
    if (!s) return orr_fail(ctx, ORR_ENOMEM, "activations: out of memory");
    *s = (state){ .probe = { .ctx = ctx } };
    const orr_status status = prepare(ctx, s, settings, subject);
    if (status == ORR_OK) *out = s;
    else close_activations(s);
    return status;
}

static orr_status measure(void *self, int64_t step, uint64_t seed, void *memory, const orr_sink *sink) {
    state *s = self;
    const orr_probe *p = &s->probe;
    (void)seed, (void)memory;
    ORR_TRY(p->ctx, orr_probe_run(&s->probe));
    for (int64_t i = 0; i < s->n_taps; i++) {
        const orr_shape shape = orr_node_shape(p->g, s->tap[i]);
        char name[64];
        (void)snprintf(name, sizeof name, "%s.%s", s->prefix, i < p->graph.n_taps ? p->graph.tap[i].name : "output");
        ORR_TRY(p->ctx, sink->record_array(sink->self, name, step, orr_node_dtype(p->g, s->tap[i]), &shape,
                                           orr_probe_data(p, s->tap[i])));
    }
    return ORR_OK;
}

static double cost_of(const orr_settings *s, const orr_subject *subject) {
    return (double)orr_probe_examples_of(s, subject) / (double)subject->examples;
}

const orr_instrument orr_instrument_activations = {
    .kind = { "activations", "values of layers and outputs, as arrays", parameters },
    .cost = cost_of,
    .open = open_activations,
    .measure = measure,
    .close = close_activations,
};
