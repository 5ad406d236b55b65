/* The loss over all training examples, recorded as `loss`, and over the test examples, where there are some, as `loss_test`.  One of
 * them alone costs less. */
#include <string.h>

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
    orr_arena *arena;
    orr_dtype dtype;
    bool on[2]; /* training examples, test examples */
    orr_graph *g[2];
    orr_program *program[2];
    orr_node loss[2];
} state;

static void close_loss(void *self) {
    state *s = self;
    if (!s) return;
    for (int i = 0; i < 2; i++) {
        orr_program_free(s->program[i]);
        orr_graph_free(s->g[i]);
    }
    orr_arena_free(s->arena);
    orr_release(s->ctx, s);
}

static orr_status prepare_part(state *s, const orr_subject *subject, int part) {
    orr_subject_graph graph;
    ORR_TRY(s->ctx, orr_graph_new(s->ctx, &s->g[part]));
    ORR_TRY(s->ctx, subject->build(subject->self, s->arena, s->g[part], part ? ORR_PART_TEST : ORR_PART_TRAIN, &graph));
    s->loss[part] = graph.loss;
    const orr_compile_options options = { .outputs = &graph.loss, .n_outputs = 1 };
    ORR_TRY(s->ctx, orr_compile(s->ctx, s->g[part], &options, &s->program[part]));
    return orr_subject_attach(s->ctx, &graph, s->program[part]);
}

static orr_status prepare(state *s, const orr_subject *subject) {
    ORR_TRY(s->ctx, orr_arena_new(s->ctx, &s->arena));
    for (int part = 0; part < 2; part++)
        if (s->on[part]) ORR_TRY(s->ctx, prepare_part(s, subject, part));
    return ORR_OK;
}

static orr_status open_loss(orr_context *ctx, const orr_settings *settings, const orr_subject *subject, void **out) {
    const bool train = strcmp(orr_text(settings, "part"), "test") != 0,
               test = strcmp(orr_text(settings, "part"), "train") != 0;
    *out = NULL;
    if (!train && subject->test_examples == 0)
        return orr_fail(ctx, ORR_EINPUT, "loss: `part: test` needs test examples (`n_test`)");
    state *s = orr_allocate(ctx, sizeof *s);
    if (!s) return orr_fail(ctx, ORR_ENOMEM, "loss: no memory for the instrument");
    *s = (state){ .ctx = ctx, .dtype = subject->dtype, .on = { train, test && subject->test_examples > 0 } };
    const orr_status status = prepare(s, subject);
    if (status == ORR_OK) *out = s;
    else close_loss(s);
    return status;
}

static orr_status measure(void *self, int64_t step, uint64_t seed, void *memory, const orr_sink *sink) {
    static const char *const series[] = { "loss", "loss_test" };
    state *s = self;
    (void)seed, (void)memory;
    for (int part = 0; part < 2; part++) {
        if (!s->on[part]) continue;
        ORR_TRY(s->ctx, orr_program_run(s->program[part]));
        const void *loss = orr_program_data(s->program[part], s->loss[part]);
        ORR_TRY(s->ctx, sink->record(sink->self, series[part], step,
                                     s->dtype == ORR_F32 ? (double)*(const float *)loss : *(const double *)loss));
    }
    return ORR_OK;
}

const orr_instrument orr_instrument_loss = {
    .kind = { "loss", "the loss over all training examples, and over those for testing", parameters },
    .open = open_loss,
    .measure = measure,
    .close = close_loss,
};
