#include "theory/kernel_function.h"

#include <math.h>

#include "base/context.h"
#include "base/parallel.h"
#include "numeric/dense.h"

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

static double square(int64_t d, const double *x) {
    double sum = 0.0;
    for (int64_t j = 0; j < d; j++) sum += x[j] * x[j];
    return sum;
}

/* Inner products become values of the kernel, ROWS rows a task. */
enum { ROWS = 16 };
typedef struct values {
    const orr_kernel *kernel;
    int64_t n, m;
    const double *xx, *zz; /* [n], [m]: squared lengths */
    double *out;           /* [n, m] */
} values;

static void value_rows(void *arg, int64_t task, int worker) {
    const values *v = arg;
    const int64_t end = (task + 1) * ROWS < v->n ? (task + 1) * ROWS : v->n;
    (void)worker;
    for (int64_t i = task * ROWS; i < end; i++)
        for (int64_t j = 0; j < v->m; j++)
            v->out[i * v->m + j] = orr_kernel_of(v->kernel, v->xx[i], v->out[i * v->m + j], v->zz[j]);
}

/* Of x with itself: the lower triangle is read, both are written. */
static void symmetric_value_rows(void *arg, int64_t task, int worker) {
    const values *v = arg;
    const int64_t first = task * ROWS, end = first + ROWS < v->n ? first + ROWS : v->n, n = v->n;
    (void)worker;
    for (int64_t j = 0; j < end; j++)
        for (int64_t i = j > first ? j : first; i < end; i++)
            v->out[j * n + i] = v->out[i * n + j] =
                orr_kernel_of(v->kernel, v->xx[i], i == j ? v->xx[i] : v->out[i * n + j], v->xx[j]);
}

static void fill(orr_context *ctx, values v, int64_t d, const double *x, const double *z, double *xx, double *zz) {
    const bool symmetric = xx == zz;
    for (int64_t i = 0; i < v.n; i++) xx[i] = square(d, x + i * d);
    for (int64_t j = 0; j < v.m && !symmetric; j++) zz[j] = square(d, z + j * d);
    if (symmetric) orr_dense_gram(ctx, v.n, d, x, v.out);
    else orr_dense_multiply_parallel(ctx, v.n, v.m, d, x, false, z, true, v.out);
    orr_parallel(orr_context_pool(ctx), (v.n + ROWS - 1) / ROWS, symmetric ? symmetric_value_rows : value_rows, &v);
}

orr_status orr_kernel_matrix(orr_context *ctx, orr_arena *scratch, const orr_kernel *k, int64_t n, int64_t m, int64_t d,
                             const double *x, const double *z, double *out) {
    const orr_arena_mark mark = orr_arena_here(scratch);
    double *xx = ORR_NEW(scratch, double, n), *zz = x == z && n == m ? xx : ORR_NEW(scratch, double, m);
    orr_status status = ORR_OK;
    if (xx && zz) fill(ctx, (values){ k, n, m, xx, zz, out }, d, x, z, xx, zz);
    else status = orr_fail(ctx, ORR_ENOMEM, "kernel: no memory for %lld x %lld", (long long)n, (long long)m);
    orr_arena_rewind(scratch, mark);
    return status;
}
