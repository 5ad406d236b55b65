/* Barlow Twins (Zbontar et al. 2021, 2103.03230): embeddings z, z' of two views of each example, n examples, d outputs:
 *
 *     C = 1/n sum_i z_i z_i'^T,     L = sum_a (C_aa - 1)^2 + lambda sum_{a != b} C_ab^2
 *
 * symmetric: (C + C^T)/2 in place of C, so that L = |W Gamma W^T - 1|^2 for a linear network (laws/ssl-stepwise).
 * normalise: z and z' have mean 0 and variance 1 over the batch first.  The theory's conventions are the defaults; those of the
 * paper are  lambda: 5e-3, normalise: true, symmetric: false.
 *
 * A view keeps each number of an input with probability `keep`, puts 0 in place of the others, and adds N(0, sigma^2). */
#include "ingredient/task/task.h"

static const orr_parameter parameters[] = {
    { "outputs", ORR_INT, .fallback = "6", .range = "[1, 100000]",
      .help = "of the network: numbers in an embedding, d" },
    { "lambda", ORR_REAL, .fallback = "1", .range = "[0, inf)", .help = "weight of what is off the diagonal" },
    { "keep", ORR_REAL, .fallback = "0.8", .range = "(0, 1]", .help = "probability that a view keeps a number" },
    { "sigma", ORR_REAL, .fallback = "0", .range = "[0, inf)", .help = "standard deviation of a view's noise" },
    { "symmetric", ORR_FLAG, .fallback = "true", .help = "the cross-correlation is made symmetric" },
    { "normalise", ORR_FLAG, .fallback = "false", .help = "embeddings to mean 0 and variance 1 over the batch" },
    ORR_TASK_CONVENTIONS,
    { 0 },
};

static bool signature(const orr_settings *s, const orr_dataset *d, orr_signature *out, const char **why) {
    *out = (orr_signature){ .input = d->input, .outputs = orr_int(s, "outputs") };
    *why = "needs inputs that are numbers; these are tokens";
    return d->vocabulary == 0;
}

/* Both views, one behind the other along axis 0.  Masks and noise are drawn from one key, so they must not overlap: the mask
 * takes the first 2n rows of uniforms, and the noise the same rows of another purpose. */
static void corrupt(orr_graph *g, const orr_settings *s, orr_node key, orr_node *x, orr_node *target) {
    const orr_dtype dtype = orr_node_dtype(g, *x);
    const double keep = orr_real(s, "keep"), sigma = orr_real(s, "sigma");
    const orr_node both[2] = { *x, *x };
    orr_node views = orr_concat(g, both, 2, 0);
    const orr_shape shape = orr_node_shape(g, views);
    (void)target;
    if (keep < 1.0) {
        const orr_node limit = orr_fill(g, dtype, ORR_SCALAR, keep);
        const orr_node kept = orr_lt(g, orr_random_uniform(g, key, dtype, shape), limit);
        views = orr_mul(g, views, orr_cast(g, kept, dtype));
    }
    if (sigma > 0.0) {
        const int32_t other[4] = { 0, 0, 0x40000000,
                                   0 }; /* no purpose of base/random.h is as large, names have the top bit */
        const orr_node second = orr_add(g, key, orr_literal(g, ORR_I32, ORR_SHAPE(4), other));
        views = orr_add(g, views, orr_scale(g, orr_random_normal(g, second, dtype, shape), sigma));
    }
    *x = views;
}

static orr_node loss(orr_graph *g, const orr_settings *s, orr_node output, orr_node target, int64_t classes) {
    const orr_dtype dtype = orr_node_dtype(g, output);
    const int64_t n = orr_node_shape(g, output).size[0] / 2, d = orr_node_shape(g, output).size[1];
    orr_node z1 = orr_slice(g, output, 0, 0, n, 1), z2 = orr_slice(g, output, 0, n, 2 * n, 1);
    (void)target, (void)classes;
    if (orr_flag(s, "normalise")) {
        z1 = orr_batch_norm(g, z1, ORR_NONE, ORR_NONE, 1e-5); /* the paper's program: BatchNorm1d without parameters */
        z2 = orr_batch_norm(g, z2, ORR_NONE, ORR_NONE, 1e-5);
    }
    orr_node c = orr_scale(g, orr_einsum(g, "na,nb->ab", z1, z2), 1.0 / (double)n);
    if (orr_flag(s, "symmetric")) c = orr_scale(g, orr_add(g, c, orr_swap_axes(g, c, 0, 1)), 0.5);
    const orr_shape square = ORR_SHAPE(d, d);
    const orr_node diagonal = orr_eq(g, orr_iota(g, ORR_I32, square, 0), orr_iota(g, ORR_I32, square, 1));
    const orr_node one = orr_cast(g, diagonal, dtype);
    const orr_node lambda = orr_fill(g, dtype, square, orr_real(s, "lambda"));
    const orr_node weight = orr_select(g, diagonal, orr_fill(g, dtype, square, 1.0), lambda);
    return orr_sum_all(g, orr_mul(g, weight, orr_square(g, orr_sub(g, c, one))));
}

const orr_task orr_task_barlow_twins = {
    .kind = { "barlow-twins", "two views of each example, embedded alike and in uncorrelated numbers", parameters },
    .signature = signature,
    .corrupt = corrupt,
    .loss = loss,
};
