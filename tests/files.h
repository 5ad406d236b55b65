/* Files that a test makes, in a folder of its own. */
#ifndef ORR_TESTS_FILES_H
#define ORR_TESTS_FILES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "testing.h"

static char files_folder[256];

static inline int files_setup(void) {
    const char *tmp = getenv("TMPDIR");
    (void)snprintf(files_folder, sizeof files_folder, "%s/orrery-test-XXXXXX", tmp ? tmp : "/tmp");
    return mkdtemp(files_folder) ? 0 : -1;
}

static inline int files_teardown(void) {
    char command[300];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", files_folder);
    return system(command) == 0 ? 0 : -1;
}

static inline const char *files_path(const char *name) {
    static char path[4][512];
    static int at;
    at = (at + 1) % 4;
    (void)snprintf(path[at], sizeof path[at], "%s/%s", files_folder, name);
    return path[at];
}

static inline const char *files_write(const char *name, const void *bytes, size_t n) {
    const char *path = files_path(name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
    return path;
}

static inline const char *files_write_gz(const char *name, const void *bytes, size_t n) {
    const char *path = files_path(name);
    gzFile f = gzopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(gzwrite(f, bytes, (unsigned)n), (int)n);
    assert_int_equal(gzclose(f), Z_OK);
    return path;
}

/* The bytes of a file; *n of them, to be freed. */
static inline unsigned char *files_read(const char *path, size_t *n) {
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    *n = (size_t)ftell(f);
    rewind(f);
    unsigned char *bytes = malloc(*n + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *n, f), *n);
    bytes[*n] = 0;
    (void)fclose(f);
    return bytes;
}

#endif
