/* Arrays from NumPy's files: x and y of anyone else's experiment.
 *
 *   x [n, ...]   inputs: numbers, or tokens (whole numbers from 0)
 *   y [n]        of whole numbers: classes 0, 1, ...; otherwise one number an example
 *   y [n, ...]   numbers; of whole numbers with tokens as inputs: a class at each position
 * A path that ends with .npz is an archive, in which x_name and y_name are looked up. */
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "base/file/npy.h"
#include "base/file/npz.h"
#include "ingredient/data/data.h"

static const orr_parameter parameters[] = {
    { "n", ORR_INT, .fallback = "0", .range = "[0, inf)", .unit = "examples", .help = "to train on; 0: all" },
    { "n_test", ORR_INT, .fallback = "0", .range = "[0, inf)", .unit = "examples",
      .help = "to test on, behind those to train on" },
    { "x", ORR_TEXT, .help = "path of the inputs, .npy or .npz" },
    { "y", ORR_TEXT, .fallback = "", .help = "path of the targets; empty: none, or the same .npz where x is one" },
    { "x_name", ORR_TEXT, .fallback = "x", .help = "the array's name in an .npz" },
    { "y_name", ORR_TEXT, .fallback = "y", .help = "the array's name in an .npz; empty: no targets" },
    { "inputs", ORR_CHOICE, .fallback = "numbers", .choices = "numbers tokens", .help = "what x holds" },
    { "targets", ORR_CHOICE, .fallback = "by-type", .choices = "by-type classes numbers",
      .help = "what y holds; by-type: whole numbers are classes" },
    { "vocabulary", ORR_INT, .fallback = "0", .range = "[0, 2147483647]",
      .help = "tokens that there are; 0: as many as the largest needs" },
    { "classes", ORR_INT, .fallback = "0", .range = "[0, 2147483647]",
      .help = "that there are; 0: as many as the largest needs" },
    ORR_DATA_PREPARATION,
    { 0 },
};

static bool is_npz(const char *path) {
    const size_t n = strlen(path);
    return n > 4 && strcmp(path + n - 4, ".npz") == 0;
}

static orr_status read_array(orr_context *ctx, orr_arena *scratch, orr_arena *out_arena, const char *path,
                             const char *name, orr_array *out) {
    orr_npz npz;
    if (!is_npz(path)) return orr_npy_read(ctx, out_arena, path, out);
    ORR_TRY(ctx, orr_npz_open(ctx, out_arena, path, &npz));
    return orr_npz_array(ctx, scratch, out_arena, &npz, name, out);
}

/* The shape of one example. */
static orr_status shape_of(orr_context *ctx, const char *path, const orr_array *a, orr_shape *out) {
    if (a->shape.rank < 1 || a->shape.size[0] < 1)
        return orr_fail(ctx, ORR_EINPUT, "%s: expected one row an example, met an array with none", path);
    *out = (orr_shape){ .rank = a->shape.rank - 1 };
    for (int32_t i = 1; i < a->shape.rank; i++) out->size[i - 1] = a->shape.size[i];
    return ORR_OK;
}

/* Whole numbers in [0, *below), where *below is 0: one more than the largest. */
static orr_status take_whole(orr_context *ctx, orr_arena *out_arena, const char *path, const orr_array *a,
                             int64_t *below, const int32_t **out) {
    orr_array whole;
    ORR_TRY(ctx, orr_array_cast(ctx, out_arena, path, a, ORR_I32, &whole));
    const int32_t *value = whole.data;
    const int64_t limit = *below ? *below : INT32_MAX;
    for (int64_t i = 0; i < orr_shape_count(&whole.shape); i++) {
        if (value[i] < 0 || value[i] >= limit)
            return orr_fail(ctx, ORR_EINPUT, "%s: element %lld is %d; expected 0 to %lld", path, (long long)i, value[i],
                            (long long)limit - 1);
        if (limit == INT32_MAX && value[i] >= *below) *below = (int64_t)value[i] + 1;
    }
    *out = value;
    return ORR_OK;
}

static orr_status take_numbers(orr_context *ctx, orr_arena *out_arena, const char *path, const orr_array *a,
                               const double **out) {
    orr_array numbers;
    ORR_TRY(ctx, orr_array_cast(ctx, out_arena, path, a, ORR_F64, &numbers));
    const double *value = numbers.data;
    for (int64_t i = 0; i < orr_shape_count(&numbers.shape); i++)
        if (!isfinite(value[i])) return orr_fail(ctx, ORR_EINPUT, "%s: element %lld is not finite", path, (long long)i);
    *out = value;
    return ORR_OK;
}

static orr_status take_inputs(orr_context *ctx, orr_arena *scratch, orr_arena *out_arena, const orr_settings *s,
                              orr_dataset *out) {
    const char *path = orr_text(s, "x");
    orr_array x;
    ORR_TRY(ctx, read_array(ctx, scratch, out_arena, path, orr_text(s, "x_name"), &x));
    ORR_TRY(ctx, shape_of(ctx, path, &x, &out->input));
    if (out->input.rank == 0) out->input = ORR_SHAPE(1);
    out->n = x.shape.size[0];
    out->vocabulary = orr_int(s, "vocabulary");
    if (strcmp(orr_text(s, "inputs"), "tokens") == 0)
        return take_whole(ctx, out_arena, path, &x, &out->vocabulary, &out->token);
    out->vocabulary = 0;
    return take_numbers(ctx, out_arena, path, &x, &out->x);
}

static orr_status take_targets(orr_context *ctx, orr_arena *scratch, orr_arena *out_arena, const orr_settings *s,
                               orr_dataset *out) {
    const char *path = *orr_text(s, "y") ? orr_text(s, "y") : orr_text(s, "x"), *how = orr_text(s, "targets");
    orr_array y;
    if (is_npz(path) ? *orr_text(s, "y_name") == '\0' : *orr_text(s, "y") == '\0') return ORR_OK;
    ORR_TRY(ctx, read_array(ctx, scratch, out_arena, path, orr_text(s, "y_name"), &y));
    ORR_TRY(ctx, shape_of(ctx, path, &y, &out->target));
    if (y.shape.size[0] != out->n)
        return orr_fail(ctx, ORR_EINPUT, "%s: %lld targets for %lld inputs", path, (long long)y.shape.size[0],
                        (long long)out->n);
    const bool whole = y.dtype == ORR_I32 || y.dtype == ORR_BOOL;
    const bool positions = out->vocabulary > 0 && out->target.rank > 0;
    if (strcmp(how, "classes") == 0 || (strcmp(how, "by-type") == 0 && whole && (positions || out->target.rank == 0))) {
        out->classes = positions && orr_int(s, "classes") == 0 ? out->vocabulary : orr_int(s, "classes");
        return take_whole(ctx, out_arena, path, &y, &out->classes, &out->label);
    }
    if (out->target.rank == 0) out->target = ORR_SHAPE(1);
    return take_numbers(ctx, out_arena, path, &y, &out->y);
}

static orr_status load(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, uint64_t seed, orr_dataset *out) {
    orr_arena *scratch;
    orr_status status;
    (void)seed;
    *out = (orr_dataset){ .target = ORR_SHAPE(0), .source = orr_text(s, "x") };
    ORR_TRY(ctx, orr_arena_new(ctx, &scratch));
    ORR_TRY_DONE(ctx, take_inputs(ctx, scratch, out_arena, s, out));
    ORR_TRY_DONE(ctx, take_targets(ctx, scratch, out_arena, s, out));
    ORR_TRY_DONE(ctx, orr_data_prepare(ctx, out_arena, s, out));
done:
    orr_arena_free(scratch);
    return status;
}

const orr_data orr_data_npy = {
    .kind = { "npy", "arrays from NumPy's .npy and .npz files", parameters },
    .load = load,
};
