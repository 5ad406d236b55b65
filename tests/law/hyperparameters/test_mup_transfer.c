#include "testing.h"

#include "law/run.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

static const orr_law *law(void) { return orr_law_find("mup-transfer"); }

static void judge(orr_context *ctx, const char *prediction, const char *measurement, orr_check_values values[5]) {
    json_t *p = json_loads(prediction, 0, NULL), *m = json_loads(measurement, 0, NULL);
    assert_non_null(p);
    assert_non_null(m);
    assert_ok(ctx, law()->judge(ctx, arena, p, m, values));
    json_decref(p);
    json_decref(m);
}

/* Changes that are n^0 in the layer and n^1 at the output: slopes 0 and 1, exactly. */
#define CHANGES(first, later)                                                                                          \
    "{\"groups\":[{\"name\":\"a\",\"divides\":false,\"changes\":true,\"rates_swept\":false,\"last_step\":1,"           \
    "\"widths\":[64,128,256],\"rates\":[0.1],\"points\":[[0],[1],[2]],\"taps\":[\"layer1\",\"output\"],"               \
    "\"judged\":[true,true],\"first\":" first ",\"later\":" later ",\"rate_exponent\":0}]}"
#define RUN(layer, output)                                                                                             \
    "[{\"feature_change.layer1\":{\"step\":[0,1],\"value\":[0," layer "]},"                                            \
    "\"feature_change.output\":{\"step\":[0,1],\"value\":[0," output "]}}]"

static void slopes_are_those_worked_out_by_hand(void **state) {
    static const char measured[] = "[" RUN("3", "1") "," RUN("3", "2") "," RUN("3", "4") "]";
    orr_check_values v[5];
    judge(*state, CHANGES("[0,1]", "[0,1]"), measured, v); /* standard: the output's alone */
    assert_int_equal(v[0].n, 0);
    assert_int_equal(v[2].n, 1);
    assert_close(v[2].value[0], 1.0, 1e-14);               /* logarithms of powers of two */
    judge(*state, CHANGES("[0,0]", "[0,0]"), measured, v); /* muP: all of them */
    assert_int_equal(v[0].n, 2);
    assert_close(v[0].value[0], 0.0, 1e-14);
    assert_close(v[0].value[1], 1.0, 1e-14);
    assert_int_equal(orr_judge(&law()->checks[0], &v[0]).verdict, ORR_FAILS);
}

static void a_run_without_a_record_never_holds(void **state) {
    orr_check_values v[5];
    judge(*state, CHANGES("[0,0]", "[0,0]"), "[" RUN("3", "1") ",[{}]," RUN("3", "4") "]", v);
    assert_true(v[0].n == 2 && isnan(v[0].value[0]) && isnan(v[0].value[1]));
    judge(*state, CHANGES("[0,0]", "[0,0]"), "[[{}],[{}],[{}]]", v);
    assert_true(v[0].n == 1 && isnan(v[0].value[0]));
    judge(*state, CHANGES("[0,1]", "[0,1]"), "[[],[],[]]", v);
    assert_true(v[2].n == 1 && isnan(v[2].value[0]));
}

/* Parabolas in log2 of the rate with minima at -3 for the narrow, -7 for the wide network, 16 times as wide. */
static const char rates[] =
    "{\"groups\":[{\"name\":\"a\",\"divides\":true,\"changes\":false,\"rates_swept\":true,\"last_step\":2,"
    "\"widths\":[64,1024],\"rates\":[0.00390625,0.0078125,0.015625,0.0625,0.125,0.25],"
    "\"points\":[[-1,-1,-1,0,1,2],[3,4,5,-1,-1,-1]],\"taps\":[\"layer1\",\"output\"],\"judged\":[true,true],"
    "\"first\":[%s],\"later\":[%s],\"rate_exponent\":%s}]}";
#define LOSS(y) "[{\"loss\":{\"step\":[0,1,2],\"value\":[9,9," y "]}}]"

static void the_best_rate_is_where_the_parabola_is_lowest(void **state) {
    static const char measured[] =
        "[" LOSS("1") "," LOSS("0") "," LOSS("1") "," LOSS("1") "," LOSS("0") "," LOSS("1") "]";
    char text[1024];
    orr_check_values v[5];
    (void)snprintf(text, sizeof text, rates, "0,1.5", "0,1.5", "-1");
    judge(*state, text, measured, v);
    assert_int_equal(v[3].n, 1);
    assert_close(v[3].value[0], 4.0, 1e-12);
    (void)snprintf(text, sizeof text, rates, "0,0", "0,0", "0");
    judge(*state, text, measured, v);
    assert_int_equal(v[1].n, 1);
    assert_close(v[1].value[0], -4.0, 1e-12);
}

/* The smallest loss at an end of the rates, or runs that ended early: the best one isn't known. */
static void a_best_rate_that_nothing_brackets_never_holds(void **state) {
    char text[1024];
    orr_check_values v[5];
    (void)snprintf(text, sizeof text, rates, "0,1.5", "0,1.5", "-1");
    judge(*state, text, "[" LOSS("1") "," LOSS("0") "," LOSS("1") "," LOSS("0") "," LOSS("1") "," LOSS("2") "]", v);
    assert_true(v[3].n == 1 && isnan(v[3].value[0]));
    static const char early[] = ",[{\"loss\":{\"step\":[0,1],\"value\":[9,0]}}]";
    char measured[1024];
    (void)snprintf(measured, sizeof measured, "[%s%s%s%s%s%s]", LOSS("1") "," LOSS("0"), "," LOSS("1"), early, early,
                   early, "");
    judge(*state, text, measured, v);
    assert_true(v[3].n == 1 && isnan(v[3].value[0]));
}

/* ---- whole runs ------------------------------------------------------------------------------------------------------------ */

static const char small[] =
    "name: small\narchitecture: { kind: mlp, widths: [64, 64], activation: relu, weight_variance: 2, bias: false }\n"
    "data: { kind: gaussian, n: 64, dimension: 8 }\ntask: { kind: mse }\n"
    "rule: { kind: gd, learning_rate: 1/64 }\nsteps: 2\nseeds: 3\nkeep_parameters: false\n"
    "observe: [ { kind: feature-drift, absolute: true, every: 1 } ]\n"
    "parameterization: { kind: mup, base_width: 64, readout_scale: 0.1 }\n"
    "sweep: { grid: { architecture.widths: [[64, 64], [256, 256], [1024, 1024]] } }\n";

static void run_small(orr_context *ctx, const char *const *set, int n_set, orr_store *store, orr_law_outcome *out) {
    orr_experiment e;
    const orr_experiment_options options = { .set = set, .n_set = n_set };
    assert_ok(ctx, orr_experiment_parse(ctx, arena, "small.yaml", small, strlen(small), &options, &e));
    assert_ok(ctx, orr_law_run(ctx, arena, store, law(), &e, NULL, out));
}

static void forget(orr_law_outcome *out) {
    json_decref(out->prediction);
    json_decref(out->measurement);
}

/* muP stays flat, the standard parameterization doesn't, on the same network; and both are predicted from the tensors. */
static void a_small_network_keeps_its_changes_under_mup_alone(void **state) {
    const char *const standard[] = { "parameterization={kind: standard, readout_scale: 0.1}" };
    orr_store *store;
    orr_law_outcome out;
    assert_ok(*state, orr_store_open(*state, ":memory:", &store));
    run_small(*state, NULL, 0, store, &out);
    assert_int_equal(out.verdict, ORR_HOLDS);
    assert_int_equal(out.check[0].n, 2 * 3);
    const json_t *g = json_array_get(json_object_get(out.prediction, "groups"), 0);
    for (size_t l = 0; l < 3; l++)
        assert_close(json_number_value(json_array_get(json_object_get(g, "later"), l)), 0.0, 1e-12);
    forget(&out);
    run_small(*state, standard, 1, store, &out);
    g = json_array_get(json_object_get(out.prediction, "groups"), 0);
    static const double first[] = { -0.5, 0.5, 1.0 };
    for (size_t l = 0; l < 3; l++)
        assert_close(json_number_value(json_array_get(json_object_get(g, "first"), l)), first[l], 1e-12);
    assert_close(json_number_value(json_object_get(g, "rate_exponent")), -1.0, 1e-12);
    assert_int_equal(out.check[0].n, 0); /* it says nothing about muP */
    assert_int_equal(out.verdict, ORR_HOLDS);
    forget(&out);
    orr_store_close(store);
}

static void outside_its_regime_the_law_says_which_condition(void **state) {
    static const struct {
        const char *set, *words, *why;
    } rows[] = {
        { "rule={kind: muon, learning_rate: 0.1}", "the rule follows the gradient", "muon is none of them" },
        { "rule={kind: adam, learning_rate: 0.1, weight_decay: 0.1, decay_coupling: gradient}",
          "weight decay goes with", "decay_coupling: rate" },
        { "architecture={kind: random-features}", "everything is trained", "features.weight is frozen" },
        { "until=0.1", "no run ends", "until is 0.1" },
        { "observe=[loss]", "can be compared", "3 widths and 1 learning rates" },
        { "sweep={grid: {architecture.widths: [[64, 64], [128, 128], [256, 256]]}}", "widths span a factor of 16",
          "a factor of 4" },
        { "sweep={grid: {architecture.widths: [[32, 32], [128, 128], [512, 512]]}}", "at least 64 wide",
          "a width is 32" },
    };
    orr_store *store;
    assert_ok(*state, orr_store_open(*state, ":memory:", &store));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *set[] = { rows[i].set, "sweep={grid: {steps: [1, 2]}}" };
        orr_law_outcome out;
        run_small(*state, set, strstr(rows[i].set, "random-features") ? 2 : 1, store, &out);
        assert_int_equal(out.verdict, ORR_OUT_OF_REGIME);
        if (!strstr(out.note, rows[i].words) || !strstr(out.note, rows[i].why))
            fail_msg("expected \"%s\" and \"%s\" in: %s", rows[i].words, rows[i].why, out.note);
        forget(&out);
    }
    orr_store_close(store);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slopes_are_those_worked_out_by_hand),
        cmocka_unit_test(a_run_without_a_record_never_holds),
        cmocka_unit_test(the_best_rate_is_where_the_parabola_is_lowest),
        cmocka_unit_test(a_best_rate_that_nothing_brackets_never_holds),
        cmocka_unit_test(a_small_network_keeps_its_changes_under_mup_alone),
        cmocka_unit_test(outside_its_regime_the_law_says_which_condition),
    };
    return cmocka_run_group_tests_name("law/mup_transfer", tests, setup, teardown);
}
