#include "testing.h"

#include "law/curve.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

static void a_power_law_has_its_exponent_and_no_error(void **state) {
    orr_curve c;
    double room[6];
    orr_check_values values = { 0, room };
    assert_ok(*state, orr_curve_new(*state, arena, 4, 3, &c));
    for (double x = 1.0; x < 100.0; x *= 3.0) {
        double *y = orr_curve_add(&c, x);
        if (c.n == 4) break;
        y[0] = y[1] = y[2] = 5.0 * pow(x, -0.75);
    }
    c.n = 3;
    assert_close(orr_curve_span(&c), 9.0, 1e-13);
    assert_close(orr_curve_slope(&c, ORR_CURVE_MEAN), -0.75, 1e-13);
    assert_close(orr_curve_slope(&c, ORR_CURVE_RMS), -0.75, 1e-13);
    orr_curve_add_slope(&c, ORR_CURVE_MEAN, &values);
    assert_int_equal(values.n, 3);
    for (int i = 0; i < 3; i++) assert_close(values.value[i], -0.75, 1e-13);
}

/* The jackknife error of a mean is its standard error; of a root of a mean square, by leaving out by hand. */
static void means_come_with_their_standard_error(void **state) {
    orr_curve c;
    double room[6];
    orr_check_values values = { 0, room };
    assert_ok(*state, orr_curve_new(*state, arena, 1, 3, &c));
    double *y = orr_curve_add(&c, 2.0);
    y[0] = 1.0, y[1] = 2.0, y[2] = 6.0;
    orr_curve_add_mean(&c, ORR_CURVE_MEAN, 0, &values);
    const double error = sqrt((4.0 + 1.0 + 9.0) / 2.0 / 3.0);
    assert_close(values.value[0], 3.0, 1e-14);
    assert_close(values.value[1], 3.0 - error, 1e-14);
    assert_close(values.value[2], 3.0 + error, 1e-14);
    orr_curve_add_mean(&c, ORR_CURVE_RMS, 0, &values);
    const double a = sqrt(20.0), b = sqrt(18.5), d = sqrt(2.5), mean = (a + b + d) / 3.0;
    const double spread = (a - mean) * (a - mean) + (b - mean) * (b - mean) + (d - mean) * (d - mean);
    assert_close(values.value[3], sqrt(41.0 / 3.0), 1e-14);
    assert_close(values.value[5], sqrt(41.0 / 3.0) + sqrt(2.0 / 3.0 * spread), 1e-14);
}

static void a_run_that_gave_no_number_makes_all_of_it_none(void **state) {
    orr_curve c;
    double room[6];
    orr_check_values values = { 0, room };
    assert_ok(*state, orr_curve_new(*state, arena, 2, 3, &c));
    for (int i = 0; i < 2; i++) {
        double *y = orr_curve_add(&c, i + 1.0);
        y[0] = 1.0, y[1] = i ? (double)NAN : 2.0, y[2] = 3.0;
    }
    orr_curve_add_slope(&c, ORR_CURVE_RMS, &values);
    orr_curve_add_mean(&c, ORR_CURVE_MEAN, 1, &values);
    for (int i = 0; i < 6; i++) assert_true(isnan(values.value[i]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_power_law_has_its_exponent_and_no_error),
        cmocka_unit_test(means_come_with_their_standard_error),
        cmocka_unit_test(a_run_that_gave_no_number_makes_all_of_it_none),
    };
    return cmocka_run_group_tests_name("law/curve", tests, setup, teardown);
}
