/* The loss over all training examples, recorded as `loss`, and over the test examples, where there are some, as `loss_test`.  One of
 * them alone costs less. */
#include "base/context.h"
#include "instrument/instrument.h"

static const orr_parameter parameters[] = {
    ORR_INSTRUMENT_SCHEDULE("10"),
    { "part", ORR_CHOICE, .fallback = "both", .choices = "both train test", .help = "over which examples" },
    ORR_INSTRUMENT_TARGET,
    { 0 },
};

typedef struct state {
    orr_context *ctx;
    orr_subject own; /* a copy: it lives as long as this */
    bool on_test;
} state;

static void close_loss(void *self) {
    state *s = self;
    if (s) orr_release(s->ctx, s);
}

static bool wants(const orr_settings *s, const char *part) {
    return orr_settings_say(s, "part", "both") || orr_settings_say(s, "part", part);
}

static orr_status open_loss(orr_context *ctx, const orr_settings *settings, const orr_subject *subject, void **out) {
    *out = NULL;
    if (!wants(settings, "train") && subject->test_examples == 0)
        return orr_fail(ctx, ORR_EINPUT, "loss: `part: test` needs test examples (`n_test`)");
    state *s = orr_allocate(ctx, sizeof *s);
    if (!s) return orr_fail(ctx, ORR_ENOMEM, "loss: no memory for the instrument");
    *s = (state){ .ctx = ctx, .own = *subject, .on_test = wants(settings, "test") && subject->test_examples > 0 };
    *out = s;
    return ORR_OK;
}

static orr_status measure(void *self, int64_t step, uint64_t seed, void *memory, const orr_sink *sink) {
    const state *s = self;
    orr_answers answers;
    (void)seed, (void)memory;
    if (!s->on_test) return ORR_OK;
    ORR_TRY(s->ctx, s->own.answers(s->own.self, ORR_PART_TEST, &answers));
    return sink->record(sink->self, "loss_test", step, answers.loss);
}

static unsigned needs(const orr_settings *s) { return wants(s, "train") ? ORR_NEEDS_LOSS : ORR_NEEDS_NOTHING; }

static orr_status take(void *self, int64_t step, const orr_evaluation *e, const orr_sink *sink) {
    (void)self;
    return sink->record(sink->self, "loss", step, e->loss);
}

static double cost_of(const orr_settings *s, const orr_subject *subject) {
    return wants(s, "test") ? (double)subject->test_examples / (double)subject->examples : 0.0;
}

const orr_instrument orr_instrument_loss = {
    .kind = { "loss", "the loss over all training examples, and over those for testing", parameters },
    .cost = cost_of,
    .open = open_loss,
    .measure = measure,
    .close = close_loss,
    .needs = needs,
    .take = take,
};
