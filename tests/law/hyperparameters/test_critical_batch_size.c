#include "testing.h"

#include "lab/execute.h"
#include "law/measuring.h"
#include "law/run.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

static const orr_law *law(void) { return orr_law_find("critical-batch-size"); }

/* Five batch sizes with two learning rates each, of which the second is 1.5 times slower.  The loss is e^-k/10 times what makes it
 * 1/2 after S = 100 (1 + 16/B) updates; B_noise is 8, then 16 along the way of the largest batch, as measured, and the estimates of
 * B_simple are 3 and 2.5.  All of them know a distribution, of which the examples are 48 draws. */
enum { BATCHES = 5 };
static const double target = 0.5, population = 48.0;

static json_t *prediction(int seeds) {
    json_t *points = json_array(), *batches = json_array();
    for (int i = 0; i < 2 * BATCHES; i++) {
        const double batch = pow(4.0, i / 2);
        if (i % 2 == 0) (void)json_array_append_new(batches, json_real(batch));
        (void)json_array_append_new(
            points, json_pack("{s:i, s:f, s:f}", "point", i, "batch", batch, "learning_rate", 1.0 + i % 2));
    }
    return json_pack("{s:s, s:f, s:i, s:f, s:o, s:o}", "series", "loss_test", "target", target, "seeds", seeds,
                     "population", population, "batches", batches, "points", points);
}

/* A seed's trace and signal are `factor` times the mean's: ratios of sums don't see it, and sums of ratios of others would. */
static void estimated(json_t *run, const char *name, double factor, const double trace[2], double signal) {
    const char *const part[2] = { "trace", "signal" };
    for (int k = 0; k < 2; k++) {
        char full[40];
        double value[2];
        for (int i = 0; i < 2; i++) value[i] = factor * (k == 0 ? trace[i] : signal - trace[i] / population);
        (void)snprintf(full, sizeof full, "%s_%s", name, part[k]);
        (void)json_object_set_new(run, full,
                                  json_pack("{s:[i, i], s:[f, f]}", "step", 0, 9, "value", value[0], value[1]));
    }
}

static json_t *run_of(int point, double factor) {
    const double batch = pow(4.0, point / 2), steps = 100.0 * (1.0 + 16.0 / batch) * (point % 2 ? 1.5 : 1.0);
    json_t *step = json_array(), *value = json_array();
    for (double k = 0.0; k < steps + 30.0; k += 3.0) {
        (void)json_array_append_new(step, json_real(k));
        (void)json_array_append_new(value, json_real(factor * target * exp((steps - k) / 10.0)));
    }
    json_t *run = json_pack("{s:{s:o, s:o}}", "loss_test", "step", step, "value", value);
    estimated(run, "gradient_curved", factor, (const double[]){ 8.0, 16.0 }, 1.0);
    estimated(run, "batch_noise", factor, (const double[]){ 6.0, 6.0 }, 2.0);
    estimated(run, "gradient_noise", factor, (const double[]){ 4.0, 6.0 }, 2.0);
    return run;
}

static json_t *measurement(int seeds) {
    json_t *points = json_array();
    for (int i = 0; i < 2 * BATCHES; i++) {
        json_t *runs = json_array();
        for (int seed = 0; seed < seeds; seed++) /* means over pairs of seeds are what they are for one */
            (void)json_array_append_new(runs, run_of(i, seeds > 3 ? (seed % 2 ? 1.4 : 0.6) : 1.0));
        (void)json_array_append_new(points, runs);
    }
    return points;
}

static void the_best_learning_rates_make_the_hyperbola(void **state) {
    for (int seeds = 3; seeds <= 6; seeds += 3) {
        orr_check_values v[6];
        json_t *p = prediction(seeds), *m = measurement(seeds);
        assert_ok(*state, law()->judge(*state, arena, p, m, v));
        for (int c = 0; c < 3; c++) assert_int_equal(v[c].n, 3); /* three seeds, or three pairs of them */
        for (int k = 0; k < 3; k++) {
            assert_close(v[0].value[k], 0.0, 1e-8); /* the loss is exponential: a line in its logarithm is exact */
            assert_close(v[1].value[k], 1.0, 1e-8);
            assert_close(v[2].value[k], 16.0 / 12.0, 1e-7);
        }
        assert_int_equal(v[3].n + v[4].n, 0); /* nothing is known of the noise beforehand */
        assert_int_equal(v[5].n, 3 * 2 * BATCHES);
        for (int k = 0; k < 3; k++) assert_close(v[5].value[k], 3.0 / 2.5, 1e-12);
        json_t *panels = law()->figure(p, m);
        assert_int_equal(json_array_size(panels), 3);
        json_decref(panels);
        json_decref(m);
        json_decref(p);
    }
}

/* Only the other learning rate of a batch counts where one diverges; where both do, or don't get there, the law fails. */
static void a_batch_size_that_does_not_reach_the_target_never_holds(void **state) {
    for (int diverges = 0; diverges < 2; diverges++) {
        orr_check_values v[6];
        json_t *p = prediction(3), *m = measurement(3);
        for (int i = 4; i < 6; i++) {
            json_t *value =
                json_object_get(json_object_get(json_array_get(json_array_get(m, (size_t)i), 1), "loss_test"), "value");
            for (size_t k = 2; k < json_array_size(value); k++)
                (void)json_array_set_new(value, k, diverges ? json_null() : json_real(2.0 * target));
        }
        assert_ok(*state, law()->judge(*state, arena, p, m, v));
        for (int c = 0; c < 3; c++) {
            assert_true(isfinite(v[c].value[0]) && isnan(v[c].value[1]) && isfinite(v[c].value[2]));
            assert_int_equal(orr_judge(&law()->checks[c], &v[c]).verdict, ORR_FAILS);
        }
        json_decref(m);
        json_decref(p);
    }
}

/* ---- whole runs of a small experiment -------------------------------------------------------------------------------------- */

static const char small[] =
    "name: small\narchitecture: { kind: linear, widths: [], weight_variance: 0 }\nseeds: 6\nsteps: 60\n"
    "data: { kind: gaussian, n: 40, dimension: 20, covariance: power-law, outputs: 8, noise: 0.1, resample: true }\n"
    "task: { kind: mse, target_scale: 4.47213595 }\nrule: { kind: sgd, learning_rate: 1, batch: 4, sampling: online }\n"
    "observe: [ { kind: excess-loss, every: 1, target: 3 } ]\n"
    "sweep: { grid: { rule.batch: [2, 8, 32, 128], rule.learning_rate: [0.3, 0.9, 1.4, 1.7] } }\n";

static void run(orr_context *ctx, const char *set, orr_store *store, orr_law_outcome *out) {
    orr_experiment experiment;
    const orr_experiment_options options = { .set = &set, .n_set = set ? 1 : 0 };
    assert_ok(ctx, orr_experiment_parse(ctx, arena, "small.yaml", small, strlen(small), &options, &experiment));
    assert_ok(ctx, orr_law_run(ctx, arena, store, law(), &experiment, NULL, out));
}

static void forget(orr_law_outcome *out) {
    json_decref(out->prediction);
    json_decref(out->measurement);
}

/* Every run starts from weights of 0, where the loss is 1/2 sum_oj lambda_j W_oj^2 of its own teacher: the recursion starts at their
 * mean, and its first step is that of the runs, in the mean over seeds. */
static void regression_is_predicted_in_the_units_that_are_measured(void **state) {
    orr_store *store;
    orr_law_outcome out;
    assert_ok(*state, orr_store_open(*state, ":memory:", &store));
    run(*state, NULL, store, &out);
    assert_true(strcmp(out.sealed_at, out.started_at) < 0);
    const json_t *exact = json_object_get(out.prediction, "regression"), *batches = json_object_get(exact, "batches");
    assert_int_equal(json_array_size(batches), 4);
    for (size_t b = 1; b < 4; b++) /* fewer updates, no fewer examples */
        assert_true(orr_number_of(json_array_get(batches, b), "steps") <
                    orr_number_of(json_array_get(batches, b - 1), "steps"));
    /* the point of batch 128 and rate 1.4: updates of the mean loss against those of the recursion */
    const json_t *point = json_array_get(json_object_get(out.prediction, "points"), 14);
    assert_close(orr_number_of(point, "batch"), 128, 0);
    assert_close(orr_number_of(point, "learning_rate"), 1.4, 0);
    const double predicted = orr_number_of(point, "steps");
    double mean[2] = { 0.0, 0.0 };
    for (size_t seed = 0; seed < 6; seed++) {
        const json_t *loss =
            json_object_get(json_object_get(orr_measured(out.measurement, 14, seed), "excess_loss"), "value");
        for (int k = 0; k < 2; k++) mean[k] += orr_number_at(loss, (size_t)predicted + (size_t)k) / 6.0;
    }
    /* six runs of eight outputs scatter by some 5 %: the loss at the predicted update is the target to three times that */
    const double at = mean[0] * pow(mean[1] / mean[0], predicted - floor(predicted));
    assert_close(at / 3.0, 1.0, 0.15);
    assert_int_equal(out.check[2].n, 3);
    forget(&out);
    orr_store_close(store);
}

static void outside_its_regime_the_law_says_which_condition(void **state) {
    static const struct {
        const char *set, *words, *why;
    } rows[] = {
        { "observe.excess-loss.target=0", "a loss to reach is named", "target: ..." },
        { "rule.schedule=cosine", "the learning rate is constant", "schedule is cosine" },
        { "rule.weight_decay=0.1", "without decay and clipping", "weight_decay" },
        { "rule.momentum=0.5", "gradient descent on batches", "momentum is 0.5" },
        { "rule={kind: adam, learning_rate: 1}", "gradient descent on batches", "adam" },
        { "rule.sampling=shuffle", "drawn independently", "shuffle" },
        { "until=0.1", "no run ends before", "until" },
        { "sweep={grid: {rule.batch: [2, 8, 32], rule.learning_rate: [0.3, 0.9, 1.4]}}", "at least 4 batch sizes",
          "3, from 2 to 32" },
        { "sweep={grid: {rule.batch: [2, 4, 8, 32], rule.learning_rate: [0.3, 0.9]}}", "3 learning rates each",
          "batch 2 has 2 learning rates" },
        { "sweep={grid: {rule.batch: [2, 4, 8, 32], rule.learning_rate: [0.3, 0.9, 1], data.noise: [0, 1]}}",
          "batch size, learning rate and length alone", "another problem" },
        { "observe.excess-loss.target=0.01", "the target is reached", "with batches of 2 it is not" },
    };
    orr_store *store;
    assert_ok(*state, orr_store_open(*state, ":memory:", &store));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        orr_law_outcome out;
        run(*state, rows[i].set, store, &out);
        if (out.verdict != ORR_OUT_OF_REGIME || !strstr(out.note, rows[i].words) || !strstr(out.note, rows[i].why))
            fail_msg("expected \"%s\" and \"%s\" in: %s", rows[i].words, rows[i].why, out.note);
        forget(&out);
    }
    orr_store_close(store);
}

/* The excess loss of weights 0 is known, and with the teacher's noise it is what many test examples show. */
static void the_excess_loss_is_that_of_the_distribution(void **state) {
    static const char text[] =
        "name: excess\narchitecture: { kind: linear, widths: [], weight_variance: 0 }\nseeds: 3\nsteps: 40\n"
        "data: { kind: gaussian, n: 10, n_test: 20000, dimension: 6, covariance: power-law, outputs: 2, noise: 0.5, "
        "resample: true }\n"
        "task: { kind: mse, target_scale: 2 }\nrule: { kind: sgd, learning_rate: 0.1, batch: 4, sampling: online }\n"
        "observe: [ { kind: excess-loss, every: 40 }, { kind: loss, every: 40, part: test } ]\nprecision: f64\n";
    orr_experiment e;
    const orr_problem **problems;
    orr_store *store;
    orr_sealed sealed;
    orr_run_outcome outcome[3];
    assert_ok(*state, orr_experiment_parse(*state, arena, "e.yaml", text, strlen(text), NULL, &e));
    assert_ok(*state, orr_lab_prepare(*state, arena, &e, &problems));
    assert_ok(*state, orr_store_open(*state, ":memory:", &store));
    assert_ok(*state, orr_lab_seal(*state, arena, store, &e, problems, false, NULL, 0, &sealed));
    assert_ok(*state, orr_lab_execute(*state, store, &e, problems, sealed.run, NULL, outcome));
    for (int seed = 0; seed < 3; seed++) {
        orr_series excess, test;
        double start = 0.0;
        const double *w = NULL;
        for (int i = 0; i < problems[seed]->data.facts.n; i++)
            if (strcmp(problems[seed]->data.facts.item[i].name, "teacher") == 0)
                w = problems[seed]->data.facts.item[i].data;
        assert_non_null(w);
        for (int i = 0; i < 12; i++) start += 0.5 * 4.0 * w[i] * w[i] / (i % 6 + 1.0);
        assert_ok(*state, orr_store_series(store, arena, sealed.run[seed], "excess_loss", &excess));
        assert_ok(*state, orr_store_series(store, arena, sealed.run[seed], "loss_test", &test));
        assert_int_equal(excess.n, 2);
        assert_close(excess.y[0], start, 1e-12 * start);
        for (int k = 0; k < 2; k++) /* noise: 1/2 2 2^2 .25 = 1; 20,000 examples: a deviation of some 1 % */
            assert_close(test.y[k], excess.y[k] + 1.0, 0.03 * test.y[k]);
    }
    orr_store_close(store);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_learning_rates_make_the_hyperbola),
        cmocka_unit_test(a_batch_size_that_does_not_reach_the_target_never_holds),
        cmocka_unit_test(regression_is_predicted_in_the_units_that_are_measured),
        cmocka_unit_test(outside_its_regime_the_law_says_which_condition),
        cmocka_unit_test(the_excess_loss_is_that_of_the_distribution),
    };
    return cmocka_run_group_tests_name("law/critical_batch_size", tests, setup, teardown);
}
