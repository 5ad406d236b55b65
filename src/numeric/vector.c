#include "numeric/vector.h"

#include <math.h>
#include <string.h>

enum { CHUNK = 4096 }; /* elements a task: 32 KiB of w stay in the first cache while the basis streams past */

double orr_vector_dot(int64_t n, const double *x, const double *y) {
    double sum[8] = { 0 };
    int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (int lane = 0; lane < 8; lane++) sum[lane] += x[i + lane] * y[i + lane];
    for (int lane = 0; i < n; i++, lane++) sum[lane] += x[i] * y[i];
    return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
}

double orr_vector_norm(int64_t n, const double *x) { return sqrt(orr_vector_dot(n, x, x)); }

void orr_vector_axpy(int64_t n, double alpha, const double *restrict x, double *restrict y) {
    for (int64_t i = 0; i < n; i++) y[i] += alpha * x[i];
}

void orr_vector_scale(int64_t n, double alpha, double *x) {
    for (int64_t i = 0; i < n; i++) x[i] *= alpha;
}

bool orr_vector_is_finite(int64_t n, const double *x) {
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(x[i])) return false;
    return true;
}

typedef struct projection {
    int64_t m, n;
    const double *basis, *c;
    double *w, *partial;
} projection;

static int64_t chunks_of(int64_t n) { return (n + CHUNK - 1) / CHUNK; }

static int64_t chunk_length(int64_t n, int64_t chunk) { return n - chunk * CHUNK < CHUNK ? n - chunk * CHUNK : CHUNK; }

static void dot_chunk(void *arg, int64_t chunk, int worker) {
    (void)worker;
    const projection *p = arg;
    const int64_t first = chunk * CHUNK, length = chunk_length(p->n, chunk);
    for (int64_t i = 0; i < p->m; i++)
        p->partial[chunk * p->m + i] = orr_vector_dot(length, p->basis + i * p->n + first, p->w + first);
}

static void subtract_chunk(void *arg, int64_t chunk, int worker) {
    (void)worker;
    const projection *p = arg;
    const int64_t first = chunk * CHUNK, length = chunk_length(p->n, chunk);
    for (int64_t i = 0; i < p->m; i++) orr_vector_axpy(length, -p->c[i], p->basis + i * p->n + first, p->w + first);
}

static void add_chunk(void *arg, int64_t chunk, int worker) {
    (void)worker;
    const projection *p = arg;
    const int64_t first = chunk * CHUNK, length = chunk_length(p->n, chunk);
    memset(p->w + first, 0, (size_t)length * sizeof *p->w);
    for (int64_t i = 0; i < p->m; i++) orr_vector_axpy(length, p->c[i], p->basis + i * p->n + first, p->w + first);
}

int64_t orr_vector_project_scratch(int64_t m, int64_t n) { return m * chunks_of(n); }

void orr_vector_project_out(orr_pool *pool, int64_t m, int64_t n, const double *basis, double *w, double *c,
                            double *partial) {
    projection p = { .m = m, .n = n, .basis = basis, .c = c, .w = w, .partial = partial };
    orr_parallel(pool, chunks_of(n), dot_chunk, &p);
    for (int64_t i = 0; i < m; i++) {
        c[i] = 0;
        for (int64_t chunk = 0; chunk < chunks_of(n); chunk++) c[i] += partial[chunk * m + i];
    }
    orr_parallel(pool, chunks_of(n), subtract_chunk, &p);
}

void orr_vector_combine(orr_pool *pool, int64_t m, int64_t n, const double *basis, const double *c, double *out) {
    projection p = { .m = m, .n = n, .basis = basis, .c = c, .w = out };
    orr_parallel(pool, chunks_of(n), add_chunk, &p);
}

int64_t orr_vector_orthonormalise(orr_pool *pool, int64_t k, int64_t n, double *a, double *c, double *partial) {
    int64_t rank = 0;
    for (int64_t i = 0; i < k; i++) {
        double *row = a + rank * n;
        if (rank != i) memcpy(row, a + i * n, (size_t)n * sizeof *row);
        const double before = orr_vector_norm(n, row);
        for (int pass = 0; pass < 2; pass++) orr_vector_project_out(pool, rank, n, a, row, c, partial);
        const double norm = orr_vector_norm(n, row);
        if (!(norm > 1e-10 * before)) continue;
        orr_vector_scale(n, 1 / norm, row);
        rank++;
    }
    return rank;
}
