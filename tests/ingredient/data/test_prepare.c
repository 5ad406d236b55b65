#include "testing.h"

#include "base/file/refused.h"
#include "base/random.h"
#include "settings.h"

static orr_arena *arena;

static int setup(void **state) {
    if (context_setup(state) != 0) return -1;
    return orr_arena_new(*state, &arena) == ORR_OK ? 0 : -1;
}

static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

static const orr_parameter parameters[] = {
    { "n", ORR_INT, .fallback = "0", .range = "[0, inf)" },
    { "n_test", ORR_INT, .fallback = "0", .range = "[0, inf)" },
    { "center", ORR_CHOICE, .fallback = "none", .choices = "mean-image none" },
    ORR_DATA_PREPARATION,
    { 0 },
};

static const orr_data kind = { .kind = { "hand", "made by hand", parameters } };

/* n + n_test examples of 2 x 3 numbers; example i has class (i mod 4), and its numbers say who it is. */
static orr_dataset make(int64_t n, int64_t n_test) {
    const int64_t all = n + n_test;
    double *x = ORR_NEW(arena, double, all * 6);
    int32_t *label = ORR_NEW(arena, int32_t, all);
    assert_true(x && label);
    for (int64_t i = 0; i < all; i++) {
        label[i] = (int32_t)(i % 4);
        for (int64_t j = 0; j < 6; j++) x[i * 6 + j] = (double)(10 * i + j);
    }
    return (orr_dataset){ .n = n,
                          .n_test = n_test,
                          .input = ORR_SHAPE(2, 3),
                          .target = ORR_SCALAR,
                          .classes = 4,
                          .x = x,
                          .label = label,
                          .source = "hand" };
}

/* Normal numbers of unequal scale, feature 4 the sum of two others, feature 5 constant. */
static orr_dataset make_normal(int64_t n, int64_t n_test) {
    orr_dataset d = make(n, n_test);
    double *x = ORR_NEW(arena, double, (n + n_test) * 6), *z = ORR_NEW(arena, double, (n + n_test) * 4);
    assert_true(x && z);
    orr_random_fill_normal((orr_key){ 1, ORR_PURPOSE_TEST, 0 }, 0, (n + n_test) * 4, z);
    for (int64_t i = 0; i < n + n_test; i++) {
        for (int64_t j = 0; j < 4; j++) x[i * 6 + j] = (double)(j + 1) * z[i * 4 + j] + (double)j + z[i * 4];
        x[i * 6 + 4] = x[i * 6] + x[i * 6 + 1];
        x[i * 6 + 5] = 0.1;
    }
    d.x = x;
    return d;
}

#define PREPARE(d, ...)                                                                                                \
    do {                                                                                                               \
        const orr_settings s_ = SETTINGS(arena, &kind, __VA_ARGS__);                                                   \
        assert_ok(*state, orr_data_prepare(*state, arena, &s_, (d)));                                                  \
    } while (0)

#define REFUSED(d, says, ...)                                                                                          \
    do {                                                                                                               \
        const orr_settings s_ = SETTINGS(arena, &kind, __VA_ARGS__);                                                   \
        assert_refused(*state, orr_data_prepare(*state, arena, &s_, (d)), ORR_EINPUT, "", says);                       \
    } while (0)

static int who(const orr_dataset *d, int64_t i) { return (int)(d->x[i * 6] / 10.0); }

static void the_first_examples_stay_and_test_ones_follow(void **state) {
    orr_dataset d = make(10, 0);
    PREPARE(&d, "n", "6", "n_test", "3");
    assert_int_equal(d.n, 6);
    assert_int_equal(d.n_test, 3);
    for (int i = 0; i < 9; i++) assert_int_equal(who(&d, i), i);
    d = make(10, 0); /* n = 0: all that testing leaves */
    PREPARE(&d, "n_test", "3");
    assert_int_equal(d.n, 7);
    for (int i = 0; i < 10; i++) assert_int_equal(who(&d, i), i);
    d = make(6, 4); /* a test set of its own */
    PREPARE(&d, "n", "2", "n_test", "3");
    assert_int_equal(who(&d, 1), 1);
    assert_int_equal(who(&d, 2), 6);
    assert_int_equal(d.n + d.n_test, 5);
    d = make(6, 4);
    REFUSED(&d, "7 training examples are asked for, there are 6", "n", "7");
    REFUSED(&d, "5 test examples are asked for, there are 4", "n", "2", "n_test", "5");
    d = make(6, 0);
    REFUSED(&d, "7 training and test examples are asked for, there are 6", "n", "4", "n_test", "3");
}

static void a_random_subset_has_no_example_twice_and_follows_its_seed(void **state) {
    orr_dataset a = make(100, 0), b = make(100, 0), c = make(100, 0);
    bool seen[100] = { false };
    PREPARE(&a, "n", "60", "n_test", "30", "subset", "random", "subset_seed", "5");
    PREPARE(&b, "n", "60", "n_test", "30", "subset", "random", "subset_seed", "5");
    PREPARE(&c, "n", "60", "n_test", "30", "subset", "random", "subset_seed", "6");
    assert_memory_equal(a.x, b.x, 540 * sizeof(double));
    assert_memory_not_equal(a.x, c.x, 540 * sizeof(double));
    for (int i = 0; i < 90; i++) {
        const int w = who(&a, i);
        assert_false(seen[w]);
        seen[w] = true;
        assert_int_equal(a.label[i], w % 4); /* labels go with their inputs */
    }
}

static void kept_classes_are_renumbered_in_the_order_in_which_they_are_named(void **state) {
    orr_dataset d = make(12, 8);
    PREPARE(&d, "keep_classes", "3 1", "n_test", "4");
    assert_int_equal(d.n, 6);
    assert_int_equal(d.n_test, 4);
    assert_int_equal(d.classes, 2);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(who(&d, i) % 2, 1);
        assert_int_equal(d.label[i], who(&d, i) % 4 == 3 ? 0 : 1);
    }
    d = make(12, 0);
    REFUSED(&d, "4 is no class; they are 0 to 3", "keep_classes", "4");
    REFUSED(&d, "class 1 is named twice", "keep_classes", "1 1");
}

static void standardised_features_have_mean_0_and_variance_1_over_the_training_examples(void **state) {
    orr_dataset d = make_normal(50, 10), raw = make_normal(50, 10);
    PREPARE(&d, "standardise", "features", "n_test", "10");
    for (int j = 0; j < 6; j++) {
        double mean = 0.0, square = 0.0, raw_mean = 0.0, raw_square = 0.0;
        for (int i = 0; i < 50; i++) mean += d.x[i * 6 + j] / 50.0, raw_mean += raw.x[i * 6 + j] / 50.0;
        for (int i = 0; i < 50; i++) {
            square += d.x[i * 6 + j] * d.x[i * 6 + j] / 50.0;
            raw_square += (raw.x[i * 6 + j] - raw_mean) * (raw.x[i * 6 + j] - raw_mean) / 50.0;
        }
        assert_close(mean, 0.0, 1e-14);                  /* tens of eps */
        assert_close(square, j == 5 ? 0.0 : 1.0, 1e-14); /* a feature that doesn't vary gets 0 */
        for (int i = 50; j < 5 && i < 60; i++)           /* the training examples' mean and scale */
            assert_close(d.x[i * 6 + j], (raw.x[i * 6 + j] - raw_mean) / sqrt(raw_square), 1e-13);
    }
    d = make_normal(50, 10);
    PREPARE(&d, "standardise", "all", "n_test", "10");
    double mean = 0.0, square = 0.0;
    for (int i = 0; i < 300; i++) mean += d.x[i] / 300.0, square += d.x[i] * d.x[i] / 300.0;
    assert_close(mean, 0.0, 1e-14);
    assert_close(square, 1.0, 1e-14);
}

static void whitened_inputs_have_the_identity_as_covariance_where_they_vary(void **state) {
    orr_dataset d = make_normal(200, 5), raw = make_normal(200, 5);
    PREPARE(&d, "whiten", "true", "n_test", "5", "flatten", "true");
    assert_int_equal(d.input.rank, 1);
    assert_int_equal(d.input.size[0], 6);
    /* The covariance of the whitened inputs is the projector on what varies: rank 4, P = P', P P = P, trace 4. */
    double c[6][6] = { { 0 } }, trace = 0.0;
    for (int i = 0; i < 200; i++)
        for (int j = 0; j < 6; j++)
            for (int k = 0; k < 6; k++) c[j][k] += d.x[i * 6 + j] * d.x[i * 6 + k] / 200.0;
    for (int j = 0; j < 6; j++) {
        trace += c[j][j];
        for (int k = 0; k < 6; k++) {
            double cc = 0.0;
            for (int l = 0; l < 6; l++) cc += c[j][l] * c[l][k];
            assert_close(cc, c[j][k], 1e-12); /* eps times the condition number of the covariance, near 50 */
        }
    }
    assert_close(trace, 4.0, 1e-12);
    assert_close(c[5][5], 0.0, 1e-12); /* the constant feature */
    assert_true(raw.x[0] != d.x[0]);
}

static void the_mean_image_is_taken_off_the_test_examples_too(void **state) {
    orr_dataset d = make(4, 2);
    PREPARE(&d, "center", "mean-image", "n_test", "2");
    for (int i = 0; i < 6; i++) /* the mean of feature j over examples 0 to 3 is 15 + j */
        for (int j = 0; j < 6; j++) assert_close(d.x[i * 6 + j], 10.0 * i - 15.0, 0.0);
}

static void label_noise_changes_that_many_training_labels_and_tells_the_clean_ones(void **state) {
    orr_dataset d = make(4000, 100), clean = make(4000, 100);
    PREPARE(&d, "label_noise", "0.5", "n_test", "100");
    int changed = 0, to[4] = { 0 };
    for (int i = 0; i < 4000; i++)
        if (d.label[i] != clean.label[i]) changed++, to[d.label[i]]++;
    assert_memory_equal(d.label + 4000, clean.label + 4000, 100 * sizeof(int32_t));
    /* 2000 are drawn from all four classes: 3/4 of them differ; 5 standard deviations */
    assert_close(changed, 1500.0, 5.0 * sqrt(2000.0 * 0.75 * 0.25));
    for (int c = 0; c < 4; c++) assert_close(to[c], 375.0, 5.0 * sqrt(375.0));
    for (int i = 0; i < 4100; i++) assert_close(fact_of(&d, "label")[i], clean.label[i], 0.0);
}

static void what_makes_no_sense_for_the_data_is_refused(void **state) {
    int32_t token[12] = { 0 };
    double y[6] = { 0 };
    const orr_dataset tokens = {
        .n = 6, .input = ORR_SHAPE(2), .vocabulary = 3, .target = ORR_SHAPE(1), .token = token, .y = y, .source = "t"
    };
    orr_dataset d = tokens;
    REFUSED(&d, "standardise makes no sense for inputs that are tokens", "standardise", "features");
    d = tokens;
    REFUSED(&d, "don't have one class an example", "label_noise", "0.1");
    d = tokens;
    REFUSED(&d, "don't have one class an example", "keep_classes", "0");
}

static void a_reader_needs_all_where_the_first_are_not_enough(void **state) {
    (void)state;
    const orr_settings first = SETTINGS(arena, &kind, "n", "5");
    const orr_settings drawn = SETTINGS(arena, &kind, "n", "5", "subset", "random");
    const orr_settings kept = SETTINGS(arena, &kind, "n", "5", "keep_classes", "1");
    assert_int_equal(orr_data_needed(&first, 5), 5);
    assert_int_equal(orr_data_needed(&drawn, 5), 0);
    assert_int_equal(orr_data_needed(&kept, 5), 0);
}

/* Classes 3 and 1 become 0 and 1: the positive one, 1, was 1. */
static void positive_classes_become_signs_in_place_of_labels(void **state) {
    orr_dataset d = make(9, 3);
    PREPARE(&d, "n", "4", "n_test", "1", "keep_classes", "3 1", "positive_classes", "1");
    static const double expected[4] = { 1, -1, 1, -1 }; /* classes 1, 3, 1, 3 */
    assert_null(d.label);
    assert_int_equal(d.classes, 0);
    assert_int_equal(orr_dataset_targets(&d), 1);
    for (int i = 0; i < 4; i++) assert_close(d.y[i], expected[i], 0.0);
    orr_dataset bad = make(9, 3);
    REFUSED(&bad, "positive_classes: 4 is no class; they are 0 to 3", "positive_classes", "1 4");
}

static void inputs_are_divided_by_their_length_after_their_mean_is_taken_off(void **state) {
    orr_dataset d = make_normal(20, 5);
    PREPARE(&d, "n", "20", "n_test", "5", "center", "mean-image", "standardise", "lengths");
    for (int i = 0; i < 25; i++) {
        double square = 0.0;
        for (int j = 0; j < 6; j++) square += d.x[6 * i + j] * d.x[6 * i + j];
        assert_close(square, 1.0, 1e-14);
    }
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(positive_classes_become_signs_in_place_of_labels),
        TEST(inputs_are_divided_by_their_length_after_their_mean_is_taken_off),
        TEST(the_first_examples_stay_and_test_ones_follow),
        TEST(a_random_subset_has_no_example_twice_and_follows_its_seed),
        TEST(kept_classes_are_renumbered_in_the_order_in_which_they_are_named),
        TEST(standardised_features_have_mean_0_and_variance_1_over_the_training_examples),
        TEST(whitened_inputs_have_the_identity_as_covariance_where_they_vary),
        TEST(the_mean_image_is_taken_off_the_test_examples_too),
        TEST(label_noise_changes_that_many_training_labels_and_tells_the_clean_ones),
        TEST(what_makes_no_sense_for_the_data_is_refused),
        TEST(a_reader_needs_all_where_the_first_are_not_enough),
    };
    return cmocka_run_group_tests_name("ingredient/data/prepare", tests, NULL, NULL);
}
