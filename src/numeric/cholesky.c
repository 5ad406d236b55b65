#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "numeric/blocked.h"
#include "numeric/dense_private.h"

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
        if (!c.finite[i]) return orr_dense_check_lower(ctx, what, n, a);
    return ORR_OK;
}

/* Where an entry of a isn't finite, neither is the factor's diagonal in its row. */
orr_status orr_cholesky_in_place(orr_context *ctx, int64_t n, double *a, int64_t lda) {
    ORR_TRY(ctx, orr_dense_check_extents(ctx, "Cholesky", n, lda));
    double *room = orr_allocate(ctx, (size_t)orr_blocked_cholesky_room(n) * sizeof *room);
    if (!room) return orr_dense_no_memory(ctx, "Cholesky", n, n);
    const int64_t failed = orr_blocked_cholesky(orr_context_pool(ctx), n, a, lda, room);
    orr_release(ctx, room);
    if (failed < 0) return orr_dense_check_info(ctx, "Cholesky", (lapack_int)failed);
    if (failed > 0)
        return orr_fail(ctx, ORR_ENUMERIC, "Cholesky: not positive definite, pivot %lld of %lld isn't positive",
                        (long long)failed, (long long)n);
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(a[i * lda + i]))
            return orr_fail(ctx, ORR_ENUMERIC, "Cholesky: row %lld of %lld isn't finite", (long long)i, (long long)n);
    return ORR_OK;
}

orr_status orr_cholesky(orr_context *ctx, int64_t n, const double *a, double *l) {
    ORR_TRY(ctx, orr_dense_check_extents(ctx, "Cholesky", n, n));
    ORR_TRY(ctx, copy_lower(ctx, "Cholesky", n, a, l));
    return orr_cholesky_in_place(ctx, n, l, n);
}

orr_status orr_cholesky_solve(orr_context *ctx, orr_arena *scratch, int64_t n, const double *l, int64_t columns,
                              const double *b, double *x) {
    ORR_TRY(ctx, orr_dense_check_extents(ctx, "Cholesky solve", n, columns));
    ORR_TRY(ctx, orr_dense_check_finite(ctx, "Cholesky solve", n, columns, b));
    if (n == 0 || columns == 0) return ORR_OK;
    const orr_arena_mark mark = orr_arena_here(scratch);
    double *bt = orr_arena_take(scratch, columns, (size_t)n * sizeof *bt);
    if (!bt) return orr_dense_no_memory(ctx, "Cholesky solve", n, columns);
    orr_dense_transpose(n, columns, b, n, bt);
    const lapack_int info = LAPACKE_dpotrs_work(LAPACK_COL_MAJOR, 'U', (lapack_int)n, (lapack_int)columns, l,
                                                (lapack_int)n, bt, (lapack_int)n);
    orr_dense_transpose(columns, n, bt, columns, x);
    orr_arena_rewind(scratch, mark);
    return orr_dense_check_info(ctx, "Cholesky solve", info);
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
    ORR_TRY(ctx, orr_dense_check_extents(ctx, "Cholesky solve of leading blocks", n, sizes));
    ORR_TRY(ctx, orr_dense_check_finite(ctx, "Cholesky solve of leading blocks", n, 1, b));
    for (int64_t s = 0; s < sizes; s++)
        if (size[s] < 0 || size[s] > n)
            return orr_fail(ctx, ORR_EINPUT, "Cholesky solve of leading blocks: size %lld of %lld x %lld",
                            (long long)size[s], (long long)n, (long long)n);
    if (n == 0 || sizes == 0) return ORR_OK;
    const orr_arena_mark mark = orr_arena_here(scratch);
    double *z = orr_dense_copy(scratch, n, 1, b), *one = orr_arena_take(scratch, sizes, (size_t)n * sizeof *one);
    const orr_status status =
        z && one ? ORR_OK : orr_dense_no_memory(ctx, "Cholesky solve of leading blocks", n, sizes);
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
    ORR_TRY(ctx, orr_dense_check_extents(ctx, "Cholesky inverse", n, n));
    ORR_TRY(ctx, orr_dense_check_lower(ctx, "Cholesky inverse", n, l));
    if (n == 0) return ORR_OK;
    const orr_arena_mark mark = orr_arena_here(scratch);
    double *inverse = orr_dense_copy(scratch, n, n, l);
    if (!inverse) return orr_dense_no_memory(ctx, "Cholesky inverse", n, n);
    const lapack_int info = LAPACKE_dtrtri_work(LAPACK_COL_MAJOR, 'U', 'N', (lapack_int)n, inverse, (lapack_int)n);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j <= i; j++) *trace += inverse[i * n + j] * inverse[i * n + j];
    orr_arena_rewind(scratch, mark);
    return orr_dense_check_info(ctx, "Cholesky inverse", info);
}
