/* Convolutional network: h^0 = x,  h^{l+1} = pool(phi(W^l * h^l + b^l)),  f = W u + b with u = h^L flattened, or its mean over
 * the image.
 *
 *   here             meaning
 *   channels         of h^1 .. h^L
 *   weight_variance  variance of a weight times its fan-in, channels in times kernel_size^2
 *   kernel_size, stride, pooling_size: one for all layers, or one for each */
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "ingredient/architecture/architecture.h"
#include "ingredient/architecture/image.h"

static const orr_parameter parameters[] = {
    { "channels", ORR_INTS, .fallback = "16 32", .range = "[1, 100000]", .unit = "channels",
      .help = "of the convolutions, first to last" },
    { "kernel_size", ORR_INTS, .fallback = "3", .range = "[1, 1000]", .unit = "pixels",
      .help = "side of the kernels: one, or one for each layer" },
    { "stride", ORR_INTS, .fallback = "1", .range = "[1, 1000]", .unit = "pixels",
      .help = "of the convolutions: one, or one for each layer" },
    { "padding", ORR_CHOICE, .fallback = "same", .choices = "same valid circular",
      .help =
          "same: zeros around, so that stride 1 keeps the size; valid: none; circular: the other end around, as many" },
    { "activation", ORR_CHOICE, .fallback = "relu", .choices = ORR_ACTIVATIONS, .help = "phi" },
    { "pooling", ORR_CHOICE, .fallback = "none", .choices = "none max average", .help = "behind each activation" },
    { "pooling_size", ORR_INTS, .fallback = "2", .range = "[1, 1000]", .unit = "pixels",
      .help = "side and stride of the pools: one, or one for each layer (1: none there)" },
    { "readout", ORR_CHOICE, .fallback = "flatten", .choices = "flatten average",
      .help = "what the last layer sees: every pixel, or each channel's mean over the image" },
    { "bias", ORR_FLAG, .fallback = "true", .help = "whether layers have biases" },
    { "weight_variance", ORR_REAL, .fallback = "2", .range = "[0, inf)",
      .help = "variance of an initial weight times its fan-in" },
    { "bias_variance", ORR_REAL, .fallback = "0", .range = "[0, inf)", .help = "variance of an initial bias" },
    { 0 },
};

/* Item l of a list that has one for all, or one for each. */
static int64_t of_layer(const orr_settings *s, const char *name, int64_t l) {
    int64_t n;
    const int64_t *items = orr_ints(s, name, &n);
    return items[n == 1 ? 0 : l];
}

static int64_t pool_size(const orr_settings *s, int64_t l) {
    return strcmp(orr_text(s, "pooling"), "none") == 0 ? 1 : of_layer(s, "pooling_size", l);
}

static orr_status check_lists(orr_context *ctx, const orr_settings *s, int64_t depth) {
    static const char *const lists[] = { "kernel_size", "stride", "pooling_size" };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        int64_t n;
        (void)orr_ints(s, lists[i], &n);
        if (n != 1 && n != depth)
            return orr_fail(ctx, ORR_EINPUT, "cnn: %s has %lld numbers; one for all layers, or one for each of %lld",
                            lists[i], (long long)n, (long long)depth);
    }
    return ORR_OK;
}

static bool is_circular(const orr_settings *s) { return strcmp(orr_text(s, "padding"), "circular") == 0; }

/* The image behind layer l, in place of the one before it. */
static orr_status through_layer(orr_context *ctx, const orr_settings *s, int64_t l, orr_shape *image) {
    const bool valid = strcmp(orr_text(s, "padding"), "valid") == 0, circular = is_circular(s);
    for (int axis = 1; axis <= 2; axis++) {
        const int64_t n = image->size[axis];
        int64_t *left = &image->size[axis];
        *left = orr_image_extent(n, of_layer(s, "kernel_size", l), of_layer(s, "stride", l), !valid);
        if (circular && of_layer(s, "kernel_size", l) > n)
            return orr_fail(ctx, ORR_EINPUT, "cnn: a circular kernel of %lld goes more than once around %lld pixels",
                            (long long)of_layer(s, "kernel_size", l), (long long)n);
        *left /= pool_size(s, l); /* a pool that isn't full is left out */
        if (*left < 1)
            return orr_fail(
                ctx, ORR_EINPUT,
                "cnn: nothing is left of %lld pixels in layer %lld: a kernel of %lld, stride %lld, pool of %lld",
                (long long)n, (long long)l + 1, (long long)of_layer(s, "kernel_size", l),
                (long long)of_layer(s, "stride", l), (long long)pool_size(s, l));
    }
    return ORR_OK;
}

static orr_status declare(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, const orr_signature *signature,
                          orr_network *out) {
    int64_t depth;
    const int64_t *channels = orr_ints(s, "channels", &depth);
    const bool bias = orr_flag(s, "bias"), flatten = strcmp(orr_text(s, "readout"), "flatten") == 0;
    const double weight_variance = orr_real(s, "weight_variance"), bias_deviation = sqrt(orr_real(s, "bias_variance"));
    orr_shape image;
    ORR_TRY(ctx, orr_image_shape(ctx, "cnn", signature, &image));
    ORR_TRY(ctx, check_lists(ctx, s, depth));
    orr_tensor *tensor = ORR_NEW(out_arena, orr_tensor, 2 * (depth + 1));
    if (!tensor) return orr_fail(ctx, ORR_ENOMEM, "cnn: no memory for %lld layers", (long long)depth);
    *out = (orr_network){
        .tensors = tensor, .width = depth ? channels[0] : 1, .depth = depth, .widths = channels, .n_widths = depth
    };
    for (int64_t l = 0; l < depth; l++) {
        const int64_t kernel = of_layer(s, "kernel_size", l);
        const char *weight = orr_arena_format(out_arena, "layer%lld.weight", (long long)l + 1);
        const char *name = orr_arena_format(out_arena, "layer%lld.bias", (long long)l + 1);
        if (!weight || !name) return orr_fail(ctx, ORR_ENOMEM, "cnn: no memory for the names of layers");
        orr_tensor *w = &tensor[out->n_tensors++];
        *w = orr_tensor_of(weight, ORR_SHAPE(channels[l], image.size[0], kernel, kernel),
                           l == 0 ? ORR_ROLE_INPUT : ORR_ROLE_HIDDEN, 0.0);
        w->deviation = sqrt(weight_variance / (double)w->fan_in);
        w->width_in = l > 0 ? l - 1 : 0;
        w->width_out = l;
        if (bias) {
            orr_tensor *b = &tensor[out->n_tensors++];
            *b = orr_tensor_of(name, ORR_SHAPE(channels[l]), ORR_ROLE_VECTOR, bias_deviation);
            b->width_out = l;
        }
        ORR_TRY(ctx, through_layer(ctx, s, l, &image));
        image.size[0] = channels[l];
    }
    const int64_t fan_in = flatten ? orr_shape_count(&image) : image.size[0];
    orr_tensor *readout = &tensor[out->n_tensors++];
    *readout = orr_tensor_of("readout.weight", ORR_SHAPE(signature->outputs, fan_in), ORR_ROLE_READOUT,
                             sqrt(weight_variance / (double)fan_in));
    readout->width_in = depth ? depth - 1 : 0;
    if (bias)
        tensor[out->n_tensors++] =
            orr_tensor_of("readout.bias", ORR_SHAPE(signature->outputs), ORR_ROLE_FIXED, bias_deviation);
    return ORR_OK;
}

static orr_node pool(orr_graph *g, const orr_settings *s, int64_t l, orr_node h) {
    const int64_t size = pool_size(s, l);
    const orr_pooling how = { .window = { size, size } };
    if (size == 1) return h;
    return strcmp(orr_text(s, "pooling"), "max") == 0 ? orr_max_pool(g, h, how) : orr_average_pool(g, h, how);
}

/* h[n, c, y, x] with the last `low` rows before it and the first `high` behind it, on both axes of the image. */
static orr_node wrapped(orr_graph *g, orr_node h, int64_t kernel) {
    const int64_t low = (kernel - 1) / 2, high = kernel / 2;
    for (int32_t axis = 2; axis <= 3; axis++) {
        const int64_t n = orr_node_shape(g, h).size[axis];
        orr_node parts[3];
        int32_t count = 0;
        if (low > 0) parts[count++] = orr_slice(g, h, axis, n - low, n, 1);
        parts[count++] = h;
        if (high > 0) parts[count++] = orr_slice(g, h, axis, 0, high, 1);
        if (count > 1) h = orr_concat(g, parts, count, axis);
    }
    return h;
}

static orr_node forward(orr_graph *g, const orr_settings *s, const orr_signature *signature, const orr_node *parameter,
                        orr_node x, orr_taps *taps) {
    int64_t depth;
    (void)orr_ints(s, "channels", &depth);
    const bool bias = orr_flag(s, "bias"), same = strcmp(orr_text(s, "padding"), "same") == 0;
    orr_node h = orr_image(g, signature, x);
    for (int64_t l = 0; l < depth; l++) {
        const orr_node w = *parameter++, b = bias ? *parameter++ : ORR_NONE;
        if (is_circular(s)) h = wrapped(g, h, of_layer(s, "kernel_size", l));
        h = orr_conv2d(g, h, w, b,
                       orr_image_convolution(of_layer(s, "kernel_size", l), of_layer(s, "stride", l), same));
        h = pool(g, s, l, orr_activation(g, orr_text(s, "activation"), h));
        orr_tap(taps, "layer", l + 1, h);
    }
    const orr_node w = *parameter++, b = bias ? *parameter : ORR_NONE;
    if (strcmp(orr_text(s, "readout"), "average") == 0) h = orr_mean(g, h, ORR_AXES(2, 3));
    else h = orr_reshape(g, h, ORR_SHAPE(-1, orr_node_shape(g, w).size[1]));
    orr_tap(taps, "features", 0, h);
    return orr_linear(g, h, w, b);
}

const orr_architecture orr_architecture_cnn = {
    .width = "channels",
    .kind = { "cnn", "convolutional network", parameters },
    .declare = declare,
    .forward = forward,
};
