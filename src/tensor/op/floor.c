#include "tensor/op.h"

/* y = the largest whole number <= a;  derivative zero everywhere that it exists */
const orr_op orr_op_floor = {
    .code = ORR_OP_floor,
    .name = "floor",
    .equation = "y = the largest whole number <= a",
    .kind = ORR_KIND_ELEMENTWISE,
    .arity = 1,
    .accepts = ORR_ACCEPT_FLOAT,
    .type = orr_type_elementwise,
    .vmap = orr_vmap_elementwise,
    .low = -3.0,
    .high = 3.0,
};
