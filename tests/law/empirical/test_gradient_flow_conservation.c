#include "testing.h"

#include <stdio.h>

#include "law/run.h"

enum { CHECKS = 10 };
enum { LINEAR, UNITS, ATTENTION, SCALE, TRANSLATION, LINEAR_POWER, UNITS_POWER, ATTENTION_POWER, FOURTH, ROTATION };

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

static const orr_law *law(void) { return orr_law_find("gradient-flow-conservation"); }

/* ---- judgement by hand --------------------------------------------------------------------------------------------------- */

#define POINT(rate, steps, powers)                                                                                     \
    "{\"rate\":" rate ",\"steps\":" steps ",\"group\":0,\"powers\":" powers                                            \
    ",\"kept\":[{\"name\":\"a\",\"what\":\"units\"}],"                                                                 \
    "\"fourth\":null,\"rotation\":null}"
static const char group_text[] =
    "{\"points\":[" POINT("0.4", "10", "true") "," POINT("0.2", "20", "true") "," POINT("0.1", "40", "true") "]}";

#define RUN(steps, drift, error)                                                                                       \
    "[{\"neuron_balance_drift.a\":{\"step\":[0," steps "],\"value\":[0," drift "]},"                                   \
    "\"neuron_balance_error.a\":{\"step\":[0," steps "],\"value\":[0," error "]}}]"

static void judge(orr_context *ctx, const char *prediction, const char *measurement, orr_check_values v[CHECKS]) {
    json_t *p = json_loads(prediction, 0, NULL), *m = json_loads(measurement, 0, NULL);
    assert_non_null(p);
    assert_non_null(m);
    assert_ok(ctx, law()->judge(ctx, arena, p, m, v));
    json_decref(p);
    json_decref(m);
}

static void powers_and_errors_are_those_worked_out_by_hand(void **state) {
    orr_check_values v[CHECKS];
    judge(*state, group_text,
          "[" RUN("10", "0.32", "1e-12") "," RUN("20", "0.08", "3e-12") "," RUN("40", "0.02", "0") "]", v);
    assert_int_equal(v[UNITS].n, 3);
    assert_close(v[UNITS].value[1], 3e-12, 0.0);
    assert_int_equal(v[UNITS_POWER].n, 1);
    assert_close(v[UNITS_POWER].value[0], 2.0, 1e-14); /* four times for twice the rate: not 1 */
    assert_int_equal(orr_judge(&law()->checks[UNITS_POWER], &v[UNITS_POWER]).verdict, ORR_FAILS);
    assert_int_equal(v[LINEAR].n + v[SCALE].n + v[FOURTH].n + v[ROTATION].n, 0);
}

/* A run that diverged, ended before its time, or recorded nothing. */
static void a_run_without_a_whole_record_never_holds(void **state) {
    static const char *const first[] = { RUN("10", "null", "null"), RUN("8", "0.04", "0"), "[{}]" };
    for (int i = 0; i < 3; i++) {
        orr_check_values v[CHECKS];
        char text[1024];
        (void)snprintf(text, sizeof text, "[%s,%s,%s]", first[i], RUN("20", "0.02", "0"), RUN("40", "0.01", "0"));
        judge(*state, group_text, text, v);
        assert_true(isnan(v[UNITS].value[0]));
        assert_true(isnan(v[UNITS_POWER].value[0]));
        assert_int_equal(orr_judge(&law()->checks[UNITS], &v[UNITS]).verdict, ORR_FAILS);
    }
}

static void the_equilibrium_is_the_mean_over_the_second_half(void **state) {
    orr_check_values v[CHECKS];
    judge(*state,
          "{\"points\":[{\"rate\":0.1,\"steps\":3,\"group\":0,\"powers\":false,\"kept\":[],\"fourth\":10.0,"
          "\"rotation\":0.5}]}",
          "[[{\"scale.layer1.weight\":{\"step\":[0,1,2,3],\"value\":[90,80,2,4]},"
          "\"rotation.layer1.weight\":{\"step\":[1,2,3],\"value\":[9,0.3,0.4]}}]]",
          v);
    assert_close(v[FOURTH].value[0], 1.0, 1e-15);                 /* (4 + 16)/2 */
    assert_close(v[ROTATION].value[0], sqrt(0.125) / 0.5, 1e-15); /* root mean square of 0.3 and 0.4 */
}

/* ---- whole runs ---------------------------------------------------------------------------------------------------------- */

static const char small[] =
    "name: small\narchitecture: { kind: mlp, widths: [4], activation: relu }\n"
    "data: { kind: gaussian, n: 12, dimension: 3, outputs: 2, resample: true }\n"
    "task: { kind: mse }\nrule: { kind: gd, learning_rate: 0.02 }\nprecision: f64\nsteps: 100\nseeds: 3\n"
    "observe: [ { kind: conserved, every: 1, exact: true, record_every: 10 } ]\n";

static void run(orr_context *ctx, const char *const *set, bool past, orr_law_outcome *out) {
    orr_store *store;
    orr_experiment experiment;
    orr_experiment_options options = { .set = set };
    while (set && set[options.n_set]) options.n_set++;
    assert_ok(ctx, orr_store_open(ctx, ":memory:", &store));
    assert_ok(ctx, orr_experiment_parse(ctx, arena, "small.yaml", small, strlen(small), &options, &experiment));
    assert_ok(ctx, orr_law_run(ctx, arena, store, law(), &experiment, &(orr_law_options){ .past_regime = past }, out));
    json_decref(out->prediction);
    json_decref(out->measurement);
    orr_store_close(store);
}

#define SET(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void holds(orr_context *ctx, const char *const *set, int check, int64_t values) {
    orr_law_outcome out;
    run(ctx, set, false, &out);
    if (out.verdict != ORR_HOLDS) fail_msg("%s: %s %s", set[0], orr_verdict_words(out.verdict), out.note);
    assert_int_equal(out.check[check].n, values);
}

static void each_symmetry_is_found_and_holds(void **state) {
    holds(*state, SET("rule.weight_decay=0.1"), UNITS, 3);
    holds(*state, SET("architecture.activation=linear"), LINEAR, 3);
    holds(*state, SET("architecture.activation=quadratic", "observe.conserved.degree=2"), UNITS, 3);
    holds(*state, SET("architecture={kind: linear, widths: [4, 3]}"), LINEAR, 6);
    holds(*state, SET("architecture.norm=batch", "architecture.norm_epsilon=0", "rule.weight_decay=0.1"), SCALE, 3);
    holds(*state, SET("architecture={kind: direction}"), SCALE, 3);
    holds(*state,
          SET("data={kind: fashion-mnist, n: 20}", "task={kind: cross-entropy}", "architecture.activation=tanh",
              "rule={kind: heavy-ball, learning_rate: 0.1}"),
          TRANSLATION, 3);
    holds(*state,
          SET("data={kind: in-context-regression, n: 6, context: 3, eigenvalues: [1, 1]}", "observe.conserved.heads=2",
              "architecture={kind: transformer, width: 4, depth: 1, heads: 2, activation: tanh, attention: linear}"),
          ATTENTION, 12);
}

static void drifts_of_three_rates_over_one_time_have_the_power_one(void **state) {
    holds(*state, SET("sweep={zip: {rule.learning_rate: [0.02, 0.01, 0.005], steps: [100, 200, 400]}}"), UNITS_POWER,
          3);
}

static void past_its_regime_it_fails(void **state) {
    static const char *const sets[][5] = {
        { "architecture.norm=layer", "architecture.norm_epsilon=0.1" },
        { "rule={kind: sgd, learning_rate: 0.02, momentum: 0.9}" },
        { "rule.batch=4" },
        { "task.ridge=0.1" },
        { "precision=f32" },
        { "data={kind: fashion-mnist, n: 20}", "task={kind: cross-entropy}", "architecture.activation=tanh",
          "rule={kind: adam, learning_rate: 0.1}" },
    };
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        orr_law_outcome out;
        run(*state, sets[i], false, &out);
        assert_int_equal(out.verdict, ORR_OUT_OF_REGIME);
        run(*state, sets[i], true, &out);
        if (out.verdict != ORR_FAILS) fail_msg("%s: %s", sets[i][0], orr_verdict_words(out.verdict));
        assert_true(*out.outside);
    }
}

static void outside_its_regime_the_law_says_which_condition(void **state) {
    static const struct {
        const char *set, *words, *why;
    } rows[] = {
        { "architecture.activation=tanh", "have a symmetry", "mlp has none" },
        { "observe=[{kind: loss}]", "laws of a step are followed", "exact: true" },
        { "observe.conserved.record_every=7", "laws of a step are followed", "divides 100" },
        { "observe.conserved.heads=2", "laws of a step are followed", "heads: 1" },
        { "until=0.01", "no run ends before", "until" },
        { "rule={kind: adam, learning_rate: 0.1}", "without momentum", "the rule is adam" },
        { "rule={kind: heavy-ball, learning_rate: 0.1}", "without momentum", "the rule is heavy-ball" },
        { "rule.sampling=replacement", "every update sees all", "replacement" },
        { "rule.schedule=cosine", "the learning rate is constant", "cosine" },
        { "rule.clip=1", "without clipping", "clip is 1" },
        { "task.ridge=0.5", "without ridge", "ridge is 0.5" },
        { "parameterization={kind: mup, base_width: 2}", "at one rate", "layer" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        orr_law_outcome out;
        run(*state, SET(rows[i].set), false, &out);
        assert_int_equal(out.verdict, ORR_OUT_OF_REGIME);
        if (!strstr(out.note, rows[i].words) || !strstr(out.note, rows[i].why))
            fail_msg("%s: expected \"%s\" and \"%s\" in: %s", rows[i].set, rows[i].words, rows[i].why, out.note);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(powers_and_errors_are_those_worked_out_by_hand),
        cmocka_unit_test(a_run_without_a_whole_record_never_holds),
        cmocka_unit_test(the_equilibrium_is_the_mean_over_the_second_half),
        cmocka_unit_test(each_symmetry_is_found_and_holds),
        cmocka_unit_test(drifts_of_three_rates_over_one_time_have_the_power_one),
        cmocka_unit_test(past_its_regime_it_fails),
        cmocka_unit_test(outside_its_regime_the_law_says_which_condition),
    };
    return cmocka_run_group_tests_name("law/gradient_flow_conservation", tests, setup, teardown);
}
