#include "tensor/op.h"

/* y = a and b;  boolean: no derivative */
const orr_op orr_op_and = {
    .code = ORR_OP_and,
    .name = "and",
    .equation = "y = a and b",
    .kind = ORR_KIND_ELEMENTWISE,
    .arity = 2,
    .accepts = ORR_ACCEPT_BOOL,
    .type = orr_type_elementwise,
    .vmap = orr_vmap_elementwise,
    .low = 0.0,
    .high = 2.0,
};
