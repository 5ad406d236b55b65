#include "testing.h"

#include "lab/execute.h"
#include "law/run.h"
#include "theory/kernel_function.h"
#include "theory/kernel_regression.h"
#include "theory/kernel_spectrum.h"
#include "theory/scaling_fit.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

static const orr_law *law(void) { return orr_law_find("neural-scaling-laws"); }

/* 3 sizes on 5 numbers of examples, 100 to 1600, in 2 seeds; those with 800 and 1600 are `shift` times what the power law says. */
enum { SIZES = 3, DATA = 5 };
static json_t *prediction(void) {
    json_t *cells = json_array();
    for (int i = 0; i < SIZES * DATA; i++)
        (void)json_array_append_new(cells, json_pack("{s:i, s:s, s:f, s:f, s:f}", "point", i, "family", "mlp",
                                                     "parameters", 1e3 * pow(4, i % SIZES), "data",
                                                     100.0 * pow(2, i / SIZES), "fitted_to", 400.0));
    return json_pack("{s:i, s:o, s:[]}", "seeds", 2, "cells", cells, "kernels");
}

static json_t *measurement(double shift) {
    const orr_scaling_law truth = { .E = 0.2, .A = 30, .alpha = 0.5, .B = 4, .beta = 0.4 };
    json_t *points = json_array();
    for (int i = 0; i < SIZES * DATA; i++) {
        const double loss = orr_scaling_loss(&truth, 1e3 * pow(4, i % SIZES), 100.0 * pow(2, i / SIZES)) *
                            (i / SIZES > 2 ? shift : 1.0);
        (void)json_array_append_new(points, json_pack("[{s:f}, {s:f}]", "loss", loss, "loss", 2.0 * loss));
    }
    return points;
}

static void cells_with_more_data_are_judged_by_those_with_less(void **state) {
    orr_check_values v[6];
    json_t *p = prediction(), *m = measurement(1.25);
    assert_ok(*state, law()->judge(*state, arena, p, m, v));
    assert_int_equal(v[0].n, 2);
    for (int seed = 0; seed < 2; seed++) {         /* the second seed's losses are twice as large */
        assert_close(v[0].value[seed], 0.2, 1e-4); /* |1/1.25 - 1|; five constants from nine cells, to 6 digits */
        assert_true(v[1].value[seed] > 0.01);      /* no power law fits all cells */
    }
    for (int i = 2; i < 6; i++) assert_int_equal(v[i].n, 0); /* there is no kernel */
    json_decref(m);
    m = measurement(1.0);
    assert_ok(*state, law()->judge(*state, arena, p, m, v));
    assert_close(v[0].value[0], 0.0, 1e-4);
    assert_close(v[1].value[0], 0.0, 1e-6);
    json_decref(m);
    json_decref(p);
}

static void a_run_that_diverged_never_holds(void **state) {
    orr_check_values v[6];
    json_t *p = prediction(), *m = measurement(1.0);
    assert_int_equal(json_object_set_new(json_array_get(json_array_get(m, 4), 1), "loss", json_null()), 0);
    assert_ok(*state, law()->judge(*state, arena, p, m, v));
    for (int c = 0; c < 2; c++) {
        assert_true(isfinite(v[c].value[0]));
        assert_true(isnan(v[c].value[1]));
        assert_int_equal(orr_judge(&law()->checks[c], &v[c]).verdict, ORR_FAILS);
    }
    json_decref(m);
    json_decref(p);
}

/* A pool of 100: 10 of 20 test errors, worked out by hand; and features, whose error is over the distribution. */
static void the_error_of_a_pool_is_that_of_the_examples_left(void **state) {
    static const char sealed[] = "{\"seeds\":1,\"cells\":[],\"kernels\":["
                                 "{\"point\":0,\"of\":\"pool\",\"size\":100,\"ridges\":[0],\"seeds\":[{\"samples\":[20,"
                                 "50],\"error\":[0.5,0.4]}]},"
                                 "{\"point\":1,\"of\":\"features\",\"size\":0,\"ridges\":[0],\"seeds\":[{\"samples\":["
                                 "16,64],\"error\":[0.4,0.1]}]}]}";
    static const char measured[] =
        "[[{\"test\":[0.42,0.21],\"train\":[0.1,0.02]}],[{\"test\":[0.36,0.105],\"train\":[0,0]}]]";
    orr_check_values v[6];
    json_t *p = json_loads(sealed, 0, NULL), *m = json_loads(measured, 0, NULL);
    assert_non_null(p);
    assert_non_null(m);
    assert_ok(*state, law()->judge(*state, arena, p, m, v));
    assert_int_equal(v[0].n, 0);
    assert_int_equal(v[2].n, 2);
    assert_close(v[2].value[0], (100 * 0.42 - 20 * 0.1) / 80 / 0.5, 1e-12);
    assert_close(v[2].value[1], (100 * 0.21 - 50 * 0.02) / 50 / 0.4, 1e-12);
    assert_close(v[3].value[0], 0.36 / 0.4, 1e-12);
    assert_close(v[4].value[0], 0.105 / 0.1, 1e-12);
    assert_close(v[5].value[0], log(0.105 / 0.36) / log(4) - log(0.1 / 0.4) / log(4), 1e-12);
    json_decref(m);
    json_decref(p);
}

/* ---- goldens of the sheet ------------------------------------------------------------------------------------------------- */

/* l_i = i^-1.5, v_i^2 = i^-1.8, i <= levels */
static double curve_at(orr_context *ctx, int64_t levels, double n, double ridge, double *kappa) {
    double *value = ORR_NEW(arena, double, levels), *v2 = ORR_NEW(arena, double, levels);
    orr_kernel_learning l;
    assert_true(value && v2);
    for (int64_t i = 0; i < levels; i++) {
        value[i] = pow((double)i + 1.0, -1.5);
        v2[i] = pow((double)i + 1.0, -1.8);
    }
    const orr_kernel_spectrum spectrum = { .n = levels, .value = value };
    assert_ok(ctx, orr_kernel_learn(ctx, arena, &spectrum, n, ridge, &l));
    *kappa = l.kappa;
    return orr_kernel_test_error(&spectrum, &l, v2, 0.0);
}

static void goldens_of_kernel_curves(void **state) {
    static const double simulated[] = { .3008, .1755, .1002, .0560, .0304, .0156 }; /* n = 16, 32, ... 512, P = 3000 */
    double kappa;
    /* as many digits as the sheet prints */
    assert_close(curve_at(*state, 100, 10, 1e-3, &kappa), .3642474767, 5e-11);
    assert_close(kappa, .0807025034, 5e-11);
    assert_close(curve_at(*state, 100, 30, 1e-3, &kappa), .1224647626, 5e-11);
    assert_close(kappa, .0115486989, 5e-11);
    for (int i = 0; i < 6; i++) assert_close(curve_at(*state, 3000, 16 << i, 0.0, &kappa), simulated[i], 5e-5);
}

/* exp(-|x - z|/10) on the first 1500 training images less their mean, targets one-hot less .1: the error of the others is
 * N_s/(N_s - n) times that of the pool. */
static void goldens_of_the_kernel_on_pictures(void **state) {
    enum { N = 1500, CLASSES = 10 };
    static const char text[] =
        "name: pool\narchitecture: { kind: mlp, widths: [4] }\ntask: mse\nsteps: 0\nobserve: [ loss ]\n"
        "data: { kind: fashion-mnist, n: 1500, center: mean-image }\nrule: { kind: gd, learning_rate: 1 }\n";
    static const double error[] = { .5617, .4654, .3902, .3315, .2816 };
    orr_experiment e;
    const orr_problem **problems;
    orr_pool_spectrum s;
    assert_ok(*state, orr_experiment_parse(*state, arena, "pool.yaml", text, strlen(text), NULL, &e));
    assert_ok(*state, orr_lab_prepare(*state, arena, &e, &problems));
    double *gram = ORR_NEW(arena, double, N *N), *y = ORR_NEW(arena, double, N *CLASSES),
           *v2 = ORR_NEW(arena, double, N);
    assert_true(gram && y && v2);
    for (int i = 0; i < N * CLASSES; i++)
        y[i] = (problems[0]->data.label[i / CLASSES] == i % CLASSES ? 1.0 : 0.0) - 0.1;
    const orr_kernel laplace = { ORR_KERNEL_LAPLACE, 10.0 };
    assert_ok(*state,
              orr_kernel_matrix(*state, arena, &laplace, N, N, 784, problems[0]->data.x, problems[0]->data.x, gram));
    assert_ok(*state, orr_pool_spectrum_of(*state, arena, arena, N, CLASSES, gram, y, &s));
    for (int i = 0; i < N * CLASSES; i++) v2[i % N] += s.coefficient2[i];
    const orr_kernel_spectrum spectrum = { .n = N, .value = s.value };
    for (int i = 0; i < 5; i++) {
        orr_kernel_learning l;
        const double n = 50.0 * pow(2.0, i);
        assert_ok(*state, orr_kernel_learn(*state, arena, &spectrum, n, 1e-3, &l));
        /* the digits that the sheet prints */
        assert_close(orr_kernel_test_error(&spectrum, &l, v2, 0.0) * N / (N - n), error[i], 5e-5);
    }
}

/* ---- whole runs of a small experiment -------------------------------------------------------------------------------------- */

#define SMALL(patience)                                                                                                \
    "name: small\narchitecture: { kind: mlp, widths: [8], activation: relu, weight_variance: 2 }\n"                    \
    "data: { kind: gaussian, n: 300, n_test: 500, dimension: 40, covariance: power-law, exponent: 1, noise: 0.5 }\n"   \
    "task: mse\nrule: { kind: adam, learning_rate: 0.005, batch: 64 }\nsteps: 1000\n" patience "seeds: 3\n"            \
    "observe: [ { kind: loss, every: 25, part: test } ]\n"                                                             \
    "sweep: { grid: { architecture.widths: [[8], [16], [64]], data.n: [300, 600, 1200, 2400, 4800] } }\n"
static const char small[] = SMALL("patience: 8\n"), hasty[] = SMALL("");

static void run(orr_context *ctx, const char *text, const char *set, orr_store *store, orr_law_outcome *out) {
    orr_experiment experiment;
    const orr_experiment_options options = { .set = &set, .n_set = set ? 1 : 0 };
    assert_ok(ctx, orr_experiment_parse(ctx, arena, "small.yaml", text, strlen(text), &options, &experiment));
    assert_ok(ctx, orr_law_run(ctx, arena, store, law(), &experiment, NULL, out));
}

static void forget(orr_law_outcome *out) {
    json_decref(out->prediction);
    json_decref(out->measurement);
}

static void networks_with_more_data_do_as_those_with_less_say(void **state) {
    orr_store *store;
    orr_law_outcome out;
    assert_ok(*state, orr_store_open(*state, ":memory:", &store));
    run(*state, small, NULL, store, &out);
    assert_int_equal(out.verdict, ORR_HOLDS);
    assert_int_equal(out.check[0].n, 3);
    assert_true(strcmp(out.sealed_at, out.started_at) < 0);
    const json_t *cells = json_object_get(out.prediction, "cells");
    assert_int_equal(json_array_size(cells), 15);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(cells, 0), "parameters")), 40 * 8 + 8 + 8 + 1);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(cells, 4), "data")), 4800);
    json_t *panels = law()->figure(out.prediction, out.measurement);
    assert_int_equal(json_array_size(panels), 3);
    json_decref(panels);
    forget(&out);
    orr_store_close(store);
}

static void outside_its_regime_the_law_says_which_condition(void **state) {
    static const struct {
        const char *text, *set, *words, *why;
    } rows[] = {
        { hasty, "data.n_test=0", "records its test loss", "no test examples" },
        { hasty, "observe.loss.part=train", "records its test loss", "over training examples alone" },
        { hasty, "observe=[norms]", "records its test loss", "observe needs { kind: loss }" },
        { small, "steps=0", "records its test loss", "trains nothing" },
        { small, "steps=200", "at least 10 times", "recorded 8 times" },
        { small, "observe.loss.per_decade=4", "at least 10 times", "growing distances" },
        { small, "sweep={grid: {architecture.widths: [[8], [64]], data.n: [300, 600, 900, 4800]}}", "at least 3 sizes",
          "there are 2, 3 and 1" },
        { small, "sweep={grid: {architecture.widths: [[4], [8], [64]], data.n: [300, 600, 900, 4800]}}",
          "width of at least 8", "the width is 4" },
        { small, "sweep={grid: {architecture.widths: [[8], [16], [64]], data.n: [200, 600, 900, 4800]}}",
          "at least 300 examples", "there are 200" },
        { small, "sweep={grid: {architecture.widths: [[8], [16], [32]], data.n: [300, 600, 900, 4800]}}",
          "nearly a decade", "N spans a factor of 3.99" },
    };
    orr_store *store;
    assert_ok(*state, orr_store_open(*state, ":memory:", &store));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        orr_law_outcome out;
        run(*state, rows[i].text, rows[i].set, store, &out);
        if (out.verdict != ORR_OUT_OF_REGIME || !strstr(out.note, rows[i].words) || !strstr(out.note, rows[i].why))
            fail_msg("expected \"%s\" and \"%s\" in: %s", rows[i].words, rows[i].why, out.note);
        assert_string_equal(out.started_at, "");
        forget(&out);
    }
    orr_store_close(store);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_with_more_data_are_judged_by_those_with_less),
        cmocka_unit_test(a_run_that_diverged_never_holds),
        cmocka_unit_test(the_error_of_a_pool_is_that_of_the_examples_left),
        cmocka_unit_test(goldens_of_kernel_curves),
        cmocka_unit_test(goldens_of_the_kernel_on_pictures),
        cmocka_unit_test(networks_with_more_data_do_as_those_with_less_say),
        cmocka_unit_test(outside_its_regime_the_law_says_which_condition),
    };
    return cmocka_run_group_tests_name("law/neural_scaling_laws", tests, setup, teardown);
}
