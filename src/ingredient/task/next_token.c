/* The next token at each position:  l_i = -1/T sum_t log softmax(f(x_i)_t)[label_it], in nats. */
#include "ingredient/task/task.h"

static const orr_parameter parameters[] = {
    ORR_TASK_CONVENTIONS,
    { 0 },
};

static bool signature(const orr_settings *s, const orr_dataset *d, orr_signature *out, const char **why) {
    (void)s;
    *out = (orr_signature){ .input = d->input, .vocabulary = d->vocabulary, .outputs = d->classes, .sequence = true };
    *why = "needs a label at each position of an input";
    return d->classes > 0 && d->target.rank == 1 && d->input.rank >= 1 && d->target.size[0] == d->input.size[0];
}

static orr_node each(orr_graph *g, const orr_settings *s, orr_node output, orr_node label, int64_t classes) {
    (void)s, (void)classes;
    return orr_mean(g, orr_cross_entropy(g, output, label), ORR_AXES(1));
}

static orr_node correct(orr_graph *g, const orr_settings *s, orr_node output, orr_node label, int64_t classes) {
    (void)s, (void)classes;
    return orr_task_largest_is(g, output, label);
}

const orr_task orr_task_next_token = {
    .kind = { "next-token", "cross-entropy of each next token, in nats, averaged over positions", parameters },
    .signature = signature,
    .each = each,
    .correct = correct,
};
