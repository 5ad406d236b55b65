/* Random features: f = a.phi(W x + b), W and b drawn and kept, a trained.  Linear in what is trained.  For the form
 * f = k^{-1/2} a.phi(W x + b) choose the parameterization ntk (sheet solvable/double-descent, B). */
#include <math.h>

#include "base/context.h"
#include "ingredient/architecture/architecture.h"

static const orr_parameter parameters[] = {
    { "features", ORR_INT, .fallback = "100", .range = "[1, 10000000]", .unit = "units", .help = "k" },
    { "activation", ORR_CHOICE, .fallback = "relu", .choices = ORR_ACTIVATIONS, .help = "phi" },
    { "bias", ORR_FLAG, .fallback = "false", .help = "whether features have biases b" },
    { "weight_variance", ORR_REAL, .fallback = "1", .range = "[0, inf)",
      .help = "variance of a weight of W times the number of inputs" },
    { "bias_variance", ORR_REAL, .fallback = "1", .range = "[0, inf)", .help = "variance of a bias" },
    { "readout_variance", ORR_REAL, .fallback = "0", .range = "[0, inf)",
      .help = "variance of an initial a times the number of features" },
    { 0 },
};

static orr_status declare(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, const orr_signature *signature,
                          orr_network *out) {
    const int64_t k = orr_int(s, "features"), inputs = orr_shape_count(&signature->input);
    if (signature->vocabulary || signature->sequence)
        return orr_fail(ctx, ORR_EINPUT, "random-features: takes numbers and gives one answer an example, no tokens");
    orr_tensor *tensor = ORR_NEW(out_arena, orr_tensor, 3);
    if (!tensor) return orr_fail(ctx, ORR_ENOMEM, "random-features: no memory for three tensors");
    *out = (orr_network){ .tensors = tensor, .width = k, .depth = 1 };
    tensor[out->n_tensors++] = orr_tensor_of("features.weight", ORR_SHAPE(k, inputs), ORR_ROLE_INPUT,
                                             sqrt(orr_real(s, "weight_variance") / (double)inputs));
    if (orr_flag(s, "bias"))
        tensor[out->n_tensors++] =
            orr_tensor_of("features.bias", ORR_SHAPE(k), ORR_ROLE_VECTOR, sqrt(orr_real(s, "bias_variance")));
    for (int64_t i = 0; i < out->n_tensors; i++) tensor[i].frozen = true;
    tensor[out->n_tensors++] = orr_tensor_of("readout.weight", ORR_SHAPE(signature->outputs, k), ORR_ROLE_READOUT,
                                             sqrt(orr_real(s, "readout_variance") / (double)k));
    return ORR_OK;
}

static orr_node forward(orr_graph *g, const orr_settings *s, const orr_signature *signature, const orr_node *parameter,
                        orr_node x, orr_taps *taps) {
    const orr_node w = *parameter++, b = orr_flag(s, "bias") ? *parameter++ : ORR_NONE;
    const orr_node h = orr_activation(g, orr_text(s, "activation"), orr_linear(g, orr_flat(g, signature, x), w, b));
    orr_tap(taps, "layer", 1, h);
    return orr_linear(g, h, *parameter, ORR_NONE);
}

const orr_architecture orr_architecture_random_features = {
    .width = "features",
    .kind = { "random-features", "random first layer that stays, trained readout", parameters },
    .declare = declare,
    .forward = forward,
};
