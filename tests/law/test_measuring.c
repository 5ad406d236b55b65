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

static orr_status all_like_loss(orr_context *ctx, orr_arena *scratch, const orr_records *records, int64_t point,
                                int64_t seed, json_t **out) {
    static const char *const names[] = { "los*", "nothing*", NULL };
    return orr_measure_series(ctx, scratch, records, point, seed, names, out);
}

static void a_star_stands_for_all_series_that_begin_so(void **state) {
    laboratory l = laboratory_run(*state, arena, text, ":memory:", NULL);
    const orr_records records = { l.store, l.sealed.run, 2, 2 };
    json_t *measured = NULL;
    assert_ok(*state, orr_measure_runs(*state, arena, &records, all_like_loss, &measured));
    const json_t *run = orr_measured(measured, 1, 1);
    assert_int_equal(json_object_size(run), 1);
    assert_int_equal(json_array_size(orr_measured_values(run, "loss")), 3);
    json_decref(measured);
    orr_store_close(l.store);
}

static void a_run_that_ended_early_has_no_last_value(void **state) {
    json_t *run = json_loads("{\"loss\": {\"step\": [0, 5, 10], \"value\": [3, 2, 1]}}", 0, NULL);
    (void)state;
    assert_close(orr_number_at(orr_measured_steps(run, "loss"), 1), 5.0, 0.0);
    assert_true(orr_measured_until(run, "loss", 10.0) && !orr_measured_until(run, "loss", 11.0));
    assert_close(orr_measured_last(run, "loss", 10.0), 1.0, 0.0);
    assert_true(isnan(orr_measured_last(run, "loss", 15.0)) && isnan(orr_measured_last(run, "sharpness", 0.0)));
    json_decref(run);
}

static void what_is_no_number_is_larger_than_any(void **state) {
    (void)state;
    assert_close(orr_larger(1.0, 2.0), 2.0, 0.0);
    assert_true(isnan(orr_larger((double)NAN, 2.0)) && isnan(orr_larger(1.0, (double)NAN)));
}

static void judge_loss(const json_t *point, const json_t *predicted, const json_t *run, orr_check_values *values) {
    orr_check_add(&values[0], orr_measured_last(run, "loss", 1.0) / orr_number_of(point, "loss"));
    orr_check_add(&values[0], predicted ? json_number_value(predicted) : 0.0);
}

/* A run that was predicted and isn't there is judged as well: it can't hold. */
static void every_run_is_judged_beside_its_prediction(void **state) {
    static const orr_check checks[] = { { "loss over predicted", 0.0, 1.0 }, { 0 } };
    json_t *prediction =
        json_loads("{\"points\": [{\"loss\": 2, \"of\": [7, 8]}, {\"loss\": 4, \"of\": [9]}]}", 0, NULL);
#define LAST(x) "{\"loss\": {\"step\": [1], \"value\": [" x "]}}"
    json_t *measurement = json_loads("[[" LAST("8") "], [" LAST("4") "]]", 0, NULL);
    orr_check_values v[1];
    assert_ok(*state, orr_judge_runs(*state, arena, checks, 2, prediction, "of", measurement, judge_loss, v));
    assert_int_equal(v[0].n, 6);
    const double expected[] = { 4.0, 7.0, (double)NAN, 8.0, 1.0, 9.0 };
    for (int i = 0; i < 6; i++)
        if (i != 2) assert_close(v[0].value[i], expected[i], 0.0);
    assert_true(isnan(v[0].value[2]));
    assert_ok(*state, orr_judge_runs(*state, arena, checks, 2, prediction, NULL, measurement, judge_loss, v));
    assert_int_equal(v[0].n, 4);
    assert_close(v[0].value[2], 1.0, 0.0);
    json_decref(prediction);
    json_decref(measurement);
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
        CLAIM(a_star_stands_for_all_series_that_begin_so),
        CLAIM(a_run_that_ended_early_has_no_last_value),
        CLAIM(what_is_no_number_is_larger_than_any),
        CLAIM(every_run_is_judged_beside_its_prediction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
