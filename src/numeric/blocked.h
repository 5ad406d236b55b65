/* Products and Cholesky factors of large matrices in float64, cut into tasks for the threads of a pool.  Private to this
 * room: dense.h is the door.
 *
 * Each task is one call of BLAS, whose own threads are thought to be one; tasks are cut by extents alone, so that results
 * have the same bits for any number of threads.  Matrices are row-major. */
#ifndef ORR_NUMERIC_BLOCKED_H
#define ORR_NUMERIC_BLOCKED_H

#include "base/parallel.h"
#include "numeric/dense.h"

/* c <- op(a) op(b) as orr_dense_multiply. */
void orr_blocked_multiply(orr_pool *pool, int64_t m, int64_t n, int64_t k, const double *a, bool transpose_a,
                          const double *b, bool transpose_b, double *c);

/* The lower triangle of a, n x n with rows lda apart, <- its Cholesky factor.  0, or the first leading block that isn't
 * positive definite.  room: orr_blocked_cholesky_room doubles. */
int64_t orr_blocked_cholesky_room(int64_t n);
int64_t orr_blocked_cholesky(orr_pool *pool, int64_t n, double *a, int64_t lda, double *room);

#endif
