/* Gaussian inputs with a diagonal covariance, and a linear teacher.
 *
 *     x_j = sqrt(lambda_j) z_j,  z ~ N(0, I)      y = W x + noise N(0, 1)
 *
 *   isotropic     lambda_j = 1
 *   power-law     lambda_j = j^-exponent, j = 1, 2, ...
 *   eigenvalues   as listed
 *
 * W has entries N(0, 1/d); or, "power-law", the same row for each output with W_j sqrt(lambda_j) = j^(-teacher_exponent/2):
 * source and capacity conditions have teacher_exponent = 1 + 2 r exponent.  Both times sqrt(teacher_gain). */
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "ingredient/data/draw.h"

extern const orr_data orr_data_gaussian;

static const orr_parameter parameters[] = {
    ORR_DATA_GENERATED,
    { "dimension", ORR_INT, .fallback = "100", .range = "[1, 10000000]", .help = "d, where eigenvalues aren't listed" },
    { "covariance", ORR_CHOICE, .fallback = "isotropic", .choices = "isotropic power-law eigenvalues",
      .help = "of the inputs, diagonal: lambda_j = 1, j^-exponent or as listed" },
    { "exponent", ORR_REAL, .fallback = "1", .help = "of power-law" },
    { "eigenvalues", ORR_REALS, .fallback = "", .range = "[0, inf)", .help = "lambda_1, lambda_2, ..." },
    ORR_DATA_LINEAR_TARGETS,
    { "teacher", ORR_CHOICE, .fallback = "normal", .choices = "normal power-law",
      .help = "W: entries N(0, 1/d), or W_j sqrt(lambda_j) = j^(-teacher_exponent/2)" },
    { "teacher_exponent", ORR_REAL, .fallback = "1", .help = "of the power-law teacher" },
    { "teacher_gain", ORR_REAL, .fallback = "1", .range = "[0, inf)",
      .help = "W is multiplied by its root; 0: targets are noise alone" },
    { 0 },
};

static orr_status fill_eigenvalues(orr_context *ctx, const orr_settings *s, int64_t d, const double *listed,
                                   double *lambda) {
    for (int64_t j = 0; j < d; j++) {
        lambda[j] = listed ? listed[j] : 1.0;
        if (strcmp(orr_text(s, "covariance"), "power-law") == 0)
            lambda[j] = pow((double)j + 1.0, -orr_real(s, "exponent"));
        if (!isfinite(lambda[j])) return orr_fail(ctx, ORR_EINPUT, "gaussian: an eigenvalue is not finite");
    }
    return ORR_OK;
}

/* W_j = sqrt(j^-teacher_exponent / lambda_j) */
static orr_status power_law_teacher(orr_context *ctx, const orr_settings *s, int64_t d, const double *lambda,
                                    double *w) {
    for (int64_t j = 0; j < d; j++) {
        if (!(lambda[j] > 0.0))
            return orr_fail(ctx, ORR_EINPUT, "gaussian: a power-law teacher needs eigenvalues > 0, number %lld is 0",
                            (long long)j + 1);
        const double w_j = sqrt(pow((double)j + 1.0, -orr_real(s, "teacher_exponent")) / lambda[j]);
        for (int64_t o = 0; o < orr_int(s, "outputs"); o++) w[o * d + j] = w_j;
    }
    return ORR_OK;
}

static void scale_teacher(const orr_settings *s, int64_t d, double *w) {
    const double factor = sqrt(orr_real(s, "teacher_gain"));
    for (int64_t i = 0; i < orr_int(s, "outputs") * d; i++) w[i] *= factor;
}

static orr_status load(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, uint64_t run_seed,
                       orr_dataset *out) {
    const uint64_t seed = orr_data_seed(s, run_seed);
    int64_t n_listed, d = orr_int(s, "dimension");
    const double *listed = orr_reals(s, "eigenvalues", &n_listed);
    double *lambda;
    if (strcmp(orr_text(s, "covariance"), "eigenvalues") != 0) listed = NULL;
    else if (n_listed == 0)
        return orr_fail(ctx, ORR_EINPUT, "gaussian: covariance: eigenvalues needs a list of them, eigenvalues: [2, 1]");
    else d = n_listed;
    ORR_TRY(ctx, orr_draw_describe(ctx, out_arena, s, ORR_SHAPE(d), orr_linear_target(s), 2,
                                   orr_arena_format(out_arena, "Gaussian inputs, %s covariance, dimension %lld",
                                                    orr_text(s, "covariance"), (long long)d),
                                   out));
    ORR_TRY(ctx, orr_data_fact(ctx, out_arena, out, "eigenvalues", ORR_SHAPE(d), &lambda));
    ORR_TRY(ctx, fill_eigenvalues(ctx, s, d, listed, lambda));
    ORR_TRY(ctx, orr_linear_teacher(ctx, out_arena, s, seed, out));
    if (out->facts.n > 1 && strcmp(orr_text(s, "teacher"), "power-law") == 0)
        ORR_TRY(ctx, power_law_teacher(ctx, s, d, lambda, out->facts.item[1].data));
    if (out->facts.n > 1) scale_teacher(s, d, out->facts.item[1].data);
    return orr_data_generate(ctx, out_arena, &orr_data_gaussian, s, seed, out);
}

static void sample(orr_graph *g, const orr_settings *s, const orr_dataset *d, const orr_node *fact, orr_node key,
                   int64_t n, orr_dtype dtype, orr_node *x, orr_node *y) {
    const orr_node z = orr_random_normal(g, key, dtype, ORR_SHAPE(n, d->input.size[0]));
    *x = orr_mul(g, z, orr_sqrt(g, fact[0]));
    *y = orr_linear_sample(g, s, d->facts.n > 1 ? fact[1] : ORR_NONE, key, *x);
}

const orr_data orr_data_gaussian = {
    .kind = { "gaussian", "Gaussian inputs of a given covariance, with a linear teacher or without targets",
              parameters },
    .load = load,
    .sample = sample,
};
