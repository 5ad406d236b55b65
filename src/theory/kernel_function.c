#include "theory/kernel_function.h"

#include <math.h>

#include "base/context.h"
#include "base/parallel.h"
#include "numeric/dense.h"
#include "numeric/vector.h"
#include "simd/simd.h"

static const double pi = 3.14159265358979323846;

static double ntk(double xx, double xz, double zz) {
    const double length = sqrt(xx * zz), t = length > 0.0 ? fmin(fmax(xz / length, -1.0), 1.0) : 0.0;
    const double theta = acos(t);
    return length * (sqrt(1.0 - t * t) + 2.0 * (pi - theta) * t) / pi; /* sin theta = sqrt(1 - t^2) on [0, pi] */
}

double orr_kernel_of(const orr_kernel *k, double xx, double xz, double zz) {
    const double r2 = fmax(xx + zz - 2.0 * xz, 0.0);
    switch (k->kind) {
    case ORR_KERNEL_LINEAR: return xz;
    case ORR_KERNEL_NTK: return ntk(xx, xz, zz);
    case ORR_KERNEL_LAPLACE: return exp(-sqrt(r2) / k->bandwidth);
    case ORR_KERNEL_RBF: return exp(-r2 / (2.0 * k->bandwidth * k->bandwidth));
    }
    return (double)NAN;
}

/* Inner products become values of the kernel. */
typedef struct values {
    const orr_kernel *kernel;
    int64_t n, m;
    const double *xx, *zz; /* [n], [m]: squared lengths */
    double *out;           /* [n, m] */
} values;

/* Of row i with columns first .. first + n - 1: orr_kernel_of, by vectors where it is an exponential. */
static void value_row(const values *v, int64_t i, int64_t first, int64_t n, double *row) {
    const orr_kernel *k = v->kernel;
    const double *zz = v->zz + first, xx = v->xx[i], b = k->bandwidth;
    switch (k->kind) {
    case ORR_KERNEL_LINEAR: return;
    case ORR_KERNEL_NTK:
        for (int64_t j = 0; j < n; j++) row[j] = ntk(xx, row[j], zz[j]);
        return;
    case ORR_KERNEL_LAPLACE: orr_simd()->exp_of_distance(n, false, 1.0 / b, xx, zz, row); return;
    case ORR_KERNEL_RBF: orr_simd()->exp_of_distance(n, true, 0.5 / (b * b), xx, zz, row); return;
    }
}

enum { ROWS = 16 }; /* a task */

static void value_rows(void *arg, int64_t task, int worker) {
    const values *v = arg;
    const int64_t end = (task + 1) * ROWS < v->n ? (task + 1) * ROWS : v->n;
    (void)worker;
    for (int64_t i = task * ROWS; i < end; i++) value_row(v, i, 0, v->m, v->out + i * v->m);
}

/* Of x with its first rows, up to the diagonal, where x.x is |x|^2 to the bit. */
static void symmetric_value_row(const void *self, int64_t i, int64_t first, int64_t n, void *entries) {
    const values *v = self;
    double *row = entries;
    if (first + n > i) row[i - first] = v->xx[i];
    value_row(v, i, first, n, row);
}

/* xx[i] = |x_i|^2 */
typedef struct squares {
    int64_t n, d;
    const double *x;
    double *xx;
} squares;

static void square_rows(void *arg, int64_t task, int worker) {
    const squares *s = arg;
    const int64_t end = (task + 1) * ROWS < s->n ? (task + 1) * ROWS : s->n;
    (void)worker;
    for (int64_t i = task * ROWS; i < end; i++) s->xx[i] = orr_vector_dot(s->d, s->x + i * s->d, s->x + i * s->d);
}

static void fill_squares(orr_pool *pool, int64_t n, int64_t d, const double *x, double *xx) {
    squares s = { n, d, x, xx };
    orr_parallel(pool, (n + ROWS - 1) / ROWS, square_rows, &s);
}

static orr_status fill(orr_context *ctx, values v, int64_t d, const double *x, const double *z, double *xx,
                       double *zz) {
    orr_pool *pool = orr_context_pool(ctx);
    fill_squares(pool, v.n, d, x, xx);
    if (xx == zz) return orr_dense_gram(ctx, v.n, v.m, d, x, symmetric_value_row, &v, v.out);
    fill_squares(pool, v.m, d, z, zz);
    orr_dense_multiply_parallel(ctx, v.n, v.m, d, x, false, z, true, v.out);
    orr_parallel(pool, (v.n + ROWS - 1) / ROWS, value_rows, &v);
    return ORR_OK;
}

orr_status orr_kernel_matrix(orr_context *ctx, orr_arena *scratch, const orr_kernel *k, int64_t n, int64_t m, int64_t d,
                             const double *x, const double *z, double *out) {
    const orr_arena_mark mark = orr_arena_here(scratch);
    double *xx = ORR_NEW(scratch, double, n), *zz = x == z && n >= m ? xx : ORR_NEW(scratch, double, m);
    orr_status status = ORR_OK;
    if (xx && zz) status = fill(ctx, (values){ k, n, m, xx, zz, out }, d, x, z, xx, zz);
    else status = orr_fail(ctx, ORR_ENOMEM, "kernel: no memory for %lld x %lld", (long long)n, (long long)m);
    orr_arena_rewind(scratch, mark);
    return status;
}
