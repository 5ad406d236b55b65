/* Loops over tiles, compiled once for each instruction set (kernels.c) and chosen when a program is compiled. */
#ifndef ORR_DEVICE_CPU_KERNELS_H
#define ORR_DEVICE_CPU_KERNELS_H

#include "device/primitive.h"

/* out[i] = f(a[i], b[i], c[i]), 0 <= i < n; a scalar operand is read once.  out may be an operand, or apart from all.
 */
typedef void orr_tile_kernel(int64_t n, const void *a, const void *b, const void *c, void *out);

enum { ORR_VV, ORR_VS, ORR_SV, ORR_VARIANTS }; /* which operand is a scalar */

typedef struct orr_cpu_kernels {
    const char *name;
    orr_tile_kernel
        *elementwise[ORR_OP_COUNT][4][ORR_VARIANTS]; /* by dtype of the operands; NULL where there is none */
    orr_tile_kernel *multiply_add[2][3]; /* f32, f64: c + s v, c - s v, s v - c as (v, s, c); each operation rounds */
    orr_tile_kernel *multiply_twice_add[2][3]; /* the same with s (t v) for s v, as (v, s and t, c) */
    orr_tile_kernel *cast[4][4];               /* from, to */
    orr_tile_kernel *select[4];                /* a is the condition */
    orr_tile_kernel *splat[4];                 /* out[i] = a[0] */
    /* out[i] = a[i stride], i < n */
    void (*gather[4])(int64_t n, int64_t stride, const void *a, void *out);
    /* acc[0] += sum of v[i] or acc[0] = max(acc[0], v[i]), in a fixed order */
    void (*reduce[2][4])(int64_t n, const void *v, double *acc);
    /* The same for rows of few columns: acc[i stride] takes v[i columns], ..., v[i columns + columns - 1] in that order
     */
    void (*reduce_rows[2][4])(int64_t rows, int64_t columns, const void *v, double *acc, int64_t stride);
    /* acc[i] += v[i] or acc[i] = max(acc[i], v[i]) */
    void (*accumulate[2][4])(int64_t n, const void *v, double *acc);
    /* out[i] = acc[i] in the dtype */
    void (*finish[4])(int64_t n, const double *acc, void *out);
    /* y[i] = alpha sum over k of a[i lda + k] x[k] (+ y[i]); a row-major, m x n */
    void (*gemv_rows_f32)(int64_t m, int64_t n, const float *a, int64_t lda, const float *x, float *y);
    void (*gemv_rows_f64)(int64_t m, int64_t n, const double *a, int64_t lda, const double *x, double *y);
    /* y[j] = sum over i of x[i] a[i lda + j]; a row-major, m x n */
    void (*gemv_columns_f32)(int64_t m, int64_t n, const float *a, int64_t lda, const float *x, int64_t incx, float *y);
    void (*gemv_columns_f64)(int64_t m, int64_t n, const double *a, int64_t lda, const double *x, int64_t incx,
                             double *y);
} orr_cpu_kernels;

/* The best set that this processor runs. */
const orr_cpu_kernels *orr_cpu_kernels_choose(void);

extern const orr_cpu_kernels orr_cpu_kernels_base;
#if defined(ORR_X86_LEVELS)
extern const orr_cpu_kernels orr_cpu_kernels_v3;
extern const orr_cpu_kernels orr_cpu_kernels_v4;
#endif

#endif
