/* A target that depends on one direction of Gaussian inputs.
 *
 *     y = f(z) + noise,  z = w . x,  |w| = 1,  x ~ N(0, I_d)
 *
 *   hermite      f = sum_j c_j h_j, h_j = He_j / sqrt(j!), j = 0, 1, ...: E f^2 = sum_j c_j^2, and the information exponent
 *                is the first j >= 1 with c_j != 0
 *   otherwise    f is the activation of that name
 * Facts: "direction" w [d]; "coefficients" c, for hermite. */
#include <string.h>

#include "base/context.h"
#include "ingredient/architecture/architecture.h"
#include "ingredient/data/draw.h"

extern const orr_data orr_data_single_index;

static const orr_parameter parameters[] = {
    ORR_DATA_GENERATED,
    { "dimension", ORR_INT, .fallback = "100", .range = "[1, 10000000]", .help = "d: numbers in x" },
    { "link", ORR_CHOICE, .fallback = "hermite", .choices = "hermite " ORR_ACTIVATIONS, .help = "f" },
    { "coefficients", ORR_REALS, .fallback = "0 0 1", .help = "c_0, c_1, ... of normalised Hermite polynomials" },
    { "direction", ORR_CHOICE, .fallback = "random", .choices = "random axis", .help = "w: drawn, or the first axis" },
    { "noise", ORR_REAL, .fallback = "0", .range = "[0, inf)", .help = "standard deviation of what is added to y" },
    { 0 },
};

static bool is_hermite(const orr_settings *s) { return strcmp(orr_text(s, "link"), "hermite") == 0; }

static orr_status load(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, uint64_t run_seed,
                       orr_dataset *out) {
    const uint64_t seed = orr_data_seed(s, run_seed);
    const int64_t d = orr_int(s, "dimension");
    int64_t n_c;
    const double *c = orr_reals(s, "coefficients", &n_c);
    double *w, *kept;
    if (is_hermite(s) && n_c == 0)
        return orr_fail(ctx, ORR_EINPUT, "single-index: coefficients: at least one is needed, as in [0, 0, 1]");
    ORR_TRY(ctx, orr_draw_describe(ctx, out_arena, s, ORR_SHAPE(d), ORR_SHAPE(1), 2,
                                   "Gaussian inputs, a target of one direction", out));
    ORR_TRY(ctx, orr_data_fact(ctx, out_arena, out, "direction", ORR_SHAPE(d), &w));
    if (strcmp(orr_text(s, "direction"), "axis") == 0) w[0] = 1.0;
    else orr_draw_orthonormal((orr_key){ seed, ORR_PURPOSE_TEACHER, 0 }, 1, d, w);
    if (is_hermite(s)) {
        ORR_TRY(ctx, orr_data_fact(ctx, out_arena, out, "coefficients", ORR_SHAPE(n_c), &kept));
        memcpy(kept, c, (size_t)n_c * sizeof *c);
    }
    return orr_data_generate(ctx, out_arena, &orr_data_single_index, s, seed, out);
}

static void sample(orr_graph *g, const orr_settings *s, const orr_dataset *d, const orr_node *fact, orr_node key,
                   int64_t n, orr_dtype dtype, orr_node *x, orr_node *y) {
    *x = orr_random_normal(g, key, dtype, ORR_SHAPE(n, d->input.size[0]));
    const orr_node z = orr_expand(g, orr_einsum(g, "nd,d->n", *x, fact[0]), 1);
    const orr_node f = is_hermite(s) ? orr_draw_hermite(g, z, fact[1]) : orr_activation(g, orr_text(s, "link"), z);
    *y = orr_draw_noise(g, key, f, orr_real(s, "noise"));
}

const orr_data orr_data_single_index = {
    .kind = { "single-index", "Gaussian inputs, a target that depends on one direction (Hermite polynomials)",
              parameters },
    .load = load,
    .sample = sample,
};
