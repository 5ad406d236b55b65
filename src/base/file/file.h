/* Whole files: read into memory, written whole or not at all. */
#ifndef ORR_BASE_FILE_FILE_H
#define ORR_BASE_FILE_FILE_H

#include "base/arena.h"
#include "orrery.h"

typedef struct orr_bytes {
    unsigned char *data;
    size_t n;
} orr_bytes;

/* What can't be opened or made, by its errno: a name that leads nowhere, or to a folder, is the user's (ORR_EINPUT); all else is the
 * machine's (ORR_EIO). */
orr_status orr_file_trouble(int reason) ORR_MUST_USE;

/* The whole of a regular file, to be given back with orr_release(ctx, out->data), also after a failure.
 * Fails: ORR_EINPUT where it is not there, a folder or a device; ORR_EIO where it is not readable; ORR_ENOMEM. */
orr_status orr_file_read(orr_context *ctx, const char *path, orr_bytes *out) ORR_MUST_USE;
/* The same, decompressed where it is gzipped, to at most `limit` bytes (0: any); orr_gunzip of base/file/deflate.h says
 * what else can fail. */
orr_status orr_file_read_plain(orr_context *ctx, const char *path, size_t limit, orr_bytes *out) ORR_MUST_USE;

/* Writes a file: first beside it under another name, flushed to the disk, then renamed, so that a reader, a full disk or
 * a kill at any moment sees the old file or the new one.  A device, a pipe or a terminal is written directly.
 * Fails: ORR_EINPUT where it is a folder, or is to lie in one that isn't there; ORR_EIO; what was there stays. */
orr_status orr_file_write(orr_context *ctx, const char *path, orr_bytes bytes) ORR_MUST_USE;

/* The last part of a path without `ending`; NULL where memory is out.  "a/b.npy", ".npy" -> "b" */
char *orr_file_stem(orr_arena *out_arena, const char *path, const char *ending);

#endif
