#include "law/start.h"

#include "base/context.h"

static orr_status take_problem(orr_context *ctx, const orr_problem *problem, bool precise, orr_start *s) {
    ORR_TRY(ctx, orr_arena_new(ctx, &s->held));
    s->problem = problem;
    if (precise) {
        orr_problem *own = ORR_NEW(s->held, orr_problem, 1);
        if (!own) return orr_fail(ctx, ORR_ENOMEM, "no memory for a problem in float64");
        ORR_TRY(ctx, orr_problem_new(ctx, s->held, &problem->kind, &problem->data, ORR_F64, own));
        s->problem = own;
    }
    ORR_TRY(ctx, orr_problem_landscape_new(ctx, s->problem, &s->loss));
    s->landscape = orr_problem_landscape_view(s->loss);
    s->of = problem;
    return ORR_OK;
}

orr_status orr_start_at(orr_context *ctx, const orr_premises *in, int64_t point, int64_t seed, bool precise,
                        orr_start *s) {
    const orr_problem *problem = in->problems[point * in->experiment->seeds + seed];
    if (s->of != problem) {
        orr_start_end(s);
        ORR_TRY(ctx, take_problem(ctx, problem, precise, s));
    }
    orr_arena_free(s->arena);
    s->arena = NULL;
    ORR_TRY(ctx, orr_arena_new(ctx, &s->arena));
    s->n = s->problem->n;
    s->w = ORR_NEW(s->arena, double, s->n);
    if (!s->w) return orr_fail(ctx, ORR_ENOMEM, "no memory for %lld parameters", (long long)s->n);
    return orr_problem_initial(ctx, s->problem, (uint64_t)seed, s->w);
}

void orr_start_end(orr_start *s) {
    orr_problem_landscape_free(s->loss);
    orr_arena_free(s->arena);
    orr_arena_free(s->held);
    *s = (orr_start){ 0 };
}

orr_status orr_start_sharpness(orr_context *ctx, const orr_start *s, double *sharpness) {
    double *ritz = ORR_NEW(s->arena, double, s->n);
    if (!ritz) return orr_fail(ctx, ORR_ENOMEM, "no memory for %lld parameters", (long long)s->n);
    return orr_landscape_sharpness(ctx, s->arena, &s->landscape, s->w, ritz, sharpness);
}
