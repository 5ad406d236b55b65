/* Recurrent network, unrolled: layer l sees the states of layer l-1, the first one vectors or embedded tokens; states start
 * at 0.  With u = x_t of the layer below and s the state before:
 *
 *     vanilla   s' = tanh(W u + U s + b)
 *     gru       r = sigmoid(W_r u + U_r s + b_r)              (Cho et al. 2014, 1406.1078, in PyTorch's form)
 *               z = sigmoid(W_z u + U_z s + b_z)
 *               c = tanh(W_c u + b_c + r (U_c s + a))
 *               s' = (1 - z) c + z s
 *     f = W s + b of the last state, or at each position where the task asks for that
 *
 *   here                    meaning
 *   layer<l>.input.weight   W; of a gru the rows of W_r, W_z, W_c one below the other, as PyTorch's weight_ih
 *   layer<l>.state.weight   U, in the same order
 *   layer<l>.bias           b, in the same order
 *   layer<l>.state.bias     a, of a gru only */
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "ingredient/architecture/architecture.h"

static const orr_parameter parameters[] = {
    { "cell", ORR_CHOICE, .fallback = "vanilla", .choices = "vanilla gru",
      .help = "vanilla: tanh of a sum; gru: gated" },
    { "width", ORR_INT, .fallback = "32", .range = "[1, 1000000]", .unit = "units",
      .help = "of the state, and of a token's embedding" },
    { "depth", ORR_INT, .fallback = "1", .range = "[1, 100]", .unit = "layers", .help = "recurrent layers" },
    { "bias", ORR_FLAG, .fallback = "true", .help = "whether layers have biases" },
    { "weight_variance", ORR_REAL, .fallback = "1", .range = "[0, inf)",
      .help = "variance of an initial weight times its fan-in" },
    { "bias_variance", ORR_REAL, .fallback = "0", .range = "[0, inf)", .help = "variance of an initial bias" },
    { "embedding_variance", ORR_REAL, .fallback = "1", .range = "[0, inf)",
      .help = "variance of an initial number of a token's embedding" },
    { 0 },
};
enum { POSITIONS_MAX = 1024 }; /* a graph has some nodes for each position and layer */

static bool is_gated(const orr_settings *s) { return strcmp(orr_text(s, "cell"), "gru") == 0; }

/* ---- tensors --------------------------------------------------------------------------------------------------------------- */

typedef struct declaration {
    orr_context *ctx;
    orr_arena *arena;
    const orr_settings *s;
    orr_network *network;
} declaration;

static orr_status add(const declaration *d, const char *name, orr_shape shape, orr_role role, double deviation) {
    if (!name) return orr_fail(d->ctx, ORR_ENOMEM, "rnn: no memory for the names of layers");
    d->network->tensors[d->network->n_tensors++] = orr_tensor_of(name, shape, role, deviation);
    return ORR_OK;
}

/* ORDER layer: layer_of */
static orr_status add_layer(const declaration *d, int64_t l, int64_t in, orr_role role) {
    const int64_t width = orr_int(d->s, "width"), rows = (is_gated(d->s) ? 3 : 1) * width;
    const double weight = sqrt(orr_real(d->s, "weight_variance")), bias = sqrt(orr_real(d->s, "bias_variance"));
    const long long number = (long long)l;
    const int64_t first = d->network->n_tensors;
    ORR_TRY(d->ctx, add(d, orr_arena_format(d->arena, "layer%lld.input.weight", number), ORR_SHAPE(rows, in), role,
                        weight / sqrt((double)in)));
    ORR_TRY(d->ctx, add(d, orr_arena_format(d->arena, "layer%lld.state.weight", number), ORR_SHAPE(rows, width),
                        ORR_ROLE_HIDDEN, weight / sqrt((double)width)));
    for (int64_t i = first; i < d->network->n_tensors; i++) d->network->tensors[i].fan_out = width; /* of each gate */
    if (!orr_flag(d->s, "bias")) return ORR_OK;
    ORR_TRY(d->ctx,
            add(d, orr_arena_format(d->arena, "layer%lld.bias", number), ORR_SHAPE(rows), ORR_ROLE_VECTOR, bias));
    if (!is_gated(d->s)) return ORR_OK;
    return add(d, orr_arena_format(d->arena, "layer%lld.state.bias", number), ORR_SHAPE(width), ORR_ROLE_VECTOR, bias);
}

static orr_status declare(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, const orr_signature *signature,
                          orr_network *out) {
    const int64_t width = orr_int(s, "width"), depth = orr_int(s, "depth");
    const declaration d = { ctx, out_arena, s, out };
    if (signature->input.rank != (signature->vocabulary ? 1 : 2))
        return orr_fail(ctx, ORR_EINPUT,
                        "rnn: takes tokens [positions] or vectors [positions, features]; the data has %s with %d axes",
                        signature->vocabulary ? "tokens" : "numbers", (int)signature->input.rank);
    if (orr_shape_count(&signature->input) == 0 || signature->input.size[0] > POSITIONS_MAX)
        return orr_fail(ctx, ORR_EINPUT, "rnn: takes 1 to %d positions, which it unrolls; the data has %lld",
                        POSITIONS_MAX, (long long)signature->input.size[0]);
    *out = (orr_network){ .width = width, .depth = depth };
    out->tensors = ORR_NEW(out_arena, orr_tensor, 4 * depth + 3);
    if (!out->tensors) return orr_fail(ctx, ORR_ENOMEM, "rnn: no memory for %lld layers", (long long)depth);
    if (signature->vocabulary) {
        ORR_TRY(ctx, add(&d, "embedding.weight", ORR_SHAPE(signature->vocabulary, width), ORR_ROLE_INPUT,
                         sqrt(orr_real(s, "embedding_variance"))));
        out->tensors[0].fan_in = 1; /* one token comes in */
        out->tensors[0].fan_out = width;
    }
    for (int64_t l = 1; l <= depth; l++) {
        const bool input = l == 1 && !signature->vocabulary;
        ORR_TRY(ctx,
                add_layer(&d, l, input ? signature->input.size[1] : width, input ? ORR_ROLE_INPUT : ORR_ROLE_HIDDEN));
    }
    ORR_TRY(ctx, add(&d, "readout.weight", ORR_SHAPE(signature->outputs, width), ORR_ROLE_READOUT,
                     sqrt(orr_real(s, "weight_variance") / (double)width)));
    if (!orr_flag(s, "bias")) return ORR_OK;
    return add(&d, "readout.bias", ORR_SHAPE(signature->outputs), ORR_ROLE_FIXED, sqrt(orr_real(s, "bias_variance")));
}

/* ---- values ---------------------------------------------------------------------------------------------------------------- */

typedef struct layer {
    orr_node w, u, b, a; /* b and a may be ORR_NONE */
    bool gated;
    int64_t width;
} layer;

/* ORDER layer: add_layer */
static layer layer_of(const orr_settings *s, const orr_node **parameter) {
    const bool bias = orr_flag(s, "bias");
    layer it = { .gated = is_gated(s), .width = orr_int(s, "width"), .b = ORR_NONE, .a = ORR_NONE };
    it.w = *(*parameter)++;
    it.u = *(*parameter)++;
    if (bias) it.b = *(*parameter)++;
    if (bias && it.gated) it.a = *(*parameter)++;
    return it;
}

/* Gate i of the three that stand side by side; a[n, 3 width]. */
static orr_node gate(orr_graph *g, orr_node a, int64_t width, int64_t i) {
    return orr_slice(g, a, 1, i * width, (i + 1) * width, 1);
}

/* The state after input x[n, in] and state s[n, width]. */
static orr_node step(orr_graph *g, const layer *it, orr_node x, orr_node s) {
    const orr_node wx = orr_linear(g, x, it->w, it->b), us = orr_linear(g, s, it->u, ORR_NONE);
    if (!it->gated) return orr_tanh(g, orr_add(g, wx, us));
    const int64_t n = it->width;
    const orr_node r = orr_sigmoid(g, orr_add(g, gate(g, wx, n, 0), gate(g, us, n, 0)));
    const orr_node z = orr_sigmoid(g, orr_add(g, gate(g, wx, n, 1), gate(g, us, n, 1)));
    orr_node recalled = gate(g, us, n, 2);
    if (it->a.id) recalled = orr_add(g, recalled, it->a);
    const orr_node c = orr_tanh(g, orr_add(g, gate(g, wx, n, 2), orr_mul(g, r, recalled)));
    return orr_add(g, c, orr_mul(g, z, orr_sub(g, s, c))); /* (1 - z) c + z s */
}

/* The states h[0] .. h[n - 1], each [n, width], as [n, positions, width]. */
static orr_node side_by_side(orr_graph *g, const orr_node *h, int64_t positions) {
    orr_node part[POSITIONS_MAX];
    for (int64_t t = 0; t < positions; t++) part[t] = orr_expand(g, h[t], 1);
    return orr_concat(g, part, (int32_t)positions, 1);
}

static orr_node forward(orr_graph *g, const orr_settings *s, const orr_signature *signature, const orr_node *parameter,
                        orr_node x, orr_taps *taps) {
    const int64_t depth = orr_int(s, "depth"), positions = signature->input.size[0];
    const orr_shape state = ORR_SHAPE(orr_node_shape(g, x).size[0], orr_int(s, "width"));
    const orr_dtype dtype = orr_node_dtype(g, parameter[0]);
    orr_node h[POSITIONS_MAX]; /* of the layer below, then of this one */
    if (signature->vocabulary) x = orr_embedding(g, *parameter++, x);
    for (int64_t t = 0; t < positions; t++) h[t] = orr_squeeze(g, orr_slice(g, x, 1, t, t + 1, 1), 1);
    for (int64_t l = 1; l <= depth; l++) {
        const layer it = layer_of(s, &parameter);
        for (int64_t t = 0; t < positions; t++)
            h[t] = step(g, &it, h[t], t ? h[t - 1] : orr_fill(g, dtype, state, 0.0));
        if (taps) orr_tap(taps, "layer", l, side_by_side(g, h, positions));
    }
    const orr_node features = signature->sequence ? side_by_side(g, h, positions) : h[positions - 1];
    orr_tap(taps, "features", 0, features);
    return orr_linear(g, features, parameter[0], orr_flag(s, "bias") ? parameter[1] : ORR_NONE);
}

const orr_architecture orr_architecture_rnn = {
    .width = "width",
    .kind = { "rnn", "recurrent network", parameters },
    .declare = declare,
    .forward = forward,
};
