/* The trade between updates S and examples E = B S that a fixed loss takes, over batch sizes B with the learning rate tuned at each.
 *
 *     S(B) = S_min (1 + B_crit/B),   E(B) = E_min (1 + B/B_crit),   E_min = B_crit S_min
 *     (S/S_min - 1)(E/E_min - 1) = 1
 *     S(B) = S_min (1 + (B_crit/B)^p)  with p = 1, as a check
 *
 *   paper     here             meaning                                                    unit
 *   S_min     steps_min        updates that a very large batch takes                      updates
 *   E_min     examples_min     examples that a very small batch takes                     examples
 *   B_crit    batch_critical   where both are twice their least                           examples
 *   p         exponent         fitted, with S_min and B_crit of their own                 1
 *
 * Source: McCandlish et al. 2018 (1812.06162).  Sheet: laws/hyperparameters/critical-batch-size.md */
#ifndef ORR_THEORY_BATCH_FIT_H
#define ORR_THEORY_BATCH_FIT_H

#include "base/arena.h"
#include "orrery.h"

/* What a batch size took; both positive and finite. */
typedef struct orr_batch_cell {
    double batch, steps;
} orr_batch_cell;

typedef struct orr_batch_law {
    double steps_min, examples_min, batch_critical;
    double residual_max; /* of |log S - log S(B)| */
    double exponent;     /* NaN where there are fewer than 4 cells: three constants of three cells say nothing */
} orr_batch_law;

enum { ORR_BATCH_CELLS_MIN = 3 };

double orr_batch_steps(const orr_batch_law *law, double batch);

/* The least sum of squares of log S_i - log S(B_i).  Batch sizes far on one side of B_crit leave the constant of the other side open.
 * Fails: ORR_EINPUT for fewer than ORR_BATCH_CELLS_MIN cells, one that is not positive and finite, fewer than two batch sizes;
 * ORR_ENOMEM. */
orr_status orr_batch_fit(orr_context *ctx, orr_arena *scratch, const orr_batch_cell *cell, int64_t n,
                         orr_batch_law *out) ORR_MUST_USE;

/* The noise scale tr Sigma/|G|^2 from the mean squared norms of gradients of batches of two sizes b < B:
 *     |G|^2 = (B <|g_B|^2> - b <|g_b|^2>)/(B - b),   tr Sigma = (<|g_b|^2> - <|g_B|^2>)/(1/b - 1/B)
 * Both unbiased; average the norms first, then divide. */
typedef struct orr_noise_scale {
    double signal, trace, scale; /* |G|^2, tr Sigma, their ratio */
} orr_noise_scale;
orr_noise_scale orr_two_batch_noise_scale(double b, double square_b, double B, double square_B);

#endif
