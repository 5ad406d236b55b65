#include "numeric/dense.h"

#include <cblas.h>
#include <lapacke.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/context.h"
#include "numeric/blocked.h"
#include "simd/gram.h"
#include "numeric/dense_private.h"

void orr_blas_threads_set(int threads) { openblas_set_num_threads(threads); }

/* OpenBLAS's own, for forks; in no header.  A build without threads lacks it. */
extern int blas_thread_shutdown_(void) __attribute__((weak));

void orr_blas_threads_rest(void) {
    if (blas_thread_shutdown_) (void)blas_thread_shutdown_();
}
int orr_blas_threads(void) { return openblas_get_num_threads(); }
void orr_blas_words(char out[256]) {
    (void)snprintf(out, 256, "%s, kernels for %s", openblas_get_config(), openblas_get_corename());
}

/* ---- inputs and work arrays ------------------------------------------------------------------------------------ */

orr_status orr_dense_check_extents(orr_context *ctx, const char *what, int64_t m, int64_t n) {
    if (m >= 0 && n >= 0 && m <= INT_MAX && n <= INT_MAX) return ORR_OK;
    return orr_fail(ctx, ORR_EINPUT, "%s: extents %lld x %lld, expected 0 to %d", what, (long long)m, (long long)n,
                    INT_MAX);
}

orr_status orr_dense_check_finite(orr_context *ctx, const char *what, int64_t m, int64_t n, const double *a) {
    for (int64_t i = 0; i < m * n; i++)
        if (!isfinite(a[i]))
            return orr_fail(ctx, ORR_EINPUT, "%s: entry (%lld, %lld) of %lld x %lld is %g", what, (long long)(i / n),
                            (long long)(i % n), (long long)m, (long long)n, a[i]);
    return ORR_OK;
}

orr_status orr_dense_check_lower(orr_context *ctx, const char *what, int64_t n, const double *a) {
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j <= i; j++)
            if (!isfinite(a[i * n + j]))
                return orr_fail(ctx, ORR_EINPUT, "%s: entry (%lld, %lld) of %lld x %lld is %g", what, (long long)i,
                                (long long)j, (long long)n, (long long)n, a[i * n + j]);
    return ORR_OK;
}

orr_status orr_dense_no_memory(orr_context *ctx, const char *what, int64_t m, int64_t n) {
    return orr_fail(ctx, ORR_ENOMEM, "%s: no memory for %lld x %lld", what, (long long)m, (long long)n);
}

orr_status orr_dense_check_info(orr_context *ctx, const char *what, lapack_int info) {
    if (info == 0) return ORR_OK;
    if (info < 0) return orr_fail(ctx, ORR_EINTERNAL, "%s: argument %d of LAPACK is wrong", what, (int)-info);
    return orr_fail(ctx, ORR_ENUMERIC, "%s: LAPACK didn't converge (%d)", what, (int)info);
}

double *orr_dense_copy(orr_arena *arena, int64_t m, int64_t n, const double *a) {
    double *copy = orr_arena_take(arena, m, (size_t)n * sizeof *a);
    if (copy && m > 0 && n > 0) memcpy(copy, a, (size_t)(m * n) * sizeof *a);
    return copy;
}

void orr_dense_transpose(int64_t m, int64_t n, const double *from, int64_t stride, double *to) {
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) to[j * stride + i] = from[i * n + j];
}

double *orr_dense_work_array(orr_arena *scratch, double wish, lapack_int *length) {
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

orr_status orr_dense_gram(orr_context *ctx, int64_t n, int64_t m, int64_t k, const double *a, orr_dense_map *map,
                          const void *self, double *c) {
    if (m == 0) return ORR_OK;
    const int64_t depth = k > 0 ? k : 1, zeros = k > 0 ? 0 : n; /* nothing to sum over: a column of zeros */
    const orr_operands of = { ORR_F64, n, m, depth, depth, depth, m, false, true };
    const int threads = orr_context_threads(ctx);
    orr_product p;
    orr_product_prepare(&p, &of, ORR_PRODUCT_LOWER, threads);
    const size_t bytes = orr_product_workspace(&p, threads);
    char *workspace = orr_allocate(ctx, bytes + (size_t)zeros * sizeof *a);
    if (!workspace) return orr_dense_no_memory(ctx, "Gram", n, m);
    memset(workspace + bytes, 0, (size_t)zeros * sizeof *a);
    orr_gram_run(&p, orr_context_pool(ctx), 1, 0, zeros ? (const void *)(workspace + bytes) : a, map, self, c,
                 workspace);
    orr_release(ctx, workspace);
    return ORR_OK;
}

/* ---- singular values ------------------------------------------------------------------------------------------- */

/* What LAPACK sees is A' = V s U'.  out->u NULL: values alone. */
static orr_status svd_dgesdd(orr_context *ctx, orr_arena *scratch, const double *a, orr_svd *out) {
    const lapack_int m = (lapack_int)out->n, n = (lapack_int)out->m, k = (lapack_int)out->k;
    const char job = out->u ? 'S' : 'N';
    double *copy = orr_dense_copy(scratch, out->m, out->n, a), wish, unused;
    lapack_int *integers = ORR_NEW(scratch, lapack_int, 8 * (int64_t)k), length;
    if (!copy || !integers) return orr_dense_no_memory(ctx, "svd", out->m, out->n);
    double *u = out->u ? out->u : &unused, *vt = out->u ? out->vt : &unused;
    ORR_TRY(ctx, orr_dense_check_info(ctx, "svd",
                                      LAPACKE_dgesdd_work(LAPACK_COL_MAJOR, job, m, n, copy, m, out->s, vt, m, u, k,
                                                          &wish, -1, integers)));
    double *work = orr_dense_work_array(scratch, wish, &length);
    if (!work) return orr_dense_no_memory(ctx, "svd: work", out->m, out->n);
    return orr_dense_check_info(
        ctx, "svd",
        LAPACKE_dgesdd_work(LAPACK_COL_MAJOR, job, m, n, copy, m, out->s, vt, m, u, k, work, length, integers));
}

orr_status orr_svd_thin(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch, int64_t m, int64_t n,
                        const double *a, orr_svd *out) {
    *out = (orr_svd){ .m = m, .n = n, .k = m < n ? m : n };
    ORR_TRY(ctx, orr_dense_check_extents(ctx, "svd", m, n));
    ORR_TRY(ctx, orr_dense_check_finite(ctx, "svd", m, n, a));
    out->u = orr_arena_take(out_arena, m, (size_t)out->k * sizeof(double));
    out->s = ORR_NEW(out_arena, double, out->k);
    out->vt = orr_arena_take(out_arena, n, (size_t)out->k * sizeof(double));
    if (!out->u || !out->s || !out->vt) return orr_dense_no_memory(ctx, "svd", m, n);
    if (out->k == 0) return ORR_OK;
    const orr_arena_mark mark = orr_arena_here(scratch);
    const orr_status status = svd_dgesdd(ctx, scratch, a, out);
    orr_arena_rewind(scratch, mark);
    return status;
}

orr_status orr_singular_values(orr_context *ctx, orr_arena *scratch, int64_t m, int64_t n, const double *a, double *s) {
    orr_svd svd = { .m = m, .n = n, .k = m < n ? m : n, .s = s };
    ORR_TRY(ctx, orr_dense_check_extents(ctx, "singular values", m, n));
    ORR_TRY(ctx, orr_dense_check_finite(ctx, "singular values", m, n, a));
    if (svd.k == 0) return ORR_OK;
    const orr_arena_mark mark = orr_arena_here(scratch);
    const orr_status status = svd_dgesdd(ctx, scratch, a, &svd);
    orr_arena_rewind(scratch, mark);
    return status;
}

/* ---- linear systems -------------------------------------------------------------------------------------------- */

/* What LAPACK sees is A': the 1-norm of A is its infinity-norm, and the system its transpose. */
static orr_status solve_lu(orr_context *ctx, orr_arena *scratch, int64_t n, const double *a, int64_t columns,
                           const double *b, double *x, double *reciprocal_condition) {
    const lapack_int ln = (lapack_int)n;
    double *lu = orr_dense_copy(scratch, n, n, a), *bt = orr_arena_take(scratch, columns, (size_t)n * sizeof *bt);
    double *work = ORR_NEW(scratch, double, 4 * n);
    lapack_int *pivot = ORR_NEW(scratch, lapack_int, n), *integers = ORR_NEW(scratch, lapack_int, n);
    if (!lu || !bt || !work || !pivot || !integers) return orr_dense_no_memory(ctx, "solve", n, n);
    const double norm = LAPACKE_dlange_work(LAPACK_COL_MAJOR, 'I', ln, ln, lu, ln, work);
    const lapack_int info = LAPACKE_dgetrf_work(LAPACK_COL_MAJOR, ln, ln, lu, ln, pivot);
    if (info > 0) return orr_fail(ctx, ORR_ENUMERIC, "solve: singular, pivot %d of %lld is 0", (int)info, (long long)n);
    ORR_TRY(ctx, orr_dense_check_info(ctx, "solve", info));
    if (reciprocal_condition)
        ORR_TRY(ctx, orr_dense_check_info(ctx, "solve: condition",
                                          LAPACKE_dgecon_work(LAPACK_COL_MAJOR, 'I', ln, lu, ln, norm,
                                                              reciprocal_condition, work, integers)));
    if (columns == 0) return ORR_OK;
    orr_dense_transpose(n, columns, b, n, bt);
    ORR_TRY(ctx, orr_dense_check_info(
                     ctx, "solve",
                     LAPACKE_dgetrs_work(LAPACK_COL_MAJOR, 'T', ln, (lapack_int)columns, lu, ln, pivot, bt, ln)));
    orr_dense_transpose(columns, n, bt, columns, x);
    return ORR_OK;
}

orr_status orr_solve(orr_context *ctx, orr_arena *scratch, int64_t n, const double *a, int64_t columns, const double *b,
                     double *x, double *reciprocal_condition) {
    ORR_TRY(ctx, orr_dense_check_extents(ctx, "solve", n, columns));
    ORR_TRY(ctx, orr_dense_check_finite(ctx, "solve", n, n, a));
    ORR_TRY(ctx, orr_dense_check_finite(ctx, "solve: right side", n, columns, b));
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

static lapack_int largest(int64_t a, int64_t b) { return (lapack_int)(a > b ? a : b); }

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
    if (!at || !bt) return orr_dense_no_memory(ctx, "least squares", m, n);
    orr_dense_transpose(m, n, a, m, at);
    orr_dense_transpose(m, columns, b, ldb, bt);
    lapack_int rank = 0, length, integer_length;
    ORR_TRY(ctx, orr_dense_check_info(ctx, "least squares",
                                      LAPACKE_dgelsd_work(LAPACK_COL_MAJOR, lm, ln, lc, at, lm, bt, ldb, out->singular,
                                                          rcond, &rank, &wish, -1, &integer_length)));
    double *work = orr_dense_work_array(scratch, wish, &length);
    lapack_int *integers = ORR_NEW(scratch, lapack_int, integer_length > 1 ? integer_length : 1);
    if (!work || !integers) return orr_dense_no_memory(ctx, "least squares: work", m, n);
    ORR_TRY(ctx, orr_dense_check_info(ctx, "least squares",
                                      LAPACKE_dgelsd_work(LAPACK_COL_MAJOR, lm, ln, lc, at, lm, bt, ldb, out->singular,
                                                          rcond, &rank, work, length, integers)));
    out->rank = rank;
    for (int64_t j = 0; j < n; j++)
        for (int64_t c = 0; c < columns; c++) out->x[j * columns + c] = bt[c * ldb + j];
    return ORR_OK;
}

orr_status orr_least_squares_solve(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch, int64_t m, int64_t n,
                                   const double *a, int64_t columns, const double *b, double rcond,
                                   orr_least_squares *out) {
    *out = (orr_least_squares){ 0 };
    ORR_TRY(ctx, orr_dense_check_extents(ctx, "least squares", m, n));
    ORR_TRY(ctx, orr_dense_check_extents(ctx, "least squares: right side", m, columns));
    ORR_TRY(ctx, orr_dense_check_finite(ctx, "least squares", m, n, a));
    ORR_TRY(ctx, orr_dense_check_finite(ctx, "least squares: right side", m, columns, b));
    out->x = orr_arena_take(out_arena, n, (size_t)columns * sizeof(double));
    out->singular = ORR_NEW(out_arena, double, m < n ? m : n);
    out->residual = ORR_NEW(out_arena, double, columns);
    if (!out->x || !out->singular || !out->residual) return orr_dense_no_memory(ctx, "least squares", n, columns);
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
