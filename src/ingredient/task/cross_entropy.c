/* Cross-entropy of the softmax:  l_i = -log softmax(f(x_i))[label_i], in nats.
 *
 * With decays of the last layer's features and of the readout (unconstrained features; sheet empirical/neural-collapse)
 *
 *     L + lw/2 |W|_F^2 + lh/2 sum_i |h_i|^2        over all N training examples, in a batch of B times N/B */
#include "ingredient/task/task.h"

static const orr_parameter parameters[] = {
    ORR_TASK_CONVENTIONS,
    { "readout_decay", ORR_REAL, .fallback = "0", .range = "[0, inf)",
      .help = "lw of lw/2 |W|^2, W the readout's weights, added to the loss" },
    { "feature_decay", ORR_REAL, .fallback = "0", .range = "[0, inf)",
      .help = "lh of lh/2 sum_i |h_i|^2, h_i what the readout sees of each example, added to the loss" },
    { 0 },
};

static bool signature(const orr_settings *s, const orr_dataset *d, orr_signature *out, const char **why) {
    (void)s;
    return orr_task_classes(d, out, why);
}

static orr_node each(orr_graph *g, const orr_settings *s, orr_node output, orr_node label, int64_t classes) {
    (void)s, (void)classes;
    return orr_cross_entropy(g, output, label);
}

static orr_node correct(orr_graph *g, const orr_settings *s, orr_node output, orr_node label, int64_t classes) {
    (void)s, (void)classes;
    return orr_task_largest_is(g, output, label);
}

const orr_task orr_task_cross_entropy = {
    .kind = { "cross-entropy", "cross-entropy of the softmax, in nats", parameters },
    .signature = signature,
    .each = each,
    .correct = correct,
};
