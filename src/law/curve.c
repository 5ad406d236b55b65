#include "law/curve.h"

#include <assert.h>
#include <math.h>

#include "base/context.h"
#include "law/measuring.h"
#include "theory/width_scaling.h"

orr_status orr_curve_new(orr_context *ctx, orr_arena *out_arena, int64_t room, int64_t seeds, orr_curve *out) {
    *out = (orr_curve){ .room = room,
                        .seeds = seeds,
                        .x = ORR_NEW(out_arena, double, room),
                        .y = ORR_NEW(out_arena, double, room *seeds),
                        .mean = ORR_NEW(out_arena, double, room) };
    if (out->x && out->y && out->mean) return ORR_OK;
    return orr_fail(ctx, ORR_ENOMEM, "no memory for a curve of %lld points", (long long)room);
}

double *orr_curve_add(orr_curve *c, double x) {
    assert(c->n < c->room && "a curve has room for what it was made for");
    c->x[c->n] = x;
    return &c->y[c->n++ * c->seeds];
}

double orr_curve_span(const orr_curve *c) {
    double low = (double)INFINITY, high = 0.0;
    for (int64_t i = 0; i < c->n; i++) low = fmin(low, c->x[i]), high = fmax(high, c->x[i]);
    return high / low;
}

double orr_curve_mean_at(const orr_curve *c, orr_curve_mean mean, int64_t i, int64_t left_out) {
    double sum = 0.0, count = 0.0;
    for (int64_t s = 0; s < c->seeds; s++) {
        const double y = c->y[i * c->seeds + s];
        if (s == left_out) continue;
        sum += mean == ORR_CURVE_RMS ? y * y : y;
        count++;
    }
    return mean == ORR_CURVE_RMS ? sqrt(sum / count) : sum / count;
}

static double slope_without(const orr_curve *c, orr_curve_mean mean, int64_t left_out) {
    for (int64_t i = 0; i < c->n; i++) c->mean[i] = orr_curve_mean_at(c, mean, i, left_out);
    return orr_log_slope(c->n, c->x, c->mean);
}

double orr_curve_slope(const orr_curve *c, orr_curve_mean mean) { return slope_without(c, mean, -1); }

/* The mean at point i without a seed, or where i < 0 the slope. */
static double without(const orr_curve *c, orr_curve_mean mean, int64_t i, int64_t left_out) {
    return i < 0 ? slope_without(c, mean, left_out) : orr_curve_mean_at(c, mean, i, left_out);
}

static void add_with_error(const orr_curve *c, orr_curve_mean mean, int64_t i, orr_check_values *values) {
    const double n = (double)c->seeds, value = without(c, mean, i, -1);
    double average = 0.0, squares = 0.0;
    for (int64_t s = 0; s < c->seeds; s++) average += without(c, mean, i, s) / n;
    for (int64_t s = 0; s < c->seeds; s++) {
        const double d = without(c, mean, i, s) - average;
        squares += d * d;
    }
    const double error = sqrt((n - 1.0) / n * squares);
    orr_check_add(values, value);
    orr_check_add(values, value - error);
    orr_check_add(values, value + error);
}

void orr_curve_add_mean(const orr_curve *c, orr_curve_mean mean, int64_t i, orr_check_values *values) {
    add_with_error(c, mean, i, values);
}

void orr_curve_add_slope(const orr_curve *c, orr_curve_mean mean, orr_check_values *values) {
    add_with_error(c, mean, -1, values);
}
