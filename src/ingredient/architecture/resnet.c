/* Residual network of basic blocks (He et al. 2015, 1512.03385):
 *
 *     h^0 = phi(norm(W * x)),     h^{l+1} = phi(P h^l + a norm(W2 * phi(norm(W1 * h^l)))),     a = L^-branch_exponent,
 *     f = W u + b     with u the mean of h^L over the image
 *
 *   here             meaning
 *   channels         of the stages; every stage but the first halves the image in its first block
 *   blocks           of each stage; L is their sum
 *   P                the identity, or norm(a convolution of one pixel) where channels or size change
 *   norm             batch: over the present batch and the image;  layer: over channels and image, for each example
 *   weight_variance  variance of a weight times its fan-in
 *
 * Convolutions have biases where no norm would take them away again. */
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "ingredient/architecture/architecture.h"
#include "ingredient/architecture/image.h"

static const orr_parameter parameters[] = {
    { "channels", ORR_INTS, .fallback = "16 32 64", .range = "[1, 100000]", .unit = "channels",
      .help = "of the stages, first to last" },
    { "blocks", ORR_INTS, .fallback = "1", .range = "[1, 1000]",
      .help = "residual blocks: one number for all stages, or one for each" },
    { "stem_size", ORR_INT, .fallback = "3", .range = "[1, 1000]", .unit = "pixels",
      .help = "side of the first convolution's kernels" },
    { "stem_stride", ORR_INT, .fallback = "1", .range = "[1, 1000]", .unit = "pixels",
      .help = "stride of the first convolution" },
    { "norm", ORR_CHOICE, .fallback = "batch", .choices = "batch layer none",
      .help = "behind each convolution; batch: statistics of the present batch, no running ones" },
    { "activation", ORR_CHOICE, .fallback = "relu", .choices = ORR_ACTIVATIONS, .help = "phi" },
    { "sum_activation", ORR_FLAG, .fallback = "true",
      .help = "phi behind the sum of branch and shortcut, as in He et al. 2015; false: the shortcut stays linear" },
    { "branch_exponent", ORR_REAL, .fallback = "0", .range = "[0, inf)",
      .help = "branches are scaled by (number of blocks)^-branch_exponent" },
    { "bias", ORR_FLAG, .fallback = "true", .help = "whether the readout has a bias, and convolutions without a norm" },
    { "weight_variance", ORR_REAL, .fallback = "2", .range = "[0, inf)",
      .help = "variance of an initial weight times its fan-in" },
    { "bias_variance", ORR_REAL, .fallback = "0", .range = "[0, inf)", .help = "variance of an initial bias" },
    { 0 },
};
#define EPSILON 1e-5 /* added to the variance in a norm, as PyTorch does */

/* ---- the walk: what block b of a stage does, for both declare and forward ------------------------------------------------- */

static int64_t blocks_of(const orr_settings *s, int64_t stage) {
    int64_t n;
    const int64_t *blocks = orr_ints(s, "blocks", &n);
    return blocks[n == 1 ? 0 : stage];
}

static int64_t count_blocks(const orr_settings *s) {
    int64_t stages, count = 0;
    (void)orr_ints(s, "channels", &stages);
    for (int64_t i = 0; i < stages; i++) count += blocks_of(s, i);
    return count;
}

typedef struct block {
    int64_t in, out, stride, stage_in, stage;
    bool project;
} block;

static block block_of(const orr_settings *s, int64_t stage, int64_t b) {
    int64_t stages;
    const int64_t *channels = orr_ints(s, "channels", &stages);
    const int64_t before = b == 0 && stage > 0 ? stage - 1 : stage;
    block it = { .out = channels[stage], .in = channels[before], .stage_in = before, .stage = stage };
    it.stride = b == 0 && stage > 0 ? 2 : 1;
    it.project = it.stride != 1 || it.in != it.out;
    return it;
}

static bool has_norm(const orr_settings *s) { return strcmp(orr_text(s, "norm"), "none") != 0; }

/* ---- tensors --------------------------------------------------------------------------------------------------------------- */

typedef struct declaration {
    orr_context *ctx;
    orr_arena *arena;
    const orr_settings *s;
    orr_network *network;
} declaration;

static orr_status add(const declaration *d, const char *prefix, const char *name, orr_shape shape, orr_role role,
                      double mean, double deviation) {
    const char *full = orr_arena_format(d->arena, "%s%s", prefix, name);
    if (!full) return orr_fail(d->ctx, ORR_ENOMEM, "resnet: no memory for the names of layers");
    orr_tensor *t = &d->network->tensors[d->network->n_tensors++];
    *t = orr_tensor_of(full, shape, role, deviation);
    t->mean = mean;
    return ORR_OK;
}

/* A convolution and the norm behind it: "<name>.weight", and "<name>.bias" or "<name>.norm.gain" and "<name>.norm.bias". */
static orr_status add_convolution(const declaration *d, const char *name, int64_t out, int64_t in, int64_t kernel,
                                  orr_role role) {
    const double deviation = sqrt(orr_real(d->s, "weight_variance") / (double)(in * kernel * kernel));
    const double bias_deviation = sqrt(orr_real(d->s, "bias_variance"));
    ORR_TRY(d->ctx, add(d, name, ".weight", ORR_SHAPE(out, in, kernel, kernel), role, 0.0, deviation));
    if (has_norm(d->s)) {
        ORR_TRY(d->ctx, add(d, name, ".norm.gain", ORR_SHAPE(out), ORR_ROLE_VECTOR, 1.0, 0.0));
        ORR_TRY(d->ctx, add(d, name, ".norm.bias", ORR_SHAPE(out), ORR_ROLE_VECTOR, 0.0, bias_deviation));
    } else if (orr_flag(d->s, "bias")) {
        ORR_TRY(d->ctx, add(d, name, ".bias", ORR_SHAPE(out), ORR_ROLE_VECTOR, 0.0, bias_deviation));
    }
    return ORR_OK;
}

/* Tells the tensors from `first` on along which stages' channels they go. */
static void go_along(orr_network *network, int64_t first, int64_t in, int64_t out) {
    for (int64_t t = first; t < network->n_tensors; t++) {
        network->tensors[t].width_in = in;
        network->tensors[t].width_out = out;
    }
}

static orr_status add_block(const declaration *d, int64_t number, block it) {
    const char *first = orr_arena_format(d->arena, "block%lld.first", (long long)number);
    const char *second = orr_arena_format(d->arena, "block%lld.second", (long long)number);
    const char *shortcut = orr_arena_format(d->arena, "block%lld.shortcut", (long long)number);
    if (!first || !second || !shortcut)
        return orr_fail(d->ctx, ORR_ENOMEM, "resnet: no memory for the names of layers");
    int64_t at = d->network->n_tensors;
    ORR_TRY(d->ctx, add_convolution(d, first, it.out, it.in, 3, ORR_ROLE_HIDDEN));
    go_along(d->network, at, it.stage_in, it.stage);
    const int64_t last = d->network->n_tensors;
    ORR_TRY(d->ctx, add_convolution(d, second, it.out, it.out, 3, ORR_ROLE_HIDDEN));
    go_along(d->network, last, it.stage, it.stage);
    d->network->tensors[last].branch = true;
    at = d->network->n_tensors;
    if (it.project) ORR_TRY(d->ctx, add_convolution(d, shortcut, it.out, it.in, 1, ORR_ROLE_HIDDEN));
    go_along(d->network, at, it.stage_in, it.stage);
    return ORR_OK;
}

static orr_status declare(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, const orr_signature *signature,
                          orr_network *out) {
    int64_t stages, n_blocks;
    const int64_t *channels = orr_ints(s, "channels", &stages);
    orr_shape image;
    ORR_TRY(ctx, orr_image_shape(ctx, "resnet", signature, &image));
    (void)orr_ints(s, "blocks", &n_blocks);
    if (stages == 0) return orr_fail(ctx, ORR_EINPUT, "resnet: channels is an empty list; it needs a stage");
    if (n_blocks != 1 && n_blocks != stages)
        return orr_fail(ctx, ORR_EINPUT, "resnet: blocks has %lld numbers; one for all stages, or one for each of %lld",
                        (long long)n_blocks, (long long)stages);
    const int64_t depth = count_blocks(s);
    const declaration d = { ctx, out_arena, s, out };
    *out = (orr_network){ .width = channels[0], .depth = depth, .widths = channels, .n_widths = stages };
    out->tensors = ORR_NEW(out_arena, orr_tensor, 9 * depth + 5); /* three convolutions a block, three tensors each */
    if (!out->tensors) return orr_fail(ctx, ORR_ENOMEM, "resnet: no memory for %lld blocks", (long long)depth);
    ORR_TRY(ctx, add_convolution(&d, "stem", channels[0], image.size[0], orr_int(s, "stem_size"), ORR_ROLE_INPUT));
    for (int64_t stage = 0, number = 1; stage < stages; stage++)
        for (int64_t b = 0; b < blocks_of(s, stage); b++, number++)
            ORR_TRY(ctx, add_block(&d, number, block_of(s, stage, b)));
    ORR_TRY(ctx, add(&d, "readout", ".weight", ORR_SHAPE(signature->outputs, channels[stages - 1]), ORR_ROLE_READOUT,
                     0.0, sqrt(orr_real(s, "weight_variance") / (double)channels[stages - 1])));
    out->tensors[out->n_tensors - 1].width_in = stages - 1;
    if (orr_flag(s, "bias"))
        ORR_TRY(ctx, add(&d, "readout", ".bias", ORR_SHAPE(signature->outputs), ORR_ROLE_FIXED, 0.0,
                         sqrt(orr_real(s, "bias_variance"))));
    return ORR_OK;
}

/* ---- values ---------------------------------------------------------------------------------------------------------------- */

/* Each example over channels and image; gain and bias for each channel.  a[n, c, y, x] */
static orr_node layer_norm(orr_graph *g, orr_node a, orr_node gain, orr_node bias) {
    const orr_shape shape = orr_node_shape(g, a), channel = ORR_SHAPE(-1, 1, 1);
    const orr_node flat = orr_reshape(g, a, ORR_SHAPE(-1, shape.size[1] * shape.size[2] * shape.size[3]));
    a = orr_reshape(g, orr_layer_norm(g, flat, ORR_NONE, ORR_NONE, EPSILON), shape);
    return orr_add(g, orr_mul(g, a, orr_reshape(g, gain, channel)), orr_reshape(g, bias, channel));
}

/* ORDER convolution: add_convolution */
static orr_node convolution(orr_graph *g, const orr_settings *s, const orr_node **parameter, orr_node h, int64_t kernel,
                            int64_t stride) {
    const orr_node w = *(*parameter)++, b = !has_norm(s) && orr_flag(s, "bias") ? *(*parameter)++ : ORR_NONE;
    h = orr_conv2d(g, h, w, b, orr_image_convolution(kernel, stride, true));
    if (!has_norm(s)) return h;
    const orr_node gain = *(*parameter)++, bias = *(*parameter)++;
    return strcmp(orr_text(s, "norm"), "batch") == 0 ? orr_batch_norm(g, h, gain, bias, EPSILON)
                                                     : layer_norm(g, h, gain, bias);
}

static orr_node through_block(orr_graph *g, const orr_settings *s, const orr_node **parameter, orr_node h, block it,
                              double scale) {
    orr_node branch = convolution(g, s, parameter, h, 3, it.stride);
    branch = convolution(g, s, parameter, orr_activation(g, orr_text(s, "activation"), branch), 3, 1);
    if (scale != 1.0) branch = orr_scale(g, branch, scale);
    if (it.project) h = convolution(g, s, parameter, h, 1, it.stride);
    h = orr_add(g, h, branch);
    return orr_flag(s, "sum_activation") ? orr_activation(g, orr_text(s, "activation"), h) : h;
}

static orr_node forward(orr_graph *g, const orr_settings *s, const orr_signature *signature, const orr_node *parameter,
                        orr_node x, orr_taps *taps) {
    int64_t stages;
    (void)orr_ints(s, "channels", &stages);
    const double scale = pow((double)count_blocks(s), -orr_real(s, "branch_exponent"));
    orr_node h =
        convolution(g, s, &parameter, orr_image(g, signature, x), orr_int(s, "stem_size"), orr_int(s, "stem_stride"));
    h = orr_activation(g, orr_text(s, "activation"), h);
    orr_tap(taps, "stem", 0, h);
    for (int64_t stage = 0, number = 1; stage < stages; stage++)
        for (int64_t b = 0; b < blocks_of(s, stage); b++, number++) {
            h = through_block(g, s, &parameter, h, block_of(s, stage, b), scale);
            if (number <= ORR_TAPS_MAX - 2)
                orr_tap(taps, "block", number, h); /* the stem's and the features' are sure */
        }
    h = orr_mean(g, h, ORR_AXES(2, 3));
    orr_tap(taps, "features", 0, h);
    return orr_linear(g, h, parameter[0], orr_flag(s, "bias") ? parameter[1] : ORR_NONE);
}

const orr_architecture orr_architecture_resnet = {
    .width = "channels",
    .kind = { "resnet", "residual convolutional network of basic blocks", parameters },
    .declare = declare,
    .forward = forward,
};
