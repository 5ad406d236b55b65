#include "tensor/op.h"

/* y = -1, 0 or 1 as a < 0, a = 0, a > 0;  derivative zero everywhere that it exists */
const orr_op orr_op_sign = {
    .code = ORR_OP_sign,
    .name = "sign",
    .equation = "y = -1, 0 or 1 as a < 0, a = 0, a > 0",
    .kind = ORR_KIND_ELEMENTWISE,
    .arity = 1,
    .accepts = ORR_ACCEPT_NUMBER,
    .type = orr_type_elementwise,
    .vmap = orr_vmap_elementwise,
    .low = -3.0,
    .high = 3.0,
};
