/* Deep linear network: f = W^L ... W^1 x.  With no hidden layer, L = 1, it is linear regression. */
#include <math.h>

#include "base/context.h"
#include "ingredient/architecture/architecture.h"

static const orr_parameter parameters[] = {
    { "widths", ORR_INTS, .fallback = "32", .range = "[1, 1000000]", .unit = "units",
      .help = "of the hidden layers, first to last" },
    { "weight_variance", ORR_REAL, .fallback = "1", .range = "[0, inf)",
      .help = "variance of an initial weight times its fan-in" },
    { "weight_deviation", ORR_REAL, .fallback = "0", .range = "[0, inf)",
      .help = "of every initial weight, whatever its fan-in; 0: by weight_variance" },
    { 0 },
};

static double deviation(const orr_settings *s, int64_t fan_in) {
    const double fixed = orr_real(s, "weight_deviation");
    return fixed > 0 ? fixed : sqrt(orr_real(s, "weight_variance") / (double)fan_in);
}

static orr_status declare(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, const orr_signature *signature,
                          orr_network *out) {
    int64_t hidden, fan_in = orr_shape_count(&signature->input);
    const int64_t *widths = orr_ints(s, "widths", &hidden);
    if (signature->vocabulary || signature->sequence)
        return orr_fail(ctx, ORR_EINPUT, "linear: takes numbers and gives one answer an example, no tokens");
    orr_tensor *tensor = ORR_NEW(out_arena, orr_tensor, hidden + 1);
    if (!tensor) return orr_fail(ctx, ORR_ENOMEM, "linear: no memory for %lld layers", (long long)hidden + 1);
    *out = (orr_network){ .tensors = tensor,
                          .n_tensors = hidden + 1,
                          .width = hidden ? widths[0] : 1,
                          .depth = hidden,
                          .widths = widths,
                          .n_widths = hidden };
    for (int64_t l = 0; l <= hidden; l++) {
        const int64_t fan_out = l < hidden ? widths[l] : signature->outputs;
        const char *name = orr_arena_format(out_arena, "layer%lld.weight", (long long)l + 1);
        if (!name) return orr_fail(ctx, ORR_ENOMEM, "linear: no memory for the names of layers");
        const orr_role role = hidden == 0   ? ORR_ROLE_FIXED
                              : l == hidden ? ORR_ROLE_READOUT
                              : l == 0      ? ORR_ROLE_INPUT
                                            : ORR_ROLE_HIDDEN;
        tensor[l] = orr_tensor_of(name, ORR_SHAPE(fan_out, fan_in), role, deviation(s, fan_in));
        tensor[l].width_in = l > 0 ? l - 1 : 0;
        tensor[l].width_out = l;
        fan_in = fan_out;
    }
    return ORR_OK;
}

static orr_node forward(orr_graph *g, const orr_settings *s, const orr_signature *signature, const orr_node *parameter,
                        orr_node x, orr_taps *taps) {
    int64_t hidden;
    (void)orr_ints(s, "widths", &hidden);
    orr_node h = orr_flat(g, signature, x);
    if (hidden == 0) orr_tap(taps, "input", 0, h);
    for (int64_t l = 0; l < hidden; l++) {
        h = orr_linear(g, h, parameter[l], ORR_NONE);
        orr_tap(taps, "layer", l + 1, h);
    }
    return orr_linear(g, h, parameter[hidden], ORR_NONE);
}

const orr_architecture orr_architecture_linear = {
    .width = "widths",
    .kind = { "linear", "deep linear network, a product of matrices", parameters },
    .declare = declare,
    .forward = forward,
};
