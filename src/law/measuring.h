/* What most laws do after training: collect what was recorded of each run, and fill the values of their checks. */
#ifndef ORR_LAW_MEASURING_H
#define ORR_LAW_MEASURING_H

#include "law/law.h"

/* ---- measure ------------------------------------------------------------------------------------------------------------- */

/* What one run has to say: *out (new). */
typedef orr_status orr_measure_run(orr_context *ctx, orr_arena *scratch, const orr_records *records, int64_t point,
                                   int64_t seed, json_t **out);

/* *measurement (new): for each point of the sweep an array with what `one` found of each seed.  scratch is rewound between
 * runs.  Fails as `one` does; ORR_ENOMEM. */
orr_status orr_measure_runs(orr_context *ctx, orr_arena *scratch, const orr_records *records, orr_measure_run *one,
                            json_t **measurement) ORR_MUST_USE;

/* (new) { NAME: { "step": [...], "value": [...] }, ... } for each of the names, which end with NULL; both arrays are empty where a
 * series wasn't recorded.  A name with a star at its end stands for all series that begin so: "overlap.*". */
orr_status orr_measure_series(orr_context *ctx, orr_arena *scratch, const orr_records *records, int64_t point,
                              int64_t seed, const char *const *names, json_t **out) ORR_MUST_USE;

/* ---- judge --------------------------------------------------------------------------------------------------------------- */

/* measurement[point][seed] of orr_measure_runs (borrowed); NULL where there is none. */
const json_t *orr_measured(const json_t *measurement, size_t point, size_t seed);

/* Of a series of a measured run: the updates after which it was recorded, and its values (borrowed); NULL where there is none. */
const json_t *orr_measured_steps(const json_t *run, const char *series);
const json_t *orr_measured_values(const json_t *run, const char *series);
/* Whether it was recorded up to an update: one that diverged was not, and its early records prove nothing. */
bool orr_measured_until(const json_t *run, const char *series, double step);
/* Its last value; NaN where it wasn't recorded up to that update. */
double orr_measured_last(const json_t *run, const char *series, double step);

/* The larger of two; NaN where one is. */
double orr_larger(double a, double b);

/* A number of a list, and of an object; NaN where there is none, and for null. */
double orr_number_at(const json_t *list, size_t i);
double orr_number_of(const json_t *object, const char *key);

/* values[i] of checks[i]: empty, with room for so many in out_arena.  Fails: ORR_ENOMEM. */
orr_status orr_check_values_new(orr_context *ctx, orr_arena *out_arena, const orr_check *checks, int64_t room,
                                orr_check_values *values) ORR_MUST_USE;
/* One more value; there must be room. */
void orr_check_add(orr_check_values *values, double x);

/* What a run adds to values[i] of checks[i].  point: of the prediction's `points`; predicted: of the run itself, NULL where the law
 * predicts points alone; run: as measured, NULL where nothing was. */
typedef void orr_judge_run(const json_t *point, const json_t *predicted, const json_t *run, orr_check_values *values);

/* values[i] of checks[i] from one run after another; a run adds at most so many to a check.  runs: the key of a point's list that has
 * an entry for each of its runs; NULL: every run that was measured is one. */
orr_status orr_judge_runs(orr_context *ctx, orr_arena *out_arena, const orr_check *checks, int64_t most,
                          const json_t *prediction, const char *runs, const json_t *measurement, orr_judge_run *one,
                          orr_check_values *values) ORR_MUST_USE;

#endif
