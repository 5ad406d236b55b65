/* Multilayer perceptron: h^0 = x,  h^{l+1} = phi(W^l h^l + b^l),  f = W^L h^L + b^L.
 *
 *   here             meaning
 *   widths           of h^1 .. h^L
 *   weight_variance  variance of a weight times its fan-in:  W^l_ij ~ N(0, weight_variance / fan_in)
 *   bias_variance    b^l_i ~ N(0, bias_variance) */
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "ingredient/architecture/architecture.h"

static const orr_parameter parameters[] = {
    { "widths", ORR_INTS, .fallback = "32 32", .range = "[1, 1000000]", .unit = "units",
      .help = "of the hidden layers, first to last" },
    { "activation", ORR_CHOICE, .fallback = "tanh", .choices = ORR_ACTIVATIONS,
      .help = "phi; erf is erf(x), gelu the exact one" },
    { "bias", ORR_FLAG, .fallback = "true", .help = "whether layers have biases" },
    { "weight_variance", ORR_REAL, .fallback = "1", .range = "[0, inf)",
      .help = "variance of an initial weight times its fan-in" },
    { "bias_variance", ORR_REAL, .fallback = "0", .range = "[0, inf)", .help = "variance of an initial bias" },
    { 0 },
};

static orr_status declare(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, const orr_signature *signature,
                          orr_network *out) {
    int64_t depth, fan_in = orr_shape_count(&signature->input);
    const int64_t *widths = orr_ints(s, "widths", &depth);
    const bool bias = orr_flag(s, "bias");
    if (signature->vocabulary || signature->sequence)
        return orr_fail(ctx, ORR_EINPUT, "mlp: takes numbers and gives one answer an example, no tokens");
    orr_tensor *tensor = ORR_NEW(out_arena, orr_tensor, 2 * (depth + 1));
    if (!tensor) return orr_fail(ctx, ORR_ENOMEM, "mlp: no memory for %lld layers", (long long)depth);
    *out = (orr_network){ .tensors = tensor, .width = depth ? widths[0] : 1, .depth = depth };
    for (int64_t l = 0; l <= depth; l++) {
        const int64_t fan_out = l < depth ? widths[l] : signature->outputs;
        const char *weight = orr_arena_format(out_arena, "layer%lld.weight", (long long)l + 1);
        const char *name = orr_arena_format(out_arena, "layer%lld.bias", (long long)l + 1);
        if (!weight || !name) return orr_fail(ctx, ORR_ENOMEM, "mlp: no memory for the names of layers");
        const orr_role role = l == depth ? ORR_ROLE_READOUT : l == 0 ? ORR_ROLE_INPUT : ORR_ROLE_HIDDEN;
        tensor[out->n_tensors++] = orr_tensor_of(weight, ORR_SHAPE(fan_out, fan_in), role,
                                                 sqrt(orr_real(s, "weight_variance") / (double)fan_in));
        if (bias)
            tensor[out->n_tensors++] =
                orr_tensor_of(name, ORR_SHAPE(fan_out), l == depth ? ORR_ROLE_FIXED : ORR_ROLE_VECTOR,
                              sqrt(orr_real(s, "bias_variance")));
        fan_in = fan_out;
    }
    return ORR_OK;
}

static orr_node forward(orr_graph *g, const orr_settings *s, const orr_signature *signature, const orr_node *parameter,
                        orr_node x, orr_taps *taps) {
    int64_t depth;
    (void)orr_ints(s, "widths", &depth);
    const bool bias = orr_flag(s, "bias");
    orr_node h = x;
    if (signature->input.rank != 1) h = orr_reshape(g, h, ORR_SHAPE(-1, orr_shape_count(&signature->input)));
    for (int64_t l = 0; l <= depth; l++) {
        const orr_node w = *parameter++, b = bias ? *parameter++ : ORR_NONE;
        h = orr_linear(g, h, w, b);
        if (l == depth) break;
        h = orr_activation(g, orr_text(s, "activation"), h);
        orr_tap(taps, "layer", l + 1, h);
    }
    return h;
}

const orr_architecture orr_architecture_mlp = {
    .kind = { "mlp", "multilayer perceptron", parameters },
    .declare = declare,
    .forward = forward,
};
