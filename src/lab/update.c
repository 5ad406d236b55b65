/* The graph of one update: a batch, the loss, its gradient, and what the rule makes of each tensor; vmapped over members. */
#include <string.h>

#include "base/context.h"
#include "base/random.h"
#include "lab/training_private.h"

/* ---- random numbers ------------------------------------------------------------------------------------------------------------ */

/* i32[4]: the member's seed, a purpose, the number of updates. */
static orr_node key_of(orr_graph *g, const orr_update_nodes *nodes, uint32_t purpose) {
    int32_t word;
    memcpy(&word, &purpose, sizeof word); /* the same bits */
    const orr_node parts[3] = { nodes->seed, orr_literal(g, ORR_I32, ORR_SHAPE(1), &word),
                                orr_reshape(g, nodes->updates, ORR_SHAPE(1)) };
    return orr_concat(g, parts, 3, 0);
}

static orr_node whole(orr_graph *g, orr_shape shape, int64_t value) {
    return orr_fill(g, ORR_I32, shape, (double)value);
}

/* ---- the batch ------------------------------------------------------------------------------------------------------------------ */

int64_t orr_training_batch(const orr_settings *s, int64_t n) {
    const int64_t batch = orr_settings_has(s, "batch") ? orr_int(s, "batch") : 0;
    return batch ? batch : n;
}

int64_t orr_training_epoch(const orr_settings *s, int64_t n) {
    const int64_t batch = orr_training_batch(s, n);
    return batch < n ? n / batch : 1; /* what is left of an order, less than a batch, is left out */
}

static bool samples(const orr_training *t, const char *how) {
    return orr_settings_has(t->rule_settings, "sampling") && strcmp(orr_text(t->rule_settings, "sampling"), how) == 0;
}

/* The indices of this update's examples in [0, n). */
static orr_node batch_index(const orr_training *t, orr_graph *g, const orr_update_nodes *nodes, int64_t batch) {
    const int64_t n = t->problem->data.n;
    if (samples(t, "replacement"))
        return orr_random_int(g, key_of(g, nodes, ORR_PURPOSE_BATCH), (int32_t)n, ORR_SHAPE(batch));
    /* order[(k mod epoch) batch + 0 .. batch - 1] */
    const orr_node k = orr_rem(g, nodes->updates, whole(g, ORR_SCALAR, orr_training_epoch(t->rule_settings, n)));
    const orr_node first = orr_mul(g, k, whole(g, ORR_SCALAR, batch));
    return orr_gather(g, nodes->order, orr_add(g, orr_iota(g, ORR_I32, ORR_SHAPE(batch), 0), first), 0);
}

static void take_batch(const orr_training *t, orr_graph *g, const orr_update_nodes *nodes, orr_node *x,
                       orr_node *target, int64_t *batch) {
    const orr_problem *p = t->problem;
    const int64_t n = p->data.n;
    *batch = orr_training_batch(t->rule_settings, n);
    *x = nodes->x;
    *target = nodes->target;
    if (samples(t, "online")) {
        const orr_node key = key_of(g, nodes, orr_purpose_of("online"));
        p->kind.data->sample(g, &p->kind.data_settings, &p->data, nodes->fact, key, *batch, p->dtype, x, target);
    } else if (*batch < n || samples(t, "replacement")) {
        const orr_node index = batch_index(t, g, nodes, *batch);
        *x = orr_gather(g, nodes->x, index, 0);
        if (nodes->target.id) *target = orr_gather(g, nodes->target, index, 0);
    }
}

/* N(0, noise^2) on the targets; labels become one-hot numbers. */
static orr_node add_noise(const orr_training *t, orr_graph *g, const orr_update_nodes *nodes, orr_node target) {
    const orr_problem *p = t->problem;
    if (!t->rule->noisy_targets || !target.id) return target;
    if (p->data.classes) target = orr_one_hot(g, target, p->data.classes, p->dtype);
    const orr_node noise =
        orr_random_normal(g, key_of(g, nodes, ORR_PURPOSE_NOISE), p->dtype, orr_node_shape(g, target));
    return orr_add(g, target, orr_scale(g, noise, orr_real(t->rule_settings, "noise")));
}

/* ---- gradient and rule ------------------------------------------------------------------------------------------------------------ */

typedef struct gradient_field {
    const orr_node *w, *gradient; /* of the trained tensors */
    int32_t n;
} gradient_field;

static void gradient_at(void *self, orr_graph *g, const orr_node *w, orr_node *gradient) {
    const gradient_field *f = self;
    orr_substitute(g, f->gradient, f->n, f->w, w, f->n, gradient);
}

/* The gradient that the rule steps along, of all trained tensors. */
static orr_status build_gradient(orr_training *t, orr_arena *arena, orr_graph *g, const orr_update_nodes *nodes,
                                 orr_node *w, orr_node *gradient) {
    const int32_t n = (int32_t)t->n_trained;
    orr_node *plain = ORR_NEW(arena, orr_node, n);
    if (!plain) return orr_training_no_memory(t);
    for (int32_t i = 0; i < n; i++) w[i] = nodes->problem.parameter[t->trained[i]];
    orr_grad(g, nodes->problem.loss, w, n, gradient);
    if (t->rule->regradient) {
        memcpy(plain, gradient, (size_t)n * sizeof *plain);
        gradient_field field = { w, plain, n };
        const orr_rule_gradient of = { gradient_at, &field };
        t->rule->regradient(g, t->rule_settings, &of, w, n, gradient);
    }
    orr_rule_clip(g, t->rule_settings, n, gradient);
    return ORR_OK;
}

/* Whether the loss is the one that instruments mean: the same node, for equal nodes are one. */
static bool is_evaluation(const orr_training *t, orr_graph *g, const orr_update_nodes *nodes, orr_node x,
                          orr_node target) {
    if (t->kick || x.id != nodes->x.id || target.id != nodes->target.id) return false;
    orr_problem_graph evaluation = nodes->problem;
    orr_problem_forward(t->problem, g, t->problem->data.n, x, target, orr_problem_evaluation_key(g), &evaluation);
    return evaluation.loss.id == nodes->problem.loss.id;
}

/* |grad L|^2, before the rule makes anything of the gradient. */
static orr_node plain_gradient_square(const orr_training *t, orr_graph *g, orr_node loss, const orr_node *w,
                                      orr_node *room) {
    const int32_t n = (int32_t)t->n_trained;
    orr_grad(g, loss, w, n, room); /* the nodes are those of the gradient that was built before */
    return orr_dot(g, room, room, n);
}

/* What one update makes of a member: new_w[tensors], new_buffer[buffers]. */
static orr_status build_step(orr_training *t, orr_arena *arena, orr_graph *g, orr_update_nodes *nodes, orr_node *new_w,
                             orr_node *new_buffer) {
    const orr_problem *p = t->problem;
    const int32_t buffers = t->rule->buffers;
    orr_node *w = ORR_NEW(arena, orr_node, t->n_trained), *gradient = ORR_NEW(arena, orr_node, t->n_trained),
             *plain = ORR_NEW(arena, orr_node, t->n_trained), x, target;
    int64_t batch;
    if (!w || !gradient || !plain) return orr_training_no_memory(t);
    take_batch(t, g, nodes, &x, &target, &batch);
    target = add_noise(t, g, nodes, target);
    orr_problem_forward(p, g, batch, x, target, key_of(g, nodes, orr_purpose_of("task")), &nodes->problem);
    t->yields = is_evaluation(t, g, nodes, x, target);
    ORR_TRY(t->ctx, build_gradient(t, arena, g, nodes, w, gradient));
    if (t->yields && t->needs & ORR_NEEDS_GRADIENT && t->n_trained > 0)
        t->gradient_square = plain_gradient_square(t, g, nodes->problem.loss, w, plain);
    const orr_node rate =
        orr_mul(g, nodes->rate, orr_rule_schedule(g, t->rule_settings, nodes->updates_real, t->steps));
    const orr_node gradient_square =
        t->n_trained > 0 ? orr_dot(g, gradient, gradient, (int32_t)t->n_trained) : ORR_NONE;
    for (int64_t i = 0; i < p->n_tensors; i++) new_w[i] = nodes->problem.parameter[i];
    for (int32_t i = 0; i < t->n_buffers; i++) new_buffer[i] = nodes->buffer[i];
    for (int64_t i = 0; i < t->n_trained; i++) {
        const int64_t at = t->trained[i];
        const orr_tensor *tensor = &p->tensors[at];
        const char *name = orr_arena_format(arena, "update.%s", tensor->name);
        if (!name) return orr_training_no_memory(t);
        const orr_rule_tensor one = {
            .w = w[i],
            .gradient = gradient[i],
            .gradient_square = gradient_square,
            .buffer = nodes->buffer + at * buffers,
            .tensor = tensor,
            .learning_rate = orr_scale(g, rate, t->rule->divides ? tensor->rate_sign : tensor->rate_gradient),
            .updates = nodes->updates_real,
            .key = key_of(g, nodes, orr_purpose_of(name)),
        };
        orr_rule_update(g, t->rule, t->rule_settings, &one, &new_w[at], new_buffer + at * buffers);
    }
    return ORR_OK;
}

/* ---- inputs ---------------------------------------------------------------------------------------------------------------------- */

orr_status orr_training_inputs(const orr_training *t, orr_arena *out_arena, orr_graph *g, orr_update_nodes *out) {
    const orr_problem *p = t->problem;
    *out = (orr_update_nodes){ 0 };
    ORR_TRY(t->ctx, orr_problem_parameters(t->ctx, out_arena, p, g, &out->problem));
    out->buffer = ORR_NEW(out_arena, orr_node, t->n_buffers);
    if (!out->buffer) return orr_training_no_memory(t);
    for (int32_t i = 0; i < t->n_buffers; i++) {
        const orr_tensor *tensor = &p->tensors[i / t->rule->buffers];
        const char *name = orr_arena_format(out_arena, "buffer%d.%s", (int)(i % t->rule->buffers) + 1, tensor->name);
        if (!name) return orr_training_no_memory(t);
        out->buffer[i] = orr_input(g, name, p->dtype, t->buffer_shape[i]);
    }
    out->updates = orr_input(g, "updates", ORR_I32, ORR_SCALAR);
    out->updates_real = orr_cast(g, out->updates, p->dtype);
    return ORR_OK;
}

static orr_status more_inputs(const orr_training *t, orr_arena *arena, orr_graph *g, orr_update_nodes *nodes) {
    const orr_problem *p = t->problem;
    nodes->rate = orr_input(g, "learning_rate", p->dtype, ORR_SCALAR);
    nodes->seed = orr_input(g, "seed", ORR_I32, ORR_SHAPE(2));
    nodes->order = orr_input(g, "order", ORR_I32, ORR_SHAPE(p->data.n));
    nodes->x = orr_problem_x_input(p, g, "data.x", p->data.n);
    nodes->target = orr_problem_target_input(p, g, "data.target", p->data.n);
    nodes->fact = ORR_NEW(arena, orr_node, p->data.facts.n);
    if (!nodes->fact) return orr_training_no_memory(t);
    for (int i = 0; i < p->data.facts.n; i++) {
        const char *name = orr_arena_format(arena, "data.fact.%s", p->data.facts.item[i].name);
        if (!name) return orr_training_no_memory(t);
        nodes->fact[i] = orr_input(g, name, p->dtype, p->data.facts.item[i].shape);
    }
    return ORR_OK;
}

/* What differs from member to member, with its memory. */
typedef struct varying {
    orr_node *node, *many; /* the input of one member; [members, ...] */
    void **memory;
    int32_t n;
} varying;

static orr_status vary(const orr_training *t, varying *v, orr_graph *g, orr_arena *arena, orr_node node, void *memory,
                       bool differs) {
    orr_shape shape = orr_node_shape(g, node), many = { .rank = shape.rank + 1, .size = { t->members } };
    v->node[v->n] = node;
    v->memory[v->n] = memory;
    v->many[v->n] = node;
    if (differs) {
        for (int32_t i = 0; i < shape.rank; i++) many.size[i + 1] = shape.size[i];
        const char *name = orr_arena_format(arena, "members.%d", v->n);
        if (!name) return orr_training_no_memory(t);
        v->many[v->n] = orr_input(g, name, orr_node_dtype(g, node), many);
    }
    v->n++;
    return ORR_OK;
}

/* All inputs but the counter.  Parameters come first, then buffers. */
static orr_status list_varying(const orr_training *t, orr_arena *arena, orr_graph *g, const orr_update_nodes *nodes,
                               varying *v) {
    const orr_problem *p = t->problem;
    const bool several = t->members > 1;
    const int64_t room = p->n_tensors + t->n_buffers + 5 + p->data.facts.n;
    *v = (varying){ ORR_NEW(arena, orr_node, room), ORR_NEW(arena, orr_node, room), ORR_NEW(arena, void *, room), 0 };
    if (!v->node || !v->many || !v->memory) return orr_training_no_memory(t);
    for (int64_t i = 0; i < p->n_tensors; i++)
        ORR_TRY(t->ctx, vary(t, v, g, arena, nodes->problem.parameter[i], t->parameter[i], several));
    for (int32_t i = 0; i < t->n_buffers; i++)
        ORR_TRY(t->ctx, vary(t, v, g, arena, nodes->buffer[i], t->buffer[i], several));
    ORR_TRY(t->ctx, vary(t, v, g, arena, nodes->rate, t->rate, several));
    ORR_TRY(t->ctx, vary(t, v, g, arena, nodes->seed, t->seed, several));
    ORR_TRY(t->ctx, vary(t, v, g, arena, nodes->order, t->order, several));
    ORR_TRY(t->ctx, vary(t, v, g, arena, nodes->x, t->x, t->own_data));
    if (nodes->target.id) ORR_TRY(t->ctx, vary(t, v, g, arena, nodes->target, t->target, t->own_data));
    for (int i = 0; i < p->data.facts.n; i++)
        ORR_TRY(t->ctx, vary(t, v, g, arena, nodes->fact[i], t->fact[i], t->own_data));
    return ORR_OK;
}

/* The same results for all members at once. */
static orr_status map_members(const orr_training *t, orr_arena *arena, orr_graph *g, const varying *v, orr_node *result,
                              int32_t n) {
    orr_node *x = ORR_NEW(arena, orr_node, v->n), *many = ORR_NEW(arena, orr_node, v->n),
             *out = ORR_NEW(arena, orr_node, n);
    int32_t n_x = 0;
    if (!x || !many || !out) return orr_training_no_memory(t);
    for (int32_t i = 0; i < v->n; i++) {
        if (v->many[i].id == v->node[i].id) continue;
        x[n_x] = v->node[i];
        many[n_x++] = v->many[i];
    }
    orr_vmap(g, result, n, x, many, n_x, out);
    memcpy(result, out, (size_t)n * sizeof *out);
    return ORR_OK;
}

static orr_status attach(orr_training *t, const varying *v, orr_node updates) {
    for (int32_t i = 0; i < v->n; i++) ORR_TRY(t->ctx, orr_program_bind(t->program, v->many[i], v->memory[i]));
    t->counter = ORR_NONE;
    if (!orr_program_data(t->program, updates)) return ORR_OK;
    t->counter = updates;
    return orr_program_bind(t->program, updates, t->updates);
}

orr_status orr_training_compile(orr_training *t) {
    const int32_t n = (int32_t)t->problem->n_tensors, all = n + t->n_buffers;
    orr_update_nodes nodes;
    varying v;
    orr_node *result = ORR_NEW(t->arena, orr_node, all + 2);
    orr_update *update = ORR_NEW(t->arena, orr_update, all);
    if (!result || !update) return orr_training_no_memory(t);
    ORR_TRY(t->ctx, orr_training_inputs(t, t->arena, t->g, &nodes));
    ORR_TRY(t->ctx, more_inputs(t, t->arena, t->g, &nodes));
    ORR_TRY(t->ctx, build_step(t, t->arena, t->g, &nodes, result, result + n));
    result[all] = nodes.problem.loss;
    result[all + 1] = t->gradient_square;
    const int32_t values = t->gradient_square.id ? 2 : 1;
    ORR_TRY(t->ctx, list_varying(t, t->arena, t->g, &nodes, &v));
    if (t->members > 1) ORR_TRY(t->ctx, map_members(t, t->arena, t->g, &v, result, all + values));
    t->loss = result[all];
    t->gradient_square = result[all + 1];
    int32_t n_updates = 0;
    for (int32_t i = 0; i < all; i++)
        if (result[i].id != v.many[i].id) update[n_updates++] = (orr_update){ v.many[i], result[i] };
    const orr_compile_options options = {
        .outputs = result + all, .n_outputs = values, .updates = update, .n_updates = n_updates
    };
    ORR_TRY(t->ctx, orr_compile(t->ctx, t->g, &options, &t->program));
    return attach(t, &v, nodes.updates);
}
