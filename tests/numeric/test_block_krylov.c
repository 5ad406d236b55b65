#include "failing.h"
#include "numeric/block_krylov.h"
#include "numeric/vector.h"

#include "goldens.h"
#include "matrices.h"

enum { N = 150 };
static double matrix[N * N];
static orr_arena *scratch;

static int setup(void **state) {
    fill_symmetric(3, N, matrix);
    return context_setup(state) == 0 && orr_arena_new(*state, &scratch) == ORR_OK ? 0 : -1;
}
static int teardown(void **state) {
    orr_arena_free(scratch);
    return context_teardown(state);
}

static void assert_orthonormal(int64_t k, int64_t n, const double *rows) {
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = 0; j <= i; j++)
            assert_close(orr_vector_dot(n, rows + i * n, rows + j * n), i == j, 1e-13); /* rounding */
}

/* The eigenvalues of SciPy, for each size of the block and from nothing. */
static void the_largest_eigenvalues_are_those_of_scipy(void **state) {
    for (int64_t m = 1; m <= 6; m++) {
        dense_operator d = { .n = N, .a = matrix };
        const orr_operator a = operator_of(&d);
        double vector[6 * N] = { 0 }, value[6], residual[6];
        orr_block_pairs out;
        const orr_block_options options = { .above = -(double)INFINITY };
        assert_ok(*state, orr_eigen_block(*state, scratch, &a, &options, m, vector, value, residual, &out));
        assert_int_equal(out.reason, ORR_REASON_CONVERGED);
        assert_int_equal(out.products, d.products);
        assert_orthonormal(m, N, vector);
        for (int64_t i = 0; i < m; i++) {
            double r[N];
            assert_close(value[i], golden_eigen_150[N - 1 - i], 1.2e-13); /* rounding of a product times |A| = 7 */
            assert_ok(*state, a.apply(a.self, vector + i * N, r));
            orr_vector_axpy(N, -value[i], vector + i * N, r);
            assert_close(orr_vector_norm(N, r), residual[i], 1e-12); /* rounding, after restarts */
        }
    }
}

/* 2, 2, 2, 2 - 1e-9, then 1.9 and below. */
static orr_status crowded(void *self, const double *v, double *out) {
    static const double top[5] = { 2.0, 2.0, 2.0 - 1e-9, 2.0, 1.9 };
    (void)self;
    for (int64_t i = 0; i < N; i++) out[i] = (i < 5 ? top[i] : 1.5 * cos((double)i)) * v[i];
    return ORR_OK;
}

static void an_eigenvalue_that_stands_four_times_is_found_four_times(void **state) {
    const orr_operator a = { N, crowded, NULL };
    double vector[5 * N] = { 0 }, value[5], residual[5];
    orr_block_pairs out;
    assert_ok(*state,
              orr_eigen_block(*state, scratch, &a, &(orr_block_options){ 0 }, 5, vector, value, residual, &out));
    for (int i = 0; i < 4; i++) assert_close(value[i], 2.0, 1.1e-9);
    assert_close(value[4], 1.9, 1e-9); /* asked to 1e-10 of 2 */
    assert_orthonormal(5, N, vector);
}

static void a_good_start_costs_few_products(void **state) {
    dense_operator d = { .n = N, .a = matrix };
    const orr_operator a = operator_of(&d);
    const orr_block_options options = { .tolerance = 1e-8 };
    double vector[3 * N] = { 0 }, value[3], residual[3];
    orr_block_pairs cold, warm;
    assert_ok(*state, orr_eigen_block(*state, scratch, &a, &options, 3, vector, value, residual, &cold));
    assert_ok(*state, orr_eigen_block(*state, scratch, &a, &options, 3, vector, value, residual, &warm));
    assert_int_equal(warm.products, 3);
    assert_true(cold.products > 10 * warm.products);
}

static void small_and_broken_operators(void **state) {
    const double small[4] = { 2, 1, 1, 2 };
    dense_operator d = { .n = 2, .a = small };
    orr_operator a = operator_of(&d);
    double vector[4] = { 0 }, value[2], residual[2];
    orr_block_pairs out;
    assert_ok(*state,
              orr_eigen_block(*state, scratch, &a, &(orr_block_options){ 0 }, 2, vector, value, residual, &out));
    assert_close(value[0], 3.0, 1e-15);
    assert_close(value[1], 1.0, 1e-15);
    d.nan_at = d.products + 2;
    assert_ok(*state,
              orr_eigen_block(*state, scratch, &a, &(orr_block_options){ 0 }, 2, vector, value, residual, &out));
    assert_int_equal(out.reason, ORR_REASON_NONFINITE);
    d.ctx = *state;
    d.fail_at = d.products + 1;
    memset(vector, 0, sizeof vector);
    assert_int_equal(orr_eigen_block(*state, scratch, &a, &(orr_block_options){ 0 }, 2, vector, value, residual, &out),
                     ORR_EINTERRUPTED);
    orr_context_clear(*state);
    assert_int_equal(orr_eigen_block(*state, scratch, &a, &(orr_block_options){ 0 }, 3, vector, value, residual, &out),
                     ORR_EINPUT);
    orr_context_clear(*state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_largest_eigenvalues_are_those_of_scipy),
        cmocka_unit_test(an_eigenvalue_that_stands_four_times_is_found_four_times),
        cmocka_unit_test(a_good_start_costs_few_products),
        cmocka_unit_test(small_and_broken_operators),
    };
    return cmocka_run_group_tests_name("numeric/block_krylov", tests, setup, teardown);
}
