/* The order of groups: each after those that it reads, else as the graph was written, and those that make new values of
 * inputs last, so that an input is overwritten in place when all its readers are done. */
#define ORR_TENSOR_INSIDE
#include "tensor/plan.h"

/* Largest member first gives the order in which the graph was written. */
static bool comes_before(const orr_group *a, const orr_group *b) {
    if (a->updates != b->updates) return b->updates;
    return a->last < b->last;
}

/* Which groups wait for which, as linked lists, with repeats. */
typedef struct edges {
    int32_t *user, *next; /* [edges] */
    int32_t *first;       /* [groups]: of its users */
    int32_t *waiting;     /* [groups]: how many it waits for */
    int32_t n;
} edges;

/* Group `to` runs node i: it waits for those that make what the node reads. */
static void wait_for_arguments(const orr_plan *plan, int32_t i, int32_t to, edges *e) {
    for (int32_t k = 0; k < plan->g->nodes[i].n_args; k++) {
        const int32_t root = orr_plan_root(plan, plan->g->nodes[i].args[k].id), from = root ? plan->group_of[root] : -1;
        if (from < 0 || from == to || orr_plan_copied(plan, to, root)) continue;
        e->user[e->n] = to;
        e->next[e->n] = e->first[from];
        e->first[from] = e->n++;
        e->waiting[to]++;
    }
}

orr_status orr_plan_schedule(orr_plan *plan) {
    const int32_t n = plan->n_groups;
    plan->order = ORR_NEW(plan->scratch, int32_t, n);
    int32_t *waiting = ORR_NEW(plan->scratch, int32_t, n);    /* groups that a group still waits for, with repeats */
    int32_t *first_user = ORR_NEW(plan->scratch, int32_t, n); /* edges as linked lists */
    int64_t n_edges = 0;
    for (int32_t i = 1; i < plan->g->n; i++)
        if (plan->group_of[i] >= 0) n_edges += plan->g->nodes[i].n_args;
    for (int32_t i = 1; i <= plan->n_copies; i++) n_edges += plan->g->nodes[plan->copies[i].node].n_args;
    int32_t *next_edge = ORR_NEW(plan->scratch, int32_t, n_edges + 1),
            *user = ORR_NEW(plan->scratch, int32_t, n_edges + 1);
    int32_t *heap = ORR_NEW(plan->scratch, int32_t, n + 1);
    if (!plan->order || !waiting || !first_user || !next_edge || !user || !heap)
        return orr_fail(plan->ctx, ORR_ENOMEM, "compile: no memory to order %d launches", n);
    for (int32_t i = 0; i < n; i++) first_user[i] = -1;
    for (int32_t i = 0; i < plan->options->n_updates; i++) {
        const int32_t root = orr_plan_root(plan, plan->options->updates[i].value.id);
        if (root && plan->group_of[root] >= 0) plan->groups[plan->group_of[root]].updates = true;
    }
    edges e = { .user = user, .next = next_edge, .first = first_user, .waiting = waiting };
    for (int32_t i = 1; i < plan->g->n; i++)
        if (plan->group_of[i] >= 0) wait_for_arguments(plan, i, plan->group_of[i], &e);
    for (int32_t t = 0; t < n; t++)
        for (int32_t c = plan->groups[t].first_copy; c > 0; c = plan->copies[c].next)
            wait_for_arguments(plan, plan->copies[c].node, t, &e);
    int32_t n_heap = 0; /* a sorted list would do too; a graph of thousands of nodes has few groups ready at a time */
    for (int32_t i = 0; i < n; i++)
        if (plan->groups[i].live && waiting[i] == 0) heap[n_heap++] = i;
    while (n_heap) {
        int32_t best = 0;
        for (int32_t i = 1; i < n_heap; i++)
            if (comes_before(&plan->groups[heap[i]], &plan->groups[heap[best]])) best = i;
        const int32_t group = heap[best];
        heap[best] = heap[--n_heap];
        plan->groups[group].position = plan->n_order;
        plan->order[plan->n_order++] = group;
        for (int32_t i = first_user[group]; i >= 0; i = next_edge[i])
            if (--waiting[user[i]] == 0) heap[n_heap++] = user[i];
    }
    for (int32_t i = 0; i < n; i++)
        if (plan->groups[i].live && waiting[i] > 0)
            return orr_fail(plan->ctx, ORR_EINTERNAL, "compile: launches wait for each other (group %d)", i);
    return ORR_OK;
}
