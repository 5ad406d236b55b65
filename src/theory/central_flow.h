/* The central flow: where a full-batch optimizer that oscillates at the edge of stability is, averaged over its oscillations.
 *
 *     w <- w - P^-1 grad L(w)      P diagonal:   gd  P = 1/eta      (scalar) RMSProp  P = (sqrt(nu) + eps)/eta
 *                                  nu <- b2 nu + (1 - b2) g^2, |g|^2 for scalar RMSProp; the new nu moves w
 *
 *     s_i, v_i     eigenpairs of P^-1/2 H P^-1/2 (the effective Hessian; edge at 2);  U_i = P^-1/2 v_i for the k with s_i > 1.95
 *     Sigma        = sum_ij X_ij U_i U_j', the covariance of w_t around its average;  X >= 0, k x k
 *     T_ij         = grad_w (U_i' H U_j), U and P held
 *     dw/dt        = -P^-1 [g + 1/2 sum_ij X_ij T_ij]                                    t in updates
 *     dnu/dt       = c (g^2 - nu + 4 P^2 diag Sigma),   c = (1 - b2)/b2;   scalar: c (|g|^2 - nu + 4 P^2 tr Sigma)
 *     Z = Z0 + B[X]  the slack U' (2 P - H) U after dt, over dt:
 *     Z0_ij        = (2 - s_i) delta_ij/dt + T_ij . P^-1 g + M_ij . c (g^2 - nu)         M_ij = 2 P' U_i U_j,  P' = dP/dnu
 *     B_ij,lm      = 1/2 T_ij . P^-1 T_lm + M_ij . N_lm                                  N_lm = 4 c P^2 U_l U_m, what X_lm adds to dnu
 *     X >= 0, Z >= 0, <X, Z> = 0      (numeric/complementarity.h)
 *
 * averages: loss L + tr X,  squared gradient |g|^2 + 4 tr P^2 Sigma,  squared distance to the average tr Sigma.
 *
 *   paper        here          meaning                                                        unit
 *   eta, b2      options       the rule's                                                     1
 *   s_i          s             eigenvalues of the effective Hessian, descending               1
 *   X            x             covariance of U' P (w_t - average)                             loss
 *   U_i          u             U' P U = 1, H U = P U diag(s)                                  parameter / loss^(1/2)
 *
 * With `stable` X is 0: the stable flow, for gd gradient flow, which knows of no edge.
 * Sources: Cohen, Damian, Talwalkar, Kolter, Lee 2025 (2410.24206).  Sheet: laws/hyperparameters/central-flow.md */
#ifndef ORR_THEORY_CENTRAL_FLOW_H
#define ORR_THEORY_CENTRAL_FLOW_H

#include "numeric/complementarity.h"
#include "orrery.h"
#include "theory/landscape.h"

typedef enum orr_central_rule { ORR_CENTRAL_GD = 0, ORR_CENTRAL_SCALAR_RMSPROP, ORR_CENTRAL_RMSPROP } orr_central_rule;

/* A zero means the default, but for eps and stable. */
typedef struct orr_central_options {
    orr_central_rule rule;
    double learning_rate, beta2, eps;
    double critical; /* s above which a direction is critical; default 1.95 */
    double tracked;  /* s above which an eigenpair is computed to 1e-7; default 1.5 */
    bool stable;
} orr_central_options;

enum { ORR_CENTRAL_TRACKED_MAX = 12 }; /* eigenpairs; as many of them may be critical, less one */

/* Everything at one moment. */
typedef struct orr_central_moment {
    double loss, gradient2; /* L and |grad L| ^2 on the flow */
    int64_t tracked, k;     /* eigenpairs; of them critical */
    double *s;              /* tracked */
    double *u;              /* [k, n] */
    double *x, *z;          /* [k, k] */
    double *dw, *dnu;       /* n; numbers of nu */
    double loss_mean;       /* L + tr X */
    double gradient2_mean;  /* |g|^2 + 4 tr P^2 Sigma */
    double trace_x, trace_sigma;
    orr_complementarity solution;
    bool
        finite; /* false: the loss, its gradient or an eigenvalue is no number, and only what is above dw may be read */
} orr_central_moment;

typedef struct orr_central_flow orr_central_flow;

/* At w[n] and nu, both copied; nu: n_nu numbers, all > 0.  The landscape is borrowed; without `stable` it has third_product. */
orr_status orr_central_flow_new(orr_context *ctx, const orr_landscape *landscape, const orr_central_options *options,
                                const double *w, const double *nu, orr_central_flow **out) ORR_MUST_USE;
void orr_central_flow_free(orr_central_flow *f);

int64_t orr_central_nu(orr_central_rule rule, int64_t n); /* numbers of nu: 0, 1 or n */
double *orr_central_flow_w(orr_central_flow *f);
double *orr_central_flow_nu(orr_central_flow *f);

/* Where the flow is and whither it goes, for a step dt.  *out is the flow's, until the next call of anything here.
 * Cost: a gradient, some 10 Hessian products, and k (k + 1)/2 third products.
 * Fails: ORR_ENUMERIC where X has no solution or more directions are critical than are tracked. */
orr_status orr_central_flow_moment(orr_central_flow *f, double dt, const orr_central_moment **out) ORR_MUST_USE;
/* The same for X = 0, without eigenvalues, dw and dnu: the loss and its gradient. */
orr_status orr_central_flow_plain_moment(orr_central_flow *f, const orr_central_moment **out) ORR_MUST_USE;
/* w += dt dw, nu += dt dnu of the last moment. */
void orr_central_flow_move(orr_central_flow *f, double dt);
/* One update of the rule itself. */
orr_status orr_central_flow_update(orr_central_flow *f) ORR_MUST_USE;

/* The eigenvalue s_1 where the flow is. */
orr_status orr_central_flow_sharpness(orr_central_flow *f, double *s_1) ORR_MUST_USE;

#endif
