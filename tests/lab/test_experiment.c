#include "testing.h"

#include "failing.h"
#include "lab/example.h"
#include "lab/experiment.h"
#include "lab/reading.h"

#define BASE                                                                                                           \
    "name: small\n"                                                                                                    \
    "architecture: { kind: mlp, widths: [8] }\n"                                                                       \
    "data: { kind: fashion-mnist, n: 40 }\n"                                                                           \
    "task: mse\n"                                                                                                      \
    "rule: { kind: gd, learning_rate: 0.1 }\n"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

static orr_experiment read_with(orr_context *ctx, const char *text, const orr_experiment_options *options) {
    orr_experiment e;
    assert_ok(ctx, orr_experiment_parse(ctx, arena, "a.yaml", text, strlen(text), options, &e));
    return e;
}

static orr_experiment read_text(orr_context *ctx, const char *text) { return read_with(ctx, text, NULL); }

static void refused(orr_context *ctx, const char *text, const orr_experiment_options *options, const char *says) {
    orr_experiment e;
    assert_int_equal(orr_experiment_parse(ctx, arena, "a.yaml", text, strlen(text), options, &e), ORR_EINPUT);
    assert_string_equal(orr_context_message(ctx), says);
    orr_context_clear(ctx);
}

static double rate(const orr_point *p) { return orr_real(&p->rule_settings, "learning_rate"); }
static int64_t width(const orr_point *p) {
    int64_t n;
    return orr_ints(&p->architecture_settings, "widths", &n)[0];
}

static void what_a_file_leaves_out_has_its_default(void **state) {
    const orr_experiment e = read_text(*state, BASE "steps: 10\n");
    assert_int_equal(e.n_points, 1);
    const orr_point *p = &e.points[0];
    assert_string_equal(p->name, "small");
    assert_string_equal(p->architecture->kind.name, "mlp");
    assert_string_equal(p->parameterization->kind.name, "standard");
    assert_string_equal(p->initial->kind.name, "normal");
    assert_string_equal(p->task->kind.name, "mse");
    assert_string_equal(p->rule->kind.name, "gd");
    assert_int_equal(p->steps, 10);
    assert_int_equal(p->epochs, 0);
    assert_close(p->until, 0, 0);
    assert_int_equal(p->patience, 0);
    assert_int_equal(p->precision, ORR_F32);
    assert_int_equal(p->n_observations, 0);
    assert_int_equal(e.seeds, 1);
    assert_int_equal(e.n_laws, 0);
    assert_string_equal(e.notes, "");
}

static void a_run_is_as_long_as_its_steps_or_epochs(void **state) {
    orr_experiment e = read_text(*state, BASE "epochs: 3\nuntil: 0.01\n");
    assert_int_equal(e.points[0].steps, 0);
    assert_int_equal(e.points[0].epochs, 3);
    assert_close(e.points[0].until, 0.01, 0);
    /* a change to the one takes the other's place */
    e = read_text(*state, BASE "epochs: 3\nsweep: [ { steps: 5 }, {} ]\n");
    assert_int_equal(e.points[0].steps, 5);
    assert_int_equal(e.points[0].epochs, 0);
    assert_int_equal(e.points[1].epochs, 3);
}

static void the_name_of_a_kind_or_a_path_is_its_short_form(void **state) {
    const orr_experiment e =
        read_text(*state, BASE "steps: 1\nobserve: [ loss ]\nparameterization: ntk\ninitial: folder/a.npz\n");
    const orr_point *p = &e.points[0];
    assert_string_equal(p->parameterization->kind.name, "ntk");
    assert_string_equal(p->initial->kind.name, "file");
    assert_string_equal(orr_text(&p->initial_settings, "path"), "folder/a.npz");
    assert_int_equal(p->n_observations, 1);
    assert_string_equal(p->observations[0].instrument->kind.name, "loss");
}

static void a_change_is_made_key_by_key_and_another_kind_replaces_all(void **state) {
    const orr_experiment e =
        read_text(*state, BASE "steps: 1\nobserve: [ loss, { kind: sharpness, every: 50 } ]\n"
                               "sweep:\n"
                               "  - { name: a, data: { n: 20 }, rule: { kind: gd } }\n"
                               "  - { rule: { kind: adam, learning_rate: 0.5 } }\n"
                               "  - { observe: { sharpness: { every: 7 } }, task: { kind: mse, ridge: 0.5 } }\n");
    assert_int_equal(e.n_points, 3);
    assert_string_equal(e.points[0].name, "a");
    assert_int_equal(orr_int(&e.points[0].data_settings, "n"), 20);
    assert_close(rate(&e.points[0]), 0.1, 0);
    assert_string_equal(e.points[1].name, "kind=adam learning_rate=0.5");
    assert_string_equal(e.points[1].rule->kind.name, "adam");
    assert_close(rate(&e.points[1]), 0.5, 0);
    assert_int_equal(orr_int(&e.points[1].data_settings, "n"), 40);
    assert_int_equal(orr_int(&e.points[2].observations[1].settings, "every"), 7);
    assert_int_equal(orr_int(&e.points[1].observations[1].settings, "every"), 50);
    assert_close(orr_real(&e.points[2].task_settings, "ridge"), 0.5, 0);
}

static void a_grid_is_the_product_of_its_lists(void **state) {
    const orr_experiment e = read_text(
        *state,
        BASE "steps: 1\nsweep: { grid: { rule.learning_rate: [0.1, 0.2], architecture.widths: [[32], [64, 16]] } }\n");
    static const char *const names[] = { "learning_rate=0.1 widths=32", "learning_rate=0.1 widths=64,16",
                                         "learning_rate=0.2 widths=32", "learning_rate=0.2 widths=64,16" };
    assert_int_equal(e.n_points, 4);
    for (int i = 0; i < 4; i++) {
        assert_string_equal(e.points[i].name, names[i]);
        assert_close(rate(&e.points[i]), i < 2 ? 0.1 : 0.2, 0);
        assert_int_equal(width(&e.points[i]), i % 2 ? 64 : 32);
    }
}

static void a_change_of_the_list_may_have_a_grid_of_its_own(void **state) {
    const orr_experiment e = read_text(
        *state, BASE "steps: 1\nsweep:\n  - { name: one, steps: 2 }\n"
                     "  - { name: two, steps: 3, grid: { rule.learning_rate: [0.1, 0.2] } }\n"
                     "  - { zip: { data.n: [10, 20], until: [1, 2] }, rule: { kind: sgd, learning_rate: 0.3 } }\n");
    static const char *const names[] = { "one", "two learning_rate=0.1", "two learning_rate=0.2" };
    static const int64_t steps[] = { 2, 3, 3, 1, 1 };
    assert_int_equal(e.n_points, 5);
    for (int i = 0; i < 5; i++) {
        if (i < 3) assert_string_equal(e.points[i].name, names[i]);
        assert_int_equal(e.points[i].steps, steps[i]);
    }
    assert_close(rate(&e.points[2]), 0.2, 0);
    assert_string_equal(e.points[3].rule->kind.name, "sgd");
    assert_int_equal(orr_int(&e.points[4].data_settings, "n"), 20);
}

static void a_zip_takes_its_lists_in_step_within_the_grid(void **state) {
    const orr_experiment e = read_text(
        *state, BASE "steps: 1\nsweep: { grid: { data.n: [10, 20] }, zip: { rule.learning_rate: [0.1, 0.2, 0.3], "
                     "architecture.widths: [[1], [2], [3]] } }\n");
    assert_int_equal(e.n_points, 6);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(orr_int(&e.points[i].data_settings, "n"), i < 3 ? 10 : 20);
        assert_int_equal(width(&e.points[i]), i % 3 + 1);
        assert_close(rate(&e.points[i]), 0.1 * (i % 3 + 1), 1e-15); /* 0.1 * 3 rounds */
    }
    assert_string_equal(e.points[5].name, "n=20 learning_rate=0.3 widths=3");
}

static void items_of_a_list_may_be_grids_and_zips(void **state) {
    const orr_experiment e =
        read_text(*state, BASE "steps: 1\nsweep: [ { steps: 7 }, { grid: { data.n: [10, 20, 30] } }, { name: last }, "
                               "{ zip: { data.n: [4, 5], rule.learning_rate: [0.1, 0.2] } } ]\n");
    static const char *const names[] = {
        "steps=7", "n=10", "n=20", "n=30", "last", "n=4 learning_rate=0.1", "n=5 learning_rate=0.2"
    };
    assert_int_equal(e.n_points, 7);
    for (int i = 0; i < 7; i++) assert_string_equal(e.points[i].name, names[i]);
    assert_int_equal(e.points[0].steps, 7);
    assert_int_equal(e.points[3].steps, 1);
    assert_int_equal(orr_int(&e.points[3].data_settings, "n"), 30);
    refused(*state, BASE "steps: 1\nsweep: { grid: { data.n: [10] }, steps: 7 }\n", NULL,
            "a.yaml:7:34: unknown kind of sweep 'steps'; there are: grid, zip");
}

static void a_size_changes_the_file_and_its_sweep(void **state) {
    static const char text[] = BASE "steps: 1\nsweep: [ {}, {} ]\n"
                                    "sizes: { full: { data: { n: 5000 }, sweep: [ { steps: 7 } ] } }\n";
    orr_experiment e = read_text(*state, text);
    assert_int_equal(e.n_points, 2);
    assert_string_equal(e.size, "");
    e = read_with(*state, text, &(orr_experiment_options){ .size = "full" });
    assert_int_equal(e.n_points, 1);
    assert_int_equal(e.points[0].steps, 7);
    assert_int_equal(orr_int(&e.points[0].data_settings, "n"), 5000);
    assert_string_equal(e.size, "full");
    assert_string_equal(e.text, text);
}

static void set_is_stronger_than_the_file_and_its_sizes(void **state) {
    static const char text[] = BASE "steps: 1\nobserve: [ loss ]\nsizes: { full: { data: { n: 5000 } } }\n";
    static const char *const set[] = { "rule.learning_rate=0.7", "data.n=9", "architecture.widths=[3, 4]",
                                       "observe.loss.every=3",   "epochs=2", "seeds=5",
                                       "initial=a.npz" };
    const orr_experiment e =
        read_with(*state, text, &(orr_experiment_options){ .size = "full", .set = set, .n_set = 7 });
    const orr_point *p = &e.points[0];
    assert_close(rate(p), 0.7, 0);
    assert_int_equal(orr_int(&p->data_settings, "n"), 9);
    assert_int_equal(width(p), 3);
    assert_int_equal(orr_int(&p->observations[0].settings, "every"), 3);
    assert_int_equal(p->steps, 0);
    assert_int_equal(p->epochs, 2);
    assert_int_equal(e.seeds, 5);
    assert_string_equal(p->initial->kind.name, "file");
}

static void a_mistake_of_set_points_to_it(void **state) {
    static const char *const set[] = { "rule.lerning_rate=0.7", "data.n=", "seeds", "data..n=3", "data.n=[" };
    refused(*state, BASE "epochs: 0\n", &(orr_experiment_options){ .set = set, .n_set = 5 },
            "a.yaml:6:9: epochs: a run of no length; `steps: 0` measures the initial network alone\n"
            "--set 1: unknown key of rule gd 'lerning_rate'; did you mean 'learning_rate'?\n"
            "--set 2: a value is missing\n"
            "--set 3: expected KEY=VALUE, as in rule.learning_rate=0.1, met 'seeds'\n"
            "--set 4: 'data..n' is no key; keys are joined by single dots, as in rule.learning_rate\n"
            "--set 5: did not find expected node content, while parsing a flow node");
}

static void laws_are_checked_where_they_are_known(void **state) {
    static const char *const laws[] = { "edge-of-stability", "greedy-learning", NULL };
    static const char text[] = BASE "steps: 1\nlaws: [ edge-of-stabilty ]\n";
    assert_int_equal(read_text(*state, text).n_laws, 1);
    refused(*state, text, &(orr_experiment_options){ .laws = laws },
            "a.yaml:7:9: unknown law 'edge-of-stabilty'; did you mean 'edge-of-stability'?");
}

static void a_mistake_in_what_points_share_is_told_once(void **state) {
    refused(*state, BASE "steps: fast\nsweep: { grid: { rule.learning_rate: [1, 2, 3], data.n: [1, 2, 3] } }\n", NULL,
            "a.yaml:6:8: steps: expected a whole number in [0, 2000000000], met 'fast'");
}

static void the_points_that_can_be_run_are_counted(void **state) {
    refused(*state, BASE "steps: 1\nsweep: []\n", NULL,
            "a.yaml:7:8: sweep: it has no points; 1 to 10000 points can be run");
    char text[20000] = BASE "steps: 1\nsweep: { grid: { ";
    for (int key = 0; key < 3; key++) {
        (void)snprintf(text + strlen(text), 100, "%s: [", key == 0 ? "seed" : key == 1 ? "data.n" : "until");
        for (int i = 1; i <= 30; i++) (void)snprintf(text + strlen(text), 100, "%s%d", i > 1 ? ", " : "", i);
        (void)snprintf(text + strlen(text), 100, "]%s", key < 2 ? ", " : " } }\n");
    }
    refused(*state, text, NULL, "a.yaml:7:8: sweep: too many; 1 to 10000 points can be run");
}

static void a_wrong_value_of_a_large_grid_is_found_wherever_it_stands(void **state) {
    char text[20000] = BASE "steps: 1\nsweep: { grid: { rule.learning_rate: [1, 2, 3, x], until: [";
    for (int i = 1; i <= 2000; i++) (void)snprintf(text + strlen(text), 100, "%s%d", i > 1 ? "," : "", i);
    (void)snprintf(text + strlen(text), 100, "] } }\n"); /* x stands in the last 2000 points of 8000 */
    refused(*state, text, NULL, "a.yaml:7:48: learning_rate: expected a number in (0, inf), met 'x'");
}

/* ---- the tables ------------------------------------------------------------------------------------------------------------------- */

static void the_example_of_every_kind_can_be_read(void **state) {
    for (int s = 0; s < ORR_SECTIONS; s++)
        for (int i = 0; orr_sections[s].kind(i); i++) {
            orr_mistakes m = { .ctx = *state, .arena = arena, .file = orr_sections[s].kind(i)->name };
            orr_settings settings;
            const char *text = orr_kind_example(arena, &orr_sections[s], orr_sections[s].kind(i));
            assert_non_null(text);
            const orr_yaml *root = orr_yaml_parse(&m, text, strlen(text), 0);
            assert_non_null(root);
            const orr_yaml *section = orr_yaml_get(root, orr_sections[s].key);
            if (s == ORR_SECTION_INSTRUMENT) section = section->value[0];
            assert_int_equal(orr_read_kind(&m, &orr_sections[s], section, root, true, &settings), i);
            assert_ok((orr_context *)*state, orr_mistakes_tell(&m));
        }
}

static void every_default_is_a_value_that_its_table_takes(void **state) {
    (void)state;
    for (int s = 0; s < ORR_SECTIONS; s++)
        for (int i = 0; orr_sections[s].kind(i); i++) {
            const orr_kind *kind = orr_sections[s].kind(i);
            if (!orr_parameter_fallbacks(arena, kind->parameters)) fail_msg("%s: a default is refused", kind->name);
            for (const orr_parameter *p = kind->parameters; p->name; p++) {
                if (!p->help) fail_msg("%s %s: no help", kind->name, p->name);
                if (strcmp(p->name, "kind") == 0) fail_msg("%s: a parameter is called kind", kind->name);
            }
        }
}

static void the_example_of_an_experiment_can_be_read(void **state) {
    const orr_experiment e = read_text(*state, orr_experiment_example);
    assert_int_equal(e.n_points, 4);
}

static orr_status read_scenario(orr_context *ctx, void *arg) {
    const char *text = arg;
    orr_arena *own = NULL;
    orr_experiment e;
    orr_status status;
    ORR_TRY_DONE(ctx, orr_arena_new(ctx, &own));
    ORR_TRY_DONE(ctx, orr_experiment_parse(ctx, own, "a.yaml", text, strlen(text), NULL, &e));
done:
    orr_arena_free(own);
    return status;
}

static void without_memory_a_file_is_refused_without_a_leak(void **state) {
    (void)state;
    char text[] = BASE "steps: 1\nobserve: [ loss ]\nsweep: { grid: { rule.learning_rate: [1, 2] } }\n";
    assert_true(fail_each_allocation(read_scenario, text) > 2);
}

int main(void) {
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CLAIM(what_a_file_leaves_out_has_its_default),
        CLAIM(a_run_is_as_long_as_its_steps_or_epochs),
        CLAIM(the_name_of_a_kind_or_a_path_is_its_short_form),
        CLAIM(a_change_is_made_key_by_key_and_another_kind_replaces_all),
        CLAIM(a_grid_is_the_product_of_its_lists),
        CLAIM(a_change_of_the_list_may_have_a_grid_of_its_own),
        CLAIM(a_zip_takes_its_lists_in_step_within_the_grid),
        CLAIM(items_of_a_list_may_be_grids_and_zips),
        CLAIM(a_size_changes_the_file_and_its_sweep),
        CLAIM(set_is_stronger_than_the_file_and_its_sizes),
        CLAIM(a_mistake_of_set_points_to_it),
        CLAIM(laws_are_checked_where_they_are_known),
        CLAIM(a_mistake_in_what_points_share_is_told_once),
        CLAIM(the_points_that_can_be_run_are_counted),
        CLAIM(a_wrong_value_of_a_large_grid_is_found_wherever_it_stands),
        CLAIM(the_example_of_every_kind_can_be_read),
        CLAIM(every_default_is_a_value_that_its_table_takes),
        CLAIM(the_example_of_an_experiment_can_be_read),
        CLAIM(without_memory_a_file_is_refused_without_a_leak),
    };
#undef CLAIM
    return cmocka_run_group_tests(tests, NULL, NULL);
}
