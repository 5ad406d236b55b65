/* What instruments want of the network as a whole, computed once for all of them: answers over a part of the data, and the loss over
 * all training examples with its gradient, here or taken from an update that computes it anyway (update.c). */
#include <math.h>

#include "base/context.h"
#include "lab/training_private.h"

static orr_status compile(orr_training *t, orr_evaluator *e, orr_part part, bool with_gradient) {
    const int32_t n = (int32_t)t->n_trained;
    const orr_subject subject = orr_training_subject(t);
    orr_subject_graph graph;
    ORR_TRY(t->ctx, orr_arena_new(t->ctx, &e->arena));
    ORR_TRY(t->ctx, orr_graph_new(t->ctx, &e->g));
    ORR_TRY(t->ctx, subject.build(subject.self, e->arena, e->g, part, &graph));
    orr_node *gradient = ORR_NEW(e->arena, orr_node, n);
    if (!gradient) return orr_training_no_memory(t);
    e->value[0] = graph.loss;
    if (!with_gradient && graph.correct.id) e->value[1] = orr_mean_all(e->g, graph.correct);
    if (with_gradient && n > 0) {
        orr_grad(e->g, graph.loss, graph.parameter, n, gradient);
        e->value[1] = orr_dot(e->g, gradient, gradient, n);
    }
    const orr_compile_options options = { .outputs = e->value, .n_outputs = e->value[1].id ? 2 : 1 };
    ORR_TRY(t->ctx, orr_compile(t->ctx, e->g, &options, &e->program));
    return orr_subject_attach(t->ctx, &graph, e->program);
}

static double read(const orr_training *t, orr_program *program, orr_node node, int64_t member) {
    if (!node.id) return 0.0;
    const void *from = orr_program_data(program, node);
    return t->problem->dtype == ORR_F32 ? (double)((const float *)from)[member] : ((const double *)from)[member];
}

orr_status orr_training_answers(orr_training *t, orr_part part, orr_answers *out) {
    orr_evaluator *e = &t->answers_of[part];
    orr_kept_answers *kept = &t->kept[part];
    if (kept->member != t->selected || kept->updates != *t->updates) {
        if (!e->program) ORR_TRY(t->ctx, compile(t, e, part, false));
        ORR_TRY(t->ctx, orr_program_run(e->program));
        *kept = (orr_kept_answers){ .member = t->selected, .updates = *t->updates };
        kept->answers.loss = read(t, e->program, e->value[0], 0);
        kept->answers.accuracy = e->value[1].id ? read(t, e->program, e->value[1], 0) : (double)NAN;
    }
    *out = kept->answers;
    return ORR_OK;
}

void orr_training_forget_answers(orr_training *t) { t->kept[0].member = t->kept[1].member = -1; }

orr_status orr_training_evaluate(orr_training *t, unsigned needs, orr_evaluation *out) {
    orr_evaluator *e = &t->gradient_of;
    orr_answers answers = { 0 };
    if (!(needs & ORR_NEEDS_GRADIENT)) {
        ORR_TRY(t->ctx, orr_training_answers(t, ORR_PART_TRAIN, &answers));
        *out = (orr_evaluation){ .loss = answers.loss };
        return ORR_OK;
    }
    if (!e->program) ORR_TRY(t->ctx, compile(t, e, ORR_PART_TRAIN, true));
    ORR_TRY(t->ctx, orr_program_run(e->program));
    *out = (orr_evaluation){ read(t, e->program, e->value[0], 0), read(t, e->program, e->value[1], 0) };
    return ORR_OK;
}

bool orr_training_yields(const orr_training *t) { return t->yields; }

orr_evaluation orr_training_yield(const orr_training *t, int64_t member) {
    return (orr_evaluation){ read(t, t->program, t->loss, member), read(t, t->program, t->gradient_square, member) };
}

void orr_training_evaluators_free(orr_training *t) {
    const orr_evaluator *all[] = { &t->gradient_of, &t->answers_of[0], &t->answers_of[1] };
    for (int i = 0; i < 3; i++) {
        orr_program_free(all[i]->program);
        orr_graph_free(all[i]->g);
        orr_arena_free(all[i]->arena);
    }
}
