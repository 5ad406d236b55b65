#include "theory/kernel_spectrum.h"

#include <math.h>

#include "base/context.h"
#include "numeric/dense.h"

double orr_sphere_multiplicity(int64_t d, int64_t l) {
    if (l == 0) return 1.0;
    double binomial = 1.0; /* (l + d - 3) over (l - 1) = product over j of (d - 2 + j)/j, j = 1 .. l - 1 */
    for (int64_t j = 1; j < l; j++) binomial *= (double)(d - 2 + j) / (double)j;
    return (double)(2 * l + d - 2) / (double)l * binomial;
}

/* P_{l+1} from P_l and P_{l-1}.  d = 2: Chebyshev's polynomials, P_1 = t by itself. */
static double next(int64_t d, int64_t l, double t, double p, double before) {
    return l == 0 ? t : ((double)(2 * l + d - 2) * t * p - (double)l * before) / (double)(l + d - 2);
}

double orr_sphere_polynomial(int64_t d, int64_t l, double t) {
    double p = 1.0, before = 0.0;
    for (int64_t j = 0; j < l; j++) {
        const double after = next(d, j, t, p, before);
        before = p;
        p = after;
    }
    return p;
}

void orr_sphere_eigenvalues(int64_t d, int64_t levels, orr_function *k, void *self, double *value) {
    enum { INTERVALS = 4000 };
    static const double pi = 3.14159265358979323846;
    double total = 0.0;
    for (int64_t l = 0; l < levels; l++) value[l] = 0.0;
    for (int64_t i = 0; i <= INTERVALS; i++) {
        const double theta = pi * (double)i / INTERVALS, simpson = i == 0 || i == INTERVALS ? 1.0 : i % 2 ? 4.0 : 2.0;
        const double weight = simpson * pow(sin(theta), (double)(d - 2)), t = cos(theta), kt = weight * k(self, t);
        double p = 1.0, before = 0.0;
        total += weight;
        for (int64_t l = 0; l < levels; l++) {
            value[l] += kt * p;
            const double after = next(d, l, t, p, before);
            before = p;
            p = after;
        }
    }
    for (int64_t l = 0; l < levels; l++) {
        value[l] /= total;
        if (value[l] < 1e-17) value[l] = 0.0;
    }
}

orr_status orr_pool_spectrum_of(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch, int64_t n, int64_t outputs,
                                double *gram, const double *y, orr_pool_spectrum *out) {
    *out = (orr_pool_spectrum){ n, outputs, ORR_NEW(out_arena, double, n), ORR_NEW(out_arena, double, outputs *n) };
    const orr_arena_mark mark = orr_arena_here(scratch);
    double *along = ORR_NEW(scratch, double, n *outputs);
    if (!out->value || !out->coefficient2 || !along)
        return orr_fail(ctx, ORR_ENOMEM, "kernel spectrum: no memory for a pool of %lld", (long long)n);
    ORR_TRY(ctx, orr_eigen_symmetric_along(ctx, scratch, n, gram, outputs, y, out->value, along));
    for (int64_t i = 0; i < n; i++) {
        out->value[i] = fmax(out->value[i] / (double)n, 0.0);
        for (int64_t c = 0; c < outputs; c++)
            out->coefficient2[c * n + i] = along[i * outputs + c] * along[i * outputs + c] / (double)n;
    }
    orr_arena_rewind(scratch, mark);
    return ORR_OK;
}
