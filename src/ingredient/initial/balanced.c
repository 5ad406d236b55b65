/* Balanced deep linear maps: a product W_L ... W_1 with K equal or given singular values and
 *
 *     W_{l+1}' W_{l+1} = W_l W_l'        W_l = diag(a)^{1/L} between the frames R_l and R_{l-1}:  R_l diag(a^{1/L}) R_{l-1}'
 *
 * R_l[width_l, K] has orthonormal columns.  With two layers also lambda-balanced: W_2' W_2 - W_1 W_1' = lambda I,
 *
 *     s_2^2 = (lambda + sqrt(lambda^2 + 4 a^2)) / 2,  s_1 s_2 = a      (stable: the larger by this, the other a / it)
 *
 * which fills the width only where K is the width.  All this of the matrices as the network sees them.  Biases start as in
 * the normal kind.  Sheets solvable/deep-linear-modes (initialisation A), solvable/lambda-balanced-exact-dynamics. */
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "ingredient/initial/initial.h"
#include "numeric/dense.h"

static const orr_parameter parameters[] = {
    { "strength", ORR_REALS, .fallback = "0.001", .range = "[0, inf)",
      .help = "singular values of the product; one: of all that the widths allow" },
    { "lambda", ORR_REAL, .fallback = "0", .help = "of two layers: W2' W2 - W1 W1' = lambda I" },
    { "frames", ORR_CHOICE, .fallback = "random", .choices = "random axes ends",
      .help =
          "singular vectors: random rotations, or unit vectors, first mode on the first input and output; ends: unit "
          "vectors at input and output, random between" },
    { 0 },
};

/* The first K columns of a rotation. */
static orr_status frame(orr_context *ctx, orr_arena *scratch, bool random, int64_t width, int64_t k, uint64_t seed,
                        const char *stream, double *r) {
    if (random) return orr_initial_haar(ctx, scratch, width, k, seed, stream, r);
    memset(r, 0, (size_t)(width * k) * sizeof *r);
    for (int64_t j = 0; j < k; j++) r[j * k + j] = 1.0;
    return ORR_OK;
}

/* The singular value of layer l of `layers` for the mode of strength a. */
static double layer_strength(double a, double lambda, int64_t l, int64_t layers) {
    if (lambda == 0.0) return pow(a, 1.0 / (double)layers);
    const double large = sqrt(0.5 * (fabs(lambda) + hypot(lambda, 2 * a)));
    return (l == 1) == (lambda > 0) ? large : a / large;
}

/* The chain of matrices: its length, and the least width on the way, or 0 where they do not follow each other. */
static int64_t chain(const orr_network *network, int64_t *narrowest) {
    int64_t layers = 0, width = 0;
    for (int64_t i = 0; i < network->n_tensors; i++) {
        const orr_tensor *t = &network->tensors[i];
        if (!orr_initial_is_map(t)) continue;
        if (t->shape.rank > 2 || t->multiplier == 0.0 || (layers && t->shape.size[1] != width)) return 0;
        if (layers++ == 0) *narrowest = t->shape.size[1];
        width = t->shape.size[0];
        if (width < *narrowest) *narrowest = width;
    }
    return layers;
}

static orr_status check(orr_context *ctx, const orr_settings *s, const orr_network *network, int64_t *layers,
                        int64_t *k) {
    int64_t narrowest = 0, given;
    const double lambda = orr_real(s, "lambda");
    (void)orr_reals(s, "strength", &given);
    *layers = chain(network, &narrowest);
    *k = given == 1 ? narrowest : given;
    if (*layers == 0)
        return orr_fail(ctx, ORR_EINPUT,
                        "initial balanced: starts networks whose matrices are one chain, each reading what "
                        "the one before it wrote; this one's are not");
    if (given == 0 || given > narrowest)
        return orr_fail(ctx, ORR_EINPUT,
                        "initial balanced: strength: expected 1 to %lld values, the narrowest layer; got %lld",
                        (long long)narrowest, (long long)given);
    if (lambda == 0.0) return ORR_OK;
    int64_t hidden = 0;
    for (int64_t i = 0; i < network->n_tensors && !hidden; i++)
        if (orr_initial_is_map(&network->tensors[i])) hidden = network->tensors[i].shape.size[0];
    if (*layers != 2 || *k != hidden)
        return orr_fail(ctx, ORR_EINPUT,
                        "initial balanced: lambda: needs two layers whose hidden width (%lld) is at most "
                        "the inputs and outputs, with a strength for each unit; got %lld layers, %lld modes",
                        (long long)hidden, (long long)*layers, (long long)*k);
    return ORR_OK;
}

static orr_status draw(orr_context *ctx, orr_arena *scratch, const orr_settings *s, const orr_network *network,
                       const orr_dataset *data, uint64_t seed, double *w) {
    (void)data;
    int64_t layers, k, given, l = 0, widest = 0;
    const double *strength = orr_reals(s, "strength", &given), lambda = orr_real(s, "lambda");
    const bool random = strcmp(orr_text(s, "frames"), "random") == 0,
               inside = random || strcmp(orr_text(s, "frames"), "ends") == 0;
    ORR_TRY(ctx, check(ctx, s, network, &layers, &k));
    for (int64_t i = 0; i < network->n_tensors; i++)
        for (int32_t axis = 0; axis < network->tensors[i].shape.rank; axis++)
            if (network->tensors[i].shape.size[axis] > widest) widest = network->tensors[i].shape.size[axis];
    const orr_arena_mark mark = orr_arena_here(scratch);
    double *in = ORR_NEW(scratch, double, widest *k), *out = ORR_NEW(scratch, double, widest *k);
    orr_status status =
        in && out ? ORR_OK : orr_fail(ctx, ORR_ENOMEM, "initial balanced: no memory for %lld modes", (long long)k);
    for (int64_t i = 0; i < network->n_tensors && status == ORR_OK; i++) {
        const orr_tensor *t = &network->tensors[i];
        const int64_t rows = t->shape.rank ? t->shape.size[0] : 1;
        if (orr_initial_is_map(t)) {
            const int64_t columns = t->shape.size[1];
            if (l == 0) status = frame(ctx, scratch, random, columns, k, seed, "balanced.input", in);
            if (status == ORR_OK)
                status = frame(ctx, scratch, l == layers - 1 ? random : inside, rows, k, seed, t->name, out);
            if (status != ORR_OK) break;
            for (int64_t j = 0; j < columns * k; j++) /* in <- in diag(s_l / multiplier) */
                in[j] *= layer_strength(strength[given == 1 ? 0 : j % k], lambda, l, layers) / t->multiplier;
            orr_dense_multiply(rows, columns, k, out, false, in, true, w);
            memcpy(in, out, (size_t)(rows * k) * sizeof *in);
            l++;
        } else orr_initial_normal_tensor(t, seed, w);
        w += orr_shape_count(&t->shape);
    }
    orr_arena_rewind(scratch, mark);
    return status;
}

const orr_initial orr_initial_balanced = {
    .kind = { "balanced", "deep linear maps whose layers share the product's modes evenly", parameters },
    .draw = draw,
};
