/* Gradient descent:  w' = w - eta g. */
#include "ingredient/rule/rule.h"

static const orr_parameter parameters[] = {
    ORR_RULE_COMMON,
    ORR_RULE_KICK,
    { 0 },
};

static void step(orr_graph *g, const orr_settings *s, const orr_rule_tensor *t, orr_node *new_w, orr_node *new_buffer) {
    (void)s, (void)new_buffer;
    *new_w = orr_sub(g, t->w, orr_mul(g, t->gradient, t->learning_rate));
}

const orr_rule orr_rule_gd = { .kind = { "gd", "gradient descent on all examples", parameters },
                               .buffers = 0,
                               .step = step };
