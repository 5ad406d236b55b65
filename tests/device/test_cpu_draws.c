/* Normal draws by vectors: of every instruction set they are those of base/random.h, up to the last places of log, cos and sin. */
#include "device/cpu/draws.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "simd/simd.h"
#include "testing.h"

enum { N = 1500 };

static const orr_key stream = { .seed = 0x89abcdef01234567u, .purpose = ORR_PURPOSE_TEST, .step = 3 };
static const uint32_t key[4] = { 0x01234567u, 0x89abcdefu, ORR_PURPOSE_TEST, 3 };
static const uint64_t starts[] = { 0, 4, 252, ((uint64_t)1 << 34) - 8 }; /* the last: blocks that need 64 bits */

/* Those that this processor runs. */
static int tables(const orr_cpu_draws *out[ORR_SIMD_LEVELS]) {
    int n = 0;
    out[n++] = &orr_cpu_draws_base;
#if defined(ORR_X86_LEVELS)
    if (orr_simd_choose() >= ORR_SIMD_V3) out[n++] = &orr_cpu_draws_v3;
    if (orr_simd_choose() >= ORR_SIMD_V4) out[n++] = &orr_cpu_draws_v4;
#endif
    return n;
}

static void they_are_the_draws_of_the_stream(void **state) {
    const orr_cpu_draws *d[ORR_SIMD_LEVELS];
    double x[N], x_star[N];
    float y[N], y_star[N];
    (void)state;
    for (int t = tables(d) - 1; t >= 0; t--)
        for (size_t s = 0; s < sizeof starts / sizeof starts[0]; s++) {
            orr_random_fill_normal(stream, starts[s], N, x_star);
            orr_random_fill_normal_f32(stream, starts[s], N, y_star);
            d[t]->normal_f64(key, starts[s], N, x);
            d[t]->normal_f32(key, starts[s], N, y);
            for (int i = 0; i < N; i++) {
                assert_true(fabs(x[i] - x_star[i]) <= 1e-14);
                assert_true(fabsf(y[i] - y_star[i]) <= 1e-5f);
            }
        }
}

/* Each factor is rounded a few times, none cancels: 4 units in the last place. */
static void normals_are_those_of_long_double(void **state) {
    const orr_cpu_draws *draws[ORR_SIMD_LEVELS];
    double u[N], z[N];
    (void)state;
    for (int t = tables(draws) - 1; t >= 0; t--)
        for (uint32_t step = 0; step < 300; step++) {
            const uint32_t word[4] = { key[0], key[1], key[2], step };
            const uint64_t first = 4 * (uint64_t)step * step;
            orr_random_fill_uniform((orr_key){ .seed = stream.seed, .purpose = stream.purpose, .step = step }, first, N,
                                    u);
            draws[t]->normal_f64(word, first, N, z);
            for (int i = 0; i < N; i++) {
                const long double v = 4 * (long double)u[i | 1], q = roundl(v),
                                  turn = (v - q) * 1.57079632679489661923L;
                const long double r = sqrtl(-2 * log1pl(-(long double)u[i & ~1]));
                const int quarter = ((int)q + (i % 2 ? 0 : 1)) & 3; /* cos t = sin (t + 1 quarter) */
                const long double part = quarter % 2 ? cosl(turn) : sinl(turn),
                                  exact = r * (quarter > 1 ? -part : part);
                if (!(fabsl((long double)z[i] - exact) <= 4 * (long double)DBL_EPSILON / 2 * fabsl(exact)))
                    fail_msg("table %d, step %u: element %d is %.17g, expected %.17Lg", t, step, i, z[i], exact);
            }
        }
}

/* The bits of an element don't depend on which others are drawn with it. */
static void any_run_of_a_stream_has_the_same_bits(void **state) {
    const orr_cpu_draws *d[ORR_SIMD_LEVELS];
    double x[N], part[N + 1];
    float y[N], part_f32[N + 1];
    (void)state;
    for (int t = tables(d) - 1; t >= 0; t--) {
        d[t]->normal_f64(key, 0, N, x);
        d[t]->normal_f32(key, 0, N, y);
        for (int first = 0; first < N; first += 4)
            for (int n = 0; n <= N - first; n += 1 + n / 3) {
                part[n] = 7.0, part_f32[n] = 7.0f; /* what lies behind is left as it is */
                d[t]->normal_f64(key, (uint64_t)first, n, part);
                d[t]->normal_f32(key, (uint64_t)first, n, part_f32);
                assert_memory_equal(part, x + first, (size_t)n * sizeof *x);
                assert_memory_equal(part_f32, y + first, (size_t)n * sizeof *y);
                assert_true(part[n] == 7.0 && part_f32[n] == 7.0f);
            }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_are_the_draws_of_the_stream),
        cmocka_unit_test(normals_are_those_of_long_double),
        cmocka_unit_test(any_run_of_a_stream_has_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
