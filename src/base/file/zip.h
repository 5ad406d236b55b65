/* ZIP archives (PKWARE's APPNOTE 6.3), as far as NPZ files need them.
 *
 *   for each member   local header "PK\3\4", name, extra; then its bytes, stored (0) or deflated (8)
 *   then              the central directory: "PK\1\2" with name, sizes, CRC-32 and offset of each member
 *   then              with ZIP64: its end record "PK\6\6" and locator "PK\6\7"
 *   at the end        "PK\5\6": how many members, where the directory is, a comment
 * Refused with the reason: encrypted members, other methods, parts of one archive in several files, names that occur twice,
 * members that overlap, local headers that differ from the directory, bytes in front of the archive. */
#ifndef ORR_BASE_FILE_ZIP_H
#define ORR_BASE_FILE_ZIP_H

#include "base/file/file.h"
#include "orrery.h"

typedef struct orr_zip_member {
    const char *name;
    uint64_t packed, size; /* bytes in the archive and out of it */
    uint64_t at;           /* of its local header */
    uint64_t data;         /* of its bytes */
    uint32_t crc;
    int method; /* 0 stored, 8 deflated */
} orr_zip_member;

typedef struct orr_zip {
    const char *where; /* begins messages */
    orr_bytes bytes;   /* the archive; borrowed */
    orr_zip_member *member;
    int n;
} orr_zip;

/* The directory, in the order of the file, checked against the local headers.  `bytes` stay the caller's and must outlive
 * the result.  Fails: ORR_EINPUT, ORR_ENOMEM. */
orr_status orr_zip_parse(orr_context *ctx, orr_arena *out_arena, const char *where, orr_bytes bytes,
                         orr_zip *out) ORR_MUST_USE;
/* The bytes of member i, their CRC verified; a stored member is not copied.  Fails: ORR_EINPUT, ORR_ENOMEM. */
orr_status orr_zip_extract(orr_context *ctx, orr_arena *out_arena, const orr_zip *zip, int i,
                           orr_bytes *out) ORR_MUST_USE;

/* An archive of n members, in ZIP64 form where sizes or numbers need it.  Local headers always have the ZIP64 field, as
 * those that Python's zipfile writes for NumPy.  Fails: ORR_ENOMEM. */
orr_status orr_zip_bytes(orr_context *ctx, orr_arena *out_arena, const char *const *names, const orr_bytes *plain,
                         int n, bool deflate, orr_bytes *out) ORR_MUST_USE;

#endif
