#define _POSIX_C_SOURCE 200809L
#include "testing.h"

#include "base/file/refused.h"
#include "failing.h"
#include "files.h"
#include "ingredient/data/cifar10.h"

enum { RECORD = 3073 };

static orr_arena *arena;

static int setup(void **state) {
    if (files_setup() != 0 || context_setup(state) != 0) return -1;
    return orr_arena_new(*state, &arena) == ORR_OK ? 0 : -1;
}

static int teardown(void **state) {
    orr_arena_free(arena);
    return files_teardown() | context_teardown(state);
}

static unsigned char pixel(int64_t picture, int64_t j) { return (unsigned char)((picture * 7919 + j * 31) % 251); }

/* n records, the first of which is picture `first`; to be freed. */
static unsigned char *records(int64_t first, int64_t n) {
    unsigned char *file = malloc((size_t)(n * RECORD));
    assert_non_null(file);
    for (int64_t i = 0; i < n; i++) {
        file[i * RECORD] = (unsigned char)((first + i) % 10);
        for (int64_t j = 0; j < ORR_CIFAR10_PIXELS; j++) file[i * RECORD + 1 + j] = pixel(first + i, j);
    }
    return file;
}

/* The five batches of 4 pictures and a test batch of 3, some gzipped, in a folder of the tests'. */
static void make_dataset(const char *folder) {
    char name[128];
    assert_int_equal(mkdir(files_path(folder), 0700), 0);
    for (int i = 1; i <= 6; i++) {
        const int64_t n = i <= 5 ? 4 : 3;
        unsigned char *file = records(4 * (i - 1), n);
        if (i <= 5) (void)snprintf(name, sizeof name, "%s/data_batch_%d.bin%s", folder, i, i % 2 ? ".gz" : "");
        else (void)snprintf(name, sizeof name, "%s/test_batch.bin", folder);
        (void)(i <= 5 && i % 2 ? files_write_gz(name, file, (size_t)n * RECORD)
                               : files_write(name, file, (size_t)n * RECORD));
        free(file);
    }
}

static void check_pictures(const orr_cifar10 *c, int64_t n, int64_t first) {
    assert_int_equal(c->n, n);
    for (int64_t i = 0; i < n; i++) {
        assert_int_equal(c->label[i], (first + i) % 10);
        for (int64_t j = 0; j < ORR_CIFAR10_PIXELS; j += 13)
            assert_int_equal(c->pixel[i * ORR_CIFAR10_PIXELS + j], pixel(first + i, j));
    }
}

static void pictures_come_in_the_order_of_the_files(void **state) {
    orr_context *ctx = *state;
    orr_cifar10 c;
    make_dataset("set");
    char folder[512];
    (void)snprintf(folder, sizeof folder, "%s", files_path("set"));
    assert_ok(ctx, orr_cifar10_read(ctx, arena, folder, false, 20, &c));
    check_pictures(&c, 20, 0);
    assert_ok(ctx, orr_cifar10_read(ctx, arena, folder, false, 6, &c));
    check_pictures(&c, 6, 0);
    assert_ok(ctx, orr_cifar10_read(ctx, arena, folder, true, 3, &c));
    check_pictures(&c, 3, 20);
    assert_refused(ctx, orr_cifar10_read(ctx, arena, folder, true, 4, &c), ORR_EINPUT,
                   "cifar10: ", "4 pictures are asked for, the files hold 3");
    assert_refused(ctx, orr_cifar10_read(ctx, arena, folder, false, 50001, &c), ORR_EINPUT,
                   "cifar10: ", "50001 pictures are asked for; the training set has 1 to 50000");
    assert_refused(ctx, orr_cifar10_read(ctx, arena, folder, true, 0, &c), ORR_EINPUT,
                   "cifar10: ", "the test set has 1 to 10000");
}

static void the_folder_that_the_archive_unpacks_into_is_looked_into(void **state) {
    orr_context *ctx = *state;
    orr_cifar10 c;
    assert_int_equal(mkdir(files_path("data"), 0700), 0);
    assert_int_equal(mkdir(files_path("data/cifar-10"), 0700), 0);
    make_dataset("data/cifar-10/cifar-10-batches-bin");
    assert_int_equal(setenv("ORRERY_DATA", files_path("data"), 1), 0);
    assert_ok(ctx, orr_cifar10_read(ctx, arena, "", false, 20, &c));
    check_pictures(&c, 20, 0);
    assert_int_equal(unsetenv("ORRERY_DATA"), 0);
}

static void what_is_not_found_says_where_it_was_looked_for_and_how_to_get_it(void **state) {
    orr_context *ctx = *state;
    orr_cifar10 c;
    assert_int_equal(setenv("ORRERY_DATA", "/nowhere", 1), 0);
    assert_refused(
        ctx, orr_cifar10_read(ctx, arena, "", true, 1, &c), ORR_EIO,
        "cifar-10: neither test_batch.bin.gz nor test_batch.bin is in "
        "/nowhere/cifar-10/cifar-10-batches-bin, /nowhere/cifar-10, /nowhere/cifar-10-batches-bin, /nowhere, "
        "/usr/share/datasets/cifar-10/cifar-10-batches-bin, /usr/share/datasets/cifar-10, "
        "data/cifar-10/cifar-10-batches-bin, data/cifar-10, data/cifar-10-batches-bin, data; ",
        "unpack cifar-10-binary.tar.gz of https://www.cs.toronto.edu/~kriz/cifar.html there, or name its folder "
        "in ORRERY_DATA");
    assert_int_equal(unsetenv("ORRERY_DATA"), 0);
}

static orr_status parse(orr_context *ctx, const unsigned char *bytes, size_t n, int64_t most, orr_cifar10 *out) {
    unsigned char *exact = malloc(n ? n : 1);
    memcpy(exact, bytes, n);
    const orr_status status = orr_cifar10_parse(ctx, arena, "a.bin", (orr_bytes){ exact, n }, most, out);
    free(exact);
    return status;
}

static void a_file_that_is_not_whole_records_is_refused(void **state) {
    orr_context *ctx = *state;
    orr_cifar10 c;
    unsigned char *file = records(0, 3);
    assert_ok(ctx, parse(ctx, file, 3 * RECORD, 0, &c));
    check_pictures(&c, 3, 0);
    assert_ok(ctx, parse(ctx, file, 3 * RECORD, 2, &c));
    check_pictures(&c, 2, 0);
    static const size_t wrong[] = { 0, 1, RECORD - 1, RECORD + 1, 3 * RECORD - 1 };
    for (int i = 0; i < 5; i++)
        assert_refused(ctx, parse(ctx, file, wrong[i], 0, &c), ORR_EINPUT,
                       "a.bin: ", "bytes; expected records of 3073, a label and 3 x 32 x 32 pixels");
    file[2 * RECORD] = 10;
    assert_refused(ctx, parse(ctx, file, 3 * RECORD, 0, &c), ORR_EINPUT,
                   "a.bin: ", "the label of picture 2 is 10; the ten classes are 0 to 9");
    free(file);
}

/* A gzipped file of zeros, which would be 200 MB: it ends where the largest file of pictures would. */
static void a_gzip_bomb_ends_at_the_size_of_a_dataset(void **state) {
    enum { BOMB = 200 << 20 };
    orr_context *ctx = *state;
    orr_cifar10 c;
    unsigned char *bomb = calloc(BOMB, 1);
    assert_non_null(bomb);
    assert_int_equal(mkdir(files_path("bomb"), 0700), 0);
    (void)files_write_gz("bomb/test_batch.bin.gz", bomb, BOMB);
    free(bomb);
    assert_refused(ctx, orr_cifar10_read(ctx, arena, files_path("bomb"), true, 1, &c), ORR_EINPUT, files_folder,
                   "more than 184380000 bytes when decompressed");
}

static orr_status read_set(orr_context *ctx, void *arg) {
    orr_arena *out;
    orr_cifar10 c;
    orr_status status = orr_arena_new(ctx, &out);
    if (status != ORR_OK) return status;
    status = orr_cifar10_read(ctx, out, arg, false, 9, &c);
    orr_arena_free(out);
    return status;
}

static void each_allocation_may_fail(void **state) {
    (void)state;
    char folder[512];
    make_dataset("failing");
    (void)snprintf(folder, sizeof folder, "%s", files_path("failing"));
    assert_true(fail_each_allocation(read_set, folder) > 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_come_in_the_order_of_the_files),
        cmocka_unit_test(the_folder_that_the_archive_unpacks_into_is_looked_into),
        cmocka_unit_test(what_is_not_found_says_where_it_was_looked_for_and_how_to_get_it),
        cmocka_unit_test(a_file_that_is_not_whole_records_is_refused),
        cmocka_unit_test(a_gzip_bomb_ends_at_the_size_of_a_dataset),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("ingredient/data/cifar10", tests, setup, teardown);
}
