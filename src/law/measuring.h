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
 * series wasn't recorded. */
orr_status orr_measure_series(orr_context *ctx, orr_arena *scratch, const orr_records *records, int64_t point,
                              int64_t seed, const char *const *names, json_t **out) ORR_MUST_USE;

/* The names of a run's series that begin with `prefix`, in their order: (*names)[n], then two NULLs, the first of which the caller
 * may replace. */
orr_status orr_measure_names(orr_context *ctx, orr_arena *out_arena, const orr_records *records, int64_t point,
                             int64_t seed, const char *prefix, const char ***names, int64_t *n) ORR_MUST_USE;

/* ---- judge --------------------------------------------------------------------------------------------------------------- */

/* measurement[point][seed] of orr_measure_runs (borrowed); NULL where there is none. */
const json_t *orr_measured(const json_t *measurement, size_t point, size_t seed);

/* A number of a list, and of an object; NaN where there is none, and for null. */
double orr_number_at(const json_t *list, size_t i);
double orr_number_of(const json_t *object, const char *key);

/* values[i] of checks[i]: empty, with room for so many in out_arena.  Fails: ORR_ENOMEM. */
orr_status orr_check_values_new(orr_context *ctx, orr_arena *out_arena, const orr_check *checks, int64_t room,
                                orr_check_values *values) ORR_MUST_USE;
/* One more value; there must be room. */
void orr_check_add(orr_check_values *values, double x);

#endif
