/* Any IDX files: an array of inputs and an array of labels (data/idx.h says what IDX is).
 *
 *   inputs [n, ...]: [n, y, x] is one channel, [n, c, y, x] has several; x = element / divisor
 *   labels [n]: whole numbers 0, 1, ...; there are as many classes as the largest needs */
#include "base/context.h"
#include "ingredient/data/pictures.h"

static const orr_parameter parameters[] = {
    { "n", ORR_INT, .fallback = "0", .range = "[0, inf)", .unit = "examples",
      .help = "to train on, in file order; 0: all" },
    { "n_test", ORR_INT, .fallback = "0", .range = "[0, inf)", .unit = "examples",
      .help = "to test on: from the test files, or from the others behind those to train on" },
    { "images", ORR_TEXT, .help = "path of the inputs, plain or gzipped" },
    { "labels", ORR_TEXT, .help = "path of their labels" },
    { "test_images", ORR_TEXT, .fallback = "", .help = "path of inputs to test on" },
    { "test_labels", ORR_TEXT, .fallback = "", .help = "path of their labels" },
    { "divisor", ORR_REAL, .fallback = "255", .range = "(0, inf)", .help = "what elements are divided by" },
    ORR_DATA_POOL,
    ORR_DATA_CENTER,
    ORR_DATA_PREPARATION,
    { 0 },
};

static orr_status load(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, uint64_t seed, orr_dataset *out) {
    const bool has_test = *orr_text(s, "test_images") != '\0';
    const int64_t n_test = orr_int(s, "n_test"), n = orr_data_needed(s, orr_int(s, "n"));
    orr_pictures train = { 0 }, test = { 0 };
    (void)seed;
    if (has_test != (*orr_text(s, "test_labels") != '\0'))
        return orr_fail(ctx, ORR_EINPUT, "idx: test_images and test_labels go together");
    ORR_TRY(ctx, orr_idx_read(ctx, out_arena, orr_text(s, "images"), has_test ? n : 0, &train.images));
    ORR_TRY(ctx, orr_idx_read(ctx, out_arena, orr_text(s, "labels"), has_test ? n : 0, &train.labels));
    ORR_TRY(ctx, orr_pictures_match(ctx, orr_text(s, "images"), &train));
    if (has_test && n_test > 0) {
        const int64_t needed = orr_data_needed(s, n_test);
        ORR_TRY(ctx, orr_idx_read(ctx, out_arena, orr_text(s, "test_images"), needed, &test.images));
        ORR_TRY(ctx, orr_idx_read(ctx, out_arena, orr_text(s, "test_labels"), needed, &test.labels));
        ORR_TRY(ctx, orr_pictures_match(ctx, orr_text(s, "test_images"), &test));
    }
    return orr_pictures_dataset(ctx, out_arena, s, orr_text(s, "images"), &train, &test, orr_real(s, "divisor"), 0,
                                out);
}

const orr_data orr_data_idx_files = {
    .kind = { "idx", "inputs and labels from IDX files", parameters },
    .load = load,
};
