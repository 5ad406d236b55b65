/* Compiled once for each instruction set, with ORR_KERNELS naming the table: the loops vectorise by themselves, exp and
 * its kin through glibc's vector mathematics (libmvec, at most 4 units in the last place off). */
#include "device/cpu/kernels.h"

#include <math.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#ifndef ORR_KERNELS
#define ORR_KERNELS orr_cpu_kernels_base
#endif
#define TEXT_OF(x) #x
#define TEXT(x)    TEXT_OF(x)

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

/* ---- elementwise, from the expressions of scalar.def ----------------------------------------------------------- */

#define LOOP_1(name, TYPE, OUT, expression)                                                                            \
    static void name(int64_t n, const void *va, const void *vb, const void *vc, void *vo) {                            \
        const TYPE *x = va;                                                                                            \
        OUT *o = vo;                                                                                                   \
        (void)vb, (void)vc;                                                                                            \
        ANY_ORDER for (int64_t i = 0; i < n; i++) {                                                                    \
            const TYPE a = x[i];                                                                                       \
            o[i] = (OUT)(expression);                                                                                  \
        }                                                                                                              \
    }

#define LOOP_2_AS(name, TYPE, OUT, expression, ai, bi)                                                                 \
    static void name(int64_t n, const void *va, const void *vb, const void *vc, void *vo) {                            \
        const TYPE *x = va, *y = vb;                                                                                   \
        const TYPE x0 = x[0], y0 = y[0];                                                                               \
        OUT *o = vo;                                                                                                   \
        (void)vc, (void)x0, (void)y0;                                                                                  \
        ANY_ORDER for (int64_t i = 0; i < n; i++) {                                                                    \
            const TYPE a = ai, b = bi;                                                                                 \
            o[i] = (OUT)(expression);                                                                                  \
        }                                                                                                              \
    }

#define LOOP_2(name, TYPE, OUT, expression)                                                                            \
    LOOP_2_AS(name##_vv, TYPE, OUT, expression, x[i], y[i])                                                            \
    LOOP_2_AS(name##_vs, TYPE, OUT, expression, x[i], y0)                                                              \
    LOOP_2_AS(name##_sv, TYPE, OUT, expression, x0, y[i])

#define ORR_SCALAR_FLOAT(name, arity, expression) LOOP_##arity(f64_##name, double, double, expression)
#define ORR_SCALAR_INT(name, arity, expression)   LOOP_##arity(i32_##name, int32_t, int32_t, expression)
#define ORR_SCALAR_BOOL(name, arity, expression)  LOOP_##arity(bool_##name, uint8_t, uint8_t, expression)
#define ORR_SCALAR_COMPARE(name, expression)                                                                           \
    LOOP_2(f32_##name, float, uint8_t, expression)                                                                     \
    LOOP_2(f64_##name, double, uint8_t, expression)                                                                    \
    LOOP_2(i32_##name, int32_t, uint8_t, expression)
#define REAL  double
#define F(fn) fn
#include "device/scalar.def"
#undef ORR_SCALAR_FLOAT
#undef ORR_SCALAR_INT
#undef ORR_SCALAR_BOOL
#undef ORR_SCALAR_COMPARE
#undef REAL
#undef F

#define ORR_SCALAR_FLOAT(name, arity, expression) LOOP_##arity(f32_##name, float, float, expression)
#define ORR_SCALAR_INT(name, arity, expression)
#define ORR_SCALAR_BOOL(name, arity, expression)
#define ORR_SCALAR_COMPARE(name, expression)
#define REAL  float
#define F(fn) fn##f
#include "device/scalar.def"
#undef ORR_SCALAR_FLOAT
#undef ORR_SCALAR_INT
#undef ORR_SCALAR_BOOL
#undef ORR_SCALAR_COMPARE
#undef REAL
#undef F

LOOP_2(bool_eq, uint8_t, uint8_t, (!a) == (!b))
LOOP_1(f32_is_finite, float, uint8_t, a - a == 0)
LOOP_1(f64_is_finite, double, uint8_t, a - a == 0)
LOOP_1(f32_stop, float, float, a)
LOOP_1(f64_stop, double, double, a)
LOOP_1(i32_stop, int32_t, int32_t, a)
LOOP_1(bool_stop, uint8_t, uint8_t, a)

/* Towards zero; what doesn't fit goes to the nearest that does, NaN to 0. */
#define TO_I32(a) (a != a ? 0 : a <= -2147483648.0 ? INT32_MIN : a >= 2147483647.0 ? INT32_MAX : (int32_t)a)
LOOP_1(cast_f32_f64, float, double, a)
LOOP_1(cast_f32_i32, float, int32_t, TO_I32((double)a))
LOOP_1(cast_f32_bool, float, uint8_t, a != 0)
LOOP_1(cast_f64_f32, double, float, a)
LOOP_1(cast_f64_i32, double, int32_t, TO_I32(a))
LOOP_1(cast_f64_bool, double, uint8_t, a != 0)
LOOP_1(cast_i32_f32, int32_t, float, a)
LOOP_1(cast_i32_f64, int32_t, double, a)
LOOP_1(cast_i32_bool, int32_t, uint8_t, a != 0)
LOOP_1(cast_bool_f32, uint8_t, float, a != 0)
LOOP_1(cast_bool_f64, uint8_t, double, a != 0)
LOOP_1(cast_bool_i32, uint8_t, int32_t, a != 0)

#define SELECT(name, TYPE)                                                                                             \
    static void name(int64_t n, const void *va, const void *vb, const void *vc, void *vo) {                            \
        const uint8_t *condition = va;                                                                                 \
        const TYPE *x = vb, *y = vc;                                                                                   \
        TYPE *o = vo;                                                                                                  \
        ANY_ORDER for (int64_t i = 0; i < n; i++) {                                                                    \
            const TYPE a = x[i], b = y[i];                                                                             \
            o[i] = condition[i] ? a : b;                                                                               \
        }                                                                                                              \
    }                                                                                                                  \
    static void splat_##name(int64_t n, const void *va, const void *vb, const void *vc, void *vo) {                    \
        const TYPE a = *(const TYPE *)va;                                                                              \
        TYPE *o = vo;                                                                                                  \
        (void)vb, (void)vc;                                                                                            \
        for (int64_t i = 0; i < n; i++) o[i] = a;                                                                      \
    }                                                                                                                  \
    static void gather_##name(int64_t n, int64_t stride, const void *va, void *vo) {                                   \
        const TYPE *x = va;                                                                                            \
        TYPE *o = vo;                                                                                                  \
        for (int64_t i = 0; i < n; i++) o[i] = x[i * stride];                                                          \
    }
SELECT(select_f32, float)
SELECT(select_f64, double)
SELECT(select_i32, int32_t)
SELECT(select_bool, uint8_t)

#define MULTIPLY_ADD(name, TYPE, expression)                                                                           \
    static void twice_##name(int64_t n, const void *va, const void *vb, const void *vc, void *vo) {                    \
        const TYPE *v = va, *w = vc, s = ((const TYPE *)vb)[0], t = ((const TYPE *)vb)[1];                             \
        TYPE *o = vo;                                                                                                  \
        ANY_ORDER for (int64_t i = 0; i < n; i++) {                                                                    \
            const TYPE x = s * (t * v[i]), c = w[i];                                                                   \
            o[i] = expression;                                                                                         \
        }                                                                                                              \
    }                                                                                                                  \
    static void name(int64_t n, const void *va, const void *vb, const void *vc, void *vo) {                            \
        const TYPE *v = va, *w = vc, s = *(const TYPE *)vb;                                                            \
        TYPE *o = vo;                                                                                                  \
        ANY_ORDER for (int64_t i = 0; i < n; i++) {                                                                    \
            const TYPE x = s * v[i], c = w[i];                                                                         \
            o[i] = expression;                                                                                         \
        }                                                                                                              \
    }
MULTIPLY_ADD(plus_f32, float, c + x)
MULTIPLY_ADD(minus_f32, float, c - x)
MULTIPLY_ADD(from_f32, float, x - c)
MULTIPLY_ADD(plus_f64, double, c + x)
MULTIPLY_ADD(minus_f64, double, c - x)
MULTIPLY_ADD(from_f64, double, x - c)

/* ---- reductions: LANES partial results, combined pairwise: a fixed order that vectorises ----------------------- */

enum { LANES = 32, FEW = 8 };

/* Vectors of the compiler's own, as wide as the registers: wider ones it keeps in memory.  They may stand at any address. */
#if defined(__AVX512F__)
enum { REGISTER = 64, ABREAST_ROWS = 4 };
#elif defined(__AVX__)
enum { REGISTER = 32, ABREAST_ROWS = 2 };
#else
enum { REGISTER = 16, ABREAST_ROWS = 1 };
#endif
enum { PARTS = 128 / REGISTER }; /* the sum of a row is in 128 bytes of lanes on every processor: equal bits */
typedef double wide_f64 __attribute__((vector_size(REGISTER), aligned(8)));
typedef float wide_f32 __attribute__((vector_size(REGISTER), aligned(4)));
typedef int32_t wide_i32 __attribute__((vector_size(REGISTER), aligned(4)));
typedef int64_t mask_f64 __attribute__((vector_size(REGISTER)));
typedef int32_t mask_f32 __attribute__((vector_size(REGISTER))), mask_i32 __attribute__((vector_size(REGISTER)));

/* Lanes of a number that the compiler knows, in loops that it unrolls: an array that it doesn't is kept in memory, and what was written
 * there in halves is waited for when it is read whole. */
#define UNROLL           _Pragma("GCC unroll 32")
#define HALVE(of, width) UNROLL for (int k = 0; k < width; k++) of(lane[k], lane[k + width])
#define SUM_LANES(a, b)  a += b
#define MAX_LANES(a, b)  a = a > b || a != a ? a : b

/* Registers first, while there is more than one. */
#define FOLD(of, v, parts)                                                                                             \
    do {                                                                                                               \
        if (parts > 8) UNROLL for (int p = 0; p < 8; p++) of(v[p], v[p + 8]);                                          \
        if (parts > 4) UNROLL for (int p = 0; p < 4; p++) of(v[p], v[p + 4]);                                          \
        if (parts > 2) UNROLL for (int p = 0; p < 2; p++) of(v[p], v[p + 2]);                                          \
        of(v[0], v[1]);                                                                                                \
    } while (0)

enum { DOUBLES = REGISTER / 8, SUMS = LANES / DOUBLES };

static inline double sum_of_lanes(wide_f64 s[SUMS]) {
    double lane[DOUBLES];
    FOLD(SUM_LANES, s, SUMS);
    memcpy(lane, s, sizeof lane);
    if (DOUBLES > 4) HALVE(SUM_LANES, DOUBLES / 2);
    if (DOUBLES > 2) HALVE(SUM_LANES, 2);
    HALVE(SUM_LANES, 1);
    return lane[0];
}

/* The larger, or what isn't a number. */
#define MAX_REGISTERS(suffix)                                                                                          \
    static inline wide_##suffix max_registers_##suffix(wide_##suffix a, wide_##suffix b) {                             \
        const mask_##suffix first = (a > b) | (a != a);                                                                \
        return (wide_##suffix)((first & (mask_##suffix)a) | (~first & (mask_##suffix)b));                              \
    }
MAX_REGISTERS(f32)
MAX_REGISTERS(f64)
MAX_REGISTERS(i32)
#define MAX_INTO_f32(a, b) a = max_registers_f32(a, b)
#define MAX_INTO_f64(a, b) a = max_registers_f64(a, b)
#define MAX_INTO_i32(a, b) a = max_registers_i32(a, b)

#define REDUCTIONS(suffix, TYPE)                                                                                       \
    typedef TYPE doubles_of_##suffix __attribute__((vector_size(DOUBLES * sizeof(TYPE)), aligned(sizeof(TYPE))));      \
    static void sum_##suffix(int64_t n, const void *vv, double *acc) {                                                 \
        const TYPE *v = vv;                                                                                            \
        if (n <= FEW) { /* the other lanes would be zeros */                                                           \
            double lane[FEW] = { 0 };                                                                                  \
            for (int64_t i = 0; i < n; i++) lane[i] = (double)v[i];                                                    \
            HALVE(SUM_LANES, 4);                                                                                       \
            HALVE(SUM_LANES, 2);                                                                                       \
            HALVE(SUM_LANES, 1);                                                                                       \
            *acc += lane[0];                                                                                           \
            return;                                                                                                    \
        }                                                                                                              \
        wide_f64 s[SUMS];                                                                                              \
        UNROLL for (int p = 0; p < SUMS; p++) s[p] = (wide_f64){ 0 };                                                  \
        int64_t i = 0;                                                                                                 \
        for (; i + LANES <= n; i += LANES)                                                                             \
            UNROLL for (int p = 0; p < SUMS; p++) s[p] +=                                                              \
                __builtin_convertvector(*(const doubles_of_##suffix *)(v + i + p * DOUBLES), wide_f64);                \
        if (i < n) {                                                                                                   \
            double lane[LANES];                                                                                        \
            memcpy(lane, s, sizeof lane);                                                                              \
            for (int k = 0; i < n; i++, k++) lane[k] += (double)v[i];                                                  \
            memcpy(s, lane, sizeof lane);                                                                              \
        }                                                                                                              \
        *acc += sum_of_lanes(s);                                                                                       \
    }                                                                                                                  \
    static void max_##suffix(int64_t n, const void *vv, double *acc) {                                                 \
        enum { ONE = REGISTER / sizeof(TYPE), REGISTERS = LANES / ONE };                                               \
        const TYPE *v = vv;                                                                                            \
        double best = *acc;                                                                                            \
        int64_t i = 0;                                                                                                 \
        if (n >= LANES) {                                                                                              \
            wide_##suffix m[REGISTERS];                                                                                \
            TYPE lane[ONE];                                                                                            \
            UNROLL for (int p = 0; p < REGISTERS; p++) m[p] = *(const wide_##suffix *)(v + p * ONE);                   \
            for (i = LANES; i + LANES <= n; i += LANES)                                                                \
                UNROLL for (int p = 0; p < REGISTERS; p++) m[p] =                                                      \
                    max_registers_##suffix(m[p], *(const wide_##suffix *)(v + i + p * ONE));                           \
            FOLD(MAX_INTO_##suffix, m, REGISTERS);                                                                     \
            memcpy(lane, m, sizeof lane);                                                                              \
            if (ONE > 8) HALVE(MAX_LANES, 8);                                                                          \
            if (ONE > 4) HALVE(MAX_LANES, 4);                                                                          \
            if (ONE > 2) HALVE(MAX_LANES, 2);                                                                          \
            HALVE(MAX_LANES, 1);                                                                                       \
            best = best > (double)lane[0] || best != best ? best : (double)lane[0];                                    \
        }                                                                                                              \
        for (; i < n; i++) best = best > (double)v[i] || best != best ? best : (double)v[i];                           \
        *acc = best;                                                                                                   \
    }                                                                                                                  \
    static void sum_rows_##suffix(int64_t rows, int64_t columns, const void *vv, double *acc, int64_t stride) {        \
        const TYPE *v = vv;                                                                                            \
        for (int64_t k = 0; k < columns; k++)                                                                          \
            ANY_ORDER for (int64_t i = 0; i < rows; i++) acc[i * stride] += (double)v[i * columns + k];                \
    }                                                                                                                  \
    static void max_rows_##suffix(int64_t rows, int64_t columns, const void *vv, double *acc, int64_t stride) {        \
        const TYPE *v = vv;                                                                                            \
        for (int64_t k = 0; k < columns; k++) ANY_ORDER for (int64_t i = 0; i < rows; i++) {                           \
                const double a = acc[i * stride], b = (double)v[i * columns + k];                                      \
                acc[i * stride] = a > b || a != a ? a : b;                                                             \
            }                                                                                                          \
    }                                                                                                                  \
    static void add_##suffix(int64_t n, const void *vv, double *acc) {                                                 \
        const TYPE *v = vv;                                                                                            \
        ANY_ORDER for (int64_t i = 0; i < n; i++) acc[i] += (double)v[i];                                              \
    }                                                                                                                  \
    static void raise_##suffix(int64_t n, const void *vv, double *acc) {                                               \
        const TYPE *v = vv;                                                                                            \
        ANY_ORDER for (int64_t i = 0; i < n; i++) {                                                                    \
            const double a = acc[i], b = (double)v[i];                                                                 \
            acc[i] = a > b || a != a ? a : b;                                                                          \
        }                                                                                                              \
    }
REDUCTIONS(f32, float)
REDUCTIONS(f64, double)
REDUCTIONS(i32, int32_t)

static void finish_f32(int64_t n, const double *acc, void *out) {
    for (int64_t i = 0; i < n; i++) ((float *)out)[i] = (float)acc[i];
}
static void finish_f64(int64_t n, const double *acc, void *out) { memcpy(out, acc, (size_t)n * sizeof *acc); }
/* whole numbers below 2^53 are exact in the accumulator; what is beyond i32 wraps; the maximum over nothing is
 * INT32_MIN */
static void finish_i32(int64_t n, const double *acc, void *out) {
    for (int64_t i = 0; i < n; i++)
        ((int32_t *)out)[i] = acc[i] == (double)-INFINITY ? INT32_MIN : (int32_t)(uint32_t)(uint64_t)(int64_t)acc[i];
}

/* ---- matrix times vector --------------------------------------------------------------------------------------- */

/* y[i] = a[i, :] . x, in 2 W lanes, added pairwise at the end.  Rows go some abreast, to read x once, as many as
 * registers have room for. */
#define GEMV(suffix, TYPE, W)                                                                                          \
    static inline TYPE lanes_##suffix(const wide_##suffix *v) {                                                        \
        TYPE lane[2 * W];                                                                                              \
        memcpy(lane, v, sizeof lane);                                                                                  \
        if (W > 8) HALVE(SUM_LANES, W);                                                                                \
        HALVE(SUM_LANES, 8);                                                                                           \
        HALVE(SUM_LANES, 4);                                                                                           \
        HALVE(SUM_LANES, 2);                                                                                           \
        HALVE(SUM_LANES, 1);                                                                                           \
        return lane[0];                                                                                                \
    }                                                                                                                  \
    FUSED_MULTIPLY_ADD static inline void dots_##suffix(int rows, int64_t n, const TYPE *a, int64_t lda,               \
                                                        const TYPE *x, TYPE *y) {                                      \
        enum { STEP = REGISTER / sizeof(TYPE) };                                                                       \
        wide_##suffix s[ABREAST_ROWS][PARTS];                                                                          \
        _Pragma("GCC unroll 4") for (int r = 0; r < rows; r++) _Pragma("GCC unroll 8") for (int p = 0; p < PARTS; p++) \
            s[r][p] = (wide_##suffix){ 0 };                                                                            \
        int64_t k = 0;                                                                                                 \
        for (; k + 2 * W <= n; k += 2 * W) _Pragma("GCC unroll 8") for (int p = 0; p < PARTS; p++) {                   \
                const wide_##suffix part = *(const wide_##suffix *)(x + k + p * STEP);                                 \
                _Pragma("GCC unroll 4") for (int r = 0; r < rows; r++) s[r][p] +=                                      \
                    *(const wide_##suffix *)(a + r * lda + k + p * STEP) * part;                                       \
            }                                                                                                          \
        for (int r = 0; r < rows; r++) {                                                                               \
            TYPE sum = lanes_##suffix(s[r]);                                                                           \
            for (int64_t i = k; i < n; i++) sum += a[r * lda + i] * x[i];                                              \
            y[r] = sum;                                                                                                \
        }                                                                                                              \
    }                                                                                                                  \
    FUSED_MULTIPLY_ADD static void gemv_rows_##suffix(int64_t m, int64_t n, const TYPE *a, int64_t lda, const TYPE *x, \
                                                      TYPE *y) {                                                       \
        int64_t i = 0;                                                                                                 \
        for (; i + ABREAST_ROWS <= m; i += ABREAST_ROWS) dots_##suffix(ABREAST_ROWS, n, a + i * lda, lda, x, y + i);   \
        for (; i < m; i++) dots_##suffix(1, n, a + i * lda, lda, x, y + i);                                            \
    }                                                                                                                  \
    FUSED_MULTIPLY_ADD static void gemv_columns_##suffix(int64_t m, int64_t n, const TYPE *a, int64_t lda,             \
                                                         const TYPE *x, int64_t incx, TYPE *y) {                       \
        for (int64_t j = 0; j < n; j++) y[j] = 0;                                                                      \
        int64_t i = 0;                                                                                                 \
        for (; i + 4 <= m; i += 4) {                                                                                   \
            const TYPE *r = a + i * lda;                                                                               \
            const TYPE x0 = x[i * incx], x1 = x[(i + 1) * incx], x2 = x[(i + 2) * incx], x3 = x[(i + 3) * incx];       \
            ANY_ORDER for (int64_t j = 0; j < n; j++) y[j] +=                                                          \
                (x0 * r[j] + x1 * r[j + lda]) + (x2 * r[j + 2 * lda] + x3 * r[j + 3 * lda]);                           \
        }                                                                                                              \
        for (; i < m; i++) {                                                                                           \
            const TYPE *r = a + i * lda;                                                                               \
            const TYPE x0 = x[i * incx];                                                                               \
            ANY_ORDER for (int64_t j = 0; j < n; j++) y[j] += x0 * r[j];                                               \
        }                                                                                                              \
    }
GEMV(f32, float, 16)
GEMV(f64, double, 8)

/* ---- Philox 4x32-10 (Salmon et al. 2011), many blocks abreast; a test holds it to Random123's ------------------ */

enum { ABREAST = 64 };

/* 64-bit lanes of which the low halves count: their product is one instruction, which no compiler finds by itself. */
typedef uint64_t wide_u64 __attribute__((vector_size(REGISTER), aligned(8)));

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

/* w[k][i] = word k of block `block + i`, under bits of no meaning. */
static void philox(const uint32_t key[4], uint64_t block, uint64_t w[4][ABREAST]) {
    enum { STEP = REGISTER / 8, SETS = 2 }; /* sets of registers that take turns: a round waits for its products */
    for (int k = 0; k < ABREAST; k++) w[0][k] = block + (uint64_t)k;
    for (int at = 0; at < ABREAST; at += SETS * STEP) {
        wide_u64 c[SETS][4];
        for (int i = 0; i < SETS; i++) {
            c[i][0] = *(const wide_u64 *)(w[0] + at + i * STEP);
            c[i][1] = c[i][0] >> 32;
            c[i][2] = (wide_u64){ 0 } + key[2];
            c[i][3] = (wide_u64){ 0 } + key[3];
        }
        uint32_t k0 = key[0], k1 = key[1];
        for (int round = 0; round < 10; round++) {
            for (int i = 0; i < SETS; i++) {
                const wide_u64 p = product_of_halves(c[i][0], (wide_u64){ 0 } + 0xD2511F53u);
                const wide_u64 q = product_of_halves(c[i][2], (wide_u64){ 0 } + 0xCD9E8D57u);
                c[i][0] = (q >> 32) ^ c[i][1] ^ k0, c[i][2] = (p >> 32) ^ c[i][3] ^ k1, c[i][1] = q, c[i][3] = p;
            }
            k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
        }
        for (int i = 0; i < SETS; i++)
            for (int k = 0; k < 4; k++) *(wide_u64 *)(w[k] + at + i * STEP) = c[i][k];
    }
}

/* u[i] = (64-bit draw >> 11) 2^-53 of two words: the halves become, exactly, the low bits of 2^52 and of 2^84. */
static void uniforms(const uint64_t low[ABREAST], const uint64_t high[ABREAST], double u[ABREAST]) {
    for (int at = 0; at < ABREAST; at += REGISTER / 8) {
        const wide_u64 l = *(const wide_u64 *)(low + at), h = *(const wide_u64 *)(high + at);
        const wide_u64 x = (h << 32 | (l & UINT32_MAX)) >> 11;
        const wide_f64 a = (wide_f64)((x & UINT32_MAX) | 0x4330000000000000u) - 0x1p52;
        const wide_f64 b = (wide_f64)(x >> 32 | 0x4530000000000000u) - 0x1p84;
        *(wide_f64 *)(u + at) = (a + b) * 0x1p-53;
    }
}

#define TWO_PI 6.283185307179586476925286766559

/* sin and cos of 2 pi t, 0 <= t < 1.  t = q/4 + s with |s| <= 1/8 exactly; with x = 2 pi s, |x| <= pi/4, the Taylor
 * series to x^15 and x^16 err by less than 1e-17 of the value; q turns them by quarter circles.  Half the work of two
 * calls that reduce any argument. */
static inline void sin_cos_turn(double t, double *sine, double *cosine) {
    const double q = floor(4.0 * t + 0.5), x = TWO_PI * (t - 0.25 * q), z = x * x;
    const double p = -7.6471637318198164759e-13,
                 s = x +
                     x * z *
                         (-1.6666666666666666667e-1 +
                          z * (8.3333333333333333333e-3 +
                               z * (-1.9841269841269841270e-4 +
                                    z * (2.7557319223985890653e-6 +
                                         z * (-2.5052108385441718775e-8 + z * (1.6059043836821614599e-10 + z * p))))));
    const double c = 1.0 - 0.5 * z +
                     z * z *
                         (4.1666666666666666667e-2 +
                          z * (-1.3888888888888888889e-3 +
                               z * (2.4801587301587301587e-5 +
                                    z * (-2.7557319223985890653e-7 +
                                         z * (2.0876756987868098979e-9 +
                                              z * (-1.1470745597729724714e-11 + z * 4.7794773323873852974e-14))))));
    const double odd = q == 1.0 || q == 3.0 ? 1.0 : 0.0;
    const double a = odd != 0.0 ? c : s, b = odd != 0.0 ? s : c;
    *sine = q == 2.0 || q == 3.0 ? -a : a;
    *cosine = q == 1.0 || q == 2.0 ? -b : b;
}

/* A block gives two 64-bit uniforms, so one Box-Muller pair: elements 2 b and 2 b + 1. */
FUSED_MULTIPLY_ADD static void normal_f64(const uint32_t key[4], uint64_t first, int64_t n, double *out) {
    uint64_t w[4][ABREAST];
    double r[ABREAST], turn[ABREAST], c[ABREAST], s[ABREAST];
    for (int64_t at = 0; at < n; at += 2 * ABREAST) {
        philox(key, (first + (uint64_t)at) / 2, w);
        uniforms(w[0], w[1], r);
        uniforms(w[2], w[3], turn);
        for (int i = 0; i < ABREAST; i++) r[i] = sqrt(-2.0 * log(1.0 - r[i]));
        for (int i = 0; i < ABREAST; i++) sin_cos_turn(turn[i], &s[i], &c[i]);
        const int64_t pairs = n - at >= 2 * ABREAST ? ABREAST : (n - at) / 2;
        for (int64_t i = 0; i < pairs; i++) out[at + 2 * i] = r[i] * c[i], out[at + 2 * i + 1] = r[i] * s[i];
        if (pairs < ABREAST && (n - at) % 2) out[at + 2 * pairs] = r[pairs] * c[pairs];
    }
}

/* A block gives four 32-bit uniforms, so two pairs: elements 4 b to 4 b + 3. */
static void normal_f32(const uint32_t key[4], uint64_t first, int64_t n, float *out) {
    uint64_t w[4][ABREAST];
    float r[2][ABREAST], angle[2][ABREAST], c[2][ABREAST], s[2][ABREAST], z[4 * ABREAST];
    for (int64_t at = 0; at < n; at += 4 * ABREAST) {
        philox(key, (first + (uint64_t)at) / 4, w);
        for (int p = 0; p < 2; p++) {
            for (int i = 0; i < ABREAST; i++) {
                r[p][i] = 1.0f - (float)(int32_t)((uint32_t)w[2 * p][i] >> 8) * 0x1p-24f;
                angle[p][i] = (float)TWO_PI * ((float)(int32_t)((uint32_t)w[2 * p + 1][i] >> 8) * 0x1p-24f);
            }
            for (int i = 0; i < ABREAST; i++) r[p][i] = sqrtf(-2.0f * logf(r[p][i]));
            for (int i = 0; i < ABREAST; i++) c[p][i] = cosf(angle[p][i]);
            for (int i = 0; i < ABREAST; i++) s[p][i] = sinf(angle[p][i]);
        }
        for (int i = 0; i < ABREAST; i++) {
            z[4 * i] = r[0][i] * c[0][i], z[4 * i + 1] = r[0][i] * s[0][i];
            z[4 * i + 2] = r[1][i] * c[1][i], z[4 * i + 3] = r[1][i] * s[1][i];
        }
        const int64_t take = n - at >= 4 * ABREAST ? 4 * ABREAST : n - at;
        memcpy(out + at, z, (size_t)take * sizeof *z);
    }
}

/* ---- the table ------------------------------------------------------------------------------------------------- */

#define ENTRY_1(p, name)                                                                                               \
    { p##_##name, NULL, NULL }
#define ENTRY_2(p, name)                                                                                               \
    { p##_##name##_vv, p##_##name##_vs, p##_##name##_sv }

const orr_cpu_kernels ORR_KERNELS = {
    .name = TEXT(ORR_KERNELS),
    .elementwise = {
#define ORR_SCALAR_FLOAT(name, arity, expression)                                                                      \
    [ORR_OP_##name][ORR_F32] = ENTRY_##arity(f32, name), [ORR_OP_##name][ORR_F64] = ENTRY_##arity(f64, name),
#define ORR_SCALAR_INT(name, arity, expression)  [ORR_OP_##name][ORR_I32] = ENTRY_##arity(i32, name),
#define ORR_SCALAR_BOOL(name, arity, expression) [ORR_OP_##name][ORR_BOOL] = ENTRY_##arity(bool, name),
#define ORR_SCALAR_COMPARE(name, expression)                                                                           \
    [ORR_OP_##name][ORR_F32] = ENTRY_2(f32, name), [ORR_OP_##name][ORR_F64] = ENTRY_2(f64, name),                      \
    [ORR_OP_##name][ORR_I32] = ENTRY_2(i32, name),
#include "device/scalar.def"
        [ORR_OP_eq][ORR_BOOL] = ENTRY_2(bool, eq),
        [ORR_OP_is_finite][ORR_F32] = ENTRY_1(f32, is_finite),
        [ORR_OP_is_finite][ORR_F64] = ENTRY_1(f64, is_finite),
        [ORR_OP_stop][ORR_F32] = ENTRY_1(f32, stop),
        [ORR_OP_stop][ORR_F64] = ENTRY_1(f64, stop),
        [ORR_OP_stop][ORR_I32] = ENTRY_1(i32, stop),
        [ORR_OP_stop][ORR_BOOL] = ENTRY_1(bool, stop),
    },
    .multiply_add = { { plus_f32, minus_f32, from_f32 }, { plus_f64, minus_f64, from_f64 } },
    .multiply_twice_add = { { twice_plus_f32, twice_minus_f32, twice_from_f32 },
                            { twice_plus_f64, twice_minus_f64, twice_from_f64 } },
    .cast = {
        [ORR_F32] = { f32_stop, cast_f32_f64, cast_f32_i32, cast_f32_bool },
        [ORR_F64] = { cast_f64_f32, f64_stop, cast_f64_i32, cast_f64_bool },
        [ORR_I32] = { cast_i32_f32, cast_i32_f64, i32_stop, cast_i32_bool },
        [ORR_BOOL] = { cast_bool_f32, cast_bool_f64, cast_bool_i32, bool_stop },
    },
    .select = { select_f32, select_f64, select_i32, select_bool },
    .splat = { splat_select_f32, splat_select_f64, splat_select_i32, splat_select_bool },
    .gather = { gather_select_f32, gather_select_f64, gather_select_i32, gather_select_bool },
    .reduce = { { sum_f32, sum_f64, sum_i32, NULL }, { max_f32, max_f64, max_i32, NULL } },
    .reduce_rows = { { sum_rows_f32, sum_rows_f64, sum_rows_i32, NULL }, { max_rows_f32, max_rows_f64, max_rows_i32, NULL } },
    .accumulate = { { add_f32, add_f64, add_i32, NULL }, { raise_f32, raise_f64, raise_i32, NULL } },
    .finish = { finish_f32, finish_f64, finish_i32, NULL },
    .gemv_rows_f32 = gemv_rows_f32,
    .gemv_rows_f64 = gemv_rows_f64,
    .gemv_columns_f32 = gemv_columns_f32,
    .gemv_columns_f64 = gemv_columns_f64,
    .normal_f64 = normal_f64,
    .normal_f32 = normal_f32,
};
