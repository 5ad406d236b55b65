#define ORR_TENSOR_INSIDE
#include "tensor/op_shape.h"

/* y = a along one axis with `low` zeros before, `high` after and `interior` between neighbours; negative low or high cut.
 * abar = those of ybar that came from a */
static bool type(orr_graph *g, const orr_call *call, orr_type *out) {
    const orr_attr_pad *p = call->attr;
    *out = *orr_graph_type(g, call->args[0]);
    const int64_t n = out->shape.size[p->axis], limit = INT64_C(1) << 40;
    if (p->interior < 0 || p->interior > limit || p->low > limit || p->high > limit || p->low < -limit ||
        p->high < -limit)
        return orr_graph_fail(g, "pad", "low %lld, high %lld, interior %lld; interior is at least 0, all below 2^40",
                              (long long)p->low, (long long)p->high, (long long)p->interior);
    int64_t size = 0; /* n + (n - 1) interior + low + high */
    if (n > 0 && (__builtin_mul_overflow(n - 1, p->interior, &size) || __builtin_add_overflow(size, n, &size)))
        return orr_graph_fail(g, "pad", "the result is too large to count");
    if (size > INT64_MAX - 2 * limit) return orr_graph_fail(g, "pad", "the result is too large to count");
    size += p->low + p->high;
    if (size < 0)
        return orr_graph_fail(g, "pad", "low %lld and high %lld cut more than the axis of %lld has", (long long)p->low,
                              (long long)p->high, (long long)n);
    out->shape.size[p->axis] = size;
    return true;
}

/* a[i] stands at low + i (interior + 1); of those that weren't cut, slice; the cut ones get zeros. */
static orr_node vjp(orr_graph *g, const orr_call *call, orr_node ybar, int32_t arg) {
    const orr_attr_pad *p = call->attr;
    const int64_t n = orr_node_shape(g, call->args[arg]).size[p->axis], size = orr_node_shape(g, ybar).size[p->axis];
    const int64_t step = p->interior + 1;
    const int64_t first = p->low >= 0 ? 0 : (-p->low + step - 1) / step; /* first i with a place in y */
    const int64_t room = size - 1 - p->low;                              /* a[i] is in y where i step <= room */
    const int64_t last = room < 0 ? -1 : (room / step < n - 1 ? room / step : n - 1);
    if (last < first) return ORR_NONE;
    const orr_node mine = orr_slice(g, ybar, p->axis, p->low + first * step, p->low + last * step + 1, step);
    return orr_pad(g, mine, p->axis, first, n - 1 - last, 0);
}

static orr_node vmap(orr_graph *g, const orr_call *call, const orr_node *args, const bool *batched, int64_t n) {
    (void)batched, (void)n;
    const orr_attr_pad *p = call->attr;
    return orr_pad(g, args[0], p->axis + 1, p->low, p->high, p->interior);
}

const orr_op orr_op_pad = {
    .code = ORR_OP_pad,
    .name = "pad",
    .equation = "y = a with zeros before, after and between along one axis",
    .kind = ORR_KIND_MOVEMENT,
    .arity = 1,
    .attr_size = sizeof(orr_attr_pad),
    .accepts = ORR_ACCEPT_ANY,
    .type = type,
    .vjp = vjp,
    .jvp = orr_jvp_linear,
    .vmap = vmap,
    .low = -2.0,
    .high = 2.0,
};
