#define _GNU_SOURCE /* RLIMIT_FSIZE, mkfifo */
#include "testing.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>

#include "base/file/deflate.h"
#include "base/file/file.h"
#include "files.h"
#include "refused.h"

static orr_arena *arena;

static int setup(void **state) {
    if (files_setup() != 0 || context_setup(state) != 0) return -1;
    return orr_arena_new(*state, &arena) == ORR_OK ? 0 : -1;
}

static int teardown(void **state) {
    orr_arena_free(arena);
    return files_teardown() | context_teardown(state);
}

static orr_bytes letters(const char *text) {
    orr_bytes b = { ORR_NEW(arena, unsigned char, strlen(text) + 1), strlen(text) };
    memcpy(b.data, text, b.n);
    return b;
}

static void check_file(const char *path, const char *text) {
    size_t n;
    unsigned char *bytes = files_read(path, &n);
    assert_string_equal((const char *)bytes, text);
    free(bytes);
}

static int entries(void) {
    DIR *folder = opendir(files_folder);
    int n = 0;
    while (readdir(folder)) n++;
    closedir(folder);
    return n - 2;
}

static void a_file_is_replaced_whole_and_keeps_its_rights(void **state) {
    orr_context *ctx = *state;
    struct stat info;
    const char *path = files_write("a", "old", 3);
    assert_int_equal(chmod(path, 0640), 0);
    assert_ok(ctx, orr_file_write(ctx, path, letters("new text")));
    check_file(path, "new text");
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
    const char *link = files_path("link");
    assert_int_equal(symlink(path, link), 0);
    assert_ok(ctx, orr_file_write(ctx, link, letters("through a link")));
    assert_int_equal(lstat(link, &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    check_file(path, "through a link");
    assert_ok(ctx, orr_file_write(ctx, files_path("empty"), (orr_bytes){ 0 }));
    check_file(files_path("empty"), "");
    assert_int_equal(entries(), 3); /* and nothing else is left */
}

/* A disk that fills up, by a limit on the size of files. */
static void a_write_that_fails_changes_nothing(void **state) {
    orr_context *ctx = *state;
    struct rlimit before, small;
    const char *path = files_write("kept", "as it was", 9);
    const int n = entries();
    orr_bytes large = { ORR_NEW(arena, unsigned char, 1 << 20), 1 << 20 };
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 4096;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    const orr_status status = orr_file_write(ctx, path, large);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_refused(ctx, status, ORR_EIO, path, "can't be written (File too large); nothing was changed");
    check_file(path, "as it was");
    assert_int_equal(entries(), n);
}

static void a_folder_is_no_file_and_a_device_is_written_directly(void **state) {
    orr_context *ctx = *state;
    orr_bytes out;
    assert_refused(ctx, orr_file_write(ctx, files_folder, letters("x")), ORR_EINPUT, files_folder,
                   "is a folder; name a file in it");
    assert_ok(ctx, orr_file_write(ctx, "/dev/null", letters("x")));
    assert_refused(ctx, orr_file_write(ctx, "/dev/full", letters("x")), ORR_EIO, "/dev/full",
                   "can't be written (No space left");
    assert_refused(ctx, orr_file_write(ctx, "", letters("x")), ORR_EINPUT, ": ", "can't be written (");
    const char *fifo = files_path("fifo");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_refused(ctx, orr_file_read(ctx, fifo, &out), ORR_EINPUT, fifo, "is a device, not a file");
}

static void a_stem_is_the_name_without_folder_and_ending(void **state) {
    (void)state;
    assert_string_equal(orr_file_stem(arena, "a/b.npy", ".npy"), "b");
    assert_string_equal(orr_file_stem(arena, "b.npz", ".npy"), "b.npz");
    assert_string_equal(orr_file_stem(arena, "a/.npy", ".npy"), ".npy");
    assert_string_equal(orr_file_stem(arena, "a/", ".npy"), "");
}

static void gzipped_files_are_decompressed_and_others_are_not(void **state) {
    orr_context *ctx = *state;
    orr_bytes out;
    assert_ok(ctx, orr_file_read_plain(ctx, files_write("p", "plain", 5), 0, &out));
    assert_int_equal(out.n, 5);
    assert_memory_equal(out.data, "plain", 5);
    orr_release(ctx, out.data);
    enum { LARGE = 300000 };
    unsigned char *large = malloc(LARGE);
    for (int i = 0; i < LARGE; i++) large[i] = (unsigned char)((int64_t)i * i % 251);
    size_t n, m;
    unsigned char *first = files_read(files_write_gz("a.gz", large, LARGE), &n), *two = malloc(2 * n + 2);
    assert_ok(ctx, orr_file_read_plain(ctx, files_path("a.gz"), LARGE, &out));
    assert_int_equal(out.n, LARGE);
    assert_memory_equal(out.data, large, LARGE);
    orr_release(ctx, out.data);
#define REFUSED(call, says)                                                                                            \
    assert_refused(ctx, call, ORR_EINPUT, files_folder, says);                                                         \
    orr_release(ctx, out.data)
    REFUSED(orr_file_read_plain(ctx, files_path("a.gz"), LARGE - 1, &out),
            ": more than 299999 bytes when decompressed");
    memcpy(two, first, n); /* gzip -c a >> b: two members are one text */
    memcpy(two + n, first, n);
    m = 2 * n;
    assert_ok(ctx, orr_file_read_plain(ctx, files_write("b.gz", two, m), 0, &out));
    assert_int_equal(out.n, 2 * LARGE);
    assert_memory_equal(out.data + LARGE, large, LARGE);
    orr_release(ctx, out.data);
    for (size_t cut = 2; cut < n; cut += 101) {
        REFUSED(orr_file_read_plain(ctx, files_write("c.gz", first, cut), 0, &out),
                "the gzip stream ends in the middle");
    }
    two[n] = 'x';
    REFUSED(orr_file_read_plain(ctx, files_write("d.gz", two, n + 1), 0, &out),
            "bytes follow the end of the gzip stream");
    two[n] = 0x1f, two[n + 1] = 'x';
    REFUSED(orr_file_read_plain(ctx, files_write("e.gz", two, n + 2), 0, &out),
            "the gzip stream is damaged (incorrect header check)");
    two[n - 8] ^= 1;
    REFUSED(orr_file_read_plain(ctx, files_write("f.gz", two, n), 0, &out),
            "the gzip stream is damaged (incorrect data check)");
#undef REFUSED
    free(two);
    free(first);
    free(large);
}

static void deflate_and_inflate_are_inverse(void **state) {
    orr_context *ctx = *state;
    static const size_t sizes[] = { 0, 1, 100, 70000 };
    for (size_t s = 0; s < 4; s++) {
        orr_bytes plain = { ORR_NEW(arena, unsigned char, sizes[s]), sizes[s] }, packed;
        for (size_t i = 0; i < plain.n; i++) plain.data[i] = (unsigned char)(i * i / 7);
        assert_ok(ctx, orr_deflate(ctx, arena, "x", plain, &packed));
        orr_bytes out = { ORR_NEW(arena, unsigned char, plain.n), plain.n };
        assert_ok(ctx, orr_inflate(ctx, "x", packed, out));
        assert_memory_equal(out.data, plain.data, plain.n);
        out.n++;
        out.data = ORR_NEW(arena, unsigned char, out.n);
        assert_refused(ctx, orr_inflate(ctx, "x", packed, out), ORR_EINPUT,
                       "x: ", "bytes are promised, the deflate stream holds");
        out.n--;
        packed.n--;
        assert_refused(ctx, orr_inflate(ctx, "x", packed, out), ORR_EINPUT,
                       "x: ", "the deflate stream ends in the middle");
    }
    assert_int_equal(orr_crc32(letters("123456789")), 0xcbf43926); /* the check value of CRC-32 (IEEE 802.3) */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_replaced_whole_and_keeps_its_rights),
        cmocka_unit_test(a_write_that_fails_changes_nothing),
        cmocka_unit_test(a_folder_is_no_file_and_a_device_is_written_directly),
        cmocka_unit_test(a_stem_is_the_name_without_folder_and_ending),
        cmocka_unit_test(gzipped_files_are_decompressed_and_others_are_not),
        cmocka_unit_test(deflate_and_inflate_are_inverse),
    };
    return cmocka_run_group_tests_name("base/file/file", tests, setup, teardown);
}
