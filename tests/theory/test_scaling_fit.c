#include "testing.h"

#include "theory/scaling_fit.h"

/* make_scaling_fit.py: SciPy, another search for the same minimum */
#include "scaling_fit_goldens.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

/* Constants of Hoffmann et al. 2022, and the sheet's grid: 8 N in [1e7, 1e10], 8 D in [1e9, 10^11.5]. */
static const orr_scaling_law hoffmann = { .E = 1.69, .A = 406.4, .alpha = 0.34, .B = 410.7, .beta = 0.28 };

static void fill(orr_scaling_cell cell[64]) {
    for (int i = 0; i < 64; i++) {
        cell[i].parameters = pow(10.0, 7.0 + 3.0 * (i % 8) / 7.0);
        cell[i].data = pow(10.0, 9.0 + 2.5 * (i / 8) / 7.0);
        cell[i].loss = orr_scaling_loss(&hoffmann, cell[i].parameters, cell[i].data);
    }
}

static void the_constants_of_a_noiseless_grid_are_recovered(void **state) {
    orr_scaling_cell cell[64];
    orr_scaling_law law;
    fill(cell);
    assert_ok(*state, orr_scaling_fit(*state, arena, cell, 64, &law));
    /* sheet: to 6 digits */
    assert_close(law.E / hoffmann.E, 1.0, 1e-6);
    assert_close(law.A / hoffmann.A, 1.0, 1e-6);
    assert_close(law.alpha / hoffmann.alpha, 1.0, 1e-6);
    assert_close(law.B / hoffmann.B, 1.0, 1e-6);
    assert_close(law.beta / hoffmann.beta, 1.0, 1e-6);
    assert_close(orr_scaling_rms(&law, cell, 64), 0.0, 1e-8);
}

static void a_noisy_table_gets_the_constants_that_scipy_finds(void **state) {
    const int64_t n = sizeof noisy / sizeof noisy[0];
    orr_scaling_law law;
    assert_ok(*state, orr_scaling_fit(*state, arena, noisy, n, &law));
    /* the simplex ends within 1e-7 of its minimum, whose curvature is least in log E */
    assert_close(law.E / noisy_law.E, 1.0, 1e-5);
    assert_close(law.A / noisy_law.A, 1.0, 1e-5);
    assert_close(law.alpha / noisy_law.alpha, 1.0, 1e-5);
    assert_close(law.B / noisy_law.B, 1.0, 1e-5);
    assert_close(law.beta / noisy_law.beta, 1.0, 1e-5);
}

/* 1 % noise.  The sheet: E 1.717 [1.645, 1.848], alpha .351 [.328, .366], beta .2816 [.256, .351], A 479, B 425. */
static void the_sheets_noisy_draw_gets_its_constants_and_intervals(void **state) {
    enum { RESAMPLES = 400, CELLS = sizeof of_the_sheet / sizeof of_the_sheet[0] };
    orr_scaling_law law, *drawn = ORR_NEW(arena, orr_scaling_law, RESAMPLES), again[2];
    double value[3][RESAMPLES], interval[2];
    static const double sheet[3][2] = { { 1.645, 1.848 }, { 0.328, 0.366 }, { 0.256, 0.351 } };
    assert_non_null(drawn);
    assert_ok(*state, orr_scaling_fit(*state, arena, of_the_sheet, CELLS, &law));
    /* as many digits as the sheet prints */
    assert_close(law.E, 1.717, 5e-4);
    assert_close(law.alpha, 0.351, 5e-4);
    assert_close(law.beta, 0.2816, 5e-5);
    assert_close(law.A, 479.0, 0.5);
    assert_close(law.B, 425.0, 0.5);
    assert_ok(*state, orr_scaling_bootstrap(*state, arena, of_the_sheet, CELLS, &law, RESAMPLES, drawn));
    for (int i = 0; i < RESAMPLES; i++) {
        value[0][i] = drawn[i].E;
        value[1][i] = drawn[i].alpha;
        value[2][i] = drawn[i].beta;
    }
    for (int k = 0; k < 3; k++) {
        orr_scaling_interval(value[k], RESAMPLES, interval);
        /* sqrt(.025 .975/100)/.058 = .27 standard deviations, 7 % of the width, is how the ends of an interval from 100 resamples
         * scatter, the fewest that the sheet allows; here and there together 8 %, three times that */
        const double scatter = 0.24 * (sheet[k][1] - sheet[k][0]);
        assert_close(interval[0], sheet[k][0], scatter);
        assert_close(interval[1], sheet[k][1], scatter);
    }
    assert_ok(*state, orr_scaling_bootstrap(*state, arena, of_the_sheet, CELLS, &law, 2, again));
    assert_memory_equal(again, drawn, sizeof again); /* a draw depends on its number */
}

static void an_interval_lies_between_the_values_as_numpy_percentile_does(void **state) {
    double value[5] = { 5, 1, 4, 2, 3 }, interval[2];
    (void)state;
    orr_scaling_interval(value, 5, interval);
    assert_close(interval[0], 1.1, 1e-15); /* numpy.percentile([1, 2, 3, 4, 5], 2.5) */
    assert_close(interval[1], 4.9, 1e-15);
    orr_scaling_interval(value, 0, interval);
    assert_true(isnan(interval[0]) && isnan(interval[1]));
}

static void the_compute_optimum_is_the_sheets_and_no_other_split_is_better(void **state) {
    const double compute = 5.76e23;
    const orr_scaling_optimum o = orr_scaling_optimum_at(&hoffmann, compute);
    (void)state;
    /* as many digits as the sheet prints */
    assert_close(o.G, 1.344710643, 5e-10);
    assert_close(o.parameters, 3.218986e10, 5e3);
    assert_close(o.data, 2.982306e12, 5e5);
    assert_close(o.loss, 1.930748102, 5e-10);
    assert_close(o.parameters_exponent, 0.451612903, 5e-10);
    assert_close(o.data_exponent, 0.548387097, 5e-10);
    assert_close(o.frontier_exponent, 0.153548387, 5e-10);
    assert_close(6.0 * o.parameters * o.data / compute, 1.0, 1e-13);
    for (double shift = 0.9; shift < 1.15; shift += 0.2)
        assert_true(orr_scaling_loss(&hoffmann, o.parameters * shift, o.data / shift) > o.loss);
    const orr_scaling_law flat = { .E = 1, .A = 1, .alpha = -0.1, .B = 1, .beta = 0.3 };
    assert_true(isnan(orr_scaling_optimum_at(&flat, compute).loss));
}

static void cells_with_more_data_are_predicted_from_those_with_less(void **state) {
    orr_scaling_cell cell[64];
    orr_scaling_extrapolation out;
    fill(cell);
    assert_ok(*state, orr_scaling_extrapolate(*state, arena, cell, 64, 3e10, &out));
    assert_int_equal(out.fitted, 40); /* the 5 D of 8 that are below */
    assert_int_equal(out.held, 24);
    assert_close(out.max_error, 0.0, 1e-5); /* as the constants, to 6 digits */
    for (int i = 0; i < 64; i++)
        if (cell[i].data > 3e10) cell[i].loss *= i % 2 ? 1.25 : 1.0; /* half of those held out */
    assert_ok(*state, orr_scaling_extrapolate(*state, arena, cell, 64, 3e10, &out));
    assert_close(out.mean_error, 0.1, 1e-5); /* half of |1/1.25 - 1| */
    assert_close(out.max_error, 0.2, 1e-5);
}

static void what_can_not_be_fitted_is_refused_in_words(void **state) {
    orr_scaling_cell cell[64];
    orr_scaling_law law;
    fill(cell);
    assert_int_equal(orr_scaling_fit(*state, arena, cell, 5, &law), ORR_EINPUT);
    assert_non_null(strstr(orr_context_message(*state), "five constants need at least 6"));
    orr_context_clear(*state);
    cell[3].loss = -1.0;
    assert_int_equal(orr_scaling_fit(*state, arena, cell, 64, &law), ORR_EINPUT);
    assert_non_null(strstr(orr_context_message(*state), "cell 4: loss -1 is not positive"));
    orr_context_clear(*state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_constants_of_a_noiseless_grid_are_recovered),
        cmocka_unit_test(a_noisy_table_gets_the_constants_that_scipy_finds),
        cmocka_unit_test(the_sheets_noisy_draw_gets_its_constants_and_intervals),
        cmocka_unit_test(an_interval_lies_between_the_values_as_numpy_percentile_does),
        cmocka_unit_test(the_compute_optimum_is_the_sheets_and_no_other_split_is_better),
        cmocka_unit_test(cells_with_more_data_are_predicted_from_those_with_less),
        cmocka_unit_test(what_can_not_be_fitted_is_refused_in_words),
    };
    return cmocka_run_group_tests_name("theory/scaling_fit", tests, setup, teardown);
}
