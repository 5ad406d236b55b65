/* c = a b, a product of row-major matrices too large for code of its own: cut into pieces that are not.
 *
 *     c[rows, panel] += a[rows, depth] b[depth, panel]
 *
 * A panel is four vectors wide.  b is copied panel by panel, each in one piece, so that it streams through the first-level cache
 * whatever its strides were; `depth` rows of a panel fill that cache.  A block of rows of a fills half of the second-level cache; it
 * is read where it lies unless it is stored transposed.  One of the operands, the smaller, is copied once for all threads (a chunk of
 * it at a time); tasks take parts of the other, which they copy themselves: nothing is copied twice.  (Goto and van de Geijn 2008,
 * with the roles of the operands exchanged where rows are fewer than columns.)
 *
 * Every element of c is one sum over k, in order, so tasks may depend on the number of threads: no bit does. */
#ifndef ORR_DEVICE_CPU_PRODUCT_H
#define ORR_DEVICE_CPU_PRODUCT_H

#include "device/cpu/generated.h"
#include "device/cpu/kernels.h"

/* Rows of a are lda elements apart, or with a_transposed those of its k x m storage; so for b, n x k. */
typedef struct orr_cpu_operands {
    orr_dtype dtype;
    int64_t m, n, k, lda, ldb, ldc;
    bool a_transposed, b_transposed;
} orr_cpu_operands;

typedef struct orr_cpu_product {
    orr_cpu_operands of;
    const orr_cpu_kernels *kernels;
    int64_t width, edge; /* columns of a panel; of the last one, 0: it is whole */
    int64_t depth, rows; /* of a piece */
    int64_t pitch;       /* from row to row of a copied block: a line longer, or rows would share sets of the cache */
    bool shares_a;       /* else b */
    bool copies_a;
    int64_t chunk_k, chunk;        /* of what is shared at a time: along k, and rows of a or columns of b */
    int64_t group;                 /* panels of a task that copies b */
    orr_cpu_code code[2][2][2][2]; /* by: last of k, last of the rows, edge; added */
    size_t shared_bytes, worker_bytes;
} orr_cpu_product;

/* How much of c. */
typedef enum orr_cpu_part {
    ORR_CPU_WHOLE,
    ORR_CPU_LOWER /* what is on the diagonal and below, at least; m = n */
} orr_cpu_part;

/* What is decided once, for so many threads and for runs of that part.  False where there is no generated code for this processor. */
bool orr_cpu_product_prepare(orr_cpu_product *p, const orr_cpu_operands *of, orr_cpu_part part, int threads);

/* Bytes of workspace that a run by so many threads needs. */
size_t orr_cpu_product_workspace(const orr_cpu_product *p, int threads);

/* c = a b, or with `add` c += a b; any part, the prepared one best.  pool may be NULL: on the caller alone. */
void orr_cpu_product_run(const orr_cpu_product *p, orr_pool *pool, orr_cpu_part part, const void *a, const void *b,
                         void *c, bool add, void *workspace);

#endif
