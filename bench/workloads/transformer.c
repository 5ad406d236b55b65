/* A decoder of characters: 4 pre-norm blocks of width 128, 4 heads, context 64, vocabulary 96, batch 16; Adam. */
#include <math.h>
#include <stdio.h>

#include "workloads/workload.h"

enum { B = 16, T = 64, D = 128, HEADS = 4, VOCABULARY = 96, BLOCKS = 4, PARAMETERS = 5 + 12 * BLOCKS };

typedef struct parameters {
    orr_workload_graph *w;
    orr_node node[PARAMETERS];
    int32_t n;
    char prefix[16];
} parameters;

static orr_node parameter(parameters *p, const char *name, orr_shape shape, orr_workload_law law, double scale) {
    char full[ORR_WORKLOAD_NAME];
    (void)snprintf(full, sizeof full, "%s%s", p->prefix, name);
    return p->node[p->n++] = orr_workload_in(p->w, full, ORR_F32, shape, law, scale);
}

/* PyTorch's names and laws: uniform within 1/sqrt(fan-in). */
static orr_node linear(parameters *p, const char *name, orr_node x, int64_t in, int64_t out, bool bias) {
    char w[16], b[16];
    (void)snprintf(w, sizeof w, "%s.weight", name);
    (void)snprintf(b, sizeof b, "%s.bias", name);
    const double bound = 1.0 / sqrt((double)in);
    const orr_node weight = parameter(p, w, ORR_SHAPE(out, in), ORR_LAW_UNIFORM, bound);
    return orr_linear(p->w->g, x, weight, bias ? parameter(p, b, ORR_SHAPE(out), ORR_LAW_UNIFORM, bound) : ORR_NONE);
}

static orr_node norm(parameters *p, const char *name, orr_node x) {
    char w[16], b[16];
    (void)snprintf(w, sizeof w, "%s.weight", name);
    (void)snprintf(b, sizeof b, "%s.bias", name);
    const orr_node gain = parameter(p, w, ORR_SHAPE(D), ORR_LAW_CONSTANT, 1.0);
    return orr_layer_norm(p->w->g, x, gain, parameter(p, b, ORR_SHAPE(D), ORR_LAW_CONSTANT, 0.0), 1e-5);
}

/* x[B, T, D] -> softmax(q k' / sqrt(D/h), causal) v, by heads */
static orr_node attention(parameters *p, orr_node x) {
    orr_graph *g = p->w->g;
    const orr_node qkv = orr_reshape(g, linear(p, "qkv", x, D, 3 * D, true), ORR_SHAPE(B, T, 3, HEADS, D / HEADS));
    orr_node part[3]; /* [B, h, T, D/h] */
    for (int i = 0; i < 3; i++)
        part[i] = orr_transpose(g, orr_squeeze(g, orr_slice(g, qkv, 2, i, i + 1, 1), 2), ORR_AXES(0, 2, 1, 3));
    const orr_node heads = orr_attention(g, part[0], part[1], part[2], true, 0.0);
    return linear(p, "o", orr_reshape(g, orr_swap_axes(g, heads, 1, 2), ORR_SHAPE(B, T, D)), D, D, true);
}

static orr_node block(parameters *p, orr_node x) {
    orr_graph *g = p->w->g;
    x = orr_add(g, x, attention(p, norm(p, "n1", x)));
    const orr_node up = orr_gelu(g, linear(p, "up", norm(p, "n2", x), D, 4 * D, true));
    return orr_add(g, x, linear(p, "down", up, 4 * D, D, true));
}

static orr_node loss(parameters *p) {
    orr_graph *g = p->w->g;
    const orr_node t = orr_workload_in(p->w, "t", ORR_I32, ORR_SHAPE(B, T + 1), ORR_LAW_INTEGER, VOCABULARY);
    const orr_node table = parameter(p, "emb.weight", ORR_SHAPE(VOCABULARY, D), ORR_LAW_NORMAL, 1.0);
    const orr_node position = parameter(p, "pos", ORR_SHAPE(T, D), ORR_LAW_NORMAL, 0.02);
    orr_node x = orr_add(g, orr_embedding(g, table, orr_slice(g, t, 1, 0, T, 1)), position);
    for (int i = 0; i < BLOCKS; i++) {
        (void)snprintf(p->prefix, sizeof p->prefix, "blocks.%d.", i);
        x = block(p, x);
    }
    p->prefix[0] = '\0';
    const orr_node logits = linear(p, "head", norm(p, "ln", x), D, VOCABULARY, false);
    return orr_mean_all(g, orr_cross_entropy(g, logits, orr_slice(g, t, 1, 1, T + 1, 1)));
}

/* Adam (Kingma & Ba 2014), as PyTorch writes it, at step k = 1, 2, ...:
 *
 *     m <- b1 m + (1 - b1) g    v <- b2 v + (1 - b2) g^2
 *     p <- p - rate / (1 - b1^k)  m / (sqrt v / sqrt(1 - b2^k) + eps)
 *
 * 1 - b^k = -expm1(k log b), in float64: at first it has few digits in float32. */
static void adam(parameters *p, orr_node total) {
    orr_workload_graph *w = p->w;
    orr_graph *g = w->g;
    const double rate = 1e-3, b1 = 0.9, b2 = 0.999, eps = 1e-8;
    orr_node gradient[PARAMETERS];
    orr_grad(g, total, p->node, p->n, gradient);
    w->counter = orr_workload_in(w, "step", ORR_I32, ORR_SCALAR, ORR_LAW_CONSTANT, 0.0);
    const orr_node k = orr_shift(g, orr_cast(g, w->counter, ORR_F64), 1.0);
    const orr_node c1 = orr_neg(g, orr_expm1(g, orr_scale(g, k, log(b1))));
    const orr_node c2 = orr_sqrt(g, orr_neg(g, orr_expm1(g, orr_scale(g, k, log(b2)))));
    const orr_node size = orr_cast(g, orr_scale(g, orr_reciprocal(g, c1), rate), ORR_F32);
    const orr_node correction = orr_cast(g, orr_reciprocal(g, c2), ORR_F32);
    for (int32_t i = 0; i < p->n; i++) {
        const orr_shape shape = orr_node_shape(g, p->node[i]);
        char name[ORR_WORKLOAD_NAME];
        (void)snprintf(name, sizeof name, "m.%d", i);
        const orr_node m_was = orr_workload_in(w, name, ORR_F32, shape, ORR_LAW_CONSTANT, 0.0);
        (void)snprintf(name, sizeof name, "v.%d", i);
        const orr_node v_was = orr_workload_in(w, name, ORR_F32, shape, ORR_LAW_CONSTANT, 0.0);
        const orr_node m = orr_add(g, orr_scale(g, m_was, b1), orr_scale(g, gradient[i], 1.0 - b1));
        const orr_node v = orr_add(g, orr_scale(g, v_was, b2), orr_scale(g, orr_square(g, gradient[i]), 1.0 - b2));
        const orr_node down = orr_shift(g, orr_mul(g, orr_sqrt(g, v), correction), eps);
        orr_workload_update(w, m_was, m);
        orr_workload_update(w, v_was, v);
        orr_workload_update(w, p->node[i], orr_sub(g, p->node[i], orr_mul(g, size, orr_div(g, m, down))));
    }
}

static void build(orr_workload_graph *w) {
    parameters p = { .w = w };
    const orr_node total = loss(&p);
    adam(&p, total);
    orr_workload_out(w, "loss", total);
}

const orr_workload orr_workload_transformer_step = {
    .name = "transformer_step",
    .unit = "step",
    .title = "one Adam step: 4-layer pre-norm decoder, width 128, 4 heads, context 64, vocabulary 96, batch 16",
    .dtype = ORR_F32,
    .flops = 2.0 * 3 * B * T * (BLOCKS * 12.0 * D * D + D * VOCABULARY), /* the linear maps; attention adds 8% */
    .units_per_call = 1,
    .build = build,
};
