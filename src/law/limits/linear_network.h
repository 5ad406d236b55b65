/* Two-layer linear networks of an experiment, whose change of kernel theory/linear_richness.h predicts one by one. */
#ifndef ORR_LAW_LIMITS_LINEAR_NETWORK_H
#define ORR_LAW_LIMITS_LINEAR_NETWORK_H

#include "law/law.h"

/* One hidden layer, one output of numbers, and a kernel that is observed over all training examples. */
bool orr_is_two_layer_linear(const orr_premises *in, int64_t point);

/* *change: |Theta - Theta_0|_F/|Theta_0|_F over the training examples after so many updates; NaN where their inputs aren't white,
 * X'X/n = I.  Fails: ORR_ENOMEM, ORR_ENUMERIC. */
orr_status orr_two_layer_change(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point,
                                int64_t seed, int64_t updates, double *change) ORR_MUST_USE;

#endif
