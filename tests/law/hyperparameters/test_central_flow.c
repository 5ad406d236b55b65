#include "testing.h"

#include "law/run.h"

/* Three windows of two weights, of which two begin after the edge. */
static const char prediction_text[] =
    "{\"points\":[{\"point\":\"a\",\"rule\":%d,\"updates\":240,\"runs\":[{\"flow\":{\"edge\":%s,\"windows\":{"
    "\"loss\":[9,2,4],\"trace_sigma\":[9,1,1],\"gradient2\":[9,5,5],\"w\":[[0,0],[1,0],[2,0]]}},"
    "\"stable\":{\"windows\":{\"w\":[[0,0],[4,0],[6,4]]}}}]}]}";
static const char measurement_text[] =
    "[[{\"windows\":{\"loss\":[1,2.2,4.1],\"trace_sigma\":[1,1.1,1.3],\"gradient2\":[1,5,6],"
    "\"w\":[[0,0],[1,3],[2,4]]}}]]";
enum { CHECKS = 12 };

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

static const orr_law *law(void) { return orr_law_find("central-flow"); }

static void judge(orr_context *ctx, int rule, const char *edge, const char *measurement,
                  orr_check_values values[CHECKS]) {
    char prediction[512];
    (void)snprintf(prediction, sizeof prediction, prediction_text, rule, edge);
    json_t *p = json_loads(prediction, 0, NULL), *m = json_loads(measurement, 0, NULL);
    assert_non_null(p);
    assert_non_null(m);
    assert_ok(ctx, law()->judge(ctx, arena, p, m, values));
    json_decref(p);
    json_decref(m);
}

static void the_checks_of_a_run_are_those_worked_out_by_hand(void **state) {
    for (int rule = 0; rule < 3; rule++) {
        orr_check_values v[CHECKS];
        judge(*state, rule, "10", measurement_text, v);
        for (int c = 0; c < CHECKS; c++) assert_int_equal(v[c].n, c / 4 == rule);
        assert_close(v[4 * rule].value[0], 6.3 / 6.0, 1e-15);
        assert_close(v[4 * rule + 1].value[0], 2.4 / 2.0, 1e-15);
        assert_close(v[4 * rule + 2].value[0], 11.0 / 10.0, 1e-15);
        assert_close(v[4 * rule + 3].value[0], (3.0 + 4.0) / (sqrt(18.0) + 4.0), 1e-15);
    }
}

static void windows_begin_after_the_edge(void **state) {
    orr_check_values v[CHECKS];
    judge(*state, 0, "80", measurement_text, v);
    assert_close(v[0].value[0], 4.1 / 4.0, 1e-15);
    judge(*state, 0, "79", measurement_text, v);
    assert_close(v[0].value[0], 6.3 / 6.0, 1e-15);
}

/* Without windows after the edge, with one that is missing, or no number: nothing is shown. */
static void a_run_that_shows_nothing_never_holds(void **state) {
    static const struct {
        const char *edge, *measurement;
    } rows[] = {
        { "null", measurement_text },
        { "200", measurement_text },
        { "10", "[[{\"windows\":{\"loss\":[1,2],\"trace_sigma\":[1,1],\"gradient2\":[1,5],\"w\":[[0,0],[1,0]]}}]]" },
        { "10", "[[{\"windows\":{\"loss\":[1,2,null],\"trace_sigma\":[1,1,null],\"gradient2\":[1,5,null],"
                "\"w\":[[0,0],[1,0],[null,1]]}}]]" },
        { "10", "[[{\"windows\":{\"loss\":[1,2,4],\"trace_sigma\":[1,1,1],\"gradient2\":[1,5,5],\"w\":[]}}]]" },
        { "10", "[[]]" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        orr_check_values v[CHECKS];
        judge(*state, 0, rows[i].edge, rows[i].measurement, v);
        assert_int_equal(v[3].n, 1);
        assert_true(isnan(v[3].value[0]));
        assert_int_equal(orr_judge(&law()->checks[3], &v[3]).verdict, ORR_FAILS);
        if (i != 4) assert_true(isnan(v[0].value[0]));
    }
}

/* ---- whole runs of a small experiment -------------------------------------------------------------------------------------- */

static const char small[] =
    "name: small\narchitecture: { kind: mlp, widths: [10, 10], bias_variance: 0.01 }\n"
    "data: { kind: multi-index, n: 40, dimension: 3, rank: 2, degrees: [2, 1], seed: 1 }\ntask: mse\nprecision: f32\n"
    "rule: { kind: gd, learning_rate: 0.4, kick: 0.1 }\nsteps: 320\nseeds: 3\n"
    "observe: [ { kind: loss, every: 1 }, { kind: norms, every: 1 }, { kind: parameters, every: 1 } ]\n";

static void run_small(orr_context *ctx, const char *set, orr_store *store, orr_law_outcome *out) {
    orr_experiment experiment;
    const orr_experiment_options options = { .set = &set, .n_set = set ? 1 : 0 };
    assert_ok(ctx, orr_experiment_parse(ctx, arena, "small.yaml", small, strlen(small), &options, &experiment));
    assert_ok(ctx, orr_law_run(ctx, arena, store, law(), &experiment, NULL, out));
}

static void forget(orr_law_outcome *out) {
    json_decref(out->prediction);
    json_decref(out->measurement);
}

/* In single precision too, whose rounding is far below the oscillation; and repeatable to the bit. */
static void a_small_network_at_the_edge_follows_the_flow(void **state) {
    orr_store *store;
    orr_law_outcome first, second;
    assert_ok(*state, orr_store_open(*state, ":memory:", &store));
    run_small(*state, NULL, store, &first);
    run_small(*state, NULL, store, &second);
    if (first.verdict != ORR_HOLDS) fail_msg("%s", first.note);
    assert_string_equal(first.sha256, second.sha256);
    assert_int_equal(json_equal(first.measurement, second.measurement), 1);
    json_t *panels = law()->figure(first.prediction, first.measurement);
    assert_int_equal(json_array_size(panels), 4);
    json_decref(panels);
    forget(&first);
    forget(&second);
    orr_store_close(store);
}

static void outside_its_regime_the_law_says_which_condition(void **state) {
    static const struct {
        const char *set, *words, *why;
    } rows[] = {
        { "rule={kind: adam, learning_rate: 0.01}", "the rule is gd or rmsprop", "the rule is adam" },
        { "rule.batch=10", "every update sees all examples", "a batch is 10 of 40" },
        { "rule.schedule=cosine", "the learning rate is constant", "schedule is cosine" },
        { "rule.weight_decay=0.01", "without decay and clipping", "weight_decay is 0.01" },
        { "parameterization={kind: mup, base_width: 3}", "all parameters learn at one rate", "layer1" },
        { "until=0.01", "no run ends before its last update", "until is 0.01" },
        { "observe.norms.every=2", "recorded at each update", "{ kind: norms, every: 1 }" },
        { "rule.kick=0", "the rule has a kick", "the size of rounding" },
        { "architecture.activation=relu", "the network is smooth", "relu has a kink" },
        { "architecture.weight_variance=9", "the flow starts below the edge", "with seed 0 it is at" },
        { "rule.learning_rate=0.01", "the edge is passed", "stays below it" },
        { "steps=200", "the edge is passed", "stays below it" },
    };
    orr_store *store;
    assert_ok(*state, orr_store_open(*state, ":memory:", &store));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        orr_law_outcome out;
        run_small(*state, rows[i].set, store, &out);
        assert_int_equal(out.verdict, ORR_OUT_OF_REGIME);
        if (!strstr(out.note, rows[i].words) || !strstr(out.note, rows[i].why))
            fail_msg("expected \"%s\" and \"%s\" in: %s", rows[i].words, rows[i].why, out.note);
        forget(&out);
    }
    orr_store_close(store);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_checks_of_a_run_are_those_worked_out_by_hand),
        cmocka_unit_test(windows_begin_after_the_edge),
        cmocka_unit_test(a_run_that_shows_nothing_never_holds),
        cmocka_unit_test(a_small_network_at_the_edge_follows_the_flow),
        cmocka_unit_test(outside_its_regime_the_law_says_which_condition),
    };
    return cmocka_run_group_tests_name("law/central_flow", tests, setup, teardown);
}
