/* Inputs uniform on a sphere, and a linear teacher.
 *
 *     x = radius z / |z|,  z ~ N(0, I_d)      y = W x + noise N(0, 1),  W_oj ~ N(0, 1/d) */
#include "base/context.h"
#include "ingredient/data/draw.h"

extern const orr_data orr_data_hypersphere;

static const orr_parameter parameters[] = {
    ORR_DATA_GENERATED,
    { "dimension", ORR_INT, .fallback = "10", .range = "[2, 10000000]", .help = "d: the sphere is S^{d-1}" },
    { "radius", ORR_REAL, .fallback = "1", .range = "(0, inf)", .help = "length of every input" },
    ORR_DATA_LINEAR_TARGETS,
    { 0 },
};

static orr_status load(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, uint64_t run_seed,
                       orr_dataset *out) {
    const uint64_t seed = orr_data_seed(s, run_seed);
    const int64_t d = orr_int(s, "dimension");
    const char *source = orr_arena_format(out_arena, "uniform on the sphere of radius %g in dimension %lld",
                                          orr_real(s, "radius"), (long long)d);
    ORR_TRY(ctx, orr_draw_describe(ctx, out_arena, s, ORR_SHAPE(d), orr_linear_target(s), 1, source, out));
    ORR_TRY(ctx, orr_linear_teacher(ctx, out_arena, s, seed, out));
    return orr_data_generate(ctx, out_arena, &orr_data_hypersphere, s, seed, out);
}

static void sample(orr_graph *g, const orr_settings *s, const orr_dataset *d, const orr_node *fact, orr_node key,
                   int64_t n, orr_dtype dtype, orr_node *x, orr_node *y) {
    const orr_node z = orr_random_normal(g, key, dtype, ORR_SHAPE(n, d->input.size[0]));
    const orr_node length = orr_sqrt(g, orr_sum_keep(g, orr_square(g, z), ORR_AXES(-1)));
    *x = orr_scale(g, orr_div(g, z, length), orr_real(s, "radius"));
    *y = orr_linear_sample(g, s, d->facts.n > 0 ? fact[0] : ORR_NONE, key, *x);
}

const orr_data orr_data_hypersphere = {
    .kind = { "hypersphere", "inputs uniform on a sphere, with a linear teacher or without targets", parameters },
    .load = load,
    .sample = sample,
};
