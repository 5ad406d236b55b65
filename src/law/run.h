/* A law put to the test: regime, prediction, seal, training, measurement, judgement. */
#ifndef ORR_LAW_RUN_H
#define ORR_LAW_RUN_H

#include <signal.h>

#include "lab/run.h"
#include "law/law.h"
#include "law/verdict.h"

/* A zero means the default. */
typedef struct orr_law_options {
    const volatile sig_atomic_t *stop; /* set by a signal: ends with ORR_EINTERRUPTED at the next chunk of updates */
    bool train_anyway;                 /* also where no law speaks about the experiment */
    bool past_regime;                  /* a law speaks also past conditions that are marked `beyond`: for maps */
    bool no_ensemble;                  /* every run alone (lab/execute.h), and the two below */
    int jobs;
    double checkpoint_seconds;
} orr_law_options;

typedef struct orr_law_outcome {
    const orr_law *law;
    orr_verdict verdict;  /* HOLDS where every check does */
    const char *note;     /* out of regime: which condition, and why; fails: which check; else "" */
    const char *outside;  /* the first condition that it was judged past (past_regime), and why; else "" */
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
 * Fails as orr_lab_run and orr_store_open_experiment do; ORR_EINPUT for fewer than ORR_LAW_SEEDS_MIN seeds (`laws: auto`: the
 * laws are out of their regime then). */
orr_status orr_law_run(orr_context *ctx, orr_arena *out_arena, orr_store *store, const orr_law *law,
                       orr_experiment *experiment, const orr_law_options *options, orr_law_outcome *out) ORR_MUST_USE;

/* Several laws, or none, on one experiment, whose runs are trained once. */
typedef struct orr_laws_outcome {
    orr_law_outcome *law; /* [n_laws] */
    int64_t n_laws, points, seeds;
    int64_t experiment;
    int64_t *runs;        /* [points, seeds]: ids in the store */
    orr_run_outcome *run; /* [points, seeds]; steps 0 where a resumed experiment's run was finished before */
    orr_run_time time;    /* of all runs, in this process */
    bool trained;
} orr_laws_outcome;

/* Every law whose regime admits the experiment predicts; all is sealed in one transaction; the runs are trained; the laws judge. */
orr_status orr_laws_run(orr_context *ctx, orr_arena *out_arena, orr_store *store, const orr_law *const *laws,
                        int64_t n_laws, orr_experiment *experiment, const orr_law_options *options,
                        orr_laws_outcome *out) ORR_MUST_USE;
/* What laws say about an experiment, before anything is trained or stored: the predictions of those whose regime admits it, in
 * out->law[i].prediction, and the notes of the others.  out->runs is NULL. */
orr_status orr_laws_predict(orr_context *ctx, orr_arena *out_arena, const orr_law *const *laws, int64_t n_laws,
                            orr_experiment *experiment, const orr_law_options *options,
                            orr_laws_outcome *out) ORR_MUST_USE;
/* Goes on with an experiment of the store that was interrupted, from its checkpoints, and judges by the predictions that were
 * sealed.  *experiment is read from the store.  Fails too: ORR_EINPUT where this program would open other runs. */
orr_status orr_laws_resume(orr_context *ctx, orr_arena *out_arena, orr_store *store, int64_t id,
                           const orr_law_options *options, orr_experiment *experiment,
                           orr_laws_outcome *out) ORR_MUST_USE;

/* A law's outcome again, from what the store holds of an experiment: nothing is trained or written.  *experiment is read from the
 * store.  Fails: ORR_EINPUT where the law sealed nothing there, or a run isn't at its end. */
orr_status orr_law_recall(orr_context *ctx, orr_arena *out_arena, orr_store *store, const orr_law *law, int64_t id,
                          orr_experiment *experiment, orr_law_outcome *out) ORR_MUST_USE;

/* One object (new): law, verdict, metric, value, tolerance, interval, seeds, sealed_at, started_at, finished_at,
 * prediction_sha256, runs, note, and the further checks. */
json_t *orr_law_outcome_json(const orr_law_outcome *outcome);

/* "mlp (widths [32,32], activation tanh)": the settings of an ingredient; "" where it is none, NULL where memory is out. */
const char *orr_law_kind_words(orr_context *ctx, orr_arena *scratch, const json_t *kind);

/* What a page shows of an outcome (new; report/page.h), and of the map of its regime where the store keeps one: command makes
 * it again. */
orr_status orr_law_entry(orr_context *ctx, orr_arena *scratch, orr_store *store, const orr_law_outcome *outcome,
                         const orr_experiment *experiment, const char *command, json_t **entry) ORR_MUST_USE;
/* The page of an outcome. */
orr_status orr_law_write_page(orr_context *ctx, orr_arena *scratch, orr_store *store, const orr_law_outcome *outcome,
                              const orr_experiment *experiment, const char *command, const char *path) ORR_MUST_USE;

#endif
