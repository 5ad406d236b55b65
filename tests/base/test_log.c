#define _GNU_SOURCE /* open_memstream, setenv */
#include "base/log.h"
#include "testing.h"

/* A log in memory.  Returns what one warning, one debug line and one info line leave there; the caller frees it. */
static char *lines_written(orr_log_level level, bool terminal) {
    char *text = NULL;
    size_t size = 0;
    FILE *log = open_memstream(&text, &size);
    assert_non_null(log);
    orr_context *ctx;
    const orr_context_options options = { .threads = 1, .log = log, .log_level = level, .log_is_terminal = terminal };
    assert_int_equal(orr_context_new(&options, &ctx), ORR_OK);
    orr_log_line(ctx, ORR_LOG_WARNING, "width %d is small", 3);
    orr_log_line(ctx, ORR_LOG_DEBUG, "not fused");
    orr_log_line(ctx, ORR_LOG_INFO, "done");
    orr_context_free(ctx);
    assert_int_equal(fclose(log), 0);
    return text;
}

static void assert_lines(orr_log_level level, bool terminal, const char *expected) {
    char *text = lines_written(level, terminal);
    assert_string_equal(text, expected);
    free(text);
}

static void lines_below_the_level_are_dropped(void **state) {
    (void)state;
    assert_lines(ORR_LOG_INFO, false, "warning: width 3 is small\ndone\n");
    assert_lines(ORR_LOG_DEBUG, false, "warning: width 3 is small\ndebug: not fused\ndone\n");
    assert_lines(ORR_LOG_WARNING, false, "warning: width 3 is small\n");
    assert_lines(ORR_LOG_ERROR, false, "");
}

static void colour_is_for_terminals_and_ends_at_no_color(void **state) {
    (void)state;
    assert_int_equal(setenv("TERM", "xterm", 1) + unsetenv("NO_COLOR"), 0);
    assert_lines(ORR_LOG_INFO, true, "\033[33mwarning: \033[0mwidth 3 is small\ndone\n");
    assert_lines(ORR_LOG_INFO, false, "warning: width 3 is small\ndone\n");
    assert_int_equal(setenv("NO_COLOR", "", 1), 0); /* empty does not count */
    assert_lines(ORR_LOG_INFO, true, "\033[33mwarning: \033[0mwidth 3 is small\ndone\n");
    assert_int_equal(setenv("NO_COLOR", "1", 1), 0);
    assert_lines(ORR_LOG_INFO, true, "warning: width 3 is small\ndone\n");
    assert_int_equal(unsetenv("NO_COLOR") + setenv("TERM", "dumb", 1), 0);
    assert_lines(ORR_LOG_INFO, true, "warning: width 3 is small\ndone\n");
}

static void without_a_log_nothing_happens(void **state) { orr_log_line(*state, ORR_LOG_ERROR, "unheard"); }

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_below_the_level_are_dropped),
        cmocka_unit_test(colour_is_for_terminals_and_ends_at_no_color),
        cmocka_unit_test(without_a_log_nothing_happens),
    };
    return cmocka_run_group_tests_name("base/log", tests, context_setup, context_teardown);
}
