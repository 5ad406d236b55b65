#include "testing.h"

#include "base/utf8.h"

static void every_code_point_decodes_to_itself(void **state) {
    (void)state;
    for (uint32_t code = 0; code <= 0x10ffff; code++) {
        unsigned char bytes[ORR_UTF8_MAX];
        uint32_t back = 0;
        if (code == 0xd800) code = 0xe000; /* the surrogates are none */
        const int n = orr_utf8_encode(code, bytes);
        if (orr_utf8_decode(bytes, (size_t)n, &back) != n || back != code) fail_msg("U+%04X", code);
        if (n > 1 && orr_utf8_decode(bytes, (size_t)n - 1, &back) != 0) fail_msg("U+%04X, cut", code);
    }
}

static void what_is_not_utf8_is_told(void **state) {
    static const char *const wrong[] = { "\x80",
                                         "\xbf",
                                         "\xc0\xaf",
                                         "\xc1\xbf",
                                         "\xc3(",
                                         "\xe0\x9f\xbf",
                                         "\xed\xa0\x80",
                                         "\xed\xbf\xbf",
                                         "\xf0\x8f\xbf\xbf",
                                         "\xf4\x90\x80\x80",
                                         "\xf8\x88\x80\x80\x80",
                                         "\xff",
                                         "\xe2\x82" };
    (void)state;
    uint32_t code;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(orr_utf8_decode(wrong[i], strlen(wrong[i]), &code), 0);
    assert_int_equal(orr_utf8_decode("", 0, &code), 0);
}

static void an_excerpt_is_one_short_line(void **state) {
    (void)state;
    assert_string_equal(orr_excerpt_of("a\n\r\t\x1b[0m\x7f\xff", 10).text, "a\\n\\r\\t\\x1b[0m\\x7f\\xff");
    assert_string_equal(orr_excerpt_of("caf\xc3\xa9", 5).text, "caf\xc3\xa9");
    assert_string_equal(orr_excerpt_of("\xc2\x9b", 2).text, "\\xc2\\x9b"); /* a control character of C1 */
    assert_string_equal(orr_excerpt_of("\0", 1).text, "\\x00");
    char longest[200];
    memset(longest, 'x', sizeof longest);
    const orr_excerpt e = orr_excerpt_of(longest, sizeof longest);
    assert_int_equal(strlen(e.text), 43);
    assert_string_equal(e.text + 40, "...");
    assert_int_equal(strlen(orr_excerpt_of(longest, 40).text), 40);
    for (size_t i = 0; i + 4 <= sizeof longest; i += 4) memcpy(longest + i, "\xf0\x9d\x94\xb8", 4);
    assert_int_equal(strlen(orr_excerpt_of(longest, sizeof longest).text), 163);
    memset(longest, 1, sizeof longest);
    assert_int_equal(strlen(orr_excerpt_of(longest, sizeof longest).text), 163);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_decodes_to_itself),
        cmocka_unit_test(what_is_not_utf8_is_told),
        cmocka_unit_test(an_excerpt_is_one_short_line),
    };
    return cmocka_run_group_tests_name("base/utf8", tests, NULL, NULL);
}
