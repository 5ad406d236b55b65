#include "tensor/op.h"

/* y = a;  derivative zero by decree: what a constant is to the derivatives */
const orr_op orr_op_stop = {
    .code = ORR_OP_stop,
    .name = "stop",
    .equation = "y = a",
    .kind = ORR_KIND_ELEMENTWISE,
    .arity = 1,
    .accepts = ORR_ACCEPT_ANY,
    .type = orr_type_elementwise,
    .vmap = orr_vmap_elementwise,
    .low = -3.0,
    .high = 3.0,
};
