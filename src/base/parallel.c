#include "base/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "base/context.h"

/* Workers spin for a while before they sleep: inside a training step the next kernel comes within microseconds, and
 * waking a sleeping thread costs more than most kernels of a small network.  SPINS pauses are about 50 microseconds. */
enum { SPINS = 2000 };

/* A batch of tasks is a state of the gate: its number, whether it is open, and how many workers have joined.  Who calls waits for those
 * that joined, never for one that is still asleep or has no core: where the tasks are done before it comes, it finds the gate shut. */
enum { JOINED = 0xfff, OPEN = 0x1000, BATCH = 0x2000 };
static uint_fast64_t batch_of(uint_fast64_t gate) { return gate & ~(uint_fast64_t)(BATCH - 1); }

typedef struct worker {
    orr_pool *pool;
    pthread_t thread;
    int index;
} worker;

struct orr_pool {
    orr_context *ctx;
    worker *workers; /* [threads - 1] */
    int threads, started;
    bool busy; /* a call is under way: touched by the caller's thread and by its own nested calls alone */
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    atomic_uint_fast64_t gate;
    atomic_int sleeping, finished; /* finished: of those that joined */
    atomic_bool ending;
    atomic_int_fast64_t next;
    int64_t tasks;
    orr_task *body;
    void *arg;
};

static inline void pause_briefly(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#else
    atomic_signal_fence(memory_order_seq_cst);
#endif
}

static void work(orr_pool *pool, int index) {
    for (;;) {
        const int64_t task = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
        if (task >= pool->tasks) return;
        pool->body(pool->arg, task, index);
    }
}

static void wait_for_work(orr_pool *pool, uint_fast64_t seen) {
    for (int i = 0; i < SPINS; i++) {
        if (batch_of(atomic_load_explicit(&pool->gate, memory_order_acquire)) != seen) return;
        pause_briefly();
    }
    (void)pthread_mutex_lock(&pool->mutex);
    atomic_fetch_add(&pool->sleeping, 1);
    while (batch_of(atomic_load(&pool->gate)) == seen) (void)pthread_cond_wait(&pool->wake, &pool->mutex);
    atomic_fetch_sub(&pool->sleeping, 1);
    (void)pthread_mutex_unlock(&pool->mutex);
}

/* Joins the batch that is open, if one is; what it is made of isn't touched before.  The batch that was seen. */
static uint_fast64_t join(orr_pool *pool, bool *joined) {
    uint_fast64_t gate = atomic_load(&pool->gate);
    do *joined = gate & OPEN;
    while (*joined && !atomic_compare_exchange_weak(&pool->gate, &gate, gate + 1));
    return batch_of(gate);
}

static void *worker_main(void *arg) {
    worker *me = arg;
    orr_pool *pool = me->pool;
    for (uint_fast64_t seen = 0;;) {
        bool joined;
        wait_for_work(pool, seen);
        if (atomic_load(&pool->ending)) return NULL;
        seen = join(pool, &joined);
        if (!joined) continue;
        work(pool, me->index);
        atomic_fetch_add_explicit(&pool->finished, 1, memory_order_release);
    }
}

/* The next batch, open or not. */
static void announce(orr_pool *pool, uint_fast64_t open) {
    atomic_store(&pool->gate, batch_of(atomic_load(&pool->gate)) + BATCH + open);
    if (atomic_load(&pool->sleeping) == 0) return;
    (void)pthread_mutex_lock(&pool->mutex); /* nobody is between its last look and its wait */
    (void)pthread_cond_broadcast(&pool->wake);
    (void)pthread_mutex_unlock(&pool->mutex);
}

void orr_parallel(orr_pool *pool, int64_t tasks, orr_task *body, void *arg) {
    if (tasks < 2 || pool->threads == 1 || pool->busy) {
        for (int64_t task = 0; task < tasks; task++) body(arg, task, 0);
        return;
    }
    pool->busy = true;
    pool->body = body;
    pool->arg = arg;
    pool->tasks = tasks;
    atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
    atomic_store_explicit(&pool->finished, 0, memory_order_relaxed);
    announce(pool, OPEN);
    work(pool, pool->threads - 1);
    const int joined = (int)(atomic_fetch_and(&pool->gate, ~(uint_fast64_t)OPEN) & JOINED);
    for (int spins = 0; atomic_load_explicit(&pool->finished, memory_order_acquire) < joined; spins++)
        if (spins < SPINS) pause_briefly();
        else (void)sched_yield();
    pool->busy = false;
}

int orr_parallel_workers(const orr_pool *pool, int64_t tasks) { return tasks < 2 ? 1 : pool->threads; }

int orr_pool_threads(const orr_pool *pool) { return pool->threads; }

orr_status orr_pool_new(orr_context *ctx, int threads, orr_pool **out) {
    *out = NULL;
    orr_pool *pool = orr_allocate(ctx, sizeof *pool);
    if (!pool) return orr_fail(ctx, ORR_ENOMEM, "thread pool: no memory for its head");
    memset(pool, 0, sizeof *pool);
    pool->ctx = ctx;
    pool->threads = threads;
    (void)pthread_mutex_init(&pool->mutex, NULL); /* with default attributes these two can't fail on Linux */
    (void)pthread_cond_init(&pool->wake, NULL);
    if (threads > 1) {
        pool->workers = orr_allocate(ctx, (size_t)(threads - 1) * sizeof *pool->workers);
        if (!pool->workers) {
            orr_pool_free(pool);
            return orr_fail(ctx, ORR_ENOMEM, "thread pool: no memory for %d threads", threads);
        }
    }
    for (int i = 0; i < threads - 1; i++) {
        pool->workers[i] = (worker){ .pool = pool, .index = i };
        const int error = pthread_create(&pool->workers[i].thread, NULL, worker_main, &pool->workers[i]);
        if (error) {
            orr_pool_free(pool);
            return orr_fail(ctx, ORR_EIO, "thread pool: thread %d of %d: %s; ask for fewer threads", i + 1, threads,
                            strerror(error));
        }
        pool->started++;
    }
    *out = pool;
    return ORR_OK;
}

void orr_pool_free(orr_pool *pool) {
    if (!pool) return;
    atomic_store(&pool->ending, true);
    announce(pool, 0);
    for (int i = 0; i < pool->started; i++) (void)pthread_join(pool->workers[i].thread, NULL);
    (void)pthread_cond_destroy(&pool->wake);
    (void)pthread_mutex_destroy(&pool->mutex);
    orr_context *ctx = pool->ctx;
    orr_release(ctx, pool->workers);
    orr_release(ctx, pool);
}
