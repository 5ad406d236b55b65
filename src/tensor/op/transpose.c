#define ORR_TENSOR_INSIDE
#include "tensor/op_shape.h"

/* y's axis i is a's axis order[i];  abar = ybar in the inverse order */
static bool type(orr_graph *g, const orr_call *call, orr_type *out) {
    const orr_type *a = orr_graph_type(g, call->args[0]);
    const int32_t *order = ((const orr_attr_transpose *)call->attr)->order;
    *out = (orr_type){ .dtype = a->dtype, .shape = { .rank = a->shape.rank } };
    uint32_t seen = 0;
    for (int32_t i = 0; i < a->shape.rank; i++) {
        if (order[i] < 0 || order[i] >= a->shape.rank || (seen >> order[i] & 1u))
            return orr_graph_fail(g, "transpose", "order is no permutation of the %d axes", a->shape.rank);
        seen |= 1u << order[i];
        out->shape.size[i] = a->shape.size[order[i]];
    }
    return true;
}

static orr_node vjp(orr_graph *g, const orr_call *call, orr_node ybar, int32_t arg) {
    (void)arg;
    const int32_t *order = ((const orr_attr_transpose *)call->attr)->order;
    orr_axes inverse = { .n = orr_node_shape(g, ybar).rank };
    for (int32_t i = 0; i < inverse.n; i++) inverse.axis[order[i]] = i;
    return orr_transpose(g, ybar, inverse);
}

static orr_node vmap(orr_graph *g, const orr_call *call, const orr_node *args, const bool *batched, int64_t n) {
    (void)batched, (void)n;
    const int32_t *order = ((const orr_attr_transpose *)call->attr)->order;
    orr_axes behind = { .n = orr_node_shape(g, args[0]).rank };
    for (int32_t i = 1; i < behind.n; i++) behind.axis[i] = order[i - 1] + 1;
    return orr_transpose(g, args[0], behind);
}

const orr_op orr_op_transpose = {
    .code = ORR_OP_transpose,
    .name = "transpose",
    .equation = "y's axis i is a's axis order[i]",
    .kind = ORR_KIND_MOVEMENT,
    .arity = 1,
    .attr_size = sizeof(orr_attr_transpose),
    .accepts = ORR_ACCEPT_ANY,
    .type = type,
    .vjp = vjp,
    .jvp = orr_jvp_linear,
    .vmap = vmap,
    .low = -2.0,
    .high = 2.0,
};
