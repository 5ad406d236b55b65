#define ORR_TENSOR_INSIDE
#include "tensor/op_shape.h"

/* y = sum over axes of a;  abar = ybar spread over them;  ydot = sum of adot */
static orr_node vjp(orr_graph *g, const orr_call *call, orr_node ybar, int32_t arg) {
    (void)arg;
    return orr_spread(g, ybar, call);
}

const orr_op orr_op_sum = {
    .code = ORR_OP_sum,
    .name = "sum",
    .equation = "y = sum over axes of a",
    .kind = ORR_KIND_REDUCTION,
    .arity = 1,
    .attr_size = sizeof(orr_attr_reduce),
    .accepts = ORR_ACCEPT_NUMBER,
    .type = orr_type_reduce,
    .vjp = vjp,
    .jvp = orr_jvp_linear,
    .vmap = orr_vmap_reduce,
    .low = -2.0,
    .high = 2.0,
};
