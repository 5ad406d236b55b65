#define ORR_TENSOR_INSIDE
#include "tensor/op_shape.h"

/* y[m, i] = element i of the Philox 4x32-10 stream of key[m, :] = (seed low, seed high, purpose, step); the numbers are
 * those of base/random.h.  No derivative: a draw doesn't depend smoothly on its key. */
static bool type(orr_graph *g, const orr_call *call, orr_type *out) {
    const orr_attr_random *attr = call->attr;
    const orr_type *key = orr_graph_type(g, call->args[0]);
    if (key->shape.rank < 1 || key->shape.size[key->shape.rank - 1] != 4) {
        char text[ORR_TYPE_TEXT];
        return orr_graph_fail(g, "random", "key is i32[..., 4]: seed low, seed high, purpose, step; got %s",
                              orr_type_print(key, text, sizeof text));
    }
    *out = attr->type;
    out->shape = orr_shape_remove(key->shape, key->shape.rank - 1);
    for (int32_t i = 0; i < attr->type.shape.rank; i++) {
        if (out->shape.rank == ORR_RANK_MAX) return orr_graph_fail(g, "random", "the result has too many axes");
        out->shape.size[out->shape.rank++] = attr->type.shape.size[i];
    }
    return true;
}

static orr_node vmap(orr_graph *g, const orr_call *call, const orr_node *args, const bool *batched, int64_t n) {
    (void)batched, (void)n;
    return orr_graph_call(g, ORR_OP_random, args, 1, call->attr);
}

const orr_op orr_op_random = {
    .code = ORR_OP_random,
    .name = "random",
    .equation = "y[m, i] = element i of the stream of key[m, :]",
    .kind = ORR_KIND_RANDOM,
    .arity = 1,
    .attr_size = sizeof(orr_attr_random),
    .accepts = ORR_ACCEPT_I32,
    .type = type,
    .vmap = vmap,
};
