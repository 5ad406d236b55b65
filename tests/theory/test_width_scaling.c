#include "testing.h"

#include "theory/width_scaling.h"

#define L 3
enum { LAYERS = L + 1 };

/* a and b as the sheet prints them, for L hidden layers: first, hidden, last */
static void fill(orr_layer_scaling out[LAYERS], const double a[3], const double b[3], const double c[3]) {
    for (int l = 0; l < LAYERS; l++) {
        const int i = l == 0 ? 0 : l < L ? 1 : 2;
        out[l] = (orr_layer_scaling){ a[i], b[i], c[i] };
    }
}

static const double zero[3] = { 0, 0, 0 }, half[3] = { 0.5, 0.5, 0.5 }, standard_b[3] = { 0, 0.5, 0.5 },
                    ntp_a[3] = { 0, 0.5, 0.5 }, mup_a[3] = { -0.5, 0, 0.5 }, one[3] = { 1, 1, 1 };

static orr_width_limit limit(const double a[3], const double b[3], const double c[3]) {
    orr_layer_scaling layer[LAYERS];
    fill(layer, a, b, c);
    return orr_width_limit_of(LAYERS, layer);
}

/* Sheet mup-transfer, golden R. */
static void the_stability_exponent_has_the_golden_values_of_the_sheet(void **state) {
    (void)state;
    static const orr_layer_scaling mean_field[2] = { { 0, 0, -1 }, { 1, 0, -1 } };
    const orr_width_limit sp = limit(zero, standard_b, zero), slow = limit(zero, standard_b, one),
                          ntp = limit(ntp_a, zero, zero), mup = limit(mup_a, half, zero),
                          mean = orr_width_limit_of(2, mean_field);
    assert_close(sp.r, -1, 0); /* halves: exact */
    assert_close(slow.r, 0.5, 0);
    assert_close(ntp.r, 0.5, 0);
    assert_close(mup.r, 0, 0);
    assert_close(mean.r, 0, 0);
    assert_false(sp.stable);
    assert_true(slow.stable && slow.nontrivial && !slow.feature_learning);
    assert_true(ntp.stable && ntp.nontrivial && !ntp.feature_learning);
    assert_true(mup.stable && mup.nontrivial && mup.feature_learning);
    assert_true(mean.stable && mean.nontrivial && mean.feature_learning);
}

/* (a + t, b - t, c - 2t) is the same network. */
static void a_shift_of_a_layer_changes_nothing(void **state) {
    (void)state;
    orr_layer_scaling layer[LAYERS];
    double plain[LAYERS], shifted[LAYERS];
    fill(layer, mup_a, half, zero);
    for (int later = 0; later < 2; later++) {
        orr_width_slopes(LAYERS, layer, false, later, plain);
        for (int l = 0; l < LAYERS; l++) {
            const double t = 0.25 * (l + 1);
            orr_layer_scaling moved[LAYERS];
            fill(moved, mup_a, half, zero);
            moved[l] = (orr_layer_scaling){ layer[l].a + t, layer[l].b - t, layer[l].c - 2 * t };
            assert_close(orr_width_limit_of(LAYERS, moved).r, 0, 1e-15); /* quarters */
            orr_width_slopes(LAYERS, moved, false, later, shifted);
            for (int j = 0; j < LAYERS; j++) assert_close(shifted[j], plain[j], 1e-15);
        }
    }
}

static void assert_slopes(const orr_layer_scaling *layer, bool divides, bool later, double input, double hidden,
                          double output) {
    double slope[LAYERS];
    orr_width_slopes(LAYERS, layer, divides, later, slope);
    assert_close(slope[0], input, 1e-15);
    for (int l = 1; l < L; l++) assert_close(slope[l], hidden, 1e-15);
    assert_close(slope[L], output, 1e-15);
}

/* Sheet: SP after one step; SGD -1/2, 1/2, 1, Adam 0, 1, 3/2.  muP: 0 everywhere, at any step. */
static void the_slopes_of_a_coordinate_check_are_those_of_the_sheet(void **state) {
    (void)state;
    orr_layer_scaling layer[LAYERS];
    fill(layer, zero, standard_b, zero);
    assert_slopes(layer, false, false, -0.5, 0.5, 1);
    assert_slopes(layer, true, false, 0, 1, 1.5);
    fill(layer, mup_a, half, zero);
    for (int later = 0; later < 2; later++) assert_slopes(layer, false, later, 0, 0, 0);
    /* the practical table under Adam: rates 1, 1/r, 1, multiplier 1/r on a readout of variance 1 */
    static const double table_a[3] = { 0, 0, 1 }, table_b[3] = { 0, 0.5, 0 }, table_c[3] = { 0, 1, 0 };
    fill(layer, table_a, table_b, table_c);
    for (int later = 0; later < 2; later++) assert_slopes(layer, true, later, 0, 0, 0);
    assert_close(orr_width_rate_exponent(LAYERS, layer, true), 0, 1e-15);
    fill(layer, ntp_a, zero, zero); /* the kernel regime: features move as n^{-R}, R = 1/2, the function stays */
    assert_slopes(layer, false, false, -0.5, -0.5, 0);
}

/* Sheet: SP, Adam best lr ~ 1/n, SGD largest stable lr ~ 1/n; muP and the kernel regime keep theirs. */
static void the_best_rate_goes_as_the_sheet_says(void **state) {
    (void)state;
    orr_layer_scaling layer[LAYERS];
    fill(layer, zero, standard_b, zero);
    assert_close(orr_width_rate_exponent(LAYERS, layer, false), -1, 1e-15);
    assert_close(orr_width_rate_exponent(LAYERS, layer, true), -1, 1e-15);
    fill(layer, mup_a, half, zero);
    assert_close(orr_width_rate_exponent(LAYERS, layer, false), 0, 1e-15);
    fill(layer, ntp_a, zero, zero);
    assert_close(orr_width_rate_exponent(LAYERS, layer, false), 0, 1e-15);
}

/* -R is the largest slope of a hidden layer once the readout has moved. */
static void the_stability_exponent_is_the_steepest_slope_of_the_features(void **state) {
    (void)state;
    static const struct {
        const double *a, *b, *c;
    } kinds[] = { { zero, standard_b, zero }, { zero, standard_b, one }, { ntp_a, zero, zero }, { mup_a, half, zero } };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        orr_layer_scaling layer[LAYERS];
        double slope[LAYERS];
        fill(layer, kinds[i].a, kinds[i].b, kinds[i].c);
        orr_width_slopes(LAYERS, layer, false, true, slope);
        assert_close(slope[L - 1], -orr_width_limit_of(LAYERS, layer).r, 1e-15);
    }
}

static void a_power_law_has_its_exponent_as_slope(void **state) {
    (void)state;
    double n[5], y[5];
    for (int i = 0; i < 5; i++) n[i] = 64 << i, y[i] = 3 * pow(n[i], -0.7);
    assert_close(orr_log_slope(5, n, y), -0.7, 1e-14); /* roundings of log and pow */
    y[2] = 0;
    assert_true(isnan(orr_log_slope(5, n, y)));
    assert_true(isnan(orr_log_slope(1, n, y)));
}

static void the_minimum_of_a_parabola_is_found_between_its_points(void **state) {
    (void)state;
    const double x[6] = { -5, -4, -3, -2, -1, 0 };
    double y[6];
    for (int i = 0; i < 6; i++) y[i] = 1 + 2 * (x[i] + 2.3) * (x[i] + 2.3);
    assert_close(orr_parabola_minimum(6, x, y), -2.3, 1e-13);
    y[5] = (double)NAN; /* it diverged */
    assert_close(orr_parabola_minimum(6, x, y), -2.3, 1e-13);
    y[4] = (double)NAN;
    y[3] = 0; /* nothing beyond: the point itself */
    assert_close(orr_parabola_minimum(6, x, y), -2, 0);
    assert_true(isnan(orr_parabola_minimum(2, x, y))); /* nothing brackets it */
    for (int i = 0; i < 6; i++) y[i] = (double)INFINITY;
    assert_true(isnan(orr_parabola_minimum(6, x, y)));
}

/* Sheet: d_0 = 16, d_h = 128: .03125. */
static void attention_scale_is_that_of_the_sheet(void **state) {
    (void)state;
    assert_close(orr_attention_scale(16, 128), 0.03125, 0);
    assert_close(orr_attention_scale(64, 64), 0.125, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_stability_exponent_has_the_golden_values_of_the_sheet),
        cmocka_unit_test(a_shift_of_a_layer_changes_nothing),
        cmocka_unit_test(the_slopes_of_a_coordinate_check_are_those_of_the_sheet),
        cmocka_unit_test(the_best_rate_goes_as_the_sheet_says),
        cmocka_unit_test(the_stability_exponent_is_the_steepest_slope_of_the_features),
        cmocka_unit_test(a_power_law_has_its_exponent_as_slope),
        cmocka_unit_test(the_minimum_of_a_parabola_is_found_between_its_points),
        cmocka_unit_test(attention_scale_is_that_of_the_sheet),
    };
    return cmocka_run_group_tests_name("theory/width_scaling", tests, NULL, NULL);
}
