/* Loops that are compiled once for each instruction set (loops.c); the one place that asks the processor which it has. */
#ifndef ORR_SIMD_SIMD_H
#define ORR_SIMD_SIMD_H

#include <stdbool.h>
#include <stdint.h>

/* x86-64 as it began, or its levels of the psABI: AVX2 with FMA, AVX-512.  Other processors have the first alone. */
typedef enum orr_simd_level { ORR_SIMD_BASE, ORR_SIMD_V3, ORR_SIMD_V4, ORR_SIMD_LEVELS } orr_simd_level;

/* The best that this processor runs. */
orr_simd_level orr_simd_choose(void);

/* |w|^2, |w - first|^2, |w - last|^2 */
enum { ORR_SIMD_OF_ITSELF, ORR_SIMD_FROM_FIRST, ORR_SIMD_FROM_LAST, ORR_SIMD_SQUARES };

typedef struct orr_simd_loops {
    /* out[j ldo + i] = a[i lda + j]; a is m x n */
    void (*transpose_f32)(int64_t m, int64_t n, const float *a, int64_t lda, float *out, int64_t ldo);
    void (*transpose_f64)(int64_t m, int64_t n, const double *a, int64_t lda, double *out, int64_t ldo);
    /* x_j <- e^{-rate d_j}, or with `squared` e^{-rate d_j^2}, at most 1.5 units in the last place off for that d_j;
     * d_j^2 = xx + zz_j - 2 x_j, or 0 where that is below, rate >= 0: a row of inner products becomes one of a kernel */
    void (*exp_of_distance)(int64_t n, bool squared, double rate, double xx, const double *zz, double *x);
    /* Sums of squares in doubles, then last <- w.  Equal bits of every instruction set. */
    void (*squares_f32)(int64_t n, const float *w, const float *first, float *last, double sum[ORR_SIMD_SQUARES]);
    void (*squares_f64)(int64_t n, const double *w, const double *first, double *last, double sum[ORR_SIMD_SQUARES]);
} orr_simd_loops;

/* Those of the level that orr_simd_choose names. */
const orr_simd_loops *orr_simd(void);

#endif
