/* Gradient descent on targets with fresh noise in each update:  y + noise xi, xi ~ N(0, 1);  w' = w - eta g. */
#include "ingredient/rule/rule.h"

static const orr_parameter parameters[] = {
    ORR_RULE_COMMON,
    { "noise", ORR_REAL, .fallback = "0.1", .range = "[0, inf)", .help = "standard deviation added to the targets" },
    { 0 },
};

static void step(orr_graph *g, const orr_settings *s, const orr_rule_tensor *t, orr_node *new_w, orr_node *new_buffer) {
    (void)s, (void)new_buffer;
    *new_w = orr_sub(g, t->w, orr_mul(g, t->gradient, t->learning_rate));
}

const orr_rule orr_rule_label_noise_sgd = {
    .kind = { "label-noise-sgd", "gradient descent with fresh noise on the targets of each update", parameters },
    .noisy_targets = true,
    .step = step,
};
