/* Diagonal linear network: f = beta.x, beta = u^L - v^L element by element, u(0) = v(0) = alpha.
 * Several outputs have a u and a v each.  Sheet solvable/diagonal-linear-networks. */
#include "base/context.h"
#include "ingredient/architecture/architecture.h"

static const orr_parameter parameters[] = {
    { "depth", ORR_INT, .fallback = "2", .range = "[1, 64]", .unit = "layers", .help = "L" },
    { "scale", ORR_REAL, .fallback = "0.1", .help = "alpha: every u and v at the start" },
    { 0 },
};

static orr_status declare(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, const orr_signature *signature,
                          orr_network *out) {
    const int64_t features = orr_shape_count(&signature->input);
    static const char *const names[] = { "u", "v" };
    if (signature->vocabulary || signature->sequence)
        return orr_fail(ctx, ORR_EINPUT, "diagonal-linear: takes numbers and gives one answer an example, no tokens");
    orr_tensor *tensor = ORR_NEW(out_arena, orr_tensor, 2);
    if (!tensor) return orr_fail(ctx, ORR_ENOMEM, "diagonal-linear: no memory for two tensors");
    *out = (orr_network){ .tensors = tensor, .n_tensors = 2, .width = features, .depth = orr_int(s, "depth") };
    for (int i = 0; i < 2; i++) {
        /* gains along the inputs: no parameterization gives them a multiplier */
        tensor[i] = orr_tensor_of(names[i], ORR_SHAPE(signature->outputs, features), ORR_ROLE_VECTOR, 0.0);
        tensor[i].mean = orr_real(s, "scale");
    }
    return ORR_OK;
}

/* a^n by squaring; derivatives are exact at 0 and for negative a, where orr_pow has none */
static orr_node power(orr_graph *g, orr_node a, int64_t n) {
    orr_node out = ORR_NONE;
    for (; n; n /= 2) {
        if (n % 2) out = out.id ? orr_mul(g, out, a) : a;
        if (n > 1) a = orr_square(g, a);
    }
    return out;
}

static orr_node forward(orr_graph *g, const orr_settings *s, const orr_signature *signature, const orr_node *parameter,
                        orr_node x, orr_taps *taps) {
    const int64_t depth = orr_int(s, "depth");
    const orr_node flat = orr_flat(g, signature, x);
    orr_tap(taps, "input", 0, flat);
    return orr_linear(g, flat, orr_sub(g, power(g, parameter[0], depth), power(g, parameter[1], depth)), ORR_NONE);
}

const orr_architecture orr_architecture_diagonal_linear = {
    .kind = { "diagonal-linear", "linear map whose coefficients are u^L - v^L", parameters },
    .declare = declare,
    .forward = forward,
};
