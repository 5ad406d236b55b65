/* NPZ: NumPy's archive of arrays, a ZIP file (base/file/zip.h) whose members are NPY files (base/file/npy.h).  The array
 * "weights" is the member "weights.npy". */
#ifndef ORR_BASE_FILE_NPZ_H
#define ORR_BASE_FILE_NPZ_H

#include "base/array.h"
#include "base/file/file.h"
#include "base/file/zip.h"

/* An archive, opened: its members can be listed without being read. */
typedef struct orr_npz {
    orr_zip zip;
    const char *const *name; /* the names of its zip.n arrays; a member that is no .npy keeps its whole name */
} orr_npz;

/* The bytes of the file stay in out_arena.  Fails: ORR_EIO, ORR_EINPUT, ORR_ENOMEM. */
orr_status orr_npz_open(orr_context *ctx, orr_arena *out_arena, const char *path, orr_npz *out) ORR_MUST_USE;
/* The same from bytes in memory, which must outlive the result. */
orr_status orr_npz_parse(orr_context *ctx, orr_arena *out_arena, const char *where, orr_bytes bytes,
                         orr_npz *out) ORR_MUST_USE;

/* Reads one array; `scratch` gets back as it was and must not be out_arena.  Fails: ORR_EINPUT where there is none of that
 * name (the nearest is named) or where it is damaged; ORR_ENOMEM. */
orr_status orr_npz_array(orr_context *ctx, orr_arena *scratch, orr_arena *out_arena, const orr_npz *npz,
                         const char *name, orr_array *out) ORR_MUST_USE;
/* Reads all arrays of a file, in its order. */
orr_status orr_npz_read(orr_context *ctx, orr_arena *out_arena, const char *path, orr_arrays *out) ORR_MUST_USE;

/* The bytes of a file; names are unique.  deflate: as numpy.savez_compressed, else stored, as numpy.savez.  Fails:
 * ORR_EINPUT for a name that is empty, occurs twice or is longer than 65000 bytes; ORR_ENOMEM. */
orr_status orr_npz_bytes(orr_context *ctx, orr_arena *out_arena, const orr_arrays *arrays, bool deflate,
                         orr_bytes *out) ORR_MUST_USE;
/* Writes one, whole or not at all.  Fails: ORR_EIO, ORR_EINPUT, ORR_ENOMEM. */
orr_status orr_npz_write(orr_context *ctx, const char *path, const orr_arrays *arrays, bool deflate) ORR_MUST_USE;

#endif
