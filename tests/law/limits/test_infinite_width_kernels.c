#include "testing.h"

#include "law/run.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

static const orr_law *law(void) { return orr_law_find("infinite-width-kernels"); }

enum { SLOPE, DENSE_THETA, DENSE_K, ATTENTION_THETA, ATTENTION_K };

/* One input, three widths of one network, two seeds; Theta = 1, K = 2 h + 1 = 3. */
static const char prediction_text[] =
    "{\"points\":["
    "{\"network\":\"a\",\"label\":\"a\",\"attention\":false,\"width\":1,\"outputs\":2,\"readout_variance\":2,"
    "\"readout_bias\":1,\"k\":[3],\"theta\":[1]},"
    "{\"network\":\"a\",\"label\":\"a\",\"attention\":false,\"width\":4,\"outputs\":2,\"readout_variance\":2,"
    "\"readout_bias\":1,\"k\":[3],\"theta\":[1]},"
    "{\"network\":\"a\",\"label\":\"a\",\"attention\":false,\"width\":16,\"outputs\":2,\"readout_variance\":2,"
    "\"readout_bias\":1,\"k\":[3],\"theta\":[1]}]}";

static void judge(orr_context *ctx, const char *measurement, orr_check_values values[5]) {
    json_t *p = json_loads(prediction_text, 0, NULL), *m = json_loads(measurement, 0, NULL);
    assert_non_null(p);
    assert_non_null(m);
    assert_ok(ctx, law()->judge(ctx, arena, p, m, values));
    json_decref(p);
    json_decref(m);
}

/* Two outputs: what was measured is twice Theta.  e = 0.4, 0.2, 0.1 by single networks, the mean's is 0.02 at the widest. */
static void the_checks_are_those_worked_out_by_hand(void **state) {
    orr_check_values v[5];
    judge(*state,
          "[[{\"ntk\":[2.8],\"nngp\":[1]},{\"ntk\":[1.2],\"nngp\":[1]}],"
          "[{\"ntk\":[2.4],\"nngp\":[1]},{\"ntk\":[1.6],\"nngp\":[1]}],"
          "[{\"ntk\":[2.24],\"nngp\":[1.1]},{\"ntk\":[1.84],\"nngp\":[1.3]}]]",
          v);
    assert_int_equal(v[SLOPE].n, 1);
    assert_close(v[SLOPE].value[0], -0.5, 1e-12);
    assert_close(v[DENSE_THETA].value[0], 0.02, 1e-12);
    assert_close(v[DENSE_K].value[0], 2 * 0.2 / 3, 1e-12);
    assert_int_equal(v[DENSE_K].n, 1);
    assert_int_equal(v[ATTENTION_THETA].n, 0);
    assert_int_equal(v[ATTENTION_K].n, 0);
}

static void a_run_without_a_record_never_holds(void **state) {
    orr_check_values v[5];
    judge(*state,
          "[[{\"ntk\":[2.8],\"nngp\":[1]},{\"ntk\":[1.2],\"nngp\":[1]}],"
          "[{\"ntk\":[2.4],\"nngp\":[1]},{\"ntk\":[1.6],\"nngp\":[1]}],"
          "[{\"ntk\":[2],\"nngp\":[1]},{\"ntk\":null,\"nngp\":null}]]",
          v);
    for (int i = SLOPE; i <= DENSE_K; i++) {
        assert_int_equal(v[i].n, 1);
        assert_true(isnan(v[i].value[0]));
        assert_int_equal(orr_judge(&law()->checks[i], &v[i]).verdict, ORR_FAILS);
    }
}

/* ---- real networks ---------------------------------------------------------------------------------------------------------- */

static void run(orr_context *ctx, orr_store *store, const char *architecture, const char *rest, const char *set,
                int seeds, orr_law_outcome *out) {
    char text[2048];
    orr_experiment experiment;
    (void)snprintf(text, sizeof text,
                   "name: small\narchitecture: %s\ntask: mse\nrule: { kind: gd, learning_rate: 1 }\nsteps: 0\n%s"
                   "observe:\n  - { kind: ntk, examples: 3, gram: true }\n  - { kind: nngp, examples: 3 }\nseeds: %d\n",
                   architecture, rest, seeds);
    const orr_experiment_options options = { .set = &set, .n_set = set ? 1 : 0 };
    assert_ok(ctx, orr_experiment_parse(ctx, arena, "small.yaml", text, strlen(text), &options, &experiment));
    assert_ok(ctx, orr_law_run(ctx, arena, store, law(), &experiment, NULL, out));
}

static void forget(orr_law_outcome *out) {
    json_decref(out->prediction);
    json_decref(out->measurement);
}

static const char gaussian[] = "data: { kind: gaussian, n: 3, dimension: 4 }\n";

/* Each parameterization is a network of its own, with rates of its own: `standard` has a tangent kernel that grows with n. */
static void wide_networks_have_the_kernels_of_their_limit(void **state) {
    static const struct {
        const char *architecture, *rest;
    } rows[] = {
        { "{ kind: mlp, widths: [512], activation: tanh, bias_variance: 0.1 }",
          "data: { kind: gaussian, n: 3, dimension: 4 }\nparameterization: ntk\n" },
        { "{ kind: mlp, widths: [512, 512], activation: erf, residual: double, norm: layer }",
          "data: { kind: gaussian, n: 3, dimension: 4, outputs: 2 }\nparameterization: standard\n" },
        { "{ kind: random-features, features: 512, readout_variance: 1 }",
          "data: { kind: gaussian, n: 3, dimension: 4 }\nparameterization: { kind: ntk, output_scale: 3 }\n" },
        { "{ kind: cnn, channels: [128, 128], pooling: average, bias_variance: 0.1, padding: valid, kernel_size: [3, "
          "2], pooling_size: [2, 1] }",
          "data: { kind: gaussian, n: 3, dimension: 36 }\nparameterization: mup\n" },
        { "{ kind: cnn, channels: [128, 128], readout: average, bias_variance: 0.1, padding: circular }",
          "data: { kind: gaussian, n: 3, dimension: 9 }\nparameterization: ntk\n" },
        { "{ kind: resnet, channels: [128, 128], norm: layer, sum_activation: false }",
          "data: { kind: gaussian, n: 3, dimension: 16 }\nparameterization: ntk\n" },
        { "{ kind: resnet, channels: [128, 160], blocks: [1, 1], norm: none, sum_activation: false, bias_variance: 0.1 "
          "}",
          "data: { kind: gaussian, n: 3, dimension: 16 }\nparameterization: ntk\n" },
        { "{ kind: transformer, width: 512, heads: 2, depth: 1, mlp_ratio: 1, attention_scale: 1/d, norm: post }",
          "data: { kind: in-context-regression, n: 3, context: 2, eigenvalues: [1] }\nparameterization: ntk\n" },
    };
    orr_store *store;
    assert_ok(*state, orr_store_open(*state, ":memory:", &store));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        orr_law_outcome out;
        run(*state, store, rows[i].architecture, rows[i].rest, NULL, 40, &out);
        if (out.verdict != ORR_HOLDS) fail_msg("%s: %s", rows[i].architecture, out.note);
        forget(&out);
    }
    orr_store_close(store);
}

static void outside_its_regime_the_law_says_which_condition(void **state) {
    static const struct {
        const char *architecture, *rest, *set;
        const char *why;
    } rows[] = {
        { "{ kind: mlp, widths: [512], norm: batch }", gaussian, NULL, "batch norm mixes examples" },
        { "{ kind: mlp, widths: [] }", gaussian, NULL, "there is no hidden layer" },
        { "{ kind: committee }", gaussian, NULL, "committee is none of" },
        { "{ kind: cnn, pooling: max }", "data: { kind: gaussian, n: 3, dimension: 64 }\n", NULL, "pooling is max" },
        { "{ kind: resnet, norm: layer }", gaussian, NULL, "gains of a norm" },
        { "{ kind: resnet, norm: none }", gaussian, NULL, "the sum isn't Gaussian" },
        { "{ kind: transformer }", "data: { kind: in-context-regression, n: 3, context: 2 }\n", NULL,
          "softmax has a closed form with attention_scale 1/d only" },
        { "{ kind: transformer, attention: linear, positions: rotary }",
          "data: { kind: in-context-regression, n: 3, context: 2 }\n", NULL, "positions are rotary" },
        { "{ kind: mlp, widths: [512] }", gaussian, "initial=orthogonal", "they start as orthogonal" },
        { "{ kind: mlp, widths: [512] }", gaussian, "data.resample=true", "resample is true" },
        { "{ kind: mlp, widths: [512] }", gaussian, "observe.ntk.gram=false", "gram: true" },
        { "{ kind: mlp, widths: [512] }", gaussian, "observe.ntk.examples=2", "equal `examples`" },
        { "{ kind: cnn, channels: [128], readout: average }", "data: { kind: gaussian, n: 3, dimension: 10000 }\n",
          NULL, "pairs of points" },
        { "{ kind: mlp, widths: [511] }", gaussian, NULL, "width 511 and 40 seeds, of 512 and 40" },
    };
    orr_store *store;
    assert_ok(*state, orr_store_open(*state, ":memory:", &store));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        orr_law_outcome out;
        run(*state, store, rows[i].architecture, rows[i].rest, rows[i].set, 40, &out);
        if (out.verdict != ORR_OUT_OF_REGIME || !strstr(out.note, rows[i].why))
            fail_msg("expected \"%s\" in: %s", rows[i].why, out.note);
        forget(&out);
    }
    orr_store_close(store);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_checks_are_those_worked_out_by_hand, setup, teardown),
        cmocka_unit_test_setup_teardown(a_run_without_a_record_never_holds, setup, teardown),
        cmocka_unit_test_setup_teardown(wide_networks_have_the_kernels_of_their_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(outside_its_regime_the_law_says_which_condition, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
