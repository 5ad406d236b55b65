/* Fusion: elementwise nodes of one shape, and the reductions after them, run as one pass over memory.
 *
 * Nodes are taken in order.  One joins a group of one of its arguments where the shapes agree and no path leads from
 * the group through other groups back into the node (the group would wait for itself); groups that it brings together
 * merge under the same condition.  What a group outside reads goes to memory; all else stays in registers.
 *
 * A node waits for its only reader where it reads nothing but what is in memory anyway: the derivative of an activation
 * then runs in the backward pass, from the activation, instead of in the forward pass, to be stored until it is wanted.
 *
 * Reductions end a group, except those of a short last axis: their results, and elementwise nodes of one element a row,
 * may join and be spread over the rows again, so that softmax and layer norm are one pass. */
#define ORR_TENSOR_INSIDE
#include "tensor/plan.h"

typedef struct search {
    orr_plan *plan;
    int32_t *stamp; /* [groups]: last search that saw a group */
    int32_t *stack; /* [groups] */
    int32_t now;
    const int32_t *reader; /* [nodes]: the one node that reads a node; 0: none, or several */
    const bool *stored;    /* [nodes]: in memory whatever is fused */
    int32_t *waits;        /* [nodes]: 0, or how many wait in a row, down to this one */
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

static bool is_contiguous(const orr_layout *l) { return l->offset == 0 && orr_view_is_contiguous(&l->view); }

/* A view over `shape` of one element a row, the rows in order. */
static bool is_spread(const orr_layout *l, const orr_shape *shape) {
    int64_t stride = 1;
    const int32_t last = shape->rank - 1;
    if (l->offset != 0 || !orr_shape_equal(&l->view.shape, shape) || l->view.stride[last] != 0) return false;
    for (int32_t i = last - 1; i >= 0; i--) {
        if (shape->size[i] != 1 && l->view.stride[i] != stride) return false;
        stride *= shape->size[i];
    }
    return true;
}

static orr_reach reach(const orr_plan *plan, int32_t node, bool node_is_row, int32_t k, int32_t group) {
    const int32_t arg = plan->g->nodes[node].args[k].id, root = orr_plan_root(plan, arg);
    const orr_layout *l = &plan->layout[arg];
    if (!root || (plan->group_of[root] != group && !orr_plan_copied(plan, group, root))) return ORR_REACH_MEMORY;
    if (orr_plan_is_outer(plan->g, node)) return ORR_REACH_NEVER;
    if (plan->g->nodes[root].op->kind == ORR_KIND_REDUCTION && !plan->is_row[root]) return ORR_REACH_NEVER;
    if (!plan->is_row[root]) return arg == root && !node_is_row ? ORR_REACH_SAME : ORR_REACH_NEVER;
    if (node_is_row) return is_contiguous(l) ? ORR_REACH_SAME : ORR_REACH_NEVER;
    const bool elementwise = plan->g->nodes[node].op->kind == ORR_KIND_ELEMENTWISE;
    return elementwise && is_spread(l, &plan->groups[group].shape) ? ORR_REACH_SPREAD : ORR_REACH_NEVER;
}

/* A reduction itself runs over whole rows; only its result is a row value. */
static bool runs_on_rows(const orr_plan *plan, int32_t node) {
    return plan->is_row[node] && plan->g->nodes[node].op->kind != ORR_KIND_REDUCTION;
}

orr_reach orr_plan_reach(const orr_plan *plan, int32_t node, int32_t k, int32_t group) {
    return reach(plan, node, runs_on_rows(plan, node), k, group);
}

/* Whether the group's reductions leave row values. */
static bool has_rows(const orr_group *t) {
    const int32_t last = t->shape.rank - 1;
    return last >= 0 && t->reduced == 1u << last && t->shape.size[last] > 1 && t->shape.size[last] <= ORR_FUSED_ROW;
}

static int64_t rows_of(const orr_group *t) { return orr_shape_count(&t->shape) / t->shape.size[t->shape.rank - 1]; }

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

/* Whether group `from` depends on group `target`; with skip_direct, other than by its own edges to it.  Node ids are no
 * guide: a group waits for all that its latest member reads, also where only its earliest member is wanted. */
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
                if (d < 0 || s->stamp[d] == s->now) continue;
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
        if (d >= 0 && d != t && depends(s, d, t, false)) return false;
    }
    return true;
}

/* An elementwise node of one element a row; what it reads from memory are such rows too, or one number. */
static bool suits_rows(const orr_plan *plan, int32_t node, int32_t group) {
    const orr_group *t = &plan->groups[group];
    const orr_graph_node *n = &plan->g->nodes[node];
    if (!has_rows(t) || n->op->kind != ORR_KIND_ELEMENTWISE || orr_shape_count(&n->type.shape) != rows_of(t))
        return false;
    for (int32_t k = 0; k < n->n_args; k++) {
        const orr_layout *l = &plan->layout[n->args[k].id];
        if (l->holding == ORR_HOLD_FILL || reach(plan, node, true, k, group) != ORR_REACH_MEMORY) continue;
        bool one = true;
        for (int32_t i = 0; i < l->view.shape.rank; i++)
            one = one && (l->view.stride[i] == 0 || l->view.shape.size[i] == 1);
        if (!one && !orr_view_is_contiguous(&l->view)) return false;
    }
    return true;
}

/* Whether a node fits a group by its shape; *row: as one element a row. */
static bool suits(const orr_plan *plan, int32_t node, int32_t group, bool *row) {
    const orr_group *t = &plan->groups[group];
    const orr_graph_node *n = &plan->g->nodes[node];
    *row = false;
    if (!t->fused || t->n_nodes + 1 > ORR_FUSED_NODES || t->n_reads + n->n_args > ORR_FUSED_READS) return false;
    if (orr_shape_equal(&t->shape, iterates(plan, node))) {
        if (n->op->kind != ORR_KIND_REDUCTION) return true;
        const uint32_t axes = ((const orr_attr_reduce *)n->attr)->axes;
        return t->reduced == 0 || t->reduced == axes;
    }
    *row = suits_rows(plan, node, group);
    return *row;
}

static void append(orr_plan *plan, int32_t node, int32_t group, bool row) {
    orr_group *t = &plan->groups[group];
    const orr_graph_node *n = &plan->g->nodes[node];
    plan->group_of[node] = group;
    plan->next_in_group[node] = -1;
    if (t->n_nodes == 0) t->first = node;
    else plan->next_in_group[t->last] = node;
    t->last = node;
    t->n_nodes++;
    for (int32_t k = 0; k < n->n_args; k++) t->n_reads += reach(plan, node, row, k, group) == ORR_REACH_MEMORY;
    if (n->op->kind == ORR_KIND_REDUCTION) {
        t->reduced = ((const orr_attr_reduce *)n->attr)->axes;
        row = has_rows(t);
    }
    plan->is_row[node] = row;
}

static int32_t open_group(orr_plan *plan, int32_t node, bool fused) {
    const int32_t group = plan->n_groups++;
    plan->groups[group] = (orr_group){ .live = true, .fused = fused, .shape = *iterates(plan, node) };
    append(plan, node, group, false);
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

/* Whether a node would read, inside the group, what no register holds for it. */
static bool reads_beside(const orr_plan *plan, int32_t node, bool row, int32_t group) {
    for (int32_t k = 0; k < plan->g->nodes[node].n_args; k++)
        if (reach(plan, node, row, k, group) == ORR_REACH_NEVER) return true;
    return false;
}

static bool merge_reads_beside(const orr_plan *plan, int32_t a, int32_t b) {
    for (int32_t i = plan->groups[a].first; i >= 0; i = plan->next_in_group[i])
        if (reads_beside(plan, i, runs_on_rows(plan, i), b)) return true;
    for (int32_t i = plan->groups[b].first; i >= 0; i = plan->next_in_group[i])
        if (reads_beside(plan, i, runs_on_rows(plan, i), a)) return true;
    return false;
}

/* Whether a node may run as late as its reader does: how many then wait in a row, no more than a group holds; else 0. */
static int32_t can_wait(const search *s, int32_t node) {
    const orr_plan *plan = s->plan;
    const orr_graph_node *n = &plan->g->nodes[node];
    const int32_t reader = s->reader[node];
    if (n->op->kind != ORR_KIND_ELEMENTWISE || !reader || s->stored[node] || !fusible(plan, reader) ||
        orr_plan_is_outer(plan->g, reader) || !orr_shape_equal(&n->type.shape, iterates(plan, reader)))
        return 0;
    int32_t longest = 0;
    for (int32_t k = 0; k < n->n_args; k++) {
        const int32_t root = orr_plan_root(plan, n->args[k].id);
        if (root && ((!s->stored[root] && !s->waits[root]) || plan->is_row[root])) return 0;
        if (root && s->waits[root] > longest) longest = s->waits[root];
    }
    return longest < ORR_FUSED_NODES ? longest + 1 : 0;
}

/* Merges a group with those of a node's arguments, all or only those that waited; and of the arguments of these. */
static void merge_args(search *s, int32_t node, int32_t home, bool all) {
    orr_plan *plan = s->plan;
    const orr_graph_node *n = &plan->g->nodes[node];
    for (int32_t k = 0; k < n->n_args; k++) {
        const int32_t t = group_of_arg(plan, node, k);
        const bool waited = s->waits[n->args[k].id] > 0;
        if (t >= 0 && t != home && (all || waited) && can_merge(s, home, t) && !merge_reads_beside(plan, home, t))
            merge(plan, home, t);
        if (waited) merge_args(s, n->args[k].id, home, all);
    }
}

/* Places those that wait for a node, apart from all others. */
static void end_wait(search *s, int32_t node) {
    const orr_graph_node *n = &s->plan->g->nodes[node];
    for (int32_t k = 0; k < n->n_args; k++) {
        const int32_t arg = n->args[k].id;
        if (!s->waits[arg] || s->plan->group_of[arg] >= 0) continue;
        end_wait(s, arg);
        merge_args(s, arg, open_group(s->plan, arg, true), false);
    }
}

static void place(search *s, int32_t node) {
    orr_plan *plan = s->plan;
    const orr_graph_node *n = &plan->g->nodes[node];
    const bool fused =
        fusible(plan, node) && plan->device->fused_run; /* without fusion, groups of one: the same arithmetic */
    int32_t home = -1;
    end_wait(s, node);
    for (int32_t k = 0; fused && !plan->options->no_fusion && k < n->n_args; k++) {
        const int32_t t = group_of_arg(plan, node, k);
        bool row;
        if (t < 0 || home >= 0 || !suits(plan, node, t, &row) || reads_beside(plan, node, row, t) ||
            !can_join(s, node, t))
            continue;
        append(plan, node, t, row);
        home = t;
    }
    if (home < 0) (void)open_group(plan, node, fused);
    else merge_args(s, node, home, true);
}

/* Fills in who reads each node, and what is in memory whatever is fused. */
static void find_readers(const orr_plan *plan, int32_t *reader, bool *stored) {
    const orr_graph *g = plan->g;
    for (int32_t i = 1; i < g->n; i++) {
        if (plan->layout[i].holding == ORR_HOLD_NOTHING) continue;
        stored[i] = stored[i] || g->nodes[i].op->kind == ORR_KIND_SOURCE || !fusible(plan, i);
        for (int32_t k = 0; k < g->nodes[i].n_args; k++) {
            const int32_t arg = g->nodes[i].args[k].id, root = orr_plan_root(plan, arg);
            if (!root) continue;
            reader[root] = !reader[root] || reader[root] == i ? i : -1;
            if (!fusible(plan, i) || arg != root) stored[root] = true;
        }
    }
    for (int32_t i = 0; i < plan->options->n_outputs; i++)
        stored[orr_plan_root(plan, plan->options->outputs[i].id)] = true;
    for (int32_t i = 0; i < plan->options->n_updates; i++)
        stored[orr_plan_root(plan, plan->options->updates[i].value.id)] = true;
    for (int32_t i = 1; i < g->n; i++)
        if (reader[i] < 0) reader[i] = 0;
}

orr_status orr_plan_fuse(orr_plan *plan) {
    const int32_t n = plan->g->n;
    plan->group_of = ORR_NEW(plan->scratch, int32_t, n);
    plan->next_in_group = ORR_NEW(plan->scratch, int32_t, n);
    plan->in_memory = ORR_NEW(plan->scratch, bool, n);
    plan->groups = ORR_NEW(plan->scratch, orr_group, n);
    search s = { .plan = plan,
                 .stamp = ORR_NEW(plan->scratch, int32_t, n),
                 .stack = ORR_NEW(plan->scratch, int32_t, n) };
    int32_t *reader = ORR_NEW(plan->scratch, int32_t, n);
    bool *stored = ORR_NEW(plan->scratch, bool, n);
    s.reader = reader, s.stored = stored, s.waits = ORR_NEW(plan->scratch, int32_t, n);
    plan->is_row = ORR_NEW(plan->scratch, bool, n);
    if (!plan->group_of || !plan->next_in_group || !plan->in_memory || !plan->is_row || !plan->groups || !s.stamp ||
        !s.stack || !reader || !stored || !s.waits)
        return orr_fail(plan->ctx, ORR_ENOMEM, "compile: no memory to group %d nodes", n);
    for (int32_t i = 0; i < n; i++) plan->group_of[i] = -1;
    find_readers(plan, reader, stored);
    const bool fuses = plan->device->fused_run && !plan->options->no_fusion;
    for (int32_t i = 1; i < n; i++) {
        if (plan->layout[i].holding != ORR_HOLD_BUFFER || plan->g->nodes[i].op->kind == ORR_KIND_SOURCE) continue;
        s.waits[i] = fuses ? can_wait(&s, i) : 0;
        if (!s.waits[i]) place(&s, i);
    }
    for (int32_t i = 1; i < n; i++) {
        if (plan->group_of[i] < 0) continue; /* a source; or a view: who reads it, reads its root */
        for (int32_t k = 0; k < plan->g->nodes[i].n_args; k++) {
            const int32_t root = orr_plan_root(plan, plan->g->nodes[i].args[k].id);
            if (root && orr_plan_reach(plan, i, k, plan->group_of[i]) == ORR_REACH_MEMORY) plan->in_memory[root] = true;
        }
    }
    for (int32_t i = 0; i < plan->options->n_outputs; i++)
        plan->in_memory[orr_plan_root(plan, plan->options->outputs[i].id)] = true;
    for (int32_t i = 0; i < plan->options->n_updates; i++)
        plan->in_memory[orr_plan_root(plan, plan->options->updates[i].value.id)] = true;
    return ORR_OK;
}
