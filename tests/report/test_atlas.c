#define _POSIX_C_SOURCE 200809L
/* An atlas in a real browser: drawn, filtered, switched, downloaded, and looked over for faults of accessibility. */
#include "testing.h"

#include "base/file/npz.h"
#include "browser.h"
#include "files.h"
#include "report/page.h"

static orr_arena *arena;
static const char *source; /* this folder */

static int setup(void **state) {
    if (files_setup() != 0 || context_setup(state) != 0) return -1;
    return orr_arena_new(*state, &arena) == ORR_OK ? 0 : -1;
}

static int teardown(void **state) {
    orr_arena_free(arena);
    return files_teardown() | context_teardown(state);
}

static json_t *panel(void) {
    json_t *rows = json_array(), *flow = json_array();
    for (int seed = 0; seed < 2; seed++)
        for (int i = 0; i <= 20; i++)
            json_array_append_new(rows, json_pack("{s:f, s:i, s:f, s:f, s:i, s:s}", "time", 5.0 * i, "step", 50 * i,
                                                  "sharpness", 6.0 + i + seed, "loss", exp(-0.2 * i), "seed", seed,
                                                  "label", i == 3 ? "gd \"0.1\", \xce\xb7" : "gd"));
    for (int i = 0; i <= 12; i++)
        json_array_append_new(flow, json_pack("{s:f, s:f, s:f, s:i}", "time", 5.0 * i, "sharpness", 6.0 + 1.5 * i,
                                              "loss", exp(-0.1 * i), "seed", 0));
    return orr_page_panel("sharpness", "Sharpness against time", "a caption", "alt", true,
                          json_pack("{s:o, s:o, s:[{s:f, s:s}]}", "measured", rows, "flow", flow, "ceilings",
                                    "threshold", 20.0, "label", "gd"));
}

static json_t *verdict(const char *word) {
    return json_pack("{s:s, s:s, s:f, s:[f,f], s:[f,f], s:s}", "metric", "mean S/S*", "verdict", word, "value", 1.047,
                     "tolerance", 0.97, 1.08, "interval", 1.03, 1.06, "note", "");
}

static json_t *entry(const char *id, const char *approach, const char *word) {
    const orr_page_entry e = { .id = id,
                               .approach = approach,
                               .kicker = "Law, section 2.3 of the paper",
                               .title = id,
                               .statement = "It says so.",
                               .sources = strcmp(id, "first") == 0 ? "Cohen 2021 (2103.00065)" : "Somebody",
                               .command = "orrery law run x",
                               .equation = "S^* = \\frac{2}{\\eta}",
                               .verdict = verdict(word),
                               .checks = json_pack("[o, o]", verdict("HOLDS"), verdict("FAILS")),
                               .facts = json_pack("[[s,s]]", "sha256", "abc"),
                               .panels = json_pack("[o]", panel()),
                               .ingredients = json_pack("[[s,s]]", "rule", "gd"),
                               .regime = json_pack("[s]", "it is smooth"),
                               .map = json_pack("{s:s, s:[o, o]}", "words", "holds at 1 to 2; not at 4", "panels",
                                                panel(), panel()),
                               .map_command = "orrery law map x --axis a=1:4" };
    json_t *out = orr_page_entry_json(&e);
    json_t *const parts[] = { e.verdict, e.checks, e.facts, e.panels, e.ingredients, e.regime, e.map };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) json_decref(parts[i]);
    assert_non_null(out);
    return out;
}

static const char *write_atlas(orr_context *ctx) {
    static const orr_page_approach approaches[] = { { "solvable", "Solvable settings", "Exact." },
                                                    { "limits", "Limits", "Wide." },
                                                    { "empirical", "Empirical laws", "Seen." },
                                                    { 0 } };
    json_t *entries = json_pack("[o, o, o]", entry("first", "empirical", "HOLDS"), entry("second", "limits", "FAILS"),
                                entry("third", "solvable", "OUT OF REGIME"));
    const char *path = files_path("atlas.html");
    assert_ok(ctx, orr_page_write_atlas(ctx, arena, "An atlas", "Of laws.", approaches, entries, path));
    json_decref(entries);
    return path;
}

/* A file of a test, by its path from this folder; to be freed. */
static char *script_of(const char *name) {
    char path[512];
    size_t n;
    (void)snprintf(path, sizeof path, "%s/%s", source, name);
    return (char *)files_read(path, &n);
}

static void has(const char *dom, const char *attribute) {
    const char *driven = strstr(dom, "id=\"driven\"");
    assert_non_null(driven);
    if (!strstr(driven, attribute)) fail_msg("%s is not in %.2500s", attribute, driven);
}

/* The archive that the page made, as a reader of .npz sees it. */
static void check_archive(orr_context *ctx, const char *dom) {
    const char *npz = strstr(dom, "data-npz=\"");
    char command[1200];
    orr_npz archive;
    orr_array sharpness;
    orr_arena *scratch;
    assert_non_null(npz);
    npz += strlen("data-npz=\"");
    (void)files_write("figure.base64", npz, strcspn(npz, "\""));
    (void)snprintf(command, sizeof command, "base64 -d <'%s' >'%s'", files_path("figure.base64"),
                   files_path("figure.npz"));
    assert_int_equal(system(command), 0);
    assert_ok(ctx, orr_arena_new(ctx, &scratch));
    assert_ok(ctx, orr_npz_open(ctx, arena, files_path("figure.npz"), &archive));
    assert_ok(ctx, orr_npz_array(ctx, scratch, arena, &archive, "measured.sharpness", &sharpness));
    assert_int_equal(orr_shape_count(&sharpness.shape), 42);
    assert_close(orr_array_value(&sharpness, 41), 27.0, 0.0);
    orr_arena_free(scratch);
}

static void a_reader_finds_her_way_and_no_fault(void **state) {
    if (!browser_is_there()) skip();
    size_t n;
    const char *path = write_atlas(*state);
    char *html = (char *)files_read(path, &n), *axe = script_of("../vendor/axe.min.js"),
         *driver = script_of("atlas_driver.js");
    char *dom = browser_dom(path, (const char *const[]){ axe, driver }, 2);
    browser_assert_alone(html);
    if (strstr(dom, "data-error")) fail_msg("%.600s", strstr(dom, "data-error"));
    static const char *const expected[] = {
        "data-home=\"3\"",
        "data-home-marks=\"3\"",
        "data-home-faults=\"\"",
        "data-fails=\"1\"",
        "data-limits=\"1\"",
        "data-text=\"1\"",
        "data-none=\"0\"",
        "data-again=\"3\"",
        "data-title=\"first\"",
        "data-view=\"3\"",
        "data-equation=\"1\"",
        "data-map=\"true\"",
        "data-columns=\"01 02\"",
        "data-view-faults=\"\"",
        "data-turned=\"true\"",
        "data-turned-back=\"true\"",
        "data-log=\"true\"",
        "data-seed=\"true\"",
        "data-svg=\"true\"",
        "data-theme=\"dark\"",
        "data-dark-faults=\"\"",
        "data-broken=\"0\"",
        "data-csv=\"set,time,step,sharpness,loss,seed,label,threshold/measured,0,0,6,1,0,gd,\""
    };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) has(dom, expected[i]);
    check_archive(*state, dom);
    free(axe);
    free(driver);
    free(dom);
    free(html);
}

static void an_atlas_that_cannot_be_written_is_told(void **state) {
    static const orr_page_approach approaches[] = { { 0 } };
    json_t *entries = json_array();
    assert_int_equal(
        orr_page_write_atlas(*state, arena, "a", "b", approaches, entries, files_path("no/folder/atlas.html")),
        ORR_EINPUT);
    orr_context_clear(*state);
    json_decref(entries);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reader_finds_her_way_and_no_fault),
        cmocka_unit_test(an_atlas_that_cannot_be_written_is_told),
    };
    if (argc < 2) return 2;
    source = argv[1];
    return cmocka_run_group_tests_name("report/atlas", tests, setup, teardown);
}
