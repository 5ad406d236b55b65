#include "law/linearization.h"

#include <string.h>

#include "base/context.h"
#include "ingredient/task/mse.h"

static orr_status compute(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point, int64_t seed,
                          orr_linearization *l) {
    const orr_point *p = &in->experiment->points[point];
    const orr_problem *problem = in->problems[point * in->experiment->seeds + seed];
    const int64_t n = problem->data.n, outputs = problem->signature.outputs;
    double *w = ORR_NEW(l->arena, double, problem->n), *y = ORR_NEW(l->arena, double, n *outputs);
    if (!w || !y) return orr_fail(ctx, ORR_ENOMEM, "linearization: no memory for %s", p->name);
    ORR_TRY(ctx, orr_problem_initial(ctx, problem, (uint64_t)seed, w));
    ORR_TRY(ctx, orr_tangent_kernel_new(ctx, l->arena, problem, w, in->tick, in->user, &l->kernel));
    orr_mse_targets(&p->task_settings, &problem->data, 0, n, outputs, y);
    ORR_TRY(ctx, orr_linearized_new(ctx, l->arena, scratch, l->kernel.n, l->kernel.train, y, l->kernel.f, &l->modes));
    l->curvature = orr_mse_curvature(&p->task_settings, n, outputs);
    l->step = l->curvature * orr_real(&p->rule_settings, l->flow ? "time_step" : "learning_rate");
    l->largest = l->step * orr_linearized_largest(&l->modes);
    return ORR_OK;
}

orr_status orr_linearization_of(orr_context *ctx, const orr_premises *in, int64_t point, int64_t seed,
                                orr_linearization *out) {
    orr_arena *scratch = NULL;
    orr_status status;
    *out = (orr_linearization){ .flow = in->experiment->points[point].rule->flow };
    ORR_TRY_DONE(ctx, orr_arena_new(ctx, &out->arena));
    ORR_TRY_DONE(ctx, orr_arena_new(ctx, &scratch));
    ORR_TRY_DONE(ctx, compute(ctx, scratch, in, point, seed, out));
done:
    orr_arena_free(scratch);
    if (status != ORR_OK) orr_linearization_free(out);
    return status;
}

void orr_linearization_free(orr_linearization *l) {
    orr_arena_free(l->arena);
    l->arena = NULL;
}

orr_linearized_time orr_linearization_time(const orr_linearization *l, int64_t updates) {
    return l->flow ? (orr_linearized_time){ l->step * (double)updates, -1 } : (orr_linearized_time){ l->step, updates };
}

bool orr_follows_gradient(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    (void)problem;
    *why = orr_arena_format(out_arena, "the rule is %s", p->rule->kind.name);
    return p->rule->flow || strcmp(p->rule->kind.name, "gd") == 0;
}

bool orr_can_be_linearized(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    enum { NUMBERS_MAX = 5000 };
    const int64_t n = problem->data.n * problem->signature.outputs;
    (void)p;
    *why = orr_arena_format(out_arena, "%lld are fitted", (long long)n);
    return n <= NUMBERS_MAX;
}

orr_status orr_is_stable_at_start(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point,
                                  int64_t seed, bool *holds, const char **why) {
    orr_linearization l;
    *holds = in->experiment->points[point].rule->flow;
    if (*holds) return ORR_OK;
    ORR_TRY(ctx, orr_linearization_of(ctx, in, point, seed, &l));
    *holds = l.largest < 2.0;
    *why = orr_arena_format(scratch, "it is %.4g", l.largest);
    orr_linearization_free(&l);
    return ORR_OK;
}
