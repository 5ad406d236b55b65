/* A law put to the test: regime, prediction, seal, training, measurement, judgement. */
#ifndef ORR_LAW_RUN_H
#define ORR_LAW_RUN_H

#include <signal.h>

#include "law/law.h"
#include "law/verdict.h"

/* A zero means the default. */
typedef struct orr_law_options {
    const volatile sig_atomic_t *stop; /* set by a signal: ends with ORR_EINTERRUPTED at the next chunk of updates */
} orr_law_options;

typedef struct orr_law_outcome {
    const orr_law *law;
    orr_verdict verdict;  /* HOLDS where every check does */
    const char *note;     /* out of regime: which condition, and why; else "" */
    orr_judgement *check; /* [checks of the law]; n = 0: it had nothing to speak about */
    int64_t n_checks, points, seeds;
    int64_t headline; /* the first check that had something to speak about */
    int64_t *runs;    /* [points, seeds]: ids in the store */
    int64_t experiment;
    char sealed_at[ORR_TIMESTAMP_SIZE], started_at[ORR_TIMESTAMP_SIZE], finished_at[ORR_TIMESTAMP_SIZE];
    char sha256[ORR_SHA256_SIZE];
    json_t *prediction, *measurement; /* as sealed, as recorded; NULL out of regime.  The caller's. */
} orr_law_outcome;

/* Fewer seeds give no verdict. */
enum { ORR_LAW_SEEDS_MIN = 3 };

/* Runs an experiment for a law.  Nothing is trained where a condition of the regime doesn't hold.  The prediction is judged
 * as the store gives it back, and its hash is checked.  out's arrays live in out_arena.
 * Fails as orr_lab_run and orr_store_open_experiment do; ORR_EINPUT for fewer than ORR_LAW_SEEDS_MIN seeds. */
orr_status orr_law_run(orr_context *ctx, orr_arena *out_arena, orr_store *store, const orr_law *law,
                       orr_experiment *experiment, const orr_law_options *options, orr_law_outcome *out) ORR_MUST_USE;

/* One object (new): law, verdict, metric, value, tolerance, interval, seeds, sealed_at, started_at, finished_at,
 * prediction_sha256, runs, note, and the further checks. */
json_t *orr_law_outcome_json(const orr_law_outcome *outcome);

/* The page of an outcome. */
orr_status orr_law_write_page(orr_context *ctx, orr_arena *scratch, const orr_law_outcome *outcome, const char *command,
                              const char *path) ORR_MUST_USE;

#endif
