#define ORR_TENSOR_INSIDE
#include "tensor/op.h"

/* y = sin a;  dy/da = cos a */
static orr_node partial(orr_graph *g, const orr_call *call, int32_t arg) {
    (void)arg;
    return orr_cos(g, call->args[0]);
}

const orr_op orr_op_sin = {
    .code = ORR_OP_sin,
    .name = "sin",
    .equation = "y = sin a",
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
