/* Sparse features, to be told from fewer numbers than there are features.
 *
 *     x_i = u_i with probability p, else 0;  u_i uniform in [0, 1);  all independent.  The target is x itself. */
#include "base/context.h"
#include "ingredient/data/draw.h"

extern const orr_data orr_data_sparse_features;

static const orr_parameter parameters[] = {
    ORR_DATA_GENERATED,
    { "features", ORR_INT, .fallback = "5", .range = "[1, 1000000]", .help = "numbers in x" },
    { "probability", ORR_REAL, .fallback = "0.05", .range = "[0, 1]", .help = "p: that a feature is active" },
    { 0 },
};

static orr_status load(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, uint64_t run_seed,
                       orr_dataset *out) {
    const orr_shape shape = ORR_SHAPE(orr_int(s, "features"));
    const char *source = orr_arena_format(out_arena, "%lld features, each active with probability %g",
                                          (long long)shape.size[0], orr_real(s, "probability"));
    ORR_TRY(ctx, orr_draw_describe(ctx, out_arena, s, shape, shape, 0, source, out));
    return orr_data_generate(ctx, out_arena, &orr_data_sparse_features, s, orr_data_seed(s, run_seed), out);
}

static void sample(orr_graph *g, const orr_settings *s, const orr_dataset *d, const orr_node *fact, orr_node key,
                   int64_t n, orr_dtype dtype, orr_node *x, orr_node *y) {
    (void)fact;
    const orr_shape shape = ORR_SHAPE(n, d->input.size[0]);
    const orr_node u = orr_random_uniform(g, key, dtype, shape);
    const orr_node v = orr_random_uniform(g, orr_data_key(g, key, ORR_DRAW_LABEL), dtype, shape);
    const orr_node p = orr_fill(g, dtype, ORR_SCALAR, orr_real(s, "probability"));
    *x = orr_mul(g, u, orr_cast(g, orr_lt(g, v, p), dtype));
    *y = *x;
}

const orr_data orr_data_sparse_features = {
    .kind = { "sparse-features", "independent features, each active with a small probability; the target is the input",
              parameters },
    .load = load,
    .sample = sample,
};
