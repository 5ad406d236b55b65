#define ORR_TENSOR_INSIDE
#include "tensor/op_shape.h"

bool orr_type_elementwise(orr_graph *g, const orr_call *call, orr_type *out) {
    const orr_type *first = orr_graph_type(g, call->args[0]);
    for (int32_t i = 1; i < call->n_args; i++) {
        const orr_type *t = orr_graph_type(g, call->args[i]);
        if (t->dtype == first->dtype && orr_shape_equal(&t->shape, &first->shape)) continue;
        char ta[ORR_TYPE_TEXT], tb[ORR_TYPE_TEXT];
        return orr_graph_fail(g, call->op->name, "needs arguments of one type, got %s and %s; see orr_cast",
                              orr_type_print(first, ta, sizeof ta), orr_type_print(t, tb, sizeof tb));
    }
    *out = *first;
    return true;
}

bool orr_type_compare(orr_graph *g, const orr_call *call, orr_type *out) {
    if (!orr_type_elementwise(g, call, out)) return false;
    out->dtype = ORR_BOOL;
    return true;
}

orr_node orr_fill_like(orr_graph *g, orr_node a, double value) {
    if (orr_graph_failed(g)) return ORR_NONE;
    const orr_type t = *orr_graph_type(g, a);
    return orr_fill(g, t.dtype, t.shape, value);
}

orr_node orr_add_maybe(orr_graph *g, orr_node a, orr_node b) {
    if (!a.id) return b;
    return b.id ? orr_add(g, a, b) : a;
}

/* abar = ybar dy/da */
orr_node orr_vjp_partial(orr_graph *g, const orr_call *call, orr_node ybar, int32_t arg) {
    return orr_mul(g, ybar, call->op->partial(g, call, arg));
}

/* ydot = sum_i dy/da_i adot_i */
orr_node orr_jvp_partial(orr_graph *g, const orr_call *call, const orr_node *adot) {
    orr_node sum = ORR_NONE;
    for (int32_t i = 0; i < call->n_args; i++)
        if (adot[i].id) sum = orr_add_maybe(g, sum, orr_mul(g, adot[i], call->op->partial(g, call, i)));
    return sum;
}

orr_node orr_jvp_linear(orr_graph *g, const orr_call *call, const orr_node *adot) {
    return orr_graph_call(g, call->op->code, adot, 1, call->attr);
}

orr_node orr_batch(orr_graph *g, orr_node a, bool batched, int64_t n) {
    if (batched || orr_graph_failed(g)) return a;
    return orr_broadcast(g, a, orr_shape_insert(orr_graph_type(g, a)->shape, 0, n));
}

orr_node orr_vmap_elementwise(orr_graph *g, const orr_call *call, const orr_node *args, const bool *batched,
                              int64_t n) {
    orr_node all[3];
    for (int32_t i = 0; i < call->n_args; i++) all[i] = orr_batch(g, args[i], batched[i], n);
    return orr_graph_call(g, call->op->code, all, call->n_args, call->attr);
}
