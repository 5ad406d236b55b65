/* What critical-batch-size makes of its runs: mean losses of groups of seeds, updates to the target, the best learning rate of each
 * batch size.  It reads the sealed prediction, { series, target, seeds, batches, points: [{ point, batch, learning_rate }] }. */
#ifndef ORR_LAW_HYPERPARAMETERS_BATCH_TUNING_H
#define ORR_LAW_HYPERPARAMETERS_BATCH_TUNING_H

#include "law/law.h"
#include "theory/batch_fit.h"

/* Seeds [from, to) whose mean loss is looked at. */
typedef struct orr_batch_group {
    const json_t *prediction, *measurement;
    size_t from, to;
} orr_batch_group;

/* Three where there are six seeds or more, else one for each seed. */
size_t orr_batch_groups(const json_t *prediction);
orr_batch_group orr_batch_group_of(const json_t *prediction, const json_t *measurement, size_t k);

/* { step, value } of one run (borrowed). */
const json_t *orr_batch_series(const orr_batch_group *g, const json_t *point, size_t seed, const char *name);

typedef struct orr_batch_tuned {
    double batch, steps, learning_rate;
    const json_t *point; /* of the prediction; NULL: none reaches the target */
} orr_batch_tuned;

/* best[n batches] in the prediction's order, and their hyperbola; all NaN where one batch size doesn't reach the target. */
orr_status orr_batch_group_fit(orr_context *ctx, orr_arena *arena, const orr_batch_group *g, orr_batch_tuned *best,
                               size_t n, orr_batch_law *law) ORR_MUST_USE;

#endif
