#include "theory/kernel_regression.h"

#include <math.h>

#include "base/context.h"

static double multiplicity(const orr_kernel_spectrum *s, int64_t i) {
    return s->multiplicity ? s->multiplicity[i] : 1.0;
}

static orr_status check(orr_context *ctx, const orr_kernel_spectrum *s, double samples, double ridge) {
    if (!(samples > 0.0 && isfinite(samples) && ridge >= 0.0 && isfinite(ridge) && s->tail >= 0.0 && isfinite(s->tail)))
        return orr_fail(ctx, ORR_EINPUT,
                        "kernel regression: samples > 0, ridge >= 0 and tail >= 0 are expected, not %g, %g and %g",
                        samples, ridge, s->tail);
    for (int64_t i = 0; i < s->n; i++)
        if (!(s->value[i] >= 0.0 && isfinite(s->value[i]) && multiplicity(s, i) >= 0.0 && isfinite(multiplicity(s, i))))
            return orr_fail(ctx, ORR_EINPUT, "kernel regression: level %lld has eigenvalue %g and multiplicity %g",
                            (long long)i, s->value[i], multiplicity(s, i));
    return ORR_OK;
}

/* kappa >= 0 of  n = sum_i g_i lambda_i/(lambda_i + kappa) + delta/kappa.  The right side falls in kappa, and is at most
 * (sum_i g_i lambda_i + delta)/kappa, which bounds the root from above.  Bisection in ln kappa, until no number lies between. */
static double solve_kappa(const orr_kernel_spectrum *s, double n, double delta) {
    double trace = 0.0, rank = 0.0;
    for (int64_t i = 0; i < s->n; i++) {
        trace += multiplicity(s, i) * s->value[i];
        rank += s->value[i] > 0.0 ? multiplicity(s, i) : 0.0;
    }
    if (delta == 0.0 && rank <= n) return 0.0;
    double low = log(1e-300), high = log((trace + delta) / n);
    for (;;) {
        const double u = 0.5 * (low + high), kappa = exp(u);
        if (!(low < u && u < high)) return kappa;
        double sum = delta / kappa;
        for (int64_t i = 0; i < s->n; i++) sum += multiplicity(s, i) * s->value[i] / (s->value[i] + kappa);
        if (sum > n) low = u;
        else high = u;
    }
}

orr_status orr_kernel_learn(orr_context *ctx, orr_arena *out_arena, const orr_kernel_spectrum *s, double samples,
                            double ridge, orr_kernel_learning *out) {
    ORR_TRY(ctx, check(ctx, s, samples, ridge));
    *out =
        (orr_kernel_learning){ .samples = samples, .ridge = ridge, .learnability = ORR_NEW(out_arena, double, s->n) };
    if (!out->learnability)
        return orr_fail(ctx, ORR_ENOMEM, "kernel regression: no memory for %lld levels", (long long)s->n);
    out->kappa = solve_kappa(s, samples, ridge + s->tail);
    double squares = 0.0;
    for (int64_t i = 0; i < s->n; i++) {
        const double l = s->value[i] > 0.0 ? s->value[i] / (s->value[i] + out->kappa) : 0.0;
        out->learnability[i] = l;
        out->learned += multiplicity(s, i) * l;
        squares += multiplicity(s, i) * l * l;
    }
    out->overfitting = samples > squares ? samples / (samples - squares) : (double)INFINITY;
    return ORR_OK;
}

double orr_kernel_test_error(const orr_kernel_spectrum *s, const orr_kernel_learning *l, const double *coefficient2,
                             double noise) {
    double unlearned = noise;
    for (int64_t i = 0; i < s->n; i++) {
        const double missed = 1.0 - l->learnability[i];
        unlearned += missed * missed * coefficient2[i];
    }
    return l->overfitting * unlearned;
}

double orr_kernel_train_error(const orr_kernel_spectrum *s, const orr_kernel_learning *l, const double *coefficient2,
                              double noise) {
    const double shrink = l->kappa > 0.0 ? l->ridge / (l->samples * l->kappa) : 1.0 - l->learned / l->samples;
    const double missed = orr_kernel_test_error(s, l, coefficient2, noise);
    return shrink == 0.0 ? 0.0 : shrink * shrink * missed; /* E_test is infinite where rank = n */
}
