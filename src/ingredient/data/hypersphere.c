/* Inputs uniform on a sphere, and a linear teacher or harmonics of the first coordinate.
 *
 *     x = radius z / |z|,  z ~ N(0, I_d)      linear    y = W x + noise N(0, 1),  W_oj ~ N(0, 1/d)
 *                                             harmonic  y_o = sqrt(g_l) P_l(x_1/radius) + noise N(0, 1),  l = degrees_o
 *
 * P_l are the polynomials of theory/kernel_spectrum.h: y_o without noise has mean square 1, and y_o of different degree are
 * uncorrelated. */
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "ingredient/data/draw.h"
#include "theory/kernel_spectrum.h"

extern const orr_data orr_data_hypersphere;

static const orr_parameter parameters[] = {
    ORR_DATA_GENERATED,
    { "dimension", ORR_INT, .fallback = "10", .range = "[2, 10000000]", .help = "d: the sphere is S^{d-1}" },
    { "radius", ORR_REAL, .fallback = "1", .range = "(0, inf)", .help = "length of every input" },
    { "targets", ORR_CHOICE, .fallback = "linear", .choices = "linear harmonic none",
      .help = "y = W x + noise; or harmonics of the first coordinate, one output for each of `degrees`; or none" },
    { "outputs", ORR_INT, .fallback = "1", .range = "[1, 1000000]", .help = "numbers in y, where it is linear" },
    { "noise", ORR_REAL, .fallback = "0", .range = "[0, inf)", .help = "standard deviation of what is added to y" },
    { "degrees", ORR_INTS, .fallback = "1", .range = "[0, 1000]", .help = "of harmonic targets" },
    { 0 },
};

static bool is_harmonic(const orr_settings *s) { return strcmp(orr_text(s, "targets"), "harmonic") == 0; }

static orr_status load(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, uint64_t run_seed,
                       orr_dataset *out) {
    const uint64_t seed = orr_data_seed(s, run_seed);
    const int64_t d = orr_int(s, "dimension");
    const char *source = orr_arena_format(out_arena, "uniform on the sphere of radius %g in dimension %lld",
                                          orr_real(s, "radius"), (long long)d);
    int64_t n_degrees;
    (void)orr_ints(s, "degrees", &n_degrees);
    if (is_harmonic(s) && n_degrees == 0)
        return orr_fail(ctx, ORR_EINPUT, "hypersphere: harmonic targets need their degrees, degrees: [1, 2]");
    const orr_shape target = is_harmonic(s) ? ORR_SHAPE(n_degrees) : orr_linear_target(s);
    ORR_TRY(ctx, orr_draw_describe(ctx, out_arena, s, ORR_SHAPE(d), target, 1, source, out));
    if (!is_harmonic(s)) ORR_TRY(ctx, orr_linear_teacher(ctx, out_arena, s, seed, out));
    return orr_data_generate(ctx, out_arena, &orr_data_hypersphere, s, seed, out);
}

/* sqrt(g_l) P_l(t), t[n, 1]:  P_{l+1} = ((2l + d - 2) t P_l - l P_{l-1})/(l + d - 2) */
static orr_node harmonic(orr_graph *g, int64_t d, int64_t degree, orr_node t) {
    orr_node p = orr_fill(g, orr_node_dtype(g, t), orr_node_shape(g, t), 1.0), before = ORR_NONE;
    for (int64_t l = 0; l < degree; l++) {
        const double below = (double)(l + d - 2);
        orr_node next = t;
        if (l > 0)
            next = orr_sub(g, orr_scale(g, orr_mul(g, t, p), (double)(2 * l + d - 2) / below),
                           orr_scale(g, before, (double)l / below));
        before = p;
        p = next;
    }
    return orr_scale(g, p, sqrt(orr_sphere_multiplicity(d, degree)));
}

static orr_node harmonics(orr_graph *g, const orr_settings *s, orr_node key, orr_node x) {
    const int64_t d = orr_node_shape(g, x).size[1];
    const orr_node t = orr_scale(g, orr_slice(g, x, 1, 0, 1, 1), 1.0 / orr_real(s, "radius"));
    int64_t n_degrees;
    const int64_t *degree = orr_ints(s, "degrees", &n_degrees);
    orr_node y = harmonic(g, d, degree[0], t);
    for (int64_t o = 1; o < n_degrees; o++) {
        const orr_node both[2] = { y, harmonic(g, d, degree[o], t) };
        y = orr_concat(g, both, 2, 1);
    }
    return orr_draw_noise(g, key, y, orr_real(s, "noise"));
}

static void sample(orr_graph *g, const orr_settings *s, const orr_dataset *d, const orr_node *fact, orr_node key,
                   int64_t n, orr_dtype dtype, orr_node *x, orr_node *y) {
    const orr_node z = orr_random_normal(g, key, dtype, ORR_SHAPE(n, d->input.size[0]));
    const orr_node length = orr_sqrt(g, orr_sum_keep(g, orr_square(g, z), ORR_AXES(-1)));
    *x = orr_scale(g, orr_div(g, z, length), orr_real(s, "radius"));
    if (is_harmonic(s)) *y = harmonics(g, s, key, *x);
    else *y = orr_linear_sample(g, s, d->facts.n > 0 ? fact[0] : ORR_NONE, key, *x);
}

const orr_data orr_data_hypersphere = {
    .kind = { "hypersphere", "inputs uniform on a sphere, with a linear teacher, harmonics or no targets", parameters },
    .load = load,
    .sample = sample,
};
