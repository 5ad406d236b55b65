#define ORR_TENSOR_INSIDE
#include "tensor/op_index.h"

/* y[b, v, r] = sum of a[b, k, r] over the k with index[b, k] = v, in the order of k;  abar = gather(ybar, index) */
static bool type(orr_graph *g, const orr_call *call, orr_type *out) {
    const orr_attr_index *attr = call->attr;
    const orr_type *a = orr_graph_type(g, call->args[0]), *index = orr_graph_type(g, call->args[1]);
    out->dtype = a->dtype;
    if (!orr_index_check(g, "scatter_add", a, index, index->shape.rank, index->shape.rank)) return false;
    if (attr->extent < 0) return orr_graph_fail(g, "scatter_add", "extent %lld", (long long)attr->extent);
    for (int32_t i = 0; i < attr->n_batch; i++) out->shape.size[out->shape.rank++] = a->shape.size[i];
    out->shape.size[out->shape.rank++] = attr->extent;
    for (int32_t i = index->shape.rank; i < a->shape.rank && out->shape.rank < ORR_RANK_MAX; i++)
        out->shape.size[out->shape.rank++] = a->shape.size[i];
    return true;
}

static orr_node vjp(orr_graph *g, const orr_call *call, orr_node ybar, int32_t arg) {
    return arg == 0 ? orr_gather_call(g, ybar, call->args[1], ((const orr_attr_index *)call->attr)->n_batch) : ORR_NONE;
}

static orr_node jvp(orr_graph *g, const orr_call *call, const orr_node *adot) {
    const orr_attr_index *attr = call->attr;
    return adot[0].id ? orr_scatter_add_call(g, adot[0], call->args[1], attr->n_batch, attr->extent) : ORR_NONE;
}

static orr_node vmap(orr_graph *g, const orr_call *call, const orr_node *args, const bool *batched, int64_t n) {
    const orr_attr_index *attr = call->attr;
    return orr_scatter_add_call(g, orr_batch(g, args[0], batched[0], n), orr_batch(g, args[1], batched[1], n),
                                attr->n_batch + 1, attr->extent);
}

const orr_op orr_op_scatter_add = {
    .code = ORR_OP_scatter_add,
    .name = "scatter_add",
    .equation = "y[b, v, r] = sum of a[b, k, r] over the k with index[b, k] = v",
    .kind = ORR_KIND_INDEXING,
    .arity = 2,
    .attr_size = sizeof(orr_attr_index),
    .accepts = ORR_ACCEPT_NUMBER,
    .type = type,
    .vjp = vjp,
    .jvp = jvp,
    .vmap = vmap,
    .low = -2.0,
    .high = 2.0,
};
