#include "testing.h"

#include "law/run.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

static const orr_law *law(void) { return orr_law_find("linearized-network-dynamics"); }

enum { CHECKS = 4, D_WIDE = 0, D_VERY_WIDE, SLOPE_SMOOTH, SLOPE_KINK };

static void judge(orr_context *ctx, const char *prediction, const char *measurement, orr_check_values values[CHECKS]) {
    json_t *p = json_loads(prediction, 0, NULL), *m = json_loads(measurement, 0, NULL);
    assert_non_null(p);
    assert_non_null(m);
    assert_ok(ctx, law()->judge(ctx, arena, p, m, values));
    json_decref(p);
    json_decref(m);
}

/* One width, one seed: the network learns (3, 4), theory said (3, 3); D = 1/5 of what was learnt. */
#define RUN "{\"train\":[[0],[1]],\"test\":[[0,0],[3,3]]}"
#define POINT(width, first)                                                                                            \
    "{\"point\":\"p\",\"curve\":" first ",\"width\":" width ",\"kink\":false,\"step\":[0,10],\"runs\":[" RUN "," RUN   \
    "]}"
#define NET(d) "{\"step\":[0,10],\"train\":[[0],[1]],\"test\":[[0,0],[3," d "]]}"

static void d_is_the_difference_over_what_was_learnt(void **state) {
    orr_check_values v[CHECKS];
    judge(*state, "{\"points\":[" POINT("1024", "0") "]}", "[[" NET("4") "," NET("4") "]]", v);
    assert_int_equal(v[D_WIDE].n, 3); /* rms over seeds, and a standard error to either side */
    for (int i = 0; i < 3; i++) assert_close(v[D_WIDE].value[i], 0.2, 1e-15);
    assert_int_equal(v[D_VERY_WIDE].n, 0);
    assert_int_equal(v[SLOPE_SMOOTH].n, 0);
    judge(*state, "{\"points\":[" POINT("4096", "0") "]}", "[[" NET("4") "," NET("3") "]]", v);
    assert_close(v[D_VERY_WIDE].value[0], 0.2 / sqrt(2.0), 1e-15);
    assert_close(v[D_VERY_WIDE].value[2], 0.2 / sqrt(2.0) + 0.1, 1e-15); /* jackknife of 0.2 and 0 */
}

static void without_a_wide_network_the_widest_is_judged(void **state) {
    orr_check_values v[CHECKS];
    judge(*state, "{\"points\":[" POINT("64", "0") "," POINT("128", "0") "]}",
          "[[" NET("4") "," NET("4") "],[" NET("3") "," NET("3") "]]", v);
    assert_int_equal(v[D_WIDE].n, 3);
    assert_close(v[D_WIDE].value[0], 0.0, 0.0);
}

static void slopes_are_of_curves_that_span_a_factor_of_ten(void **state) {
    orr_check_values v[CHECKS];
    /* D = 1/5, 0.4/sqrt(9 + 3.4^2), and 0.1/sqrt(9 + 3.1^2) */
    judge(*state, "{\"points\":[" POINT("10", "0") "," POINT("100", "0") "," POINT("1000", "0") "]}",
          "[[" NET("4") "," NET("4") "],[" NET("3.4") "," NET("3.4") "],[" NET("3.1") "," NET("3.1") "]]", v);
    const double d[3] = { 0.2, 0.4 / sqrt(9 + 3.4 * 3.4), 0.1 / sqrt(9 + 3.1 * 3.1) };
    assert_int_equal(v[SLOPE_SMOOTH].n, 3);
    assert_close(v[SLOPE_SMOOTH].value[0], log10(d[2] / d[0]) / 2.0, 1e-13); /* evenly spaced: the ends alone */
    assert_int_equal(v[SLOPE_KINK].n, 0);
    judge(*state, "{\"points\":[" POINT("10", "0") "," POINT("100", "1") "," POINT("1000", "0") "]}",
          "[[" NET("4") "," NET("4") "],[" NET("3.4") "," NET("3.4") "],[" NET("3.1") "," NET("3.1") "]]", v);
    assert_int_equal(v[SLOPE_SMOOTH].n, 0); /* the middle one is of another curve */
}

static void a_run_that_diverged_or_was_not_recorded_never_holds(void **state) {
    static const char *const runs[] = { NET("null"), "{\"step\":[0],\"train\":[[0]],\"test\":[[0,0]]}", "{}",
                                        "{\"step\":[0,10],\"train\":[],\"test\":[]}" };
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        orr_check_values v[CHECKS];
        const char *m = orr_arena_format(arena, "[[%s,%s]]", NET("3"), runs[i]);
        assert_non_null(m);
        judge(*state, "{\"points\":[" POINT("4096", "0") "]}", m, v);
        for (int c = 0; c < 2; c++) {
            assert_true(isnan(v[c].value[0]));
            assert_int_equal(orr_judge(&law()->checks[c], &v[c]).verdict, ORR_FAILS);
        }
    }
}

/* ---- whole runs of a small experiment -------------------------------------------------------------------------------------- */

static const char small[] =
    "name: small\narchitecture: { kind: mlp, widths: [32], activation: erf, bias: false }\n"
    "parameterization: { kind: ntk }\n"
    "data: { kind: multi-index, n: 8, n_test: 8, dimension: 4, rank: 2, degrees: [1, 2], resample: true }\n"
    "task: { kind: mse, examples: sum }\nrule: { kind: gd, learning_rate: 0.1 }\nsteps: 20\nseeds: 3\nprecision: f64\n"
    "observe: [ { kind: outputs, at: [0, 10, 20] } ]\n%s\n";

static const char widths[] = "sweep: { grid: { architecture.widths: [[32], [256], [2048]] } }";
static const char wide[] = "sweep: [ { name: small, architecture: { widths: [1024] } } ]";

static void run_small(orr_context *ctx, const char *sweep, const char *set, orr_store *store, orr_law_outcome *out) {
    orr_experiment experiment;
    const char *text = orr_arena_format(arena, small, sweep);
    assert_non_null(text);
    const orr_experiment_options options = { .set = &set, .n_set = set ? 1 : 0 };
    assert_ok(ctx, orr_experiment_parse(ctx, arena, "small.yaml", text, strlen(text), &options, &experiment));
    assert_ok(ctx, orr_law_run(ctx, arena, store, law(), &experiment, NULL, out));
}

static void forget(orr_law_outcome *out) {
    json_decref(out->prediction);
    json_decref(out->measurement);
}

static void a_small_sweep_over_the_width_holds_and_predicts_the_same_again(void **state) {
    orr_store *store;
    orr_law_outcome first, second;
    assert_ok(*state, orr_store_open(*state, ":memory:", &store));
    run_small(*state, widths, NULL, store, &first);
    run_small(*state, widths, NULL, store, &second);
    assert_int_equal(first.verdict, ORR_HOLDS);
    assert_int_equal(first.check[D_WIDE].verdict, ORR_HOLDS);
    assert_int_equal(first.check[SLOPE_SMOOTH].verdict, ORR_HOLDS);
    assert_string_equal(first.sha256, second.sha256);
    assert_true(strcmp(first.sealed_at, first.started_at) < 0);
    json_t *panels = law()->figure(first.prediction, first.measurement);
    assert_int_equal(json_array_size(panels), 3); /* two widths and D; no kernel was observed */
    json_decref(panels);
    forget(&first);
    forget(&second);
    orr_store_close(store);
}

/* Other rules, targets, outputs and precision, each on one wide network. */
static void it_holds_on_other_experiments_too(void **state) {
    static const char *const sets[] = {
        "rule={kind: gradient-flow, time_step: 0.1}",
        "task={kind: mse, examples: mean, factor: 2}",
        "architecture.bias=true",
        "precision=f32",
        "parameterization={kind: ntk, centred: true, output_scale: 0.5, matched_rate: true}",
        "data={kind: fashion-mnist, n: 5, n_test: 4, keep_classes: [0, 1], standardise: all}",
    };
    orr_store *store;
    assert_ok(*state, orr_store_open(*state, ":memory:", &store));
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        orr_law_outcome out;
        run_small(*state, wide, sets[i], store, &out);
        if (out.verdict != ORR_HOLDS)
            fail_msg("%s: %s %s, D %g", sets[i], orr_verdict_words(out.verdict), out.note, out.check[0].value);
        forget(&out);
    }
    orr_store_close(store);
}

/* Ten times the targets, and the same network is out of its linearisation's reach. */
static void large_targets_break_it(void **state) {
    orr_store *store;
    orr_law_outcome out;
    assert_ok(*state, orr_store_open(*state, ":memory:", &store));
    run_small(*state, wide, "task.target_scale=30", store, &out);
    assert_int_equal(out.verdict, ORR_FAILS);
    forget(&out);
    orr_store_close(store);
}

static void outside_its_regime_the_law_says_which_condition_and_trains_nothing(void **state) {
    static const struct {
        const char *sweep, *set, *words, *why;
    } rows[] = {
        { wide, "rule={kind: adam, learning_rate: 0.01}", "gd or gradient-flow", "the rule is adam" },
        { wide, "task={kind: denoising}", "the task is mse", "the task is denoising" },
        { wide, "observe=[{kind: loss, every: 1}]", "outputs are observed", "observe needs" },
        { wide, "observe=[{kind: outputs, at: [0]}]", "outputs are observed", "after the start too" },
        { wide, "data.n_test=0", "there are test examples", "n_test" },
        { wide, "architecture.norm=batch", "depend on one example alone", "norm is batch" },
        { wide, "until=0.01", "no run ends before", "until is 0.01" },
        { wide, "data.n=5001", "at most 5000 numbers", "5001 are fitted" },
        { wide, "rule.batch=4", "every update sees all", "a batch is 4 of 8" },
        { wide, "rule.schedule=cosine", "the learning rate is constant", "schedule is cosine" },
        { wide, "rule.clip=1", "without decay and clipping", "clip is 1" },
        { wide, "task.ridge=0.1", "without ridge", "ridge is 0.1" },
        { wide, "parameterization={kind: mup}", "ntk or standard", "mup: features change" },
        { "", "architecture.widths=[512]", "at least 1024 wide", "the widest is 512" },
        { wide, "rule.learning_rate=3", "below 2", "small: with seed 0 it is" },
    };
    orr_store *store;
    assert_ok(*state, orr_store_open(*state, ":memory:", &store));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        orr_law_outcome out;
        run_small(*state, rows[i].sweep, rows[i].set, store, &out);
        if (out.verdict != ORR_OUT_OF_REGIME || !strstr(out.note, rows[i].words) || !strstr(out.note, rows[i].why))
            fail_msg("expected \"%s\" and \"%s\" in: %s (%s)", rows[i].words, rows[i].why, out.note,
                     orr_verdict_words(out.verdict));
        assert_string_equal(out.started_at, "");
        forget(&out);
    }
    orr_store_close(store);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(d_is_the_difference_over_what_was_learnt),
        cmocka_unit_test(without_a_wide_network_the_widest_is_judged),
        cmocka_unit_test(slopes_are_of_curves_that_span_a_factor_of_ten),
        cmocka_unit_test(a_run_that_diverged_or_was_not_recorded_never_holds),
        cmocka_unit_test(a_small_sweep_over_the_width_holds_and_predicts_the_same_again),
        cmocka_unit_test(it_holds_on_other_experiments_too),
        cmocka_unit_test(large_targets_break_it),
        cmocka_unit_test(outside_its_regime_the_law_says_which_condition_and_trains_nothing),
    };
    return cmocka_run_group_tests_name("law/linearized_network_dynamics", tests, setup, teardown);
}
