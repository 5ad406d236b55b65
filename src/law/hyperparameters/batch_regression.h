/* Linear regression by stochastic gradient descent, as laws about batches know it beforehand: y = W x + noise with fresh Gaussian x,
 * f = w x, squared error.  Several outputs are as many problems with the same x; their moments, noise and losses add up. */
#ifndef ORR_LAW_HYPERPARAMETERS_BATCH_REGRESSION_H
#define ORR_LAW_HYPERPARAMETERS_BATCH_REGRESSION_H

#include "law/law.h"
#include "theory/sgd_moments.h"

typedef struct orr_batch_regression {
    orr_sgd_regression r;
    double *
        m_0; /* [r.n]: sum over outputs of (w_j - s W_j)^2 before training, mean over seeds; w as the network sees them */
    double scale; /* losses are so many times those of theory: 1 for 1/2 a mean over examples */
    double rate;  /* learning rates count so many times: by the scale, and by the parameterization */
} orr_batch_regression;

bool orr_is_batch_regression(const orr_point *point, const orr_problem *problem);

/* Of a point.  Fails: ORR_ENOMEM. */
orr_status orr_batch_regression_of(orr_context *ctx, orr_arena *out_arena, const orr_premises *in, int64_t point,
                                   orr_batch_regression *out) ORR_MUST_USE;

/* Updates to a loss, in the task's units; infinite where `most` are not enough. */
orr_status orr_batch_regression_updates(orr_context *ctx, orr_arena *scratch, const orr_batch_regression *g,
                                        double batch, double learning_rate, double target, double most,
                                        double *out) ORR_MUST_USE;

/* *out (new) { signal, trace, simple, weighted } after 0, 1, ..., last updates, gradients in the task's units. */
orr_status orr_batch_regression_noise(orr_context *ctx, orr_arena *scratch, const orr_batch_regression *g, double batch,
                                      double learning_rate, int64_t last, json_t **out) ORR_MUST_USE;

#endif
