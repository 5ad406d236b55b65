#define ORR_TENSOR_INSIDE
#include "tensor/op.h"

/* y = a as another type.  Between floats the derivative is the cast back; through whole numbers and booleans it is zero. */
static bool type(orr_graph *g, const orr_call *call, orr_type *out) {
    const orr_attr_cast *attr = call->attr;
    *out = (orr_type){ .dtype = attr->dtype, .shape = orr_graph_type(g, call->args[0])->shape };
    return true;
}

static bool is_float(orr_dtype dtype) { return dtype == ORR_F32 || dtype == ORR_F64; }

static orr_node vjp(orr_graph *g, const orr_call *call, orr_node ybar, int32_t arg) {
    (void)arg;
    const orr_dtype from = orr_node_dtype(g, call->args[0]);
    return is_float(from) && is_float(orr_node_dtype(g, ybar)) ? orr_cast(g, ybar, from) : ORR_NONE;
}

static orr_node jvp(orr_graph *g, const orr_call *call, const orr_node *adot) {
    const orr_dtype to = ((const orr_attr_cast *)call->attr)->dtype;
    return is_float(to) && is_float(orr_node_dtype(g, adot[0])) ? orr_cast(g, adot[0], to) : ORR_NONE;
}

const orr_op orr_op_cast = {
    .code = ORR_OP_cast,
    .name = "cast",
    .equation = "y = a as another type",
    .kind = ORR_KIND_ELEMENTWISE,
    .arity = 1,
    .attr_size = sizeof(orr_attr_cast),
    .accepts = ORR_ACCEPT_ANY,
    .type = type,
    .vjp = vjp,
    .jvp = jvp,
    .vmap = orr_vmap_elementwise,
    .low = -3.0,
    .high = 3.0,
};
