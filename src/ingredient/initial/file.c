/* Weights of a file, .npz (NumPy) or .safetensors: an array for each tensor of the network, of its name and shape.  They are
 * the tensors themselves: a multiplier of the parameterization acts on them as on weights that were drawn. */
#include <math.h>
#include <string.h>

#include "base/array.h"
#include "base/context.h"
#include "base/file/npz.h"
#include "base/file/safetensors.h"
#include "base/nearest.h"
#include "ingredient/initial/initial.h"

static const orr_parameter parameters[] = {
    { "path", ORR_TEXT, .help = "a .npz or .safetensors file with an array for each tensor" },
    { 0 },
};

enum { MISTAKES_SHOWN = 12 };

typedef struct mistakes {
    orr_arena *arena;
    char *text; /* "; "-separated */
    int n;
    bool out_of_memory;
} mistakes;

static void add_mistake(mistakes *m, const char *text) {
    m->n++;
    if (m->n > MISTAKES_SHOWN) return;
    char *longer = text ? orr_arena_format(m->arena, "%s%s%s", m->text, m->n > 1 ? "; " : "", text) : NULL;
    if (longer) m->text = longer;
    else m->out_of_memory = true;
}

/* "[3, 4]" */
static const char *shape_text(orr_arena *arena, const orr_shape *shape) {
    const char *text = "[";
    for (int32_t i = 0; i < shape->rank && text; i++)
        text = orr_arena_format(arena, "%s%s%lld", text, i ? ", " : "", (long long)shape->size[i]);
    return text ? orr_arena_format(arena, "%s]", text) : "[?]";
}

static int find(const orr_arrays *arrays, const char *name) {
    for (int i = 0; i < arrays->n; i++)
        if (strcmp(arrays->item[i].name, name) == 0) return i;
    return -1;
}

static bool has_tensor(const orr_network *network, const char *name) {
    for (int64_t i = 0; i < network->n_tensors; i++)
        if (strcmp(network->tensors[i].name, name) == 0) return true;
    return false;
}

/* A mistake of one tensor, or NULL. */
static const char *compare(orr_arena *arena, const orr_arrays *arrays, const orr_tensor *t, const char *const *spare,
                           int n_spare) {
    const int i = find(arrays, t->name);
    if (i < 0) {
        const char *near = orr_nearest(t->name, spare, n_spare);
        return near ? orr_arena_format(arena, "no array %s (did you mean %s?)", t->name, near)
                    : orr_arena_format(arena, "no array %s", t->name);
    }
    const orr_array *a = &arrays->item[i];
    if (!orr_shape_equal(&a->shape, &t->shape))
        return orr_arena_format(arena, "%s has the shape %s, expected %s", t->name, shape_text(arena, &a->shape),
                                shape_text(arena, &t->shape));
    if (a->dtype == ORR_BOOL) return orr_arena_format(arena, "%s holds truth values, expected numbers", t->name);
    for (int64_t j = 0, n = orr_shape_count(&a->shape); j < n; j++)
        if (!isfinite(orr_array_value(a, j)))
            return orr_arena_format(arena, "%s holds %g at element %lld", t->name, orr_array_value(a, j), (long long)j);
    return NULL;
}

static orr_status check(orr_context *ctx, orr_arena *scratch, const char *path, const orr_arrays *arrays,
                        const orr_network *network) {
    mistakes m = { .arena = scratch, .text = orr_arena_string(scratch, "") };
    const char **spare = ORR_NEW(scratch, const char *, arrays->n);
    int n_spare = 0;
    if (!m.text || !spare) return orr_fail(ctx, ORR_ENOMEM, "%s: no memory to check %d arrays", path, arrays->n);
    for (int i = 0; i < arrays->n; i++)
        if (!has_tensor(network, arrays->item[i].name)) spare[n_spare++] = arrays->item[i].name;
    for (int64_t i = 0; i < network->n_tensors; i++) {
        const char *mistake = compare(scratch, arrays, &network->tensors[i], spare, n_spare);
        if (mistake) add_mistake(&m, mistake);
    }
    for (int i = 0; i < n_spare; i++)
        add_mistake(&m, orr_arena_format(scratch, "the network has no tensor %s", spare[i]));
    if (m.out_of_memory) return orr_fail(ctx, ORR_ENOMEM, "%s: no memory for a list of mistakes", path);
    if (m.n == 0) return ORR_OK;
    if (m.n == 1) return orr_fail(ctx, ORR_EINPUT, "%s: %s", path, m.text);
    if (m.n > MISTAKES_SHOWN)
        return orr_fail(ctx, ORR_EINPUT, "%s: %d mistakes: %s; and %d more", path, m.n, m.text, m.n - MISTAKES_SHOWN);
    return orr_fail(ctx, ORR_EINPUT, "%s: %d mistakes: %s", path, m.n, m.text);
}

static bool ends_with(const char *text, const char *ending) {
    const size_t n = strlen(text), k = strlen(ending);
    return n >= k && strcmp(text + n - k, ending) == 0;
}

static orr_status draw(orr_context *ctx, orr_arena *scratch, const orr_settings *s, const orr_network *network,
                       const orr_dataset *data, uint64_t seed, double *w) {
    (void)data, (void)seed;
    const char *path = orr_text(s, "path");
    orr_arrays arrays;
    if (ends_with(path, ".npz")) ORR_TRY(ctx, orr_npz_read(ctx, scratch, path, &arrays));
    else if (ends_with(path, ".safetensors")) ORR_TRY(ctx, orr_safetensors_read(ctx, scratch, path, &arrays));
    else
        return orr_fail(ctx, ORR_EINPUT, "initial file: expected a path that ends with .npz or .safetensors, got %s",
                        path);
    ORR_TRY(ctx, check(ctx, scratch, path, &arrays, network));
    for (int64_t i = 0; i < network->n_tensors; i++) {
        const orr_array *a = &arrays.item[find(&arrays, network->tensors[i].name)];
        for (int64_t j = 0, n = orr_shape_count(&a->shape); j < n; j++) *w++ = orr_array_value(a, j);
    }
    return ORR_OK;
}

const orr_initial orr_initial_file = {
    .kind = { "file", "weights of an .npz or .safetensors file", parameters },
    .draw = draw,
};
