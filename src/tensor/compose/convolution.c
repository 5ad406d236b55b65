/* Convolution with a bias. */
#define ORR_TENSOR_INSIDE
#include "tensor/compose/compose.h"
#include "tensor/op/convolve.h"

/* y[n, d, x...] = sum over c, k of w[d, c, k] a[n, c', s x + r k - low]  +  b[d] */
static orr_node convolve(orr_graph *g, const char *name, int32_t spatial, orr_node a, orr_node w, orr_node b,
                         orr_convolution how) {
    if (!orr_compose_float(g, name, "the argument", a, 0) || !orr_compose_float(g, name, "w", w, 0)) return ORR_NONE;
    const orr_type ta = *orr_graph_type(g, a), tw = *orr_graph_type(g, w);
    if (ta.shape.rank != spatial + 2 || tw.shape.rank != spatial + 2 || ta.dtype != tw.dtype) {
        char xa[ORR_TYPE_TEXT], xw[ORR_TYPE_TEXT];
        (void)orr_graph_fail(g, name, "needs %s of one type, got %s and %s",
                             spatial == 1 ? "a[n, c, x], w[d, c / groups, k]"
                                          : "a[n, c, y, x], w[d, c / groups, ky, kx]",
                             orr_type_print(&ta, xa, sizeof xa), orr_type_print(&tw, xw, sizeof xw));
        return ORR_NONE;
    }
    if (how.groups == 0) how.groups = 1;
    for (int32_t i = 0; i < 3; i++) {
        if (i >= spatial) how.stride[i] = how.dilation[i] = 1, how.low[i] = how.high[i] = 0;
        if (how.stride[i] == 0) how.stride[i] = 1;
        if (how.dilation[i] == 0) how.dilation[i] = 1;
    }
    if (!orr_convolution_check(g, name, &how, &ta.shape, &tw.shape, NULL, NULL) ||
        !orr_compose_vector(g, name, "b", b, ta.dtype, tw.shape.size[0]))
        return ORR_NONE;
    const orr_node y = orr_convolve_forward(g, a, w, &how);
    if (!b.id) return y;
    const orr_shape under = { .rank = spatial + 1, .size = { tw.shape.size[0], 1, 1 } };
    return orr_add(g, y, orr_reshape(g, b, under));
}

orr_node orr_conv1d(orr_graph *g, orr_node a, orr_node w, orr_node b, orr_convolution how) {
    return convolve(g, "conv1d", 1, a, w, b, how);
}

orr_node orr_conv2d(orr_graph *g, orr_node a, orr_node w, orr_node b, orr_convolution how) {
    return convolve(g, "conv2d", 2, a, w, b, how);
}
