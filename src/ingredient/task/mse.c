/* Squared error:  l_i = factor |f(x_i) - y_i|^2, summed or averaged over outputs.  y is one-hot where the data have labels;
 * the usual conventions are 1/(2n) sum over examples and outputs. */
#include <string.h>

#include "ingredient/task/mse.h"

static const orr_parameter parameters[] = {
    ORR_MSE_PARAMETERS,
    ORR_TASK_CONVENTIONS,
    { 0 },
};

static bool signature(const orr_settings *s, const orr_dataset *d, orr_signature *out, const char **why) {
    (void)s;
    if (d->classes > 0) return orr_task_classes(d, out, why);
    *out = (orr_signature){ .input = d->input, .vocabulary = d->vocabulary, .outputs = orr_dataset_targets(d) };
    *why = "needs targets; these data have none";
    return d->y != NULL;
}

/* (f - s y)^2, [n, outputs] */
static orr_node squares(orr_graph *g, const orr_settings *s, orr_node output, orr_node target, int64_t classes) {
    if (orr_node_dtype(g, target) == ORR_I32) target = orr_one_hot(g, target, classes, orr_node_dtype(g, output));
    target = orr_scale(g, target, orr_real(s, "target_scale"));
    return orr_square(g, orr_sub(g, output, orr_reshape(g, target, orr_node_shape(g, output))));
}

/* What a sum of squares is divided by, n examples of which make one. */
static double divisor(const orr_settings *s, orr_shape output, int64_t n) {
    const int64_t count = orr_shape_count(&output), examples = output.rank > 0 ? output.size[0] : 1;
    const double outputs =
        orr_settings_say(s, "outputs", "mean") && examples > 0 ? (double)count / (double)examples : 1.0;
    return (double)n * outputs / orr_real(s, "factor");
}

orr_node orr_mse_each(orr_graph *g, const orr_settings *s, orr_node output, orr_node target, int64_t classes) {
    const orr_shape shape = orr_node_shape(g, output);
    const orr_node e = orr_reshape(g, squares(g, s, output, target, classes), ORR_SHAPE(shape.size[0], -1));
    return orr_div(g, orr_sum(g, e, ORR_AXES(1)),
                   orr_fill(g, orr_node_dtype(g, output), ORR_SCALAR, divisor(s, shape, 1)));
}

/* One sum and one division, not a mean of each: what summation leaves is rounded once. */
orr_node orr_mse_loss(orr_graph *g, const orr_settings *s, orr_node output, orr_node target, int64_t classes) {
    const orr_shape shape = orr_node_shape(g, output);
    const double below = divisor(s, shape, orr_settings_say(s, "examples", "mean") ? shape.size[0] : 1);
    return orr_div(g, orr_sum_all(g, squares(g, s, output, target, classes)),
                   orr_fill(g, orr_node_dtype(g, output), ORR_SCALAR, below));
}

double orr_mse_curvature(const orr_settings *s, int64_t n, int64_t outputs) {
    return 2.0 / divisor(s, ORR_SHAPE(n, outputs), orr_settings_say(s, "examples", "mean") ? n : 1);
}

void orr_mse_targets(const orr_settings *s, const orr_dataset *d, int64_t first, int64_t n, int64_t outputs,
                     double *y) {
    const double scale = orr_real(s, "target_scale");
    for (int64_t i = 0; i < n * outputs; i++) {
        const int64_t example = first + i / outputs, o = i % outputs;
        if (d->classes) y[i] = scale * (d->label[example] == o);
        else y[i] = scale * d->y[example * outputs + o];
    }
}

static orr_node correct(orr_graph *g, const orr_settings *s, orr_node output, orr_node target, int64_t classes) {
    (void)s;
    return classes > 0 && orr_node_dtype(g, target) == ORR_I32 ? orr_task_largest_is(g, output, target) : ORR_NONE;
}

const orr_task orr_task_mse = {
    .kind = { "mse", "squared error; labels are one-hot targets", parameters },
    .one_hot = true,
    .signature = signature,
    .each = orr_mse_each,
    .loss = orr_mse_loss,
    .correct = correct,
};
