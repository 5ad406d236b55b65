#include "simd/simd.h"

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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floats_are_transposed),
        cmocka_unit_test(doubles_are_transposed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
