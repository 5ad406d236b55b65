#define _XOPEN_SOURCE 700 /* mkdtemp, nftw */
#include "../../lab/laboratory.h"

#include <math.h>

#include "law/hyperparameters/batch_regression.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

#define TEXT(architecture, task)                                                                                       \
    "name: r\narchitecture: { kind: linear, widths: [] }\nparameterization: " architecture                             \
    "\ndata: { kind: gaussian, n: 8, dimension: 3, outputs: 2, noise: 0.5, resample: true }\ntask: " task              \
    "\nrule: { kind: sgd, learning_rate: 0.1, batch: 2, sampling: online }\nsteps: 4\nseeds: 3\n"

static orr_batch_regression of(orr_context *ctx, const char *text, laboratory *l) {
    orr_batch_regression g;
    *l = laboratory_of(ctx, arena, text);
    const orr_premises in = { &l->experiment, l->problems, NULL, NULL };
    assert_ok(ctx, orr_batch_regression_of(ctx, arena, &in, 0, &g));
    return g;
}

static void moments_start_from_the_initial_weights_of_all_seeds(void **state) {
    laboratory l;
    const orr_batch_regression g = of(*state, TEXT("standard", "{ kind: mse, target_scale: 2 }"), &l);
    double expected[3] = { 0.0 };
    for (int64_t seed = 0; seed < 3; seed++) {
        const double *teacher = orr_dataset_fact(&l.problems[seed]->data, "teacher")->data;
        double w[6];
        assert_ok(*state, orr_problem_initial(*state, l.problems[seed], (uint64_t)seed, w));
        for (int i = 0; i < 6; i++) expected[i % 3] += pow(w[i] - 2.0 * teacher[i], 2.0) / 3.0;
    }
    for (int j = 0; j < 3; j++) assert_close(g.m_0[j], expected[j], 1e-14 * expected[j]);
    assert_close(g.r.noise, 2.0 * 4.0 * 0.25, 0.0); /* outputs s^2 deviation^2 */
    assert_close(g.scale, 1.0, 0.0);                /* 1/2 a mean over examples, a sum over outputs */
    assert_true(orr_is_batch_regression(&l.experiment.points[0], l.problems[0]));
}

/* A mean over two outputs of the squares: twice 1, over 2 outputs. */
static void rates_count_by_the_loss_and_the_parameterization(void **state) {
    laboratory l;
    const orr_batch_regression mean = of(*state, TEXT("standard", "{ kind: mse, outputs: mean, factor: 1 }"), &l);
    assert_close(mean.scale, 1.0, 0.0);
    assert_close(mean.rate, 1.0, 0.0);
    const orr_batch_regression ntk = of(*state, TEXT("ntk", "{ kind: mse, factor: 1 }"), &l);
    const orr_tensor *t = &l.problems[0]->tensors[0];
    assert_true(t->multiplier != 1.0);
    assert_close(ntk.rate, 2.0 * t->rate_gradient * t->multiplier * t->multiplier, 1e-15);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        CLAIM(moments_start_from_the_initial_weights_of_all_seeds),
        CLAIM(rates_count_by_the_loss_and_the_parameterization),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
