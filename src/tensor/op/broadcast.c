#define ORR_TENSOR_INSIDE
#include "tensor/op_shape.h"

/* y = a repeated along new leading axes and along those where a has extent 1;  abar = ybar summed over them */
static bool type(orr_graph *g, const orr_call *call, orr_type *out) {
    const orr_type *a = orr_graph_type(g, call->args[0]);
    *out = (orr_type){ .dtype = a->dtype, .shape = ((const orr_attr_shape *)call->attr)->shape };
    const int32_t lead = out->shape.rank - a->shape.rank;
    bool fits = lead >= 0;
    for (int32_t i = 0; fits && i < a->shape.rank; i++)
        fits = a->shape.size[i] == 1 || a->shape.size[i] == out->shape.size[i + lead];
    if (fits) return true;
    char ta[ORR_TYPE_TEXT], to[ORR_TYPE_TEXT];
    return orr_graph_fail(g, "broadcast", "%s doesn't broadcast to %s", orr_type_print(a, ta, sizeof ta),
                          orr_type_print(out, to, sizeof to));
}

static orr_node vjp(orr_graph *g, const orr_call *call, orr_node ybar, int32_t arg) {
    const orr_shape from = orr_node_shape(g, call->args[arg]), to = orr_node_shape(g, ybar);
    orr_axes axes = { 0 };
    for (int32_t i = 0; i < to.rank; i++) {
        const int32_t k = i - (to.rank - from.rank);
        if (k < 0 || from.size[k] != to.size[i]) axes.axis[axes.n++] = i;
    }
    return orr_reshape(g, orr_sum(g, ybar, axes), from);
}

/* The batch axis goes in front of the new leading axes, so a's own axes keep their distance to the end. */
static orr_node vmap(orr_graph *g, const orr_call *call, const orr_node *args, const bool *batched, int64_t n) {
    (void)batched;
    const orr_shape from = orr_node_shape(g, call->args[0]), to = ((const orr_attr_shape *)call->attr)->shape;
    orr_shape padded = from;
    while (padded.rank < to.rank) padded = orr_shape_insert(padded, 0, 1);
    return orr_broadcast(g, orr_reshape(g, args[0], orr_shape_insert(padded, 0, n)), orr_shape_insert(to, 0, n));
}

const orr_op orr_op_broadcast = {
    .code = ORR_OP_broadcast,
    .name = "broadcast",
    .equation = "y = a repeated along new axes and along those of extent 1",
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
