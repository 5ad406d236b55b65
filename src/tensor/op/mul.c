#define ORR_TENSOR_INSIDE
#include "tensor/op.h"

/* y = a b;  abar = ybar b, bbar = ybar a;  ydot = adot b + a bdot */
static orr_node vjp(orr_graph *g, const orr_call *call, orr_node ybar, int32_t arg) {
    return orr_mul(g, ybar, call->args[1 - arg]);
}

static orr_node jvp(orr_graph *g, const orr_call *call, const orr_node *adot) {
    const orr_node da = adot[0].id ? orr_mul(g, adot[0], call->args[1]) : ORR_NONE;
    const orr_node db = adot[1].id ? orr_mul(g, call->args[0], adot[1]) : ORR_NONE;
    return orr_add_maybe(g, da, db);
}

const orr_op orr_op_mul = {
    .code = ORR_OP_mul,
    .name = "mul",
    .equation = "y = a b",
    .kind = ORR_KIND_ELEMENTWISE,
    .arity = 2,
    .accepts = ORR_ACCEPT_NUMBER,
    .type = orr_type_elementwise,
    .vjp = vjp,
    .jvp = jvp,
    .vmap = orr_vmap_elementwise,
    .low = -3.0,
    .high = 3.0,
};
