#define _POSIX_C_SOURCE 200809L
#include <sys/stat.h>
#include <unistd.h>

#include "testing.h"

#include "browser.h"
#include "files.h"
#include "report/page.h"

static orr_arena *arena;

static int setup(void **state) {
    if (files_setup() != 0 || context_setup(state) != 0) return -1;
    return orr_arena_new(*state, &arena) == ORR_OK ? 0 : -1;
}

static int teardown(void **state) {
    orr_arena_free(arena);
    return files_teardown() | context_teardown(state);
}

/* A law that never was: three seeds of two rules, with the worst texts that could come. */
static json_t *sharpness_rows(void) {
    json_t *rows = json_array();
    for (int seed = 0; seed < 3; seed++)
        for (int i = 0; i <= 40; i++) {
            const double t = 5.0 * i, s = 6.0 + 0.3 * t, edge = s < 20.0 ? s : 20.6 + 0.4 * sin(3.0 * i + seed);
            json_array_append_new(rows, json_pack("{s:f, s:i, s:f, s:f, s:i, s:s}", "time", t, "step", 50 * i,
                                                  "sharpness", edge, "loss", exp(-0.02 * t) * (1 + 0.03 * seed), "seed",
                                                  seed, "label", "gd </script> 0.1"));
        }
    return rows;
}

/* Test and train errors of one case: a colour and a fill that share a legend. */
static json_t *error_rows(void) {
    json_t *rows = json_array();
    for (int i = 0; i < 6; i++)
        json_array_append_new(rows, json_pack("{s:i, s:f, s:f, s:f, s:s, s:s, s:f, s:i}", "n", 10 << i / 2, "error",
                                              2.0 / (i + 1), "low", 1.8 / (i + 1), "high", 2.2 / (i + 1), "case",
                                              "features", "part", i % 2 ? "train" : "test", "ridge", 0.1, "seed", 0));
    return rows;
}

static json_t *panels(void) {
    json_t *flow = json_array(), *ratio = json_array(), *list = json_array(), *errors = error_rows();
    for (int i = 0; i <= 12; i++)
        json_array_append_new(flow, json_pack("{s:f, s:f, s:f, s:i}", "time", 5.0 * i, "sharpness", 6.0 + 1.5 * i,
                                              "loss", exp(-0.1 * i), "seed", 0));
    for (int i = 0; i <= 40; i++)
        json_array_append_new(ratio, json_pack("{s:i, s:o, s:i}", "step", i * 50, "ratio",
                                               orr_json_real(i == 7 ? (double)NAN : 1.02), "seed", i % 3));
    json_array_append_new(list,
                          orr_page_panel("sharpness", "Sharpness <b>against</b> time", "a caption", "alt", true,
                                         json_pack("{s:o, s:O, s:[{s:f, s:s}]}", "measured", sharpness_rows(), "flow",
                                                   flow, "ceilings", "threshold", 20.0, "label", "gd </script> 0.1")));
    json_array_append_new(list, orr_page_panel("loss", "Loss", "", "alt", true,
                                               json_pack("{s:o, s:o}", "measured", sharpness_rows(), "flow", flow)));
    json_array_append_new(list,
                          orr_page_panel("ratio", "Ratio", "", "alt", false,
                                         json_pack("{s:o, s:[{s:i, s:i, s:f, s:f}]}", "measured", ratio, "tolerance",
                                                   "from", 1000, "to", 2000, "low", 0.97, "high", 1.08)));
    json_array_append_new(list, orr_page_panel("learning_curve", "Errors", "", "alt", true,
                                               json_pack("{s:O, s:o}", "predicted", errors, "measured", errors)));
    return list;
}

/* Shown or not, its rows are the panel's. */
static void a_panel_that_would_show_nothing_is_left_out(void **state) {
    json_t *list = json_array(), *some = sharpness_rows(), *none = json_array();
    (void)state;
    orr_page_add_panel(list, some,
                       orr_page_panel("loss", "Some", "", "alt", true, json_pack("{s:o}", "measured", some)));
    orr_page_add_panel(list, none,
                       orr_page_panel("loss", "None", "", "alt", true, json_pack("{s:o}", "measured", none)));
    orr_page_add_panel(list, NULL, NULL); /* memory was out */
    assert_int_equal(json_array_size(list), 1);
    json_decref(list);
}

static json_t *verdict(const char *word) {
    return json_pack("{s:s, s:s, s:f, s:[f,f], s:[f,f], s:s}", "metric", "mean S/S* <i>", "verdict", word, "value",
                     1.047, "tolerance", 0.97, 1.08, "interval", 1.03, 1.06, "note", "");
}

static const char *write_page(orr_context *ctx, const char *name) {
    const char *path = files_path(name);
    const orr_page_entry page = { .kicker = "a kicker",
                                  .title = "A law & </title><script>alert(1)</script>",
                                  .statement = "It says <b>so</b>.",
                                  .sources = "Somebody 2021",
                                  .command = "orrery law run x",
                                  .verdict = verdict("HOLDS"),
                                  .checks = json_pack("[o, o]", verdict("HOLDS"), verdict("FAILS")),
                                  .facts = json_pack("[[s,s]]", "hash", "<!-- <script> abc"),
                                  .panels = panels() };
    assert_ok(ctx, orr_page_write(ctx, arena, &page, path));
    json_decref(page.verdict);
    json_decref(page.checks);
    json_decref(page.facts);
    json_decref(page.panels);
    return path;
}

static void texts_cannot_leave_their_place(void **state) {
    size_t n;
    char *html = (char *)files_read(write_page(*state, "page.html"), &n);
    assert_non_null(strstr(html, "<title>A law &amp; &lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;</title>"));
    assert_int_equal(browser_count(html, "</script>"),
                     8); /* the content, four libraries and a style, figure.js and page.js: each its own */
    assert_int_equal(browser_count(html, "<!--"), 0);
    assert_int_equal(access(files_path("page.html.part"), F_OK), -1);
    free(html);
}

static void a_page_that_cannot_be_written_is_told_and_leaves_nothing(void **state) {
    const orr_page_entry page = { .kicker = "",
                                  .title = "",
                                  .statement = "",
                                  .sources = "",
                                  .command = "",
                                  .verdict = json_null(),
                                  .checks = json_null(),
                                  .facts = json_null(),
                                  .panels = json_null() };
    assert_int_equal(orr_page_write(*state, arena, &page, files_path("no/folder/page.html")), ORR_EINPUT);
    assert_non_null(strstr(orr_context_message(*state), "can't be written (No such file or directory)"));
    orr_context_clear(*state);
    assert_int_equal(mkdir(files_path("folder.html"), 0755), 0);
    assert_int_equal(orr_page_write(*state, arena, &page, files_path("folder.html")), ORR_EINPUT);
    orr_context_clear(*state);
    assert_int_equal(access(files_path("folder.html.part"), F_OK), -1);
}

static void a_browser_draws_every_figure_and_asks_for_nothing(void **state) {
    if (!browser_is_there()) skip();
    size_t n;
    const char *path = write_page(*state, "drawn.html");
    char *html = (char *)files_read(path, &n), *dom = browser_dom(path, (const char *const[]){ browser_until_done }, 1);
    browser_assert_alone(html);
    assert_non_null(strstr(dom, "data-drawn=\"4\""));
    assert_non_null(strstr(dom, "data-broken=\"0\""));
    assert_int_equal(browser_count(dom, "class=\"marks\""), 4); /* as Vega writes them */
    assert_true(browser_count(dom, "mark-line") >= 7);          /* flow, three seeds, twice; ratio */
    assert_true(browser_count(dom, "mark-rule") >= 2);
    assert_true(browser_count(dom, "mark-rect") >= 1);
    assert_non_null(strstr(dom, ">HOLDS<"));
    assert_non_null(strstr(dom, "&lt;b&gt;so&lt;/b&gt;"));
    if (getenv("ORRERY_KEEP_PAGE")) (void)rename(path, getenv("ORRERY_KEEP_PAGE")); /* to look at it */
    free(dom);
    free(html);
}

/* What stands there already is written, not replaced: a link stays a link, a device a device. */
static void a_page_replaces_no_link_and_no_device(void **state) {
    struct stat info;
    const orr_page_entry page = { .title = "A page",
                                  .kicker = "",
                                  .statement = "",
                                  .sources = "",
                                  .command = "",
                                  .checks = json_array(),
                                  .facts = json_array(),
                                  .panels = json_array() };
    assert_int_equal(symlink(files_write("linked.html", "x", 1), files_path("link.html")), 0);
    assert_int_equal(symlink("/dev/full", files_path("full.html")), 0);
    assert_ok(*state, orr_page_write(*state, arena, &page, files_path("link.html")));
    assert_int_equal(orr_page_write(*state, arena, &page, files_path("full.html")), ORR_EIO);
    orr_context_clear(*state);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(lstat(files_path(i ? "full.html" : "link.html"), &info), 0);
        assert_true(S_ISLNK(info.st_mode));
    }
    assert_int_equal(stat(files_path("linked.html"), &info), 0);
    assert_true(info.st_size > 1);
    json_decref(page.checks);
    json_decref(page.facts);
    json_decref(page.panels);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_panel_that_would_show_nothing_is_left_out),
        cmocka_unit_test(a_page_replaces_no_link_and_no_device),
        cmocka_unit_test(texts_cannot_leave_their_place),
        cmocka_unit_test(a_page_that_cannot_be_written_is_told_and_leaves_nothing),
        cmocka_unit_test(a_browser_draws_every_figure_and_asks_for_nothing),
    };
    return cmocka_run_group_tests_name("report/page", tests, setup, teardown);
}
