/* Nesterov's momentum:  m' = beta m + g,  w' = w - eta (g + beta m'). */
#include "ingredient/rule/rule.h"

static const orr_parameter parameters[] = {
    { "learning_rate", ORR_REAL, .range = "(0, inf)", .help = "eta" },
    { "momentum", ORR_REAL, .fallback = "0.9", .range = "[0, 1)", .help = "beta" },
    { 0 },
};

static void step(orr_graph *g, const orr_settings *s, orr_node updates, orr_node w, orr_node gradient,
                 const orr_node *buffer, orr_node *new_w, orr_node *new_buffer) {
    const double beta = orr_real(s, "momentum");
    (void)updates;
    *new_buffer = orr_add(g, orr_scale(g, *buffer, beta), gradient);
    const orr_node ahead = orr_add(g, gradient, orr_scale(g, *new_buffer, beta));
    *new_w = orr_sub(g, w, orr_scale(g, ahead, orr_real(s, "learning_rate")));
}

const orr_rule orr_rule_nesterov = {
    .kind = { "nesterov", "gradient descent with Nesterov's momentum", parameters },
    .buffers = 1,
    .step = step,
};
