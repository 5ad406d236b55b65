#include "theory/linearized_dynamics.h"

#include <math.h>

#include "base/context.h"
#include "numeric/dense.h"

orr_status orr_linearized_new(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch, int64_t n,
                              const double *theta, const double *y, const double *f_0, orr_linearized *out) {
    orr_symmetric_eigen eigen;
    double *residual = ORR_NEW(out_arena, double, n);
    if (!residual) return orr_fail(ctx, ORR_ENOMEM, "linearized dynamics: no memory for %lld modes", (long long)n);
    ORR_TRY(ctx, orr_eigen_symmetric(ctx, out_arena, scratch, n, theta, &eigen));
    for (int64_t k = 0; k < n; k++)
        for (int64_t i = 0; i < n; i++) residual[k] += eigen.vector[k * n + i] * (y[i] - f_0[i]);
    *out = (orr_linearized){ .n = n, .value = eigen.value, .vector = eigen.vector, .residual = residual };
    return ORR_OK;
}

double orr_linearized_largest(const orr_linearized *l) { return l->n ? l->value[l->n - 1] : 0.0; }

/* What is left of a mode, 1 - g_t. */
static double left(double lam, orr_linearized_time t) {
    return t.updates < 0 ? exp(-lam * t.rate) : pow(1.0 - t.rate * lam, (double)t.updates);
}

/* g_t / lam; below 1e-14 lam_max lam is rounding, and the quotient its limit at 0, the time that passed. */
static double gain(double lam, double lam_max, orr_linearized_time t) {
    const bool flow = t.updates < 0;
    const double step = t.rate * lam;
    if (!(lam > 1e-14 * lam_max)) return flow ? t.rate : t.rate * (double)t.updates;
    if (flow) return -expm1(-step) / lam;
    if (step < 1.0) return -expm1((double)t.updates * log1p(-step)) / lam; /* 1 - (1 - step)^t without cancellation */
    return (1.0 - left(lam, t)) / lam;
}

orr_status orr_linearized_outputs(orr_context *ctx, orr_arena *scratch, const orr_linearized *l, orr_linearized_time t,
                                  int64_t m, const double *k, const double *f_0, double *out) {
    const orr_arena_mark mark = orr_arena_here(scratch);
    const int64_t n = l->n;
    double *mode = ORR_NEW(scratch, double, n), *weight = ORR_NEW(scratch, double, n);
    if (!mode || !weight) {
        orr_arena_rewind(scratch, mark);
        return orr_fail(ctx, ORR_ENOMEM, "linearized dynamics: no memory for %lld weights", (long long)n);
    }
    for (int64_t i = 0; i < n; i++) mode[i] = gain(l->value[i], orr_linearized_largest(l), t) * l->residual[i];
    orr_dense_multiply(1, n, n, mode, false, l->vector, false, weight); /* V [ g/lam r_0 ] */
    orr_dense_multiply(m, 1, n, k, false, weight, false, out);
    for (int64_t i = 0; i < m; i++) out[i] += f_0[i];
    orr_arena_rewind(scratch, mark);
    return ORR_OK;
}

double orr_linearized_loss(const orr_linearized *l, orr_linearized_time t) {
    double sum = 0.0;
    for (int64_t i = 0; i < l->n; i++) {
        const double r = left(l->value[i], t) * l->residual[i];
        sum += 0.5 * r * r;
    }
    return sum;
}
