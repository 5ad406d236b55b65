#define ORR_TENSOR_INSIDE
#include "tensor/op.h"

/* y = 2/sqrt(pi) int_0^a e^{-t^2} dt;  dy/da = 2/sqrt(pi) e^{-a^2} */
static orr_node partial(orr_graph *g, const orr_call *call, int32_t arg) {
    (void)arg;
    const orr_node a = call->args[0];
    return orr_scale(g, orr_exp(g, orr_neg(g, orr_mul(g, a, a))), 1.1283791670955125739); /* 2/sqrt(pi) */
}

const orr_op orr_op_erf = {
    .code = ORR_OP_erf,
    .name = "erf",
    .equation = "y = 2/sqrt(pi) int_0^a e^{-t^2} dt",
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
