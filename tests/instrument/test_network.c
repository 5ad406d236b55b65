/* Instruments over a small network in training, against differences of its outputs and of its gradient. */
#include "instrument/measuring.h"

enum { P = TOY_WIDTH * TOY_FEATURES + TOY_WIDTH + TOY_CLASSES * TOY_WIDTH + TOY_CLASSES };

static orr_arena *arena;
static orr_problem problem;
static double w[P];

static int setup(void **state) {
    orr_context *ctx;
    if (orr_context_new(NULL, &ctx) != ORR_OK || orr_arena_new(ctx, &arena) != ORR_OK) return -1;
    problem = toy_problem(ctx, arena, "mse", ORR_F64);
    assert_int_equal(problem.n, P);
    assert_ok(ctx, orr_problem_initial(ctx, &problem, 3, w));
    *state = ctx;
    return 0;
}

static int teardown(void **state) {
    orr_arena_free(arena);
    orr_context_free(*state);
    return 0;
}

/* Measures once at the start, and once more after `steps` updates. */
static void measure(orr_context *ctx, const char *kind, const char *number, int64_t value, int64_t steps, notes *out) {
    measure_with(ctx, arena, &problem, kind, (const choice[]){ { number, (double)value }, { 0 } }, steps, out);
}

/* f(w + h e_p) of all examples, [TOY_N, TOY_CLASSES], through a program of the outputs alone. */
static void outputs_at(orr_context *ctx, int64_t p, double h, double *out) {
    orr_graph *g;
    orr_program *program;
    orr_problem_graph nodes;
    assert_ok(ctx, orr_graph_new(ctx, &g));
    assert_ok(ctx, orr_problem_build(ctx, arena, &problem, g, &nodes));
    assert_ok(ctx, orr_compile(ctx, g, &(orr_compile_options){ .outputs = &nodes.output, .n_outputs = 1 }, &program));
    assert_ok(ctx, orr_problem_feed(ctx, &problem, &nodes, program));
    for (int64_t t = 0, at = 0; t < problem.n_tensors; t++) {
        double *to = orr_program_data(program, nodes.parameter[t]);
        for (int64_t i = 0; i < orr_shape_count(&problem.tensors[t].shape); i++, at++)
            to[i] = w[at] + (at == p ? h : 0);
    }
    assert_ok(ctx, orr_program_run(program));
    memcpy(out, orr_program_data(program, nodes.output), TOY_N * TOY_CLASSES * sizeof *out);
    orr_program_free(program);
    orr_graph_free(g);
}

static const double h = 1e-5; /* central differences: h^2 of truncation, 1e-16 / h of rounding: both about 1e-10 */

static void jacobian(orr_context *ctx, double j[P][TOY_N * TOY_CLASSES]) {
    double up[TOY_N * TOY_CLASSES], down[TOY_N * TOY_CLASSES];
    for (int p = 0; p < P; p++) {
        outputs_at(ctx, p, h, up);
        outputs_at(ctx, p, -h, down);
        for (int i = 0; i < TOY_N * TOY_CLASSES; i++) j[p][i] = (up[i] - down[i]) / (2 * h);
    }
}

static double target(int i, int c) { return toy_label[i] == c ? 1.0 : 0.0; }

static void the_ntk_is_the_product_of_jacobians(void **state) {
    static notes t;
    static double j[P][TOY_N * TOY_CLASSES];
    double trace = 0.0;
    jacobian(*state, j);
    measure(*state, "ntk", "gram", 1, 5, &t);
    assert_true(noted(&t, "ntk_drift") > 1e-4); /* five steps of 0.1 move it */
    assert_true(fabs(noted(&t, "ntk_alignment")) <= 1.0);
    measure(*state, "ntk", "gram", 1, 0, &t);
    const note_of_array *gram = noted_array(&t, "ntk");
    assert_int_equal(orr_shape_count(&gram->shape), TOY_N * TOY_N);
    for (int a = 0; a < TOY_N; a++)
        for (int b = 0; b < TOY_N; b++) {
            double k = 0.0;
            for (int p = 0; p < P; p++)
                for (int c = 0; c < TOY_CLASSES; c++) k += j[p][a * TOY_CLASSES + c] * j[p][b * TOY_CLASSES + c];
            assert_close(gram->data[a * TOY_N + b], k, 1e-8);
            if (a == b) trace += k;
        }
    assert_close(noted(&t, "ntk_trace"), trace, 1e-7);
    assert_close(noted(&t, "ntk_drift"), 0.0, 0.0);
}

/* g_i = J_i' (f_i - y_i) of the squared error with its factor 1/2 */
static void gradients_of_examples_are_those_of_differences(void **state) {
    static notes t;
    static double j[P][TOY_N * TOY_CLASSES], f[TOY_N * TOY_CLASSES], g[TOY_N][P];
    double mean = 0.0, low = 1e300, high = 0.0, squares = 0.0, mean_square = 0.0;
    jacobian(*state, j);
    outputs_at(*state, -1, 0, f);
    for (int i = 0; i < TOY_N; i++) {
        double square = 0.0;
        for (int p = 0; p < P; p++) {
            g[i][p] = 0.0;
            for (int c = 0; c < TOY_CLASSES; c++)
                g[i][p] += j[p][i * TOY_CLASSES + c] * (f[i * TOY_CLASSES + c] - target(i, c));
            square += g[i][p] * g[i][p];
        }
        squares += square;
        mean += sqrt(square) / TOY_N;
        low = fmin(low, sqrt(square));
        high = fmax(high, sqrt(square));
    }
    for (int p = 0; p < P; p++) {
        double sum = 0.0;
        for (int i = 0; i < TOY_N; i++) sum += g[i][p] / TOY_N;
        mean_square += sum * sum;
    }
    measure(*state, "per-example-gradients", NULL, 0, 0, &t);
    assert_close(noted(&t, "gradient_norm_mean"), mean, 1e-8);
    assert_close(noted(&t, "gradient_norm_min"), low, 1e-8);
    assert_close(noted(&t, "gradient_norm_max"), high, 1e-8);
    assert_close(noted(&t, "gradient_noise_trace"), (squares - TOY_N * mean_square) / (TOY_N - 1), 1e-8);
    measure(*state, "norms", "each", 1, 0, &t);
    assert_close(noted(&t, "gradient_norm"), sqrt(mean_square), 1e-8);
}

/* v' H v by differences of the gradient, as far apart as those of outputs. */
static double bent(orr_context *ctx, const orr_landscape *l, const double *v) {

    double at[P], plus[P], minus[P], loss, sum = 0.0;
    for (int p = 0; p < P; p++) at[p] = w[p] + h * v[p];
    assert_ok(ctx, l->gradient(l->self, at, &loss, plus));
    for (int p = 0; p < P; p++) at[p] = w[p] - h * v[p];
    assert_ok(ctx, l->gradient(l->self, at, &loss, minus));
    for (int p = 0; p < P; p++) sum += v[p] * (plus[p] - minus[p]) / (2.0 * h);
    return sum;
}

static void the_weighted_noise_scale_is_that_of_differences(void **state) {
    static notes t;
    static double j[P][TOY_N * TOY_CLASSES], f[TOY_N * TOY_CLASSES], g[TOY_N][P], mean[P];
    orr_problem_landscape *landscape;
    double trace = 0.0;
    assert_ok(*state, orr_problem_landscape_new(*state, &problem, &landscape));
    const orr_landscape l = orr_problem_landscape_view(landscape);
    jacobian(*state, j);
    outputs_at(*state, -1, 0, f);
    for (int p = 0; p < P; p++)
        for (int i = 0; i < TOY_N; i++) {
            for (int c = 0; c < TOY_CLASSES; c++)
                g[i][p] += j[p][i * TOY_CLASSES + c] * (f[i * TOY_CLASSES + c] - target(i, c));
            mean[p] += g[i][p] / TOY_N;
        }
    for (int i = 0; i < TOY_N; i++) {
        double v[P];
        for (int p = 0; p < P; p++) v[p] = g[i][p] - mean[p];
        trace += bent(*state, &l, v) / (TOY_N - 1);
    }
    const double signal = bent(*state, &l, mean) - trace / TOY_N;
    measure(*state, "per-example-gradients", "curvature", 1, 0, &t);
    assert_close(noted(&t, "gradient_curved_trace"), trace, 1e-6);
    assert_close(noted(&t, "gradient_curved_signal"), signal, 1e-6);
    assert_int_equal(is_noted(&t, "gradient_noise_weighted"), signal > 0.0);
    orr_problem_landscape_free(landscape);
}

static void norms_are_those_of_the_parameters(void **state) {
    static notes t;
    double square = 0.0, first = 0.0;
    for (int p = 0; p < P; p++) square += w[p] * w[p];
    for (int p = 0; p < TOY_WIDTH * TOY_FEATURES; p++) first += w[p] * w[p];
    measure(*state, "norms", "each", 1, 0, &t);
    assert_close(noted(&t, "norm"), sqrt(square), 1e-12);
    assert_close(noted(&t, "norm.layer1.weight"), sqrt(first), 1e-12);
    assert_close(noted(&t, "distance"), 0.0, 0.0);
    const double gradient = noted(&t, "gradient_norm");
    measure(*state, "norms", "each", 0, 1, &t); /* one update: w - 0.1 g */
    assert_close(noted(&t, "update_size"), 0.1 * gradient, 1e-12);
    assert_close(noted(&t, "distance"), 0.1 * gradient, 1e-12);
}

/* sum_p d/dw_p of the gradient's element p, by differences of the gradient */
static void the_trace_of_the_hessian_is_that_of_differences(void **state) {
    static notes t;
    double expected = 0.0, up[P], down[P], loss, at[P];
    orr_problem_landscape *l;
    assert_ok(*state, orr_problem_landscape_new(*state, &problem, &l));
    const orr_landscape view = orr_problem_landscape_view(l);
    for (int p = 0; p < P; p++) {
        memcpy(at, w, sizeof at);
        at[p] = w[p] + h;
        assert_ok(*state, view.gradient(view.self, at, &loss, up));
        at[p] = w[p] - h;
        assert_ok(*state, view.gradient(view.self, at, &loss, down));
        expected += (up[p] - down[p]) / (2 * h);
    }
    orr_problem_landscape_free(l);
    measure(*state, "hessian-trace", "products", 2000, 0, &t);
    const double error = noted(&t, "hessian_trace_error");
    assert_true(error < 0.05 * fabs(expected));
    assert_close(noted(&t, "hessian_trace"), expected, 5.0 * error + 1e-7); /* one in a million by chance */
}

static void accuracy_is_the_part_of_largest_outputs_that_are_right(void **state) {
    static notes t;
    double f[TOY_N * TOY_CLASSES];
    int right = 0;
    outputs_at(*state, -1, 0, f);
    for (int i = 0; i < TOY_N; i++) {
        int best = 0;
        for (int c = 1; c < TOY_CLASSES; c++)
            if (f[i * TOY_CLASSES + c] > f[i * TOY_CLASSES + best]) best = c;
        right += best == toy_label[i];
    }
    measure(*state, "accuracy", NULL, 0, 0, &t);
    assert_close(noted(&t, "accuracy"), (double)right / TOY_N, 1e-15);
}

/* The array is what training started from, tensor by tensor; and after an update what gradient descent makes of it. */
static void parameters_are_recorded_as_they_are(void **state) {
    static notes t;
    orr_problem_landscape *l;
    double g[P], loss;
    measure(*state, "parameters", NULL, 0, 1, &t);
    assert_int_equal(t.arrays, 2);
    assert_true(orr_shape_equal(&t.array[0].shape, &ORR_SHAPE(P)));
    assert_ok(*state, orr_problem_landscape_new(*state, &problem, &l));
    const orr_landscape view = orr_problem_landscape_view(l);
    assert_ok(*state, view.gradient(view.self, w, &loss, g));
    for (int p = 0; p < P; p++) {
        assert_close(t.array[0].data[p], w[p], 0.0);
        assert_close(t.array[1].data[p], w[p] - 0.1 * g[p], 1e-15); /* rounding */
    }
    orr_problem_landscape_free(l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ntk_is_the_product_of_jacobians),
        cmocka_unit_test(gradients_of_examples_are_those_of_differences),
        cmocka_unit_test(the_weighted_noise_scale_is_that_of_differences),
        cmocka_unit_test(norms_are_those_of_the_parameters),
        cmocka_unit_test(the_trace_of_the_hessian_is_that_of_differences),
        cmocka_unit_test(parameters_are_recorded_as_they_are),
        cmocka_unit_test(accuracy_is_the_part_of_largest_outputs_that_are_right),
    };
    return cmocka_run_group_tests_name("instrument/network", tests, setup, teardown);
}
