#include <dirent.h>
#include "dense_testing.h"
#include "goldens.h"

static void products_are_sums_of_products(void **state) {
    (void)state;
    static const int64_t extents[] = { 0, 1, 2, 5, 13 };
    double a[13 * 13], b[13 * 13], c[13 * 13], d[13 * 13];
    fill_general(1, 13, 13, a);
    fill_general(2, 13, 13, b);
    for (int m = 0; m < 5; m++)
        for (int n = 0; n < 5; n++)
            for (int k = 0; k < 5; k++)
                for (int t = 0; t < 4; t++) {
                    const int64_t em = extents[m], en = extents[n], ek = extents[k];
                    orr_dense_multiply(em, en, ek, a, t & 1, b, t & 2, c);
                    multiply(em, en, ek, a, t & 1, b, t & 2, d);
                    assert_all_close(em * en, c, d, 1e-15); /* 13 terms below 1/4 */
                }
}

static void singular_values_are_scipys_and_factors_multiply_back(void **state) {
    static const int64_t extents[][2] = { { 7, 4 }, { 4, 7 }, { 5, 5 }, { 1, 6 }, { 6, 1 }, { 1, 1 }, { 40, 33 } };
    static double a[40 * 40], us[40 * 40], back[40 * 40], gram[40 * 40];
    for (int t = 0; t < 7; t++) {
        const int64_t rows = extents[t][0], columns = extents[t][1], k = rows < columns ? rows : columns;
        fill_general(1, rows, columns, a);
        arenas m = arenas_new(*state);
        orr_svd s;
        assert_ok(*state, orr_svd_thin(*state, m.out, m.scratch, rows, columns, a, &s));
        assert_int_equal(s.k, k);
        assert_ok(*state, orr_singular_values(*state, m.scratch, rows, columns, a, us));
        assert_all_close(k, us, s.s, 1e-15 * 10);
        if (t == 0) assert_all_close(4, s.s, golden_singular_7_4, 1e-15 * 4);
        for (int64_t i = 1; i < k; i++) assert_true(s.s[i] <= s.s[i - 1] && s.s[i] >= 0);
        orr_dense_multiply(k, k, rows, s.u, true, s.u, false, gram);
        assert_identity(k, gram, 1e-14);
        orr_dense_multiply(k, k, columns, s.vt, false, s.vt, true, gram);
        assert_identity(k, gram, 1e-14);
        for (int64_t i = 0; i < rows; i++)
            for (int64_t j = 0; j < k; j++) us[i * k + j] = s.u[i * k + j] * s.s[j];
        orr_dense_multiply(rows, columns, k, us, false, s.vt, false, back);
        assert_all_close(rows * columns, back, a, 1e-14 * 5);
        arenas_free(m);
    }
}

static void linear_systems_are_solved_as_by_scipy(void **state) {
    double a[36], b[12], x[12], condition;
    fill_general(4, 6, 6, a);
    fill_general(5, 6, 2, b);
    arenas m = arenas_new(*state);
    assert_ok(*state, orr_solve(*state, m.scratch, 6, a, 2, b, x, &condition));
    /* two stable solvers differ by at most eps times the condition times |x| times a few */
    assert_all_close(12, x, golden_solve_6_2, 10 * 0x1p-52 * golden_condition_6[0] * 5);
    /* LAPACK's estimate of |A^-1| is from below, mostly exact, in practice within a factor of 3 (Higham 1988) */
    assert_true(1 / condition <= golden_condition_6[0] * (1 + 1e-12) && 1 / condition >= golden_condition_6[0] / 3);
    assert_ok(*state, orr_solve(*state, m.scratch, 6, a, 2, b, b, NULL)); /* in place */
    assert_memory_equal(b, x, sizeof x);
    assert_ok(*state, orr_solve(*state, m.scratch, 0, a, 2, b, x, &condition));
    assert_true(condition == 1);
    a[0] = 4, b[0] = 2;
    assert_ok(*state, orr_solve(*state, m.scratch, 1, a, 1, b, x, &condition));
    assert_true(x[0] == 0.5 && condition == 1);
    arenas_free(m);
}

static void a_singular_system_names_its_pivot(void **state) {
    double a[36], b[12] = { 0 }, x[12];
    fill_general(4, 6, 6, a);
    for (int i = 0; i < 6; i++) a[i * 6 + 2] = 0;
    arenas m = arenas_new(*state);
    /* rows and columns are exchanged inside: which pivot is 0 is LAPACK's affair, that one is can't be missed */
    assert_refused(*state, orr_solve(*state, m.scratch, 6, a, 2, b, x, NULL), ORR_ENUMERIC, "singular, pivot");
    arenas_free(m);
}

static void least_squares_are_scipys(void **state) {
    double a[36], b[18], left[12], right[10], residual[2] = { 0 };
    fill_general(6, 9, 4, a);
    fill_general(7, 9, 2, b);
    arenas m = arenas_new(*state);
    orr_least_squares s;
    assert_ok(*state, orr_least_squares_solve(*state, m.out, m.scratch, 9, 4, a, 2, b, 0, &s));
    assert_int_equal(s.rank, 4);
    assert_all_close(8, s.x, golden_least_squares_9_4_2, 1e-14);
    for (int i = 0; i < 9; i++)
        for (int c = 0; c < 2; c++) {
            double r = -b[i * 2 + c];
            for (int j = 0; j < 4; j++) r += a[i * 4 + j] * golden_least_squares_9_4_2[j * 2 + c];
            residual[c] += r * r;
        }
    for (int c = 0; c < 2; c++) assert_close(s.residual[c], sqrt(residual[c]), 1e-14);
    /* rank 2 of 5: the shortest solution */
    fill_general(8, 6, 2, left);
    fill_general(9, 2, 5, right);
    multiply(6, 5, 2, left, false, right, false, a);
    fill_general(10, 6, 1, b);
    assert_ok(*state, orr_least_squares_solve(*state, m.out, m.scratch, 6, 5, a, 1, b, 1e-10, &s));
    assert_int_equal(s.rank, 2);
    assert_all_close(5, s.x, golden_least_squares_rank_2, 1e-13);
    assert_true(s.singular[1] > 1e-3 && s.singular[2] < 1e-15);
    arenas_free(m);
}

static void more_unknowns_than_equations_give_the_shortest_solution(void **state) {
    const double a[] = { 3, 4 }, b[] = { 50 };
    arenas m = arenas_new(*state);
    orr_least_squares s;
    assert_ok(*state, orr_least_squares_solve(*state, m.out, m.scratch, 1, 2, a, 1, b, 0, &s));
    assert_close(s.x[0], 6, 1e-14); /* b A' / |A|^2 */
    assert_close(s.x[1], 8, 1e-14);
    assert_int_equal(s.rank, 1);
    assert_ok(*state, orr_least_squares_solve(*state, m.out, m.scratch, 0, 2, a, 1, b, 0, &s));
    assert_true(s.rank == 0 && s.x[0] == 0 && s.x[1] == 0 && s.residual[0] == 0);
    assert_ok(*state, orr_least_squares_solve(*state, m.out, m.scratch, 1, 0, a, 1, b, 0, &s));
    assert_true(s.rank == 0 && s.residual[0] == 50);
    arenas_free(m);
}

static void an_entry_that_is_not_finite_is_named(void **state) {
    double a[16], good[16], x[16];
    orr_svd s;
    orr_least_squares ls;
    fill_positive(1, 4, good);
    arenas m = arenas_new(*state);
    for (int i = 0; i < SPOILS; i++) {
        spoil(i, a);
        assert_refused(*state, orr_svd_thin(*state, m.out, m.scratch, 4, 4, a, &s), ORR_EINPUT, SPOILT);
        assert_refused(*state, orr_solve(*state, m.scratch, 4, a, 4, good, x, NULL), ORR_EINPUT, SPOILT);
        assert_refused(*state, orr_solve(*state, m.scratch, 4, good, 4, a, x, NULL), ORR_EINPUT, "right side");
        assert_refused(*state, orr_least_squares_solve(*state, m.out, m.scratch, 4, 4, a, 4, good, 0, &ls), ORR_EINPUT,
                       SPOILT);
        assert_refused(*state, orr_least_squares_solve(*state, m.out, m.scratch, 4, 4, good, 4, a, 0, &ls), ORR_EINPUT,
                       "right side");
    }
    arenas_free(m);
}

static void empty_matrices_have_empty_results(void **state) {
    arenas m = arenas_new(*state);
    orr_svd s;
    assert_ok(*state, orr_svd_thin(*state, m.out, m.scratch, 0, 3, NULL, &s));
    assert_int_equal(s.k, 0);
    arenas_free(m);
}

/* BLAS may cut its sums among threads: equal to rounding, which is what dense.h promises. */
static void threads_of_blas_change_no_more_than_rounding(void **state) {
    enum { BIG = 300 };
    double *a = malloc(sizeof(double) * BIG * BIG), *b = malloc(sizeof(double) * BIG * BIG);
    double *c = malloc(sizeof(double) * BIG * BIG), first[BIG];
    fill_symmetric(3, BIG, a);
    const int before = orr_blas_threads();
    for (int threads = 1; threads <= 2; threads++) {
        orr_blas_threads_set(threads);
        assert_int_equal(orr_blas_threads(), threads);
        arenas m = arenas_new(*state);
        orr_symmetric_eigen e;
        assert_ok(*state, orr_eigen_symmetric(*state, m.out, m.scratch, BIG, a, &e));
        if (threads == 1) memcpy(first, e.value, sizeof first);
        assert_all_close(BIG, e.value, first, 1e-12);
        orr_dense_multiply(BIG, BIG, BIG, a, false, a, false, threads == 1 ? b : c);
        arenas_free(m);
    }
    assert_all_close(BIG * BIG, c, b, 1e-13); /* 300 terms below 1/4 */
    orr_blas_threads_set(before);
    free(a), free(b), free(c);
}

/* ---- what is cut into tasks ------------------------------------------------------------------------------------ */

/* c[i, j] <- c[i, j] + i + j, as symmetric as c was */
static void add_places(const void *self, int64_t row, int64_t first, int64_t n, void *entries) {
    assert_true(self == NULL && first + n <= row + 1);
    for (int64_t j = 0; j < n; j++) ((double *)entries)[j] += (double)(row + first + j);
}

static void products_on_any_threads_are_those_of_plain_loops(void **state) {
    (void)state;
    enum { M = LARGE, COLUMNS = 7, INNER = 37 };
    const team t = team_new();
    double *a = whole_numbers(M * INNER), *b = whole_numbers(INNER * COLUMNS), *c = numbers(M * M), *d = numbers(M * M);
    for (int i = 0; i < TEAMS; i++) {
        for (int k = 0; k < 4; k++)
            for (int64_t n = 1; n <= COLUMNS; n += COLUMNS - 1) {
                multiply(M, n, INNER, a, k & 1, b, k & 2, d);
                orr_dense_multiply_parallel(t.ctx[i], M, n, INNER, a, k & 1, b, k & 2, c);
                assert_memory_equal(c, d, sizeof *c * (size_t)(M * n));
                orr_dense_multiply(M, n, INNER, a, k & 1, b, k & 2, c);
                assert_memory_equal(c, d, sizeof *c * (size_t)(M * n));
            }
        multiply(M, M, INNER, a, false, a, true, d);
        assert_ok(t.ctx[i], orr_dense_gram(t.ctx[i], M, M, INNER, a, NULL, NULL, c));
        assert_memory_equal(c, d, sizeof *c * M * M);
        for (int64_t j = 0; j < M * M; j++) d[j] += (double)(j / M + j % M);
        assert_ok(t.ctx[i], orr_dense_gram(t.ctx[i], M, M, INNER, a, add_places, NULL, c));
        assert_memory_equal(c, d, sizeof *c * M * M);
        assert_ok(t.ctx[i], orr_dense_gram(t.ctx[i], M, M, 0, a, add_places, NULL, c));
        for (int64_t j = 0; j < M * M; j++) assert_true(c[j] == (double)(j / M + j % M));
        assert_ok(t.ctx[i], orr_dense_gram(t.ctx[i], 2, 2, 0, a, NULL, NULL, c));
        orr_dense_multiply_parallel(t.ctx[i], 2, 2, 0, a, false, b, false, c + 4);
        for (int k = 0; k < 8; k++) assert_true(c[k] == 0.0);
    }
    for (int64_t n = 0; n <= INNER; n++) { /* a block of a wider matrix */
        orr_dense_apply(M, n, a, INNER, false, b, c);
        for (int64_t i = 0; i < M; i++) {
            double sum = 0;
            for (int64_t k = 0; k < n; k++) sum += a[i * INNER + k] * b[k];
            assert_true(c[i] == sum);
        }
        orr_dense_apply(COLUMNS, n, a, INNER, true, b, c);
        for (int64_t k = 0; k < n; k++) {
            double sum = 0;
            for (int64_t i = 0; i < COLUMNS; i++) sum += a[i * INNER + k] * b[i];
            assert_true(c[k] == sum);
        }
    }
    free(a), free(b), free(c), free(d);
    team_free(t);
}

static orr_status each_solver(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch) {
    double a[36], b[12], x[12];
    orr_svd s;
    orr_least_squares ls;
    fill_positive(1, 6, a);
    fill_general(2, 6, 2, b);
    ORR_TRY(ctx, orr_svd_thin(ctx, out_arena, scratch, 6, 6, a, &s));
    ORR_TRY(ctx, orr_solve(ctx, scratch, 6, a, 2, b, x, NULL));
    return orr_least_squares_solve(ctx, out_arena, scratch, 6, 6, a, 2, b, 0, &ls);
}

static void each_allocation_may_fail(void **state) {
    (void)state;
    assert_each_allocation_may_fail(each_solver);
}

static int threads_of_the_process(void) {
    DIR *folder = opendir("/proc/self/task");
    int n = 0;
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder));) n += entry->d_name[0] != '.';
    (void)closedir(folder);
    return n;
}

/* OpenBLAS has as many threads as there are cores from the moment it is loaded; they come back when they are wanted. */
static void threads_of_blas_rest_until_they_are_wanted(void **state) {
    enum { SIDE = 400 };
    const int before = orr_blas_threads();
    double *a = calloc(SIDE * SIDE, sizeof *a), *c = calloc(SIDE * SIDE, sizeof *c);
    (void)state;
    assert_true(a && c);
    for (int i = 0; i < SIDE * SIDE; i++) a[i] = i % 7 - 3;
    orr_blas_threads_rest();
    const int without = threads_of_the_process();
    orr_blas_threads_set(2);
    orr_dense_multiply(SIDE, SIDE, SIDE, a, false, a, true, c);
    assert_true(threads_of_the_process() > without);
    for (int i = 0; i < SIDE; i += 57)
        for (int j = 0; j < SIDE; j++) {
            double sum = 0.0;
            for (int k = 0; k < SIDE; k++) sum += a[i * SIDE + k] * a[j * SIDE + k];
            assert_true(c[i * SIDE + j] == sum);
        }
    orr_blas_threads_rest();
    assert_int_equal(threads_of_the_process(), without);
    orr_blas_threads_set(before);
    free(a), free(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_of_blas_rest_until_they_are_wanted),
        cmocka_unit_test(products_are_sums_of_products),
        cmocka_unit_test(singular_values_are_scipys_and_factors_multiply_back),
        cmocka_unit_test(linear_systems_are_solved_as_by_scipy),
        cmocka_unit_test(a_singular_system_names_its_pivot),
        cmocka_unit_test(least_squares_are_scipys),
        cmocka_unit_test(more_unknowns_than_equations_give_the_shortest_solution),
        cmocka_unit_test(an_entry_that_is_not_finite_is_named),
        cmocka_unit_test(empty_matrices_have_empty_results),
        cmocka_unit_test(threads_of_blas_change_no_more_than_rounding),
        cmocka_unit_test(products_on_any_threads_are_those_of_plain_loops),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("numeric/dense", tests, context_setup, context_teardown);
}
