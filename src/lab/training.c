#include "lab/training.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/context.h"

struct orr_training {
    orr_context *ctx;
    orr_arena *arena;
    const orr_problem *problem;
    const orr_rule *rule;
    const orr_settings *rule_settings;
    /* live memory: tensor t is parameter[t], its buffer b is buffer[t * rule->buffers + b] */
    void **parameter, **buffer;
    int32_t *updates;
    orr_shape *shape;
    orr_graph *g;
    orr_program *program;
    orr_node counter, loss;
};

/* The inputs of a graph that stand for live memory. */
typedef struct live_nodes {
    orr_problem_graph problem;
    orr_node *buffer;
    orr_node updates, updates_real; /* i32, and in the problem's dtype */
} live_nodes;

static orr_status no_memory(orr_context *ctx) { return orr_fail(ctx, ORR_ENOMEM, "no memory to train"); }

/* Parameters, data, buffers and counter as inputs, and the loss. */
static orr_status build_live(orr_training *t, orr_arena *out_arena, orr_graph *g, live_nodes *out) {
    const orr_problem *p = t->problem;
    ORR_TRY(t->ctx, orr_problem_build(t->ctx, out_arena, p, g, &out->problem));
    out->buffer = ORR_NEW(out_arena, orr_node, p->n_tensors * t->rule->buffers);
    if (!out->buffer) return no_memory(t->ctx);
    for (int64_t i = 0; i < p->n_tensors * t->rule->buffers; i++) {
        const orr_tensor *tensor = &p->tensors[i / t->rule->buffers];
        const char *name = orr_arena_format(out_arena, "buffer%d.%s", (int)(i % t->rule->buffers) + 1, tensor->name);
        if (!name) return no_memory(t->ctx);
        out->buffer[i] = orr_input(g, name, p->dtype, tensor->shape);
    }
    out->updates = orr_input(g, "updates", ORR_I32, ORR_SCALAR);
    out->updates_real = orr_cast(g, out->updates, p->dtype);
    return ORR_OK;
}

/* Every live input with its memory; *n of them. */
static orr_status list_feeds(const orr_training *t, orr_arena *out_arena, const live_nodes *nodes,
                             const orr_feed **feeds, int64_t *n) {
    const orr_problem *p = t->problem;
    const int64_t buffers = p->n_tensors * t->rule->buffers;
    orr_feed *all = ORR_NEW(out_arena, orr_feed, p->n_tensors + buffers + 3);
    if (!all) return no_memory(t->ctx);
    *n = 0;
    for (int64_t i = 0; i < p->n_tensors; i++) all[(*n)++] = (orr_feed){ nodes->problem.parameter[i], t->parameter[i] };
    for (int64_t i = 0; i < buffers; i++) all[(*n)++] = (orr_feed){ nodes->buffer[i], t->buffer[i] };
    all[(*n)++] = (orr_feed){ nodes->updates, t->updates };
    all[(*n)++] = (orr_feed){ nodes->problem.x, p->x };
    all[(*n)++] = (orr_feed){ nodes->problem.label, (void *)(uintptr_t)p->data.label }; /* only read */
    *feeds = all;
    return ORR_OK;
}

static orr_status take_memory(orr_training *t, uint64_t seed) {
    const orr_problem *p = t->problem;
    const int64_t buffers = t->rule->buffers;
    t->parameter = ORR_NEW(t->arena, void *, p->n_tensors);
    t->buffer = ORR_NEW(t->arena, void *, p->n_tensors *buffers);
    t->shape = ORR_NEW(t->arena, orr_shape, p->n_tensors);
    t->updates = ORR_NEW(t->arena, int32_t, 1);
    double *w = ORR_NEW(t->arena, double, p->n);
    if (!t->parameter || !t->buffer || !t->shape || !t->updates || !w) return no_memory(t->ctx);
    ORR_TRY(t->ctx, orr_problem_initial(t->ctx, p, seed, w));
    for (int64_t i = 0; i < p->n_tensors; i++) {
        const int64_t n = orr_shape_count(&p->tensors[i].shape);
        t->shape[i] = p->tensors[i].shape;
        t->parameter[i] = orr_arena_take(t->arena, n, orr_dtype_size(p->dtype));
        if (!t->parameter[i]) return no_memory(t->ctx);
        orr_to_dtype(p->dtype, n, w, t->parameter[i]);
        w += n;
        for (int64_t b = 0; b < buffers; b++) {
            void *memory = orr_arena_take(t->arena, n, orr_dtype_size(p->dtype));
            if (!memory) return no_memory(t->ctx);
            t->buffer[i * buffers + b] = memory;
        }
    }
    return ORR_OK;
}

/* The graph of one update: each parameter and buffer is replaced by what the rule makes of it. */
static orr_status build_update(orr_training *t, const live_nodes *nodes, orr_update *update, int32_t *n_updates) {
    const orr_problem *p = t->problem;
    const int32_t n = (int32_t)p->n_tensors, buffers = t->rule->buffers;
    orr_node *gradient = ORR_NEW(t->arena, orr_node, n);
    if (!gradient) return no_memory(t->ctx);
    orr_grad(t->g, nodes->problem.loss, nodes->problem.parameter, n, gradient);
    *n_updates = 0;
    for (int32_t i = 0; i < n; i++) {
        orr_node new_w, new_buffer[ORR_RULE_BUFFERS_MAX];
        const orr_node *buffer = nodes->buffer + i * buffers;
        t->rule->step(t->g, t->rule_settings, nodes->updates_real, nodes->problem.parameter[i], gradient[i], buffer,
                      &new_w, new_buffer);
        update[(*n_updates)++] = (orr_update){ nodes->problem.parameter[i], new_w };
        for (int32_t b = 0; b < buffers; b++) update[(*n_updates)++] = (orr_update){ buffer[b], new_buffer[b] };
    }
    return ORR_OK;
}

static orr_status attach(orr_training *t, orr_program *program, const orr_feed *feeds, int64_t n) {
    for (int64_t i = 0; i < n; i++) /* a program has only the inputs that it needs */
        if (orr_program_data(program, feeds[i].input))
            ORR_TRY(t->ctx, orr_program_bind(program, feeds[i].input, feeds[i].memory));
    return ORR_OK;
}

static orr_status compile_update(orr_training *t) {
    live_nodes nodes;
    const orr_feed *feeds;
    int64_t n_feeds;
    int32_t n_updates = 0;
    ORR_TRY(t->ctx, build_live(t, t->arena, t->g, &nodes));
    orr_update *update = ORR_NEW(t->arena, orr_update, t->problem->n_tensors * (1 + t->rule->buffers));
    if (!update) return no_memory(t->ctx);
    ORR_TRY(t->ctx, build_update(t, &nodes, update, &n_updates));
    t->loss = nodes.problem.loss;
    const orr_compile_options options = {
        .outputs = &t->loss, .n_outputs = 1, .updates = update, .n_updates = n_updates
    };
    ORR_TRY(t->ctx, orr_compile(t->ctx, t->g, &options, &t->program));
    ORR_TRY(t->ctx, list_feeds(t, t->arena, &nodes, &feeds, &n_feeds));
    ORR_TRY(t->ctx, attach(t, t->program, feeds, n_feeds));
    /* a rule without bias correction doesn't look at the counter, and its program has none */
    t->counter = orr_program_data(t->program, nodes.updates) ? nodes.updates : ORR_NONE;
    return ORR_OK;
}

static orr_status make_training(orr_training *t, uint64_t seed) {
    ORR_TRY(t->ctx, orr_arena_new(t->ctx, &t->arena));
    ORR_TRY(t->ctx, orr_graph_new(t->ctx, &t->g));
    ORR_TRY(t->ctx, take_memory(t, seed));
    return compile_update(t);
}

orr_status orr_training_new(orr_context *ctx, const orr_problem *problem, const orr_rule *rule,
                            const orr_settings *rule_settings, uint64_t seed, orr_training **out) {
    assert(rule->buffers <= ORR_RULE_BUFFERS_MAX && "a rule states its buffers");
    *out = NULL;
    orr_training *t = orr_allocate(ctx, sizeof *t);
    if (!t) return no_memory(ctx);
    *t = (orr_training){ .ctx = ctx, .problem = problem, .rule = rule, .rule_settings = rule_settings };
    const orr_status status = make_training(t, seed);
    if (status == ORR_OK) *out = t;
    else orr_training_free(t);
    return status;
}

void orr_training_free(orr_training *t) {
    if (!t) return;
    orr_program_free(t->program);
    orr_graph_free(t->g);
    orr_arena_free(t->arena);
    orr_release(t->ctx, t);
}

orr_status orr_training_advance(orr_training *t, int64_t steps) {
    ORR_TRY(t->ctx, orr_program_run_many(t->program, steps, t->counter));
    if (!t->counter.id) *t->updates += (int32_t)steps;
    return ORR_OK;
}

int64_t orr_training_steps(const orr_training *t) { return *t->updates; }

double orr_training_loss(const orr_training *t) {
    const void *loss = orr_program_data(t->program, t->loss);
    if (*t->updates == 0) return (double)NAN;
    return t->problem->dtype == ORR_F32 ? (double)*(const float *)loss : *(const double *)loss;
}

const void *orr_training_parameter(const orr_training *t, int64_t i) { return t->parameter[i]; }

/* ---- as instruments see it ------------------------------------------------------------------------------------------------ */

static orr_status build_subject(void *self, orr_arena *out_arena, orr_graph *g, orr_subject_graph *out) {
    orr_training *t = self;
    const int64_t buffers = t->rule->buffers;
    live_nodes nodes;
    ORR_TRY(t->ctx, build_live(t, out_arena, g, &nodes));
    *out = (orr_subject_graph){ .parameter = nodes.problem.parameter, .loss = nodes.problem.loss };
    if (t->rule->preconditioner) {
        out->preconditioner = ORR_NEW(out_arena, orr_node, t->problem->n_tensors);
        if (!out->preconditioner) return no_memory(t->ctx);
        for (int64_t i = 0; i < t->problem->n_tensors; i++)
            out->preconditioner[i] =
                t->rule->preconditioner(g, t->rule_settings, nodes.updates_real, nodes.buffer + i * buffers);
    }
    return list_feeds(t, out_arena, &nodes, &out->feeds, &out->n_feeds);
}

orr_subject orr_training_subject(orr_training *t) {
    return (orr_subject){ .dtype = t->problem->dtype,
                          .shape = t->shape,
                          .n_tensors = t->problem->n_tensors,
                          .n = t->problem->n,
                          .build = build_subject,
                          .self = t };
}
