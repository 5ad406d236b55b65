#include "testing.h"

#include "base/random.h"
#include "numeric/dense.h"
#include "theory/deep_linear.h"

static orr_arena *arena, *scratch;

static int setup(void **state) {
    return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK || orr_arena_new(*state, &scratch) != ORR_OK
               ? -1
               : 0;
}
static int teardown(void **state) {
    orr_arena_free(scratch);
    orr_arena_free(arena);
    return context_teardown(state);
}

static double flow(orr_context *ctx, int64_t layers, double s, double a_0, double t) {
    const double times[] = { 0.5 * t, t };
    double a[2];
    assert_ok(ctx, orr_mode_flow(ctx, scratch, layers, s, a_0, times, 2, a));
    return a[1];
}

static double descend(int64_t layers, double s, double a_0, double eta, int updates) {
    const double at[2] = { (double)(updates / 2), (double)updates };
    double a[2];
    orr_mode_descent(layers, s, a_0, eta, at, 2, a);
    return a[1];
}

/* ---- goldens of the sheet, as many digits as it prints ------------------------------------------------------------------- */

static void two_layers_follow_the_sigmoid_of_the_sheet(void **state) {
    static const double a[] = { 5.31731586e-02, 1.19718198, 1.97573349 };
    (void)state;
    for (int t = 1; t <= 3; t++) assert_close(orr_mode_flow_two(2.0, 1e-3, t), a[t - 1], 5e-9);
    assert_close(orr_mode_time(2, 3.0, 1e-4, 1.5), 1.71815322, 5e-9);
}

static void deeper_flows_are_those_of_the_sheet(void **state) {
    assert_close(flow(*state, 3, 2.0, 0.01, 1.0), 0.05280212, 5e-9);
    assert_close(flow(*state, 3, 2.0, 0.01, 2.0), 1.0679686, 5e-8);
    assert_close(flow(*state, 4, 2.0, 0.01, 2.0), 0.20906711, 5e-9);
    assert_close(flow(*state, 5, 2.0, 0.01, 2.0), 0.09797230, 5e-9);
    assert_close(orr_mode_time(3, 2.0, 0.01, 1.0), 1.97755858, 5e-9);
    assert_close(orr_mode_time(4, 2.0, 0.01, 1.0), 2.39328541, 5e-9);
    assert_close(orr_mode_time(5, 2.0, 0.01, 1.0), 2.60610290, 5e-9);
}

static void gradient_descent_on_one_mode_is_that_of_the_sheet(void **state) {
    (void)state;
    assert_close(descend(2, 2.0, 1e-3, 0.02, 100), 1.14544009, 5e-9);
    assert_close(descend(3, 2.0, 1e-2, 0.02, 200), 1.99999977, 5e-9);
}

/* ---- properties ----------------------------------------------------------------------------------------------------------- */

static void the_flow_is_at_a_when_the_integral_says_so(void **state) {
    for (int64_t layers = 2; layers <= 6; layers++)
        for (int i = 1; i < 10; i++) {
            const double s = 0.7 * i, a = 0.1 * i * s, t = orr_mode_time(layers, s, 1e-3, a);
            assert_close(flow(*state, layers, s, 1e-3, t), a,
                         1e-7 * s); /* CVODE at 1e-12 a step, which growth from 1e-3 amplifies */
        }
}

/* From above s too: the closed form of two layers against the equation, through CVODE as a chain of 2 written as any depth. */
static void a_strength_above_its_mode_comes_down(void **state) {
    double a = 5.0;
    (void)state;
    for (int i = 0; i < 200000; i++) a += 1e-6 * 2.0 * a * (2.0 - a); /* Euler, error about 1e-6 */
    assert_close(orr_mode_flow_two(2.0, 5.0, 0.2), a, 1e-5);
    assert_close(orr_mode_flow_two(2.0, 5.0, 1e3), 2.0, 1e-15); /* no overflow */
    assert_close(orr_mode_flow_two(2.0, 1e-300, 1e3), 2.0, 1e-15);
}

static void gradient_descent_tends_to_the_flow_with_the_first_power_of_the_step(void **state) {
    for (int64_t layers = 2; layers <= 4; layers++) {
        const double limit = flow(*state, layers, 2.0, 0.01, 1.0), one = descend(layers, 2.0, 0.01, 1e-3, 1000) - limit,
                     half = descend(layers, 2.0, 0.01, 5e-4, 2000) - limit;
        assert_close(half / one, 0.5, 5e-3); /* next order: eta s, about 2e-3 */
    }
}

static void what_is_never_reached_has_an_infinite_time(void **state) {
    (void)state;
    for (int64_t layers = 2; layers <= 3; layers++) {
        assert_true(isinf(orr_mode_time(layers, 2.0, 1e-3, 2.0)));
        assert_true(isinf(orr_mode_time(layers, 2.0, 0.0, 1.0)));
        assert_close(orr_mode_time(layers, 2.0, 1.5, 1.0), 0.0, 0.0);
        assert_close(flow(*state, layers, 2.0, 0.0, 1.0), 0.0, 0.0);
    }
}

/* ---- task and starts, on axes -------------------------------------------------------------------------------------------- */

enum { D = 3, H = 4 };

/* y = diag(1, 3, 2) x on white inputs; y is [3, 3] too. */
static orr_linear_task diagonal_task(orr_context *ctx) {
    static const double values[D] = { 1, 3, 2 };
    double x[D * D] = { 0 }, y[D * D] = { 0 };
    orr_linear_task task;
    for (int i = 0; i < D; i++) {
        x[i * D + i] = sqrt((double)D);
        y[i * D + i] = values[i] * x[i * D + i];
    }
    assert_ok(ctx, orr_linear_task_new(ctx, arena, scratch, D, D, D, x, y, &task));
    return task;
}

static void the_modes_of_a_task_are_its_singular_vectors_strongest_first(void **state) {
    static const int axis[D] = { 1, 2, 0 };
    const orr_linear_task task = diagonal_task(*state);
    assert_int_equal(task.modes, D);
    for (int k = 0; k < D; k++) {
        assert_close(task.s[k], 3.0 - k, 1e-14);
        assert_close(fabs(task.u[k * D + axis[k]]), 1.0, 1e-14);
        assert_close(task.u[k * D + axis[k]], task.v[k * D + axis[k]], 1e-14);
    }
    assert_close(task.squares, 14.0, 1e-14);
    assert_close(orr_linear_task_colour(&task, D), 0.0, 1e-14);
    task.c[0] = 2.0; /* the last mode's axis is seen twice as wide */
    assert_close(orr_linear_task_colour(&task, D), 1.0, 1e-14);
    assert_close(orr_linear_task_colour(&task, D - 1), 0.0, 1e-14);
}

/* W_l = a0^{1/L} R_l R_{l-1}' with random orthogonal frames between. */
static void a_spectral_start_is_known_and_another_is_not(void **state) {
    const orr_linear_task task = diagonal_task(*state);
    static const int64_t width[] = { D, H, H, D };
    double r[2][H * H], w1[H * D], w2[H * H], w3[D * H], scaled[H * H], a_0[D], deviation;
    const double share = cbrt(0.02);
    for (int i = 0; i < 2; i++) {
        orr_svd svd;
        orr_random_fill_normal((orr_key){ 5, ORR_PURPOSE_TEST, (uint32_t)i }, 0, (int64_t)H * H, scaled);
        assert_ok(*state, orr_svd_thin(*state, arena, scratch, H, H, scaled, &svd));
        memcpy(r[i], svd.u, sizeof r[i]);
    }
    for (int i = 0; i < H; i++) /* R_1 V' and U R_2', V and U the task's, whose rows stand for columns */
        for (int j = 0; j < D; j++) {
            w1[i * D + j] = w3[j * H + i] = 0.0;
            for (int k = 0; k < D; k++) {
                w1[i * D + j] += share * r[0][i * H + k] * task.v[k * D + j];
                w3[j * H + i] += share * task.u[k * D + j] * r[1][i * H + k];
            }
        }
    orr_dense_multiply(H, H, H, r[1], false, r[0], true, w2);
    for (int i = 0; i < H * H; i++) w2[i] *= share;
    const double *const w[] = { w1, w2, w3 };
    const orr_linear_chain chain = { 3, width, w };
    assert_ok(*state, orr_linear_start_spectral(*state, scratch, &chain, &task, D, a_0, &deviation));
    assert_close(deviation, 0.0, 1e-14);
    for (int k = 0; k < D; k++) assert_close(a_0[k], 0.02, 1e-15);
    w2[1] += 1e-3; /* no longer */
    assert_ok(*state, orr_linear_start_spectral(*state, scratch, &chain, &task, D, a_0, &deviation));
    assert_true(deviation > 1e-4);
    memset(w1, 0, sizeof w1);
    memset(w2, 0, sizeof w2);
    memset(w3, 0, sizeof w3);
    assert_ok(*state, orr_linear_start_spectral(*state, scratch, &chain, &task, D, a_0, &deviation));
    assert_true(isinf(deviation)); /* nothing starts from 0 */
}

/* By hand: c of the strongest mode is (W_1 v + W_2' u)/2 itself; the second loses what lies along it. */
static void the_strength_of_a_random_start_is_what_stronger_modes_leave(void **state) {
    const orr_linear_task task = diagonal_task(*state);
    static const int64_t width[] = { D, 2, D };
    /* columns of W_1 and rows of W_2' by axis 0, 1, 2; strongest is axis 1: c = (3, 4), then axis 2: c = (1, 2) */
    static const double w1[2 * D] = { 1, 6, 2, 1, 0, 2 }, w2[D * 2] = { 1, 1, 0, 8, 0, 2 };
    static const double *const w[] = { w1, w2 };
    const orr_linear_chain chain = { 2, width, w };
    double a_0[D];
    assert_ok(*state, orr_linear_start_random(*state, scratch, &chain, &task, D, a_0));
    assert_close(a_0[0], 25.0, 1e-13);
    assert_close(a_0[1], 0.16, 1e-14); /* (1, 2) less 11/25 (3, 4): (-0.32, 0.24) */
    assert_close(a_0[2], 0.0, 1e-25);  /* two units are full */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_layers_follow_the_sigmoid_of_the_sheet),
        cmocka_unit_test(deeper_flows_are_those_of_the_sheet),
        cmocka_unit_test(gradient_descent_on_one_mode_is_that_of_the_sheet),
        cmocka_unit_test(the_flow_is_at_a_when_the_integral_says_so),
        cmocka_unit_test(a_strength_above_its_mode_comes_down),
        cmocka_unit_test(gradient_descent_tends_to_the_flow_with_the_first_power_of_the_step),
        cmocka_unit_test(what_is_never_reached_has_an_infinite_time),
        cmocka_unit_test(the_modes_of_a_task_are_its_singular_vectors_strongest_first),
        cmocka_unit_test(a_spectral_start_is_known_and_another_is_not),
        cmocka_unit_test(the_strength_of_a_random_start_is_what_stronger_modes_leave),
    };
    return cmocka_run_group_tests_name("theory/deep_linear", tests, setup, teardown);
}
