#define ORR_TENSOR_INSIDE
#include "tensor/op.h"

/* y = e^a - 1;  dy/da = y + 1 */
static orr_node partial(orr_graph *g, const orr_call *call, int32_t arg) {
    (void)arg;
    return orr_shift(g, call->out, 1.0);
}

const orr_op orr_op_expm1 = {
    .code = ORR_OP_expm1,
    .name = "expm1",
    .equation = "y = e^a - 1",
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
