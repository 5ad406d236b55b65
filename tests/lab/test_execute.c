#define _XOPEN_SOURCE 700 /* mkdtemp, nftw */
/* Experiments run: ensembles, jobs, seeds, ends. */
#include "laboratory.h"

#include <math.h>

#include "base/progress.h"

static orr_arena *arena;

static int setup(void **state) {
    return context_setup(state) || files_setup() || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0;
}
static int teardown(void **state) {
    orr_arena_free(arena);
    return files_teardown() | context_teardown(state);
}

/* Two learning rates and three seeds, data drawn anew for each seed, batches shuffled: all that an ensemble may vary over. */
static const char sweep[] =
    "name: sweep\narchitecture: { kind: mlp, widths: [7] }\n"
    "data: { kind: gaussian, n: 30, n_test: 10, dimension: 5, resample: true }\ntask: mse\n"
    "rule: { kind: adam, learning_rate: 0.01, batch: 10, schedule: cosine }\nsteps: 60\nseeds: 3\n"
    "precision: f64\nobserve: [ { kind: loss, every: 20 }, { kind: norms, every: 30 } ]\n"
    "sweep: { grid: { rule.learning_rate: [0.01, 0.02] } }\n";

static void runs_with_one_graph_are_one_job(void **state) {
    const laboratory l = laboratory_of(*state, arena, sweep);
    orr_lab_jobs jobs;
    assert_ok(*state, orr_lab_group(*state, arena, &l.experiment, l.problems, NULL, false, &jobs));
    assert_int_equal(jobs.n, 1);
    assert_int_equal(jobs.job[0].members, 6);
    assert_close(jobs.job[0].member[0].learning_rate, 0.01, 0);
    assert_close(jobs.job[0].member[5].learning_rate, 0.02, 0);
    assert_int_equal(jobs.job[0].member[5].seed, 2);
    assert_ok(*state, orr_lab_group(*state, arena, &l.experiment, l.problems, NULL, true, &jobs));
    assert_int_equal(jobs.n, 6);
}

/* In float64, 60 updates: rounding of 1e-16 an update, times what Adam's division by small second moments makes of it in its first
 * updates; 1e-12 leaves four digits for that. */
static void a_member_and_the_same_run_alone_agree_to_rounding(void **state) {
    static const char *const names[] = { "loss", "loss_test", "norm", "distance" };
    laboratory together = laboratory_run(*state, arena, sweep, ":memory:", NULL);
    laboratory alone = laboratory_run(*state, arena, sweep, ":memory:", &(orr_lab_options){ .no_ensemble = true });
    for (int64_t i = 0; i < 6; i++)
        for (int s = 0; s < 4; s++) {
            const orr_series a = laboratory_series(*state, arena, &together, i, names[s]),
                             b = laboratory_series(*state, arena, &alone, i, names[s]);
            assert_int_equal(a.n, s < 2 ? 4 : 3);
            assert_int_equal(a.n, b.n);
            for (int64_t k = 0; k < a.n; k++) assert_close(a.y[k], b.y[k], 1e-12);
        }
    orr_store_close(together.store);
    orr_store_close(alone.store);
}

/* Different seeds and rates give different numbers: else the comparison above would say nothing. */
static void members_differ_by_seed_and_by_learning_rate(void **state) {
    laboratory l = laboratory_run(*state, arena, sweep, ":memory:", NULL);
    for (int64_t i = 0; i < 6; i++)
        for (int64_t j = 0; j < i; j++) {
            const orr_series a = laboratory_series(*state, arena, &l, i, "loss"),
                             b = laboratory_series(*state, arena, &l, j, "loss");
            assert_true(a.y[3] != b.y[3]);
            if (i % 3 == j % 3) assert_true(a.y[0] == b.y[0]); /* one start: the rate comes in later */
            else assert_true(a.y[0] != b.y[0]);
        }
    orr_store_close(l.store);
}

/* Four graphs: they can be four jobs. */
static void results_are_the_same_bits_for_any_number_of_jobs(void **state) {
    static const char text[] =
        "name: four\narchitecture: { kind: mlp, widths: [5] }\n"
        "data: { kind: gaussian, n: 20, dimension: 4 }\ntask: mse\n"
        "rule: { kind: gd, learning_rate: 0.1 }\nsteps: 40\nseeds: 2\n"
        "observe: [ { kind: loss, every: 10 }, { kind: sharpness, every: 20 } ]\n"
        "sweep: { grid: { architecture.widths: [[5], [6]], architecture.activation: [tanh, erf] } }\n";
    laboratory one = laboratory_run(*state, arena, text, "one.db", &(orr_lab_options){ .jobs = 1 });
    laboratory three = laboratory_run(*state, arena, text, "three.db", &(orr_lab_options){ .jobs = 3 });
    for (int64_t i = 0; i < 8; i++) {
        const orr_series a = laboratory_series(*state, arena, &one, i, "sharpness"),
                         b = laboratory_series(*state, arena, &three, i, "sharpness");
        assert_int_equal(a.n, 3);
        assert_int_equal(b.n, 3);
        assert_memory_equal(a.y, b.y, 3 * sizeof *a.y);
    }
    orr_store_close(one.store);
    orr_store_close(three.store);
}

static void a_member_that_diverges_ends_and_the_others_go_on(void **state) {
    static const char text[] = "name: ends\narchitecture: { kind: mlp, widths: [5], activation: quadratic }\n"
                               "data: { kind: gaussian, n: 20, dimension: 4 }\ntask: mse\n"
                               "rule: { kind: gd, learning_rate: 0.01 }\nsteps: 400\n"
                               "observe: [ { kind: loss, every: 10 } ]\n"
                               "sweep: { grid: { rule.learning_rate: [0.01, 100] } }\n";
    laboratory l = laboratory_run(*state, arena, text, ":memory:", NULL);
    assert_false(l.outcome[0].diverged);
    assert_int_equal(l.outcome[0].steps, 400);
    assert_true(l.outcome[1].diverged);
    assert_true(l.outcome[1].steps < 100);
    assert_int_equal(laboratory_series(*state, arena, &l, 0, "loss").n, 41);
    orr_store_close(l.store);
}

/* All weights 0: the tangent kernel is 0 and its drift 0/0, but nothing diverged. */
static void a_measurement_that_is_no_number_ends_nothing(void **state) {
    static const char text[] = "name: zero\narchitecture: { kind: mlp, widths: [3], weight_variance: 0, bias: false }\n"
                               "data: { kind: gaussian, n: 10, dimension: 4 }\ntask: mse\n"
                               "rule: { kind: gd, learning_rate: 0.1 }\nsteps: 80\n"
                               "observe: [ { kind: ntk, every: 20 } ]\n";
    laboratory l = laboratory_run(*state, arena, text, ":memory:", NULL);
    const orr_series drift = laboratory_series(*state, arena, &l, 0, "ntk_drift");
    assert_int_equal(drift.n, 5);
    assert_true(isnan(drift.y[4]));
    assert_false(l.outcome[0].diverged);
    assert_int_equal(l.outcome[0].steps, 80);
    orr_store_close(l.store);
}

/* A schedule without 0 changes when is recorded, not what: each value is that of the schedule with 0, to the bit. */
static void changes_are_from_the_initial_network_whatever_the_schedule(void **state) {
    static const char text[] =
        "name: late\narchitecture: { kind: mlp, widths: [4], activation: linear }\n"
        "data: { kind: gaussian, n: 20, dimension: 4 }\ntask: mse\n"
        "rule: { kind: gd, learning_rate: 0.1 }\nsteps: 8\nseeds: 2\n"
        "observe: [ { kind: feature-drift, at: [%s] }, { kind: ntk, at: [%s] }, { kind: norms, at: [%s] },"
        " { kind: conserved, at: [%s] } ]\n";
    static const char *const names[] = { "feature_drift.layer1",        "feature_drift.output", "ntk_drift", "distance",
                                         "balance_drift.layer1.weight", "update_size" };
    char with[1024], without[1024];
    (void)snprintf(with, sizeof with, text, "0, 3, 8", "0, 3, 8", "0, 3, 8", "0, 3, 8");
    (void)snprintf(without, sizeof without, text, "3, 8", "3, 8", "3, 8", "3, 8");
    laboratory a = laboratory_run(*state, arena, with, ":memory:", NULL),
               b = laboratory_run(*state, arena, without, ":memory:", NULL);
    for (int64_t i = 0; i < 2; i++)
        for (int k = 0; k < 6; k++) {
            const orr_series all = laboratory_series(*state, arena, &a, i, names[k]),
                             late = laboratory_series(*state, arena, &b, i, names[k]);
            assert_int_equal(late.n, 2);
            assert_true(late.y[0] > 0.0);
            assert_memory_equal(late.y, all.y + all.n - 2, 2 * sizeof *late.y);
        }
    assert_int_equal(laboratory_series(*state, arena, &b, 0, "norm").n, 2);
    orr_store_close(a.store);
    orr_store_close(b.store);
}

static void a_run_of_no_steps_measures_the_initial_network(void **state) {
    static const char text[] = "name: start\narchitecture: { kind: mlp, widths: [3] }\n"
                               "data: { kind: gaussian, n: 10, dimension: 4 }\ntask: mse\n"
                               "rule: { kind: gd, learning_rate: 0.1 }\nsteps: 0\nseeds: 3\n"
                               "observe: [ loss, { kind: ntk, every: 20 } ]\n";
    laboratory l = laboratory_run(*state, arena, text, ":memory:", NULL);
    for (int64_t i = 0; i < 3; i++) {
        const orr_series loss = laboratory_series(*state, arena, &l, i, "loss");
        assert_int_equal(loss.n, 1);
        assert_true(loss.y[0] > 0.0);
        assert_int_equal(laboratory_series(*state, arena, &l, i, "ntk_trace").n, 1);
        assert_int_equal(l.outcome[i].steps, 0);
        assert_false(l.outcome[i].diverged);
        assert_true(l.outcome[i].finished_at[0] != 0);
    }
    orr_store_close(l.store);
}

static void until_ends_a_run_and_epochs_count_batches(void **state) {
    static const char text[] =
        "name: until\narchitecture: linear\ndata: { kind: gaussian, n: 25, dimension: 4 }\ntask: mse\n"
        "rule: { kind: sgd, learning_rate: 0.05, batch: 10 }\nepochs: 300\nuntil: 0.01\n"
        "observe: [ { kind: loss, every: 10 } ]\n";
    laboratory l = laboratory_run(*state, arena, text, ":memory:", NULL);
    assert_int_equal(l.experiment.points[0].steps, 600); /* two whole batches of 10 in 25 */
    assert_true(l.outcome[0].steps < 600);
    const orr_series loss = laboratory_series(*state, arena, &l, 0, "loss");
    assert_true(loss.y[loss.n - 1] < 0.1);
    orr_store_close(l.store);
}

/* Loss and gradient are taken from the next update where that computes them, and are those of the network by itself otherwise: a kick
 * that never comes (its edge is far off) forbids the former.  The last step, and that of a run which ends early, has no next update. */
static void the_next_update_yields_what_is_observed(void **state) {
    static const char *const names[] = { "loss", "gradient_norm", "norm", "distance", "update_size", "loss_test" };
    static const char *const ends[] = { "", "until: 0.3\n" };
    for (int e = 0; e < 2; e++) {
        laboratory l[2];
        for (int kick = 0; kick < 2; kick++) {
            char text[600];
            (void)snprintf(text, sizeof text,
                           "name: yield\narchitecture: { kind: mlp, widths: [6] }\ntask: mse\nsteps: 40\nseeds: 3\n"
                           "data: { kind: gaussian, n: 20, n_test: 5, dimension: 4, resample: true }\nprecision: f64\n"
                           "rule: { kind: gd, learning_rate: 0.05%s }\n"
                           "observe: [ { kind: loss, every: 1 }, { kind: norms, every: 3 } ]\n%s",
                           kick ? ", kick: 1e-3, kick_after: 1000" : "", ends[e]);
            l[kick] = laboratory_run(*state, arena, text, ":memory:", NULL);
        }
        for (int64_t i = 0; i < 3; i++) {
            assert_int_equal(l[0].outcome[i].steps, l[1].outcome[i].steps);
            if (e == 0) assert_int_equal(l[0].outcome[i].steps, 40);
            for (int q = 0; q < 6; q++) {
                const orr_series a = laboratory_series(*state, arena, &l[0], i, names[q]),
                                 b = laboratory_series(*state, arena, &l[1], i, names[q]);
                assert_int_equal(a.n, b.n);
                if (q == 0) assert_int_equal(a.n, l[0].outcome[i].steps + 1);
                for (int64_t k = 0; k < a.n; k++) {
                    assert_close(a.x[k], b.x[k], 0.0);
                    assert_close(a.y[k], b.y[k], 1e-13);
                }
            }
        }
        orr_store_close(l[0].store);
        orr_store_close(l[1].store);
    }
}

/* Where the loss of an update is that of all examples as they are, and nowhere else. */
static void only_the_plain_loss_of_all_examples_is_yielded(void **state) {
    static const struct {
        const char *rule, *task;
        bool yields;
    } rows[] = {
        { "{ kind: gd, learning_rate: 0.1 }", "mse", true },
        { "{ kind: gd, learning_rate: 0.1, clip: 0.1 }", "{ kind: mse, ridge: 0.1 }", true },
        { "{ kind: adam, learning_rate: 0.1 }", "mse", true },
        { "{ kind: sgd, learning_rate: 0.1, batch: 20 }", "mse", true },
        { "{ kind: sgd, learning_rate: 0.1, batch: 10 }", "mse", false },
        { "{ kind: sgd, learning_rate: 0.1, batch: 20, sampling: replacement }", "mse", false },
        { "{ kind: gd, learning_rate: 0.1, kick: 0.1 }", "mse", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[500];
        orr_training *t;
        (void)snprintf(text, sizeof text,
                       "name: x\narchitecture: { kind: mlp, widths: [3] }\nsteps: 2\n"
                       "data: { kind: gaussian, n: 20, dimension: 3 }\ntask: %s\nrule: %s\n",
                       rows[i].task, rows[i].rule);
        const laboratory l = laboratory_of(*state, arena, text);
        const orr_point *p = &l.experiment.points[0];
        const orr_member member = { .problem = l.problems[0], .learning_rate = 0.1 };
        const orr_training_options options = { .rule = p->rule,
                                               .rule_settings = &p->rule_settings,
                                               .steps = 2,
                                               .needs = ORR_NEEDS_LOSS | ORR_NEEDS_GRADIENT };
        assert_ok(*state, orr_training_new(*state, &member, 1, &options, &t));
        if (orr_training_yields(t) != rows[i].yields) fail_msg("row %zu: yields is %d", i, !rows[i].yields);
        if (rows[i].yields) { /* as it is before the update, whatever the rule makes of the gradient */
            orr_evaluation e;
            orr_training_select(t, 0);
            assert_ok(*state, orr_training_evaluate(t, ORR_NEEDS_LOSS | ORR_NEEDS_GRADIENT, &e));
            assert_ok(*state, orr_training_advance(t, 1));
            const orr_evaluation got = orr_training_yield(t, 0);
            assert_close(got.loss, e.loss, 1e-6 * e.loss);
            assert_true(e.gradient_square > 0.01);
            assert_close(got.gradient_square, e.gradient_square, 1e-5 * e.gradient_square);
        }
        orr_training_free(t);
    }
}

/* Who asks second gets what the first was told: also where what is live has been changed behind its back.  After an update, another
 * member or a checkpoint, answers are new. */
static void answers_are_computed_once_between_updates(void **state) {
    const laboratory l =
        laboratory_of(*state, arena,
                      "name: x\narchitecture: { kind: mlp, widths: [3] }\nsteps: 2\ntask: cross-entropy\n"
                      "data: { kind: gaussian-mixture, n: 30, n_test: 10, dimension: 3 }\n"
                      "rule: { kind: gd, learning_rate: 0.1 }\nseeds: 2\n");
    const orr_point *p = &l.experiment.points[0];
    const orr_member members[] = { { .problem = l.problems[0], .learning_rate = 0.1 },
                                   { .problem = l.problems[0], .learning_rate = 0.1, .seed = 1 } };
    const orr_training_options options = { .rule = p->rule, .rule_settings = &p->rule_settings, .steps = 2 };
    orr_training *t;
    orr_answers first[2], again, other, later;
    assert_ok(*state, orr_training_new(*state, members, 2, &options, &t));
    const orr_subject subject = orr_training_subject(t);
    assert_true(subject.right_or_wrong);
    for (int part = 0; part < 2; part++) {
        orr_training_select(t, 0);
        assert_ok(*state, subject.answers(subject.self, (orr_part)part, &first[part]));
        assert_true(first[part].accuracy >= 0 && first[part].accuracy <= 1);
        float *live = (float *)(uintptr_t)subject.parameter[0];
        const float was = live[0];
        live[0] += 10;
        assert_ok(*state, subject.answers(subject.self, (orr_part)part, &again));
        live[0] = was;
        assert_memory_equal(&again, &first[part], sizeof again);
    }
    orr_training_select(t, 1);
    assert_ok(*state, subject.answers(subject.self, ORR_PART_TRAIN, &other));
    assert_true(other.loss != first[0].loss);
    const size_t bytes = orr_training_state_bytes(t);
    void *begin = orr_arena_take(arena, 1, bytes);
    orr_training_save(t, 0, begin);
    assert_ok(*state, orr_training_advance(t, 1));
    orr_training_select(t, 0);
    assert_ok(*state, subject.answers(subject.self, ORR_PART_TRAIN, &later));
    assert_true(later.loss < first[0].loss);
    orr_training_load(t, 0, begin);
    orr_training_select(t, 0);
    assert_ok(*state, subject.answers(subject.self, ORR_PART_TRAIN, &again));
    assert_memory_equal(&again, &first[0], sizeof again);
    orr_training_free(t);
}

static laboratory observed_by(orr_context *ctx, const char *norm, const char *rule, const char *observers) {
    char text[700];
    (void)snprintf(text, sizeof text,
                   "name: x\nprecision: f64\narchitecture: { kind: mlp, widths: [9, 8], norm: %s }\nsteps: 3\n"
                   "task: cross-entropy\ndata: { kind: gaussian-mixture, n: 700, n_test: 50, dimension: 5 }\n"
                   "rule: { kind: %s, learning_rate: 0.1 }\nobserve: [ %s ]\n",
                   norm, rule, observers);
    return laboratory_run(ctx, arena, text, ":memory:", NULL);
}

/* Where an update yields the loss and where none does; sums over examples in the network, or none. */
static void what_is_recorded_is_the_same_bits_whoever_else_looks(void **state) {
#define LOOKS(kind) "{ kind: " kind ", every: 1 }"
    static const struct {
        const char *observer, *series[2];
    } one[] = { { LOOKS("loss"), { "loss", "loss_test" } },
                { LOOKS("accuracy"), { "accuracy", "accuracy_test" } },
                { LOOKS("norms"), { "gradient_norm", "norm" } },
                { LOOKS("cka"), { "cka.layer1_layer2", "cka.layer2_output" } },
                { LOOKS("feature-drift"), { "feature_drift.layer2", "feature_drift.output" } } };
    static const char *const all = LOOKS("loss") ", " LOOKS("accuracy") ", " LOOKS("norms") ", " LOOKS(
        "cka") ", " LOOKS("feature-drift") ", " LOOKS("outputs") ", { kind: activations, every: 1, examples: 700 }";
    static const char *const rules[] = { "gd", "sgd, batch: 10" }, *const norms[] = { "none", "batch" };
    for (int i = 0; i < 4; i++) {
        laboratory together = observed_by(*state, norms[i / 2], rules[i % 2], all);
        for (size_t k = 0; k < sizeof one / sizeof one[0]; k++) {
            laboratory alone = observed_by(*state, norms[i / 2], rules[i % 2], one[k].observer);
            for (int s = 0; s < 2; s++) {
                const orr_series a = laboratory_series(*state, arena, &alone, 0, one[k].series[s]),
                                 b = laboratory_series(*state, arena, &together, 0, one[k].series[s]);
                assert_int_equal(a.n, 4);
                assert_int_equal(b.n, 4);
                for (int64_t j = 0; j < 4; j++)
                    if (memcmp(&a.y[j], &b.y[j], sizeof a.y[j]) != 0)
                        fail_msg("%s, norm %s, rule %s: %.17g alone, %.17g together", one[k].series[s], norms[i / 2],
                                 rules[i % 2], a.y[j], b.y[j]);
            }
            orr_store_close(alone.store);
        }
        orr_store_close(together.store);
    }
#undef LOOKS
}

/* Of one job after the other the parts are no more than the whole, and only what took part has one. */
static void a_run_tells_where_its_time_went(void **state) {
    static const char *const text =
        "name: time\narchitecture: { kind: mlp, widths: [3] }\ntask: mse\nsteps: 40\nseeds: 2\n"
        "data: { kind: gaussian, n: 20, dimension: 3 }\nrule: { kind: sgd, learning_rate: 0.1, batch: 5 }\n"
        "observe: [ { kind: loss, every: 1 }, { kind: norms, every: 2 } ]\n";
    for (int alone = 0; alone < 2; alone++) {
        orr_run_time time = { 0 };
        const double began = orr_now();
        const orr_lab_options options = { .no_ensemble = alone, .time = &time };
        laboratory l = laboratory_run(*state, arena, text, ":memory:", &options);
        const double took = orr_now() - began;
        assert_true(time.updates > 0.0 && time.store > 0.0 && time.rest >= 0.0);
        for (int i = 0; i < ORR_INSTRUMENTS; i++) {
            const bool looked = i == ORR_INSTRUMENT_loss || i == ORR_INSTRUMENT_norms;
            assert_true(looked ? time.instrument[i] > 0.0 : time.instrument[i] == 0.0);
        }
        assert_true(orr_run_time_instruments(&time) < orr_run_time_whole(&time));
        assert_true(orr_run_time_whole(&time) <= took * (1 + 1e-9));
        orr_store_close(l.store);
    }
}

/* Few noisy examples in many dimensions: the test loss falls, then rises. */
static void patience_ends_a_run_that_has_found_no_new_minimum_for_so_long(void **state) {
#define OVERFITS                                                                                                       \
    "name: patience\narchitecture: { kind: mlp, widths: [20] }\ntask: mse\n"                                           \
    "data: { kind: gaussian, n: 20, n_test: 200, dimension: 15, noise: 1 }\n"                                          \
    "rule: { kind: gd, learning_rate: 0.1 }\nsteps: 600\nseeds: 2\nobserve: [ { kind: loss, every: 5 } ]\n"
    laboratory whole = laboratory_run(*state, arena, OVERFITS, ":memory:", NULL),
               early = laboratory_run(*state, arena, OVERFITS "patience: 4\n", ":memory:", NULL);
    for (int64_t i = 0; i < 2; i++) {
        const orr_series all = laboratory_series(*state, arena, &whole, i, "loss_test"),
                         some = laboratory_series(*state, arena, &early, i, "loss_test");
        int64_t end = 0, since = 0; /* worked out from the whole run */
        for (double least = (double)INFINITY; since < 4; end++) {
            assert_true(end < all.n);
            since = all.y[end] < least ? 0 : since + 1;
            least = fmin(least, all.y[end]);
        }
        assert_int_equal(some.n, end);
        assert_int_equal(early.outcome[i].steps, 5 * (end - 1));
        for (int64_t k = 0; k < end; k++) assert_close(some.y[k], all.y[k], 0.0);
        assert_int_equal(whole.outcome[i].steps, 600);
    }
    orr_store_close(whole.store);
    orr_store_close(early.store);
}

static void a_loss_is_recorded_of_the_part_that_was_asked_for(void **state) {
    static const struct {
        const char *part;
        int64_t train, test;
    } rows[] = { { "both", 3, 3 }, { "train", 3, 0 }, { "test", 0, 3 } };
    for (int i = 0; i < 3; i++) {
        char text[500];
        (void)snprintf(text, sizeof text,
                       "name: part\narchitecture: linear\ntask: mse\nsteps: 2\nrule: { kind: gd, learning_rate: 0.1 }\n"
                       "data: { kind: gaussian, n: 9, n_test: 4, dimension: 3 }\n"
                       "observe: [ { kind: loss, every: 1, part: %s } ]\n",
                       rows[i].part);
        laboratory l = laboratory_run(*state, arena, text, ":memory:", NULL);
        assert_int_equal(laboratory_series(*state, arena, &l, 0, "loss").n, rows[i].train);
        assert_int_equal(laboratory_series(*state, arena, &l, 0, "loss_test").n, rows[i].test);
        orr_store_close(l.store);
    }
}

/* `patience` counts losses over test examples: where there are none, a run would never end early. */
static void patience_without_test_losses_is_refused(void **state) {
    static const char *const parts[] = { "n_test: 0 }\nobserve: [ loss ]\n", "n_test: 8 }\nobserve: [ norms ]\n",
                                         "n_test: 8 }\nobserve: [ { kind: loss, part: train } ]\n" };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        char text[512];
        orr_experiment e;
        const orr_problem **problems;
        (void)snprintf(text, sizeof text,
                       "name: x\narchitecture: linear\ntask: mse\nrule: { kind: gd, learning_rate: 0.1 }\nsteps: 9\n"
                       "patience: 2\ndata: { kind: gaussian, n: 20, dimension: 3, %s",
                       parts[i]);
        assert_ok(*state, orr_experiment_parse(*state, arena, "x.yaml", text, strlen(text), NULL, &e));
        assert_int_equal(orr_lab_prepare(*state, arena, &e, &problems), ORR_EINPUT);
        assert_non_null(strstr(orr_context_message(*state), "`patience` waits"));
        orr_context_clear(*state);
    }
}

/* Data of more than 1 MiB, which have a block of their own; shared by two problems of two runs each. */
static void training_needs_none_of_the_doubles_that_are_given_back(void **state) {
    static const char text[] = "name: lean\narchitecture: { kind: mlp, widths: [3] }\n"
                               "data: { kind: gaussian, n: 300, n_test: 100, dimension: 400 }\ntask: mse\n"
                               "rule: { kind: gd, learning_rate: 0.1 }\nsteps: 4\nseeds: 2\n"
                               "observe: [ { kind: loss, every: 2 }, { kind: modes, every: 2 } ]\n"
                               "sweep: { grid: { architecture.activation: [tanh, erf] } }\n";
    laboratory kept = laboratory_run(*state, arena, text, ":memory:", NULL), lean = laboratory_of(*state, arena, text);
    assert_ok(*state, orr_store_open(*state, ":memory:", &lean.store));
    assert_ok(*state,
              orr_lab_seal(*state, arena, lean.store, &lean.experiment, lean.problems, false, NULL, 0, &lean.sealed));
    const size_t used = orr_arena_used(arena);
    orr_lab_give_back(arena, &lean.experiment, lean.problems);
    assert_true(orr_arena_used(arena) + 400 * 400 * sizeof(double) <= used);
    for (int64_t i = 0; i < 4; i++) assert_true(!lean.problems[i]->data.x && !lean.problems[i]->data.y);
    assert_ok(*state, orr_lab_execute(*state, lean.store, &lean.experiment, lean.problems, lean.sealed.run, NULL,
                                      lean.outcome));
    for (int64_t i = 0; i < 4; i++) {
        const orr_series a = laboratory_series(*state, arena, &kept, i, "loss"),
                         b = laboratory_series(*state, arena, &lean, i, "loss");
        assert_int_equal(a.n, 3);
        assert_int_equal(b.n, 3);
        for (int64_t k = 0; k < a.n; k++) assert_true(a.y[k] == b.y[k]);
    }
    orr_store_close(kept.store);
    orr_store_close(lean.store);
}

static void what_does_not_go_together_is_told_in_words(void **state) {
    static const struct {
        const char *rule, *task, *words;
    } rows[] = {
        { "{ kind: sgd, learning_rate: 0.1, batch: 50 }", "mse", "a batch of 50, but there are 20 examples" },
        { "{ kind: gradient-flow, time_step: 0.1 }", "mse", "needs `precision: f64`" },
        { "{ kind: label-noise-sgd, learning_rate: 0.1, noise: 0.1 }", "logistic",
          "adds noise to targets that are numbers" },
        { "{ kind: label-noise-sgd, learning_rate: 0.1, noise: 0.1 }", "cross-entropy", "mse takes labels as one-hot" },
        { "{ kind: sgd, learning_rate: 0.1, batch: 4, sampling: online }", "next-token",
          "task next-token with data gaussian-mixture" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[512];
        orr_experiment e;
        const orr_problem **problems;
        orr_training *t = NULL;
        (void)snprintf(text, sizeof text,
                       "name: x\narchitecture: { kind: mlp, widths: [3] }\n"
                       "data: { kind: gaussian-mixture, n: 20, dimension: 3 }\ntask: %s\nrule: %s\nsteps: 2\n",
                       rows[i].task, rows[i].rule);
        assert_ok(*state, orr_experiment_parse(*state, arena, "x.yaml", text, strlen(text), NULL, &e));
        orr_status status = orr_lab_prepare(*state, arena, &e, &problems);
        if (status == ORR_OK) {
            const orr_member member = { .problem = problems[0], .learning_rate = 0.1 };
            status = orr_training_new(*state, &member, 1,
                                      &(orr_training_options){ .rule = e.points[0].rule,
                                                               .rule_settings = &e.points[0].rule_settings,
                                                               .steps = 2 },
                                      &t);
        }
        assert_int_equal(status, ORR_EINPUT);
        if (!strstr(orr_context_message(*state), rows[i].words)) fail_msg("%s", orr_context_message(*state));
        orr_context_clear(*state);
        orr_training_free(t);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_with_one_graph_are_one_job),
        cmocka_unit_test(a_member_and_the_same_run_alone_agree_to_rounding),
        cmocka_unit_test(members_differ_by_seed_and_by_learning_rate),
        cmocka_unit_test(results_are_the_same_bits_for_any_number_of_jobs),
        cmocka_unit_test(a_member_that_diverges_ends_and_the_others_go_on),
        cmocka_unit_test(a_measurement_that_is_no_number_ends_nothing),
        cmocka_unit_test(changes_are_from_the_initial_network_whatever_the_schedule),
        cmocka_unit_test(a_run_of_no_steps_measures_the_initial_network),
        cmocka_unit_test(until_ends_a_run_and_epochs_count_batches),
        cmocka_unit_test(the_next_update_yields_what_is_observed),
        cmocka_unit_test(answers_are_computed_once_between_updates),
        cmocka_unit_test(a_run_tells_where_its_time_went),
        cmocka_unit_test(what_is_recorded_is_the_same_bits_whoever_else_looks),
        cmocka_unit_test(only_the_plain_loss_of_all_examples_is_yielded),
        cmocka_unit_test(patience_ends_a_run_that_has_found_no_new_minimum_for_so_long),
        cmocka_unit_test(a_loss_is_recorded_of_the_part_that_was_asked_for),
        cmocka_unit_test(patience_without_test_losses_is_refused),
        cmocka_unit_test(training_needs_none_of_the_doubles_that_are_given_back),
        cmocka_unit_test(what_does_not_go_together_is_told_in_words),
    };
    return cmocka_run_group_tests_name("lab/execute", tests, setup, teardown);
}
