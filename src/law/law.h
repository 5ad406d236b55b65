/* A law: what theory says, what would prove it wrong, and where it speaks at all.  One file a law, one row in laws.def.
 *
 *   regime     conditions that an experiment must meet, each with its words; checked before anything is trained
 *   predict    sees premises: data, initial parameters, hyperparameters.  Its result is sealed before step 0
 *   measure    sees records: what the instruments wrote down
 *   judge      compares the two, and sees nothing else: numbers, one a run, for each check of the law
 *
 * The seal is a matter of types: premises have no door to records, nor records to premises. */
#ifndef ORR_LAW_LAW_H
#define ORR_LAW_LAW_H

#include "base/arena.h"
#include "base/array.h"
#include "base/json.h"
#include "base/series.h"
#include "ingredient/problem.h"
#include "lab/experiment.h"
#include "orrery.h"
#include "store/store.h"

/* What may be known before training. */
typedef struct orr_premises {
    const orr_experiment *experiment;
    const orr_problem *const *problems; /* [points, seeds] */
    orr_status (*tick)(void *user);     /* called now and then in long predictions: progress, and a chance to stop */
    void *user;
} orr_premises;

/* What was written down while training; law/measuring.h reads it. */
typedef struct orr_records {
    orr_store *store;
    const int64_t *run; /* [points, seeds]: ids in the store */
    int64_t points, seeds;
} orr_records;

/* A series of one run; n = 0 where there is none. */
orr_status orr_records_series(const orr_records *records, orr_arena *out_arena, int64_t point, int64_t seed,
                              const char *name, orr_series *out) ORR_MUST_USE;
/* An array of one run at a step, -1 for the last.  Fails: ORR_EINPUT where there is none. */
orr_status orr_records_array(const orr_records *records, orr_arena *out_arena, int64_t point, int64_t seed,
                             const char *name, int64_t step, orr_array *out) ORR_MUST_USE;

/* *holds, or why not in out_arena.  A condition may look at all that a prediction may. */
typedef orr_status orr_condition_check(orr_context *ctx, orr_arena *out_arena, const orr_premises *in, bool *holds,
                                       const char **why);
/* The same for one point of the sweep; problem is that of its first seed.  *why begins without the point's name; NULL there is out
 * of memory. */
typedef bool orr_point_check(orr_arena *out_arena, const orr_point *point, const orr_problem *problem,
                             const char **why);

/* The same for one run.  *why, in scratch, begins without the names of point and seed. */
typedef orr_status orr_run_check(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point,
                                 int64_t seed, bool *holds, const char **why);

/* One of the three: a check of each point, in turn, of each run, or of the whole experiment.  law/conditions.h has some that laws
 * share. */
typedef struct orr_condition {
    const char *words;
    orr_point_check *point;
    orr_run_check *run;
    orr_condition_check *check;
    bool beyond; /* past it the law can still predict, and is expected to fail: the map of its regime goes there */
} orr_condition;

/* One number that decides, and where it must lie. */
typedef struct orr_check {
    const char *metric;
    double low, high; /* tolerance */
} orr_check;

/* The numbers of a check, one a run that it speaks about; NaN where a run gave none (it diverged, say). */
typedef struct orr_check_values {
    int64_t n;
    double *value;
} orr_check_values;

typedef struct orr_law {
    const char *id, *title, *statement, *section, *sources;
    const char *equation; /* TeX, of what is predicted; NULL: none */
    const char
        *breaks_along; /* the axis along which it fails, as `orrery law map --axis` takes it: KEY=FROM:TO[:N][,log] */
    const orr_condition *regime; /* ends with { 0 } */
    const orr_check *checks;     /* ends with { 0 }; the first is the law's headline */
    const char *defaults;        /* default experiment, YAML with sizes quick and full */
    const size_t *defaults_size;
    /* *prediction (new) is what will be sealed. */
    orr_status (*predict)(orr_context *ctx, orr_arena *scratch, const orr_premises *in, json_t **prediction);
    /* *measurement (new). */
    orr_status (*measure)(orr_context *ctx, orr_arena *scratch, const orr_records *records, json_t **measurement);
    /* values[i] belongs to checks[i]; n = 0 where the experiment has no run that it speaks about. */
    orr_status (*judge)(orr_context *ctx, orr_arena *out_arena, const json_t *prediction, const json_t *measurement,
                        orr_check_values *values);
    /* Panels of the page (new array). */
    json_t *(*figure)(const json_t *prediction, const json_t *measurement);
} orr_law;

const orr_law *orr_law_at(int i);            /* in the order of laws.def; NULL past the last */
const orr_law *orr_law_find(const char *id); /* NULL where there is none */
const char *orr_law_approach(int i);         /* the folder of the i-th: "solvable" */

#endif
