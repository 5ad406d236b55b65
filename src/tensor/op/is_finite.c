#include "tensor/op.h"

/* y = a is neither infinite nor NaN;  boolean: no derivative */
const orr_op orr_op_is_finite = {
    .code = ORR_OP_is_finite,
    .name = "is_finite",
    .equation = "y = a is neither infinite nor NaN",
    .kind = ORR_KIND_ELEMENTWISE,
    .arity = 1,
    .accepts = ORR_ACCEPT_FLOAT,
    .type = orr_type_compare,
    .vmap = orr_vmap_elementwise,
    .low = -3.0,
    .high = 3.0,
};
