/* Functions of matrices, n x n row-major.  out may be a; scratch holds a few matrices on the way.
 *
 * Fails, all of them: ORR_EINPUT (NaN or infinity in a), ORR_ENUMERIC (out of the function's domain, or overflow: the
 * message names the eigenvalue), ORR_ENOMEM. */
#ifndef ORR_NUMERIC_MATRIX_FUNCTION_H
#define ORR_NUMERIC_MATRIX_FUNCTION_H

#include "base/arena.h"
#include "numeric/function.h"
#include "orrery.h"

/* f(A) = V diag(f(lambda)) V' of a symmetric A; only the lower triangle is read.  `what` names f in messages.
 * Error: eps |A| max|f'| and eps max|f|, the latter from the products with V. */
orr_status orr_matrix_function(orr_context *ctx, orr_arena *scratch, int64_t n, const double *a, const char *what,
                               orr_function *f, void *self, double *out) ORR_MUST_USE;

/* The square root of a positive semidefinite A.  Eigenvalues that are negative by no more than n eps |A|, which is
 * rounding, count as 0. */
orr_status orr_matrix_sqrt(orr_context *ctx, orr_arena *scratch, int64_t n, const double *a, double *out) ORR_MUST_USE;
/* A^-1/2 and log A of a positive definite A. */
orr_status orr_matrix_inverse_sqrt(orr_context *ctx, orr_arena *scratch, int64_t n, const double *a,
                                   double *out) ORR_MUST_USE;
orr_status orr_matrix_log(orr_context *ctx, orr_arena *scratch, int64_t n, const double *a, double *out) ORR_MUST_USE;
/* e^A of a symmetric A. */
orr_status orr_matrix_exp_symmetric(orr_context *ctx, orr_arena *scratch, int64_t n, const double *a,
                                    double *out) ORR_MUST_USE;

/* e^A of any A: scaling, Pade approximant, squaring (Higham 2005, "The scaling and squaring method for the matrix
 * exponential revisited"). */
orr_status orr_matrix_exp(orr_context *ctx, orr_arena *scratch, int64_t n, const double *a, double *out) ORR_MUST_USE;

/* The orthogonal factor of A = Q H, m x n of full rank: U V' of the SVD.  Of all matrices with orthonormal rows
 * (columns, where m > n) it is the nearest to A. */
orr_status orr_matrix_polar(orr_context *ctx, orr_arena *scratch, int64_t m, int64_t n, const double *a,
                            double *out) ORR_MUST_USE;

#endif
