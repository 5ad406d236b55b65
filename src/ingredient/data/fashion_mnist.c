/* Fashion-MNIST: 60,000 training and 10,000 test images of clothes, 28 x 28 grey pixels, ten classes (Xiao, Rasul,
 * Vollgraf 2017, 1708.07747), from the IDX files that the Debian package dataset-fashion-mnist installs.  data/find.h
 * says where they are looked for. */
#include <string.h>

#include "base/context.h"
#include "ingredient/data/find.h"
#include "ingredient/data/pictures.h"

enum { CLASSES = 10 };

static const orr_parameter parameters[] = {
    { "n", ORR_INT, .fallback = "500", .range = "[0, 60000]", .unit = "images",
      .help = "to train on, in file order; 0: all" },
    { "n_test", ORR_INT, .fallback = "0", .range = "[0, 60000]", .unit = "images", .help = "to test on" },
    { "part", ORR_CHOICE, .fallback = "train", .choices = "train test",
      .help = "which of the two sets is trained on; the other one tests" },
    { "folder", ORR_TEXT, .fallback = "", .help = "where the files are; empty: the search path" },
    ORR_DATA_POOL,
    ORR_DATA_CENTER,
    ORR_DATA_PREPARATION,
    { 0 },
};

static orr_status read_array(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, bool test, const char *what,
                             int rank, int64_t n, orr_idx *out) {
    const char *prefix = test ? "t10k" : "train";
    const char *file = orr_arena_format(out_arena, "%s-%s-idx%d-ubyte", prefix, what, rank), *path;
    if (!file) return orr_fail(ctx, ORR_ENOMEM, "fashion-mnist: no memory");
    ORR_TRY(ctx,
            orr_data_find(ctx, out_arena, "fashion-mnist", orr_text(s, "folder"), file,
                          "install the Debian package dataset-fashion-mnist, or name a folder in ORRERY_DATA", &path));
    ORR_TRY(ctx, orr_idx_read(ctx, out_arena, path, n, out));
    if (out->type != ORR_IDX_U8 || out->rank != rank)
        return orr_fail(ctx, ORR_EINPUT, "%s: expected u8 with %d dimensions, met %s with %d", path, rank,
                        orr_idx_type_name(out->type), out->rank);
    return ORR_OK;
}

static orr_status read_part(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, bool test, int64_t n,
                            orr_pictures *out) {
    ORR_TRY(ctx, read_array(ctx, out_arena, s, test, "images", 3, n, &out->images));
    ORR_TRY(ctx, read_array(ctx, out_arena, s, test, "labels", 1, n, &out->labels));
    return orr_pictures_match(ctx, "fashion-mnist", out);
}

static orr_status load(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, uint64_t seed, orr_dataset *out) {
    const int64_t n = orr_int(s, "n"), n_test = orr_int(s, "n_test");
    const bool swapped = strcmp(orr_text(s, "part"), "test") == 0;
    orr_pictures train = { 0 }, test = { 0 };
    (void)seed;
    ORR_TRY(ctx, read_part(ctx, out_arena, s, swapped, orr_data_needed(s, n), &train));
    if (n_test > 0) ORR_TRY(ctx, read_part(ctx, out_arena, s, !swapped, orr_data_needed(s, n_test), &test));
    const char *source = n ? orr_arena_format(out_arena, "Fashion-MNIST, %s %lld %s images", orr_text(s, "subset"),
                                              (long long)n, orr_text(s, "part"))
                           : orr_arena_format(out_arena, "Fashion-MNIST, all %s images", orr_text(s, "part"));
    return orr_pictures_dataset(ctx, out_arena, s, source, &train, &test, 255.0, CLASSES, out);
}

const orr_data orr_data_fashion_mnist = {
    .kind = { "fashion-mnist", "Fashion-MNIST: grey images of clothes, 28 x 28, ten classes", parameters },
    .load = load,
};
