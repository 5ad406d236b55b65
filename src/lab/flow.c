/* Gradient flow: dw/dt = -grad L(w), integrated by CVODE from update to update.
 *
 * An update is `time_step` of time.  The integrator starts afresh at each, so that a run that is resumed there goes on with the
 * same bits: what it knows of the past is the state alone. */
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "lab/training_private.h"
#include "numeric/ode.h"

orr_status orr_training_compile_flow(orr_training *t) {
    const orr_problem *p = t->problem;
    const int32_t n = (int32_t)p->n_tensors;
    orr_problem_graph nodes;
    orr_node *output = ORR_NEW(t->arena, orr_node, n + 1);
    if (!output) return orr_training_no_memory(t);
    ORR_TRY(t->ctx, orr_problem_build(t->ctx, t->arena, p, t->g, &nodes));
    ORR_TRY(t->ctx, orr_problem_grad(t->ctx, t->arena, p, t->g, nodes.loss, nodes.parameter, output));
    output[n] = t->loss = nodes.loss;
    const orr_compile_options options = { .outputs = output, .n_outputs = n + 1 };
    ORR_TRY(t->ctx, orr_compile(t->ctx, t->g, &options, &t->program));
    t->flow_parameter = nodes.parameter;
    t->flow_gradient = output;
    ORR_TRY(t->ctx, orr_program_bind(t->program, nodes.x, t->live_x));
    return nodes.target.id ? orr_program_bind(t->program, nodes.target, t->live_target) : ORR_OK;
}

static orr_status rate(void *self, double time, const double *w, double *wdot) {
    orr_training *t = self;
    const orr_problem *p = t->problem;
    (void)time;
    for (int64_t i = 0; i < p->n_tensors; i++) {
        const int64_t n = orr_shape_count(&p->tensors[i].shape);
        double *to = orr_program_data(t->program, t->flow_parameter[i]);
        if (to) memcpy(to, w, (size_t)n * sizeof *w);
        w += n;
    }
    ORR_TRY(t->ctx, orr_program_run(t->program));
    for (int64_t i = 0; i < p->n_tensors; i++) {
        const int64_t n = orr_shape_count(&p->tensors[i].shape);
        const double *g = orr_program_data(t->program, t->flow_gradient[i]);
        for (int64_t j = 0; j < n; j++) wdot[j] = -p->tensors[i].rate_gradient * g[j];
        wdot += n;
    }
    return ORR_OK;
}

static void put(orr_training *t, int64_t m, const double *w) {
    for (int64_t i = 0; i < t->problem->n_tensors; i++) {
        const int64_t n = orr_shape_count(&t->problem->tensors[i].shape);
        memcpy((double *)t->parameter[i] + m * n, w, (size_t)n * sizeof *w);
        w += n;
    }
}

static void get(const orr_training *t, int64_t m, double *w) {
    for (int64_t i = 0; i < t->problem->n_tensors; i++) {
        const int64_t n = orr_shape_count(&t->problem->tensors[i].shape);
        memcpy(w, (const double *)t->parameter[i] + m * n, (size_t)n * sizeof *w);
        w += n;
    }
}

/* One update of one member. */
static orr_status integrate(orr_training *t, int64_t m, orr_arena *arena, orr_arena *scratch) {
    const orr_settings *s = t->rule_settings;
    const int64_t n = t->problem->n;
    const double end = orr_real(s, "time_step");
    double *w = ORR_NEW(arena, double, n);
    if (!w) return orr_training_no_memory(t);
    const orr_ode ode = { .n = n, .rate = rate, .self = t };
    const orr_ode_options options = { .method = ORR_ODE_BDF,
                                      .solver = n <= 200 ? ORR_ODE_NEWTON_DENSE : ORR_ODE_NEWTON_KRYLOV,
                                      .relative = orr_real(s, "relative_tolerance"),
                                      .absolute = orr_real(s, "absolute_tolerance") };
    orr_ode_path path;
    get(t, m, w);
    orr_training_select(t, m); /* its data */
    ORR_TRY(t->ctx, orr_ode_solve(t->ctx, arena, scratch, &ode, &options, 0.0, w, &end, 1, &path));
    if (path.reason != ORR_REASON_CONVERGED) { /* a wall: the loss is no number from here on */
        t->flow_loss[m] = (double)NAN;
        return ORR_OK;
    }
    put(t, m, path.y_end);
    ORR_TRY(t->ctx, rate(t, end, path.y_end, w));
    t->flow_loss[m] = *(const double *)orr_program_data(t->program, t->loss);
    return ORR_OK;
}

orr_status orr_training_flow(orr_training *t, int64_t steps) {
    orr_arena *arena = NULL, *scratch = NULL;
    orr_status status;
    ORR_TRY_DONE(t->ctx, orr_arena_new(t->ctx, &arena));
    ORR_TRY_DONE(t->ctx, orr_arena_new(t->ctx, &scratch));
    for (int64_t k = 0; k < steps; k++) {
        for (int64_t m = 0; m < t->members; m++) {
            const orr_arena_mark mark = orr_arena_here(arena);
            ORR_TRY_DONE(t->ctx, integrate(t, m, arena, scratch));
            orr_arena_rewind(arena, mark);
        }
        ++*t->updates;
    }
    t->selected = t->members == 1 ? 0 : -1;
done:
    orr_arena_free(scratch);
    orr_arena_free(arena);
    return status;
}
