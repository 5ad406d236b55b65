/* Dense linear algebra in float64, by LAPACK and BLAS: dense.c has products, singular values, linear systems and least
 * squares, symmetric.c eigenvalues, cholesky.c Cholesky factors, blocked.c what is cut into tasks.  In this room they alone
 * call LAPACK and BLAS.
 *
 * Matrices are row-major and contiguous: entry (i, j) of m x n is a[i n + j].  Inputs are only read, outputs don't
 * overlap them.  n = 0 is allowed wherever an empty result makes sense.
 *
 * NaN or infinity in an input is ORR_EINPUT with its place; a breakdown (not positive definite, singular, an iteration
 * of LAPACK that didn't converge) is ORR_ENUMERIC with the place where it happened.  All work arrays come from scratch.
 *
 * Threads of BLAS: OpenBLAS is one per process and starts as many threads as there are cores.  A sum that it cuts among
 * them can change in its last bits with their number; results here are then equal to rounding, not to the bit.  Whoever
 * needs equal bits on machines of different size calls orr_blas_threads_set(1), once, at the start of the program (the CPU
 * device does as much when it compiles its first program): nothing else in this room touches that setting.  Cholesky factors
 * and what says `parallel` or `gram` then still use the threads of the context, with equal bits for any number of them. */
#ifndef ORR_NUMERIC_DENSE_H
#define ORR_NUMERIC_DENSE_H

#include "base/arena.h"
#include "orrery.h"

/* Process-wide, not for use while other threads compute. */
void orr_blas_threads_set(int threads);
int orr_blas_threads(void);
/* Ends the threads that OpenBLAS starts when it is loaded: they spin for a tenth of a second, on cores that others want, before
 * they sleep.  A call that uses threads starts them again.  For the beginning of a process. */
void orr_blas_threads_rest(void);
/* "OpenBLAS 0.3.21 ..., kernels for Haswell": the library and the processor that it takes this one for. */
void orr_blas_words(char out[256]);

/* c <- op(a) op(b), c m x n, inner extent k; op transposes where asked: a is then stored k x m, b n x k. */
void orr_dense_multiply(int64_t m, int64_t n, int64_t k, const double *a, bool transpose_a, const double *b,
                        bool transpose_b, double *c);
/* y <- A x, or A' x where `transpose`, A m x n with rows lda apart: a block of a larger matrix. */
void orr_dense_apply(int64_t m, int64_t n, const double *a, int64_t lda, bool transpose, const double *x, double *y);
/* As orr_dense_multiply, on the threads of the context. */
void orr_dense_multiply_parallel(orr_context *ctx, int64_t m, int64_t n, int64_t k, const double *a, bool transpose_a,
                                 const double *b, bool transpose_b, double *c);
/* Replaces entries first .. first + n - 1 of a row of doubles, none beyond the diagonal, by functions of them. */
typedef void orr_dense_map(const void *self, int64_t row, int64_t first, int64_t n, void *entries);
/* c <- a b', n x m, a n x k and b its first m <= n rows, then `map` where it isn't NULL: of the first m rows half the work, and
 * there c[i, j] and c[j, i] have the same bits. */
orr_status orr_dense_gram(orr_context *ctx, int64_t n, int64_t m, int64_t k, const double *a, orr_dense_map *map,
                          const void *self, double *c) ORR_MUST_USE;

/* Eigenpairs first .. first + k - 1 of a symmetric matrix, counted from the smallest.  Only the lower triangle is read.
 */
typedef struct orr_symmetric_eigen {
    int64_t n, k;
    double *value;  /* k, ascending */
    double *vector; /* k x n, row i is a unit eigenvector of value i */
} orr_symmetric_eigen;

/* All of them, by dsytrd and dstedc (divide and conquer), then the vectors of the tridiagonal matrix turned back on the threads
 * of the context: orthogonal to n eps times a factor of tens. */
orr_status orr_eigen_symmetric(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch, int64_t n, const double *a,
                               orr_symmetric_eigen *out) ORR_MUST_USE;
/* k of them, where k < n by dsyevr (relatively robust representations); cheaper where k is much less than n. */
orr_status orr_eigen_symmetric_range(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch, int64_t n,
                                     const double *a, int64_t first, int64_t k, orr_symmetric_eigen *out) ORR_MUST_USE;

/* How the columns of b, n x columns, lie along the eigenvectors u_i of a symmetric matrix, which are not kept:
 *
 *     along[i, c] = u_i . b[:, c],  value descending;  the sign of each row of `along` is arbitrary
 *
 * By dsytrd to T = Q' A Q, and dbdsqr, whose rotations are applied to Q' b alone (as in Golub and Welsch 1969), of the
 * Cholesky factor of T + shift I.  Only the lower triangle of a is read, and a is overwritten: beside it memory is a few n.
 * Errors: values n eps |A|; `along` keeps the length of each column of b to rounding. */
orr_status orr_eigen_symmetric_along(orr_context *ctx, orr_arena *scratch, int64_t n, double *a, int64_t columns,
                                     const double *b, double *value, double *along) ORR_MUST_USE;

/* T = tridiag(beta, alpha, beta): n diagonal, n - 1 off-diagonal entries (beta may have more, they aren't read).
 * value: n, ascending.  vector: n x n, row i a unit eigenvector of value i, or NULL.  Equal bits for any threads. */
orr_status orr_tridiagonal_eigen(orr_context *ctx, orr_arena *scratch, int64_t n, const double *alpha,
                                 const double *beta, double *value, double *vector) ORR_MUST_USE;

/* A = U diag(s) V', thin: k = min(m, n). */
typedef struct orr_svd {
    int64_t m, n, k;
    double *u;  /* m x k, orthonormal columns */
    double *s;  /* k, descending */
    double *vt; /* k x n, orthonormal rows */
} orr_svd;

orr_status orr_svd_thin(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch, int64_t m, int64_t n,
                        const double *a, orr_svd *out) ORR_MUST_USE;

/* s[min(m, n)] alone, descending; several times as fast. */
orr_status orr_singular_values(orr_context *ctx, orr_arena *scratch, int64_t m, int64_t n, const double *a,
                               double *s) ORR_MUST_USE;

/* A = L L', L lower triangular n x n, zeros above; only the lower triangle of A is read; l = a is fine.
 * Fails: ORR_ENUMERIC where A isn't positive definite, with the first leading block that isn't. */
orr_status orr_cholesky(orr_context *ctx, int64_t n, const double *a, double *l) ORR_MUST_USE;
/* The same in place, for a block of a larger matrix, rows lda apart: entries above the diagonal are neither read nor
 * written.  Fails: also where an entry isn't finite, as ORR_ENUMERIC. */
orr_status orr_cholesky_in_place(orr_context *ctx, int64_t n, double *a, int64_t lda) ORR_MUST_USE;
/* L L' x = b for the columns of b, n x columns; x = b is fine. */
orr_status orr_cholesky_solve(orr_context *ctx, orr_arena *scratch, int64_t n, const double *l, int64_t columns,
                              const double *b, double *x) ORR_MUST_USE;

/* For each leading block of A = L L', size[s] x size[s]: x[:, s] solves it for the leading part of b, and is 0 below; b has n
 * entries, x n x sizes; rows of L are ldl apart.  The factors of leading blocks are leading blocks of the factor: one factor
 * and one forward substitution serve all sizes. */
orr_status orr_cholesky_solve_leading(orr_context *ctx, orr_arena *scratch, int64_t n, const double *l, int64_t ldl,
                                      int64_t sizes, const int64_t *size, const double *b, double *x) ORR_MUST_USE;

/* *trace = tr A^-1 = |L^-1|_F^2.  Cost: n^3/3. */
orr_status orr_cholesky_inverse_trace(orr_context *ctx, orr_arena *scratch, int64_t n, const double *l,
                                      double *trace) ORR_MUST_USE;

/* A x = b, A n x n general, b and x n x columns, by LU with partial pivoting.  *reciprocal_condition, where not NULL:
 * an estimate of 1 / (|A|_1 |A^-1|_1).  Fails: ORR_ENUMERIC where a pivot is exactly 0, with its index. */
orr_status orr_solve(orr_context *ctx, orr_arena *scratch, int64_t n, const double *a, int64_t columns, const double *b,
                     double *x, double *reciprocal_condition) ORR_MUST_USE;

/* min |A x - b|, and of those the least |x|: dgelsd. */
typedef struct orr_least_squares {
    double *x;        /* n x columns */
    double *singular; /* min(m, n), descending */
    int64_t rank;     /* singular values above rcond * the largest; the others count as 0 */
    double *residual; /* columns: |A x - b| */
} orr_least_squares;

/* A m x n, b m x columns.  rcond <= 0: machine precision times max(m, n), as NumPy's default. */
orr_status orr_least_squares_solve(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch, int64_t m, int64_t n,
                                   const double *a, int64_t columns, const double *b, double rcond,
                                   orr_least_squares *out) ORR_MUST_USE;

#endif
