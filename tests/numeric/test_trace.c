#include "numeric/trace.h"

#include "goldens.h"
#include "matrices.h"

enum { N = 512 };

/* H diag(values) H, H the Walsh-Hadamard matrix over sqrt(N): its trace is the sum of the values, and its diagonal, on which
 * signs make no error, is their mean everywhere. */
typedef struct mixed {
    double (*entry)(int64_t i, int64_t n);
} mixed;

static void hadamard(double *v) {
    for (int64_t half = 1; half < N; half *= 2)
        for (int64_t i = 0; i < N; i++)
            if (!(i & half)) {
                const double a = v[i], b = v[i + half];
                v[i] = (a + b) * sqrt(0.5);
                v[i + half] = (a - b) * sqrt(0.5);
            }
}

static orr_status mixed_apply(void *self, const double *v, double *out) {
    const mixed *r = self;
    memcpy(out, v, N * sizeof *out);
    hadamard(out);
    for (int64_t i = 0; i < N; i++) out[i] *= r->entry(i, N);
    hadamard(out);
    return ORR_OK;
}

static double fast_decay(int64_t i, int64_t n) {
    (void)n;
    return pow((double)i + 1, -2);
}

static double flat(int64_t i, int64_t n) { return 1 + (double)i / (double)n; }

static double balanced(int64_t i, int64_t n) {
    (void)n;
    return i % 2 ? 1 : -1;
}

static double nothing(int64_t i, int64_t n) {
    (void)i, (void)n;
    return 0;
}

static double total(double (*entry)(int64_t, int64_t)) {
    double sum = 0;
    for (int64_t i = 0; i < N; i++) sum += entry(i, N);
    return sum;
}

static orr_operator make(mixed *r, double (*entry)(int64_t, int64_t)) {
    *r = (mixed){ .entry = entry };
    return (orr_operator){ .n = N, .apply = mixed_apply, .self = r };
}

static double (*const entries[])(int64_t, int64_t) = { fast_decay, flat, balanced };

static void each_method_is_right_within_its_error_bar(void **state) {
    mixed r;
    arenas m = arenas_new(*state);
    for (int method = ORR_TRACE_AUTO; method <= ORR_TRACE_HUTCHPP; method++)
        for (int e = 0; e < 3; e++) {
            const orr_operator a = make(&r, entries[e]);
            double z2 = 0;
            for (uint32_t seed = 0; seed < 40; seed++) {
                orr_trace_estimate t;
                const orr_trace_options o = { .products = 60, .method = (orr_trace_method)method, .key.seed = seed };
                assert_ok(*state, orr_trace(*state, m.scratch, &a, &o, &t));
                assert_int_equal(t.products, 60);
                assert_int_equal(t.reason, ORR_REASON_CONVERGED);
                assert_true(t.standard_error > 0);
                const double z = (t.value - total(entries[e])) / t.standard_error;
                assert_true(fabs(z) < 6); /* a t-distribution of 19 degrees or more: p = 1e-5 a draw */
                z2 += z * z;
            }
            /* the mean of 40 squares of t with >= 19 degrees: 1.1, standard deviation 0.27 */
            assert_true(z2 / 40 > 0.4 && z2 / 40 < 2.3);
        }
    arenas_free(m);
}

static void hutchpp_wins_where_the_spectrum_decays_and_auto_knows(void **state) {
    mixed r;
    arenas m = arenas_new(*state);
    double worst_ratio[3];
    for (int e = 0; e < 3; e++) {
        const orr_operator a = make(&r, entries[e]);
        double square[3] = { 0 };
        for (uint32_t seed = 0; seed < 40; seed++)
            for (int method = ORR_TRACE_AUTO; method <= ORR_TRACE_HUTCHPP; method++) {
                orr_trace_estimate t;
                const orr_trace_options o = { .products = 60, .method = (orr_trace_method)method, .key.seed = seed };
                assert_ok(*state, orr_trace(*state, m.scratch, &a, &o, &t));
                square[method] += pow(t.value - total(entries[e]), 2);
                if (method == ORR_TRACE_AUTO) {
                    assert_int_equal(t.method, e == 0 ? ORR_TRACE_HUTCHPP : ORR_TRACE_HUTCHINSON);
                    assert_true(e == 0 ? t.captured > 0.9 : t.captured < 0.5);
                } else assert_int_equal(t.method, method);
            }
        worst_ratio[e] = sqrt(square[ORR_TRACE_HUTCHPP] / square[ORR_TRACE_HUTCHINSON]);
        if (e == 0) assert_true(square[ORR_TRACE_AUTO] <= 1.01 * square[ORR_TRACE_HUTCHPP]);
    }
    assert_true(worst_ratio[0] < 0.05); /* two thirds of the products spent on the head: 20 times nearer */
    assert_true(worst_ratio[2] > 1.1);  /* wasted on a flat one: sqrt(3) in expectation, 40 draws */
    arenas_free(m);
}

static void a_diagonal_operator_has_no_error_at_all(void **state) {
    diagonal_operator d = { .n = N, .entry = flat };
    const orr_operator a = diagonal_of(&d);
    arenas m = arenas_new(*state);
    orr_trace_estimate t;
    assert_ok(*state, orr_trace(*state, m.scratch, &a, &(orr_trace_options){ .method = ORR_TRACE_HUTCHINSON }, &t));
    assert_close(t.value, total(flat), 1e-12 * total(flat));
    assert_close(t.standard_error, 0, 1e-12 * total(flat));
    d.entry = fast_decay; /* a head that Hutch++ would capture: AUTO sees that there is nothing to win */
    assert_ok(*state, orr_trace(*state, m.scratch, &a, NULL, &t));
    assert_int_equal(t.method, ORR_TRACE_HUTCHINSON);
    assert_close(t.value, total(fast_decay), 1e-12);
    arenas_free(m);
}

static void an_operator_of_low_rank_is_captured_whole(void **state) {
    mixed r;
    arenas m = arenas_new(*state);
    const orr_operator zero = make(&r, nothing);
    orr_trace_estimate t;
    for (int method = ORR_TRACE_AUTO; method <= ORR_TRACE_HUTCHPP; method++) {
        assert_ok(*state,
                  orr_trace(*state, m.scratch, &zero, &(orr_trace_options){ .method = (orr_trace_method)method }, &t));
        assert_true(t.value == 0 && t.standard_error == 0);
    }
    double matrix[100 * 100];
    for (int i = 0; i < 100; i++)
        for (int j = 0; j < 100; j++) matrix[i * 100 + j] = scattered(1, i, 0) * scattered(1, j, 0);
    double trace = 0;
    for (int i = 0; i < 100; i++) trace += matrix[i * 101];
    dense_operator d = { .n = 100, .a = matrix };
    const orr_operator rank_one = operator_of(&d);
    assert_ok(*state, orr_trace(*state, m.scratch, &rank_one, &(orr_trace_options){ .products = 30 }, &t));
    assert_int_equal(t.method, ORR_TRACE_HUTCHPP);
    assert_close(t.captured, 1, 1e-12);
    assert_close(t.value, trace, 1e-12 * trace);
    arenas_free(m);
}

static void a_small_operator_is_traced_exactly(void **state) {
    double matrix[36];
    fill_symmetric(2, 6, matrix);
    dense_operator d = { .n = 6, .a = matrix };
    const orr_operator a = operator_of(&d), one = { .n = 1, .apply = dense_apply, .self = &d };
    arenas m = arenas_new(*state);
    orr_trace_estimate t;
    assert_ok(*state, orr_trace(*state, m.scratch, &a, NULL, &t));
    double expected = 0;
    for (int i = 0; i < 6; i++) expected += matrix[i * 7];
    assert_close(t.value, expected, 1e-15);
    assert_int_equal(t.method, ORR_TRACE_EXACT);
    assert_int_equal(t.products, 6);
    assert_true(t.standard_error == 0);
    d.n = 1;
    assert_ok(*state, orr_trace(*state, m.scratch, &one, NULL, &t));
    assert_true(t.value == matrix[0]);
    arenas_free(m);
}

static void threads_change_no_bit(void **state) {
    (void)state;
    enum { LONG = 9001 };
    diagonal_operator d = { .n = LONG, .entry = fast_decay };
    const orr_operator a = diagonal_of(&d);
    orr_trace_estimate first = { 0 };
    for (int threads = 1; threads <= 3; threads++) {
        orr_context *ctx;
        assert_int_equal(orr_context_new(&(orr_context_options){ .threads = threads }, &ctx), ORR_OK);
        arenas m = arenas_new(ctx);
        orr_trace_estimate t;
        assert_ok(ctx, orr_trace(ctx, m.scratch, &a, &(orr_trace_options){ .method = ORR_TRACE_HUTCHPP }, &t));
        if (threads == 1) first = t;
        assert_true(t.value == first.value && t.standard_error == first.standard_error);
        arenas_free(m);
        orr_context_free(ctx);
    }
}

static void a_nan_is_a_reason_and_trouble_is_passed_up(void **state) {
    static double matrix[100 * 100];
    fill_symmetric(2, 100, matrix);
    arenas m = arenas_new(*state);
    orr_trace_estimate t;
    for (int method = ORR_TRACE_AUTO; method <= ORR_TRACE_HUTCHPP; method++)
        for (int64_t at = 1; at <= 30; at += 7) {
            const orr_trace_options o = { .products = 30, .method = (orr_trace_method)method };
            dense_operator d = { .n = 100, .a = matrix, .nan_at = at };
            const orr_operator a = operator_of(&d);
            assert_ok(*state, orr_trace(*state, m.scratch, &a, &o, &t));
            assert_int_equal(t.reason, ORR_REASON_NONFINITE);
            assert_true(isnan(t.value) && isnan(t.standard_error));
            d = (dense_operator){ .n = 100, .a = matrix, .fail_at = at, .ctx = *state };
            assert_refused(*state, orr_trace(*state, m.scratch, &a, &o, &t), ORR_EINTERRUPTED, "stopped");
        }
    dense_operator d = { .n = 100, .a = matrix };
    const orr_operator a = operator_of(&d), none = { .n = 0, .apply = dense_apply, .self = &d };
    assert_refused(*state, orr_trace(*state, m.scratch, &none, NULL, &t), ORR_EINPUT, "0 rows");
    assert_refused(*state, orr_trace(*state, m.scratch, &a, &(orr_trace_options){ .products = 1 }, &t), ORR_EINPUT,
                   "needs 2");
    assert_refused(
        *state,
        orr_trace(*state, m.scratch, &a, &(orr_trace_options){ .products = 5, .method = ORR_TRACE_HUTCHPP }, &t),
        ORR_EINPUT, "needs 6");
    arenas_free(m);
}

static void every_budget_gives_a_number(void **state) {
    static double matrix[100 * 100];
    fill_positive(2, 100, matrix);
    dense_operator d = { .n = 100, .a = matrix };
    const orr_operator a = operator_of(&d);
    arenas m = arenas_new(*state);
    for (int64_t products = 2; products <= 101; products++) {
        orr_trace_estimate t;
        d.products = 0;
        assert_ok(*state, orr_trace(*state, m.scratch, &a, &(orr_trace_options){ .products = products }, &t));
        assert_int_equal(t.products, d.products);
        assert_true(t.products == (products < 100 ? products : 100));
        assert_true(isfinite(t.value) && isfinite(t.standard_error));
    }
    arenas_free(m);
}

static orr_status estimate(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch) {
    (void)out_arena;
    static double matrix[100 * 100];
    fill_positive(2, 100, matrix);
    dense_operator d = { .n = 100, .a = matrix };
    const orr_operator a = operator_of(&d);
    orr_trace_estimate t;
    return orr_trace(ctx, scratch, &a, &(orr_trace_options){ .products = 30 }, &t);
}

static void each_allocation_may_fail(void **state) {
    (void)state;
    assert_each_allocation_may_fail(estimate);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_method_is_right_within_its_error_bar),
        cmocka_unit_test(hutchpp_wins_where_the_spectrum_decays_and_auto_knows),
        cmocka_unit_test(a_diagonal_operator_has_no_error_at_all),
        cmocka_unit_test(an_operator_of_low_rank_is_captured_whole),
        cmocka_unit_test(a_small_operator_is_traced_exactly),
        cmocka_unit_test(threads_change_no_bit),
        cmocka_unit_test(a_nan_is_a_reason_and_trouble_is_passed_up),
        cmocka_unit_test(every_budget_gives_a_number),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("numeric/trace", tests, context_setup, context_teardown);
}
