#include "testing.h"

#include "base/nearest.h"
#include "base/parameter.h"

static const orr_parameter table[] = {
    { "learning_rate", ORR_REAL, .range = "(0, inf)", .help = "eta" },
    { "momentum", ORR_REAL, .fallback = "0.9", .range = "[0, 1)" },
    { "n", ORR_INT, .fallback = "500", .range = "[1, 60000]" },
    { "bias", ORR_FLAG, .fallback = "true" },
    { "activation", ORR_CHOICE, .fallback = "tanh", .choices = "relu tanh erf" },
    { "widths", ORR_INTS, .fallback = "32 16", .range = "[1, inf)" },
    { "folder", ORR_TEXT, .fallback = "" },
    { 0 },
};

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

static const orr_parameter *row(const char *name) { return &table[orr_parameter_find(table, name)]; }

static orr_value taken(const char *name, const char *word) {
    orr_value value;
    const char *expected;
    if (!orr_parameter_read(arena, row(name), &word, 1, false, &value, &expected))
        fail_msg("%s: %s was refused, expected %s", name, word, expected);
    return value;
}

static void refused(const char *name, const char *word, const char *says) {
    orr_value value;
    const char *expected = "";
    if (orr_parameter_read(arena, row(name), &word, 1, false, &value, &expected))
        fail_msg("%s: %s was taken", name, word);
    assert_string_equal(expected, says);
}

static void fallbacks_are_read_as_a_user_would_write_them(void **state) {
    (void)state;
    int64_t n;
    const orr_settings s = { table, orr_parameter_fallbacks(arena, table) };
    assert_non_null(s.value);
    assert_close(orr_real(&s, "momentum"), 0.9, 0);
    assert_int_equal(orr_int(&s, "n"), 500);
    assert_close(orr_real(&s, "n"), 500, 0);
    assert_true(orr_flag(&s, "bias"));
    assert_string_equal(orr_text(&s, "activation"), "tanh");
    assert_string_equal(orr_text(&s, "folder"), "");
    const int64_t *widths = orr_ints(&s, "widths", &n);
    assert_int_equal(n, 2);
    assert_int_equal(widths[0], 32);
    assert_int_equal(widths[1], 16);
    assert_false(orr_settings_has(&s, "width"));
}

static void values_in_range_are_taken(void **state) {
    (void)state;
    assert_close(taken("learning_rate", "1e-3").real, 1e-3, 0);
    assert_close(taken("learning_rate", "2/30").real, 2.0 / 30.0, 0);
    assert_close(taken("momentum", "0").real, 0, 0);
    assert_int_equal(taken("n", "60000").integer, 60000);
    assert_int_equal(taken("activation", "erf").integer, 2);
    assert_false(taken("bias", "false").integer);
}

static void what_is_out_of_range_or_of_another_type_is_refused_with_what_would_do(void **state) {
    (void)state;
    refused("learning_rate", "0", "a number in (0, inf)");
    refused("learning_rate", "fast", "a number in (0, inf)");
    refused("learning_rate", "nan", "a number in (0, inf)");
    refused("learning_rate", "inf", "a number in (0, inf)");
    refused("learning_rate", "1/0", "a number in (0, inf)");
    refused("learning_rate", "0.1x", "a number in (0, inf)");
    refused("learning_rate", "", "a number in (0, inf)");
    refused("momentum", "1", "a number in [0, 1)");
    refused("n", "0", "a whole number in [1, 60000]");
    refused("n", "5.5", "a whole number in [1, 60000]");
    refused("n", "99999999999999999999", "a whole number in [1, 60000]");
    refused("activation", "tan", "one of: relu tanh erf");
    refused("activation", "", "one of: relu tanh erf");
    refused("bias", "yes", "true or false");
    refused("widths", "32", "a list of whole numbers, each in [1, inf)");
}

static void the_nearest_name_is_found_and_a_far_one_is_not(void **state) {
    (void)state;
    static const char *const names[] = { "learning_rate", "momentum", "width", "widths" };
    assert_string_equal(orr_nearest("learning_rat", names, 4), "learning_rate");
    assert_string_equal(orr_nearest("lerning-rate", names, 4), "learning_rate");
    assert_string_equal(orr_nearest("widht", names, 4), "width"); /* a swap is one edit */
    assert_null(orr_nearest("sharpness", names, 4));
    assert_null(orr_nearest("", names, 4));
    assert_null(orr_nearest("x", names, 0));
    char longer[200];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_null(orr_nearest(longer, names, 4));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fallbacks_are_read_as_a_user_would_write_them),
        cmocka_unit_test(values_in_range_are_taken),
        cmocka_unit_test(what_is_out_of_range_or_of_another_type_is_refused_with_what_would_do),
        cmocka_unit_test(the_nearest_name_is_found_and_a_far_one_is_not),
    };
    return cmocka_run_group_tests_name("base/parameter", tests, setup, teardown);
}
