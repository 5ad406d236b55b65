/* LAPACK counts by columns: what is row-major here is the transpose there.  Symmetric matrices don't care (lower is its
 * "U"), the SVD swaps U and V, LU solves with the transpose, and what remains is copied once. */
#include "numeric/dense.h"

#include <cblas.h>
#include <lapacke.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/context.h"
#include "numeric/blocked.h"
#include "numeric/vector.h"

void orr_blas_threads_set(int threads) { openblas_set_num_threads(threads); }
int orr_blas_threads(void) { return openblas_get_num_threads(); }
void orr_blas_words(char out[256]) {
    (void)snprintf(out, 256, "%s, kernels for %s", openblas_get_config(), openblas_get_corename());
}

/* ---- inputs and work arrays ------------------------------------------------------------------------------------ */

static orr_status check_extents(orr_context *ctx, const char *what, int64_t m, int64_t n) {
    if (m >= 0 && n >= 0 && m <= INT_MAX && n <= INT_MAX) return ORR_OK;
    return orr_fail(ctx, ORR_EINPUT, "%s: extents %lld x %lld, expected 0 to %d", what, (long long)m, (long long)n,
                    INT_MAX);
}

static orr_status check_finite(orr_context *ctx, const char *what, int64_t m, int64_t n, const double *a) {
    for (int64_t i = 0; i < m * n; i++)
        if (!isfinite(a[i]))
            return orr_fail(ctx, ORR_EINPUT, "%s: entry (%lld, %lld) of %lld x %lld is %g", what, (long long)(i / n),
                            (long long)(i % n), (long long)m, (long long)n, a[i]);
    return ORR_OK;
}

static orr_status check_lower(orr_context *ctx, const char *what, int64_t n, const double *a) {
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j <= i; j++)
            if (!isfinite(a[i * n + j]))
                return orr_fail(ctx, ORR_EINPUT, "%s: entry (%lld, %lld) of %lld x %lld is %g", what, (long long)i,
                                (long long)j, (long long)n, (long long)n, a[i * n + j]);
    return ORR_OK;
}

static orr_status no_memory(orr_context *ctx, const char *what, int64_t m, int64_t n) {
    return orr_fail(ctx, ORR_ENOMEM, "%s: no memory for %lld x %lld", what, (long long)m, (long long)n);
}

/* info < 0 is a wrong argument of ours, > 0 an iteration that didn't converge. */
static orr_status check_info(orr_context *ctx, const char *what, lapack_int info) {
    if (info == 0) return ORR_OK;
    if (info < 0) return orr_fail(ctx, ORR_EINTERNAL, "%s: argument %d of LAPACK is wrong", what, (int)-info);
    return orr_fail(ctx, ORR_ENUMERIC, "%s: LAPACK didn't converge (%d)", what, (int)info);
}

static double *copy_of(orr_arena *arena, int64_t m, int64_t n, const double *a) {
    double *copy = orr_arena_take(arena, m, (size_t)n * sizeof *a);
    if (copy && m > 0 && n > 0) memcpy(copy, a, (size_t)(m * n) * sizeof *a);
    return copy;
}

/* to[j, i] = from[i, j], from m x n with rows `stride` apart in `to`. */
static void transpose(int64_t m, int64_t n, const double *from, int64_t stride, double *to) {
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) to[j * stride + i] = from[i * n + j];
}

static lapack_int largest(int64_t a, int64_t b) { return (lapack_int)(a > b ? a : b); }

/* A work array of the length that LAPACK's query answered in `wish`. */
static double *work_array(orr_arena *scratch, double wish, lapack_int *length) {
    if (!(wish < INT_MAX)) return NULL;
    *length = wish < 1 ? 1 : (lapack_int)wish;
    return ORR_NEW(scratch, double, *length);
}

/* ---- products -------------------------------------------------------------------------------------------------- */

void orr_dense_multiply(int64_t m, int64_t n, int64_t k, const double *a, bool transpose_a, const double *b,
                        bool transpose_b, double *c) {
    if (m == 0 || n == 0) return;
    if (k == 0) {
        memset(c, 0, (size_t)(m * n) * sizeof *c);
        return;
    }
    if (n == 1) { /* gemm would copy a first */
        memset(c, 0, (size_t)m * sizeof *c);
        cblas_dgemv(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans, (int)(transpose_a ? k : m),
                    (int)(transpose_a ? m : k), 1, a, (int)(transpose_a ? m : k), b, 1, 0, c, 1);
        return;
    }
    cblas_dgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans, (int)m,
                (int)n, (int)k, 1, a, (int)(transpose_a ? m : k), b, (int)(transpose_b ? k : n), 0, c, (int)n);
}

void orr_dense_apply(int64_t m, int64_t n, const double *a, int64_t lda, bool transpose, const double *x, double *y) {
    const int64_t length = transpose ? n : m;
    if (length == 0) return;
    memset(y, 0, (size_t)length * sizeof *y);
    if (m > 0 && n > 0)
        cblas_dgemv(CblasRowMajor, transpose ? CblasTrans : CblasNoTrans, (int)m, (int)n, 1, a, (int)lda, x, 1, 0, y,
                    1);
}

void orr_dense_multiply_parallel(orr_context *ctx, int64_t m, int64_t n, int64_t k, const double *a, bool transpose_a,
                                 const double *b, bool transpose_b, double *c) {
    orr_blocked_multiply(orr_context_pool(ctx), m, n, k, a, transpose_a, b, transpose_b, c);
}

orr_status orr_dense_gram(orr_context *ctx, int64_t n, int64_t k, const double *a, orr_dense_map *map, const void *self,
                          double *c) {
    orr_pool *pool = orr_context_pool(ctx);
    if (n == 0) return ORR_OK;
    double *room = orr_allocate(ctx, (size_t)orr_blocked_gram_room(orr_pool_threads(pool), n) * sizeof *room);
    if (!room) return no_memory(ctx, "Gram", n, n);
    orr_blocked_gram(pool, n, k, a, map, self, c, room);
    orr_release(ctx, room);
    return ORR_OK;
}

enum { REFLECTIONS = 48 }; /* of a block */

/* ---- eigenvalues ----------------------------------------------------------------------------------------------- */

static orr_status eigen_dsyevr(orr_context *ctx, orr_arena *scratch, int64_t n, const double *a, int64_t first,
                               double *all_values, orr_symmetric_eigen *out) {
    const lapack_int ln = (lapack_int)n, il = (lapack_int)first + 1, iu = (lapack_int)(first + out->k);
    double wish;
    lapack_int found, integers, length, integer_length;
    double *copy = copy_of(scratch, n, n, a);
    lapack_int *support = ORR_NEW(scratch, lapack_int, 2 * n);
    if (!copy || !support) return no_memory(ctx, "eigen", n, n);
    ORR_TRY(ctx, check_info(ctx, "eigen",
                            LAPACKE_dsyevr_work(LAPACK_COL_MAJOR, 'V', 'I', 'U', ln, copy, ln, 0, 0, il, iu, 0, &found,
                                                all_values, out->vector, ln, support, &wish, -1, &integers, -1)));
    double *work = work_array(scratch, wish, &length);
    integer_length = integers;
    lapack_int *integer_work = ORR_NEW(scratch, lapack_int, integer_length);
    if (!work || !integer_work) return no_memory(ctx, "eigen: work", n, n);
    ORR_TRY(ctx, check_info(ctx, "eigen",
                            LAPACKE_dsyevr_work(LAPACK_COL_MAJOR, 'V', 'I', 'U', ln, copy, ln, 0, 0, il, iu, 0, &found,
                                                all_values, out->vector, ln, support, work, length, integer_work,
                                                integer_length)));
    if (found == out->k) return ORR_OK;
    return orr_fail(ctx, ORR_ENUMERIC, "eigen: LAPACK found %d of %lld values", (int)found, (long long)out->k);
}

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
    if (!v || !work) return no_memory(ctx, "eigen: work", n, REFLECTIONS);
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
        ORR_TRY(ctx, check_info(ctx, "eigen",
                                LAPACKE_dlarft_work(LAPACK_COL_MAJOR, 'B', 'C', (lapack_int)r.rows, (lapack_int)r.k, v,
                                                    (lapack_int)r.rows, tau + i, t, (lapack_int)r.k)));
        orr_parallel(orr_context_pool(ctx), (n + r.each - 1) / r.each, reflect_vectors, &r);
    }
    return ORR_OK;
}

/* A = Q T Q' and T = V diag(value) V', by divide and conquer; vectors Q V. */
static orr_status eigen_dstedc(orr_context *ctx, orr_arena *scratch, int64_t n, const double *a,
                               orr_symmetric_eigen *out) {
    const lapack_int ln = (lapack_int)n;
    double *reduced = copy_of(scratch, n, n, a), *off = ORR_NEW(scratch, double, n), *tau = ORR_NEW(scratch, double, n);
    double reduce, divide;
    lapack_int length, integers;
    if (!reduced || !off || !tau) return no_memory(ctx, "eigen", n, n);
    ORR_TRY(ctx,
            check_info(ctx, "eigen",
                       LAPACKE_dsytrd_work(LAPACK_COL_MAJOR, 'U', ln, reduced, ln, out->value, off, tau, &reduce, -1)));
    ORR_TRY(ctx, check_info(ctx, "eigen",
                            LAPACKE_dstedc_work(LAPACK_COL_MAJOR, 'I', ln, out->value, off, out->vector, ln, &divide,
                                                -1, &integers, -1)));
    double *work = work_array(scratch, fmax(reduce, divide), &length);
    lapack_int *integer_work = ORR_NEW(scratch, lapack_int, integers);
    if (!work || !integer_work) return no_memory(ctx, "eigen: work", n, n);
    ORR_TRY(ctx, check_info(
                     ctx, "eigen",
                     LAPACKE_dsytrd_work(LAPACK_COL_MAJOR, 'U', ln, reduced, ln, out->value, off, tau, work, length)));
    ORR_TRY(ctx, check_info(ctx, "eigen",
                            LAPACKE_dstedc_work(LAPACK_COL_MAJOR, 'I', ln, out->value, off, out->vector, ln, work,
                                                length, integer_work, integers)));
    return reflect(ctx, scratch, n, reduced, tau, out->vector);
}

orr_status orr_eigen_symmetric_range(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch, int64_t n,
                                     const double *a, int64_t first, int64_t k, orr_symmetric_eigen *out) {
    *out = (orr_symmetric_eigen){ .n = n, .k = k };
    ORR_TRY(ctx, check_extents(ctx, "eigen", n, n));
    if (first < 0 || k < 0 || first > n - k)
        return orr_fail(ctx, ORR_EINPUT, "eigen: %lld values from number %lld on, of %lld", (long long)k,
                        (long long)first, (long long)n);
    ORR_TRY(ctx, check_lower(ctx, "eigen", n, a));
    out->value = ORR_NEW(out_arena, double, n); /* LAPACK wants room for all */
    out->vector = orr_arena_take(out_arena, k, (size_t)n * sizeof(double));
    if (!out->value || !out->vector) return no_memory(ctx, "eigen", k, n);
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
    if (!tau) return no_memory(ctx, "eigen along", n, 1);
    ORR_TRY(ctx, check_info(ctx, "eigen along",
                            LAPACKE_dsytrd_work(LAPACK_COL_MAJOR, 'U', ln, a, ln, diagonal, off, tau, &reduce, -1)));
    ORR_TRY(ctx,
            check_info(ctx, "eigen along",
                       LAPACKE_dormtr_work(LAPACK_COL_MAJOR, 'L', 'U', 'T', ln, lc, a, ln, tau, bt, ln, &apply, -1)));
    double *work = work_array(scratch, fmax(reduce, apply), &length);
    if (!work) return no_memory(ctx, "eigen along: work", n, columns);
    ORR_TRY(ctx, check_info(ctx, "eigen along",
                            LAPACKE_dsytrd_work(LAPACK_COL_MAJOR, 'U', ln, a, ln, diagonal, off, tau, work, length)));
    return check_info(ctx, "eigen along",
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
    const double shift = positive_shift(n, value, off);
    double *work = ORR_NEW(scratch, double, 4 * n), unused[1] = { 0 };
    if (!work) return no_memory(ctx, "eigen along", n, columns);
    for (int64_t i = 0; i < n; i++) value[i] += shift;
    ORR_TRY(ctx, check_info(ctx, "eigen along: Cholesky", LAPACKE_dpttrf_work((lapack_int)n, value, off)));
    for (int64_t i = 0; i < n; i++) { /* L D L' to L D^1/2 */
        value[i] = sqrt(value[i]);
        if (i < n - 1) off[i] *= value[i];
    }
    ORR_TRY(ctx, check_info(ctx, "eigen along",
                            LAPACKE_dbdsqr_work(LAPACK_COL_MAJOR, 'L', (lapack_int)n, 0, (lapack_int)columns, 0, value,
                                                off, unused, 1, along, largest(columns, 1), unused, 1, work)));
    for (int64_t i = 0; i < n; i++) value[i] = value[i] * value[i] - shift;
    return ORR_OK;
}

orr_status orr_eigen_symmetric_along(orr_context *ctx, orr_arena *scratch, int64_t n, double *a, int64_t columns,
                                     const double *b, double *value, double *along) {
    ORR_TRY(ctx, check_extents(ctx, "eigen along", n, columns));
    ORR_TRY(ctx, check_lower(ctx, "eigen along", n, a));
    ORR_TRY(ctx, check_finite(ctx, "eigen along", n, columns, b));
    if (n == 0) return ORR_OK;
    const orr_arena_mark mark = orr_arena_here(scratch);
    double *off = ORR_NEW(scratch, double, n), *bt = orr_arena_take(scratch, columns, (size_t)n * sizeof *bt);
    orr_status status = off && bt ? ORR_OK : no_memory(ctx, "eigen along", n, columns);
    if (status == ORR_OK) {
        transpose(n, columns, b, n, bt);
        status = tridiagonalise(ctx, scratch, n, a, columns, value, off, bt);
    }
    if (status == ORR_OK) {
        transpose(columns, n, bt, columns, along);
        status = diagonalise(ctx, scratch, n, value, off, columns, along);
    }
    orr_arena_rewind(scratch, mark);
    return status;
}

orr_status orr_tridiagonal_eigen(orr_context *ctx, orr_arena *scratch, int64_t n, const double *alpha,
                                 const double *beta, double *value, double *vector) {
    ORR_TRY(ctx, check_extents(ctx, "tridiagonal eigen", n, n));
    ORR_TRY(ctx, check_finite(ctx, "tridiagonal eigen", n, 1, alpha));
    ORR_TRY(ctx, check_finite(ctx, "tridiagonal eigen", n - 1, 1, beta));
    if (n == 0) return ORR_OK;
    const orr_arena_mark mark = orr_arena_here(scratch);
    double *off = ORR_NEW(scratch, double, n), *work = ORR_NEW(scratch, double, 2 * n);
    orr_status status = ORR_OK;
    if (off && work) {
        memcpy(value, alpha, (size_t)n * sizeof *value);
        memcpy(off, beta, (size_t)(n - 1) * sizeof *off);
        status = check_info(ctx, "tridiagonal eigen",
                            LAPACKE_dsteqr_work(LAPACK_COL_MAJOR, vector ? 'I' : 'N', (lapack_int)n, value, off,
                                                vector ? vector : work, (lapack_int)n, work));
    } else status = no_memory(ctx, "tridiagonal eigen", n, 1);
    orr_arena_rewind(scratch, mark);
    return status;
}

/* ---- singular values ------------------------------------------------------------------------------------------- */

/* What LAPACK sees is A' = V s U'.  out->u NULL: values alone. */
static orr_status svd_dgesdd(orr_context *ctx, orr_arena *scratch, const double *a, orr_svd *out) {
    const lapack_int m = (lapack_int)out->n, n = (lapack_int)out->m, k = (lapack_int)out->k;
    const char job = out->u ? 'S' : 'N';
    double *copy = copy_of(scratch, out->m, out->n, a), wish, unused;
    lapack_int *integers = ORR_NEW(scratch, lapack_int, 8 * (int64_t)k), length;
    if (!copy || !integers) return no_memory(ctx, "svd", out->m, out->n);
    double *u = out->u ? out->u : &unused, *vt = out->u ? out->vt : &unused;
    ORR_TRY(ctx, check_info(ctx, "svd",
                            LAPACKE_dgesdd_work(LAPACK_COL_MAJOR, job, m, n, copy, m, out->s, vt, m, u, k, &wish, -1,
                                                integers)));
    double *work = work_array(scratch, wish, &length);
    if (!work) return no_memory(ctx, "svd: work", out->m, out->n);
    return check_info(
        ctx, "svd",
        LAPACKE_dgesdd_work(LAPACK_COL_MAJOR, job, m, n, copy, m, out->s, vt, m, u, k, work, length, integers));
}

orr_status orr_svd_thin(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch, int64_t m, int64_t n,
                        const double *a, orr_svd *out) {
    *out = (orr_svd){ .m = m, .n = n, .k = m < n ? m : n };
    ORR_TRY(ctx, check_extents(ctx, "svd", m, n));
    ORR_TRY(ctx, check_finite(ctx, "svd", m, n, a));
    out->u = orr_arena_take(out_arena, m, (size_t)out->k * sizeof(double));
    out->s = ORR_NEW(out_arena, double, out->k);
    out->vt = orr_arena_take(out_arena, n, (size_t)out->k * sizeof(double));
    if (!out->u || !out->s || !out->vt) return no_memory(ctx, "svd", m, n);
    if (out->k == 0) return ORR_OK;
    const orr_arena_mark mark = orr_arena_here(scratch);
    const orr_status status = svd_dgesdd(ctx, scratch, a, out);
    orr_arena_rewind(scratch, mark);
    return status;
}

orr_status orr_singular_values(orr_context *ctx, orr_arena *scratch, int64_t m, int64_t n, const double *a, double *s) {
    orr_svd svd = { .m = m, .n = n, .k = m < n ? m : n, .s = s };
    ORR_TRY(ctx, check_extents(ctx, "singular values", m, n));
    ORR_TRY(ctx, check_finite(ctx, "singular values", m, n, a));
    if (svd.k == 0) return ORR_OK;
    const orr_arena_mark mark = orr_arena_here(scratch);
    const orr_status status = svd_dgesdd(ctx, scratch, a, &svd);
    orr_arena_rewind(scratch, mark);
    return status;
}

/* ---- Cholesky -------------------------------------------------------------------------------------------------- */

/* l <- the lower triangle of a, zeros above, some rows a task. */
typedef struct lower_copy {
    int64_t n, rows;
    const double *a;
    double *l;
    bool finite[64]; /* by task */
} lower_copy;

static void copy_lower_rows(void *arg, int64_t task, int worker) {
    lower_copy *c = arg;
    const int64_t n = c->n, first = task * c->rows, end = first + c->rows < n ? first + c->rows : n;
    int finite = 1;
    (void)worker;
    for (int64_t i = first; i < end; i++) {
        const double *from = c->a + i * n;
        double *to = c->l + i * n;
        for (int64_t j = 0; j <= i; j++) finite &= from[j] - from[j] == 0.0;
        if (to != from) memcpy(to, from, (size_t)(i + 1) * sizeof *to);
        memset(to + i + 1, 0, (size_t)(n - i - 1) * sizeof *to);
    }
    c->finite[task] = finite;
}

static orr_status copy_lower(orr_context *ctx, const char *what, int64_t n, const double *a, double *l) {
    lower_copy c = { .n = n, .rows = (n + 63) / 64, .a = a, .l = l };
    if (c.rows < 16) c.rows = 16;
    const int64_t tasks = (n + c.rows - 1) / c.rows;
    orr_parallel(orr_context_pool(ctx), tasks, copy_lower_rows, &c);
    for (int64_t i = 0; i < tasks; i++)
        if (!c.finite[i]) return check_lower(ctx, what, n, a);
    return ORR_OK;
}

/* Where an entry of a isn't finite, neither is the factor's diagonal in its row. */
orr_status orr_cholesky_in_place(orr_context *ctx, int64_t n, double *a, int64_t lda) {
    ORR_TRY(ctx, check_extents(ctx, "Cholesky", n, lda));
    double *room = orr_allocate(ctx, (size_t)orr_blocked_cholesky_room(n) * sizeof *room);
    if (!room) return no_memory(ctx, "Cholesky", n, n);
    const int64_t failed = orr_blocked_cholesky(orr_context_pool(ctx), n, a, lda, room);
    orr_release(ctx, room);
    if (failed < 0) return check_info(ctx, "Cholesky", (lapack_int)failed);
    if (failed > 0)
        return orr_fail(ctx, ORR_ENUMERIC, "Cholesky: not positive definite, pivot %lld of %lld isn't positive",
                        (long long)failed, (long long)n);
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(a[i * lda + i]))
            return orr_fail(ctx, ORR_ENUMERIC, "Cholesky: row %lld of %lld isn't finite", (long long)i, (long long)n);
    return ORR_OK;
}

orr_status orr_cholesky(orr_context *ctx, int64_t n, const double *a, double *l) {
    ORR_TRY(ctx, check_extents(ctx, "Cholesky", n, n));
    ORR_TRY(ctx, copy_lower(ctx, "Cholesky", n, a, l));
    return orr_cholesky_in_place(ctx, n, l, n);
}

orr_status orr_cholesky_solve(orr_context *ctx, orr_arena *scratch, int64_t n, const double *l, int64_t columns,
                              const double *b, double *x) {
    ORR_TRY(ctx, check_extents(ctx, "Cholesky solve", n, columns));
    ORR_TRY(ctx, check_finite(ctx, "Cholesky solve", n, columns, b));
    if (n == 0 || columns == 0) return ORR_OK;
    const orr_arena_mark mark = orr_arena_here(scratch);
    double *bt = orr_arena_take(scratch, columns, (size_t)n * sizeof *bt);
    if (!bt) return no_memory(ctx, "Cholesky solve", n, columns);
    transpose(n, columns, b, n, bt);
    const lapack_int info = LAPACKE_dpotrs_work(LAPACK_COL_MAJOR, 'U', (lapack_int)n, (lapack_int)columns, l,
                                                (lapack_int)n, bt, (lapack_int)n);
    transpose(columns, n, bt, columns, x);
    orr_arena_rewind(scratch, mark);
    return check_info(ctx, "Cholesky solve", info);
}

typedef struct leading {
    int64_t n, ldl, sizes;
    const double *l, *z; /* z = L^-1 b */
    const int64_t *size;
    double *one, *x; /* one: [sizes, n] */
} leading;

/* From the last size on, which is often the largest. */
static void solve_leading(void *arg, int64_t task, int worker) {
    const leading *p = arg;
    const int64_t n = p->n, s = p->sizes - 1 - task, size = p->size[s];
    double *one = p->one + s * n;
    (void)worker;
    memcpy(one, p->z, (size_t)size * sizeof *one);
    if (size > 0)
        cblas_dtrsv(CblasRowMajor, CblasLower, CblasTrans, CblasNonUnit, (int)size, p->l, (int)p->ldl, one, 1);
    for (int64_t i = 0; i < n; i++) p->x[i * p->sizes + s] = i < size ? one[i] : 0.0;
}

orr_status orr_cholesky_solve_leading(orr_context *ctx, orr_arena *scratch, int64_t n, const double *l, int64_t ldl,
                                      int64_t sizes, const int64_t *size, const double *b, double *x) {
    ORR_TRY(ctx, check_extents(ctx, "Cholesky solve of leading blocks", n, sizes));
    ORR_TRY(ctx, check_finite(ctx, "Cholesky solve of leading blocks", n, 1, b));
    for (int64_t s = 0; s < sizes; s++)
        if (size[s] < 0 || size[s] > n)
            return orr_fail(ctx, ORR_EINPUT, "Cholesky solve of leading blocks: size %lld of %lld x %lld",
                            (long long)size[s], (long long)n, (long long)n);
    if (n == 0 || sizes == 0) return ORR_OK;
    const orr_arena_mark mark = orr_arena_here(scratch);
    double *z = copy_of(scratch, n, 1, b), *one = orr_arena_take(scratch, sizes, (size_t)n * sizeof *one);
    const orr_status status = z && one ? ORR_OK : no_memory(ctx, "Cholesky solve of leading blocks", n, sizes);
    if (status == ORR_OK) {
        leading p = { n, ldl, sizes, l, z, size, one, x };
        cblas_dtrsv(CblasRowMajor, CblasLower, CblasNoTrans, CblasNonUnit, (int)n, l, (int)ldl, z, 1);
        orr_parallel(orr_context_pool(ctx), sizes, solve_leading, &p);
    }
    orr_arena_rewind(scratch, mark);
    return status;
}

orr_status orr_cholesky_inverse_trace(orr_context *ctx, orr_arena *scratch, int64_t n, const double *l, double *trace) {
    *trace = 0;
    ORR_TRY(ctx, check_extents(ctx, "Cholesky inverse", n, n));
    ORR_TRY(ctx, check_lower(ctx, "Cholesky inverse", n, l));
    if (n == 0) return ORR_OK;
    const orr_arena_mark mark = orr_arena_here(scratch);
    double *inverse = copy_of(scratch, n, n, l);
    if (!inverse) return no_memory(ctx, "Cholesky inverse", n, n);
    const lapack_int info = LAPACKE_dtrtri_work(LAPACK_COL_MAJOR, 'U', 'N', (lapack_int)n, inverse, (lapack_int)n);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j <= i; j++) *trace += inverse[i * n + j] * inverse[i * n + j];
    orr_arena_rewind(scratch, mark);
    return check_info(ctx, "Cholesky inverse", info);
}

/* ---- linear systems -------------------------------------------------------------------------------------------- */

/* What LAPACK sees is A': the 1-norm of A is its infinity-norm, and the system its transpose. */
static orr_status solve_lu(orr_context *ctx, orr_arena *scratch, int64_t n, const double *a, int64_t columns,
                           const double *b, double *x, double *reciprocal_condition) {
    const lapack_int ln = (lapack_int)n;
    double *lu = copy_of(scratch, n, n, a), *bt = orr_arena_take(scratch, columns, (size_t)n * sizeof *bt);
    double *work = ORR_NEW(scratch, double, 4 * n);
    lapack_int *pivot = ORR_NEW(scratch, lapack_int, n), *integers = ORR_NEW(scratch, lapack_int, n);
    if (!lu || !bt || !work || !pivot || !integers) return no_memory(ctx, "solve", n, n);
    const double norm = LAPACKE_dlange_work(LAPACK_COL_MAJOR, 'I', ln, ln, lu, ln, work);
    const lapack_int info = LAPACKE_dgetrf_work(LAPACK_COL_MAJOR, ln, ln, lu, ln, pivot);
    if (info > 0) return orr_fail(ctx, ORR_ENUMERIC, "solve: singular, pivot %d of %lld is 0", (int)info, (long long)n);
    ORR_TRY(ctx, check_info(ctx, "solve", info));
    if (reciprocal_condition)
        ORR_TRY(ctx, check_info(ctx, "solve: condition",
                                LAPACKE_dgecon_work(LAPACK_COL_MAJOR, 'I', ln, lu, ln, norm, reciprocal_condition, work,
                                                    integers)));
    if (columns == 0) return ORR_OK;
    transpose(n, columns, b, n, bt);
    ORR_TRY(ctx,
            check_info(ctx, "solve",
                       LAPACKE_dgetrs_work(LAPACK_COL_MAJOR, 'T', ln, (lapack_int)columns, lu, ln, pivot, bt, ln)));
    transpose(columns, n, bt, columns, x);
    return ORR_OK;
}

orr_status orr_solve(orr_context *ctx, orr_arena *scratch, int64_t n, const double *a, int64_t columns, const double *b,
                     double *x, double *reciprocal_condition) {
    ORR_TRY(ctx, check_extents(ctx, "solve", n, columns));
    ORR_TRY(ctx, check_finite(ctx, "solve", n, n, a));
    ORR_TRY(ctx, check_finite(ctx, "solve: right side", n, columns, b));
    if (n == 0) {
        if (reciprocal_condition) *reciprocal_condition = 1;
        return ORR_OK;
    }
    const orr_arena_mark mark = orr_arena_here(scratch);
    const orr_status status = solve_lu(ctx, scratch, n, a, columns, b, x, reciprocal_condition);
    orr_arena_rewind(scratch, mark);
    return status;
}

/* ---- least squares --------------------------------------------------------------------------------------------- */

/* |A x - b|, column by column. */
static void residuals(int64_t m, int64_t n, const double *a, int64_t columns, const double *b, orr_least_squares *out) {
    for (int64_t c = 0; c < columns; c++) {
        double sum = 0;
        for (int64_t i = 0; i < m; i++) {
            double r = -b[i * columns + c];
            for (int64_t j = 0; j < n; j++) r += a[i * n + j] * out->x[j * columns + c];
            sum += r * r;
        }
        out->residual[c] = sqrt(sum);
    }
}

static orr_status solve_dgelsd(orr_context *ctx, orr_arena *scratch, int64_t m, int64_t n, const double *a,
                               int64_t columns, const double *b, double rcond, orr_least_squares *out) {
    const lapack_int lm = (lapack_int)m, ln = (lapack_int)n, lc = (lapack_int)columns, ldb = largest(m, n);
    double *at = orr_arena_take(scratch, n, (size_t)m * sizeof *at), wish;
    double *bt = orr_arena_take(scratch, columns, (size_t)ldb * sizeof *bt);
    if (!at || !bt) return no_memory(ctx, "least squares", m, n);
    transpose(m, n, a, m, at);
    transpose(m, columns, b, ldb, bt);
    lapack_int rank = 0, length, integer_length;
    ORR_TRY(ctx, check_info(ctx, "least squares",
                            LAPACKE_dgelsd_work(LAPACK_COL_MAJOR, lm, ln, lc, at, lm, bt, ldb, out->singular, rcond,
                                                &rank, &wish, -1, &integer_length)));
    double *work = work_array(scratch, wish, &length);
    lapack_int *integers = ORR_NEW(scratch, lapack_int, integer_length > 1 ? integer_length : 1);
    if (!work || !integers) return no_memory(ctx, "least squares: work", m, n);
    ORR_TRY(ctx, check_info(ctx, "least squares",
                            LAPACKE_dgelsd_work(LAPACK_COL_MAJOR, lm, ln, lc, at, lm, bt, ldb, out->singular, rcond,
                                                &rank, work, length, integers)));
    out->rank = rank;
    for (int64_t j = 0; j < n; j++)
        for (int64_t c = 0; c < columns; c++) out->x[j * columns + c] = bt[c * ldb + j];
    return ORR_OK;
}

orr_status orr_least_squares_solve(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch, int64_t m, int64_t n,
                                   const double *a, int64_t columns, const double *b, double rcond,
                                   orr_least_squares *out) {
    *out = (orr_least_squares){ 0 };
    ORR_TRY(ctx, check_extents(ctx, "least squares", m, n));
    ORR_TRY(ctx, check_extents(ctx, "least squares: right side", m, columns));
    ORR_TRY(ctx, check_finite(ctx, "least squares", m, n, a));
    ORR_TRY(ctx, check_finite(ctx, "least squares: right side", m, columns, b));
    out->x = orr_arena_take(out_arena, n, (size_t)columns * sizeof(double));
    out->singular = ORR_NEW(out_arena, double, m < n ? m : n);
    out->residual = ORR_NEW(out_arena, double, columns);
    if (!out->x || !out->singular || !out->residual) return no_memory(ctx, "least squares", n, columns);
    if (m && n && columns) {
        const orr_arena_mark mark = orr_arena_here(scratch);
        const double cut = rcond > 0 ? rcond : 0x1p-52 * (double)largest(m, n);
        const orr_status status = solve_dgelsd(ctx, scratch, m, n, a, columns, b, cut, out);
        orr_arena_rewind(scratch, mark);
        if (status != ORR_OK) return status;
    }
    residuals(m, n, a, columns, b, out);
    return ORR_OK;
}
