/* A run of an experiment as training of a linear model: the tangent kernel of its network at the start, with the loss's curvature and
 * the learning rate in their places (theory/linearized_dynamics.h).  For laws about squared error under gd or gradient-flow. */
#ifndef ORR_LAW_LINEARIZATION_H
#define ORR_LAW_LINEARIZATION_H

#include "ingredient/tangent_kernel.h"
#include "law/law.h"
#include "theory/linearized_dynamics.h"

typedef struct orr_linearization {
    orr_arena *arena; /* holds the rest */
    orr_tangent_kernel kernel;
    orr_linearized modes;
    double curvature; /* s: the loss is s/2 sum (f - y)^2 */
    double step;      /* time of an update in units of the kernel: eta s, or time_step s */
    double largest;   /* step lam_max: steps are stable below 2 */
    bool flow;
} orr_linearization;

/* Free it, unless it fails.  Fails: ORR_ENOMEM, ORR_EINPUT where a number isn't finite, what the premises' tick fails with. */
orr_status orr_linearization_of(orr_context *ctx, const orr_premises *in, int64_t point, int64_t seed,
                                orr_linearization *out) ORR_MUST_USE;
void orr_linearization_free(orr_linearization *l);

/* "the rule is gd or gradient-flow" */
orr_point_check orr_follows_gradient;
/* "at most 5000 numbers are fitted: examples times outputs" */
orr_point_check orr_can_be_linearized;
/* "gradient descent on the linear model is stable: learning rate times lambda_max is below 2" */
orr_run_check orr_is_stable_at_start;

/* After so many updates. */
orr_linearized_time orr_linearization_time(const orr_linearization *l, int64_t updates);

#endif
