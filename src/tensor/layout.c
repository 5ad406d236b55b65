/* Where each live node's elements stand.  Reshape, broadcast, transpose, slice and stop cost nothing: they become views
 * of the buffer below them, unless a reshape doesn't fit the strides that it meets. */
#define ORR_TENSOR_INSIDE
#include <string.h>

#include "tensor/plan.h"

static void mark_live(orr_plan *plan) {
    const orr_compile_options *o = plan->options;
    const orr_graph *g = plan->g;
    for (int32_t i = 0; i < o->n_outputs; i++) plan->layout[o->outputs[i].id].holding = ORR_HOLD_BUFFER;
    for (int32_t i = 0; i < o->n_updates; i++) {
        plan->layout[o->updates[i].input.id].holding = ORR_HOLD_BUFFER;
        plan->layout[o->updates[i].value.id].holding = ORR_HOLD_BUFFER;
    }
    for (int32_t i = g->n - 1; i > 0; i--)
        for (int32_t k = 0; plan->layout[i].holding && k < g->nodes[i].n_args; k++)
            plan->layout[g->nodes[i].args[k].id].holding = ORR_HOLD_BUFFER;
}

/* A view under another shape: axes of extent 1 come and go; runs of axes split and merge where strides allow.
 * False where elements would have to move. */
static bool reshape_view(const orr_view *from, const orr_shape *to, orr_view *out) {
    orr_shape s = { 0 };
    int64_t stride[ORR_RANK_MAX] = { 0 };
    for (int32_t i = 0; i < from->shape.rank; i++) /* what has extent 1 has no stride worth keeping */
        if (from->shape.size[i] != 1) s.size[s.rank] = from->shape.size[i], stride[s.rank++] = from->stride[i];
    *out = (orr_view){ .dtype = from->dtype, .shape = *to };
    int32_t i = 0, k = 0;
    while (k < to->rank) {
        if (to->size[k] == 1) {
            k++;
            continue;
        }
        if (i >= s.rank) return false;
        int32_t i_end = i + 1, k_end = k + 1;
        int64_t have = s.size[i], want = to->size[k];
        while (have != want) {
            if (have < want) {
                if (i_end >= s.rank || stride[i_end - 1] != stride[i_end] * s.size[i_end]) return false;
                have *= s.size[i_end++];
            } else {
                if (k_end >= to->rank) return false;
                want *= to->size[k_end++];
            }
        }
        int64_t step = stride[i_end - 1];
        for (int32_t j = k_end - 1; j >= k; j--) {
            out->stride[j] = step;
            step *= to->size[j];
        }
        i = i_end, k = k_end;
    }
    return i == s.rank;
}

static bool view_of(const orr_graph_node *n, const orr_layout *from, orr_layout *out) {
    *out = *from;
    out->holding = ORR_HOLD_VIEW;
    switch (n->op->code) {
    case ORR_OP_stop: return true;
    case ORR_OP_reshape:
        if (orr_shape_count(&n->type.shape) == 0) {
            out->view = orr_view_contiguous(n->type.dtype, &n->type.shape);
            return true;
        }
        return reshape_view(&from->view, &n->type.shape, &out->view);
    case ORR_OP_broadcast: {
        const int32_t lead = n->type.shape.rank - from->view.shape.rank;
        out->view = (orr_view){ .dtype = n->type.dtype, .shape = n->type.shape };
        for (int32_t i = 0; i < from->view.shape.rank; i++)
            if (from->view.shape.size[i] != 1) out->view.stride[i + lead] = from->view.stride[i];
        return true;
    }
    case ORR_OP_transpose: {
        const int32_t *order = ((const orr_attr_transpose *)n->attr)->order;
        out->view = (orr_view){ .dtype = n->type.dtype, .shape = n->type.shape };
        for (int32_t i = 0; i < n->type.shape.rank; i++) out->view.stride[i] = from->view.stride[order[i]];
        return true;
    }
    case ORR_OP_slice: {
        const orr_attr_slice *s = n->attr;
        out->offset += s->start * from->view.stride[s->axis];
        out->view.shape = n->type.shape;
        out->view.stride[s->axis] *= s->step;
        return true;
    }
    default: return false;
    }
}

static bool is_view_op(orr_op_code code) {
    return code == ORR_OP_stop || code == ORR_OP_reshape || code == ORR_OP_broadcast || code == ORR_OP_transpose ||
           code == ORR_OP_slice;
}

orr_status orr_plan_layout(orr_plan *plan) {
    const orr_graph *g = plan->g;
    plan->layout = ORR_NEW(plan->scratch, orr_layout, g->n);
    if (!plan->layout) return orr_fail(plan->ctx, ORR_ENOMEM, "compile: no memory for the layout of %d nodes", g->n);
    mark_live(plan);
    for (int32_t i = 1; i < g->n; i++) {
        orr_layout *l = &plan->layout[i];
        const orr_graph_node *n = &g->nodes[i];
        if (l->holding == ORR_HOLD_NOTHING) continue;
        if (n->op->code == ORR_OP_fill) {
            *l = (orr_layout){ .holding = ORR_HOLD_FILL, .fill = ((const orr_attr_fill *)n->attr)->value };
            continue;
        }
        if (is_view_op(n->op->code)) {
            const orr_layout *from = &plan->layout[n->args[0].id];
            if (from->holding == ORR_HOLD_FILL) {
                *l = *from;
                continue;
            }
            orr_layout view;
            if (view_of(n, from, &view)) {
                *l = view;
                continue;
            }
        }
        *l = (orr_layout){ .holding = ORR_HOLD_BUFFER,
                           .root = i,
                           .view = orr_view_contiguous(n->type.dtype, &n->type.shape) };
        if (n->op->code == ORR_OP_iota) { /* stored once along its axis */
            const int32_t axis = ((const orr_attr_iota *)n->attr)->axis;
            for (int32_t k = 0; k < n->type.shape.rank; k++) l->view.stride[k] = k == axis;
        }
    }
    return ORR_OK;
}

int32_t orr_plan_root(const orr_plan *plan, int32_t node) {
    return plan->layout[node].holding == ORR_HOLD_FILL ? 0 : plan->layout[node].root;
}
