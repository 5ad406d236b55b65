#define ORR_TENSOR_INSIDE
#include "tensor/op_shape.h"

/* y = a in the same row-major order under another shape;  abar = ybar under the old one */
static bool type(orr_graph *g, const orr_call *call, orr_type *out) {
    const orr_type *a = orr_graph_type(g, call->args[0]);
    *out = (orr_type){ .dtype = a->dtype, .shape = ((const orr_attr_shape *)call->attr)->shape };
    if (orr_shape_count(&out->shape) == orr_shape_count(&a->shape)) return true;
    char ta[ORR_TYPE_TEXT], to[ORR_TYPE_TEXT];
    return orr_graph_fail(g, "reshape", "%s doesn't fill %s", orr_type_print(a, ta, sizeof ta),
                          orr_type_print(out, to, sizeof to));
}

static orr_node vjp(orr_graph *g, const orr_call *call, orr_node ybar, int32_t arg) {
    return orr_reshape(g, ybar, orr_node_shape(g, call->args[arg]));
}

static orr_node vmap(orr_graph *g, const orr_call *call, const orr_node *args, const bool *batched, int64_t n) {
    (void)batched;
    return orr_reshape(g, args[0], orr_shape_insert(((const orr_attr_shape *)call->attr)->shape, 0, n));
}

const orr_op orr_op_reshape = {
    .code = ORR_OP_reshape,
    .name = "reshape",
    .equation = "y = a in the same order under another shape",
    .kind = ORR_KIND_MOVEMENT,
    .arity = 1,
    .attr_size = sizeof(orr_attr_shape),
    .accepts = ORR_ACCEPT_ANY,
    .type = type,
    .vjp = vjp,
    .jvp = orr_jvp_linear,
    .vmap = vmap,
    .low = -2.0,
    .high = 2.0,
};
