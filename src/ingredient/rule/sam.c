/* Sharpness-aware minimisation (Foret et al. 2021, 2010.01412):  w' = w - eta grad L(w + rho g/|g|),  g = grad L(w) over all
 * tensors together, in the same batch. */
#include "ingredient/rule/rule.h"

static const orr_parameter parameters[] = {
    ORR_RULE_COMMON,
    { "rho", ORR_REAL, .fallback = "0.05", .range = "[0, inf)", .help = "length of the step uphill" },
    { 0 },
};

static void step(orr_graph *g, const orr_settings *s, const orr_rule_tensor *t, orr_node *new_w, orr_node *new_buffer) {
    (void)s, (void)new_buffer;
    *new_w = orr_sub(g, t->w, orr_mul(g, t->gradient, t->learning_rate));
}

static void regradient(orr_graph *g, const orr_settings *s, const orr_rule_gradient *of, const orr_node *w, int32_t n,
                       orr_node *gradient) {
    /* 1e-12, as in the authors' program: at a stationary point there is no uphill, and 0/0 must not be */
    const orr_node length = orr_shift(g, orr_sqrt(g, orr_dot(g, gradient, gradient, n)), 1e-12);
    const orr_node rho = orr_fill(g, orr_node_dtype(g, length), ORR_SCALAR, orr_real(s, "rho"));
    const orr_node factor = orr_div(g, rho, length);
    for (int32_t i = 0; i < n; i++) gradient[i] = orr_add(g, w[i], orr_mul(g, gradient[i], factor));
    of->at(of->self, g, gradient, gradient);
}

const orr_rule orr_rule_sam = {
    .kind = { "sam", "sharpness-aware minimisation: the gradient from uphill", parameters },
    .step = step,
    .regradient = regradient,
};
