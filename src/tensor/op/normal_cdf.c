#define ORR_TENSOR_INSIDE
#include "tensor/op.h"

/* y = 1/sqrt(2 pi) int_-inf^a e^{-t^2/2} dt;  dy/da = 1/sqrt(2 pi) e^{-a^2/2} */
static orr_node partial(orr_graph *g, const orr_call *call, int32_t arg) {
    (void)arg;
    const orr_node a = call->args[0];
    return orr_scale(g, orr_exp(g, orr_scale(g, orr_mul(g, a, a), -0.5)), 0.39894228040143267794); /* 1/sqrt(2 pi) */
}

const orr_op orr_op_normal_cdf = {
    .code = ORR_OP_normal_cdf,
    .name = "normal_cdf",
    .equation = "y = 1/sqrt(2 pi) int_-inf^a e^{-t^2/2} dt",
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
