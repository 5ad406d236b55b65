#define ORR_TENSOR_INSIDE
#include "tensor/op.h"

/* y = a + b;  abar = bbar = ybar;  ydot = adot + bdot */
static orr_node vjp(orr_graph *g, const orr_call *call, orr_node ybar, int32_t arg) {
    (void)g, (void)call, (void)arg;
    return ybar;
}

static orr_node jvp(orr_graph *g, const orr_call *call, const orr_node *adot) {
    (void)call;
    return orr_add_maybe(g, adot[0], adot[1]);
}

const orr_op orr_op_add = {
    .code = ORR_OP_add,
    .name = "add",
    .equation = "y = a + b",
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
