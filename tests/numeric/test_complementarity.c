#include "failing.h"
#include "numeric/complementarity.h"
#include "numeric/dense.h"
#include "numeric/vector.h"

#include "matrices.h"

enum { K_MAX = 8, N_MAX = K_MAX * K_MAX };

static orr_arena *scratch;

static int setup(void **state) {
    return context_setup(state) == 0 && orr_arena_new(*state, &scratch) == ORR_OK ? 0 : -1;
}
static int teardown(void **state) {
    orr_arena_free(scratch);
    return context_teardown(state);
}

/* B_ij,lm = T_ij . T_lm of r-vectors T_ij = T_ji: positive semidefinite, as the flow makes it. */
static void gram(int64_t k, int64_t r, const double *t, double *b) {
    for (int64_t a = 0; a < k * k; a++)
        for (int64_t c = 0; c < k * k; c++) b[a * k * k + c] = orr_vector_dot(r, t + a * r, t + c * r);
}

/* The sheet's golden problems in R^3, to half a unit of the digits that it prints. */
static void the_problems_of_the_sheet(void **state) {
    static const double t[4][3] = { { 1, 0, .5 }, { .3, -.2, .4 }, { .3, -.2, .4 }, { .2, 1, 0 } };
    static const double golden[4][2][3] = {
        { { -1, .2, .5 }, { 1.42318304, -.60763513, .25943287 } },
        { { -1, .3, -.6 }, { 1.80166031, -1.10030061, .67196986 } },
        { { .4, .1, .3 }, { 0, 0, 0 } },
        { { -.2, .6, .3 }, { .90666738, -.58216548, .37380483 } },
    };
    double b[16];
    gram(2, 3, t[0], b);
    for (int i = 0; i < 4; i++) {
        const double *g = golden[i][0], *e = golden[i][1], z0[4] = { g[0], g[1], g[1], g[2] };
        double x[4], z[4];
        orr_complementarity out;
        assert_ok(*state, orr_complementarity_solve(*state, scratch, 2, b, z0, x, z, &out));
        assert_close(x[0], e[0], 5.1e-9);
        assert_close(x[1], e[1], 5.1e-9);
        assert_close(x[2], x[1], 1e-15);
        assert_close(x[3], e[2], 5.1e-9);
    }
}

/* One critical direction: X = max(0, -Z0/B). */
static void a_single_direction_has_a_closed_form(void **state) {
    for (double z0 = -2.0; z0 < 2.5; z0 += 0.5) {
        const double b = 0.7;
        double x, z;
        orr_complementarity out;
        assert_ok(*state, orr_complementarity_solve(*state, scratch, 1, &b, &z0, &x, &z, &out));
        assert_close(x, fmax(0.0, -z0 / b), 1e-14); /* rounding */
    }
}

/* A problem from r random vectors T_ij = T_ji, r >= k (k + 1)/2, so that B is positive definite on symmetric matrices. */
static void random_problem(int64_t seed, int64_t k, double *b, double *z0) {
    enum { R_MAX = 60 };
    static double t[N_MAX * R_MAX];
    const int64_t r = k * (k + 1) / 2 + 3;
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = 0; j < k; j++) {
            const int64_t low = i < j ? i : j, high = i < j ? j : i;
            for (int64_t a = 0; a < r; a++) t[(i * k + j) * r + a] = scattered(seed, low * k + high, a);
            z0[i * k + j] = scattered(seed + 1000, low, high) - (i == j ? 0.3 : 0.0);
        }
    gram(k, r, t, b);
}

/* The nearest positive semidefinite matrix. */
static void clip(orr_context *ctx, int64_t k, double *a) {
    orr_arena *results;
    orr_symmetric_eigen e;
    assert_ok(ctx, orr_arena_new(ctx, &results));
    assert_ok(ctx, orr_eigen_symmetric(ctx, results, scratch, k, a, &e));
    for (int64_t i = 0; i < k * k; i++) a[i] = 0.0;
    for (int64_t i = 0; i < k; i++)
        for (int64_t r = 0; r < k; r++)
            for (int64_t c = 0; c < k; c++)
                a[r * k + c] += fmax(0.0, e.value[i]) * e.vector[i * k + r] * e.vector[i * k + c];
    orr_arena_free(results);
}

/* Douglas-Rachford splitting (Lions, Mercier 1979): the proximal step of <X, B[X]>/2 + <X, Z0>, a linear system, and the
 * projection, in turn.  It shares no step with the solver. */
static void split(orr_context *ctx, int64_t k, const double *b, const double *z0, double *x) {
    static double m[N_MAX * N_MAX], v[N_MAX], y[N_MAX], inverse[N_MAX * N_MAX], identity[N_MAX * N_MAX];
    const int64_t n = k * k;
    double trace = 0.0;
    for (int64_t i = 0; i < n; i++) trace += b[i * n + i];
    const double gamma = (double)n / trace;
    for (int64_t i = 0; i < n * n; i++)
        m[i] = gamma * b[i] + (i % (n + 1) == 0 ? 1.0 : 0.0), identity[i] = i % (n + 1) == 0 ? 1.0 : 0.0;
    assert_ok(ctx, orr_solve(ctx, scratch, n, m, n, identity, inverse, NULL));
    for (int64_t i = 0; i < n; i++) v[i] = 0.0;
    for (int step = 0; step < 20000; step++) {
        double moved = 0.0;
        memcpy(x, v, (size_t)n * sizeof *x);
        clip(ctx, k, x);
        for (int64_t i = 0; i < n; i++) {
            y[i] = 0.0;
            for (int64_t j = 0; j < n; j++) y[i] += inverse[i * n + j] * (2.0 * x[j] - v[j] - gamma * z0[j]);
        }
        for (int64_t i = 0; i < n; i++) v[i] += y[i] - x[i], moved = fmax(moved, fabs(y[i] - x[i]));
        if (moved < 1e-14) return;
    }
}

static void random_problems_are_solved_as_by_splitting(void **state) {
    for (int64_t seed = 0; seed < 40; seed++) {
        const int64_t k = 2 + seed % 4, n = k * k;
        double b[N_MAX * N_MAX], z0[N_MAX], x[N_MAX], z[N_MAX], expected[N_MAX];
        orr_complementarity out;
        random_problem(seed, k, b, z0);
        assert_ok(*state, orr_complementarity_solve(*state, scratch, k, b, z0, x, z, &out));
        split(*state, k, b, z0, expected);
        /* splitting stands still to 1e-14, times the condition of B, up to some 1e3 here */
        for (int64_t i = 0; i < n; i++) assert_close(x[i], expected[i], 1e-10 * (1.0 + orr_vector_norm(n, expected)));
    }
}

/* X >= 0, Z >= 0, <X, Z> = 0, for sizes up to 8. */
static void every_solution_meets_its_conditions(void **state) {
    for (int64_t seed = 100; seed < 170; seed++) {
        const int64_t k = 2 + seed % 7, n = k * k;
        double b[N_MAX * N_MAX], z0[N_MAX], x[N_MAX], z[N_MAX];
        orr_complementarity out;
        random_problem(seed, k, b, z0);
        assert_ok(*state, orr_complementarity_solve(*state, scratch, k, b, z0, x, z, &out));
        assert_true(out.certificate < 1e-11);   /* sheet: below 1e-12 in 120 cases */
        assert_true(out.lowest > -1e-10);       /* of the order of the certificate times |B| |X|/|Z0| */
        assert_true(fabs(out.product) < 1e-10); /* the same */
        for (int64_t i = 0; i < n; i++) {
            double zi = z0[i];
            for (int64_t j = 0; j < n; j++) zi += b[i * n + j] * x[j];
            assert_close(z[i], zi, 1e-12); /* rounding */
        }
        memcpy(z, x, sizeof z);
        clip(*state, k, z);
        for (int64_t i = 0; i < n; i++) assert_close(z[i], x[i], 1e-13 * (1.0 + orr_vector_norm(n, x)));
    }
}

/* Z0 negative where B vanishes: X would grow without bound. */
static void without_a_solution_it_fails_and_says_so(void **state) {
    const double none[16] = { 0 }, one[16] = { 1 }, z0[4] = { -1, 0, 0, -1 };
    double x[4], z[4];
    orr_complementarity out;
    assert_int_equal(orr_complementarity_solve(*state, scratch, 2, none, z0, x, z, &out), ORR_ENUMERIC);
    orr_context_clear(*state);
    assert_int_equal(orr_complementarity_solve(*state, scratch, 2, one, z0, x, z, &out), ORR_ENUMERIC);
    assert_non_null(strstr(orr_context_message(*state), "no solution"));
    orr_context_clear(*state);
    const double bad[4] = { (double)NAN, 0, 0, 1 };
    assert_int_equal(orr_complementarity_solve(*state, scratch, 2, one, bad, x, z, &out), ORR_EINPUT);
    orr_context_clear(*state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_problems_of_the_sheet),
        cmocka_unit_test(a_single_direction_has_a_closed_form),
        cmocka_unit_test(random_problems_are_solved_as_by_splitting),
        cmocka_unit_test(every_solution_meets_its_conditions),
        cmocka_unit_test(without_a_solution_it_fails_and_says_so),
    };
    return cmocka_run_group_tests_name("numeric/complementarity", tests, setup, teardown);
}
