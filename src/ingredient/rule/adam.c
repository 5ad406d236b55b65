/* Adam (Kingma, Ba 2015, 1412.6980), k = 1, 2, ...:
 *
 *     m' = beta1 m + (1 - beta1) g        mhat = m' / (1 - beta1^k)
 *     v' = beta2 v + (1 - beta2) g^2      vhat = v' / (1 - beta2^k)
 *     w' = w - eta mhat / (sqrt(vhat) + eps)
 *
 * After k updates P = diag(sqrt(vhat) + eps), and P = 1 at k = 0. */
#include <math.h>

#include "ingredient/rule/adam.h"

static const orr_parameter parameters[] = {
    ORR_RULE_COMMON,
    ORR_ADAM_PARAMETERS,
    { 0 },
};

/* 1 - beta^k.  As -expm1(k log beta): for beta near 1 the difference of two near numbers would lose digits in float32.
 * beta = 0 gives 1 for every k >= 1. */
static orr_node correction(orr_graph *g, double beta, orr_node k) {
    if (beta <= 0.0) return orr_fill(g, orr_node_dtype(g, k), ORR_SCALAR, 1.0);
    return orr_neg(g, orr_expm1(g, orr_scale(g, k, log(beta))));
}

/* beta a + (1 - beta) b */
static orr_node average(orr_graph *g, double beta, orr_node a, orr_node b) {
    return orr_add(g, orr_scale(g, a, beta), orr_scale(g, b, 1.0 - beta));
}

void orr_adam_step(orr_graph *g, const orr_settings *s, const orr_rule_tensor *t, orr_node *new_w,
                   orr_node *new_buffer) {
    const double beta1 = orr_real(s, "beta1"), beta2 = orr_real(s, "beta2");
    const orr_node k = orr_shift(g, t->updates, 1.0);
    new_buffer[0] = average(g, beta1, t->buffer[0], t->gradient);
    new_buffer[1] = average(g, beta2, t->buffer[1], orr_square(g, t->gradient));
    const orr_node m_hat = orr_div(g, new_buffer[0], correction(g, beta1, k));
    const orr_node v_hat = orr_div(g, new_buffer[1], correction(g, beta2, k));
    const orr_node p = orr_shift(g, orr_sqrt(g, v_hat), orr_real(s, "eps") * t->tensor->epsilon);
    *new_w = orr_sub(g, t->w, orr_mul(g, orr_div(g, m_hat, p), t->learning_rate));
}

orr_node orr_adam_preconditioner(orr_graph *g, const orr_settings *s, const orr_tensor *tensor, orr_node updates,
                                 const orr_node *buffer) {
    const orr_dtype dtype = orr_node_dtype(g, updates);
    const orr_node zero = orr_fill(g, dtype, ORR_SCALAR, 0.0), one = orr_fill(g, dtype, ORR_SCALAR, 1.0);
    const orr_node started = orr_gt(g, updates, zero);
    /* at k = 0 the quotient would be 0/0: divide by 1 there, and choose 1 in the end */
    const orr_node below = orr_select(g, started, correction(g, orr_real(s, "beta2"), updates), one);
    const orr_node p = orr_shift(g, orr_sqrt(g, orr_div(g, buffer[1], below)), orr_real(s, "eps") * tensor->epsilon);
    return orr_select(g, started, p, one);
}

const orr_rule orr_rule_adam = {
    .kind = { "adam", "Adam, with bias correction", parameters },
    .buffers = 2,
    .divides = true,
    .step = orr_adam_step,
    .preconditioner = orr_adam_preconditioner,
};
