/* The part of answers that are right, over the training examples (`accuracy`) and the test examples, where there are some
 * (`accuracy_test`); over all positions where the task asks at each. */
#include "base/context.h"
#include "instrument/probe.h"

static const orr_parameter parameters[] = {
    ORR_INSTRUMENT_SCHEDULE("10"),
    { 0 },
};

typedef struct state {
    orr_context *ctx;
    int parts;
    orr_probe probe[2];
    orr_node accuracy[2];
} state;

static void close_accuracy(void *self) {
    state *s = self;
    if (!s) return;
    for (int i = 0; i < s->parts; i++) orr_probe_end(&s->probe[i]);
    orr_release(s->ctx, s);
}

static orr_status prepare(state *s, const orr_subject *subject, int part) {
    orr_probe *p = &s->probe[part];
    ORR_TRY(s->ctx, orr_probe_begin(s->ctx, subject, part ? ORR_PART_TEST : ORR_PART_TRAIN, p));
    if (!p->graph.correct.id)
        return orr_fail(s->ctx, ORR_EINPUT, "accuracy: this task's answers are numbers, neither right nor wrong");
    s->accuracy[part] = orr_mean_all(p->g, p->graph.correct);
    return orr_probe_compile(p, &s->accuracy[part], 1);
}

static orr_status open_accuracy(orr_context *ctx, const orr_settings *settings, const orr_subject *subject,
                                void **out) {
    (void)settings;
    state *s = orr_allocate(ctx, sizeof *s);
    orr_status status = ORR_OK;
    *out = NULL;
    if (!s) return orr_fail(ctx, ORR_ENOMEM, "accuracy: out of memory");
    *s = (state){ .ctx = ctx, .parts = subject->test_examples ? 2 : 1 };
    for (int i = 0; i < s->parts && status == ORR_OK; i++) status = prepare(s, subject, i);
    if (status == ORR_OK) *out = s;
    else close_accuracy(s);
    return status;
}

static orr_status measure(void *self, int64_t step, uint64_t seed, void *memory, const orr_sink *sink) {
    static const char *const series[] = { "accuracy", "accuracy_test" };
    state *s = self;
    (void)seed, (void)memory;
    for (int i = 0; i < s->parts; i++) {
        double value;
        ORR_TRY(s->ctx, orr_probe_run(&s->probe[i]));
        orr_probe_read(&s->probe[i], s->accuracy[i], 1, &value);
        ORR_TRY(s->ctx, sink->record(sink->self, series[i], step, value));
    }
    return ORR_OK;
}

const orr_instrument orr_instrument_accuracy = {
    .kind = { "accuracy", "the part of answers that are right", parameters },
    .open = open_accuracy,
    .measure = measure,
    .close = close_accuracy,
};
