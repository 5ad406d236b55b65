/* Softmax and its logarithms, over one axis.  m = max a is a constant to derivatives: none of the three depends on it.
 */
#define ORR_TENSOR_INSIDE
#include "tensor/compose/compose.h"

static int32_t resolve(orr_graph *g, const char *name, orr_node a, int32_t axis) {
    if (!orr_compose_float(g, name, "the argument", a, 1)) return -1;
    return orr_axis_resolve(g, name, axis, orr_node_shape(g, a).rank);
}

/* y_i = e^{a_i} / sum_j e^{a_j} = e^{a_i - m} / sum_j e^{a_j - m} */
orr_node orr_softmax(orr_graph *g, orr_node a, int32_t axis) {
    axis = resolve(g, "softmax", a, axis);
    if (axis < 0) return ORR_NONE;
    const orr_node e = orr_exp(g, orr_sub(g, a, orr_compose_peak(g, a, axis)));
    return orr_div(g, e, orr_sum_keep(g, e, ORR_AXES(axis)));
}

/* y_i = a_i - log sum_j e^{a_j} = z_i - log sum_j e^{z_j},   z = a - m */
orr_node orr_log_softmax(orr_graph *g, orr_node a, int32_t axis) {
    axis = resolve(g, "log_softmax", a, axis);
    if (axis < 0) return ORR_NONE;
    const orr_node z = orr_sub(g, a, orr_compose_peak(g, a, axis));
    return orr_sub(g, z, orr_log(g, orr_sum_keep(g, orr_exp(g, z), ORR_AXES(axis))));
}

/* y = log sum_j e^{a_j} = m + log sum_j e^{a_j - m};  m = 0 where the maximum is infinite, so that -inf (of nothing, or
 * of nothing but -inf) and inf come out as they are. */
orr_node orr_logsumexp(orr_graph *g, orr_node a, int32_t axis) {
    axis = resolve(g, "logsumexp", a, axis);
    if (axis < 0) return ORR_NONE;
    const orr_node peak = orr_compose_peak(g, a, axis);
    const orr_node m = orr_select(g, orr_is_finite(g, peak), peak, orr_fill_like(g, peak, 0.0));
    const orr_node sum = orr_sum(g, orr_exp(g, orr_sub(g, a, m)), ORR_AXES(axis));
    return orr_add(g, orr_squeeze(g, m, axis), orr_log(g, sum));
}
