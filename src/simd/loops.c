/* Compiled once for each instruction set, with ORR_LOOPS naming the table. */
#include "simd/simd.h"

#include <math.h>
#include <string.h>

#ifndef ORR_LOOPS
#define ORR_LOOPS orr_simd_loops_base
#endif
extern const orr_simd_loops ORR_LOOPS;

/* ---- transposition, four by four or eight by eight in registers ------------------------------------------------- */

/* Loops over registers are unrolled, or compilers keep the array in memory; a vector is loaded by one instruction from any address. */
#define UNROLL _Pragma("GCC unroll 8")

/* clang-format off */
#define TRANSPOSE(name, suffix, TYPE)                                                                                  \
    typedef TYPE four_##suffix __attribute__((vector_size(4 * sizeof(TYPE)), aligned(sizeof(TYPE)), may_alias));       \
    static void name(int64_t m, int64_t n, const TYPE *restrict a, int64_t lda, TYPE *restrict out, int64_t ldo) {     \
        const int64_t mm = m / 4 * 4, nn = n / 4 * 4;                                                                  \
        for (int64_t i = 0; i < mm; i += 4)                                                                            \
            for (int64_t j = 0; j < nn; j += 4) {                                                                      \
                four_##suffix r[4];                                                                                    \
                UNROLL for (int k = 0; k < 4; k++) r[k] = *(const four_##suffix *)(a + (i + k) * lda + j);             \
                const four_##suffix low0 = __builtin_shufflevector(r[0], r[1], 0, 4, 2, 6),                            \
                                    low1 = __builtin_shufflevector(r[2], r[3], 0, 4, 2, 6),                            \
                                    high0 = __builtin_shufflevector(r[0], r[1], 1, 5, 3, 7),                           \
                                    high1 = __builtin_shufflevector(r[2], r[3], 1, 5, 3, 7);                           \
                r[0] = __builtin_shufflevector(low0, low1, 0, 1, 4, 5);                                                \
                r[1] = __builtin_shufflevector(high0, high1, 0, 1, 4, 5);                                              \
                r[2] = __builtin_shufflevector(low0, low1, 2, 3, 6, 7);                                                \
                r[3] = __builtin_shufflevector(high0, high1, 2, 3, 6, 7);                                              \
                UNROLL for (int k = 0; k < 4; k++) *(four_##suffix *)(out + (j + k) * ldo + i) = r[k];                 \
            }                                                                                                          \
        for (int64_t i = 0; i < m; i++)                                                                                \
            for (int64_t j = i < mm ? nn : 0; j < n; j++) out[j * ldo + i] = a[i * lda + j];                           \
    }
TRANSPOSE(transpose_by_four, f32, float)
TRANSPOSE(transpose_f64, f64, double)

typedef float eight_f32 __attribute__((vector_size(8 * sizeof(float)), aligned(sizeof(float)), may_alias));

static void transpose_f32(int64_t m, int64_t n, const float *restrict a, int64_t lda, float *restrict out, int64_t ldo) {
    const int64_t mm = m / 8 * 8, nn = n / 8 * 8;
    for (int64_t i = 0; i < mm; i += 8)
        for (int64_t j = 0; j < nn; j += 8) {
            eight_f32 r[8], t[8];
            UNROLL for (int k = 0; k < 8; k++) r[k] = *(const eight_f32 *)(a + (i + k) * lda + j);
            UNROLL for (int k = 0; k < 8; k++) __builtin_prefetch(a + (i + 8 + k) * lda + j); /* hardware sees no stream in short rows */
            UNROLL for (int k = 0; k < 8; k += 2) { /* pairs of rows, then fours, then all */
                t[k] = __builtin_shufflevector(r[k], r[k + 1], 0, 8, 1, 9, 4, 12, 5, 13);
                t[k + 1] = __builtin_shufflevector(r[k], r[k + 1], 2, 10, 3, 11, 6, 14, 7, 15);
            }
            UNROLL for (int k = 0; k < 8; k += 4) {
                r[k] = __builtin_shufflevector(t[k], t[k + 2], 0, 1, 8, 9, 4, 5, 12, 13);
                r[k + 1] = __builtin_shufflevector(t[k], t[k + 2], 2, 3, 10, 11, 6, 7, 14, 15);
                r[k + 2] = __builtin_shufflevector(t[k + 1], t[k + 3], 0, 1, 8, 9, 4, 5, 12, 13);
                r[k + 3] = __builtin_shufflevector(t[k + 1], t[k + 3], 2, 3, 10, 11, 6, 7, 14, 15);
            }
            UNROLL for (int k = 0; k < 4; k++) {
                t[k] = __builtin_shufflevector(r[k], r[k + 4], 0, 1, 2, 3, 8, 9, 10, 11);
                t[k + 4] = __builtin_shufflevector(r[k], r[k + 4], 4, 5, 6, 7, 12, 13, 14, 15);
            }
            UNROLL for (int k = 0; k < 8; k++) *(eight_f32 *)(out + (j + k) * ldo + i) = t[k];
        }
    transpose_by_four(mm, n - nn, a + nn, lda, out + nn * ldo, ldo);
    transpose_by_four(m - mm, n, a + mm * lda, lda, out + mm, ldo);
}
/* clang-format on */

/* ---- exponentials ----------------------------------------------------------------------------------------------- */

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__AVX2__) && defined(__GLIBC__)
/* glibc declares the variants for vectors under -ffast-math alone; their values are as good without it. */
extern double exp(double) __attribute__((__simd__("notinbranch")));
#endif

static void exp_f64(int64_t n, double *x) {
    for (int64_t i = 0; i < n; i++) x[i] = exp(x[i]);
}

/* ---- sums of squares --------------------------------------------------------------------------------------------- */

enum { LANES = 8 };

/* In doubles, in eight lanes over i mod 8, as loops that compilers turn into vectors each; a product and a sum are never fused. */
#define SQUARES(name, real)                                                                                            \
    static void name(int64_t n, const real *w, const real *first, real *last, double sum[ORR_SIMD_SQUARES]) {          \
        double lane[ORR_SIMD_SQUARES][LANES] = { { 0 } }, x[LANES], a[LANES], b[LANES];                                \
        const int64_t whole = n / LANES * LANES;                                                                       \
        for (int64_t i = 0; i < whole; i += LANES) {                                                                   \
            for (int k = 0; k < LANES; k++) x[k] = (double)w[i + k];                                                   \
            for (int k = 0; k < LANES; k++) a[k] = x[k] - (double)first[i + k];                                        \
            for (int k = 0; k < LANES; k++) b[k] = x[k] - (double)last[i + k];                                         \
            memcpy(last + i, w + i, LANES * sizeof *w);                                                                \
            for (int k = 0; k < LANES; k++) lane[ORR_SIMD_OF_ITSELF][k] += x[k] * x[k];                                \
            for (int k = 0; k < LANES; k++) lane[ORR_SIMD_FROM_FIRST][k] += a[k] * a[k];                               \
            for (int k = 0; k < LANES; k++) lane[ORR_SIMD_FROM_LAST][k] += b[k] * b[k];                                \
        }                                                                                                              \
        for (int64_t i = whole; i < n; i++) {                                                                          \
            x[0] = (double)w[i], a[0] = x[0] - (double)first[i], b[0] = x[0] - (double)last[i];                        \
            last[i] = w[i];                                                                                            \
            lane[ORR_SIMD_OF_ITSELF][i - whole] += x[0] * x[0];                                                        \
            lane[ORR_SIMD_FROM_FIRST][i - whole] += a[0] * a[0];                                                       \
            lane[ORR_SIMD_FROM_LAST][i - whole] += b[0] * b[0];                                                        \
        }                                                                                                              \
        for (int q = 0; q < ORR_SIMD_SQUARES; q++) {                                                                   \
            sum[q] = 0.0;                                                                                              \
            for (int k = 0; k < LANES; k++) sum[q] += lane[q][k];                                                      \
        }                                                                                                              \
    }
SQUARES(squares_f32, float)
SQUARES(squares_f64, double)

const orr_simd_loops ORR_LOOPS = { transpose_f32, transpose_f64, exp_f64, squares_f32, squares_f64 };
