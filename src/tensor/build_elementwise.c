/* Elementwise public functions: broadcast as in NumPy, and leave out what algebra makes superfluous, so that
 * derivatives built by rule come out as short as those written by hand.  Nothing here changes a value, except that x +
 * 0 keeps -0. */
#define ORR_TENSOR_INSIDE
#include <math.h>

#include "tensor/graph.h"
#include "tensor/op_shape.h"

static bool valid(const orr_graph *g, orr_node a) { return g->status == ORR_OK && a.id > 0 && a.id < g->n; }

static bool is_fill(const orr_graph *g, orr_node a, double value) {
    double held;
    return orr_graph_is_fill(g, a, &held) && held == value;
}

static orr_node unary(orr_graph *g, orr_op_code code, orr_node a) { return orr_graph_call(g, code, &a, 1, NULL); }

/* Brings two operands to one shape. */
static bool align(orr_graph *g, orr_op_code code, orr_node *a, orr_node *b) {
    if (!valid(g, *a) || !valid(g, *b)) return true; /* orr_graph_call refuses them in words */
    const orr_type ta = *orr_graph_type(g, *a), tb = *orr_graph_type(g, *b);
    orr_shape shape;
    if (orr_shape_equal(&ta.shape, &tb.shape)) return true;
    if (!orr_shape_broadcast(g, orr_ops[code]->name, &ta, &tb, &shape)) return false;
    *a = orr_broadcast(g, *a, shape);
    *b = orr_broadcast(g, *b, shape);
    return true;
}

static orr_node binary(orr_graph *g, orr_op_code code, orr_node a, orr_node b) {
    if (!align(g, code, &a, &b)) return ORR_NONE;
    return orr_graph_call(g, code, (const orr_node[]){ a, b }, 2, NULL);
}

/* Both are fills of a floating type: the result of folding is one too. */
static bool two_fills(const orr_graph *g, orr_node a, orr_node b, double *x, double *y) {
    return orr_node_dtype(g, a) != ORR_BOOL && orr_node_dtype(g, a) == orr_node_dtype(g, b) &&
           orr_graph_is_fill(g, a, x) && orr_graph_is_fill(g, b, y);
}

static bool is_float(const orr_graph *g, orr_node a) { return orr_node_dtype(g, a) <= ORR_F64; }

static bool same_type(const orr_graph *g, orr_node a, orr_node b) {
    return orr_node_dtype(g, a) == orr_node_dtype(g, b);
}

orr_node orr_neg(orr_graph *g, orr_node a) {
    double x;
    if (valid(g, a)) {
        if (g->nodes[a.id].op->code == ORR_OP_neg) return g->nodes[a.id].args[0];
        if (is_float(g, a) && orr_graph_is_fill(g, a, &x)) return orr_fill_like(g, a, -x);
    }
    return unary(g, ORR_OP_neg, a);
}

orr_node orr_exp(orr_graph *g, orr_node a) { return unary(g, ORR_OP_exp, a); }
orr_node orr_expm1(orr_graph *g, orr_node a) { return unary(g, ORR_OP_expm1, a); }
orr_node orr_log(orr_graph *g, orr_node a) { return unary(g, ORR_OP_log, a); }
orr_node orr_log1p(orr_graph *g, orr_node a) { return unary(g, ORR_OP_log1p, a); }
orr_node orr_sqrt(orr_graph *g, orr_node a) { return unary(g, ORR_OP_sqrt, a); }
orr_node orr_sin(orr_graph *g, orr_node a) { return unary(g, ORR_OP_sin, a); }
orr_node orr_cos(orr_graph *g, orr_node a) { return unary(g, ORR_OP_cos, a); }
orr_node orr_tanh(orr_graph *g, orr_node a) { return unary(g, ORR_OP_tanh, a); }
orr_node orr_sigmoid(orr_graph *g, orr_node a) { return unary(g, ORR_OP_sigmoid, a); }
orr_node orr_erf(orr_graph *g, orr_node a) { return unary(g, ORR_OP_erf, a); }
orr_node orr_normal_cdf(orr_graph *g, orr_node a) { return unary(g, ORR_OP_normal_cdf, a); }
orr_node orr_abs(orr_graph *g, orr_node a) { return unary(g, ORR_OP_abs, a); }
orr_node orr_sign(orr_graph *g, orr_node a) { return unary(g, ORR_OP_sign, a); }
orr_node orr_floor(orr_graph *g, orr_node a) { return unary(g, ORR_OP_floor, a); }
orr_node orr_is_finite(orr_graph *g, orr_node a) { return unary(g, ORR_OP_is_finite, a); }
orr_node orr_not(orr_graph *g, orr_node a) { return unary(g, ORR_OP_not, a); }
orr_node orr_stop(orr_graph *g, orr_node a) { return unary(g, ORR_OP_stop, a); }

/* What `a` is a concatenation of along an axis, or itself; 0 where that is more than there is room for. */
static int32_t parts_of(const orr_graph *g, orr_node a, int32_t axis, orr_node *parts, int32_t room) {
    const orr_graph_node *n = &g->nodes[a.id];
    if (n->op->code != ORR_OP_concat || ((const orr_attr_concat *)n->attr)->axis != axis || n->n_args > room) {
        if (room > 0) parts[0] = a;
        return room > 0;
    }
    for (int32_t i = 0; i < n->n_args; i++) parts[i] = n->args[i];
    return n->n_args;
}

/* The sum of two padded arrays of which b begins where a ends: one behind the other, then padded.  Gradients of slices
 * are such: of queries, keys and values that one product has made.  ORR_NONE where they are no neighbours. */
static orr_node joined(orr_graph *g, orr_node a, orr_node b) {
    enum { PARTS_MAX = 64 };
    const orr_graph_node *na = &g->nodes[a.id], *nb = &g->nodes[b.id];
    if (na->op->code != ORR_OP_pad || nb->op->code != ORR_OP_pad) return ORR_NONE;
    const orr_attr_pad *pa = na->attr, *pb = nb->attr;
    const int32_t axis = pa->axis;
    if (pb->axis != axis || pa->interior != 0 || pb->interior != 0 || pa->low < 0 || pb->high < 0) return ORR_NONE;
    if (pa->low + orr_node_shape(g, na->args[0]).size[axis] != pb->low) return ORR_NONE;
    const int64_t low = pa->low, high = pb->high;
    orr_node parts[PARTS_MAX];
    const int32_t n = parts_of(g, na->args[0], axis, parts, PARTS_MAX),
                  m = parts_of(g, nb->args[0], axis, parts + n, PARTS_MAX - n);
    if (n == 0 || m == 0) return ORR_NONE;
    return orr_pad(g, orr_concat(g, parts, n + m, axis), axis, low, high, 0);
}

orr_node orr_add(orr_graph *g, orr_node a, orr_node b) {
    double x, y;
    if (!align(g, ORR_OP_add, &a, &b)) return ORR_NONE;
    if (valid(g, a) && valid(g, b) && same_type(g, a, b) && is_float(g, a)) {
        if (is_fill(g, a, 0.0)) return b;
        if (is_fill(g, b, 0.0)) return a;
        if (two_fills(g, a, b, &x, &y)) return orr_fill_like(g, a, x + y);
        if (g->nodes[b.id].op->code == ORR_OP_neg) return orr_sub(g, a, g->nodes[b.id].args[0]);
        if (g->nodes[a.id].op->code == ORR_OP_neg) return orr_sub(g, b, g->nodes[a.id].args[0]);
        orr_node pads = joined(g, a, b);
        if (!pads.id) pads = joined(g, b, a);
        if (pads.id) return pads;
    }
    return binary(g, ORR_OP_add, a, b);
}

orr_node orr_sub(orr_graph *g, orr_node a, orr_node b) {
    double x, y;
    if (!align(g, ORR_OP_sub, &a, &b)) return ORR_NONE;
    if (valid(g, a) && valid(g, b) && same_type(g, a, b) && is_float(g, a)) {
        if (is_fill(g, a, 0.0)) return orr_neg(g, b);
        if (is_fill(g, b, 0.0)) return a;
        if (two_fills(g, a, b, &x, &y)) return orr_fill_like(g, a, x - y);
        if (g->nodes[b.id].op->code == ORR_OP_neg) return orr_add(g, a, g->nodes[b.id].args[0]);
    }
    return binary(g, ORR_OP_sub, a, b);
}

orr_node orr_mul(orr_graph *g, orr_node a, orr_node b) {
    double x, y;
    if (!align(g, ORR_OP_mul, &a, &b)) return ORR_NONE;
    if (valid(g, a) && valid(g, b) && same_type(g, a, b) && is_float(g, a)) {
        if (is_fill(g, a, 1.0)) return b;
        if (is_fill(g, b, 1.0)) return a;
        if (is_fill(g, a, -1.0)) return orr_neg(g, b);
        if (is_fill(g, b, -1.0)) return orr_neg(g, a);
        if (two_fills(g, a, b, &x, &y)) return orr_fill_like(g, a, x * y);
    }
    return binary(g, ORR_OP_mul, a, b);
}

orr_node orr_div(orr_graph *g, orr_node a, orr_node b) {
    double x, y;
    if (!align(g, ORR_OP_div, &a, &b)) return ORR_NONE;
    if (valid(g, a) && valid(g, b) && same_type(g, a, b) && is_float(g, a)) {
        if (is_fill(g, b, 1.0)) return a;
        if (two_fills(g, a, b, &x, &y)) return orr_fill_like(g, a, x / y);
    }
    return binary(g, ORR_OP_div, a, b);
}

/* a^0 = 1, a^1 = a, a^2 = a a, a^(1/2) = sqrt a; other powers stay. */
orr_node orr_pow(orr_graph *g, orr_node a, orr_node b) {
    double c;
    if (!align(g, ORR_OP_pow, &a, &b)) return ORR_NONE;
    if (valid(g, a) && valid(g, b) && same_type(g, a, b) && orr_graph_is_fill(g, b, &c)) {
        if (c == 0.0) return orr_fill_like(g, a, 1.0);
        if (c == 1.0) return a;
        if (c == 2.0) return orr_mul(g, a, a);
        if (c == 0.5) return orr_sqrt(g, a);
    }
    return binary(g, ORR_OP_pow, a, b);
}

orr_node orr_rem(orr_graph *g, orr_node a, orr_node b) { return binary(g, ORR_OP_rem, a, b); }
orr_node orr_max(orr_graph *g, orr_node a, orr_node b) { return binary(g, ORR_OP_max, a, b); }
orr_node orr_min(orr_graph *g, orr_node a, orr_node b) { return binary(g, ORR_OP_min, a, b); }
orr_node orr_lt(orr_graph *g, orr_node a, orr_node b) { return binary(g, ORR_OP_lt, a, b); }
orr_node orr_le(orr_graph *g, orr_node a, orr_node b) { return binary(g, ORR_OP_le, a, b); }
orr_node orr_gt(orr_graph *g, orr_node a, orr_node b) { return binary(g, ORR_OP_lt, b, a); }
orr_node orr_ge(orr_graph *g, orr_node a, orr_node b) { return binary(g, ORR_OP_le, b, a); }
orr_node orr_eq(orr_graph *g, orr_node a, orr_node b) { return binary(g, ORR_OP_eq, a, b); }
orr_node orr_and(orr_graph *g, orr_node a, orr_node b) { return binary(g, ORR_OP_and, a, b); }
orr_node orr_or(orr_graph *g, orr_node a, orr_node b) { return binary(g, ORR_OP_or, a, b); }

orr_node orr_select(orr_graph *g, orr_node condition, orr_node a, orr_node b) {
    if (!align(g, ORR_OP_select, &a, &b) || !align(g, ORR_OP_select, &condition, &a) ||
        !align(g, ORR_OP_select, &condition, &b))
        return ORR_NONE;
    return orr_graph_call(g, ORR_OP_select, (const orr_node[]){ condition, a, b }, 3, NULL);
}

/* A constant of a's type. */
static orr_node constant_like(orr_graph *g, const char *op, orr_node a, double value) {
    if (g->status != ORR_OK) return ORR_NONE;
    if (!valid(g, a)) (void)orr_graph_fail(g, op, "argument 1 is no node of this graph (ORR_NONE?)");
    else if (!is_float(g, a) && value != trunc(value))
        (void)orr_graph_fail(g, op, "%g is no %s", value, orr_dtype_name(orr_node_dtype(g, a)));
    return orr_fill_like(g, a, value);
}

orr_node orr_scale(orr_graph *g, orr_node a, double factor) {
    const orr_node c = constant_like(g, "scale", a, factor);
    return orr_mul(g, c, a);
}

orr_node orr_shift(orr_graph *g, orr_node a, double term) {
    const orr_node c = constant_like(g, "shift", a, term);
    return orr_add(g, a, c);
}

orr_node orr_square(orr_graph *g, orr_node a) { return orr_mul(g, a, a); }

orr_node orr_reciprocal(orr_graph *g, orr_node a) {
    const orr_node one = constant_like(g, "reciprocal", a, 1.0);
    return orr_div(g, one, a);
}
