/* The part of answers that are right, over the training examples (`accuracy`) and the test examples, where there are some
 * (`accuracy_test`); over all positions where the task asks at each. */
#include "base/context.h"
#include "instrument/instrument.h"

static const orr_parameter parameters[] = {
    ORR_INSTRUMENT_SCHEDULE("10"),
    { 0 },
};

typedef struct state {
    orr_context *ctx;
    orr_subject own; /* a copy: it lives as long as this */
} state;

static void close_accuracy(void *self) {
    state *s = self;
    if (s) orr_release(s->ctx, s);
}

static orr_status open_accuracy(orr_context *ctx, const orr_settings *settings, const orr_subject *subject,
                                void **out) {
    (void)settings;
    *out = NULL;
    if (!subject->right_or_wrong)
        return orr_fail(ctx, ORR_EINPUT, "accuracy: this task's answers are numbers, neither right nor wrong");
    state *s = orr_allocate(ctx, sizeof *s);
    if (!s) return orr_fail(ctx, ORR_ENOMEM, "accuracy: out of memory");
    *s = (state){ .ctx = ctx, .own = *subject };
    *out = s;
    return ORR_OK;
}

static orr_status measure(void *self, int64_t step, uint64_t seed, void *memory, const orr_sink *sink) {
    static const char *const series[] = { "accuracy", "accuracy_test" };
    const state *s = self;
    (void)seed, (void)memory;
    for (int i = 0; i < (s->own.test_examples ? 2 : 1); i++) {
        orr_answers answers;
        ORR_TRY(s->ctx, s->own.answers(s->own.self, i ? ORR_PART_TEST : ORR_PART_TRAIN, &answers));
        ORR_TRY(s->ctx, sink->record(sink->self, series[i], step, answers.accuracy));
    }
    return ORR_OK;
}

static double cost_of(const orr_settings *s, const orr_subject *subject) {
    (void)s;
    return 1.0 + (double)subject->test_examples / (double)subject->examples;
}

const orr_instrument orr_instrument_accuracy = {
    .kind = { "accuracy", "the part of answers that are right", parameters },
    .cost = cost_of,
    .open = open_accuracy,
    .measure = measure,
    .close = close_accuracy,
};
