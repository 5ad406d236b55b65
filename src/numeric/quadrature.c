/* Gauss rules and Gaussian means. */
#include "numeric/quadrature.h"

#include <math.h>

#include "base/context.h"
#include "numeric/dense.h"

static double pi(void) { return acos(-1); }

/* sqrt(b_k), k = 1, 2, ...: x p_k = p_{k+1} + b_k p_{k-1} for monic polynomials of a weight that is even. */
typedef double coupling(int64_t k);

static double couple_hermite(int64_t k) { return sqrt((double)k); }
static double couple_legendre(int64_t k) { return (double)k / sqrt(4 * (double)k * (double)k - 1); }

/* x_i = centre + half node_i, w_i = total * first_i^2.  Nodes of an even weight come in pairs: made so to the bit. */
static orr_status golub_welsch(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch, int64_t n, coupling *couple,
                               double centre, double half, double total, orr_rule *out) {
    *out = (orr_rule){ .n = n, .x = ORR_NEW(out_arena, double, n), .w = ORR_NEW(out_arena, double, n) };
    double *zero = ORR_NEW(scratch, double, n), *beta = ORR_NEW(scratch, double, n);
    double *vector = orr_arena_take(scratch, n, (size_t)n * sizeof *vector);
    if (!out->x || !out->w || !zero || !beta || !vector)
        return orr_fail(ctx, ORR_ENOMEM, "quadrature: no memory for a rule of %lld points", (long long)n);
    for (int64_t k = 1; k < n; k++) beta[k - 1] = couple(k);
    ORR_TRY(ctx, orr_tridiagonal_eigen(ctx, scratch, n, zero, beta, out->x, vector));
    for (int64_t i = 0; i < n; i++) out->w[i] = vector[i * n] * vector[i * n];
    for (int64_t i = 0, j = n - 1; i <= j; i++, j--) {
        const double node = 0.5 * (out->x[j] - out->x[i]), weight = 0.5 * total * (out->w[i] + out->w[j]);
        out->x[i] = centre - half * node;
        out->x[j] = centre + half * node;
        out->w[i] = out->w[j] = weight;
    }
    return ORR_OK;
}

static orr_status gauss(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch, int64_t n, coupling *couple,
                        double centre, double half, double total, orr_rule *out) {
    if (n < 1) return orr_fail(ctx, ORR_EINPUT, "quadrature: a rule of %lld points", (long long)n);
    const orr_arena_mark mark = orr_arena_here(scratch);
    const orr_status status = golub_welsch(ctx, out_arena, scratch, n, couple, centre, half, total, out);
    orr_arena_rewind(scratch, mark);
    return status;
}

orr_status orr_rule_hermite(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch, int64_t n, orr_rule *out) {
    return gauss(ctx, out_arena, scratch, n, couple_hermite, 0, 1, 1, out);
}

/* x = z / sqrt(2). */
orr_status orr_rule_hermite_physicists(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch, int64_t n,
                                       orr_rule *out) {
    return gauss(ctx, out_arena, scratch, n, couple_hermite, 0, sqrt(0.5), sqrt(pi()), out);
}

orr_status orr_rule_legendre(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch, int64_t n, double a, double b,
                             orr_rule *out) {
    if (!isfinite(a) || !isfinite(b)) return orr_fail(ctx, ORR_EINPUT, "quadrature: Legendre on [%g, %g]", a, b);
    return gauss(ctx, out_arena, scratch, n, couple_legendre, 0.5 * a + 0.5 * b, 0.5 * b - 0.5 * a, b - a, out);
}

/* mean = sum_k h phi(z_k) f(sigma z_k) / sum_k h phi(z_k), z_k = k h; h times the denominator is sqrt(2 pi)
 * to rounding. */
double orr_gaussian_mean(double variance, orr_function *f, void *self) {
    enum { HALF = 500 };
    const double h = 10.0 / HALF, sigma = sqrt(variance);
    double sum = f(self, 0), total = 1;
    for (int k = 1; k <= HALF; k++) {
        const double z = k * h, phi = exp(-0.5 * z * z);
        sum += phi * (f(self, sigma * z) + f(self, -sigma * z));
        total += 2 * phi;
    }
    return sum / total;
}

double orr_gaussian_mean_pair(double uu, double uv, double vv, orr_function_of_two *f, void *self) {
    enum { HALF = 180, NODES = 2 * HALF + 1 };
    const double h = 9.0 / HALF, su = sqrt(uu), sv = sqrt(vv);
    const double c = uu > 0 && vv > 0 ? fmax(-1, fmin(1, uv / (su * sv))) : 0, s = sqrt((1 - c) * (1 + c));
    double phi[NODES], sum = 0, total = 0;
    for (int k = 0; k < NODES; k++) phi[k] = exp(-0.5 * (k - HALF) * h * (k - HALF) * h);
    for (int i = 0; i < NODES; i++) total += phi[i];
    for (int i = 0; i < NODES; i++) {
        const double z1 = (i - HALF) * h;
        double row = 0;
        if (s == 0) row = total * f(self, su * z1, sv * c * z1);
        for (int j = 0; s > 0 && j < NODES; j++) row += phi[j] * f(self, su * z1, sv * (c * z1 + s * (j - HALF) * h));
        sum += phi[i] * row;
    }
    return sum / (total * total);
}
