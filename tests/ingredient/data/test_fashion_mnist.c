#define _POSIX_C_SOURCE 200809L
#include "testing.h"

#include "files.h"
#include "ingredient/data/data.h"

extern const orr_data orr_data_fashion_mnist;

static orr_arena *arena;

static int setup(void **state) {
    if (files_setup() != 0 || context_setup(state) != 0) return -1;
    return orr_arena_new(*state, &arena) == ORR_OK ? 0 : -1;
}

static int teardown(void **state) {
    orr_arena_free(arena);
    return files_teardown() | context_teardown(state);
}

/* Settings with n, center and folder. */
static orr_settings settings(int64_t n, const char *center, const char *folder) {
    const orr_parameter *table = orr_data_fashion_mnist.kind.parameters;
    orr_value *value = orr_parameter_fallbacks(arena, table);
    assert_non_null(value);
    value[orr_parameter_find(table, "n")].integer = n;
    value[orr_parameter_find(table, "center")].text = center;
    value[orr_parameter_find(table, "folder")].text = folder;
    return (orr_settings){ table, value };
}

/* Three images of 2 x 2 and their labels, in the folder of this test. */
static void write_small(int labels, unsigned char label) {
    const unsigned char images[] = { 0, 0, 8, 3,  0,   0,   0,  3,  0,  0,  0,   2, 0, 0,
                                     0, 2, 0, 51, 102, 255, 51, 51, 51, 51, 102, 0, 0, 0 };
    unsigned char text[] = { 0, 0, 8, 1, 0, 0, 0, (unsigned char)labels, 9, 0, label, 1 };
    (void)files_write_gz("train-images-idx3-ubyte.gz", images, sizeof images);
    (void)files_write("train-labels-idx1-ubyte", text, 8 + (size_t)labels);
}

static void pixels_are_scaled_and_the_mean_image_of_those_n_is_taken_off(void **state) {
    orr_dataset data;
    write_small(3, 4);
    orr_settings s = settings(2, "mean-image", files_folder);
    assert_ok(*state, orr_data_fashion_mnist.load(*state, arena, &s, 0, &data));
    assert_int_equal(data.n, 2);
    assert_int_equal(orr_dataset_features(&data), 4);
    /* 51/255 = 0.2; means of the first two images: 0.1, 0.2, 0.3, 0.6.  Rounding: a few units of the last place of 1 */
    const double expected[] = { -0.1, 0.0, 0.1, 0.4, 0.1, 0.0, -0.1, -0.4 };
    for (int i = 0; i < 8; i++) assert_close(data.x[i], expected[i], 1e-15);
    assert_int_equal(data.label[0], 9);
    s = settings(3, "none", files_folder);
    assert_ok(*state, orr_data_fashion_mnist.load(*state, arena, &s, 0, &data));
    assert_close(data.x[8], 0.4, 1e-15);
}

/* Images of 2 x 2 become one pixel, and none where squares don't fit. */
static void pooled_pixels_are_means_of_squares(void **state) {
    orr_dataset data;
    write_small(3, 4);
    orr_settings s = settings(3, "none", files_folder);
    orr_value *value = (orr_value *)s.value;
    value[orr_parameter_find(s.table, "pool")].integer = 2;
    assert_ok(*state, orr_data_fashion_mnist.load(*state, arena, &s, 0, &data));
    assert_int_equal(orr_dataset_features(&data), 1);
    const double expected[] = { 0.4, 0.2, 0.1 }; /* (0 + 51 + 102 + 255) / 4 / 255, ... */
    for (int i = 0; i < 3; i++) assert_close(data.x[i], expected[i], 1e-15);
    value[orr_parameter_find(s.table, "pool")].integer = 3;
    assert_int_equal(orr_data_fashion_mnist.load(*state, arena, &s, 0, &data), ORR_EINPUT);
    orr_context_clear(*state);
}

static void refused(orr_context *ctx, const orr_settings *s, orr_status status, const char *says) {
    orr_dataset data;
    const orr_status got = orr_data_fashion_mnist.load(ctx, arena, s, 0, &data);
    if (got != status || !strstr(orr_context_message(ctx), says))
        fail_msg("expected %s with \"%s\", got %s: %s", orr_status_name(status), says, orr_status_name(got),
                 orr_context_message(ctx));
    orr_context_clear(ctx);
}

static void a_missing_dataset_says_where_it_was_looked_for_and_how_to_get_it(void **state) {
    orr_settings s = settings(2, "none", "/nonexistent");
    refused(*state, &s, ORR_EIO,
            "neither train-images-idx3-ubyte.gz nor train-images-idx3-ubyte is in /nonexistent; install "
            "the Debian package dataset-fashion-mnist");
}

static void the_variable_goes_before_the_package(void **state) {
    orr_dataset data;
    write_small(3, 4);
    assert_int_equal(setenv("ORRERY_DATA", files_folder, 1), 0);
    const orr_settings s = settings(3, "none", "");
    assert_ok(*state, orr_data_fashion_mnist.load(*state, arena, &s, 0, &data));
    assert_int_equal(orr_dataset_features(&data), 4);
    assert_int_equal(unsetenv("ORRERY_DATA"), 0);
}

static void files_that_contradict_each_other_are_refused(void **state) {
    const orr_settings s = settings(2, "none", files_folder), all = settings(3, "none", files_folder);
    write_small(4, 4);
    refused(*state, &s, ORR_EINPUT, "3 images but 4 labels");
    write_small(3, 10);
    refused(*state, &all, ORR_EINPUT, "label 2 is 10; the classes are 0 to 9");
    const unsigned char flat[] = { 0, 0, 8, 1, 0, 0, 0, 2, 1, 2 };
    (void)files_write_gz("train-images-idx3-ubyte.gz", flat, sizeof flat);
    refused(*state, &s, ORR_EINPUT, "expected u8 with 3 dimensions, met u8 with 1");
}

/* Golden: the first labels and a sum over the first 500 images, by Python's gzip and struct on the same package. */
static void the_package_holds_what_it_should(void **state) {
    orr_dataset data;
    if (access("/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz", R_OK) != 0) skip();
    const orr_settings s = settings(500, "none", "");
    assert_ok(*state, orr_data_fashion_mnist.load(*state, arena, &s, 0, &data));
    assert_int_equal(orr_dataset_features(&data), 784);
    static const int32_t first[] = { 9, 0, 0, 3, 0, 2, 7, 2, 5, 5 };
    for (int i = 0; i < 10; i++) assert_int_equal(data.label[i], first[i]);
    double sum = 0.0;
    for (int64_t i = 0; i < data.n * orr_dataset_features(&data); i++) sum += data.x[i] * 255.0;
    assert_close(sum, 28368245.0, 0.5); /* a whole number, rebuilt from 392,000 quotients */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pooled_pixels_are_means_of_squares),
        cmocka_unit_test(pixels_are_scaled_and_the_mean_image_of_those_n_is_taken_off),
        cmocka_unit_test(a_missing_dataset_says_where_it_was_looked_for_and_how_to_get_it),
        cmocka_unit_test(the_variable_goes_before_the_package),
        cmocka_unit_test(files_that_contradict_each_other_are_refused),
        cmocka_unit_test(the_package_holds_what_it_should),
    };
    return cmocka_run_group_tests_name("ingredient/data/fashion_mnist", tests, setup, teardown);
}
