#include <pthread.h>

#include "failing.h"
#include "numeric/dense.h"
#include "numeric/eigen.h"
#include "numeric/vector.h"

#include "goldens.h"
#include "matrices.h"

typedef orr_status solver(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch, const orr_operator *a,
                          const orr_eigen_options *options, orr_eigenpairs *out);

enum { N = 150 };
/* Rounding of a product of N terms, times |A| = 7: 150 * 1.1e-16 * 7. */
static const double rounding = 1.2e-13;

static void matrix_150(double *a) { fill_symmetric(3, N, a); }

/* The i-th value that `which` asks for, k of them, from the golden ones, which ascend. */
static double expected_value(orr_which which, int64_t k, int64_t i) {
    const double *g = golden_eigen_150;
    if (which == ORR_WHICH_SMALLEST) return g[i];
    if (which == ORR_WHICH_BOTH_ENDS && i >= (k + 1) / 2) return g[k - 1 - i];
    if (which != ORR_WHICH_LARGEST_MAGNITUDE) return g[N - 1 - i];
    int64_t low = 0, high = N - 1;
    for (;; i--) {
        const double best = fabs(g[high]) >= fabs(g[low]) ? g[high--] : g[low++];
        if (i == 0) return best;
    }
}

static double true_residual(const orr_operator *a, double value, const double *u) {
    double *r = malloc((size_t)a->n * sizeof *r);
    assert_int_equal(a->apply(a->self, u, r), ORR_OK);
    orr_vector_axpy(a->n, -value, u, r);
    const double norm = orr_vector_norm(a->n, r);
    free(r);
    return norm;
}

static void assert_orthonormal(int64_t k, int64_t n, const double *rows, double limit) {
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = 0; j <= i; j++) assert_close(orr_vector_dot(n, rows + i * n, rows + j * n), i == j, limit);
}

static void arpack_finds_what_scipy_finds(void **state) {
    static double matrix[N * N];
    matrix_150(matrix);
    dense_operator d = { .n = N, .a = matrix };
    const orr_operator a = operator_of(&d);
    const orr_which all[] = { ORR_WHICH_LARGEST, ORR_WHICH_SMALLEST, ORR_WHICH_LARGEST_MAGNITUDE, ORR_WHICH_BOTH_ENDS };
    for (int w = 0; w < 4; w++)
        for (int64_t pairs = 1; pairs <= 5; pairs++) {
            if (all[w] == ORR_WHICH_BOTH_ENDS && pairs == 1) continue;
            arenas m = arenas_new(*state);
            orr_eigenpairs e;
            d.products = 0;
            assert_ok(*state, orr_eigen_arpack(*state, m.out, m.scratch, &a,
                                               &(orr_eigen_options){ .pairs = pairs, .which = all[w] }, &e));
            assert_int_equal(e.reason, ORR_REASON_CONVERGED);
            assert_int_equal(e.k, pairs);
            assert_int_equal(e.products, d.products);
            assert_orthonormal(pairs, N, e.vector, 1e-12);
            for (int64_t i = 0; i < pairs; i++) {
                /* error of a value <= residual^2 / gap; the gaps here are above 0.03 and residuals below 1e-9 */
                assert_close(e.value[i], expected_value(all[w], pairs, i), rounding);
                assert_close(e.residual[i], true_residual(&a, e.value[i], e.vector + i * N), rounding);
                assert_true(e.residual[i] <= 10 * 1e-10 * fabs(e.value[i]));
            }
            arenas_free(m);
        }
}

/* -y'' on a grid: 2 - 2 cos(pi j / (n + 1)). */
static orr_status laplacian_apply(void *self, const double *v, double *out) {
    const int64_t n = *(int64_t *)self;
    for (int64_t i = 0; i < n; i++) out[i] = 2 * v[i] - (i ? v[i - 1] : 0) - (i + 1 < n ? v[i + 1] : 0);
    return ORR_OK;
}

static void arpack_finds_crowded_eigenvalues_of_the_laplacian(void **state) {
    int64_t n = 120;
    const orr_operator a = { .n = n, .apply = laplacian_apply, .self = &n };
    arenas m = arenas_new(*state);
    orr_eigenpairs e;
    assert_ok(*state, orr_eigen_arpack(*state, m.out, m.scratch, &a,
                                       &(orr_eigen_options){ .pairs = 4, .which = ORR_WHICH_SMALLEST }, &e));
    assert_int_equal(e.reason, ORR_REASON_CONVERGED);
    for (int i = 0; i < 4; i++) assert_close(e.value[i], 2 - 2 * cos(acos(-1) * (i + 1) / 121.0), 1e-13);
    arenas_free(m);
}

static void small_operators_are_solved_whole(void **state) {
    for (int64_t n = 1; n <= 36; n++) {
        double *matrix = malloc((size_t)(n * n) * sizeof *matrix);
        fill_symmetric(n, n, matrix);
        dense_operator d = { .n = n, .a = matrix };
        const orr_operator a = operator_of(&d);
        arenas m = arenas_new(*state);
        orr_symmetric_eigen all;
        assert_ok(*state, orr_eigen_symmetric(*state, m.out, m.scratch, n, matrix, &all));
        solver *const both[] = { orr_eigen_arpack, orr_eigen_lanczos };
        for (int s = 0; s < 2; s++) {
            orr_eigenpairs e;
            assert_ok(*state, both[s](*state, m.out, m.scratch, &a, &(orr_eigen_options){ .pairs = n }, &e));
            assert_int_equal(e.k, n);
            assert_int_equal(e.reason, ORR_REASON_CONVERGED);
            for (int64_t i = 0; i < n; i++) assert_close(e.value[i], all.value[n - 1 - i], 1e-13);
            assert_orthonormal(n, n, e.vector, 1e-12);
        }
        arenas_free(m);
        free(matrix);
    }
}

static void lanczos_residuals_are_those_of_its_pairs(void **state) {
    static double matrix[N * N];
    matrix_150(matrix);
    dense_operator d = { .n = N, .a = matrix };
    const orr_operator a = operator_of(&d);
    for (int64_t steps = 1; steps <= N; steps += 7) {
        arenas m = arenas_new(*state);
        orr_eigenpairs e;
        d.products = 0;
        assert_ok(*state, orr_eigen_lanczos(*state, m.out, m.scratch, &a,
                                            &(orr_eigen_options){ .pairs = steps, .steps = steps }, &e));
        assert_int_equal(d.products, steps);
        assert_int_equal(e.products, steps);
        assert_int_equal(e.k, steps);
        /* twice re-orthogonalised: no ghosts even after the ends have converged */
        assert_orthonormal(steps, N, e.vector, 1e-13);
        for (int64_t i = 0; i < steps; i++) {
            assert_close(e.residual[i], true_residual(&a, e.value[i], e.vector + i * N), rounding);
            assert_true(e.value[i] <= golden_eigen_150[N - 1] + rounding);
            assert_true(e.value[i] >= golden_eigen_150[0] - rounding);
            if (i) assert_true(e.value[i] <= e.value[i - 1]);
        }
        arenas_free(m);
    }
}

static void as_many_steps_as_rows_give_the_whole_spectrum(void **state) {
    static double matrix[N * N];
    matrix_150(matrix);
    dense_operator d = { .n = N, .a = matrix };
    const orr_operator a = operator_of(&d);
    arenas m = arenas_new(*state);
    orr_eigenpairs e;
    assert_ok(*state, orr_eigen_lanczos(*state, m.out, m.scratch, &a,
                                        &(orr_eigen_options){ .steps = 10 * N, .which = ORR_WHICH_SMALLEST }, &e));
    assert_int_equal(e.k, N);
    assert_int_equal(e.vectors, 1);
    assert_int_equal(e.reason, ORR_REASON_CONVERGED);
    for (int64_t i = 0; i < N; i++) assert_close(e.value[i], golden_eigen_150[i], rounding);
    arenas_free(m);
}

static void both_ends_stand_in_front_and_the_rest_descends(void **state) {
    static double matrix[N * N];
    matrix_150(matrix);
    dense_operator d = { .n = N, .a = matrix };
    const orr_operator a = operator_of(&d);
    arenas m = arenas_new(*state);
    orr_eigenpairs e;
    assert_ok(*state,
              orr_eigen_lanczos(*state, m.out, m.scratch, &a,
                                &(orr_eigen_options){ .steps = N, .pairs = 3, .which = ORR_WHICH_BOTH_ENDS }, &e));
    const double *g = golden_eigen_150, expected[] = { g[N - 1], g[N - 2], g[0], g[N - 3] };
    for (int i = 0; i < 4; i++) assert_close(e.value[i], expected[i], rounding);
    assert_close(e.value[N - 1], g[1], rounding);
    arenas_free(m);
}

/* A start vector without a part along the others can't hide them: (here) exactly an eigenvector of the smallest. */
static double integers(int64_t i, int64_t n) {
    (void)n;
    return (double)i;
}

static void a_start_in_an_invariant_subspace_still_finds_the_largest(void **state) {
    diagonal_operator d = { .n = 50, .entry = integers };
    const orr_operator a = diagonal_of(&d);
    double start[50] = { 0 };
    start[1] = 1;
    solver *const both[] = { orr_eigen_arpack, orr_eigen_lanczos };
    for (int s = 0; s < 2; s++) {
        arenas m = arenas_new(*state);
        orr_eigenpairs e;
        assert_ok(*state, both[s](*state, m.out, m.scratch, &a,
                                  &(orr_eigen_options){ .start = start, .steps = 50, .basis = 25 }, &e));
        assert_int_equal(e.reason, ORR_REASON_CONVERGED);
        assert_close(e.value[0], 49, 1e-12);
        arenas_free(m);
    }
}

static double zero(int64_t i, int64_t n) {
    (void)i, (void)n;
    return 0;
}

static double one(int64_t i, int64_t n) {
    (void)i, (void)n;
    return 1;
}

static double three_values(int64_t i, int64_t n) {
    (void)n;
    return (double)(i % 3 - 1);
}

static void operators_with_few_distinct_values_keep_their_multiplicity(void **state) {
    double (*const entries[])(int64_t, int64_t) = { zero, one, three_values };
    const double largest[] = { 0, 1, 1 };
    for (int t = 0; t < 3; t++) {
        diagonal_operator d = { .n = 60, .entry = entries[t] };
        const orr_operator a = diagonal_of(&d);
        arenas m = arenas_new(*state);
        orr_eigenpairs e;
        assert_ok(*state,
                  orr_eigen_lanczos(*state, m.out, m.scratch, &a, &(orr_eigen_options){ .steps = 12, .pairs = 4 }, &e));
        assert_int_equal(e.k, 12);
        assert_int_equal(e.reason, ORR_REASON_CONVERGED);
        for (int i = 0; i < 4; i++) assert_close(e.value[i], largest[t], 1e-13);
        assert_orthonormal(4, 60, e.vector, 1e-13);
        arenas_free(m);
    }
}

/* The instrument of the edge of stability: 40 steps at first, then 16 from the last vector while the matrix drifts. */
static void sixteen_steps_from_the_last_vector_follow_a_drifting_matrix(void **state) {
    static double matrix[N * N], drift[N * N], u[N];
    matrix_150(matrix);
    fill_symmetric(4, N, drift);
    dense_operator d = { .n = N, .a = matrix };
    const orr_operator a = operator_of(&d);
    for (int step = 0; step < 6; step++) {
        arenas m = arenas_new(*state);
        orr_eigenpairs e;
        orr_symmetric_eigen all;
        const orr_eigen_options first = { .steps = 40 }, later = { .steps = 16, .start = u };
        assert_ok(*state, orr_eigen_lanczos(*state, m.out, m.scratch, &a, step ? &later : &first, &e));
        assert_ok(*state, orr_eigen_symmetric(*state, m.out, m.scratch, N, matrix, &all));
        /* the value errs by less than its residual, and quadratically in it: residual^2 / gap, gap > 0.05 */
        assert_close(e.value[0], all.value[N - 1],
                     fmin(e.residual[0], e.residual[0] * e.residual[0] / 0.05) + rounding);
        assert_close(e.value[0], all.value[N - 1], 2e-3 * all.value[N - 1]); /* three digits: what the law needs */
        memcpy(u, e.vector, sizeof u);
        for (int64_t i = 0; i < N * N; i++) matrix[i] += 0.02 * drift[i];
        arenas_free(m);
    }
}

static double spread(int64_t i, int64_t n) { return (double)(i * i) / (double)n; }

static void lanczos_has_equal_bits_for_any_threads(void **state) {
    (void)state;
    enum { LONG = 20011 }; /* five chunks of a sum, the last one partial */
    diagonal_operator d = { .n = LONG, .entry = spread };
    const orr_operator a = diagonal_of(&d);
    double first[12] = { 0 }, *vector = calloc(LONG, sizeof *vector);
    const int blas = orr_blas_threads();
    for (int threads = 1; threads <= 4; threads++) {
        orr_context *ctx;
        assert_int_equal(orr_context_new(&(orr_context_options){ .threads = threads }, &ctx), ORR_OK);
        orr_blas_threads_set(threads);
        arenas m = arenas_new(ctx);
        orr_eigenpairs e;
        assert_ok(ctx, orr_eigen_lanczos(ctx, m.out, m.scratch, &a, &(orr_eigen_options){ .steps = 12 }, &e));
        if (threads == 1) {
            memcpy(first, e.value, sizeof first);
            memcpy(vector, e.vector, LONG * sizeof *vector);
        }
        assert_memory_equal(first, e.value, sizeof first);
        assert_memory_equal(vector, e.vector, LONG * sizeof *vector);
        arenas_free(m);
        orr_context_free(ctx);
    }
    orr_blas_threads_set(blas);
    free(vector);
}

static void the_same_call_twice_has_the_same_bits(void **state) {
    static double matrix[N * N];
    matrix_150(matrix);
    dense_operator d = { .n = N, .a = matrix };
    const orr_operator a = operator_of(&d);
    solver *const both[] = { orr_eigen_arpack, orr_eigen_lanczos };
    for (int s = 0; s < 2; s++) {
        arenas m = arenas_new(*state);
        orr_eigenpairs e[3];
        for (int again = 0; again < 3; again++)
            assert_ok(*state, both[s](*state, m.out, m.scratch, &a,
                                      &(orr_eigen_options){ .pairs = 2, .key.seed = again == 2 ? 1 : 0 }, &e[again]));
        assert_memory_equal(e[0].value, e[1].value, 2 * sizeof(double));
        assert_memory_equal(e[0].vector, e[1].vector, 2 * N * sizeof(double));
        assert_memory_not_equal(e[0].vector, e[2].vector, 2 * N * sizeof(double)); /* another seed, another start */
        arenas_free(m);
    }
}

static void running_out_of_products_is_a_reason_with_the_best_so_far(void **state) {
    int64_t n = 2000; /* neighbours at the lower end differ by 1e-6 of the width: hopeless in 40 products */
    const orr_operator a = { .n = n, .apply = laplacian_apply, .self = &n };
    arenas m = arenas_new(*state);
    orr_eigenpairs e;
    const orr_eigen_options o = { .pairs = 3, .which = ORR_WHICH_SMALLEST, .max_products = 40 };
    assert_ok(*state, orr_eigen_arpack(*state, m.out, m.scratch, &a, &o, &e));
    assert_int_equal(e.reason, ORR_REASON_LIMIT);
    assert_int_equal(e.k, 3);
    assert_true(e.products <= 40 + 3);
    for (int i = 0; i < 3; i++) {
        assert_close(e.residual[i], true_residual(&a, e.value[i], e.vector + i * n), 1e-14);
        assert_true(e.residual[i] > 1e-6);
        assert_in_range((uintmax_t)(e.value[i] * 1e6), 0, 4000000); /* inside [0, 4] */
    }
    assert_ok(*state, orr_eigen_lanczos(*state, m.out, m.scratch, &a, &(orr_eigen_options){ .steps = 10 }, &e));
    assert_int_equal(e.reason, ORR_REASON_LIMIT);
    arenas_free(m);
}

/* A product in float32 can't support ten digits. */
static orr_status coarse_apply(void *self, const double *v, double *out) {
    const orr_status status = dense_apply(self, v, out);
    for (int64_t i = 0; i < N; i++) out[i] = (double)(float)out[i];
    return status;
}

static void an_operator_with_coarse_rounding_is_not_called_converged(void **state) {
    static double matrix[N * N];
    matrix_150(matrix);
    dense_operator d = { .n = N, .a = matrix };
    const orr_operator a = { .n = N, .apply = coarse_apply, .self = &d };
    arenas m = arenas_new(*state);
    orr_eigenpairs e;
    assert_ok(*state, orr_eigen_arpack(*state, m.out, m.scratch, &a, &(orr_eigen_options){ .max_products = 200 }, &e));
    assert_true(e.reason == ORR_REASON_STALLED || e.reason == ORR_REASON_LIMIT);
    assert_close(e.value[0], golden_eigen_150[N - 1], 1e-6); /* seven digits of float times |A| = 7 */
    assert_true(e.residual[0] > 1e-9 && e.residual[0] < 1e-5);
    assert_ok(*state, orr_eigen_arpack(*state, m.out, m.scratch, &a, &(orr_eigen_options){ .tolerance = 1e-5 }, &e));
    assert_int_equal(e.reason, ORR_REASON_CONVERGED);
    arenas_free(m);
}

static void a_nan_of_the_operator_is_a_reason_and_its_status_is_passed_up(void **state) {
    static double matrix[N * N];
    matrix_150(matrix);
    solver *const both[] = { orr_eigen_arpack, orr_eigen_lanczos };
    const int64_t sizes[] = { 20, N };
    for (int s = 0; s < 2; s++)
        for (int z = 0; z < 2; z++)
            for (int64_t at = 1; at <= 15; at += 7) {
                dense_operator d = { .n = sizes[z], .a = matrix, .nan_at = at, .ctx = *state };
                const orr_operator a = operator_of(&d);
                arenas m = arenas_new(*state);
                orr_eigenpairs e;
                const orr_eigen_options o = { .steps = 18, .pairs = 2 };
                assert_ok(*state, both[s](*state, m.out, m.scratch, &a, &o, &e));
                assert_int_equal(e.reason, ORR_REASON_NONFINITE);
                assert_int_equal(e.k, 0);
                d = (dense_operator){ .n = sizes[z], .a = matrix, .fail_at = at, .ctx = *state };
                assert_refused(*state, both[s](*state, m.out, m.scratch, &a, &o, &e), ORR_EINTERRUPTED, "stopped");
                arenas_free(m);
            }
}

static void wrong_questions_are_refused_in_one_line(void **state) {
    static double matrix[N * N], start[N];
    matrix_150(matrix);
    dense_operator d = { .n = N, .a = matrix };
    const orr_operator a = operator_of(&d), none = { .n = 0, .apply = dense_apply, .self = &d };
    solver *const both[] = { orr_eigen_arpack, orr_eigen_lanczos };
    for (int s = 0; s < 2; s++) {
        arenas m = arenas_new(*state);
        orr_eigenpairs e;
        assert_refused(*state, both[s](*state, m.out, m.scratch, &none, NULL, &e), ORR_EINPUT, "0 rows");
        assert_refused(*state, both[s](*state, m.out, m.scratch, &a, &(orr_eigen_options){ .pairs = N + 1 }, &e),
                       ORR_EINPUT, "151 asked");
        assert_refused(*state, both[s](*state, m.out, m.scratch, &a, &(orr_eigen_options){ .start = start }, &e),
                       ORR_EINPUT, "length 0");
        start[3] = (double)NAN;
        assert_refused(*state, both[s](*state, m.out, m.scratch, &a, &(orr_eigen_options){ .start = start }, &e),
                       ORR_EINPUT, "length nan");
        start[3] = 0;
        assert_refused(*state, both[s](*state, m.out, m.scratch, &a, &(orr_eigen_options){ .tolerance = -1 }, &e),
                       ORR_EINPUT, "positive");
        assert_refused(*state,
                       both[s](*state, m.out, m.scratch, &a, &(orr_eigen_options){ .pairs = 5, .basis = 5 }, &e),
                       ORR_EINPUT, "one vector more");
        arenas_free(m);
    }
}

/* ---- ARPACK's state ---- */

typedef struct nested {
    orr_context *ctx;
    solver *inner;
    dense_operator d;
    orr_status status;
    double value;
} nested;

static orr_status nested_apply(void *self, const double *v, double *out) {
    nested *s = self;
    const orr_operator a = operator_of(&s->d);
    orr_arena *one, *two;
    if (orr_arena_new(s->ctx, &one) != ORR_OK || orr_arena_new(s->ctx, &two) != ORR_OK) return ORR_ENOMEM;
    orr_eigenpairs e;
    s->status = s->inner(s->ctx, one, two, &a, &(orr_eigen_options){ .steps = 100 }, &e);
    if (s->status == ORR_OK) s->value = e.value[0];
    orr_arena_free(one);
    orr_arena_free(two);
    return s->status == ORR_OK ? dense_apply(&s->d, v, out) : s->status;
}

static void a_solve_inside_an_operator_is_for_lanczos(void **state) {
    static double matrix[N * N];
    matrix_150(matrix);
    nested s = { .ctx = *state, .inner = orr_eigen_arpack, .d = { .n = N, .a = matrix } };
    const orr_operator a = { .n = N, .apply = nested_apply, .self = &s };
    arenas m = arenas_new(*state);
    orr_eigenpairs e;
    assert_refused(*state, orr_eigen_arpack(*state, m.out, m.scratch, &a, NULL, &e), ORR_EINPUT, "within the operator");
    s.inner = orr_eigen_lanczos;
    assert_ok(*state, orr_eigen_arpack(*state, m.out, m.scratch, &a, NULL, &e));
    assert_close(s.value, golden_eigen_150[N - 1], rounding);
    assert_close(e.value[0], golden_eigen_150[N - 1], rounding);
    arenas_free(m);
}

static void *solve_often(void *arg) {
    double *worst = arg, *own = malloc(sizeof(double) * N * N);
    matrix_150(own);
    for (int again = 0; again < 5; again++) {
        orr_context *ctx;
        orr_arena *one = NULL, *two = NULL;
        orr_eigenpairs e;
        dense_operator d = { .n = N, .a = own };
        const orr_operator a = operator_of(&d);
        *worst = (double)INFINITY;
        if (orr_context_new(&(orr_context_options){ .threads = 1 }, &ctx) != ORR_OK) break;
        if (orr_arena_new(ctx, &one) == ORR_OK && orr_arena_new(ctx, &two) == ORR_OK &&
            orr_eigen_arpack(ctx, one, two, &a, NULL, &e) == ORR_OK)
            *worst = fabs(e.value[0] - golden_eigen_150[N - 1]);
        orr_arena_free(one);
        orr_arena_free(two);
        orr_context_free(ctx);
        if (*worst > rounding) break;
    }
    free(own);
    return NULL;
}

static void threads_take_turns_at_arpack(void **state) {
    (void)state;
    pthread_t thread[3];
    double worst[3];
    for (int t = 0; t < 3; t++) assert_int_equal(pthread_create(&thread[t], NULL, solve_often, &worst[t]), 0);
    for (int t = 0; t < 3; t++) pthread_join(thread[t], NULL);
    for (int t = 0; t < 3; t++) assert_close(worst[t], 0, rounding);
}

/* ---- memory ---- */

typedef struct memory_case {
    solver *solve;
    int64_t n;
    const double *matrix;
} memory_case;

static orr_status solve_once(orr_context *ctx, void *arg) {
    const memory_case *c = arg;
    dense_operator d = { .n = c->n, .a = c->matrix };
    const orr_operator a = operator_of(&d);
    orr_arena *out_arena = NULL, *scratch = NULL;
    orr_eigenpairs e;
    orr_status status;
    ORR_TRY_DONE(ctx, orr_arena_new(ctx, &out_arena));
    ORR_TRY_DONE(ctx, orr_arena_new(ctx, &scratch));
    ORR_TRY_DONE(ctx, c->solve(ctx, out_arena, scratch, &a, &(orr_eigen_options){ .pairs = 2 }, &e));
done:
    orr_arena_free(scratch);
    orr_arena_free(out_arena);
    return status;
}

static void each_allocation_may_fail(void **state) {
    (void)state;
    static double matrix[40 * 40];
    fill_symmetric(5, 40, matrix);
    memory_case cases[] = { { orr_eigen_arpack, 40, matrix },
                            { orr_eigen_arpack, 20, matrix },
                            { orr_eigen_lanczos, 40, matrix } };
    for (int i = 0; i < 3; i++) assert_true(fail_each_allocation(solve_once, &cases[i]) > 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arpack_finds_what_scipy_finds),
        cmocka_unit_test(arpack_finds_crowded_eigenvalues_of_the_laplacian),
        cmocka_unit_test(small_operators_are_solved_whole),
        cmocka_unit_test(lanczos_residuals_are_those_of_its_pairs),
        cmocka_unit_test(as_many_steps_as_rows_give_the_whole_spectrum),
        cmocka_unit_test(both_ends_stand_in_front_and_the_rest_descends),
        cmocka_unit_test(a_start_in_an_invariant_subspace_still_finds_the_largest),
        cmocka_unit_test(operators_with_few_distinct_values_keep_their_multiplicity),
        cmocka_unit_test(sixteen_steps_from_the_last_vector_follow_a_drifting_matrix),
        cmocka_unit_test(lanczos_has_equal_bits_for_any_threads),
        cmocka_unit_test(the_same_call_twice_has_the_same_bits),
        cmocka_unit_test(running_out_of_products_is_a_reason_with_the_best_so_far),
        cmocka_unit_test(an_operator_with_coarse_rounding_is_not_called_converged),
        cmocka_unit_test(a_nan_of_the_operator_is_a_reason_and_its_status_is_passed_up),
        cmocka_unit_test(wrong_questions_are_refused_in_one_line),
        cmocka_unit_test(a_solve_inside_an_operator_is_for_lanczos),
        cmocka_unit_test(threads_take_turns_at_arpack),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("numeric/eigen", tests, context_setup, context_teardown);
}
