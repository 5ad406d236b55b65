#include "tensor/op.h"

/* y = a - b trunc(a / b), 0 where b = 0;  whole numbers: no derivative */
const orr_op orr_op_rem = {
    .code = ORR_OP_rem,
    .name = "rem",
    .equation = "y = a - b trunc(a / b), 0 where b = 0",
    .kind = ORR_KIND_ELEMENTWISE,
    .arity = 2,
    .accepts = ORR_ACCEPT_I32,
    .type = orr_type_elementwise,
    .vmap = orr_vmap_elementwise,
    .low = 1.0,
    .high = 9.0,
};
