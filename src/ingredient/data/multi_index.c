/* A target that depends on r directions.
 *
 *     y = f(z_1, ..., z_r) + noise,  z = U x,  U U' = I
 *
 *   hermite      f = sum_k c_k h_{degree_k}(z_k), h_j = He_j / sqrt(j!)
 *   product      f = z_1 z_2 ... z_r
 *   parity       f = sign(z_1 z_2 ... z_r)
 *   pairs        f = z_1 z_2 + z_3 z_4 + ..., the last one alone where r is odd
 *   staircase    f = c_1 z_1 + c_2 z_1 z_2 + ... + c_r z_1 ... z_r
 * Inputs are N(0, I_d), or signs: each -1 or 1 (the Boolean cube, where product and parity are the same on axes).
 * c_k = 1 where they aren't given.  Facts: "directions" U [r, d]; "coefficients" c [r]. */
#include <string.h>

#include "base/context.h"
#include "ingredient/data/draw.h"

extern const orr_data orr_data_multi_index;

static const orr_parameter parameters[] = {
    ORR_DATA_GENERATED,
    { "dimension", ORR_INT, .fallback = "100", .range = "[1, 10000000]", .help = "d: numbers in x" },
    { "inputs", ORR_CHOICE, .fallback = "normal", .choices = "normal signs", .help = "N(0, I), or each -1 or 1" },
    { "rank", ORR_INT, .fallback = "3", .range = "[1, 1000]", .help = "r: directions" },
    { "directions", ORR_CHOICE, .fallback = "random", .choices = "random axes",
      .help = "U: drawn, or the first r axes" },
    { "link", ORR_CHOICE, .fallback = "hermite", .choices = "hermite product parity staircase pairs", .help = "f" },
    { "degrees", ORR_INTS, .fallback = "1 2 3", .range = "[0, 100]", .help = "of hermite, one for each direction" },
    { "coefficients", ORR_REALS, .fallback = "", .help = "c_k of hermite and staircase; empty: ones" },
    { "noise", ORR_REAL, .fallback = "0", .range = "[0, inf)", .help = "standard deviation of what is added to y" },
    { 0 },
};

static bool is(const orr_settings *s, const char *link) { return strcmp(orr_text(s, "link"), link) == 0; }

static orr_status check(orr_context *ctx, const orr_settings *s, int64_t r) {
    int64_t n_degrees, n_c;
    (void)orr_ints(s, "degrees", &n_degrees);
    (void)orr_reals(s, "coefficients", &n_c);
    if (r > orr_int(s, "dimension"))
        return orr_fail(ctx, ORR_EINPUT, "multi-index: rank %lld is above the dimension, %lld", (long long)r,
                        (long long)orr_int(s, "dimension"));
    if (is(s, "hermite") && n_degrees != r)
        return orr_fail(ctx, ORR_EINPUT, "multi-index: %lld degrees for %lld directions", (long long)n_degrees,
                        (long long)r);
    if (n_c != 0 && n_c != r)
        return orr_fail(ctx, ORR_EINPUT, "multi-index: %lld coefficients for %lld directions", (long long)n_c,
                        (long long)r);
    return ORR_OK;
}

static orr_status load(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, uint64_t run_seed,
                       orr_dataset *out) {
    const uint64_t seed = orr_data_seed(s, run_seed);
    const int64_t d = orr_int(s, "dimension"), r = orr_int(s, "rank");
    int64_t n_c;
    const double *given = orr_reals(s, "coefficients", &n_c);
    double *u, *c;
    ORR_TRY(ctx, check(ctx, s, r));
    ORR_TRY(ctx, orr_draw_describe(
                     ctx, out_arena, s, ORR_SHAPE(d), ORR_SHAPE(1), 2,
                     orr_arena_format(out_arena, "a target of %lld directions (%s)", (long long)r, orr_text(s, "link")),
                     out));
    ORR_TRY(ctx, orr_data_fact(ctx, out_arena, out, "directions", ORR_SHAPE(r, d), &u));
    ORR_TRY(ctx, orr_data_fact(ctx, out_arena, out, "coefficients", ORR_SHAPE(r), &c));
    if (strcmp(orr_text(s, "directions"), "random") == 0)
        orr_draw_orthonormal((orr_key){ seed, ORR_PURPOSE_TEACHER, 0 }, r, d, u);
    else
        for (int64_t k = 0; k < r; k++) u[k * d + k] = 1.0;
    for (int64_t k = 0; k < r; k++) c[k] = n_c ? given[k] : 1.0;
    return orr_data_generate(ctx, out_arena, &orr_data_multi_index, s, seed, out);
}

/* z_1 z_2 + z_3 z_4 + ..., [n, 1] */
static orr_node pairs(orr_graph *g, orr_node z, int64_t r) {
    orr_node sum = ORR_NONE;
    for (int64_t k = 0; k < r; k += 2) {
        orr_node term = orr_slice(g, z, 1, k, k + 1, 1);
        if (k + 1 < r) term = orr_mul(g, term, orr_slice(g, z, 1, k + 1, k + 2, 1));
        sum = k == 0 ? term : orr_add(g, sum, term);
    }
    return sum;
}

/* f of z[n, r], as [n, 1]. */
static orr_node target(orr_graph *g, const orr_settings *s, orr_node z, orr_node c, int64_t r) {
    int64_t n_degrees;
    const int64_t *degree = orr_ints(s, "degrees", &n_degrees);
    orr_node product = ORR_NONE, sum = ORR_NONE;
    if (is(s, "pairs")) return pairs(g, z, r);
    for (int64_t k = 0; k < r; k++) {
        const orr_node z_k = orr_slice(g, z, 1, k, k + 1, 1), c_k = orr_slice(g, c, 0, k, k + 1, 1);
        orr_node term;
        product = k == 0 ? z_k : orr_mul(g, product, z_k);
        if (is(s, "hermite")) {
            double one[101] = { 0 };
            one[degree[k]] = 1.0;
            const orr_node which = orr_literal(g, ORR_F64, ORR_SHAPE(degree[k] + 1), one);
            term = orr_draw_hermite(g, z_k, orr_cast(g, which, orr_node_dtype(g, z)));
        } else {
            term = product;
        }
        term = orr_mul(g, term, c_k);
        sum = k == 0 ? term : orr_add(g, sum, term);
    }
    return is(s, "product") ? product : is(s, "parity") ? orr_sign(g, product) : sum;
}

static void sample(orr_graph *g, const orr_settings *s, const orr_dataset *d, const orr_node *fact, orr_node key,
                   int64_t n, orr_dtype dtype, orr_node *x, orr_node *y) {
    const orr_shape shape = ORR_SHAPE(n, d->input.size[0]);
    *x = strcmp(orr_text(s, "inputs"), "signs") == 0 ? orr_random_sign(g, key, dtype, shape)
                                                     : orr_random_normal(g, key, dtype, shape);
    const orr_node z = orr_linear(g, *x, fact[0], ORR_NONE);
    *y = orr_draw_noise(g, key, target(g, s, z, fact[1], d->facts.item[0].shape.size[0]), orr_real(s, "noise"));
}

const orr_data orr_data_multi_index = {
    .kind = { "multi-index", "a target that depends on a few directions: Hermite, product, parity, staircase, pairs",
              parameters },
    .load = load,
    .sample = sample,
};
