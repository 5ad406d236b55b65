#include "testing.h"

#include "law/run.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

static const orr_law *law(void) { return orr_law_find("neural-collapse"); }

#define SERIES(name, value) "\"" name "\":{\"step\":[0,10],\"value\":[1," value "]}"
#define MEASURED(loss)                                                                                                 \
    "[[{" SERIES("loss", loss) "," SERIES("nc_margin", "4") "," SERIES("nc_readout_norm", "2") "," SERIES(             \
        "nc_feature_norm",                                                                                             \
        "3") "," SERIES("nc1", "0.01") "," SERIES("nc2_angle", "0.02") "," SERIES("nc3", "0.03") "," SERIES("nc4",     \
                                                                                                            "0") "}]]"

static void judge(orr_context *ctx, const char *zero, int last, const char *measurement, orr_check_values values[9]) {
    char text[512];
    (void)snprintf(text, sizeof text,
                   "{\"points\":[{\"point\":\"a\",\"zero\":%s,\"objective\":0.1,\"margin\":4.0,\"readout_norm\":4.0,"
                   "\"feature_norm\":2.0,\"last_step\":%d,\"last_loss\":10}]}",
                   zero, last);
    json_t *p = json_loads(text, 0, NULL), *m = json_loads(measurement, 0, NULL);
    assert_non_null(p);
    assert_non_null(m);
    assert_ok(ctx, law()->judge(ctx, arena, p, m, values));
    json_decref(p);
    json_decref(m);
}

static void checks_are_the_last_values_over_the_predicted_ones(void **state) {
    static const double want[] = { 1.1, 1, 0.5, 1.5, 0.01, 0.02, 0.03, 0 };
    orr_check_values v[9];
    judge(*state, "false", 10, MEASURED("0.11"), v);
    for (int c = 0; c < 8; c++) {
        assert_int_equal(v[c].n, 1);
        assert_close(v[c].value[0], want[c], 1e-14);
    }
}

static void a_run_that_ended_early_or_diverged_never_holds(void **state) {
    orr_check_values v[9];
    judge(*state, "false", 20, MEASURED("null"), v);
    for (int c = 0; c < 8; c++) assert_true(isnan(v[c].value[0]));
    judge(*state, "false", 10, "[[{}]]", v);
    for (int c = 0; c < 8; c++) assert_true(isnan(v[c].value[0]));
}

/* Past the transition there are no means whose angles could be measured. */
static void where_all_is_zero_the_objective_alone_is_judged(void **state) {
    orr_check_values v[9];
    judge(*state, "true", 10, MEASURED("0.1"), v);
    assert_int_equal(v[0].n, 1);
    for (int c = 1; c < 8; c++) assert_int_equal(v[c].n, 0);
}

/* ---- whole runs ------------------------------------------------------------------------------------------------------------ */

/* Three classes of ten images each: a network places them where it likes in a second. */
static const char small[] = "name: small\narchitecture: { kind: mlp, widths: [64, 8], activation: relu, "
                            "linear_features: true, weight_variance: 2 }\n"
                            "data: { kind: fashion-mnist, n: 30, keep_classes: [0, 1, 9], subset: balanced, pool: 4 }\n"
                            "task: { kind: cross-entropy, readout_decay: 1e-2, feature_decay: 1e-3 }\n"
                            "rule: { kind: adam, learning_rate: 0.005, schedule: cosine }\nsteps: 3000\nseeds: 3\n"
                            "observe: [ { kind: loss, every: 1000 }, { kind: neural-collapse, every: 1000 } ]\n";

static void run_small(orr_context *ctx, const char *text, const char *set, orr_store *store, orr_law_outcome *out) {
    orr_experiment e;
    const orr_experiment_options options = { .set = &set, .n_set = set ? 1 : 0 };
    assert_ok(ctx, orr_experiment_parse(ctx, arena, "small.yaml", text, strlen(text), &options, &e));
    assert_ok(ctx, orr_law_run(ctx, arena, store, law(), &e, NULL, out));
}

static void forget(orr_law_outcome *out) {
    json_decref(out->prediction);
    json_decref(out->measurement);
}

static void a_small_network_collapses_to_the_closed_form(void **state) {
    orr_store *store;
    orr_law_outcome out;
    assert_ok(*state, orr_store_open(*state, ":memory:", &store));
    run_small(*state, small, NULL, store, &out);
    if (out.verdict != ORR_HOLDS)
        for (int c = 0; c < 8; c++) print_message("%s: %g\n", law()->checks[c].metric, out.check[c].value);
    assert_int_equal(out.verdict, ORR_HOLDS);
    forget(&out);
    orr_store_close(store);
}

static void outside_its_regime_the_law_says_which_condition(void **state) {
    static const struct {
        const char *set, *words, *why;
    } rows[] = {
        { "task.feature_decay=0", "features and readout decay", "both above 0" },
        { "task.ridge=0.1", "nothing else decays", "ridge is 0.1" },
        { "rule.weight_decay=0.1", "nothing else decays", "weight_decay is 0.1" },
        { "architecture.linear_features=false", "last features are linear", "mlp has linear_features" },
        { "architecture.widths=[64, 1]", "at least K - 1 dimensions", "1 features for 3 classes" },
        { "until=0.1", "no run ends", "until is 0.1" },
        { "observe=[loss]", "are observed", "neural-collapse" },
        { "observe.neural-collapse.examples=20", "are observed", "over all 30 examples" },
    };
    orr_store *store;
    assert_ok(*state, orr_store_open(*state, ":memory:", &store));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        orr_law_outcome out;
        run_small(*state, small, rows[i].set, store, &out);
        assert_int_equal(out.verdict, ORR_OUT_OF_REGIME);
        if (!strstr(out.note, rows[i].words) || !strstr(out.note, rows[i].why))
            fail_msg("expected \"%s\" and \"%s\" in: %s", rows[i].words, rows[i].why, out.note);
        forget(&out);
    }
    orr_store_close(store);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checks_are_the_last_values_over_the_predicted_ones),
        cmocka_unit_test(a_run_that_ended_early_or_diverged_never_holds),
        cmocka_unit_test(where_all_is_zero_the_objective_alone_is_judged),
        cmocka_unit_test(a_small_network_collapses_to_the_closed_form),
        cmocka_unit_test(outside_its_regime_the_law_says_which_condition),
    };
    return cmocka_run_group_tests_name("law/neural_collapse", tests, setup, teardown);
}
