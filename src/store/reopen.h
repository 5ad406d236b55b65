/* An experiment as it lies in the store, for going on with it. */
#ifndef ORR_STORE_REOPEN_H
#define ORR_STORE_REOPEN_H

#include "store/store.h"

typedef struct orr_stored_experiment {
    int64_t id;
    const char *name, *size, *text;
    int64_t n_runs;
    const int64_t *run; /* ids, in the order in which they were opened */
    const char *const *settings;
    const bool *finished;   /* finished or diverged */
    const char *const *law; /* that predictions were sealed of */
    int64_t n_laws, n_verdicts;
} orr_stored_experiment;

/* Fails: ORR_EINPUT where there is none of that id. */
orr_status orr_store_reopen(orr_store *store, orr_arena *out_arena, int64_t experiment,
                            orr_stored_experiment *out) ORR_MUST_USE;
/* Experiments with a run that isn't at its end, the oldest first. */
orr_status orr_store_unfinished(orr_store *store, orr_arena *out_arena, const int64_t **experiments,
                                int64_t *n) ORR_MUST_USE;
/* The experiment of a run.  Fails: ORR_EINPUT where there is no such run. */
orr_status orr_store_experiment_of(orr_store *store, int64_t run, int64_t *experiment) ORR_MUST_USE;

#endif
