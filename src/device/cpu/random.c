/* Normal draws in float64 and float32 by vectors of Philox blocks; the other distributions by plain loops.  The values
 * are those of base/random.h up to the last places of log, cos and sin. */
#include "device/cpu/cpu.h"
#include "device/cpu/draws.h"

enum { TASK_DRAWS = 1 << 13, TASKS_MAX = 64 };

typedef struct job {
    const orr_launch *l;
    const orr_cpu_draws *draws;
    int64_t n, each, tasks; /* draws of a member; of a task; tasks of a member */
} job;

/* The key's row of a member: seed low, seed high, purpose, step. */
static void read_key(const orr_view *key, int64_t member, uint32_t out[4]) {
    const int32_t last = key->shape.rank - 1;
    int64_t at = 0;
    for (int32_t i = last - 1; i >= 0; i--) {
        at += member % key->shape.size[i] * key->stride[i];
        member /= key->shape.size[i];
    }
    for (int k = 0; k < 4; k++) out[k] = (uint32_t)((const int32_t *)key->data)[at + k * key->stride[last]];
}

static void run_task(void *arg, int64_t task, int worker) {
    const job *j = arg;
    (void)worker;
    const int64_t member = task / j->tasks, first = task % j->tasks * j->each;
    const int64_t n = j->n - first < j->each ? j->n - first : j->each;
    uint32_t key[4];
    read_key(&j->l->args[0], member, key);
    if (j->l->out.dtype == ORR_F64)
        j->draws->normal_f64(key, (uint64_t)first, n, (double *)j->l->out.data + member * j->n + first);
    else j->draws->normal_f32(key, (uint64_t)first, n, (float *)j->l->out.data + member * j->n + first);
}

orr_status orr_cpu_random_run(orr_context *ctx, const orr_launch *l) {
    const orr_attr_random *attr = l->attr;
    if (attr->distribution != ORR_NORMAL) return orr_device_ref.kernel[ORR_OP_random].run(ctx, l);
    job j = { .l = l, .draws = orr_cpu_draws_choose(), .n = orr_shape_count(&attr->type.shape) };
    const int64_t members = j.n ? orr_shape_count(&l->out.shape) / j.n : 0;
    int64_t tasks = j.n / TASK_DRAWS;
    if (tasks > TASKS_MAX) tasks = TASKS_MAX;
    if (tasks < 1) tasks = 1;
    j.each = ((j.n + tasks - 1) / tasks + 255) / 256 * 256; /* whole runs of blocks */
    j.tasks = j.each ? (j.n + j.each - 1) / j.each : 0;
    orr_parallel(l->pool, members * j.tasks, run_task, &j);
    return ORR_OK;
}
