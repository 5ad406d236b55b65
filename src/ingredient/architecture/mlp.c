/* Multilayer perceptron.
 *
 *   none     h^0 = x   h^l = phi(N(W^l h^{l-1} + b^l))                 l = 1 .. L    f = W^{L+1} h^L + b^{L+1}
 *   single   z^1 = W^1 x + b^1   z^l = z^{l-1} + c (W^l phi(N(z^{l-1})) + b^l)              f = W^{L+1} N(z^L) + b^{L+1}
 *   double   the same with branches c (W^l phi(V^l N(z^{l-1}) + a^l) + b^l)
 *
 *   here              meaning
 *   widths            of layers 1 .. L; with residual branches all the same
 *   norm              N: none, over the units of an example (layer), or over the examples of the batch (batch); with gain
 *                     and shift.  The batch is the one at hand, in evaluation too
 *   branch_scale,     c = branch_scale / (L - 1)^branch_exponent: L - 1 branches, of which the exponent 1/2 sums to a
 *   branch_exponent   diffusion and 1 to a flow (sheet limits/depth-limits)
 *   weight_variance   variance of a weight times its fan-in:  W^l_ij ~ N(0, weight_variance / fan_in)
 *   bias_variance     b^l_i ~ N(0, bias_variance) */
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "ingredient/architecture/architecture.h"

static const orr_parameter parameters[] = {
    { "widths", ORR_INTS, .fallback = "32 32", .range = "[1, 1000000]", .unit = "units",
      .help = "of the hidden layers, first to last" },
    { "activation", ORR_CHOICE, .fallback = "tanh", .choices = ORR_ACTIVATIONS,
      .help = "phi; erf is erf(x), gelu the exact one" },
    { "linear_features", ORR_FLAG, .fallback = "false",
      .help = "the last hidden layer is without phi: what the readout sees can have any sign" },
    { "bias", ORR_FLAG, .fallback = "true", .help = "whether layers have biases" },
    { "weight_variance", ORR_REAL, .fallback = "1", .range = "[0, inf)",
      .help = "variance of an initial weight times its fan-in" },
    { "bias_variance", ORR_REAL, .fallback = "0", .range = "[0, inf)", .help = "variance of an initial bias" },
    { "norm", ORR_CHOICE, .fallback = "none", .choices = "none layer batch",
      .help = "of what an activation reads: over units or over examples, with gain and shift" },
    { "norm_epsilon", ORR_REAL, .fallback = "1e-5", .range = "[0, inf)", .help = "added to the variance" },
    { "residual", ORR_CHOICE, .fallback = "none", .choices = "none single double",
      .help = "layers after the first are added to what they read: W phi(z), or W phi(V z)" },
    { "branch_scale", ORR_REAL, .fallback = "1", .help = "multiplies every residual branch" },
    { "branch_exponent", ORR_REAL, .fallback = "0", .range = "[0, inf)",
      .help = "branches are divided by their number to this power" },
    { 0 },
};

/* What the settings say, once. */
typedef struct shape {
    const int64_t *widths;
    int64_t depth; /* L */
    bool bias, norm, residual, twice;
    double weight_variance, bias_variance;
} shape;

static shape shape_of(const orr_settings *s) {
    const char *residual = orr_text(s, "residual");
    shape out = { .bias = orr_flag(s, "bias"),
                  .norm = strcmp(orr_text(s, "norm"), "none") != 0,
                  .residual = strcmp(residual, "none") != 0,
                  .twice = strcmp(residual, "double") == 0,
                  .weight_variance = orr_real(s, "weight_variance"),
                  .bias_variance = orr_real(s, "bias_variance") };
    out.widths = orr_ints(s, "widths", &out.depth);
    return out;
}

/* ---- tensors, in the order in which forward() takes them ----------------------------------------------------------- */

static const char *name_of(orr_arena *arena, int64_t layer, const char *what) {
    return orr_arena_format(arena, "layer%lld.%s", (long long)layer, what);
}

static void add_norm(orr_arena *arena, orr_network *out, int64_t layer, int64_t width, bool block) {
    orr_tensor *t = &out->tensors[out->n_tensors];
    t[0] = orr_tensor_of(name_of(arena, layer, "gain"), ORR_SHAPE(width), ORR_ROLE_VECTOR, 0.0);
    t[1] = orr_tensor_of(name_of(arena, layer, "shift"), ORR_SHAPE(width), ORR_ROLE_VECTOR, 0.0);
    t[0].mean = 1.0;
    t[0].block = t[1].block = block;
    t[0].width_out = t[1].width_out = layer <= out->n_widths ? layer - 1 : out->n_widths - 1;
    out->n_tensors += 2;
}

/* A matrix and its bias. */
static void add_map(orr_arena *arena, orr_network *out, const shape *m, int64_t layer, const char *prefix,
                    int64_t fan_out, int64_t fan_in, orr_role role) {
    const char *weight = orr_arena_format(arena, "layer%lld.%sweight", (long long)layer, prefix),
               *bias = orr_arena_format(arena, "layer%lld.%sbias", (long long)layer, prefix);
    const bool block = m->residual && role == ORR_ROLE_HIDDEN;
    orr_tensor *t = &out->tensors[out->n_tensors++];
    *t = orr_tensor_of(weight, ORR_SHAPE(fan_out, fan_in), role, sqrt(m->weight_variance / (double)fan_in));
    t->branch = block && !*prefix;
    t->width_in = layer > 1 ? layer - 2 : 0; /* W^l reads layer l - 1 and makes layer l */
    t->width_out = layer - 1;
    if (!m->bias) return;
    const orr_role beside = role == ORR_ROLE_READOUT || role == ORR_ROLE_FIXED ? ORR_ROLE_FIXED : ORR_ROLE_VECTOR;
    t = &out->tensors[out->n_tensors++];
    *t = orr_tensor_of(bias, ORR_SHAPE(fan_out), beside, sqrt(m->bias_variance));
    t->block = block;
    t->width_out = layer - 1;
}

static orr_status check(orr_context *ctx, const shape *m, const orr_signature *signature) {
    if (signature->vocabulary || signature->sequence)
        return orr_fail(ctx, ORR_EINPUT, "mlp: takes numbers and gives one answer an example, no tokens");
    if (m->residual && m->depth == 0)
        return orr_fail(ctx, ORR_EINPUT, "mlp: residual branches need widths, one for each layer; got none");
    for (int64_t l = 1; m->residual && l < m->depth; l++)
        if (m->widths[l] != m->widths[0])
            return orr_fail(ctx, ORR_EINPUT,
                            "mlp: residual branches need layers of one width; layer %lld has %lld, not %lld",
                            (long long)l + 1, (long long)m->widths[l], (long long)m->widths[0]);
    return ORR_OK;
}

static orr_status declare(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, const orr_signature *signature,
                          orr_network *out) {
    const shape m = shape_of(s);
    int64_t fan_in = orr_shape_count(&signature->input);
    ORR_TRY(ctx, check(ctx, &m, signature));
    *out = (orr_network){ .tensors = ORR_NEW(out_arena, orr_tensor, 6 * (m.depth + 1)),
                          .width = m.depth ? m.widths[0] : 1,
                          .widths = m.widths,
                          .n_widths = m.depth,
                          .depth = m.residual ? m.depth - 1 : m.depth };
    if (!out->tensors) return orr_fail(ctx, ORR_ENOMEM, "mlp: no memory for %lld layers", (long long)m.depth);
    for (int64_t l = 1; l <= m.depth; l++) {
        const int64_t width = m.widths[l - 1];
        const bool branch = m.residual && l > 1;
        if (branch && m.norm) add_norm(out_arena, out, l, fan_in, true);
        if (branch && m.twice) add_map(out_arena, out, &m, l, "inner.", width, fan_in, ORR_ROLE_HIDDEN);
        add_map(out_arena, out, &m, l, "", width, fan_in, l == 1 ? ORR_ROLE_INPUT : ORR_ROLE_HIDDEN);
        if (!m.residual && m.norm) add_norm(out_arena, out, l, width, false);
        fan_in = width;
    }
    if (m.residual && m.norm) add_norm(out_arena, out, m.depth + 1, fan_in, false);
    add_map(out_arena, out, &m, m.depth + 1, "", signature->outputs, fan_in,
            m.depth ? ORR_ROLE_READOUT : ORR_ROLE_FIXED);
    for (int64_t i = 0; i < out->n_tensors; i++)
        if (!out->tensors[i].name) return orr_fail(ctx, ORR_ENOMEM, "mlp: no memory for the names of layers");
    return ORR_OK;
}

/* ---- forward ------------------------------------------------------------------------------------------------------- */

static orr_node map(orr_graph *g, const shape *m, const orr_node **parameter, orr_node h) {
    const orr_node w = *(*parameter)++, b = m->bias ? *(*parameter)++ : ORR_NONE;
    return orr_linear(g, h, w, b);
}

static orr_node norm(orr_graph *g, const orr_settings *s, const orr_node **parameter, orr_node h) {
    const char *which = orr_text(s, "norm");
    if (strcmp(which, "none") == 0) return h;
    const orr_node gain = *(*parameter)++, shift = *(*parameter)++;
    const double epsilon = orr_real(s, "norm_epsilon");
    return strcmp(which, "layer") == 0 ? orr_layer_norm(g, h, gain, shift, epsilon)
                                       : orr_batch_norm(g, h, gain, shift, epsilon);
}

static orr_node plain(orr_graph *g, const orr_settings *s, const shape *m, const orr_node *parameter, orr_node h,
                      orr_taps *taps) {
    if (m->depth == 0) orr_tap(taps, "input", 0, h);
    for (int64_t l = 1; l <= m->depth; l++) {
        h = norm(g, s, &parameter, map(g, m, &parameter, h));
        if (l < m->depth || !orr_flag(s, "linear_features")) h = orr_activation(g, orr_text(s, "activation"), h);
        orr_tap(taps, "layer", l, h);
    }
    return map(g, m, &parameter, h);
}

static orr_node residual(orr_graph *g, const orr_settings *s, const shape *m, const orr_node *parameter, orr_node x,
                         orr_taps *taps) {
    const char *phi = orr_text(s, "activation");
    const double c = orr_real(s, "branch_scale") * pow((double)(m->depth - 1), -orr_real(s, "branch_exponent"));
    orr_node z = map(g, m, &parameter, x);
    for (int64_t l = 2; l <= m->depth; l++) {
        orr_tap(taps, "layer", l - 1, z);
        orr_node h = norm(g, s, &parameter, z);
        if (m->twice) h = map(g, m, &parameter, h);
        h = map(g, m, &parameter, orr_activation(g, phi, h));
        z = orr_add(g, z, orr_scale(g, h, c));
    }
    z = norm(g, s, &parameter, z);
    orr_tap(taps, "layer", m->depth, z);
    return map(g, m, &parameter, z);
}

static orr_node forward(orr_graph *g, const orr_settings *s, const orr_signature *signature, const orr_node *parameter,
                        orr_node x, orr_taps *taps) {
    const shape m = shape_of(s);
    const orr_node h = orr_flat(g, signature, x);
    return m.residual ? residual(g, s, &m, parameter, h, taps) : plain(g, s, &m, parameter, h, taps);
}

const orr_architecture orr_architecture_mlp = {
    .width = "widths",
    .kind = { "mlp", "multilayer perceptron", parameters },
    .declare = declare,
    .forward = forward,
};
