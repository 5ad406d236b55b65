/* What the files behind dense.h share.
 *
 * LAPACK counts by columns: what is row-major here is the transpose there.  Symmetric matrices don't care (lower is its
 * "U"), the SVD swaps U and V, LU solves with the transpose, and what remains is copied once. */
#ifndef ORR_NUMERIC_DENSE_PRIVATE_H
#define ORR_NUMERIC_DENSE_PRIVATE_H

#include <lapacke.h>

#include "numeric/dense.h"

/* Extents that LAPACK's integers hold. */
orr_status orr_dense_check_extents(orr_context *ctx, const char *what, int64_t m, int64_t n) ORR_MUST_USE;
/* The first entry that is NaN or infinite is named; of the lower triangle of n x n for _lower. */
orr_status orr_dense_check_finite(orr_context *ctx, const char *what, int64_t m, int64_t n,
                                  const double *a) ORR_MUST_USE;
orr_status orr_dense_check_lower(orr_context *ctx, const char *what, int64_t n, const double *a) ORR_MUST_USE;
/* What LAPACK returns: < 0 is a wrong argument of ours, > 0 an iteration that didn't converge. */
orr_status orr_dense_check_info(orr_context *ctx, const char *what, lapack_int info) ORR_MUST_USE;
/* Always ORR_ENOMEM. */
orr_status orr_dense_no_memory(orr_context *ctx, const char *what, int64_t m, int64_t n) ORR_MUST_USE;

/* NULL: no memory. */
double *orr_dense_copy(orr_arena *arena, int64_t m, int64_t n, const double *a);
/* A work array of the length that LAPACK's query answered in `wish`.  NULL: no memory, or a length that it can't count. */
double *orr_dense_work_array(orr_arena *scratch, double wish, lapack_int *length);
/* to[j, i] = from[i, j], from m x n with rows `stride` apart in `to`. */
void orr_dense_transpose(int64_t m, int64_t n, const double *from, int64_t stride, double *to);

#endif
