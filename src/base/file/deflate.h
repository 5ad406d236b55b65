/* Deflate and gzip, through zlib.  `name` begins messages. */
#ifndef ORR_BASE_FILE_DEFLATE_H
#define ORR_BASE_FILE_DEFLATE_H

#include "base/arena.h"
#include "base/file/file.h"
#include "orrery.h"

/* One byte of deflate can stand for at most 1032 (zlib's documentation, "Maximum Compression Factor"): a size that is
 * promised beyond this is refused before memory is taken. */
enum { ORR_DEFLATE_MAX = 1032 };

bool orr_is_gzip(const unsigned char *bytes, size_t n);

/* All of a gzip file of one or more members, checksums verified; out->data is given back with orr_release, also after a
 * failure.  Memory grows with what comes out, which ends at `limit` bytes (0: as many as memory takes).  Fails: ORR_EINPUT
 * where the stream is damaged, cut, followed by other bytes or longer; ORR_ENOMEM. */
orr_status orr_gunzip(orr_context *ctx, const char *name, orr_bytes packed, size_t limit, orr_bytes *out) ORR_MUST_USE;

/* A raw deflate stream that fills `out` exactly and uses all of `packed`.  Fails: ORR_EINPUT, ORR_ENOMEM. */
orr_status orr_inflate(orr_context *ctx, const char *name, orr_bytes packed, orr_bytes out) ORR_MUST_USE;
/* A raw deflate stream, zlib's default level.  Fails: ORR_ENOMEM. */
orr_status orr_deflate(orr_context *ctx, orr_arena *out_arena, const char *name, orr_bytes plain,
                       orr_bytes *packed) ORR_MUST_USE;

uint32_t orr_crc32(orr_bytes bytes); /* that of ZIP and gzip */

#endif
