#include "numeric/blocked.h"

#include <cblas.h>
#include <lapacke.h>
#include <string.h>

enum {
    TILE = 264,  /* longest side of a tile: longer ones leave threads idle at the end, shorter ones pack more often */
    BLOCK = 48,  /* a factor up to this size is LAPACK's, and is inverted */
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

/* The first half of n > BLOCK, in whole blocks. */
static int64_t half_of(int64_t n) { return (n / 2 + BLOCK - 1) / BLOCK * BLOCK; }

/* Rows of a task, where n of them are cut into `tasks` or more. */
static int64_t rows_of(int64_t n, int64_t tasks) {
    return side_of(n, least(TILE, n / tasks > ROWS ? n / tasks : ROWS));
}

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
    product p = { m, n, k, rows_of(m, 8), a, b, transpose_a, transpose_b, c };
    orr_parallel(pool, (m + p.rows - 1) / p.rows, multiply_rows, &p);
}

/* ---- symmetric products ---------------------------------------------------------------------------------------- */

/* The lower triangle in square tiles, some of a row of them in a call of `visit`. */
typedef struct triangle {
    int64_t n, side, tiles; /* tiles in a row of them */
} triangle;

/* Whole tiles of one size in the end: 2^p x 2^p of them, half of which are below the diagonal, are shared out evenly. */
static triangle triangle_of(int64_t n) {
    const int64_t side = side_of((n + 1) / 2, TILE);
    return (triangle){ n, side, (n + side - 1) / side };
}

typedef struct tile {
    int64_t row, column, m, n;
} tile;

static int64_t tiles_of(const triangle *t) { return t->tiles * (t->tiles + 1) / 2; }

/* Tiles below the diagonal come first, row by row, then those on it, which take half as long. */
static tile tile_at(const triangle *t, int64_t task) {
    const int64_t below = t->tiles * (t->tiles - 1) / 2;
    int64_t row = task - below, column = row;
    if (task < below)
        for (row = 1, column = task; column >= row; row++) column -= row;
    row *= t->side, column *= t->side;
    return (tile){ row, column, least(t->side, t->n - row), least(t->side, t->n - column) };
}

/* c <- alpha a a' + beta c in the lower triangle of the tile, a its first row */
static void multiply_tile(const tile *at, int64_t k, double alpha, const double *a, int64_t lda, double beta, double *c,
                          int64_t ldc) {
    const double *left = a + at->row * lda, *right = a + at->column * lda;
    const blasint m = (blasint)at->m, n = (blasint)at->n;
    if (at->row == at->column)
        cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, m, (blasint)k, alpha, left, (blasint)lda, beta, c,
                    (blasint)ldc);
    else
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, n, (blasint)k, alpha, left, (blasint)lda, right,
                    (blasint)lda, beta, c, (blasint)ldc);
}

/* c <- c - a a' in the lower triangle, a n x k; rows of both are ld apart. */
typedef struct update {
    triangle t;
    int64_t k, ld;
    const double *a;
    double *c;
} update;

static void update_tile(void *arg, int64_t task, int worker) {
    const update *u = arg;
    const tile at = tile_at(&u->t, task);
    (void)worker;
    multiply_tile(&at, u->k, -1.0, u->a, u->ld, 1.0, u->c + at.row * u->ld + at.column, u->ld);
}

static void update_lower(orr_pool *pool, int64_t n, int64_t k, const double *a, double *c, int64_t ld) {
    update u = { triangle_of(n), k, ld, a, c };
    orr_parallel(pool, tiles_of(&u.t), update_tile, &u);
}

/* ---- Cholesky -------------------------------------------------------------------------------------------------- */

/* Triangular solves become products, for BLAS's are a quarter as fast where columns are few: the factor's blocks on the
 * diagonal, BLOCK x BLOCK, are inverted as soon as they are known.  An inverse of so small a block, whose condition is that
 * of the matrix at most, solves as well as substitution does (Du Croz and Higham 1992). */
typedef struct factorisation {
    orr_pool *pool;
    double *a;
    int64_t ld;
    double *inverse; /* rows of BLOCK: row i is that of the inverse of the block that holds i */
} factorisation;

/* x <- x L'^-1 for some rows of x, L the n x n block of the factor at `first`, by halves:
 *
 *     [x1 x2] [L11' L21']^-1      x1 <- x1 L11'^-1,   x2 <- (x2 - x1 L21') L22'^-1
 *             [     L22'] */
static void solve_rows(const factorisation *f, int64_t first, int64_t n, int64_t m, double *x) {
    if (n <= BLOCK) {
        cblas_dtrmm(CblasRowMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, (blasint)m, (blasint)n, 1.0,
                    f->inverse + first * BLOCK, BLOCK, x, (blasint)f->ld);
        return;
    }
    const int64_t half = half_of(n), rest = n - half;
    solve_rows(f, first, half, m, x);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)m, (blasint)rest, (blasint)half, -1.0, x,
                (blasint)f->ld, f->a + (first + half) * f->ld + first, (blasint)f->ld, 1.0, x + half, (blasint)f->ld);
    solve_rows(f, first + half, rest, m, x + half);
}

/* The rows below the n x n block at `first`, m of them. */
typedef struct triangular_solve {
    const factorisation *f;
    int64_t first, n, m, rows; /* rows: of a task */
} triangular_solve;

static void solve_task(void *arg, int64_t task, int worker) {
    const triangular_solve *s = arg;
    const int64_t row = task * s->rows;
    (void)worker;
    solve_rows(s->f, s->first, s->n, least(s->rows, s->m - row),
               s->f->a + (s->first + s->n + row) * s->f->ld + s->first);
}

static void solve_below(const factorisation *f, int64_t first, int64_t n, int64_t m) {
    triangular_solve s = { f, first, n, m, rows_of(m, 4) };
    orr_parallel(f->pool, (m + s.rows - 1) / s.rows, solve_task, &s);
}

/* The inverse of L, n x n, row by row:  inverse_i = (e_i - sum_{j < i} L_ij inverse_j) / L_ii */
static void invert(int64_t n, const double *l, int64_t ld, double *inverse) {
    memset(inverse, 0, (size_t)(n * BLOCK) * sizeof *inverse);
    for (int64_t i = 0; i < n; i++) {
        double *row = inverse + i * BLOCK;
        for (int64_t j = 0; j < i; j++)
            for (int64_t k = 0; k <= j; k++) row[k] -= l[i * ld + j] * inverse[j * BLOCK + k];
        row[i] = 1.0;
        for (int64_t k = 0; k <= i; k++) row[k] /= l[i * ld + i];
    }
}

/* By halves, so that nearly all work is in large products:
 *
 *     [A11 A21']   [L11    ] [L11' L21']      L11 L11' = A11,   L21 = A21 L11'^-1,
 *     [A21 A22 ] = [L21 L22] [     L22']      L22 L22' = A22 - L21 L21' */
static int64_t factor(const factorisation *f, int64_t first, int64_t n) {
    double *a = f->a + first * f->ld + first;
    if (n <= BLOCK) {
        const int64_t failed = LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'U', (lapack_int)n, a, (lapack_int)f->ld);
        if (failed == 0) invert(n, a, f->ld, f->inverse + first * BLOCK);
        return failed;
    }
    const int64_t half = half_of(n), rest = n - half;
    const int64_t failed = factor(f, first, half);
    if (failed) return failed;
    solve_below(f, first, half, rest);
    update_lower(f->pool, rest, half, a + half * f->ld, a + half * f->ld + half, f->ld);
    const int64_t failed_below = factor(f, first + half, rest);
    return failed_below ? half + failed_below : 0;
}

int64_t orr_blocked_cholesky_room(int64_t n) { return n * BLOCK; }

int64_t orr_blocked_cholesky(orr_pool *pool, int64_t n, double *a, int64_t lda, double *room) {
    const factorisation f = { pool, a, lda, room };
    return n == 0 ? 0 : factor(&f, 0, n);
}
