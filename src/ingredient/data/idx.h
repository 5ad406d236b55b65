/* IDX: the array format of MNIST and its successors (Y. LeCun's page, "The MNIST database"), plain or gzipped.
 *
 *   byte 0, 1   zero
 *   byte 2      element type: 08 u8, 09 i8, 0b i16, 0c i32, 0d f32, 0e f64
 *   byte 3      rank, 1 .. ORR_IDX_RANK_MAX
 *   then        rank extents, u32 each; then the elements, row-major.  All big-endian. */
#ifndef ORR_INGREDIENT_DATA_IDX_H
#define ORR_INGREDIENT_DATA_IDX_H

#include "base/arena.h"
#include "orrery.h"

enum { ORR_IDX_RANK_MAX = 8 };

/* ORDER idx type: idx.c */
typedef enum orr_idx_type {
    ORR_IDX_U8 = 0,
    ORR_IDX_I8,
    ORR_IDX_I16,
    ORR_IDX_I32,
    ORR_IDX_F32,
    ORR_IDX_F64
} orr_idx_type;

typedef struct orr_idx {
    orr_idx_type type;
    int32_t rank;
    int64_t size[ORR_IDX_RANK_MAX]; /* size[0]: the items kept */
    int64_t items;                  /* the items in the file */
    int64_t count;                  /* elements kept: the product of size */
    const unsigned char *data;      /* the elements kept, as in the file */
} orr_idx;

/* Reads the first `items` items (0: all of them) of a file; what is not kept is checked all the same.
 * Fails, with the path and what is wrong: ORR_EIO where the file can't be read; ORR_EINPUT where it is no whole IDX
 * file (header, type, rank, extents, length too short or too long, gzip damage) or holds fewer items; ORR_ENOMEM. */
orr_status orr_idx_read(orr_context *ctx, orr_arena *out_arena, const char *path, int64_t items,
                        orr_idx *out) ORR_MUST_USE;

/* The same from bytes in memory; `name` stands in messages.  The bytes are read only during the call. */
orr_status orr_idx_parse(orr_context *ctx, orr_arena *out_arena, const char *name, const unsigned char *bytes, size_t n,
                         int64_t items, orr_idx *out) ORR_MUST_USE;

/* Element i, 0 <= i < count, in row-major order. */
double orr_idx_value(const orr_idx *idx, int64_t i);

const char *orr_idx_type_name(orr_idx_type type); /* "u8" */

#endif
