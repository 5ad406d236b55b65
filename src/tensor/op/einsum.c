#define ORR_TENSOR_INSIDE
#include <string.h>

#include "tensor/op_shape.h"

/* y[lo] = sum over the labels not in lo of a[la] b[lb].  Each label stands in two or three of la, lb, lo, once in each, so
 * that the three are alike:  abar[la] = sum ybar[lo] b[lb],  bbar[lb] = sum ybar[lo] a[la]. */
enum { LABELS = 30 };

typedef struct operand {
    const uint8_t *labels;
    orr_shape shape;
} operand;

static bool labels_agree(orr_graph *g, const operand *x, int64_t *extent, int32_t *count) {
    uint32_t seen = 0;
    for (int32_t i = 0; i < x->shape.rank; i++) {
        const uint8_t label = x->labels[i];
        if (label >= LABELS || (seen >> label & 1u))
            return orr_graph_fail(g, "einsum", "axis label %d stands twice in one operand or is out of range", label);
        seen |= 1u << label;
        if (count[label] > 0 && extent[label] != x->shape.size[i])
            return orr_graph_fail(g, "einsum", "axes of one label have extents %lld and %lld", (long long)extent[label],
                                  (long long)x->shape.size[i]);
        extent[label] = x->shape.size[i];
        count[label]++;
    }
    return true;
}

static bool type(orr_graph *g, const orr_call *call, orr_type *out) {
    const orr_attr_einsum *e = call->attr;
    const orr_type *a = orr_graph_type(g, call->args[0]), *b = orr_graph_type(g, call->args[1]);
    int64_t extent[LABELS] = { 0 };
    int32_t count[LABELS] = { 0 };
    const operand x = { e->a, a->shape }, y = { e->b, b->shape };
    if (a->dtype != b->dtype) {
        char ta[ORR_TYPE_TEXT], tb[ORR_TYPE_TEXT];
        return orr_graph_fail(g, "einsum", "needs operands of one type, got %s and %s; see orr_cast",
                              orr_type_print(a, ta, sizeof ta), orr_type_print(b, tb, sizeof tb));
    }
    if (!labels_agree(g, &x, extent, count) || !labels_agree(g, &y, extent, count)) return false;
    *out = (orr_type){ .dtype = a->dtype, .shape = { .rank = e->rank_out } };
    for (int32_t i = 0; i < e->rank_out; i++) {
        if (count[e->out[i]] == 0)
            return orr_graph_fail(g, "einsum", "label %d of the result stands in no operand", e->out[i]);
        out->shape.size[i] = extent[e->out[i]];
        count[e->out[i]]++;
    }
    for (int32_t i = 0; i < LABELS; i++)
        if (count[i] == 1)
            return orr_graph_fail(g, "einsum", "label %d stands in one place only; sum that axis first", i);
    return true;
}

static orr_node product(orr_graph *g, orr_node a, const uint8_t *la, orr_node b, const uint8_t *lb, const uint8_t *lo,
                        int32_t rank_out) {
    orr_attr_einsum e;
    memset(&e, 0, sizeof e);
    if (orr_graph_failed(g)) return ORR_NONE;
    memcpy(e.a, la, (size_t)orr_graph_type(g, a)->shape.rank);
    memcpy(e.b, lb, (size_t)orr_graph_type(g, b)->shape.rank);
    memcpy(e.out, lo, (size_t)rank_out);
    e.rank_out = rank_out;
    return orr_graph_call(g, ORR_OP_einsum, (const orr_node[]){ a, b }, 2, &e);
}

static orr_node vjp(orr_graph *g, const orr_call *call, orr_node ybar, int32_t arg) {
    const orr_attr_einsum *e = call->attr;
    const uint8_t *mine = arg == 0 ? e->a : e->b, *others = arg == 0 ? e->b : e->a;
    return product(g, ybar, e->out, call->args[1 - arg], others, mine, orr_node_shape(g, call->args[arg]).rank);
}

static orr_node jvp(orr_graph *g, const orr_call *call, const orr_node *adot) {
    const orr_attr_einsum *e = call->attr;
    const orr_node da = adot[0].id ? product(g, adot[0], e->a, call->args[1], e->b, e->out, e->rank_out) : ORR_NONE;
    const orr_node db = adot[1].id ? product(g, call->args[0], e->a, adot[1], e->b, e->out, e->rank_out) : ORR_NONE;
    return orr_add_maybe(g, da, db);
}

/* The first label that is free gets the batch axis. */
static uint8_t fresh(const orr_attr_einsum *e, int32_t ra, int32_t rb) {
    uint32_t used = 0;
    for (int32_t i = 0; i < ra; i++) used |= 1u << e->a[i];
    for (int32_t i = 0; i < rb; i++) used |= 1u << e->b[i];
    uint8_t label = 0;
    while (used >> label & 1u) label++;
    return label;
}

static orr_node vmap(orr_graph *g, const orr_call *call, const orr_node *args, const bool *batched, int64_t n) {
    (void)n;
    const orr_attr_einsum *e = call->attr;
    const int32_t ra = orr_node_shape(g, call->args[0]).rank, rb = orr_node_shape(g, call->args[1]).rank;
    if (ra >= ORR_RANK_MAX || rb >= ORR_RANK_MAX || e->rank_out >= ORR_RANK_MAX) {
        (void)orr_graph_fail(g, "einsum", "a batch axis more than the %d axes that are possible", ORR_RANK_MAX);
        return ORR_NONE;
    }
    const uint8_t label = fresh(e, ra, rb);
    uint8_t la[ORR_RANK_MAX] = { label }, lb[ORR_RANK_MAX] = { label }, lo[ORR_RANK_MAX] = { label };
    memcpy(la + batched[0], e->a, (size_t)ra);
    memcpy(lb + batched[1], e->b, (size_t)rb);
    memcpy(lo + 1, e->out, (size_t)e->rank_out);
    return product(g, args[0], la, args[1], lb, lo, e->rank_out + 1);
}

const orr_op orr_op_einsum = {
    .code = ORR_OP_einsum,
    .name = "einsum",
    .equation = "y[lo] = sum of a[la] b[lb] over the labels not in lo",
    .kind = ORR_KIND_CONTRACTION,
    .arity = 2,
    .attr_size = sizeof(orr_attr_einsum),
    .accepts = ORR_ACCEPT_FLOAT,
    .type = type,
    .vjp = vjp,
    .jvp = jvp,
    .vmap = vmap,
    .low = -2.0,
    .high = 2.0,
};
