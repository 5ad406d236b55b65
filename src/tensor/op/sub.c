#define ORR_TENSOR_INSIDE
#include "tensor/op.h"

/* y = a - b;  abar = ybar, bbar = -ybar;  ydot = adot - bdot */
static orr_node vjp(orr_graph *g, const orr_call *call, orr_node ybar, int32_t arg) {
    (void)call;
    return arg == 0 ? ybar : orr_neg(g, ybar);
}

static orr_node jvp(orr_graph *g, const orr_call *call, const orr_node *adot) {
    (void)call;
    if (!adot[1].id) return adot[0];
    return adot[0].id ? orr_sub(g, adot[0], adot[1]) : orr_neg(g, adot[1]);
}

const orr_op orr_op_sub = {
    .code = ORR_OP_sub,
    .name = "sub",
    .equation = "y = a - b",
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
