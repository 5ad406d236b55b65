/* Kernels in closed form, each a function of |x|^2, |z|^2 and x.z; r = |x - z|, t = x.z/(|x| |z|) = cos theta.
 *
 *     linear    x.z
 *     ntk       |x| |z| (sin theta + 2 (pi - theta) cos theta)/pi     the tangent kernel of relu(W x) with a linear readout,
 *               both layers trained, at infinite width; 2 |x|^2 on the diagonal
 *     laplace   exp(-r/bandwidth)
 *     rbf       exp(-r^2/(2 bandwidth^2)) */
#ifndef ORR_THEORY_KERNEL_FUNCTION_H
#define ORR_THEORY_KERNEL_FUNCTION_H

#include "base/arena.h"
#include "orrery.h"

typedef enum orr_kernel_kind {
    ORR_KERNEL_LINEAR = 0,
    ORR_KERNEL_NTK,
    ORR_KERNEL_LAPLACE,
    ORR_KERNEL_RBF
} orr_kernel_kind;
#define ORR_KERNEL_KINDS "linear ntk laplace rbf" /* in the order of the enum, for a table of parameters */

typedef struct orr_kernel {
    orr_kernel_kind kind;
    double bandwidth; /* laplace, rbf */
} orr_kernel;

double orr_kernel_of(const orr_kernel *k, double xx, double xz, double zz);

/* out[i, j] = K(x_i, z_j), n x m, of rows of length d; z = x is fine: then, for m <= n, the
 * diagonal is exact, the first m rows are symmetric to the bit and cost half.  On the threads of the context.
 * Cost: a product of matrices, and n m evaluations.  Fails: ORR_ENOMEM. */
orr_status orr_kernel_matrix(orr_context *ctx, orr_arena *scratch, const orr_kernel *k, int64_t n, int64_t m, int64_t d,
                             const double *x, const double *z, double *out) ORR_MUST_USE;

#endif
