/* Primitives: what an op is, and the attributes of each.
 *
 * The set is closed under differentiation: the derivative of a primitive is made of primitives.  One file a primitive
 * in tensor/op/, one row in device/ops.def; passes and devices ask the row and never switch over ops by hand. */
#ifndef ORR_TENSOR_OP_H
#define ORR_TENSOR_OP_H

#include "device/primitive.h"

/* What decides how a pass treats an op. */
typedef enum orr_op_kind {
    ORR_KIND_SOURCE,      /* no arguments: input, fill, literal, iota */
    ORR_KIND_ELEMENTWISE, /* out[i] = f(a[i], b[i], ...), all of one shape */
    ORR_KIND_REDUCTION,   /* axes go */
    ORR_KIND_MOVEMENT,    /* the same elements, elsewhere */
    ORR_KIND_CONTRACTION, /* einsum */
    ORR_KIND_CONVOLUTION,
    ORR_KIND_INDEXING, /* gather, scatter_add */
    ORR_KIND_RANDOM
} orr_op_kind;

typedef struct orr_op orr_op;

/* One use of an op: its arguments and result in graph g. */
typedef struct orr_call {
    const orr_op *op;
    const void *attr;
    const orr_node *args;
    int32_t n_args;
    orr_node out;
} orr_call;

enum { ORR_ACCEPT_F32 = 1, ORR_ACCEPT_F64 = 2, ORR_ACCEPT_I32 = 4, ORR_ACCEPT_BOOL = 8 }; /* 1 << dtype */
enum {
    ORR_ACCEPT_FLOAT = ORR_ACCEPT_F32 | ORR_ACCEPT_F64,
    ORR_ACCEPT_NUMBER = ORR_ACCEPT_FLOAT | ORR_ACCEPT_I32,
    ORR_ACCEPT_ANY = ORR_ACCEPT_NUMBER | ORR_ACCEPT_BOOL
};

struct orr_op {
    orr_op_code code;
    const char *name, *equation;
    orr_op_kind kind;
    int32_t arity;    /* -1: one or more */
    size_t attr_size; /* 0: none */
    unsigned accepts; /* dtypes of the arguments */
    /* Type of the result, or false after orr_graph_fail. */
    bool (*type)(orr_graph *g, const orr_call *call, orr_type *out);
    /* Elementwise and smooth: dy/d(args[arg]).  Then .vjp = orr_vjp_partial and .jvp = orr_jvp_partial. */
    orr_node (*partial)(orr_graph *g, const orr_call *call, int32_t arg);
    /* Contribution of ybar to the cotangent of args[arg]; ORR_NONE where it is zero.  NULL: derivative zero. */
    orr_node (*vjp)(orr_graph *g, const orr_call *call, orr_node ybar, int32_t arg);
    /* Tangent of the result; adot[i] is ORR_NONE where that argument doesn't move, and one at least does. */
    orr_node (*jvp)(orr_graph *g, const orr_call *call, const orr_node *adot);
    /* The op over a leading axis of extent n, carried by those args that are batched (one at least is). */
    orr_node (*vmap)(orr_graph *g, const orr_call *call, const orr_node *args, const bool *batched, int64_t n);
    /* Where the test battery draws its points. */
    double low, high;
};

extern const orr_op *const orr_ops[ORR_OP_COUNT];

/* ---- for op files --------------------------------------------------------------------------------------------------
 */

/* Appends a call, or finds an equal one.  attr is copied.  ORR_NONE where the graph has failed. */
orr_node orr_graph_call(orr_graph *g, orr_op_code code, const orr_node *args, int32_t n_args, const void *attr);
/* The first mistake sticks: "file:line: op: ...".  Returns false, to be passed on. */
bool orr_graph_fail(orr_graph *g, const char *op, const char *format, ...) ORR_PRINTF(3, 4);
bool orr_graph_out_of_memory(orr_graph *g, const char *op);     /* the same with ORR_ENOMEM */
const orr_type *orr_graph_type(const orr_graph *g, orr_node a); /* valid until the next node is added */
bool orr_graph_failed(const orr_graph *g);
#if defined(__clang_analyzer__) && !defined(ORR_GRAPH_INSIDE)
/* Static analysis sees one file at a time: these always return false. */
#define orr_graph_fail(g, op, ...)     ((void)orr_graph_fail((g), (op), __VA_ARGS__), false)
#define orr_graph_out_of_memory(g, op) ((void)orr_graph_out_of_memory((g), (op)), false)
#endif
/* A type that can be counted and has few enough axes; false after orr_graph_fail. */
bool orr_graph_check_size(orr_graph *g, const orr_op *op, const orr_type *type);
/* The call that made a node. */
orr_call orr_graph_call_of(const orr_graph *g, orr_node a);
/* Whether a is a fill, and of what. */
bool orr_graph_is_fill(const orr_graph *g, orr_node a, double *value);
/* "f32[64, 10]" into text[size]; returns text. */
const char *orr_type_print(const orr_type *type, char *text, size_t size);
enum { ORR_TYPE_TEXT = 160 };

/* Fill of a node's type. */
orr_node orr_fill_like(orr_graph *g, orr_node a, double value);
/* a + b where either may be ORR_NONE. */
orr_node orr_add_maybe(orr_graph *g, orr_node a, orr_node b);

bool orr_type_elementwise(orr_graph *g, const orr_call *call, orr_type *out); /* that of the arguments, all equal */
bool orr_type_compare(orr_graph *g, const orr_call *call, orr_type *out);     /* bool of that shape */
orr_node orr_vjp_partial(orr_graph *g, const orr_call *call, orr_node ybar, int32_t arg);
orr_node orr_jvp_partial(orr_graph *g, const orr_call *call, const orr_node *adot);
orr_node orr_vmap_elementwise(orr_graph *g, const orr_call *call, const orr_node *args, const bool *batched, int64_t n);
/* For ops linear in one argument or movement: the call again on the tangent. */
orr_node orr_jvp_linear(orr_graph *g, const orr_call *call, const orr_node *adot);
/* a with a leading axis of extent n in front, broadcast; a itself where it is batched already. */
orr_node orr_batch(orr_graph *g, orr_node a, bool batched, int64_t n);

#endif
