#define _XOPEN_SOURCE 700 /* mkdtemp, nftw */
#include "../lab/laboratory.h"

#include "law/start.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

/* f = w x of one input and one output: the loss 1/2 mean (w x - y)^2 has the curvature mean x^2 everywhere. */
static const char text[] = "name: line\nprecision: f32\narchitecture: { kind: linear, widths: [] }\n"
                           "data: { kind: gaussian, n: 50, dimension: 1 }\ntask: mse\n"
                           "rule: { kind: gd, learning_rate: 0.1 }\nsteps: 1\nseeds: 2\n"
                           "sweep: { grid: { data.n: [50, 60] } }\n";

static double mean_square(const orr_problem *p) {
    double sum = 0.0;
    for (int64_t i = 0; i < p->data.n; i++) sum += p->data.x[i] * p->data.x[i] / (double)p->data.n;
    return sum;
}

static void each_run_starts_from_its_own_parameters_on_its_own_loss(void **state) {
    const laboratory l = laboratory_of(*state, arena, text);
    const orr_premises in = { &l.experiment, l.problems, NULL, NULL };
    double sharpness, w[1];
    orr_start s = { 0 };
    for (int64_t i = 0; i < 4; i++) {
        assert_ok(*state, orr_start_at(*state, &in, i / 2, i % 2, true, &s));
        assert_ok(*state, orr_start_sharpness(*state, &s, &sharpness));
        assert_ok(*state, orr_problem_initial(*state, l.problems[i], (uint64_t)i % 2, w));
        assert_int_equal(s.n, 1);
        assert_close(s.w[0], w[0], 1e-7 * fabs(w[0]));              /* there it is a float */
        assert_close(sharpness, mean_square(l.problems[i]), 1e-12); /* float64: a float would be 1e-7 off */
    }
    orr_start_end(&s);
}

/* Seeds of one problem don't compile it again. */
static void runs_of_one_problem_share_its_landscape(void **state) {
    const laboratory l = laboratory_of(*state, arena, text);
    const orr_problem *same[4] = { l.problems[0], l.problems[0], l.problems[2], l.problems[2] };
    const orr_premises in = { &l.experiment, same, NULL, NULL };
    orr_start s = { 0 };
    assert_ok(*state, orr_start_at(*state, &in, 0, 0, false, &s));
    const orr_problem_landscape *loss = s.loss;
    const double w = s.w[0];
    assert_ok(*state, orr_start_at(*state, &in, 0, 1, false, &s));
    assert_ptr_equal(s.loss, loss);
    assert_true(s.w[0] != w);
    assert_ok(*state, orr_start_at(*state, &in, 1, 0, false, &s));
    assert_ptr_equal(s.of, same[2]);
    orr_start_end(&s);
    orr_start_end(&s);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        CLAIM(each_run_starts_from_its_own_parameters_on_its_own_loss),
        CLAIM(runs_of_one_problem_share_its_landscape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
