#include "testing.h"

#include "theory/batch_fit.h"
#include "theory/critical_batch.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

/* l_i = i^-exponent, m_i = 1 */
typedef struct problem {
    double l[100], m[100];
    orr_sgd_regression r;
} problem;

static problem *power_law(int64_t d, double exponent, double noise) {
    problem *p = ORR_NEW(arena, problem, 1);
    assert_non_null(p);
    for (int64_t i = 0; i < d; i++) {
        p->l[i] = pow((double)i + 1.0, -exponent);
        p->m[i] = 1.0;
    }
    p->r = (orr_sgd_regression){ d, p->l, noise };
    return p;
}

/* The sheet's (1): d = 20, l_i = 1/i at a u of its own, of which it gives |G|^2, tr Sigma and B_noise. */
static void goldens_of_one_step(void **state) {
    (void)state;
    const double signal = 0.201351, trace = 7.36560, B_noise = 66.08;
    double l1 = 0.0, l2 = 0.0;
    for (int i = 1; i <= 20; i++) l1 += 1.0 / i, l2 += 1.0 / (i * i);
    const double excess = (trace - signal) / l1; /* sum l u^2 + s2 */
    const orr_gradient_noise n = { signal, trace, l2 * excess / (B_noise - 1.0),
                                   l2 * excess * B_noise / (B_noise - 1.0) };
    static const double batch[3] = { 4, 32, 256 }, gain[3] = { 0.02369, 0.13542, 0.32989 };
    assert_close(orr_noise_simple(&n), 36.58, 0.005); /* the digits that the sheet prints */
    assert_close(orr_noise_weighted(&n), B_noise, 1e-9);
    for (int i = 0; i < 3; i++) /* from rounded numbers: B_noise to 1e-4 */
        assert_close(orr_step_gain(&n, batch[i], orr_best_step(&n, batch[i])), gain[i], 5e-4 * gain[i]);
}

/* One update of the exact recursion of moments changes the loss by what the noise says. */
static void the_gain_of_a_step_is_that_of_the_recursion(void **state) {
    (void)state;
    problem *p = power_law(30, 1.0, 0.3);
    for (int64_t i = 0; i < 30; i++) p->m[i] = 1.0 + 0.5 * sin((double)i);
    const orr_gradient_noise noise = orr_regression_noise(&p->r, p->m);
    const double before = orr_sgd_excess_loss(&p->r, p->m), step = 0.4, batch = 7.0,
                 gain = orr_step_gain(&noise, batch, step);
    orr_sgd_moments_step(&p->r, step, batch, p->m);
    assert_close(before - orr_sgd_excess_loss(&p->r, p->m), gain, 1e-14);
}

/* The sheet's (2): d = 50, l_i = 1/i, s2 = .2, m_0 = 1, target .3. */
static void goldens_of_tuned_steps(void **state) {
    static const orr_batch_cell sheet[] = { { 1, 147.1 }, { 2, 75.9 },  { 4, 40.5 },   { 8, 23.0 },
                                            { 16, 14.6 }, { 32, 10.6 }, { 64, 8.6 },   { 128, 7.6 },
                                            { 256, 7.1 }, { 512, 6.9 }, { 1024, 6.8 }, { 4096, 6.7 } };
    orr_batch_cell cell[12];
    orr_batch_law law;
    problem *p = power_law(50, 1.0, 0.2);
    assert_close(orr_sgd_excess_loss(&p->r, p->m), 2.25, 0.005);
    for (int i = 0; i < 12; i++) {
        orr_tuned_batch t;
        assert_ok(*state, orr_tune_batch(*state, arena, &p->r, p->m, sheet[i].batch, 0.3, 1e4, &t));
        assert_close(t.steps, sheet[i].steps, 0.2); /* sheet: depends on its grid by that much */
        cell[i] = (orr_batch_cell){ sheet[i].batch, t.steps };
    }
    assert_ok(*state, orr_batch_fit(*state, arena, cell, 12, &law));
    /* as many digits as the sheet prints, less what the grid is worth */
    assert_close(law.steps_min, 6.566, 0.01);
    assert_close(law.examples_min, 136.2, 0.2);
    assert_close(law.batch_critical, 20.74, 0.05);
    assert_close(law.residual_max, 0.030, 0.002);
    assert_close(law.exponent, 1.03, 0.006);
}

static void other_cases_of_the_sheet_have_their_critical_batch(void **state) {
    static const struct {
        int64_t d;
        double exponent, noise, target, critical, residual;
    } rows[] = {
        { 100, 1.0, 1.0, 0.3, 43.5, 0.039 },
        { 100, 1.0, 0.01, 0.1, 16.7, 0.047 },
    };
    for (int k = 0; k < 2; k++) {
        problem *p = power_law(rows[k].d, rows[k].exponent, rows[k].noise);
        orr_batch_cell cell[12];
        orr_batch_law law;
        for (int i = 0; i < 12; i++) {
            const double batch = i < 11 ? pow(2.0, i) : 4096.0;
            orr_tuned_batch t;
            assert_ok(*state, orr_tune_batch(*state, arena, &p->r, p->m, batch, rows[k].target, 1e5, &t));
            cell[i] = (orr_batch_cell){ batch, t.steps };
        }
        assert_ok(*state, orr_batch_fit(*state, arena, cell, 12, &law));
        assert_close(law.batch_critical, rows[k].critical, 0.01 * rows[k].critical); /* the grid of learning rates */
        assert_close(law.residual_max, rows[k].residual, 0.002);
    }
}

static void where_no_learning_rate_gets_there_steps_are_infinite(void **state) {
    problem *p = power_law(50, 1.0, 0.2);
    orr_tuned_batch t;
    assert_ok(*state, orr_tune_batch(*state, arena, &p->r, p->m, 4.0, 1e-9, 50.0, &t));
    assert_true(isinf(t.steps));
    assert_close(orr_updates_to_loss(&p->r, 4.0, 0.1, 3.0, 10.0, p->m), 0.0, 0.0); /* it starts below */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goldens_of_one_step),
        cmocka_unit_test(the_gain_of_a_step_is_that_of_the_recursion),
        cmocka_unit_test(goldens_of_tuned_steps),
        cmocka_unit_test(other_cases_of_the_sheet_have_their_critical_batch),
        cmocka_unit_test(where_no_learning_rate_gets_there_steps_are_infinite),
    };
    return cmocka_run_group_tests_name("theory/critical_batch", tests, setup, teardown);
}
