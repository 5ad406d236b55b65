#include "testing.h"

#include <math.h>

#include "law/hyperparameters/batch_noise.h"

/* Two seeds, records after 1 and 3 updates: traces 4 and 6, then 1 and 3; signals 2 and 0, then -1 and 0. */
static const char measurement_text[] = "[[{\"batch_noise_trace\": {\"step\": [1, 3], \"value\": [4, 1]},"
                                       "   \"batch_noise_signal\": {\"step\": [1, 3], \"value\": [2, -1]}},"
                                       "  {\"batch_noise_trace\": {\"step\": [1, 3], \"value\": [6, 3]},"
                                       "   \"batch_noise_signal\": {\"step\": [1, 3], \"value\": [0, 0]}}]]";

typedef struct fixture {
    json_t *prediction, *measurement, *point;
    orr_batch_group group;
} fixture;

static fixture begin(const char *prediction) {
    fixture f = { json_loads(prediction, 0, NULL), json_loads(measurement_text, 0, NULL), NULL, { 0 } };
    f.point = json_loads("{\"point\": 0, \"noise\": {\"trace\": [9, 8, 7, 6], \"signal\": [1, 2, 3, 4]}}", 0, NULL);
    assert_true(f.prediction && f.measurement && f.point);
    f.group = (orr_batch_group){ f.prediction, f.measurement, 0, 2 };
    return f;
}

static void end(const fixture *f) {
    json_decref(f->prediction);
    json_decref(f->measurement);
    json_decref(f->point);
}

static void seeds_and_records_are_summed_before_the_ratio(void **state) {
    const fixture f = begin("{\"population\": null}");
    (void)state;
    assert_int_equal(json_array_size(orr_noise_steps(&f.group, f.point, ORR_NOISE_BY_BATCHES)), 2);
    assert_close(orr_noise_seen_at(&f.group, f.point, ORR_NOISE_BY_BATCHES, 0), 10.0 / 2.0, 0.0);
    assert_true(isnan(orr_noise_seen_at(&f.group, f.point, ORR_NOISE_BY_BATCHES, 1))); /* the signal is -1 */
    assert_close(orr_noise_seen(&f.group, f.point, ORR_NOISE_BY_BATCHES, 2.0), 10.0 / 2.0, 0.0);
    assert_close(orr_noise_seen(&f.group, f.point, ORR_NOISE_BY_BATCHES, 3.0), 14.0 / 1.0, 0.0);
    assert_close(orr_noise_predicted(&f.group, f.point, ORR_NOISE_BY_BATCHES, 3.0), (8.0 + 6.0) / (2.0 + 4.0), 0.0);
    end(&f);
}

static void what_was_not_recorded_is_no_number(void **state) {
    const fixture f = begin("{\"population\": null}");
    (void)state;
    assert_null(orr_noise_steps(&f.group, f.point, ORR_NOISE_WEIGHTED));
    assert_true(isnan(orr_noise_seen(&f.group, f.point, ORR_NOISE_WEIGHTED, 3.0)));
    end(&f);
}

/* Of 5 examples that are all there is, tr Sigma/5 is not taken off the signal. */
static void examples_that_are_all_there_is_keep_their_mean_gradient(void **state) {
    const fixture f = begin("{\"population\": 5}");
    (void)state;
    assert_close(orr_noise_seen_at(&f.group, f.point, ORR_NOISE_BY_BATCHES, 0), 10.0 / (2.0 + 10.0 / 5.0), 1e-15);
    end(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seeds_and_records_are_summed_before_the_ratio),
        cmocka_unit_test(what_was_not_recorded_is_no_number),
        cmocka_unit_test(examples_that_are_all_there_is_keep_their_mean_gradient),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
