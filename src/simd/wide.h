/* For the files that are compiled once for each instruction set: its registers, and glibc's vector mathematics (libmvec, at
 * most 4 units in the last place off). */
#ifndef ORR_SIMD_WIDE_H
#define ORR_SIMD_WIDE_H

#include <math.h>
#include <stdint.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__AVX2__)
/* glibc declares these variants under -ffast-math alone; their values are as good without it. */
#define VECTOR_1(fn)                                                                                                   \
    extern double fn(double) __attribute__((__simd__("notinbranch")));                                                 \
    extern float fn##f(float) __attribute__((__simd__("notinbranch")));
VECTOR_1(exp)
VECTOR_1(expm1)
VECTOR_1(log)
VECTOR_1(log1p)
VECTOR_1(sin)
VECTOR_1(cos)
VECTOR_1(tanh)
VECTOR_1(erf)
extern double pow(double, double) __attribute__((__simd__("notinbranch")));
extern float powf(float, float) __attribute__((__simd__("notinbranch")));
#endif

#if defined(__clang__)
#pragma clang diagnostic ignored                                                                                       \
    "-Wpass-failed" /* clang has no vector mathematics here: calls of exp stay as they are */
#define ANY_ORDER _Pragma("clang loop vectorize(assume_safety)")
#else
#define ANY_ORDER _Pragma("GCC ivdep")
#endif

/* Sums of products may keep the product unrounded. */
#if defined(__clang__)
#define FUSED_MULTIPLY_ADD
#else
#define FUSED_MULTIPLY_ADD __attribute__((optimize("fp-contract=fast")))
#endif

/* Vectors of the compiler's own, as wide as the registers: wider ones it keeps in memory.  They may stand at any address. */
#if defined(__AVX512F__)
enum { REGISTER = 64 };
#elif defined(__AVX__)
enum { REGISTER = 32 };
#else
enum { REGISTER = 16 };
#endif
typedef double wide_f64 __attribute__((vector_size(REGISTER), aligned(8)));
typedef float wide_f32 __attribute__((vector_size(REGISTER), aligned(4)));
typedef int32_t wide_i32 __attribute__((vector_size(REGISTER), aligned(4)));
typedef int64_t mask_f64 __attribute__((vector_size(REGISTER)));
typedef int32_t mask_f32 __attribute__((vector_size(REGISTER))), mask_i32 __attribute__((vector_size(REGISTER)));

/* An array of a length that the compiler knows stays in registers where the loops over it are unrolled. */
#define UNROLL _Pragma("GCC unroll 32")

/* What a set of registers computes is waited for while the others do the same: so several take turns. */
#define EACH(sets) UNROLL for (int i = 0; i < sets; i++)

typedef uint64_t wide_u64 __attribute__((vector_size(REGISTER), aligned(8)));

static inline wide_f64 square_root(wide_f64 x) {
#if defined(__AVX512F__)
    return (wide_f64)_mm512_sqrt_pd((__m512d)x);
#elif defined(__AVX__)
    return (wide_f64)_mm256_sqrt_pd((__m256d)x);
#elif defined(__SSE2__)
    return (wide_f64)_mm_sqrt_pd((__m128d)x);
#else
    for (unsigned k = 0; k < sizeof x / 8; k++) x[k] = sqrt(x[k]);
    return x;
#endif
}

/* x where it is above the limit, else the limit, also for NaN. */
static inline wide_f64 at_least(wide_f64 x, double limit) {
#if defined(__AVX512F__)
    return (wide_f64)_mm512_max_pd((__m512d)x, _mm512_set1_pd(limit));
#elif defined(__AVX__)
    return (wide_f64)_mm256_max_pd((__m256d)x, _mm256_set1_pd(limit));
#elif defined(__SSE2__)
    return (wide_f64)_mm_max_pd((__m128d)x, _mm_set1_pd(limit));
#else
    for (unsigned k = 0; k < sizeof x / 8; k++) x[k] = x[k] > limit ? x[k] : limit;
    return x;
#endif
}

#endif
