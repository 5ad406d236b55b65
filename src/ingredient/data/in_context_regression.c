/* Regression within a sequence: a linear map shown by examples, and a query.
 *
 *     x_i ~ N(0, diag(lambda)),  w ~ N(0, I_D) anew in each sequence,  y_i = w . x_i
 *     positions: (x_1, y_1 + noise), ..., (x_N, y_N + noise), (x_q, 0)       [N + 1, D + 1]
 *     target: y_q = w . x_q                                                  [1]
 *
 * Fact: "eigenvalues" lambda [D]. */
#include <string.h>

#include "base/context.h"
#include "ingredient/data/draw.h"

extern const orr_data orr_data_in_context_regression;

static const orr_parameter parameters[] = {
    ORR_DATA_GENERATED,
    { "context", ORR_INT, .fallback = "31", .range = "[1, 100000]", .help = "N: examples before the query" },
    { "eigenvalues", ORR_REALS, .fallback = "1 1 1 1", .range = "[0, inf)",
      .help = "lambda_1, ..., lambda_D of the covariance of x" },
    { "noise", ORR_REAL, .fallback = "0", .range = "[0, inf)", .help = "standard deviation of what is added to y_i" },
    { 0 },
};

static orr_status load(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, uint64_t run_seed,
                       orr_dataset *out) {
    const int64_t context = orr_int(s, "context");
    int64_t d;
    const double *given = orr_reals(s, "eigenvalues", &d);
    double *lambda;
    if (d < 1) return orr_fail(ctx, ORR_EINPUT, "in-context-regression: eigenvalues: at least one is needed");
    ORR_TRY(ctx, orr_draw_describe(ctx, out_arena, s, ORR_SHAPE(context + 1, d + 1), ORR_SHAPE(1), 1,
                                   "linear regression in context", out));
    ORR_TRY(ctx, orr_data_fact(ctx, out_arena, out, "eigenvalues", ORR_SHAPE(d), &lambda));
    memcpy(lambda, given, (size_t)d * sizeof *lambda);
    return orr_data_generate(ctx, out_arena, &orr_data_in_context_regression, s, orr_data_seed(s, run_seed), out);
}

static void sample(orr_graph *g, const orr_settings *s, const orr_dataset *d, const orr_node *fact, orr_node key,
                   int64_t n, orr_dtype dtype, orr_node *x, orr_node *y) {
    const int64_t context = d->input.size[0] - 1, features = d->input.size[1] - 1;
    const orr_node z = orr_random_normal(g, key, dtype, ORR_SHAPE(n, context + 1, features));
    const orr_node w = orr_random_normal(g, orr_data_key(g, key, ORR_DRAW_TASK), dtype, ORR_SHAPE(n, features));
    const orr_node inputs = orr_mul(g, z, orr_sqrt(g, fact[0]));
    const orr_node outputs = orr_einsum(g, "bpd,bd->bp", inputs, w);
    const orr_node shown = orr_draw_noise(g, key, orr_slice(g, outputs, 1, 0, context, 1), orr_real(s, "noise"));
    const orr_node parts[2] = { inputs, orr_expand(g, orr_pad(g, shown, 1, 0, 1, 0), 2) };
    *x = orr_concat(g, parts, 2, 2);
    *y = orr_slice(g, outputs, 1, context, context + 1, 1);
}

const orr_data orr_data_in_context_regression = {
    .kind = { "in-context-regression", "sequences of examples of a linear map and a query", parameters },
    .load = load,
    .sample = sample,
};
