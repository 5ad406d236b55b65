/* The largest eigenpairs of a symmetric operator by a block Krylov space, from vectors that are nearly right: for an operator
 * that moves slowly, such as a Hessian along a path.
 *
 *     Q = span { V, A V, A^2 V, ... },  T = Q' A Q,  T c_i = value_i c_i,  u_i = Q c_i,  residual_i = |A u_i - value_i u_i|
 *
 * A space that grows from one vector sees one direction of an eigenvalue that stands several times; one that grows from a block
 * of m vectors sees m.  Eigenvalues that crowd at an edge, where orr_eigen_lanczos and orr_eigen_arpack find some of them, are
 * what this is for.
 * The space grows block by block until the pairs that matter are as good as asked; at `basis` vectors it starts again from the
 * best m (Knyazev 2001 is the same with two blocks; Baglama, Calvetti, Reichel 2003, "irbl"). */
#ifndef ORR_NUMERIC_BLOCK_KRYLOV_H
#define ORR_NUMERIC_BLOCK_KRYLOV_H

#include "base/arena.h"
#include "base/random.h"
#include "numeric/operator.h"
#include "numeric/reason.h"
#include "orrery.h"

/* A zero means the default. */
typedef struct orr_block_options {
    double tolerance;     /* residual <= tolerance |value_1|; default 1e-10 */
    double above;         /* asked of the first pair, and of the others whose value is above this */
    int64_t basis;        /* vectors of the space at most; default 8 m, never more than n */
    int64_t max_products; /* about how many; default 3000 */
    orr_key key; /* of random vectors, where rows of the start are missing; purpose 0 means ORR_PURPOSE_PROBE */
} orr_block_options;

typedef struct orr_block_pairs {
    int64_t products;
    orr_reason reason; /* CONVERGED; LIMIT: the best so far; NONFINITE: a product was no number, nothing may be read */
} orr_block_pairs;

/* vector[m, n]: start rows, of any length, 0 where there is none yet; becomes unit eigenvectors.  value[m] descending,
 * residual[m] measured.  m <= n.
 * Cost: .products of A; 2 basis + m vectors of scratch.  Fails: ORR_EINPUT, ORR_ENOMEM, what apply fails with. */
orr_status orr_eigen_block(orr_context *ctx, orr_arena *scratch, const orr_operator *a,
                           const orr_block_options *options, int64_t m, double *vector, double *value, double *residual,
                           orr_block_pairs *out) ORR_MUST_USE;

#endif
