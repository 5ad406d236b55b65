/* Gradient descent:  w' = w - eta g. */
#include "ingredient/rule/rule.h"

static const orr_parameter parameters[] = {
    { "learning_rate", ORR_REAL, .range = "(0, inf)", .help = "eta" },
    { 0 },
};

static void step(orr_graph *g, const orr_settings *s, orr_node updates, orr_node w, orr_node gradient,
                 const orr_node *buffer, orr_node *new_w, orr_node *new_buffer) {
    (void)updates, (void)buffer, (void)new_buffer;
    *new_w = orr_sub(g, w, orr_scale(g, gradient, orr_real(s, "learning_rate")));
}

const orr_rule orr_rule_gd = { .kind = { "gd", "gradient descent on all examples", parameters },
                               .buffers = 0,
                               .step = step };
