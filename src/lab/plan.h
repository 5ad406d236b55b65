/* What an experiment would cost, before it runs. */
#ifndef ORR_LAB_PLAN_H
#define ORR_LAB_PLAN_H

#include "lab/execute.h"

/* One job.  Seconds are an estimate: some updates of a copy are timed, and measurements count as forward passes. */
typedef struct orr_job_plan {
    const orr_point *point;
    int64_t members, parameters, examples, batch, steps;
    int64_t measurements;  /* of all instruments, of one member */
    double forward_passes; /* that they cost, of one member */
    orr_cost cost;         /* of one update of all members */
    int64_t state_bytes;   /* parameters and the rule's buffers, of all members */
    double seconds;
} orr_job_plan;

/* Fails as preparing and training do. */
orr_status orr_lab_plan(orr_context *ctx, orr_arena *out_arena, const orr_experiment *experiment,
                        const orr_problem *const *problems, bool no_ensemble, orr_job_plan **out,
                        int64_t *n) ORR_MUST_USE;

#endif
