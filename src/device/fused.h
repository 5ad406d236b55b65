/* A fused group: elementwise nodes over one iteration shape, and reductions of them, in one pass over memory.
 *
 * Values are numbered: inputs first, then constants, then one for each instruction.  Most run over the whole shape; an
 * output is a value as it is, or reduced over `reduced`, the same axes for all reductions of the group.
 *
 * Where `rows`, the reduced axis is the last one, short enough that a row stays in cache, and reduced values are used
 * again inside (softmax, layer norm).  Then sum and reduce_max are instructions too; their results and what is made of
 * them are row values, one element a row; `broadcast` spreads one over its row. */
#ifndef ORR_DEVICE_FUSED_H
#define ORR_DEVICE_FUSED_H

#include "device/device.h"

enum { ORR_FUSED_READS = 32, ORR_FUSED_NODES = 48, ORR_FUSED_INSTRUCTIONS = 96, ORR_FUSED_ROW = 1024 };

typedef struct orr_fused_instruction {
    orr_op_code code;
    int16_t args[3], n_args;
    orr_dtype dtype; /* of the result */
    bool row;        /* the result is a row value */
} orr_fused_instruction;

typedef enum orr_fused_reduction { ORR_REDUCE_NONE, ORR_REDUCE_SUM, ORR_REDUCE_MAX } orr_fused_reduction;

typedef struct orr_fused_output {
    int16_t value;
    orr_fused_reduction reduction;
    bool row;      /* a row value */
    orr_view view; /* of the shape, or of the shape without the reduced axes (reductions and row values) */
} orr_fused_output;

typedef struct orr_fused {
    orr_shape shape;
    uint32_t reduced; /* bit i: axis i goes in reductions */
    int16_t n_inputs, n_constants, n_instructions, n_outputs;
    bool rows;
    orr_view
        input[ORR_FUSED_READS]; /* broadcast to the shape by strides of 0; a row value: of the shape without its last */
    bool input_row[ORR_FUSED_READS];
    double constant[ORR_FUSED_READS];
    orr_dtype constant_dtype[ORR_FUSED_READS];
    orr_fused_instruction instruction[ORR_FUSED_INSTRUCTIONS];
    orr_fused_output output[ORR_FUSED_NODES];
} orr_fused;

static inline int16_t orr_fused_first_constant(const orr_fused *f) { return f->n_inputs; }
static inline int16_t orr_fused_first_instruction(const orr_fused *f) {
    return (int16_t)(f->n_inputs + f->n_constants);
}
static inline orr_dtype orr_fused_dtype(const orr_fused *f, int16_t value) {
    if (value < f->n_inputs) return f->input[value].dtype;
    if (value < f->n_inputs + f->n_constants) return f->constant_dtype[value - f->n_inputs];
    return f->instruction[value - f->n_inputs - f->n_constants].dtype;
}

/* Units of work of an elementwise instruction on one element, .1 to .2 nanoseconds each in a tile in cache: what is shared out
 * among threads, and what is weighed against memory, is counted in them. */
static inline int32_t orr_fused_work(orr_op_code code) {
    switch (code) {
    case ORR_OP_exp:
    case ORR_OP_expm1:
    case ORR_OP_log:
    case ORR_OP_log1p:
    case ORR_OP_sin:
    case ORR_OP_cos:
    case ORR_OP_tanh:
    case ORR_OP_sigmoid:
    case ORR_OP_erf:
    case ORR_OP_normal_cdf:
    case ORR_OP_pow: return 8;
    default: return 1;
    }
}

#endif
