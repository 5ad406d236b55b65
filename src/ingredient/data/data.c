#include "ingredient/data/data.h"

#include <assert.h>
#include <string.h>

#include "base/context.h"
#include "base/random.h"

#define ORR_DATA(name) extern const orr_data orr_data_##name;
#include "ingredient/data/data.def"
#undef ORR_DATA

static const orr_data *const all[] = {
#define ORR_DATA(name) &orr_data_##name,
#include "ingredient/data/data.def"
#undef ORR_DATA
};

const orr_data *orr_data_at(int i) { return i < (int)(sizeof all / sizeof all[0]) ? all[i] : NULL; }

int64_t orr_dataset_features(const orr_dataset *d) { return orr_shape_count(&d->input); }
int64_t orr_dataset_targets(const orr_dataset *d) { return orr_shape_count(&d->target); }

void orr_dataset_answers(const orr_dataset *d, int64_t outputs, double *y) {
    for (int64_t i = 0; i < d->n * outputs; i++) y[i] = d->y ? d->y[i] : d->label[i / outputs] == i % outputs;
}

uint64_t orr_data_seed(const orr_settings *s, uint64_t run_seed) {
    uint32_t word[4];
    const uint64_t seed = (uint64_t)orr_int(s, "seed");
    if (!orr_flag(s, "resample")) return seed;
    orr_random_block((orr_key){ .seed = seed, .purpose = orr_purpose_of("resample") }, run_seed, word);
    return (uint64_t)word[0] | (uint64_t)word[1] << 32;
}

orr_node orr_data_key(orr_graph *g, orr_node key, int32_t part) {
    const int32_t move[4] = { 0, 0, part * 65536, 0 };
    assert(0 <= part && part < 1 << 14 && "a part of a sample's key");
    return part == 0 ? key : orr_add(g, key, orr_literal(g, ORR_I32, ORR_SHAPE(4), move));
}

orr_status orr_data_facts(orr_context *ctx, orr_arena *out_arena, int n, orr_dataset *d) {
    d->facts = (orr_arrays){ .item = ORR_NEW(out_arena, orr_array, n) };
    return d->facts.item ? ORR_OK : orr_fail(ctx, ORR_ENOMEM, "data: no memory for %d facts", n);
}

const orr_array *orr_dataset_fact(const orr_dataset *d, const char *name) {
    for (int i = 0; i < d->facts.n; i++)
        if (strcmp(d->facts.item[i].name, name) == 0) return &d->facts.item[i];
    return NULL;
}

orr_status orr_data_fact(orr_context *ctx, orr_arena *out_arena, orr_dataset *d, const char *name, orr_shape shape,
                         double **data) {
    orr_array *fact = &d->facts.item[d->facts.n];
    ORR_TRY(ctx, orr_array_new(ctx, out_arena, name, ORR_F64, shape, fact));
    d->facts.n++;
    *data = fact->data;
    return ORR_OK;
}

/* ---- generated examples ------------------------------------------------------------------------------------------ */

/* The sampler of n examples, compiled; y is ORR_NONE where there are no targets. */
typedef struct sampler {
    orr_graph *g;
    orr_program *program;
    orr_node key, x, y;
    orr_node place; /* an input that x is the new value of: so it is written into whatever memory is bound there */
} sampler;

static orr_status expect(orr_context *ctx, const orr_data *kind, const orr_graph *g, orr_node node, const char *what,
                         int64_t n, const orr_shape *one, bool whole) {
    const orr_shape got = orr_node_shape(g, node);
    orr_shape want = { .rank = one->rank + 1 };
    want.size[0] = n;
    for (int32_t i = 0; i < one->rank; i++) want.size[i + 1] = one->size[i];
    if (orr_shape_equal(&want, &got) && orr_node_dtype(g, node) == (whole ? ORR_I32 : ORR_F64)) return ORR_OK;
    return orr_fail(ctx, ORR_EINTERNAL, "data %s: the %s that it samples are not of the shape or type that it says",
                    kind->kind.name, what);
}

static orr_status sampler_build(orr_context *ctx, orr_arena *arena, const orr_data *kind, const orr_settings *s,
                                const orr_dataset *d, int64_t n, sampler *out) {
    orr_node *fact = ORR_NEW(arena, orr_node, d->facts.n);
    if (!fact) return orr_fail(ctx, ORR_ENOMEM, "data %s: no memory", kind->kind.name);
    ORR_TRY(ctx, orr_graph_new(ctx, &out->g));
    out->key = orr_input(out->g, "key", ORR_I32, ORR_SHAPE(4));
    for (int i = 0; i < d->facts.n; i++)
        fact[i] = orr_input(out->g, d->facts.item[i].name, ORR_F64, d->facts.item[i].shape);
    kind->sample(out->g, s, d, fact, out->key, n, ORR_F64, &out->x, &out->y);
    if (orr_graph_status(out->g) == ORR_OK) {
        ORR_TRY(ctx, expect(ctx, kind, out->g, out->x, "inputs", n, &d->input, d->vocabulary > 0));
        if (out->y.id) ORR_TRY(ctx, expect(ctx, kind, out->g, out->y, "targets", n, &d->target, d->classes > 0));
    }
    out->place = orr_input(out->g, "examples", orr_node_dtype(out->g, out->x), orr_node_shape(out->g, out->x));
    const orr_update update = { out->place, out->x };
    ORR_TRY(ctx,
            orr_compile(ctx, out->g,
                        &(orr_compile_options){
                            .outputs = &out->y, .n_outputs = out->y.id ? 1 : 0, .updates = &update, .n_updates = 1 },
                        &out->program));
    for (int i = 0; i < d->facts.n; i++) ORR_TRY(ctx, orr_program_bind(out->program, fact[i], d->facts.item[i].data));
    return ORR_OK;
}

/* One run: x and y go to where the examples lie, x without a copy where its memory is aligned as a program's. */
static orr_status sampler_run(orr_context *ctx, const sampler *one, uint64_t seed, int32_t step, size_t x_bytes,
                              void *x, size_t y_bytes, void *y) {
    int32_t *key = orr_program_data(one->program, one->key);
    if (key) {
        const uint32_t word[4] = { (uint32_t)seed, (uint32_t)(seed >> 32), ORR_PURPOSE_DATA, (uint32_t)step };
        memcpy(key, word, sizeof word);
    }
    const bool in_place = (uintptr_t)x % 64 == 0;
    if (in_place) ORR_TRY(ctx, orr_program_bind(one->program, one->place, x));
    ORR_TRY(ctx, orr_program_run(one->program));
    if (!in_place) memcpy(x, orr_program_data(one->program, one->place), x_bytes);
    if (y) memcpy(y, orr_program_data(one->program, one->y), y_bytes);
    return ORR_OK;
}

/* Examples first .. first + n - 1, the training ones (step 0) or those for testing (step 1). */
static orr_status generate(orr_context *ctx, orr_arena *out_arena, const orr_data *kind, const orr_settings *s,
                           uint64_t seed, bool test, orr_dataset *d, void **x, void **y) {
    const size_t x_size = d->vocabulary ? sizeof(int32_t) : sizeof(double);
    const size_t y_size = d->classes ? sizeof(int32_t) : sizeof(double);
    const int64_t n = test ? d->n_test : d->n, first = test ? d->n : 0, all_of_them = d->n + d->n_test;
    const size_t x_one = (size_t)orr_dataset_features(d) * x_size, y_one = (size_t)orr_dataset_targets(d) * y_size;
    sampler one = { 0 };
    orr_status status;
    ORR_TRY_DONE(ctx, sampler_build(ctx, out_arena, kind, s, d, n, &one));
    if (!*x) *x = orr_arena_take(out_arena, all_of_them, x_one);
    if (!*y && one.y.id) *y = orr_arena_take(out_arena, all_of_them, y_one);
    if (!*x || (!*y && one.y.id)) {
        status =
            orr_fail(ctx, ORR_ENOMEM, "data %s: no memory for %lld examples", kind->kind.name, (long long)all_of_them);
        goto done;
    }
    ORR_TRY_DONE(ctx, sampler_run(ctx, &one, seed, test, (size_t)n * x_one, (char *)*x + (size_t)first * x_one,
                                  (size_t)n * y_one, *y ? (char *)*y + (size_t)first * y_one : NULL));
done:
    orr_program_free(one.program);
    orr_graph_free(one.g);
    return status;
}

orr_status orr_data_generate(orr_context *ctx, orr_arena *out_arena, const orr_data *kind, const orr_settings *s,
                             uint64_t seed, orr_dataset *d) {
    void *x = NULL, *y = NULL;
    ORR_TRY(ctx, generate(ctx, out_arena, kind, s, seed, false, d, &x, &y));
    if (d->n_test > 0) ORR_TRY(ctx, generate(ctx, out_arena, kind, s, seed, true, d, &x, &y));
    if (d->vocabulary) d->token = x;
    else d->x = x;
    if (d->classes) d->label = y;
    else d->y = y;
    return ORR_OK;
}
