/* Normal draws from Philox streams, many blocks abreast; compiled once for each instruction set, with ORR_DRAWS naming the
 * table. */
#include "device/cpu/draws.h"

#include <stdbool.h>
#include <string.h>

#include "simd/wide.h"

#ifndef ORR_DRAWS
#define ORR_DRAWS orr_cpu_draws_base
#endif
#define TWO_PI  6.283185307179586476925286766559
#define HALF_PI 1.5707963267948966192313216916398

/* Philox's four words of each set must stay in registers. */
enum { STEP = REGISTER / 8, PHILOX_SETS = 3, SETS = 4, ABREAST = 96 };

/* ---- Philox 4x32-10 (Salmon et al. 2011); a test holds it to Random123's -------------------------------------- */

/* 64-bit lanes of which the low halves count: their product is one instruction, which no compiler finds by itself. */
static inline wide_u64 product_of_halves(wide_u64 a, wide_u64 b) {
#if defined(__AVX512F__)
    return (wide_u64)_mm512_mul_epu32((__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
    return (wide_u64)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#elif defined(__SSE2__)
    return (wide_u64)_mm_mul_epu32((__m128i)a, (__m128i)b);
#else
    return (a & UINT32_MAX) * (b & UINT32_MAX);
#endif
}

/* w[k][i] = word k of block `block + i`, under bits of no meaning, for i < n at least. */
static void philox(const uint32_t key[4], uint64_t block, int n, uint64_t w[4][ABREAST]) {
    for (int k = 0; k < ABREAST; k++) w[0][k] = block + (uint64_t)k;
    for (int at = 0; at < n; at += PHILOX_SETS * STEP) {
        wide_u64 c[PHILOX_SETS][4];
        EACH(PHILOX_SETS) {
            c[i][0] = *(const wide_u64 *)(w[0] + at + i * STEP);
            c[i][1] = c[i][0] >> 32;
            c[i][2] = (wide_u64){ 0 } + key[2];
            c[i][3] = (wide_u64){ 0 } + key[3];
        }
        uint32_t k0 = key[0], k1 = key[1];
        for (int round = 0; round < 10; round++) {
            EACH(PHILOX_SETS) {
                const wide_u64 p = product_of_halves(c[i][0], (wide_u64){ 0 } + 0xD2511F53u);
                const wide_u64 q = product_of_halves(c[i][2], (wide_u64){ 0 } + 0xCD9E8D57u);
                c[i][0] = (q >> 32) ^ c[i][1] ^ k0, c[i][2] = (p >> 32) ^ c[i][3] ^ k1, c[i][1] = q, c[i][3] = p;
            }
            k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
        }
        EACH(PHILOX_SETS)
        for (int k = 0; k < 4; k++) *(wide_u64 *)(w[k] + at + i * STEP) = c[i][k];
    }
}

/* ---- Box and Muller: sqrt(-2 log(1 - u)) (cos, sin)(2 pi v) ---------------------------------------------------- */

/* 2^64 u of two words, u = (64-bit draw >> 11) 2^-53: exactly, the high word in the low bits of 2^84 and the low one in those
 * of 2^52. */
static inline wide_f64 uniform(wide_u64 low, wide_u64 high) {
    const wide_f64 a = (wide_f64)((low & 0xfffff800u) | 0x4330000000000000u) - 0x1p52;
    const wide_f64 b = (wide_f64)((high & UINT32_MAX) | 0x4530000000000000u) - 0x1p84;
    return a + b;
}

/* out = a0 b0 a1 b1 ... */
static inline void put_in_turn(wide_f64 a, wide_f64 b, double *out) {
#if defined(__AVX512F__)
    *(wide_f64 *)out = __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
    *(wide_f64 *)(out + STEP) = __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
#elif defined(__AVX__)
    const wide_f64 even = __builtin_shufflevector(a, b, 0, 4, 2, 6), odd = __builtin_shufflevector(a, b, 1, 5, 3, 7);
    *(wide_f64 *)out = __builtin_shufflevector(even, odd, 0, 1, 4, 5);
    *(wide_f64 *)(out + STEP) = __builtin_shufflevector(even, odd, 2, 3, 6, 7);
#else
    *(wide_f64 *)out = __builtin_shufflevector(a, b, 0, 2);
    *(wide_f64 *)(out + STEP) = __builtin_shufflevector(a, b, 1, 3);
#endif
}

/* log v, 0 < v <= 1 and not subnormal: v = 2^e m with sqrt 1/2 <= m < sqrt 2; with f = m - 1, s = f / (2 + f) and z = s^2,
 *
 *     log m = 2 atanh s = f - (f^2/2 - s (f^2/2 + z p(z)))
 *
 * where p, of degree 6, fits (2 atanh(s)/s - 2) / z at Chebyshev's points up to z = 0.02944 with an error below 1e-17 of log m. */
FUSED_MULTIPLY_ADD static inline void logarithm(wide_f64 v[SETS]) {
    const uint64_t root = 0x3fe6a09e667f3bcdu, bias = 1024; /* the bits of sqrt 1/2; e + bias > 0 */
    wide_f64 f[SETS], s[SETS], z[SETS], p[SETS], h[SETS], e[SETS];
    wide_u64 bits[SETS];
    EACH(SETS) bits[i] = (wide_u64)v[i] - root + (bias << 52);
    EACH(SETS) e[i] = (wide_f64)(bits[i] >> 52 | 0x4330000000000000u) - (0x1p52 + (double)bias);
    EACH(SETS) f[i] = (wide_f64)((bits[i] & 0xfffffffffffffu) + root) - 1.0;
    EACH(SETS) s[i] = f[i] / (2.0 + f[i]);
    EACH(SETS) z[i] = s[i] * s[i];
    EACH(SETS) p[i] = 0.15331710618210771568 + z[i] * 0.14616585424888621989;
    EACH(SETS) p[i] = 0.18182889455674946039 + z[i] * p[i];
    EACH(SETS) p[i] = 0.22222211130259877029 + z[i] * p[i];
    EACH(SETS) p[i] = 0.28571428626003268742 + z[i] * p[i];
    EACH(SETS) p[i] = 0.39999999999899443233 + z[i] * p[i];
    EACH(SETS) p[i] = 0.66666666666666696883 + z[i] * p[i];
    EACH(SETS) h[i] = 0.5 * f[i] * f[i];
    /* log 2 in two parts: e times the first is exact */
    EACH(SETS) s[i] = s[i] * (h[i] + z[i] * p[i]) + e[i] * 0x1.a39ef35793c76p-33;
    EACH(SETS) v[i] = e[i] * 0x1.62e42feep-1 - ((h[i] - s[i]) - f[i]);
}

/* sin and cos of t quarter turns, 0 <= t < 4.  t = q + s with |s| <= 1/2 exactly, by adding 3/2 2^52, whose last bits q then
 * is; with x = pi/2 s, |x| <= pi/4, the Taylor series to x^15 and x^16 err by less than 1e-17 of the value; q turns them.
 * Half the work of two calls that reduce any argument. */
FUSED_MULTIPLY_ADD static inline void sin_cos(const wide_f64 t[SETS], wide_f64 sine[SETS], wide_f64 cosine[SETS]) {
    wide_f64 x[SETS], z[SETS], s[SETS], c[SETS];
    wide_u64 q[SETS], swap[SETS];
    EACH(SETS) q[i] = (wide_u64)(t[i] + 0x1.8p52);
    EACH(SETS) x[i] = HALF_PI * (t[i] - ((wide_f64)q[i] - 0x1.8p52));
    EACH(SETS) z[i] = x[i] * x[i];
    EACH(SETS) s[i] = 1.6059043836821614599e-10 + z[i] * -7.6471637318198164759e-13;
    EACH(SETS) c[i] = -1.1470745597729724714e-11 + z[i] * 4.7794773323873852974e-14;
    EACH(SETS) s[i] = -2.5052108385441718775e-8 + z[i] * s[i];
    EACH(SETS) c[i] = 2.0876756987868098979e-9 + z[i] * c[i];
    EACH(SETS) s[i] = 2.7557319223985890653e-6 + z[i] * s[i];
    EACH(SETS) c[i] = -2.7557319223985890653e-7 + z[i] * c[i];
    EACH(SETS) s[i] = -1.9841269841269841270e-4 + z[i] * s[i];
    EACH(SETS) c[i] = 2.4801587301587301587e-5 + z[i] * c[i];
    EACH(SETS) s[i] = 8.3333333333333333333e-3 + z[i] * s[i];
    EACH(SETS) c[i] = -1.3888888888888888889e-3 + z[i] * c[i];
    EACH(SETS) s[i] = -1.6666666666666666667e-1 + z[i] * s[i];
    EACH(SETS) c[i] = 4.1666666666666666667e-2 + z[i] * c[i];
    EACH(SETS) s[i] = x[i] + x[i] * z[i] * s[i];
    EACH(SETS) c[i] = 1.0 - 0.5 * z[i] + z[i] * z[i] * c[i];
    EACH(SETS) swap[i] = ((wide_u64)s[i] ^ (wide_u64)c[i]) & -(q[i] & 1);
    EACH(SETS) sine[i] = (wide_f64)((wide_u64)s[i] ^ swap[i] ^ (q[i] & 2) << 62);
    EACH(SETS) cosine[i] = (wide_f64)((wide_u64)c[i] ^ swap[i] ^ ((q[i] + 1) & 2) << 62);
}

/* log(1 - u), u of two words. */
FUSED_MULTIPLY_ADD static void logarithms(int n, uint64_t w[2][ABREAST], double r[ABREAST]) {
    for (int k = 0; k < n; k += SETS * STEP) {
        wide_f64 x[SETS];
        EACH(SETS) {
            const int at = k + i * STEP;
            x[i] = 1.0 - 0x1p-64 * uniform(*(wide_u64 *)(w[0] + at), *(wide_u64 *)(w[1] + at));
        }
        logarithm(x);
        EACH(SETS) * (wide_f64 *)(r + k + i * STEP) = x[i];
    }
}

/* sqrt(-2 r) (cos, sin)(2 pi v), v of two words; out: [ABREAST, 2]. */
FUSED_MULTIPLY_ADD static void pairs(int n, uint64_t w[2][ABREAST], const double r[ABREAST], double *out) {
    for (int k = 0; k < n; k += SETS * STEP) {
        wide_f64 t[SETS], sine[SETS], cosine[SETS];
        EACH(SETS) {
            const int at = k + i * STEP;
            t[i] = 0x1p-62 * uniform(*(wide_u64 *)(w[0] + at), *(wide_u64 *)(w[1] + at));
        }
        sin_cos(t, sine, cosine);
        EACH(SETS) {
            const wide_f64 radius = square_root(-2.0 * *(const wide_f64 *)(r + k + i * STEP));
            put_in_turn(radius * cosine[i], radius * sine[i], out + 2 * (k + i * STEP));
        }
    }
}

/* A block gives two 64-bit uniforms, so one pair: elements 2 b and 2 b + 1.  Whole sets are computed: what lies behind the last
 * block is no draw, and stays behind. */
static void normal_f64(const uint32_t key[4], uint64_t first, int64_t n, double *out) {
    uint64_t w[4][ABREAST];
    double r[ABREAST], last[2 * ABREAST];
    for (int64_t at = 0; at < n; at += 2 * ABREAST) {
        const bool whole = n - at >= 2 * ABREAST;
        const int blocks = whole ? ABREAST : (int)(n - at + 1) / 2;
        philox(key, (first + (uint64_t)at) / 2, blocks, w);
        logarithms(blocks, w, r);
        pairs(blocks, w + 2, r, whole ? out + at : last);
        if (!whole) memcpy(out + at, last, (size_t)(n - at) * sizeof *last);
    }
}

/* A block gives four 32-bit uniforms, so two pairs: elements 4 b to 4 b + 3. */
static void normal_f32(const uint32_t key[4], uint64_t first, int64_t n, float *out) {
    uint64_t w[4][ABREAST];
    float r[2][ABREAST], angle[2][ABREAST], c[2][ABREAST], s[2][ABREAST], z[4 * ABREAST];
    for (int64_t at = 0; at < n; at += 4 * ABREAST) {
        const int64_t take = n - at >= 4 * ABREAST ? 4 * ABREAST : n - at;
        const int blocks =
            (int)((take + 63) / 64 * 16); /* whole vectors: the rest of a loop may have other last bits */
        philox(key, (first + (uint64_t)at) / 4, blocks, w);
        for (int p = 0; p < 2; p++) {
            for (int i = 0; i < blocks; i++) {
                r[p][i] = 1.0f - (float)(int32_t)((uint32_t)w[2 * p][i] >> 8) * 0x1p-24f;
                angle[p][i] = (float)TWO_PI * ((float)(int32_t)((uint32_t)w[2 * p + 1][i] >> 8) * 0x1p-24f);
            }
            for (int i = 0; i < blocks; i++) r[p][i] = sqrtf(-2.0f * logf(r[p][i]));
            for (int i = 0; i < blocks; i++) c[p][i] = cosf(angle[p][i]);
            for (int i = 0; i < blocks; i++) s[p][i] = sinf(angle[p][i]);
        }
        for (int i = 0; i < blocks; i++) {
            z[4 * i] = r[0][i] * c[0][i], z[4 * i + 1] = r[0][i] * s[0][i];
            z[4 * i + 2] = r[1][i] * c[1][i], z[4 * i + 3] = r[1][i] * s[1][i];
        }
        memcpy(out + at, z, (size_t)take * sizeof *z);
    }
}

/* ---- the table ------------------------------------------------------------------------------------------------- */

const orr_cpu_draws ORR_DRAWS = { .normal_f64 = normal_f64, .normal_f32 = normal_f32 };
