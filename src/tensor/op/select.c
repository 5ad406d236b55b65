#define ORR_TENSOR_INSIDE
#include "tensor/op.h"

/* y = c ? a : b;  abar = c ? ybar : 0, bbar = c ? 0 : ybar;  ydot = c ? adot : bdot
 * Selecting, not multiplying by a mask: what isn't chosen may be infinite. */
static bool type(orr_graph *g, const orr_call *call, orr_type *out) {
    const orr_type *c = orr_graph_type(g, call->args[0]), *a = orr_graph_type(g, call->args[1]),
                   *b = orr_graph_type(g, call->args[2]);
    char tc[ORR_TYPE_TEXT], ta[ORR_TYPE_TEXT], tb[ORR_TYPE_TEXT];
    if (c->dtype != ORR_BOOL || a->dtype != b->dtype || !orr_shape_equal(&c->shape, &a->shape) ||
        !orr_shape_equal(&a->shape, &b->shape))
        return orr_graph_fail(g, "select", "needs bool and two of one type, one shape for all; got %s, %s, %s",
                              orr_type_print(c, tc, sizeof tc), orr_type_print(a, ta, sizeof ta),
                              orr_type_print(b, tb, sizeof tb));
    *out = *a;
    return true;
}

static orr_node vjp(orr_graph *g, const orr_call *call, orr_node ybar, int32_t arg) {
    if (arg == 0) return ORR_NONE;
    const orr_node none = orr_fill_like(g, ybar, 0.0);
    return arg == 1 ? orr_select(g, call->args[0], ybar, none) : orr_select(g, call->args[0], none, ybar);
}

static orr_node jvp(orr_graph *g, const orr_call *call, const orr_node *adot) {
    if (!adot[1].id && !adot[2].id) return ORR_NONE;
    const orr_node none = orr_fill_like(g, call->out, 0.0);
    return orr_select(g, call->args[0], adot[1].id ? adot[1] : none, adot[2].id ? adot[2] : none);
}

const orr_op orr_op_select = {
    .code = ORR_OP_select,
    .name = "select",
    .equation = "y = c ? a : b",
    .kind = ORR_KIND_ELEMENTWISE,
    .arity = 3,
    .accepts = ORR_ACCEPT_ANY,
    .type = type,
    .vjp = vjp,
    .jvp = jvp,
    .vmap = orr_vmap_elementwise,
    .low = -2.0,
    .high = 2.0,
};
