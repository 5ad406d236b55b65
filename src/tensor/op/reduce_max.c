#define ORR_TENSOR_INSIDE
#include "tensor/op_shape.h"

/* y = max over axes of a, NaN where one is.  The derivative is shared equally among those that attain it:
 * w = (a = y) / count of (a = y);  abar = ybar w;  ydot = sum of adot w */
static orr_node weight(orr_graph *g, const orr_call *call) {
    const orr_node a = call->args[0];
    const orr_node attains = orr_cast(g, orr_eq(g, a, orr_spread(g, call->out, call)), orr_node_dtype(g, a));
    const orr_node count = orr_graph_call(g, ORR_OP_sum, &attains, 1, call->attr);
    return orr_div(g, attains, orr_spread(g, count, call));
}

static orr_node vjp(orr_graph *g, const orr_call *call, orr_node ybar, int32_t arg) {
    (void)arg;
    return orr_mul(g, orr_spread(g, ybar, call), weight(g, call));
}

static orr_node jvp(orr_graph *g, const orr_call *call, const orr_node *adot) {
    const orr_node moved = orr_mul(g, adot[0], weight(g, call));
    return orr_graph_call(g, ORR_OP_sum, &moved, 1, call->attr);
}

const orr_op orr_op_reduce_max = {
    .code = ORR_OP_reduce_max,
    .name = "reduce_max",
    .equation = "y = max over axes of a",
    .kind = ORR_KIND_REDUCTION,
    .arity = 1,
    .attr_size = sizeof(orr_attr_reduce),
    .accepts = ORR_ACCEPT_NUMBER,
    .type = orr_type_reduce,
    .vjp = vjp,
    .jvp = jvp,
    .vmap = orr_vmap_reduce,
    .low = -2.0,
    .high = 2.0,
};
