#include "theory/kernel_function.h"

#include <math.h>

#include "base/context.h"
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

orr_status orr_kernel_matrix(orr_context *ctx, orr_arena *scratch, const orr_kernel *k, int64_t n, int64_t m, int64_t d,
                             const double *x, const double *z, double *out) {
    const orr_arena_mark mark = orr_arena_here(scratch);
    double *zz = ORR_NEW(scratch, double, m);
    if (!zz) return orr_fail(ctx, ORR_ENOMEM, "kernel: no memory for %lld x %lld", (long long)n, (long long)m);
    orr_dense_multiply(n, m, d, x, false, z, true, out);
    for (int64_t j = 0; j < m; j++) zz[j] = square(d, z + j * d);
    for (int64_t i = 0; i < n; i++) {
        const double xx = square(d, x + i * d);
        for (int64_t j = 0; j < m; j++)
            out[i * m + j] =
                x == z && i == j ? orr_kernel_of(k, xx, xx, xx) : orr_kernel_of(k, xx, out[i * m + j], zz[j]);
    }
    orr_arena_rewind(scratch, mark);
    return ORR_OK;
}
