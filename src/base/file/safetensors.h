/* safetensors: named tensors behind a JSON header (the format's page of huggingface/safetensors, version 0.4).
 *
 *   byte 0 .. 7   length of the header, u64 little-endian, at most 100 MB
 *   then          {"name": {"dtype": "F32", "shape": [3, 4], "data_offsets": [0, 48]}, "__metadata__": {"key": "text"}}
 *                 from '{' on; blanks may follow
 *   then          the data, little-endian, row-major; offsets count from here, and the tensors fill it without gap or
 *                 overlap
 * Read: BOOL I8 U8 I16 U16 I32 U32 I64 U64 F16 BF16 F32 F64, as base/array.h says (whole numbers become i32, half-length
 * floats are widened to f32).  The metadata are checked and left out.  Written: f32, f64, i32, bool. */
#ifndef ORR_BASE_FILE_SAFETENSORS_H
#define ORR_BASE_FILE_SAFETENSORS_H

#include "base/array.h"
#include "base/file/file.h"

/* All tensors, in the order of their data.  Fails, with the path, what was expected and what was met: ORR_EIO,
 * ORR_EINPUT, ORR_ENOMEM. */
orr_status orr_safetensors_read(orr_context *ctx, orr_arena *out_arena, const char *path, orr_arrays *out) ORR_MUST_USE;
/* The same from bytes in memory, which are read only during the call. */
orr_status orr_safetensors_parse(orr_context *ctx, orr_arena *out_arena, const char *where, orr_bytes bytes,
                                 orr_arrays *out) ORR_MUST_USE;

/* The bytes of a file, tensors in the order given; the header is padded so that the data start at a multiple of 8.
 * Fails: ORR_EINPUT for a name that is no UTF-8, occurs twice or is "__metadata__"; ORR_ENOMEM. */
orr_status orr_safetensors_bytes(orr_context *ctx, orr_arena *out_arena, const orr_arrays *arrays,
                                 orr_bytes *out) ORR_MUST_USE;
/* Writes one, whole or not at all.  Fails: ORR_EIO, ORR_EINPUT, ORR_ENOMEM. */
orr_status orr_safetensors_write(orr_context *ctx, const char *path, const orr_arrays *arrays) ORR_MUST_USE;

#endif
