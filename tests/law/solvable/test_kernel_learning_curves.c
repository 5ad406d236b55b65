#include "testing.h"

#include "law/run.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

static const orr_law *law(void) { return orr_law_find("kernel-learning-curves"); }

enum { FEATURES_RMS, FEATURES_LARGEST, FEATURES_LEARNED, SPHERE_LARGEST, POOL_LARGEST, POOL_TRAIN, CHECKS };

static void judge(orr_context *ctx, const char *prediction, const char *measurement, orr_check_values *values) {
    json_t *p = json_loads(prediction, 0, NULL), *m = json_loads(measurement, 0, NULL);
    assert_non_null(p);
    assert_non_null(m);
    assert_ok(ctx, law()->judge(ctx, arena, p, m, values));
    json_decref(p);
    json_decref(m);
}

/* Two n, one ridge, one output. */
#define PREDICTED(population, added)                                                                                   \
    "{\"points\":[{\"point\":\"a\",\"population\":\"" population "\",\"outputs\":1,\"ridges\":[0.1],\"added\":" added  \
    ",\"seeds\":[{\"at\":{\"samples\":[10,200],\"kappa\":[0.1,0.01],\"learned\":[9,100],\"test\":[2,0.5],\"train\":["  \
    "0.1,"                                                                                                             \
    "0.02]}}]}]}"

static void the_checks_of_features_are_those_worked_out_by_hand(void **state) {
    orr_check_values v[CHECKS];
    judge(*state, PREDICTED("features", "0.25"),
          "[[{\"test\":[1.77,0.26],\"test_error\":[0.1,0.005],\"train\":[0,0],\"learned\":[9.5,100.05]}]]", v);
    assert_close(v[FEATURES_RMS].value[0], sqrt((0.01 * 0.01 + 0.02 * 0.02) / 2), 1e-12); /* 2.02/2 and 0.51/0.5 */
    assert_close(v[FEATURES_LARGEST].value[0], 0.02 / 0.03, 1e-12); /* n = 200; 2 errors are 2 % */
    assert_close(v[FEATURES_LEARNED].value[0], 0.05 / 200, 1e-12);  /* n = 200 alone */
    for (int i = SPHERE_LARGEST; i < CHECKS; i++) assert_int_equal(v[i].n, 0);
}

static void the_checks_of_a_pool_are_those_worked_out_by_hand(void **state) {
    orr_check_values v[CHECKS];
    judge(*state, PREDICTED("pool", "0"), "[[{\"test\":[1.9,0.51],\"train\":[0.103,0.021]}]]", v);
    assert_close(v[POOL_LARGEST].value[0], 0.05, 1e-12);
    assert_close(v[POOL_TRAIN].value[0], 0.003, 1e-12);
    assert_int_equal(v[FEATURES_RMS].n, 0);
}

static void what_was_not_recorded_is_no_number_and_never_holds(void **state) {
    static const char gap[] =
        "[[{\"test\":[null,0.5],\"test_error\":[0,0],\"train\":[null,0.02],\"learned\":[9,null]}]]";
    static const char *const nothing[] = { "[[{}]]", "[[]]", gap };
    static const char *const populations[] = { PREDICTED("features", "0"), PREDICTED("sphere", "0"),
                                               PREDICTED("pool", "0") };
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 3; j++) {
            orr_check_values v[CHECKS];
            judge(*state, populations[j], nothing[i], v);
            for (int c = 0; c < CHECKS; c++) {
                if (v[c].n == 0) continue;
                if (i == 2 && c == FEATURES_LARGEST) continue; /* its n = 200 was recorded */
                assert_true(isnan(v[c].value[0]));
                assert_int_equal(orr_judge(&law()->checks[c], &v[c]).verdict, ORR_FAILS);
            }
        }
}

/* ---- whole runs ------------------------------------------------------------------------------------------------------------ */

static const char frame[] = "name: small\narchitecture: linear\ntask: mse\nprecision: f64\nsteps: 0\nseeds: 3\n"
                            "rule: { kind: gd, learning_rate: 0.1 }\ndata: { %s }\n"
                            "observe: [ { kind: %s } ]\n";

static void run_small(orr_context *ctx, const char *data, const char *observe, orr_store *store, orr_law_outcome *out) {
    orr_experiment experiment;
    const char *text = orr_arena_format(arena, frame, data, observe);
    assert_non_null(text);
    assert_ok(ctx, orr_experiment_parse(ctx, arena, "small.yaml", text, strlen(text), NULL, &experiment));
    assert_ok(ctx, orr_law_run(ctx, arena, store, law(), &experiment, NULL, out));
}

static void forget(orr_law_outcome *out) {
    json_decref(out->prediction);
    json_decref(out->measurement);
}

static const json_t *predicted(const orr_law_outcome *out, const char *what) {
    const json_t *point = json_array_get(json_object_get(out->prediction, "points"), 0);
    return json_object_get(json_object_get(json_array_get(json_object_get(point, "seeds"), 0), "at"), what);
}

static void curves_of_each_population_hold_where_few_are_learned_of_many(void **state) {
    static const char *const rows[][2] = {
        { "kind: gaussian, n: 6000, dimension: 60, covariance: power-law, exponent: 1.5, teacher: power-law, noise: "
          "0.4, "
          "resample: true",
          "kernel-regression, kernel: linear, samples: [20, 40], ridges: [0.1], draws: 150, test: exact, modes: 9" },
        { "kind: hypersphere, n: 4000, n_test: 20000, dimension: 5, targets: harmonic, degrees: [2], resample: true",
          "kernel-regression, kernel: ntk, samples: [10, 40], draws: 200, test: test, tested: 500" },
        { "kind: fashion-mnist, n: 400, center: mean-image, standardise: lengths, positive_classes: [5, 6, 7, 8, 9]",
          "kernel-regression, kernel: rbf, bandwidth: 0.7, samples: [20, 40], ridges: [0, 0.1], draws: 80" },
    };
    orr_store *store;
    assert_ok(*state, orr_store_open(*state, ":memory:", &store));
    for (size_t i = 0; i < 3; i++) {
        orr_law_outcome out;
        run_small(*state, rows[i][0], rows[i][1], store, &out);
        if (out.verdict != ORR_HOLDS) fail_msg("population %zu: %s", i, out.note);
        json_t *panels = law()->figure(out.prediction, out.measurement);
        assert_int_equal(json_array_size(panels), i == 0 ? 2 : 1);
        json_decref(panels);
        forget(&out);
    }
    orr_store_close(store);
}

/* The sheet: NTK in d = 8, n = 300, degree 3, 40 levels and a tail: 1.2770.  (The table's goldens: theory/kernel_regression.) */
static void the_sheets_golden_on_the_sphere_comes_out_of_the_experiment(void **state) {
    orr_store *store;
    orr_law_outcome out;
    assert_ok(*state, orr_store_open(*state, ":memory:", &store));
    run_small(*state, "kind: hypersphere, n: 300, n_test: 10, dimension: 8, targets: harmonic, degrees: [3]",
              "kernel-regression, kernel: ntk, samples: [300], draws: 1, test: test", store, &out);
    assert_close(json_number_value(json_array_get(predicted(&out, "test"), 0)), 1.2770, 5e-5);
    forget(&out);
    orr_store_close(store);
}

static void outside_its_regime_the_law_says_which_condition(void **state) {
    static const struct {
        const char *data, *observe, *words, *why;
    } rows[] = {
        { "kind: gaussian, n: 100", "loss", "kernel regression is observed",
          "observe needs { kind: kernel-regression }" },
        { "kind: gaussian, n: 100, dimension: 5", "kernel-regression, samples: [10, 11]", "at most a tenth of a pool",
          "11 samples of 100 examples" },
        { "kind: gaussian, n: 100, dimension: 5", "kernel-regression, samples: [9]", "at least 10 samples",
          "there are 9" },
        { "kind: gaussian, n: 500, dimension: 50", "kernel-regression, kernel: linear, test: exact, samples: [45]",
          "within a fifth of the kernel's rank", "45 samples, rank 50" },
        { "kind: hypersphere, n: 500", "kernel-regression, kernel: linear, test: exact, samples: [10]",
          "the population is known", "needs gaussian data" },
    };
    orr_store *store;
    assert_ok(*state, orr_store_open(*state, ":memory:", &store));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        orr_law_outcome out;
        run_small(*state, rows[i].data, rows[i].observe, store, &out);
        assert_int_equal(out.verdict, ORR_OUT_OF_REGIME);
        if (!strstr(out.note, rows[i].words) || !strstr(out.note, rows[i].why))
            fail_msg("expected \"%s\" and \"%s\" in: %s", rows[i].words, rows[i].why, out.note);
        forget(&out);
    }
    orr_store_close(store);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        CLAIM(the_checks_of_features_are_those_worked_out_by_hand),
        CLAIM(the_checks_of_a_pool_are_those_worked_out_by_hand),
        CLAIM(what_was_not_recorded_is_no_number_and_never_holds),
        CLAIM(curves_of_each_population_hold_where_few_are_learned_of_many),
        CLAIM(the_sheets_golden_on_the_sphere_comes_out_of_the_experiment),
        CLAIM(outside_its_regime_the_law_says_which_condition),
    };
    return cmocka_run_group_tests_name("law/kernel_learning_curves", tests, NULL, NULL);
}
