#include "testing.h"

#include "theory/batch_fit.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

static void a_hyperbola_is_recovered(void **state) {
    const double steps_min = 320.0, critical = 57.0;
    orr_batch_cell cell[9];
    orr_batch_law law;
    for (int i = 0; i < 9; i++) {
        cell[i].batch = pow(4.0, i - 1);
        cell[i].steps = steps_min * (1.0 + critical / cell[i].batch);
    }
    assert_ok(*state, orr_batch_fit(*state, arena, cell, 9, &law));
    /* L-BFGS ends at a gradient of 1e-12, whose curvatures are of order 1 */
    assert_close(law.steps_min / steps_min, 1.0, 1e-9);
    assert_close(law.batch_critical / critical, 1.0, 1e-9);
    assert_close(law.examples_min / (steps_min * critical), 1.0, 1e-9);
    assert_close(law.residual_max, 0.0, 1e-9);
    assert_close(law.exponent, 1.0, 1e-9);
    assert_close(orr_batch_steps(&law, critical), 2.0 * steps_min, 1e-6);
    const double B = 200.0, S = orr_batch_steps(&law, B);
    assert_close((S / law.steps_min - 1.0) * (B * S / law.examples_min - 1.0), 1.0, 1e-12);
}

static void a_broader_curve_shows_in_the_exponent(void **state) {
    orr_batch_cell cell[9];
    orr_batch_law law;
    for (int i = 0; i < 9; i++) {
        cell[i].batch = pow(4.0, i - 1);
        cell[i].steps = 10.0 * (1.0 + pow(30.0 / cell[i].batch, 0.8));
    }
    assert_ok(*state, orr_batch_fit(*state, arena, cell, 9, &law));
    assert_close(law.exponent, 0.8, 1e-8);
    assert_true(law.residual_max > 0.08);
}

/* The sheet's d = 50 case.  Its S are rounded to .1, of 6.7 up to 0.7 %. */
static void goldens_of_the_sheet(void **state) {
    static const orr_batch_cell cell[] = { { 1, 147.1 }, { 2, 75.9 },  { 4, 40.5 },   { 8, 23.0 },
                                           { 16, 14.6 }, { 32, 10.6 }, { 64, 8.6 },   { 128, 7.6 },
                                           { 256, 7.1 }, { 512, 6.9 }, { 1024, 6.8 }, { 4096, 6.7 } };
    orr_batch_law law;
    assert_ok(*state, orr_batch_fit(*state, arena, cell, 12, &law));
    assert_close(law.steps_min, 6.566, 0.02);
    assert_close(law.examples_min, 136.2, 0.5);
    assert_close(law.batch_critical, 20.74, 0.1);
    assert_close(law.residual_max, 0.030, 0.005);
    assert_close(law.exponent, 1.03, 0.01);
}

static void few_or_impossible_cells_are_refused_in_words(void **state) {
    static const struct {
        orr_batch_cell cell[3];
        int64_t n;
        const char *words;
    } rows[] = {
        { { { 1, 10 }, { 2, 8 } }, 2, "2 batch sizes; two constants and their check need at least 3" },
        { { { 4, 10 }, { 4, 8 }, { 4, 9 } }, 3, "all batches are of 4 examples" },
        { { { 1, 10 }, { 0, 8 }, { 4, 9 } }, 3, "cell 2: batch 0 is not positive" },
        { { { 1, 10 }, { 2, 8 }, { 4, -9 } }, 3, "cell 3: steps -9 is not positive" },
    };
    orr_batch_law law;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(orr_batch_fit(*state, arena, rows[i].cell, rows[i].n, &law), ORR_EINPUT);
        if (!strstr(orr_context_message(*state), rows[i].words)) fail_msg("%s", orr_context_message(*state));
        orr_context_clear(*state);
    }
    const orr_batch_cell three[] = { { 1, 30 }, { 8, 12 }, { 64, 9 } };
    assert_ok(*state, orr_batch_fit(*state, arena, three, 3, &law));
    assert_true(isnan(law.exponent));
}

/* |G|^2 = 3, tr Sigma = 40: E |g_B|^2 = 3 + 40/B. */
static void two_batch_sizes_give_signal_and_noise(void **state) {
    const orr_noise_scale s = orr_two_batch_noise_scale(8.0, 3.0 + 40.0 / 8.0, 64.0, 3.0 + 40.0 / 64.0);
    (void)state;
    assert_close(s.signal, 3.0, 1e-13);
    assert_close(s.trace, 40.0, 1e-12);
    assert_close(s.scale, 40.0 / 3.0, 1e-12);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hyperbola_is_recovered),
        cmocka_unit_test(a_broader_curve_shows_in_the_exponent),
        cmocka_unit_test(goldens_of_the_sheet),
        cmocka_unit_test(few_or_impossible_cells_are_refused_in_words),
        cmocka_unit_test(two_batch_sizes_give_signal_and_noise),
    };
    return cmocka_run_group_tests_name("theory/batch_fit", tests, setup, teardown);
}
