/* The squared error, for the tasks that are made of it: mse and denoising. */
#ifndef ORR_INGREDIENT_TASK_MSE_H
#define ORR_INGREDIENT_TASK_MSE_H

#include "ingredient/task/task.h"

#define ORR_MSE_PARAMETERS                                                                                             \
    { "factor", ORR_REAL, .fallback = "0.5", .range = "(0, inf)", .help = "before the squares: 1/2 or 1" },            \
        { "target_scale", ORR_REAL, .fallback = "1", .help = "s: the targets are s times what they would be" }, {      \
        "outputs", ORR_CHOICE, .fallback = "sum", .choices = "sum mean", .help = "how outputs are put together"        \
    }

/* What `each` and `loss` of orr_task do.  target: numbers, as many as there are outputs, or labels: one-hot. */
orr_node orr_mse_each(orr_graph *g, const orr_settings *s, orr_node output, orr_node target, int64_t classes);
orr_node orr_mse_loss(orr_graph *g, const orr_settings *s, orr_node output, orr_node target, int64_t classes);

/* What theory asks of it: d^2 loss / df^2 of each number that comes out, the same for all; and those numbers' targets as the loss
 * has them, y[n, outputs] of examples first .. first + n - 1. */
double orr_mse_curvature(const orr_settings *s, int64_t n, int64_t outputs);
void orr_mse_targets(const orr_settings *s, const orr_dataset *d, int64_t first, int64_t n, int64_t outputs, double *y);

#endif
