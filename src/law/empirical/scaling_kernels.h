/* The kernels of neural-scaling-laws: points of no steps that observe kernel-regression.  Their spectrum and target give the error at
 * every number of samples n; errors are summed over outputs.
 *
 *   features  Gaussian inputs, linear kernel: eigenvalues and teacher of the data; the error over the distribution
 *   pool      the N_s training examples, by their Gram matrix.  Theory averages over the pool, which holds the n as well; the error of
 *             the others is (N_s E_test - n E_train)/(N_s - n), of what is predicted and of what is measured */
#ifndef ORR_LAW_EMPIRICAL_SCALING_KERNELS_H
#define ORR_LAW_EMPIRICAL_SCALING_KERNELS_H

#include "law/law.h"

/* The settings of its kernel-regression; NULL where the point trains a network. */
const orr_settings *orr_scaling_kernel(const orr_point *point);

/* Conditions; they hold for points that are none. */
orr_point_check orr_scaling_kernel_is_known;
orr_point_check orr_scaling_kernel_is_in_pool;

/* Appends { point, name, of: features or pool, size: N_s or 0, ridges, seeds: [{ samples, error, line_samples, line_error }] } of
 * point i; errors are [samples, ridges]. */
orr_status orr_scaling_kernel_predict(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t i,
                                      json_t *kernels) ORR_MUST_USE;

/* *out (new): mean over draws of a recorded array of errors, [samples, ridges]; null where it wasn't recorded. */
orr_status orr_scaling_kernel_measure(orr_context *ctx, orr_arena *scratch, const orr_records *records, int64_t point,
                                      int64_t seed, const char *name, json_t **out) ORR_MUST_USE;

/* The error that is compared, of cell i of [samples, ridges], at n samples; run: { test, train } as measured. */
double orr_scaling_kernel_error(const json_t *kernel, const json_t *run, double n, size_t i);

/* Ratios of measured to predicted error, of a pool or of features with few and many samples, and differences of slopes. */
void orr_scaling_kernel_judge(const json_t *kernel, const json_t *measurement, size_t seed, orr_check_values *pool,
                              orr_check_values *few, orr_check_values *many, orr_check_values *slope);

/* Rows of the figure learning_curve. */
void orr_scaling_kernel_draw(const json_t *kernel, const json_t *measurement, json_t *lines, json_t *dots);

#endif
