/* For each primitive, calls to try: shapes, attributes, types and ranges of its arguments.  Elementwise ops need no entry
 * of their own: arity, types and range stand in the op's row. */
#ifndef ORR_TESTS_TENSOR_CASES_H
#define ORR_TESTS_TENSOR_CASES_H

#include "tensor/host.h"

enum { CASE_ARGS = 20, CASES_MAX = 200 };

typedef enum argument_kind {
    ARGUMENT_MAIN,  /* of the case's main type, drawn from low .. high */
    ARGUMENT_BOOL,  /* a condition */
    ARGUMENT_INDEX, /* i32 in [0, high) */
    ARGUMENT_KEY    /* i32 of any value */
} argument_kind;

typedef struct argument {
    argument_kind kind;
    orr_shape shape;
    double low, high;
} argument;

typedef struct op_case {
    const orr_op *op;
    orr_dtype dtype; /* main type */
    int32_t n_args;
    argument arg[CASE_ARGS];
    union {
        orr_attr_fill fill;
        orr_attr_iota iota;
        orr_attr_cast cast;
        orr_attr_reduce reduce;
        orr_attr_shape shape;
        orr_attr_transpose transpose;
        orr_attr_slice slice;
        orr_attr_pad pad;
        orr_attr_concat concat;
        orr_attr_einsum einsum;
        orr_attr_convolve convolve;
        orr_attr_index index;
        orr_attr_random random;
    } attr;
    bool large; /* for devices and threads, not for differences */
    char label[40];
} op_case;

/* The cases of an op in each type that it takes; returns how many, 0 where nobody wrote any. */
int cases_of(orr_op_code code, op_case out[CASES_MAX]);

/* "einsum f64[3, 5], f64[5, 7]" into text; returns text. */
const char *case_print(const op_case *c, char text[400]);
orr_type case_type(const op_case *c, int32_t arg);

/* Its arguments as inputs "a0", "a1", ...; the call on any arguments. */
void case_inputs(const op_case *c, orr_graph *g, orr_node *args);
orr_node case_call(const op_case *c, orr_graph *g, const orr_node *args);
void case_draw(const op_case *c, orr_arena *arena, dice *d, host *args);
/* The same with room around each number, for differences. */
void case_draw_apart(const op_case *c, orr_arena *arena, dice *d, host *args);

/* Whether arguments are differentiated: floats of a main type. */
bool case_moves(const op_case *c, int32_t arg);
/* f64, small, with a derivative that differences can see. */
bool case_is_for_differences(const op_case *c);

/* What rounding may do to each element of the result in a type of that unit: a few units of the value for one operation,
 * and of the sum of the summands' sizes, with the square root of their number, for many. */
double *case_limits(const op_case *c, orr_context *ctx, orr_arena *arena, const host *args, const host *result,
                    double unit);

#endif
