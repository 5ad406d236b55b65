/* What the tests of dense.h share: products by plain loops, comparisons, contexts of several numbers of threads. */
#ifndef ORR_TESTS_NUMERIC_DENSE_TESTING_H
#define ORR_TESTS_NUMERIC_DENSE_TESTING_H

#include "matrices.h"
#include "numeric/dense.h"

/* c = op(a) op(b) by plain loops. */
static inline void multiply(int64_t m, int64_t n, int64_t k, const double *a, bool ta, const double *b, bool tb,
                            double *c) {
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            c[i * n + j] = 0;
            for (int64_t l = 0; l < k; l++)
                c[i * n + j] += a[ta ? l * m + i : i * k + l] * b[tb ? j * k + l : l * n + j];
        }
}

static inline void assert_all_close(int64_t n, const double *got, const double *expected, double limit) {
    for (int64_t i = 0; i < n; i++) assert_close(got[i], expected[i], limit);
}

static inline void assert_identity(int64_t n, const double *a, double limit) {
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) assert_close(a[i * n + j], i == j, limit);
}

static const int teams[] = { 1, 2, 4 };
enum { TEAMS = 3, LARGE = 531 }; /* LARGE: several tiles, none of them whole */

typedef struct team {
    orr_context *ctx[TEAMS];
    int blas; /* its threads before */
} team;

static inline team team_new(void) {
    team t = { .blas = orr_blas_threads() };
    orr_blas_threads_set(1);
    for (int i = 0; i < TEAMS; i++)
        assert_int_equal(orr_context_new(&(orr_context_options){ .threads = teams[i] }, &t.ctx[i]), ORR_OK);
    return t;
}

static inline void team_free(team t) {
    for (int i = 0; i < TEAMS; i++) orr_context_free(t.ctx[i]);
    orr_blas_threads_set(t.blas);
}

/* A 4 x 4 matrix that is positive definite but for one entry, NaN or infinity, which SPOILT names. */
enum { SPOILS = 2 };
#define SPOILT "entry (2, 1) of 4 x 4 is"
static inline void spoil(int which, double a[16]) {
    const double bad[SPOILS] = { (double)NAN, (double)INFINITY };
    fill_positive(1, 4, a);
    a[2 * 4 + 1] = bad[which];
}

static inline double *numbers(int64_t n) {
    double *x = calloc((size_t)n, sizeof *x);
    assert_non_null(x);
    return x;
}

static inline double *whole_numbers(int64_t n) {
    double *x = numbers(n);
    for (int64_t i = 0; i < n; i++) x[i] = (double)(i * 7919 % 13 - 6);
    return x;
}

#endif
