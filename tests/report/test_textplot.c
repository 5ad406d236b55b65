#include "testing.h"

#include "report/page.h"
#include "report/textplot.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

static json_t *panel_of(const char *spec) {
    json_t *s = json_loads(spec, 0, NULL);
    assert_non_null(s);
    return json_pack("{s:s, s:o}", "title", "A title", "spec", s);
}

static void marks_stand_where_their_numbers_say(void **state) {
    json_t *panel = panel_of("{\"datasets\": {\"measured\": [{\"a\": 0, \"b\": 0}, {\"a\": 4, \"b\": 2}],"
                             "\"line\": [{\"a\": 2, \"b\": 1}, {\"a\": 4, \"b\": 2}, {\"a\": 3, \"b\": null}]},"
                             "\"layer\": [{\"data\": {\"name\": \"line\"}, \"mark\": \"line\", \"encoding\": {"
                             "\"x\": {\"field\": \"a\", \"type\": \"quantitative\", \"title\": \"t\"},"
                             "\"y\": {\"field\": \"b\", \"type\": \"quantitative\", \"title\": \"u\"}}},"
                             "{\"data\": {\"name\": \"measured\"}, \"mark\": {\"type\": \"point\"}, \"encoding\": {"
                             "\"x\": {\"field\": \"a\", \"type\": \"quantitative\"},"
                             "\"y\": {\"field\": \"b\", \"type\": \"quantitative\"}}}]}");
    const char *text;
    assert_ok(*state, orr_textplot(*state, arena, panel, 5, 3, &text));
    assert_string_equal(text, "A title (u)\n"
                              "         2 |    o\n"
                              "           |  .  \n"
                              "         0 |o    \n"
                              "            0 t 4\n"
                              "            o measured   . predicted\n");
    json_decref(panel);
}

static void logarithms_leave_out_what_is_not_positive(void **state) {
    json_t *panel = panel_of(
        "{\"datasets\": {\"measured\": [{\"a\": 1, \"b\": 1}, {\"a\": 10, \"b\": 100}, {\"a\": 100, \"b\": 0}]},"
        "\"data\": {\"name\": \"measured\"}, \"mark\": \"point\", \"encoding\": {"
        "\"x\": {\"field\": \"a\", \"type\": \"quantitative\", \"scale\": {\"type\": \"log\"}},"
        "\"y\": {\"field\": \"b\", \"type\": \"quantitative\", \"scale\": {\"type\": \"log\"}}}}");
    const char *text;
    assert_ok(*state, orr_textplot(*state, arena, panel, 6, 2, &text));
    assert_non_null(strstr(text, "       100 |     o\n         1 |o     \n"));
    assert_non_null(strstr(text, "(logarithmic)"));
    json_decref(panel);
}

static void a_panel_without_numbers_gives_nothing(void **state) {
    json_t *panel =
        panel_of("{\"datasets\": {\"cells\": [{\"a\": 1}]}, \"data\": {\"name\": \"cells\"}, \"mark\": \"rect\","
                 "\"encoding\": {\"x\": {\"field\": \"a\", \"type\": \"ordinal\"}}}");
    const char *text;
    assert_ok(*state, orr_textplot(*state, arena, panel, 6, 2, &text));
    assert_string_equal(text, "");
    json_decref(panel);
    json_t *nothing = json_object();
    assert_ok(*state, orr_textplot(*state, arena, nothing, 6, 2, &text));
    assert_string_equal(text, "");
    json_decref(nothing);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        CLAIM(marks_stand_where_their_numbers_say),
        CLAIM(logarithms_leave_out_what_is_not_positive),
        CLAIM(a_panel_without_numbers_gives_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
