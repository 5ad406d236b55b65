#include <complex.h>

#include "testing.h"

#include "theory/stability_threshold.h"

/* The update (m, x) -> (m', x') on 1/2 S x^2, written out as the rule does it. */
typedef void update(double eta, double beta, double s, double *m, double *x);

static void gd(double eta, double beta, double s, double *m, double *x) {
    (void)beta;
    *m = 0.0;
    *x -= eta * s * *x;
}
static void heavy_ball(double eta, double beta, double s, double *m, double *x) {
    *m = beta * *m + s * *x;
    *x -= eta * *m;
}
static void nesterov(double eta, double beta, double s, double *m, double *x) {
    const double g = s * *x;
    *m = beta * *m + g;
    *x -= eta * (g + beta * *m);
}
static void ema_heavy_ball(double eta, double beta, double s, double *m, double *x) {
    *m = beta * *m + (1.0 - beta) * s * *x;
    *x -= eta * *m;
}

static double threshold_gd(double eta, double beta) {
    (void)beta;
    return orr_stability_threshold_gd(eta);
}

static const struct {
    const char *name;
    update *update;
    double (*threshold)(double eta, double beta);
} rules[] = {
    { "gd", gd, threshold_gd },
    { "heavy ball", heavy_ball, orr_stability_threshold_heavy_ball },
    { "nesterov", nesterov, orr_stability_threshold_nesterov },
    { "ema heavy ball", ema_heavy_ball, orr_stability_threshold_ema_heavy_ball },
};

/* The two eigenvalues of the update's matrix, whose columns are the images of (1,0) and (0,1). */
static void eigenvalues(update *u, double eta, double beta, double s, double complex z[2]) {
    double a = 1.0, c = 0.0, b = 0.0, d = 1.0;
    u(eta, beta, s, &a, &c);
    u(eta, beta, s, &b, &d);
    const double complex root = csqrt((a - d) * (a - d) + 4.0 * b * c);
    z[0] = 0.5 * (a + d + root);
    z[1] = 0.5 * (a + d - root);
}

static double radius(update *u, double eta, double beta, double s) {
    double complex z[2];
    eigenvalues(u, eta, beta, s, z);
    return fmax(cabs(z[0]), cabs(z[1]));
}

/* Below S* every eigenvalue is inside the unit circle, above it one is outside, at S* it is -1. */
static void an_eigenvalue_leaves_through_minus_one_at_the_threshold(void **state) {
    (void)state;
    for (size_t r = 0; r < sizeof rules / sizeof rules[0]; r++) {
        for (int i = 0; i < 100; i++) {
            const double eta = 1e-4 * pow(10.0, (i % 10) * 0.5), beta = 0.0999 * (i / 10);
            const double s_star = rules[r].threshold(eta, beta);
            double complex z[2];
            eigenvalues(rules[r].update, eta, beta, s_star, z);
            /* rounding of sqrt near a double root: beta up to 0.9 keeps the roots -1 and -beta 0.1 apart */
            assert_close(fmin(cabs(z[0] + 1.0), cabs(z[1] + 1.0)), 0.0, 1e-13);
            assert_true(radius(rules[r].update, eta, beta, s_star * 0.999) < 1.0);
            assert_true(radius(rules[r].update, eta, beta, s_star * 1.001) > 1.0);
        }
    }
}

/* The sheet's goldens, as many digits as it prints. */
static void goldens_of_the_sheet(void **state) {
    (void)state;
    assert_close(orr_stability_threshold_gd(0.1), 20.0, 1e-12);
    assert_close(orr_stability_threshold_heavy_ball(0.1, 0.9), 38.0, 1e-12);
    assert_close(orr_stability_threshold_nesterov(0.04, 0.9), 33.928571, 5e-7);
    assert_close(orr_stability_threshold_ema_heavy_ball(3e-4, 0.9), 126666.666667, 5e-7);
    assert_close(orr_stability_threshold_ema_heavy_ball(1e-3, 0.9), 38000.0, 1e-9);
}

static void without_momentum_every_rule_is_gradient_descent(void **state) {
    (void)state;
    for (size_t r = 0; r < sizeof rules / sizeof rules[0]; r++)
        assert_close(rules[r].threshold(0.3, 0.0), 2.0 / 0.3, 1e-15);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_eigenvalue_leaves_through_minus_one_at_the_threshold),
        cmocka_unit_test(goldens_of_the_sheet),
        cmocka_unit_test(without_momentum_every_rule_is_gradient_descent),
    };
    return cmocka_run_group_tests_name("theory/stability_threshold", tests, NULL, NULL);
}
