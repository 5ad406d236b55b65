/* Linear networks as theory sees them: a run's matrices and its examples. */
#ifndef ORR_LAW_LINEAR_NETWORK_H
#define ORR_LAW_LINEAR_NETWORK_H

#include "law/law.h"
#include "theory/deep_linear.h"

/* What a linear network can learn from a problem's training examples, labels as one-hot numbers; in out_arena.  Fails: ORR_EINPUT where
 * a number isn't finite; ORR_ENOMEM. */
orr_status orr_linear_task_of(orr_context *ctx, orr_arena *out_arena, const orr_problem *problem,
                              orr_linear_task *out) ORR_MUST_USE;

/* The initial matrices of a seed, as they are stored; all of the problem's tensors are matrices that follow each other.  In out_arena.
 * Fails: ORR_ENOMEM. */
orr_status orr_linear_chain_of(orr_context *ctx, orr_arena *out_arena, const orr_problem *problem, int64_t seed,
                               orr_linear_chain *out) ORR_MUST_USE;

/* One hidden layer, one output of numbers, and a kernel that is observed over all training examples. */
bool orr_is_two_layer_linear(const orr_premises *in, int64_t point);

/* *change: |Theta - Theta_0|_F/|Theta_0|_F over the training examples after so many updates; NaN where their inputs aren't white,
 * X'X/n = I.  Fails: ORR_ENOMEM, ORR_ENUMERIC. */
orr_status orr_two_layer_change(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point,
                                int64_t seed, int64_t updates, double *change) ORR_MUST_USE;

#endif
