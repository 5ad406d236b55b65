#define ORR_TENSOR_INSIDE
#include "tensor/op.h"

/* y = a / b;  abar = ybar / b, bbar = -ybar y / b;  ydot = (adot - y bdot) / b */
static orr_node vjp(orr_graph *g, const orr_call *call, orr_node ybar, int32_t arg) {
    const orr_node b = call->args[1];
    return arg == 0 ? orr_div(g, ybar, b) : orr_neg(g, orr_div(g, orr_mul(g, ybar, call->out), b));
}

static orr_node jvp(orr_graph *g, const orr_call *call, const orr_node *adot) {
    const orr_node b = call->args[1];
    if (!adot[1].id) return orr_div(g, adot[0], b);
    const orr_node pull = orr_mul(g, call->out, adot[1]);
    return orr_div(g, adot[0].id ? orr_sub(g, adot[0], pull) : orr_neg(g, pull), b);
}

const orr_op orr_op_div = {
    .code = ORR_OP_div,
    .name = "div",
    .equation = "y = a / b",
    .kind = ORR_KIND_ELEMENTWISE,
    .arity = 2,
    .accepts = ORR_ACCEPT_NUMBER,
    .type = orr_type_elementwise,
    .vjp = vjp,
    .jvp = jvp,
    .vmap = orr_vmap_elementwise,
    .low = 0.3,
    .high = 3.0,
};
