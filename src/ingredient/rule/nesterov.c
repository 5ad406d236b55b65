/* Nesterov's momentum:  m' = beta m + g,  w' = w - eta (g + beta m'). */
#include "ingredient/rule/rule.h"

static const orr_parameter parameters[] = {
    ORR_RULE_COMMON,
    { "momentum", ORR_REAL, .fallback = "0.9", .range = "[0, 1)", .help = "beta" },
    { 0 },
};

static void step(orr_graph *g, const orr_settings *s, const orr_rule_tensor *t, orr_node *new_w, orr_node *new_buffer) {
    const double beta = orr_real(s, "momentum");
    *new_buffer = orr_add(g, orr_scale(g, *t->buffer, beta), t->gradient);
    const orr_node ahead = orr_add(g, t->gradient, orr_scale(g, *new_buffer, beta));
    *new_w = orr_sub(g, t->w, orr_mul(g, ahead, t->learning_rate));
}

const orr_rule orr_rule_nesterov = {
    .kind = { "nesterov", "gradient descent with Nesterov's momentum", parameters },
    .buffers = 1,
    .step = step,
};
