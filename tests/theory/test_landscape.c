#include "testing.h"

#include "theory/gradient_flow.h"

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

/* ---- L = 1/2 (x y - 1)^2 ------------------------------------------------------------------------------------------------- */

static double toy_at[2];

static orr_status toy_gradient(void *self, const double *w, double *loss, double *g) {
    const double e = w[0] * w[1] - 1.0;
    (void)self;
    *loss = 0.5 * e * e;
    g[0] = e * w[1];
    g[1] = e * w[0];
    return ORR_OK;
}
static orr_status toy_set(void *self, const double *w) {
    (void)self;
    toy_at[0] = w[0], toy_at[1] = w[1];
    return ORR_OK;
}
static orr_status toy_product(void *self, const double *v, double *hv) {
    const double x = toy_at[0], y = toy_at[1], cross = 2.0 * x * y - 1.0;
    (void)self;
    hv[0] = y * y * v[0] + cross * v[1];
    hv[1] = cross * v[0] + x * x * v[1];
    return ORR_OK;
}
static const orr_landscape toy = { 2, toy_gradient, toy_product, toy_set, NULL, NULL };

/* The sheet's golden: at (a, 1/a) the Hessian has the eigenvalues a^2 + 1/a^2 and 0. */
static void the_toy_of_the_sheet_has_sharpness_a2_plus_1_over_a2(void **state) {
    for (double a = 0.5; a < 4.0; a += 0.5) {
        const double w[2] = { a, 1.0 / a };
        double ritz[2] = { 0.0, 0.0 }, sharpness;
        for (int again = 0; again < 2; again++) { /* from a random vector, then from the eigenvector */
            assert_ok(*state, orr_landscape_sharpness(*state, scratch, &toy, w, ritz, &sharpness));
            assert_close(sharpness, a * a + 1.0 / (a * a), 1e-12); /* rounding of a 2 x 2 */
        }
        assert_close(fabs(ritz[1] / ritz[0]), a * a, 1e-10); /* u ~ (1/a, a) */
    }
}

/* ---- L = 1/2 sum d_i w_i^2 ------------------------------------------------------------------------------------------------ */

static const double d[3] = { 0.5, 2.0, -1.0 };

static orr_status bowl_gradient(void *self, const double *w, double *loss, double *g) {
    (void)self;
    *loss = 0.0;
    for (int i = 0; i < 3; i++) *loss += 0.5 * d[i] * w[i] * w[i], g[i] = d[i] * w[i];
    return ORR_OK;
}
static orr_status bowl_set(void *self, const double *w) {
    (void)self, (void)w;
    return ORR_OK;
}
static orr_status bowl_product(void *self, const double *v, double *hv) {
    (void)self;
    for (int i = 0; i < 3; i++) hv[i] = d[i] * v[i];
    return ORR_OK;
}
static const orr_landscape bowl = { 3, bowl_gradient, bowl_product, bowl_set, NULL, NULL };

/* Euler's method multiplies w_i by 1 - h d_i: known to rounding; and it tends to e^{-d_i t} with an error of first order. */
static void the_flow_of_a_bowl_is_an_exponential_to_first_order_in_the_step(void **state) {
    double error[2];
    for (int refine = 0; refine < 2; refine++) {
        const double h = refine ? 0.005 : 0.01;
        const orr_flow_options options = { .step = h, .steps_per_record = refine ? 20 : 10, .records = 11 };
        double w[3] = { 1.0, -2.0, 0.1 };
        orr_series sharpness, loss;
        assert_ok(*state, orr_gradient_flow(*state, arena, scratch, &bowl, &options, w, &sharpness, &loss));
        assert_int_equal(sharpness.n, 11);
        assert_close(sharpness.x[10], 1.0, 1e-12);
        assert_close(sharpness.y[10], 2.0, 1e-12); /* the largest algebraically */
        const double n = refine ? 200 : 100;
        assert_close(w[1], -2.0 * pow(1.0 - h * 2.0, n), 1e-13);
        assert_close(loss.y[0], 0.25 + 4.0 - 0.005, 1e-15);
        error[refine] = fabs(w[1] + 2.0 * exp(-2.0));
    }
    assert_close(error[0] / error[1], 2.0, 0.05);
}

/* ---- L = sqrt(1 + w^2): sharpness (1 + w^2)^{-3/2} grows while the loss falls --------------------------------------------- */

static double hill_at;

static orr_status hill_gradient(void *self, const double *w, double *loss, double *g) {
    (void)self;
    *loss = sqrt(1.0 + w[0] * w[0]);
    g[0] = w[0] / *loss;
    return ORR_OK;
}
static orr_status hill_set(void *self, const double *w) {
    (void)self;
    hill_at = w[0];
    return ORR_OK;
}
static orr_status hill_product(void *self, const double *v, double *hv) {
    (void)self;
    hv[0] = pow(1.0 + hill_at * hill_at, -1.5) * v[0];
    return ORR_OK;
}
static const orr_landscape hill = { 1, hill_gradient, hill_product, hill_set, NULL, NULL };

static orr_status stop_at_five(void *user, int64_t record) {
    (void)user;
    return record == 5 ? ORR_EINTERRUPTED : ORR_OK;
}

static void the_flow_stops_where_it_is_told_to(void **state) {
    orr_flow_options options = { .step = 0.01, .steps_per_record = 10, .records = 100, .stop_above = 0.5 };
    double w = 3.0;
    orr_series sharpness, loss;
    assert_ok(*state, orr_gradient_flow(*state, arena, scratch, &hill, &options, &w, &sharpness, &loss));
    assert_in_range(sharpness.n, 2, 99);
    assert_true(sharpness.y[sharpness.n - 1] > 0.5);
    for (int64_t i = 0; i + 1 < sharpness.n; i++) assert_true(sharpness.y[i] <= 0.5);
    options.tick = stop_at_five;
    w = 3.0;
    assert_int_equal(orr_gradient_flow(*state, arena, scratch, &hill, &options, &w, &sharpness, &loss),
                     ORR_EINTERRUPTED);
    assert_int_equal(sharpness.n, 6);
}

static void a_flow_that_leaves_the_numbers_ends_there(void **state) {
    const orr_flow_options options = { .step = 1e200, .steps_per_record = 1, .records = 50 };
    double w[3] = { 1.0, 1.0, 1.0 };
    orr_series sharpness, loss;
    assert_ok(*state, orr_gradient_flow(*state, arena, scratch, &bowl, &options, w, &sharpness, &loss));
    assert_in_range(loss.n, 2, 5);
    assert_true(!isfinite(loss.y[loss.n - 1]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_toy_of_the_sheet_has_sharpness_a2_plus_1_over_a2),
        cmocka_unit_test(the_flow_of_a_bowl_is_an_exponential_to_first_order_in_the_step),
        cmocka_unit_test(the_flow_stops_where_it_is_told_to),
        cmocka_unit_test(a_flow_that_leaves_the_numbers_ends_there),
    };
    return cmocka_run_group_tests_name("theory/landscape", tests, setup, teardown);
}
