/* Long vectors of doubles.  Every sum has a stated order that depends on n alone, so results have equal bits for any
 * number of threads; that is why these loops exist beside BLAS, whose order depends on its threads.
 *
 * Order of a sum: eight running sums over i mod 8, added pairwise at the end. */
#ifndef ORR_NUMERIC_VECTOR_H
#define ORR_NUMERIC_VECTOR_H

#include "base/arena.h"
#include "base/parallel.h"
#include "orrery.h"

double orr_vector_dot(int64_t n, const double *x, const double *y);
/* sqrt(sum x_i^2), unscaled: right for 1e-150 < |x| < 1e150. */
double orr_vector_norm(int64_t n, const double *x);
/* y <- alpha x + y; not overlapping. */
void orr_vector_axpy(int64_t n, double alpha, const double *restrict x, double *restrict y);
void orr_vector_scale(int64_t n, double alpha, double *x);
bool orr_vector_is_finite(int64_t n, const double *x);

/* c_i = <basis_i, w>, then w <- w - sum_i c_i basis_i.  basis: m rows of n, row-major.  One step of classical
 * Gram-Schmidt: twice gives orthogonality to rounding (Giraud, Langou, Rozloznik 2005, "The loss of orthogonality in
 * the Gram-Schmidt orthogonalization process").  partial: orr_vector_project_scratch(m, n) doubles. */
void orr_vector_project_out(orr_pool *pool, int64_t m, int64_t n, const double *basis, double *w, double *c,
                            double *partial);
int64_t orr_vector_project_scratch(int64_t m, int64_t n);

/* out <- sum_i c_i basis_i. */
void orr_vector_combine(orr_pool *pool, int64_t m, int64_t n, const double *basis, const double *c, double *out);

/* Makes the rows of a (k x n) orthonormal, front to back, spanning what they spanned; rows that depend on those before
 * them, to 1e-10 of their length, are dropped and the rest moves up.  Returns how many remain.  c: k doubles, partial:
 * orr_vector_project_scratch(k, n). */
int64_t orr_vector_orthonormalise(orr_pool *pool, int64_t k, int64_t n, double *a, double *c, double *partial);

#endif
