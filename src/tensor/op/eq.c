#include "tensor/op.h"

/* y = a equals b;  boolean: no derivative */
const orr_op orr_op_eq = {
    .code = ORR_OP_eq,
    .name = "eq",
    .equation = "y = a equals b",
    .kind = ORR_KIND_ELEMENTWISE,
    .arity = 2,
    .accepts = ORR_ACCEPT_ANY,
    .type = orr_type_compare,
    .vmap = orr_vmap_elementwise,
    .low = -3.0,
    .high = 3.0,
};
