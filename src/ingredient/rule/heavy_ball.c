/* Heavy ball (Polyak):  m' = beta m + g,  w' = w - eta m';  with averaging:  m' = beta m + (1 - beta) g. */
#include "ingredient/rule/rule.h"

static const orr_parameter parameters[] = {
    ORR_RULE_COMMON,
    { "momentum", ORR_REAL, .fallback = "0.9", .range = "[0, 1)", .help = "beta" },
    { "averaging", ORR_FLAG, .fallback = "false", .help = "the gradient enters the buffer with the factor 1 - beta" },
    { 0 },
};

static void step(orr_graph *g, const orr_settings *s, const orr_rule_tensor *t, orr_node *new_w, orr_node *new_buffer) {
    const double beta = orr_real(s, "momentum");
    orr_node gradient = t->gradient;
    if (orr_flag(s, "averaging")) gradient = orr_scale(g, gradient, 1.0 - beta);
    *new_buffer = orr_add(g, orr_scale(g, *t->buffer, beta), gradient);
    *new_w = orr_sub(g, t->w, orr_mul(g, *new_buffer, t->learning_rate));
}

const orr_rule orr_rule_heavy_ball = {
    .kind = { "heavy-ball", "gradient descent with momentum (Polyak)", parameters },
    .buffers = 1,
    .step = step,
};
