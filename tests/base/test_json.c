#include "testing.h"

#include <math.h>

#include "base/json.h"

static void a_number_that_json_has_none_for_is_null(void **state) {
    (void)state;
    const double x[3] = { 0.5, (double)NAN, (double)INFINITY };
    json_t *list = orr_json_reals(x, 3);
    assert_close(json_real_value(json_array_get(list, 0)), 0.5, 0.0);
    assert_true(json_is_null(json_array_get(list, 1)) && json_is_null(json_array_get(list, 2)));
    json_decref(list);
}

/* Rows of a figure are not looked at one by one. */
static void a_row_that_cannot_be_made_is_left_out(void **state) {
    (void)state;
    json_t *rows = json_array(), *name = json_string("a");
    orr_json_add(rows, json_integer(3));
    orr_json_add(rows, NULL);
    orr_json_row(rows, "{s:f, s:O, s:[i, i]}", "x", 0.25, "name", name, "ends", 1, 2);
    orr_json_row(rows, "{s:o}", "y", NULL);
    assert_int_equal(json_array_size(rows), 2);
    const json_t *row = json_array_get(rows, 1);
    assert_close(json_real_value(json_object_get(row, "x")), 0.25, 0.0);
    assert_string_equal(json_string_value(json_object_get(row, "name")), "a");
    assert_int_equal(json_integer_value(json_array_get(json_object_get(row, "ends"), 1)), 2);
    json_decref(rows);
    json_decref(name);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_that_json_has_none_for_is_null),
        cmocka_unit_test(a_row_that_cannot_be_made_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
