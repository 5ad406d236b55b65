#include "tensor/op.h"

/* y = a < b;  boolean: no derivative */
const orr_op orr_op_lt = {
    .code = ORR_OP_lt,
    .name = "lt",
    .equation = "y = a < b",
    .kind = ORR_KIND_ELEMENTWISE,
    .arity = 2,
    .accepts = ORR_ACCEPT_NUMBER,
    .type = orr_type_compare,
    .vmap = orr_vmap_elementwise,
    .low = -3.0,
    .high = 3.0,
};
