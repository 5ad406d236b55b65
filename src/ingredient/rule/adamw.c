/* AdamW (Loshchilov, Hutter 2019, 1711.05101): Adam whose weight decay stays out of its averages, w - eta wd w. */
#include "ingredient/rule/adam.h"

static const orr_parameter parameters[] = {
    ORR_RULE_COMMON_WITH("rate"),
    ORR_ADAM_PARAMETERS,
    { 0 },
};

const orr_rule orr_rule_adamw = {
    .kind = { "adamw", "Adam with weight decay beside it, not in the gradient", parameters },
    .buffers = 2,
    .divides = true,
    .step = orr_adam_step,
    .preconditioner = orr_adam_preconditioner,
};
