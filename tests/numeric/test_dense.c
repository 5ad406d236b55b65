#include "numeric/dense.h"

#include "goldens.h"
#include "matrices.h"

enum { N = 150 };

/* c = op(a) op(b) by plain loops. */
static void multiply(int64_t m, int64_t n, int64_t k, const double *a, bool ta, const double *b, bool tb, double *c) {
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            c[i * n + j] = 0;
            for (int64_t l = 0; l < k; l++)
                c[i * n + j] += a[ta ? l * m + i : i * k + l] * b[tb ? j * k + l : l * n + j];
        }
}

static void assert_all_close(int64_t n, const double *got, const double *expected, double limit) {
    for (int64_t i = 0; i < n; i++) assert_close(got[i], expected[i], limit);
}

static void assert_identity(int64_t n, const double *a, double limit) {
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) assert_close(a[i * n + j], i == j, limit);
}

static void products_are_sums_of_products(void **state) {
    (void)state;
    static const int64_t extents[] = { 0, 1, 2, 5, 13 };
    double a[13 * 13], b[13 * 13], c[13 * 13], d[13 * 13];
    fill_general(1, 13, 13, a);
    fill_general(2, 13, 13, b);
    for (int m = 0; m < 5; m++)
        for (int n = 0; n < 5; n++)
            for (int k = 0; k < 5; k++)
                for (int t = 0; t < 4; t++) {
                    const int64_t em = extents[m], en = extents[n], ek = extents[k];
                    orr_dense_multiply(em, en, ek, a, t & 1, b, t & 2, c);
                    multiply(em, en, ek, a, t & 1, b, t & 2, d);
                    assert_all_close(em * en, c, d, 1e-15); /* 13 terms below 1/4 */
                }
}

static void eigenvalues_are_scipys_and_vectors_diagonalise(void **state) {
    static double a[N * N], av[N * N], vav[N * N];
    fill_symmetric(3, N, a);
    arenas m = arenas_new(*state);
    orr_symmetric_eigen e;
    assert_ok(*state, orr_eigen_symmetric(*state, m.out, m.scratch, N, a, &e));
    assert_all_close(N, e.value, golden_eigen_150, 1e-13); /* |A| eps times a modest factor */
    orr_dense_multiply(N, N, N, e.vector, false, e.vector, true, vav);
    assert_identity(N, vav, 1e-12); /* orthogonal to n eps times a factor of tens */
    orr_dense_multiply(N, N, N, e.vector, false, a, false, av);
    orr_dense_multiply(N, N, N, av, false, e.vector, true, vav);
    for (int64_t i = 0; i < N; i++) vav[i * N + i] -= e.value[i];
    for (int64_t i = 0; i < N * N; i++) assert_close(vav[i], 0, 1e-12 * 7); /* |A| = 7 */
    arenas_free(m);
}

/* The same as by vectors that are kept; of an indefinite matrix, and of one of rank 40, whose zeros are a cluster. */
static void columns_lie_along_eigenvectors_that_are_not_kept(void **state) {
    static double a[N * N], copy[N * N], low[N * 40], b[N * 2], value[N], along[N * 2], kept[N * 2];
    fill_general(5, N, 2, b);
    fill_general(6, N, 40, low);
    for (int deficient = 0; deficient < 2; deficient++) {
        fill_symmetric(3, N, a);
        if (deficient) orr_dense_multiply(N, N, 40, low, false, low, true, a);
        memcpy(copy, a, sizeof a);
        arenas m = arenas_new(*state);
        orr_symmetric_eigen e;
        assert_ok(*state, orr_eigen_symmetric(*state, m.out, m.scratch, N, a, &e));
        assert_ok(*state, orr_eigen_symmetric_along(*state, m.scratch, N, copy, 2, b, value, along));
        orr_dense_multiply(N, 2, N, e.vector, false, b, false, kept);
        for (int64_t i = 0; i < (deficient ? 40 : N); i++) {
            const int64_t j = N - 1 - i;                                      /* ascending there */
            assert_close(value[i], e.value[j], 1e-12 * fabs(e.value[N - 1])); /* n eps |A| */
            /* a gap of 1e-3 |A| between neighbours leaves 1e-10 */
            for (int c = 0; c < 2; c++) assert_close(fabs(along[i * 2 + c]), fabs(kept[j * 2 + c]), 1e-9);
        }
        for (int64_t i = deficient ? 40 : N; i < N; i++) assert_close(value[i], 0, 1e-12 * fabs(e.value[N - 1]));
        for (int c = 0; c < 2; c++) {
            double before = 0, after = 0;
            for (int64_t i = 0; i < N; i++)
                before += b[i * 2 + c] * b[i * 2 + c], after += along[i * 2 + c] * along[i * 2 + c];
            assert_close(after / before, 1, 1e-13); /* rotations keep the length */
        }
        arenas_free(m);
    }
    assert_ok(*state, orr_eigen_symmetric_along(*state, NULL, 0, NULL, 0, NULL, NULL, NULL));
}

static void a_range_of_eigenvalues_is_a_part_of_all(void **state) {
    static double a[N * N];
    fill_symmetric(3, N, a);
    for (int64_t i = 0; i < N; i++)
        for (int64_t j = i + 1; j < N; j++) a[i * N + j] = (double)NAN; /* the upper triangle isn't read */
    static const int64_t ranges[][2] = { { 0, 1 }, { N - 1, 1 }, { 40, 7 }, { 0, N }, { 3, 0 }, { N, 0 } };
    for (int r = 0; r < 6; r++) {
        arenas m = arenas_new(*state);
        orr_symmetric_eigen e;
        assert_ok(*state, orr_eigen_symmetric_range(*state, m.out, m.scratch, N, a, ranges[r][0], ranges[r][1], &e));
        assert_int_equal(e.k, ranges[r][1]);
        assert_all_close(e.k, e.value, golden_eigen_150 + ranges[r][0], 1e-13);
        arenas_free(m);
    }
}

static void eigen_of_the_tridiagonal_laplacian_is_known(void **state) {
    enum { T = 30 };
    double alpha[T], beta[T], value[T], alone[T], vector[T * T];
    for (int i = 0; i < T; i++) alpha[i] = 2, beta[i] = -1;
    arenas m = arenas_new(*state);
    assert_ok(*state, orr_tridiagonal_eigen(*state, m.scratch, T, alpha, beta, value, vector));
    assert_ok(*state, orr_tridiagonal_eigen(*state, m.scratch, T, alpha, beta, alone, NULL));
    const double angle = acos(-1) / (T + 1);
    for (int j = 0; j < T; j++) {
        assert_close(value[j], 2 - 2 * cos((j + 1) * angle), 2e-14);
        assert_close(alone[j], value[j], 2e-14);
        const double sign = vector[j * T] > 0 ? 1 : -1; /* sqrt(2 / (T + 1)) sin((i + 1)(j + 1) angle) */
        for (int i = 0; i < T; i++)
            assert_close(sign * vector[j * T + i], sqrt(2.0 / (T + 1)) * sin((i + 1) * (j + 1) * angle), 1e-13);
    }
    assert_ok(*state, orr_tridiagonal_eigen(*state, m.scratch, 1, alpha, beta, value, vector));
    assert_true(value[0] == 2 && fabs(vector[0]) == 1);
    assert_ok(*state, orr_tridiagonal_eigen(*state, m.scratch, 0, alpha, beta, value, vector));
    arenas_free(m);
}

static void singular_values_are_scipys_and_factors_multiply_back(void **state) {
    static const int64_t extents[][2] = { { 7, 4 }, { 4, 7 }, { 5, 5 }, { 1, 6 }, { 6, 1 }, { 1, 1 }, { 40, 33 } };
    static double a[40 * 40], us[40 * 40], back[40 * 40], gram[40 * 40];
    for (int t = 0; t < 7; t++) {
        const int64_t rows = extents[t][0], columns = extents[t][1], k = rows < columns ? rows : columns;
        fill_general(1, rows, columns, a);
        arenas m = arenas_new(*state);
        orr_svd s;
        assert_ok(*state, orr_svd_thin(*state, m.out, m.scratch, rows, columns, a, &s));
        assert_int_equal(s.k, k);
        assert_ok(*state, orr_singular_values(*state, m.scratch, rows, columns, a, us));
        assert_all_close(k, us, s.s, 1e-15 * 10);
        if (t == 0) assert_all_close(4, s.s, golden_singular_7_4, 1e-15 * 4);
        for (int64_t i = 1; i < k; i++) assert_true(s.s[i] <= s.s[i - 1] && s.s[i] >= 0);
        orr_dense_multiply(k, k, rows, s.u, true, s.u, false, gram);
        assert_identity(k, gram, 1e-14);
        orr_dense_multiply(k, k, columns, s.vt, false, s.vt, true, gram);
        assert_identity(k, gram, 1e-14);
        for (int64_t i = 0; i < rows; i++)
            for (int64_t j = 0; j < k; j++) us[i * k + j] = s.u[i * k + j] * s.s[j];
        orr_dense_multiply(rows, columns, k, us, false, s.vt, false, back);
        assert_all_close(rows * columns, back, a, 1e-14 * 5);
        arenas_free(m);
    }
}

static void cholesky_is_scipys_and_solves(void **state) {
    double a[25], l[25], back[25], b[10], x[10], ax[10];
    fill_positive(2, 5, a);
    arenas m = arenas_new(*state);
    assert_ok(*state, orr_cholesky(*state, 5, a, l));
    assert_all_close(25, l, golden_cholesky_5, 1e-15 * 4);
    multiply(5, 5, 5, l, false, l, true, back);
    assert_all_close(25, back, a, 1e-15 * 4);
    fill_general(3, 5, 2, b);
    assert_ok(*state, orr_cholesky_solve(*state, m.scratch, 5, l, 2, b, x));
    multiply(5, 2, 5, a, false, x, false, ax);
    assert_all_close(10, ax, b, 1e-14);
    assert_ok(*state, orr_cholesky_solve(*state, m.scratch, 5, l, 2, b, b)); /* in place */
    assert_memory_equal(b, x, sizeof x);
    assert_ok(*state, orr_cholesky(*state, 5, a, a));
    assert_memory_equal(a, l, sizeof l);
    a[0] = 9;
    assert_ok(*state, orr_cholesky(*state, 1, a, l));
    assert_true(l[0] == 3);
    assert_ok(*state, orr_cholesky(*state, 0, a, l));
    arenas_free(m);
}

/* Of 4 on the diagonal and 1 off it, n x n: eigenvalues n + 3 once and 3. */
static void the_trace_of_an_inverse_is_a_sum_over_eigenvalues(void **state) {
    double a[6 * 6], l[6 * 6], trace;
    arenas m = arenas_new(*state);
    for (int n = 0; n <= 6; n++) {
        for (int i = 0; i < n * n; i++) a[i] = i % (n + 1) == 0 ? 4 : 1;
        assert_ok(*state, orr_cholesky(*state, n, a, l));
        assert_ok(*state, orr_cholesky_inverse_trace(*state, m.scratch, n, l, &trace));
        assert_close(trace, n ? 1.0 / (n + 3) + (n - 1) / 3.0 : 0.0, 1e-14);
    }
    arenas_free(m);
}

static void cholesky_names_the_pivot_that_fails(void **state) {
    double a[25], l[25];
    for (int bad = 0; bad < 5; bad++)
        for (int value = -1; value <= 0; value++) {
            fill_positive(2, 5, a);
            for (int j = 0; j < 5; j++) a[bad * 5 + j] = a[j * 5 + bad] = 0;
            a[bad * 5 + bad] = value;
            char expected[40];
            (void)snprintf(expected, sizeof expected, "pivot %d of 5", bad + 1);
            assert_refused(*state, orr_cholesky(*state, 5, a, l), ORR_ENUMERIC, expected);
        }
}

static void linear_systems_are_solved_as_by_scipy(void **state) {
    double a[36], b[12], x[12], condition;
    fill_general(4, 6, 6, a);
    fill_general(5, 6, 2, b);
    arenas m = arenas_new(*state);
    assert_ok(*state, orr_solve(*state, m.scratch, 6, a, 2, b, x, &condition));
    /* two stable solvers differ by at most eps times the condition times |x| times a few */
    assert_all_close(12, x, golden_solve_6_2, 10 * 0x1p-52 * golden_condition_6[0] * 5);
    /* LAPACK's estimate of |A^-1| is from below, mostly exact, in practice within a factor of 3 (Higham 1988) */
    assert_true(1 / condition <= golden_condition_6[0] * (1 + 1e-12) && 1 / condition >= golden_condition_6[0] / 3);
    assert_ok(*state, orr_solve(*state, m.scratch, 6, a, 2, b, b, NULL)); /* in place */
    assert_memory_equal(b, x, sizeof x);
    assert_ok(*state, orr_solve(*state, m.scratch, 0, a, 2, b, x, &condition));
    assert_true(condition == 1);
    a[0] = 4, b[0] = 2;
    assert_ok(*state, orr_solve(*state, m.scratch, 1, a, 1, b, x, &condition));
    assert_true(x[0] == 0.5 && condition == 1);
    arenas_free(m);
}

static void a_singular_system_names_its_pivot(void **state) {
    double a[36], b[12] = { 0 }, x[12];
    fill_general(4, 6, 6, a);
    for (int i = 0; i < 6; i++) a[i * 6 + 2] = 0;
    arenas m = arenas_new(*state);
    /* rows and columns are exchanged inside: which pivot is 0 is LAPACK's affair, that one is can't be missed */
    assert_refused(*state, orr_solve(*state, m.scratch, 6, a, 2, b, x, NULL), ORR_ENUMERIC, "singular, pivot");
    arenas_free(m);
}

static void least_squares_are_scipys(void **state) {
    double a[36], b[18], left[12], right[10], residual[2] = { 0 };
    fill_general(6, 9, 4, a);
    fill_general(7, 9, 2, b);
    arenas m = arenas_new(*state);
    orr_least_squares s;
    assert_ok(*state, orr_least_squares_solve(*state, m.out, m.scratch, 9, 4, a, 2, b, 0, &s));
    assert_int_equal(s.rank, 4);
    assert_all_close(8, s.x, golden_least_squares_9_4_2, 1e-14);
    for (int i = 0; i < 9; i++)
        for (int c = 0; c < 2; c++) {
            double r = -b[i * 2 + c];
            for (int j = 0; j < 4; j++) r += a[i * 4 + j] * golden_least_squares_9_4_2[j * 2 + c];
            residual[c] += r * r;
        }
    for (int c = 0; c < 2; c++) assert_close(s.residual[c], sqrt(residual[c]), 1e-14);
    /* rank 2 of 5: the shortest solution */
    fill_general(8, 6, 2, left);
    fill_general(9, 2, 5, right);
    multiply(6, 5, 2, left, false, right, false, a);
    fill_general(10, 6, 1, b);
    assert_ok(*state, orr_least_squares_solve(*state, m.out, m.scratch, 6, 5, a, 1, b, 1e-10, &s));
    assert_int_equal(s.rank, 2);
    assert_all_close(5, s.x, golden_least_squares_rank_2, 1e-13);
    assert_true(s.singular[1] > 1e-3 && s.singular[2] < 1e-15);
    arenas_free(m);
}

static void more_unknowns_than_equations_give_the_shortest_solution(void **state) {
    const double a[] = { 3, 4 }, b[] = { 50 };
    arenas m = arenas_new(*state);
    orr_least_squares s;
    assert_ok(*state, orr_least_squares_solve(*state, m.out, m.scratch, 1, 2, a, 1, b, 0, &s));
    assert_close(s.x[0], 6, 1e-14); /* b A' / |A|^2 */
    assert_close(s.x[1], 8, 1e-14);
    assert_int_equal(s.rank, 1);
    assert_ok(*state, orr_least_squares_solve(*state, m.out, m.scratch, 0, 2, a, 1, b, 0, &s));
    assert_true(s.rank == 0 && s.x[0] == 0 && s.x[1] == 0 && s.residual[0] == 0);
    assert_ok(*state, orr_least_squares_solve(*state, m.out, m.scratch, 1, 0, a, 1, b, 0, &s));
    assert_true(s.rank == 0 && s.residual[0] == 50);
    arenas_free(m);
}

static void an_entry_that_is_not_finite_is_named(void **state) {
    double a[16], good[16], x[16];
    orr_symmetric_eigen e;
    orr_svd s;
    orr_least_squares ls;
    fill_positive(1, 4, good);
    const double bad[] = { (double)NAN, (double)INFINITY };
    arenas m = arenas_new(*state);
    for (int i = 0; i < 2; i++) {
        memcpy(a, good, sizeof a);
        a[2 * 4 + 1] = bad[i];
        const char *place = "entry (2, 1) of 4 x 4 is";
        assert_refused(*state, orr_eigen_symmetric(*state, m.out, m.scratch, 4, a, &e), ORR_EINPUT, place);
        assert_refused(*state, orr_svd_thin(*state, m.out, m.scratch, 4, 4, a, &s), ORR_EINPUT, place);
        assert_refused(*state, orr_cholesky(*state, 4, a, x), ORR_EINPUT, place);
        assert_refused(*state, orr_cholesky_solve(*state, m.scratch, 4, good, 4, a, x), ORR_EINPUT, place);
        assert_refused(*state, orr_solve(*state, m.scratch, 4, a, 4, good, x, NULL), ORR_EINPUT, place);
        assert_refused(*state, orr_solve(*state, m.scratch, 4, good, 4, a, x, NULL), ORR_EINPUT, "right side");
        assert_refused(*state, orr_least_squares_solve(*state, m.out, m.scratch, 4, 4, a, 4, good, 0, &ls), ORR_EINPUT,
                       place);
        assert_refused(*state, orr_least_squares_solve(*state, m.out, m.scratch, 4, 4, good, 4, a, 0, &ls), ORR_EINPUT,
                       "right side");
        assert_refused(*state, orr_tridiagonal_eigen(*state, m.scratch, 4, a + 8, good, x, NULL), ORR_EINPUT,
                       "tridiagonal");
    }
    assert_refused(*state, orr_eigen_symmetric_range(*state, m.out, m.scratch, 4, good, 3, 2, &e), ORR_EINPUT,
                   "2 values from number 3");
    assert_refused(*state, orr_eigen_symmetric(*state, m.out, m.scratch, -1, good, &e), ORR_EINPUT, "extents");
    arenas_free(m);
}

static void empty_matrices_have_empty_results(void **state) {
    arenas m = arenas_new(*state);
    orr_symmetric_eigen e;
    orr_svd s;
    assert_ok(*state, orr_eigen_symmetric(*state, m.out, m.scratch, 0, NULL, &e));
    assert_int_equal(e.k, 0);
    assert_ok(*state, orr_svd_thin(*state, m.out, m.scratch, 0, 3, NULL, &s));
    assert_int_equal(s.k, 0);
    const double one[] = { -7 };
    assert_ok(*state, orr_eigen_symmetric(*state, m.out, m.scratch, 1, one, &e));
    assert_true(e.value[0] == -7 && fabs(e.vector[0]) == 1);
    arenas_free(m);
}

/* BLAS may cut its sums among threads: equal to rounding, which is what dense.h promises. */
static void threads_of_blas_change_no_more_than_rounding(void **state) {
    enum { BIG = 300 };
    double *a = malloc(sizeof(double) * BIG * BIG), *b = malloc(sizeof(double) * BIG * BIG);
    double *c = malloc(sizeof(double) * BIG * BIG), first[BIG];
    fill_symmetric(3, BIG, a);
    const int before = orr_blas_threads();
    for (int threads = 1; threads <= 2; threads++) {
        orr_blas_threads_set(threads);
        assert_int_equal(orr_blas_threads(), threads);
        arenas m = arenas_new(*state);
        orr_symmetric_eigen e;
        assert_ok(*state, orr_eigen_symmetric(*state, m.out, m.scratch, BIG, a, &e));
        if (threads == 1) memcpy(first, e.value, sizeof first);
        assert_all_close(BIG, e.value, first, 1e-12);
        orr_dense_multiply(BIG, BIG, BIG, a, false, a, false, threads == 1 ? b : c);
        arenas_free(m);
    }
    assert_all_close(BIG * BIG, c, b, 1e-13); /* 300 terms below 1/4 */
    orr_blas_threads_set(before);
    free(a), free(b), free(c);
}

/* ---- what is cut into tasks ------------------------------------------------------------------------------------ */

static const int teams[] = { 1, 2, 4 };
enum { TEAMS = 3, LARGE = 531 }; /* LARGE: several tiles, none of them whole */

typedef struct team {
    orr_context *ctx[TEAMS];
    int blas; /* its threads before */
} team;

static team team_new(void) {
    team t = { .blas = orr_blas_threads() };
    orr_blas_threads_set(1);
    for (int i = 0; i < TEAMS; i++)
        assert_int_equal(orr_context_new(&(orr_context_options){ .threads = teams[i] }, &t.ctx[i]), ORR_OK);
    return t;
}

static void team_free(team t) {
    for (int i = 0; i < TEAMS; i++) orr_context_free(t.ctx[i]);
    orr_blas_threads_set(t.blas);
}

static double *numbers(int64_t n) {
    double *x = calloc((size_t)n, sizeof *x);
    assert_non_null(x);
    return x;
}

static double *whole_numbers(int64_t n) {
    double *x = numbers(n);
    for (int64_t i = 0; i < n; i++) x[i] = (double)(i * 7919 % 13 - 6);
    return x;
}

/* c[i, j] <- c[i, j] + i + j, as symmetric as c was */
static void add_places(const void *self, int64_t row, int64_t first, int64_t n, double *entries) {
    assert_true(self == NULL && first + n <= row + 1);
    for (int64_t j = 0; j < n; j++) entries[j] += (double)(row + first + j);
}

static void products_on_any_threads_are_those_of_plain_loops(void **state) {
    (void)state;
    enum { M = LARGE, COLUMNS = 7, INNER = 37 };
    const team t = team_new();
    double *a = whole_numbers(M * INNER), *b = whole_numbers(INNER * COLUMNS), *c = numbers(M * M), *d = numbers(M * M);
    for (int i = 0; i < TEAMS; i++) {
        for (int k = 0; k < 4; k++)
            for (int64_t n = 1; n <= COLUMNS; n += COLUMNS - 1) {
                multiply(M, n, INNER, a, k & 1, b, k & 2, d);
                orr_dense_multiply_parallel(t.ctx[i], M, n, INNER, a, k & 1, b, k & 2, c);
                assert_memory_equal(c, d, sizeof *c * (size_t)(M * n));
                orr_dense_multiply(M, n, INNER, a, k & 1, b, k & 2, c);
                assert_memory_equal(c, d, sizeof *c * (size_t)(M * n));
            }
        multiply(M, M, INNER, a, false, a, true, d);
        assert_ok(t.ctx[i], orr_dense_gram(t.ctx[i], M, INNER, a, NULL, NULL, c));
        assert_memory_equal(c, d, sizeof *c * M * M);
        for (int64_t j = 0; j < M * M; j++) d[j] += (double)(j / M + j % M);
        assert_ok(t.ctx[i], orr_dense_gram(t.ctx[i], M, INNER, a, add_places, NULL, c));
        assert_memory_equal(c, d, sizeof *c * M * M);
        assert_ok(t.ctx[i], orr_dense_gram(t.ctx[i], 2, 0, a, NULL, NULL, c));
        orr_dense_multiply_parallel(t.ctx[i], 2, 2, 0, a, false, b, false, c + 4);
        for (int k = 0; k < 8; k++) assert_true(c[k] == 0.0);
    }
    for (int64_t n = 0; n <= INNER; n++) { /* a block of a wider matrix */
        orr_dense_apply(M, n, a, INNER, false, b, c);
        for (int64_t i = 0; i < M; i++) {
            double sum = 0;
            for (int64_t k = 0; k < n; k++) sum += a[i * INNER + k] * b[k];
            assert_true(c[i] == sum);
        }
        orr_dense_apply(COLUMNS, n, a, INNER, true, b, c);
        for (int64_t k = 0; k < n; k++) {
            double sum = 0;
            for (int64_t i = 0; i < COLUMNS; i++) sum += a[i * INNER + k] * b[i];
            assert_true(c[k] == sum);
        }
    }
    free(a), free(b), free(c), free(d);
    team_free(t);
}

/* n on the diagonal, less than 1/2 off it. */
static double *dominated(int64_t n) {
    double *a = numbers(n * n);
    fill_symmetric(5, n, a);
    for (int64_t i = 0; i < n; i++) a[i * n + i] = (double)n;
    return a;
}

static void large_cholesky_factors_multiply_back_with_equal_bits_for_any_threads(void **state) {
    static const int64_t extents[] = { 47, 48, 49, 97, 128, 257, LARGE };
    const team t = team_new();
    for (int e = 0; e < 7; e++) {
        const int64_t n = extents[e];
        double *a = dominated(n), *l = numbers(n * n), *again = numbers(n * n);
        assert_ok(t.ctx[0], orr_cholesky(t.ctx[0], n, a, l));
        orr_dense_multiply(n, n, n, l, false, l, true, again);
        assert_all_close(n * n, again, a, 1e-12); /* entries up to 531, of sums of as many terms that add up to that */
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = i + 1; j < n; j++) assert_true(l[i * n + j] == 0.0);
        for (int i = 1; i < TEAMS; i++) {
            assert_ok(t.ctx[i], orr_cholesky(t.ctx[i], n, a, again));
            assert_memory_equal(again, l, sizeof *l * (size_t)(n * n));
        }
        assert_ok(t.ctx[1], orr_cholesky(t.ctx[1], n, a, a)); /* in place */
        assert_memory_equal(a, l, sizeof *l * (size_t)(n * n));
        free(a), free(l), free(again);
    }
    team_free(t);
    (void)state;
}

static void a_large_cholesky_names_its_pivot_and_what_is_not_finite(void **state) {
    static const int64_t bad[] = { 0, 127, 128, 265, 266, 400, LARGE - 1 };
    double *a = dominated(LARGE), *l = numbers(LARGE * LARGE);
    char expected[60];
    for (int k = 0; k < 7; k++) {
        a[bad[k] * LARGE + bad[k]] = 0;
        (void)snprintf(expected, sizeof expected, "pivot %lld of %d", (long long)bad[k] + 1, LARGE);
        assert_refused(*state, orr_cholesky(*state, LARGE, a, l), ORR_ENUMERIC, expected);
        a[bad[k] * LARGE + bad[k]] = LARGE;
        a[bad[k] * LARGE + bad[k] / 2] = k % 2 ? (double)NAN : (double)INFINITY;
        (void)snprintf(expected, sizeof expected, "entry (%lld, %lld)", (long long)bad[k], (long long)bad[k] / 2);
        assert_refused(*state, orr_cholesky(*state, LARGE, a, l), ORR_EINPUT, expected);
        a[bad[k] * LARGE + bad[k] / 2] = k ? 0.0 : LARGE;
    }
    free(a), free(l);
}

/* Rank 40 of 531: the eigenvalue 0 is as degenerate as a Gram matrix makes it. */
static void large_eigenvectors_have_equal_bits_for_any_threads(void **state) {
    (void)state;
    enum { RANK = 40 };
    const team t = team_new();
    double *x = whole_numbers(LARGE * RANK), *a = numbers(LARGE * LARGE), *again = numbers(LARGE * LARGE);
    orr_symmetric_eigen e[TEAMS];
    arenas m[TEAMS];
    assert_ok(t.ctx[0], orr_dense_gram(t.ctx[0], LARGE, RANK, x, NULL, NULL, a));
    for (int i = 0; i < TEAMS; i++) {
        m[i] = arenas_new(t.ctx[i]);
        assert_ok(t.ctx[i], orr_eigen_symmetric(t.ctx[i], m[i].out, m[i].scratch, LARGE, a, &e[i]));
        assert_memory_equal(e[i].value, e[0].value, sizeof *a * LARGE);
        assert_memory_equal(e[i].vector, e[0].vector, sizeof *a * LARGE * LARGE);
    }
    orr_dense_multiply(LARGE, LARGE, LARGE, e[0].vector, false, e[0].vector, true, again);
    for (int64_t i = 0; i < LARGE; i++)
        for (int64_t j = 0; j < LARGE; j++) assert_close(again[i * LARGE + j], i == j, 1e-12);
    for (int64_t i = 0; i < LARGE; i++)
        for (int64_t j = 0; j < LARGE; j++) again[i * LARGE + j] = e[0].vector[i * LARGE + j] * e[0].value[i];
    double *back = numbers(LARGE * LARGE);
    orr_dense_multiply(LARGE, LARGE, LARGE, e[0].vector, true, again, false, back);
    assert_all_close(LARGE * LARGE, back, a, 1e-12 * e[0].value[LARGE - 1]);
    for (int i = 0; i < TEAMS; i++) arenas_free(m[i]);
    free(x), free(a), free(again), free(back);
    team_free(t);
}

static void a_block_is_factored_where_it_lies(void **state) {
    enum { PART = 200, WIDE = 257 };
    double *a = numbers(WIDE * WIDE), *before = numbers(WIDE * WIDE), *l = numbers(PART * PART),
           *block = numbers(PART * PART);
    fill_symmetric(6, WIDE, a);
    for (int64_t i = 0; i < WIDE; i++) a[i * WIDE + i] = WIDE;
    memcpy(before, a, sizeof *a * WIDE * WIDE);
    for (int64_t i = 0; i < PART; i++) memcpy(block + i * PART, a + i * WIDE, sizeof *a * PART);
    assert_ok(*state, orr_cholesky(*state, PART, block, l));
    assert_ok(*state, orr_cholesky_in_place(*state, PART, a, WIDE));
    for (int64_t i = 0; i < WIDE; i++)
        for (int64_t j = 0; j < WIDE; j++)
            assert_true(a[i * WIDE + j] == (i < PART && j <= i ? l[i * PART + j] : before[i * WIDE + j]));
    memcpy(a, before, sizeof *a * WIDE * WIDE);
    a[150 * WIDE + 20] = NAN;
    assert_refused(*state, orr_cholesky_in_place(*state, PART, a, WIDE), ORR_ENUMERIC, "Cholesky");
    free(a), free(before), free(l), free(block);
}

static void leading_blocks_are_solved_by_the_factor_of_the_whole(void **state) {
    static const int64_t sizes[] = { 0, 1, 50, LARGE, 300 }; /* in any order */
    enum { SIZES = 5 };
    double *a = dominated(LARGE), *l = numbers(LARGE * LARGE), *part = numbers(LARGE * LARGE), b[LARGE], one[LARGE];
    double *x = numbers(LARGE * SIZES);
    arenas m = arenas_new(*state);
    fill_general(3, LARGE, 1, b);
    assert_ok(*state, orr_cholesky(*state, LARGE, a, l));
    assert_ok(*state, orr_cholesky_solve_leading(*state, m.scratch, LARGE, l, LARGE, SIZES, sizes, b, x));
    for (int s = 0; s < SIZES; s++) {
        const int64_t n = sizes[s];
        for (int64_t i = 0; i < n; i++) memcpy(part + i * n, a + i * LARGE, sizeof *part * (size_t)n);
        assert_ok(*state, orr_solve(*state, m.scratch, n, part, 1, b, one, NULL));
        for (int64_t i = 0; i < LARGE; i++) assert_close(x[i * SIZES + s], i < n ? one[i] : 0.0, 1e-17); /* of 1e-3 */
    }
    assert_refused(*state, orr_cholesky_solve_leading(*state, m.scratch, 5, l, 5, 1, &(int64_t){ 6 }, b, x), ORR_EINPUT,
                   "size 6 of 5 x 5");
    assert_ok(*state, orr_cholesky_solve_leading(*state, m.scratch, 0, l, 1, 1, &(int64_t){ 0 }, b, x));
    arenas_free(m);
    free(a), free(l), free(part), free(x);
}

static orr_status each_solver(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch) {
    double a[36], b[12], x[12];
    orr_symmetric_eigen e;
    orr_svd s;
    orr_least_squares ls;
    fill_positive(1, 6, a);
    fill_general(2, 6, 2, b);
    ORR_TRY(ctx, orr_eigen_symmetric(ctx, out_arena, scratch, 6, a, &e));
    ORR_TRY(ctx, orr_tridiagonal_eigen(ctx, scratch, 6, a, a + 6, x, NULL));
    ORR_TRY(ctx, orr_svd_thin(ctx, out_arena, scratch, 6, 6, a, &s));
    ORR_TRY(ctx, orr_solve(ctx, scratch, 6, a, 2, b, x, NULL));
    ORR_TRY(ctx, orr_least_squares_solve(ctx, out_arena, scratch, 6, 6, a, 2, b, 0, &ls));
    ORR_TRY(ctx, orr_cholesky(ctx, 6, a, a));
    ORR_TRY(ctx, orr_cholesky_solve_leading(ctx, scratch, 6, a, 6, 2, (const int64_t[]){ 3, 6 }, b, x));
    return orr_cholesky_solve(ctx, scratch, 6, a, 2, b, x);
}

static void each_allocation_may_fail(void **state) {
    (void)state;
    assert_each_allocation_may_fail(each_solver);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_are_sums_of_products),
        cmocka_unit_test(eigenvalues_are_scipys_and_vectors_diagonalise),
        cmocka_unit_test(columns_lie_along_eigenvectors_that_are_not_kept),
        cmocka_unit_test(a_range_of_eigenvalues_is_a_part_of_all),
        cmocka_unit_test(eigen_of_the_tridiagonal_laplacian_is_known),
        cmocka_unit_test(singular_values_are_scipys_and_factors_multiply_back),
        cmocka_unit_test(cholesky_is_scipys_and_solves),
        cmocka_unit_test(the_trace_of_an_inverse_is_a_sum_over_eigenvalues),
        cmocka_unit_test(cholesky_names_the_pivot_that_fails),
        cmocka_unit_test(linear_systems_are_solved_as_by_scipy),
        cmocka_unit_test(a_singular_system_names_its_pivot),
        cmocka_unit_test(least_squares_are_scipys),
        cmocka_unit_test(more_unknowns_than_equations_give_the_shortest_solution),
        cmocka_unit_test(an_entry_that_is_not_finite_is_named),
        cmocka_unit_test(empty_matrices_have_empty_results),
        cmocka_unit_test(threads_of_blas_change_no_more_than_rounding),
        cmocka_unit_test(products_on_any_threads_are_those_of_plain_loops),
        cmocka_unit_test(large_cholesky_factors_multiply_back_with_equal_bits_for_any_threads),
        cmocka_unit_test(a_large_cholesky_names_its_pivot_and_what_is_not_finite),
        cmocka_unit_test(large_eigenvectors_have_equal_bits_for_any_threads),
        cmocka_unit_test(a_block_is_factored_where_it_lies),
        cmocka_unit_test(leading_blocks_are_solved_by_the_factor_of_the_whole),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("numeric/dense", tests, context_setup, context_teardown);
}
