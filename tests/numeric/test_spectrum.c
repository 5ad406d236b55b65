#include "numeric/spectrum.h"

#include "goldens.h"
#include "matrices.h"
#include "numeric/dense.h"

static double identity(void *self, double x) {
    (void)self;
    return x;
}

static double square(void *self, double x) {
    (void)self;
    return x * x;
}

static double logarithm(void *self, double x) {
    (void)self;
    return log(x);
}

static double one(void *self, double x) {
    (void)self, (void)x;
    return 1;
}

static void traces_are_right_within_their_error_bars(void **state) {
    static double matrix[60 * 60];
    fill_positive(16, 60, matrix);
    double trace = 0, squares = 0;
    for (int i = 0; i < 60; i++) trace += matrix[i * 61];
    for (int i = 0; i < 60 * 60; i++) squares += matrix[i] * matrix[i];
    dense_operator d = { .n = 60, .a = matrix };
    const orr_operator a = operator_of(&d);
    arenas m = arenas_new(*state);
    orr_spectrum s;
    assert_ok(*state, orr_spectrum_lanczos(*state, m.out, m.scratch, &a,
                                           &(orr_spectrum_options){ .probes = 30, .steps = 40 }, &s));
    assert_int_equal(s.products, 30 * 40);
    assert_int_equal(s.count, 30 * 40);
    const struct {
        orr_function *f;
        double expected;
    } functions[] = { { identity, trace }, { square, squares }, { logarithm, golden_trace_log_60[0] }, { one, 60 } };
    for (int i = 0; i < 4; i++) {
        const orr_spectrum_sum sum = orr_spectrum_trace(&s, functions[i].f, NULL);
        /* 5 standard errors: p = 3e-5 for a t-distribution of 29 degrees */
        assert_close(sum.value, functions[i].expected, 5 * sum.standard_error + 1e-11);
        assert_true(sum.standard_error < 0.1 * fabs(functions[i].expected));
    }
    assert_close(orr_spectrum_trace(&s, one, NULL).standard_error, 0, 1e-12);
    arenas_free(m);
}

static double grid(int64_t i, int64_t n) { return (double)i / (double)(n - 1); }

/* The sum of v' f(A) v over a fixed probe is a Gauss rule: exact for polynomials of degree 2 m - 1. */
static void a_few_steps_integrate_polynomials_exactly(void **state) {
    diagonal_operator d = { .n = 1000, .entry = grid };
    const orr_operator a = diagonal_of(&d);
    arenas m = arenas_new(*state);
    orr_spectrum s;
    assert_ok(*state, orr_spectrum_lanczos(*state, m.out, m.scratch, &a,
                                           &(orr_spectrum_options){ .probes = 1, .steps = 6 }, &s));
    for (int power = 0; power < 12; power++) {
        double exact = 0, rule = 0; /* signs: each eigenvalue of a diagonal has the weight 1/n */
        for (int i = 0; i < 1000; i++) exact += pow(grid(i, 1000), power) / 1000;
        for (int64_t j = 0; j < s.count; j++) rule += s.weight[j] * pow(s.node[j], power);
        assert_close(rule, exact, 1e-14);
    }
    double exact = 0, rule = 0;
    for (int i = 0; i < 1000; i++) exact += pow(grid(i, 1000), 12) / 1000;
    for (int64_t j = 0; j < s.count; j++) rule += s.weight[j] * pow(s.node[j], 12);
    assert_true(fabs(rule - exact) > 1e-9); /* and no further */
    arenas_free(m);
}

static void the_density_of_a_random_matrix_is_wigners_semicircle(void **state) {
    enum { N = 400, POINTS = 41 };
    double *matrix = malloc(sizeof(double) * N * N), x[POINTS], density[POINTS];
    for (int i = 0; i < N; i++)
        for (int j = 0; j <= i; j++) {
            orr_random_fill_normal((orr_key){ .seed = 1, .purpose = ORR_PURPOSE_TEST }, (uint64_t)(i * N + j), 1,
                                   &matrix[i * N + j]);
            matrix[j * N + i] = matrix[i * N + j] *= sqrt((i == j ? 2.0 : 1.0) / N);
        }
    dense_operator d = { .n = N, .a = matrix };
    const orr_operator a = operator_of(&d);
    arenas m = arenas_new(*state);
    orr_spectrum s;
    assert_ok(*state, orr_spectrum_lanczos(*state, m.out, m.scratch, &a,
                                           &(orr_spectrum_options){ .probes = 40, .steps = 60 }, &s));
    for (int i = 0; i < POINTS; i++) x[i] = -2.5 + 5.0 * i / (POINTS - 1);
    orr_spectrum_density(&s, 0.1, POINTS, x, density);
    for (int i = 0; i < POINTS; i++) {
        double expected = 0; /* sqrt(4 - t^2) / 2 pi through the same Gaussian */
        for (int k = -2000; k <= 2000; k++) {
            const double t = k / 1000.0, z = (x[i] - t) / 0.1;
            expected += 1e-3 * sqrt(4 - t * t) / (2 * acos(-1)) * exp(-0.5 * z * z) / (0.1 * sqrt(2 * acos(-1)));
        }
        /* about 45 eigenvalues under the Gaussian, each weighed by 40 chi^2 draws: sqrt(2 / (45 40)) = 3.3% of 0.32; four
         * standard deviations of that */
        assert_close(density[i], expected, 0.042);
    }
    assert_close(s.highest, 2, 0.05); /* the edge fluctuates by n^-2/3 = 0.018 */
    assert_close(s.lowest, -2, 0.05);
    arenas_free(m);
    free(matrix);
}

static void the_density_integrates_to_one(void **state) {
    diagonal_operator d = { .n = 100, .entry = grid };
    const orr_operator a = diagonal_of(&d);
    arenas m = arenas_new(*state);
    orr_spectrum s;
    assert_ok(*state, orr_spectrum_lanczos(*state, m.out, m.scratch, &a, NULL, &s));
    double weights = 0, sum = 0, x[601], density[601];
    for (int64_t j = 0; j < s.count; j++) {
        assert_true(s.weight[j] >= 0);
        weights += s.weight[j];
    }
    assert_close(weights, 1, 1e-13);
    for (int i = 0; i < 601; i++) x[i] = -1 + i * 0.005;
    orr_spectrum_density(&s, 0.05, 601, x, density);
    for (int i = 0; i < 601; i++) sum += 0.005 * density[i];
    assert_close(sum, 1, 1e-12); /* trapezoid of Gaussians ten steps wide, 20 widths of margin */
    arenas_free(m);
}

static double pair_of_values(int64_t i, int64_t n) {
    (void)n;
    return i % 4 ? -1 : 3;
}

static void few_distinct_eigenvalues_close_the_space_early(void **state) {
    diagonal_operator d = { .n = 400, .entry = pair_of_values };
    const orr_operator a = diagonal_of(&d);
    arenas m = arenas_new(*state);
    orr_spectrum s;
    assert_ok(*state, orr_spectrum_lanczos(*state, m.out, m.scratch, &a, &(orr_spectrum_options){ .probes = 2 }, &s));
    assert_int_equal(s.count, 4);
    assert_int_equal(s.products, 4);
    for (int probe = 0; probe < 2; probe++) {
        assert_close(s.node[2 * probe], -1, 1e-13);
        assert_close(s.node[2 * probe + 1], 3, 1e-13);
        assert_close(s.weight[2 * probe], 0.75 / 2, 1e-13);
    }
    d.n = 1;
    const orr_operator single = diagonal_of(&d);
    assert_ok(*state, orr_spectrum_lanczos(*state, m.out, m.scratch, &single, NULL, &s));
    assert_int_equal(s.count, 10);
    assert_true(s.node[0] == 3 && s.lowest == 3 && s.highest == 3);
    arenas_free(m);
}

static void threads_change_no_bit(void **state) {
    (void)state;
    diagonal_operator d = { .n = 9001, .entry = grid };
    const orr_operator a = diagonal_of(&d);
    double node[20], weight[20];
    for (int threads = 1; threads <= 3; threads++) {
        orr_context *ctx;
        assert_int_equal(orr_context_new(&(orr_context_options){ .threads = threads }, &ctx), ORR_OK);
        arenas m = arenas_new(ctx);
        orr_spectrum s;
        assert_ok(ctx, orr_spectrum_lanczos(ctx, m.out, m.scratch, &a,
                                            &(orr_spectrum_options){ .probes = 2, .steps = 10 }, &s));
        if (threads == 1) {
            memcpy(node, s.node, sizeof node);
            memcpy(weight, s.weight, sizeof weight);
        }
        assert_memory_equal(node, s.node, sizeof node);
        assert_memory_equal(weight, s.weight, sizeof weight);
        arenas_free(m);
        orr_context_free(ctx);
    }
}

static void a_nan_is_a_reason_and_trouble_is_passed_up(void **state) {
    static double matrix[60 * 60];
    fill_positive(16, 60, matrix);
    arenas m = arenas_new(*state);
    orr_spectrum s;
    for (int64_t at = 1; at < 60; at += 19) {
        const orr_spectrum_options o = { .probes = 3, .steps = 20 };
        dense_operator d = { .n = 60, .a = matrix, .nan_at = at };
        const orr_operator a = operator_of(&d);
        assert_ok(*state, orr_spectrum_lanczos(*state, m.out, m.scratch, &a, &o, &s));
        assert_int_equal(s.reason, ORR_REASON_NONFINITE);
        assert_int_equal(s.count, 0);
        assert_true(isnan(orr_spectrum_trace(&s, identity, NULL).value));
        d = (dense_operator){ .n = 60, .a = matrix, .fail_at = at, .ctx = *state };
        assert_refused(*state, orr_spectrum_lanczos(*state, m.out, m.scratch, &a, &o, &s), ORR_EINTERRUPTED, "stopped");
    }
    const orr_operator none = { .n = 0 };
    assert_refused(*state, orr_spectrum_lanczos(*state, m.out, m.scratch, &none, NULL, &s), ORR_EINPUT, "0 rows");
    arenas_free(m);
}

static orr_status estimate(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch) {
    diagonal_operator d = { .n = 100, .entry = grid };
    const orr_operator a = diagonal_of(&d);
    orr_spectrum s;
    return orr_spectrum_lanczos(ctx, out_arena, scratch, &a, &(orr_spectrum_options){ .probes = 2 }, &s);
}

static void each_allocation_may_fail(void **state) {
    (void)state;
    assert_each_allocation_may_fail(estimate);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(traces_are_right_within_their_error_bars),
        cmocka_unit_test(a_few_steps_integrate_polynomials_exactly),
        cmocka_unit_test(the_density_of_a_random_matrix_is_wigners_semicircle),
        cmocka_unit_test(the_density_integrates_to_one),
        cmocka_unit_test(few_distinct_eigenvalues_close_the_space_early),
        cmocka_unit_test(threads_change_no_bit),
        cmocka_unit_test(a_nan_is_a_reason_and_trouble_is_passed_up),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("numeric/spectrum", tests, context_setup, context_teardown);
}
