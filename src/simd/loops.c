/* Compiled once for each instruction set, with ORR_LOOPS naming the table. */
#include "simd/simd.h"

#include <string.h>

#include "simd/wide.h"

#ifndef ORR_LOOPS
#define ORR_LOOPS orr_simd_loops_base
#endif
extern const orr_simd_loops ORR_LOOPS;

/* ---- transposition, four by four or eight by eight in registers ------------------------------------------------- */

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

enum { STEP = REGISTER / 8, SETS = 4 };

/* e^x for -746 <= x <= 0, below which it is 0: x = k log 2 + r with |r| <= log 2 / 2, log 2 in two parts, k times the first exact;
 *
 *     e^r = 1 + (r + r^2 q(r))
 *
 * where q, of degree 9, fits at Chebyshev's points with an error below 2e-17 of e^r.  2^k is two factors: the result may be subnormal. */
FUSED_MULTIPLY_ADD static inline void exponential(wide_f64 x[SETS]) {
    const uint64_t bias = 1023,
                   zero = 0x4338000000000000u; /* of exponents; the bits of 3/2 2^52, whose last ones k then is */
    wide_f64 k[SETS], r[SETS], q[SETS], half[SETS], rest[SETS];
    EACH(SETS) k[i] = x[i] * 1.4426950408889634074 + 0x1.8p52;
    EACH(SETS) r[i] = x[i] - (k[i] - 0x1.8p52) * 0x1.62e42feep-1;
    EACH(SETS) r[i] = r[i] - (k[i] - 0x1.8p52) * 0x1.a39ef35793c76p-33;
    EACH(SETS) q[i] = 2.7620088445409748161e-7 + r[i] * 2.5100385495510319078e-8;
    EACH(SETS) q[i] = 2.7557268459997064772e-6 + r[i] * q[i];
    EACH(SETS) q[i] = 2.4801521295954375131e-5 + r[i] * q[i];
    EACH(SETS) q[i] = 1.9841269863053616878e-4 + r[i] * q[i];
    EACH(SETS) q[i] = 1.3888888917213716901e-3 + r[i] * q[i];
    EACH(SETS) q[i] = 8.3333333333300618325e-3 + r[i] * q[i];
    EACH(SETS) q[i] = 4.1666666666624127873e-2 + r[i] * q[i];
    EACH(SETS) q[i] = 1.6666666666666667453e-1 + r[i] * q[i];
    EACH(SETS) q[i] = 5.0000000000000010221e-1 + r[i] * q[i];
    EACH(SETS) x[i] = 1.0 + (r[i] + r[i] * r[i] * q[i]);
    EACH(SETS) half[i] = (wide_f64)((((wide_u64)k[i] - zero + 2 * bias) >> 1) << 52);
    EACH(SETS)
    rest[i] = (wide_f64)(((wide_u64)k[i] - zero + 2 * bias - (((wide_u64)k[i] - zero + 2 * bias) >> 1)) << 52);
    EACH(SETS) x[i] = x[i] * half[i] * rest[i];
}

FUSED_MULTIPLY_ADD static inline void exp_of_distances(bool squared, double rate, double xx, const double *zz,
                                                       double *x) {
    wide_f64 d[SETS];
    EACH(SETS) {
        const int at = i * STEP;
        d[i] = at_least(xx + *(const wide_f64 *)(zz + at) - 2.0 * *(wide_f64 *)(x + at), 0.0);
    }
    if (!squared) EACH(SETS) d[i] = square_root(d[i]);
    EACH(SETS) d[i] = at_least(-rate * d[i], -746.0);
    exponential(d);
    EACH(SETS) * (wide_f64 *)(x + i * STEP) = d[i];
}

static void exp_of_distance(int64_t n, bool squared, double rate, double xx, const double *zz, double *x) {
    enum { BATCH = SETS * STEP };
    int64_t j = 0;
    for (; j + BATCH <= n; j += BATCH) exp_of_distances(squared, rate, xx, zz + j, x + j);
    if (j == n) return;
    double last_zz[BATCH] = { 0 }, last[BATCH] = { 0 };
    memcpy(last_zz, zz + j, (size_t)(n - j) * sizeof *zz);
    memcpy(last, x + j, (size_t)(n - j) * sizeof *x);
    exp_of_distances(squared, rate, xx, last_zz, last);
    memcpy(x + j, last, (size_t)(n - j) * sizeof *x);
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

const orr_simd_loops ORR_LOOPS = { transpose_f32, transpose_f64, exp_of_distance, squares_f32, squares_f64 };
