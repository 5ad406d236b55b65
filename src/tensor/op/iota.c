#include "tensor/op.h"

/* The index along one axis. */
static bool type(orr_graph *g, const orr_call *call, orr_type *out) {
    (void)g;
    *out = ((const orr_attr_iota *)call->attr)->type;
    return true;
}

const orr_op orr_op_iota = {
    .code = ORR_OP_iota,
    .name = "iota",
    .equation = "y[..., i, ...] = i",
    .kind = ORR_KIND_SOURCE,
    .attr_size = sizeof(orr_attr_iota),
    .type = type,
};
