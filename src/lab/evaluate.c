/* What instruments want of the network as a whole, computed once for all of them: answers over a part of the data, and the loss over
 * all training examples with its gradient, here or taken from an update that computes it anyway (update.c).  A loss is a formula of
 * layers and outputs by itself, whatever evaluated them, so that its bits don't depend on whether a gradient is wanted too. */
#include <math.h>

#include "base/context.h"
#include "lab/training_private.h"

static double read(const orr_training *t, const void *from, int64_t member) {
    return t->problem->dtype == ORR_F32 ? (double)((const float *)from)[member] : ((const double *)from)[member];
}

static double value_of(const orr_probe *p, orr_node output) {
    double value;
    orr_probe_read(p, output, 1, &value);
    return value;
}

/* ---- answers --------------------------------------------------------------------------------------------------------------- */

static orr_status open_answers(orr_training *t, orr_part part) {
    orr_probe *p = &t->answers_of[part];
    const orr_subject subject = orr_training_subject(t);
    if (p->pass) return ORR_OK;
    orr_probe_end(p); /* of an attempt that failed */
    ORR_TRY(t->ctx, orr_probe_begin(t->ctx, &subject, part, p));
    if (p->graph.correct.id) t->accuracy[part] = orr_mean_all(p->g, p->graph.correct);
    const orr_node outputs[2] = { p->graph.loss, t->accuracy[part] };
    return orr_probe_share(p, &subject, outputs, p->graph.correct.id ? 2 : 1);
}

orr_status orr_training_answers(orr_training *t, orr_part part, orr_answers *out) {
    orr_probe *p = &t->answers_of[part];
    orr_kept_answers *kept = &t->kept[part];
    ORR_TRY(t->ctx, open_answers(t, part));
    if (!kept->valid) {
        ORR_TRY(t->ctx, orr_probe_run(p));
        kept->answers.loss = value_of(p, p->graph.loss);
        kept->answers.accuracy = p->graph.correct.id ? value_of(p, t->accuracy[part]) : (double)NAN;
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

/* The gradient's square, and on the way to it what the loss is a formula of. */
static orr_status open_gradient(orr_training *t) {
    orr_gradient_evaluator *e = &t->gradient_of;
    orr_probe *p = &e->network;
    const int32_t n = (int32_t)t->n_trained;
    const orr_subject subject = orr_training_subject(t);
    int32_t n_outputs = 0;
    if (e->loss.network) return ORR_OK;
    orr_probe_end(&e->loss); /* of an attempt that failed */
    orr_probe_end(p);
    ORR_TRY(t->ctx, orr_probe_begin(t->ctx, &subject, ORR_PART_TRAIN, &e->loss));
    ORR_TRY(t->ctx, orr_probe_compile_formulas(&e->loss, &e->loss.graph.loss, 1));
    ORR_TRY(t->ctx, orr_probe_begin(t->ctx, &subject, ORR_PART_TRAIN, p));
    orr_node *gradient = ORR_NEW(p->arena, orr_node, n), *output = ORR_NEW(p->arena, orr_node, orr_probe_values(p) + 1);
    if (!gradient || !output) return orr_training_no_memory(t);
    for (int64_t i = 0; i < orr_probe_values(p); i++)
        if (e->loss.reads[i]) output[n_outputs++] = orr_probe_value(p, i);
    if (n > 0) {
        orr_grad(p->g, p->graph.loss, p->graph.parameter, n, gradient);
        e->square = output[n_outputs++] = orr_dot(p->g, gradient, gradient, n);
    }
    ORR_TRY(t->ctx, orr_probe_compile(p, output, n_outputs));
    return orr_probe_read_from(&e->loss, p);
}

orr_status orr_training_evaluate(orr_training *t, unsigned needs, orr_evaluation *out) {
    orr_gradient_evaluator *e = &t->gradient_of;
    if (!(needs & ORR_NEEDS_GRADIENT)) {
        orr_answers answers = { 0 };
        ORR_TRY(t->ctx, orr_training_answers(t, ORR_PART_TRAIN, &answers));
        *out = (orr_evaluation){ .loss = answers.loss };
        return ORR_OK;
    }
    ORR_TRY(t->ctx, open_gradient(t));
    ORR_TRY(t->ctx, orr_probe_run(&e->network));
    ORR_TRY(t->ctx, orr_probe_run(&e->loss));
    *out = (orr_evaluation){ value_of(&e->loss, e->loss.graph.loss),
                             e->square.id ? value_of(&e->network, e->square) : 0.0 };
    return ORR_OK;
}

bool orr_training_yields(const orr_training *t) { return t->yields; }

orr_evaluation orr_training_yield(const orr_training *t, int64_t member) {
    const bool has_gradient = t->gradient_square.id != 0;
    return (orr_evaluation){ read(t, orr_program_data(t->program, t->loss), member),
                             has_gradient ? read(t, orr_program_data(t->program, t->gradient_square), member) : 0.0 };
}

void orr_training_evaluators_free(orr_training *t) {
    orr_probe_end(&t->gradient_of.loss);
    orr_probe_end(&t->gradient_of.network);
    for (int part = 0; part < 2; part++) orr_probe_end(&t->answers_of[part]);
}
