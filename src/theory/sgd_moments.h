/* Second moments of stochastic gradient descent on linear regression with Gaussian inputs: closed, exact for any batch.
 *
 *     y = w*.x + noise,  x ~ N(0, diag l),  loss 1/2 mean (w.x - y)^2,  batches drawn independently
 *     SGD:        m_i <- (1 - eta l_i)^2 m_i + (eta^2/B) [ l_i^2 m_i + l_i sum_j l_j m_j + s2 l_i ]
 *     SDE limit:  dm_i/dt = -2 l_i m_i + tau [ l_i^2 m_i + l_i sum_j l_j m_j + s2 l_i ],   tau = eta/B,  t = eta k
 *     excess loss 1/2 sum_i l_i m_i
 *
 *   paper   here            meaning                                              unit
 *   l_i     curvature       eigenvalue of the covariance of inputs = of the Hessian   loss / parameter^2
 *   s2      noise           variance of the noise on a label                     loss
 *   m_i     m               E (w_i - w*_i)^2 in the eigenbasis                   parameter^2
 *   eta     learning_rate   step length                                          parameter^2 / loss
 *   B       batch           examples an update; any real > 0
 *   tau     temperature     eta/B                                                parameter^2 / loss
 *
 * Sources: Ma, Bassily, Belkin 2018 (1712.06559); Li, Tai, E 2019 (1811.01558); Liu, Ziyin, Ueda 2021 (2012.03636).
 * Sheets: laws/limits/sgd-noise-temperature.md, laws/hyperparameters/linear-scaling-rule.md, critical-batch-size.md */
#ifndef ORR_THEORY_SGD_MOMENTS_H
#define ORR_THEORY_SGD_MOMENTS_H

#include "base/arena.h"
#include "orrery.h"

typedef struct orr_sgd_regression {
    int64_t n;
    const double *curvature; /* n, >= 0, in any order */
    double noise;            /* >= 0 */
} orr_sgd_regression;

double orr_sgd_excess_loss(const orr_sgd_regression *r, const double *m);

/* m <- m after one update, in place; O(n). */
void orr_sgd_moments_step(const orr_sgd_regression *r, double learning_rate, double batch, double *m);

/* Where the recursion converges, m_star[n] <- its fixed point and true; false, m_star untouched, where moments diverge: that is
 * unless all B (2 - eta l_i) > eta l_i and sum_i eta l_i/(B (2 - eta l_i) - eta l_i) < 1.  A direction of curvature 0 learns
 * nothing and isn't asked; its m_star is 0. */
bool orr_sgd_moments_stationary(const orr_sgd_regression *r, double learning_rate, double batch, double *m_star);

/* The SDE limit: dm/dt = b - A m with A symmetric, diag l (2 - tau l) - tau l l', solved exactly in A's eigenbasis.
 * loss[count] <- excess loss at times[count], from m_0[n] at t = 0; grows without bound where tau is too large.
 * Fails: ORR_EINPUT where an input isn't finite, ORR_ENOMEM. */
orr_status orr_sgd_limit_loss(orr_context *ctx, orr_arena *scratch, const orr_sgd_regression *r, double temperature,
                              const double *m_0, int64_t count, const double *times, double *loss) ORR_MUST_USE;

#endif
