/* Conditions that laws share, for their regimes (law/law.h): each holds at a point of the sweep, or says why not. */
#ifndef ORR_LAW_CONDITIONS_H
#define ORR_LAW_CONDITIONS_H

#include "law/law.h"

/* "every update sees all examples": no minibatches, no fresh examples. */
orr_point_check orr_is_full_batch;
/* "the learning rate is constant": no schedule, no warm-up. */
orr_point_check orr_has_constant_rate;
/* "the rule is without decay and clipping": parameters move by the rule alone. */
orr_point_check orr_is_bare_rule;
/* "the rule is gradient descent without momentum": gd, or sgd without. */
orr_point_check orr_is_plain_descent;
/* "all parameters learn at one rate": no tensor is frozen, nor has a factor of its own. */
orr_point_check orr_has_one_rate;
/* "no run ends before its last update": no `until`, no `patience`. */
orr_point_check orr_runs_to_its_end;
/* "batches are drawn independently": with replacement, or fresh examples. */
orr_point_check orr_draws_independently;
/* "every update sees fresh examples" */
orr_point_check orr_is_online;
/* "the activation is smooth": no relu. */
orr_point_check orr_is_smooth;
/* "the task is mse" */
orr_point_check orr_has_squared_error;
/* "the loss is without ridge" */
orr_point_check orr_has_no_ridge;
/* "outputs depend on one example alone": no norm over a batch. */
orr_point_check orr_has_no_batch_norm;

/* The observation of an instrument; NULL where the point has none. */
const orr_observation *orr_point_observation(const orr_point *point, const char *instrument);
/* Whether it measures after 0, every, 2 every, ... updates. */
bool orr_is_periodic(const orr_observation *observation);
/* The updates after which it measures, up to the point's last: how many, and where step isn't NULL which: step[so many]. */
int64_t orr_observed_updates(const orr_point *point, const orr_observation *observation, double *step);

#endif
