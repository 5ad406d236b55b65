/* How large a batch is worth having: the gradient noise scale of linear regression, and the updates that SGD takes to a loss.
 *
 *     one step of size e:  E dL = -e |G|^2 + e^2/2 (G'H G + tr(H Sigma)/B)
 *     best e = e_max/(1 + B_noise/B),  gain = gain_max/(1 + B_noise/B),  e_max = |G|^2/(G'H G),  gain_max = |G|^4/(2 G'H G)
 *     B_noise = tr(H Sigma)/(G'H G),   B_simple = tr Sigma/|G|^2
 *     S(B) = S_min (1 + B_crit/B) with B_crit = B_noise, where that stays the same along the path (theory/batch_fit.h)
 *
 *     y = w*.x + noise, x ~ N(0, diag l):  G = l u, u = w - w*, H = diag l, Sigma = diag(l)(sum_i l_i u_i^2 + s2) + G G'
 *
 *   paper   here             meaning                                      unit
 *   G       signal           |G|^2                                        loss^2 / parameter^2
 *   Sigma   trace            of the covariance of one example's gradient  the same
 *   H       curved_signal    G'H G                                        loss^3 / parameter^4
 *           curved_trace     tr(H Sigma)                                  the same
 *
 * Sources: McCandlish et al. 2018 (1812.06162); Ma, Bassily, Belkin 2018 (1712.06559).
 * Sheet: laws/hyperparameters/critical-batch-size.md */
#ifndef ORR_THEORY_CRITICAL_BATCH_H
#define ORR_THEORY_CRITICAL_BATCH_H

#include "orrery.h"
#include "theory/sgd_moments.h"

typedef struct orr_gradient_noise {
    double signal, trace, curved_signal, curved_trace;
} orr_gradient_noise;

/* m_i = u_i^2, or its mean: all four are linear in it, and then are means. */
orr_gradient_noise orr_regression_noise(const orr_sgd_regression *r, const double *m);

double orr_noise_simple(const orr_gradient_noise *noise);   /* B_simple */
double orr_noise_weighted(const orr_gradient_noise *noise); /* B_noise */
double orr_best_step(const orr_gradient_noise *noise, double batch);
/* -E dL of one step. */
double orr_step_gain(const orr_gradient_noise *noise, double batch, double step);

/* The update, counted on a straight line in log loss between two, after which the expected excess loss is below target; infinite
 * where that takes more than `most`, or the loss grows beyond 1e6 of its first.  m: m_0 on entry, overwritten. */
double orr_updates_to_loss(const orr_sgd_regression *r, double batch, double learning_rate, double target, double most,
                           double *m);

typedef struct orr_tuned_batch {
    double learning_rate, steps; /* infinite where no learning rate gets there */
} orr_tuned_batch;

/* The learning rate with the fewest updates, of 40 in [1e-3, 1.99]/l_max, log-spaced, and 21 within 25 % of the best of them.
 * m_0[r->n] stays; fails: ORR_ENOMEM. */
orr_status orr_tune_batch(orr_context *ctx, orr_arena *scratch, const orr_sgd_regression *r, const double *m_0,
                          double batch, double target, double most, orr_tuned_batch *out) ORR_MUST_USE;

#endif
