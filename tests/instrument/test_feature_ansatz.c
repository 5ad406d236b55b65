/* The feature ansatz against its closed form for two ReLU layers, and recursive feature machines against differences. */
#define _XOPEN_SOURCE 700 /* mkdtemp, nftw */
#include "../lab/laboratory.h"

#include "base/random.h"
#include "instrument/recursive_features.h"
#include "law/law.h"
#include "theory/feature_ansatz.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

enum { N = 9, D = 4, H = 5, C = 2 };

static const double *array_of(orr_context *ctx, const laboratory *l, const char *name, int64_t count) {
    const orr_records records = { l->store, l->sealed.run, 1, 1 };
    orr_array a;
    assert_ok(ctx, orr_records_array(&records, arena, 0, 0, name, 0, &a));
    assert_int_equal(orr_shape_count(&a.shape), count);
    return a.data;
}

/* f = V relu(W x):  AGOP_1 = W' [(V'V) * (D'D/n)] W, D the 0/1 mask (the sheet);  AGOP_2 = V'V, the last layer's power 1. */
static void the_ansatz_of_two_relu_layers_is_the_closed_form(void **state) {
    laboratory l =
        laboratory_run(*state, arena,
                       "name: relu\narchitecture: { kind: mlp, widths: [5], activation: relu, bias: false }\n"
                       "data: { kind: gaussian, n: 9, dimension: 4, outputs: 2 }\ntask: mse\nprecision: f64\n"
                       "rule: { kind: gd, learning_rate: 0.1 }\nsteps: 0\nseeds: 1\n"
                       "observe: [ { kind: feature-ansatz, powers: [1, 0.25] } ]\n",
                       ":memory:", NULL);
    double w[H * D + C * H], agop[D * D] = { 0 }, gram[D * D] = { 0 }, power[D * D];
    assert_int_equal(l.problems[0]->n, H * D + C * H);
    assert_ok(*state, orr_problem_initial(*state, l.problems[0], 0, w));
    const double *v = w + H * D, *x = l.problems[0]->data.x;
    for (int a = 0; a < H; a++)
        for (int b = 0; b < H; b++) {
            double vv = 0.0, active = 0.0;
            for (int c = 0; c < C; c++) vv += v[c * H + a] * v[c * H + b];
            for (int i = 0; i < N; i++) {
                double za = 0.0, zb = 0.0;
                for (int j = 0; j < D; j++) za += w[a * D + j] * x[i * D + j], zb += w[b * D + j] * x[i * D + j];
                active += (za > 0.0 && zb > 0.0) / (double)N;
            }
            for (int i = 0; i < D; i++)
                for (int j = 0; j < D; j++) agop[i * D + j] += w[a * D + i] * vv * active * w[b * D + j];
        }
    for (int i = 0; i < D; i++)
        for (int j = 0; j < D; j++)
            for (int a = 0; a < H; a++) gram[i * D + j] += w[a * D + i] * w[a * D + j];
    const double *correlation = array_of(*state, &l, "ansatz_correlation", 2 * 3),
                 *cosine = array_of(*state, &l, "ansatz_cosine", 2 * 3),
                 *difference = array_of(*state, &l, "ansatz_difference", 2 * 3);
    static const double powers[3] = { 0.5, 1, 0.25 }; /* that of the depth first */
    for (int k = 0; k < 3; k++) {
        assert_ok(*state, orr_matrix_power(*state, arena, D, agop, powers[k], power));
        const orr_agreement expected = orr_agreement_of(D * D, gram, power);
        /* rounding of 1e-16; AGOP_1 has rank 4 or its zeros, to the power 1/4, are 1e-4 */
        const double limit = powers[k] < 0.5 ? 1e-3 : 1e-7;
        assert_close(correlation[k], expected.correlation, limit);
        assert_close(cosine[k], expected.cosine, limit);
        assert_close(difference[k], expected.difference, limit);
    }
    assert_close(difference[3], 0.0, 1e-13); /* the last layer, power 1 */
    assert_close(cosine[3], 1.0, 1e-13);
    assert_int_equal(array_of(*state, &l, "ansatz_entries.layer1", 2 * D * D) != NULL, 1);
    orr_store_close(l.store);
}

/* f_j(x) = sum over i != j of alpha_i exp(-|x - x_i|_M/bandwidth), differentiated at x_j (the sheet: 1e-9 at a step of 1e-5). */
static void gradients_of_a_kernel_machine_are_its_differences(void **state) {
    enum { n = 12, d = 3 };
    static const double m[d * d] = { 2, 0.3, 0, 0.3, 1, -0.2, 0, -0.2, 0.5 }, bandwidth = 1.7, h = 1e-5;
    double x[n * d], alpha[n], gradient[n * d];
    orr_random_fill_normal((orr_key){ 1, ORR_PURPOSE_TEST, 0 }, 0, n * d, x);
    orr_random_fill_normal((orr_key){ 2, ORR_PURPOSE_TEST, 0 }, 0, n, alpha);
    assert_ok(*state, orr_recursive_gradients(*state, arena, n, d, x, m, alpha, bandwidth, gradient));
    for (int j = 0; j < n; j++)
        for (int c = 0; c < d; c++) {
            double f[2] = { 0 };
            for (int side = 0; side < 2; side++)
                for (int i = 0; i < n; i++) {
                    double u[d], r2 = 0.0;
                    for (int k = 0; k < d; k++) u[k] = x[j * d + k] - x[i * d + k] + (k == c ? (side ? h : -h) : 0.0);
                    for (int k = 0; k < d; k++)
                        for (int k2 = 0; k2 < d; k2++) r2 += u[k] * m[k * d + k2] * u[k2];
                    if (i != j) f[side] += alpha[i] * exp(-sqrt(r2) / bandwidth);
                }
            assert_close(gradient[j * d + c], (f[1] - f[0]) / (2 * h), 2e-9);
        }
}

/* The sheet's figures, over its three to four seeds: R^2 .76-.79 at first, .965-.978 at last; with a margin for others. */
static void a_machine_finds_the_directions_of_its_target(void **state) {
    laboratory l =
        laboratory_run(*state, arena,
                       "name: machine\narchitecture: linear\ntask: mse\nprecision: f64\n"
                       "data: { kind: multi-index, n: 500, n_test: 2000, dimension: 20, rank: 3, link: pairs }\n"
                       "rule: { kind: gd, learning_rate: 0.1 }\nsteps: 0\nseeds: 1\n"
                       "observe: [ { kind: recursive-features } ]\n",
                       ":memory:", NULL);
    const double *r2 = array_of(*state, &l, "rfm_r2", 6), *energy = array_of(*state, &l, "rfm_energy", 6),
                 *diagonal = array_of(*state, &l, "rfm_diagonal", 20);
    double trace = 0.0;
    assert_close(r2[0], 0.76, 0.08);
    assert_close(r2[5], 0.96, 0.025);
    assert_true(energy[5] > 0.99);
    for (int i = 0; i < 20; i++) trace += diagonal[i];
    assert_close(trace, 20.0, 1e-12);
    orr_store_close(l.store);
}

/* z_1 z_2 + z_3 on axes. */
static void pairs_are_products_of_two_directions_and_what_is_left(void **state) {
    laboratory l =
        laboratory_of(*state, arena,
                      "name: pairs\narchitecture: linear\ntask: mse\nsteps: 0\nobserve: [loss]\n"
                      "rule: { kind: gd, learning_rate: 0.1 }\n"
                      "data: { kind: multi-index, n: 30, dimension: 5, rank: 3, directions: axes, link: pairs }\n");
    const double *x = l.problems[0]->data.x, *y = l.problems[0]->data.y;
    for (int i = 0; i < 30; i++) assert_close(y[i], x[5 * i] * x[5 * i + 1] + x[5 * i + 2], 1e-15);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        CLAIM(the_ansatz_of_two_relu_layers_is_the_closed_form),
        CLAIM(gradients_of_a_kernel_machine_are_its_differences),
        CLAIM(a_machine_finds_the_directions_of_its_target),
        CLAIM(pairs_are_products_of_two_directions_and_what_is_left),
    };
    return cmocka_run_group_tests_name("instrument/feature_ansatz", tests, NULL, NULL);
}
