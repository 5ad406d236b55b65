/* What gradient flow keeps because of a continuous symmetry of the parameters, and by how much a finite step breaks it.
 *
 *   balance      W_2 W_1 = (W_2 G^-1)(G W_1):  Q = W_2' W_2 - W_1 W_1' - b_1 b_1'           [h, h] where the unit is linear
 *                                              q_j = Q_jj, with W_1 and b_1 over r           homogeneous of degree r (relu: 1)
 *   scale        L(c w) = L(w):                n = |w|^2
 *   translation  L(W + 1 a') = L(W):           c = sum_k W_k, over the rows W_k of a softmax
 *
 * A step w' = s w - eta g, s = 1 - eta lambda, changes the quadratic ones exactly by the same form of the gradients,
 *
 *     Q' = s^2 Q + eta^2 Q(g)      n' = s^2 n + eta^2 |g|^2      c' = s c
 *
 * for the terms of first order cancel.  So over a fixed time eta T the drift is proportional to eta.
 *
 *   paper    here        meaning
 *   W_2, W_1 plus, minus the two matrices as blocks [h, columns]: W_2', W_1
 *   r        degree      of homogeneity of what is between
 *
 * Sources: Du, Hu, Lee 2018 (1806.00900); Kunin et al. 2021 (2012.04728); Marcotte et al. 2023 (2307.00144).
 * Sheet: laws/empirical/gradient-flow-conservation.md */
#ifndef ORR_THEORY_CONSERVATION_H
#define ORR_THEORY_CONSERVATION_H

#include "base/arena.h"
#include "orrery.h"
#include "theory/landscape.h"

/* ---- balances ------------------------------------------------------------------------------------------------------------ */

/* Entry (i, j) of [h, columns] is number offset + i row + j column of all parameters, one tensor behind the other. */
typedef struct orr_block {
    int64_t offset, row, column, columns;
} orr_block;

typedef enum orr_balance_kind {
    ORR_BALANCE_CHAIN = 0,  /* two matrices that follow each other */
    ORR_BALANCE_PERCEPTRON, /* of a transformer's block */
    ORR_BALANCE_QUERY_KEY,  /* Q = W_Q W_Q' - W_K W_K', of each head: the score is x' W_Q' W_K x' */
    ORR_BALANCE_VALUE       /* Q = W_O' W_O - W_V W_V', of each head */
} orr_balance_kind;

typedef struct orr_balance {
    const char *name; /* of the tensor W_1; with several heads ".1", ".2", ... behind it */
    orr_balance_kind kind;
    int64_t h;
    orr_block plus, minus;
    int64_t plus_bias, minus_bias; /* offsets of h numbers; -1: none */
    double degree;
} orr_balance;

typedef struct orr_balances {
    int64_t n;
    orr_balance *item;
} orr_balances;

/* All of a network whose matrices have these names and shapes: two matrices that follow each other with at most the first one's
 * bias between them; in blocks of transformers ("block1.query.weight") query with key, value with output, mlp1 with mlp2.  Whether they
 * follow each other in the network too, and what is between, nothing here can know.  Degree 1.  Fails: ORR_ENOMEM. */
orr_status orr_balances_find(orr_context *ctx, orr_arena *out_arena, int64_t n_tensors, const char *const *name,
                             const orr_shape *shape, int64_t heads, orr_balances *out) ORR_MUST_USE;

/* q[h, h] <- Q of the parameters, or of a gradient, w.  Fails: ORR_ENOMEM. */
orr_status orr_balance_form(orr_context *ctx, orr_arena *scratch, const orr_balance *b, const double *w,
                            double *q) ORR_MUST_USE;

/* |q - other|_F and max_j |q_jj - other_jj|; other NULL: 0.  A NaN shows in both. */
void orr_balance_distance(int64_t h, const double *q, const double *other, double *whole, double *diagonal);

/* The drift of each balance over the time of gradient flow, over eta: integral of Q(-grad L) dt from w[n], by Euler's method in
 * `steps` steps, whose error is of first order in time / steps.  drift[i]: [h, h].  w ends where the flow ends. */
orr_status orr_balance_drift(orr_context *ctx, orr_arena *scratch, const orr_landscape *landscape,
                             const orr_balances *balances, double time, int64_t steps, double *w,
                             double *const *drift) ORR_MUST_USE;

/* ---- scale ---------------------------------------------------------------------------------------------------------------- */

/* Under decay and gradient noise g = gt/|w|:  |w|^4 = eta^2 E|gt|^2 / (1 - (1 - eta lambda)^2), and the angle that w turns by in
 * one step, sqrt(2 eta lambda). */
double orr_scale_equilibrium(double learning_rate, double decay, double noise);
double orr_scale_rotation(double learning_rate, double decay);

/* The power p of y = c x^p, by least squares over logarithms; NaN for fewer than two points or what has no logarithm. */
double orr_fitted_power(int64_t n, const double *x, const double *y);

/* ---- how many -------------------------------------------------------------------------------------------------------------- */

/* Functions phi_a of parameters theta[d] that are bilinear: grad phi_a = A_a theta, A_a symmetric [d, d].  Of theta, flow along any
 * loss of phi keeps as many independent functions as the Lie algebra of the fields A_a theta leaves directions:
 * d - dim span { M theta : M in the closure of the A_a under commutators }. */
typedef struct orr_conserved_count {
    int64_t count;           /* d - rank */
    int64_t algebra;         /* dimension of the closure */
    int64_t rank;            /* of { M theta } at a random theta */
    int64_t generators_rank; /* of { A_a theta } alone, without brackets: too low, so that it counts too many */
} orr_conserved_count;

/* generator: n_generators of [d, d].  Fails: ORR_EINPUT where d is above 64 (the closure may have d^2 members), ORR_ENOMEM. */
orr_status orr_conserved_count_of(orr_context *ctx, orr_arena *scratch, int64_t d, int64_t n_generators,
                                  const double *generator, orr_conserved_count *out) ORR_MUST_USE;

/* phi: the entries of U V', U [n, r], V [m, r]; for relu units the products u_j v_j' of each column. */
orr_status orr_conserved_count_product(orr_context *ctx, orr_arena *scratch, int64_t n, int64_t m, int64_t r, bool relu,
                                       orr_conserved_count *out) ORR_MUST_USE;
/* The same in closed form: r (r + 1)/2 where r <= n + m, else (n + m) r - (n + m)(n + m - 1)/2; relu: r. */
int64_t orr_conserved_closed_form(int64_t n, int64_t m, int64_t r, bool relu);

#endif
