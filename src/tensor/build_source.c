/* Sources, random numbers and casts: public functions that make one primitive each. */
#define ORR_TENSOR_INSIDE
#include <math.h>
#include <string.h>

#include "tensor/graph.h"
#include "tensor/op_shape.h"

static orr_type clean_type(orr_dtype dtype, const orr_shape *shape) {
    orr_type t;
    memset(&t, 0, sizeof t);
    t.dtype = dtype;
    t.shape.rank = shape->rank;
    for (int32_t i = 0; i < shape->rank && i < ORR_RANK_MAX; i++) t.shape.size[i] = shape->size[i];
    return t;
}

static void put_type(orr_type *to, orr_dtype dtype, const orr_shape *shape) {
    const orr_type t = clean_type(dtype, shape);
    memcpy(to, &t, sizeof t); /* padding too: equal attributes have equal bytes */
}

orr_node orr_input(orr_graph *g, const char *name, orr_dtype dtype, orr_shape shape) {
    if (orr_graph_failed(g)) return ORR_NONE;
    for (int32_t i = 1; i < g->n; i++)
        if (g->nodes[i].op->code == ORR_OP_input &&
            strcmp(((const orr_attr_input *)g->nodes[i].attr)->name, name) == 0) {
            (void)orr_graph_fail(g, "input", "\"%s\" is the name of another input", name);
            return ORR_NONE;
        }
    orr_attr_input attr;
    memset(&attr, 0, sizeof attr);
    attr.name = orr_arena_string(g->arena, name);
    put_type(&attr.type, dtype, &shape);
    if (!attr.name) {
        (void)orr_graph_out_of_memory(g, "input");
        return ORR_NONE;
    }
    return orr_graph_call(g, ORR_OP_input, NULL, 0, &attr);
}

orr_node orr_fill(orr_graph *g, orr_dtype dtype, orr_shape shape, double value) {
    orr_attr_fill attr;
    memset(&attr, 0, sizeof attr);
    put_type(&attr.type, dtype, &shape);
    attr.value = dtype == ORR_F32 ? (double)(float)value : dtype == ORR_F64 ? value : trunc(value);
    if (dtype == ORR_BOOL) attr.value = value != 0.0;
    if (dtype == ORR_I32 && !(attr.value >= INT32_MIN && attr.value <= INT32_MAX))
        (void)orr_graph_fail(g, "fill", "%g is no i32", value);
    return orr_graph_call(g, ORR_OP_fill, NULL, 0, &attr);
}

orr_node orr_literal(orr_graph *g, orr_dtype dtype, orr_shape shape, const void *data) {
    if (orr_graph_failed(g)) return ORR_NONE;
    orr_attr_literal attr;
    memset(&attr, 0, sizeof attr);
    put_type(&attr.type, dtype, &shape);
    if (!orr_graph_check_size(g, orr_ops[ORR_OP_literal], &attr.type)) return ORR_NONE; /* before the data is read */
    const int64_t n = orr_shape_count(&shape);
    void *copy = orr_arena_take(g->arena, n, orr_dtype_size(dtype));
    if (!copy) {
        (void)orr_graph_out_of_memory(g, "literal");
        return ORR_NONE;
    }
    if (n) memcpy(copy, data, (size_t)n * orr_dtype_size(dtype));
    attr.data = copy;
    return orr_graph_call(g, ORR_OP_literal, NULL, 0, &attr);
}

orr_node orr_iota(orr_graph *g, orr_dtype dtype, orr_shape shape, int32_t axis) {
    if (orr_graph_failed(g)) return ORR_NONE;
    orr_attr_iota attr;
    memset(&attr, 0, sizeof attr);
    put_type(&attr.type, dtype, &shape);
    attr.axis = orr_axis_resolve(g, "iota", axis, shape.rank);
    if (dtype == ORR_BOOL) (void)orr_graph_fail(g, "iota", "an index is no bool");
    return orr_graph_call(g, ORR_OP_iota, NULL, 0, &attr);
}

orr_node orr_cast(orr_graph *g, orr_node a, orr_dtype dtype) {
    if (orr_graph_failed(g) || (a.id > 0 && a.id < g->n && orr_node_dtype(g, a) == dtype)) return a;
    double value;
    if (a.id > 0 && a.id < g->n && orr_graph_is_fill(g, a, &value) && isfinite(value))
        return orr_fill(g, dtype, orr_node_shape(g, a), value);
    const orr_attr_cast attr = { .dtype = dtype };
    return orr_graph_call(g, ORR_OP_cast, &a, 1, &attr);
}

static orr_node random_call(orr_graph *g, orr_node key, orr_distribution distribution, orr_dtype dtype, int32_t below,
                            const orr_shape *shape) {
    orr_attr_random attr;
    memset(&attr, 0, sizeof attr);
    put_type(&attr.type, dtype, shape);
    attr.distribution = distribution;
    attr.below = below;
    if (distribution != ORR_INT && dtype != ORR_F32 && dtype != ORR_F64)
        (void)orr_graph_fail(g, "random", "draws f32 or f64, not %s", orr_dtype_name(dtype));
    return orr_graph_call(g, ORR_OP_random, &key, 1, &attr);
}

orr_node orr_random_uniform(orr_graph *g, orr_node key, orr_dtype dtype, orr_shape shape) {
    return random_call(g, key, ORR_UNIFORM, dtype, 0, &shape);
}
orr_node orr_random_normal(orr_graph *g, orr_node key, orr_dtype dtype, orr_shape shape) {
    return random_call(g, key, ORR_NORMAL, dtype, 0, &shape);
}
orr_node orr_random_sign(orr_graph *g, orr_node key, orr_dtype dtype, orr_shape shape) {
    return random_call(g, key, ORR_SIGN, dtype, 0, &shape);
}
orr_node orr_random_int(orr_graph *g, orr_node key, int32_t below, orr_shape shape) {
    if (below < 1) (void)orr_graph_fail(g, "random", "whole numbers below %d: there is none", below);
    return random_call(g, key, ORR_INT, ORR_I32, below, &shape);
}
