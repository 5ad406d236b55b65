/* A run: one network trained under one point of an experiment from one seed, with its instruments on. */
#ifndef ORR_LAB_RUN_H
#define ORR_LAB_RUN_H

#include <signal.h>

#include "ingredient/problem.h"
#include "lab/experiment.h"
#include "store/store.h"

/* Loads the data of every point, once where points share them, and puts the problems together: problems[i] belongs to
 * points[i], and points that differ by their rule alone share one.  All in out_arena. */
orr_status orr_lab_prepare(orr_context *ctx, orr_arena *out_arena, const orr_experiment *experiment,
                           const orr_problem ***problems) ORR_MUST_USE;

typedef struct orr_run_options {
    const volatile sig_atomic_t *stop;       /* set by a signal: the run ends at the next chunk; may be NULL */
    void (*tick)(void *user, int64_t steps); /* updates made so far; may be NULL */
    void *user;
} orr_run_options;

typedef struct orr_run_outcome {
    bool diverged; /* the loss stopped being a number */
    int64_t steps; /* updates made */
    char started_at[ORR_TIMESTAMP_SIZE], finished_at[ORR_TIMESTAMP_SIZE];
} orr_run_outcome;

/* Trains and records into the store, whose run was opened before.  Instruments measure after k = 0, every, 2 every, ...
 * updates and at the end where that falls on their schedule.  Divergence is a result.  What was recorded is committed when
 * it returns, whatever the status.
 * Fails: ORR_EINTERRUPTED where stopped, ORR_EIO where the store can't take more, ORR_ENOMEM. */
orr_status orr_lab_run(orr_context *ctx, orr_store *store, int64_t run, const orr_point *point,
                       const orr_problem *problem, uint64_t seed, const orr_run_options *options,
                       orr_run_outcome *out) ORR_MUST_USE;

#endif
