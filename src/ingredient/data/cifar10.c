#include "ingredient/data/cifar10.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/context.h"
#include "ingredient/data/find.h"
#include "ingredient/data/pictures.h"

enum { RECORD = 1 + ORR_CIFAR10_PIXELS, BATCHES = 5, FILE_MAX = 60000 * RECORD };

const char *const orr_cifar10_class[ORR_CIFAR10_CLASSES] = { "airplane", "automobile", "bird",  "cat",  "deer",
                                                             "dog",      "frog",       "horse", "ship", "truck" };

static orr_status check_length(orr_context *ctx, const char *where, orr_bytes bytes) {
    if (bytes.n > 0 && bytes.n % RECORD == 0) return ORR_OK;
    return orr_fail(
        ctx, ORR_EINPUT,
        "%s: %zu bytes; expected records of %d, a label and 3 x 32 x 32 pixels (the binary version of CIFAR-10; "
        "truncated file?)",
        where, bytes.n, RECORD);
}

/* The first n records into out, from its picture `at` on. */
static orr_status take(orr_context *ctx, const char *where, const unsigned char *record, int64_t n, orr_cifar10 *out,
                       int64_t at) {
    for (int64_t i = 0; i < n; i++, record += RECORD) {
        if (record[0] >= ORR_CIFAR10_CLASSES)
            return orr_fail(ctx, ORR_EINPUT, "%s: the label of picture %" PRId64 " is %d; the ten classes are 0 to 9",
                            where, i, record[0]);
        out->label[at + i] = record[0];
        memcpy(out->pixel + (at + i) * ORR_CIFAR10_PIXELS, record + 1, ORR_CIFAR10_PIXELS);
    }
    return ORR_OK;
}

static orr_status make_room(orr_context *ctx, orr_arena *out_arena, int64_t n, orr_cifar10 *out) {
    *out = (orr_cifar10){ .n = n, .label = ORR_NEW(out_arena, int32_t, n) };
    out->pixel = orr_arena_take(out_arena, n, ORR_CIFAR10_PIXELS);
    if (out->pixel && out->label) return ORR_OK;
    return orr_fail(ctx, ORR_ENOMEM, "cifar10: no memory for %" PRId64 " pictures", n);
}

orr_status orr_cifar10_parse(orr_context *ctx, orr_arena *out_arena, const char *where, orr_bytes bytes, int64_t n,
                             orr_cifar10 *out) {
    *out = (orr_cifar10){ 0 };
    ORR_TRY(ctx, check_length(ctx, where, bytes));
    const int64_t there = (int64_t)(bytes.n / RECORD), keep = n > 0 && n < there ? n : there;
    ORR_TRY(ctx, make_room(ctx, out_arena, keep, out));
    return take(ctx, where, bytes.data, keep, out, 0);
}

/* The next pictures, from file `name`. */
static orr_status read_batch(orr_context *ctx, orr_arena *out_arena, const char *folder, const char *name,
                             orr_cifar10 *out, int64_t *at) {
    const char *path;
    orr_bytes bytes;
    ORR_TRY(ctx,
            orr_data_find_below(ctx, out_arena, "cifar-10", folder, name, "cifar-10-batches-bin", NULL,
                                "unpack cifar-10-binary.tar.gz of https://www.cs.toronto.edu/~kriz/cifar.html there, "
                                "or name its folder in ORRERY_DATA",
                                &path));
    orr_status status = orr_file_read_plain(ctx, path, FILE_MAX, &bytes);
    if (status == ORR_OK) status = check_length(ctx, path, bytes);
    if (status == ORR_OK) {
        const int64_t there = (int64_t)(bytes.n / RECORD), left = out->n - *at, n = there < left ? there : left;
        status = take(ctx, path, bytes.data, n, out, *at);
        *at += n;
    }
    orr_release(ctx, bytes.data);
    return status;
}

orr_status orr_cifar10_read(orr_context *ctx, orr_arena *out_arena, const char *folder, bool test, int64_t n,
                            orr_cifar10 *out) {
    const int64_t most = test ? 10000 : 50000;
    int64_t at = 0;
    *out = (orr_cifar10){ 0 };
    if (n < 1 || n > most)
        return orr_fail(ctx, ORR_EINPUT, "cifar10: %" PRId64 " pictures are asked for; the %s set has 1 to %" PRId64, n,
                        test ? "test" : "training", most);
    orr_cifar10 made;
    ORR_TRY(ctx, make_room(ctx, out_arena, n, &made));
    for (int i = 1; at < n && i <= (test ? 1 : BATCHES); i++) {
        const char *name = test ? "test_batch.bin" : orr_arena_format(out_arena, "data_batch_%d.bin", i);
        if (!name) return orr_fail(ctx, ORR_ENOMEM, "cifar10: no memory");
        ORR_TRY(ctx, read_batch(ctx, out_arena, folder, name, &made, &at));
    }
    if (at < n)
        return orr_fail(ctx, ORR_EINPUT, "cifar10: %" PRId64 " pictures are asked for, the files hold %" PRId64, n, at);
    *out = made;
    return ORR_OK;
}

/* ---- the kind ------------------------------------------------------------------------------------------------------ */

static const orr_parameter parameters[] = {
    { "n", ORR_INT, .fallback = "1000", .range = "[0, 50000]", .unit = "pictures",
      .help = "to train on, in file order; 0: all" },
    { "n_test", ORR_INT, .fallback = "0", .range = "[0, 10000]", .unit = "pictures", .help = "to test on" },
    { "folder", ORR_TEXT, .fallback = "", .help = "where the files are; empty: the search path" },
    ORR_DATA_CENTER,
    ORR_DATA_PREPARATION,
    { 0 },
};

/* Of the pictures that stay. */
static orr_status take_numbers(orr_context *ctx, orr_arena *out_arena, const orr_cifar10 *train,
                               const orr_cifar10 *test, const orr_selection *kept, const double **out) {
    const int64_t n = kept->n + kept->n_test;
    double *x = ORR_NEW(out_arena, double, n *ORR_CIFAR10_PIXELS);
    if (!x) return orr_fail(ctx, ORR_ENOMEM, "cifar10: no memory for %" PRId64 " pictures", n);
    *out = x;
    for (int64_t i = 0; i < n; i++, x += ORR_CIFAR10_PIXELS) {
        const int64_t at = kept->index[i];
        assert(at < train->n + test->n);
        const unsigned char *pixel =
            at < train->n ? train->pixel + at * ORR_CIFAR10_PIXELS : test->pixel + (at - train->n) * ORR_CIFAR10_PIXELS;
        for (int64_t j = 0; j < ORR_CIFAR10_PIXELS; j++) x[j] = pixel[j] / 255.0;
    }
    return ORR_OK;
}

static orr_status load(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, uint64_t seed, orr_dataset *out) {
    const char *folder = orr_text(s, "folder");
    const int64_t needed = orr_data_needed(s, orr_int(s, "n")), n_test = orr_int(s, "n_test");
    const int64_t needed_test = orr_data_needed(s, n_test);
    orr_cifar10 train, test = { 0 };
    (void)seed;
    ORR_TRY(ctx, orr_cifar10_read(ctx, out_arena, folder, false, needed ? needed : 50000, &train));
    if (n_test > 0)
        ORR_TRY(ctx, orr_cifar10_read(ctx, out_arena, folder, true, needed_test ? needed_test : 10000, &test));
    const int64_t all = train.n + test.n;
    int32_t *label = ORR_NEW(out_arena, int32_t, all);
    if (!label) return orr_fail(ctx, ORR_ENOMEM, "cifar10: no memory for %" PRId64 " labels", all);
    memcpy(label, train.label, (size_t)train.n * sizeof *label);
    if (test.n > 0) memcpy(label + train.n, test.label, (size_t)test.n * sizeof *label);
    *out = (orr_dataset){ .n = train.n,
                          .n_test = test.n,
                          .input = ORR_SHAPE(ORR_CIFAR10_CHANNELS, ORR_CIFAR10_SIDE, ORR_CIFAR10_SIDE),
                          .target = ORR_SCALAR,
                          .classes = ORR_CIFAR10_CLASSES,
                          .label = label,
                          .source = "CIFAR-10" };
    orr_selection kept;
    ORR_TRY(ctx, orr_data_select(ctx, out_arena, s, out, &kept));
    ORR_TRY(ctx, take_numbers(ctx, out_arena, &train, &test, &kept, &out->x));
    orr_arena_give_back(out_arena, train.pixel);
    orr_arena_give_back(out_arena, test.pixel);
    return orr_data_transform(ctx, out_arena, s, out);
}

const orr_data orr_data_cifar10 = {
    .kind = { "cifar10", "CIFAR-10: colour pictures, 3 x 32 x 32, ten classes", parameters },
    .load = load,
};
