#include "testing.h"

#include "law/map.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

static const char text[] = "name: base\narchitecture: { kind: mlp, widths: [8, 16] }\n"
                           "data: { kind: gaussian, n: 10, dimension: 4 }\ntask: mse\n"
                           "rule: { kind: gd, learning_rate: 0.1 }\nsteps: 4\n"
                           "sweep: { grid: { data.n: [10, 12] } }\n";

static orr_experiment experiment_of(orr_context *ctx, const char *const *set, int n_set) {
    orr_experiment e;
    assert_ok(ctx, orr_experiment_parse(ctx, arena, "a.yaml", text, strlen(text),
                                        &(orr_experiment_options){ .set = set, .n_set = n_set }, &e));
    return e;
}

static void an_axis_is_read_and_a_wrong_one_is_told_in_one_line(void **state) {
    static const char *const wrong[] = { "x",         "=1:2",      "a=1",    "a=1:",      "a=1:2:",
                                         "a=1:2:1",   "a=1:2:2.5", "a=1:1",  "a=0:1,log", "a=1:2,lin",
                                         "a=1:2:3:4", "a=nan:2",   "a=1:inf" };
    orr_axis axis;
    assert_ok(*state, orr_axis_parse(*state, arena, "rule.learning_rate=0.01:1:3,log", &axis));
    assert_string_equal(axis.key, "rule.learning_rate");
    assert_close(axis.from, 0.01, 0.0);
    assert_close(axis.to, 1.0, 0.0);
    assert_int_equal(axis.n, 3);
    assert_true(axis.log);
    assert_ok(*state, orr_axis_parse(*state, arena, "a.b=-1:1", &axis));
    assert_int_equal(axis.n, ORR_AXIS_VALUES);
    assert_false(axis.log);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(orr_axis_parse(*state, arena, wrong[i], &axis), ORR_EINPUT);
        orr_context_clear(*state);
    }
}

static void a_value_has_the_form_that_its_key_has(void **state) {
    static const struct {
        const char *axis, *set;
        double value;
    } rows[] = {
        { "rule.learning_rate=0.01:1:3,log", "rule.learning_rate=0.1", 0.1 },
        { "steps=1:4:3", "steps=3", 3.0 }, /* 2.5, and round() goes away from zero */
        { "architecture.widths=4:64:3,log", "architecture.widths=[16, 16]", 16.0 },
    };
    const orr_experiment e = experiment_of(*state, NULL, 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        orr_axis axis;
        double value;
        const char *set;
        assert_ok(*state, orr_axis_parse(*state, arena, rows[i].axis, &axis));
        assert_ok(*state, orr_axis_set(*state, arena, &axis, 1, &e, &value, &set));
        assert_string_equal(set, rows[i].set);
        assert_close(value, rows[i].value, 0.0);
        const orr_experiment changed = experiment_of(*state, &set, 1);
        assert_ok(*state, orr_axis_check(*state, &axis, value, &changed));
    }
}

static void a_key_without_a_number_and_one_of_the_sweep_are_refused(void **state) {
    const orr_experiment e = experiment_of(*state, NULL, 0);
    orr_axis axis;
    double value;
    const char *set;
    assert_ok(*state, orr_axis_parse(*state, arena, "architecture.kind=1:2", &axis));
    assert_int_equal(orr_axis_set(*state, arena, &axis, 0, &e, &value, &set), ORR_EINPUT);
    orr_context_clear(*state);
    assert_ok(*state, orr_axis_parse(*state, arena, "data.n=20:30:2", &axis));
    assert_ok(*state, orr_axis_set(*state, arena, &axis, 0, &e, &value, &set));
    const orr_experiment changed = experiment_of(*state, &set, 1);
    assert_int_equal(orr_axis_check(*state, &axis, value, &changed), ORR_EINPUT);
    assert_non_null(strstr(orr_context_message(*state), "the sweep"));
    orr_context_clear(*state);
}

static void the_words_of_a_map_name_where_the_law_holds(void **state) {
    orr_map_point p[5] = { { .value = 1 }, { .value = 2 }, { .value = 4 }, { .value = 8 }, { .value = 16 } };
    const orr_axis linear = { .key = "a", .from = 1, .to = 16, .n = 5 }, factors = { .key = "a", .log = true };
    (void)state;
    assert_string_equal(orr_map_words(arena, p, 5), "holds at 1 to 16: no boundary on this axis");
    p[2].outcome.verdict = ORR_FAILS;
    p[4].trouble = "no";
    assert_string_equal(orr_map_words(arena, p, 5), "holds at 1 to 2, 8; not at 4, 16");
    assert_close(orr_map_boundary(&linear, p, 1), 3.0, 0.0);
    assert_close(orr_map_boundary(&factors, p, 3), 11.313708498984761, 1e-12);
    for (int i = 0; i < 5; i++) p[i].outcome.verdict = ORR_OUT_OF_REGIME;
    assert_string_equal(orr_map_words(arena, p, 5), "holds nowhere here: not at 1 to 16");
}

/* Three values of a law: it holds, fails past its regime, and can't be run. */
static json_t *map_of(const orr_law *law, const orr_axis *axis) {
    static orr_judgement checks[3][16];
    orr_map_point p[3] = { { .value = 1 }, { .value = 4 }, { .value = 16, .trouble = "too large" } };
    int64_t n = 0;
    while (law->checks[n].metric) n++;
    for (int i = 0; i < 2; i++) {
        p[i].outcome = (orr_law_outcome){ .law = law, .note = "", .outside = "", .check = checks[i], .n_checks = n };
        checks[i][0] =
            (orr_judgement){ .verdict = i ? ORR_FAILS : ORR_HOLDS, .value = i, .interval = { i, i + 1 }, .n = 3 };
    }
    p[1].outcome.verdict = ORR_FAILS;
    p[1].outcome.outside = "condition not met: small";
    json_t *map = orr_map_json(law, axis, orr_map_words(arena, p, 3), p, 3);
    assert_non_null(map);
    return map;
}

static void a_kept_map_is_found_again_for_the_same_experiment_alone(void **state) {
    const orr_law *law = orr_law_at(0), *other = orr_law_at(1);
    const orr_axis axis = { .key = "data.dimension", .from = 1, .to = 16, .n = 3, .log = true };
    const char *const set[] = { "steps=5" };
    const orr_experiment base = experiment_of(*state, NULL, 0), changed = experiment_of(*state, set, 1);
    json_t *map = map_of(law, &axis), *found;
    const char *words = NULL;
    orr_store *store;
    assert_ok(*state, orr_store_open(*state, ":memory:", &store));
    assert_ok(*state, orr_map_recall(*state, arena, store, law, &base, &words, &found));
    assert_null(found);
    assert_ok(*state, orr_map_keep(*state, arena, store, law, "an older=1:2", &base, map));
    assert_ok(*state, orr_map_keep(*state, arena, store, law, "data.dimension=1:16:3,log", &base, map));
    assert_ok(*state, orr_map_recall(*state, arena, store, law, &changed, &words, &found));
    assert_null(found);
    assert_ok(*state, orr_map_recall(*state, arena, store, other, &base, &words, &found));
    assert_null(found);
    assert_ok(*state, orr_map_recall(*state, arena, store, law, &base, &words, &found));
    assert_string_equal(words, "data.dimension=1:16:3,log"); /* the newest */
    assert_true(json_equal(found, map));
    json_decref(found);
    json_decref(map);
    orr_store_close(store);
}

static void the_panels_of_a_map_show_values_regime_and_boundary(void **state) {
    (void)state;
    const orr_law *law = orr_law_at(0);
    const orr_axis axis = { .key = "data.dimension", .from = 1, .to = 16, .n = 3, .log = true };
    json_t *map = map_of(law, &axis), *panels = orr_map_panels(law, map);
    assert_int_equal(json_array_size(panels), 1); /* the only check that spoke */
    const json_t *data = json_object_get(json_object_get(json_array_get(panels, 0), "spec"), "datasets");
    assert_int_equal(json_array_size(json_object_get(data, "measured")), 2);
    const json_t *outside = json_object_get(data, "outside");
    assert_int_equal(json_array_size(outside), 2);
    assert_close(json_number_value(json_object_get(json_array_get(outside, 0), "from")), 2.0, 1e-15);
    assert_close(json_number_value(json_object_get(json_array_get(outside, 0), "to")), 8.0, 1e-15);
    assert_close(json_number_value(json_object_get(json_array_get(outside, 1), "to")), 16.0, 1e-15);
    assert_string_equal(json_string_value(json_object_get(json_array_get(outside, 1), "note")), "too large");
    assert_int_equal(json_array_size(json_object_get(data, "edges")), 1);
    assert_close(json_number_value(json_object_get(json_array_get(json_object_get(data, "edges"), 0), "at")), 2.0,
                 1e-15);
    json_decref(panels);
    json_decref(map);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        CLAIM(an_axis_is_read_and_a_wrong_one_is_told_in_one_line),
        CLAIM(a_value_has_the_form_that_its_key_has),
        CLAIM(a_key_without_a_number_and_one_of_the_sweep_are_refused),
        CLAIM(the_words_of_a_map_name_where_the_law_holds),
        CLAIM(a_kept_map_is_found_again_for_the_same_experiment_alone),
        CLAIM(the_panels_of_a_map_show_values_regime_and_boundary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
