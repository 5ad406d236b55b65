#define ORR_TENSOR_INSIDE
#include "tensor/op_shape.h"

/* y = a[start:stop:step] along one axis;  abar = ybar with zeros before, after and between */
static bool type(orr_graph *g, const orr_call *call, orr_type *out) {
    const orr_attr_slice *s = call->attr;
    *out = *orr_graph_type(g, call->args[0]);
    const int64_t n = out->shape.size[s->axis];
    if (s->start < 0 || s->stop < s->start || s->stop > n || s->step < 1)
        return orr_graph_fail(g, "slice",
                              "%lld:%lld:%lld of an axis of %lld; expected 0 <= start <= stop <= %lld, step >= 1",
                              (long long)s->start, (long long)s->stop, (long long)s->step, (long long)n, (long long)n);
    out->shape.size[s->axis] = s->stop > s->start ? (s->stop - s->start - 1) / s->step + 1 : 0;
    return true;
}

static orr_node vjp(orr_graph *g, const orr_call *call, orr_node ybar, int32_t arg) {
    const orr_attr_slice *s = call->attr;
    const int64_t n = orr_node_shape(g, call->args[arg]).size[s->axis], m = orr_node_shape(g, ybar).size[s->axis];
    if (m == 0) return ORR_NONE;
    const int64_t last = s->start + (m - 1) * s->step;
    return orr_pad(g, ybar, s->axis, s->start, n - 1 - last, m > 1 ? s->step - 1 : 0);
}

static orr_node vmap(orr_graph *g, const orr_call *call, const orr_node *args, const bool *batched, int64_t n) {
    (void)batched, (void)n;
    const orr_attr_slice *s = call->attr;
    return orr_slice(g, args[0], s->axis + 1, s->start, s->stop, s->step);
}

const orr_op orr_op_slice = {
    .code = ORR_OP_slice,
    .name = "slice",
    .equation = "y = a[start:stop:step] along one axis",
    .kind = ORR_KIND_MOVEMENT,
    .arity = 1,
    .attr_size = sizeof(orr_attr_slice),
    .accepts = ORR_ACCEPT_ANY,
    .type = type,
    .vjp = vjp,
    .jvp = orr_jvp_linear,
    .vmap = vmap,
    .low = -2.0,
    .high = 2.0,
};
