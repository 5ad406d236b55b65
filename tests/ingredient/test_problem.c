#include "testing.h"

#include "toy_problem.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

/* The network 4-3-3 with loops: w = weights and bias of layer 1, then of layer 2. */
static void forward(const double *w, const double *x, double *out) {
    const double *w1 = w, *b1 = w1 + TOY_WIDTH * TOY_FEATURES, *w2 = b1 + TOY_WIDTH, *b2 = w2 + TOY_CLASSES * TOY_WIDTH;
    double h[TOY_WIDTH];
    for (int j = 0; j < TOY_WIDTH; j++) {
        h[j] = b1[j];
        for (int i = 0; i < TOY_FEATURES; i++) h[j] += w1[j * TOY_FEATURES + i] * x[i];
        h[j] = tanh(h[j]);
    }
    for (int c = 0; c < TOY_CLASSES; c++) {
        out[c] = b2[c];
        for (int j = 0; j < TOY_WIDTH; j++) out[c] += w2[c * TOY_WIDTH + j] * h[j];
    }
}

static double mse(const double *w, const orr_dataset *data) {
    double sum = 0.0, f[TOY_CLASSES];
    for (int i = 0; i < TOY_N; i++) {
        forward(w, data->x + i * TOY_FEATURES, f);
        for (int c = 0; c < TOY_CLASSES; c++) sum += (f[c] - (c == data->label[i])) * (f[c] - (c == data->label[i]));
    }
    return sum / (2 * TOY_N);
}

static double cross_entropy(const double *w, const orr_dataset *data) {
    double sum = 0.0, f[TOY_CLASSES];
    for (int i = 0; i < TOY_N; i++) {
        double z = 0.0;
        forward(w, data->x + i * TOY_FEATURES, f);
        for (int c = 0; c < TOY_CLASSES; c++) z += exp(f[c]);
        sum += log(z) - f[data->label[i]];
    }
    return sum / TOY_N;
}

static void check_task(orr_context *ctx, const char *task,
                       double (*loss_of)(const double *w, const orr_dataset *data)) {
    const orr_problem p = toy_problem(ctx, arena, task, ORR_F64);
    orr_problem_landscape *l;
    double w[64], g[64], v[64], hv[64], up[64], down[64], shifted[64], u[64], third[64], loss, ignored;
    assert_int_equal(p.n, 27);
    assert_ok(ctx, orr_problem_initial(ctx, &p, 3, w));
    assert_ok(ctx, orr_problem_landscape_new(ctx, &p, &l));
    const orr_landscape view = orr_problem_landscape_view(l);
    assert_ok(ctx, view.gradient(view.self, w, &loss, g));
    assert_close(loss, loss_of(w, &p.data), 1e-14); /* rounding */
    for (int64_t i = 0; i < p.n;
         i++) { /* central differences of the loops: error h^2 and rounding/h, 1e-9 at h = 1e-5 */
        memcpy(shifted, w, sizeof shifted);
        shifted[i] = w[i] + 1e-5;
        const double above = loss_of(shifted, &p.data);
        shifted[i] = w[i] - 1e-5;
        assert_close(g[i], (above - loss_of(shifted, &p.data)) / 2e-5, 1e-9);
    }
    /* H v against the difference of gradients along v */
    orr_random_fill_normal((orr_key){ .seed = 9, .purpose = ORR_PURPOSE_TEST }, 0, p.n, v);
    assert_ok(ctx, view.at(view.self, w));
    assert_ok(ctx, view.hessian_product(view.self, v, hv));
    for (int64_t i = 0; i < p.n; i++) shifted[i] = w[i] + 1e-5 * v[i];
    assert_ok(ctx, view.gradient(view.self, shifted, &ignored, up));
    for (int64_t i = 0; i < p.n; i++) shifted[i] = w[i] - 1e-5 * v[i];
    assert_ok(ctx, view.gradient(view.self, shifted, &ignored, down));
    for (int64_t i = 0; i < p.n; i++) assert_close(hv[i], (up[i] - down[i]) / 2e-5, 1e-8);
    /* grad (u' H v) against the difference of H v along u, after which the landscape stands elsewhere */
    orr_random_fill_normal((orr_key){ .seed = 10, .purpose = ORR_PURPOSE_TEST }, 0, p.n, u);
    assert_ok(ctx, view.third_product(view.self, u, v, third));
    for (int64_t i = 0; i < p.n; i++) shifted[i] = w[i] + 1e-5 * u[i];
    assert_ok(ctx, view.at(view.self, shifted));
    assert_ok(ctx, view.hessian_product(view.self, v, up));
    for (int64_t i = 0; i < p.n; i++) shifted[i] = w[i] - 1e-5 * u[i];
    assert_ok(ctx, view.at(view.self, shifted));
    assert_ok(ctx, view.hessian_product(view.self, v, down));
    for (int64_t i = 0; i < p.n; i++) assert_close(third[i], (up[i] - down[i]) / 2e-5, 1e-7);
    orr_problem_landscape_free(l);
}

static void mse_is_the_formula_with_its_derivatives(void **state) { check_task(*state, "mse", mse); }
static void cross_entropy_is_the_formula_with_its_derivatives(void **state) {
    check_task(*state, "cross-entropy", cross_entropy);
}

static void single_precision_agrees_to_its_rounding(void **state) {
    const orr_problem p = toy_problem(*state, arena, "mse", ORR_F32);
    orr_problem_landscape *l;
    double w[64], g[64], loss;
    assert_ok(*state, orr_problem_initial(*state, &p, 3, w));
    assert_ok(*state, orr_problem_landscape_new(*state, &p, &l));
    const orr_landscape view = orr_problem_landscape_view(l);
    assert_ok(*state, view.gradient(view.self, w, &loss, g));
    assert_close(loss, mse(w, &p.data), 1e-6); /* a few dozen roundings of 6e-8 */
    orr_problem_landscape_free(l);
}

/* Initial parameters: variance and stream of each tensor as declared, whatever is drawn beside it. */
static void initial_parameters_have_the_declared_variance_and_follow_the_seed_alone(void **state) {
    const orr_problem p = toy_problem(*state, arena, "mse", ORR_F64);
    enum { SEEDS = 2000 };
    double w[64], again[64], weights = 0.0, biases = 0.0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        assert_ok(*state, orr_problem_initial(*state, &p, seed, w));
        for (int i = 0; i < 12; i++) weights += w[i] * w[i];
        for (int i = 12; i < 15; i++) biases += w[i] * w[i];
    }
    /* means of 24,000 and 6,000 squares: relative sampling error sqrt(2/n) = 0.9 % and 1.8 %; five of them */
    assert_close(weights / (12 * SEEDS), 1.0 / TOY_FEATURES, 0.045 / TOY_FEATURES);
    assert_close(biases / (3 * SEEDS), 0.25, 0.09 * 0.25);
    assert_ok(*state, orr_problem_initial(*state, &p, 7, w));
    assert_ok(*state, orr_problem_initial(*state, &p, 7, again));
    assert_memory_equal(w, again, (size_t)p.n * sizeof *w);
    assert_ok(*state, orr_problem_initial(*state, &p, 8, again));
    for (int64_t i = 0; i < p.n; i++) assert_true(w[i] != again[i]);
    assert_true(w[0] != w[15]); /* layers don't share a stream */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mse_is_the_formula_with_its_derivatives),
        cmocka_unit_test(cross_entropy_is_the_formula_with_its_derivatives),
        cmocka_unit_test(single_precision_agrees_to_its_rounding),
        cmocka_unit_test(initial_parameters_have_the_declared_variance_and_follow_the_seed_alone),
    };
    return cmocka_run_group_tests_name("ingredient/problem", tests, setup, teardown);
}
