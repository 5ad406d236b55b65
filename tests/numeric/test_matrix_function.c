#include "numeric/matrix_function.h"

#include "goldens.h"
#include "matrices.h"
#include "numeric/dense.h"

enum { N = 6 };

static void assert_all_close(int64_t n, const double *got, const double *expected, double limit) {
    for (int64_t i = 0; i < n; i++) assert_close(got[i], expected[i], limit);
}

static void assert_identity(int64_t n, const double *a, double limit) {
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) assert_close(a[i * n + j], i == j, limit);
}

/* Roots and logarithms lose the condition of A, 10 here, in units of eps. */
static void roots_and_logarithms_are_scipys(void **state) {
    double a[N * N], out[N * N];
    fill_positive(11, N, a);
    arenas m = arenas_new(*state);
    assert_ok(*state, orr_matrix_sqrt(*state, m.scratch, N, a, out));
    assert_all_close(N * N, out, golden_sqrt_6, 1e-14);
    assert_ok(*state, orr_matrix_log(*state, m.scratch, N, a, out));
    assert_all_close(N * N, out, golden_log_6, 2e-14);
    arenas_free(m);
}

static void functions_obey_their_equations(void **state) {
    double a[N * N], root[N * N], inverse[N * N], log_a[N * N], x[N * N], y[N * N];
    fill_positive(11, N, a);
    arenas m = arenas_new(*state);
    assert_ok(*state, orr_matrix_sqrt(*state, m.scratch, N, a, root));
    orr_dense_multiply(N, N, N, root, false, root, false, x);
    assert_all_close(N * N, x, a, 1e-14);
    assert_ok(*state, orr_matrix_inverse_sqrt(*state, m.scratch, N, a, inverse));
    orr_dense_multiply(N, N, N, root, false, inverse, false, x);
    assert_identity(N, x, 1e-13);
    assert_ok(*state, orr_matrix_log(*state, m.scratch, N, a, log_a));
    assert_ok(*state, orr_matrix_exp_symmetric(*state, m.scratch, N, log_a, x));
    assert_all_close(N * N, x, a, 1e-14);
    assert_ok(*state,
              orr_matrix_exp(*state, m.scratch, N, log_a, y)); /* the general one agrees on a symmetric matrix */
    assert_all_close(N * N, y, a, 1e-14);
    assert_ok(*state, orr_matrix_sqrt(*state, m.scratch, N, a, a)); /* in place */
    assert_memory_equal(a, root, sizeof a);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) assert_true(root[i * N + j] == root[j * N + i]);
    arenas_free(m);
}

static void exponentials_of_every_degree_are_scipys(void **state) {
    static const double scales[] = { 0.01, 0.3, 1, 3, 40 };
    static const double *const goldens[] = { golden_exp_0p01, golden_exp_0p3, golden_exp_1, golden_exp_3,
                                             golden_exp_40 };
    double a[25], out[25];
    arenas m = arenas_new(*state);
    for (int t = 0; t < 5; t++) {
        fill_general(12, 5, 5, a);
        double norm = 0, largest = 0;
        for (int i = 0; i < 25; i++) {
            a[i] *= scales[t];
            norm += fabs(a[i]);
            largest = fmax(largest, fabs(goldens[t][i]));
        }
        assert_ok(*state, orr_matrix_exp(*state, m.scratch, 5, a, out));
        /* backward stable: eps |A| relative to the largest entry; a factor 10 for two codes and products */
        assert_all_close(25, out, goldens[t], 10 * 0x1p-52 * fmax(norm, 1) * largest);
    }
    arenas_free(m);
}

static void exponentials_with_closed_forms_are_those(void **state) {
    arenas m = arenas_new(*state);
    const double nilpotent[] = { 0, 2, 3, 0, 0, 5, 0, 0, 0 }, exact[] = { 1, 2, 3 + 5, 0, 1, 5, 0, 0, 1 };
    double out[9];
    assert_ok(*state, orr_matrix_exp(*state, m.scratch, 3, nilpotent, out));
    assert_all_close(9, out, exact, 1e-14);
    for (double angle = 1e-9; angle < 1e4; angle *= 7) {
        const double turn[] = { 0, -angle, angle, 0 };
        assert_ok(*state, orr_matrix_exp(*state, m.scratch, 2, turn, out));
        const double rotation[] = { cos(angle), -sin(angle), sin(angle), cos(angle) };
        assert_all_close(4, out, rotation, 4e-16 * fmax(10, 10 * angle)); /* a relative change eps of the angle */
    }
    const double zero[4] = { 0 };
    assert_ok(*state, orr_matrix_exp(*state, m.scratch, 2, zero, out));
    assert_identity(2, out, 0);
    assert_ok(*state, orr_matrix_exp(*state, m.scratch, 0, zero, out));
    const double one[] = { 1.5 };
    assert_ok(*state, orr_matrix_exp(*state, m.scratch, 1, one, out));
    assert_close(out[0], exp(1.5), 4e-15);
    arenas_free(m);
}

static void a_root_forgives_rounding_below_zero(void **state) {
    /* v v' has the eigenvalues |v|^2 and 0; rounding makes some of the zeros negative */
    double a[N * N], root[N * N], x[N * N];
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) a[i * N + j] = (0.1 + i) * (0.1 + j);
    arenas m = arenas_new(*state);
    assert_ok(*state, orr_matrix_sqrt(*state, m.scratch, N, a, root));
    orr_dense_multiply(N, N, N, root, false, root, false, x);
    assert_all_close(N * N, x, a, 1e-13);
    arenas_free(m);
}

static double third_power(void *self, double x) { return *(double *)self * x * x * x; }

static void any_function_will_do(void **state) {
    double a[N * N], out[N * N], x[N * N], y[N * N], two = 2;
    fill_symmetric(3, N, a);
    arenas m = arenas_new(*state);
    assert_ok(*state, orr_matrix_function(*state, m.scratch, N, a, "cube", third_power, &two, out));
    orr_dense_multiply(N, N, N, a, false, a, false, x);
    orr_dense_multiply(N, N, N, a, false, x, false, y);
    for (int i = 0; i < N * N; i++) assert_close(out[i], 2 * y[i], 1e-14);
    arenas_free(m);
}

static void the_polar_factor_is_scipys_and_keeps_orthogonal_matrices(void **state) {
    double a[15], at[15], out[15], gram[9];
    fill_general(13, 5, 3, a);
    arenas m = arenas_new(*state);
    assert_ok(*state, orr_matrix_polar(*state, m.scratch, 5, 3, a, out));
    assert_all_close(15, out, golden_polar_5_3, 1e-14);
    orr_dense_multiply(3, 3, 5, out, true, out, false, gram);
    assert_identity(3, gram, 1e-14);
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < 3; j++) at[j * 5 + i] = a[i * 3 + j];
    assert_ok(*state, orr_matrix_polar(*state, m.scratch, 3, 5, at, at)); /* in place; the transpose of the above */
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < 3; j++) assert_close(at[j * 5 + i], out[i * 3 + j], 1e-14);
    for (int i = 0; i < 5; i++) a[i * 3 + 2] = a[i * 3] + a[i * 3 + 1];
    assert_refused(*state, orr_matrix_polar(*state, m.scratch, 5, 3, a, out), ORR_ENUMERIC, "rank below 3");
    arenas_free(m);
}

static void outside_their_domain_functions_name_the_eigenvalue(void **state) {
    const double indefinite[] = { 2, 0, 0, -3 }, singular[] = { 2, 0, 0, 0 }, huge[] = { 800, 0, 0, 1 };
    const double broken[] = { 1, 0, (double)NAN, 1 };
    double out[4];
    arenas m = arenas_new(*state);
    assert_refused(*state, orr_matrix_sqrt(*state, m.scratch, 2, indefinite, out), ORR_ENUMERIC, "0 of 2, which is -3");
    assert_refused(*state, orr_matrix_log(*state, m.scratch, 2, singular, out), ORR_ENUMERIC, "which is 0");
    assert_refused(*state, orr_matrix_inverse_sqrt(*state, m.scratch, 2, singular, out), ORR_ENUMERIC, "which is 0");
    assert_refused(*state, orr_matrix_exp_symmetric(*state, m.scratch, 2, huge, out), ORR_ENUMERIC, "which is 800");
    assert_refused(*state, orr_matrix_exp(*state, m.scratch, 2, huge, out), ORR_ENUMERIC, "overflows");
    assert_refused(*state, orr_matrix_exp(*state, m.scratch, 2, broken, out), ORR_EINPUT, "is nan");
    assert_refused(*state, orr_matrix_sqrt(*state, m.scratch, 2, broken, out), ORR_EINPUT, "entry (1, 0)");
    arenas_free(m);
}

static orr_status each_function(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch) {
    (void)out_arena;
    double a[N * N], out[N * N];
    fill_positive(11, N, a);
    ORR_TRY(ctx, orr_matrix_log(ctx, scratch, N, a, out));
    ORR_TRY(ctx, orr_matrix_exp(ctx, scratch, N, a, out));
    return orr_matrix_polar(ctx, scratch, N, N, a, out);
}

static void each_allocation_may_fail(void **state) {
    (void)state;
    assert_each_allocation_may_fail(each_function);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roots_and_logarithms_are_scipys),
        cmocka_unit_test(functions_obey_their_equations),
        cmocka_unit_test(exponentials_of_every_degree_are_scipys),
        cmocka_unit_test(exponentials_with_closed_forms_are_those),
        cmocka_unit_test(a_root_forgives_rounding_below_zero),
        cmocka_unit_test(any_function_will_do),
        cmocka_unit_test(the_polar_factor_is_scipys_and_keeps_orthogonal_matrices),
        cmocka_unit_test(outside_their_domain_functions_name_the_eigenvalue),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("numeric/matrix_function", tests, context_setup, context_teardown);
}
