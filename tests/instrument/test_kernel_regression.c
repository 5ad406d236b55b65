/* Kernel regression against linear algebra written out, and against what must hold exactly. */
#define _XOPEN_SOURCE 700 /* mkdtemp, nftw */
#include "../lab/laboratory.h"

#include "base/file/refused.h"
#include "law/law.h"
#include "numeric/dense.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

/* data and settings of the instrument, in float64, one seed, no training */
static const char text[] = "name: kernel\narchitecture: linear\ndata: { %s }\ntask: mse\nprecision: f64\n"
                           "rule: { kind: gd, learning_rate: 0.1 }\nsteps: 0\nseeds: 1\n"
                           "observe: [ { kind: kernel-regression, %s } ]\n";

static laboratory run(orr_context *ctx, const char *data, const char *settings) {
    const char *whole = orr_arena_format(arena, text, data, settings);
    assert_non_null(whole);
    return laboratory_run(ctx, arena, whole, ":memory:", NULL);
}

static const double *array_of(orr_context *ctx, const laboratory *l, const char *name, int64_t count) {
    const orr_records records = { l->store, l->sealed.run, 1, 1 };
    orr_array a;
    assert_ok(ctx, orr_records_array(&records, arena, 0, 0, name, 0, &a));
    assert_int_equal(orr_shape_count(&a.shape), count);
    return a.data;
}

enum { N = 12, D = 3 };

/* All examples are learned, and the pool is what is tested: sample and pool are one.  (K + delta)^-1 y by LU, in the test. */
static void learning_the_whole_pool_is_one_linear_system(void **state) {
    static const double delta = 0.3;
    laboratory l = run(*state, "kind: gaussian, n: 12, dimension: 3, outputs: 2",
                       "kernel: rbf, bandwidth: 1.5, samples: [12], ridges: [0.3], draws: 2");
    const double *x = l.problems[0]->data.x, *y = l.problems[0]->data.y;
    double k[N * N], a[N * N], one[N * N] = { 0 }, inverse[N * N], alpha[N * 2];
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            double r2 = 0.0;
            for (int c = 0; c < D; c++) r2 += (x[i * D + c] - x[j * D + c]) * (x[i * D + c] - x[j * D + c]);
            k[i * N + j] = exp(-r2 / (2 * 1.5 * 1.5));
            a[i * N + j] = k[i * N + j] + (i == j ? delta : 0.0);
            one[i * N + j] = i == j;
        }
    assert_ok(*state, orr_solve(*state, arena, N, a, 2, y, alpha, NULL));
    assert_ok(*state, orr_solve(*state, arena, N, a, N, one, inverse, NULL));
    double trace = 0.0, error[2] = { 0 };
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) trace += k[i * N + j] * inverse[j * N + i];
    for (int i = 0; i < N; i++)
        for (int c = 0; c < 2; c++) {
            double f = 0.0;
            for (int j = 0; j < N; j++) f += k[i * N + j] * alpha[j * 2 + c];
            error[c] += (y[i * 2 + c] - f) * (y[i * 2 + c] - f) / N;
        }
    const double *test = array_of(*state, &l, "kernel_regression_test", 4),
                 *train = array_of(*state, &l, "kernel_regression_train", 4),
                 *learned = array_of(*state, &l, "kernel_regression_learned", 2);
    for (int draw = 0; draw < 2; draw++) {
        assert_close(learned[draw], trace, 1e-10); /* the jitter, 1e-12 of the trace, over delta */
        for (int c = 0; c < 2; c++) {
            assert_close(test[draw * 2 + c], error[c], 1e-10);
            assert_close(train[draw * 2 + c], error[c], 1e-10);
        }
    }
    orr_store_close(l.store);
}

/* sum_i lambda_i phi_i(X)' A^-1 phi_i(X) = tr K A^-1, mode by mode and draw by draw. */
static void learnabilities_of_all_modes_sum_to_the_trace(void **state) {
    laboratory l = run(*state, "kind: gaussian, n: 20, dimension: 3",
                       "kernel: ntk, samples: [5, 9], ridges: [0, 0.2], draws: 6, modes: 20");
    const double *each = array_of(*state, &l, "kernel_regression_learnability", 2 * 2 * 20),
                 *learned = array_of(*state, &l, "kernel_regression_learned", 2 * 2 * 6),
                 *values = array_of(*state, &l, "kernel_regression_values", 20);
    for (int i = 0; i < 4; i++) {
        double modes = 0.0, draws = 0.0;
        for (int m = 0; m < 20; m++) modes += each[i * 20 + m];
        for (int k = 0; k < 6; k++) draws += learned[i * 6 + k] / 6;
        assert_close(modes, draws, 1e-7);                              /* the residuals of ARPACK */
        if (i % 2 == 0) assert_close(draws, i == 0 ? 5.0 : 9.0, 1e-8); /* no ridge but the jitter */
    }
    for (int m = 1; m < 20; m++) assert_true(values[m] <= values[m - 1]);
    orr_store_close(l.store);
}

/* As many samples as dimensions, no ridge and no noise: the teacher is found; with fewer it isn't. */
static void the_linear_kernel_finds_a_linear_teacher(void **state) {
    laboratory l = run(*state, "kind: gaussian, n: 60, dimension: 4, outputs: 3",
                       "kernel: linear, samples: [3, 4, 6], draws: 5, test: exact, modes: 4");
    const double *test = array_of(*state, &l, "kernel_regression_test", 3 * 5 * 3);
    for (int i = 0; i < 3 * 5 * 3; i++) {
        if (i < 15) assert_true(test[i] > 1e-6);
        else assert_close(test[i], 0.0, 1e-8); /* (jitter 1e-12 over the least eigenvalue of 4 samples)^2 */
    }
    orr_store_close(l.store);
}

/* 40,000 test examples in one draw, against their distribution: 5 standard errors of a mean square. */
static void exact_errors_are_those_of_many_test_examples(void **state) {
    static const char data[] = "kind: gaussian, n: 30, n_test: 40000, dimension: 6, covariance: power-law";
    laboratory exact = run(*state, data, "kernel: linear, samples: [4], ridges: [0.1], draws: 1, test: exact"),
               many = run(*state, data, "kernel: linear, samples: [4], ridges: [0.1], draws: 1, test: test");
    const double e = array_of(*state, &exact, "kernel_regression_test", 1)[0],
                 m = array_of(*state, &many, "kernel_regression_test", 1)[0];
    assert_close(m / e, 1.0, 5 * sqrt(2.0 / 40000));
    orr_store_close(exact.store);
    orr_store_close(many.store);
}

static void labels_are_one_hot_targets(void **state) {
    laboratory l = run(*state, "kind: fashion-mnist, n: 40", "samples: [40], draws: 1");
    const double *test = array_of(*state, &l, "kernel_regression_test", 10);
    for (int c = 0; c < 10; c++) assert_close(test[c], 0.0, 1e-15); /* it interpolates */
    orr_store_close(l.store);
}

/* Draws of one order have no example in common: 3 draws of 4 out of 12 are all of them, so that their train errors with a huge
 * ridge, which leaves f = 0, average to the mean square of all targets. */
static void draws_have_no_example_in_common_while_they_last(void **state) {
    laboratory l = run(*state, "kind: gaussian, n: 12, dimension: 3", "samples: [4], ridges: [1e9], draws: 3");
    const double *y = l.problems[0]->data.y, *train = array_of(*state, &l, "kernel_regression_train", 3);
    double all = 0.0;
    for (int i = 0; i < 12; i++) all += y[i] * y[i] / 12;
    assert_close((train[0] + train[1] + train[2]) / 3, all, 1e-6);
    orr_store_close(l.store);
}

static void what_cannot_be_measured_is_refused_in_words(void **state) {
    static const struct {
        const char *data, *settings, *says;
    } rows[] = {
        { "kind: gaussian, n: 5", "samples: [6]", "6 samples of 5 training examples" },
        { "kind: gaussian, n: 5", "samples: [2], test: test", "needs test examples" },
        { "kind: gaussian, n: 5", "samples: [2], test: exact", "linear kernel" },
        { "kind: hypersphere, n: 5", "samples: [2], test: exact, kernel: linear", "eigenvalues" },
        { "kind: gaussian, n: 5, n_test: 3", "samples: [2], test: test, modes: 2", "modes: 0" },
        { "kind: gaussian, n: 5", "samples: [2], modes: 6", "no 6 modes" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        laboratory l = laboratory_of(*state, arena, orr_arena_format(arena, text, rows[i].data, rows[i].settings));
        assert_ok(*state, orr_store_open(*state, ":memory:", &l.store));
        assert_ok(*state, orr_lab_seal(*state, arena, l.store, &l.experiment, l.problems, false, NULL, 0, &l.sealed));
        assert_refused(*state,
                       orr_lab_execute(*state, l.store, &l.experiment, l.problems, l.sealed.run, NULL, l.outcome),
                       ORR_EINPUT, "", rows[i].says);
        orr_store_close(l.store);
    }
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        CLAIM(learning_the_whole_pool_is_one_linear_system),
        CLAIM(learnabilities_of_all_modes_sum_to_the_trace),
        CLAIM(the_linear_kernel_finds_a_linear_teacher),
        CLAIM(exact_errors_are_those_of_many_test_examples),
        CLAIM(labels_are_one_hot_targets),
        CLAIM(draws_have_no_example_in_common_while_they_last),
        CLAIM(what_cannot_be_measured_is_refused_in_words),
    };
    return cmocka_run_group_tests_name("instrument/kernel_regression", tests, NULL, NULL);
}
