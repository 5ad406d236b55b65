#include "testing.h"

static void taken_memory_is_zero_aligned_and_distinct(void **state) {
    orr_arena *arena;
    assert_ok(*state, orr_arena_new(*state, &arena));
    unsigned char *last = NULL;
    for (int64_t n = 1; n < 300; n += 7) {
        unsigned char *p = ORR_NEW(arena, unsigned char, n *n);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 64, 0);
        for (int64_t i = 0; i < n * n; i++) {
            assert_int_equal(p[i], 0);
            p[i] = 0xff;
        }
        assert_ptr_not_equal(p, last);
        last = p;
    }
    orr_arena_free(arena);
}

static void a_size_that_overflows_is_refused(void **state) {
    orr_arena *arena;
    assert_ok(*state, orr_arena_new(*state, &arena));
    assert_null(orr_arena_take(arena, INT64_MAX, 16));
    assert_null(orr_arena_take(arena, -1, 1));
    orr_arena_free(arena);
}

static void rewinding_gives_the_memory_back(void **state) {
    orr_arena *arena;
    assert_ok(*state, orr_arena_new(*state, &arena));
    const orr_arena_mark mark = orr_arena_here(arena);
    for (int i = 0; i < 20; i++) assert_non_null(ORR_NEW(arena, double, 10000));
    assert_true(orr_arena_used(arena) >= 20 * 80000);
    orr_arena_rewind(arena, mark);
    assert_int_equal(orr_arena_used(arena), 0);
    assert_string_equal(orr_arena_format(arena, "%d-%s", 7, "x"), "7-x");
    orr_arena_free(arena);
}

static void what_is_large_is_given_back_and_the_rest_stays(void **state) {
    enum { LARGE = 1 << 20 };
    orr_arena *arena;
    assert_ok(*state, orr_arena_new(*state, &arena));
    char *before = orr_arena_string(arena, "before");
    double *first = ORR_NEW(arena, double, LARGE);
    char *between = orr_arena_string(arena, "between");
    double *second = ORR_NEW(arena, double, LARGE);
    assert_true(before && first && between && second);
    const size_t used = orr_arena_used(arena);
    orr_arena_give_back(arena, first);
    assert_int_equal(orr_arena_used(arena), used - LARGE * sizeof(double));
    orr_arena_give_back(arena, first); /* is no longer there */
    orr_arena_give_back(arena, NULL);
    orr_arena_give_back(arena, between); /* shares its block */
    assert_int_equal(orr_arena_used(arena), used - LARGE * sizeof(double));
    second[LARGE - 1] = 1.0;
    orr_arena_give_back(arena, second); /* the last block */
    assert_int_equal(orr_arena_used(arena), used - 2 * LARGE * sizeof(double));
    assert_string_equal(orr_arena_string(arena, "after"), "after");
    assert_string_equal(before, "before");
    assert_string_equal(between, "between");
    orr_arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(taken_memory_is_zero_aligned_and_distinct),
        cmocka_unit_test(a_size_that_overflows_is_refused),
        cmocka_unit_test(rewinding_gives_the_memory_back),
        cmocka_unit_test(what_is_large_is_given_back_and_the_rest_stays),
    };
    return cmocka_run_group_tests_name("base/arena", tests, context_setup, context_teardown);
}
