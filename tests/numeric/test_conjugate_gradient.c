#include "numeric/conjugate_gradient.h"

#include "base/random.h"

#include "goldens.h"
#include "matrices.h"
#include "numeric/vector.h"

enum { N = 40 };

typedef struct system_40 {
    double a[N * N], b[N], x[N];
    dense_operator d;
    orr_operator op;
} system_40;

static void system_make(system_40 *s, orr_context *ctx) {
    fill_positive(14, N, s->a);
    fill_general(15, N, 1, s->b);
    memset(s->x, 0, sizeof s->x);
    s->d = (dense_operator){ .n = N, .a = s->a, .ctx = ctx };
    s->op = operator_of(&s->d);
}

static double residual_of(const system_40 *s) {
    double sum = 0;
    for (int i = 0; i < N; i++) {
        double r = s->b[i];
        for (int j = 0; j < N; j++) r -= s->a[i * N + j] * s->x[j];
        sum += r * r;
    }
    return sqrt(sum);
}

static void it_solves_what_scipy_solves(void **state) {
    static system_40 s;
    system_make(&s, *state);
    arenas m = arenas_new(*state);
    orr_conjugate_gradient cg;
    assert_ok(*state, orr_solve_conjugate_gradient(*state, m.out, m.scratch, &s.op, s.b,
                                                   &(orr_conjugate_gradient_options){ .tolerance = 1e-13 }, s.x, &cg));
    assert_int_equal(cg.reason, ORR_REASON_CONVERGED);
    assert_int_equal(cg.products, s.d.products);
    /* |x - x*| <= |r| / lambda_min, lambda_min >= 1/4 */
    const double norm = orr_vector_norm(N, s.b);
    for (int i = 0; i < N; i++) assert_close(s.x[i], golden_cg_40[i], 4 * 1e-13 * norm);
    assert_close(cg.residual, residual_of(&s), 1e-14);
    assert_true(cg.residual <= 1e-13 * norm);
    assert_close(cg.history[0], norm, 1e-14);
    assert_true(cg.history[cg.steps] <= 1e-13 * norm);
    arenas_free(m);
}

/* Each distinct eigenvalue takes one step. */
static double three_values(int64_t i, int64_t n) {
    (void)n;
    return (double)(1 + i % 3 * 5);
}

static double huge_range(int64_t i, int64_t n) { return pow(10, 12 * (double)i / (double)n); }

static void as_many_steps_as_distinct_eigenvalues(void **state) {
    diagonal_operator d = { .n = 1000, .entry = three_values };
    const orr_operator a = diagonal_of(&d);
    double *b = malloc(8000), *x = calloc(1000, 8);
    orr_random_fill_normal((orr_key){ .purpose = ORR_PURPOSE_TEST }, 0, 1000, b);
    arenas m = arenas_new(*state);
    orr_conjugate_gradient cg;
    assert_ok(*state, orr_solve_conjugate_gradient(*state, m.out, m.scratch, &a, b, NULL, x, &cg));
    assert_int_equal(cg.reason, ORR_REASON_CONVERGED);
    assert_int_equal(cg.steps, 3);
    for (int i = 0; i < 1000; i++) assert_close(x[i], b[i] / three_values(i, 1000), 1e-9);
    arenas_free(m);
    free(b), free(x);
}

static void the_exact_diagonal_is_a_preconditioner_that_needs_one_step(void **state) {
    diagonal_operator d = { .n = 500, .entry = huge_range };
    const orr_operator a = diagonal_of(&d);
    double *b = malloc(4000), *x = calloc(500, 8), *diagonal = malloc(4000);
    for (int i = 0; i < 500; i++) diagonal[i] = huge_range(i, 500);
    orr_random_fill_normal((orr_key){ .purpose = ORR_PURPOSE_TEST }, 0, 500, b);
    arenas m = arenas_new(*state);
    orr_conjugate_gradient with, without;
    assert_ok(*state,
              orr_solve_conjugate_gradient(*state, m.out, m.scratch, &a, b,
                                           &(orr_conjugate_gradient_options){ .diagonal = diagonal }, x, &with));
    assert_int_equal(with.steps, 1);
    assert_int_equal(with.reason, ORR_REASON_CONVERGED);
    memset(x, 0, 4000);
    assert_ok(*state, orr_solve_conjugate_gradient(*state, m.out, m.scratch, &a, b,
                                                   &(orr_conjugate_gradient_options){ .max_steps = 30 }, x, &without));
    assert_int_equal(without.reason, ORR_REASON_LIMIT);
    assert_int_equal(without.steps, 30);
    assert_true(without.residual > 0 && isfinite(without.residual));
    arenas_free(m);
    free(b), free(x), free(diagonal);
}

static void a_good_first_guess_needs_no_step(void **state) {
    static system_40 s;
    system_make(&s, *state);
    memcpy(s.x, golden_cg_40, sizeof s.x);
    arenas m = arenas_new(*state);
    orr_conjugate_gradient cg;
    assert_ok(*state, orr_solve_conjugate_gradient(*state, m.out, m.scratch, &s.op, s.b, NULL, s.x, &cg));
    assert_int_equal(cg.steps, 0);
    assert_int_equal(cg.products, 1);
    assert_int_equal(cg.reason, ORR_REASON_CONVERGED);
    memset(s.b, 0, sizeof s.b); /* and a zero right side has the solution zero */
    memset(s.x, 0, sizeof s.x);
    assert_ok(*state, orr_solve_conjugate_gradient(*state, m.out, m.scratch, &s.op, s.b, NULL, s.x, &cg));
    assert_int_equal(cg.reason, ORR_REASON_CONVERGED);
    arenas_free(m);
}

static double some_range(int64_t i, int64_t n) { return pow(10, 4 * (double)i / (double)n); }

static void a_tolerance_below_rounding_stalls_with_an_honest_residual(void **state) {
    diagonal_operator d = { .n = 200, .entry = some_range };
    const orr_operator a = diagonal_of(&d);
    double *b = malloc(1600), *x = calloc(200, 8);
    for (int i = 0; i < 200; i++) b[i] = 1;
    arenas m = arenas_new(*state);
    orr_conjugate_gradient cg;
    assert_ok(*state, orr_solve_conjugate_gradient(
                          *state, m.out, m.scratch, &a, b,
                          &(orr_conjugate_gradient_options){ .tolerance = 1e-18, .max_steps = 100000 }, x, &cg));
    assert_int_equal(cg.reason, ORR_REASON_STALLED);
    double sum = 0;
    for (int i = 0; i < 200; i++) sum += pow(b[i] - some_range(i, 200) * x[i], 2);
    assert_close(cg.residual, sqrt(sum), 1e-15);
    assert_true(cg.residual > 1e-18 * sqrt(200)); /* though the recurrence claimed to be there: */
    assert_true(cg.history[cg.steps] <= 1e-18 * sqrt(200) || cg.history[cg.steps] == cg.residual);
    assert_true(cg.residual < 1e-12);
    arenas_free(m);
    free(b), free(x);
}

static double signs(int64_t i, int64_t n) {
    (void)n;
    return i % 2 ? -1 : 2;
}

static void what_goes_wrong_is_a_reason(void **state) {
    static system_40 s;
    arenas m = arenas_new(*state);
    orr_conjugate_gradient cg;
    diagonal_operator d = { .n = N, .entry = signs };
    const orr_operator indefinite = diagonal_of(&d);
    system_make(&s, *state);
    assert_ok(*state, orr_solve_conjugate_gradient(*state, m.out, m.scratch, &indefinite, s.b, NULL, s.x, &cg));
    assert_int_equal(cg.reason, ORR_REASON_INDEFINITE);
    for (int64_t at = 1; at <= 5; at += 2) {
        system_make(&s, *state);
        s.d.nan_at = at;
        assert_ok(*state, orr_solve_conjugate_gradient(*state, m.out, m.scratch, &s.op, s.b, NULL, s.x, &cg));
        assert_int_equal(cg.reason, ORR_REASON_NONFINITE);
        system_make(&s, *state);
        s.d.fail_at = at;
        assert_refused(*state, orr_solve_conjugate_gradient(*state, m.out, m.scratch, &s.op, s.b, NULL, s.x, &cg),
                       ORR_EINTERRUPTED, "stopped");
    }
    arenas_free(m);
}

static void wrong_questions_are_refused(void **state) {
    static system_40 s;
    double diagonal[N];
    arenas m = arenas_new(*state);
    orr_conjugate_gradient cg;
    system_make(&s, *state);
    for (int i = 0; i < N; i++) diagonal[i] = 1;
    const orr_conjugate_gradient_options o = { .diagonal = diagonal };
    diagonal[7] = 0;
    assert_refused(*state, orr_solve_conjugate_gradient(*state, m.out, m.scratch, &s.op, s.b, &o, s.x, &cg), ORR_EINPUT,
                   "entry 7 of the preconditioner is 0");
    s.b[3] = (double)NAN;
    assert_refused(*state, orr_solve_conjugate_gradient(*state, m.out, m.scratch, &s.op, s.b, NULL, s.x, &cg),
                   ORR_EINPUT, "not finite");
    arenas_free(m);
}

static void threads_change_no_bit(void **state) {
    (void)state;
    enum { LONG = 20011 };
    diagonal_operator d = { .n = LONG, .entry = three_values };
    const orr_operator a = diagonal_of(&d);
    double *b = malloc(LONG * sizeof *b), *first = calloc(LONG, sizeof *first), *x = malloc(LONG * sizeof *x);
    orr_random_fill_normal((orr_key){ .purpose = ORR_PURPOSE_TEST }, 0, LONG, b);
    for (int threads = 1; threads <= 3; threads++) {
        orr_context *ctx;
        assert_int_equal(orr_context_new(&(orr_context_options){ .threads = threads }, &ctx), ORR_OK);
        arenas m = arenas_new(ctx);
        orr_conjugate_gradient cg;
        memset(x, 0, LONG * sizeof *x);
        assert_ok(ctx, orr_solve_conjugate_gradient(ctx, m.out, m.scratch, &a, b, NULL, x, &cg));
        if (threads == 1) memcpy(first, x, LONG * sizeof *x);
        assert_memory_equal(first, x, LONG * sizeof *x);
        arenas_free(m);
        orr_context_free(ctx);
    }
    free(b), free(first), free(x);
}

static orr_status solve(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch) {
    static system_40 s;
    system_make(&s, ctx);
    orr_conjugate_gradient cg;
    return orr_solve_conjugate_gradient(ctx, out_arena, scratch, &s.op, s.b, NULL, s.x, &cg);
}

static void each_allocation_may_fail(void **state) {
    (void)state;
    assert_each_allocation_may_fail(solve);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_solves_what_scipy_solves),
        cmocka_unit_test(as_many_steps_as_distinct_eigenvalues),
        cmocka_unit_test(the_exact_diagonal_is_a_preconditioner_that_needs_one_step),
        cmocka_unit_test(a_good_first_guess_needs_no_step),
        cmocka_unit_test(a_tolerance_below_rounding_stalls_with_an_honest_residual),
        cmocka_unit_test(what_goes_wrong_is_a_reason),
        cmocka_unit_test(wrong_questions_are_refused),
        cmocka_unit_test(threads_change_no_bit),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("numeric/conjugate_gradient", tests, context_setup, context_teardown);
}
