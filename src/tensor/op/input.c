#include "tensor/op.h"

/* What the caller fills before a run: data, parameters, keys. */
static bool type(orr_graph *g, const orr_call *call, orr_type *out) {
    (void)g;
    *out = ((const orr_attr_input *)call->attr)->type;
    return true;
}

const orr_op orr_op_input = {
    .code = ORR_OP_input,
    .name = "input",
    .equation = "y = the caller's",
    .kind = ORR_KIND_SOURCE,
    .attr_size = sizeof(orr_attr_input),
    .type = type,
};
