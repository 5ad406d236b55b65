#include "numeric/minimise.h"

#include "matrices.h"

enum { MOST = 200 };

typedef struct objective {
    int64_t n, calls, fail_at, nan_at;
    orr_context *ctx;
} objective;

static orr_status admit(objective *o, double *f, double *gradient) {
    o->calls++;
    if (o->calls == o->fail_at) return orr_fail(o->ctx, ORR_EINTERRUPTED, "objective: stopped on request");
    *f = 0;
    memset(gradient, 0, (size_t)o->n * sizeof *gradient);
    return ORR_OK;
}

/* sum_i 100 (x_{i+1} - x_i^2)^2 + (1 - x_i)^2, i even: minimum 0 at (1, ..., 1) */
static orr_status rosenbrock(void *self, const double *x, double *f, double *gradient) {
    objective *o = self;
    const orr_status status = admit(o, f, gradient);
    if (status != ORR_OK) return status;
    for (int64_t i = 0; i + 1 < o->n; i += 2) {
        const double r = x[i + 1] - x[i] * x[i], s = 1 - x[i];
        *f += 100 * r * r + s * s;
        gradient[i] = -400 * r * x[i] - 2 * s;
        gradient[i + 1] = 200 * r;
    }
    if (o->calls == o->nan_at) *f = (double)NAN;
    return ORR_OK;
}

/* sum_i i x_i - log(x_i), there for x_i > 0 only: minimum at x_i = 1 / (i + 1) */
static orr_status barrier(void *self, const double *x, double *f, double *gradient) {
    objective *o = self;
    const orr_status status = admit(o, f, gradient);
    if (status != ORR_OK) return status;
    for (int64_t i = 0; i < o->n; i++) {
        *f += (double)(i + 1) * x[i] - log(x[i]); /* NaN outside */
        gradient[i] = (double)(i + 1) - 1 / x[i];
    }
    return ORR_OK;
}

/* A gradient with the wrong sign. */
static orr_status liar(void *self, const double *x, double *f, double *gradient) {
    objective *o = self;
    const orr_status status = admit(o, f, gradient);
    if (status != ORR_OK) return status;
    for (int64_t i = 0; i < o->n; i++) {
        *f += x[i] * x[i];
        gradient[i] = -2 * x[i];
    }
    return ORR_OK;
}

/* A quadratic of condition 1e6, on which SciPy's L-BFGS-B with the same memory takes 7,080 steps. */
static orr_status quadratic(void *self, const double *x, double *f, double *gradient) {
    objective *o = self;
    const orr_status status = admit(o, f, gradient);
    if (status != ORR_OK) return status;
    for (int64_t i = 0; i < o->n; i++) {
        const double h = pow(10, 6 * (double)i / (double)o->n);
        *f += 0.5 * h * (x[i] - 3) * (x[i] - 3);
        gradient[i] = h * (x[i] - 3);
    }
    return ORR_OK;
}

static void start(int64_t n, double *x) {
    for (int64_t i = 0; i < n; i++) x[i] = i % 2 ? 1 : -1.2;
}

static void rosenbrocks_valley_ends_at_ones_for_every_length(void **state) {
    static const int64_t lengths[] = { 2, 4, 14, 16, 18, 100, MOST };
    double x[MOST];
    arenas m = arenas_new(*state);
    for (int i = 0; i < 7; i++) {
        objective o = { .n = lengths[i] };
        const orr_objective f = { .n = o.n, .evaluate = rosenbrock, .self = &o };
        orr_minimised out;
        start(o.n, x);
        assert_ok(*state, orr_minimise_lbfgs(*state, m.scratch, &f, NULL, x, &out));
        assert_int_equal(out.reason, ORR_REASON_CONVERGED);
        assert_int_equal(out.evaluations, o.calls);
        assert_true(out.gradient_norm <= 1e-8 * sqrt((double)o.n) * 1.001);
        /* the smallest eigenvalue of the Hessian there is 0.4 */
        for (int64_t j = 0; j < o.n; j++) assert_close(x[j], 1, out.gradient_norm / 0.39);
        assert_true(out.f < 1e-15 && out.steps < 60);
    }
    arenas_free(m);
}

static void ill_conditioned_quadratics_are_minimised(void **state) {
    double x[50] = { 0 };
    objective o = { .n = 50 };
    const orr_objective f = { .n = 50, .evaluate = quadratic, .self = &o };
    arenas m = arenas_new(*state);
    orr_minimised out;
    assert_ok(*state, orr_minimise_lbfgs(*state, m.scratch, &f, &(orr_minimise_options){ .memory = 20 }, x, &out));
    assert_int_equal(out.reason, ORR_REASON_CONVERGED);
    assert_true(out.steps < 9000);
    for (int i = 0; i < 50; i++) assert_close(x[i], 3, out.gradient_norm * 1.01); /* smallest curvature: 1 */
    arenas_free(m);
}

static void steps_out_of_the_domain_are_taken_back(void **state) {
    double x[5] = { 1e-3, 1e-3, 1e-3, 1e-3, 1e-3 }; /* the gradient is -1,000: the first steps overshoot or cross 0 */
    objective o = { .n = 5 };
    const orr_objective f = { .n = 5, .evaluate = barrier, .self = &o };
    arenas m = arenas_new(*state);
    orr_minimised out;
    assert_ok(*state, orr_minimise_lbfgs(*state, m.scratch, &f, NULL, x, &out));
    assert_int_equal(out.reason, ORR_REASON_CONVERGED);
    for (int i = 0; i < 5; i++) assert_close(x[i], 1.0 / (i + 1), 2e-8);
    arenas_free(m);
}

static void one_variable_and_a_start_at_the_minimum_are_fine(void **state) {
    double x[2] = { 1, 1 }, one[1] = { 7 };
    objective o = { .n = 2 };
    orr_objective f = { .n = 2, .evaluate = rosenbrock, .self = &o };
    arenas m = arenas_new(*state);
    orr_minimised out;
    assert_ok(*state, orr_minimise_lbfgs(*state, m.scratch, &f, NULL, x, &out));
    assert_int_equal(out.reason, ORR_REASON_CONVERGED);
    assert_true(out.steps == 0 && x[0] == 1 && x[1] == 1 && out.f == 0);
    o.n = f.n = 1;
    f.evaluate = quadratic;
    assert_ok(*state, orr_minimise_lbfgs(*state, m.scratch, &f, NULL, one, &out));
    assert_close(one[0], 3, 1e-7);
    arenas_free(m);
}

static void ends_that_are_no_minimum_are_reasons(void **state) {
    double x[10];
    arenas m = arenas_new(*state);
    orr_minimised out;
    objective o = { .n = 10 };
    orr_objective f = { .n = 10, .evaluate = rosenbrock, .self = &o };
    start(10, x);
    assert_ok(*state, orr_minimise_lbfgs(*state, m.scratch, &f, &(orr_minimise_options){ .max_steps = 3 }, x, &out));
    assert_int_equal(out.reason, ORR_REASON_LIMIT);
    assert_int_equal(out.steps, 3);
    assert_true(out.f < 10 / 2 * 24.2); /* the start has 24.2 a pair */
    f.evaluate = liar;
    start(10, x);
    assert_ok(*state, orr_minimise_lbfgs(*state, m.scratch, &f, NULL, x, &out));
    assert_int_equal(out.reason, ORR_REASON_STALLED);
    for (int i = 0; i < 10; i++) assert_true(x[i] == (i % 2 ? 1 : -1.2)); /* back where it began */
    f.evaluate = rosenbrock;
    o = (objective){ .n = 10, .nan_at = 1 };
    assert_ok(*state, orr_minimise_lbfgs(*state, m.scratch, &f, NULL, x, &out));
    assert_int_equal(out.reason, ORR_REASON_NONFINITE);
    assert_int_equal(o.calls, 1);
    assert_true(isnan(out.f));
    o = (objective){ .n = 10, .nan_at = 5 }; /* a NaN in between is stepped around */
    start(10, x);
    assert_ok(*state, orr_minimise_lbfgs(*state, m.scratch, &f, NULL, x, &out));
    assert_int_equal(out.reason, ORR_REASON_CONVERGED);
    arenas_free(m);
}

static void trouble_of_the_objective_is_passed_up_at_once(void **state) {
    double x[10];
    arenas m = arenas_new(*state);
    orr_minimised out;
    for (int64_t at = 1; at < 30; at += 4) {
        objective o = { .n = 10, .fail_at = at, .ctx = *state };
        const orr_objective f = { .n = 10, .evaluate = rosenbrock, .self = &o };
        start(10, x);
        assert_refused(*state, orr_minimise_lbfgs(*state, m.scratch, &f, NULL, x, &out), ORR_EINTERRUPTED, "stopped");
        assert_int_equal(o.calls, at);
    }
    objective o = { .n = 10 };
    const orr_objective f = { .n = 10, .evaluate = rosenbrock, .self = &o }, none = { .n = 0 };
    assert_refused(*state, orr_minimise_lbfgs(*state, m.scratch, &none, NULL, x, &out), ORR_EINPUT, "0 variables");
    x[4] = (double)INFINITY;
    assert_refused(*state, orr_minimise_lbfgs(*state, m.scratch, &f, NULL, x, &out), ORR_EINPUT, "not finite");
    arenas_free(m);
}

static orr_status minimise(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch) {
    (void)out_arena;
    double x[4];
    objective o = { .n = 4 };
    const orr_objective f = { .n = 4, .evaluate = rosenbrock, .self = &o };
    orr_minimised out;
    start(4, x);
    return orr_minimise_lbfgs(ctx, scratch, &f, NULL, x, &out);
}

static void each_allocation_may_fail(void **state) {
    (void)state;
    assert_each_allocation_may_fail(minimise);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rosenbrocks_valley_ends_at_ones_for_every_length),
        cmocka_unit_test(ill_conditioned_quadratics_are_minimised),
        cmocka_unit_test(steps_out_of_the_domain_are_taken_back),
        cmocka_unit_test(one_variable_and_a_start_at_the_minimum_are_fine),
        cmocka_unit_test(ends_that_are_no_minimum_are_reasons),
        cmocka_unit_test(trouble_of_the_objective_is_passed_up_at_once),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("numeric/minimise", tests, context_setup, context_teardown);
}
