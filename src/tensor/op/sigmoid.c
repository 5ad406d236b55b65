#define ORR_TENSOR_INSIDE
#include "tensor/op.h"

/* y = 1 / (1 + e^-a);  dy/da = y (1 - y) */
static orr_node partial(orr_graph *g, const orr_call *call, int32_t arg) {
    (void)arg;
    return orr_mul(g, call->out, orr_sub(g, orr_fill_like(g, call->out, 1.0), call->out));
}

const orr_op orr_op_sigmoid = {
    .code = ORR_OP_sigmoid,
    .name = "sigmoid",
    .equation = "y = 1 / (1 + e^-a)",
    .kind = ORR_KIND_ELEMENTWISE,
    .arity = 1,
    .accepts = ORR_ACCEPT_FLOAT,
    .type = orr_type_elementwise,
    .partial = partial,
    .vjp = orr_vjp_partial,
    .jvp = orr_jvp_partial,
    .vmap = orr_vmap_elementwise,
    .low = -3.0,
    .high = 3.0,
};
