/* The lower triangle in square tiles, each a task: those on the diagonal by syrk, the others by gemm; whoever has computed a
 * tile writes its mirror image too, while it is in the cache. */
#include "device/cpu/gram.h"

#include <cblas.h>

enum {
    SIDE_MAX =
        264, /* of a tile: longer ones leave threads idle at the end, shorter ones pack the same rows more often */
    PAYS = 128,
    CORNER = 8 /* mirrored at a time: a cache line of doubles */
};

typedef struct job {
    const orr_cpu_gram *g;
    const char *a;
    char *out;
    int64_t side, tiles; /* tiles in a row of them */
} job;

bool orr_cpu_gram_pays(const orr_cpu_gram *g) { return g->n >= PAYS && g->k >= PAYS; }

#define MIRROR(suffix, TYPE)                                                                                           \
    /* upper[j, i] = lower[i, j], m x n */                                                                             \
    static void mirror_##suffix(int64_t m, int64_t n, const TYPE *lower, TYPE *upper, int64_t ld) {                    \
        for (int64_t i0 = 0; i0 < m; i0 += CORNER)                                                                     \
            for (int64_t j = 0; j < n; j++)                                                                            \
                for (int64_t i = i0; i < m && i < i0 + CORNER; i++) upper[j * ld + i] = lower[i * ld + j];             \
    }                                                                                                                  \
    static void mirror_within_##suffix(int64_t n, TYPE *a, int64_t ld) {                                               \
        for (int64_t i = 0; i < n; i++)                                                                                \
            for (int64_t j = 0; j < i; j++) a[j * ld + i] = a[i * ld + j];                                             \
    }
MIRROR(f32, float)
MIRROR(f64, double)

/* Rows first .. first + n - 1 of a. */
static const char *rows_of(const orr_cpu_gram *g, const char *a, int64_t first) {
    return a + (g->transposed ? first : first * g->lda) * (int64_t)orr_dtype_size(g->dtype);
}

static void diagonal_tile(const job *j, int64_t first, int64_t n, char *out) {
    const orr_cpu_gram *g = j->g;
    const CBLAS_TRANSPOSE t = g->transposed ? CblasTrans : CblasNoTrans;
    const blasint ln = (blasint)n, k = (blasint)g->k, lda = (blasint)g->lda, ldc = (blasint)g->ldc;
    for (int64_t i = 0; i < g->terms; i++) {
        const void *a = rows_of(g, j->a, first) + i * g->gap * (int64_t)orr_dtype_size(g->dtype);
        if (g->dtype == ORR_F64)
            cblas_dsyrk(CblasRowMajor, CblasLower, t, ln, k, 1.0, a, lda, i > 0, (double *)(void *)out, ldc);
        else cblas_ssyrk(CblasRowMajor, CblasLower, t, ln, k, 1.0f, a, lda, (float)(i > 0), (float *)(void *)out, ldc);
    }
    if (g->dtype == ORR_F64) mirror_within_f64(n, (double *)(void *)out, g->ldc);
    else mirror_within_f32(n, (float *)(void *)out, g->ldc);
}

static void lower_tile(const job *j, int64_t row, int64_t m, int64_t column, int64_t n, char *out, char *mirrored) {
    const orr_cpu_gram *g = j->g;
    const CBLAS_TRANSPOSE ta = g->transposed ? CblasTrans : CblasNoTrans,
                          tb = g->transposed ? CblasNoTrans : CblasTrans;
    const blasint lm = (blasint)m, ln = (blasint)n, k = (blasint)g->k, lda = (blasint)g->lda, ldc = (blasint)g->ldc;
    for (int64_t i = 0; i < g->terms; i++) {
        const int64_t gap = i * g->gap * (int64_t)orr_dtype_size(g->dtype);
        const void *a = rows_of(g, j->a, row) + gap, *b = rows_of(g, j->a, column) + gap;
        if (g->dtype == ORR_F64)
            cblas_dgemm(CblasRowMajor, ta, tb, lm, ln, k, 1.0, a, lda, b, lda, i > 0, (double *)(void *)out, ldc);
        else
            cblas_sgemm(CblasRowMajor, ta, tb, lm, ln, k, 1.0f, a, lda, b, lda, (float)(i > 0), (float *)(void *)out,
                        ldc);
    }
    if (g->dtype == ORR_F64) mirror_f64(m, n, (const double *)(void *)out, (double *)(void *)mirrored, g->ldc);
    else mirror_f32(m, n, (const float *)(void *)out, (float *)(void *)mirrored, g->ldc);
}

/* Tasks go through the tiles below the diagonal first, row by row, then those on it, which take half as long. */
static void run_task(void *arg, int64_t task, int worker) {
    const job *j = arg;
    const orr_cpu_gram *g = j->g;
    const int64_t below = j->tiles * (j->tiles - 1) / 2, size = (int64_t)orr_dtype_size(g->dtype);
    int64_t row = task - below, column = row;
    (void)worker;
    if (task < below)
        for (row = 1, column = task; column >= row; row++) column -= row;
    row *= j->side, column *= j->side;
    const int64_t m = row + j->side <= g->n ? j->side : g->n - row;
    char *out = j->out + (row * g->ldc + column) * size;
    if (row == column) diagonal_tile(j, row, m, out);
    else lower_tile(j, row, m, column, j->side, out, j->out + (column * g->ldc + row) * size);
}

/* Halved until short enough: the work of 2^p x 2^p tiles, half of it in the lower triangle, is shared out evenly. */
void orr_cpu_gram_run(orr_pool *pool, const orr_cpu_gram *g, const void *a, void *out) {
    int64_t side = (g->n + 1) / 2;
    while (side > SIDE_MAX) side = (side + 1) / 2;
    side = (side + 7) / 8 * 8; /* whole vectors */
    job j = { .g = g, .a = a, .out = out, .side = side, .tiles = (g->n + side - 1) / side };
    orr_parallel(pool, j.tiles * (j.tiles + 1) / 2, run_task, &j);
}
