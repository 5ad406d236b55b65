#include "testing.h"

#include "law/run.h"

/* A run that keeps to S* = 20 from update 100 on, measured every 50, and a flow that breaks through at 100. */
static const char prediction_text[] =
    "{\"law\":\"edge-of-stability\",\"points\":[{\"point\":\"a\",\"rule\":\"gd\",\"learning_rate\":0.1,\"threshold\":"
    "20.0,\"series\":\"sharpness\","
    "\"flow\":[{\"seed\":0,\"time\":[0,5,10],\"sharpness\":[10,16,24],\"loss\":[1,1,1],\"break_through\":100}]}]}";
static const char measurement_text[] =
    "[[{\"seed\":0,\"step\":[0,50,100,150,200],\"sharpness\":[10,15,21,20,22],\"loss_step\":[],\"loss\":[]}]]";

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

static const orr_law *law(void) { return orr_law_find("edge-of-stability"); }

static void judge(orr_context *ctx, const char *prediction, const char *measurement, orr_check_values values[8]) {
    json_t *p = json_loads(prediction, 0, NULL), *m = json_loads(measurement, 0, NULL);
    assert_non_null(p);
    assert_non_null(m);
    assert_ok(ctx, law()->judge(ctx, arena, p, m, values));
    json_decref(p);
    json_decref(m);
}

static void the_checks_of_a_run_are_those_worked_out_by_hand(void **state) {
    orr_check_values v[8];
    judge(*state, prediction_text, measurement_text, v);
    assert_int_equal(v[0].n, 1);
    assert_close(v[0].value[0], (20.0 / 20 + 22.0 / 20) / 2, 1e-15);              /* k > 100 */
    assert_close(v[1].value[0], 0.0, 0.0);                                        /* k_c = 100, first S > 20 at 100 */
    assert_close(v[2].value[0], (0.0 + 1.0 / 20 + 1.0 / 20) / 3, 1e-15);          /* S_pred 10, 16, 20 */
    assert_close(v[3].value[0], (1.0 / 20 + 1.0 / 20 + 0 + 2.0 / 20) / 5, 1e-15); /* and S* after the flow's end */
    for (int i = 4; i < 7; i++) assert_int_equal(v[i].n, 0);                      /* the other rules weren't run */
}

static void a_run_that_diverged_never_holds(void **state) {
    orr_check_values v[8];
    judge(*state, prediction_text,
          "[[{\"seed\":0,\"step\":[0,50,100],\"sharpness\":[10,15,null],\"loss_step\":[],\"loss\":[]}]]", v);
    const orr_judgement j = orr_judge(&law()->checks[0], &v[0]);
    assert_true(isnan(j.value));
    assert_int_equal(j.verdict, ORR_FAILS);
}

static void holding_needs_every_run_within_the_tolerance(void **state) {
    (void)state;
    const orr_check check = { "x", 0.9, 1.1 };
    double in[] = { 1.0, 1.1, 0.9 }, out[] = { 1.0, 1.0, 1.2 };
    const orr_judgement good = orr_judge(&check, &(orr_check_values){ 3, in }),
                        bad = orr_judge(&check, &(orr_check_values){ 3, out });
    assert_int_equal(good.verdict, ORR_HOLDS);
    assert_close(good.value, 1.0, 1e-15);
    assert_close(good.interval[0], 0.9, 0.0);
    assert_close(good.interval[1], 1.1, 0.0);
    assert_int_equal(bad.verdict, ORR_FAILS);
}

/* ---- whole runs of a small experiment -------------------------------------------------------------------------------------- */

static const char small[] = "name: small\narchitecture: { kind: mlp, widths: [8], weight_variance: 0.33 }\ndata: { "
                            "kind: fashion-mnist, n: 40 }\n"
                            "task: { kind: %s }\nrule: { kind: gd, learning_rate: 0.1 }\nsteps: %d\nseeds: 2\n"
                            "observe: [ { kind: loss, every: 50 }, { kind: sharpness, every: 50 } ]\n";

static void run_small(orr_context *ctx, const char *task, int steps, orr_store *store, orr_law_outcome *out) {
    char text[1024];
    orr_experiment experiment;
    (void)snprintf(text, sizeof text, small, task, steps);
    assert_ok(ctx, orr_experiment_parse(ctx, arena, "small.yaml", text, strlen(text), "", &experiment));
    assert_ok(ctx, orr_law_run(ctx, arena, store, law(), &experiment, NULL, out));
}

static void forget(orr_law_outcome *out) {
    json_decref(out->prediction);
    json_decref(out->measurement);
}

static void the_prediction_is_sealed_before_training_and_is_the_same_whatever_follows(void **state) {
    orr_store *store;
    orr_law_outcome first, second;
    assert_ok(*state, orr_store_open(*state, ":memory:", &store));
    run_small(*state, "mse", 500, store, &first);
    run_small(*state, "mse", 500, store, &second);
    assert_true(strcmp(first.sealed_at, first.started_at) < 0);
    assert_string_equal(first.sha256, second.sha256);
    assert_int_equal(json_equal(first.measurement, second.measurement), 1); /* and so are the records, to the bit */
    assert_int_equal(strlen(first.sha256), 64);
    json_t *json = orr_law_outcome_json(&first);
    static const char *const keys[] = { "law",         "verdict",           "metric",
                                        "value",       "tolerance",         "interval",
                                        "seeds",       "sealed_at",         "started_at",
                                        "finished_at", "prediction_sha256", "runs" };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) assert_non_null(json_object_get(json, keys[i]));
    assert_string_equal(json_string_value(json_object_get(json, "verdict")), orr_verdict_words(first.verdict));
    json_decref(json);
    forget(&first);
    forget(&second);
    orr_store_close(store);
}

static void outside_its_regime_the_law_says_which_condition_and_trains_nothing(void **state) {
    orr_store *store;
    orr_law_outcome short_run, cross_entropy;
    assert_ok(*state, orr_store_open(*state, ":memory:", &store));
    run_small(*state, "mse", 100, store, &short_run);
    assert_int_equal(short_run.verdict, ORR_OUT_OF_REGIME);
    assert_non_null(strstr(short_run.note, "at least 50"));
    assert_string_equal(short_run.started_at, "");
    run_small(*state, "cross-entropy", 500, store, &cross_entropy);
    assert_int_equal(cross_entropy.verdict, ORR_OUT_OF_REGIME);
    assert_non_null(strstr(cross_entropy.note, "the task is mse"));
    forget(&short_run);
    forget(&cross_entropy);
    orr_store_close(store);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_checks_of_a_run_are_those_worked_out_by_hand),
        cmocka_unit_test(a_run_that_diverged_never_holds),
        cmocka_unit_test(holding_needs_every_run_within_the_tolerance),
        cmocka_unit_test(the_prediction_is_sealed_before_training_and_is_the_same_whatever_follows),
        cmocka_unit_test(outside_its_regime_the_law_says_which_condition_and_trains_nothing),
    };
    return cmocka_run_group_tests_name("law/edge_of_stability", tests, setup, teardown);
}
