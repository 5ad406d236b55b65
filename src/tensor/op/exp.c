#define ORR_TENSOR_INSIDE
#include "tensor/op.h"

/* y = e^a;  dy/da = y */
static orr_node partial(orr_graph *g, const orr_call *call, int32_t arg) {
    (void)arg;
    (void)g;
    return call->out;
}

const orr_op orr_op_exp = {
    .code = ORR_OP_exp,
    .name = "exp",
    .equation = "y = e^a",
    .kind = ORR_KIND_ELEMENTWISE,
    .arity = 1,
    .accepts = ORR_ACCEPT_FLOAT,
    .type = orr_type_elementwise,
    .partial = partial,
    .vjp = orr_vjp_partial,
    .jvp = orr_jvp_partial,
    .vmap = orr_vmap_elementwise,
    .low = -2.0,
    .high = 2.0,
};
