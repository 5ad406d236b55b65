/* Gradient noise scales as instruments recorded them on the runs of a group of seeds (batch_tuning.h): sums over seeds, and over
 * records where several are asked for, before each ratio.  In examples.
 *
 *     simple    tr Sigma/|G|^2            by two batch sizes, or by single examples
 *     weighted  tr(H Sigma)/(G'H G)       by single examples
 *
 * Estimators take the examples for draws from a distribution.  Where a run draws from those examples alone, they are all there is, and
 * |G|^2 is that of their mean gradient, without tr Sigma/N taken off it. */
#ifndef ORR_LAW_HYPERPARAMETERS_BATCH_NOISE_H
#define ORR_LAW_HYPERPARAMETERS_BATCH_NOISE_H

#include "law/hyperparameters/batch_tuning.h"

typedef enum orr_noise_by { ORR_NOISE_BY_BATCHES = 0, ORR_NOISE_BY_EXAMPLES, ORR_NOISE_WEIGHTED } orr_noise_by;

/* The updates after which it was estimated at a point, by the group's first seed (borrowed); NULL where it wasn't. */
const json_t *orr_noise_steps(const orr_batch_group *g, const json_t *point, orr_noise_by by);
/* At record i; NaN where there are too few examples to tell: the estimate of the signal isn't positive. */
double orr_noise_seen_at(const orr_batch_group *g, const json_t *point, orr_noise_by by, size_t i);
/* Of all records up to an update; NaN where there is none. */
double orr_noise_seen(const orr_batch_group *g, const json_t *point, orr_noise_by by, double until);
/* The simple one that was predicted, { trace, signal } after 0, 1, ... updates in the point's `noise`, at the same records. */
double orr_noise_predicted(const orr_batch_group *g, const json_t *point, orr_noise_by by, double until);

#endif
