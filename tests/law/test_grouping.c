#define _XOPEN_SOURCE 700 /* mkdtemp, nftw */
#include "../lab/laboratory.h"

#include "law/grouping.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

#define SMALL "name: small\ndata: { kind: gaussian, n: 10, dimension: 4 }\ntask: mse\nsteps: 4\nseeds: 1\n"
static const char rates[] = SMALL "architecture: { kind: mlp, widths: [3] }\nrule: { kind: gd, learning_rate: 0.1 }\n"
                                  "sweep: { grid: { data.n: [10, 12], rule.learning_rate: [0.1, 0.2] } }\n";
static const char sizes[] = SMALL "architecture: { kind: mlp, widths: [3] }\nrule: { kind: gd, learning_rate: 0.1 }\n"
                                  "sweep: { grid: { architecture.widths: [[3], [5], [3, 3], [4]] } }\n";

static void expect(orr_context *ctx, const char *text, const char *const *but, const int64_t *expected) {
    const laboratory l = laboratory_of(ctx, arena, text);
    const orr_premises in = { &l.experiment, l.problems, NULL, NULL };
    int64_t *first;
    assert_int_equal(l.experiment.n_points, 4);
    assert_ok(ctx, orr_points_alike(ctx, arena, &in, but, &first));
    for (int i = 0; i < 4; i++) assert_int_equal(first[i], expected[i]);
}

static void points_are_alike_that_differ_in_named_settings_alone(void **state) {
    static const char *const none[] = { NULL }, *const rate[] = { "rule.learning_rate", NULL },
                             *const both[] = { "rule.learning_rate", "data.n", "no.such.key", NULL };
    static const int64_t apart[] = { 0, 1, 2, 3 }, together[] = { 0, 0, 0, 0 };
    expect(*state, rates, none, apart);
    expect(*state, rates, both, together);
    const laboratory l = laboratory_of(*state, arena, rates);
    const orr_premises in = { &l.experiment, l.problems, NULL, NULL };
    int64_t *first;
    assert_ok(*state, orr_points_alike(*state, arena, &in, rate, &first));
    for (int64_t i = 0; i < 4; i++) {
        int64_t j = 0;
        while (l.problems[j]->data.n != l.problems[i]->data.n) j++;
        assert_int_equal(first[i], j);
    }
}

static void a_deeper_network_is_not_a_wider_one(void **state) {
    static const char *const width[] = { "width", NULL };
    static const int64_t expected[] = { 0, 0, 2, 0 };
    expect(*state, sizes, width, expected);
    const laboratory l = laboratory_of(*state, arena, sizes);
    int64_t *first;
    assert_ok(*state, orr_points_by_network(*state, arena, &l.experiment, &first));
    for (int i = 0; i < 4; i++) assert_int_equal(first[i], expected[i]);
    assert_int_equal(orr_point_width(&l.experiment.points[1]), 5);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        CLAIM(points_are_alike_that_differ_in_named_settings_alone),
        CLAIM(a_deeper_network_is_not_a_wider_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
