/* The squared error, for the tasks that are made of it: mse and denoising. */
#ifndef ORR_INGREDIENT_TASK_MSE_H
#define ORR_INGREDIENT_TASK_MSE_H

#include "ingredient/task/task.h"

#define ORR_MSE_PARAMETERS                                                                                             \
    { "factor", ORR_REAL, .fallback = "0.5", .range = "(0, inf)", .help = "before the squares: 1/2 or 1" }, {          \
        "outputs", ORR_CHOICE, .fallback = "sum", .choices = "sum mean", .help = "how outputs are put together"        \
    }

/* What `each` and `loss` of orr_task do.  target: numbers, as many as there are outputs, or labels: one-hot. */
orr_node orr_mse_each(orr_graph *g, const orr_settings *s, orr_node output, orr_node target, int64_t classes);
orr_node orr_mse_loss(orr_graph *g, const orr_settings *s, orr_node output, orr_node target, int64_t classes);

#endif
