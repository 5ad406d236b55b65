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
#ifndef ORR_SIMD_PRODUCT_H
#define ORR_SIMD_PRODUCT_H

#include "simd/generated.h"
#include "base/parallel.h"

/* Rows of a are lda elements apart, or with a_transposed those of its k x m storage; so for b, n x k. */
typedef struct orr_operands {
    orr_dtype dtype;
    int64_t m, n, k, lda, ldb, ldc;
    bool a_transposed, b_transposed;
} orr_operands;

typedef struct orr_product {
    orr_operands of;
    bool generated;      /* else by BLAS */
    int64_t width, edge; /* columns of a panel; of the last one, 0: it is whole */
    int64_t depth, rows; /* of a piece */
    int64_t pitch;       /* from row to row of a copied block: a line longer, or rows would share sets of the cache */
    bool shares_a;       /* else b */
    bool copies_a;
    int64_t chunk_k, chunk;    /* of what is shared at a time: along k, and rows of a or columns of b */
    int64_t group;             /* panels of a task that copies b */
    orr_code code[2][2][2][2]; /* by: last of k, last of the rows, edge; added */
    size_t shared_bytes, worker_bytes;
} orr_product;

/* How much of c. */
typedef enum orr_product_part {
    ORR_PRODUCT_WHOLE,
    ORR_PRODUCT_LOWER /* what is on the diagonal and below, at least; m >= n */
} orr_product_part;

/* What is decided once, for so many threads and for runs of that part.  Extents are 1 and more. */
void orr_product_prepare(orr_product *p, const orr_operands *of, orr_product_part part, int threads);

/* Bytes of workspace that a run by so many threads needs. */
size_t orr_product_workspace(const orr_product *p, int threads);

/* Told of each part of c that is final, while it is in the cache: rows and columns from `row` and `column`. */
typedef void orr_product_done(const void *self, int64_t row, int64_t rows, int64_t column, int64_t columns);

/* c = a b, or with `add` c += a b; any part, the prepared one best.  pool may be NULL: on the caller alone.  done, for the lower part
 * alone, may be NULL. */
void orr_product_run(const orr_product *p, orr_pool *pool, orr_product_part part, const void *a, const void *b, void *c,
                     bool add, orr_product_done *done, const void *self, void *workspace);

#endif
