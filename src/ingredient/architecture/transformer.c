/* Transformer: a decoder where each position wants an answer (causal), else an encoder whose positions are pooled.
 *
 *     h^0 = embedding(x) + position
 *     pre    h <- h + a attention(norm(h)),   h <- h + a mlp(norm(h)),   then once more h <- norm(h)
 *     post   h <- norm(h + a attention(h)),   h <- norm(h + a mlp(h))            none: without norms
 *     f = W h + b at each position, or of the pooled h
 *
 *     softmax  o_t = sum_s softmax_s(c q_t . k_s) v_s           over the s that t sees: s <= t (decoder), all (encoder)
 *     linear   o_t = 1/n_t sum_s (c q_t . k_s) v_s              n_t of them
 *     c        1/sqrt d_h, or sqrt(d_0)/d_h (sheet hyperparameters/mup-transfer)
 *
 *   paper     here              meaning
 *   n         width             of the stream h
 *   L         depth             blocks; a = L^-branch_exponent
 *   d_h       width / heads     size of a head
 *   d_0       base_head         head size at which 1/d and 1/sqrt-d are the same
 *   s2        weight_variance   variance of a weight times its fan-in
 *   learned positions start like embeddings;  sinusoidal: Vaswani et al. 2017 (1706.03762);  rotary: Su et al. 2021
 *   (2104.09864), a pair being numbers i and i + d_h/2 of a head, as in GPT-NeoX. */
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "ingredient/architecture/architecture.h"

static const orr_parameter parameters[] = {
    { "width", ORR_INT, .fallback = "64", .range = "[1, 1000000]", .unit = "units", .help = "of the residual stream" },
    { "depth", ORR_INT, .fallback = "2", .range = "[0, 1000]", .unit = "blocks",
      .help = "blocks of attention and multilayer perceptron" },
    { "heads", ORR_INT, .fallback = "4", .range = "[1, 10000]", .help = "of attention; they divide the width" },
    { "mlp_ratio", ORR_INT, .fallback = "4", .range = "[1, 1000]",
      .help = "hidden units of a block's perceptron over the width" },
    { "attention", ORR_CHOICE, .fallback = "softmax", .choices = "softmax linear",
      .help = "linear: weights q.k as they are, averaged over the positions that are seen" },
    { "attention_scale", ORR_CHOICE, .fallback = "1/sqrt-d", .choices = "1/sqrt-d 1/d",
      .help = "of q.k in a head of d numbers; 1/d: sqrt(base_head)/d, as muP asks" },
    { "base_head", ORR_INT, .fallback = "1", .range = "[1, 1000000]", .unit = "units",
      .help = "size of a head at which 1/d is 1/sqrt-d" },
    { "attention_only", ORR_FLAG, .fallback = "false", .help = "blocks without the perceptron" },
    { "positions", ORR_CHOICE, .fallback = "learned", .choices = "learned sinusoidal rotary none",
      .help = "how a position is told: added to the embedding, or rotary, turning queries and keys" },
    { "norm", ORR_CHOICE, .fallback = "pre", .choices = "pre post none",
      .help = "layer norm before each branch and the readout, behind each sum, or nowhere" },
    { "activation", ORR_CHOICE, .fallback = "gelu", .choices = ORR_ACTIVATIONS, .help = "of the perceptron" },
    { "pooling", ORR_CHOICE, .fallback = "mean", .choices = "mean first last",
      .help = "encoder: which positions the readout sees" },
    { "branch_exponent", ORR_REAL, .fallback = "0", .range = "[0, inf)",
      .help = "branches are scaled by depth^-branch_exponent" },
    { "bias", ORR_FLAG, .fallback = "true", .help = "whether linear layers and norms have biases" },
    { "weight_variance", ORR_REAL, .fallback = "1", .range = "[0, inf)",
      .help = "variance of an initial weight times its fan-in" },
    { "embedding_variance", ORR_REAL, .fallback = "1", .range = "[0, inf)",
      .help = "variance of an initial number of a token's or a position's embedding" },
    { 0 },
};
#define EPSILON 1e-5 /* added to the variance in a norm, as PyTorch does */

/* ---- tensors --------------------------------------------------------------------------------------------------------------- */

enum { STREAM = 0, PERCEPTRON }; /* its widths: of the stream (heads grow along), of the perceptrons' hidden layers */

typedef struct declaration {
    orr_context *ctx;
    orr_arena *arena;
    const orr_settings *s;
    orr_network *network;
} declaration;

/* "<layer>.<part>", the layer with the number of its block where that isn't 0: "block2.query.weight". */
static orr_status add(const declaration *d, int64_t number, const char *layer, const char *part, orr_shape shape,
                      orr_role role, double mean, double deviation) {
    const char *name = number ? orr_arena_format(d->arena, "block%lld.%s.%s", (long long)number, layer, part)
                              : orr_arena_format(d->arena, "%s.%s", layer, part);
    if (!name) return orr_fail(d->ctx, ORR_ENOMEM, "transformer: no memory for the names of layers");
    orr_tensor *t = &d->network->tensors[d->network->n_tensors++];
    *t = orr_tensor_of(name, shape, role, deviation);
    t->mean = mean;
    return ORR_OK;
}

static orr_status add_linear(const declaration *d, int64_t number, const char *layer, int64_t out, int64_t in,
                             orr_role role) {
    const double deviation = sqrt(orr_real(d->s, "weight_variance") / (double)in);
    ORR_TRY(d->ctx, add(d, number, layer, "weight", ORR_SHAPE(out, in), role, 0.0, deviation));
    if (!orr_flag(d->s, "bias")) return ORR_OK;
    return add(d, number, layer, "bias", ORR_SHAPE(out), role == ORR_ROLE_READOUT ? ORR_ROLE_FIXED : ORR_ROLE_VECTOR,
               0.0, 0.0);
}

/* The last matrix of a branch, which reads one of the widths. */
static orr_status add_last(const declaration *d, int64_t number, const char *layer, int64_t out, int64_t in,
                           int64_t width_in) {
    const int64_t at = d->network->n_tensors;
    ORR_TRY(d->ctx, add_linear(d, number, layer, out, in, ORR_ROLE_HIDDEN));
    d->network->tensors[at].branch = true;
    d->network->tensors[at].width_in = width_in;
    return ORR_OK;
}

/* A row for each token or position: a matrix on one-hot inputs, so that one number comes in. */
static orr_status add_embedding(const declaration *d, const char *layer, int64_t rows) {
    const int64_t width = orr_int(d->s, "width");
    const double deviation = sqrt(orr_real(d->s, "embedding_variance"));
    ORR_TRY(d->ctx, add(d, 0, layer, "weight", ORR_SHAPE(rows, width), ORR_ROLE_INPUT, 0.0, deviation));
    orr_tensor *t = &d->network->tensors[d->network->n_tensors - 1];
    t->fan_in = 1;
    t->fan_out = width;
    return ORR_OK;
}

static orr_status add_norm(const declaration *d, int64_t number, const char *layer) {
    const orr_shape shape = ORR_SHAPE(orr_int(d->s, "width"));
    if (orr_settings_say(d->s, "norm", "none")) return ORR_OK;
    ORR_TRY(d->ctx, add(d, number, layer, "gain", shape, ORR_ROLE_VECTOR, 1.0, 0.0));
    return orr_flag(d->s, "bias") ? add(d, number, layer, "bias", shape, ORR_ROLE_VECTOR, 0.0, 0.0) : ORR_OK;
}

/* ORDER block: through_block */
static orr_status add_block(const declaration *d, int64_t number) {
    static const char *const projections[] = { "query", "key", "value" };
    const int64_t width = orr_int(d->s, "width"), hidden = width * orr_int(d->s, "mlp_ratio");
    ORR_TRY(d->ctx, add_norm(d, number, "norm1"));
    for (int i = 0; i < 3; i++) ORR_TRY(d->ctx, add_linear(d, number, projections[i], width, width, ORR_ROLE_HIDDEN));
    ORR_TRY(d->ctx, add_last(d, number, "output", width, width, STREAM));
    if (orr_flag(d->s, "attention_only")) return ORR_OK;
    ORR_TRY(d->ctx, add_norm(d, number, "norm2"));
    const int64_t first = d->network->n_tensors;
    ORR_TRY(d->ctx, add_linear(d, number, "mlp1", hidden, width, ORR_ROLE_HIDDEN));
    for (int64_t t = first; t < d->network->n_tensors; t++) d->network->tensors[t].width_out = PERCEPTRON;
    return add_last(d, number, "mlp2", width, hidden, PERCEPTRON);
}

static orr_status check(orr_context *ctx, const orr_settings *s, const orr_signature *signature) {
    const int64_t width = orr_int(s, "width"), heads = orr_int(s, "heads");
    if (signature->input.rank != (signature->vocabulary ? 1 : 2))
        return orr_fail(
            ctx, ORR_EINPUT,
            "transformer: takes tokens [positions] or vectors [positions, features]; the data has %s with %d "
            "axes",
            signature->vocabulary ? "tokens" : "numbers", (int)signature->input.rank);
    if (orr_shape_count(&signature->input) == 0)
        return orr_fail(ctx, ORR_EINPUT, "transformer: an example of the data is empty");
    if (width % heads != 0)
        return orr_fail(ctx, ORR_EINPUT, "transformer: %lld heads don't divide a width of %lld; width %lld would do",
                        (long long)heads, (long long)width, (long long)(heads * (width / heads + 1)));
    if (orr_settings_say(s, "positions", "rotary") && width / heads % 2 != 0)
        return orr_fail(ctx, ORR_EINPUT,
                        "transformer: rotary positions turn pairs; a head of width / heads = %lld numbers is odd",
                        (long long)(width / heads));
    return ORR_OK;
}

static orr_status declare(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, const orr_signature *signature,
                          orr_network *out) {
    const int64_t width = orr_int(s, "width"), depth = orr_int(s, "depth");
    const declaration d = { ctx, out_arena, s, out };
    ORR_TRY(ctx, check(ctx, s, signature));
    *out = (orr_network){ .width = width, .depth = depth, .n_widths = 2 };
    int64_t *widths = ORR_NEW(out_arena, int64_t, 2);
    if (!widths) return orr_fail(ctx, ORR_ENOMEM, "transformer: no memory for its widths");
    widths[STREAM] = width;
    widths[PERCEPTRON] = width * orr_int(s, "mlp_ratio");
    out->widths = widths;
    out->tensors = ORR_NEW(out_arena, orr_tensor, 16 * depth + 7); /* six linear layers and two norms a block */
    if (!out->tensors) return orr_fail(ctx, ORR_ENOMEM, "transformer: no memory for %lld blocks", (long long)depth);
    if (signature->vocabulary) ORR_TRY(ctx, add_embedding(&d, "embedding", signature->vocabulary));
    else ORR_TRY(ctx, add_linear(&d, 0, "embedding", width, signature->input.size[1], ORR_ROLE_INPUT));
    if (orr_settings_say(s, "positions", "learned"))
        ORR_TRY(ctx, add_embedding(&d, "position", signature->input.size[0]));
    for (int64_t l = 1; l <= depth; l++) ORR_TRY(ctx, add_block(&d, l));
    if (orr_settings_say(s, "norm", "pre")) ORR_TRY(ctx, add_norm(&d, 0, "norm"));
    return add_linear(&d, 0, "readout", signature->outputs, width, ORR_ROLE_READOUT);
}

/* ---- values ---------------------------------------------------------------------------------------------------------------- */

typedef struct walk {
    orr_graph *g;
    const orr_settings *s;
    const orr_node *parameter; /* the next one */
    int64_t positions;
    orr_dtype dtype;
    bool causal;
} walk;

static orr_node linear(walk *k, orr_node h) {
    const orr_node w = *k->parameter++, b = orr_flag(k->s, "bias") ? *k->parameter++ : ORR_NONE;
    return orr_linear(k->g, h, w, b);
}

static orr_node norm(walk *k, orr_node h) {
    if (orr_settings_say(k->s, "norm", "none")) return h;
    const orr_node gain = *k->parameter++, bias = orr_flag(k->s, "bias") ? *k->parameter++ : ORR_NONE;
    return orr_layer_norm(k->g, h, gain, bias, EPSILON);
}

/* t w_i for position t and pair i of n, w_i = 10000^(-i/n): [positions, n] */
static orr_node angles(const walk *k, int64_t n) {
    const orr_shape shape = ORR_SHAPE(k->positions, n);
    const orr_node t = orr_iota(k->g, k->dtype, shape, 0), i = orr_iota(k->g, k->dtype, shape, 1);
    return orr_mul(k->g, t, orr_exp(k->g, orr_scale(k->g, i, -9.2103403719761827 / (double)n))); /* log 10000 */
}

/* position[t, 2i] = sin(t w_i), position[t, 2i + 1] = cos(t w_i), with pairs for half the width, rounded up. */
static orr_node sinusoidal(const walk *k) {
    const int64_t width = orr_int(k->s, "width"), pairs = (width + 1) / 2;
    const orr_node a = angles(k, pairs);
    const orr_node parts[] = { orr_expand(k->g, orr_sin(k->g, a), 2), orr_expand(k->g, orr_cos(k->g, a), 2) };
    const orr_node all = orr_reshape(k->g, orr_concat(k->g, parts, 2, 2), ORR_SHAPE(k->positions, 2 * pairs));
    return width % 2 ? orr_slice(k->g, all, 1, 0, width, 1) : all;
}

/* (a_i, a_{i + d/2}) turned by t w_i;  a[n, heads, positions, d] */
static orr_node turned(const walk *k, orr_node a, int64_t d) {
    orr_graph *g = k->g;
    const orr_node angle = angles(k, d / 2), c = orr_cos(g, angle), s = orr_sin(g, angle);
    const orr_node x = orr_slice(g, a, 3, 0, d / 2, 1), y = orr_slice(g, a, 3, d / 2, d, 1);
    const orr_node parts[] = { orr_sub(g, orr_mul(g, x, c), orr_mul(g, y, s)),
                               orr_add(g, orr_mul(g, x, s), orr_mul(g, y, c)) };
    return orr_concat(g, parts, 2, 3);
}

/* o_t = 1/n_t sum_s (scale q_t . k_s) v_s */
static orr_node attend_linear(const walk *w, orr_node q, orr_node k, orr_node v, double scale) {
    orr_graph *g = w->g;
    const orr_shape ts = ORR_SHAPE(w->positions, w->positions);
    orr_node z = orr_einsum(g, "bhtd,bhsd->bhts", q, k),
             share = orr_fill(g, w->dtype, ts, scale / (double)w->positions);
    if (w->causal) {
        const orr_node t = orr_iota(g, w->dtype, ts, 0), s = orr_iota(g, w->dtype, ts, 1);
        share = orr_scale(g, orr_reciprocal(g, orr_shift(g, t, 1.0)), scale); /* position t sees t + 1 */
        share = orr_select(g, orr_le(g, s, t), share, orr_fill(g, w->dtype, ts, 0.0));
    }
    return orr_einsum(g, "bhts,bhse->bhte", orr_mul(g, z, share), v);
}

/* h[n, positions, width] -> [n, heads, positions, d] */
static orr_node split(const walk *k, orr_node h, int64_t heads, int64_t d) {
    return orr_swap_axes(k->g, orr_reshape(k->g, h, ORR_SHAPE(-1, k->positions, heads, d)), 1, 2);
}

static orr_node attention(walk *w, orr_node h) {
    const int64_t width = orr_int(w->s, "width"), heads = orr_int(w->s, "heads"), d = width / heads;
    orr_node q = split(w, linear(w, h), heads, d), k = split(w, linear(w, h), heads, d);
    const orr_node v = split(w, linear(w, h), heads, d);
    const double scale = orr_settings_say(w->s, "attention_scale", "1/d")
                             ? sqrt((double)orr_int(w->s, "base_head")) / (double)d
                             : 1.0 / sqrt((double)d);
    if (orr_settings_say(w->s, "positions", "rotary")) {
        q = turned(w, q, d);
        k = turned(w, k, d);
    }
    const orr_node o = orr_settings_say(w->s, "attention", "linear") ? attend_linear(w, q, k, v, scale)
                                                                     : orr_attention(w->g, q, k, v, w->causal, scale);
    return linear(w, orr_reshape(w->g, orr_swap_axes(w->g, o, 1, 2), ORR_SHAPE(-1, w->positions, width)));
}

static orr_node perceptron(walk *k, orr_node h) {
    return linear(k, orr_activation(k->g, orr_text(k->s, "activation"), linear(k, h)));
}

/* h + a branch(h) with its norm.  A post norm's tensors stand before the branch's, as a pre norm's do. */
static orr_node residual(walk *k, orr_node (*branch)(walk *, orr_node), orr_node h, double scale, orr_node *out) {
    const orr_node *own = k->parameter;
    const bool post = orr_settings_say(k->s, "norm", "post"), bias = orr_flag(k->s, "bias");
    if (post) k->parameter += bias ? 2 : 1;
    *out = branch(k, post ? h : norm(k, h));
    if (scale != 1.0) *out = orr_scale(k->g, *out, scale);
    h = orr_add(k->g, h, *out);
    return post ? orr_layer_norm(k->g, h, own[0], bias ? own[1] : ORR_NONE, EPSILON) : h;
}

/* ORDER block: add_block */
static orr_node through_block(walk *k, orr_node h, int64_t l, double scale, orr_taps *taps) {
    orr_node branch;
    h = residual(k, attention, h, scale, &branch);
    orr_tap(taps, "attention", l, branch);
    if (!orr_flag(k->s, "attention_only")) {
        h = residual(k, perceptron, h, scale, &branch);
        orr_tap(taps, "mlp", l, branch);
    }
    orr_tap(taps, "block", l, h);
    return h;
}

static orr_node pooled(const walk *k, orr_node h) {
    if (orr_settings_say(k->s, "pooling", "mean")) return orr_mean(k->g, h, ORR_AXES(1));
    const int64_t t = orr_settings_say(k->s, "pooling", "first") ? 0 : k->positions - 1;
    return orr_squeeze(k->g, orr_slice(k->g, h, 1, t, t + 1, 1), 1);
}

static orr_node forward(orr_graph *g, const orr_settings *s, const orr_signature *signature, const orr_node *parameter,
                        orr_node x, orr_taps *taps) {
    const int64_t depth = orr_int(s, "depth");
    const double scale = depth ? pow((double)depth, -orr_real(s, "branch_exponent")) : 1.0;
    walk k = { g, s, parameter, signature->input.size[0], orr_node_dtype(g, parameter[0]), signature->sequence };
    orr_node h = signature->vocabulary ? orr_embedding(g, *k.parameter++, x) : linear(&k, x);
    if (orr_settings_say(s, "positions", "learned")) h = orr_add(g, h, *k.parameter++);
    if (orr_settings_say(s, "positions", "sinusoidal")) h = orr_add(g, h, sinusoidal(&k));
    orr_tap(taps, "embedding", 0, h);
    for (int64_t l = 1; l <= depth; l++) /* three taps a block, and two are kept for the ends */
        h = through_block(&k, h, l, scale, 3 * l <= ORR_TAPS_MAX - 2 ? taps : NULL);
    if (orr_settings_say(s, "norm", "pre")) h = norm(&k, h);
    if (!signature->sequence) h = pooled(&k, h);
    orr_tap(taps, "features", 0, h);
    return linear(&k, h);
}

const orr_architecture orr_architecture_transformer = {
    .width = "width",
    .kind = { "transformer", "transformer, decoder or encoder by what the task asks", parameters },
    .declare = declare,
    .forward = forward,
};
