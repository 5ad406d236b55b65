/* The closed set of primitives, as a device sees it: codes, types and attributes.  What they mean stands in each op's
 * file (tensor/op/<name>.c); how they are differentiated is no device's business. */
#ifndef ORR_DEVICE_PRIMITIVE_H
#define ORR_DEVICE_PRIMITIVE_H

#include "orrery.h"

typedef struct orr_type {
    orr_dtype dtype;
    orr_shape shape;
} orr_type;

/* ORDER op: device/ops.def */
typedef enum orr_op_code {
#define ORR_OP(name) ORR_OP_##name,
#include "device/ops.def"
#undef ORR_OP
    ORR_OP_COUNT
} orr_op_code;

/* ---- attributes: zeroed before they are filled, so that equal ones have equal bytes -------------------------------
 */

typedef struct orr_attr_input {
    const char *name;
    orr_type type;
} orr_attr_input;
typedef struct orr_attr_fill {
    orr_type type;
    double value;
} orr_attr_fill;
typedef struct orr_attr_literal {
    orr_type type;
    const void *data; /* in the graph's arena */
} orr_attr_literal;
typedef struct orr_attr_iota {
    orr_type type;
    int32_t axis;
} orr_attr_iota;
typedef struct orr_attr_cast {
    orr_dtype dtype;
} orr_attr_cast;
typedef struct orr_attr_reduce {
    uint32_t axes; /* bit i: axis i goes */
} orr_attr_reduce;
typedef struct orr_attr_shape {
    orr_shape shape;
} orr_attr_shape; /* reshape, broadcast */
typedef struct orr_attr_transpose {
    int32_t order[ORR_RANK_MAX];
} orr_attr_transpose;
typedef struct orr_attr_slice {
    int64_t start, stop, step;
    int32_t axis;
} orr_attr_slice;
typedef struct orr_attr_pad {
    int64_t low, high, interior;
    int32_t axis;
} orr_attr_pad;
typedef struct orr_attr_concat {
    int32_t axis;
} orr_attr_concat;
/* Labels 0..29 of the axes of a, b and the result.  Each label stands once at most in each, and in two of the three. */
typedef struct orr_attr_einsum {
    uint8_t a[ORR_RANK_MAX], b[ORR_RANK_MAX], out[ORR_RANK_MAX];
    int32_t rank_out;
} orr_attr_einsum;
/* convolve: a[n, c, x...] w[d, c/groups, k...].  Its adjoints carry the shape of what they make. */
typedef struct orr_attr_convolve {
    orr_convolution how; /* zeros resolved */
    orr_shape shape;     /* of the result, for convolve_input and convolve_kernel */
} orr_attr_convolve;
/* gather: a[batch..., v, rest...], index[batch..., k...] -> [batch..., k..., rest...]; scatter_add: its adjoint. */
typedef struct orr_attr_index {
    int64_t extent; /* v, for scatter_add */
    int32_t n_batch;
} orr_attr_index;
typedef enum orr_distribution { ORR_UNIFORM, ORR_NORMAL, ORR_SIGN, ORR_INT } orr_distribution;
typedef struct orr_attr_random {
    orr_type type; /* of one member */
    orr_distribution distribution;
    int32_t below;
} orr_attr_random;

#endif
