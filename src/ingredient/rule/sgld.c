/* Stochastic gradient Langevin dynamics (Welling, Teh 2011):  w' = w - eta g + sqrt(2 eta T) xi,  xi ~ N(0, 1).
 * For small eta the weights sample exp(-L/T). */
#include "ingredient/rule/rule.h"

static const orr_parameter parameters[] = {
    ORR_RULE_COMMON,
    { "temperature", ORR_REAL, .fallback = "1e-4", .range = "[0, inf)", .help = "T" },
    { 0 },
};

static void step(orr_graph *g, const orr_settings *s, const orr_rule_tensor *t, orr_node *new_w, orr_node *new_buffer) {
    (void)new_buffer;
    const orr_node size = orr_sqrt(g, orr_scale(g, t->learning_rate, 2.0 * orr_real(s, "temperature")));
    const orr_node xi = orr_random_normal(g, t->key, orr_node_dtype(g, t->w), orr_node_shape(g, t->w));
    const orr_node down = orr_sub(g, t->w, orr_mul(g, t->gradient, t->learning_rate));
    *new_w = orr_add(g, down, orr_mul(g, xi, size));
}

const orr_rule orr_rule_sgld = {
    .kind = { "sgld", "Langevin dynamics: gradient descent with noise of a temperature", parameters }, .step = step
};
