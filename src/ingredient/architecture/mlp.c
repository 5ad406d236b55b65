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
    { "activation", ORR_CHOICE, .fallback = "tanh", .choices = "tanh relu erf gelu silu softplus sin linear",
      .help = "phi; erf is erf(x), gelu the exact one" },
    { "bias", ORR_FLAG, .fallback = "true", .help = "whether layers have biases" },
    { "weight_variance", ORR_REAL, .fallback = "1", .range = "[0, inf)",
      .help = "variance of an initial weight times its fan-in" },
    { "bias_variance", ORR_REAL, .fallback = "0", .range = "[0, inf)", .help = "variance of an initial bias" },
    { 0 },
};

static orr_node linear_activation(orr_graph *g, orr_node a) {
    (void)g;
    return a;
}
/* the header's macros name the caller's line; a table needs functions */
static orr_node tanh_activation(orr_graph *g, orr_node a) { return orr_tanh(g, a); }
static orr_node relu_activation(orr_graph *g, orr_node a) { return orr_relu(g, a); }
static orr_node erf_activation(orr_graph *g, orr_node a) { return orr_erf(g, a); }
static orr_node gelu_activation(orr_graph *g, orr_node a) { return orr_gelu(g, a); }
static orr_node silu_activation(orr_graph *g, orr_node a) { return orr_silu(g, a); }
static orr_node softplus_activation(orr_graph *g, orr_node a) { return orr_softplus(g, a); }
static orr_node sin_activation(orr_graph *g, orr_node a) { return orr_sin(g, a); }

static const struct {
    const char *name;
    orr_node (*apply)(orr_graph *g, orr_node a);
} activations[] = {
    { "tanh", tanh_activation },         { "relu", relu_activation },     { "erf", erf_activation },
    { "gelu", gelu_activation },         { "silu", silu_activation },     { "sin", sin_activation },
    { "softplus", softplus_activation }, { "linear", linear_activation },
};

static orr_node apply_activation(orr_graph *g, const char *name, orr_node a) {
    size_t i = 0;
    while (strcmp(activations[i].name, name) != 0) i++; /* the table of parameters lets no other name pass */
    return activations[i].apply(g, a);
}

static orr_status declare(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, int64_t features,
                          int64_t outputs, orr_tensor **tensors, int64_t *n) {
    int64_t depth, fan_in = features;
    const int64_t *widths = orr_ints(s, "widths", &depth);
    const bool bias = orr_flag(s, "bias");
    *n = 0;
    *tensors = ORR_NEW(out_arena, orr_tensor, 2 * (depth + 1));
    if (!*tensors) return orr_fail(ctx, ORR_ENOMEM, "mlp: no memory for %lld layers", (long long)depth);
    for (int64_t l = 0; l <= depth; l++) {
        const int64_t fan_out = l < depth ? widths[l] : outputs;
        const char *weight = orr_arena_format(out_arena, "layer%lld.weight", (long long)l + 1);
        const char *name = orr_arena_format(out_arena, "layer%lld.bias", (long long)l + 1);
        if (!weight || !name) return orr_fail(ctx, ORR_ENOMEM, "mlp: no memory for the names of layers");
        (*tensors)[(*n)++] =
            (orr_tensor){ weight, ORR_SHAPE(fan_out, fan_in), sqrt(orr_real(s, "weight_variance") / (double)fan_in) };
        if (bias) (*tensors)[(*n)++] = (orr_tensor){ name, ORR_SHAPE(fan_out), sqrt(orr_real(s, "bias_variance")) };
        fan_in = fan_out;
    }
    return ORR_OK;
}

static orr_node forward(orr_graph *g, const orr_settings *s, const orr_node *parameter, orr_node x) {
    int64_t depth;
    (void)orr_ints(s, "widths", &depth);
    const bool bias = orr_flag(s, "bias");
    orr_node h = x;
    for (int64_t l = 0; l <= depth; l++) {
        const orr_node w = *parameter++, b = bias ? *parameter++ : ORR_NONE;
        h = orr_linear(g, h, w, b);
        if (l < depth) h = apply_activation(g, orr_text(s, "activation"), h);
    }
    return h;
}

const orr_architecture orr_architecture_mlp = {
    .kind = { "mlp", "multilayer perceptron", parameters },
    .declare = declare,
    .forward = forward,
};
