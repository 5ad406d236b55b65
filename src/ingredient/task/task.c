#include "ingredient/task/task.h"

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
