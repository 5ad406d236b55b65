#include "testing.h"

#include "law/run.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

static const orr_law *law(void) { return orr_law_find("linear-scaling-rule"); }

/* ---- judgement ---------------------------------------------------------------------------------------------------------- */

/* A reference that is recorded every 4 updates, a scaled point every 2, a control, and one whose step is too large. */
static const char pairs_prediction[] =
    "{\"points\":[{\"part\":\"reference\",\"judged\":false,\"series\":\"loss\"},"
    "{\"part\":\"scaled\",\"judged\":true,\"series\":\"loss\",\"reference\":0,\"every\":2,\"reference_every\":4,"
    "\"count\":2},"
    "{\"part\":\"control\",\"judged\":true,\"series\":\"loss\",\"reference\":0,\"every\":2,\"reference_every\":4,"
    "\"count\":2},"
    "{\"part\":\"scaled\",\"judged\":false,\"series\":\"loss\",\"reference\":0,\"every\":2,\"reference_every\":4,"
    "\"count\":2}]}";

#define RUN(steps, values) "{\"loss\":{\"step\":" steps ",\"value\":" values "}}"
#define THREE(run)         "[" run "," run "," run "]"

static void judge(orr_context *ctx, const char *prediction, const char *measurement, orr_check_values values[3]) {
    json_t *p = json_loads(prediction, 0, NULL), *m = json_loads(measurement, 0, NULL);
    assert_true(p && m);
    assert_ok(ctx, law()->judge(ctx, arena, p, m, values));
    json_decref(p);
    json_decref(m);
}

static void curves_are_compared_at_equal_numbers_of_examples(void **state) {
    orr_check_values v[3];
    judge(*state, pairs_prediction,
          "[" THREE(RUN("[0,4,8]", "[9,2,1]")) "," THREE(RUN("[0,2,4]", "[7,2.2,1.1]")) "," THREE(
              RUN("[0,1,2,3,4]", "[9,0,6,0,5]")) "," THREE(RUN("[0,2]", "[9,null]")) "]",
          v);
    assert_int_equal(v[0].n, 3); /* three groups of seeds, of one each; the last point isn't judged */
    assert_int_equal(v[1].n, 3);
    assert_int_equal(v[2].n, 0);
    for (int i = 0; i < 3; i++) {
        assert_close(v[0].value[i], 0.1, 1e-15);                               /* the start isn't looked at */
        assert_close(v[1].value[i], sqrt((2.0 * 2.0 + 4.0 * 4.0) / 2), 1e-14); /* 6 against 2, 5 against 1 */
    }
}

static void a_run_without_its_records_never_holds(void **state) {
    static const char *const poor[] = { "[]", RUN("[0,2]", "[7,2.2]"), RUN("[0,2,4]", "[7,2.2,null]"),
                                        RUN("[0,2,5]", "[7,2.2,1.1]"), "{}" };
    for (size_t i = 0; i < sizeof poor / sizeof poor[0]; i++) {
        char text[1024];
        orr_check_values v[3];
        (void)snprintf(text, sizeof text, "[%s,%s%s%s,[],[]]", THREE(RUN("[0,4,8]", "[9,2,1]")), i ? "[" : "", poor[i],
                       i ? "]" : "");
        judge(*state, pairs_prediction, text, v);
        assert_int_equal(v[0].n, 3);
        assert_true(isnan(v[0].value[0]) && isnan(v[0].value[2]));
        assert_int_equal(orr_judge(&law()->checks[0], &v[0]).verdict, ORR_FAILS);
        assert_int_equal(orr_judge(&law()->checks[1], &v[1]).verdict, ORR_FAILS); /* a lost control proves nothing */
    }
}

static void moments_are_means_over_all_seeds(void **state) {
    static const char prediction[] =
        "{\"points\":[{\"part\":\"regression\",\"judged\":true,\"step\":[0,5,10],\"exact\":[10,4,2],"
        "\"limit\":[10,4,2]}]}";
    static const char one[] = "[[{\"excess_loss\":{\"step\":[0,5,10],\"value\":[11,4,2.5]}},"
                              "{\"excess_loss\":{\"step\":[0,5,10],\"value\":[9,4.6,2.5]}}]]";
    orr_check_values v[3];
    judge(*state, prediction, one, v);
    assert_int_equal(v[2].n, 1);
    assert_close(v[2].value[0], 0.05, 1e-15); /* 2.5 for 2; 4.3 for 4; 10 for 10; over 10 */
    judge(*state, prediction, "[[{\"excess_loss\":{\"step\":[0,5],\"value\":[10,4]}}]]", v);
    assert_true(isnan(v[2].value[0]));
    judge(*state, prediction, "[[]]", v);
    assert_true(isnan(v[2].value[0]));
}

/* ---- whole runs ---------------------------------------------------------------------------------------------------------- */

static const char net[] =
    "name: small\narchitecture: { kind: mlp, widths: [16], activation: tanh }\n"
    "data: { kind: teacher, network: committee, widths: [3], activation: tanh, dimension: 10, noise: 0.2, n: 512, "
    "n_test: "
    "256 }\n"
    "task: { kind: mse }\nrule: { kind: sgd, learning_rate: 0.0125, batch: 4, sampling: replacement }\nsteps: 1024\n"
    "observe: [ { kind: loss, every: 64 } ]\nseeds: 3\nsweep:\n"
    "  - { name: a }\n"
    "  - { name: b, rule: { batch: 16, learning_rate: 0.05 }, steps: 256, observe: [ { kind: loss, every: 16 } ] }\n"
    "  - { name: c, rule: { batch: 16, learning_rate: 0.025, momentum: 0.5 }, steps: 256, observe: [ { kind: loss, "
    "every: 8 "
    "} ] }\n"
    "  - { name: control, rule: { batch: 64 }, steps: 64, observe: [ { kind: loss, every: 4 } ] }\n";

/* 20 outputs, 48 seeds, B = 1 and 4 */
static const char regression[] =
    "name: small\narchitecture: { kind: linear, widths: [], weight_deviation: 1 }\n"
    "data: { kind: gaussian, dimension: 10, covariance: power-law, outputs: 20, noise: 1, n: 64 }\n"
    "task: { kind: mse }\nrule: { kind: sgd, learning_rate: 0.02, batch: 1, sampling: online }\nsteps: 500\n"
    "observe: [ { kind: excess-loss, every: 20 } ]\nseeds: 48\nsweep:\n"
    "  - { name: a }\n"
    "  - name: b\n"
    "    architecture: { weight_deviation: 2 }\n"
    "    parameterization: { kind: ntk }\n"
    "    task: { factor: 1, outputs: mean }\n"
    "    rule: { batch: 4, learning_rate: 0.2 }\n"
    "    steps: 125\n"
    "    observe: [ { kind: excess-loss, every: 5 } ]\n";

static void run_small(orr_context *ctx, const char *text, const char *set, orr_store *store, orr_law_outcome *out) {
    orr_experiment experiment;
    const orr_experiment_options options = { .set = &set, .n_set = set ? 1 : 0 };
    assert_ok(ctx, orr_experiment_parse(ctx, arena, "small.yaml", text, strlen(text), &options, &experiment));
    assert_ok(ctx, orr_law_run(ctx, arena, store, law(), &experiment, NULL, out));
}

static void forget(orr_law_outcome *out) {
    json_decref(out->prediction);
    json_decref(out->measurement);
}

static const json_t *predicted(const orr_law_outcome *out, size_t point) {
    return json_array_get(json_object_get(out->prediction, "points"), point);
}

static void networks_keep_their_curve_also_with_momentum_and_a_control_does_not(void **state) {
    static const char *const parts[] = { "reference", "scaled", "scaled", "control" };
    orr_store *store;
    orr_law_outcome out;
    assert_ok(*state, orr_store_open(*state, ":memory:", &store));
    run_small(*state, net, NULL, store, &out);
    if (out.verdict != ORR_HOLDS) fail_msg("%s: %g, %g", out.note, out.check[0].value, out.check[1].value);
    assert_true(strcmp(out.sealed_at, out.started_at) < 0);
    assert_int_equal(out.check[0].n, 6);
    assert_int_equal(out.check[1].n, 3);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(json_string_value(json_object_get(predicted(&out, i), "part")), parts[i]);
    json_t *json = orr_law_outcome_json(&out); /* the control's tolerance is open above */
    const json_t *control = json_array_get(json_object_get(json, "checks"), 1);
    assert_close(json_number_value(json_array_get(json_object_get(control, "tolerance"), 0)), 1.0, 0.0);
    assert_true(json_is_null(json_array_get(json_object_get(control, "tolerance"), 1)));
    json_decref(json);
    json_t *panels = law()->figure(out.prediction, out.measurement);
    assert_int_equal(json_array_size(panels), 2);
    json_decref(panels);
    forget(&out);
    orr_store_close(store);
}

/* In two conventions: of b the network sees twice the weights, so eta = 0.2 * 2^2 * 2 factor / 20 outputs on 1/2 |f - y|^2. */
static void moments_of_regression_are_those_of_training(void **state) {
    orr_store *store;
    orr_law_outcome out;
    assert_ok(*state, orr_store_open(*state, ":memory:", &store));
    run_small(*state, regression, NULL, store, &out);
    if (out.verdict != ORR_HOLDS) fail_msg("%s: %g", out.note, out.check[2].value);
    assert_int_equal(out.check[2].n, 2);
    assert_close(json_number_value(json_object_get(predicted(&out, 0), "eta")), 0.02, 1e-15);
    assert_close(json_number_value(json_object_get(predicted(&out, 1), "eta")), 0.08, 1e-15);
    forget(&out);
    orr_store_close(store);
}

static void outside_its_regime_the_law_says_which_condition(void **state) {
    static const struct {
        const char *text, *set, *words, *why;
    } rows[] = {
        { net, "rule.sampling=shuffle", "drawn with replacement", "sampling is shuffle" },
        { net, "rule.schedule=cosine", "the learning rate is constant", "cosine" },
        { net, "rule.weight_decay=0.1", "without decay", "0.1" },
        { net, "rule.clip=1", "without decay and clipping", "1" },
        { net, "until=0.01", "no run ends before", "0.01" },
        { net, "task.factor=50", "the step is small", "above 1 at all" },
        { regression, "seeds=12", "are compared", "no two points" },
        { regression, "rule.momentum=0.5", "loss is observed", "every" },
    };
    orr_store *store;
    assert_ok(*state, orr_store_open(*state, ":memory:", &store));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        orr_law_outcome out;
        run_small(*state, rows[i].text, rows[i].set, store, &out);
        if (out.verdict != ORR_OUT_OF_REGIME || !strstr(out.note, rows[i].words) || !strstr(out.note, rows[i].why))
            fail_msg("row %d: expected \"%s\" and \"%s\" in: %s", (int)i, rows[i].words, rows[i].why, out.note);
        forget(&out);
    }
    orr_store_close(store);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(curves_are_compared_at_equal_numbers_of_examples),
        cmocka_unit_test(a_run_without_its_records_never_holds),
        cmocka_unit_test(moments_are_means_over_all_seeds),
        cmocka_unit_test(networks_keep_their_curve_also_with_momentum_and_a_control_does_not),
        cmocka_unit_test(moments_of_regression_are_those_of_training),
        cmocka_unit_test(outside_its_regime_the_law_says_which_condition),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
