#include "ingredient/task/task.h"

#include <math.h>
#include <string.h>

#define ORR_TASK(name) extern const orr_task orr_task_##name;
#include "ingredient/task/task.def"
#undef ORR_TASK

static const orr_task *const all[] = {
#define ORR_TASK(name) &orr_task_##name,
#include "ingredient/task/task.def"
#undef ORR_TASK
};

const orr_task *orr_task_at(int i) { return i < (int)(sizeof all / sizeof all[0]) ? all[i] : NULL; }

orr_node orr_task_loss(orr_graph *g, const orr_task *task, const orr_settings *s, orr_node output, orr_node target,
                       int64_t classes) {
    if (task->loss) return task->loss(g, s, output, target, classes);
    const orr_node each = task->each(g, s, output, target, classes);
    return strcmp(orr_text(s, "examples"), "sum") == 0 ? orr_sum_all(g, each) : orr_mean_all(g, each);
}

bool orr_task_classes(const orr_dataset *d, orr_signature *out, const char **why) {
    *out = (orr_signature){ .input = d->input, .vocabulary = d->vocabulary, .outputs = d->classes };
    if (d->classes <= 0) *why = "needs labels; these data have numbers or no targets";
    else if (d->target.rank != 0) *why = "needs one label for each example; these data have several";
    else return true;
    return false;
}

/* ---- two classes ------------------------------------------------------------------------------------------------------------ */

static bool all_are_signs(const orr_dataset *d) {
    for (int64_t i = 0; i < d->n + d->n_test; i++)
        if (fabs(d->y[i]) != 1.0) return false;
    return true;
}

bool orr_task_two_classes(const orr_dataset *d, orr_signature *out, const char **why) {
    *out = (orr_signature){ .input = d->input, .vocabulary = d->vocabulary, .outputs = 1 };
    *why = "needs labels of two classes, or numbers that are -1 or 1";
    if (orr_dataset_targets(d) != 1) return false;
    return d->classes > 0 ? d->classes == 2 : d->y && all_are_signs(d);
}

orr_node orr_task_margin(orr_graph *g, orr_node output, orr_node target) {
    const orr_dtype dtype = orr_node_dtype(g, output);
    const orr_node f = orr_reshape(g, output, ORR_SHAPE(-1));
    orr_node y = orr_reshape(g, target, ORR_SHAPE(-1));
    if (orr_node_dtype(g, y) == ORR_I32) y = orr_shift(g, orr_scale(g, orr_cast(g, y, dtype), 2.0), -1.0);
    return orr_mul(g, y, f);
}

orr_node orr_task_margin_correct(orr_graph *g, const orr_settings *s, orr_node output, orr_node target,
                                 int64_t classes) {
    const orr_dtype dtype = orr_node_dtype(g, output);
    (void)s, (void)classes;
    return orr_cast(g, orr_gt(g, orr_task_margin(g, output, target), orr_fill(g, dtype, ORR_SCALAR, 0.0)), dtype);
}

orr_node orr_task_largest_is(orr_graph *g, orr_node output, orr_node label) {
    return orr_cast(g, orr_eq(g, orr_argmax(g, output, -1), label), orr_node_dtype(g, output));
}
