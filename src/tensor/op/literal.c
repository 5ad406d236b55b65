#include "tensor/op.h"

/* Numbers written into the graph. */
static bool type(orr_graph *g, const orr_call *call, orr_type *out) {
    (void)g;
    *out = ((const orr_attr_literal *)call->attr)->type;
    return true;
}

const orr_op orr_op_literal = {
    .code = ORR_OP_literal,
    .name = "literal",
    .equation = "y = given numbers",
    .kind = ORR_KIND_SOURCE,
    .attr_size = sizeof(orr_attr_literal),
    .type = type,
};
