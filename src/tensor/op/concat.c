#define ORR_TENSOR_INSIDE
#include "tensor/graph.h"

/* y = the arguments one after the other along an axis;  abar_i = their part of ybar */
static bool type(orr_graph *g, const orr_call *call, orr_type *out) {
    const int32_t axis = ((const orr_attr_concat *)call->attr)->axis;
    *out = *orr_graph_type(g, call->args[0]);
    for (int32_t i = 1; i < call->n_args; i++) {
        const orr_type *t = orr_graph_type(g, call->args[i]);
        bool fits = t->dtype == out->dtype && t->shape.rank == out->shape.rank;
        for (int32_t k = 0; fits && k < t->shape.rank; k++) fits = k == axis || t->shape.size[k] == out->shape.size[k];
        if (!fits) {
            char ta[ORR_TYPE_TEXT], tb[ORR_TYPE_TEXT];
            return orr_graph_fail(g, "concat", "along axis %d, %s doesn't go behind %s", axis,
                                  orr_type_print(t, ta, sizeof ta), orr_type_print(out, tb, sizeof tb));
        }
        out->shape.size[axis] += t->shape.size[axis];
    }
    return true;
}

static orr_node vjp(orr_graph *g, const orr_call *call, orr_node ybar, int32_t arg) {
    const int32_t axis = ((const orr_attr_concat *)call->attr)->axis;
    int64_t start = 0;
    for (int32_t i = 0; i < arg; i++) start += orr_node_shape(g, call->args[i]).size[axis];
    return orr_slice(g, ybar, axis, start, start + orr_node_shape(g, call->args[arg]).size[axis], 1);
}

/* The call on other arguments, zeros in the place of those that are ORR_NONE. */
static orr_node call_on(orr_graph *g, const orr_call *call, const orr_node *given, int32_t axis, const bool *batched,
                        int64_t n) {
    orr_node *parts = ORR_NEW(g->arena, orr_node, call->n_args);
    if (!parts) {
        (void)orr_graph_out_of_memory(g, "concat");
        return ORR_NONE;
    }
    for (int32_t i = 0; i < call->n_args; i++) {
        parts[i] = given[i].id ? given[i] : orr_fill_like(g, call->args[i], 0.0);
        if (batched) parts[i] = orr_batch(g, parts[i], batched[i], n);
    }
    return orr_concat(g, parts, call->n_args, axis);
}

static orr_node jvp(orr_graph *g, const orr_call *call, const orr_node *adot) {
    return call_on(g, call, adot, ((const orr_attr_concat *)call->attr)->axis, NULL, 0);
}

static orr_node vmap(orr_graph *g, const orr_call *call, const orr_node *args, const bool *batched, int64_t n) {
    return call_on(g, call, args, ((const orr_attr_concat *)call->attr)->axis + 1, batched, n);
}

const orr_op orr_op_concat = {
    .code = ORR_OP_concat,
    .name = "concat",
    .equation = "y = the arguments one after the other along an axis",
    .kind = ORR_KIND_MOVEMENT,
    .arity = -1,
    .attr_size = sizeof(orr_attr_concat),
    .accepts = ORR_ACCEPT_ANY,
    .type = type,
    .vjp = vjp,
    .jvp = jvp,
    .vmap = vmap,
    .low = -2.0,
    .high = 2.0,
};
