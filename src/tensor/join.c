/* Parts of a concatenation that products make are written where they belong: the gradients of queries, keys and values, into that of
 * what all three are slices of.  Then nothing is left for the concatenation to do. */
#define ORR_TENSOR_INSIDE
#include "tensor/plan.h"

/* How often each live node is read, by others or from outside. */
static int32_t *count_readers(const orr_plan *plan) {
    const orr_compile_options *o = plan->options;
    int32_t *readers = ORR_NEW(plan->scratch, int32_t, plan->g->n);
    if (!readers) return NULL;
    for (int32_t i = 1; i < plan->g->n; i++)
        for (int32_t k = 0; plan->layout[i].holding && k < plan->g->nodes[i].n_args; k++)
            readers[plan->g->nodes[i].args[k].id]++;
    for (int32_t i = 0; i < o->n_outputs; i++) readers[o->outputs[i].id]++;
    for (int32_t i = 0; i < o->n_updates; i++) readers[o->updates[i].value.id]++;
    return readers;
}

/* The view of what `root` makes under which `node`, a view of it whose axes have these strides instead, shows the same elements.
 * False where the two don't have the same axes in some order, or what lies together no longer would. */
static bool written_as(const orr_view *root, const orr_view *node, const int64_t *stride, orr_view *out) {
    int32_t matched = 0, axes = 0;
    *out = (orr_view){ .dtype = root->dtype, .shape = root->shape };
    for (int32_t i = 0; i < node->shape.rank; i++) axes += node->shape.size[i] != 1;
    for (int32_t j = 0; j < root->shape.rank; j++) {
        if (root->shape.size[j] == 1) continue;
        int32_t i = 0;
        while (i < node->shape.rank &&
               !(node->shape.size[i] == root->shape.size[j] && node->stride[i] == root->stride[j]))
            i++;
        if (i == node->shape.rank || (root->stride[j] == 1) != (stride[i] == 1)) return false;
        out->stride[j] = stride[i];
        matched++;
    }
    return matched == axes;
}

/* Where the root of argument k stands in the result, its part beginning at `start` along the axis. */
static bool find_part(const orr_plan *plan, const int32_t *readers, int32_t concat, int32_t k, int64_t start,
                      orr_layout *out) {
    const orr_graph *g = plan->g;
    const int32_t axis = ((const orr_attr_concat *)g->nodes[concat].attr)->axis;
    const orr_view *whole = &plan->layout[concat].view;
    int32_t node = g->nodes[concat].args[k].id;
    const orr_layout *part = &plan->layout[node];
    if (part->holding == ORR_HOLD_FILL || part->offset != 0) return false;
    const int32_t root = part->root;
    if (g->nodes[root].op->code != ORR_OP_einsum || plan->group_of[root] < 0 ||
        plan->groups[plan->group_of[root]].fused)
        return false;
    for (; node != root; node = g->nodes[node].args[0].id)
        if (readers[node] != 1) return false;
    *out = (orr_layout){ .holding = ORR_HOLD_VIEW, .root = concat, .offset = start * whole->stride[axis] };
    return readers[root] == 1 && written_as(&plan->layout[root].view, &part->view, whole->stride, &out->view);
}

static bool is_seen_from_outside(const orr_plan *plan, int32_t node) {
    const orr_compile_options *o = plan->options;
    for (int32_t i = 0; i < o->n_outputs; i++)
        if (o->outputs[i].id == node) return true;
    for (int32_t i = 0; i < o->n_updates; i++)
        if (o->updates[i].value.id == node) return true;
    return false;
}

static bool join(orr_plan *plan, const int32_t *readers, int32_t concat, orr_layout *part) {
    const orr_graph_node *n = &plan->g->nodes[concat];
    const int32_t axis = ((const orr_attr_concat *)n->attr)->axis;
    int64_t start = 0;
    for (int32_t k = 0; k < n->n_args; k++) {
        if (!find_part(plan, readers, concat, k, start, &part[k])) return false;
        start += plan->g->nodes[n->args[k].id].type.shape.size[axis];
    }
    for (int32_t k = 0; k < n->n_args; k++) {
        const int32_t root = plan->layout[n->args[k].id].root;
        for (int32_t node = n->args[k].id; node != root; node = plan->g->nodes[node].args[0].id)
            plan->layout[node].holding = ORR_HOLD_NOTHING;
        plan->layout[root] = part[k];
    }
    return true;
}

orr_status orr_plan_join(orr_plan *plan) {
    const orr_graph *g = plan->g;
    plan->joined = ORR_NEW(plan->scratch, bool, g->n);
    const int32_t *readers = count_readers(plan);
    if (!plan->joined || !readers) return orr_fail(plan->ctx, ORR_ENOMEM, "compile: no memory to join concatenations");
    for (int32_t i = 1; i < g->n && !plan->options->no_fusion; i++) {
        const orr_graph_node *n = &g->nodes[i];
        if (n->op->code != ORR_OP_concat || plan->layout[i].holding != ORR_HOLD_BUFFER || is_seen_from_outside(plan, i))
            continue;
        orr_layout *part = ORR_NEW(plan->scratch, orr_layout, n->n_args);
        if (!part) return orr_fail(plan->ctx, ORR_ENOMEM, "compile: no memory to join concatenations");
        plan->joined[i] = join(plan, readers, i, part);
    }
    return ORR_OK;
}
