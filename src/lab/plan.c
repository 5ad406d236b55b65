#include "lab/plan.h"

#include "base/context.h"
#include "base/progress.h"

/* How long updates are timed. */
static const double timed_seconds = 0.2;

/* One update in seconds, after a first one that touches the memory. */
static orr_status time_update(orr_context *ctx, orr_training *t, int64_t steps, double *out) {
    int64_t done = 0;
    if (steps > 1) ORR_TRY(ctx, orr_training_advance(t, 1));
    const double start = orr_now();
    double now = start;
    for (int64_t some = 1; done < steps && now - start < timed_seconds; some *= 2) {
        ORR_TRY(ctx, orr_training_advance(t, some));
        done += some;
        now = orr_now();
    }
    *out = done ? (now - start) / (double)done : 0.0;
    return ORR_OK;
}

/* Forward passes of the evaluation that instruments share, as if it were for one alone. */
static double shared_cost(unsigned needs, bool yields) {
    return yields ? 0.0 : needs & ORR_NEEDS_GRADIENT ? 3.0 : needs & ORR_NEEDS_LOSS ? 1.0 : 0.0;
}

static void count_measurements(const orr_point *p, const orr_subject *subject, bool yields, orr_job_plan *out) {
    for (int64_t i = 0; i < p->n_observations; i++) {
        const orr_observation *o = &p->observations[i];
        const unsigned needs = o->instrument->needs ? o->instrument->needs(&o->settings) : ORR_NEEDS_NOTHING;
        const double cost =
            (o->instrument->cost ? o->instrument->cost(&o->settings, subject) : 1.0) + shared_cost(needs, yields);
        for (int64_t at = orr_instrument_next(&o->settings, -1); at <= p->steps;
             at = orr_instrument_next(&o->settings, at)) {
            out->measurements++;
            out->forward_passes += cost;
        }
    }
}

static orr_status plan_job(orr_context *ctx, const orr_job *job, orr_job_plan *out) {
    const orr_point *p = job->point;
    const orr_problem *problem = job->member[0].problem;
    const orr_training_options options = { .rule = p->rule, .rule_settings = &p->rule_settings, .steps = p->steps };
    orr_training *t = NULL;
    orr_status status;
    double update = 0.0;
    *out = (orr_job_plan){ .point = p,
                           .members = job->members,
                           .parameters = problem->n,
                           .examples = problem->data.n,
                           .batch = orr_training_batch(&p->rule_settings, problem->data.n),
                           .steps = p->steps };
    ORR_TRY_DONE(ctx, orr_training_new(ctx, job->member, job->members, &options, &t));
    const orr_subject subject = orr_training_subject(t);
    count_measurements(p, &subject, orr_training_yields(t), out);
    out->cost = orr_training_cost(t);
    out->state_bytes = (int64_t)orr_training_state_bytes(t) * job->members;
    ORR_TRY_DONE(ctx, time_update(ctx, t, p->steps, &update));
    /* an update is about three forward passes over its batch */
    const double forward = update / (double)job->members / 3.0 * (double)out->examples / (double)out->batch;
    out->seconds = update * (double)p->steps + forward * out->forward_passes * (double)job->members;
done:
    orr_training_free(t);
    return status;
}

orr_status orr_lab_plan(orr_context *ctx, orr_arena *out_arena, const orr_experiment *experiment,
                        const orr_problem *const *problems, bool no_ensemble, orr_job_plan **out, int64_t *n) {
    orr_lab_jobs jobs;
    ORR_TRY(ctx, orr_lab_group(ctx, out_arena, experiment, problems, NULL, no_ensemble, &jobs));
    *out = ORR_NEW(out_arena, orr_job_plan, jobs.n);
    *n = jobs.n;
    if (!*out) return orr_fail(ctx, ORR_ENOMEM, "no memory for a plan");
    for (int64_t j = 0; j < jobs.n; j++) ORR_TRY(ctx, plan_job(ctx, &jobs.job[j], &(*out)[j]));
    return ORR_OK;
}
