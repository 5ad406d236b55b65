/* Deep linear networks f(x) = W_L ... W_1 x on white inputs: each singular mode of the input-output correlation is learnt by
 * itself (Saxe, McClelland, Ganguli 2014, 1312.6120).
 *
 *     S = E y x' = U diag(s) V'     C = E x x' = 1     l = 1/2 E|y - f|^2     a_k = u_k' W_L ... W_1 v_k
 *     da/dt = L a^{2 - 2/L} (s - a),  a(0) = a0                                           gradient flow, t = eta times updates
 *     w <- w + eta w^{L-1} (s - w^L),  a = w^L                                            gradient descent, exactly
 *
 *   paper   here       meaning                                             unit
 *   L       layers     matrices in the product                             1
 *   s       s          singular value of the correlation                   y x
 *   a, a0   a, a_0     strength of a mode in the network, at the start     y / x
 *   t       t          eta times updates                                   1 / (unit of s)
 *
 * Sheet: laws/solvable/deep-linear-modes.md */
#ifndef ORR_THEORY_DEEP_LINEAR_H
#define ORR_THEORY_DEEP_LINEAR_H

#include "base/arena.h"
#include "orrery.h"

/* ---- the task ------------------------------------------------------------------------------------------------------------ */

/* What a linear network can learn from examples. */
typedef struct orr_linear_task {
    int64_t inputs, outputs;
    int64_t modes;  /* min(inputs, outputs) */
    double *c;      /* [inputs, inputs]: C = X'X/n, not centred */
    double *s;      /* [modes], descending: singular values of S = Y'X/n */
    double *u, *v;  /* [modes, outputs], [modes, inputs]: row k is u_k, v_k */
    double squares; /* E|y|^2 */
} orr_linear_task;

/* x[n, inputs], y[n, outputs].  Fails: ORR_EINPUT where a number is not finite; ORR_ENOMEM. */
orr_status orr_linear_task_new(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch, int64_t n, int64_t inputs,
                               int64_t outputs, const double *x, const double *y, orr_linear_task *out) ORR_MUST_USE;
/* How far inputs are from white on the first `modes` modes: the largest |C v_k - v_k|, |v_k| = 1. */
double orr_linear_task_colour(const orr_linear_task *task, int64_t modes);

/* ---- one mode ------------------------------------------------------------------------------------------------------------ */

/* L = 2:  a(t) = s / (1 + (s/a0 - 1) e^{-2 s t}), for a0 > s too; 0 where a0 = 0. */
double orr_mode_flow_two(double s, double a_0, double t);

/* a[i] = a(t[i]) for any depth L >= 2, t ascending from 0 on.  L = 2 by the closed form; above, x = ln a by CVODE:
 * dx/dt = L e^{x (1 - 2/L)} (s - e^x), in which nothing underflows; error below 1e-7 s. */
orr_status orr_mode_flow(orr_context *ctx, orr_arena *scratch, int64_t layers, double s, double a_0, const double *t,
                         int64_t n, double *a) ORR_MUST_USE;

/* The time at which the flow reaches a, a0 < a < s:  t = 1/L integral_{a0}^{a} dx / (x^{2 - 2/L} (s - x)), in closed form for
 * L = 2, else over ln x.  0 where a <= a0, infinite where a >= s or a0 = 0. */
double orr_mode_time(int64_t layers, double s, double a_0, double a);

/* One update of a layer's scalar w. */
double orr_mode_update(int64_t layers, double s, double learning_rate, double w);
/* a[i] = w^L after update[i] of them, from w^L = a0; update[n] whole numbers, ascending from 0 on. */
void orr_mode_descent(int64_t layers, double s, double a_0, double learning_rate, const double *update, int64_t n,
                      double *a);

/* ---- the start ----------------------------------------------------------------------------------------------------------- */

typedef struct orr_linear_chain {
    int64_t layers;
    const int64_t *width;   /* [layers + 1]: inputs, hidden widths, outputs */
    const double *const *w; /* [layers]: W_l [width_l, width_{l-1}] */
} orr_linear_chain;

/* Strengths a_0[modes] of a start in which the modes are apart and every layer has an even share of each ("spectral"):
 * W_l r_{l-1} = w r_l and W_l' r_l = w r_{l-1}, r_0 = v_k, r_L = u_k, |r_l| = 1, a0 = w^L.  *deviation: the largest residual of
 * these, over the largest w; that of a start of another kind is of the order of 1. */
orr_status orr_linear_start_spectral(orr_context *ctx, orr_arena *scratch, const orr_linear_chain *chain,
                                     const orr_linear_task *task, int64_t modes, double *a_0,
                                     double *deviation) ORR_MUST_USE;

/* Effective strengths of a small random start of two layers.  c_k = (W_1 v_k + W_2' u_k)/2, in decreasing order of s_k
 *
 *     c_k_perp = c_k - sum_{j<k} q_j (q_j . c_k)     q_k = c_k_perp / |c_k_perp|     a0_k = |c_k_perp|^2
 *
 * The other half (W_1 v_k - W_2' u_k)/2 decays as e^{-s_k t}; what lies along a hidden direction that a stronger mode has
 * filled has the rate s_k - s_j < 0 and dies. */
orr_status orr_linear_start_random(orr_context *ctx, orr_arena *scratch, const orr_linear_chain *chain,
                                   const orr_linear_task *task, int64_t modes, double *a_0) ORR_MUST_USE;

#endif
