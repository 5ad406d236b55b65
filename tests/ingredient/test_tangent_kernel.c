/* The tangent kernel of initial networks against formulas, and outputs that are centred. */
#define _POSIX_C_SOURCE 200809L
#include "lab/laboratory.h"

#include "ingredient/tangent_kernel.h"
#include "ingredient/task/mse.h"
#include "store/query.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

enum { N = 5, M = 3, D = 4, WIDTH = 7 };

static const orr_problem *problem_of(orr_context *ctx, const char *rest) {
    const char *text = orr_arena_format(arena,
                                        "name: t\nprecision: f64\nrule: { kind: gd, learning_rate: 0.1 }\nsteps: 1\n"
                                        "observe: [loss]\n%s",
                                        rest);
    assert_non_null(text);
    return laboratory_of(ctx, arena, text).problems[0];
}

#define ONE_HIDDEN(activation, more)                                                                                   \
    "architecture: { kind: mlp, widths: [7], activation: " activation ", bias: false }\n"                              \
    "parameterization: { kind: ntk" more " }\ntask: { kind: mse }\n"                                                   \
    "data: { kind: multi-index, n: 5, n_test: 3, dimension: 4, rank: 2, degrees: [1, 2] }\n"

static orr_tangent_kernel kernel_of(orr_context *ctx, const orr_problem *p) {
    orr_tangent_kernel k;
    double *w = ORR_NEW(arena, double, p->n);
    assert_non_null(w);
    assert_ok(ctx, orr_problem_initial(ctx, p, 2, w));
    assert_ok(ctx, orr_tangent_kernel_new(ctx, arena, p, w, NULL, NULL, &k));
    return k;
}

static double dot(const double *a, const double *b, int64_t n) {
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

static double erf_slope(double z) { return 2.0 / sqrt(3.14159265358979323846) * exp(-z * z); }
static double relu(double z) { return z > 0 ? z : 0.0; }
static double relu_slope(double z) { return z > 0 ? 1.0 : 0.0; }

/* Sheet: Theta_0 = (1/m) sum_i phi(z_i) phi(z'_i) + (x.x'/d) (1/m) sum_i a_i^2 phi'(z_i) phi'(z'_i). */
static void check_one_hidden(orr_context *ctx, const char *text, double (*phi)(double), double (*slope)(double)) {
    const orr_problem *p = problem_of(ctx, text);
    const orr_tangent_kernel k = kernel_of(ctx, p);
    const double *w = k.w, *a = w + WIDTH * D;
    assert_int_equal(k.n, N);
    assert_int_equal(k.m, M);
    for (int i = 0; i < N + M; i++) {
        const double *x = p->data.x + i * D;
        double f = 0.0;
        for (int h = 0; h < WIDTH; h++) f += a[h] * phi(dot(w + h * D, x, D) / 2.0) / sqrt(WIDTH); /* sqrt d = 2 */
        assert_close(i < N ? k.f[i] : k.f_test[i - N], f, 1e-14);                                  /* rounding */
        for (int j = 0; j < N; j++) {
            const double *y = p->data.x + j * D;
            double theta = 0.0;
            for (int h = 0; h < WIDTH; h++) {
                const double z = dot(w + h * D, x, D) / 2.0, z_y = dot(w + h * D, y, D) / 2.0;
                theta += (phi(z) * phi(z_y) + dot(x, y, D) / D * a[h] * a[h] * slope(z) * slope(z_y)) / WIDTH;
            }
            assert_close((i < N ? k.train + i * N : k.test + (i - N) * N)[j], theta, 1e-13);
        }
    }
}

static void with_one_hidden_layer_it_is_the_formula_of_the_sheet(void **state) {
    check_one_hidden(*state, ONE_HIDDEN("erf", ""), erf, erf_slope);
    check_one_hidden(*state, ONE_HIDDEN("relu", ""), relu, relu_slope);
}

/* f = alpha F: the kernel is alpha^2 times as large, or the same where learning rates go with it. */
static void the_output_scale_enters_twice_unless_rates_match_it(void **state) {
    const orr_tangent_kernel one = kernel_of(*state, problem_of(*state, ONE_HIDDEN("tanh", ""))),
                             scaled = kernel_of(*state, problem_of(*state, ONE_HIDDEN("tanh", ", output_scale: 3"))),
                             matched = kernel_of(*state, problem_of(*state, ONE_HIDDEN("tanh", ", output_scale: 3, "
                                                                                               "matched_rate: true")));
    for (int i = 0; i < N * N; i++) {
        assert_close(scaled.train[i], 9.0 * one.train[i], 1e-13 * (1.0 + 9.0 * fabs(one.train[i])));
        assert_close(matched.train[i], one.train[i], 1e-13 * (1.0 + fabs(one.train[i])));
    }
    for (int i = 0; i < N; i++) assert_close(matched.f[i], 3.0 * one.f[i], 1e-13);
}

/* Centred: it starts at 0, with the kernel that it has without. */
static void a_centred_output_starts_at_zero_with_the_same_kernel(void **state) {
    const orr_problem *p = problem_of(*state, ONE_HIDDEN("tanh", ", centred: true"));
    const orr_tangent_kernel plain = kernel_of(*state, problem_of(*state, ONE_HIDDEN("tanh", ""))),
                             centred = kernel_of(*state, p);
    assert_int_equal(p->n, 2 * WIDTH * (D + 1));
    for (int i = 0; i < N; i++) assert_close(centred.f[i], 0.0, 0.0);
    for (int i = 0; i < M; i++) assert_close(centred.f_test[i], 0.0, 0.0);
    for (int i = 0; i < N * N; i++) assert_close(centred.train[i], plain.train[i], 1e-15);
    for (int i = 0; i < M * N; i++) assert_close(centred.test[i], plain.test[i], 1e-15);
    assert_string_equal(p->tensors[2].name, "origin.layer1.weight");
    assert_true(p->tensors[2].frozen && !p->tensors[0].frozen);
}

/* Training of a centred network is that of the plain one on targets with its initial output added. */
static void a_centred_network_learns_what_is_left(void **state) {
    static const char end[] = "name: t\nprecision: f64\nrule: { kind: gd, learning_rate: 0.2 }\nsteps: 20\nseeds: 3\n"
                              "observe: [ { kind: outputs, at: [0, 20] }, { kind: ntk, every: 20, gram: true } ]\n";
    const char *text = orr_arena_format(arena, "%s%s", end, ONE_HIDDEN("tanh", ", centred: true"));
    laboratory l = laboratory_run(*state, arena, text, ":memory:", &(orr_lab_options){ .jobs = 1 });
    double w[2 * WIDTH * (D + 1)], h[WIDTH];
    const orr_problem *p = l.problems[0];
    assert_ok(*state, orr_problem_initial(*state, p, 0, w));
    double f_0[N], f[N] = { 0 }, *a = w + WIDTH * D;
    for (int step = 0; step <= 20; step++) { /* loops: y' = y + F(w_0), L = 1/(2 n) sum (F - y')^2 */
        double dw[WIDTH * D] = { 0 }, da[WIDTH] = { 0 };
        for (int i = 0; i < N; i++) {
            const double *x = p->data.x + i * D;
            f[i] = 0.0;
            for (int j = 0; j < WIDTH; j++) h[j] = tanh(dot(w + j * D, x, D) / 2.0), f[i] += a[j] * h[j] / sqrt(WIDTH);
            if (step == 0) f_0[i] = f[i];
            const double e = (f[i] - f_0[i] - p->data.y[i]) / N;
            for (int j = 0; j < WIDTH; j++) {
                da[j] += e * h[j] / sqrt(WIDTH);
                for (int c = 0; c < D; c++) dw[j * D + c] += e * a[j] * (1.0 - h[j] * h[j]) * x[c] / 2.0 / sqrt(WIDTH);
            }
        }
        for (int j = 0; j < WIDTH && step < 20; j++) a[j] -= 0.2 * da[j];
        for (int j = 0; j < WIDTH * D && step < 20; j++) w[j] -= 0.2 * dw[j];
    }
    orr_array first, last;
    int64_t at;
    assert_ok(*state, orr_query_array(l.store, arena, l.sealed.run[0], "output", 0, &first, &at));
    assert_ok(*state, orr_query_array(l.store, arena, l.sealed.run[0], "output", 20, &last, &at));
    for (int i = 0; i < N; i++) {
        assert_close(((const double *)first.data)[i], 0.0, 0.0);
        assert_close(((const double *)last.data)[i], f[i] - f_0[i], 1e-13); /* twenty updates' rounding */
    }
    orr_store_close(l.store);
}

/* Three outputs: traced over them, it is what the instrument ntk records; and it is symmetric between all pairs. */
static void with_several_outputs_its_trace_is_the_kernel_of_the_instrument(void **state) {
    static const char text[] = "name: t\nprecision: f64\nrule: { kind: gd, learning_rate: 0.1 }\nsteps: 1\nseeds: 3\n"
                               "observe: [ { kind: ntk, at: [0], gram: true } ]\n"
                               "architecture: { kind: mlp, widths: [6, 5], activation: tanh }\n"
                               "task: { kind: mse, target_scale: 2 }\n"
                               "data: { kind: fashion-mnist, n: 6, keep_classes: [0, 1, 2] }\n";
    laboratory l = laboratory_run(*state, arena, text, ":memory:", &(orr_lab_options){ .jobs = 1 });
    const orr_problem *p = l.problems[0];
    orr_tangent_kernel k;
    orr_array gram;
    int64_t at;
    double *w = ORR_NEW(arena, double, p->n), y[18];
    assert_non_null(w);
    assert_ok(*state, orr_problem_initial(*state, p, 0, w));
    assert_ok(*state, orr_tangent_kernel_new(*state, arena, p, w, NULL, NULL, &k));
    assert_int_equal(k.n, 18);
    assert_int_equal(k.m, 0);
    assert_ok(*state, orr_query_array(l.store, arena, l.sealed.run[0], "ntk", 0, &gram, &at));
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 6; j++) {
            double trace = 0.0;
            for (int c = 0; c < 3; c++) trace += k.train[(3 * i + c) * 18 + 3 * j + c];
            assert_close(((const double *)gram.data)[6 * i + j], trace, 1e-11 * (1.0 + fabs(trace)));
        }
    for (int a = 0; a < 18; a++)
        for (int b = 0; b < 18; b++) assert_close(k.train[a * 18 + b], k.train[b * 18 + a], 0.0);
    /* the loss is 1/2 curvature sum (f - y)^2 of those targets */
    double loss = 0.0;
    const double curvature = orr_mse_curvature(&p->kind.task_settings, 6, 3);
    orr_mse_targets(&p->kind.task_settings, &p->data, 0, 6, 3, y);
    for (int i = 0; i < 18; i++) {
        assert_close(y[i], 2.0 * (p->data.label[i / 3] == i % 3), 0.0);
        loss += 0.5 * curvature * (k.f[i] - y[i]) * (k.f[i] - y[i]);
    }
    orr_problem_landscape *landscape;
    double *g = ORR_NEW(arena, double, p->n), got;
    assert_ok(*state, orr_problem_landscape_new(*state, p, &landscape));
    const orr_landscape view = orr_problem_landscape_view(landscape);
    assert_ok(*state, view.gradient(view.self, w, &got, g));
    assert_close(got, loss, 1e-13);
    orr_problem_landscape_free(landscape);
    orr_store_close(l.store);
}

static orr_status stop(void *user) {
    (void)user;
    return ORR_EINTERRUPTED;
}

static void it_stops_where_it_is_told_to(void **state) {
    const orr_problem *p = problem_of(*state, ONE_HIDDEN("tanh", ""));
    orr_tangent_kernel k;
    double *w = ORR_NEW(arena, double, p->n);
    assert_non_null(w);
    assert_ok(*state, orr_problem_initial(*state, p, 2, w));
    assert_int_equal(orr_tangent_kernel_new(*state, arena, p, w, stop, NULL, &k), ORR_EINTERRUPTED);
    orr_context_clear(*state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_one_hidden_layer_it_is_the_formula_of_the_sheet),
        cmocka_unit_test(the_output_scale_enters_twice_unless_rates_match_it),
        cmocka_unit_test(a_centred_output_starts_at_zero_with_the_same_kernel),
        cmocka_unit_test(a_centred_network_learns_what_is_left),
        cmocka_unit_test(with_several_outputs_its_trace_is_the_kernel_of_the_instrument),
        cmocka_unit_test(it_stops_where_it_is_told_to),
    };
    return cmocka_run_group_tests_name("ingredient/tangent_kernel", tests, setup, teardown);
}
