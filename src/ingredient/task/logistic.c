/* Logistic loss of two classes with one output f:  l_i = log(1 + e^{-y_i f(x_i)}),  y = -1, 1. */
#include "ingredient/task/task.h"

static const orr_parameter parameters[] = {
    ORR_TASK_CONVENTIONS,
    { 0 },
};

static bool signature(const orr_settings *s, const orr_dataset *d, orr_signature *out, const char **why) {
    (void)s;
    return orr_task_two_classes(d, out, why);
}

static orr_node each(orr_graph *g, const orr_settings *s, orr_node output, orr_node target, int64_t classes) {
    (void)s, (void)classes;
    return orr_softplus(g, orr_neg(g, orr_task_margin(g, output, target)));
}

const orr_task orr_task_logistic = {
    .kind = { "logistic", "log(1 + e^{-y f}) with one output f and labels y = -1, 1", parameters },
    .signature = signature,
    .each = each,
    .correct = orr_task_margin_correct,
};
