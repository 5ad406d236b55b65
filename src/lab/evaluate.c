/* What instruments want of the network as a whole, computed once for all of them: answers over a part of the data, and the loss over
 * all training examples with its gradient, here or taken from an update that computes it anyway (update.c). */
#include <math.h>

#include "base/context.h"
#include "lab/training_private.h"

static double read(const orr_training *t, const void *from, int64_t member) {
    return t->problem->dtype == ORR_F32 ? (double)((const float *)from)[member] : ((const double *)from)[member];
}

static double read_value(const orr_training *t, const orr_evaluator *e, int i) {
    return read(t, orr_probe_data(&e->probe, e->value[i]), 0);
}

/* ---- answers --------------------------------------------------------------------------------------------------------------- */

static orr_status open_answers(orr_training *t, orr_part part) {
    orr_evaluator *e = &t->answers_of[part];
    orr_probe *p = &e->probe;
    const orr_subject subject = orr_training_subject(t);
    if (p->program) return ORR_OK;
    ORR_TRY(t->ctx, orr_probe_begin(t->ctx, &subject, part, p));
    e->value[0] = p->graph.loss;
    if (p->graph.correct.id) e->value[1] = orr_mean_all(p->g, p->graph.correct);
    return orr_probe_compile(p, e->value, e->value[1].id ? 2 : 1);
}

orr_status orr_training_answers(orr_training *t, orr_part part, orr_answers *out) {
    orr_evaluator *e = &t->answers_of[part];
    orr_kept_answers *kept = &t->kept[part];
    ORR_TRY(t->ctx, open_answers(t, part));
    if (!kept->valid) {
        ORR_TRY(t->ctx, orr_probe_run(&e->probe));
        kept->answers.loss = read_value(t, e, 0);
        kept->answers.accuracy = e->value[1].id ? read_value(t, e, 1) : (double)NAN;
        kept->valid = true;
    }
    *out = kept->answers;
    return ORR_OK;
}

void orr_training_forget(orr_training *t) {
    t->kept[0].valid = t->kept[1].valid = false;
    orr_shared_forget(t->shared);
}

/* ---- the loss and its gradient -------------------------------------------------------------------------------------------------- */

static orr_status open_gradient(orr_training *t) {
    orr_evaluator *e = &t->gradient_of;
    orr_probe *p = &e->probe;
    const int32_t n = (int32_t)t->n_trained;
    const orr_subject subject = orr_training_subject(t);
    if (p->program) return ORR_OK;
    ORR_TRY(t->ctx, orr_probe_begin(t->ctx, &subject, ORR_PART_TRAIN, p));
    orr_node *gradient = ORR_NEW(p->arena, orr_node, n);
    if (!gradient) return orr_training_no_memory(t);
    e->value[0] = p->graph.loss;
    if (n > 0) {
        orr_grad(p->g, p->graph.loss, p->graph.parameter, n, gradient);
        e->value[1] = orr_dot(p->g, gradient, gradient, n);
    }
    return orr_probe_compile(p, e->value, e->value[1].id ? 2 : 1);
}

orr_status orr_training_evaluate(orr_training *t, unsigned needs, orr_evaluation *out) {
    orr_evaluator *e = &t->gradient_of;
    if (!(needs & ORR_NEEDS_GRADIENT)) {
        orr_answers answers = { 0 };
        ORR_TRY(t->ctx, orr_training_answers(t, ORR_PART_TRAIN, &answers));
        *out = (orr_evaluation){ .loss = answers.loss };
        return ORR_OK;
    }
    ORR_TRY(t->ctx, open_gradient(t));
    ORR_TRY(t->ctx, orr_probe_run(&e->probe));
    *out = (orr_evaluation){ read_value(t, e, 0), e->value[1].id ? read_value(t, e, 1) : 0.0 };
    return ORR_OK;
}

bool orr_training_yields(const orr_training *t) { return t->yields; }

orr_evaluation orr_training_yield(const orr_training *t, int64_t member) {
    const bool has_gradient = t->gradient_square.id != 0;
    return (orr_evaluation){ read(t, orr_program_data(t->program, t->loss), member),
                             has_gradient ? read(t, orr_program_data(t->program, t->gradient_square), member) : 0.0 };
}

void orr_training_evaluators_free(orr_training *t) {
    orr_probe_end(&t->gradient_of.probe);
    for (int part = 0; part < 2; part++) orr_probe_end(&t->answers_of[part].probe);
}
