/* What tests of the laboratory share: an experiment from its text, run into a store of its own. */
#ifndef ORR_TESTS_LAB_LABORATORY_H
#define ORR_TESTS_LAB_LABORATORY_H

#include "testing.h"

#include "files.h"
#include "lab/execute.h"

typedef struct laboratory {
    orr_experiment experiment;
    const orr_problem **problems;
    orr_store *store;
    orr_sealed sealed;
    orr_run_outcome *outcome;
} laboratory;

static inline laboratory laboratory_of(orr_context *ctx, orr_arena *arena, const char *text) {
    laboratory l = { 0 };
    assert_ok(ctx, orr_experiment_parse(ctx, arena, "test.yaml", text, strlen(text), NULL, &l.experiment));
    assert_ok(ctx, orr_lab_prepare(ctx, arena, &l.experiment, &l.problems));
    l.outcome = ORR_NEW(arena, orr_run_outcome, l.experiment.n_points * l.experiment.seeds);
    assert_non_null(l.outcome);
    return l;
}

/* Runs it into the file `name` of the test's folder, or into memory. */
static inline laboratory laboratory_run(orr_context *ctx, orr_arena *arena, const char *text, const char *name,
                                        const orr_lab_options *options) {
    laboratory l = laboratory_of(ctx, arena, text);
    assert_ok(ctx, orr_store_open(ctx, strcmp(name, ":memory:") == 0 ? name : files_path(name), &l.store));
    assert_ok(ctx, orr_lab_seal(ctx, arena, l.store, &l.experiment, l.problems, options && options->no_ensemble, NULL,
                                0, &l.sealed));
    assert_ok(ctx, orr_lab_execute(ctx, l.store, &l.experiment, l.problems, l.sealed.run, options, l.outcome));
    return l;
}

static inline orr_series laboratory_series(orr_context *ctx, orr_arena *arena, const laboratory *l, int64_t i,
                                           const char *name) {
    orr_series series;
    assert_ok(ctx, orr_store_series(l->store, arena, l->sealed.run[i], name, &series));
    return series;
}

#endif
