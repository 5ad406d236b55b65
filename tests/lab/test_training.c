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

/* ---- the kick --------------------------------------------------------------------------------------------------------------- */

static const char kick_text[] =
    "name: kick\narchitecture: { kind: mlp, widths: [8, 8] }\nprecision: f64\n"
    "data: { kind: multi-index, n: 24, dimension: 3, rank: 3, degrees: [3, 2, 1], seed: 1 }\ntask: mse\n"
    "rule: { kind: gd, learning_rate: 0.3, kick: %s }\nsteps: 300\n";

static laboratory kick_laboratory(orr_context *ctx, const char *size) {
    char text[512];
    (void)snprintf(text, sizeof text, kick_text, size);
    return laboratory_of(ctx, arena, text);
}

static void read_parameters(const orr_training *t, const orr_problem *p, double *w) {
    for (int64_t i = 0; i < p->n_tensors; i++) {
        const int64_t n = orr_shape_count(&p->tensors[i].shape);
        memcpy(w, orr_training_parameter(t, i), (size_t)n * sizeof *w);
        w += n;
    }
}

/* Both runs are one until s_1 > 2.  There one is moved by d = sqrt(kick L eta) v_1, of either sign, before it goes on. */
static void a_kick_is_a_step_along_the_eigenvector_at_the_edge(void **state) {
    enum { ROOM = 256 };
    const laboratory with = kick_laboratory(*state, "0.1"), without = kick_laboratory(*state, "0");
    const orr_problem *p = with.problems[0];
    orr_member m, m2;
    orr_training *a = training_of(*state, &with, &m), *b = training_of(*state, &without, &m2);
    orr_problem_landscape *l;
    double w[ROOM], w_a[ROOM], v[ROOM] = { 0 }, g[ROOM], loss, s = 0.0, before = 0.0, error[2] = { 0.0, 0.0 };
    assert_true(p->n <= ROOM);
    assert_ok(*state, orr_problem_landscape_new(*state, p, &l));
    const orr_landscape view = orr_problem_landscape_view(l);
    int k = 0;
    for (; k < 300 && !(s > 2.0); k++) {
        before = s;
        read_parameters(b, p, w);
        memset(v, 0, sizeof v);
        assert_ok(*state, orr_landscape_sharpness(*state, arena, &view, w, v, &s));
        s *= 0.3;
        read_parameters(a, p, w_a);
        for (int64_t i = 0; i < p->n; i++) assert_close(w_a[i], w[i], 0.0);
        assert_ok(*state, orr_training_advance(a, 1));
        assert_ok(*state, orr_training_advance(b, 1));
    }
    assert_true(k > 2 && k < 300 && before <= 2.0);
    assert_ok(*state, view.gradient(view.self, w, &loss, g));
    read_parameters(a, p, w_a);
    for (int sign = 0; sign < 2; sign++) {
        double kicked[ROOM];
        for (int64_t i = 0; i < p->n; i++) kicked[i] = w[i] + (sign ? -1.0 : 1.0) * sqrt(0.1 * loss * 0.3) * v[i];
        double ignored;
        assert_ok(*state, view.gradient(view.self, kicked, &ignored, g));
        for (int64_t i = 0; i < p->n; i++) error[sign] = fmax(error[sign], fabs(w_a[i] - (kicked[i] - 0.3 * g[i])));
    }
    assert_true(fmin(error[0], error[1]) < 1e-9); /* both eigenvectors are of 40 Lanczos steps, to some 1e-10 */
    orr_problem_landscape_free(l);
    orr_training_free(a);
    orr_training_free(b);
}

/* Before, at and after the kick. */
static void a_run_that_is_kicked_goes_on_to_the_same_bits_from_any_state(void **state) {
    enum { ROOM = 256, STEPS = 120 };
    const laboratory l = kick_laboratory(*state, "0.1");
    const orr_problem *p = l.problems[0];
    orr_member m, m2;
    orr_training *a = training_of(*state, &l, &m);
    double end[ROOM], w[ROOM];
    char *saved = orr_arena_take(arena, STEPS, orr_training_state_bytes(a));
    assert_non_null(saved);
    for (int k = 0; k < STEPS; k++) {
        orr_training_save(a, 0, saved + (size_t)k * orr_training_state_bytes(a));
        assert_ok(*state, orr_training_advance(a, 1));
    }
    read_parameters(a, p, end);
    orr_training *b = training_of(*state, &l, &m2);
    for (int k = 0; k < STEPS; k += 7) {
        orr_training_load(b, 0, saved + (size_t)k * orr_training_state_bytes(a));
        assert_ok(*state, orr_training_advance(b, STEPS - k));
        read_parameters(b, p, w);
        assert_memory_equal(w, end, (size_t)p->n * sizeof *w);
    }
    orr_training_free(a);
    orr_training_free(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_flow_is_the_exponential_of_the_covariance),
        cmocka_unit_test(a_kick_is_a_step_along_the_eigenvector_at_the_edge),
        cmocka_unit_test(a_run_that_is_kicked_goes_on_to_the_same_bits_from_any_state),
        cmocka_unit_test(an_epoch_sees_each_example_once_in_an_order_of_its_own),
        cmocka_unit_test(fresh_examples_are_others_in_each_update),
        cmocka_unit_test(a_state_that_is_loaded_goes_on_to_the_same_bits),
        cmocka_unit_test(an_update_allocates_nothing),
    };
    return cmocka_run_group_tests_name("lab/training", tests, setup, teardown);
}
