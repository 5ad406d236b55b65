#define _POSIX_C_SOURCE 200809L
#include "testing.h"

#include <locale.h>
#include <stdio.h>

#include "base/number.h"

static double number(const char *text) {
    double x = (double)NAN;
    const char *expected = orr_number_read(text, strlen(text), &x);
    if (expected) fail_msg("\"%s\": expected %s", text, expected);
    return x;
}

static void decimal_numbers_read_as_the_nearest_double(void **state) {
    (void)state;
    /* the compiler's own reading of the same letters is the witness */
#define SAME(text) assert_true(number(#text) == (double)text)
    SAME(0);
    SAME(-1.5e3);
    SAME(+.5);
    SAME(7.);
    SAME(1e22);
    SAME(1e23);
    SAME(0.1);
    SAME(123456789012345678901234567890.);
    SAME(9007199254740993.);
    SAME(0.000000000000000000000000000123456789e+50);
    SAME(2.2250738585072011e-308);
    SAME(4.9406564584124654e-324);
    SAME(1.7976931348623157e308);
#undef SAME
    assert_true(signbit(number("-0")));
    assert_true(number("1e-999") == 0.0 && number("0e999999999999999999999") == 0.0);
    assert_true(isinf(number("inf")) && isinf(number("-Inf")) && number("-INF") < 0.0);
}

static void what_is_no_number_says_what_would_be(void **state) {
    static const char *const wrong[] = {
        "",    " 1",   "1 ",  "+",   ".",     "e5",       "1e",    "1e+",   "--1",
        "1,5", "0x10", "1d5", "nan", "1.2.3", "infinity", "1_000", "1e5.0", "\xc2\xb5"
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        double x;
        const char *expected = orr_number_read(wrong[i], strlen(wrong[i]), &x);
        if (!expected) fail_msg("\"%s\" is read as %g", wrong[i], x);
        assert_string_equal(expected, "a number such as -1.5e3");
    }
    double x;
    assert_non_null(strstr(orr_number_read("1e309", 5, &x), "1.8e308"));
}

/* 17 digits of any double give it back (IEEE 754); fewer go through the exact arithmetic of the short way. */
static void what_printf_writes_reads_back_to_the_bit(void **state) {
    (void)state;
    for (uint64_t i = 0; i < 20000; i++) {
        const uint64_t bits = (i + 1) * UINT64_C(0x9e3779b97f4a7c15) ^ (i << 40);
        char text[64];
        double x;
        memcpy(&x, &bits, sizeof x);
        if (!isfinite(x)) continue;
        (void)snprintf(text, sizeof text, "%.17g", x);
        if (number(text) != x) fail_msg("%s", text);
        (void)snprintf(text, sizeof text, "%.*g", (int)(i % 15) + 1, x);
        if (number(text) != strtod(text, NULL)) fail_msg("%s", text);
    }
}

static void the_locale_changes_nothing(void **state) {
    (void)state;
    static const char *const commas[] = { "de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "fr_FR" };
    bool found = false;
    for (size_t i = 0; i < 4 && !found; i++) found = setlocale(LC_NUMERIC, commas[i]) != NULL;
    assert_true(number("1234567890.0987654321") == 1234567890.0987654321);
    (void)setlocale(LC_NUMERIC, "C");
    if (!found) skip(); /* no locale with a comma is installed here */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimal_numbers_read_as_the_nearest_double),
        cmocka_unit_test(what_is_no_number_says_what_would_be),
        cmocka_unit_test(what_printf_writes_reads_back_to_the_bit),
        cmocka_unit_test(the_locale_changes_nothing),
    };
    return cmocka_run_group_tests_name("base/number", tests, NULL, NULL);
}
