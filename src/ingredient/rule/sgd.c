/* Gradient descent on batches with momentum, as in PyTorch:  m' = mu m + (1 - dampening) g, and m' = g in the first update;
 * w' = w - eta m', or with Nesterov's look ahead  w' = w - eta (g + mu m'). */
#include "ingredient/rule/rule.h"

static const orr_parameter parameters[] = {
    ORR_RULE_COMMON,
    { "momentum", ORR_REAL, .fallback = "0", .range = "[0, 1)", .help = "mu" },
    { "dampening", ORR_REAL, .fallback = "0", .range = "[0, 1]", .help = "of the gradient that enters the momentum" },
    { "nesterov", ORR_FLAG, .fallback = "false", .help = "look ahead" },
    { 0 },
};

static void step(orr_graph *g, const orr_settings *s, const orr_rule_tensor *t, orr_node *new_w, orr_node *new_buffer) {
    const double mu = orr_real(s, "momentum"), dampening = orr_real(s, "dampening");
    const orr_dtype dtype = orr_node_dtype(g, t->updates);
    orr_node entering = t->gradient;
    if (dampening > 0.0) {
        const orr_node zero = orr_fill(g, dtype, ORR_SCALAR, 0.0), one = orr_fill(g, dtype, ORR_SCALAR, 1.0);
        const orr_node later = orr_fill(g, dtype, ORR_SCALAR, 1.0 - dampening);
        entering = orr_mul(g, entering, orr_select(g, orr_gt(g, t->updates, zero), later, one));
    }
    *new_buffer = orr_add(g, orr_scale(g, *t->buffer, mu), entering);
    orr_node along = mu > 0.0 ? *new_buffer : t->gradient; /* without momentum PyTorch dampens nothing */
    if (orr_flag(s, "nesterov")) along = orr_add(g, t->gradient, orr_scale(g, *new_buffer, mu));
    *new_w = orr_sub(g, t->w, orr_mul(g, along, t->learning_rate));
}

const orr_rule orr_rule_sgd = {
    .kind = { "sgd", "stochastic gradient descent with momentum, as in PyTorch", parameters },
    .buffers = 1,
    .step = step,
};
