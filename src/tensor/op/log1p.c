#define ORR_TENSOR_INSIDE
#include "tensor/op.h"

/* y = log(1 + a);  dy/da = 1/(1 + a) */
static orr_node partial(orr_graph *g, const orr_call *call, int32_t arg) {
    (void)arg;
    return orr_reciprocal(g, orr_shift(g, call->args[0], 1.0));
}

const orr_op orr_op_log1p = {
    .code = ORR_OP_log1p,
    .name = "log1p",
    .equation = "y = log(1 + a)",
    .kind = ORR_KIND_ELEMENTWISE,
    .arity = 1,
    .accepts = ORR_ACCEPT_FLOAT,
    .type = orr_type_elementwise,
    .partial = partial,
    .vjp = orr_vjp_partial,
    .jvp = orr_jvp_partial,
    .vmap = orr_vmap_elementwise,
    .low = -0.6,
    .high = 3.0,
};
