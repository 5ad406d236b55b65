/* out = a a', the product of a matrix with its own transpose, or with that of its first rows: what lies above the diagonal is not
 * computed but mirrored. */
#ifndef ORR_SIMD_GRAM_H
#define ORR_SIMD_GRAM_H

#include "simd/product.h"

/* Whether it is worth it: below, the work saved is less than what more calls cost. */
bool orr_gram_pays(const orr_operands *of);

/* Replaces entries first .. first + n - 1 of a row, none beyond the diagonal, by functions of them. */
typedef void orr_gram_map(const void *self, int64_t row, int64_t first, int64_t n, void *entries);

/* p is the product of a, m rows, with the transpose of its first n, prepared for the lower part; the result is the sum over `terms` such matrices, `gap`
 * elements apart, then `map` of it where that isn't NULL; its first n rows are symmetric to the bit. */
void orr_gram_run(const orr_product *p, orr_pool *pool, int64_t terms, int64_t gap, const void *a, orr_gram_map *map,
                  const void *self, void *out, void *workspace);

#endif
