/* Reductions, movement, indexing and convolution: public functions, with axes counted from either end. */
#define ORR_TENSOR_INSIDE
#include <string.h>

#include "tensor/graph.h"
#include "tensor/op/convolve.h"
#include "tensor/op_index.h"

static bool valid(orr_graph *g, const char *op, orr_node a) {
    if (g->status != ORR_OK) return false;
    if (a.id > 0 && a.id < g->n) return true;
    return orr_graph_fail(g, op, "an argument is no node of this graph (ORR_NONE?)");
}

/* ---- reductions ------------------------------------------------------------------------------------------------ */

static orr_node reduce(orr_graph *g, orr_op_code code, orr_node a, const orr_axes *axes) {
    const char *name = orr_ops[code]->name;
    if (!valid(g, name, a)) return ORR_NONE;
    if (axes->n == 0) return a;
    orr_attr_reduce attr = { 0 };
    for (int32_t i = 0; i < axes->n; i++) {
        const int32_t axis = orr_axis_resolve(g, name, axes->axis[i], orr_node_shape(g, a).rank);
        if (axis < 0) return ORR_NONE;
        if (attr.axes >> axis & 1u) {
            (void)orr_graph_fail(g, name, "axis %d is named twice", axes->axis[i]);
            return ORR_NONE;
        }
        attr.axes |= 1u << axis;
    }
    return orr_graph_call(g, code, &a, 1, &attr);
}

/* The reduced value with extent 1 in the place of each axis that went. */
static orr_node keep(orr_graph *g, orr_node a, orr_node reduced, const orr_axes *axes) {
    if (g->status != ORR_OK) return ORR_NONE;
    orr_shape shape = orr_node_shape(g, a);
    for (int32_t i = 0; i < axes->n; i++)
        shape.size[axes->axis[i] < 0 ? axes->axis[i] + shape.rank : axes->axis[i]] = 1;
    return orr_reshape(g, reduced, shape);
}

static orr_axes all_axes(const orr_graph *g, orr_node a) {
    orr_axes axes = { .n = orr_node_shape(g, a).rank };
    for (int32_t i = 0; i < axes.n; i++) axes.axis[i] = i;
    return axes;
}

static double count_over(const orr_graph *g, orr_node a, const orr_axes *axes) {
    const orr_shape s = orr_node_shape(g, a);
    double n = 1.0;
    for (int32_t i = 0; i < axes->n; i++)
        n *= (double)s.size[axes->axis[i] < 0 ? axes->axis[i] + s.rank : axes->axis[i]];
    return n;
}

orr_node orr_sum(orr_graph *g, orr_node a, orr_axes axes) { return reduce(g, ORR_OP_sum, a, &axes); }
orr_node orr_sum_keep(orr_graph *g, orr_node a, orr_axes axes) { return keep(g, a, orr_sum(g, a, axes), &axes); }

orr_node orr_sum_all(orr_graph *g, orr_node a) { return valid(g, "sum", a) ? orr_sum(g, a, all_axes(g, a)) : ORR_NONE; }

/* A division, not a product with 1/n: exact where the sum is a multiple of n. */
static orr_node divide(orr_graph *g, orr_node sum, double n) {
    return g->status == ORR_OK ? orr_div(g, sum, orr_fill_like(g, sum, n)) : ORR_NONE;
}

orr_node orr_mean(orr_graph *g, orr_node a, orr_axes axes) {
    const orr_node sum = orr_sum(g, a, axes);
    return divide(g, sum, g->status == ORR_OK ? count_over(g, a, &axes) : 1.0);
}
orr_node orr_mean_keep(orr_graph *g, orr_node a, orr_axes axes) { return keep(g, a, orr_mean(g, a, axes), &axes); }
orr_node orr_mean_all(orr_graph *g, orr_node a) {
    return valid(g, "mean", a) ? orr_mean(g, a, all_axes(g, a)) : ORR_NONE;
}

orr_node orr_reduce_max(orr_graph *g, orr_node a, orr_axes axes) { return reduce(g, ORR_OP_reduce_max, a, &axes); }
orr_node orr_reduce_max_keep(orr_graph *g, orr_node a, orr_axes axes) {
    return keep(g, a, orr_reduce_max(g, a, axes), &axes);
}

/* n - max over i of (n - i where a[i] attains the maximum): the first of equals; 0 where all are NaN. */
orr_node orr_argmax(orr_graph *g, orr_node a, int32_t axis) {
    if (!valid(g, "argmax", a)) return ORR_NONE;
    const orr_shape shape = orr_node_shape(g, a);
    axis = orr_axis_resolve(g, "argmax", axis, shape.rank);
    if (axis < 0) return ORR_NONE;
    if (shape.size[axis] < 1 || shape.size[axis] > INT32_MAX) {
        (void)orr_graph_fail(g, "argmax", "an axis of extent %lld", (long long)shape.size[axis]);
        return ORR_NONE;
    }
    const double n = (double)shape.size[axis];
    const orr_node attains = orr_eq(g, a, orr_reduce_max_keep(g, a, ORR_AXES(axis)));
    const orr_node left = orr_sub(g, orr_fill(g, ORR_I32, shape, n), orr_iota(g, ORR_I32, shape, axis));
    const orr_node candidates = orr_select(g, attains, left, orr_fill(g, ORR_I32, shape, 0.0));
    const orr_node best = orr_reduce_max(g, candidates, ORR_AXES(axis)); /* n - first index; 0 where none attains it */
    const orr_node first = orr_sub(g, orr_fill_like(g, best, n), best);
    return orr_select(g, orr_gt(g, best, orr_fill_like(g, best, 0.0)), first, orr_fill_like(g, best, 0.0));
}

/* ---- movement -------------------------------------------------------------------------------------------------- */

static orr_node shape_call(orr_graph *g, orr_op_code code, orr_node a, const orr_shape *shape) {
    orr_attr_shape attr;
    memset(&attr, 0, sizeof attr);
    attr.shape.rank = shape->rank;
    if (shape->rank < 0 || shape->rank > ORR_RANK_MAX) {
        (void)orr_graph_fail(g, orr_ops[code]->name, "%d axes; at most %d are possible", shape->rank, ORR_RANK_MAX);
        return ORR_NONE;
    }
    for (int32_t i = 0; i < shape->rank; i++) attr.shape.size[i] = shape->size[i];
    return orr_graph_call(g, code, &a, 1, &attr);
}

orr_node orr_reshape(orr_graph *g, orr_node a, orr_shape shape) {
    if (!valid(g, "reshape", a)) return ORR_NONE;
    const orr_type t = *orr_graph_type(g, a);
    int32_t open = -1;
    for (int32_t i = 0; i < shape.rank && i < ORR_RANK_MAX; i++) {
        if (shape.size[i] != -1) continue;
        if (open < 0) open = i;
        else (void)orr_graph_fail(g, "reshape", "two extents are -1; one can be worked out");
    }
    if (open >= 0) {
        shape.size[open] = 1;
        const int64_t count = orr_shape_count(&t.shape), known = orr_shape_count(&shape);
        if (known <= 0 || count % known != 0) {
            char text[ORR_TYPE_TEXT];
            (void)orr_graph_fail(g, "reshape", "the extents given, %lld in all, don't divide %s", (long long)known,
                                 orr_type_print(&t, text, sizeof text));
            return ORR_NONE;
        }
        shape.size[open] = count / known;
    }
    if (orr_shape_equal(&shape, &t.shape)) return a;
    double value;
    if (orr_graph_is_fill(g, a, &value) && orr_shape_count(&shape) == orr_shape_count(&t.shape))
        return orr_fill(g, t.dtype, shape, value);
    const orr_graph_node *n = &g->nodes[a.id];
    if (n->op->code == ORR_OP_reshape) return orr_reshape(g, n->args[0], shape);
    return shape_call(g, ORR_OP_reshape, a, &shape);
}

static bool broadcasts_to(const orr_shape *from, const orr_shape *to) {
    const int32_t lead = to->rank - from->rank;
    bool fits = lead >= 0;
    for (int32_t i = 0; fits && i < from->rank; i++) fits = from->size[i] == 1 || from->size[i] == to->size[i + lead];
    return fits;
}

orr_node orr_broadcast(orr_graph *g, orr_node a, orr_shape shape) {
    if (!valid(g, "broadcast", a)) return ORR_NONE;
    const orr_type t = *orr_graph_type(g, a);
    if (orr_shape_equal(&shape, &t.shape)) return a;
    double value;
    if (orr_graph_is_fill(g, a, &value) && broadcasts_to(&t.shape, &shape)) return orr_fill(g, t.dtype, shape, value);
    return shape_call(g, ORR_OP_broadcast, a, &shape);
}

orr_node orr_transpose(orr_graph *g, orr_node a, orr_axes order) {
    if (!valid(g, "transpose", a)) return ORR_NONE;
    const orr_type t = *orr_graph_type(g, a);
    if (order.n != t.shape.rank) {
        (void)orr_graph_fail(g, "transpose", "an order of %d axes for a tensor with %d", order.n, t.shape.rank);
        return ORR_NONE;
    }
    orr_attr_transpose attr;
    memset(&attr, 0, sizeof attr);
    bool moves = false;
    for (int32_t i = 0; i < order.n; i++) {
        attr.order[i] = orr_axis_resolve(g, "transpose", order.axis[i], order.n);
        moves = moves || attr.order[i] != i;
    }
    if (!moves || g->status != ORR_OK) return a;
    const orr_graph_node *n = &g->nodes[a.id];
    if (n->op->code == ORR_OP_transpose) { /* two orders are one */
        const int32_t *inner = ((const orr_attr_transpose *)n->attr)->order;
        orr_axes both = { .n = order.n };
        for (int32_t i = 0; i < order.n; i++) both.axis[i] = inner[attr.order[i]];
        return orr_transpose(g, n->args[0], both);
    }
    return orr_graph_call(g, ORR_OP_transpose, &a, 1, &attr);
}

orr_node orr_swap_axes(orr_graph *g, orr_node a, int32_t first, int32_t second) {
    if (!valid(g, "swap_axes", a)) return ORR_NONE;
    orr_axes order = all_axes(g, a);
    first = orr_axis_resolve(g, "swap_axes", first, order.n);
    second = orr_axis_resolve(g, "swap_axes", second, order.n);
    if (first < 0 || second < 0) return ORR_NONE;
    order.axis[first] = second;
    order.axis[second] = first;
    return orr_transpose(g, a, order);
}

orr_node orr_expand(orr_graph *g, orr_node a, int32_t axis) {
    if (!valid(g, "expand", a)) return ORR_NONE;
    const orr_shape shape = orr_node_shape(g, a);
    axis = orr_axis_resolve(g, "expand", axis, shape.rank + 1);
    return axis < 0 ? ORR_NONE : orr_reshape(g, a, orr_shape_insert(shape, axis, 1));
}

orr_node orr_squeeze(orr_graph *g, orr_node a, int32_t axis) {
    if (!valid(g, "squeeze", a)) return ORR_NONE;
    const orr_shape shape = orr_node_shape(g, a);
    axis = orr_axis_resolve(g, "squeeze", axis, shape.rank);
    if (axis >= 0 && shape.size[axis] == 1) return orr_reshape(g, a, orr_shape_remove(shape, axis));
    if (axis >= 0)
        (void)orr_graph_fail(g, "squeeze", "axis %d has extent %lld, not 1", axis, (long long)shape.size[axis]);
    return ORR_NONE;
}

orr_node orr_slice(orr_graph *g, orr_node a, int32_t axis, int64_t start, int64_t stop, int64_t step) {
    if (!valid(g, "slice", a)) return ORR_NONE;
    const orr_shape shape = orr_node_shape(g, a);
    orr_attr_slice attr;
    memset(&attr, 0, sizeof attr);
    attr.axis = orr_axis_resolve(g, "slice", axis, shape.rank);
    if (attr.axis < 0) return ORR_NONE;
    if (start == 0 && stop == shape.size[attr.axis] && step == 1) return a;
    attr.start = start, attr.stop = stop, attr.step = step;
    return orr_graph_call(g, ORR_OP_slice, &a, 1, &attr);
}

orr_node orr_pad(orr_graph *g, orr_node a, int32_t axis, int64_t low, int64_t high, int64_t interior) {
    if (!valid(g, "pad", a)) return ORR_NONE;
    const orr_shape shape = orr_node_shape(g, a);
    orr_attr_pad attr;
    memset(&attr, 0, sizeof attr);
    attr.axis = orr_axis_resolve(g, "pad", axis, shape.rank);
    if (attr.axis < 0) return ORR_NONE;
    if (low == 0 && high == 0 && (interior == 0 || (interior > 0 && shape.size[attr.axis] < 2))) return a;
    attr.low = low, attr.high = high, attr.interior = interior;
    return orr_graph_call(g, ORR_OP_pad, &a, 1, &attr);
}

orr_node orr_concat(orr_graph *g, const orr_node *parts, int32_t n, int32_t axis) {
    if (n < 1 || !valid(g, "concat", parts[0])) {
        if (n < 1) (void)orr_graph_fail(g, "concat", "of nothing");
        return ORR_NONE;
    }
    orr_attr_concat attr = { .axis = orr_axis_resolve(g, "concat", axis, orr_node_shape(g, parts[0]).rank) };
    if (attr.axis < 0) return ORR_NONE;
    return n == 1 ? parts[0] : orr_graph_call(g, ORR_OP_concat, parts, n, &attr);
}

/* ---- indexing: any axis, by moving it in front ----------------------------------------------------------------- */

orr_node orr_gather(orr_graph *g, orr_node a, orr_node index, int32_t axis) {
    if (!valid(g, "gather", a) || !valid(g, "gather", index)) return ORR_NONE;
    const int32_t rank = orr_node_shape(g, a).rank, k = orr_node_shape(g, index).rank;
    axis = orr_axis_resolve(g, "gather", axis, rank);
    if (axis < 0) return ORR_NONE;
    const orr_node front = orr_gather_call(g, orr_move_axis(g, a, axis, 0), index, 0); /* [k..., before, after] */
    if (axis == 0 || !front.id) return front;
    orr_axes order = { .n = rank - 1 + k };
    for (int32_t i = 0; i < order.n; i++) order.axis[i] = i < axis ? k + i : i < axis + k ? i - axis : i;
    return orr_transpose(g, front, order);
}

orr_node orr_scatter_add(orr_graph *g, orr_node a, orr_node index, int32_t axis, int64_t extent) {
    if (!valid(g, "scatter_add", a) || !valid(g, "scatter_add", index)) return ORR_NONE;
    const int32_t rank = orr_node_shape(g, a).rank, k = orr_node_shape(g, index).rank;
    axis = orr_axis_resolve(g, "scatter_add", axis, rank - k + 1);
    if (axis < 0) return ORR_NONE;
    orr_axes order = { .n = rank };
    for (int32_t i = 0; i < rank; i++) order.axis[i] = i < k ? axis + i : i < k + axis ? i - k : i;
    return orr_move_axis(g, orr_scatter_add_call(g, orr_transpose(g, a, order), index, 0, extent), 0, axis);
}

orr_node orr_convolve(orr_graph *g, orr_node a, orr_node w, orr_convolution how) {
    if (how.groups == 0) how.groups = 1;
    for (int i = 0; i < 3; i++) {
        if (how.stride[i] == 0) how.stride[i] = 1;
        if (how.dilation[i] == 0) how.dilation[i] = 1;
    }
    return orr_convolve_forward(g, a, w, &how);
}
