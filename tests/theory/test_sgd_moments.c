#include "testing.h"

#include "theory/sgd_moments.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) == 0 && orr_arena_new(*state, &arena) == ORR_OK ? 0 : -1; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

enum { D = 20, RECORDS = 1500 };
static const double tau = 0.02;
static double curvature[D], m[D];

/* linear-scaling-rule: l_i = 1/i, i = 1 .. 20, s2 = 1; m_0 = 1 */
static orr_sgd_regression one_over_i(void) {
    for (int i = 0; i < D; i++) curvature[i] = 1.0 / (i + 1), m[i] = 1.0;
    return (orr_sgd_regression){ D, curvature, 1.0 };
}

static void limit_at(void **state, const orr_sgd_regression *r, int64_t count, const double *times, double *loss) {
    double one[D];
    for (int i = 0; i < D; i++) one[i] = 1.0;
    assert_ok(*state, orr_sgd_limit_loss(*state, arena, r, tau, one, count, times, loss));
}

static void stationary_moments_of_the_sheet(void **state) {
    static const struct {
        double learning_rate, batch, m[4];
    } golden[] = {
        { 0.1, 1, { 0.01557024, 0.01490768, 0.01444661, 0.01415476 } },
        { 0.2, 2, { 0.01657138, 0.01547876, 0.01474940, 0.01430018 } },
        { 0.8, 8, { 0.02688287, 0.02025422, 0.01709315, 0.01548228 } },
        { 0.4, 1, { 0.19852767, 0.15673237, 0.13535977, 0.12407979 } },
    };
    static const double l[] = { 1.0, 0.6, 0.3, 0.1 };
    const orr_sgd_regression r = { 4, l, 0.25 };
    (void)state;
    for (size_t i = 0; i < sizeof golden / sizeof golden[0]; i++) {
        double star[4], iterated[4] = { 1, 1, 1, 1 };
        assert_true(orr_sgd_moments_stationary(&r, golden[i].learning_rate, golden[i].batch, star));
        for (int k = 0; k < 4000; k++) orr_sgd_moments_step(&r, golden[i].learning_rate, golden[i].batch, iterated);
        for (int j = 0; j < 4; j++) {
            assert_close(star[j], golden[i].m[j], 5.1e-9);   /* half a unit of the digits that it prints */
            assert_close(iterated[j] / star[j], 1.0, 1e-12); /* slowest rate 0.01 an update: e^-40 left, and rounding */
        }
    }
}

/* sum_i eta l_i/(B (2 - eta l_i) - eta l_i) < 1 ends long before eta l_max = 2: with one direction at B = 1, eta l < 2/3. */
static void moments_diverge_where_no_fixed_point_exists(void **state) {
    static const double l[] = { 1.0 };
    const orr_sgd_regression r = { 1, l, 0.25 };
    double star[1] = { -1.0 };
    (void)state;
    assert_true(orr_sgd_moments_stationary(&r, 0.666, 1, star));
    star[0] = -1.0;
    assert_false(orr_sgd_moments_stationary(&r, 0.667, 1, star));
    assert_true(star[0] == -1.0);
    double below = 1.0, above = 1.0;
    for (int k = 0; k < 20000; k++) {
        orr_sgd_moments_step(&r, 0.666, 1, &below);
        orr_sgd_moments_step(&r, 0.667, 1, &above);
    }
    assert_true(below < 200.0 && above > 1e4);
}

/* linear-scaling-rule, golden (1). */
static void losses_of_the_limit_and_of_three_batches(void **state) {
    static const double t[] = { 0.0, 1.0, 5.0, 30.0 };
    const orr_sgd_regression r = one_over_i();
    double loss[4];
    limit_at(state, &r, 4, t, loss);
    assert_close(loss[0], orr_sgd_excess_loss(&r, m), 1e-14);
    /* The sheet's by RK2 with dt = 0.001, whose error (dt l)^2/6 a unit of time is up to 2e-7 relative. */
    assert_close(loss[1], 0.95899846, 2e-7);
    assert_close(loss[2], 0.31702320, 2e-7);
    assert_close(loss[3], 0.02639980, 2e-7);

    /* The sheet interpolates the loss linearly at t = 1, and stops at the first update with t >= 30. */
    static const struct {
        double batch, at_1, at_end; /* 0: not in the sheet */
    } golden[] = { { 1, 0.95712318, 0.02647134 }, { 8, 0.94486715, 0.02694037 }, { 32, 0, 0.02961862 } };
    for (size_t i = 0; i < sizeof golden / sizeof golden[0]; i++) {
        const double eta = tau * golden[i].batch;
        double at_1 = 0.0;
        (void)one_over_i();
        for (int k = 0; k * eta < 30.0 - 1e-9; k++) {
            const double before = orr_sgd_excess_loss(&r, m);
            orr_sgd_moments_step(&r, eta, golden[i].batch, m);
            const double part = (1.0 - k * eta) / eta; /* of this update, until t = 1 */
            if (part >= 0.0 && part < 1.0) at_1 = before + part * (orr_sgd_excess_loss(&r, m) - before);
        }
        assert_close(orr_sgd_excess_loss(&r, m), golden[i].at_end, 5.1e-9); /* half a unit of its digits */
        if (golden[i].at_1 > 0) assert_close(at_1, golden[i].at_1, 5.1e-9);
    }
}

/* linear-scaling-rule, Agreement (1): deviation from the limit over the initial loss, and ratio at the end. */
static void deviation_from_the_limit_grows_with_the_learning_rate(void **state) {
    /* The sheet's ratio is of the loss at the first update with t >= 30 to the limit at t = 30. */
    static const struct {
        double batch, deviation, deviation_digit, ratio, ratio_digit; /* as printed, and its last digit; 0: not there */
    } golden[] = {
        { 1, 0.0012, 1e-4, 1.003, 1e-3 }, { 2, 0.0024, 1e-4, 1.005, 1e-3 }, { 4, 0.0048, 1e-4, 1.011, 1e-3 },
        { 8, 0.0098, 1e-4, 1.020, 1e-3 }, { 16, 0.020, 1e-3, 1.048, 1e-3 }, { 32, 0.042, 1e-3, 1.122, 1e-3 },
        { 64, 0, 0, 1.45, 0.04 }, /* 1.435 at the first update past 30, 1.458 between it and the one before */
        { 90, 0, 0, 3.60, 0.01 },
    };
    for (size_t i = 0; i < sizeof golden / sizeof golden[0]; i++) {
        const orr_sgd_regression r = one_over_i();
        const double eta = tau * golden[i].batch, start = orr_sgd_excess_loss(&r, m);
        double times[RECORDS + 2], limit[RECORDS + 2], worst = 0.0;
        int64_t n = 0;
        do {
            assert_true(n <= RECORDS);
            times[n] = (double)n * eta;
        } while (times[n++] < 30.0 - 1e-9);
        const int64_t last = n - 1;
        times[n++] = 30.0;
        limit_at(state, &r, n, times, limit);
        for (int64_t k = 1; k <= last; k++) {
            orr_sgd_moments_step(&r, eta, golden[i].batch, m);
            worst = fmax(worst, fabs(orr_sgd_excess_loss(&r, m) - limit[k]) / start);
        }
        if (golden[i].deviation > 0) assert_close(worst, golden[i].deviation, 0.51 * golden[i].deviation_digit);
        assert_close(orr_sgd_excess_loss(&r, m) / limit[last + 1], golden[i].ratio, 0.51 * golden[i].ratio_digit);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stationary_moments_of_the_sheet),
        cmocka_unit_test(moments_diverge_where_no_fixed_point_exists),
        cmocka_unit_test(losses_of_the_limit_and_of_three_batches),
        cmocka_unit_test(deviation_from_the_limit_grows_with_the_learning_rate),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
