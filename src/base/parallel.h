/* Thread pool.  Work is cut into numbered tasks by its size alone, never by the number of threads, so that results
 * don't depend on how many there are: a task writes only what is its own, and what is combined is combined in task
 * order. */
#ifndef ORR_BASE_PARALLEL_H
#define ORR_BASE_PARALLEL_H

#include "orrery.h"

typedef struct orr_pool orr_pool;

/* threads - 1 workers are started; the caller is the last.  threads >= 1.  Fails: ORR_ENOMEM, ORR_EIO. */
orr_status orr_pool_new(orr_context *ctx, int threads, orr_pool **out) ORR_MUST_USE;
void orr_pool_free(orr_pool *pool);
int orr_pool_threads(const orr_pool *pool);

/* body(arg, task, worker) for each 0 <= task < tasks, in no stated order, on any worker 0 <= worker < threads.  Returns
 * when all are done.  Allocates nothing.  Runs on the caller alone where tasks < 2 or where a body calls it again.
 * Nested calls all say worker 0, at the same time: scratch found by that number must belong to the outer task. */
typedef void orr_task(void *arg, int64_t task, int worker);
void orr_parallel(orr_pool *pool, int64_t tasks, orr_task *body, void *arg);

/* How many workers that many tasks may see, so much scratch is enough: one where the caller runs them all. */
int orr_parallel_workers(const orr_pool *pool, int64_t tasks);

#endif
