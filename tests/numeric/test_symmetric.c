#include "dense_testing.h"
#include "goldens.h"

enum { N = 150 };

static void eigenvalues_are_scipys_and_vectors_diagonalise(void **state) {
    static double a[N * N], av[N * N], vav[N * N];
    fill_symmetric(3, N, a);
    arenas m = arenas_new(*state);
    orr_symmetric_eigen e;
    assert_ok(*state, orr_eigen_symmetric(*state, m.out, m.scratch, N, a, &e));
    assert_all_close(N, e.value, golden_eigen_150, 1e-13); /* |A| eps times a modest factor */
    orr_dense_multiply(N, N, N, e.vector, false, e.vector, true, vav);
    assert_identity(N, vav, 1e-12); /* orthogonal to n eps times a factor of tens */
    orr_dense_multiply(N, N, N, e.vector, false, a, false, av);
    orr_dense_multiply(N, N, N, av, false, e.vector, true, vav);
    for (int64_t i = 0; i < N; i++) vav[i * N + i] -= e.value[i];
    for (int64_t i = 0; i < N * N; i++) assert_close(vav[i], 0, 1e-12 * 7); /* |A| = 7 */
    arenas_free(m);
}

/* The same as by vectors that are kept; of an indefinite matrix, and of one of rank 40, whose zeros are a cluster. */
static void columns_lie_along_eigenvectors_that_are_not_kept(void **state) {
    static double a[N * N], copy[N * N], low[N * 40], b[N * 2], value[N], along[N * 2], kept[N * 2];
    fill_general(5, N, 2, b);
    fill_general(6, N, 40, low);
    for (int deficient = 0; deficient < 2; deficient++) {
        fill_symmetric(3, N, a);
        if (deficient) orr_dense_multiply(N, N, 40, low, false, low, true, a);
        memcpy(copy, a, sizeof a);
        arenas m = arenas_new(*state);
        orr_symmetric_eigen e;
        assert_ok(*state, orr_eigen_symmetric(*state, m.out, m.scratch, N, a, &e));
        assert_ok(*state, orr_eigen_symmetric_along(*state, m.scratch, N, copy, 2, b, value, along));
        orr_dense_multiply(N, 2, N, e.vector, false, b, false, kept);
        for (int64_t i = 0; i < (deficient ? 40 : N); i++) {
            const int64_t j = N - 1 - i;                                      /* ascending there */
            assert_close(value[i], e.value[j], 1e-12 * fabs(e.value[N - 1])); /* n eps |A| */
            /* a gap of 1e-3 |A| between neighbours leaves 1e-10 */
            for (int c = 0; c < 2; c++) assert_close(fabs(along[i * 2 + c]), fabs(kept[j * 2 + c]), 1e-9);
        }
        for (int64_t i = deficient ? 40 : N; i < N; i++) assert_close(value[i], 0, 1e-12 * fabs(e.value[N - 1]));
        for (int c = 0; c < 2; c++) {
            double before = 0, after = 0;
            for (int64_t i = 0; i < N; i++)
                before += b[i * 2 + c] * b[i * 2 + c], after += along[i * 2 + c] * along[i * 2 + c];
            assert_close(after / before, 1, 1e-13); /* rotations keep the length */
        }
        arenas_free(m);
    }
    assert_ok(*state, orr_eigen_symmetric_along(*state, NULL, 0, NULL, 0, NULL, NULL, NULL));
}

static void a_range_of_eigenvalues_is_a_part_of_all(void **state) {
    static double a[N * N];
    fill_symmetric(3, N, a);
    for (int64_t i = 0; i < N; i++)
        for (int64_t j = i + 1; j < N; j++) a[i * N + j] = (double)NAN; /* the upper triangle isn't read */
    static const int64_t ranges[][2] = { { 0, 1 }, { N - 1, 1 }, { 40, 7 }, { 0, N }, { 3, 0 }, { N, 0 } };
    for (int r = 0; r < 6; r++) {
        arenas m = arenas_new(*state);
        orr_symmetric_eigen e;
        assert_ok(*state, orr_eigen_symmetric_range(*state, m.out, m.scratch, N, a, ranges[r][0], ranges[r][1], &e));
        assert_int_equal(e.k, ranges[r][1]);
        assert_all_close(e.k, e.value, golden_eigen_150 + ranges[r][0], 1e-13);
        arenas_free(m);
    }
}

static void eigen_of_the_tridiagonal_laplacian_is_known(void **state) {
    enum { T = 30 };
    double alpha[T], beta[T], value[T], alone[T], vector[T * T];
    for (int i = 0; i < T; i++) alpha[i] = 2, beta[i] = -1;
    arenas m = arenas_new(*state);
    assert_ok(*state, orr_tridiagonal_eigen(*state, m.scratch, T, alpha, beta, value, vector));
    assert_ok(*state, orr_tridiagonal_eigen(*state, m.scratch, T, alpha, beta, alone, NULL));
    const double angle = acos(-1) / (T + 1);
    for (int j = 0; j < T; j++) {
        assert_close(value[j], 2 - 2 * cos((j + 1) * angle), 2e-14);
        assert_close(alone[j], value[j], 2e-14);
        const double sign = vector[j * T] > 0 ? 1 : -1; /* sqrt(2 / (T + 1)) sin((i + 1)(j + 1) angle) */
        for (int i = 0; i < T; i++)
            assert_close(sign * vector[j * T + i], sqrt(2.0 / (T + 1)) * sin((i + 1) * (j + 1) * angle), 1e-13);
    }
    assert_ok(*state, orr_tridiagonal_eigen(*state, m.scratch, 1, alpha, beta, value, vector));
    assert_true(value[0] == 2 && fabs(vector[0]) == 1);
    assert_ok(*state, orr_tridiagonal_eigen(*state, m.scratch, 0, alpha, beta, value, vector));
    arenas_free(m);
}

static void an_entry_that_is_not_finite_is_named(void **state) {
    double a[16], good[16], x[16];
    orr_symmetric_eigen e;
    fill_positive(1, 4, good);
    arenas m = arenas_new(*state);
    for (int i = 0; i < SPOILS; i++) {
        spoil(i, a);
        assert_refused(*state, orr_eigen_symmetric(*state, m.out, m.scratch, 4, a, &e), ORR_EINPUT, SPOILT);
        assert_refused(*state, orr_tridiagonal_eigen(*state, m.scratch, 4, a + 8, good, x, NULL), ORR_EINPUT,
                       "tridiagonal");
    }
    assert_refused(*state, orr_eigen_symmetric_range(*state, m.out, m.scratch, 4, good, 3, 2, &e), ORR_EINPUT,
                   "2 values from number 3");
    assert_refused(*state, orr_eigen_symmetric(*state, m.out, m.scratch, -1, good, &e), ORR_EINPUT, "extents");
    arenas_free(m);
}

static void empty_matrices_have_empty_results(void **state) {
    arenas m = arenas_new(*state);
    orr_symmetric_eigen e;
    assert_ok(*state, orr_eigen_symmetric(*state, m.out, m.scratch, 0, NULL, &e));
    assert_int_equal(e.k, 0);
    const double one[] = { -7 };
    assert_ok(*state, orr_eigen_symmetric(*state, m.out, m.scratch, 1, one, &e));
    assert_true(e.value[0] == -7 && fabs(e.vector[0]) == 1);
    arenas_free(m);
}

/* Rank 40 of 531: the eigenvalue 0 is as degenerate as a Gram matrix makes it. */
static void large_eigenvectors_have_equal_bits_for_any_threads(void **state) {
    (void)state;
    enum { RANK = 40 };
    const team t = team_new();
    double *x = whole_numbers(LARGE * RANK), *a = numbers(LARGE * LARGE), *again = numbers(LARGE * LARGE);
    orr_symmetric_eigen e[TEAMS];
    arenas m[TEAMS];
    assert_ok(t.ctx[0], orr_dense_gram(t.ctx[0], LARGE, LARGE, RANK, x, NULL, NULL, a));
    for (int i = 0; i < TEAMS; i++) {
        m[i] = arenas_new(t.ctx[i]);
        assert_ok(t.ctx[i], orr_eigen_symmetric(t.ctx[i], m[i].out, m[i].scratch, LARGE, a, &e[i]));
        assert_memory_equal(e[i].value, e[0].value, sizeof *a * LARGE);
        assert_memory_equal(e[i].vector, e[0].vector, sizeof *a * LARGE * LARGE);
    }
    orr_dense_multiply(LARGE, LARGE, LARGE, e[0].vector, false, e[0].vector, true, again);
    for (int64_t i = 0; i < LARGE; i++)
        for (int64_t j = 0; j < LARGE; j++) assert_close(again[i * LARGE + j], i == j, 1e-12);
    for (int64_t i = 0; i < LARGE; i++)
        for (int64_t j = 0; j < LARGE; j++) again[i * LARGE + j] = e[0].vector[i * LARGE + j] * e[0].value[i];
    double *back = numbers(LARGE * LARGE);
    orr_dense_multiply(LARGE, LARGE, LARGE, e[0].vector, true, again, false, back);
    assert_all_close(LARGE * LARGE, back, a, 1e-12 * e[0].value[LARGE - 1]);
    for (int i = 0; i < TEAMS; i++) arenas_free(m[i]);
    free(x), free(a), free(again), free(back);
    team_free(t);
}

static orr_status each_solver(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch) {
    double a[36], x[12];
    orr_symmetric_eigen e;
    fill_positive(1, 6, a);
    ORR_TRY(ctx, orr_eigen_symmetric(ctx, out_arena, scratch, 6, a, &e));
    return orr_tridiagonal_eigen(ctx, scratch, 6, a, a + 6, x, NULL);
}

static void each_allocation_may_fail(void **state) {
    (void)state;
    assert_each_allocation_may_fail(each_solver);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eigenvalues_are_scipys_and_vectors_diagonalise),
        cmocka_unit_test(columns_lie_along_eigenvectors_that_are_not_kept),
        cmocka_unit_test(a_range_of_eigenvalues_is_a_part_of_all),
        cmocka_unit_test(eigen_of_the_tridiagonal_laplacian_is_known),
        cmocka_unit_test(an_entry_that_is_not_finite_is_named),
        cmocka_unit_test(empty_matrices_have_empty_results),
        cmocka_unit_test(large_eigenvectors_have_equal_bits_for_any_threads),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("numeric/symmetric", tests, context_setup, context_teardown);
}
