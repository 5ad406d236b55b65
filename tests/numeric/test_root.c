#include "numeric/root.h"

#include "matrices.h"

static double cubic(void *self, double x) {
    (void)self;
    return (x - 1) * (x * x + x + 2);
}

static double fixed_cosine(void *self, double x) {
    (void)self;
    return cos(x) - x;
}

static double flat_root(void *self, double x) {
    (void)self;
    return pow(x - 0.3, 9);
}

static double steep(void *self, double x) {
    (void)self;
    return x < 0.7 ? -1e-300 : 1e300;
}

static double pole_like(void *self, double x) {
    (void)self;
    return 1 / (x - 0.25) + 1e-3;
}

static double shifted(void *self, double x) { return x - *(double *)self; }

static double not_there(void *self, double x) {
    (void)self;
    return x > 0.2 && x < 0.8 ? (double)NAN : x - 0.5;
}

static double infinite_ends(void *self, double x) {
    (void)self;
    return tan(acos(-1) * (x - 0.5) * 0.9999999999999999) - 1;
}

typedef struct counted {
    orr_function *f;
    int64_t calls;
} counted;

static double counting(void *self, double x) {
    counted *c = self;
    c->calls++;
    return c->f(NULL, x);
}

static void a_root_lies_in_its_bracket_to_the_last_digits(void **state) {
    const struct {
        orr_function *f;
        double a, b, exact, limit;
        int64_t most;
    } known[] = {
        { cubic, -3, 4, 1, 1e-15, 15 },
        { cubic, 4, -3, 1, 1e-15, 15 }, /* either order */
        { fixed_cosine, 0, 1, 0.7390851332151607, 1e-15, 10 },
        { steep, 0, 1, 0.7, 1e-15, 130 },
        /* |f| underflows to 1e-100 at 8e-12 from the root of ninth order: |b - exact| there is what brackets allow */
        { flat_root, -1, 4, 0.3, 1e-14, 200 },
        { infinite_ends, 0, 1, 0.75, 1e-15, 60 },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        counted c = { .f = known[i].f };
        orr_root r;
        assert_ok(*state, orr_root_brent(*state, known[i].a, known[i].b, 0, counting, &c, &r));
        assert_int_equal(r.reason, ORR_REASON_CONVERGED);
        assert_close(r.x, known[i].exact, known[i].limit);
        assert_true(r.low <= r.x && r.x <= r.high);
        assert_true(r.f == known[i].f(NULL, r.x));
        assert_int_equal(r.evaluations, c.calls);
        if (c.calls > known[i].most) fail_msg("case %zu: %lld evaluations", i, (long long)c.calls);
    }
}

static void a_root_at_an_end_is_found_at_once(void **state) {
    double at = 2;
    orr_root r;
    assert_ok(*state, orr_root_brent(*state, 2, 5, 0, shifted, &at, &r));
    assert_true(r.x == 2 && r.f == 0 && r.evaluations == 2);
    assert_ok(*state, orr_root_brent(*state, -1, 2, 0, shifted, &at, &r));
    assert_true(r.x == 2 && r.f == 0);
}

static void a_tolerance_ends_early(void **state) {
    orr_root fine, coarse;
    assert_ok(*state, orr_root_brent(*state, 0, 1, 0, fixed_cosine, NULL, &fine));
    assert_ok(*state, orr_root_brent(*state, 0, 1, 1e-3, fixed_cosine, NULL, &coarse));
    assert_true(coarse.evaluations < fine.evaluations);
    assert_close(coarse.x, fine.x, 1e-3);
}

static void a_sign_change_through_a_pole_is_returned_with_its_value(void **state) {
    orr_root r;
    assert_ok(*state, orr_root_brent(*state, 0, 1, 0, pole_like, NULL, &r));
    assert_close(r.x, 0.25, 1e-15);
    assert_true(fabs(r.f) > 1e10); /* the caller can tell */
}

static void equal_signs_are_refused_with_both_values(void **state) {
    double at = 9;
    orr_root r;
    assert_refused(*state, orr_root_brent(*state, 0, 1, 0, shifted, &at, &r), ORR_EINPUT, "f(0) = -9 and f(1) = -8");
    assert_refused(*state, orr_root_brent(*state, 0.5, 1, 0, not_there, NULL, &r), ORR_EINPUT, "nan");
    assert_ok(*state, orr_root_brent(*state, 0, 1, 0, not_there, NULL, &r));
    assert_int_equal(r.reason, ORR_REASON_NONFINITE);
    assert_true(isnan(r.f));
}

static void brackets_widen_towards_the_root_and_stay_inside(void **state) {
    (void)state;
    const double inf = (double)INFINITY;
    for (int i = -30; i <= 30; i++) {
        double at = i * 37.5, a = 0, b = 1;
        assert_true(orr_root_bracket(&a, &b, -inf, inf, shifted, &at));
        assert_true(a <= at && at <= b && a < b);
    }
    double at = 50, a = 0, b = 1;
    assert_false(orr_root_bracket(&a, &b, -10, 20, shifted, &at));
    assert_true(a >= -10 && b == 20);
    a = 1, b = 2, at = 1e-3;
    assert_true(orr_root_bracket(&a, &b, 0, inf, shifted, &at));
    assert_true(a == 0);
    a = 0.1, b = 0.3;
    assert_false(orr_root_bracket(&a, &b, -inf, inf, not_there, NULL));
}

/* ---- minima ---- */

static double parabola(void *self, double x) { return 3 + pow(x - *(double *)self, 2); }

static double quartic(void *self, double x) {
    (void)self;
    return pow(x - 0.2, 4);
}

static double cusp(void *self, double x) {
    (void)self;
    return fabs(x - 0.6);
}

static double gamma_function(void *self, double x) {
    (void)self;
    return tgamma(x);
}

static void minima_are_found_to_half_the_digits(void **state) {
    (void)state;
    double at = 1.25;
    orr_minimum m = orr_minimise_brent(-4, 7, 0, parabola, &at);
    assert_int_equal(m.reason, ORR_REASON_CONVERGED);
    assert_close(m.x, 1.25, 1e-7);
    assert_true(m.f - 3 < 1e-14 && m.evaluations < 12);
    m = orr_minimise_brent(7, -4, 0, parabola, &at); /* either order */
    assert_close(m.x, 1.25, 1e-7);
    m = orr_minimise_brent(0.5, 4, 0, gamma_function, NULL);
    assert_close(m.x, 1.4616321449683623, 1e-7);  /* OEIS A030169 */
    assert_close(m.f, 0.8856031944108887, 1e-14); /* OEIS A030171 */
    m = orr_minimise_brent(0, 1, 1e-9, cusp, NULL);
    assert_close(m.x, 0.6, 5e-8);
    m = orr_minimise_brent(-1, 1, 1e-9, quartic, NULL);
    assert_close(m.x, 0.2, 1e-3); /* f is flat to 1e-12 here */
}

static void a_minimum_at_an_end_is_approached(void **state) {
    (void)state;
    double at = -5;
    const orr_minimum m = orr_minimise_brent(0, 1, 1e-8, parabola, &at);
    assert_close(m.x, 0, 1e-7);
    assert_true(m.x > 0);
}

static void a_nan_ends_the_search(void **state) {
    (void)state;
    assert_int_equal(orr_minimise_brent(0, 1, 0, not_there, NULL).reason, ORR_REASON_NONFINITE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_root_lies_in_its_bracket_to_the_last_digits),
        cmocka_unit_test(a_root_at_an_end_is_found_at_once),
        cmocka_unit_test(a_tolerance_ends_early),
        cmocka_unit_test(a_sign_change_through_a_pole_is_returned_with_its_value),
        cmocka_unit_test(equal_signs_are_refused_with_both_values),
        cmocka_unit_test(brackets_widen_towards_the_root_and_stay_inside),
        cmocka_unit_test(minima_are_found_to_half_the_digits),
        cmocka_unit_test(a_minimum_at_an_end_is_approached),
        cmocka_unit_test(a_nan_ends_the_search),
    };
    return cmocka_run_group_tests_name("numeric/root", tests, context_setup, context_teardown);
}
