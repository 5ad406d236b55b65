/* The loss over all examples, recorded as `loss`. */
#include <string.h>

#include "base/context.h"
#include "instrument/instrument.h"

static const orr_parameter parameters[] = {
    { "every", ORR_INT, .fallback = "10", .range = "[1, inf)", .unit = "updates", .help = "distance of records" },
    { 0 },
};

typedef struct state {
    orr_context *ctx;
    orr_arena *arena;
    orr_graph *g;
    orr_program *program;
    orr_dtype dtype;
    orr_node loss;
} state;

static void close_loss(void *self) {
    state *s = self;
    if (!s) return;
    orr_program_free(s->program);
    orr_graph_free(s->g);
    orr_arena_free(s->arena);
    orr_release(s->ctx, s);
}

static orr_status prepare(state *s, const orr_subject *subject) {
    orr_subject_graph graph;
    ORR_TRY(s->ctx, orr_arena_new(s->ctx, &s->arena));
    ORR_TRY(s->ctx, orr_graph_new(s->ctx, &s->g));
    ORR_TRY(s->ctx, subject->build(subject->self, s->arena, s->g, &graph));
    s->loss = graph.loss;
    const orr_compile_options options = { .outputs = &graph.loss, .n_outputs = 1 };
    ORR_TRY(s->ctx, orr_compile(s->ctx, s->g, &options, &s->program));
    return orr_subject_attach(s->ctx, &graph, s->program);
}

static orr_status open_loss(orr_context *ctx, const orr_settings *settings, const orr_subject *subject, uint64_t seed,
                            void **out) {
    (void)settings, (void)seed;
    state *s = orr_allocate(ctx, sizeof *s);
    *out = NULL;
    if (!s) return orr_fail(ctx, ORR_ENOMEM, "loss: no memory for the instrument");
    *s = (state){ .ctx = ctx, .dtype = subject->dtype };
    const orr_status status = prepare(s, subject);
    if (status == ORR_OK) *out = s;
    else close_loss(s);
    return status;
}

static orr_status measure(void *self, int64_t step, const orr_sink *sink) {
    state *s = self;
    ORR_TRY(s->ctx, orr_program_run(s->program));
    const void *loss = orr_program_data(s->program, s->loss);
    return sink->record(sink->self, "loss", step,
                        s->dtype == ORR_F32 ? (double)*(const float *)loss : *(const double *)loss);
}

const orr_instrument orr_instrument_loss = {
    .kind = { "loss", "the loss over all examples", parameters },
    .open = open_loss,
    .measure = measure,
    .close = close_loss,
};
