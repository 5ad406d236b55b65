/* Contractions on the CPU: every einsum is a loop of matrix products.
 *
 * Labels fall into four kinds: batch (in a, b and out), m (a and out), n (b and out), k (a and b).  Those of a kind
 * that lie one behind the other in memory merge; of what is left, one m, one n and one k make a product of matrices,
 * the rest loops around it.  Transposition is folded into the call.  What no call takes (no unit stride) is copied
 * first.
 *
 *   products below SMALL^3     libxsmm: code generated for the shape
 *   above                      simd/product.h: copied and cut into pieces that such code takes
 *   one row or column          our own loops
 *   an array with itself       gram.h: half of the result, and its mirror image
 *
 * A product is cut into tasks by its shape alone and each task runs on one thread: threads change no bit.
 *
 *   prepare (einsum_plan.c)   sort and merge labels, choose the axes of the matrices; where to copy, which method, which
 *                             tiles; generate the code of small products
 *   run     (einsum_run.c)    copies, then tasks: a tile of one product, or a run of short ones */
#ifndef ORR_DEVICE_CPU_EINSUM_PLAN_H
#define ORR_DEVICE_CPU_EINSUM_PLAN_H

#include "device/cpu/cpu.h"
#include "simd/gram.h"

typedef struct axis {
    int64_t n, a, b, out; /* extent and strides, elements */
} axis;

typedef struct axes {
    axis at[ORR_RANK_MAX];
    int32_t n;
} axes;

typedef enum einsum_method { METHOD_ROWS, METHOD_COLUMNS, METHOD_SMALL, METHOD_PIECES, METHOD_REF } einsum_method;

typedef struct contraction {
    einsum_method how;
    orr_dtype dtype;
    bool swapped;    /* a and b have changed places */
    bool symmetric;  /* a a', provided that both turn out to be one array */
    bool copies[2];  /* a, b are copied before the product */
    int64_t m, n, k; /* of one product */
    int64_t lda, ldb, ldc;
    bool ta, tb; /* stored transposed: a as k x m, b as n x k */
    axes loops;  /* around it: batch and what didn't merge */
    int64_t loop_count;
    bool accumulate;         /* a loop over part of k: products after the first add */
    int32_t k_loops;         /* how many of the loops, the last, are of that kind */
    int64_t rows, row_tiles; /* of a task's tile of one product, which takes all columns; how many there are */
    size_t copy_bytes[2], copy_at[2];
    axis m_axis, n_axis, k_axis;
    orr_code small[2][2]; /* by: of the last, shorter tile; added */
    orr_product product;  /* METHOD_PIECES */
    bool together;        /* all threads at one product after the other; else one at each */
    const orr_cpu_kernels *kernels;
    size_t worker_bytes; /* scratch of a worker: b of one product, straightened */
    size_t workers_at;
    int64_t pack_rows; /* tasks of small products take this many loop steps */
    int64_t tasks;
} contraction;

typedef struct original_axes {
    axis m, n, k;
    axes loops;
} original_axes;

typedef struct einsum_plan {
    contraction c;
    original_axes before; /* strides of the operands as they are, for the copies */
} einsum_plan;

#endif
