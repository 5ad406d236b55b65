#include "testing.h"

#include "theory/kernel_function.h"
#include "theory/linearized_dynamics.h"

static orr_arena *arena, *scratch;

static int setup(void **state) {
    if (context_setup(state) != 0) return -1;
    return orr_arena_new(*state, &arena) == ORR_OK && orr_arena_new(*state, &scratch) == ORR_OK ? 0 : -1;
}
static int teardown(void **state) {
    orr_arena_free(scratch);
    orr_arena_free(arena);
    return context_teardown(state);
}

/* The sheet's golden: two training examples and one for testing. */
static const double theta[4] = { 2.0, 0.5, 0.5, 1.0 }, k[2] = { 0.7, 0.4 }, y[2] = { 1.0, -1.0 }, f_0[2] = { 0.1, 0.2 };
static const double f_0_test = -0.3;

static void goldens_of_the_sheet(void **state) {
    static const struct {
        orr_linearized_time t;
        double f[2], test;
    } rows[] = {
        { { 0.2, 0 }, { 0.1, 0.2 }, -0.3 },
        { { 0.2, 1 }, { 0.34, 0.05 }, -0.27 },
        { { 0.2, 5 }, { 0.74677, -0.441547 }, -0.2801778 },
        { { 0.2, 50 }, { 0.99990096, -0.9997609 }, -0.3513953854 },
        { { 0.5, -1 }, { 0.51185136, -0.14417073 }, -0.2708292281 },
        { { 3.0, -1 }, { 0.94800977, -0.87577991 }, -0.3343406157 },
    };
    orr_linearized l;
    assert_ok(*state, orr_linearized_new(*state, arena, scratch, 2, theta, y, f_0, &l));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double f[2], test;
        assert_ok(*state, orr_linearized_outputs(*state, scratch, &l, rows[i].t, 2, theta, f_0, f));
        assert_ok(*state, orr_linearized_outputs(*state, scratch, &l, rows[i].t, 1, k, &f_0_test, &test));
        assert_close(f[0], rows[i].f[0], 5e-9); /* the digits that the sheet prints */
        assert_close(f[1], rows[i].f[1], 5e-9);
        assert_close(test, rows[i].test, 5e-11);
        assert_close(orr_linearized_loss(&l, rows[i].t), /* from the outputs, to their rounding */
                     0.5 * ((f[0] - y[0]) * (f[0] - y[0]) + (f[1] - y[1]) * (f[1] - y[1])), 1e-14);
    }
}

/* The recursion itself, for rates up to past the stable ones, where (1 - eta lam) is negative and then grows. */
static void the_closed_form_is_the_recursion_of_gradient_descent(void **state) {
    orr_linearized l;
    assert_ok(*state, orr_linearized_new(*state, arena, scratch, 2, theta, y, f_0, &l));
    const double rates[] = { 1e-3, 0.3, 0.7, 0.9, 1.0 };
    assert_close(orr_linearized_largest(&l), 1.5 + sqrt(0.5), 1e-14);
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        double f[2] = { f_0[0], f_0[1] }, test = f_0_test, g[2], g_test;
        for (int64_t t = 0; t < 40; t++) {
            assert_ok(*state, orr_linearized_outputs(*state, scratch, &l, (orr_linearized_time){ rates[i], t }, 2,
                                                     theta, f_0, g));
            assert_ok(*state, orr_linearized_outputs(*state, scratch, &l, (orr_linearized_time){ rates[i], t }, 1, k,
                                                     &f_0_test, &g_test));
            const double scale = 1.0 + fabs(f[0]) + fabs(f[1]); /* it grows by 1.2 an update at the last rate */
            assert_close(g[0], f[0], 1e-13 * scale);
            assert_close(g[1], f[1], 1e-13 * scale);
            assert_close(g_test, test, 1e-13 * scale);
            const double e[2] = { f[0] - y[0], f[1] - y[1] };
            f[0] -= rates[i] * (theta[0] * e[0] + theta[1] * e[1]);
            f[1] -= rates[i] * (theta[2] * e[0] + theta[3] * e[1]);
            test -= rates[i] * (k[0] * e[0] + k[1] * e[1]);
        }
    }
}

/* A kernel without inverse: the mode of 0 is never learnt, and a test example that only it reaches moves with time. */
static void a_singular_kernel_is_no_trouble(void **state) {
    const double flat[4] = { 1.0, 1.0, 1.0, 1.0 }, zero[2] = { 0.0, 0.0 };
    const double across[2] = { 1.0, -1.0 }; /* k(x) along the null vector (no Gram matrix has it): g/lam -> eta t */
    orr_linearized l;
    double f[2], test;
    assert_ok(*state, orr_linearized_new(*state, arena, scratch, 2, flat, y, zero, &l));
    assert_ok(*state,
              orr_linearized_outputs(*state, scratch, &l, (orr_linearized_time){ 0.1, 1000 }, 2, flat, zero, f));
    assert_close(f[0], 0.0, 1e-12); /* labels 1 and -1 are all along the null vector */
    assert_close(f[1], 0.0, 1e-12);
    assert_ok(*state,
              orr_linearized_outputs(*state, scratch, &l, (orr_linearized_time){ 0.1, 1000 }, 1, across, zero, &test));
    assert_close(test, 0.1 * 1000 * 2.0, 1e-10); /* eta t k.y */
    assert_ok(*state,
              orr_linearized_outputs(*state, scratch, &l, (orr_linearized_time){ 7.0, -1 }, 1, across, zero, &test));
    assert_close(test, 7.0 * 2.0, 1e-12);
}

static void small_steps_tend_to_the_flow(void **state) {
    orr_linearized l;
    double error[2], flow, steps;
    assert_ok(*state, orr_linearized_new(*state, arena, scratch, 2, theta, y, f_0, &l));
    assert_ok(*state,
              orr_linearized_outputs(*state, scratch, &l, (orr_linearized_time){ 2.0, -1 }, 1, k, &f_0_test, &flow));
    for (int i = 0; i < 2; i++) {
        const int64_t n = i ? 20000 : 10000;
        assert_ok(*state, orr_linearized_outputs(*state, scratch, &l, (orr_linearized_time){ 2.0 / (double)n, n }, 1, k,
                                                 &f_0_test, &steps));
        error[i] = steps - flow;
    }
    assert_close(error[0] / error[1], 2.0, 1e-3); /* first order in eta, to the second */
}

/* Infinite width, one hidden layer of sqrt2 relu: the sheet's x = (1, 2, 0), x' = (.5, -1, 1), d = 3. */
static void the_limit_of_infinite_width_has_the_goldens_of_the_sheet(void **state) {
    const orr_kernel ntk = { .kind = ORR_KERNEL_NTK };
    (void)state;
    assert_close(orr_kernel_of(&ntk, 5.0, -1.5, 2.25) / 3.0, -0.0341064962, 5e-11);
    assert_close(orr_kernel_of(&ntk, 5.0, 5.0, 5.0) / 3.0, 3.3333333333, 5e-11);
}

static void what_is_no_number_is_refused(void **state) {
    const double wrong[4] = { 1.0, 0.0, (double)NAN, 1.0 };
    orr_linearized l;
    assert_int_equal(orr_linearized_new(*state, arena, scratch, 2, wrong, y, f_0, &l), ORR_EINPUT);
    orr_context_clear(*state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goldens_of_the_sheet),
        cmocka_unit_test(the_closed_form_is_the_recursion_of_gradient_descent),
        cmocka_unit_test(a_singular_kernel_is_no_trouble),
        cmocka_unit_test(small_steps_tend_to_the_flow),
        cmocka_unit_test(the_limit_of_infinite_width_has_the_goldens_of_the_sheet),
        cmocka_unit_test(what_is_no_number_is_refused),
    };
    return cmocka_run_group_tests_name("theory/linearized_dynamics", tests, setup, teardown);
}
