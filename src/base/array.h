/* Arrays with a name, as files bring them and programs take them, and the element types of files. */
#ifndef ORR_BASE_ARRAY_H
#define ORR_BASE_ARRAY_H

#include "base/arena.h"
#include "orrery.h"

typedef struct orr_array {
    const char *name;
    orr_dtype dtype;
    orr_shape shape;
    void *data; /* row-major, in an arena, aligned to 64 */
} orr_array;

typedef struct orr_arrays {
    orr_array *item;
    int n;
} orr_arrays;

/* An array of zeros.  Fails: ORR_ENOMEM. */
orr_status orr_array_new(orr_context *ctx, orr_arena *out_arena, const char *name, orr_dtype dtype, orr_shape shape,
                         orr_array *out) ORR_MUST_USE;
/* Element i in row-major order; i32 and bool are exact in a double. */
double orr_array_value(const orr_array *a, int64_t i);

/* The array of that name.  Fails: ORR_EINPUT, with `where` (a path) and the nearest name. */
orr_status orr_arrays_find(orr_context *ctx, const char *where, const orr_arrays *arrays, const char *name,
                           orr_array *out) ORR_MUST_USE;

/* The same values as another type, where that loses nothing but the rounding of f64 to f32:
 *   to f64   exact
 *   to f32   from f64 to nearest, refused where a finite value gets infinite; from i32 refused beyond 2^24
 *   to i32   refused where a value is not whole or does not fit
 *   to bool  refused where a value is neither 0 nor 1
 * The array itself where it has the type already.  Fails: ORR_EINPUT, with `where`, the element and its value;
 * ORR_ENOMEM. */
orr_status orr_array_cast(orr_context *ctx, orr_arena *out_arena, const char *where, const orr_array *a,
                          orr_dtype dtype, orr_array *out) ORR_MUST_USE;

/* How a file stores an element, and what it is read as.  ORDER element: array.c
 *   bool                      bool: bytes 0 and 1, others are refused
 *   i8 u8 i16 u16 i32         i32
 *   u32 i64 u64               i32; refused where a value lies outside
 *   f16 bf16 f32              f32; the half-length ones are widened, which is exact
 *   f64                       f64 */
typedef enum orr_element {
    ORR_ELEMENT_BOOL = 0,
    ORR_ELEMENT_I8,
    ORR_ELEMENT_U8,
    ORR_ELEMENT_I16,
    ORR_ELEMENT_U16,
    ORR_ELEMENT_I32,
    ORR_ELEMENT_U32,
    ORR_ELEMENT_I64,
    ORR_ELEMENT_U64,
    ORR_ELEMENT_F16,
    ORR_ELEMENT_BF16,
    ORR_ELEMENT_F32,
    ORR_ELEMENT_F64
} orr_element;

size_t orr_element_size(orr_element element);
const char *orr_element_name(orr_element element); /* "i64" */
orr_dtype orr_element_dtype(orr_element element);  /* what it is read as */
orr_element orr_element_of_dtype(orr_dtype dtype); /* what it is written as */

/* Bytes of a whole array; false where they, or its non-zero extents alone, are more than 2^62. */
bool orr_element_bytes(orr_element element, const orr_shape *shape, int64_t *bytes);

typedef struct orr_stored {
    orr_element element;
    bool big_endian;
    bool column_major; /* Fortran's order: the first index runs fastest */
    orr_shape shape;
    const unsigned char *bytes; /* as many as orr_element_bytes says */
} orr_stored;

/* An array from the bytes of a file.  `where` begins messages.  Fails: ORR_EINPUT, ORR_ENOMEM. */
orr_status orr_array_decode(orr_context *ctx, orr_arena *out_arena, const char *where, const char *name,
                            const orr_stored *stored, orr_array *out) ORR_MUST_USE;
/* Its bytes, row-major and little-endian, count times orr_dtype_size of them. */
void orr_array_encode(const orr_array *a, unsigned char *to);

#endif
