/* out = a a', the product of a matrix with its own transpose: half the work of any other product of its shape. */
#ifndef ORR_DEVICE_CPU_GRAM_H
#define ORR_DEVICE_CPU_GRAM_H

#include "device/cpu/product.h"

/* Whether it is worth it: below, the work saved is less than what more calls cost. */
bool orr_cpu_gram_pays(const orr_cpu_operands *of);

/* p is the product of a with its transpose; the result is the sum over `terms` such matrices, `gap` elements apart, and symmetric to
 * the bit. */
void orr_cpu_gram_run(const orr_cpu_product *p, orr_pool *pool, int64_t terms, int64_t gap, const void *a, void *out,
                      void *workspace);

#endif
