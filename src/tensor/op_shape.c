#define ORR_TENSOR_INSIDE
#include "tensor/op_shape.h"

bool orr_type_reduce(orr_graph *g, const orr_call *call, orr_type *out) {
    const orr_type *a = orr_graph_type(g, call->args[0]);
    const uint32_t axes = ((const orr_attr_reduce *)call->attr)->axes;
    *out = (orr_type){ .dtype = a->dtype };
    for (int32_t i = 0; i < a->shape.rank; i++)
        if (!(axes >> i & 1u)) out->shape.size[out->shape.rank++] = a->shape.size[i];
    return true;
}

orr_node orr_vmap_reduce(orr_graph *g, const orr_call *call, const orr_node *args, const bool *batched, int64_t n) {
    (void)batched, (void)n;
    const orr_attr_reduce attr = { .axes = ((const orr_attr_reduce *)call->attr)->axes << 1 };
    return orr_graph_call(g, call->op->code, args, 1, &attr);
}

orr_node orr_spread(orr_graph *g, orr_node a, const orr_call *reduction) {
    if (orr_graph_failed(g)) return ORR_NONE;
    const orr_shape full = orr_graph_type(g, reduction->args[0])->shape;
    const uint32_t axes = ((const orr_attr_reduce *)reduction->attr)->axes;
    orr_shape kept = full;
    for (int32_t i = 0; i < full.rank; i++)
        if (axes >> i & 1u) kept.size[i] = 1;
    return orr_broadcast(g, orr_reshape(g, a, kept), full);
}

orr_shape orr_shape_insert(orr_shape shape, int32_t axis, int64_t n) {
    orr_shape out = { .rank = shape.rank + 1 };
    if (out.rank > ORR_RANK_MAX) return out; /* refused when a node is made of it */
    for (int32_t i = 0, k = 0; i < out.rank; i++) out.size[i] = i == axis ? n : shape.size[k++];
    return out;
}

orr_shape orr_shape_remove(orr_shape shape, int32_t axis) {
    orr_shape out = { 0 };
    for (int32_t i = 0; i < shape.rank; i++)
        if (i != axis) out.size[out.rank++] = shape.size[i];
    return out;
}

orr_axes orr_axes_move(int32_t rank, int32_t from, int32_t to) {
    orr_axes order = { .n = rank };
    for (int32_t i = 0, k = 0; i < rank; i++) {
        if (k == from) k++;
        order.axis[i] = i == to ? from : k++;
    }
    return order;
}

orr_node orr_move_axis(orr_graph *g, orr_node a, int32_t from, int32_t to) {
    if (orr_graph_failed(g) || from == to) return a;
    return orr_transpose(g, a, orr_axes_move(orr_graph_type(g, a)->shape.rank, from, to));
}

int32_t orr_axis_resolve(orr_graph *g, const char *op, int32_t axis, int32_t rank) {
    const int32_t resolved = axis < 0 ? axis + rank : axis;
    if (resolved >= 0 && resolved < rank) return resolved;
    if (rank > 0)
        (void)orr_graph_fail(g, op, "axis %d of a tensor with %d axes; expected %d to %d", axis, rank, -rank, rank - 1);
    else (void)orr_graph_fail(g, op, "axis %d of a scalar; it has none", axis);
    return -1;
}

bool orr_shape_broadcast(orr_graph *g, const char *op, const orr_type *a, const orr_type *b, orr_shape *out) {
    const int32_t ra = a->shape.rank, rb = b->shape.rank, rank = ra > rb ? ra : rb;
    *out = (orr_shape){ .rank = rank };
    for (int32_t i = 0; i < rank; i++) {
        const int64_t na = i < rank - ra ? 1 : a->shape.size[i - (rank - ra)];
        const int64_t nb = i < rank - rb ? 1 : b->shape.size[i - (rank - rb)];
        if (na != nb && na != 1 && nb != 1) {
            char ta[ORR_TYPE_TEXT], tb[ORR_TYPE_TEXT];
            return orr_graph_fail(g, op, "shapes %s and %s don't broadcast", orr_type_print(a, ta, sizeof ta),
                                  orr_type_print(b, tb, sizeof tb));
        }
        out->size[i] = na == 1 ? nb : na;
    }
    return true;
}
