/* Heavy ball (Polyak):  m' = beta m + g,  w' = w - eta m';  with averaging:  m' = beta m + (1 - beta) g. */
#include "ingredient/rule/rule.h"

static const orr_parameter parameters[] = {
    { "learning_rate", ORR_REAL, .range = "(0, inf)", .help = "eta" },
    { "momentum", ORR_REAL, .fallback = "0.9", .range = "[0, 1)", .help = "beta" },
    { "averaging", ORR_FLAG, .fallback = "false", .help = "the gradient enters the buffer with the factor 1 - beta" },
    { 0 },
};

static void step(orr_graph *g, const orr_settings *s, orr_node updates, orr_node w, orr_node gradient,
                 const orr_node *buffer, orr_node *new_w, orr_node *new_buffer) {
    const double beta = orr_real(s, "momentum");
    (void)updates;
    if (orr_flag(s, "averaging")) gradient = orr_scale(g, gradient, 1.0 - beta);
    *new_buffer = orr_add(g, orr_scale(g, *buffer, beta), gradient);
    *new_w = orr_sub(g, w, orr_scale(g, *new_buffer, orr_real(s, "learning_rate")));
}

const orr_rule orr_rule_heavy_ball = {
    .kind = { "heavy-ball", "gradient descent with momentum (Polyak)", parameters },
    .buffers = 1,
    .step = step,
};
