/* Fusion: elementwise nodes of one shape, and the reductions after them, run as one pass over memory.
 *
 * Nodes are taken in order.  One joins a group of one of its arguments where the shapes agree and no path leads from the
 * group through other groups back into the node (the group would wait for itself); groups that it brings together merge
 * under the same condition.  What a group outside reads goes to memory; all else stays in registers. */
#define ORR_TENSOR_INSIDE
#include "tensor/plan.h"

typedef struct search {
    orr_plan *plan;
    int32_t *stamp; /* [groups]: last search that saw a group */
    int32_t *stack; /* [groups] */
    int32_t now;
} search;

bool orr_plan_is_outer(const orr_graph *g, int32_t node) {
    const orr_graph_node *n = &g->nodes[node];
    if (n->op->code != ORR_OP_einsum) return false;
    const orr_attr_einsum *e = n->attr;
    uint32_t kept = 0;
    for (int32_t i = 0; i < e->rank_out; i++) kept |= 1u << e->out[i];
    for (int32_t i = 0; i < g->nodes[n->args[0].id].type.shape.rank; i++)
        if (!(kept >> e->a[i] & 1u)) return false; /* what is summed over stands in both operands */
    return true;
}

orr_view orr_plan_arg_view(const orr_plan *plan, int32_t node, int32_t k) {
    const orr_graph_node *n = &plan->g->nodes[node];
    const orr_layout *l = &plan->layout[n->args[k].id];
    if (!orr_plan_is_outer(plan->g, node)) return l->view;
    const orr_attr_einsum *e = n->attr;
    const uint8_t *labels = k == 0 ? e->a : e->b;
    orr_view out = { .dtype = n->type.dtype, .shape = n->type.shape };
    for (int32_t i = 0; i < e->rank_out; i++)
        for (int32_t j = 0; l->holding != ORR_HOLD_FILL && j < l->view.shape.rank; j++)
            if (labels[j] == e->out[i]) out.stride[i] = l->view.stride[j];
    return out;
}

bool orr_plan_is_direct(const orr_plan *plan, int32_t node, int32_t k, int32_t group) {
    const int32_t arg = plan->g->nodes[node].args[k].id;
    if (plan->layout[arg].holding != ORR_HOLD_BUFFER || plan->group_of[arg] != group || orr_plan_is_outer(plan->g, node))
        return false;
    return plan->g->nodes[arg].op->kind == ORR_KIND_ELEMENTWISE || orr_plan_is_outer(plan->g, arg);
}

static bool fusible(const orr_plan *plan, int32_t node) {
    const orr_op_kind kind = plan->g->nodes[node].op->kind;
    return kind == ORR_KIND_ELEMENTWISE || kind == ORR_KIND_REDUCTION || orr_plan_is_outer(plan->g, node);
}

/* What a node iterates over. */
static const orr_shape *iterates(const orr_plan *plan, int32_t node) {
    const orr_graph_node *n = &plan->g->nodes[node];
    return n->op->kind == ORR_KIND_REDUCTION ? &plan->g->nodes[n->args[0].id].type.shape : &n->type.shape;
}

/* The group that computes what argument k of a node reads; -1: a source. */
static int32_t group_of_arg(const orr_plan *plan, int32_t node, int32_t k) {
    const int32_t root = orr_plan_root(plan, plan->g->nodes[node].args[k].id);
    return root ? plan->group_of[root] : -1;
}

/* Whether group `from` depends on group `target`, not counting direct edges of `skip_direct_from` to it. */
static bool depends(search *s, int32_t from, int32_t target, bool skip_direct) {
    orr_plan *plan = s->plan;
    int32_t top = 0;
    s->now++;
    s->stack[top++] = from;
    s->stamp[from] = s->now;
    while (top) {
        const int32_t at = s->stack[--top];
        for (int32_t i = plan->groups[at].first; i >= 0; i = plan->next_in_group[i])
            for (int32_t k = 0; k < plan->g->nodes[i].n_args; k++) {
                const int32_t d = group_of_arg(plan, i, k);
                if (d < 0 || s->stamp[d] == s->now || plan->groups[d].last < plan->groups[target].first) continue;
                if (d == target) {
                    if (skip_direct && at == from) continue;
                    return true;
                }
                s->stamp[d] = s->now;
                s->stack[top++] = d;
            }
    }
    return false;
}

/* Whether a node can join group t: each of its other argument groups is independent of t. */
static bool can_join(search *s, int32_t node, int32_t t) {
    for (int32_t k = 0; k < s->plan->g->nodes[node].n_args; k++) {
        const int32_t d = group_of_arg(s->plan, node, k);
        if (d >= 0 && d != t && s->plan->groups[d].last > s->plan->groups[t].first && depends(s, d, t, false)) return false;
    }
    return true;
}

static bool suits(const orr_plan *plan, int32_t node, int32_t group) {
    const orr_group *t = &plan->groups[group];
    const orr_graph_node *n = &plan->g->nodes[node];
    if (!t->fused || !orr_shape_equal(&t->shape, iterates(plan, node))) return false;
    if (t->n_nodes + 1 > ORR_FUSED_NODES || t->n_reads + n->n_args > ORR_FUSED_READS) return false;
    if (n->op->kind != ORR_KIND_REDUCTION) return true;
    const uint32_t axes = ((const orr_attr_reduce *)n->attr)->axes;
    return t->reduced == 0 || t->reduced == axes;
}

static void append(orr_plan *plan, int32_t node, int32_t group) {
    orr_group *t = &plan->groups[group];
    const orr_graph_node *n = &plan->g->nodes[node];
    plan->group_of[node] = group;
    plan->next_in_group[node] = -1;
    if (t->n_nodes == 0) t->first = node;
    else plan->next_in_group[t->last] = node;
    t->last = node;
    t->n_nodes++;
    for (int32_t k = 0; k < n->n_args; k++) t->n_reads += !orr_plan_is_direct(plan, node, k, group);
    if (n->op->kind == ORR_KIND_REDUCTION) t->reduced = ((const orr_attr_reduce *)n->attr)->axes;
}

static int32_t open_group(orr_plan *plan, int32_t node, bool fused) {
    const int32_t group = plan->n_groups++;
    plan->groups[group] = (orr_group){ .live = true, .fused = fused, .shape = *iterates(plan, node) };
    append(plan, node, group);
    return group;
}

static bool can_merge(search *s, int32_t a, int32_t b) {
    const orr_group *x = &s->plan->groups[a], *y = &s->plan->groups[b];
    if (!y->fused || !orr_shape_equal(&x->shape, &y->shape) || (x->reduced && y->reduced && x->reduced != y->reduced))
        return false;
    if (x->n_nodes + y->n_nodes > ORR_FUSED_NODES || x->n_reads + y->n_reads > ORR_FUSED_READS) return false;
    return !depends(s, a, b, true) && !depends(s, b, a, true);
}

/* Members of both in order of id. */
static void merge(orr_plan *plan, int32_t into, int32_t from) {
    orr_group *x = &plan->groups[into], *y = &plan->groups[from];
    int32_t a = x->first, b = y->first, last = -1, first = -1;
    while (a >= 0 || b >= 0) {
        const int32_t take = b < 0 || (a >= 0 && a < b) ? a : b;
        if (take == a) a = plan->next_in_group[a];
        else b = plan->next_in_group[b];
        plan->group_of[take] = into;
        if (last < 0) first = take;
        else plan->next_in_group[last] = take;
        last = take;
    }
    plan->next_in_group[last] = -1;
    x->first = first, x->last = last;
    x->n_nodes += y->n_nodes, x->n_reads += y->n_reads;
    x->reduced |= y->reduced;
    y->live = false;
    y->n_nodes = 0, y->first = -1, y->last = -1;
}

/* The reduced values of a group may not be read inside it: an elementwise node doesn't join where an argument, seen
 * through views, is one, or where an argument is a view of a member (its elements stand elsewhere). */
static bool reads_beside(const orr_plan *plan, int32_t node, int32_t group) {
    for (int32_t k = 0; k < plan->g->nodes[node].n_args; k++) {
        if (group_of_arg(plan, node, k) == group && !orr_plan_is_direct(plan, node, k, group)) return true;
    }
    return false;
}

static bool merge_reads_beside(const orr_plan *plan, int32_t a, int32_t b) {
    for (int32_t i = plan->groups[a].first; i >= 0; i = plan->next_in_group[i])
        if (reads_beside(plan, i, b)) return true;
    for (int32_t i = plan->groups[b].first; i >= 0; i = plan->next_in_group[i])
        if (reads_beside(plan, i, a)) return true;
    return false;
}

static void place(search *s, int32_t node) {
    orr_plan *plan = s->plan;
    const orr_graph_node *n = &plan->g->nodes[node];
    const bool fused = fusible(plan, node) && plan->device->fused_run; /* without fusion, groups of one: the same arithmetic */
    int32_t home = -1;
    for (int32_t k = 0; fused && !plan->options->no_fusion && k < n->n_args; k++) {
        const int32_t t = group_of_arg(plan, node, k);
        if (t < 0 || t == home || !orr_plan_is_direct(plan, node, k, t)) continue;
        if (home < 0) {
            if (suits(plan, node, t) && !reads_beside(plan, node, t) && can_join(s, node, t)) {
                append(plan, node, t);
                home = t;
            }
        } else if (can_merge(s, home, t) && !merge_reads_beside(plan, home, t)) {
            merge(plan, home, t);
        }
    }
    if (home < 0) (void)open_group(plan, node, fused);
}

orr_status orr_plan_fuse(orr_plan *plan) {
    const int32_t n = plan->g->n;
    plan->group_of = ORR_NEW(plan->scratch, int32_t, n);
    plan->next_in_group = ORR_NEW(plan->scratch, int32_t, n);
    plan->in_memory = ORR_NEW(plan->scratch, bool, n);
    plan->groups = ORR_NEW(plan->scratch, orr_group, n);
    search s = { .plan = plan, .stamp = ORR_NEW(plan->scratch, int32_t, n), .stack = ORR_NEW(plan->scratch, int32_t, n) };
    if (!plan->group_of || !plan->next_in_group || !plan->in_memory || !plan->groups || !s.stamp || !s.stack)
        return orr_fail(plan->ctx, ORR_ENOMEM, "compile: no memory to group %d nodes", n);
    for (int32_t i = 0; i < n; i++) plan->group_of[i] = -1;
    for (int32_t i = 1; i < n; i++)
        if (plan->layout[i].holding == ORR_HOLD_BUFFER && plan->g->nodes[i].op->kind != ORR_KIND_SOURCE) place(&s, i);
    for (int32_t i = 1; i < n; i++) {
        if (plan->layout[i].holding == ORR_HOLD_NOTHING) continue;
        for (int32_t k = 0; k < plan->g->nodes[i].n_args; k++) {
            const int32_t arg = plan->g->nodes[i].args[k].id, root = orr_plan_root(plan, arg);
            if (root && !(plan->group_of[i] >= 0 && orr_plan_is_direct(plan, i, k, plan->group_of[i]))) plan->in_memory[root] = true;
        }
    }
    for (int32_t i = 0; i < plan->options->n_outputs; i++)
        plan->in_memory[orr_plan_root(plan, plan->options->outputs[i].id)] = true;
    for (int32_t i = 0; i < plan->options->n_updates; i++)
        plan->in_memory[orr_plan_root(plan, plan->options->updates[i].value.id)] = true;
    return ORR_OK;
}
