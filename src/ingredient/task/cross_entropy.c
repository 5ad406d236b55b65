/* Cross-entropy of the softmax:  L = -1/n sum_i log softmax(f(x_i))[label_i], in nats. */
#include "ingredient/task/task.h"

static const orr_parameter parameters[] = { { 0 } };

static orr_node loss(orr_graph *g, const orr_settings *s, orr_node output, orr_node label, int64_t classes) {
    (void)s, (void)classes;
    return orr_mean_all(g, orr_cross_entropy(g, output, label));
}

const orr_task orr_task_cross_entropy = {
    .kind = { "cross-entropy", "cross-entropy of the softmax, in nats, averaged over examples", parameters },
    .loss = loss,
};
