#include "law/linearization.h"

#include "base/context.h"
#include "ingredient/task/mse.h"

orr_status orr_linearization_new(orr_context *ctx, orr_arena *arena, orr_arena *scratch, const orr_premises *in,
                                 int64_t point, int64_t seed, orr_linearization *out) {
    const orr_point *p = &in->experiment->points[point];
    const orr_problem *problem = in->problems[point * in->experiment->seeds + seed];
    const int64_t n = problem->data.n, outputs = problem->signature.outputs;
    double *w = ORR_NEW(arena, double, problem->n), *y = ORR_NEW(arena, double, n *outputs);
    if (!w || !y) return orr_fail(ctx, ORR_ENOMEM, "linearization: no memory for %s", p->name);
    *out = (orr_linearization){ .flow = p->rule->flow };
    ORR_TRY(ctx, orr_problem_initial(ctx, problem, (uint64_t)seed, w));
    ORR_TRY(ctx, orr_tangent_kernel_new(ctx, arena, problem, w, in->tick, in->user, &out->kernel));
    orr_mse_targets(&p->task_settings, &problem->data, 0, n, outputs, y);
    ORR_TRY(ctx,
            orr_linearized_new(ctx, arena, scratch, out->kernel.n, out->kernel.train, y, out->kernel.f, &out->modes));
    out->curvature = orr_mse_curvature(&p->task_settings, n, outputs);
    out->step = out->curvature * orr_real(&p->rule_settings, out->flow ? "time_step" : "learning_rate");
    out->largest = out->step * orr_linearized_largest(&out->modes);
    return ORR_OK;
}

orr_linearized_time orr_linearization_time(const orr_linearization *l, int64_t updates) {
    return l->flow ? (orr_linearized_time){ l->step * (double)updates, -1 } : (orr_linearized_time){ l->step, updates };
}
