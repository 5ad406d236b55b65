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

static orr_status take_part(orr_context *ctx, const orr_pictures *p, double divisor, int64_t features, int64_t classes,
                            const char *source, double *x, int32_t *label) {
    for (int64_t i = 0; i < p->n * features; i++) x[i] = orr_idx_value(&p->images, i) / divisor;
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

/* Mean of each full square of k x k pixels: x[n, c, y, x] in place, and its shape. */
static orr_status pool(orr_context *ctx, int64_t k, int64_t n, double *x, orr_shape *shape) {
    const int64_t rows = shape->size[1], columns = shape->size[2], down = rows / k, across = columns / k;
    if (shape->rank != 3 || down == 0 || across == 0)
        return orr_fail(ctx, ORR_EINPUT, "pool: squares of %lld pixels don't fit into these pictures", (long long)k);
    double *to = x; /* never ahead of what is read */
    for (int64_t i = 0; i < n * shape->size[0]; i++)
        for (int64_t r = 0; r < down; r++)
            for (int64_t c = 0; c < across; c++) {
                double sum = 0.0;
                for (int64_t y = r * k; y < (r + 1) * k; y++)
                    for (int64_t z = c * k; z < (c + 1) * k; z++) sum += x[(i * rows + y) * columns + z];
                *to++ = sum / (double)(k * k);
            }
    *shape = ORR_SHAPE(shape->size[0], down, across);
    return ORR_OK;
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
    const int64_t all = train->n + test->n, features = orr_dataset_features(out);
    if (test->n > 0) {
        const orr_shape other = shape_of(&test->images);
        if (!orr_shape_equal(&other, &out->input))
            return orr_fail(ctx, ORR_EINPUT, "%s: the images for training and testing have different shapes", source);
    }
    double *x = ORR_NEW(out_arena, double, all *features);
    int32_t *label = ORR_NEW(out_arena, int32_t, all);
    if (!x || !label) return orr_fail(ctx, ORR_ENOMEM, "%s: no memory for %lld images", source, (long long)all);
    ORR_TRY(ctx, take_part(ctx, train, divisor, features, classes, source, x, label));
    ORR_TRY(ctx, take_part(ctx, test, divisor, features, classes, source, x + train->n * features, label + train->n));
    const int64_t side = orr_settings_has(s, "pool") ? orr_int(s, "pool") : 1;
    if (side > 1) ORR_TRY(ctx, pool(ctx, side, train->n + test->n, x, &out->input));
    orr_arena_give_back(out_arena, train->images.data);
    orr_arena_give_back(out_arena, test->images.data);
    out->x = x;
    out->label = label;
    return orr_data_prepare(ctx, out_arena, s, out);
}
