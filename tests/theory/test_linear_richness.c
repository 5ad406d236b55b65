#include "testing.h"

#include "base/random.h"
#include "theory/linear_richness.h"

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

static void goldens_of_the_sheet(void **state) {
    const double times[3] = { 0.25, 0.5, 1.0 };
    static const struct {
        double richness, left[3];
    } rows[] = { { 1.0, { 0.5977226508, 0.3381359172, 0.0934117111 } },
                 { 4.0, { 0.4731372011, 0.0976156286, 0.0017376038 } } };
    assert_close(orr_richness_kernel_change(0.1, 1.0, 8), 0.00292422, 5e-9); /* the digits that the sheet prints */
    assert_close(orr_richness_kernel_change(1.0, 1.0, 8), 0.24285423, 5e-9);
    assert_close(orr_richness_kernel_change(3.0, 1.0, 8), 1.26774765, 5e-9);
    for (size_t i = 0; i < 2; i++) {
        double u[3];
        assert_ok(*state, orr_richness_learned(*state, scratch, rows[i].richness, 1.0, times, 3, u));
        for (int j = 0; j < 3; j++) assert_close(1.0 - u[j], rows[i].left[j], 5e-11);
    }
}

static void a_lazy_network_changes_its_kernel_by_half_the_square_of_its_richness(void **state) {
    (void)state;
    for (double g = 1e-9; g < 1e-2; g *= 10.0) /* (m - 1) = g^2/2 to order g^4 */
        assert_close(orr_richness_kernel_change(g, 1.0, 8) / (g * g / 2.0 * sqrt(11.0 / 8.0) / 2.0), 1.0,
                     g * g + 1e-14);
}

enum { N = 9, D = 3 };

static void draw(double w[N * D], double a[N]) {
    orr_random_fill_normal((orr_key){ .seed = 1, .purpose = ORR_PURPOSE_TEST }, 0, N * D, w);
    orr_random_fill_normal((orr_key){ .seed = 2, .purpose = ORR_PURPOSE_TEST }, 0, N, a);
}

/* The network itself, in loops: dW = eta r_w s a g', da = eta r_a s W g. */
static void a_finite_network_in_steps_is_the_recursion_of_three_numbers(void **state) {
    const double s = 0.4, r_w = 1.5, r_a = 0.7, curvature = 0.6, eta = 0.3, beta[D] = { 1.0, -0.5, 0.2 };
    double w[N * D], a[N], v_0[D] = { 0 };
    orr_two_layer t;
    draw(w, a);
    assert_ok(*state, orr_two_layer_new(*state, arena, N, D, w, a, s, r_w, r_a, curvature, beta, &t));
    for (int i = 0; i < N; i++)
        for (int j = 0; j < D; j++) v_0[j] += a[i] * w[i * D + j];
    for (int k = 0; k < 40; k++) {
        double g[D], wg[N], old[N];
        for (int j = 0; j < D; j++) {
            double v = 0.0;
            for (int i = 0; i < N; i++) v += a[i] * w[i * D + j];
            g[j] = curvature * (beta[j] - s * (v - v_0[j]));
        }
        for (int i = 0; i < N; i++) {
            wg[i] = 0.0;
            old[i] = a[i];
            for (int j = 0; j < D; j++) wg[i] += w[i * D + j] * g[j];
        }
        for (int i = 0; i < N; i++) {
            a[i] += eta * r_a * s * wg[i];
            for (int j = 0; j < D; j++) w[i * D + j] += eta * r_w * s * old[i] * g[j];
        }
    }
    assert_ok(*state, orr_two_layer_descend(*state, scratch, &t, eta, 40));
    double c = 0.0, kernel[D * D];
    for (int i = 0; i < N; i++) c += a[i] * a[i];
    orr_two_layer_kernel(&t, kernel);
    assert_close(t.c, c, 1e-12); /* forty updates' rounding of numbers of order 10 */
    for (int p = 0; p < D; p++)
        for (int q = 0; q < D; q++) {
            double m = 0.0;
            for (int i = 0; i < N; i++) m += w[i * D + p] * w[i * D + q];
            assert_close(t.m[p * D + q], m, 1e-12);
            assert_close(kernel[p * D + q], m + (p == q ? c : 0.0), 1e-12);
        }
}

static void small_steps_tend_to_the_flow(void **state) {
    const double beta[D] = { 1.0, -0.5, 0.2 };
    double w[N * D], a[N], error[2];
    orr_two_layer flow, steps;
    draw(w, a);
    assert_ok(*state, orr_two_layer_new(*state, arena, N, D, w, a, 0.3, 1.0, 1.0, 1.0, beta, &flow));
    assert_ok(*state, orr_two_layer_flow(*state, scratch, &flow, 1.0));
    for (int i = 0; i < 2; i++) {
        const int64_t n = i ? 20000 : 10000;
        assert_ok(*state, orr_two_layer_new(*state, arena, N, D, w, a, 0.3, 1.0, 1.0, 1.0, beta, &steps));
        assert_ok(*state, orr_two_layer_descend(*state, scratch, &steps, 1.0 / (double)n, n));
        error[i] = steps.c - flow.c;
    }
    assert_close(error[0] / error[1], 2.0, 1e-2); /* first order in eta, to the second and the integrator's 1e-9 */
}

/* A wide network is the infinite one, to its sampling error n^{-1/2}. */
static void a_wide_network_approaches_infinite_width(void **state) {
    enum { WIDE = 200000 };
    const double richness = 1.0, beta[D] = { 1.0, 0.0, 0.0 }, s = 1.0 / (richness * WIDE),
                 rate = richness * richness * WIDE, time = 0.5;
    double *w = ORR_NEW(arena, double, WIDE *D), *a = ORR_NEW(arena, double, WIDE), u;
    orr_two_layer t;
    assert_true(w && a);
    orr_random_fill_normal((orr_key){ .seed = 3, .purpose = ORR_PURPOSE_TEST }, 0, WIDE * D, w);
    orr_random_fill_normal((orr_key){ .seed = 4, .purpose = ORR_PURPOSE_TEST }, 0, WIDE, a);
    assert_ok(*state, orr_two_layer_new(*state, arena, WIDE, D, w, a, s, rate, rate, 1.0, beta, &t));
    assert_ok(*state, orr_two_layer_flow(*state, scratch, &t, time));
    assert_ok(*state, orr_richness_learned(*state, scratch, richness, 1.0, &time, 1, &u));
    const double m = sqrt(1.0 + richness * richness * u * u), limit = 5.0 * sqrt(2.0 / WIDE); /* five deviations */
    assert_close(s * (t.v[0] - t.v_0[0]), u, limit);
    assert_close(t.c / WIDE, m, limit);
    assert_close(t.m[0] / WIDE, m, limit);
    assert_close(t.m[D + 1] / WIDE, 1.0, limit);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goldens_of_the_sheet),
        cmocka_unit_test(a_lazy_network_changes_its_kernel_by_half_the_square_of_its_richness),
        cmocka_unit_test(a_finite_network_in_steps_is_the_recursion_of_three_numbers),
        cmocka_unit_test(small_steps_tend_to_the_flow),
        cmocka_unit_test(a_wide_network_approaches_infinite_width),
    };
    return cmocka_run_group_tests_name("theory/linear_richness", tests, setup, teardown);
}
