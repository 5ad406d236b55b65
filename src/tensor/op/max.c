#define ORR_TENSOR_INSIDE
#include "tensor/op.h"

/* y = max(a, b), NaN where either is;  the derivative goes to the larger, half to each at a tie */
static orr_node share(orr_graph *g, const orr_call *call, int32_t arg) {
    const orr_node mine = call->args[arg], other = call->args[1 - arg];
    const orr_node wins = orr_lt(g, other, mine);
    const orr_node one = orr_fill_like(g, mine, 1.0), half = orr_fill_like(g, mine, 0.5),
                   none = orr_fill_like(g, mine, 0.0);
    return orr_select(g, wins, one, orr_select(g, orr_eq(g, mine, other), half, none));
}

static orr_node vjp(orr_graph *g, const orr_call *call, orr_node ybar, int32_t arg) {
    if (orr_node_dtype(g, ybar) == ORR_I32) return ORR_NONE;
    return orr_mul(g, ybar, share(g, call, arg));
}

static orr_node jvp(orr_graph *g, const orr_call *call, const orr_node *adot) {
    const orr_node da = adot[0].id ? orr_mul(g, adot[0], share(g, call, 0)) : ORR_NONE;
    const orr_node db = adot[1].id ? orr_mul(g, adot[1], share(g, call, 1)) : ORR_NONE;
    return orr_add_maybe(g, da, db);
}

const orr_op orr_op_max = {
    .code = ORR_OP_max,
    .name = "max",
    .equation = "y = max(a, b)",
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
