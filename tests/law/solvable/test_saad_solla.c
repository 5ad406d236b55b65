#include "testing.h"

#include "law/run.h"

static orr_arena *arena;

/* One thread: an update of a batch of 2 is too little for two, who wait for each other where cores are busy. */
static int setup(void **state) {
    orr_context *ctx;
    if (orr_context_new(&(orr_context_options){ .threads = 1, .hostile = getenv("ORRERY_HOSTILE") != NULL }, &ctx) !=
        ORR_OK)
        return -1;
    *state = ctx;
    return orr_arena_new(ctx, &arena) != ORR_OK ? -1 : 0;
}
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

static const orr_law *law(void) { return orr_law_find("saad-solla"); }

/* ---- judgement: one unit that learns one, three records of which the last is past alpha = 100 ----------------------------------- */

static const char prediction_text[] =
    "{\"points\":[{\"point\":\"a\",\"dimension\":10,\"students\":1,\"teachers\":1,\"student_head\":1,\"teacher_head\":"
    "1,"
    "\"last_judged\":1000,\"teacher\":[1],\"step\":[0,1000,2000],\"alpha\":[0,100,200],\"runs\":[{\"seed\":0,"
    "\"specialised\":%s,\"error\":[0.25,0.1,0],\"overlap\":{\"overlap.student.1.1\":[0,0.5,1],"
    "\"overlap.teacher.1.1\":[0,0.4,1]}}]}]}";
static const char measurement_text[] = "[[{\"overlap.student.1.1\":{\"step\":[0,1000,2000],\"value\":[0,0.6,9]},"
                                       "\"overlap.teacher.1.1\":{\"step\":[0,1000,2000],\"value\":[0,0.2,9]}}]]";

static void judge(orr_context *ctx, bool specialised, const char *measurement, orr_check_values values[3]) {
    char text[1024];
    (void)snprintf(text, sizeof text, prediction_text, specialised ? "true" : "false");
    json_t *p = json_loads(text, 0, NULL), *m = json_loads(measurement, 0, NULL);
    assert_true(p && m);
    assert_ok(ctx, law()->judge(ctx, arena, p, m, values));
    json_decref(p);
    json_decref(m);
}

/* e_g = 1/pi [asin(Q/(1+Q)) + asin(T/(1+T)) - 2 asin(R/sqrt((1+Q)(1+T)))] */
static double error_of(double q, double r) {
    return (asin(q / (1 + q)) + asin(0.5) - 2 * asin(r / sqrt((1 + q) * 2))) / acos(-1.0);
}

static void the_checks_of_a_run_are_those_worked_out_by_hand(void **state) {
    orr_check_values v[3];
    /* Q, R: (0, 0) and (0.1, -0.2) off, over two records and two entries; the third record isn't looked at */
    const double e[2] = { error_of(0, 0) - 0.25, error_of(0.6, 0.2) - 0.1 };
    const double rms = sqrt((e[0] * e[0] + e[1] * e[1]) / 2);
    judge(*state, true, measurement_text, v);
    assert_close(v[0].value[0], sqrt((0.01 + 0.04) / 4), 1e-15);
    assert_close(v[1].value[0], rms / 0.25, 1e-15);
    assert_int_equal(v[2].n, 0);
    judge(*state, false, measurement_text, v);
    assert_int_equal(v[0].n, 0);
    assert_int_equal(v[1].n, 0);
    assert_close(v[2].value[0], rms, 1e-15);
}

static void a_run_without_a_record_never_holds(void **state) {
    static const char *const poor[] = {
        "[[{}]]",
        "[]",
        /* diverged; ended before its time; recorded at other steps */
        "[[{\"overlap.student.1.1\":{\"step\":[0,1000],\"value\":[0,null]},"
        "\"overlap.teacher.1.1\":{\"step\":[0,1000],\"value\":[0,0.2]}}]]",
        "[[{\"overlap.student.1.1\":{\"step\":[0],\"value\":[0]},\"overlap.teacher.1.1\":{\"step\":[0],\"value\":[0]}}]"
        "]",
        "[[{\"overlap.student.1.1\":{\"step\":[0,999],\"value\":[0,0.6]},"
        "\"overlap.teacher.1.1\":{\"step\":[0,999],\"value\":[0,0.2]}}]]",
    };
    for (size_t i = 0; i < sizeof poor / sizeof poor[0]; i++) {
        orr_check_values v[3];
        judge(*state, true, poor[i], v);
        assert_int_equal(v[0].n, 1);
        assert_true(isnan(v[0].value[0]) && isnan(v[1].value[0]));
        assert_int_equal(orr_judge(&law()->checks[0], &v[0]).verdict, ORR_FAILS);
    }
}

/* ---- whole runs of a small experiment -------------------------------------------------------------------------------------- */

static const char small[] =
    "name: small\narchitecture: { kind: committee, units: 2, weight_variance: 1 }\n"
    "parameterization: { kind: ntk, initial_scale: 0.5 }\ninitial: planted\n"
    "data: { kind: teacher, dimension: 400, widths: [2], n: 1 }\ntask: { kind: mse }\n"
    "rule: { kind: sgd, learning_rate: 1.5, batch: 1, sampling: online }\nsteps: 40000\nseeds: 3\n"
    "observe: [ { kind: overlaps, every: 40 } ]\n";

enum { SETS = 6 };

static void run_small(orr_context *ctx, const char *const *set, orr_store *store, orr_law_outcome *out) {
    orr_experiment experiment;
    orr_experiment_options options = { .set = set };
    while (set[options.n_set]) options.n_set++;
    assert_ok(ctx, orr_experiment_parse(ctx, arena, "small.yaml", small, strlen(small), &options, &experiment));
    assert_ok(ctx, orr_law_run(ctx, arena, store, law(), &experiment, NULL, out));
}

static void forget(orr_law_outcome *out) {
    json_decref(out->prediction);
    json_decref(out->measurement);
}

/* The same eta in other conventions of task, parameterization and batch, noise, other heads, more units: the rms of overlaps
 * is within the sheet's tolerance in each. */
static void predictions_hold_whatever_the_conventions(void **state) {
    static const char *const rows[][SETS] = {
        { "parameterization={kind: standard}", "architecture.weight_variance=0.25", "task.factor=1", "data.noise=0.1",
          "rule.learning_rate=0.001875", NULL },
        { "rule={kind: gd, learning_rate: 2, batch: 2, sampling: online}", "task.examples=sum",
          "architecture.head=mean", "data.readout=mean", NULL },
        { "architecture.units=2", "data.widths=[3]", "data.readout=normalised", "rule.learning_rate=1", NULL },
    };
    orr_store *store;
    assert_ok(*state, orr_store_open(*state, ":memory:", &store));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        orr_law_outcome out;
        run_small(*state, rows[i], store, &out);
        if (out.verdict != ORR_HOLDS)
            fail_msg("row %d: %s (%s): %g, %g", (int)i, orr_verdict_words(out.verdict), out.note, out.check[0].value,
                     out.check[1].value);
        assert_true(strcmp(out.sealed_at, out.started_at) < 0);
        assert_int_equal(out.check[0].n, 3);
        /* training did go somewhere: from the start on, the prediction differs from staying there by far more */
        const json_t *e = json_object_get(
            json_array_get(json_object_get(json_array_get(json_object_get(out.prediction, "points"), 0), "runs"), 0),
            "error");
        assert_true(json_number_value(json_array_get(e, 99)) < 0.5 * json_number_value(json_array_get(e, 0)));
        forget(&out);
    }
    orr_store_close(store);
}

static void outside_its_regime_the_law_says_which_condition(void **state) {
    static const struct {
        const char *set, *words, *why;
    } rows[] = {
        { "architecture={kind: mlp}", "the student is a committee", "the architecture is mlp" },
        { "architecture.head=trained", "the student is a committee", "head trained" },
        { "architecture.activation=tanh", "the student is a committee", "activation tanh" },
        { "data.activation=tanh", "the teacher is a committee", "activation tanh" },
        { "data.network=mlp", "the teacher is a committee", "network mlp" },
        { "architecture.units=39", "at most 40 units", "there are 41" },
        { "task.ridge=0.1", "mse without ridge", "ridge is 0.1" },
        { "task.target_scale=2", "targets as they are", "target_scale 2" },
        { "parameterization.centred=true", "the student is a committee", "its output is centred" },
        { "rule.momentum=0.9", "sgd without momentum", "momentum is 0.9" },
        { "rule.sampling=replacement", "fresh examples", "sampling is replacement" },
        { "rule.schedule=cosine", "the learning rate is constant", "cosine" },
        { "rule.weight_decay=0.1", "without decay", "0.1" },
        { "until=0.01", "no run ends before", "0.01" },
        { "observe=[loss]", "overlaps are observed", "every" },
        { "steps=39999", "alpha = updates/dimension reaches 100", "99.9975" },
        { "observe.overlaps.every=2001", "at least 20 times", "19 times" },
        { "data.dimension=399", "the dimension is at least 400", "it is 399" },
    };
    orr_store *store;
    assert_ok(*state, orr_store_open(*state, ":memory:", &store));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        orr_law_outcome out;
        run_small(*state, (const char *const[]){ rows[i].set, NULL }, store, &out);
        if (out.verdict != ORR_OUT_OF_REGIME || !strstr(out.note, rows[i].words) || !strstr(out.note, rows[i].why))
            fail_msg("expected \"%s\" and \"%s\" in: %s", rows[i].words, rows[i].why, out.note);
        forget(&out);
    }
    orr_store_close(store);
}

/* A random start is judged by its error alone; the figure has its panels. */
static void a_random_start_is_judged_by_its_error(void **state) {
    orr_store *store;
    orr_law_outcome out;
    assert_ok(*state, orr_store_open(*state, ":memory:", &store));
    run_small(*state, (const char *const[]){ "initial=normal", NULL }, store, &out);
    assert_int_equal(out.check[0].n, 0);
    assert_int_equal(out.check[2].n, 3);
    assert_int_equal(out.verdict, ORR_HOLDS);
    json_t *panels = law()->figure(out.prediction, out.measurement);
    assert_int_equal(json_array_size(panels), 2);
    json_decref(panels);
    forget(&out);
    orr_store_close(store);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_checks_of_a_run_are_those_worked_out_by_hand),
        cmocka_unit_test(a_run_without_a_record_never_holds),
        cmocka_unit_test(predictions_hold_whatever_the_conventions),
        cmocka_unit_test(outside_its_regime_the_law_says_which_condition),
        cmocka_unit_test(a_random_start_is_judged_by_its_error),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
