#define ORR_TENSOR_INSIDE
#include "tensor/op.h"

/* y = -a;  abar = -ybar;  ydot = -adot */
static orr_node vjp(orr_graph *g, const orr_call *call, orr_node ybar, int32_t arg) {
    (void)call, (void)arg;
    return orr_neg(g, ybar);
}

static orr_node jvp(orr_graph *g, const orr_call *call, const orr_node *adot) {
    (void)call;
    return orr_neg(g, adot[0]);
}

const orr_op orr_op_neg = {
    .code = ORR_OP_neg,
    .name = "neg",
    .equation = "y = -a",
    .kind = ORR_KIND_ELEMENTWISE,
    .arity = 1,
    .accepts = ORR_ACCEPT_NUMBER,
    .type = orr_type_elementwise,
    .vjp = vjp,
    .jvp = jvp,
    .vmap = orr_vmap_elementwise,
    .low = -3.0,
    .high = 3.0,
};
