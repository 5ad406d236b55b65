#define _GNU_SOURCE /* nanosleep */
#include "base/parallel.h"
#include "base/random.h"
#include "testing.h"

#include <stdatomic.h>
#include <time.h>

enum { TASKS = 1000, THREADS_MAX = 4 };

typedef struct tally {
    atomic_int done[TASKS];
    atomic_int wrong_worker;
    orr_pool *pool;
    int threads;
} tally;

static void count(void *arg, int64_t task, int worker) {
    tally *t = arg;
    atomic_fetch_add(&t->done[task], 1);
    if (worker < 0 || worker >= t->threads) atomic_fetch_add(&t->wrong_worker, 1);
}

static void assert_each_done(tally *t, int64_t tasks, int times) {
    for (int64_t i = 0; i < TASKS; i++) assert_int_equal(atomic_load(&t->done[i]), i < tasks ? times : 0);
    assert_int_equal(atomic_load(&t->wrong_worker), 0);
}

static void every_task_runs_exactly_once(void **state) {
    static const int64_t sizes[] = { 0, 1, 2, 3, 7, TASKS };
    for (int threads = 1; threads <= THREADS_MAX; threads++) {
        orr_pool *pool;
        assert_ok(*state, orr_pool_new(*state, threads, &pool));
        assert_int_equal(orr_pool_threads(pool), threads);
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            tally t = { .threads = threads };
            orr_parallel(pool, sizes[i], count, &t);
            assert_each_done(&t, sizes[i], 1);
        }
        orr_pool_free(pool);
    }
    orr_pool_free(NULL);
}

static void nest(void *arg, int64_t task, int worker) {
    tally *t = arg;
    (void)task, (void)worker;
    orr_parallel(t->pool, 17, count, t);
}

static void a_nested_call_does_all_its_tasks(void **state) {
    for (int threads = 1; threads <= THREADS_MAX; threads++) {
        tally t = { .threads = threads };
        assert_ok(*state, orr_pool_new(*state, threads, &t.pool));
        orr_parallel(t.pool, 23, nest, &t);
        assert_each_done(&t, 17, 23);
        orr_parallel(t.pool, 23, nest, &t); /* and the pool is whole after it */
        assert_each_done(&t, 17, 46);
        orr_pool_free(t.pool);
    }
}

/* The life of a small network: batch after batch of few short tasks, so workers are caught at each point of their loop.
 */
static void thousands_of_small_batches_lose_nothing(void **state) {
    enum { BATCHES = 5000 };
    for (int threads = 2; threads <= THREADS_MAX; threads += 2) {
        orr_pool *pool;
        assert_ok(*state, orr_pool_new(*state, threads, &pool));
        tally t = { .threads = threads };
        int expected[8] = { 0 };
        for (int batch = 0; batch < BATCHES; batch++) {
            orr_parallel(pool, 2 + batch % 7, count, &t);
            for (int i = 0; i < 2 + batch % 7; i++) expected[i]++;
        }
        for (int i = 0; i < 8; i++) assert_int_equal(atomic_load(&t.done[i]), expected[i]);
        orr_pool_free(pool);
    }
}

static void sleeping_workers_are_woken(void **state) {
    orr_pool *pool;
    assert_ok(*state, orr_pool_new(*state, 3, &pool));
    tally t = { .threads = 3 };
    for (int round = 0; round < 5; round++) {
        const struct timespec nap = { .tv_nsec = 2000000 }; /* 2 ms: far past the 50 us that workers spin */
        (void)nanosleep(&nap, NULL);
        orr_parallel(pool, TASKS, count, &t);
    }
    assert_each_done(&t, TASKS, 5);
    orr_pool_free(pool);
}

static void threads_without_work_end(void **state) {
    for (int i = 0; i < 50; i++) {
        orr_pool *pool;
        assert_ok(*state, orr_pool_new(*state, 1 + i % THREADS_MAX, &pool));
        orr_pool_free(pool);
    }
}

enum { CHUNK = 1000, CHUNKS = 64 };
typedef struct partial_sums {
    const double *x;
    double sum[CHUNKS];
} partial_sums;

static void sum_chunk(void *arg, int64_t task, int worker) {
    partial_sums *s = arg;
    (void)worker;
    double sum = 0;
    for (int64_t i = task * CHUNK; i < (task + 1) * CHUNK; i++) sum += s->x[i];
    s->sum[task] = sum;
}

/* Cut by size, combined in task order: the rounding is the same whoever did which part. */
static void a_sum_combined_in_order_has_equal_bits_for_any_threads(void **state) {
    static double x[CHUNK * CHUNKS];
    orr_random_fill_normal((orr_key){ .seed = 5, .purpose = ORR_PURPOSE_TEST }, 0, CHUNK * CHUNKS, x);
    double first = 0;
    for (int threads = 1; threads <= THREADS_MAX; threads++) {
        orr_pool *pool;
        assert_ok(*state, orr_pool_new(*state, threads, &pool));
        for (int again = 0; again < 10; again++) {
            partial_sums s = { .x = x };
            double total = 0;
            orr_parallel(pool, CHUNKS, sum_chunk, &s);
            for (int i = 0; i < CHUNKS; i++) total += s.sum[i];
            if (threads == 1 && again == 0) first = total;
            assert_memory_equal(&total, &first, sizeof total);
        }
        orr_pool_free(pool);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_task_runs_exactly_once),
        cmocka_unit_test(a_nested_call_does_all_its_tasks),
        cmocka_unit_test(thousands_of_small_batches_lose_nothing),
        cmocka_unit_test(sleeping_workers_are_woken),
        cmocka_unit_test(threads_without_work_end),
        cmocka_unit_test(a_sum_combined_in_order_has_equal_bits_for_any_threads),
    };
    return cmocka_run_group_tests_name("base/parallel", tests, context_setup, context_teardown);
}
