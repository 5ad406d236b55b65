/* Fashion-MNIST: 60,000 training and 10,000 test images of clothes, 28 x 28 grey pixels, ten classes (Xiao, Rasul,
 * Vollgraf 2017, 1708.07747), from the IDX files that the Debian package dataset-fashion-mnist installs.  data/find.h
 * says where they are looked for. */
#include <string.h>

#include "base/context.h"
#include "ingredient/data/data.h"
#include "ingredient/data/find.h"
#include "ingredient/data/idx.h"

enum { CLASSES = 10 };

static const orr_parameter parameters[] = {
    { "n", ORR_INT, .fallback = "500", .range = "[1, 60000]", .unit = "images",
      .help = "the first n images, in file order" },
    { "part", ORR_CHOICE, .fallback = "train", .choices = "train test", .help = "which of the two sets" },
    { "center", ORR_CHOICE, .fallback = "mean-image", .choices = "mean-image none",
      .help = "what is taken off pixel/255: the mean image of those n, or nothing" },
    { "folder", ORR_TEXT, .fallback = "", .help = "where the files are; empty: the search path" },
    { 0 },
};

static orr_status read_part(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, const char *what, int rank,
                            orr_idx *out) {
    const char *prefix = strcmp(orr_text(s, "part"), "train") == 0 ? "train" : "t10k";
    const char *file = orr_arena_format(out_arena, "%s-%s-idx%d-ubyte", prefix, what, rank), *path;
    if (!file) return orr_fail(ctx, ORR_ENOMEM, "fashion-mnist: no memory");
    ORR_TRY(ctx,
            orr_data_find(ctx, out_arena, "fashion-mnist", orr_text(s, "folder"), file,
                          "install the Debian package dataset-fashion-mnist, or name a folder in ORRERY_DATA", &path));
    ORR_TRY(ctx, orr_idx_read(ctx, out_arena, path, orr_int(s, "n"), out));
    if (out->type != ORR_IDX_U8 || out->rank != rank)
        return orr_fail(ctx, ORR_EINPUT, "%s: expected u8 with %d dimensions, met %s with %d", path, rank,
                        orr_idx_type_name(out->type), out->rank);
    return ORR_OK;
}

/* x[i,:] -= mean_i x[i,:] */
static void subtract_mean(int64_t n, int64_t features, double *x) {
    for (int64_t j = 0; j < features; j++) {
        double sum = 0.0;
        for (int64_t i = 0; i < n; i++) sum += x[i * features + j];
        const double mean = sum / (double)n;
        for (int64_t i = 0; i < n; i++) x[i * features + j] -= mean;
    }
}

static orr_status load(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, uint64_t seed, orr_dataset *out) {
    orr_idx images, labels;
    (void)seed;
    ORR_TRY(ctx, read_part(ctx, out_arena, s, "images", 3, &images));
    ORR_TRY(ctx, read_part(ctx, out_arena, s, "labels", 1, &labels));
    if (images.items != labels.items)
        return orr_fail(ctx, ORR_EINPUT, "fashion-mnist: %lld images but %lld labels", (long long)images.items,
                        (long long)labels.items);
    const int64_t n = images.size[0], features = images.size[1] * images.size[2];
    double *x = ORR_NEW(out_arena, double, images.count);
    int32_t *label = ORR_NEW(out_arena, int32_t, n);
    if (!x || !label) return orr_fail(ctx, ORR_ENOMEM, "fashion-mnist: no memory for %lld images", (long long)n);
    for (int64_t i = 0; i < images.count; i++) x[i] = orr_idx_value(&images, i) / 255.0;
    if (strcmp(orr_text(s, "center"), "mean-image") == 0) subtract_mean(n, features, x);
    for (int64_t i = 0; i < n; i++) {
        label[i] = (int32_t)orr_idx_value(&labels, i);
        if (label[i] >= CLASSES)
            return orr_fail(ctx, ORR_EINPUT, "fashion-mnist: label %lld is %d; the ten classes are 0 to 9",
                            (long long)i, label[i]);
    }
    *out = (orr_dataset){ .n = n,
                          .input = ORR_SHAPE(features),
                          .target = ORR_SCALAR,
                          .classes = CLASSES,
                          .x = x,
                          .label = label,
                          .source = orr_arena_format(out_arena, "Fashion-MNIST, first %lld %s images", (long long)n,
                                                     orr_text(s, "part")) };
    return out->source ? ORR_OK : orr_fail(ctx, ORR_ENOMEM, "fashion-mnist: no memory");
}

const orr_data orr_data_fashion_mnist = {
    .kind = { "fashion-mnist", "Fashion-MNIST: grey images of clothes, 28 x 28, ten classes", parameters },
    .load = load,
};
