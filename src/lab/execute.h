/* From a checked experiment to finished runs: data and problems, the seal, jobs over cores. */
#ifndef ORR_LAB_EXECUTE_H
#define ORR_LAB_EXECUTE_H

#include "lab/run.h"

/* Loads the data, once where points share them, and puts the problems together: problems[point, seed]; runs that differ by their
 * rule, seed or learning rate alone share one, unless the data are drawn anew for each seed.  Settles the points' `steps` where
 * the file counts in epochs.  All in out_arena.  Fails as data and problems do. */
orr_status orr_lab_prepare(orr_context *ctx, orr_arena *out_arena, orr_experiment *experiment,
                           const orr_problem ***problems) ORR_MUST_USE;

typedef struct orr_sealed {
    int64_t experiment;
    int64_t *run; /* [points, seeds] */
} orr_sealed;

/* Opens the experiment with its runs and predictions in one transaction; out->run gets the ids.  problems[points, seeds] and
 * no_ensemble go into the text that the store keeps (lab/stored.h). */
orr_status orr_lab_seal(orr_context *ctx, orr_arena *out_arena, orr_store *store, const orr_experiment *experiment,
                        const orr_problem *const *problems, bool no_ensemble, orr_store_prediction *predictions,
                        int64_t n_predictions, orr_sealed *out) ORR_MUST_USE;

/* After the seal: gives back the examples as doubles, which laws predict from and the seal is of.  Training has its own, in the
 * problems' dtype.  out_arena and problems are those of orr_lab_prepare. */
void orr_lab_give_back(orr_arena *out_arena, const orr_experiment *experiment, const orr_problem *const *problems);

/* A zero means the default. */
typedef struct orr_lab_options {
    const volatile sig_atomic_t *stop;
    int jobs;         /* jobs at a time; default: as many as the context has threads */
    bool no_ensemble; /* every run alone */
    bool resume;
    const bool *finished; /* [points, seeds]: runs that are at their end already; NULL: none */
    double checkpoint_seconds;
    orr_run_time *time; /* what the jobs take is added to it; NULL: nobody asks */
} orr_lab_options;

/* Trains all runs.  Those with one graph go as ensembles; jobs go over cores, each with a connection of its own to the store.  The
 * grouping depends on the experiment alone, so results are the same to the bit for any number of jobs and threads.
 * outcome[points, seeds].  Fails as orr_job_run does; the first failure stops the others at their next checkpoint. */
orr_status orr_lab_execute(orr_context *ctx, orr_store *store, const orr_experiment *experiment,
                           const orr_problem *const *problems, const int64_t *run, const orr_lab_options *options,
                           orr_run_outcome *outcome) ORR_MUST_USE;

/* The jobs that would run; for `orrery plan` too. */
typedef struct orr_lab_jobs {
    orr_job *job;
    int64_t **index; /* of each job: its members' places in [points, seeds] */
    int64_t n;
} orr_lab_jobs;
orr_status orr_lab_group(orr_context *ctx, orr_arena *out_arena, const orr_experiment *experiment,
                         const orr_problem *const *problems, const int64_t *run, bool no_ensemble,
                         orr_lab_jobs *out) ORR_MUST_USE;

#endif
