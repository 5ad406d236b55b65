/* What most laws do before training: say of each point, and of each run at it, what is predicted. */
#ifndef ORR_LAW_PREDICTING_H
#define ORR_LAW_PREDICTING_H

#include "law/law.h"

/* What is predicted of one point, or of one run: *out (new); NULL is out of memory.  known: what the caller of the two below found out
 * beforehand, NULL where it is nothing. */
typedef orr_status orr_predict_point(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point,
                                     const void *known, json_t **out);
typedef orr_status orr_predict_run(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point,
                                   int64_t seed, const void *known, json_t **out);

/* *points (new): what `one` says of each point of the sweep; *runs (new): of each seed at a point.  Before each there is a tick,
 * after each scratch is rewound.  Fails as `one` and the tick do; ORR_ENOMEM. */
orr_status orr_predict_points(orr_context *ctx, orr_arena *scratch, const orr_premises *in, orr_predict_point *one,
                              const void *known, json_t **points) ORR_MUST_USE;
orr_status orr_predict_runs(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point,
                            orr_predict_run *one, const void *known, json_t **runs) ORR_MUST_USE;

/* *prediction (new): { law, points }, for a law that predicts its points one by one.  Fails as orr_predict_points. */
orr_status orr_predict_each(orr_context *ctx, orr_arena *scratch, const orr_premises *in, const char *law,
                            orr_predict_point *one, const void *known, json_t **prediction) ORR_MUST_USE;

/* The premises' tick, where there is one. */
orr_status orr_premises_tick(const orr_premises *in) ORR_MUST_USE;

#endif
