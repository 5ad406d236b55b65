#define ORR_TENSOR_INSIDE
#include "tensor/op/convolve.h"

#include <string.h>

int64_t orr_convolution_extent(const orr_convolution *how, int32_t i, int64_t n, int64_t k) {
    const int64_t last = n + how->low[i] + how->high[i] - 1; /* the padded axis is 0 .. last */
    if (last < 0 || k - 1 > last / how->dilation[i]) return -1;
    return (last - (k - 1) * how->dilation[i]) / how->stride[i] + 1;
}

bool orr_convolution_check(orr_graph *g, const char *op, const orr_convolution *how, const orr_shape *a,
                           const orr_shape *w, const orr_shape *y, orr_shape *made) {
    char ta[ORR_TYPE_TEXT], tw[ORR_TYPE_TEXT];
    const orr_type la = { .shape = *a }, lw = { .shape = *w };
    (void)orr_type_print(&la, ta, sizeof ta), (void)orr_type_print(&lw, tw, sizeof tw);
    const int64_t limit = INT64_C(1) << 31;
    if (a->rank < 3 || a->rank > 5 || w->rank != a->rank)
        return orr_graph_fail(
            g, op, "needs a[n, c, x...] and w[d, c / groups, k...] with one to three spatial axes, got %s, %s", ta + 3,
            tw + 3);
    if (how->groups < 1 || a->size[1] != w->size[1] * how->groups || w->size[0] % how->groups != 0)
        return orr_graph_fail(g, op, "channels of %s and %s don't fit %lld groups", ta + 3, tw + 3,
                              (long long)how->groups);
    orr_shape out = { .rank = a->rank, .size = { a->size[0], w->size[0] } };
    for (int32_t i = 0; i < a->rank - 2; i++) {
        if (how->stride[i] < 1 || how->dilation[i] < 1 || how->low[i] < 0 || how->high[i] < 0 || w->size[i + 2] < 1 ||
            how->stride[i] > limit || how->dilation[i] > limit || how->low[i] > limit || how->high[i] > limit)
            return orr_graph_fail(g, op,
                                  "stride and dilation are at least 1, padding at least 0, the window at least 1");
        out.size[i + 2] = orr_convolution_extent(how, i, a->size[i + 2], w->size[i + 2]);
        if (out.size[i + 2] < 0)
            return orr_graph_fail(g, op, "the window of %s is larger than the padded %s along spatial axis %d", tw + 3,
                                  ta + 3, i);
    }
    if (y && !orr_shape_equal(y, &out)) {
        char ty[ORR_TYPE_TEXT], to[ORR_TYPE_TEXT];
        const orr_type ly = { .shape = *y }, lo = { .shape = out };
        return orr_graph_fail(g, op, "got %s where %s and %s make %s", orr_type_print(&ly, ty, sizeof ty) + 3, ta + 3,
                              tw + 3, orr_type_print(&lo, to, sizeof to) + 3);
    }
    if (made) *made = out;
    return true;
}

static orr_node call_with(orr_graph *g, orr_op_code code, orr_node first, orr_node second, const orr_convolution *how,
                          const orr_shape *shape) {
    orr_attr_convolve attr;
    memset(&attr, 0, sizeof attr);
    attr.how = *how;
    if (shape) {
        attr.shape.rank = shape->rank;
        if (shape->rank <= ORR_RANK_MAX)
            memcpy(attr.shape.size, shape->size, (size_t)shape->rank * sizeof *shape->size);
    }
    return orr_graph_call(g, code, (const orr_node[]){ first, second }, 2, &attr);
}

orr_node orr_convolve_forward(orr_graph *g, orr_node a, orr_node w, const orr_convolution *how) {
    return call_with(g, ORR_OP_convolve, a, w, how, NULL);
}
orr_node orr_convolve_input(orr_graph *g, orr_node y, orr_node w, const orr_convolution *how, orr_shape shape) {
    return call_with(g, ORR_OP_convolve_input, y, w, how, &shape);
}
orr_node orr_convolve_kernel(orr_graph *g, orr_node a, orr_node y, const orr_convolution *how, orr_shape shape) {
    return call_with(g, ORR_OP_convolve_kernel, a, y, how, &shape);
}

/* ---- vmap: the batch axis goes into an axis that T sums or copies over ------------------------------------------------
 *
 *   a and y carry it: into their sample axis n (w is shared)
 *   w and y carry it (a shared), or w and a (y shared), or all three: into the channels, as groups
 *
 * For the channels, d splits as (group, d') and c as (group, c'): with the batch in front of the group, groups = n groups. */

static orr_node into_samples(orr_graph *g, orr_node a) { /* [b, n, c, x...] -> [b n, c, x...] */
    orr_shape s = orr_node_shape(g, a);
    s.size[1] *= s.size[0];
    return orr_reshape(g, a, orr_shape_remove(s, 0));
}

static orr_node into_channels(orr_graph *g, orr_node a) { /* [b, n, c, x...] -> [n, b c, x...] */
    const orr_node moved = orr_move_axis(g, a, 0, 1);
    orr_shape s = orr_node_shape(g, moved);
    s.size[2] *= s.size[1];
    return orr_reshape(g, moved, orr_shape_remove(s, 1));
}

static orr_node out_of_channels(orr_graph *g, orr_node y, int64_t b) { /* [n, b c, x...] -> [b, n, c, x...] */
    orr_shape s = orr_node_shape(g, y);
    s.size[1] /= b;
    return orr_move_axis(g, orr_reshape(g, y, orr_shape_insert(s, 1, b)), 1, 0);
}

static orr_node call_of(orr_graph *g, const orr_call *call, orr_node first, orr_node second, const orr_convolution *how,
                        const orr_shape *shape) {
    return call_with(g, call->op->code, first, second, how, call->op->code == ORR_OP_convolve ? NULL : shape);
}

orr_node orr_vmap_convolution(orr_graph *g, const orr_call *call, const orr_node *args, const bool *batched, int64_t n,
                              const orr_conv_role role[3]) {
    if (orr_graph_failed(g)) return ORR_NONE;
    const orr_attr_convolve *attr = call->attr;
    orr_convolution how = attr->how;
    orr_shape shape = attr->shape;
    bool w_batched = role[2] == ORR_ROLE_W;
    for (int32_t i = 0; i < 2; i++) w_batched = w_batched || (role[i] == ORR_ROLE_W && batched[i]);
    if (!w_batched) { /* samples */
        orr_node in[2];
        for (int32_t i = 0; i < 2; i++)
            in[i] = role[i] == ORR_ROLE_W ? args[i] : into_samples(g, orr_batch(g, args[i], batched[i], n));
        shape.size[0] *= n;
        const orr_node y = call_of(g, call, in[0], in[1], &how, &shape);
        if (!y.id) return ORR_NONE;
        orr_shape split = orr_node_shape(g, y);
        split.size[0] /= n;
        return orr_reshape(g, y, orr_shape_insert(split, 0, n));
    }
    orr_node in[2];
    for (int32_t i = 0; i < 2; i++) {
        const orr_node full = orr_batch(g, args[i], batched[i], n);
        in[i] = role[i] == ORR_ROLE_W ? into_samples(g, full) : into_channels(g, full);
    }
    how.groups *= n;
    shape.size[role[2] == ORR_ROLE_W ? 0 : 1] *= n;
    const orr_node y = call_of(g, call, in[0], in[1], &how, &shape);
    if (!y.id) return ORR_NONE;
    if (role[2] != ORR_ROLE_W) return out_of_channels(g, y, n);
    orr_shape split = orr_node_shape(g, y);
    split.size[0] /= n;
    return orr_reshape(g, y, orr_shape_insert(split, 0, n));
}

/* ---- the op: y[n, d, x] = sum over c, k of w[d, c, k] a[n, c', s x + r k - low] -------------------------------- */

static bool type(orr_graph *g, const orr_call *call, orr_type *out) {
    const orr_type *a = orr_graph_type(g, call->args[0]), *w = orr_graph_type(g, call->args[1]);
    out->dtype = a->dtype;
    if (a->dtype != w->dtype) return orr_graph_fail(g, "convolve", "needs both arguments of one type; see orr_cast");
    return orr_convolution_check(g, "convolve", &((const orr_attr_convolve *)call->attr)->how, &a->shape, &w->shape,
                                 NULL, &out->shape);
}

static orr_node vjp(orr_graph *g, const orr_call *call, orr_node ybar, int32_t arg) {
    const orr_convolution *how = &((const orr_attr_convolve *)call->attr)->how;
    const orr_shape shape = orr_node_shape(g, call->args[arg]);
    return arg == 0 ? orr_convolve_input(g, ybar, call->args[1], how, shape)
                    : orr_convolve_kernel(g, call->args[0], ybar, how, shape);
}

static orr_node jvp(orr_graph *g, const orr_call *call, const orr_node *adot) {
    const orr_convolution *how = &((const orr_attr_convolve *)call->attr)->how;
    const orr_node da = adot[0].id ? orr_convolve_forward(g, adot[0], call->args[1], how) : ORR_NONE;
    const orr_node dw = adot[1].id ? orr_convolve_forward(g, call->args[0], adot[1], how) : ORR_NONE;
    return orr_add_maybe(g, da, dw);
}

static orr_node vmap(orr_graph *g, const orr_call *call, const orr_node *args, const bool *batched, int64_t n) {
    return orr_vmap_convolution(g, call, args, batched, n,
                                (const orr_conv_role[]){ ORR_ROLE_A, ORR_ROLE_W, ORR_ROLE_Y });
}

const orr_op orr_op_convolve = {
    .code = ORR_OP_convolve,
    .name = "convolve",
    .equation = "y[n, d, x] = sum over c, k of w[d, c, k] a[n, c', s x + r k - low]",
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
