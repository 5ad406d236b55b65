#include "testing.h"

#include "law/run.h"

/* A run that keeps to S* = 20 from update 100 on, measured every 50, and a flow that breaks through at 100. */
static const char prediction_text[] =
    "{\"law\":\"edge-of-stability\",\"points\":[{\"point\":\"a\",\"rule\":\"gd\",\"learning_rate\":0.1,\"threshold\":"
    "20.0,\"series\":\"sharpness\","
    "\"flow\":[{\"seed\":0,\"time\":[0,5,10],\"sharpness\":[10,16,24],\"loss\":[1,1,1],\"break_through\":100}]}]}";
static const char measurement_text[] = "[[{\"sharpness\":{\"step\":[0,50,100,150,200],\"value\":[10,15,21,20,22]}}]]";

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
    judge(*state, prediction_text, "[[{\"sharpness\":{\"step\":[0,50,100],\"value\":[10,15,null]}}]]", v);
    const orr_judgement j = orr_judge(&law()->checks[0], &v[0]);
    assert_true(isnan(j.value));
    assert_int_equal(j.verdict, ORR_FAILS);
}

/* A run that ended early shows nothing, however good its early records look. */
static void a_run_that_was_not_recorded_to_its_end_never_holds(void **state) {
    static const char longer[] = "{\"points\":[{\"point\":\"a\",\"rule\":\"gd\",\"last_step\":400,\"threshold\":20.0,"
                                 "\"flow\":[{\"sharpness\":[10,16,24],"
                                 "\"break_through\":100}]}]}";
    orr_check_values v[8];
    judge(*state, longer, measurement_text, v);
    for (int i = 0; i < 4; i++) assert_true(isnan(v[i].value[0]));
}

/* Neither the flow nor the run reaches the ceiling: they agree.  One does: no number. */
static void crossings_agree_where_neither_comes_and_not_where_one_does(void **state) {
    static const char never[] =
        "{\"points\":[{\"point\":\"a\",\"rule\":\"gd\",\"threshold\":20.0,\"flow\":[{\"sharpness\":"
        "[10,12,13],\"break_through\":null}]}]}";
    orr_check_values v[8];
    judge(*state, never, "[[{\"sharpness\":{\"step\":[0,50,100],\"value\":[10,12,13]}}]]", v);
    assert_close(v[1].value[0], 0.0, 0.0);
    assert_close(v[2].value[0], 0.0, 0.0);
    judge(*state, never, "[[{\"sharpness\":{\"step\":[0,50,100],\"value\":[10,12,21]}}]]", v);
    assert_true(isnan(v[1].value[0]));
    judge(*state, prediction_text, "[[{\"sharpness\":{\"step\":[0,50,100],\"value\":[10,12,13]}}]]", v);
    assert_true(isnan(v[1].value[0]));
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

static const char small[] =
    "name: small\narchitecture: { kind: mlp, widths: [8], weight_variance: %s, activation: %s }\n"
    "data: { kind: fashion-mnist, n: 40 }\ntask: { kind: %s }\n"
    "rule: { kind: %s, learning_rate: 0.1 }\nsteps: %d\nseeds: %d\n"
    "observe: [ { kind: loss, every: 50 }, { kind: sharpness, every: %d } ]\n";

/* What is changed of the small experiment; a zero means that it stays. */
typedef struct change {
    const char *variance, *activation, *task, *rule;
    int steps, seeds, every;
    const char *set; /* one change more, as --set has it */
} change;

static orr_status try_small(orr_context *ctx, change c, orr_store *store, orr_law_outcome *out) {
    char text[1024];
    orr_experiment experiment;
    (void)snprintf(text, sizeof text, small, c.variance ? c.variance : "0.1", c.activation ? c.activation : "tanh",
                   c.task ? c.task : "mse", c.rule ? c.rule : "gd", c.steps ? c.steps : 500, c.seeds ? c.seeds : 3,
                   c.every ? c.every : 50);
    const orr_experiment_options options = { .set = &c.set, .n_set = c.set ? 1 : 0 };
    assert_ok(ctx, orr_experiment_parse(ctx, arena, "small.yaml", text, strlen(text), &options, &experiment));
    return orr_law_run(ctx, arena, store, law(), &experiment, NULL, out);
}

static void run_small(orr_context *ctx, change c, orr_store *store, orr_law_outcome *out) {
    assert_ok(ctx, try_small(ctx, c, store, out));
}

static void forget(orr_law_outcome *out) {
    json_decref(out->prediction);
    json_decref(out->measurement);
}

static void the_prediction_is_sealed_before_training_and_is_the_same_whatever_follows(void **state) {
    orr_store *store;
    orr_law_outcome first, second;
    assert_ok(*state, orr_store_open(*state, ":memory:", &store));
    run_small(*state, (change){ 0 }, store, &first);
    run_small(*state, (change){ 0 }, store, &second);
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
    static const struct {
        change what;
        const char *words, *why;
    } rows[] = {
        { { .rule = "rmsprop" }, "the rule is full-batch", "small: the rule rmsprop is none of them" },
        { { .rule = "adam" }, "sharpness is observed, preconditioned", "preconditioned: true" },
        { { .set = "rule.batch=10" }, "every update sees all examples", "small: a batch is 10 of 40" },
        { { .set = "rule.sampling=replacement" }, "every update sees all examples", "sampling is replacement" },
        { { .set = "rule.schedule=cosine" }, "the learning rate is constant", "small: schedule is cosine" },
        { { .set = "rule.warmup=10" }, "the learning rate is constant", "small: warmup is 10" },
        { { .set = "rule.weight_decay=0.01" }, "without decay and clipping", "small: weight_decay is 0.01" },
        { { .set = "rule.clip=1" }, "without decay and clipping", "small: clip is 1" },
        { { .set = "until=0.01" }, "no run ends before its last update", "small: until is 0.01" },
        { { .set = "parameterization={kind: mup, base_width: 4}" }, "all parameters learn at one rate", "layer1" },
        { { .set = "observe.sharpness.per_decade=5" }, "at a constant distance", "small" },
        { { .task = "cross-entropy" }, "the task is mse", "comes down again" },
        { { .activation = "relu" }, "the activation is smooth", "relu has a kink" },
        { { .steps = 499 }, "learning rate times updates is at least 50", "is 49.9" },
        { { .every = 100 }, "at least 5 times in the second half", "recorded 2 times" },
        { { .variance = "4" }, "the initial sharpness is below the ceiling", "the ceiling is 20" },
    };
    orr_store *store;
    assert_ok(*state, orr_store_open(*state, ":memory:", &store));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        orr_law_outcome out;
        run_small(*state, rows[i].what, store, &out);
        assert_int_equal(out.verdict, ORR_OUT_OF_REGIME);
        if (!strstr(out.note, rows[i].words) || !strstr(out.note, rows[i].why))
            fail_msg("expected \"%s\" and \"%s\" in: %s", rows[i].words, rows[i].why, out.note);
        assert_string_equal(out.started_at, "");
        json_t *json = orr_law_outcome_json(&out);
        assert_true(json_is_null(json_object_get(json, "value")));
        assert_int_equal(json_array_size(json_object_get(json, "runs")), 0);
        json_decref(json);
        forget(&out);
    }
    orr_store_close(store);
}

static void fewer_than_three_seeds_are_refused(void **state) {
    orr_store *store;
    orr_law_outcome out;
    assert_ok(*state, orr_store_open(*state, ":memory:", &store));
    assert_int_equal(try_small(*state, (change){ .seeds = 2 }, store, &out), ORR_EINPUT);
    assert_non_null(strstr(orr_context_message(*state), "2 seeds; a verdict needs at least 3"));
    orr_context_clear(*state);
    orr_store_close(store);
}

/* A rule other than gd alone: its own check is the headline. */
static void the_headline_is_the_first_check_that_speaks(void **state) {
    orr_store *store;
    orr_law_outcome out;
    assert_ok(*state, orr_store_open(*state, ":memory:", &store));
    run_small(*state, (change){ .rule = "heavy-ball", .every = 25, .steps = 300 }, store, &out);
    json_t *json = orr_law_outcome_json(&out);
    assert_string_equal(json_string_value(json_object_get(json, "metric")), "heavy-ball: maximum of S/S*");
    assert_true(json_is_real(json_object_get(json, "value")));
    assert_int_equal(json_array_size(json_object_get(json, "checks")), 1);
    json_decref(json);
    forget(&out);
    orr_store_close(store);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_checks_of_a_run_are_those_worked_out_by_hand),
        cmocka_unit_test(a_run_that_diverged_never_holds),
        cmocka_unit_test(a_run_that_was_not_recorded_to_its_end_never_holds),
        cmocka_unit_test(crossings_agree_where_neither_comes_and_not_where_one_does),
        cmocka_unit_test(holding_needs_every_run_within_the_tolerance),
        cmocka_unit_test(the_prediction_is_sealed_before_training_and_is_the_same_whatever_follows),
        cmocka_unit_test(outside_its_regime_the_law_says_which_condition_and_trains_nothing),
        cmocka_unit_test(fewer_than_three_seeds_are_refused),
        cmocka_unit_test(the_headline_is_the_first_check_that_speaks),
    };
    return cmocka_run_group_tests_name("law/edge_of_stability", tests, setup, teardown);
}
