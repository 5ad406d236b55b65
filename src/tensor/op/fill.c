#include "tensor/op.h"

/* Every element is one value; compile never stores it. */
static bool type(orr_graph *g, const orr_call *call, orr_type *out) {
    (void)g;
    *out = ((const orr_attr_fill *)call->attr)->type;
    return true;
}

const orr_op orr_op_fill = {
    .code = ORR_OP_fill,
    .name = "fill",
    .equation = "y[...] = value",
    .kind = ORR_KIND_SOURCE,
    .attr_size = sizeof(orr_attr_fill),
    .type = type,
};
