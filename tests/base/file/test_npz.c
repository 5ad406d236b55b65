#define _POSIX_C_SOURCE 200809L
#include "testing.h"

#include "base/file/npz.h"
#include "failing.h"
#include "files.h"
#include "goldens.h"
#include "refused.h"

static orr_arena *arena, *scratch;

static int setup(void **state) {
    if (files_setup() != 0 || context_setup(state) != 0) return -1;
    return orr_arena_new(*state, &arena) == ORR_OK && orr_arena_new(*state, &scratch) == ORR_OK ? 0 : -1;
}

static int teardown(void **state) {
    orr_arena_free(scratch);
    orr_arena_free(arena);
    return files_teardown() | context_teardown(state);
}

static const char *write_golden(const unsigned char *bytes, size_t n) { return files_write("a.npz", bytes, n); }
#define WRITE(golden) write_golden(golden, sizeof golden)

/* The three arrays of make_goldens.py. */
static void check_arrays(const orr_arrays *all) {
    assert_int_equal(all->n, 3);
    const orr_array *weights = &all->item[0], *labels = &all->item[1], *mask = &all->item[2];
    assert_string_equal(weights->name, "weights");
    assert_string_equal(labels->name, "labels");
    assert_string_equal(mask->name, "mask");
    assert_int_equal(weights->dtype, ORR_F64);
    assert_int_equal(labels->dtype, ORR_I32);
    assert_int_equal(mask->dtype, ORR_BOOL);
    assert_true(orr_shape_equal(&mask->shape, &ORR_SHAPE(2, 3)));
    for (int i = 0; i < 6; i++) {
        assert_close(orr_array_value(weights, i), (i - 2) / 4.0, 0);
        assert_close(orr_array_value(mask, i), i > 2, 0);
    }
    assert_int_equal(((int32_t *)labels->data)[0], 1);
    assert_int_equal(((int32_t *)labels->data)[2], 2);
}

static void numpy_archives_read_whole_stored_and_deflated(void **state) {
    orr_arrays all;
    assert_ok(*state, orr_npz_read(*state, arena, WRITE(npz_stored), &all));
    check_arrays(&all);
    assert_ok(*state, orr_npz_read(*state, arena, WRITE(npz_deflated), &all));
    check_arrays(&all);
    assert_ok(*state, orr_npz_read(*state, arena, WRITE(npz_empty), &all));
    assert_int_equal(all.n, 0);
}

static void members_are_listed_and_read_one_by_one(void **state) {
    orr_context *ctx = *state;
    orr_npz npz;
    orr_array a;
    const char *path = WRITE(npz_deflated);
    assert_ok(ctx, orr_npz_open(ctx, arena, path, &npz));
    assert_int_equal(npz.zip.n, 3);
    assert_string_equal(npz.name[1], "labels");
    assert_ok(ctx, orr_npz_array(ctx, scratch, arena, &npz, "labels", &a));
    assert_int_equal(a.dtype, ORR_I32);
    assert_int_equal(orr_arena_used(scratch), 0);
    assert_refused(ctx, orr_npz_array(ctx, scratch, arena, &npz, "lables", &a), ORR_EINPUT, path,
                   ": no array 'lables' among its 3; did you mean 'labels'?");
    assert_refused(ctx, orr_npz_array(ctx, scratch, arena, &npz, "q\n", &a), ORR_EINPUT, path,
                   ": no array 'q\\n' among its 3; the first is 'weights'");
    assert_ok(ctx, orr_npz_open(ctx, arena, WRITE(npz_empty), &npz));
    assert_refused(ctx, orr_npz_array(ctx, scratch, arena, &npz, "x", &a), ORR_EINPUT, npz.zip.where,
                   ": no array 'x': the archive is empty");
}

/* The independent witness: NumPy's own bytes, dates, versions and ZIP64 fields included. */
static void a_stored_archive_is_what_numpy_writes(void **state) {
    orr_arrays all;
    orr_bytes written;
    assert_ok(*state, orr_npz_read(*state, arena, WRITE(npz_stored), &all));
    assert_ok(*state, orr_npz_bytes(*state, arena, &all, false, &written));
    assert_int_equal(written.n, sizeof npz_stored);
    assert_memory_equal(written.data, npz_stored, sizeof npz_stored);
    assert_ok(*state, orr_npz_bytes(*state, arena, &(orr_arrays){ 0 }, false, &written));
    assert_int_equal(written.n, sizeof npz_empty);
    assert_memory_equal(written.data, npz_empty, sizeof npz_empty);
}

static void a_deflated_archive_reads_back_and_is_smaller(void **state) {
    orr_context *ctx = *state;
    orr_array item[2];
    orr_arrays all, given = { item, 2 };
    const char *path = files_path("b.npz");
    assert_ok(ctx, orr_array_new(ctx, arena, "caf\xc3\xa9/0", ORR_F32, ORR_SHAPE(100, 100), &item[0]));
    assert_ok(ctx, orr_array_new(ctx, arena, "none", ORR_I32, ORR_SHAPE(3, 0), &item[1]));
    for (int i = 0; i < 10000; i++) ((float *)item[0].data)[i] = (float)(i % 7);
    assert_ok(ctx, orr_npz_write(ctx, path, &given, true));
    assert_ok(ctx, orr_npz_read(ctx, arena, path, &all));
    assert_int_equal(all.n, 2);
    assert_string_equal(all.item[0].name, item[0].name);
    assert_memory_equal(all.item[0].data, item[0].data, 40000);
    assert_true(orr_shape_equal(&all.item[1].shape, &ORR_SHAPE(3, 0)));
    size_t n;
    free(files_read(path, &n));
    assert_true(n < 4000); /* a period of 7 floats takes hardly a hundredth; 40000 bytes stored */
    item[1].name = item[0].name;
    assert_refused(ctx, orr_npz_write(ctx, path, &given, true), ORR_EINPUT,
                   "npz: ", "two arrays are named 'caf\xc3\xa9/0'");
    item[1].name = "";
    assert_refused(ctx, orr_npz_write(ctx, path, &given, true), ORR_EINPUT, "npz: ", "array 1 has a name of 0 bytes");
}

/* More members than 16 bits count: the end record of ZIP64 is written, found and believed. */
static void seventy_thousand_members_need_zip64(void **state) {
    enum { N = 70000 };
    orr_context *ctx = *state;
    orr_arena *own;
    orr_bytes file, out;
    orr_zip zip;
    assert_ok(ctx, orr_arena_new(ctx, &own));
    const char **names = ORR_NEW(own, const char *, N);
    orr_bytes *plain = ORR_NEW(own, orr_bytes, N);
    for (int i = 0; i < N; i++) {
        names[i] = orr_arena_format(own, "%d", i);
        plain[i] = (orr_bytes){ (unsigned char *)own, (size_t)i % 3 };
    }
    assert_ok(ctx, orr_zip_bytes(ctx, own, names, plain, N, false, &file));
    assert_ok(ctx, orr_zip_parse(ctx, own, "a.zip", file, &zip));
    assert_int_equal(zip.n, N);
    assert_string_equal(zip.member[N - 1].name, "69999");
    assert_ok(ctx, orr_zip_extract(ctx, own, &zip, N - 1, &out));
    assert_int_equal(out.n, (N - 1) % 3);
    unsigned char *locator = file.data + file.n - 22 - 20;
    locator[8] ^= 1; /* the place of the ZIP64 end record */
    assert_refused(ctx, orr_zip_parse(ctx, own, "a.zip", file, &zip), ORR_EINPUT,
                   "a.zip: ", "the ZIP64 end record is not where its locator says");
    orr_arena_free(own);
}

/* Opens and reads all of a changed copy. */
static orr_status read_bytes(orr_context *ctx, const unsigned char *bytes, size_t n) {
    orr_arrays all;
    return orr_npz_read(ctx, arena, files_write("bad.npz", bytes, n), &all);
}

static void a_file_cut_anywhere_is_refused(void **state) {
    for (size_t n = 0; n < sizeof npz_stored; n += n < sizeof npz_stored - 30 ? 13 : 1)
        assert_refused(*state, read_bytes(*state, npz_stored, n), ORR_EINPUT, files_folder, "bad.npz: ");
    assert_refused(*state, read_bytes(*state, npz_stored, 0), ORR_EINPUT, files_folder, "the file is empty");
    assert_refused(*state, read_bytes(*state, npz_stored, 700), ORR_EINPUT, files_folder,
                   "the end of the central directory is missing (truncated or damaged ZIP file?)");
    assert_refused(*state, read_bytes(*state, npy_row, sizeof npy_row), ORR_EINPUT, files_folder,
                   "not a ZIP archive (starts with \"\\x93NUM\"; ZIP starts with \"PK\")");
}

/* The offset of the k-th central record, from the end record. */
static size_t central(const unsigned char *file, size_t n, int k) {
    const unsigned char *end = file + n - 22;
    size_t at = (size_t)end[16] | (size_t)end[17] << 8;
    for (; k > 0; k--) at += 46 + (size_t)file[at + 28] + (size_t)file[at + 30];
    return at;
}

static void a_damaged_archive_is_refused_with_the_member(void **state) {
    orr_context *ctx = *state;
    unsigned char file[sizeof npz_stored], packed[sizeof npz_deflated];
    const size_t second = central(npz_stored, sizeof npz_stored, 1), n = sizeof file;
#define WITH(where, byte, says)                                                                                        \
    do {                                                                                                               \
        memcpy(file, npz_stored, n);                                                                                   \
        file[where] = (unsigned char)(byte);                                                                           \
        assert_refused(ctx, read_bytes(ctx, file, n), ORR_EINPUT, files_folder, says);                                 \
    } while (0)
    WITH(200, 77, "'weights.npy': damaged: its CRC is ");
    WITH(0, 'X', "no local header of member 'weights.npy' at byte 0");
    WITH(30, 'X', "no local header of member 'weights.npy' at byte 0");
    WITH(8, 8, "no local header of member 'weights.npy' at byte 0");
    WITH(second + 8, 1, "member 'labels.npy' is encrypted; decrypt it first");
    WITH(second + 10, 12, "member 'labels.npy' is packed by method 12; stored (0) and deflate (8) are supported");
    WITH(second + 20, 0xff, "promises");
    WITH(second + 26, 0x7f, "member 'labels.npy' promises 8323212 bytes out of 140, which can't be");
    WITH(second + 28, 0, "a ZIP member has no name");
    WITH(second + 46, 0, "a ZIP member has no name or a zero byte in it, \"\\x00abels.npy\"");
    WITH(second, 'X', "a record of the central directory is missing");
    WITH(second + 32, 0xff, "a record of the central directory is cut");
    WITH(n - 22 + 4, 1, "a ZIP archive in several parts");
    WITH(n - 22 + 12, 0, "the central directory is not where the end record says");
    WITH(n - 22 + 8, 9, "a ZIP archive in several parts");
    memcpy(file, npz_stored, n);
    file[n - 22 + 8] = file[n - 22 + 10] = 200;
    assert_refused(ctx, read_bytes(ctx, file, n), ORR_EINPUT, files_folder, "the central directory is too short");
    file[n - 22 + 8] = file[n - 22 + 10] = 2;
    assert_refused(ctx, read_bytes(ctx, file, n), ORR_EINPUT, files_folder, "goes on after its last member");
#undef WITH
    memcpy(packed, npz_deflated, sizeof packed);
    packed[61] = 0xff; /* the first block: a type that deflate lacks */
    assert_refused(ctx, read_bytes(ctx, packed, sizeof packed), ORR_EINPUT, files_folder,
                   "'weights.npy': the deflate stream");
    memcpy(packed, npz_deflated, sizeof packed);
    packed[central(packed, sizeof packed, 0) + 24] += 1; /* one byte more than comes out */
    assert_refused(ctx, read_bytes(ctx, packed, sizeof packed), ORR_EINPUT, files_folder,
                   "177 bytes are promised, the deflate stream holds 176");
    packed[central(packed, sizeof packed, 0) + 24] -= 2;
    assert_refused(ctx, read_bytes(ctx, packed, sizeof packed), ORR_EINPUT, files_folder,
                   "the deflate stream holds more than the 175 bytes promised");
    packed[central(packed, sizeof packed, 0) + 27] = 0x7f; /* two gigabytes out of a hundred bytes */
    const size_t before = orr_arena_used(arena);
    assert_refused(ctx, read_bytes(ctx, packed, sizeof packed), ORR_EINPUT, files_folder, "which can't be");
    assert_true(orr_arena_used(arena) - before < 65536);
}

static void members_must_not_share_names_or_bytes(void **state) {
    orr_context *ctx = *state;
    static const char *const names[] = { "a.npy", "b.npy" };
    orr_bytes plain[2], file;
    orr_zip zip;
    for (int i = 0; i < 2; i++) {
        plain[i].n = sizeof npy_row;
        plain[i].data = ORR_NEW(arena, unsigned char, plain[i].n);
        memcpy(plain[i].data, npy_row, plain[i].n);
    }
    assert_ok(ctx, orr_zip_bytes(ctx, arena, names, plain, 2, false, &file));
    const size_t second = central(file.data, file.n, 1),
                 local = file.data[second + 42] | (size_t)file.data[second + 43] << 8;
    unsigned char *copy = malloc(file.n);
    memcpy(copy, file.data, file.n);
    copy[second + 46] = copy[local + 30] = 'a';
    assert_refused(ctx, read_bytes(ctx, copy, file.n), ORR_EINPUT, files_folder, "two members are named 'a.npy'");
    memcpy(copy, file.data, file.n);
    const size_t first = central(file.data, file.n, 0);
    copy[first + 20]++; /* the first takes a byte of the second */
    copy[first + 24]++;
    assert_refused(ctx, read_bytes(ctx, copy, file.n), ORR_EINPUT, files_folder, "members 'a.npy' and 'b.npy' overlap");
    free(copy);
    assert_ok(ctx, orr_zip_parse(ctx, arena, "a.zip", file, &zip));
    assert_ok(ctx, orr_zip_bytes(ctx, arena, (const char *const[]){ "readme.txt" }, plain, 1, true, &file));
    assert_refused(ctx, read_bytes(ctx, file.data, file.n), ORR_EINPUT, files_folder,
                   "member 'readme.txt' is no array; expected a name that ends with .npy");
}

static orr_status read_and_write(orr_context *ctx, void *arg) {
    orr_arena *out;
    orr_arrays all;
    char copy[520];
    (void)snprintf(copy, sizeof copy, "%s.again", (const char *)arg);
    orr_status status = orr_arena_new(ctx, &out);
    if (status != ORR_OK) return status;
    status = orr_npz_read(ctx, out, arg, &all);
    if (status == ORR_OK) status = orr_npz_write(ctx, copy, &all, true);
    orr_arena_free(out);
    return status;
}

static void each_allocation_may_fail(void **state) {
    (void)state;
    char path[512];
    (void)snprintf(path, sizeof path, "%s", WRITE(npz_deflated));
    assert_true(fail_each_allocation(read_and_write, path) > 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numpy_archives_read_whole_stored_and_deflated),
        cmocka_unit_test(members_are_listed_and_read_one_by_one),
        cmocka_unit_test(a_stored_archive_is_what_numpy_writes),
        cmocka_unit_test(a_deflated_archive_reads_back_and_is_smaller),
        cmocka_unit_test(seventy_thousand_members_need_zip64),
        cmocka_unit_test(a_file_cut_anywhere_is_refused),
        cmocka_unit_test(a_damaged_archive_is_refused_with_the_member),
        cmocka_unit_test(members_must_not_share_names_or_bytes),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("base/file/npz", tests, setup, teardown);
}
