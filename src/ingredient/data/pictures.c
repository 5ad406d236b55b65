#include "ingredient/data/pictures.h"

#include "base/context.h"

orr_status orr_pictures_match(orr_context *ctx, const char *where, orr_pictures *p) {
    if (p->images.items != p->labels.items)
        return orr_fail(ctx, ORR_EINPUT, "%s: %lld images but %lld labels", where, (long long)p->images.items,
                        (long long)p->labels.items);
    if (p->labels.rank != 1)
        return orr_fail(ctx, ORR_EINPUT, "%s: labels have one dimension, these have %d", where, p->labels.rank);
    p->n = p->images.size[0];
    return ORR_OK;
}

static orr_shape shape_of(const orr_idx *images) {
    orr_shape shape = { .rank = images->rank - 1 };
    for (int32_t i = 1; i < images->rank; i++) shape.size[i - 1] = images->size[i];
    if (shape.rank == 0) return ORR_SHAPE(1);
    return shape.rank == 2 ? ORR_SHAPE(1, shape.size[0], shape.size[1]) : shape;
}

static orr_status take_labels(orr_context *ctx, const orr_pictures *p, int64_t classes, const char *source,
                              int32_t *label) {
    for (int64_t i = 0; i < p->n; i++) {
        const double value = orr_idx_value(&p->labels, i);
        label[i] = value >= 0.0 && value < (double)classes ? (int32_t)value : -1;
        if ((double)label[i] != value)
            return orr_fail(ctx, ORR_EINPUT, "%s: label %lld is %g; the classes are 0 to %lld", source, (long long)i,
                            value, (long long)classes - 1);
    }
    return ORR_OK;
}

static double largest_label(const orr_pictures *p, double largest) {
    for (int64_t i = 0; i < p->n; i++) {
        const double value = orr_idx_value(&p->labels, i);
        if (value > largest) largest = value;
    }
    return largest;
}

/* The shape of pictures whose pixels are means of squares of k x k. */
static orr_status pool(orr_context *ctx, int64_t k, orr_shape *shape) {
    const bool fits = k == 1 || (shape->rank == 3 && shape->size[1] >= k && shape->size[2] >= k);
    if (!fits)
        return orr_fail(ctx, ORR_EINPUT, "pool: squares of %lld pixels don't fit into these pictures", (long long)k);
    if (k > 1) *shape = ORR_SHAPE(shape->size[0], shape->size[1] / k, shape->size[2] / k);
    return ORR_OK;
}

/* Mean of each full square of k x k elements / divisor of picture i, [channels, rows, columns]. */
static void take_pooled(const orr_idx *images, int64_t i, orr_shape shape, int64_t k, double divisor, double *x) {
    const int64_t channels = shape.size[0], rows = shape.size[1], columns = shape.size[2];
    for (int64_t c = i * channels; c < (i + 1) * channels; c++)
        for (int64_t r = 0; r < rows / k; r++)
            for (int64_t s = 0; s < columns / k; s++) {
                double sum = 0.0;
                for (int64_t y = r * k; y < (r + 1) * k; y++)
                    for (int64_t z = s * k; z < (s + 1) * k; z++)
                        sum += orr_idx_value(images, (c * rows + y) * columns + z) / divisor;
                *x++ = sum / (double)(k * k);
            }
}

static void take_picture(const orr_idx *images, int64_t i, int64_t numbers, double divisor, double *x) {
    for (int64_t j = 0; j < numbers; j++) x[j] = orr_idx_value(images, i * numbers + j) / divisor;
}

orr_status orr_pictures_dataset(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, const char *source,
                                const orr_pictures *train, const orr_pictures *test, double divisor, int64_t classes,
                                orr_dataset *out) {
    *out = (orr_dataset){ .n = train->n, .n_test = test->n, .target = ORR_SCALAR, .source = source };
    if (!source) return orr_fail(ctx, ORR_ENOMEM, "data: no memory");
    const double largest = largest_label(test, largest_label(train, 0.0));
    if (classes == 0 && largest < 1e6) classes = (int64_t)largest + 1;
    out->classes = classes;
    out->input = shape_of(&train->images);
    const int64_t all = train->n + test->n;
    if (test->n > 0) {
        const orr_shape other = shape_of(&test->images);
        if (!orr_shape_equal(&other, &out->input))
            return orr_fail(ctx, ORR_EINPUT, "%s: the images for training and testing have different shapes", source);
    }
    const orr_shape whole = out->input;
    const int64_t side = orr_settings_has(s, "pool") ? orr_int(s, "pool") : 1;
    ORR_TRY(ctx, pool(ctx, side, &out->input));
    int32_t *label = ORR_NEW(out_arena, int32_t, all);
    if (!label) return orr_fail(ctx, ORR_ENOMEM, "%s: no memory for %lld labels", source, (long long)all);
    ORR_TRY(ctx, take_labels(ctx, train, classes, source, label));
    ORR_TRY(ctx, take_labels(ctx, test, classes, source, label + train->n));
    out->label = label;
    orr_selection kept;
    ORR_TRY(ctx, orr_data_select(ctx, out_arena, s, out, &kept));
    const int64_t n = kept.n + kept.n_test, numbers = orr_dataset_features(out);
    double *x = ORR_NEW(out_arena, double, n *numbers);
    if (!x) return orr_fail(ctx, ORR_ENOMEM, "%s: no memory for %lld images", source, (long long)n);
    for (int64_t i = 0; i < n; i++) {
        const bool trains = kept.index[i] < train->n;
        const orr_idx *images = trains ? &train->images : &test->images;
        const int64_t at = kept.index[i] - (trains ? 0 : train->n);
        if (side > 1) take_pooled(images, at, whole, side, divisor, x + i * numbers);
        else take_picture(images, at, numbers, divisor, x + i * numbers);
    }
    orr_arena_give_back(out_arena, train->images.data);
    orr_arena_give_back(out_arena, test->images.data);
    out->x = x;
    return orr_data_transform(ctx, out_arena, s, out);
}
