#include "lab/training.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "base/random.h"
#include "lab/training_private.h"

orr_status orr_training_no_memory(const orr_training *t) {
    return orr_fail(t->ctx, ORR_ENOMEM, "no memory to train %lld networks of %lld parameters", (long long)t->members,
                    (long long)t->problem->n);
}

static size_t tensor_bytes(const orr_training *t, orr_shape shape) {
    return (size_t)orr_shape_count(&shape) * orr_dtype_size(t->problem->dtype);
}

/* ---- memory --------------------------------------------------------------------------------------------------------------------- */

/* [members, shape], and the memory of the selected member: the same where there is one. */
static orr_status take(orr_training *t, size_t bytes, void **all, void **live) {
    *all = orr_arena_take(t->arena, t->members, bytes);
    *live = t->members == 1 ? *all : orr_arena_take(t->arena, 1, bytes);
    return *all && *live ? ORR_OK : orr_training_no_memory(t);
}

static orr_status take_parameters(orr_training *t) {
    const orr_problem *p = t->problem;
    const int32_t buffers = t->rule->buffers;
    t->n_buffers = (int32_t)p->n_tensors * buffers;
    t->parameter = ORR_NEW(t->arena, void *, p->n_tensors);
    t->live_parameter = ORR_NEW(t->arena, void *, p->n_tensors);
    t->buffer = ORR_NEW(t->arena, void *, t->n_buffers);
    t->live_buffer = ORR_NEW(t->arena, void *, t->n_buffers);
    t->buffer_shape = ORR_NEW(t->arena, orr_shape, t->n_buffers);
    if (!t->parameter || !t->live_parameter || !t->buffer || !t->live_buffer || !t->buffer_shape)
        return orr_training_no_memory(t);
    for (int64_t i = 0; i < p->n_tensors; i++) {
        const orr_shape shape = p->tensors[i].shape;
        ORR_TRY(t->ctx, take(t, tensor_bytes(t, shape), &t->parameter[i], &t->live_parameter[i]));
        for (int64_t b = i * buffers; b < (i + 1) * buffers; b++) {
            t->buffer_shape[b] = t->rule->buffer_shape
                                     ? t->rule->buffer_shape(t->rule_settings, shape, (int32_t)(b - i * buffers))
                                     : shape;
            ORR_TRY(t->ctx, take(t, tensor_bytes(t, t->buffer_shape[b]), &t->buffer[b], &t->live_buffer[b]));
        }
    }
    return ORR_OK;
}

/* The trained tensors, which instruments see. */
static orr_status list_trained(orr_training *t) {
    const orr_problem *p = t->problem;
    t->trained = ORR_NEW(t->arena, int64_t, p->n_tensors);
    t->trained_shape = ORR_NEW(t->arena, orr_shape, p->n_tensors);
    t->trained_name = ORR_NEW(t->arena, const char *, p->n_tensors);
    t->trained_memory = ORR_NEW(t->arena, const void *, p->n_tensors);
    if (!t->trained || !t->trained_shape || !t->trained_name || !t->trained_memory) return orr_training_no_memory(t);
    for (int64_t i = 0; i < p->n_tensors; i++) {
        if (p->tensors[i].frozen) continue;
        const int64_t at = t->n_trained++;
        t->trained[at] = i;
        t->trained_shape[at] = p->tensors[i].shape;
        t->trained_name[at] = p->tensors[i].name;
        t->trained_memory[at] = t->live_parameter[i];
        t->n_numbers += orr_shape_count(&p->tensors[i].shape);
    }
    return ORR_OK;
}

static size_t x_bytes(const orr_problem *p, int64_t n) {
    return (size_t)(n * orr_dataset_features(&p->data)) *
           (p->data.vocabulary ? sizeof(int32_t) : orr_dtype_size(p->dtype));
}

static size_t target_bytes(const orr_problem *p, int64_t n) {
    if (!p->target) return 0;
    return (size_t)(n * orr_dataset_targets(&p->data)) * (p->data.classes ? sizeof(int32_t) : orr_dtype_size(p->dtype));
}

/* Memory for the data of the selected member. */
static orr_status take_live_data(orr_training *t) {
    const orr_problem *p = t->problem;
    const int64_t n = p->data.n, n_test = p->data.n_test;
    t->live_x = orr_arena_take(t->arena, 1, x_bytes(p, n));
    t->live_target = orr_arena_take(t->arena, 1, target_bytes(p, n));
    t->live_test_x = orr_arena_take(t->arena, 1, x_bytes(p, n_test));
    t->live_test_target = orr_arena_take(t->arena, 1, target_bytes(p, n_test));
    return t->live_x && t->live_target && t->live_test_x && t->live_test_target ? ORR_OK : orr_training_no_memory(t);
}

/* The data of all members, one behind the other where they differ. */
static orr_status take_data(orr_training *t) {
    const orr_problem *p = t->problem;
    for (int64_t m = 0; m < t->members; m++)
        if (t->member[m].problem->x != p->x) t->own_data = true;
    t->x = t->live_x = p->x;
    t->target = t->live_target = p->target;
    t->live_test_x = p->test_x;
    t->live_test_target = p->test_target;
    t->fact = p->fact;
    if (!t->own_data) return ORR_OK;
    ORR_TRY(t->ctx, take_live_data(t));
    const size_t bx = x_bytes(p, p->data.n), by = target_bytes(p, p->data.n);
    t->x = orr_arena_take(t->arena, t->members, bx);
    t->target = orr_arena_take(t->arena, t->members, by);
    t->fact = ORR_NEW(t->arena, void *, p->data.facts.n);
    if (!t->x || !t->target || !t->fact) return orr_training_no_memory(t);
    for (int64_t m = 0; m < t->members; m++) {
        memcpy((char *)t->x + (size_t)m * bx, t->member[m].problem->x, bx);
        if (by) memcpy((char *)t->target + (size_t)m * by, t->member[m].problem->target, by);
    }
    for (int i = 0; i < p->data.facts.n; i++) {
        const size_t bytes = tensor_bytes(t, p->data.facts.item[i].shape);
        t->fact[i] = orr_arena_take(t->arena, t->members, bytes);
        if (!t->fact[i]) return orr_training_no_memory(t);
        for (int64_t m = 0; m < t->members; m++)
            memcpy((char *)t->fact[i] + (size_t)m * bytes, t->member[m].problem->fact[i], bytes);
    }
    return ORR_OK;
}

static orr_status take_hyperparameters(orr_training *t) {
    const orr_problem *p = t->problem;
    t->updates = ORR_NEW(t->arena, int32_t, 1);
    t->rate = orr_arena_take(t->arena, t->members, orr_dtype_size(p->dtype));
    t->seed = ORR_NEW(t->arena, int32_t, 2 * t->members);
    t->order = ORR_NEW(t->arena, int32_t, t->members * p->data.n);
    t->permutation = ORR_NEW(t->arena, int64_t, p->data.n);
    t->flow_loss = ORR_NEW(t->arena, double, t->members);
    if (!t->updates || !t->rate || !t->seed || !t->order || !t->permutation || !t->flow_loss)
        return orr_training_no_memory(t);
    for (int64_t m = 0; m < t->members; m++) {
        const uint32_t word[2] = { (uint32_t)t->member[m].seed, (uint32_t)(t->member[m].seed >> 32) };
        memcpy(t->seed + 2 * m, word, sizeof word);
        orr_to_dtype(p->dtype, 1, &t->member[m].learning_rate, (char *)t->rate + (size_t)m * orr_dtype_size(p->dtype));
    }
    return ORR_OK;
}

/* w: room for the doubles of one member */
static orr_status start_members(orr_training *t, double *w) {
    const orr_problem *p = t->problem;
    for (int64_t m = 0; m < t->members; m++) {
        ORR_TRY(t->ctx, orr_problem_initial(t->ctx, t->member[m].problem, t->member[m].seed, w));
        const double *from = w;
        for (int64_t i = 0; i < p->n_tensors; i++) {
            const int64_t n = orr_shape_count(&p->tensors[i].shape);
            orr_to_dtype(p->dtype, n, from, (char *)t->parameter[i] + (size_t)m * tensor_bytes(t, p->tensors[i].shape));
            from += n;
        }
    }
    return ORR_OK;
}

static orr_status start(orr_training *t) {
    double *w = orr_allocate(t->ctx, (size_t)t->problem->n * sizeof *w);
    const orr_status status = w ? start_members(t, w) : orr_training_no_memory(t);
    orr_release(t->ctx, w);
    ORR_TRY(t->ctx, status);
    t->selected = -1;
    orr_training_select(t, 0);
    return ORR_OK;
}

/* ---- life ---------------------------------------------------------------------------------------------------------------------------- */

static orr_status check(const orr_training *t) {
    const orr_problem *p = t->problem;
    const orr_settings *s = t->rule_settings;
    const char *rule = t->rule->kind.name;
    if (t->rule->flow && p->dtype != ORR_F64)
        return orr_fail(t->ctx, ORR_EINPUT, "rule %s: needs `precision: f64`", rule);
    if (t->rule->noisy_targets && (!p->target || (p->data.classes && !p->kind.task->one_hot)))
        return orr_fail(t->ctx, ORR_EINPUT,
                        "rule %s: adds noise to targets that are numbers; task %s has %s (mse takes labels as "
                        "one-hot numbers)",
                        rule, p->kind.task->kind.name, p->target ? "labels" : "none");
    if (!orr_settings_has(s, "batch")) return ORR_OK;
    const bool online = strcmp(orr_text(s, "sampling"), "online") == 0;
    if (online && (!p->kind.data || !p->kind.data->sample))
        return orr_fail(t->ctx, ORR_EINPUT, "rule %s: sampling online needs data that are generated, not %s", rule,
                        p->kind.data ? p->kind.data->kind.name : "given arrays");
    if (!online && orr_int(s, "batch") > p->data.n)
        return orr_fail(t->ctx, ORR_EINPUT, "rule %s: a batch of %lld, but there are %lld examples", rule,
                        (long long)orr_int(s, "batch"), (long long)p->data.n);
    return ORR_OK;
}

static orr_status make_training(orr_training *t) {
    ORR_TRY(t->ctx, check(t));
    ORR_TRY(t->ctx, orr_arena_new(t->ctx, &t->arena));
    ORR_TRY(t->ctx, orr_graph_new(t->ctx, &t->g));
    ORR_TRY(t->ctx, orr_shared_new(t->ctx, &t->shared));
    ORR_TRY(t->ctx, take_parameters(t));
    ORR_TRY(t->ctx, list_trained(t));
    ORR_TRY(t->ctx, take_data(t));
    ORR_TRY(t->ctx, take_hyperparameters(t));
    ORR_TRY(t->ctx, start(t));
    ORR_TRY(t->ctx, orr_training_kick_new(t));
    return t->rule->flow ? orr_training_compile_flow(t) : orr_training_compile(t);
}

orr_status orr_training_new(orr_context *ctx, const orr_member *member, int64_t members,
                            const orr_training_options *options, orr_training **out) {
    assert(options->rule->buffers <= ORR_RULE_BUFFERS_MAX && "a rule states its buffers");
    *out = NULL;
    orr_training *t = orr_allocate(ctx, sizeof *t);
    if (!t) return orr_fail(ctx, ORR_ENOMEM, "no memory to train");
    *t = (orr_training){ .ctx = ctx,
                         .member = member,
                         .members = members,
                         .steps = options->steps,
                         .needs = options->needs,
                         .problem = member[0].problem,
                         .rule = options->rule,
                         .rule_settings = options->rule_settings,
                         .epoch = -1 };
    const orr_status status = make_training(t);
    if (status == ORR_OK) *out = t;
    else orr_training_free(t);
    return status;
}

void orr_training_free(orr_training *t) {
    if (!t) return;
    orr_training_kick_free(t->kick);
    orr_training_evaluators_free(t);
    orr_shared_free(t->shared);
    orr_program_free(t->program);
    orr_graph_free(t->g);
    orr_arena_free(t->arena);
    orr_release(t->ctx, t);
}

/* ---- advance ---------------------------------------------------------------------------------------------------------------------- */

/* The order of examples in an epoch: a function of the member's seed and the epoch. */
static void shuffle(orr_training *t, int64_t epoch) {
    const int64_t n = t->problem->data.n;
    for (int64_t m = 0; m < t->members; m++) {
        const orr_key key = { .seed = t->member[m].seed, .purpose = ORR_PURPOSE_BATCH, .step = (uint32_t)epoch };
        orr_random_permutation(key, n, t->permutation);
        for (int64_t i = 0; i < n; i++) t->order[m * n + i] = (int32_t)t->permutation[i];
    }
    t->epoch = epoch;
}

static bool shuffles(const orr_training *t) {
    const orr_settings *s = t->rule_settings;
    return orr_settings_has(s, "sampling") && strcmp(orr_text(s, "sampling"), "shuffle") == 0 &&
           orr_training_batch(s, t->problem->data.n) < t->problem->data.n;
}

orr_status orr_training_advance(orr_training *t, int64_t steps) {
    const int64_t per_epoch = orr_training_epoch(t->rule_settings, t->problem->data.n);
    t->selected = t->members == 1 ? 0 : -1; /* live copies are of the past now */
    orr_training_forget(t);
    if (t->rule->flow) return orr_training_flow(t, steps);
    while (steps > 0) {
        int64_t some = steps;
        bool waiting;
        ORR_TRY(t->ctx, orr_training_kick(t, &waiting));
        if (waiting) some = 1;
        if (shuffles(t)) {
            const int64_t epoch = *t->updates / per_epoch, left = (epoch + 1) * per_epoch - *t->updates;
            if (epoch != t->epoch) shuffle(t, epoch);
            if (left < some) some = left;
        }
        t->selected = t->members == 1 ? 0 : -1;
        ORR_TRY(t->ctx, orr_program_run_many(t->program, some, t->counter));
        if (!t->counter.id) *t->updates += (int32_t)some;
        steps -= some;
    }
    return ORR_OK;
}

int64_t orr_training_steps(const orr_training *t) { return *t->updates; }

double orr_training_loss(const orr_training *t, int64_t member) {
    if (*t->updates == 0) return (double)NAN;
    if (t->rule->flow) return t->flow_loss[member];
    const void *loss = orr_program_data(t->program, t->loss);
    return t->problem->dtype == ORR_F32 ? (double)((const float *)loss)[member] : ((const double *)loss)[member];
}

/* ---- one member ---------------------------------------------------------------------------------------------------------------------- */

static void copy_slice(void *to, const void *all, size_t bytes, int64_t m) {
    memcpy(to, (const char *)all + (size_t)m * bytes, bytes);
}

void orr_training_select(orr_training *t, int64_t member) {
    const orr_problem *p = t->problem;
    if (t->selected == member || t->members == 1) {
        t->selected = member;
        return;
    }
    for (int64_t i = 0; i < p->n_tensors; i++)
        copy_slice(t->live_parameter[i], t->parameter[i], tensor_bytes(t, p->tensors[i].shape), member);
    for (int32_t i = 0; i < t->n_buffers; i++)
        copy_slice(t->live_buffer[i], t->buffer[i], tensor_bytes(t, t->buffer_shape[i]), member);
    if (t->own_data) {
        const orr_problem *own = t->member[member].problem;
        memcpy(t->live_x, own->x, x_bytes(p, p->data.n));
        memcpy(t->live_test_x, own->test_x ? own->test_x : own->x, x_bytes(p, p->data.n_test));
        if (p->target) memcpy(t->live_target, own->target, target_bytes(p, p->data.n));
        if (p->test_target) memcpy(t->live_test_target, own->test_target, target_bytes(p, p->data.n_test));
    }
    t->selected = member;
    orr_training_forget(t);
}

const void *orr_training_parameter(const orr_training *t, int64_t i) { return t->live_parameter[i]; }

/* A state: i64 updates, then parameters, then buffers, each row-major; and i64, whether it was kicked, where there are kicks. */
size_t orr_training_state_bytes(const orr_training *t) {
    size_t bytes = sizeof(int64_t) * (t->kick ? 2 : 1);
    for (int64_t i = 0; i < t->problem->n_tensors; i++) bytes += tensor_bytes(t, t->problem->tensors[i].shape);
    for (int32_t i = 0; i < t->n_buffers; i++) bytes += tensor_bytes(t, t->buffer_shape[i]);
    return bytes;
}

void orr_training_save(const orr_training *t, int64_t member, void *state) {
    const int64_t updates = *t->updates;
    char *to = state;
    memcpy(to, &updates, sizeof updates);
    to += sizeof updates;
    for (int64_t i = 0; i < t->problem->n_tensors + t->n_buffers; i++) {
        const int64_t b = i - t->problem->n_tensors;
        const size_t bytes = tensor_bytes(t, b < 0 ? t->problem->tensors[i].shape : t->buffer_shape[b]);
        copy_slice(to, b < 0 ? t->parameter[i] : t->buffer[b], bytes, member);
        to += bytes;
    }
    if (!t->kick) return;
    const int64_t kicked = orr_training_kicked(t, member);
    memcpy(to, &kicked, sizeof kicked);
}

void orr_training_load(orr_training *t, int64_t member, const void *state) {
    int64_t updates;
    const char *from = state;
    memcpy(&updates, from, sizeof updates);
    from += sizeof updates;
    *t->updates = (int32_t)updates;
    orr_training_forget(t);
    for (int64_t i = 0; i < t->problem->n_tensors + t->n_buffers; i++) {
        const int64_t b = i - t->problem->n_tensors;
        const size_t bytes = tensor_bytes(t, b < 0 ? t->problem->tensors[i].shape : t->buffer_shape[b]);
        memcpy((char *)(b < 0 ? t->parameter[i] : t->buffer[b]) + (size_t)member * bytes, from, bytes);
        from += bytes;
    }
    if (t->kick) {
        int64_t kicked;
        memcpy(&kicked, from, sizeof kicked);
        orr_training_set_kicked(t, member, kicked != 0);
    }
    if (t->members > 1) t->selected = -1;
}

orr_cost orr_training_cost(const orr_training *t) { return orr_program_cost(t->program); }
