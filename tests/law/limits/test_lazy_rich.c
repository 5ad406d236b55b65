#include "testing.h"

#include "law/run.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

static const orr_law *law(void) { return orr_law_find("lazy-rich"); }

enum { CHECKS = 8, FEATURES = 0, KERNEL_LAZY, KERNEL_BETWEEN, KERNEL_HELD, LINEAR = 7 };

static void judge(orr_context *ctx, const char *prediction, const char *measurement, orr_check_values values[CHECKS]) {
    json_t *p = json_loads(prediction, 0, NULL), *m = json_loads(measurement, 0, NULL);
    assert_non_null(p);
    assert_non_null(m);
    assert_ok(ctx, law()->judge(ctx, arena, p, m, values));
    json_decref(p);
    json_decref(m);
}

#define POINT "{\"width\":64,\"until\":0.1,\"last\":50,\"kernel\":[]}"
#define RUN(kernel, loss)                                                                                              \
    "{\"last\":50,\"kernel\":" kernel ",\"features\":0.5,\"loss\":{\"step\":[0,50],\"value\":[1," loss "]}}"
static const char curve[] = "{\"curves\":[{\"check\":3,\"what\":\"kernel\",\"x\":[10,1000],\"points\":[1,0]}],"
                            "\"points\":[" POINT "," POINT "]}";

static void a_slope_is_that_of_the_mean_over_seeds(void **state) {
    orr_check_values v[CHECKS];
    judge(*state, curve,
          "[[" RUN("0.01", "0.05") "," RUN("0.03", "0.05") "],[" RUN("2", "0.05") "," RUN("2", "0.05") "]]", v);
    assert_int_equal(v[KERNEL_HELD].n, 3);
    assert_close(v[KERNEL_HELD].value[0], -1.0, 1e-13); /* 2 at 10, 0.02 at 1000 */
    assert_true(v[KERNEL_HELD].value[1] < -1.0 && v[KERNEL_HELD].value[2] > -1.0);
    assert_int_equal(v[FEATURES].n, 0);
    assert_int_equal(v[LINEAR].n, 0);
}

/* Not trained to the loss, diverged, or not there at all. */
static void a_run_that_did_not_reach_its_loss_never_holds(void **state) {
    static const char *const runs[] = { RUN("0.01", "0.2"), RUN("null", "0.05"), RUN("0.01", "null"), "{}" };
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        orr_check_values v[CHECKS];
        const char *m = orr_arena_format(arena, "[[%s,%s],[%s,%s]]", runs[i], RUN("0.02", "0.05"), RUN("2", "0.05"),
                                         RUN("2", "0.05"));
        assert_non_null(m);
        judge(*state, curve, m, v);
        assert_true(isnan(v[KERNEL_HELD].value[0]));
        assert_int_equal(orr_judge(&law()->checks[KERNEL_HELD], &v[KERNEL_HELD]).verdict, ORR_FAILS);
    }
}

static void a_linear_network_is_measured_over_predicted_at_its_last_update(void **state) {
    static const char prediction[] =
        "{\"curves\":[],\"points\":[{\"width\":9,\"until\":0,\"last\":50,\"kernel\":[0.5,0.25]}]}";
    orr_check_values v[CHECKS];
    judge(*state, prediction, "[[" RUN("0.5", "1") "," RUN("0.26", "1") "]]", v);
    assert_int_equal(v[LINEAR].n, 2);
    assert_close(v[LINEAR].value[0], 1.0, 1e-15);
    assert_close(v[LINEAR].value[1], 1.04, 1e-15);
    judge(*state, prediction, "[[{\"last\":25,\"kernel\":0.5}," RUN("0.26", "1") "]]", v);
    assert_true(isnan(v[LINEAR].value[0])); /* it ended early */
}

/* ---- whole runs of a small experiment -------------------------------------------------------------------------------------- */

static const char head[] =
    "name: small\narchitecture: { kind: mlp, widths: [32], activation: tanh, bias: false }\n"
    "parameterization: { kind: ntk, centred: true, matched_rate: true }\n"
    "data: { kind: multi-index, n: 4, dimension: 8, rank: 1, degrees: [1] }\ntask: { kind: mse }\n"
    "rule: { kind: gd, learning_rate: 0.5 }\nprecision: f64\nsteps: 400\nuntil: 0.01\nseeds: 3\n"
    "observe: [ { kind: loss, every: 10 }, { kind: ntk, every: 10 }, { kind: feature-drift, every: 10 } ]\n";

static const char richness[] = "sweep: { grid: { parameterization.output_scale: [100, 30, 10] } }\n";
static const char linear[] =
    "sweep: [ { name: linear, architecture: { kind: linear, widths: [24] }, until: 0, data: { kind: whitened-linear, "
    "n: 6, "
    "dimension: 5, outputs: 1, singular_values: [0.7], resample: true }, parameterization: { output_scale: 0.2 } } ]\n";

static void run_small(orr_context *ctx, const char *sweep, const char *set, orr_store *store, orr_law_outcome *out) {
    orr_experiment experiment;
    const char *text = orr_arena_format(arena, "%s%s", head, sweep);
    assert_non_null(text);
    const orr_experiment_options options = { .set = &set, .n_set = set ? 1 : 0 };
    assert_ok(ctx, orr_experiment_parse(ctx, arena, "small.yaml", text, strlen(text), &options, &experiment));
    assert_ok(ctx, orr_law_run(ctx, arena, store, law(), &experiment, NULL, out));
}

static void forget(orr_law_outcome *out) {
    json_decref(out->prediction);
    json_decref(out->measurement);
}

static void a_lazy_network_moves_its_features_in_proportion_to_gamma_0(void **state) {
    orr_store *store;
    orr_law_outcome first, second;
    assert_ok(*state, orr_store_open(*state, ":memory:", &store));
    run_small(*state, richness, NULL, store, &first);
    run_small(*state, richness, NULL, store, &second);
    assert_int_equal(first.check[FEATURES].verdict, ORR_HOLDS);
    assert_int_equal(first.check[KERNEL_LAZY].verdict, ORR_HOLDS);
    assert_string_equal(first.sha256, second.sha256);
    assert_true(strcmp(first.sealed_at, first.started_at) < 0);
    json_t *panels = law()->figure(first.prediction, first.measurement);
    assert_int_equal(json_array_size(panels), 2); /* over gamma_0, and the losses */
    json_decref(panels);
    forget(&first);
    forget(&second);
    orr_store_close(store);
}

/* In steps and along the flow, centred and not: each network's own change of kernel, to the sheet's 1e-3. */
static void a_two_layer_linear_network_is_predicted_by_itself(void **state) {
    static const char *const sets[] = { NULL, "rule={kind: gradient-flow, time_step: 0.02}", "task.factor=1",
                                        "task.examples=sum" };
    orr_store *store;
    assert_ok(*state, orr_store_open(*state, ":memory:", &store));
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        orr_law_outcome out;
        run_small(*state, linear, sets[i], store, &out);
        if (out.verdict != ORR_HOLDS)
            fail_msg("%s: %s %s, %g", sets[i] ? sets[i] : "", orr_verdict_words(out.verdict), out.note,
                     out.check[LINEAR].value);
        assert_int_equal(out.check[LINEAR].n, 3);
        forget(&out);
    }
    orr_store_close(store);
}

static void outside_its_regime_the_law_says_which_condition_and_trains_nothing(void **state) {
    static const struct {
        const char *sweep, *set, *words, *why;
    } rows[] = {
        { richness, "rule={kind: adam, learning_rate: 0.01}", "gd or gradient-flow", "the rule is adam" },
        { richness, "task={kind: denoising}", "the task is mse", "denoising" },
        { "", "parameterization={kind: mup, centred: true}", "the parameterization is ntk", "it is mup" },
        { richness, "observe=[{kind: loss}]", "are observed", "kind: ntk" },
        { richness, "data.n=5001", "at most 5000 numbers", "5001 are fitted" },
        { "", NULL, "gamma_0 or the width is swept", "a curve has" },
        { richness, "parameterization.centred=false", "outputs are centred", "centred is false" },
        { richness, "parameterization.matched_rate=false", "learning rates follow", "matched_rate is false" },
        { richness, "rule.batch=2", "every update sees all", "a batch is 2 of 4" },
        { richness, "rule.schedule=cosine", "the learning rate is constant", "schedule is cosine" },
        { richness, "rule.clip=1", "without decay and clipping", "clip is 1" },
        { richness, "task.ridge=0.1", "without ridge", "ridge is 0.1" },
        { richness, "architecture.norm=batch", "depend on one example alone", "norm is batch" },
        { richness, "rule.learning_rate=50", "training starts stable", "with seed 0 it is" },
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
        cmocka_unit_test(a_slope_is_that_of_the_mean_over_seeds),
        cmocka_unit_test(a_run_that_did_not_reach_its_loss_never_holds),
        cmocka_unit_test(a_linear_network_is_measured_over_predicted_at_its_last_update),
        cmocka_unit_test(a_lazy_network_moves_its_features_in_proportion_to_gamma_0),
        cmocka_unit_test(a_two_layer_linear_network_is_predicted_by_itself),
        cmocka_unit_test(outside_its_regime_the_law_says_which_condition_and_trains_nothing),
    };
    return cmocka_run_group_tests_name("law/lazy_rich", tests, setup, teardown);
}
