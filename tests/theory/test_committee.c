#include "testing.h"

#include "theory/committee.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) == 0 && orr_arena_new(*state, &arena) == ORR_OK ? 0 : -1; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

enum { N = 4 };
/* The sheet's start: Q = [[.2,.05],[.05,.3]], R = [[.1,.02],[-.03,.08]], T = I. */
static const double start[N * N] = { 0.2, 0.05, 0.1, 0.02, 0.05, 0.3, -0.03, 0.08, 0.1, -0.03, 1, 0, 0.02, 0.08, 0, 1 };

static orr_committee two_by_two(double eta, double noise) { return (orr_committee){ 2, 2, 1, 1, eta, 1, noise }; }

static void gaussian_means_of_the_sheet(void **state) {
    static const double c[N * N] = { 1, .3, .2, .1, .3, 1.5, .4, .5, .2, .4, .8, -.1, .1, .5, -.1, 1.2 };
    (void)state;
    /* half a unit of the digits that it prints */
    assert_close(orr_committee_i2(c, N, 0, 1), 0.085669838, 5.1e-10);
    assert_close(orr_committee_i3(c, N, 0, 1, 2), 0.124840888, 5.1e-10);
    assert_close(orr_committee_j2(c, N, 0, 1), 0.287302481, 5.1e-10);
    assert_close(orr_committee_i4(c, N, 0, 1, 2, 3), -0.017629769, 5.1e-10);
    assert_close(orr_committee_i4(c, N, 0, 0, 2, 3), -0.013453928, 5.1e-10);
    assert_close(orr_committee_i4(c, N, 0, 1, 2, 2), 0.079284872, 5.1e-10);
}

static void error_and_rates_of_the_sheet(void **state) {
    static const double dq[] = { .79671175, .58286974, .58286974, .53772947 };
    static const double dr[] = { .57040582, .54119392, .53303124, .53172010 };
    const orr_committee m = two_by_two(1.5, 0.01);
    double rate[N * N];
    (void)state;
    assert_close(orr_committee_error(&m, start), 0.41715574994, 5.1e-12);
    orr_committee_rate(&m, start, rate);
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < 2; k++) {
            assert_close(rate[i * N + k], dq[i * 2 + k], 5.1e-9);
            assert_close(rate[i * N + 2 + k], dr[i * 2 + k], 5.1e-9);
            assert_close(rate[(2 + k) * N + i], dr[i * 2 + k], 5.1e-9);
            assert_true(rate[(2 + i) * N + 2 + k] == 0.0);
        }
}

static void error_along(void **state, const orr_committee *m, const double *c_0, int64_t count, const double *alpha,
                        double *error) {
    double path[8 * N * N];
    assert_true(count <= 8);
    assert_ok(*state, orr_committee_path(*state, arena, m, c_0, count, alpha, path, error));
}

/* The sheet's by Runge-Kutta with h = 0.05. */
static void path_of_the_sheet(void **state) {
    static const double alpha[] = { 0, 10, 50, 100 };
    const orr_committee m = two_by_two(1.5, 0);
    double e[4];
    error_along(state, &m, start, 4, alpha, e);
    assert_close(e[0], 0.41715574994, 5.1e-12);
    assert_close(e[1], 0.0317708541, 2e-10); /* the sheet's step leaves 1e-10 */
    assert_close(e[2], 0.00147775188, 5.1e-12);
    assert_close(e[3], 2.76570321e-6, 2e-14); /* and the solver 1e-9 of a decay by 1e-5 */
}

static void noise_leaves_a_floor(void **state) {
    static const double alpha[] = { 1200 };
    static const double golden[3][2] = { { 0.5, .001167802 }, { 1, .003191174 }, { 1.5, .007420054 } };
    for (int i = 0; i < 3; i++) {
        const orr_committee m = two_by_two(golden[i][0], 0.01);
        double e;
        error_along(state, &m, start, 1, alpha, &e);
        assert_close(e, golden[i][1], 5.1e-9);
    }
}

/* Where it breaks: Q = .3 I + .01, R = .3 I. */
static void above_an_eta_between_two_and_three_no_learning_is_predicted(void **state) {
    static const double alpha[] = { 200 }, golden[3][2] = { { 3, .0909 }, { 4, .2123 }, { 5, .2761 } };
    const double c[N * N] = { .31, .01, .3, 0, .01, .31, 0, .3, .3, 0, 1, 0, 0, .3, 0, 1 };
    double e;
    orr_committee m = two_by_two(2, 0);
    error_along(state, &m, c, 1, alpha, &e);
    assert_true(e < 4e-13 && e > -1e-14); /* sheet: 3e-13 */
    for (int i = 0; i < 3; i++) {
        m.learning_rate = golden[i][0];
        error_along(state, &m, c, 1, alpha, &e);
        assert_close(e, golden[i][1], 5.1e-5);
    }
}

/* Where students stand on the teachers nothing moves without noise, whatever the sizes and heads. */
static void the_teacher_is_a_fixed_point(void **state) {
    const orr_committee m = { 3, 3, 0.5, 0.5, 1.5, 1, 0 };
    double c[36], rate[36];
    (void)state;
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 6; j++) c[i * 6 + j] = i % 3 == j % 3 ? 1.0 + i % 3 : 0.1;
    orr_committee_rate(&m, c, rate);
    assert_close(orr_committee_error(&m, c), 0, 1e-15); /* rounding of 36 terms that cancel */
    for (int i = 0; i < 36; i++) assert_close(rate[i], 0, 1e-14);
}

static void batches_divide_the_noise_of_steps_alone(void **state) {
    orr_committee m = two_by_two(1.5, 0.01);
    double one[N * N], four[N * N], many[N * N];
    (void)state;
    orr_committee_rate(&m, start, one);
    m.batch = 4;
    orr_committee_rate(&m, start, four);
    m.batch = 1e300;
    orr_committee_rate(&m, start, many);
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < 2; k++) {
            assert_true(one[i * N + 2 + k] == four[i * N + 2 + k]);
            assert_close(four[i * N + k] - many[i * N + k], (one[i * N + k] - many[i * N + k]) / 4, 1e-15);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gaussian_means_of_the_sheet),
        cmocka_unit_test(error_and_rates_of_the_sheet),
        cmocka_unit_test(path_of_the_sheet),
        cmocka_unit_test(noise_leaves_a_floor),
        cmocka_unit_test(above_an_eta_between_two_and_three_no_learning_is_predicted),
        cmocka_unit_test(the_teacher_is_a_fixed_point),
        cmocka_unit_test(batches_divide_the_noise_of_steps_alone),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
