/* Task: the third ingredient, what the network's outputs are for.  A kind is one file here, one row in task.def. */
#ifndef ORR_INGREDIENT_TASK_TASK_H
#define ORR_INGREDIENT_TASK_TASK_H

#include "base/parameter.h"
#include "orrery.h"

typedef struct orr_task {
    orr_kind kind;
    /* The scalar loss of output[n, classes] for label[n] (i32). */
    orr_node (*loss)(orr_graph *g, const orr_settings *s, orr_node output, orr_node label, int64_t classes);
} orr_task;

const orr_task *orr_task_at(int i); /* the kinds in their order; NULL past the last */

#endif
