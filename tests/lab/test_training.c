#define _XOPEN_SOURCE 700 /* mkdtemp, nftw */
/* Training by itself: gradient flow against its closed form, what an epoch sees, states saved and loaded. */
#include "laboratory.h"

#include <math.h>

#include "numeric/dense.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

static orr_training *training_of(orr_context *ctx, const laboratory *l, orr_member *member) {
    const orr_point *p = &l->experiment.points[0];
    orr_training *t;
    const double rate =
        orr_settings_has(&p->rule_settings, "learning_rate") ? orr_real(&p->rule_settings, "learning_rate") : 0.0;
    *member = (orr_member){ .problem = l->problems[0], .seed = 4, .learning_rate = rate };
    assert_ok(ctx, orr_training_new(ctx, member, 1,
                                    &(orr_training_options){
                                        .rule = p->rule, .rule_settings = &p->rule_settings, .steps = p->steps },
                                    &t));
    return t;
}

/* f = w.x without a bias, L = 1/(2n) sum (w.x_i - y_i)^2: with C = X'X/n, b = X'y/n and C = sum_k c_k u_k u_k',
 *
 *     w(t) = sum_k u_k [ e^{-c_k t} u_k.w(0) + (1 - e^{-c_k t}) u_k.b / c_k ] */
static void gradient_flow_is_the_exponential_of_the_covariance(void **state) {
    enum { D = 4, N = 30 };
    static const char text[] = "name: flow\narchitecture: { kind: mlp, widths: [], bias: false }\n"
                               "data: { kind: gaussian, n: 30, dimension: 4, noise: 0.1 }\ntask: mse\nprecision: f64\n"
                               "rule: { kind: gradient-flow, time_step: 0.7, relative_tolerance: 1e-10, "
                               "absolute_tolerance: 1e-12 }\nsteps: 5\n";
    const laboratory l = laboratory_of(*state, arena, text);
    const orr_dataset *d = &l.problems[0]->data;
    double c[D * D] = { 0 }, b[D] = { 0 }, w0[D];
    orr_symmetric_eigen e;
    orr_arena *scratch;
    orr_member member;
    orr_training *t = training_of(*state, &l, &member);
    memcpy(w0, orr_training_parameter(t, 0), sizeof w0);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < D; j++) {
            b[j] += d->x[i * D + j] * d->y[i] / N;
            for (int k = 0; k < D; k++) c[j * D + k] += d->x[i * D + j] * d->x[i * D + k] / N;
        }
    assert_ok(*state, orr_arena_new(*state, &scratch));
    assert_ok(*state, orr_eigen_symmetric(*state, arena, scratch, D, c, &e));
    orr_arena_free(scratch);
    for (int step = 1; step <= 5; step++) {
        double expected[D] = { 0 };
        assert_ok(*state, orr_training_advance(t, 1));
        for (int k = 0; k < D; k++) {
            double start = 0.0, target = 0.0;
            for (int j = 0; j < D; j++) {
                start += e.vector[k * D + j] * w0[j];
                target += e.vector[k * D + j] * b[j];
            }
            const double decay = exp(-e.value[k] * 0.7 * step);
            for (int j = 0; j < D; j++)
                expected[j] += e.vector[k * D + j] * (decay * start + (1.0 - decay) * target / e.value[k]);
        }
        const double *w = orr_training_parameter(t, 0);
        for (int j = 0; j < D; j++) assert_close(w[j], expected[j], 1e-8); /* steps of 1e-10, some tens of them */
    }
    orr_training_free(t);
}

/* f = w.x with one-hot inputs and w = 0 and y = 1: an update with examples B changes exactly the w of B, to eta/|B|. */
static void an_epoch_sees_each_example_once_in_an_order_of_its_own(void **state) {
    enum { N = 12, BATCH = 4 };
    static const char text[] = "name: epoch\narchitecture: { kind: mlp, widths: [], bias: false, weight_variance: 0 }\n"
                               "data: { kind: gaussian, n: 12, dimension: 12 }\ntask: mse\nprecision: f64\n"
                               "rule: { kind: sgd, learning_rate: 1, batch: 4 }\nsteps: 9\n";
    laboratory l = laboratory_of(*state, arena, text);
    double *x = l.problems[0]->x, *y = l.problems[0]->target;
    int order[3][3 * BATCH];
    orr_member member;
    for (int i = 0; i < N * N; i++) x[i] = i / N == i % N ? 1.0 : 0.0;
    for (int i = 0; i < N; i++) y[i] = 1.0;
    orr_training *t = training_of(*state, &l, &member);
    const double *w = orr_training_parameter(t, 0);
    double before[N] = { 0 };
    for (int epoch = 0; epoch < 3; epoch++) {
        int seen[N] = { 0 };
        for (int k = 0; k < N / BATCH; k++) {
            int changed = 0;
            assert_ok(*state, orr_training_advance(t, 1));
            for (int i = 0; i < N; i++) {
                if (w[i] == before[i]) continue;
                order[epoch][k * BATCH + changed++] = i;
                seen[i]++;
                assert_close(w[i], before[i] + (1.0 - before[i]) / BATCH, 1e-15);
            }
            assert_int_equal(changed, BATCH);
            memcpy(before, w, sizeof before);
        }
        for (int i = 0; i < N; i++) assert_int_equal(seen[i], 1);
    }
    assert_memory_not_equal(order[0], order[1], sizeof order[0]);
    assert_memory_not_equal(order[1], order[2], sizeof order[0]);
    orr_training_free(t);
}

static void fresh_examples_are_others_in_each_update(void **state) {
    static const char text[] =
        "name: online\narchitecture: { kind: mlp, widths: [], bias: false, weight_variance: 0 }\n"
        "data: { kind: gaussian, n: 5, dimension: 3 }\ntask: mse\nprecision: f64\n"
        "rule: { kind: sgd, learning_rate: 0.1, batch: 1, sampling: online }\nsteps: 3\n";
    const laboratory l = laboratory_of(*state, arena, text);
    orr_member member;
    orr_training *t = training_of(*state, &l, &member);
    const double *w = orr_training_parameter(t, 0);
    double direction[2][3] = { 0 };
    for (int k = 0; k < 2; k++) { /* w moves along the example's x */
        double before[3];
        memcpy(before, w, sizeof before);
        assert_ok(*state, orr_training_advance(t, 1));
        for (int j = 0; j < 3; j++) direction[k][j] = w[j] - before[j];
    }
    const double cross = direction[0][0] * direction[1][1] - direction[0][1] * direction[1][0];
    assert_true(fabs(cross) > 1e-12);
    orr_training_free(t);
}

static void a_state_that_is_loaded_goes_on_to_the_same_bits(void **state) {
    static const char text[] = "name: state\narchitecture: { kind: mlp, widths: [6] }\n"
                               "data: { kind: gaussian, n: 20, dimension: 5 }\ntask: mse\n"
                               "rule: { kind: adam, learning_rate: 0.01, batch: 6, clip: 1 }\nsteps: 40\n";
    const laboratory l = laboratory_of(*state, arena, text);
    orr_member member;
    orr_training *a = training_of(*state, &l, &member), *b = training_of(*state, &l, &member);
    void *saved = orr_arena_take(arena, 1, orr_training_state_bytes(a));
    assert_ok(*state, orr_training_advance(a, 17));
    orr_training_save(a, 0, saved);
    assert_ok(*state, orr_training_advance(a, 23));
    orr_training_load(b, 0, saved);
    assert_int_equal(orr_training_steps(b), 17);
    assert_ok(*state, orr_training_advance(b, 23));
    for (int64_t i = 0; i < l.problems[0]->n_tensors; i++)
        assert_memory_equal(orr_training_parameter(a, i), orr_training_parameter(b, i),
                            (size_t)orr_shape_count(&l.problems[0]->tensors[i].shape) * sizeof(float));
    orr_training_free(a);
    orr_training_free(b);
}

static void an_update_allocates_nothing(void **state) {
    static const char text[] = "name: still\narchitecture: { kind: mlp, widths: [6] }\n"
                               "data: { kind: gaussian, n: 20, dimension: 5 }\ntask: mse\n"
                               "rule: { kind: adam, learning_rate: 0.01, batch: 6 }\nsteps: 40\n";
    const laboratory l = laboratory_of(*state, arena, text);
    orr_member member;
    orr_training *t = training_of(*state, &l, &member);
    assert_ok(*state, orr_training_advance(t, 1));
    const int64_t before = orr_context_allocations(*state);
    assert_ok(*state, orr_training_advance(t, 30));
    assert_int_equal(orr_context_allocations(*state), before);
    orr_training_free(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_flow_is_the_exponential_of_the_covariance),
        cmocka_unit_test(an_epoch_sees_each_example_once_in_an_order_of_its_own),
        cmocka_unit_test(fresh_examples_are_others_in_each_update),
        cmocka_unit_test(a_state_that_is_loaded_goes_on_to_the_same_bits),
        cmocka_unit_test(an_update_allocates_nothing),
    };
    return cmocka_run_group_tests_name("lab/training", tests, setup, teardown);
}
