#define _POSIX_C_SOURCE 200809L
#include "testing.h"

#include "files.h"
#include "ingredient/data/idx.h"

/* Two items of 2 x 3 bytes. */
static const unsigned char good[] = { 0, 0, 8, 3, 0, 0, 0, 2,   0, 0, 0, 2, 0,  0,
                                      0, 3, 0, 1, 2, 3, 4, 255, 6, 7, 8, 9, 10, 11 };

static orr_arena *arena;

static int setup(void **state) {
    if (files_setup() != 0 || context_setup(state) != 0) return -1;
    return orr_arena_new(*state, &arena) == ORR_OK ? 0 : -1;
}

static int teardown(void **state) {
    orr_arena_free(arena);
    return files_teardown() | context_teardown(state);
}

/* The file at `path` is refused with a status and one line that contains `says`. */
static void refused(orr_context *ctx, const char *path, int64_t items, orr_status status, const char *says) {
    orr_idx idx;
    const orr_status got = orr_idx_read(ctx, arena, path, items, &idx);
    const char *message = orr_context_message(ctx);
    if (got != status) fail_msg("expected %s, got %s: %s", orr_status_name(status), orr_status_name(got), message);
    if (!strstr(message, says)) fail_msg("expected \"%s\" in: %s", says, message);
    if (!strstr(message, path)) fail_msg("the path is missing in: %s", message);
    assert_null(strchr(message, '\n'));
    orr_context_clear(ctx);
}

static void refused_bytes(orr_context *ctx, const unsigned char *bytes, size_t n, const char *says) {
    refused(ctx, files_write("bad.idx", bytes, n), 0, ORR_EINPUT, says);
}

static void check_good(const orr_idx *idx) {
    assert_int_equal(idx->type, ORR_IDX_U8);
    assert_int_equal(idx->rank, 3);
    assert_int_equal(idx->items, 2);
    assert_int_equal(idx->size[1], 2);
    assert_int_equal(idx->size[2], 3);
    for (int64_t i = 0; i < idx->count; i++) assert_int_equal((int)orr_idx_value(idx, i), good[16 + i]);
}

static void plain_and_gzipped_files_read_alike(void **state) {
    orr_idx idx;
    assert_ok(*state, orr_idx_read(*state, arena, files_write("a.idx", good, sizeof good), 0, &idx));
    assert_int_equal(idx.count, 12);
    check_good(&idx);
    assert_ok(*state, orr_idx_read(*state, arena, files_write_gz("a.idx.gz", good, sizeof good), 0, &idx));
    assert_int_equal(idx.count, 12);
    check_good(&idx);
}

static void the_first_items_alone_can_be_kept(void **state) {
    orr_idx idx;
    assert_ok(*state, orr_idx_read(*state, arena, files_write_gz("a.idx.gz", good, sizeof good), 1, &idx));
    assert_int_equal(idx.size[0], 1);
    assert_int_equal(idx.count, 6);
    check_good(&idx);
    refused(*state, files_write("a.idx", good, sizeof good), 3, ORR_EINPUT, "3 items are asked for, the file holds 2");
}

static void every_element_type_is_big_endian(void **state) {
    static const unsigned char i8[] = { 0, 0, 9, 1, 0, 0, 0, 1, 0xfe }, i16[] = { 0, 0, 11, 1, 0, 0, 0, 1, 0xff, 0x00 },
                               i32[] = { 0, 0, 12, 1, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xfd },
                               f32[] = { 0, 0, 13, 1, 0, 0, 0, 1, 0x3f, 0xc0, 0, 0 },
                               f64[] = { 0, 0, 14, 1, 0, 0, 0, 1, 0xc0, 0x04, 0, 0, 0, 0, 0, 0 };
    static const struct {
        const unsigned char *bytes;
        size_t n;
        double value;
    } rows[] = { { i8, sizeof i8, -2 },
                 { i16, sizeof i16, -256 },
                 { i32, sizeof i32, -3 },
                 { f32, sizeof f32, 1.5 },
                 { f64, sizeof f64, -2.5 } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        orr_idx idx;
        assert_ok(*state, orr_idx_parse(*state, arena, "bytes", rows[i].bytes, rows[i].n, 0, &idx));
        assert_close(orr_idx_value(&idx, 0), rows[i].value, 0); /* exact in binary */
    }
}

static void an_array_without_items_is_an_array(void **state) {
    static const unsigned char none[] = { 0, 0, 8, 2, 0, 0, 0, 0, 0, 0, 0, 5 };
    orr_idx idx;
    assert_ok(*state, orr_idx_parse(*state, arena, "bytes", none, sizeof none, 0, &idx));
    assert_int_equal(idx.count, 0);
    assert_int_equal(idx.size[1], 5);
}

static void what_is_no_readable_file_is_refused(void **state) {
    refused(*state, files_path("nothing-here"), 0, ORR_EINPUT, "No such file");
    refused(*state, files_folder, 0, ORR_EINPUT, "is a folder, not a file");
    refused(*state, "/dev/null", 0, ORR_EINPUT, "is a device, not a file");
    if (geteuid() != 0) { /* root reads everything */
        const char *path = files_write("secret.idx", good, sizeof good);
        assert_int_equal(chmod(path, 0), 0);
        refused(*state, path, 0, ORR_EIO, "Permission denied");
    }
}

static void a_bad_header_is_refused(void **state) {
    unsigned char bytes[64];
    refused_bytes(*state, good, 0, "empty");
    refused_bytes(*state, good, 3, "ends inside the IDX header (the magic number needs 4 bytes, 3 are there)");
    refused_bytes(*state, good, 15, "ends inside the IDX header (the list of extents needs 12 bytes, 11 are there)");
    memcpy(bytes, good, sizeof good);
    bytes[1] = 7;
    refused_bytes(*state, bytes, sizeof good, "not an IDX file (starts with 00 07");
    memcpy(bytes, good, sizeof good);
    bytes[2] = 0x0a;
    refused_bytes(*state, bytes, sizeof good, "element type 0x0a is unknown");
    memcpy(bytes, good, sizeof good);
    bytes[3] = 0;
    refused_bytes(*state, bytes, sizeof good, "0 dimensions");
    bytes[3] = 200;
    refused_bytes(*state, bytes, sizeof good, "200 dimensions");
    memcpy(bytes, good, sizeof good);
    memset(bytes + 4, 0xff, 12); /* (2^32 - 1)^3 overflows 64 bits */
    refused_bytes(*state, bytes, sizeof good, "promises more data than a file of 28 bytes");
}

static void a_body_of_the_wrong_length_is_refused(void **state) {
    unsigned char longer[sizeof good + 1] = { 0 };
    memcpy(longer, good, sizeof good);
    refused_bytes(*state, good, sizeof good - 1, "12 bytes of data are promised by the IDX header, 11 are there");
    refused_bytes(*state, longer, sizeof longer, "data go on after the 12 bytes");
    /* a body that is cut behind the items kept is still told */
    refused(*state, files_write("cut.idx", good, sizeof good - 1), 1, ORR_EINPUT, "11 are there");
    refused(*state, files_write_gz("cut.gz", good, sizeof good - 1), 0, ORR_EINPUT, "11 are there");
    refused(*state, files_write_gz("long.gz", longer, sizeof longer), 0, ORR_EINPUT, "data go on after the 12 bytes");
}

static void a_damaged_gzip_stream_is_refused(void **state) {
    size_t n;
    unsigned char *bytes = files_read(files_write_gz("a.gz", good, sizeof good), &n);
    refused(*state, files_write("cut.gz", bytes, n - 4), 0, ORR_EINPUT, "ends in the middle");
    refused(*state, files_write("head.gz", bytes, 6), 0, ORR_EINPUT, "ends in the middle");
    bytes[n - 6] ^= 1; /* the checksum */
    refused(*state, files_write("sum.gz", bytes, n), 0, ORR_EINPUT, "damaged (incorrect data check)");
    bytes[n - 6] ^= 1;
    bytes[10] = 0xff; /* the first block: a type that deflate lacks */
    refused(*state, files_write("block.gz", bytes, n), 0, ORR_EINPUT, "damaged");
    free(bytes);
    bytes = files_read(files_path("a.gz"), &n);
    bytes[n] = 'x'; /* files_read leaves room for one byte */
    refused(*state, files_write("tail.gz", bytes, n + 1), 0, ORR_EINPUT, "bytes follow the end of the gzip stream");
    free(bytes);
}

/* 100 MB of zeros behind a header that promises 12 bytes: no more than one block is ever inflated; and a header that
 * promises terabytes takes no memory. */
static void a_gzip_bomb_costs_nothing(void **state) {
    enum { BOMB = 100 << 20 };
    unsigned char *bomb = calloc(BOMB, 1);
    assert_non_null(bomb);
    memcpy(bomb, good, sizeof good);
    const char *path = files_write_gz("bomb.gz", bomb, BOMB);
    const size_t before = orr_arena_used(arena);
    refused(*state, path, 0, ORR_EINPUT, "data go on after the 12 bytes");
    bomb[4] = 0x7f, bomb[9] = 0xff; /* 2^31 items and more */
    refused(*state, files_write_gz("huge.gz", bomb, 4096), 0, ORR_EINPUT, "promises more data than a file of");
    assert_true(orr_arena_used(arena) - before < 1024);
    free(bomb);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_and_gzipped_files_read_alike),
        cmocka_unit_test(the_first_items_alone_can_be_kept),
        cmocka_unit_test(every_element_type_is_big_endian),
        cmocka_unit_test(an_array_without_items_is_an_array),
        cmocka_unit_test(what_is_no_readable_file_is_refused),
        cmocka_unit_test(a_bad_header_is_refused),
        cmocka_unit_test(a_body_of_the_wrong_length_is_refused),
        cmocka_unit_test(a_damaged_gzip_stream_is_refused),
        cmocka_unit_test(a_gzip_bomb_costs_nothing),
    };
    return cmocka_run_group_tests_name("ingredient/data/idx", tests, setup, teardown);
}
