/* out = a a', the product of a matrix with its own transpose: half the work of any other product of its shape. */
#ifndef ORR_DEVICE_CPU_GRAM_H
#define ORR_DEVICE_CPU_GRAM_H

#include "device/device.h"

typedef struct orr_cpu_gram {
    orr_dtype dtype; /* f32 or f64 */
    bool transposed; /* a is stored k x n, else n x k; its rows are lda elements apart */
    int64_t n, k;    /* out is n x n, its rows ldc elements apart */
    int64_t lda, ldc;
    int64_t terms, gap; /* the sum over `terms` such matrices, `gap` elements apart */
} orr_cpu_gram;

/* Whether it is worth it: below, the work saved is less than what more calls cost. */
bool orr_cpu_gram_pays(const orr_cpu_gram *g);

/* The result is symmetric to the bit.  OpenBLAS has one thread; tasks are cut by n alone. */
void orr_cpu_gram_run(orr_pool *pool, const orr_cpu_gram *g, const void *a, void *out);

#endif
