#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "base/parallel.h"
#include "numeric/dense_private.h"

static orr_status eigen_dsyevr(orr_context *ctx, orr_arena *scratch, int64_t n, const double *a, int64_t first,
                               double *all_values, orr_symmetric_eigen *out) {
    const lapack_int ln = (lapack_int)n, il = (lapack_int)first + 1, iu = (lapack_int)(first + out->k);
    double wish;
    lapack_int found, integers, length, integer_length;
    double *copy = orr_dense_copy(scratch, n, n, a);
    lapack_int *support = ORR_NEW(scratch, lapack_int, 2 * n);
    if (!copy || !support) return orr_dense_no_memory(ctx, "eigen", n, n);
    ORR_TRY(ctx, orr_dense_check_info(ctx, "eigen",
                                      LAPACKE_dsyevr_work(LAPACK_COL_MAJOR, 'V', 'I', 'U', ln, copy, ln, 0, 0, il, iu,
                                                          0, &found, all_values, out->vector, ln, support, &wish, -1,
                                                          &integers, -1)));
    double *work = orr_dense_work_array(scratch, wish, &length);
    integer_length = integers;
    lapack_int *integer_work = ORR_NEW(scratch, lapack_int, integer_length);
    if (!work || !integer_work) return orr_dense_no_memory(ctx, "eigen: work", n, n);
    ORR_TRY(ctx, orr_dense_check_info(ctx, "eigen",
                                      LAPACKE_dsyevr_work(LAPACK_COL_MAJOR, 'V', 'I', 'U', ln, copy, ln, 0, 0, il, iu,
                                                          0, &found, all_values, out->vector, ln, support, work, length,
                                                          integer_work, integer_length)));
    if (found == out->k) return ORR_OK;
    return orr_fail(ctx, ORR_ENUMERIC, "eigen: LAPACK found %d of %lld values", (int)found, (long long)out->k);
}

enum { REFLECTIONS = 48 }; /* of a block */

/* A block of the reflections whose product Q reduces a matrix: I - V T V', applied to vectors that are the rows of x.
 *
 *     x <- x - (x V) T' V'          some rows of x a task */
typedef struct reflection {
    int64_t n, k, rows, each; /* n: of a vector; k reflections, of its first `rows` entries; each: vectors of a task */
    const double *v, *t;      /* V' [k, rows], T' [k, k] */
    double *x, *work;         /* [n, n], [n, 2 REFLECTIONS] */
} reflection;

static void reflect_vectors(void *arg, int64_t task, int worker) {
    const reflection *r = arg;
    const int64_t first = task * r->each;
    const blasint m = (blasint)(r->n - first < r->each ? r->n - first : r->each), n = (blasint)r->n, k = (blasint)r->k,
                  rows = (blasint)r->rows, ldw = 2 * REFLECTIONS;
    double *x = r->x + first * r->n, *xv = r->work + first * ldw, *xvt = xv + REFLECTIONS;
    (void)worker;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, k, rows, 1.0, x, n, r->v, rows, 0.0, xv, ldw);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, k, k, 1.0, xv, ldw, r->t, k, 0.0, xvt, ldw);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, rows, k, -1.0, xvt, ldw, r->v, rows, 1.0, x, n);
}

/* Rows of vectors <- Q times each, for the Q of dsytrd: reflection i, the first to be applied first, has 1 as entry i and what
 * stands above it in column i + 1 of LAPACK's before that.  Not dormtr: with the work array that it asks for, it applies them
 * one by one, and writes into them meanwhile, so that tasks can't share them. */
static orr_status reflect(orr_context *ctx, orr_arena *scratch, int64_t n, const double *reduced, const double *tau,
                          double *vectors) {
    double *v = orr_arena_take(scratch, n, REFLECTIONS * sizeof *v), t[REFLECTIONS * REFLECTIONS];
    double *work = orr_arena_take(scratch, n, 2 * REFLECTIONS * sizeof *work);
    if (!v || !work) return orr_dense_no_memory(ctx, "eigen: work", n, REFLECTIONS);
    reflection r = { .n = n, .each = (n + 7) / 8 > 64 ? (n + 7) / 8 : 64, .v = v, .t = t, .x = vectors, .work = work };
    for (int64_t i = 0; i < n - 1; i += r.k) {
        r.k = n - 1 - i < REFLECTIONS ? n - 1 - i : REFLECTIONS;
        r.rows = i + r.k;
        memset(v, 0, (size_t)(r.k * r.rows) * sizeof *v);
        memset(t, 0, sizeof t);
        for (int64_t j = 0; j < r.k; j++) {
            memcpy(v + j * r.rows, reduced + (i + j + 1) * n, (size_t)(i + j) * sizeof *v);
            v[j * r.rows + i + j] = 1.0;
        }
        ORR_TRY(ctx, orr_dense_check_info(ctx, "eigen",
                                          LAPACKE_dlarft_work(LAPACK_COL_MAJOR, 'B', 'C', (lapack_int)r.rows,
                                                              (lapack_int)r.k, v, (lapack_int)r.rows, tau + i, t,
                                                              (lapack_int)r.k)));
        orr_parallel(orr_context_pool(ctx), (n + r.each - 1) / r.each, reflect_vectors, &r);
    }
    return ORR_OK;
}

/* A = Q T Q' and T = V diag(value) V', by divide and conquer; vectors Q V. */
static orr_status eigen_dstedc(orr_context *ctx, orr_arena *scratch, int64_t n, const double *a,
                               orr_symmetric_eigen *out) {
    const lapack_int ln = (lapack_int)n;
    double *reduced = orr_dense_copy(scratch, n, n, a), *off = ORR_NEW(scratch, double, n),
           *tau = ORR_NEW(scratch, double, n);
    double reduce, divide;
    lapack_int length, integers;
    if (!reduced || !off || !tau) return orr_dense_no_memory(ctx, "eigen", n, n);
    ORR_TRY(ctx, orr_dense_check_info(
                     ctx, "eigen",
                     LAPACKE_dsytrd_work(LAPACK_COL_MAJOR, 'U', ln, reduced, ln, out->value, off, tau, &reduce, -1)));
    ORR_TRY(ctx, orr_dense_check_info(ctx, "eigen",
                                      LAPACKE_dstedc_work(LAPACK_COL_MAJOR, 'I', ln, out->value, off, out->vector, ln,
                                                          &divide, -1, &integers, -1)));
    double *work = orr_dense_work_array(scratch, fmax(reduce, divide), &length);
    lapack_int *integer_work = ORR_NEW(scratch, lapack_int, integers);
    if (!work || !integer_work) return orr_dense_no_memory(ctx, "eigen: work", n, n);
    ORR_TRY(ctx, orr_dense_check_info(
                     ctx, "eigen",
                     LAPACKE_dsytrd_work(LAPACK_COL_MAJOR, 'U', ln, reduced, ln, out->value, off, tau, work, length)));
    ORR_TRY(ctx, orr_dense_check_info(ctx, "eigen",
                                      LAPACKE_dstedc_work(LAPACK_COL_MAJOR, 'I', ln, out->value, off, out->vector, ln,
                                                          work, length, integer_work, integers)));
    return reflect(ctx, scratch, n, reduced, tau, out->vector);
}

orr_status orr_eigen_symmetric_range(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch, int64_t n,
                                     const double *a, int64_t first, int64_t k, orr_symmetric_eigen *out) {
    *out = (orr_symmetric_eigen){ .n = n, .k = k };
    ORR_TRY(ctx, orr_dense_check_extents(ctx, "eigen", n, n));
    if (first < 0 || k < 0 || first > n - k)
        return orr_fail(ctx, ORR_EINPUT, "eigen: %lld values from number %lld on, of %lld", (long long)k,
                        (long long)first, (long long)n);
    ORR_TRY(ctx, orr_dense_check_lower(ctx, "eigen", n, a));
    out->value = ORR_NEW(out_arena, double, n); /* LAPACK wants room for all */
    out->vector = orr_arena_take(out_arena, k, (size_t)n * sizeof(double));
    if (!out->value || !out->vector) return orr_dense_no_memory(ctx, "eigen", k, n);
    if (k == 0) return ORR_OK;
    const orr_arena_mark mark = orr_arena_here(scratch);
    const orr_status status =
        k == n ? eigen_dstedc(ctx, scratch, n, a, out) : eigen_dsyevr(ctx, scratch, n, a, first, out->value, out);
    orr_arena_rewind(scratch, mark);
    return status;
}

orr_status orr_eigen_symmetric(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch, int64_t n, const double *a,
                               orr_symmetric_eigen *out) {
    return orr_eigen_symmetric_range(ctx, out_arena, scratch, n, a, 0, n, out);
}

/* bt <- Q' b by columns, T = Q' A Q = tridiag(off, diagonal, off). */
static orr_status tridiagonalise(orr_context *ctx, orr_arena *scratch, int64_t n, double *a, int64_t columns,
                                 double *diagonal, double *off, double *bt) {
    const lapack_int ln = (lapack_int)n, lc = (lapack_int)columns;
    double *tau = ORR_NEW(scratch, double, n), reduce, apply;
    lapack_int length;
    if (!tau) return orr_dense_no_memory(ctx, "eigen along", n, 1);
    ORR_TRY(ctx, orr_dense_check_info(
                     ctx, "eigen along",
                     LAPACKE_dsytrd_work(LAPACK_COL_MAJOR, 'U', ln, a, ln, diagonal, off, tau, &reduce, -1)));
    ORR_TRY(ctx, orr_dense_check_info(
                     ctx, "eigen along",
                     LAPACKE_dormtr_work(LAPACK_COL_MAJOR, 'L', 'U', 'T', ln, lc, a, ln, tau, bt, ln, &apply, -1)));
    double *work = orr_dense_work_array(scratch, fmax(reduce, apply), &length);
    if (!work) return orr_dense_no_memory(ctx, "eigen along: work", n, columns);
    ORR_TRY(ctx, orr_dense_check_info(
                     ctx, "eigen along",
                     LAPACKE_dsytrd_work(LAPACK_COL_MAJOR, 'U', ln, a, ln, diagonal, off, tau, work, length)));
    return orr_dense_check_info(
        ctx, "eigen along",
        LAPACKE_dormtr_work(LAPACK_COL_MAJOR, 'L', 'U', 'T', ln, lc, a, ln, tau, bt, ln, work, length));
}

/* So much that T + shift I is positive definite, by Gershgorin, with room for rounding. */
static double positive_shift(int64_t n, const double *diagonal, const double *off) {
    double low = (double)INFINITY, size = 0;
    for (int64_t i = 0; i < n; i++) {
        const double radius = (i > 0 ? fabs(off[i - 1]) : 0) + (i < n - 1 ? fabs(off[i]) : 0);
        low = fmin(low, diagonal[i] - radius);
        size = fmax(size, fabs(diagonal[i]) + radius);
    }
    return fmax(-low, 0) + 0x1p-48 * size;
}

/* T + shift I = B B', B lower bidiagonal, B = Q S P': S^2 - shift are the values, and rows of along become theirs Q. */
static orr_status diagonalise(orr_context *ctx, orr_arena *scratch, int64_t n, double *value, double *off,
                              int64_t columns, double *along) {
    const lapack_int ln = (lapack_int)n, lc = (lapack_int)columns;
    const double shift = positive_shift(n, value, off);
    double *work = ORR_NEW(scratch, double, 4 * n), unused[1] = { 0 };
    if (!work) return orr_dense_no_memory(ctx, "eigen along", n, columns);
    for (int64_t i = 0; i < n; i++) value[i] += shift;
    ORR_TRY(ctx, orr_dense_check_info(ctx, "eigen along: Cholesky", LAPACKE_dpttrf_work(ln, value, off)));
    for (int64_t i = 0; i < n; i++) { /* L D L' to L D^1/2 */
        value[i] = sqrt(value[i]);
        if (i < n - 1) off[i] *= value[i];
    }
    ORR_TRY(ctx, orr_dense_check_info(ctx, "eigen along",
                                      LAPACKE_dbdsqr_work(LAPACK_COL_MAJOR, 'L', ln, 0, lc, 0, value, off, unused, 1,
                                                          along, lc > 1 ? lc : 1, unused, 1, work)));
    for (int64_t i = 0; i < n; i++) value[i] = value[i] * value[i] - shift;
    return ORR_OK;
}

orr_status orr_eigen_symmetric_along(orr_context *ctx, orr_arena *scratch, int64_t n, double *a, int64_t columns,
                                     const double *b, double *value, double *along) {
    ORR_TRY(ctx, orr_dense_check_extents(ctx, "eigen along", n, columns));
    ORR_TRY(ctx, orr_dense_check_lower(ctx, "eigen along", n, a));
    ORR_TRY(ctx, orr_dense_check_finite(ctx, "eigen along", n, columns, b));
    if (n == 0) return ORR_OK;
    const orr_arena_mark mark = orr_arena_here(scratch);
    double *off = ORR_NEW(scratch, double, n), *bt = orr_arena_take(scratch, columns, (size_t)n * sizeof *bt);
    orr_status status = off && bt ? ORR_OK : orr_dense_no_memory(ctx, "eigen along", n, columns);
    if (status == ORR_OK) {
        orr_dense_transpose(n, columns, b, n, bt);
        status = tridiagonalise(ctx, scratch, n, a, columns, value, off, bt);
    }
    if (status == ORR_OK) {
        orr_dense_transpose(columns, n, bt, columns, along);
        status = diagonalise(ctx, scratch, n, value, off, columns, along);
    }
    orr_arena_rewind(scratch, mark);
    return status;
}

orr_status orr_tridiagonal_eigen(orr_context *ctx, orr_arena *scratch, int64_t n, const double *alpha,
                                 const double *beta, double *value, double *vector) {
    ORR_TRY(ctx, orr_dense_check_extents(ctx, "tridiagonal eigen", n, n));
    ORR_TRY(ctx, orr_dense_check_finite(ctx, "tridiagonal eigen", n, 1, alpha));
    ORR_TRY(ctx, orr_dense_check_finite(ctx, "tridiagonal eigen", n - 1, 1, beta));
    if (n == 0) return ORR_OK;
    const orr_arena_mark mark = orr_arena_here(scratch);
    double *off = ORR_NEW(scratch, double, n), *work = ORR_NEW(scratch, double, 2 * n);
    orr_status status = ORR_OK;
    if (off && work) {
        memcpy(value, alpha, (size_t)n * sizeof *value);
        memcpy(off, beta, (size_t)(n - 1) * sizeof *off);
        status = orr_dense_check_info(ctx, "tridiagonal eigen",
                                      LAPACKE_dsteqr_work(LAPACK_COL_MAJOR, vector ? 'I' : 'N', (lapack_int)n, value,
                                                          off, vector ? vector : work, (lapack_int)n, work));
    } else status = orr_dense_no_memory(ctx, "tridiagonal eigen", n, 1);
    orr_arena_rewind(scratch, mark);
    return status;
}
