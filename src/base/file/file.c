#define _XOPEN_SOURCE 700 /* open, read, fsync, realpath */
#include "base/file/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/context.h"
#include "base/file/deflate.h"

orr_status orr_file_trouble(int reason) {
    switch (reason) {
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case ENAMETOOLONG:
    case ELOOP: return ORR_EINPUT;
    default: return ORR_EIO;
    }
}

orr_status orr_file_read(orr_context *ctx, const char *path, orr_bytes *out) {
    orr_status status = ORR_OK;
    struct stat info;
    *out = (orr_bytes){ 0 };
    /* O_NONBLOCK: a FIFO must not hang before it is refused */
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return orr_fail(ctx, orr_file_trouble(errno), "%s: can't be opened (%s)", path, strerror(errno));
    if (fstat(file, &info) != 0) {
        status = orr_fail(ctx, ORR_EIO, "%s: can't be read (%s)", path, strerror(errno));
        goto done;
    }
    if (!S_ISREG(info.st_mode)) {
        status =
            orr_fail(ctx, ORR_EINPUT, "%s: is %s, not a file", path, S_ISDIR(info.st_mode) ? "a folder" : "a device");
        goto done;
    }
    const size_t n = (size_t)info.st_size;
    out->data = orr_allocate(ctx, n);
    if (!out->data) {
        status = orr_fail(ctx, ORR_ENOMEM, "%s: no memory for a file of %zu bytes", path, n);
        goto done;
    }
    while (out->n < n) {
        const ssize_t got = read(file, out->data + out->n, n - out->n);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            status = orr_fail(ctx, ORR_EIO, "%s: can't be read (%s)", path, strerror(errno));
            goto done;
        }
        if (got == 0) break; /* it shrank meanwhile: the parser says what is missing */
        out->n += (size_t)got;
    }
done:
    (void)close(file);
    return status;
}

orr_status orr_file_read_plain(orr_context *ctx, const char *path, size_t limit, orr_bytes *out) {
    ORR_TRY(ctx, orr_file_read(ctx, path, out));
    if (!orr_is_gzip(out->data, out->n)) return ORR_OK;
    const orr_bytes packed = *out;
    const orr_status status = orr_gunzip(ctx, path, packed, limit, out);
    orr_release(ctx, packed.data);
    return status;
}

static bool write_all(int file, orr_bytes bytes) {
    for (size_t at = 0; at < bytes.n;) {
        const ssize_t put = write(file, bytes.data + at, bytes.n - at);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return false;
        at += (size_t)put;
    }
    return true;
}

static orr_status write_directly(orr_context *ctx, const char *path, orr_bytes bytes) {
    const int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return orr_fail(ctx, ORR_EIO, "%s: can't be opened for writing (%s)", path, strerror(errno));
    const bool written = write_all(file, bytes);
    const int reason = errno;
    if (close(file) == 0 && written) return ORR_OK;
    return orr_fail(ctx, ORR_EIO, "%s: can't be written (%s)", path, strerror(written ? errno : reason));
}

/* A new file beside `path`, with the rights that the old one has or a new one gets.  -1 and errno where it can't be. */
static int open_beside(const char *path, const struct stat *old, char part[PATH_MAX]) {
    for (int k = 0; k < 100; k++) { /* a killed process may have left one behind under the same number */
        if (snprintf(part, PATH_MAX, "%s.%ld-%d.part", path, (long)getpid(), k) >= PATH_MAX) {
            errno = ENAMETOOLONG;
            return -1;
        }
        const int file = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (file >= 0 && old)
            (void)fchmod(file, old->st_mode & 07777); /* where it isn't ours to change: as a new one */
        if (file >= 0 || errno != EEXIST) return file;
    }
    return -1;
}

/* Makes the new name last; where the folder can't be flushed, the data are. */
static void flush_folder(const char *path) {
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (!slash) (void)strcpy(folder, ".");
    else if (slash == path) (void)strcpy(folder, "/");
    else if (snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path) >= PATH_MAX) return;
    const int file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0) return;
    (void)fsync(file);
    (void)close(file);
}

orr_status orr_file_write(orr_context *ctx, const char *path, orr_bytes bytes) {
    char part[PATH_MAX];
    struct stat old;
    const bool exists = stat(path, &old) == 0;
    if (exists && S_ISDIR(old.st_mode)) return orr_fail(ctx, ORR_EINPUT, "%s: is a folder; name a file in it", path);
    if (exists && !S_ISREG(old.st_mode)) return write_directly(ctx, path, bytes);
    char *whole = exists ? realpath(path, NULL) : NULL; /* a link stays a link */
    const char *target = whole ? whole : path;
    orr_status status = ORR_OK;
    const int file = open_beside(target, exists ? &old : NULL, part);
    if (file < 0) {
        status = orr_fail(ctx, orr_file_trouble(errno), "%s: can't be written (%s)", path, strerror(errno));
        goto done;
    }
    const bool written = write_all(file, bytes) && fsync(file) == 0;
    const int reason = errno;
    const bool closed = close(file) == 0;
    if (!written || !closed || rename(part, target) != 0) {
        const int cause = written ? errno : reason;
        status = orr_fail(ctx, orr_file_trouble(cause), "%s: can't be written (%s); nothing was changed", path,
                          strerror(cause));
        (void)unlink(part);
        goto done;
    }
    flush_folder(target);
done:
    free(whole);
    return status;
}

char *orr_file_stem(orr_arena *out_arena, const char *path, const char *ending) {
    const char *slash = strrchr(path, '/');
    char *stem = orr_arena_string(out_arena, slash ? slash + 1 : path);
    if (!stem) return NULL;
    const size_t n = strlen(stem), m = strlen(ending);
    if (n > m && strcmp(stem + n - m, ending) == 0) stem[n - m] = '\0';
    return stem;
}
