/* Directions: f_o = w_o . x / |w_o|, a linear map of which each row counts by its direction alone: L(c w) = L(w).
 *
 * Under squared error without targets, factor 1/2, the loss is half the Rayleigh quotient w' C w / |w|^2 of C = X'X/n. */
#include <math.h>

#include "base/context.h"
#include "ingredient/architecture/architecture.h"

static const orr_parameter parameters[] = {
    { "weight_deviation", ORR_REAL, .fallback = "1", .range = "[0, inf)", .help = "of every initial weight" },
    { 0 },
};

static orr_status declare(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, const orr_signature *signature,
                          orr_network *out) {
    const int64_t fan_in = orr_shape_count(&signature->input);
    if (signature->vocabulary || signature->sequence)
        return orr_fail(ctx, ORR_EINPUT, "direction: takes numbers and gives one answer an example, no tokens");
    orr_tensor *tensor = ORR_NEW(out_arena, orr_tensor, 1);
    if (!tensor) return orr_fail(ctx, ORR_ENOMEM, "direction: no memory for a layer");
    tensor[0] = orr_tensor_of("layer1.weight", ORR_SHAPE(signature->outputs, fan_in), ORR_ROLE_FIXED,
                              orr_real(s, "weight_deviation"));
    *out = (orr_network){ .tensors = tensor, .n_tensors = 1, .width = 1 };
    return ORR_OK;
}

static orr_node forward(orr_graph *g, const orr_settings *s, const orr_signature *signature, const orr_node *parameter,
                        orr_node x, orr_taps *taps) {
    const orr_node h = orr_flat(g, signature, x), square = orr_sum(g, orr_square(g, parameter[0]), ORR_AXES(1));
    (void)s;
    orr_tap(taps, "input", 0, h);
    return orr_div(g, orr_linear(g, h, parameter[0], ORR_NONE), orr_sqrt(g, square));
}

const orr_architecture orr_architecture_direction = {
    .kind = { "direction", "linear map whose rows count by their direction alone", parameters },
    .declare = declare,
    .forward = forward,
};
