/* NPY: NumPy's file of one array (numpy.lib.format, versions 1.0, 2.0 and 3.0).
 *
 *   byte 0 .. 5   93 "NUMPY"
 *   byte 6, 7     version, major and minor
 *   then          length of the header, u16 (1.0) or u32 (2.0 and 3.0), little-endian
 *   then          the header: {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), } , blanks, a new line
 *   then          the elements
 * Read: bool, signed and unsigned whole numbers of 1 to 8 bytes, floats of 2, 4 and 8; both byte orders, C and Fortran
 * order; as base/array.h says, whole numbers become i32 and f2 is widened to f32.  Refused with the reason: Python
 * objects, complex numbers, text, dates, records.  Written: version 1.0, little-endian, C order, the bytes that NumPy
 * itself writes. */
#ifndef ORR_BASE_FILE_NPY_H
#define ORR_BASE_FILE_NPY_H

#include "base/array.h"
#include "base/file/file.h"

/* The array's name is that of the file without folder and .npy.  Fails, with the path, what was expected and what was
 * met: ORR_EIO where the file can't be read; ORR_EINPUT where it is no whole NPY file; ORR_ENOMEM. */
orr_status orr_npy_read(orr_context *ctx, orr_arena *out_arena, const char *path, orr_array *out) ORR_MUST_USE;
/* The same from bytes in memory, which are read only during the call; `where` begins messages. */
orr_status orr_npy_parse(orr_context *ctx, orr_arena *out_arena, const char *where, const char *name, orr_bytes bytes,
                         orr_array *out) ORR_MUST_USE;

/* The bytes of a file.  Fails: ORR_ENOMEM. */
orr_status orr_npy_bytes(orr_context *ctx, orr_arena *out_arena, const orr_array *a, orr_bytes *out) ORR_MUST_USE;
/* Writes one, whole or not at all.  Fails: ORR_EIO, ORR_ENOMEM. */
orr_status orr_npy_write(orr_context *ctx, const char *path, const orr_array *a) ORR_MUST_USE;

#endif
