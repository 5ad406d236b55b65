#define _XOPEN_SOURCE 700 /* mkdtemp, nftw */
#include "../lab/laboratory.h"

#include "law/predicting.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

static const char text[] = "name: two\narchitecture: { kind: mlp, widths: [3] }\n"
                           "data: { kind: gaussian, n: 10, dimension: 4 }\ntask: mse\n"
                           "rule: { kind: gd, learning_rate: 0.1 }\nsteps: 4\nseeds: 3\n"
                           "sweep: { grid: { data.n: [10, 12] } }\n";

static orr_status run_of(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point, int64_t seed,
                         const void *known, json_t **out) {
    const int64_t *refused = known;
    (void)scratch, (void)in;
    if (*refused == seed) return orr_fail(ctx, ORR_EINPUT, "no");
    *out = json_pack("[I, I]", (json_int_t)point, (json_int_t)seed);
    return ORR_OK;
}

static orr_status point_of(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point,
                           const void *known, json_t **out) {
    json_t *runs;
    ORR_TRY(ctx, orr_predict_runs(ctx, scratch, in, point, run_of, known, &runs));
    *out = json_pack("{s:o}", "runs", runs);
    return ORR_OK;
}

static orr_status nothing(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point,
                          const void *known, json_t **out) {
    (void)ctx, (void)scratch, (void)in, (void)point, (void)known, (void)out;
    return ORR_OK;
}

typedef struct ticks {
    orr_context *ctx;
    int n, most;
} ticks;

static orr_status tick(void *user) {
    ticks *t = user;
    return ++t->n > t->most ? orr_fail(t->ctx, ORR_EINTERRUPTED, "stop") : ORR_OK;
}

static orr_premises premises_of(const laboratory *l, ticks *t) {
    return (orr_premises){ &l->experiment, l->problems, tick, t };
}

static void each_point_and_run_is_asked_at_its_place(void **state) {
    const laboratory l = laboratory_of(*state, arena, text);
    ticks t = { *state, 0, 100 };
    const orr_premises in = premises_of(&l, &t);
    const int64_t none = -1;
    json_t *prediction;
    assert_ok(*state, orr_predict_each(*state, arena, &in, "some-law", point_of, &none, &prediction));
    assert_string_equal(json_string_value(json_object_get(prediction, "law")), "some-law");
    for (size_t i = 0; i < 6; i++) {
        const json_t *point = json_array_get(json_object_get(prediction, "points"), i / 3),
                     *run = json_array_get(json_object_get(point, "runs"), i % 3);
        assert_int_equal(json_integer_value(json_array_get(run, 0)), i / 3);
        assert_int_equal(json_integer_value(json_array_get(run, 1)), i % 3);
    }
    assert_int_equal(t.n, 8);
    json_decref(prediction);
}

/* A law that fails, a prediction that is none, and a stop in the middle. */
static void what_fails_leaves_no_prediction(void **state) {
    const laboratory l = laboratory_of(*state, arena, text);
    ticks t = { *state, 0, 100 }, soon = { *state, 0, 5 };
    const orr_premises in = premises_of(&l, &t), short_of = premises_of(&l, &soon);
    const int64_t none = -1, last = 2;
    json_t *prediction = NULL;
    assert_int_equal(orr_predict_each(*state, arena, &in, "some-law", point_of, &last, &prediction), ORR_EINPUT);
    assert_null(prediction);
    assert_int_equal(orr_predict_points(*state, arena, &in, nothing, NULL, &prediction), ORR_ENOMEM);
    assert_null(prediction);
    assert_int_equal(orr_predict_points(*state, arena, &short_of, point_of, &none, &prediction), ORR_EINTERRUPTED);
    assert_null(prediction);
    orr_context_clear(*state);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        CLAIM(each_point_and_run_is_asked_at_its_place),
        CLAIM(what_fails_leaves_no_prediction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
