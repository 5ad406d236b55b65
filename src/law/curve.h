/* A measured power law: y of several seeds at each of some x, and the slope of ln y against ln x. */
#ifndef ORR_LAW_CURVE_H
#define ORR_LAW_CURVE_H

#include "law/law.h"

typedef struct orr_curve {
    int64_t n, room, seeds;
    double *x, *y; /* [n], [n, seeds] */
    double *mean;  /* room for a mean over seeds */
} orr_curve;

/* Empty, with room for so many x. */
orr_status orr_curve_new(orr_context *ctx, orr_arena *out_arena, int64_t room, int64_t seeds,
                         orr_curve *out) ORR_MUST_USE;
/* One more x; its y[seeds], to be filled.  There must be room. */
double *orr_curve_add(orr_curve *c, double x);
/* Largest over smallest x; 0 of none. */
double orr_curve_span(const orr_curve *c);

typedef enum orr_curve_mean { ORR_CURVE_MEAN = 0, ORR_CURVE_RMS } orr_curve_mean;

/* Slope of the mean over seeds; NaN where a y is none. */
double orr_curve_slope(const orr_curve *c, orr_curve_mean mean);
/* Mean over seeds at the i-th x, without seed `left_out` where that is one. */
double orr_curve_mean_at(const orr_curve *c, orr_curve_mean mean, int64_t i, int64_t left_out);

/* The i-th mean over seeds, and the slope of them: one number of all seeds together has no scatter to be judged by.  Three values:
 * the number, and one standard error (jackknife over seeds) to either side. */
void orr_curve_add_mean(const orr_curve *c, orr_curve_mean mean, int64_t i, orr_check_values *values);
void orr_curve_add_slope(const orr_curve *c, orr_curve_mean mean, orr_check_values *values);

#endif
