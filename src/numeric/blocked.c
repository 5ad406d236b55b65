#include "numeric/blocked.h"

#include <cblas.h>
#include <lapacke.h>
#include <string.h>

enum {
    TILE = 264,  /* longest side of a tile: longer ones leave threads idle at the end, shorter ones pack more often */
    LEAF = 128,  /* a factor up to this size is LAPACK's */
    VECTORS = 8, /* sides are multiples of this */
    ROWS = 48    /* fewest of a task: each packs the other operand anew */
};

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* Halved until it is short enough: 2^p tasks of equal size are shared out evenly. */
static int64_t side_of(int64_t n, int64_t longest) {
    int64_t side = n;
    while (side > longest) side = (side + 1) / 2;
    return (side + VECTORS - 1) / VECTORS * VECTORS;
}

/* Rows of a task, where n of them are cut into eight or more. */
static int64_t rows_of(int64_t n) { return side_of(n, least(TILE, n / 8 > ROWS ? n / 8 : ROWS)); }

/* ---- products -------------------------------------------------------------------------------------------------- */

typedef struct product {
    int64_t m, n, k, rows; /* rows: of a task */
    const double *a, *b;
    bool ta, tb;
    double *c;
} product;

static void multiply_rows(void *arg, int64_t task, int worker) {
    const product *p = arg;
    const int64_t first = task * p->rows, rows = least(p->rows, p->m - first);
    (void)worker;
    cblas_dgemm(CblasRowMajor, p->ta ? CblasTrans : CblasNoTrans, p->tb ? CblasTrans : CblasNoTrans, (blasint)rows,
                (blasint)p->n, (blasint)p->k, 1.0, p->a + (p->ta ? first : first * p->k),
                (blasint)(p->ta ? p->m : p->k), p->b, (blasint)(p->tb ? p->k : p->n), 0.0, p->c + first * p->n,
                (blasint)p->n);
}

void orr_blocked_multiply(orr_pool *pool, int64_t m, int64_t n, int64_t k, const double *a, bool transpose_a,
                          const double *b, bool transpose_b, double *c) {
    if (m == 0 || n == 0) return;
    if (k == 0) {
        memset(c, 0, (size_t)(m * n) * sizeof *c);
        return;
    }
    product p = { m, n, k, rows_of(m), a, b, transpose_a, transpose_b, c };
    orr_parallel(pool, (m + p.rows - 1) / p.rows, multiply_rows, &p);
}

/* ---- symmetric products ---------------------------------------------------------------------------------------- */

/* c <- alpha a a' + beta c in the lower triangle, a n x k. */
typedef struct update {
    int64_t n, k, lda, ldc, side, tiles; /* tiles in a row of them */
    double alpha, beta;
    const double *a;
    double *c;
    bool mirrored; /* the upper triangle too */
} update;

/* c[j, i] = c[i, j] for the tile at (row, column); for one on the diagonal, those with j < i. */
static void mirror(const update *u, int64_t row, int64_t m, int64_t column, int64_t n) {
    for (int64_t i0 = 0; i0 < m; i0 += VECTORS)
        for (int64_t j = 0; j < n; j++)
            for (int64_t i = i0; i < m && i < i0 + VECTORS; i++)
                if (column + j < row + i) u->c[(column + j) * u->ldc + row + i] = u->c[(row + i) * u->ldc + column + j];
}

/* Tasks go through the tiles below the diagonal first, row by row, then those on it, which take half as long. */
static void update_tile(void *arg, int64_t task, int worker) {
    const update *u = arg;
    const int64_t below = u->tiles * (u->tiles - 1) / 2;
    int64_t row = task - below, column = row;
    (void)worker;
    if (task < below)
        for (row = 1, column = task; column >= row; row++) column -= row;
    row *= u->side, column *= u->side;
    const int64_t m = least(u->side, u->n - row), n = least(u->side, u->n - column);
    const blasint k = (blasint)u->k, lda = (blasint)u->lda, ldc = (blasint)u->ldc;
    const double *a = u->a + row * u->lda, *b = u->a + column * u->lda;
    double *c = u->c + row * u->ldc + column;
    if (row == column)
        cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, (blasint)m, k, u->alpha, a, lda, u->beta, c, ldc);
    else
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)m, (blasint)n, k, u->alpha, a, lda, b, lda,
                    u->beta, c, ldc);
    if (u->mirrored) mirror(u, row, m, column, n);
}

static void update_lower(orr_pool *pool, update u) {
    u.side = side_of((u.n + 1) / 2, TILE);
    u.tiles = (u.n + u.side - 1) / u.side;
    orr_parallel(pool, u.tiles * (u.tiles + 1) / 2, update_tile, &u);
}

void orr_blocked_gram(orr_pool *pool, int64_t n, int64_t k, const double *a, double *c) {
    if (k == 0) memset(c, 0, (size_t)(n * n) * sizeof *c);
    if (n == 0 || k == 0) return;
    update_lower(pool, (update){ .n = n, .k = k, .lda = k, .ldc = n, .alpha = 1.0, .a = a, .c = c, .mirrored = true });
}

/* ---- Cholesky -------------------------------------------------------------------------------------------------- */

/* x <- x L'^-1, x m x n, L n x n lower triangular; rows of both are ld apart. */
typedef struct triangular_solve {
    int64_t m, n, ld, rows; /* rows: of a task */
    const double *l;
    double *x;
} triangular_solve;

static void solve_rows(void *arg, int64_t task, int worker) {
    const triangular_solve *s = arg;
    const int64_t first = task * s->rows;
    (void)worker;
    cblas_dtrsm(CblasRowMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, (blasint)least(s->rows, s->m - first),
                (blasint)s->n, 1.0, s->l, (blasint)s->ld, s->x + first * s->ld, (blasint)s->ld);
}

/* By halves, so that nearly all work is in large products:
 *
 *     [A11 A21']   [L11    ] [L11' L21']      L11 L11' = A11,   L21 = A21 L11'^-1,
 *     [A21 A22 ] = [L21 L22] [     L22']      L22 L22' = A22 - L21 L21' */
static int64_t factor(orr_pool *pool, int64_t n, double *a, int64_t ld) {
    if (n <= LEAF) return LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'U', (lapack_int)n, a, (lapack_int)ld);
    const int64_t half = side_of((n + 1) / 2, n), rest = n - half;
    double *a21 = a + half * ld, *a22 = a21 + half;
    const int64_t failed = factor(pool, half, a, ld);
    if (failed) return failed;
    triangular_solve s = { rest, half, ld, rows_of(rest), a, a21 };
    orr_parallel(pool, (rest + s.rows - 1) / s.rows, solve_rows, &s);
    update_lower(
        pool, (update){ .n = rest, .k = half, .lda = ld, .ldc = ld, .alpha = -1.0, .beta = 1.0, .a = a21, .c = a22 });
    const int64_t failed_below = factor(pool, rest, a22, ld);
    return failed_below ? half + failed_below : 0;
}

int64_t orr_blocked_cholesky(orr_pool *pool, int64_t n, double *a) { return n == 0 ? 0 : factor(pool, n, a, n); }
