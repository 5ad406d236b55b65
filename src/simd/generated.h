/* Code that libxsmm generates for a product of matrices of one shape: c = a b or c += a b, all row-major, a as k x m if it is stored
 * transposed.  Sums go over k in order, fused, one chain for each element of c, so that bits don't depend on how a product is cut. */
#ifndef ORR_SIMD_GENERATED_H
#define ORR_SIMD_GENERATED_H

#include <libxsmm.h>

#include "orrery.h"

typedef struct orr_code {
    libxsmm_smmfunction f32; /* one of the two, or none where libxsmm has nothing for this processor */
    libxsmm_dmmfunction f64;
} orr_code;

typedef struct orr_code_shape {
    int64_t m, n, k, lda, ldb, ldc;
    bool a_transposed, add;
} orr_code_shape;

orr_code orr_code_generate(orr_dtype dtype, const orr_code_shape *s);

static inline bool orr_code_is_there(const orr_code *code) { return code->f32 || code->f64; }

/* libxsmm is column-major: c' = b' a'. */
static inline void orr_code_run(const orr_code *code, const void *a, const void *b, void *c) {
    if (code->f32) code->f32(b, a, c);
    else code->f64(b, a, c);
}

#endif
