/* Clouds around means, one for each class.
 *
 *     x = mu_c + deviation z,  z ~ N(0, I_d),  c uniform over the classes,  |mu_c| = separation
 *
 *   opposite      two classes, mu_1 = -mu_0, the direction drawn
 *   orthogonal    drawn orthonormal directions
 *   simplex       those with their mean taken off, and scaled: equal angles, sum 0
 *   random        independent directions
 * Targets: the class, or for two classes its sign (a number, 1 for class 0 and -1 for class 1: x = y mu + deviation z).
 * Fact: "means" [classes, d]. */
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "ingredient/data/draw.h"

extern const orr_data orr_data_gaussian_mixture;

static const orr_parameter parameters[] = {
    ORR_DATA_GENERATED,
    { "dimension", ORR_INT, .fallback = "100", .range = "[1, 1000000]", .help = "d: numbers in x" },
    { "classes", ORR_INT, .fallback = "2", .range = "[2, 100000]", .help = "clouds" },
    { "means", ORR_CHOICE, .fallback = "opposite", .choices = "opposite orthogonal simplex random",
      .help = "how they lie" },
    { "separation", ORR_REAL, .fallback = "1", .range = "[0, inf)", .help = "length of each mean" },
    { "deviation", ORR_REAL, .fallback = "1", .range = "[0, inf)", .help = "sigma, of each number around its mean" },
    { "targets", ORR_CHOICE, .fallback = "class", .choices = "class sign",
      .help = "the class, or 1 and -1 for two classes" },
    { 0 },
};

static orr_status check(orr_context *ctx, const orr_settings *s) {
    const int64_t classes = orr_int(s, "classes"), d = orr_int(s, "dimension");
    if (classes != 2 && (orr_settings_say(s, "means", "opposite") || orr_settings_say(s, "targets", "sign")))
        return orr_fail(ctx, ORR_EINPUT, "gaussian-mixture: %s is for two classes, there are %lld",
                        orr_settings_say(s, "targets", "sign") ? "targets: sign" : "means: opposite",
                        (long long)classes);
    if (classes > d && (orr_settings_say(s, "means", "orthogonal") || orr_settings_say(s, "means", "simplex")))
        return orr_fail(ctx, ORR_EINPUT, "gaussian-mixture: %lld means can't be orthogonal in dimension %lld",
                        (long long)classes, (long long)d);
    return ORR_OK;
}

static void draw_means(const orr_settings *s, uint64_t seed, int64_t classes, int64_t d, double *mu) {
    const double length = orr_real(s, "separation");
    if (orr_settings_say(s, "means", "opposite")) {
        orr_draw_orthonormal((orr_key){ seed, ORR_PURPOSE_TEACHER, 0 }, 1, d, mu);
        for (int64_t j = 0; j < d; j++) mu[d + j] = -mu[j];
    } else if (orr_settings_say(s, "means", "random")) {
        for (int64_t c = 0; c < classes; c++)
            orr_draw_orthonormal((orr_key){ seed, ORR_PURPOSE_TEACHER, (uint32_t)c }, 1, d, mu + c * d);
    } else {
        orr_draw_orthonormal((orr_key){ seed, ORR_PURPOSE_TEACHER, 0 }, classes, d, mu);
    }
    if (orr_settings_say(s, "means", "simplex")) { /* |e_c - mean|^2 = 1 - 1/classes */
        const double scale = sqrt(1.0 - 1.0 / (double)classes);
        for (int64_t j = 0; j < d; j++) {
            double mean = 0.0;
            for (int64_t c = 0; c < classes; c++) mean += mu[c * d + j] / (double)classes;
            for (int64_t c = 0; c < classes; c++) mu[c * d + j] = (mu[c * d + j] - mean) / scale;
        }
    }
    for (int64_t i = 0; i < classes * d; i++) mu[i] *= length;
}

static orr_status load(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, uint64_t run_seed,
                       orr_dataset *out) {
    const uint64_t seed = orr_data_seed(s, run_seed);
    const int64_t classes = orr_int(s, "classes"), d = orr_int(s, "dimension");
    const bool sign = orr_settings_say(s, "targets", "sign");
    double *mu;
    ORR_TRY(ctx, check(ctx, s));
    ORR_TRY(ctx, orr_draw_describe(ctx, out_arena, s, ORR_SHAPE(d), sign ? ORR_SHAPE(1) : ORR_SCALAR, 1,
                                   orr_arena_format(out_arena, "%lld Gaussian clouds", (long long)classes), out));
    out->classes = sign ? 0 : classes;
    ORR_TRY(ctx, orr_data_fact(ctx, out_arena, out, "means", ORR_SHAPE(classes, d), &mu));
    draw_means(s, seed, classes, d, mu);
    return orr_data_generate(ctx, out_arena, &orr_data_gaussian_mixture, s, seed, out);
}

static void sample(orr_graph *g, const orr_settings *s, const orr_dataset *d, const orr_node *fact, orr_node key,
                   int64_t n, orr_dtype dtype, orr_node *x, orr_node *y) {
    const orr_node which = orr_data_key(g, key, ORR_DRAW_LABEL);
    const orr_node c = orr_random_int(g, which, (int32_t)orr_int(s, "classes"), ORR_SHAPE(n));
    const orr_node z = orr_random_normal(g, key, dtype, ORR_SHAPE(n, d->input.size[0]));
    *x = orr_add(g, orr_gather(g, fact[0], c, 0), orr_scale(g, z, orr_real(s, "deviation")));
    *y = d->classes ? c : orr_expand(g, orr_shift(g, orr_scale(g, orr_cast(g, c, dtype), -2.0), 1.0), 1);
}

const orr_data orr_data_gaussian_mixture = {
    .kind = { "gaussian-mixture", "Gaussian clouds around given means; the target is the cloud", parameters },
    .load = load,
    .sample = sample,
};
