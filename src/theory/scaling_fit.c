#include "theory/scaling_fit.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/context.h"
#include "base/random.h"
#include "numeric/minimise.h"

/* Huber's delta, and the objective's factor: without that it is 1e-6 in size, and absolute tolerances end the search at once. */
static const double delta = 1e-3, factor = 1e4;

enum { ALPHA, BETA, LOG_A, LOG_B, LOG_E, CONSTANTS };

/* Logarithms of the cells.  N and D are counted from their geometric means: A and alpha, B and beta are then nearly independent,
 * which changes nothing but how fast the search ends. */
typedef struct fit {
    int64_t n;
    double *log_n, *log_d, *log_loss; /* [n] */
    double mean_n, mean_d;            /* taken off log_n and log_d */
} fit;

double orr_scaling_loss(const orr_scaling_law *law, double parameters, double data) {
    return law->E + law->A * pow(parameters, -law->alpha) + law->B * pow(data, -law->beta);
}

/* sum_i Huber(r_i) and its gradient: with g = clip(r, -delta, delta) and the weights P of the three terms,
 * (g P_A, g P_B, g P_E, -g P_A log N, -g P_B log D). */
static orr_status evaluate(void *self, const double *p, double *f, double *gradient) {
    const fit *s = self;
    *f = 0.0;
    for (int k = 0; k < CONSTANTS; k++) gradient[k] = 0.0;
    for (int64_t i = 0; i < s->n; i++) {
        const double a = p[LOG_A] - p[ALPHA] * s->log_n[i], b = p[LOG_B] - p[BETA] * s->log_d[i], e = p[LOG_E];
        const double top = fmax(a, fmax(b, e)), ea = exp(a - top), eb = exp(b - top), ee = exp(e - top);
        const double sum = ea + eb + ee, r = top + log(sum) - s->log_loss[i];
        const double g = factor * fmax(-delta, fmin(delta, r));
        *f += factor * (fabs(r) <= delta ? r * r / 2.0 : delta * (fabs(r) - delta / 2.0));
        gradient[LOG_A] += g * ea / sum;
        gradient[LOG_B] += g * eb / sum;
        gradient[LOG_E] += g * ee / sum;
        gradient[ALPHA] -= g * ea / sum * s->log_n[i];
        gradient[BETA] -= g * eb / sum * s->log_d[i];
    }
    return ORR_OK;
}

static orr_status new_fit(orr_context *ctx, orr_arena *scratch, int64_t n, fit *out) {
    *out = (fit){ .n = n,
                  .log_n = ORR_NEW(scratch, double, n),
                  .log_d = ORR_NEW(scratch, double, n),
                  .log_loss = ORR_NEW(scratch, double, n) };
    return out->log_n && out->log_d && out->log_loss
               ? ORR_OK
               : orr_fail(ctx, ORR_ENOMEM, "scaling fit: no memory for %lld cells", (long long)n);
}

/* which: [n] indices of cells; NULL: all in their order. */
static void set_cells(fit *s, const orr_scaling_cell *cell, const int32_t *which) {
    s->mean_n = s->mean_d = 0.0;
    for (int64_t i = 0; i < s->n; i++) {
        const orr_scaling_cell *c = &cell[which ? which[i] : i];
        s->log_n[i] = log(c->parameters);
        s->log_d[i] = log(c->data);
        s->log_loss[i] = log(c->loss);
        s->mean_n += s->log_n[i] / (double)s->n;
        s->mean_d += s->log_d[i] / (double)s->n;
    }
    for (int64_t i = 0; i < s->n; i++) {
        s->log_n[i] -= s->mean_n;
        s->log_d[i] -= s->mean_d;
    }
}

/* From a law's constants a = log A, b = log B, e = log E; *law and *f become better ones where the search finds any. */
static orr_status search_from(orr_context *ctx, orr_arena *scratch, fit *s, double a, double b, double e, double alpha,
                              double beta, double *f, orr_scaling_law *law) {
    const orr_objective objective = { .n = CONSTANTS, .evaluate = evaluate, .self = s };
    double p[CONSTANTS] = {
        [ALPHA] = alpha, [BETA] = beta, [LOG_A] = a - alpha * s->mean_n, [LOG_B] = b - beta * s->mean_d, [LOG_E] = e
    };
    orr_minimised out;
    ORR_TRY(ctx, orr_minimise_lbfgs(ctx, scratch, &objective, &(orr_minimise_options){ .tolerance = 1e-11 }, p, &out));
    if (!(out.f < *f)) return ORR_OK;
    *f = out.f;
    *law = (orr_scaling_law){ .E = exp(p[LOG_E]),
                              .A = exp(p[LOG_A] + p[ALPHA] * s->mean_n),
                              .alpha = p[ALPHA],
                              .B = exp(p[LOG_B] + p[BETA] * s->mean_d),
                              .beta = p[BETA] };
    return ORR_OK;
}

static orr_status search_grid(orr_context *ctx, orr_arena *scratch, fit *s, orr_scaling_law *out) {
    static const double logs[] = { 0.0, 10.0, 20.0 }, floors[] = { -1.0, 0.0, 1.0 }, exponents[] = { 0.0, 0.5, 1.5 };
    double f = (double)INFINITY;
    for (int i = 0; i < 243; i++)
        ORR_TRY(ctx, search_from(ctx, scratch, s, logs[i % 3], logs[i / 3 % 3], floors[i / 9 % 3],
                                 exponents[i / 27 % 3], exponents[i / 81], &f, out));
    return ORR_OK;
}

orr_status orr_scaling_fit(orr_context *ctx, orr_arena *scratch, const orr_scaling_cell *cell, int64_t n,
                           orr_scaling_law *out) {
    const orr_arena_mark mark = orr_arena_here(scratch);
    fit s;
    *out = (orr_scaling_law){ (double)NAN, (double)NAN, (double)NAN, (double)NAN, (double)NAN };
    if (n < ORR_SCALING_CELLS_MIN)
        return orr_fail(ctx, ORR_EINPUT, "scaling fit: %lld losses; five constants need at least %d", (long long)n,
                        ORR_SCALING_CELLS_MIN);
    for (int64_t i = 0; i < n; i++) {
        const double value[3] = { cell[i].parameters, cell[i].data, cell[i].loss };
        static const char *const name[3] = { "parameters", "data", "loss" };
        for (int k = 0; k < 3; k++)
            if (!(value[k] > 0.0 && isfinite(value[k])))
                return orr_fail(ctx, ORR_EINPUT, "scaling fit: cell %lld: %s %g is not positive and finite",
                                (long long)i + 1, name[k], value[k]);
    }
    orr_status status = new_fit(ctx, scratch, n, &s);
    if (status == ORR_OK) {
        set_cells(&s, cell, NULL);
        status = search_grid(ctx, scratch, &s, out);
    }
    orr_arena_rewind(scratch, mark);
    return status;
}

/* A constant that the data leave open may have run off to 0 or infinity. */
static double log_of(double x) { return log(fmin(fmax(x, DBL_MIN), DBL_MAX)); }

static orr_status resample(orr_context *ctx, orr_arena *scratch, const orr_scaling_cell *cell, int64_t n,
                           const orr_scaling_law *law, int64_t resamples, orr_scaling_law *out) {
    int32_t *which = ORR_NEW(scratch, int32_t, n);
    fit s;
    ORR_TRY(ctx, new_fit(ctx, scratch, n, &s));
    if (!which) return orr_fail(ctx, ORR_ENOMEM, "scaling fit: no memory for %lld cells", (long long)n);
    for (int64_t i = 0; i < resamples; i++) {
        const orr_key key = { .purpose = ORR_PURPOSE_RESAMPLE, .step = (uint32_t)i };
        double f = (double)INFINITY;
        orr_random_fill_int(key, 0, n, (int32_t)n, which);
        set_cells(&s, cell, which);
        ORR_TRY(ctx, search_from(ctx, scratch, &s, log_of(law->A), log_of(law->B), log_of(law->E), law->alpha,
                                 law->beta, &f, &out[i]));
    }
    return ORR_OK;
}

orr_status orr_scaling_bootstrap(orr_context *ctx, orr_arena *scratch, const orr_scaling_cell *cell, int64_t n,
                                 const orr_scaling_law *law, int64_t resamples, orr_scaling_law *out) {
    const orr_arena_mark mark = orr_arena_here(scratch);
    const orr_status status = resample(ctx, scratch, cell, n, law, resamples, out);
    orr_arena_rewind(scratch, mark);
    return status;
}

static int by_size(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void orr_scaling_interval(double *value, int64_t n, double interval[2]) {
    static const double quantile[2] = { 0.025, 0.975 };
    interval[0] = interval[1] = (double)NAN;
    if (n < 1) return;
    qsort(value, (size_t)n, sizeof *value, by_size);
    for (int k = 0; k < 2; k++) {
        const double place = quantile[k] * (double)(n - 1);
        const int64_t below = (int64_t)place, above = below + 1 < n ? below + 1 : below;
        interval[k] = value[below] + (place - (double)below) * (value[above] - value[below]);
    }
}

double orr_scaling_rms(const orr_scaling_law *law, const orr_scaling_cell *cell, int64_t n) {
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) {
        const double r = log(orr_scaling_loss(law, cell[i].parameters, cell[i].data) / cell[i].loss);
        sum += r * r;
    }
    return sqrt(sum / (double)n);
}

orr_status orr_scaling_extrapolate(orr_context *ctx, orr_arena *scratch, const orr_scaling_cell *cell, int64_t n,
                                   double data_max, orr_scaling_extrapolation *out) {
    const orr_arena_mark mark = orr_arena_here(scratch);
    orr_scaling_cell *fitted = ORR_NEW(scratch, orr_scaling_cell, n);
    orr_status status =
        fitted ? ORR_OK : orr_fail(ctx, ORR_ENOMEM, "scaling fit: no memory for %lld cells", (long long)n);
    *out = (orr_scaling_extrapolation){ .data_max = data_max };
    for (int64_t i = 0; status == ORR_OK && i < n; i++)
        if (cell[i].data <= data_max) fitted[out->fitted++] = cell[i];
    if (status == ORR_OK) status = orr_scaling_fit(ctx, scratch, fitted, out->fitted, &out->law);
    for (int64_t i = 0; status == ORR_OK && i < n; i++) {
        if (cell[i].data <= data_max) continue;
        const double error = fabs(orr_scaling_loss(&out->law, cell[i].parameters, cell[i].data) / cell[i].loss - 1.0);
        out->held++;
        out->mean_error += error;
        if (!(error <= out->max_error)) out->max_error = error; /* so that a NaN shows */
    }
    out->mean_error /= (double)out->held; /* none: NaN */
    orr_arena_rewind(scratch, mark);
    return status;
}

orr_scaling_optimum orr_scaling_optimum_at(const orr_scaling_law *law, double compute) {
    const double alpha = law->alpha, beta = law->beta, sum = alpha + beta, nd = compute / 6.0, nan = (double)NAN;
    if (!(alpha > 0.0 && beta > 0.0)) return (orr_scaling_optimum){ nan, nan, nan, nan, nan, nan, nan };
    const double G = pow(alpha * law->A / (beta * law->B), 1.0 / sum);
    orr_scaling_optimum out = { .G = G,
                                .parameters = G * pow(nd, beta / sum),
                                .data = pow(nd, alpha / sum) / G,
                                .parameters_exponent = beta / sum,
                                .data_exponent = alpha / sum,
                                .frontier_exponent = alpha * beta / sum };
    out.loss = orr_scaling_loss(law, out.parameters, out.data);
    return out;
}
