#include "theory/batch_fit.h"

#include <math.h>

#include "base/context.h"
#include "numeric/minimise.h"

enum { LOG_STEPS, LOG_BATCH, LOG_EXPONENT, CONSTANTS };

typedef struct fit {
    int64_t n;
    const orr_batch_cell *cell;
    bool free; /* the exponent is fitted too */
} fit;

double orr_batch_steps(const orr_batch_law *law, double batch) {
    return law->steps_min * (1.0 + law->batch_critical / batch);
}

/* sum of r^2/2, r = log S_min + log(1 + e^u) - log S,  u = p (log B_crit - log B);  dr/du = 1/(1 + e^-u) */
static orr_status evaluate(void *self, const double *x, double *f, double *gradient) {
    const fit *s = self;
    const double p = s->free ? exp(x[LOG_EXPONENT]) : 1.0;
    *f = gradient[LOG_STEPS] = gradient[LOG_BATCH] = gradient[LOG_EXPONENT] = 0.0;
    for (int64_t i = 0; i < s->n; i++) {
        const double u = p * (x[LOG_BATCH] - log(s->cell[i].batch)), slope = 1.0 / (1.0 + exp(-u));
        const double log_sum = u > 0.0 ? u + log1p(exp(-u)) : log1p(exp(u)),
                     r = x[LOG_STEPS] + log_sum - log(s->cell[i].steps);
        *f += r * r / 2.0;
        gradient[LOG_STEPS] += r;
        gradient[LOG_BATCH] += r * slope * p;
        if (s->free) gradient[LOG_EXPONENT] += r * slope * u;
    }
    return ORR_OK;
}

static orr_status check(orr_context *ctx, const orr_batch_cell *cell, int64_t n) {
    if (n < ORR_BATCH_CELLS_MIN)
        return orr_fail(ctx, ORR_EINPUT, "batch fit: %lld batch sizes; two constants and their check need at least %d",
                        (long long)n, ORR_BATCH_CELLS_MIN);
    bool differ = false;
    for (int64_t i = 0; i < n; i++) {
        if (!(cell[i].batch > 0.0 && isfinite(cell[i].batch)))
            return orr_fail(ctx, ORR_EINPUT, "batch fit: cell %lld: batch %g is not positive and finite",
                            (long long)i + 1, cell[i].batch);
        if (!(cell[i].steps > 0.0 && isfinite(cell[i].steps)))
            return orr_fail(ctx, ORR_EINPUT, "batch fit: cell %lld: steps %g is not positive and finite",
                            (long long)i + 1, cell[i].steps);
        differ = differ || cell[i].batch != cell[0].batch;
    }
    return differ ? ORR_OK : orr_fail(ctx, ORR_EINPUT, "batch fit: all batches are of %g examples", cell[0].batch);
}

/* The fewest steps, and the batch at which the hyperbola through the smallest batch has them doubled. */
static void first_guess(const orr_batch_cell *cell, int64_t n, double x[CONSTANTS]) {
    int64_t small = 0;
    double steps = cell[0].steps;
    for (int64_t i = 1; i < n; i++) {
        if (cell[i].batch < cell[small].batch) small = i;
        if (cell[i].steps < steps) steps = cell[i].steps;
    }
    x[LOG_STEPS] = log(steps);
    x[LOG_BATCH] = log(cell[small].batch * fmax(cell[small].steps / steps - 1.0, 0.01));
    x[LOG_EXPONENT] = 0.0;
}

orr_status orr_batch_fit(orr_context *ctx, orr_arena *scratch, const orr_batch_cell *cell, int64_t n,
                         orr_batch_law *out) {
    fit s = { .n = n, .cell = cell };
    const orr_objective objective = { .n = CONSTANTS, .evaluate = evaluate, .self = &s };
    const orr_minimise_options options = { .tolerance = 1e-12 };
    double x[CONSTANTS];
    orr_minimised end;
    *out = (orr_batch_law){ .exponent = (double)NAN };
    ORR_TRY(ctx, check(ctx, cell, n));
    first_guess(cell, n, x);
    ORR_TRY(ctx, orr_minimise_lbfgs(ctx, scratch, &objective, &options, x, &end));
    out->steps_min = exp(x[LOG_STEPS]);
    out->batch_critical = exp(x[LOG_BATCH]);
    out->examples_min = out->steps_min * out->batch_critical;
    for (int64_t i = 0; i < n; i++)
        out->residual_max = fmax(out->residual_max, fabs(log(cell[i].steps / orr_batch_steps(out, cell[i].batch))));
    if (n < 4) return ORR_OK;
    s.free = true;
    ORR_TRY(ctx, orr_minimise_lbfgs(ctx, scratch, &objective, &options, x, &end));
    out->exponent = exp(x[LOG_EXPONENT]);
    return ORR_OK;
}

orr_noise_scale orr_two_batch_noise_scale(double b, double square_b, double B, double square_B) {
    const double signal = (B * square_B - b * square_b) / (B - b), trace = (square_b - square_B) / (1.0 / b - 1.0 / B);
    return (orr_noise_scale){ signal, trace, trace / signal };
}
