#include "testing.h"

#include "theory/kernel_regression.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) == 0 && orr_arena_new(*state, &arena) == ORR_OK ? 0 : -1; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

enum { MODES = 1000 };
static double value[MODES], coefficient2[MODES];

/* lambda_i = i^-2, v_i^2 = i^-1.5, i = 1 .. 1000 */
static orr_kernel_spectrum power_law(void) {
    for (int i = 0; i < MODES; i++) value[i] = pow(i + 1.0, -2.0), coefficient2[i] = pow(i + 1.0, -1.5);
    return (orr_kernel_spectrum){ .n = MODES, .value = value };
}

static orr_kernel_learning learn(void **state, const orr_kernel_spectrum *s, double n, double ridge) {
    orr_kernel_learning l;
    assert_ok(*state, orr_kernel_learn(*state, arena, s, n, ridge, &l));
    return l;
}

/* The sheet's table, to half a unit of the digits that it prints. */
static void goldens_of_the_sheet(void **state) {
    static const struct {
        double n, delta, s2, kappa, e0, test, train, learned;
    } golden[] = {
        { 20, 0, 0, 5.773351434e-03, 1.967835056, 0.779319976, 0, 20 },
        { 20, 0.01, 0.1, 6.720689632e-03, 1.831565168, 0.941074100, 5.208781624e-03, 18.512057 },
        { 200, 0.5, 0, 2.911512857e-03, 1.075590191, 0.348267753, 0.256776844, 28.267975 },
        { 200, 0, 0.25, 5.099095217e-05, 2.206590632, 0.723865536, 0, 200 },
    };
    const orr_kernel_spectrum s = power_law();
    for (size_t i = 0; i < sizeof golden / sizeof golden[0]; i++) {
        const orr_kernel_learning l = learn(state, &s, golden[i].n, golden[i].delta);
        assert_close(l.kappa / golden[i].kappa, 1.0, 1e-9);
        assert_close(l.overfitting, golden[i].e0, 5.1e-10);
        assert_close(l.learned, golden[i].learned, 5.1e-7);
        assert_close(orr_kernel_test_error(&s, &l, coefficient2, golden[i].s2), golden[i].test, 5.1e-10);
        assert_close(orr_kernel_train_error(&s, &l, coefficient2, golden[i].s2), golden[i].train, 5.1e-10);
    }
}

/* sum_i g_i L_i = n - delta/kappa: exactly n at no ridge, for n that is no integer too. */
static void learnabilities_sum_to_the_samples_less_the_ridge_over_kappa(void **state) {
    orr_kernel_spectrum s = power_law();
    for (int i = 0; i < 60; i++) {
        const double n = 0.5 * pow(1.3, i % 20), ridge = i % 3 ? 1e-4 * pow(10.0, i % 5) : 0.0;
        s.tail = i % 2 ? 0.01 : 0.0;
        const orr_kernel_learning l = learn(state, &s, n, ridge);
        assert_close(l.learned / (n - (ridge + s.tail) / l.kappa), 1.0,
                     1e-11); /* eps times ln kappa and cancellation */
    }
}

static void a_level_of_multiplicity_g_is_g_levels(void **state) {
    const double grouped[3] = { 0.2, 1.0, 0.0 }, g[3] = { 3, 2, 4 }, v2[3] = { 0.6, 1.0, 0.1 };
    const double apart[9] = { 1, 0.2, 0, 1, 0.2, 0.2, 0, 0, 0 },
                 v2_apart[9] = { 0.5, 0.2, 0.1, 0.5, 0.3, 0.1, 0, 0, 0 };
    const orr_kernel_spectrum a = { 3, grouped, g, 0.05 }, b = { 9, apart, NULL, 0.05 };
    const orr_kernel_learning l = learn(state, &a, 3.5, 0.1), m = learn(state, &b, 3.5, 0.1);
    assert_close(l.kappa, m.kappa, 1e-14); /* rounding */
    assert_close(orr_kernel_test_error(&a, &l, v2, 0.2), orr_kernel_test_error(&b, &m, v2_apart, 0.2), 1e-13);
    assert_close(orr_kernel_train_error(&a, &l, v2, 0.2), orr_kernel_train_error(&b, &m, v2_apart, 0.2), 1e-13);
}

/* The train error by its other form, (1 - sum_i g_i L_i / n)^2 E_test, which holds without a tail. */
static void both_forms_of_the_train_error_agree(void **state) {
    const orr_kernel_spectrum s = power_law();
    for (double ridge = 1e-3; ridge < 10.0; ridge *= 3.0) {
        const orr_kernel_learning l = learn(state, &s, 37.0, ridge);
        const double shrink = 1.0 - l.learned / 37.0, test = orr_kernel_test_error(&s, &l, coefficient2, 0.3);
        assert_close(orr_kernel_train_error(&s, &l, coefficient2, 0.3), shrink * shrink * test, 1e-12);
    }
}

/* A tail and a ridge of the same size give the same kappa and test error, but only the ridge leaves train error. */
static void a_tail_is_a_ridge_for_the_test_error_alone(void **state) {
    orr_kernel_spectrum s = power_law();
    const orr_kernel_learning ridge = learn(state, &s, 30.0, 0.02);
    s.tail = 0.02;
    const orr_kernel_learning tail = learn(state, &s, 30.0, 0.0);
    assert_close(tail.kappa, ridge.kappa, 1e-16);
    assert_close(orr_kernel_train_error(&s, &tail, coefficient2, 0.0), 0.0, 0.0);
    assert_true(orr_kernel_train_error(&s, &ridge, coefficient2, 0.0) > 0.0);
}

/* P modes of rank P < n without ridge: ordinary least squares, whose excess error is s2 P/(n - P), and whose train error is
 * s2 (n - P)/n, for large n and P. */
static void more_samples_than_modes_are_least_squares(void **state) {
    double ones[100], v2[100];
    for (int i = 0; i < 100; i++) ones[i] = i < 80 ? 1.0 + i : 0.0, v2[i] = i < 80 ? 1.0 : 0.0;
    const orr_kernel_spectrum s = { .n = 100, .value = ones };
    orr_kernel_learning l = learn(state, &s, 200.0, 0.0);
    assert_close(l.kappa, 0.0, 0.0);
    assert_close(l.learned, 80.0, 0.0);
    assert_close(orr_kernel_test_error(&s, &l, v2, 0.3), 0.3 * 200.0 / 120.0, 1e-15);
    assert_close(orr_kernel_train_error(&s, &l, v2, 0.3), 0.3 * 120.0 / 200.0, 1e-15);
    l = learn(state, &s, 80.0, 0.0);
    assert_true(isinf(orr_kernel_test_error(&s, &l, v2, 0.3)));
    assert_close(orr_kernel_train_error(&s, &l, v2, 0.3), 0.0, 0.0);
}

static void what_cannot_be_a_spectrum_is_refused(void **state) {
    const double negative[2] = { 1.0, -1e-9 }, good[2] = { 1.0, 0.5 };
    const orr_kernel_spectrum bad = { .n = 2, .value = negative }, s = { .n = 2, .value = good };
    orr_kernel_learning l;
    assert_int_equal(orr_kernel_learn(*state, arena, &bad, 2.0, 0.0, &l), ORR_EINPUT);
    assert_int_equal(orr_kernel_learn(*state, arena, &s, 0.0, 0.0, &l), ORR_EINPUT);
    assert_int_equal(orr_kernel_learn(*state, arena, &s, 2.0, -1.0, &l), ORR_EINPUT);
    assert_int_equal(orr_kernel_learn(*state, arena, &s, 2.0, (double)NAN, &l), ORR_EINPUT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goldens_of_the_sheet),
        cmocka_unit_test(learnabilities_sum_to_the_samples_less_the_ridge_over_kappa),
        cmocka_unit_test(a_level_of_multiplicity_g_is_g_levels),
        cmocka_unit_test(both_forms_of_the_train_error_agree),
        cmocka_unit_test(a_tail_is_a_ridge_for_the_test_error_alone),
        cmocka_unit_test(more_samples_than_modes_are_least_squares),
        cmocka_unit_test(what_cannot_be_a_spectrum_is_refused),
    };
    return cmocka_run_group_tests_name("theory/kernel_regression", tests, setup, teardown);
}
