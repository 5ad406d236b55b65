#define ORR_TENSOR_INSIDE
#include "tensor/op/convolve.h"

/* abar[n, c', s x + r k - low] = sum over d, x, k of y[n, d, x] w[d, c, k]: the transposed convolution. */
static bool type(orr_graph *g, const orr_call *call, orr_type *out) {
    const orr_attr_convolve *attr = call->attr;
    const orr_type *y = orr_graph_type(g, call->args[0]), *w = orr_graph_type(g, call->args[1]);
    *out = (orr_type){ .dtype = y->dtype, .shape = attr->shape };
    if (y->dtype != w->dtype)
        return orr_graph_fail(g, "convolve_input", "needs both arguments of one type; see orr_cast");
    return orr_convolution_check(g, "convolve_input", &attr->how, &attr->shape, &w->shape, &y->shape, NULL);
}

static orr_node vjp(orr_graph *g, const orr_call *call, orr_node bar, int32_t arg) {
    const orr_convolution *how = &((const orr_attr_convolve *)call->attr)->how;
    return arg == 0 ? orr_convolve_forward(g, bar, call->args[1], how)
                    : orr_convolve_kernel(g, bar, call->args[0], how, orr_node_shape(g, call->args[1]));
}

static orr_node jvp(orr_graph *g, const orr_call *call, const orr_node *dot) {
    const orr_attr_convolve *attr = call->attr;
    const orr_node dy = dot[0].id ? orr_convolve_input(g, dot[0], call->args[1], &attr->how, attr->shape) : ORR_NONE;
    const orr_node dw = dot[1].id ? orr_convolve_input(g, call->args[0], dot[1], &attr->how, attr->shape) : ORR_NONE;
    return orr_add_maybe(g, dy, dw);
}

static orr_node vmap(orr_graph *g, const orr_call *call, const orr_node *args, const bool *batched, int64_t n) {
    return orr_vmap_convolution(g, call, args, batched, n,
                                (const orr_conv_role[]){ ORR_ROLE_Y, ORR_ROLE_W, ORR_ROLE_A });
}

const orr_op orr_op_convolve_input = {
    .code = ORR_OP_convolve_input,
    .name = "convolve_input",
    .equation = "abar[n, c', s x + r k - low] = sum over d, x, k of y[n, d, x] w[d, c, k]",
    .kind = ORR_KIND_CONVOLUTION,
    .arity = 2,
    .attr_size = sizeof(orr_attr_convolve),
    .accepts = ORR_ACCEPT_FLOAT,
    .type = type,
    .vjp = vjp,
    .jvp = jvp,
    .vmap = vmap,
    .low = -2.0,
    .high = 2.0,
};
