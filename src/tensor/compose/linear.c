/* Linear maps, tables and inner products. */
#define ORR_TENSOR_INSIDE
#include "tensor/compose/compose.h"

/* y[..., o] = sum_i x[..., i] w[o, i] + b[o], as one matrix product: leading axes are merged. */
orr_node orr_linear(orr_graph *g, orr_node x, orr_node w, orr_node b) {
    if (!orr_compose_float(g, "linear", "x", x, 1) || !orr_compose_float(g, "linear", "w", w, 2)) return ORR_NONE;
    const orr_type t = *orr_graph_type(g, x), tw = *orr_graph_type(g, w);
    const int64_t in = t.shape.size[t.shape.rank - 1], out = tw.shape.size[0];
    if (!orr_compose_type(g, "linear", "w", w, t.dtype, ORR_SHAPE(out, in)) ||
        !orr_compose_vector(g, "linear", "b", b, t.dtype, out))
        return ORR_NONE;
    orr_shape shape = t.shape;
    shape.size[shape.rank - 1] = out;
    int64_t rows = 1;
    for (int32_t i = 0; i < t.shape.rank - 1; i++) rows *= t.shape.size[i];
    const orr_node y = t.shape.rank == 1 ? orr_einsum(g, "i,oi->o", x, w)
                                         : orr_einsum(g, "ni,oi->no", orr_reshape(g, x, ORR_SHAPE(rows, in)), w);
    /* Shaped before the bias, which then joins what comes after in one pass. */
    const orr_node shaped = orr_reshape(g, y, shape);
    return b.id ? orr_add(g, shaped, b) : shaped;
}

/* y[..., :] = table[index[...], :]; an index out of range ends the run with ORR_EINPUT. */
orr_node orr_embedding(orr_graph *g, orr_node table, orr_node index) {
    if (!orr_compose_float(g, "embedding", "the table", table, 2) ||
        !orr_compose_index(g, "embedding", "the index", index))
        return ORR_NONE;
    if (orr_node_shape(g, table).rank != 2) {
        (void)orr_graph_fail(g, "embedding", "the table has %d axes; expected table[v, d]",
                             orr_node_shape(g, table).rank);
        return ORR_NONE;
    }
    return orr_gather(g, table, index, 0);
}

/* y = sum_k sum over all elements of a_k b_k */
orr_node orr_dot(orr_graph *g, const orr_node *a, const orr_node *b, int32_t n) {
    orr_node sum = ORR_NONE;
    if (n < 1) (void)orr_graph_fail(g, "dot", "of %d pairs; expected one at least", n);
    for (int32_t i = 0; i < n; i++) {
        if (!orr_compose_float(g, "dot", "the first of a pair", a[i], 0)) return ORR_NONE;
        const orr_type t = *orr_graph_type(g, a[i]);
        if (!orr_compose_type(g, "dot", "the second of a pair", b[i], t.dtype, t.shape)) return ORR_NONE;
        if (i > 0 && t.dtype != orr_node_dtype(g, a[0])) {
            (void)orr_graph_fail(g, "dot", "pair %d is %s where pair 1 is %s; see orr_cast", i + 1,
                                 orr_dtype_name(t.dtype), orr_dtype_name(orr_node_dtype(g, a[0])));
            return ORR_NONE;
        }
        sum = orr_add_maybe(g, sum, orr_sum_all(g, orr_mul(g, a[i], b[i])));
    }
    return sum;
}
