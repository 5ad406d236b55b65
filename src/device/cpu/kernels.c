/* Compiled once for each instruction set, with ORR_KERNELS naming the table: the loops vectorise by themselves, exp and
 * its kin through glibc's vector mathematics (libmvec, at most 4 units in the last place off). */
#include "device/cpu/kernels.h"

#include <string.h>

#include "simd/wide.h"

#ifndef ORR_KERNELS
#define ORR_KERNELS orr_cpu_kernels_base
#endif
#define TEXT_OF(x) #x
#define TEXT(x)    TEXT_OF(x)

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

enum {
    PARTS = 128 / REGISTER, /* the sum of a row is in 128 bytes of lanes on every processor: equal bits */
    ABREAST_ROWS = REGISTER / 16
};
/* Lanes of a number that the compiler knows, in loops that it unrolls: an array that it doesn't is kept in memory, and what was written
 * there in halves is waited for when it is read whole. */
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
};
