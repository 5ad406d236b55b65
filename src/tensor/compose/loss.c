/* Losses. */
#define ORR_TENSOR_INSIDE
#include <math.h>

#include "tensor/compose/compose.h"

/* Whether index[...] = c, as bool[..., classes] */
static orr_node is_class(orr_graph *g, orr_node index, int64_t classes) {
    return orr_eq(g, orr_expand(g, index, -1), orr_iota(g, ORR_I32, ORR_SHAPE(classes), 0));
}

/* y[..., c] = 1 where c = index[...], else 0; a row of zeros for an index outside 0 .. classes - 1. */
orr_node orr_one_hot(orr_graph *g, orr_node index, int64_t classes, orr_dtype dtype) {
    if (!orr_compose_index(g, "one_hot", "the index", index)) return ORR_NONE;
    if (classes < 1 || classes > INT32_MAX) {
        (void)orr_graph_fail(g, "one_hot", "%lld classes; expected 1 at least, and as many as an i32 counts",
                             (long long)classes);
        return ORR_NONE;
    }
    return orr_cast(g, is_class(g, index, classes), dtype);
}

/* loss = -log softmax(a)[label] = log sum_c e^{a_c} - a_label
 *      = log(1 + e^r),   r = log sum over c != label of e^{a_c}  -  a_label
 *
 * In the second form the small loss of a confident right answer, e^r, and its derivatives keep all their digits; in the
 * first they are lost to rounding where e^r < eps, which is where training to zero loss lives.  The maximum of the
 * others is subtracted inside r.  A label outside the classes makes NaN. */
orr_node orr_cross_entropy(orr_graph *g, orr_node logits, orr_node labels) {
    if (!orr_compose_float(g, "cross_entropy", "logits", logits, 1) ||
        !orr_compose_index(g, "cross_entropy", "labels", labels))
        return ORR_NONE;
    const orr_type t = *orr_graph_type(g, logits);
    const int32_t last = t.shape.rank - 1;
    const int64_t classes = t.shape.size[last];
    if (!orr_compose_type(g, "cross_entropy", "labels", labels, ORR_I32, orr_shape_remove(t.shape, last)))
        return ORR_NONE;
    if (classes < 1 || classes > INT32_MAX) {
        (void)orr_graph_fail(g, "cross_entropy", "logits of %lld classes", (long long)classes);
        return ORR_NONE;
    }
    const orr_node mine = orr_broadcast(g, is_class(g, labels, classes), t.shape);
    if (orr_graph_failed(g)) return ORR_NONE;
    const orr_node none = orr_fill_like(g, logits, 0.0), low = orr_fill_like(g, logits, ORR_COMPOSE_MASKED);
    const orr_node a_label = orr_sum(g, orr_select(g, mine, logits, none), ORR_AXES(last));
    const orr_node m = orr_compose_peak(g, orr_select(g, mine, low, logits), last);
    /* The label's own stands at the peak, exp(0), before it is set to 0: vector exponentials are slow far below 0. */
    const orr_node e = orr_exp(g, orr_sub(g, orr_select(g, mine, m, logits), m));
    const orr_node sum = orr_sum(g, orr_select(g, mine, none, e), ORR_AXES(last));
    const orr_node zero = orr_fill_like(g, labels, 0.0), end = orr_fill_like(g, labels, (double)classes);
    const orr_node known = orr_and(g, orr_le(g, zero, labels), orr_lt(g, labels, end));
    if (orr_graph_failed(g)) return ORR_NONE;
    const orr_node poison = orr_select(g, known, orr_fill_like(g, sum, 0.0), orr_fill_like(g, sum, (double)NAN));
    orr_node others =
        orr_squeeze(g, m, last); /* log sum over c != label of e^{a_c}; the peak alone where there is none */
    if (classes > 1) others = orr_add(g, others, orr_log(g, sum));
    const orr_node r = orr_add(g, orr_sub(g, others, a_label), poison);
    return orr_softplus(g, r);
}

/* y = 1/(2n) sum |output - target|^2,  n = extent of axis 0 */
orr_node orr_mse(orr_graph *g, orr_node output, orr_node target) {
    if (!orr_compose_float(g, "mse", "the output", output, 1)) return ORR_NONE;
    const orr_type t = *orr_graph_type(g, output);
    if (!orr_compose_type(g, "mse", "the target", target, t.dtype, t.shape)) return ORR_NONE;
    const orr_node sum = orr_sum_all(g, orr_square(g, orr_sub(g, output, target)));
    return orr_graph_failed(g) ? ORR_NONE : orr_div(g, sum, orr_fill_like(g, sum, 2.0 * (double)t.shape.size[0]));
}
