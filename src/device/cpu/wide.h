/* For the files that are compiled once for each instruction set: its registers, and glibc's vector mathematics (libmvec, at
 * most 4 units in the last place off). */
#ifndef ORR_DEVICE_CPU_WIDE_H
#define ORR_DEVICE_CPU_WIDE_H

#include <math.h>
#include <stdint.h>

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

#endif
