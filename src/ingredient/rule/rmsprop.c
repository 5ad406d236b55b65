/* RMSProp:  v' = beta2 v + (1 - beta2) g^2,  w' = w - eta g / (sqrt(v') + eps);  P = diag(sqrt(v) + eps), and 1 at k = 0.
 * Scalar RMSProp has |g|^2, of all tensors together, in place of g^2: one number v, of which each tensor keeps a copy. */
#include "ingredient/rule/rule.h"

static const orr_parameter parameters[] = {
    ORR_RULE_COMMON,
    { "beta2", ORR_REAL, .fallback = "0.99", .range = "[0, 1)", .help = "memory of the mean squared gradient" },
    { "eps", ORR_REAL, .fallback = "1e-8", .range = "[0, inf)",
      .help = "added to the root of the mean squared gradient" },
    ORR_RULE_KICK,
    { "scalar", ORR_FLAG, .fallback = "false",
      .help = "one mean for all: of the squared norm of the whole gradient, before weight decay" },
    { 0 },
};

static orr_shape buffer_shape(const orr_settings *s, orr_shape parameter, int32_t b) {
    (void)b;
    return orr_flag(s, "scalar") ? ORR_SCALAR : parameter;
}

static void step(orr_graph *g, const orr_settings *s, const orr_rule_tensor *t, orr_node *new_w, orr_node *new_buffer) {
    const double beta2 = orr_real(s, "beta2");
    const orr_node square = orr_flag(s, "scalar") ? t->gradient_square : orr_square(g, t->gradient);
    *new_buffer = orr_add(g, orr_scale(g, *t->buffer, beta2), orr_scale(g, square, 1.0 - beta2));
    const orr_node p = orr_shift(g, orr_sqrt(g, *new_buffer), orr_real(s, "eps") * t->tensor->epsilon);
    *new_w = orr_sub(g, t->w, orr_mul(g, orr_div(g, t->gradient, p), t->learning_rate));
}

static orr_node preconditioner(orr_graph *g, const orr_settings *s, const orr_tensor *tensor, orr_node updates,
                               const orr_node *buffer) {
    const orr_dtype dtype = orr_node_dtype(g, updates);
    const orr_node started = orr_gt(g, updates, orr_fill(g, dtype, ORR_SCALAR, 0.0));
    return orr_select(g, started, orr_shift(g, orr_sqrt(g, *buffer), orr_real(s, "eps") * tensor->epsilon),
                      orr_fill(g, dtype, ORR_SCALAR, 1.0));
}

const orr_rule orr_rule_rmsprop = {
    .kind = { "rmsprop", "RMSProp, without bias correction", parameters },
    .buffers = 1,
    .divides = true,
    .buffer_shape = buffer_shape,
    .step = step,
    .preconditioner = preconditioner,
};
