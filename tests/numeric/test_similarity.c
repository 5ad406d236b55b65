#include "testing.h"

#include "base/random.h"
#include "numeric/similarity.h"

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

static double similarity(orr_context *ctx, orr_similarity_metric metric, const orr_similarity_options *options,
                         int64_t n, int64_t p, const double *x, int64_t q, const double *y) {
    orr_representation a, b;
    double out;
    assert_ok(ctx, orr_representation_new(ctx, arena, scratch, metric, options, n, p, x, &a));
    assert_ok(ctx, orr_representation_new(ctx, arena, scratch, metric, options, n, q, y, &b));
    assert_ok(ctx, orr_similarity(ctx, scratch, &a, &b, NULL, &out));
    return out;
}

/* The sheet's example: X has rank 2, for sin(a + b) spans two dimensions. */
static void example(double x[8][3], double y[8][4]) {
    static const double c[4] = { 1, 1.1, .7, 2 };
    for (int i = 0; i < 8; i++) {
        for (int j = 0; j < 3; j++) x[i][j] = sin(1 + 1.3 * i + 2.1 * j);
        for (int j = 0; j < 4; j++) y[i][j] = cos(.5 + 1.3 * i * c[j] + .9 * j);
    }
}

static void all_metrics_are_the_sheets(void **state) {
    static const struct {
        orr_similarity_metric metric;
        orr_similarity_options options;
        double golden;
    } rows[] = {
        { ORR_SIMILARITY_CKA, { .bandwidth = 0 }, .7092378507 },
        { ORR_SIMILARITY_CKA_UNBIASED, { .bandwidth = 0 }, .5971224060 },
        { ORR_SIMILARITY_CKA_RBF, { .bandwidth = 0 }, .7977540081 },
        { ORR_SIMILARITY_CKA_RBF, { .median_of_all = true }, .8087907504 },
        { ORR_SIMILARITY_CKA_RBF, { .bandwidth = .5, .median_of_all = true }, .9100546092 },
        { ORR_SIMILARITY_SVCCA, { .bandwidth = 0 }, .9841189776 },
        { ORR_SIMILARITY_CCA, { .bandwidth = 0 }, (1.000000 + .968238) / 2 },
        { ORR_SIMILARITY_PWCCA, { .bandwidth = 0 }, .9861126295 },
        { ORR_SIMILARITY_PROCRUSTES, { .bandwidth = 0 }, .5259779588 },
        { ORR_SIMILARITY_ANGLE, { .bandwidth = 0 }, .7421590452 },
        { ORR_SIMILARITY_RSA, { .bandwidth = 0 }, .4674329502 },
        { ORR_SIMILARITY_NEIGHBOURS, { .neighbours = 2 }, .6875 },
    };
    double x[8][3], y[8][4];
    example(x, y);
    assert_close(x[0][0], .8414709848, 1e-10);
    assert_close(y[7][3], -.8303011087, 1e-10);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const double got = similarity(*state, rows[i].metric, &rows[i].options, 8, 3, x[0], 4, y[0]);
        /* ten digits are printed; of cca the sheet gives six of each correlation */
        const double limit = rows[i].metric == ORR_SIMILARITY_CCA ? 0.51e-6 : 0.51e-10;
        if (!(fabs(got - rows[i].golden) <= limit))
            fail_msg("%s: got %.12g, expected %.12g", orr_similarity_name(rows[i].metric), got, rows[i].golden);
    }
}

enum { N = 60, P = 12, Q = 90 }; /* one narrower and one wider than the inputs are many */

static double *draw(uint64_t seed, int64_t n, int64_t p) {
    double *x = ORR_NEW(arena, double, n *p);
    assert_non_null(x);
    orr_random_fill_normal((orr_key){ seed, ORR_PURPOSE_TEST, 0 }, 0, n * p, x);
    return x;
}

/* y <- s x R + shift, R a rotation of pairs of columns */
static void move(int64_t n, int64_t p, const double *x, double scale, double *y) {
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < p; j += 2) {
            const double a = x[i * p + j], b = x[i * p + j + 1], c = cos(0.3 + (double)j), s = sin(0.3 + (double)j);
            y[i * p + j] = scale * (c * a - s * b) + 1.5;
            y[i * p + j + 1] = scale * (s * a + c * b) - 0.5;
        }
}

static void rotated_scaled_and_shifted_features_are_the_same(void **state) {
    const double *x = draw(1, N, P);
    double *y = ORR_NEW(arena, double, N *P);
    move(N, P, x, 3.0, y);
    for (orr_similarity_metric m = 0; m < ORR_SIMILARITY_METRICS; m++) {
        const double same = orr_similarity_is_distance(m) ? 0.0 : 1.0, got = similarity(*state, m, NULL, N, P, x, P, y);
        /* an angle near 0 is the root of its cosine's rounding */
        if (!(fabs(got - same) <= (m == ORR_SIMILARITY_ANGLE ? 1e-7 : 1e-10)))
            fail_msg("%s of a copy is %.12g", orr_similarity_name(m), got);
    }
}

static void all_but_pwcca_are_symmetric(void **state) {
    const double *x = draw(1, N, P), *y = draw(2, N, Q);
    for (orr_similarity_metric m = 0; m < ORR_SIMILARITY_METRICS; m++) {
        if (m == ORR_SIMILARITY_PWCCA) continue; /* weighs by the features of the first */
        assert_close(similarity(*state, m, NULL, N, P, x, Q, y), similarity(*state, m, NULL, N, Q, y, P, x), 1e-12);
    }
}

/* |X'Y|^2/(|X'X| |Y'Y|) of centred features is the same number as by Gram matrices. */
static void linear_cka_is_that_of_cross_covariances(void **state) {
    double *x = draw(3, N, P), *y = draw(4, N, 5), sums[3] = { 0 };
    const double before = similarity(*state, ORR_SIMILARITY_CKA, NULL, N, P, x, 5, y);
    double *const f[2] = { x, y };
    const int64_t width[2] = { P, 5 };
    for (int k = 0; k < 2; k++)
        for (int64_t j = 0; j < width[k]; j++) {
            double mean = 0.0;
            for (int i = 0; i < N; i++) mean += f[k][i * width[k] + j] / N;
            for (int i = 0; i < N; i++) f[k][i * width[k] + j] -= mean;
        }
    for (int k = 0; k < 3; k++) {
        const int a = k == 2 ? 1 : 0, b = k == 0 ? 0 : 1; /* XX, XY, YY */
        for (int64_t i = 0; i < width[a]; i++)
            for (int64_t j = 0; j < width[b]; j++) {
                double dot = 0.0;
                for (int r = 0; r < N; r++) dot += f[a][r * width[a] + i] * f[b][r * width[b] + j];
                sums[k] += dot * dot;
            }
    }
    assert_close(before, sums[1] / sqrt(sums[0] * sums[2]), 1e-13);
}

/* Sheet, Agreement: within 3 standard errors of the exact mean. */
static void the_mean_over_permutations_is_the_exact_null(void **state) {
    static const orr_similarity_metric exact[] = { ORR_SIMILARITY_CKA, ORR_SIMILARITY_CKA_UNBIASED,
                                                   ORR_SIMILARITY_CKA_RBF, ORR_SIMILARITY_RSA,
                                                   ORR_SIMILARITY_NEIGHBOURS };
    enum { INPUTS = 200, PERMUTATIONS = 300 };
    double *x = draw(5, INPUTS, 50);
    const double *y = draw(6, INPUTS, 30);
    for (int i = 0; i < INPUTS * 50; i++) x[i] /= sqrt(i % 50 + 1);
    for (orr_similarity_metric m = 0; m < ORR_SIMILARITY_METRICS; m++) {
        orr_representation a, b;
        orr_calibration c;
        bool known = false;
        for (size_t i = 0; i < sizeof exact / sizeof exact[0]; i++) known = known || exact[i] == m;
        assert_ok(*state, orr_representation_new(*state, arena, scratch, m, NULL, INPUTS, 50, x, &a));
        assert_ok(*state, orr_representation_new(*state, arena, scratch, m, NULL, INPUTS, 30, y, &b));
        assert_ok(*state, orr_similarity_calibrate(*state, scratch, &a, &b, known ? PERMUTATIONS : 20, 0, &c));
        assert_int_equal(!isnan(c.null_exact), known);
        assert_true(c.p > 0.01 && c.p <= 1.0 && fabs(c.calibrated) < 0.1); /* they have nothing in common */
        if (known && !(fabs(c.null_mean - c.null_exact) <= 3 * c.null_sd / sqrt(PERMUTATIONS)))
            fail_msg("%s: %.5g over permutations, %.5g by formula", orr_similarity_name(m), c.null_mean, c.null_exact);
        if (m == ORR_SIMILARITY_CKA) assert_close(c.null_exact, 0.0874, 0.004);     /* the sheet's draw: .08741 */
        if (m == ORR_SIMILARITY_CKA_RBF) assert_close(c.null_exact, 0.1550, 0.005); /* .1550 */
        if (m == ORR_SIMILARITY_NEIGHBOURS) assert_close(c.null_exact, 10 / 199.0, 1e-12);
    }
}

static void a_copy_is_more_alike_than_any_permutation(void **state) {
    const double *x = draw(7, N, P);
    for (orr_similarity_metric m = 0; m < ORR_SIMILARITY_METRICS; m++) {
        orr_representation a;
        orr_calibration c;
        assert_ok(*state, orr_representation_new(*state, arena, scratch, m, NULL, N, P, x, &a));
        assert_ok(*state, orr_similarity_calibrate(*state, scratch, &a, &a, 99, 0, &c));
        assert_close(c.p, 0.01, 1e-12);
        assert_close(c.calibrated, 1.0, 1e-6); /* the angle's rounding */
    }
}

static void directions_without_variance_make_no_correlation(void **state) {
    double x[N][3], *const line = draw(8, N, 1), *const y = draw(9, N, 2);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < 3; j++) x[i][j] = line[i] * (j + 1) + j; /* rank 1 */
    const double r = similarity(*state, ORR_SIMILARITY_CCA, NULL, N, 3, x[0], 2, y);
    assert_true(r < 0.5); /* noise of 60 inputs: 1/sqrt(60) times a few */
    assert_close(r, similarity(*state, ORR_SIMILARITY_CCA, NULL, N, 1, line, 2, y), 1e-10);
}

static void the_same_for_all_inputs_is_no_number_and_bad_input_is_told(void **state) {
    double constant[N] = { 0 }, *const x = draw(10, N, 2);
    orr_representation a;
    for (int i = 0; i < N; i++) constant[i] = 0.1;
    for (orr_similarity_metric m = 0; m < ORR_SIMILARITY_METRICS; m++)
        if (m != ORR_SIMILARITY_NEIGHBOURS && m != ORR_SIMILARITY_CKA_UNBIASED) /* ties by index; 0/0 or rounding */
            assert_true(isnan(similarity(*state, m, NULL, N, 1, constant, 2, x)));
    x[7] = (double)NAN;
    assert_int_equal(orr_representation_new(*state, arena, scratch, ORR_SIMILARITY_RSA, NULL, N, 2, x, &a), ORR_EINPUT);
    assert_non_null(strstr(orr_context_message(*state), "row 3, column 1 is nan"));
    orr_context_clear(*state);
    x[7] = 0.0;
    assert_int_equal(orr_representation_new(*state, arena, scratch, ORR_SIMILARITY_CKA, NULL, 3, 2, x, &a), ORR_EINPUT);
    orr_context_clear(*state);
    assert_int_equal(orr_representation_new(*state, arena, scratch, ORR_SIMILARITY_NEIGHBOURS, NULL, 10, 2, x, &a),
                     ORR_EINPUT);
    assert_non_null(strstr(orr_context_message(*state), "10 neighbours among 10 inputs"));
    orr_context_clear(*state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_metrics_are_the_sheets, setup, teardown),
        cmocka_unit_test_setup_teardown(rotated_scaled_and_shifted_features_are_the_same, setup, teardown),
        cmocka_unit_test_setup_teardown(all_but_pwcca_are_symmetric, setup, teardown),
        cmocka_unit_test_setup_teardown(linear_cka_is_that_of_cross_covariances, setup, teardown),
        cmocka_unit_test_setup_teardown(the_mean_over_permutations_is_the_exact_null, setup, teardown),
        cmocka_unit_test_setup_teardown(a_copy_is_more_alike_than_any_permutation, setup, teardown),
        cmocka_unit_test_setup_teardown(directions_without_variance_make_no_correlation, setup, teardown),
        cmocka_unit_test_setup_teardown(the_same_for_all_inputs_is_no_number_and_bad_input_is_told, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
