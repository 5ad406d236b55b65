#include "testing.h"

#include "law/run.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

static const orr_law *law(void) { return orr_law_find("representation-similarity"); }

enum { RANDOM_128, RANDOM_32, RANDOM_8, PERMUTED, TRAINED_CKA, TRAINED_KNN, WIDER_CKA, WIDER_KNN, CHECKS };

static const char prediction_text[] =
    "{\"points\":["
    "{\"network\":\"r\",\"random\":true,\"width\":128,\"last_step\":0,\"ratio\":32,\"cka\":0.8},"
    "{\"network\":\"r\",\"random\":true,\"width\":8,\"last_step\":0,\"ratio\":32,\"cka\":0.2},"
    "{\"network\":\"t\",\"random\":false,\"width\":16,\"last_step\":10},"
    "{\"network\":\"t\",\"random\":false,\"width\":64,\"last_step\":10},"
    "{\"network\":\"t\",\"random\":false,\"width\":256,\"last_step\":10}]}";

#define RANDOM(cka)                                                                                                    \
    "{\"last_step\":0,\"layers\":{\"layer1\":{\"untrained\":{\"cka\":" cka                                             \
    ",\"null\":{\"exact\":0.1,\"mean\":0.12,\"sd\":0.1,\"permutations\":100}}}}}"
#define TRAINED(before, after, last)                                                                                   \
    "{\"last_step\":" last ",\"layers\":{\"layer1\":{\"untrained\":{\"cka\":" before ",\"mutual-knn\":" before         \
    "},\"trained\":{\"cka\":" after ",\"mutual-knn\":" after "}}}}"

static void judge(orr_context *ctx, const char *measurement, orr_check_values values[CHECKS]) {
    json_t *p = json_loads(prediction_text, 0, NULL), *m = json_loads(measurement, 0, NULL);
    assert_non_null(p);
    assert_non_null(m);
    assert_ok(ctx, law()->judge(ctx, arena, p, m, values));
    json_decref(p);
    json_decref(m);
}

static void the_checks_are_those_worked_out_by_hand(void **state) {
    orr_check_values v[CHECKS];
    judge(*state,
          "[" RANDOM("[0.8,0.82,0.81]") "," RANDOM("[0.1,0.3,0.2]") "," TRAINED(
              "[0.4,0.6]", "[0.7,0.8]", "10") "," TRAINED("[0.5,0.5]", "[0.9,0.9]",
                                                          "10") "," TRAINED("[0.8,0.8]", "[0.85,0.85]", "10") "]",
          v);
    assert_close(v[RANDOM_128].value[0], 0.01, 1e-12);
    assert_int_equal(v[RANDOM_32].n, 0);
    assert_close(v[RANDOM_8].value[0], 0.0, 1e-12);
    assert_int_equal(v[PERMUTED].n, 2);
    assert_close(v[PERMUTED].value[0], 2.0, 1e-9);
    assert_int_equal(v[TRAINED_CKA].n, 3);
    assert_close(v[TRAINED_CKA].value[0], 0.25, 1e-12);
    assert_close(v[TRAINED_KNN].value[2], 0.05, 1e-12);
    assert_int_equal(v[WIDER_CKA].n, 1); /* 16 against 64 alone: beyond, the sheet asserts nothing */
    assert_close(v[WIDER_CKA].value[0], 0.15, 1e-12);
}

static void a_run_without_features_or_cut_short_never_holds(void **state) {
    orr_check_values v[CHECKS];
    judge(*state,
          "[" RANDOM("[0.8,null,0.8]") "," RANDOM("[0.2]") "," TRAINED("[0.4]", "[0.7]", "5") "," TRAINED(
              "[0.5]", "[null]", "10") ",{\"last_step\":0,\"layers\":{}}]",
          v);
    assert_true(isnan(v[RANDOM_128].value[0]));
    assert_int_equal(v[TRAINED_CKA].n, 3);
    for (int i = 0; i < 3; i++) assert_true(isnan(v[TRAINED_CKA].value[i]));
    assert_true(isnan(v[WIDER_CKA].value[0]));
}

/* ---- real features ---------------------------------------------------------------------------------------------------------- */

static void run(orr_context *ctx, orr_store *store, const char *rest, const char *set, orr_law_outcome *out) {
    char text[2048];
    orr_experiment experiment;
    (void)snprintf(text, sizeof text, "name: small\n%s", rest);
    const orr_experiment_options options = { .set = &set, .n_set = set ? 1 : 0 };
    assert_ok(ctx, orr_experiment_parse(ctx, arena, "small.yaml", text, strlen(text), &options, &experiment));
    assert_ok(ctx, orr_law_run(ctx, arena, store, law(), &experiment, NULL, out));
}

static void forget(orr_law_outcome *out) {
    json_decref(out->prediction);
    json_decref(out->measurement);
}

/* Biases, another activation, a parameterization and test inputs: read off the problem, not assumed. */
static const char random_text[] =
    "architecture: { kind: random-features, features: 128, activation: erf, bias: true, bias_variance: 0.3 }\n"
    "parameterization: { kind: ntk, initial_scale: 2 }\n"
    "data: { kind: gaussian, n: 10, n_test: 100, dimension: 8 }\nrule: { kind: gd, learning_rate: 1 }\nsteps: 0\ntask: "
    "mse\n"
    "observe: [ { kind: activations, part: test, examples: 100 } ]\nseeds: 8\n"
    "sweep: { grid: { architecture.features: [8, 32, 128, 512] } }\n";

static const char trained_text[] =
    "architecture: { kind: mlp, widths: [16, 16], activation: relu, weight_variance: 2 }\ntask: cross-entropy\n"
    "data: { kind: gaussian-mixture, n: 1000, classes: 10, dimension: 100, means: orthogonal, separation: 5 }\n"
    "rule: { kind: adam, learning_rate: 0.001, batch: 100 }\nsteps: 200\n"
    "observe: [ { kind: activations, examples: 200, at: [0, 200] } ]\nseeds: 4\n"
    "sweep: [ { name: narrow }, { name: wide, architecture: { widths: [64, 64] } } ]\n";

static void random_and_trained_features_are_as_the_law_says(void **state) {
    static const char *const texts[] = { random_text, trained_text };
    orr_store *store;
    assert_ok(*state, orr_store_open(*state, ":memory:", &store));
    for (int i = 0; i < 2; i++) {
        orr_law_outcome out;
        run(*state, store, texts[i], NULL, &out);
        if (out.verdict != ORR_HOLDS) {
            json_t *json = orr_law_outcome_json(&out);
            char *words = json_dumps(json_object_get(json, "checks"), 0);
            fail_msg("%s: %s", out.note, words);
        }
        forget(&out);
    }
    orr_store_close(store);
}

static void outside_its_regime_the_law_says_which_condition(void **state) {
    static const struct {
        const char *text, *set, *why;
    } rows[] = {
        { trained_text, "steps=0", "steps is 0" },
        { random_text, "initial=orthogonal", "they start as orthogonal" },
        { random_text, "data.resample=true", "resample is true" },
        { trained_text, "task=mse", "the task is mse" },
        { trained_text, "until=0.1", "until is 0.1" },
        { trained_text, "observe.activations.at=[0, 100]", "due after 0 and 200 updates" },
        { random_text, "observe.activations.examples=49", "activations of 49 are recorded" },
        { random_text, "sweep={grid: {architecture.features: [7]}}", "there are 7" },
        { random_text, "seeds=4", "4 seeds make 6" },
    };
    orr_store *store;
    assert_ok(*state, orr_store_open(*state, ":memory:", &store));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        orr_law_outcome out;
        run(*state, store, rows[i].text, rows[i].set, &out);
        if (out.verdict != ORR_OUT_OF_REGIME || !strstr(out.note, rows[i].why))
            fail_msg("expected \"%s\" in: %s", rows[i].why, out.note);
        forget(&out);
    }
    orr_store_close(store);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_checks_are_those_worked_out_by_hand, setup, teardown),
        cmocka_unit_test_setup_teardown(a_run_without_features_or_cut_short_never_holds, setup, teardown),
        cmocka_unit_test_setup_teardown(random_and_trained_features_are_as_the_law_says, setup, teardown),
        cmocka_unit_test_setup_teardown(outside_its_regime_the_law_says_which_condition, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
