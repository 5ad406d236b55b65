#include "testing.h"

#include "base/random.h"
#include "theory/conservation.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

/* ---- goldens of the sheet ------------------------------------------------------------------------------------------------- */

static void counts_of_products_are_those_of_the_sheet(void **state) {
    static const struct {
        int64_t n, m, r, count, algebra, rank, generators_rank;
    } rows[] = { { 2, 3, 2, 3, 10, 7, 6 }, { 3, 3, 2, 3, 15, 9, 8 }, { 2, 2, 3, 6, 6, 6, 4 }, { 1, 1, 3, 5, 1, 1, 1 },
                 { 2, 1, 4, 9, 3, 3, 2 },  { 2, 2, 4, 10, 6, 6, 4 }, { 2, 2, 5, 14, 6, 6, 4 } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        orr_conserved_count c;
        assert_ok(*state, orr_conserved_count_product(*state, arena, rows[i].n, rows[i].m, rows[i].r, false, &c));
        assert_int_equal(c.count, rows[i].count);
        assert_int_equal(c.algebra, rows[i].algebra);
        assert_int_equal(c.rank, rows[i].rank);
        assert_int_equal(c.generators_rank, rows[i].generators_rank);
        assert_int_equal(orr_conserved_closed_form(rows[i].n, rows[i].m, rows[i].r, false), rows[i].count);
    }
}

static void each_relu_unit_keeps_one(void **state) {
    orr_conserved_count c;
    assert_ok(*state, orr_conserved_count_product(*state, arena, 1, 2, 2, true, &c));
    assert_int_equal(c.count, 2);
    assert_ok(*state, orr_conserved_count_product(*state, arena, 2, 2, 3, true, &c));
    assert_int_equal(c.count, 3);
    assert_int_equal(orr_conserved_closed_form(2, 2, 3, true), 3);
    assert_int_equal(orr_conserved_count_product(*state, arena, 30, 30, 2, false, &c), ORR_EINPUT);
    orr_context_clear(*state);
}

/* a = 1, b = 2, L = 1/2 (ab - 1)^2, eta = 0.1: b^2 - a^2 = 3 becomes 2.97. */
static void a_step_changes_the_balance_by_that_of_the_gradient(void **state) {
    static const char *const names[] = { "a", "b" };
    static const orr_shape shapes[] = { { 2, { 1, 1 } }, { 2, { 1, 1 } } };
    const double w[] = { 1, 2 }, g[] = { 2, 1 }, next[] = { 0.8, 1.9 };
    orr_balances b;
    double q, q_g, q_next;
    assert_ok(*state, orr_balances_find(*state, arena, 2, names, shapes, 1, &b));
    assert_int_equal(b.n, 1);
    assert_ok(*state, orr_balance_form(*state, arena, b.item, w, &q));
    assert_ok(*state, orr_balance_form(*state, arena, b.item, g, &q_g));
    assert_ok(*state, orr_balance_form(*state, arena, b.item, next, &q_next));
    assert_close(q, 3.0, 0.0);
    assert_close(q_next, 2.97, 1e-15);
    assert_close(q + 0.01 * q_g, 2.97, 1e-15);
}

/* E|gt|^2 = 199, eta = 0.1, lambda = 0.01: 995.498, about eta E|gt|^2/(2 lambda) = 995; sqrt(2 eta lambda) = 0.04472. */
static void the_equilibrium_is_that_of_the_sheet(void **state) {
    (void)state;
    assert_close(orr_scale_equilibrium(0.1, 0.01, 199.0), 995.498, 5e-4);
    assert_close(orr_scale_rotation(0.1, 0.01), 0.04472, 5e-6);
}

/* ---- properties ----------------------------------------------------------------------------------------------------------- */

/* Powers that the sheet's own drifts have: 1.02 to 1.04. */
static void the_fitted_power_is_that_of_the_sheets_drifts(void **state) {
    static const double eta[] = { 0.05, 0.025, 0.0125 };
    static const double drift[][3] = { { .0934, .0448, .0220 }, { .0573, .0276, .0136 }, { .1808, .0888, .0441 } };
    (void)state;
    for (int i = 0; i < 3; i++) assert_close(orr_fitted_power(3, eta, drift[i]), 1.03, 0.015);
    assert_close(orr_fitted_power(2, eta, eta), 1.0, 1e-15);
    assert_true(isnan(orr_fitted_power(1, eta, eta)));
    assert_true(isnan(orr_fitted_power(2, eta, (double[]){ 1, 0 })));
}

/* A transformer's block of width 4 with two heads, and a chain that isn't one of the block. */
static void heads_are_balanced_by_themselves(void **state) {
    static const char *const names[] = { "embedding.weight",   "block1.query.weight",  "block1.query.bias",
                                         "block1.key.weight",  "block1.key.bias",      "block1.value.weight",
                                         "block1.value.bias",  "block1.output.weight", "block1.mlp1.weight",
                                         "block1.mlp2.weight", "readout.weight" };
    static const orr_shape m = { 2, { 4, 4 } }, v = { 1, { 4 } };
    const orr_shape shapes[] = { m, m, v, m, v, m, v, m, m, m, m };
    double w[16 * 8 + 12], q[4];
    orr_balances b;
    orr_random_fill_normal((orr_key){ 3, ORR_PURPOSE_TEST, 0 }, 0, 16 * 8 + 12, w);
    assert_ok(*state, orr_balances_find(*state, arena, 11, names, shapes, 2, &b));
    assert_int_equal(b.n, 5);
    const orr_balance *key = &b.item[1], *value = &b.item[3];
    assert_string_equal(key->name, "block1.key.weight.2");
    assert_string_equal(value->name, "block1.value.weight.2");
    assert_int_equal(b.item[4].kind, ORR_BALANCE_PERCEPTRON);
    const double *w_q = w + 16, *b_q = w + 32, *w_k = w + 36, *b_k = w + 52, *w_v = w + 56, *b_v = w + 72,
                 *w_o = w + 76;
    assert_ok(*state, orr_balance_form(*state, arena, key, w, q));
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) {
            double sum = b_q[2 + i] * b_q[2 + j] - b_k[2 + i] * b_k[2 + j];
            for (int c = 0; c < 4; c++)
                sum += w_q[(2 + i) * 4 + c] * w_q[(2 + j) * 4 + c] - w_k[(2 + i) * 4 + c] * w_k[(2 + j) * 4 + c];
            assert_close(q[i * 2 + j], sum, 1e-14);
        }
    assert_ok(*state, orr_balance_form(*state, arena, value, w, q));
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) {
            double sum = -b_v[2 + i] * b_v[2 + j];
            for (int c = 0; c < 4; c++)
                sum += w_o[c * 4 + 2 + i] * w_o[c * 4 + 2 + j] - w_v[(2 + i) * 4 + c] * w_v[(2 + j) * 4 + c];
            assert_close(q[i * 2 + j], sum, 1e-14);
        }
}

/* L = 1/2 (ab - 1)^2: a flow from (1, 2), whose drift over eta is the integral of (ab - 1)^2 (a^2 - b^2). */
static orr_status gradient(void *self, const double *w, double *loss, double *g) {
    const double e = w[0] * w[1] - 1.0;
    (void)self;
    *loss = 0.5 * e * e;
    g[0] = e * w[1];
    g[1] = e * w[0];
    return ORR_OK;
}

static void drift_over_a_fixed_time_is_the_rate_times_the_integral_along_the_flow(void **state) {
    static const char *const names[] = { "a", "b" };
    static const orr_shape shapes[] = { { 2, { 1, 1 } }, { 2, { 1, 1 } } };
    const orr_landscape l = { .n = 2, .gradient = gradient };
    const double rate = 1e-3, time = 1.0;
    double w[] = { 1, 2 }, v[] = { 1, 2 }, drift, *drifts[] = { &drift }, loss, g[2];
    orr_balances b;
    assert_ok(*state, orr_balances_find(*state, arena, 2, names, shapes, 1, &b));
    assert_ok(*state, orr_balance_drift(*state, arena, &l, &b, time, 100000, w, drifts));
    for (int i = 0; i < 1000; i++) {
        assert_ok(*state, gradient(NULL, v, &loss, g));
        for (int j = 0; j < 2; j++) v[j] -= rate * g[j];
    }
    assert_close((v[1] * v[1] - v[0] * v[0] - 3.0) / rate, drift,
                 0.02 * fabs(drift));                   /* next order: eta times sharpness 5 */
    assert_close(w[1] * w[1] - w[0] * w[0], 3.0, 1e-4); /* steps of 1e-5 */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_of_products_are_those_of_the_sheet),
        cmocka_unit_test(each_relu_unit_keeps_one),
        cmocka_unit_test(a_step_changes_the_balance_by_that_of_the_gradient),
        cmocka_unit_test(the_equilibrium_is_that_of_the_sheet),
        cmocka_unit_test(the_fitted_power_is_that_of_the_sheets_drifts),
        cmocka_unit_test(heads_are_balanced_by_themselves),
        cmocka_unit_test(drift_over_a_fixed_time_is_the_rate_times_the_integral_along_the_flow),
    };
    return cmocka_run_group_tests_name("theory/conservation", tests, setup, teardown);
}
