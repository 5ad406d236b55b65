#include "testing.h"

#include "law/run.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

static const orr_law *law(void) { return orr_law_find("neural-feature-ansatz"); }

enum { COSINE, DIFFERENCE, LAST, PROPORTION, WRONG, RICH, RICH_GAIN, LAZY_GAIN, FEW, MANY, ENERGY, CHECKS };

static void judge(orr_context *ctx, const char *prediction, const char *measurement, orr_check_values *values) {
    json_t *p = json_loads(prediction, 0, NULL), *m = json_loads(measurement, 0, NULL);
    assert_non_null(p);
    assert_non_null(m);
    assert_ok(ctx, law()->judge(ctx, arena, p, m, values));
    json_decref(p);
    json_decref(m);
}

/* Two layers, two columns: that of the depth and power 1. */
#define POINT(start, rate)                                                                                             \
    "{\"point\":\"a\",\"start\":\"" start "\",\"power_1\":1,\"layers\":2,\"dimension\":20,\"learning_rate\":" rate     \
    ",\"last_step\":100,\"cosines\":[[0.9,1]]}"
#define ENDED(step) "\"ansatz_correlation.layer1\":{\"step\":[0," step "],\"value\":[0,0]}"

static void the_checks_are_those_worked_out_by_hand(void **state) {
    orr_check_values v[CHECKS];
    judge(*state, "{\"points\":[" POINT("balanced", "0.01") "," POINT("balanced", "0.005") "]}",
          "[[{" ENDED("100") ",\"cosine\":[0.99999,0.901,1,1],\"difference\":[1e-3,1,1e-15,0]}],"
                             "[{" ENDED("100") ",\"cosine\":[1,0.9,1,1],\"difference\":[4e-4,1,1e-15,0]}]]",
          v);
    assert_close(v[COSINE].value[0], 0.99999, 1e-15);
    assert_close(v[DIFFERENCE].value[0], 1e-3, 1e-15);
    assert_close(v[LAST].value[1], 1e-15, 1e-25);
    assert_close(v[WRONG].value[0], 0.001, 1e-12);
    assert_int_equal(v[PROPORTION].n, 1);
    assert_close(v[PROPORTION].value[0], 1e-3 / 4e-4 / 2, 1e-12);
    judge(*state, "{\"points\":[" POINT("small", "0.1") "," POINT("usual", "0.1") "," POINT("machine", "0.1") "]}",
          "[[{" ENDED("100") ",\"initial\":[0.8,0,1,1],\"correlation\":[0.95,0,1,1]}],"
                             "[{" ENDED("100") ",\"initial\":[0.8,0,1,1],\"correlation\":[0.79,0,1,1]}],"
                                               "[{\"r2\":[0.7,0.9,0.95],\"energy\":[0.9,0.97,0.98]}]]",
          v);
    assert_close(v[RICH].value[0], 0.95, 0.0);
    assert_close(v[RICH_GAIN].value[0], 0.15, 1e-12);
    assert_close(v[LAZY_GAIN].value[0], -0.01, 1e-12);
    assert_close(v[FEW].value[0], 0.25, 1e-12);
    assert_int_equal(v[MANY].n, 0);
    assert_close(v[ENERGY].value[0], 0.98, 0.0);
}

static void what_was_not_recorded_to_its_end_never_holds(void **state) {
    static const char *const measured[] = {
        "[[{}],[{}],[{}],[{}]]",
        "[[{" ENDED("50") ",\"cosine\":[1,0.9,1,1],\"difference\":[0,1,0,0]}],"
                          "[{" ENDED("50") ",\"initial\":[0.8,0,1,1],\"correlation\":[0.95,0,1,1]}],"
                                           "[{" ENDED("50") ",\"initial\":[0.8,0,1,1],\"correlation\":[0.7,0,1,1]}],[{"
                                                            "\"r2\":[],\"energy\":[null]}]]",
    };
    for (size_t i = 0; i < 2; i++) {
        orr_check_values v[CHECKS];
        judge(*state,
              "{\"points\":[" POINT("balanced", "0.01") "," POINT("small", "0.1") "," POINT("usual", "0.1") "," POINT(
                  "machine", "0.1") "]}",
              measured[i], v);
        for (int c = 0; c < CHECKS; c++)
            if (v[c].n > 0) assert_true(isnan(v[c].value[0]));
    }
}

static const char balanced[] =
    "name: small\narchitecture: { kind: linear, widths: [5, 5], weight_deviation: 0.3 }\n"
    "initial: { kind: balanced, strength: [0.03, 0.03, 0.03] }\ntask: { kind: mse, factor: 0.5, outputs: sum }\n"
    "data: { kind: whitened-linear, n: 20, dimension: 6, outputs: 3, singular_values: [2, 1.2, 0.7] }\n"
    "rule: { kind: gd, learning_rate: 0.01 }\nprecision: f64\nsteps: 4000\nseeds: 3\n"
    "observe: [ { kind: feature-ansatz, every: 500, examples: 1 } ]\n"
    "sweep: [ { name: one }, { name: half, rule: { learning_rate: 0.005 }, steps: 8000 } ]\n";

static orr_law_outcome run_small(orr_context *ctx, const char *set, orr_store *store) {
    orr_experiment experiment;
    orr_law_outcome out;
    const orr_experiment_options options = { .set = &set, .n_set = set ? 1 : 0 };
    assert_ok(ctx, orr_experiment_parse(ctx, arena, "small.yaml", balanced, strlen(balanced), &options, &experiment));
    assert_ok(ctx, orr_law_run(ctx, arena, store, law(), &experiment, NULL, &out));
    return out;
}

static void forget(orr_law_outcome *out) {
    json_decref(out->prediction);
    json_decref(out->measurement);
}

static void a_balanced_linear_network_obeys_it_exactly(void **state) {
    orr_store *store;
    assert_ok(*state, orr_store_open(*state, ":memory:", &store));
    orr_law_outcome out = run_small(*state, NULL, store);
    if (out.verdict != ORR_HOLDS) fail_msg("%s", out.note);
    json_t *panels = law()->figure(out.prediction, out.measurement);
    assert_int_equal(json_array_size(panels), 1);
    json_decref(panels);
    forget(&out);
    orr_store_close(store);
}

static void outside_its_regime_the_law_says_which_condition(void **state) {
    static const struct {
        const char *set, *words, *why;
    } rows[] = {
        { "initial=normal", "a linear network starts balanced", "the imbalance is" },
        { "precision=f32", "linear networks have float64", "f32" },
        { "observe=[loss]", "is observed", "observe needs" },
        { "rule.batch=5", "every update sees all examples", "a batch is 5" },
    };
    orr_store *store;
    assert_ok(*state, orr_store_open(*state, ":memory:", &store));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        orr_law_outcome out = run_small(*state, rows[i].set, store);
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
        CLAIM(the_checks_are_those_worked_out_by_hand),
        CLAIM(what_was_not_recorded_to_its_end_never_holds),
        CLAIM(a_balanced_linear_network_obeys_it_exactly),
        CLAIM(outside_its_regime_the_law_says_which_condition),
    };
    return cmocka_run_group_tests_name("law/neural_feature_ansatz", tests, NULL, NULL);
}
