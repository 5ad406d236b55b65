#include "testing.h"

#include <stdio.h>

#include "law/run.h"

enum { CHECKS = 6 };
enum { RANDOM_FLOW, RANDOM_HALF, SPECTRAL_EXACT, SPECTRAL_FLOW_TWO, SPECTRAL_FLOW_DEEP, SPECTRAL_LEAKAGE };

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

static const orr_law *law(void) { return orr_law_find("deep-linear-modes"); }

/* ---- judgement by hand --------------------------------------------------------------------------------------------------- */

/* One mode of s = 2, recorded at times 0, 1, 2, 3; %s: spectral, %s: step_error. */
static const char prediction_text[] =
    "{\"points\":[{\"point\":\"a\",\"layers\":%d,\"rate\":0.5,\"double\":true,\"step\":[0,2,4,6],\"runs\":["
    "{\"spectral\":%s,\"learnt\":1,\"step_error\":0.005,\"modes\":[{\"s\":2.0,\"a_0\":0.1,\"half_time\":1.6,"
    "\"exact\":[0.1,0.5,1.5,2.0],\"flow\":[0.1,0.5,1.52,2.0]}],\"loss\":[],\"least_loss\":0.0,\"loss_scale\":1.0}]}]}";

static const char measurement_text[] =
    "[[{\"mode_strength.1\":{\"step\":[0,2,4,6],\"value\":[0.1,0.5,1.5,%s]},"
    "\"mode_leakage\":{\"step\":[0,2,4,6],\"value\":[0,1e-3,0,0]},\"loss\":{\"step\":[],\"value\":[]}}]]";

static void judge(orr_context *ctx, int layers, const char *spectral, const char *last, orr_check_values v[CHECKS]) {
    char text[2][1024];
    (void)snprintf(text[0], sizeof text[0], prediction_text, layers, spectral);
    (void)snprintf(text[1], sizeof text[1], measurement_text, last);
    json_t *p = json_loads(text[0], 0, NULL), *m = json_loads(last ? text[1] : "[[]]", 0, NULL);
    assert_non_null(p);
    assert_non_null(m);
    assert_ok(ctx, law()->judge(ctx, arena, p, m, v));
    json_decref(p);
    json_decref(m);
}

static void the_checks_of_a_run_are_those_worked_out_by_hand(void **state) {
    orr_check_values v[CHECKS];
    judge(*state, 2, "false", "2.0", v);
    assert_close(v[RANDOM_FLOW].value[0], 0.02 / 2, 1e-15);
    assert_close(v[RANDOM_HALF].value[0], fabs(1.5 / 1.6 - 1), 1e-15); /* a = 1 half-way from time 1 to 2 */
    assert_int_equal(v[SPECTRAL_EXACT].n + v[SPECTRAL_FLOW_TWO].n + v[SPECTRAL_LEAKAGE].n, 0);
    judge(*state, 2, "true", "2.1", v);
    assert_close(v[SPECTRAL_EXACT].value[0], 0.1 / 2, 1e-15);
    assert_close(v[SPECTRAL_FLOW_TWO].value[0], 0.1 / 2, 1e-15);
    assert_close(v[SPECTRAL_LEAKAGE].value[0], 1e-3, 0.0);
    assert_int_equal(v[RANDOM_FLOW].n + v[RANDOM_HALF].n + v[SPECTRAL_FLOW_DEEP].n, 0);
    judge(*state, 3, "true", "2.0", v);
    assert_int_equal(v[SPECTRAL_FLOW_DEEP].n, 1);
    judge(*state, 5, "true", "2.0", v); /* the sheet has no tolerance for a flow so deep */
    assert_int_equal(v[SPECTRAL_FLOW_DEEP].n, 0);
}

/* A run that diverged has a null in its record, or a shorter one, or none. */
static void a_run_without_a_whole_record_never_holds(void **state) {
    static const char *const lasts[] = { "null", NULL };
    for (int i = 0; i < 2; i++)
        for (int spectral = 0; spectral < 2; spectral++) {
            orr_check_values v[CHECKS];
            judge(*state, 2, spectral ? "true" : "false", lasts[i], v);
            const int check = spectral ? SPECTRAL_EXACT : RANDOM_FLOW;
            assert_int_equal(v[check].n, 1);
            assert_true(isnan(v[check].value[0]));
            assert_int_equal(orr_judge(&law()->checks[check], &v[check]).verdict, ORR_FAILS);
        }
}

/* ---- whole runs ---------------------------------------------------------------------------------------------------------- */

static const char small[] =
    "name: small\narchitecture: { kind: linear, widths: [8], weight_deviation: 0.01 }\n"
    "data: { kind: whitened-linear, n: 4, dimension: 4, outputs: 3, singular_values: [2, 1] }\n"
    "task: { kind: mse }\nrule: { kind: gd, learning_rate: 0.005 }\nprecision: f64\n"
    "steps: 1500\nseeds: 3\nobserve: [ { kind: modes, every: 5 }, { kind: loss, every: 50 } ]\n";

static void run(orr_context *ctx, const char *const *set, int n_set, orr_law_outcome *out) {
    orr_store *store;
    orr_experiment experiment;
    const orr_experiment_options options = { .set = set, .n_set = n_set };
    assert_ok(ctx, orr_store_open(ctx, ":memory:", &store));
    assert_ok(ctx, orr_experiment_parse(ctx, arena, "small.yaml", small, strlen(small), &options, &experiment));
    assert_ok(ctx, orr_law_run(ctx, arena, store, law(), &experiment, NULL, out));
    json_decref(out->prediction);
    json_decref(out->measurement);
    orr_store_close(store);
}

static void holds(orr_context *ctx, const char *const *set, int n_set, int check) {
    orr_law_outcome out;
    run(ctx, set, n_set, &out);
    if (out.verdict != ORR_HOLDS) fail_msg("%s: %s", orr_verdict_words(out.verdict), out.note);
    assert_int_equal(out.check[check].n, 3);
}

static void the_law_holds_from_random_and_spectral_starts(void **state) {
    static const char *const spectral[] = { "initial={kind: balanced, strength: [0.01, 0.01], frames: ends}",
                                            "data.modes=axes" };
    static const char *const deep[] = { "initial={kind: balanced, strength: [0.01, 0.02], frames: ends}",
                                        "data.modes=axes", "architecture.widths=[6, 5, 8, 3]" };
    holds(*state, NULL, 0, RANDOM_FLOW);
    holds(*state, spectral, 2, SPECTRAL_FLOW_TWO);
    holds(*state, deep, 3, SPECTRAL_EXACT);
}

/* Conventions of the loss go into the time, other networks without biases are products too; single precision is enough
 * where the tolerance is the flow's. */
static void other_conventions_and_networks_are_the_same_law(void **state) {
    static const char *const set[] = { "task.factor=1", "task.outputs=mean", "precision=f32",
                                       ("architecture={kind: mlp, widths: [8], activation: linear, bias: false, "
                                        "weight_variance: 0.0004}"),
                                       "rule.learning_rate=0.0075" };
    holds(*state, set, 5, RANDOM_HALF);
}

/* Two classes, whitened: one mode, s = 1/sqrt(2). */
static void real_pictures_that_are_whitened_obey_it(void **state) {
    static const char *const set[] = {
        "data={kind: fashion-mnist, n: 60, keep_classes: [0, 1], flatten: true, whiten: true}",
        "rule.learning_rate=0.01", "architecture={kind: linear, widths: [8], weight_deviation: 0.01}"
    };
    holds(*state, set, 3, RANDOM_FLOW);
}

static void outside_its_regime_the_law_says_which_condition(void **state) {
    static const struct {
        const char *set, *words, *why;
    } rows[] = {
        { "architecture={kind: mlp, widths: [8], activation: linear}", "product of at least two",
          "mlp with 4 tensors" },
        { "architecture={kind: mlp, widths: [8], bias: false}", "product of at least two", "is none" },
        { "architecture.widths=[]", "product of at least two", "1 tensors" },
        { "task.ridge=0.1", "the task is mse without ridge", "ridge is 0.1" },
        { "rule={kind: adam, learning_rate: 0.1}", "the rule is gradient descent", "the rule is adam" },
        { "rule={kind: sgd, learning_rate: 0.1, momentum: 0.5}", "without momentum", "momentum is 0.5" },
        { "rule.batch=2", "every update sees all", "2 of 4" },
        { "rule.weight_decay=0.1", "without decay", "weight_decay is 0.1" },
        { "rule.warmup=10", "learning rate is constant", "warmup" },
        { "until=0.1", "no run ends before", "until" },
        { "parameterization={kind: mup, base_width: 4}", "at one rate", "layer" },
        { "observe=[{kind: loss}]", "modes are observed", "kind: modes" },
        { "data={kind: gaussian, n: 20, dimension: 4}", "inputs are white", "off v_k" },
        { "architecture.widths=[8, 8]", "spectral, or random with two", "with 3 layers" },
        { "steps=100", "long enough for the first mode", "the run ends at 0.5" },
        { "architecture.weight_deviation=0.2", "a random start is small", "small: with seed 0 a mode starts at" },
        { "data.singular_values=[2, 1.9]", "modes are apart", "s is 2, then 1.9" },
        { "rule.learning_rate=0.05", "the step is small", "leaves the flow by" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        orr_law_outcome out;
        run(*state, &rows[i].set, 1, &out);
        assert_int_equal(out.verdict, ORR_OUT_OF_REGIME);
        if (!strstr(out.note, rows[i].words) || !strstr(out.note, rows[i].why))
            fail_msg("%s: expected \"%s\" and \"%s\" in: %s", rows[i].set, rows[i].words, rows[i].why, out.note);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_checks_of_a_run_are_those_worked_out_by_hand),
        cmocka_unit_test(a_run_without_a_whole_record_never_holds),
        cmocka_unit_test(the_law_holds_from_random_and_spectral_starts),
        cmocka_unit_test(other_conventions_and_networks_are_the_same_law),
        cmocka_unit_test(real_pictures_that_are_whitened_obey_it),
        cmocka_unit_test(outside_its_regime_the_law_says_which_condition),
    };
    return cmocka_run_group_tests_name("law/deep_linear_modes", tests, setup, teardown);
}
