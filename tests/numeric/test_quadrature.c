#include "numeric/quadrature.h"

#include "goldens.h"
#include "matrices.h"

static double pi(void) { return acos(-1); }

static double power(void *self, double x) { return pow(x, *(int *)self); }

static double sum(const orr_rule *r, orr_function *f, void *self) {
    double total = 0;
    for (int64_t i = 0; i < r->n; i++) total += r->w[i] * f(self, r->x[i]);
    return total;
}

/* E z^k = (k - 1)!! for even k, 0 for odd. */
static double moment(int k) {
    double m = k % 2 ? 0 : 1;
    for (int j = k - 1; j > 0 && m > 0; j -= 2) m *= j;
    return m;
}

static void hermite_rules_are_numpys(void **state) {
    arenas m = arenas_new(*state);
    orr_rule r;
    assert_ok(*state, orr_rule_hermite_physicists(*state, m.out, m.scratch, 20, &r));
    for (int i = 0; i < 20; i++) {
        assert_close(r.x[i], golden_hermite_x_20[i], 1e-14 * 5);
        assert_close(r.w[i], golden_hermite_w_20[i], 1e-15);
    }
    orr_rule z;
    assert_ok(*state, orr_rule_hermite(*state, m.out, m.scratch, 20, &z));
    for (int i = 0; i < 20; i++) {
        assert_close(z.x[i], sqrt(2) * r.x[i], 1e-14);
        assert_close(z.w[i], r.w[i] / sqrt(pi()), 1e-15);
    }
    arenas_free(m);
}

static void legendre_rules_are_numpys(void **state) {
    arenas m = arenas_new(*state);
    orr_rule r;
    assert_ok(*state, orr_rule_legendre(*state, m.out, m.scratch, 33, -1, 1, &r));
    for (int i = 0; i < 33; i++) {
        assert_close(r.x[i], golden_legendre_x_33[i], 2e-15);
        assert_close(r.w[i], golden_legendre_w_33[i], 2e-15);
    }
    arenas_free(m);
}

static void rules_are_exact_to_degree_two_n_less_one(void **state) {
    arenas m = arenas_new(*state);
    for (int n = 1; n <= 12; n++) {
        orr_rule r;
        assert_ok(*state, orr_rule_hermite(*state, m.out, m.scratch, n, &r));
        for (int k = 0; k < 2 * n; k++) /* absolute errors of eps times the largest x^k w: a few times (k - 1)!! */
            assert_close(sum(&r, power, &k), moment(k), 1e-13 * moment(k + k % 2));
        int k = 2 * n; /* one further it misses n! */
        double factorial = 1;
        for (int j = 2; j <= n; j++) factorial *= j;
        assert_close(moment(k) - sum(&r, power, &k), factorial, 1e-11 * moment(k));
        assert_ok(*state, orr_rule_legendre(*state, m.out, m.scratch, n, 1, 3, &r));
        for (k = 0; k < 2 * n; k++) {
            const double exact = (pow(3, k + 1) - 1) / (k + 1);
            assert_close(sum(&r, power, &k), exact, 1e-14 * exact);
        }
    }
    arenas_free(m);
}

static void rules_mirror_to_the_bit_and_large_ones_stay_finite(void **state) {
    arenas m = arenas_new(*state);
    for (int64_t n = 1; n <= 600; n += 199) {
        orr_rule r;
        double total = 0;
        assert_ok(*state, orr_rule_hermite(*state, m.out, m.scratch, n, &r));
        for (int64_t i = 0; i < n; i++) {
            assert_true(r.x[i] == -r.x[n - 1 - i] && r.w[i] == r.w[n - 1 - i] && r.w[i] >= 0);
            if (i) assert_true(r.x[i] > r.x[i - 1]);
            total += r.w[i];
        }
        assert_close(total, 1, 1e-13);
    }
    orr_rule r;
    assert_refused(*state, orr_rule_hermite(*state, m.out, m.scratch, 0, &r), ORR_EINPUT, "0 points");
    assert_refused(*state, orr_rule_legendre(*state, m.out, m.scratch, -1, 0, 1, &r), ORR_EINPUT, "-1 points");
    assert_refused(*state, orr_rule_legendre(*state, m.out, m.scratch, 3, 0, (double)INFINITY, &r), ORR_EINPUT, "inf");
    arenas_free(m);
}

/* ---- Gaussian means ---- */

static double tanh_squared(void *self, double x) {
    (void)self;
    return tanh(x) * tanh(x);
}

static double erf_squared(void *self, double x) {
    (void)self;
    return erf(x) * erf(x);
}

static double relu_squared(void *self, double x) {
    (void)self;
    return x > 0 ? x * x : 0;
}

static double relu(void *self, double x) {
    (void)self;
    return x > 0 ? x : 0;
}

static double five(void *self, double x) {
    (void)self, (void)x;
    return 5;
}

static void gaussian_means_have_thirteen_digits(void **state) {
    (void)state;
    static const double sigmas[] = { 0.1, 1, 2, 5 };
    for (int i = 0; i < 4; i++)
        assert_close(orr_gaussian_mean(sigmas[i] * sigmas[i], tanh_squared, NULL), golden_tanh_squared_mean[i], 1e-13);
    for (double v = 0.01; v < 30; v *= 3) /* 2/pi asin(2 v / (1 + 2 v)): Williams 1997 */
        assert_close(orr_gaussian_mean(v, erf_squared, NULL), 2 / pi() * asin(2 * v / (1 + 2 * v)), 1e-14);
    for (int k = 0; k <= 12; k++) /* exp(-z^2/2) has a relative error of eps z^2/2, z up to 6 where it counts */
        assert_close(orr_gaussian_mean(1, power, &k), moment(k), 18 * 0x1p-52 * 4 * fmax(1, moment(k)));
    assert_close(orr_gaussian_mean(3, five, NULL), 5, 4e-15);
    assert_close(orr_gaussian_mean(0, five, NULL), 5, 4e-15);
    /* kinks: a slope that jumps by 1 costs h^2 / 12 phi(0) = 1.3e-5; one that is continuous nothing to speak of */
    assert_close(orr_gaussian_mean(1, relu, NULL), sqrt(0.5 / pi()), 1.5e-5);
    assert_true(fabs(orr_gaussian_mean(1, relu, NULL) - sqrt(0.5 / pi())) > 1e-6);
    assert_close(orr_gaussian_mean(1, relu_squared, NULL), 0.5, 1e-13);
}

static double tanh_tanh(void *self, double u, double v) {
    (void)self;
    return tanh(u) * tanh(v);
}

static double erf_erf(void *self, double u, double v) {
    (void)self;
    return erf(u) * erf(v);
}

static double product(void *self, double u, double v) {
    (void)self;
    return u * v;
}

static void means_of_pairs_are_scipys_and_the_arcsine_kernel(void **state) {
    (void)state;
    static const double c[] = { -0.5, 0.3, 0.9 };
    for (int i = 0; i < 3; i++)
        assert_close(orr_gaussian_mean_pair(2.25, c[i] * 1.5 * 0.7, 0.49, tanh_tanh, NULL), golden_tanh_pair_mean[i],
                     1e-10); /* dblquad's own tolerance */
    for (double r = -1; r <= 1; r += 0.25) {
        const double uu = 1.7, vv = 0.6, uv = r * sqrt(uu * vv);
        assert_close(orr_gaussian_mean_pair(uu, uv, vv, erf_erf, NULL),
                     2 / pi() * asin(2 * uv / sqrt((1 + 2 * uu) * (1 + 2 * vv))), 1e-14);
        assert_close(orr_gaussian_mean_pair(uu, uv, vv, product, NULL), uv, 1e-14);
    }
    assert_close(orr_gaussian_mean_pair(4, 4, 4, tanh_tanh, NULL), golden_tanh_squared_mean[2], 1e-13);
    assert_true(orr_gaussian_mean_pair(0, 0, 2, tanh_tanh, NULL) == 0);
}

/* ---- integrals ---- */

static double exponential(void *self, double x) {
    (void)self;
    return exp(-x);
}

static double bell(void *self, double x) {
    (void)self;
    return exp(-x * x);
}

static double runge(void *self, double x) {
    (void)self;
    return 1 / (1 + 25 * x * x);
}

static double lorentzian(void *self, double x) {
    (void)self;
    return 1 / (1 + x * x);
}

static double inverse_root(void *self, double x) {
    (void)self;
    return 1 / sqrt(x);
}

static double logarithm(void *self, double x) {
    (void)self;
    return log(x);
}

static double sine(void *self, double x) {
    (void)self;
    return sin(x);
}

static double semicircle(void *self, double x) {
    (void)self;
    return sqrt(4 - x * x) / (2 * pi());
}

static double nan_inside(void *self, double x) {
    (void)self;
    return x > 0.4 && x < 0.6 ? (double)NAN : 1;
}

static double step(void *self, double x) {
    (void)self;
    return x > 1 / pi();
}

static void integrals_have_their_closed_forms(void **state) {
    (void)state;
    const double inf = (double)INFINITY;
    const struct {
        orr_function *f;
        double a, b, exact;
    } known[] = {
        { exponential, 0, 1, 1 - exp(-1) },
        { exponential, 0, inf, 1 },
        { exponential, 2, inf, exp(-2) },
        { bell, -inf, inf, sqrt(pi()) },
        { bell, -inf, 0, sqrt(pi()) / 2 },
        { bell, -inf, 0.5, sqrt(pi()) / 2 * (1 + erf(0.5)) },
        { runge, -1, 1, 2.0 / 5 * atan(5) },
        { lorentzian, -inf, inf, pi() },
        { lorentzian, 0, inf, pi() / 2 },
        { inverse_root, 0, 1, 2 }, /* infinite at an end */
        { logarithm, 0, 1, -1 },
        { sine, 0, 10, 1 - cos(10) },
        { semicircle, -2, 2, 1 },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const orr_integral v = orr_integrate(known[i].a, known[i].b, 0, known[i].f, NULL);
        assert_int_equal(v.reason, ORR_REASON_CONVERGED);
        assert_close(v.value, known[i].exact, 1e-13 * fmax(1, fabs(known[i].exact)));
        assert_true(v.evaluations < 2000);
        const orr_integral back = orr_integrate(known[i].b, known[i].a, 0, known[i].f, NULL);
        assert_true(back.value == -v.value && back.evaluations == v.evaluations);
    }
    assert_true(orr_integrate(3, 3, 0, inverse_root, NULL).value == 0);
}

static void an_integral_of_zero_by_symmetry_converges(void **state) {
    (void)state;
    const orr_integral v = orr_integrate(-1, 1, 0, sine, NULL);
    assert_int_equal(v.reason, ORR_REASON_CONVERGED);
    assert_close(v.value, 0, 1e-15);
}

static void a_looser_tolerance_costs_less_and_bounds_the_error(void **state) {
    (void)state;
    const double exact = 2.0 / 5 * atan(5);
    int64_t last = 0;
    for (double tolerance = 1e-2; tolerance > 1e-13; tolerance *= 1e-2) {
        const orr_integral v = orr_integrate(-1, 1, tolerance, runge, NULL);
        assert_close(v.value, exact, fmax(v.error, 1e-15));
        assert_true(v.error <= tolerance * 0.6 && v.evaluations >= last);
        last = v.evaluations;
    }
    assert_true(last > orr_integrate(-1, 1, 1e-2, runge, NULL).evaluations);
}

static void what_cannot_be_integrated_is_a_reason(void **state) {
    (void)state;
    assert_int_equal(orr_integrate(0, 1, 0, nan_inside, NULL).reason, ORR_REASON_NONFINITE);
    assert_int_equal(orr_integrate((double)NAN, 1, 0, sine, NULL).reason, ORR_REASON_NONFINITE);
    const orr_integral jump = orr_integrate(0, 1, 0, step, NULL);
    assert_int_equal(jump.reason, ORR_REASON_LIMIT);
    assert_close(jump.value, 1 - 1 / pi(), 1e-3); /* 25,000 nodes */
}

static orr_status make_rules(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch) {
    orr_rule r;
    ORR_TRY(ctx, orr_rule_hermite(ctx, out_arena, scratch, 40, &r));
    return orr_rule_legendre(ctx, out_arena, scratch, 40, 0, 1, &r);
}

static void each_allocation_may_fail(void **state) {
    (void)state;
    assert_each_allocation_may_fail(make_rules);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hermite_rules_are_numpys),
        cmocka_unit_test(legendre_rules_are_numpys),
        cmocka_unit_test(rules_are_exact_to_degree_two_n_less_one),
        cmocka_unit_test(rules_mirror_to_the_bit_and_large_ones_stay_finite),
        cmocka_unit_test(gaussian_means_have_thirteen_digits),
        cmocka_unit_test(means_of_pairs_are_scipys_and_the_arcsine_kernel),
        cmocka_unit_test(integrals_have_their_closed_forms),
        cmocka_unit_test(an_integral_of_zero_by_symmetry_converges),
        cmocka_unit_test(a_looser_tolerance_costs_less_and_bounds_the_error),
        cmocka_unit_test(what_cannot_be_integrated_is_a_reason),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("numeric/quadrature", tests, context_setup, context_teardown);
}
