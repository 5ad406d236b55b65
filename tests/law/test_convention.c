#define _XOPEN_SOURCE 700 /* mkdtemp, nftw */
#include "../lab/laboratory.h"

#include "law/convention.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

static const char text[] = "name: two\narchitecture: { kind: mlp, widths: [3] }\n"
                           "data: { kind: gaussian, n: 10, dimension: 4 }\ntask: mse\n"
                           "rule: { kind: gd, learning_rate: 0.1 }\nsteps: 4\nseeds: 2\nobserve: [loss]\n"
                           "sweep: { grid: { rule.learning_rate: [0.1, 0.2] } }\n";

/* What an experiment like it, but for one value, would have been sealed with. */
static json_t *conventions_with(orr_context *ctx, const char *set) {
    orr_experiment e;
    const orr_experiment_options options = { .set = &set, .n_set = set ? 1 : 0 };
    assert_ok(ctx, orr_experiment_parse(ctx, arena, "a.yaml", text, strlen(text), &options, &e));
    return orr_conventions_of(ctx, &e);
}

static void a_run_meets_a_prediction_of_its_own_conventions_only(void **state) {
    static const struct {
        const char *set, *words;
    } rows[] = {
        { "task.factor=1", "task.factor is [1.0] there, [0.5] in the run" },
        { "task.outputs=mean", "task.outputs is [\"mean\"] there, [\"sum\"] in the run" },
        { "architecture.activation=erf", "architecture.activation is" },
        { "parameterization=ntk", "parameterization.kind is" },
    };
    laboratory l = laboratory_run(*state, arena, text, ":memory:", NULL);
    const orr_records records = { l.store, l.sealed.run, 2, 2 };
    json_t *same = conventions_with(*state, NULL);
    assert_int_equal(json_array_size(same), 2);
    assert_ok(*state, orr_conventions_check(*state, arena, "a-law", same, &records));
    json_decref(same);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *other = conventions_with(*state, rows[i].set);
        assert_int_equal(orr_conventions_check(*state, arena, "a-law", other, &records), ORR_EINPUT);
        if (!strstr(orr_context_message(*state), rows[i].words)) fail_msg("%s", orr_context_message(*state));
        orr_context_clear(*state);
        json_decref(other);
    }
    assert_int_equal(orr_conventions_check(*state, arena, "a-law", NULL, &records), ORR_EINPUT);
    orr_context_clear(*state);
    orr_store_close(l.store);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        CLAIM(a_run_meets_a_prediction_of_its_own_conventions_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
