/* The store: one SQLite file that holds experiments, their sealed predictions, what was recorded and the verdicts.
 * docs/store.md describes its tables; `sqlite3 orrery.db` reads them.
 *
 * Life of an experiment:
 *   orr_store_open_experiment   one transaction: the experiment, its runs and its predictions, hashed and sealed
 *   orr_store_start_run, orr_store_record, ..., orr_store_checkpoint, ..., orr_store_finish_run
 *   orr_store_judge
 * From the seal on, predictions, settings and recorded values can't be changed, by triggers of the file itself.  What
 * was committed survives kill -9 and a power cut; records are committed together, at the latest half a second after the
 * next call that records, and by orr_store_commit. */
#ifndef ORR_STORE_STORE_H
#define ORR_STORE_STORE_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/series.h"
#include "orrery.h"
#include "store/sha256.h"

enum { ORR_STORE_SCHEMA = 3 };

typedef struct orr_store orr_store;

/* Opens the file, or makes it.  ":memory:" is a store that leaves nothing behind.
 * Fails, in one line with the path: ORR_EIO (read-only, damaged, disk full), ORR_EINPUT (folder missing, no store of
 * Orrery, written by a newer Orrery), ORR_EBUSY, ORR_ENOMEM. */
orr_status orr_store_open(orr_context *ctx, const char *path, orr_store **out) ORR_MUST_USE;
/* The same of a store that is there; makes none.  One that can't be written, for its folder, is opened for reading alone.
 * Fails too: ORR_EINPUT where there is none, or the file is empty. */
orr_status orr_store_open_existing(orr_context *ctx, const char *path, orr_store **out) ORR_MUST_USE;
/* Commits what is recorded; a failure is logged only: call orr_store_commit before. */
void orr_store_close(orr_store *store);
const char *orr_store_path(const orr_store *store);

typedef struct orr_store_run {
    const char *name;     /* of the point of the sweep */
    const char *settings; /* JSON */
    int64_t seed;
    int64_t id; /* out */
} orr_store_run;

typedef struct orr_store_prediction {
    const char *law, *text;             /* text: JSON; what is hashed */
    char sha256[ORR_SHA256_SIZE];       /* out */
    char sealed_at[ORR_TIMESTAMP_SIZE]; /* out */
} orr_store_prediction;

typedef struct orr_store_experiment {
    const char *name, *size, *text; /* text: the YAML as it was read */
    const char *machine;
    orr_store_run *runs;
    orr_store_prediction *predictions;
    int64_t n_runs, n_predictions;
    int64_t id; /* out */
} orr_store_experiment;

/* Writes and seals all of it in one transaction; when it returns, it is on the disk. */
orr_status orr_store_open_experiment(orr_store *store, orr_store_experiment *experiment) ORR_MUST_USE;

orr_status orr_store_start_run(orr_store *store, int64_t run, char started_at[ORR_TIMESTAMP_SIZE]) ORR_MUST_USE;
/* state: "finished", "diverged", "interrupted" */
orr_status orr_store_finish_run(orr_store *store, int64_t run, const char *state, int64_t steps,
                                char finished_at[ORR_TIMESTAMP_SIZE]) ORR_MUST_USE;

/* One value of a series.  Kept in memory until the next commit. */
orr_status orr_store_record(orr_store *store, int64_t run, const char *name, int64_t step, double value) ORR_MUST_USE;
orr_status orr_store_record_array(orr_store *store, int64_t run, const char *name, int64_t step, orr_dtype dtype,
                                  const orr_shape *shape, const void *data) ORR_MUST_USE;
/* Everything recorded so far is on the disk when it returns. */
orr_status orr_store_commit(orr_store *store) ORR_MUST_USE;

/* Replaces the run's checkpoint and commits it with everything recorded so far, in one transaction. */
orr_status orr_store_checkpoint(orr_store *store, int64_t run, int64_t step, const void *data,
                                size_t bytes) ORR_MUST_USE;
/* The run's checkpoint; *step = -1 where there is none. */
orr_status orr_store_checkpoint_of(orr_store *store, orr_arena *out_arena, int64_t run, int64_t *step,
                                   const void **data, size_t *bytes) ORR_MUST_USE;
/* Prepares a run for being resumed: what was recorded after `step` goes (-1: all), in one transaction; the resumed run records
 * it again.  Refused for a run that is finished. */
orr_status orr_store_rewind(orr_store *store, int64_t run, int64_t step) ORR_MUST_USE;

/* A series by step; n = 0 where there is none.  Sees what isn't committed yet, too. */
orr_status orr_store_series(orr_store *store, orr_arena *out_arena, int64_t run, const char *name,
                            orr_series *out) ORR_MUST_USE;

typedef struct orr_store_verdict {
    const char *law, *metric, *verdict, *note;
    const char *seeds; /* JSON */
    int64_t rank;      /* 0: the law's own verdict; then its further checks */
    double value, tolerance[2], interval[2];
} orr_store_verdict;
orr_status orr_store_judge(orr_store *store, int64_t experiment, const orr_store_verdict *verdict,
                           int64_t n) ORR_MUST_USE;

/* A law along an axis, as `orrery law map` measured it. */
typedef struct orr_store_map {
    const char *law, *axis, *size;
    const char *experiment; /* the text of what the axis changes */
    const char *text;       /* JSON */
    const char *made_at;    /* out */
} orr_store_map;
orr_status orr_store_add_map(orr_store *store, const orr_store_map *map) ORR_MUST_USE;

/* The text and hash of a sealed prediction; ORR_EINPUT where there is none. */
orr_status orr_store_prediction_of(orr_store *store, orr_arena *out_arena, int64_t experiment, const char *law,
                                   char **text, char sha256[ORR_SHA256_SIZE]) ORR_MUST_USE;

#endif
