#define ORR_TENSOR_INSIDE
#include "tensor/op.h"

/* y = sqrt a;  dy/da = 1/(2 y) */
static orr_node partial(orr_graph *g, const orr_call *call, int32_t arg) {
    (void)arg;
    return orr_div(g, orr_fill_like(g, call->out, 0.5), call->out);
}

const orr_op orr_op_sqrt = {
    .code = ORR_OP_sqrt,
    .name = "sqrt",
    .equation = "y = sqrt a",
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
