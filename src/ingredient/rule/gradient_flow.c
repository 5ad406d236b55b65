/* Gradient flow, dw/dt = -grad L(w), by an adaptive integrator: what gradient descent tends to as eta -> 0, t = eta k. */
#include "ingredient/rule/rule.h"

static const orr_parameter parameters[] = {
    { "time_step", ORR_REAL, .fallback = "1", .range = "(0, inf)", .help = "time of one update" },
    { "relative_tolerance", ORR_REAL, .fallback = "1e-8", .range = "(0, 1)",
      .help = "of each weight, per step of the integrator" },
    { "absolute_tolerance", ORR_REAL, .fallback = "1e-10", .range = "(0, inf)",
      .help = "of each weight, per step of the integrator" },
    { 0 },
};

const orr_rule orr_rule_gradient_flow = {
    .kind = { "gradient-flow", "gradient descent in continuous time", parameters },
    .flow = true,
};
