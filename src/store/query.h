/* Questions to the store: what is in it, and what a command shows, writes out, checks or deletes.  All texts and rows
 * live in the arena that is given; lists end with nothing, their number stands beside them. */
#ifndef ORR_STORE_QUERY_H
#define ORR_STORE_QUERY_H

#include "base/array.h"
#include "store/store.h"

typedef struct orr_run_row {
    int64_t id, experiment, seed, steps;
    const char *name;            /* of the point of the sweep */
    const char *experiment_name; /* of the experiment */
    const char *size, *state, *opened_at;
    const char *started_at, *finished_at; /* NULL: not yet */
    const char *settings;                 /* JSON */
    int64_t checkpoint;                   /* its step; -1: there is none */
    const char *verdict;                  /* of the experiment: the first law's; NULL: none */
} orr_run_row;

/* A zero or NULL means any. */
typedef struct orr_run_filter {
    const char *state;      /* one of orr_run_states */
    const char *experiment; /* its name */
    const char *law;        /* that the experiment speaks about */
    int64_t experiment_id;
    int64_t last; /* only so many of the last; they come by id all the same */
} orr_run_filter;

extern const char *const orr_run_states[]; /* ends with NULL */

orr_status orr_query_runs(orr_store *store, orr_arena *out_arena, const orr_run_filter *filter, orr_run_row **out,
                          int64_t *n) ORR_MUST_USE;
/* One run.  Fails: ORR_EINPUT, with the last runs that are there. */
orr_status orr_query_run(orr_store *store, orr_arena *out_arena, int64_t id, orr_run_row *out) ORR_MUST_USE;
/* The run that was started last, or opened last where none was started.  Fails: ORR_EINPUT where there is none. */
orr_status orr_query_latest(orr_store *store, orr_arena *out_arena, orr_run_row *out) ORR_MUST_USE;

typedef struct orr_experiment_row {
    int64_t id, n_runs;
    const char *name, *size, *text, *version, *machine, *opened_at;
    const char *sealed_at, *seal; /* NULL: it isn't sealed */
} orr_experiment_row;
orr_status orr_query_experiment(orr_store *store, orr_arena *out_arena, int64_t id,
                                orr_experiment_row *out) ORR_MUST_USE;

typedef struct orr_series_row {
    const char *name;
    int64_t n, first, last; /* steps */
    double value;           /* the last one */
} orr_series_row;
orr_status orr_query_series(orr_store *store, orr_arena *out_arena, int64_t run, orr_series_row **out,
                            int64_t *n) ORR_MUST_USE;

typedef struct orr_array_row {
    const char *name, *dtype, *shape; /* shape: "[2,3]" */
    int64_t step, bytes;
} orr_array_row;
orr_status orr_query_arrays(orr_store *store, orr_arena *out_arena, int64_t run, orr_array_row **out,
                            int64_t *n) ORR_MUST_USE;
/* A recorded array at a step; step -1: the last.  Fails: ORR_EINPUT where there is none, or where its row is damaged. */
orr_status orr_query_array(orr_store *store, orr_arena *out_arena, int64_t run, const char *name, int64_t step,
                           orr_array *out, int64_t *at_step) ORR_MUST_USE;

typedef struct orr_prediction_row {
    const char *law, *text, *sha256, *sealed_at;
} orr_prediction_row;
orr_status orr_query_predictions(orr_store *store, orr_arena *out_arena, int64_t experiment, orr_prediction_row **out,
                                 int64_t *n) ORR_MUST_USE;
/* The judgements of an experiment, by law and rank. */
orr_status orr_query_verdicts(orr_store *store, orr_arena *out_arena, int64_t experiment, orr_store_verdict **out,
                              int64_t *n) ORR_MUST_USE;

/* The maps of a law, the oldest first. */
orr_status orr_query_maps(orr_store *store, orr_arena *out_arena, const char *law, orr_store_map **out,
                          int64_t *n) ORR_MUST_USE;

/* Another state for a run that isn't finished: "interrupted" for one that was killed. */
orr_status orr_store_set_state(orr_store *store, int64_t run, const char *state) ORR_MUST_USE;
/* Deletes experiments with all that hangs on them, in one transaction; their seals stay in the table of deletions. */
orr_status orr_store_delete_experiments(orr_store *store, const int64_t *experiment, int64_t n) ORR_MUST_USE;

typedef struct orr_gc_outcome {
    int64_t checkpoints;               /* of finished runs, dropped */
    int64_t bytes_before, bytes_after; /* of the file */
} orr_gc_outcome;
/* Drops what nobody needs and gives the room back to the disk. */
orr_status orr_store_gc(orr_store *store, orr_gc_outcome *out) ORR_MUST_USE;

typedef struct orr_finding {
    int64_t experiment; /* 0: the file */
    const char *words;  /* what differs, in a line */
} orr_finding;
typedef struct orr_verification {
    orr_finding *finding;
    int64_t n, experiments, predictions; /* findings; what was looked at */
} orr_verification;
/* Derives the hash of each prediction and each seal again and compares; experiment 0: all, and the file's own
 * consistency.  What differs is a finding, no failure. */
orr_status orr_store_verify(orr_store *store, orr_arena *out_arena, int64_t experiment,
                            orr_verification *out) ORR_MUST_USE;

#endif
