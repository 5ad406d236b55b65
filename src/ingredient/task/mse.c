/* Mean squared error on one-hot targets y:  L = 1/(2n) sum_i |f(x_i) - y_i|^2, summed over outputs, averaged over examples. */
#include "ingredient/task/task.h"

static const orr_parameter parameters[] = { { 0 } };

static orr_node loss(orr_graph *g, const orr_settings *s, orr_node output, orr_node label, int64_t classes) {
    (void)s;
    return orr_mse(g, output, orr_one_hot(g, label, classes, orr_node_dtype(g, output)));
}

const orr_task orr_task_mse = {
    .kind = { "mse", "squared error on one-hot targets: 1/(2n) sum over examples and outputs", parameters },
    .loss = loss,
};
