/* Sign descent (Bernstein et al. 2018, 1802.04434):  m' = beta m + (1 - beta) g,  w' = w - eta sign(m'). */
#include "ingredient/rule/rule.h"

static const orr_parameter parameters[] = {
    ORR_RULE_COMMON,
    { "momentum", ORR_REAL, .fallback = "0", .range = "[0, 1)", .help = "beta" },
    { 0 },
};

static void step(orr_graph *g, const orr_settings *s, const orr_rule_tensor *t, orr_node *new_w, orr_node *new_buffer) {
    const double beta = orr_real(s, "momentum");
    *new_buffer = orr_add(g, orr_scale(g, *t->buffer, beta), orr_scale(g, t->gradient, 1.0 - beta));
    *new_w = orr_sub(g, t->w, orr_mul(g, orr_sign(g, *new_buffer), t->learning_rate));
}

const orr_rule orr_rule_sign = {
    .kind = { "sign", "descent along the sign of the gradient, with momentum (signSGD, Signum)", parameters },
    .buffers = 1,
    .divides = true,
    .step = step,
};
