/* The loss over all training examples and its gradient, once for all instruments that want them: computed here, or taken from an
 * update that computes them anyway (update.c). */
#include "base/context.h"
#include "lab/training_private.h"

static orr_status compile(orr_training *t, orr_evaluator *e, bool with_gradient) {
    const int32_t n = (int32_t)t->n_trained;
    const orr_subject subject = orr_training_subject(t);
    orr_subject_graph graph;
    ORR_TRY(t->ctx, orr_arena_new(t->ctx, &e->arena));
    ORR_TRY(t->ctx, orr_graph_new(t->ctx, &e->g));
    ORR_TRY(t->ctx, subject.build(subject.self, e->arena, e->g, ORR_PART_TRAIN, &graph));
    orr_node *gradient = ORR_NEW(e->arena, orr_node, n);
    if (!gradient) return orr_training_no_memory(t);
    e->value[0] = graph.loss;
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

orr_status orr_training_evaluate(orr_training *t, unsigned needs, orr_evaluation *out) {
    const bool with_gradient = needs & ORR_NEEDS_GRADIENT;
    orr_evaluator *e = &t->evaluator[with_gradient];
    if (!e->program) ORR_TRY(t->ctx, compile(t, e, with_gradient));
    ORR_TRY(t->ctx, orr_program_run(e->program));
    *out = (orr_evaluation){ read(t, e->program, e->value[0], 0), read(t, e->program, e->value[1], 0) };
    return ORR_OK;
}

bool orr_training_yields(const orr_training *t) { return t->yields; }

orr_evaluation orr_training_yield(const orr_training *t, int64_t member) {
    return (orr_evaluation){ read(t, t->program, t->loss, member), read(t, t->program, t->gradient_square, member) };
}

void orr_training_evaluators_free(orr_training *t) {
    for (int i = 0; i < 2; i++) {
        orr_program_free(t->evaluator[i].program);
        orr_graph_free(t->evaluator[i].g);
        orr_arena_free(t->evaluator[i].arena);
    }
}
