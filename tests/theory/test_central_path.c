#include "testing.h"

#include "theory/central_path.h"

/* ---- L = 1/2 (x y - 1)^2 ------------------------------------------------------------------------------------------------- */

static double at[2];

static orr_status gradient(void *self, const double *w, double *loss, double *g) {
    const double e = w[0] * w[1] - 1.0;
    (void)self;
    *loss = 0.5 * e * e;
    g[0] = e * w[1];
    g[1] = e * w[0];
    return ORR_OK;
}
static orr_status set(void *self, const double *w) {
    (void)self;
    at[0] = w[0], at[1] = w[1];
    return ORR_OK;
}
static orr_status product(void *self, const double *v, double *hv) {
    const double cross = 2.0 * at[0] * at[1] - 1.0;
    (void)self;
    hv[0] = at[1] * at[1] * v[0] + cross * v[1];
    hv[1] = cross * v[0] + at[0] * at[0] * v[1];
    return ORR_OK;
}
static orr_status third(void *self, const double *u, const double *v, double *out) {
    const double mixed = u[0] * v[1] + u[1] * v[0];
    (void)self;
    out[0] = 2.0 * (at[1] * mixed + at[0] * u[1] * v[1]);
    out[1] = 2.0 * (at[1] * u[0] * v[0] + at[0] * mixed);
    return ORR_OK;
}
static const orr_landscape toy = { 2, gradient, product, set, NULL, third };
static const double w_0[2] = { 2.0, 0.3 };

static orr_arena *arena;
static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

static orr_central_path follow(orr_context *ctx, const orr_central_path_options *o) {
    orr_central_path path;
    assert_ok(ctx, orr_central_path_follow(ctx, arena, &toy, o, w_0, &path));
    return path;
}

/* Below the edge, with whole steps, the path is gradient descent; windows are averages of its iterates. */
static void windows_are_averages_over_updates(void **state) {
    const orr_central_path_options o = { .flow = { .learning_rate = 0.1 }, .updates = 11, .substeps = 1, .window = 4 };
    const orr_central_path path = follow(*state, &o);
    double w[2] = { w_0[0], w_0[1] }, mean[2][2] = { { 0 } }, g[2], loss;
    assert_int_equal(path.made, 11);
    assert_int_equal(path.windows, 2);
    assert_int_equal(path.edge, -1);
    for (int k = 0; k < 11; k++) {
        assert_ok(*state, gradient(NULL, w, &loss, g));
        assert_close(path.loss[k], loss, 1e-15);
        assert_close(path.loss_mean[k], loss, 1e-15);
        assert_close(path.gradient2_mean[k], g[0] * g[0] + g[1] * g[1], 1e-14);
        for (int i = 0; i < 2 && k < 8; i++) mean[k / 4][i] += w[i] / 4.0;
        for (int i = 0; i < 2; i++) w[i] -= 0.1 * g[i];
    }
    for (int i = 0; i < 4; i++) assert_close(path.w[i], mean[i / 2][i % 2], 1e-14);
}

/* RMSProp's own updates come first; the flow's begin where they end. */
static void the_start_is_the_rule_itself(void **state) {
    const orr_central_options rule = { .rule = ORR_CENTRAL_RMSPROP, .learning_rate = 0.02, .beta2 = 0.8, .eps = 1e-8 };
    const orr_central_path_options o = { .flow = rule, .updates = 12, .start = 10, .substeps = 4, .window = 4 };
    const orr_central_path path = follow(*state, &o);
    double w[2] = { w_0[0], w_0[1] }, nu[2] = { 0.0, 0.0 }, g[2], loss;
    assert_int_equal(path.made, 12);
    for (int k = 0; k <= 10; k++) {
        assert_ok(*state, gradient(NULL, w, &loss, g));
        assert_close(path.loss[k], loss, 1e-13); /* rounding over ten updates */
        for (int i = 0; i < 2; i++) {
            nu[i] = 0.8 * nu[i] + 0.2 * g[i] * g[i];
            w[i] -= 0.02 * g[i] / (sqrt(nu[i]) + 1e-8);
        }
    }
}

/* For gd the stable flow is gradient flow, to first order in the substep: x^2 - y^2 is conserved. */
static void the_stable_flow_of_gradient_descent_is_gradient_flow(void **state) {
    const orr_central_path_options o = {
        .flow = { .learning_rate = 0.02, .stable = true }, .updates = 400, .substeps = 1, .window = 4
    };
    const orr_central_path path = follow(*state, &o);
    const double *end = path.w + 2 * (path.windows - 1), x2 = end[0] * end[0], y2 = end[1] * end[1];
    assert_close(end[0] * end[1], 1.0, 1e-6);                       /* it has arrived: e^(-0.02 400 4) */
    assert_close(x2 - y2, w_0[0] * w_0[0] - w_0[1] * w_0[1], 0.01); /* Euler's error: substep 0.005 */
    assert_close(path.s[(path.made - 1) * ORR_CENTRAL_SHOWN], 0.02 * (x2 + y2), 1e-6);
}

/* gd starts at once where it is below the edge, and nowhere above it; RMSProp after its memory's time. */
static void the_flow_starts_below_the_edge(void **state) {
    int64_t start;
    double s_1;
    orr_central_options o = { .learning_rate = 0.4 };
    assert_ok(*state, orr_central_path_start(*state, &toy, &o, w_0, 0, &start, &s_1));
    assert_int_equal(start, 0);
    o.learning_rate = 1.0; /* top eigenvalue of H: 4.09 (x^2 + y^2 on the valley; e adds to it) */
    assert_ok(*state, orr_central_path_start(*state, &toy, &o, w_0, 0, &start, &s_1));
    assert_int_equal(start, -1);
    assert_true(s_1 > 2.0);
    o = (orr_central_options){ .rule = ORR_CENTRAL_RMSPROP, .learning_rate = 1e-3, .beta2 = 0.8, .eps = 1e-8 };
    assert_ok(*state, orr_central_path_start(*state, &toy, &o, w_0, 50, &start, &s_1));
    assert_int_equal(start, 5);
    assert_true(s_1 < 2.0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_are_averages_over_updates),
        cmocka_unit_test(the_start_is_the_rule_itself),
        cmocka_unit_test(the_stable_flow_of_gradient_descent_is_gradient_flow),
        cmocka_unit_test(the_flow_starts_below_the_edge),
    };
    return cmocka_run_group_tests_name("theory/central_path", tests, setup, teardown);
}
