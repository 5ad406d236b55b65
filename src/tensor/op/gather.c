#define ORR_TENSOR_INSIDE
#include "tensor/op_index.h"

/* y[b, k, r] = a[b, index[b, k], r];  abar = scatter_add(ybar, index) */
static bool type(orr_graph *g, const orr_call *call, orr_type *out) {
    const orr_type *a = orr_graph_type(g, call->args[0]), *index = orr_graph_type(g, call->args[1]);
    const int32_t n_batch = ((const orr_attr_index *)call->attr)->n_batch;
    out->dtype = a->dtype;
    if (!orr_index_check(g, "gather", a, index, n_batch, n_batch + 1)) return false;
    out->shape = index->shape;
    for (int32_t i = n_batch + 1; i < a->shape.rank; i++) {
        if (out->shape.rank == ORR_RANK_MAX) return orr_graph_fail(g, "gather", "the result has too many axes");
        out->shape.size[out->shape.rank++] = a->shape.size[i];
    }
    return true;
}

static orr_node vjp(orr_graph *g, const orr_call *call, orr_node ybar, int32_t arg) {
    if (arg != 0) return ORR_NONE;
    const orr_attr_index *attr = call->attr;
    return orr_scatter_add_call(g, ybar, call->args[1], attr->n_batch,
                                orr_node_shape(g, call->args[0]).size[attr->n_batch]);
}

static orr_node jvp(orr_graph *g, const orr_call *call, const orr_node *adot) {
    return adot[0].id ? orr_gather_call(g, adot[0], call->args[1], ((const orr_attr_index *)call->attr)->n_batch)
                      : ORR_NONE;
}

/* The batch becomes one more batch axis; where only the index carries it and there is none yet, one more axis k. */
static orr_node vmap(orr_graph *g, const orr_call *call, const orr_node *args, const bool *batched, int64_t n) {
    const int32_t n_batch = ((const orr_attr_index *)call->attr)->n_batch;
    if (!batched[0] && n_batch == 0) return orr_gather_call(g, args[0], args[1], 0);
    return orr_gather_call(g, orr_batch(g, args[0], batched[0], n), orr_batch(g, args[1], batched[1], n), n_batch + 1);
}

const orr_op orr_op_gather = {
    .code = ORR_OP_gather,
    .name = "gather",
    .equation = "y[b, k, r] = a[b, index[b, k], r]",
    .kind = ORR_KIND_INDEXING,
    .arity = 2,
    .attr_size = sizeof(orr_attr_index),
    .accepts = ORR_ACCEPT_ANY,
    .type = type,
    .vjp = vjp,
    .jvp = jvp,
    .vmap = vmap,
    .low = -2.0,
    .high = 2.0,
};
