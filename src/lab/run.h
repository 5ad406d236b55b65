/* A job: one network, or several that train as one ensemble, trained with instruments on, recorded, checkpointed. */
#ifndef ORR_LAB_RUN_H
#define ORR_LAB_RUN_H

#include <signal.h>
#include <stdatomic.h>

#include "ingredient/problem.h"
#include "lab/experiment.h"
#include "lab/training.h"
#include "store/store.h"

/* Where the time of trainings goes, in seconds: from the first measurement to the last commit, without what is opened before.  What
 * several instruments share is counted with the one that asks first.  What an update yields for instruments on its way is the
 * update's, and so is what it takes longer because observing has used the caches.  Of jobs side by side, the sum. */
typedef struct orr_run_time {
    double updates;
    double instrument[ORR_INSTRUMENTS]; /* by kind, in the order of orr_instrument_at: without what recording takes */
    double store;                       /* records, checkpoints, commits */
    double rest;
} orr_run_time;
void orr_run_time_add(orr_run_time *sum, const orr_run_time *more);
double orr_run_time_whole(const orr_run_time *t);
double orr_run_time_instruments(const orr_run_time *t); /* all of them */

typedef struct orr_job {
    const orr_point *point;   /* that all members share but for what orr_member holds */
    const orr_member *member; /* [members] */
    const int64_t *run;       /* [members]: ids in the store */
    const bool *finished;     /* [members]: at its end already, nothing is recorded of it again; NULL: none is */
    int64_t members;
} orr_job;

/* A zero means the default. */
typedef struct orr_job_options {
    const volatile sig_atomic_t *stop; /* set by a signal: the job ends at the next chunk, with a checkpoint */
    double checkpoint_seconds;         /* between checkpoints; default 10 */
    bool resume;                       /* goes on from the last checkpoint, where there is one */
    atomic_llong *done;                /* updates, counted up by all members */
    orr_run_time *time;                /* what the job takes is added to it; NULL: nobody asks */
} orr_job_options;

typedef struct orr_run_outcome {
    bool diverged; /* the loss, or a parameter at the end, stopped being a number */
    int64_t steps; /* updates made */
    char started_at[ORR_TIMESTAMP_SIZE], finished_at[ORR_TIMESTAMP_SIZE];
} orr_run_outcome;

/* Trains and records into the store, whose runs were opened before.  Instruments measure at step 0, when they are due, and at the
 * end where it is due; at the end the parameters are recorded as arrays parameter.NAME where the point keeps them.  A member ends early where its loss is no
 * number (a result; what an instrument records may be none without that) or below the point's `until`, or at the end of its `patience`.  What was recorded is committed when it returns, whatever the status.
 * outcome[members].  Fails: ORR_EINTERRUPTED where stopped, ORR_EIO where the store can't take more, ORR_EINPUT, ORR_ENOMEM. */
orr_status orr_job_run(orr_context *ctx, orr_store *store, const orr_job *job, const orr_job_options *options,
                       orr_run_outcome *outcome) ORR_MUST_USE;

#endif
