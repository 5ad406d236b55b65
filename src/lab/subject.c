/* The selected member of a training as instruments see it: trained tensors, loss and layers over live memory. */
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "lab/training_private.h"

/* The nodes of trained tensors out of those of all. */
static orr_node *trained_of(const orr_training *t, orr_arena *arena, const orr_node *all) {
    orr_node *some = ORR_NEW(arena, orr_node, t->n_trained);
    for (int64_t i = 0; some && i < t->n_trained; i++) some[i] = all[t->trained[i]];
    return some;
}

static orr_status list_taps(const orr_training *t, orr_arena *arena, const orr_taps *taps, orr_subject_graph *out) {
    orr_subject_tap *tap = ORR_NEW(arena, orr_subject_tap, taps->n);
    if (!tap) return orr_training_no_memory(t);
    for (int i = 0; i < taps->n; i++) {
        tap[i] = (orr_subject_tap){ orr_arena_string(arena, taps->tap[i].name), taps->tap[i].node };
        if (!tap[i].name) return orr_training_no_memory(t);
    }
    out->tap = tap;
    out->n_taps = taps->n;
    return ORR_OK;
}

static orr_status list_preconditioner(const orr_training *t, orr_arena *arena, orr_graph *g,
                                      const orr_update_nodes *nodes, orr_subject_graph *out) {
    const int32_t buffers = t->rule->buffers;
    if (!t->rule->preconditioner) return ORR_OK;
    out->preconditioner = ORR_NEW(arena, orr_node, t->n_trained);
    if (!out->preconditioner) return orr_training_no_memory(t);
    for (int64_t i = 0; i < t->n_trained; i++)
        out->preconditioner[i] = t->rule->preconditioner(g, t->rule_settings, &t->problem->tensors[t->trained[i]],
                                                         nodes->updates_real, nodes->buffer + t->trained[i] * buffers);
    return ORR_OK;
}

/* Every live input with its memory. */
static orr_status list_feeds(const orr_training *t, orr_arena *arena, const orr_update_nodes *nodes, orr_feed x,
                             orr_feed target, orr_subject_graph *out) {
    const orr_problem *p = t->problem;
    orr_feed *all = ORR_NEW(arena, orr_feed, p->n_tensors + t->n_buffers + 3);
    int64_t n = 0;
    if (!all) return orr_training_no_memory(t);
    for (int64_t i = 0; i < p->n_tensors; i++)
        all[n++] = (orr_feed){ nodes->problem.parameter[i], t->live_parameter[i] };
    for (int32_t i = 0; i < t->n_buffers; i++) all[n++] = (orr_feed){ nodes->buffer[i], t->live_buffer[i] };
    all[n++] = (orr_feed){ nodes->updates, t->updates };
    if (x.memory) all[n++] = x;
    if (target.memory && target.input.id) all[n++] = target;
    out->feeds = all;
    out->n_feeds = n;
    return ORR_OK;
}

static orr_status build(orr_training *t, orr_arena *arena, orr_graph *g, int64_t n, orr_feed x, orr_feed target,
                        orr_subject_graph *out) {
    orr_update_nodes nodes;
    *out = (orr_subject_graph){ 0 };
    ORR_TRY(t->ctx, orr_training_inputs(t, arena, g, &nodes));
    orr_problem_forward(t->problem, g, n, x.input, target.input, orr_problem_evaluation_key(g), &nodes.problem);
    out->parameter = trained_of(t, arena, nodes.problem.parameter);
    out->effective = trained_of(t, arena, nodes.problem.effective);
    if (!out->parameter || !out->effective) return orr_training_no_memory(t);
    out->loss = nodes.problem.loss;
    out->each = nodes.problem.each;
    out->correct = nodes.problem.correct;
    out->x = x.input;
    out->target = target.input;
    out->output = nodes.problem.output;
    ORR_TRY(t->ctx, list_taps(t, arena, &nodes.problem.taps, out));
    ORR_TRY(t->ctx, list_preconditioner(t, arena, g, &nodes, out));
    return list_feeds(t, arena, &nodes, x, target, out);
}

static orr_status build_part(void *self, orr_arena *out_arena, orr_graph *g, orr_part part, orr_subject_graph *out) {
    orr_training *t = self;
    const orr_problem *p = t->problem;
    const bool test = part == ORR_PART_TEST;
    const int64_t n = test ? p->data.n_test : p->data.n;
    if (n == 0) return orr_fail(t->ctx, ORR_EINPUT, "the data have no test examples (`n_test`)");
    const orr_feed x = { orr_problem_x_input(p, g, test ? "test.x" : "data.x", n), test ? t->live_test_x : t->live_x };
    const orr_feed target = { orr_problem_target_input(p, g, test ? "test.target" : "data.target", n),
                              test ? t->live_test_target : t->live_target };
    return build(t, out_arena, g, n, x, target, out);
}

static orr_status build_on(void *self, orr_arena *out_arena, orr_graph *g, int64_t n, orr_node x, orr_node target,
                           orr_subject_graph *out) {
    return build(self, out_arena, g, n, (orr_feed){ x, NULL }, (orr_feed){ target, NULL }, out);
}

static orr_status answers_of(void *self, orr_part part, orr_answers *out) {
    return orr_training_answers(self, part, out);
}

static const orr_arrays *facts_of(void *self) {
    const orr_training *t = self;
    const bool own =
        t->own_data && t->selected >= 0; /* none is measured right after an update: shapes are those of all */
    return own ? &t->member[t->selected].problem->data.facts : &t->problem->data.facts;
}

static void next_update(void *self, double *rate, double *keep) {
    const orr_training *t = self;
    const orr_settings *s = t->rule_settings;
    const char *kind = t->rule->kind.name;
    const int64_t member = t->selected >= 0 ? t->selected : 0;
    const double eta = t->problem->dtype == ORR_F64 ? ((const double *)t->rate)[member]
                                                    : (double)((const float *)t->rate)[member],
                 decay = orr_settings_has(s, "weight_decay") ? orr_real(s, "weight_decay") : 0.0;
    const bool constant = orr_settings_say(s, "schedule", "constant") && orr_int(s, "warmup") == 0 &&
                          orr_real(s, "clip") == 0.0,
               plain = strcmp(kind, "gd") == 0 || (strcmp(kind, "sgd") == 0 && orr_real(s, "momentum") == 0.0);
    *rate = plain && constant ? eta : (double)NAN;
    *keep = decay == 0.0                                    ? 1.0
            : !plain || !constant                           ? (double)NAN
            : orr_settings_say(s, "decay_coupling", "none") ? 1.0 - decay
                                                            : 1.0 - eta * decay;
}

orr_subject orr_training_subject(orr_training *t) {
    const orr_problem *p = t->problem;
    return (orr_subject){ .dtype = p->dtype,
                          .shape = t->trained_shape,
                          .name = t->trained_name,
                          .n_tensors = t->n_trained,
                          .n = t->n_numbers,
                          .members = t->members,
                          .examples = p->data.n,
                          .test_examples = p->data.n_test,
                          .classes = p->data.classes,
                          .outputs = p->signature.outputs,
                          .right_or_wrong = p->kind.task->correct != NULL,
                          .parameter = t->trained_memory,
                          .x = t->live_x,
                          .target = t->live_target,
                          .test_x = t->live_test_x,
                          .test_target = t->live_test_target,
                          .x_type = p->data.vocabulary ? ORR_I32 : p->dtype,
                          .target_type = p->data.classes ? ORR_I32 : p->dtype,
                          .input = p->data.input,
                          .target_of_one = p->data.target,
                          .build = build_part,
                          .build_on = build_on,
                          .shared = t->shared,
                          .answers = answers_of,
                          .next_update = next_update,
                          .facts = facts_of,
                          .self = t };
}
