/* Loops that are written for registers: what they compute doesn't depend on how wide those are. */
#include "device/cpu/kernels.h"
#include "simd/simd.h"

#include <math.h>
#include <string.h>

#include "testing.h"

enum { LONGEST = 200, LANES = 32 };

/* Those that this processor runs. */
static int tables(const orr_cpu_kernels *out[ORR_SIMD_LEVELS]) {
    int n = 0;
    out[n++] = &orr_cpu_kernels_base;
#if defined(ORR_X86_LEVELS)
    if (orr_simd_choose() >= ORR_SIMD_V3) out[n++] = &orr_cpu_kernels_v3;
    if (orr_simd_choose() >= ORR_SIMD_V4) out[n++] = &orr_cpu_kernels_v4;
#endif
    return n;
}

typedef struct numbers {
    double exact[LONGEST]; /* as they are in every type */
    float f32[LONGEST];
    double f64[LONGEST];
    int32_t i32[LONGEST];
} numbers;

static const void *of_type(const numbers *x, orr_dtype dtype) {
    return dtype == ORR_F32 ? (const void *)x->f32 : dtype == ORR_F64 ? (const void *)x->f64 : (const void *)x->i32;
}

/* Of many magnitudes, so that another order of terms rounds otherwise; whole ones where the type is. */
static void fill(numbers *x, orr_dtype dtype) {
    for (int i = 0; i < LONGEST; i++) {
        const double sign = i % 3 ? 1.0 : -1.0, size = 1.0 + (double)(i * i * 7919 % 1009) / 1024.0;
        x->i32[i] = (int32_t)(sign * (double)(i * 104729 % 10007));
        x->f64[i] = sign * size * exp2((double)(i * 37 % 61));
        x->f32[i] = (float)x->f64[i];
        x->exact[i] = dtype == ORR_F32 ? (double)x->f32[i] : dtype == ORR_F64 ? x->f64[i] : (double)x->i32[i];
    }
}

/* Element i goes to lane i mod LANES; halves of the lanes are added until one is left. */
static double sum_by_lanes(int n, const double *x) {
    double lane[LANES] = { 0 };
    for (int i = 0; i < n; i++) lane[i % LANES] += x[i];
    for (int width = LANES / 2; width; width /= 2)
        for (int k = 0; k < width; k++) lane[k] += lane[k + width];
    return lane[0];
}

static void sums_have_the_order_that_is_promised(void **state) {
    const orr_cpu_kernels *k[ORR_SIMD_LEVELS];
    numbers x;
    (void)state;
    for (int t = tables(k) - 1; t >= 0; t--)
        for (orr_dtype dtype = ORR_F32; dtype <= ORR_I32; dtype++) {
            fill(&x, dtype);
            for (int n = 0; n <= LONGEST; n++) {
                double sum = 1.5;
                k[t]->reduce[0][dtype](n, of_type(&x, dtype), &sum);
                assert_true(sum == 1.5 + sum_by_lanes(n, x.exact));
            }
        }
}

static void maxima_find_the_largest_wherever_it_is(void **state) {
    const orr_cpu_kernels *k[ORR_SIMD_LEVELS];
    numbers x;
    (void)state;
    for (int t = tables(k) - 1; t >= 0; t--)
        for (orr_dtype dtype = ORR_F32; dtype <= ORR_I32; dtype++)
            for (int n = 1; n <= LONGEST; n++) {
                double best = (double)-INFINITY, largest = (double)-INFINITY;
                fill(&x, dtype);
                for (int i = 0; i < n; i++) largest = fmax(largest, x.exact[i]);
                k[t]->reduce[1][dtype](n, of_type(&x, dtype), &best);
                assert_true(best == largest);
            }
}

static void a_maximum_over_a_nan_is_one(void **state) {
    const orr_cpu_kernels *k[ORR_SIMD_LEVELS];
    numbers x;
    (void)state;
    for (int t = tables(k) - 1; t >= 0; t--)
        for (orr_dtype dtype = ORR_F32; dtype <= ORR_F64; dtype++)
            for (int n = 1; n <= 100; n++)
                for (int at = 0; at < n; at++) {
                    double best = (double)-INFINITY;
                    fill(&x, dtype);
                    x.f32[at] = NAN, x.f64[at] = (double)NAN;
                    k[t]->reduce[1][dtype](n, of_type(&x, dtype), &best);
                    assert_true(isnan(best));
                }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_have_the_order_that_is_promised),
        cmocka_unit_test(maxima_find_the_largest_wherever_it_is),
        cmocka_unit_test(a_maximum_over_a_nan_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
