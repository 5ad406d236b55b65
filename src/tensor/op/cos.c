#define ORR_TENSOR_INSIDE
#include "tensor/op.h"

/* y = cos a;  dy/da = -sin a */
static orr_node partial(orr_graph *g, const orr_call *call, int32_t arg) {
    (void)arg;
    return orr_neg(g, orr_sin(g, call->args[0]));
}

const orr_op orr_op_cos = {
    .code = ORR_OP_cos,
    .name = "cos",
    .equation = "y = cos a",
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
