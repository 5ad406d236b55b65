#include "theory/sgd_moments.h"

#include <math.h>

#include "base/context.h"
#include "numeric/dense.h"

/* sum_i l_i m_i: twice the excess loss, and the excess variance of a residual. */
static double excess(const orr_sgd_regression *r, const double *m) {
    double sum = 0.0;
    for (int64_t i = 0; i < r->n; i++) sum += r->curvature[i] * m[i];
    return sum;
}

double orr_sgd_excess_loss(const orr_sgd_regression *r, const double *m) { return 0.5 * excess(r, m); }

void orr_sgd_moments_step(const orr_sgd_regression *r, double learning_rate, double batch, double *m) {
    const double variance = excess(r, m) + r->noise;
    for (int64_t i = 0; i < r->n; i++) {
        const double step = learning_rate * r->curvature[i];
        m[i] = (1.0 - step) * (1.0 - step) * m[i] + step / batch * (step * m[i] + learning_rate * variance);
    }
}

/* m_i = h_i (sum_j l_j m_j + s2) with h_i = eta/(B (2 - eta l_i) - eta l_i), hence sum_j l_j m_j = s2 q/(1 - q), q = sum l_i h_i. */
bool orr_sgd_moments_stationary(const orr_sgd_regression *r, double learning_rate, double batch, double *m_star) {
    double q = 0.0;
    for (int64_t i = 0; i < r->n; i++) {
        const double step = learning_rate * r->curvature[i], damping = batch * (2.0 - step) - step;
        if (!(damping > 0.0)) return false;
        q += step / damping;
    }
    if (!(q < 1.0)) return false;
    for (int64_t i = 0; i < r->n; i++) {
        const double step = learning_rate * r->curvature[i];
        m_star[i] =
            r->curvature[i] > 0.0 ? learning_rate * r->noise / ((batch * (2.0 - step) - step) * (1.0 - q)) : 0.0;
    }
    return true;
}

/* (e^{-a t} - 1)/(-a): the integral of e^{-a s} over 0 <= s <= t. */
static double decayed_time(double a, double t) { return a == 0.0 ? t : -expm1(-a * t) / a; }

/* With A = V diag(a) V': loss(t) = 1/2 sum_k (V'l)_k [ e^{-a_k t} (V'm_0)_k + (V'b)_k (1 - e^{-a_k t})/a_k ],  b = tau s2 l. */
orr_status orr_sgd_limit_loss(orr_context *ctx, orr_arena *scratch, const orr_sgd_regression *r, double temperature,
                              const double *m_0, int64_t count, const double *times, double *loss) {
    const orr_arena_mark mark = orr_arena_here(scratch);
    const int64_t n = r->n;
    const double *l = r->curvature, tau = temperature;
    double *a = ORR_NEW(scratch, double, n *n);
    orr_symmetric_eigen eigen;
    orr_status status;
    if (!a) {
        status = orr_fail(ctx, ORR_ENOMEM, "moments of SGD: no memory for %lld x %lld", (long long)n, (long long)n);
        goto done;
    }
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) a[i * n + j] = (i == j ? l[i] * (2.0 - tau * l[i]) : 0.0) - tau * l[i] * l[j];
    ORR_TRY_DONE(ctx, orr_eigen_symmetric(ctx, scratch, scratch, n, a, &eigen));
    for (int64_t s = 0; s < count; s++) loss[s] = 0.0;
    for (int64_t k = 0; k < n; k++) {
        double l_k = 0.0, m_k = 0.0;
        for (int64_t i = 0; i < n; i++) l_k += eigen.vector[k * n + i] * l[i], m_k += eigen.vector[k * n + i] * m_0[i];
        for (int64_t s = 0; s < count; s++)
            loss[s] +=
                0.5 * l_k *
                (exp(-eigen.value[k] * times[s]) * m_k + tau * r->noise * l_k * decayed_time(eigen.value[k], times[s]));
    }
done:
    orr_arena_rewind(scratch, mark);
    return status;
}
