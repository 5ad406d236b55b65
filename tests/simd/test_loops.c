#include "simd/simd.h"

#include <float.h>
#include <math.h>

#include "testing.h"

enum { MOST = 21, PITCH = 27, UNTOUCHED = -7 };

/* Every size to MOST: whole blocks of eight and of four, and what is left over; nothing beside the result is written. */
#define TRANSPOSES(name, TYPE, transpose)                                                                              \
    static void name(void **state) {                                                                                   \
        TYPE a[(MOST + 8) * PITCH], out[MOST * PITCH];                                                                 \
        (void)state;                                                                                                   \
        for (int64_t i = 0; i < (MOST + 8) * PITCH; i++) a[i] = (TYPE)i;                                               \
        for (int64_t m = 0; m <= MOST; m++)                                                                            \
            for (int64_t n = 0; n <= MOST; n++) {                                                                      \
                for (int64_t i = 0; i < MOST * PITCH; i++) out[i] = UNTOUCHED;                                         \
                orr_simd()->transpose(m, n, a, PITCH, out, PITCH);                                                     \
                for (int64_t j = 0; j < MOST; j++)                                                                     \
                    for (int64_t i = 0; i < PITCH; i++)                                                                \
                        assert_true(out[j * PITCH + i] == (i < m && j < n ? a[i * PITCH + j] : UNTOUCHED));            \
            }                                                                                                          \
    }
TRANSPOSES(floats_are_transposed, float, transpose_f32)
TRANSPOSES(doubles_are_transposed, double, transpose_f64)

/* e^{-rate d} from e^0 down to what underflows, of every length to MOST + 20, the same number wherever it stands; d^2 is exact here,
 * and its root and the product are rounded once each. */
static void exponentials_of_distances_are_those_of_long_double(void **state) {
    enum { LONGEST = MOST + 20 };
    const double rates[] = { 0.0, 1.0 / 28.0, 1.0, 3.7, 300.0 };
    (void)state;
    for (int n = 0; n <= LONGEST; n++)
        for (int r = 0; r < 10; r++) {
            const double rate = rates[r / 2], xx = 40.0;
            const bool squared = r % 2;
            double zz[LONGEST], x[LONGEST + 1];
            for (int j = 0; j < n; j++) zz[j] = (double)(j * 7 % 29), x[j] = 18.5 - (double)(j * 5 % 37) / 2.0;
            x[n] = UNTOUCHED;
            orr_simd()->exp_of_distance(n, squared, rate, xx, zz, x);
            assert_true(x[n] == UNTOUCHED);
            for (int j = 0; j < n; j++) {
                const double square = fmax(xx + zz[j] - 2.0 * (18.5 - (double)(j * 5 % 37) / 2.0), 0.0);
                const double exponent = -rate * (squared ? square : sqrt(square));
                const long double exact = expl((long double)exponent);
                const double unit = exact > (long double)DBL_MIN ? DBL_EPSILON * (double)exact : 0x1p-1074;
                assert_close(x[j], (double)exact, 1.5 * unit);
                if (exponent == 0.0) assert_true(x[j] == 1.0);
            }
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floats_are_transposed),
        cmocka_unit_test(doubles_are_transposed),
        cmocka_unit_test(exponentials_of_distances_are_those_of_long_double),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
