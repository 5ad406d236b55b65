/* CIFAR-10: 50,000 training and 10,000 test pictures, 32 x 32 in three colours, ten classes (A. Krizhevsky, "Learning
 * Multiple Layers of Features from Tiny Images", 2009), from its binary version.
 *
 *   a record: byte 0 the label, 0 .. 9; then 1024 red, 1024 green, 1024 blue bytes, each row-major
 *   a file: records one after the other, plain or gzipped: data_batch_1.bin to data_batch_5.bin, test_batch.bin */
#ifndef ORR_INGREDIENT_DATA_CIFAR10_H
#define ORR_INGREDIENT_DATA_CIFAR10_H

#include "base/arena.h"
#include "base/file/file.h"
#include "orrery.h"

enum { ORR_CIFAR10_CLASSES = 10, ORR_CIFAR10_CHANNELS = 3, ORR_CIFAR10_SIDE = 32, ORR_CIFAR10_PIXELS = 3072 };

typedef struct orr_cifar10 {
    int64_t n;
    unsigned char *pixel; /* [n, 3, 32, 32] */
    int32_t *label;       /* [n] */
} orr_cifar10;

extern const char *const orr_cifar10_class[ORR_CIFAR10_CLASSES]; /* "airplane", ... */

/* The first n pictures of a part, in the order of the files.  folder "": the search path of data/find.h.
 * Fails: ORR_EIO where a file is not found (with where it was looked for and how to get it) or can't be read; ORR_EINPUT
 * where a file is damaged or there are fewer pictures; ORR_ENOMEM. */
orr_status orr_cifar10_read(orr_context *ctx, orr_arena *out_arena, const char *folder, bool test, int64_t n,
                            orr_cifar10 *out) ORR_MUST_USE;
/* The pictures of one file, decompressed, at most n of them (0: all).  `where` begins messages. */
orr_status orr_cifar10_parse(orr_context *ctx, orr_arena *out_arena, const char *where, orr_bytes bytes, int64_t n,
                             orr_cifar10 *out) ORR_MUST_USE;

#endif
