#include "theory/critical_batch.h"

#include <math.h>
#include <string.h>

#include "base/context.h"

orr_gradient_noise orr_regression_noise(const orr_sgd_regression *r, const double *m) {
    double l1 = 0.0, l2 = 0.0, excess = 0.0;
    orr_gradient_noise out = { 0 };
    for (int64_t i = 0; i < r->n; i++) {
        const double l = r->curvature[i];
        l1 += l;
        l2 += l * l;
        excess += l * m[i];
        out.signal += l * l * m[i];
        out.curved_signal += l * l * l * m[i];
    }
    out.trace = l1 * (excess + r->noise) + out.signal;
    out.curved_trace = l2 * (excess + r->noise) + out.curved_signal;
    return out;
}

double orr_noise_simple(const orr_gradient_noise *noise) { return noise->trace / noise->signal; }

double orr_noise_weighted(const orr_gradient_noise *noise) { return noise->curved_trace / noise->curved_signal; }

double orr_best_step(const orr_gradient_noise *noise, double batch) {
    return noise->signal / (noise->curved_signal + noise->curved_trace / batch);
}

double orr_step_gain(const orr_gradient_noise *noise, double batch, double step) {
    return step * noise->signal - step * step / 2.0 * (noise->curved_signal + noise->curved_trace / batch);
}

double orr_updates_to_loss(const orr_sgd_regression *r, double batch, double learning_rate, double target, double most,
                           double *m) {
    const double first = orr_sgd_excess_loss(r, m);
    double before = first;
    if (before < target) return 0.0;
    for (int64_t k = 0; (double)k < most; k++) {
        orr_sgd_moments_step(r, learning_rate, batch, m);
        const double after = orr_sgd_excess_loss(r, m);
        if (after < target) return (double)k + log(before / target) / log(before / after);
        if (!(after < 1e6 * first)) break;
        before = after;
    }
    return (double)INFINITY;
}

orr_status orr_tune_batch(orr_context *ctx, orr_arena *scratch, const orr_sgd_regression *r, const double *m_0,
                          double batch, double target, double most, orr_tuned_batch *out) {
    enum { COARSE = 40, FINE = 21 };
    const orr_arena_mark mark = orr_arena_here(scratch);
    double *m = ORR_NEW(scratch, double, r->n), l_max = 0.0, centre = 0.0;
    *out = (orr_tuned_batch){ (double)NAN, (double)INFINITY };
    if (!m) return orr_fail(ctx, ORR_ENOMEM, "critical batch: no memory for %lld moments", (long long)r->n);
    for (int64_t i = 0; i < r->n; i++) l_max = fmax(l_max, r->curvature[i]);
    for (int i = 0; i < COARSE + FINE; i++) {
        if (i == COARSE) centre = out->learning_rate;
        const double rate = i < COARSE ? 1e-3 * pow(1.99e3, (double)i / (COARSE - 1)) / l_max
                                       : centre * (0.75 + 0.5 * (double)(i - COARSE) / (FINE - 1));
        memcpy(m, m_0, (size_t)r->n * sizeof *m);
        /* no further than the best so far */
        const double steps = orr_updates_to_loss(r, batch, rate, target, fmin(most, ceil(out->steps)), m);
        if (steps < out->steps) *out = (orr_tuned_batch){ rate, steps };
        if (i + 1 == COARSE && !isfinite(out->steps)) break;
    }
    orr_arena_rewind(scratch, mark);
    return ORR_OK;
}
