#include "tensor/op.h"

/* y = not a;  boolean: no derivative */
const orr_op orr_op_not = {
    .code = ORR_OP_not,
    .name = "not",
    .equation = "y = not a",
    .kind = ORR_KIND_ELEMENTWISE,
    .arity = 1,
    .accepts = ORR_ACCEPT_BOOL,
    .type = orr_type_elementwise,
    .vmap = orr_vmap_elementwise,
    .low = 0.0,
    .high = 2.0,
};
