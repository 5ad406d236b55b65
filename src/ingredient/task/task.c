#include "ingredient/task/task.h"

#define ORR_TASK(name) extern const orr_task orr_task_##name;
#include "ingredient/task/task.def"
#undef ORR_TASK

static const orr_task *const all[] = {
#define ORR_TASK(name) &orr_task_##name,
#include "ingredient/task/task.def"
#undef ORR_TASK
};

const orr_task *orr_task_at(int i) { return i < (int)(sizeof all / sizeof all[0]) ? all[i] : NULL; }
