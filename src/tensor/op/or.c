#include "tensor/op.h"

/* y = a or b;  boolean: no derivative */
const orr_op orr_op_or = {
    .code = ORR_OP_or,
    .name = "or",
    .equation = "y = a or b",
    .kind = ORR_KIND_ELEMENTWISE,
    .arity = 2,
    .accepts = ORR_ACCEPT_BOOL,
    .type = orr_type_elementwise,
    .vmap = orr_vmap_elementwise,
    .low = 0.0,
    .high = 2.0,
};
