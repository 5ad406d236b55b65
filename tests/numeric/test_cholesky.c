#include "dense_testing.h"
#include "goldens.h"

static void cholesky_is_scipys_and_solves(void **state) {
    double a[25], l[25], back[25], b[10], x[10], ax[10];
    fill_positive(2, 5, a);
    arenas m = arenas_new(*state);
    assert_ok(*state, orr_cholesky(*state, 5, a, l));
    assert_all_close(25, l, golden_cholesky_5, 1e-15 * 4);
    multiply(5, 5, 5, l, false, l, true, back);
    assert_all_close(25, back, a, 1e-15 * 4);
    fill_general(3, 5, 2, b);
    assert_ok(*state, orr_cholesky_solve(*state, m.scratch, 5, l, 2, b, x));
    multiply(5, 2, 5, a, false, x, false, ax);
    assert_all_close(10, ax, b, 1e-14);
    assert_ok(*state, orr_cholesky_solve(*state, m.scratch, 5, l, 2, b, b)); /* in place */
    assert_memory_equal(b, x, sizeof x);
    assert_ok(*state, orr_cholesky(*state, 5, a, a));
    assert_memory_equal(a, l, sizeof l);
    a[0] = 9;
    assert_ok(*state, orr_cholesky(*state, 1, a, l));
    assert_true(l[0] == 3);
    assert_ok(*state, orr_cholesky(*state, 0, a, l));
    arenas_free(m);
}

/* Of 4 on the diagonal and 1 off it, n x n: eigenvalues n + 3 once and 3. */
static void the_trace_of_an_inverse_is_a_sum_over_eigenvalues(void **state) {
    double a[6 * 6], l[6 * 6], trace;
    arenas m = arenas_new(*state);
    for (int n = 0; n <= 6; n++) {
        for (int i = 0; i < n * n; i++) a[i] = i % (n + 1) == 0 ? 4 : 1;
        assert_ok(*state, orr_cholesky(*state, n, a, l));
        assert_ok(*state, orr_cholesky_inverse_trace(*state, m.scratch, n, l, &trace));
        assert_close(trace, n ? 1.0 / (n + 3) + (n - 1) / 3.0 : 0.0, 1e-14);
    }
    arenas_free(m);
}

static void cholesky_names_the_pivot_that_fails(void **state) {
    double a[25], l[25];
    for (int bad = 0; bad < 5; bad++)
        for (int value = -1; value <= 0; value++) {
            fill_positive(2, 5, a);
            for (int j = 0; j < 5; j++) a[bad * 5 + j] = a[j * 5 + bad] = 0;
            a[bad * 5 + bad] = value;
            char expected[40];
            (void)snprintf(expected, sizeof expected, "pivot %d of 5", bad + 1);
            assert_refused(*state, orr_cholesky(*state, 5, a, l), ORR_ENUMERIC, expected);
        }
}

static void an_entry_that_is_not_finite_is_named(void **state) {
    double a[16], good[16], x[16];
    fill_positive(1, 4, good);
    arenas m = arenas_new(*state);
    for (int i = 0; i < SPOILS; i++) {
        spoil(i, a);
        assert_refused(*state, orr_cholesky(*state, 4, a, x), ORR_EINPUT, SPOILT);
        assert_refused(*state, orr_cholesky_solve(*state, m.scratch, 4, good, 4, a, x), ORR_EINPUT, SPOILT);
    }
    arenas_free(m);
}

/* ---- what is cut into tasks ------------------------------------------------------------------------------------ */

/* n on the diagonal, less than 1/2 off it. */
static double *dominated(int64_t n) {
    double *a = numbers(n * n);
    fill_symmetric(5, n, a);
    for (int64_t i = 0; i < n; i++) a[i * n + i] = (double)n;
    return a;
}

static void large_cholesky_factors_multiply_back_with_equal_bits_for_any_threads(void **state) {
    static const int64_t extents[] = { 47, 48, 49, 97, 128, 257, LARGE };
    const team t = team_new();
    for (int e = 0; e < 7; e++) {
        const int64_t n = extents[e];
        double *a = dominated(n), *l = numbers(n * n), *again = numbers(n * n);
        assert_ok(t.ctx[0], orr_cholesky(t.ctx[0], n, a, l));
        orr_dense_multiply(n, n, n, l, false, l, true, again);
        assert_all_close(n * n, again, a, 1e-12); /* entries up to 531, of sums of as many terms that add up to that */
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = i + 1; j < n; j++) assert_true(l[i * n + j] == 0.0);
        for (int i = 1; i < TEAMS; i++) {
            assert_ok(t.ctx[i], orr_cholesky(t.ctx[i], n, a, again));
            assert_memory_equal(again, l, sizeof *l * (size_t)(n * n));
        }
        assert_ok(t.ctx[1], orr_cholesky(t.ctx[1], n, a, a)); /* in place */
        assert_memory_equal(a, l, sizeof *l * (size_t)(n * n));
        free(a), free(l), free(again);
    }
    team_free(t);
    (void)state;
}

static void a_large_cholesky_names_its_pivot_and_what_is_not_finite(void **state) {
    static const int64_t bad[] = { 0, 127, 128, 265, 266, 400, LARGE - 1 };
    double *a = dominated(LARGE), *l = numbers(LARGE * LARGE);
    char expected[60];
    for (int k = 0; k < 7; k++) {
        a[bad[k] * LARGE + bad[k]] = 0;
        (void)snprintf(expected, sizeof expected, "pivot %lld of %d", (long long)bad[k] + 1, LARGE);
        assert_refused(*state, orr_cholesky(*state, LARGE, a, l), ORR_ENUMERIC, expected);
        a[bad[k] * LARGE + bad[k]] = LARGE;
        a[bad[k] * LARGE + bad[k] / 2] = k % 2 ? (double)NAN : (double)INFINITY;
        (void)snprintf(expected, sizeof expected, "entry (%lld, %lld)", (long long)bad[k], (long long)bad[k] / 2);
        assert_refused(*state, orr_cholesky(*state, LARGE, a, l), ORR_EINPUT, expected);
        a[bad[k] * LARGE + bad[k] / 2] = k ? 0.0 : LARGE;
    }
    free(a), free(l);
}

static void a_block_is_factored_where_it_lies(void **state) {
    enum { PART = 200, WIDE = 257 };
    double *a = numbers(WIDE * WIDE), *before = numbers(WIDE * WIDE), *l = numbers(PART * PART),
           *block = numbers(PART * PART);
    fill_symmetric(6, WIDE, a);
    for (int64_t i = 0; i < WIDE; i++) a[i * WIDE + i] = WIDE;
    memcpy(before, a, sizeof *a * WIDE * WIDE);
    for (int64_t i = 0; i < PART; i++) memcpy(block + i * PART, a + i * WIDE, sizeof *a * PART);
    assert_ok(*state, orr_cholesky(*state, PART, block, l));
    assert_ok(*state, orr_cholesky_in_place(*state, PART, a, WIDE));
    for (int64_t i = 0; i < WIDE; i++)
        for (int64_t j = 0; j < WIDE; j++)
            assert_true(a[i * WIDE + j] == (i < PART && j <= i ? l[i * PART + j] : before[i * WIDE + j]));
    memcpy(a, before, sizeof *a * WIDE * WIDE);
    a[150 * WIDE + 20] = (double)NAN;
    assert_refused(*state, orr_cholesky_in_place(*state, PART, a, WIDE), ORR_ENUMERIC, "Cholesky");
    free(a), free(before), free(l), free(block);
}

static void leading_blocks_are_solved_by_the_factor_of_the_whole(void **state) {
    static const int64_t sizes[] = { 0, 1, 50, LARGE, 300 }; /* in any order */
    enum { SIZES = 5 };
    double *a = dominated(LARGE), *l = numbers(LARGE * LARGE), *part = numbers(LARGE * LARGE), b[LARGE], one[LARGE];
    double *x = numbers(LARGE * SIZES);
    arenas m = arenas_new(*state);
    fill_general(3, LARGE, 1, b);
    assert_ok(*state, orr_cholesky(*state, LARGE, a, l));
    assert_ok(*state, orr_cholesky_solve_leading(*state, m.scratch, LARGE, l, LARGE, SIZES, sizes, b, x));
    for (int s = 0; s < SIZES; s++) {
        const int64_t n = sizes[s];
        for (int64_t i = 0; i < n; i++) memcpy(part + i * n, a + i * LARGE, sizeof *part * (size_t)n);
        assert_ok(*state, orr_solve(*state, m.scratch, n, part, 1, b, one, NULL));
        for (int64_t i = 0; i < LARGE; i++) assert_close(x[i * SIZES + s], i < n ? one[i] : 0.0, 1e-17); /* of 1e-3 */
    }
    assert_refused(*state, orr_cholesky_solve_leading(*state, m.scratch, 5, l, 5, 1, &(int64_t){ 6 }, b, x), ORR_EINPUT,
                   "size 6 of 5 x 5");
    assert_ok(*state, orr_cholesky_solve_leading(*state, m.scratch, 0, l, 1, 1, &(int64_t){ 0 }, b, x));
    arenas_free(m);
    free(a), free(l), free(part), free(x);
}

static orr_status each_solver(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch) {
    double a[36], b[12], x[12];
    (void)out_arena;
    fill_positive(1, 6, a);
    fill_general(2, 6, 2, b);
    ORR_TRY(ctx, orr_cholesky(ctx, 6, a, a));
    ORR_TRY(ctx, orr_cholesky_solve_leading(ctx, scratch, 6, a, 6, 2, (const int64_t[]){ 3, 6 }, b, x));
    return orr_cholesky_solve(ctx, scratch, 6, a, 2, b, x);
}

static void each_allocation_may_fail(void **state) {
    (void)state;
    assert_each_allocation_may_fail(each_solver);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cholesky_is_scipys_and_solves),
        cmocka_unit_test(the_trace_of_an_inverse_is_a_sum_over_eigenvalues),
        cmocka_unit_test(cholesky_names_the_pivot_that_fails),
        cmocka_unit_test(an_entry_that_is_not_finite_is_named),
        cmocka_unit_test(large_cholesky_factors_multiply_back_with_equal_bits_for_any_threads),
        cmocka_unit_test(a_large_cholesky_names_its_pivot_and_what_is_not_finite),
        cmocka_unit_test(a_block_is_factored_where_it_lies),
        cmocka_unit_test(leading_blocks_are_solved_by_the_factor_of_the_whole),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("numeric/cholesky", tests, context_setup, context_teardown);
}
