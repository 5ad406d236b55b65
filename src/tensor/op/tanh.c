#define ORR_TENSOR_INSIDE
#include "tensor/op.h"

/* y = tanh a;  dy/da = 1 - y^2 */
static orr_node partial(orr_graph *g, const orr_call *call, int32_t arg) {
    (void)arg;
    return orr_sub(g, orr_fill_like(g, call->out, 1.0), orr_mul(g, call->out, call->out));
}

const orr_op orr_op_tanh = {
    .code = ORR_OP_tanh,
    .name = "tanh",
    .equation = "y = tanh a",
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
