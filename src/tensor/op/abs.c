#define ORR_TENSOR_INSIDE
#include "tensor/op.h"

/* y = |a|;  dy/da = sign a, 0 at 0 */
static orr_node partial(orr_graph *g, const orr_call *call, int32_t arg) {
    (void)arg;
    return orr_sign(g, call->args[0]);
}

const orr_op orr_op_abs = {
    .code = ORR_OP_abs,
    .name = "abs",
    .equation = "y = |a|",
    .kind = ORR_KIND_ELEMENTWISE,
    .arity = 1,
    .accepts = ORR_ACCEPT_NUMBER,
    .type = orr_type_elementwise,
    .partial = partial,
    .vjp = orr_vjp_partial,
    .jvp = orr_jvp_partial,
    .vmap = orr_vmap_elementwise,
    .low = 0.2,
    .high = 3.0,
};
