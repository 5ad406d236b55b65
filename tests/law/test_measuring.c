#define _XOPEN_SOURCE 700 /* mkdtemp, nftw */
#include "../lab/laboratory.h"

#include <math.h>

#include "law/measuring.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

static const char text[] = "name: two\narchitecture: { kind: mlp, widths: [3] }\n"
                           "data: { kind: gaussian, n: 10, dimension: 4 }\ntask: mse\n"
                           "rule: { kind: gd, learning_rate: 0.1 }\nsteps: 4\nseeds: 2\n"
                           "observe: [ { kind: loss, every: 2 } ]\n"
                           "sweep: { grid: { data.n: [10, 12] } }\n";

static orr_status loss_of(orr_context *ctx, orr_arena *scratch, const orr_records *records, int64_t point, int64_t seed,
                          json_t **out) {
    static const char *const names[] = { "loss", "no_such_series", NULL };
    return orr_measure_series(ctx, scratch, records, point, seed, names, out);
}

static orr_status refuse(orr_context *ctx, orr_arena *scratch, const orr_records *records, int64_t point, int64_t seed,
                         json_t **out) {
    (void)scratch, (void)records, (void)out;
    return point == 1 && seed == 1 ? orr_fail(ctx, ORR_EINPUT, "no") : loss_of(ctx, scratch, records, point, seed, out);
}

static void each_run_is_asked_at_its_place(void **state) {
    laboratory l = laboratory_run(*state, arena, text, ":memory:", NULL);
    const orr_records records = { l.store, l.sealed.run, 2, 2 };
    json_t *measured = NULL;
    assert_ok(*state, orr_measure_runs(*state, arena, &records, loss_of, &measured));
    for (size_t i = 0; i < 4; i++) {
        const json_t *run = orr_measured(measured, i / 2, i % 2), *loss = json_object_get(run, "loss");
        const orr_series s = laboratory_series(*state, arena, &l, (int64_t)i, "loss");
        assert_int_equal(json_array_size(json_object_get(loss, "step")), 3);
        assert_close(orr_number_at(json_object_get(loss, "step"), 2), 4.0, 0.0);
        assert_close(orr_number_at(json_object_get(loss, "value"), 2), s.y[2], 0.0);
        assert_int_equal(json_array_size(json_object_get(json_object_get(run, "no_such_series"), "value")), 0);
    }
    assert_null(orr_measured(measured, 2, 0));
    json_decref(measured);
    assert_int_equal(orr_measure_runs(*state, arena, &records, refuse, &measured), ORR_EINPUT);
    orr_context_clear(*state);
    orr_store_close(l.store);
}

static void a_recorded_array_comes_back_and_a_missing_one_is_told(void **state) {
    laboratory l = laboratory_run(*state, arena, text, ":memory:", NULL);
    const orr_records records = { l.store, l.sealed.run, 2, 2 };
    orr_array a;
    assert_ok(*state, orr_records_array(&records, arena, 1, 1, "parameter.layer1.weight", -1, &a));
    assert_int_equal(a.shape.size[a.shape.rank - 1] * a.shape.size[0], 12);
    assert_int_equal(orr_records_array(&records, arena, 1, 1, "parameter.layer9.weight", -1, &a), ORR_EINPUT);
    orr_context_clear(*state);
    orr_store_close(l.store);
}

static void what_is_no_number_is_nan(void **state) {
    json_t *list = json_loads("[1, null, \"x\"]", 0, NULL), *object = json_loads("{\"a\": 2.5}", 0, NULL);
    (void)state;
    assert_close(orr_number_at(list, 0), 1.0, 0.0);
    for (size_t i = 1; i < 4; i++) assert_true(isnan(orr_number_at(list, i)));
    assert_close(orr_number_of(object, "a"), 2.5, 0.0);
    assert_true(isnan(orr_number_of(object, "b")));
    json_decref(list);
    json_decref(object);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        CLAIM(each_run_is_asked_at_its_place),
        CLAIM(a_recorded_array_comes_back_and_a_missing_one_is_told),
        CLAIM(what_is_no_number_is_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
