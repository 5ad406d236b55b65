#include "tensor/op.h"

#define ORR_OP(name) extern const orr_op orr_op_##name;
#include "device/ops.def"
#undef ORR_OP

const orr_op *const orr_ops[ORR_OP_COUNT] = {
#define ORR_OP(name) &orr_op_##name,
#include "device/ops.def"
#undef ORR_OP
};
