#define ORR_TENSOR_INSIDE
#include "tensor/op.h"

/* y = log a;  dy/da = 1/a */
static orr_node partial(orr_graph *g, const orr_call *call, int32_t arg) {
    (void)arg;
    return orr_reciprocal(g, call->args[0]);
}

const orr_op orr_op_log = {
    .code = ORR_OP_log,
    .name = "log",
    .equation = "y = log a",
    .kind = ORR_KIND_ELEMENTWISE,
    .arity = 1,
    .accepts = ORR_ACCEPT_FLOAT,
    .type = orr_type_elementwise,
    .partial = partial,
    .vjp = orr_vjp_partial,
    .jvp = orr_jvp_partial,
    .vmap = orr_vmap_elementwise,
    .low = 0.3,
    .high = 3.0,
};
