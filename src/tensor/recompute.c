/* What a later launch reads may cost less to compute again than to keep.
 *
 * A value of a fused group that others read is written to memory and stays there until the last of them.  Where all of
 * its readers are fused groups of its shape, and it follows by elementwise nodes from values that are in memory anyway,
 * or that take no more room than it does, each reader computes it again in registers: 1 - tanh(z)^2 from tanh(z), the
 * derivative of GELU from the activation's argument.  Values of one group with the same reader are weighed together: they
 * often follow from one.
 *
 * It never raises what is alive: what lives longer is no larger than what goes.  It is done where it costs about as much
 * time as the memory that it spares, at most; the units are those of orr_fused_work. */
#define ORR_TENSOR_INSIDE
#include <string.h>

#include "tensor/plan.h"

enum {
    READERS_MAX = 4, /* groups that would each compute a value again */
    CHAIN_MAX = 24,  /* nodes of a derivation */
    LEAVES_MAX = 16, /* what it begins from */
    TRAFFIC = 3,     /* units that one pass over memory is worth: 4 bytes at 10 to 20 GB/s a thread */
    TOGETHER_MAX = 8 /* values weighed together */
};

typedef struct reader {
    int32_t node, arg, next; /* of the same root */
} reader;

typedef struct search {
    orr_plan *plan;
    int32_t *first_reader; /* [nodes] */
    reader *readers;
    bool *fixed; /* [nodes]: must be in memory: an output, or what something is computed again from */
} search;

/* A derivation of some values of one group, for some reader groups. */
typedef struct derivation {
    int32_t value[TOGETHER_MAX], n_values;
    int32_t reader[READERS_MAX], n_readers;
    int32_t chain[CHAIN_MAX], n_chain;  /* the values and what lies between them and the leaves, by falling id */
    int32_t leaf[LEAVES_MAX], n_leaves; /* roots in memory, as large as the values */
    int32_t n_inputs;                   /* with the small ones */
} derivation;

bool orr_plan_copied(const orr_plan *plan, int32_t group, int32_t node) {
    for (int32_t c = plan->groups[group].first_copy; c > 0; c = plan->copies[c].next)
        if (plan->copies[c].node == node) return true;
    return false;
}

static bool holds(const int32_t *list, int32_t n, int32_t x) {
    for (int32_t i = 0; i < n; i++)
        if (list[i] == x) return true;
    return false;
}

static size_t bytes_of(const orr_plan *plan, int32_t node) {
    const orr_type *t = &plan->g->nodes[node].type;
    return (size_t)orr_shape_count(&t->shape) * orr_dtype_size(t->dtype);
}

/* An elementwise node over the whole shape of its group, not one element a row. */
static bool is_plain(const orr_plan *plan, int32_t node) {
    const int32_t group = plan->group_of[node];
    return group >= 0 && plan->groups[group].fused && plan->g->nodes[node].op->kind == ORR_KIND_ELEMENTWISE &&
           !plan->is_row[node];
}

/* Whether a group could compute `node` again for the reader `r`. */
static bool reads_plainly(const orr_plan *plan, int32_t node, const reader *r) {
    const orr_graph_node *n = &plan->g->nodes[r->node];
    const orr_group *group = &plan->groups[plan->group_of[r->node]];
    const bool reduction = n->op->kind == ORR_KIND_REDUCTION;
    return group->fused && n->args[r->arg].id == node && (reduction || !plan->is_row[r->node]) &&
           !orr_plan_is_outer(plan->g, r->node) && orr_shape_equal(&group->shape, &plan->g->nodes[node].type.shape);
}

/* The groups that read a value from memory; false where one of them can't compute it, or they are too many. */
static bool find_reader_groups(const search *s, int32_t node, derivation *d) {
    const orr_plan *plan = s->plan;
    d->n_readers = 0;
    for (int32_t r = s->first_reader[node]; r > 0; r = s->readers[r].next) {
        const reader *x = &s->readers[r];
        const int32_t group = plan->group_of[x->node];
        if (group == plan->group_of[node]) continue;
        if (!reads_plainly(plan, node, x)) return false;
        if (holds(d->reader, d->n_readers, group)) continue;
        if (d->n_readers == READERS_MAX) return false;
        d->reader[d->n_readers++] = group;
    }
    return d->n_readers > 0;
}

static bool is_candidate(const search *s, int32_t node) {
    return s->plan->in_memory[node] && !s->fixed[node] && is_plain(s->plan, node);
}

/* Into the chain by falling id, once. */
static bool append(derivation *d, int32_t node) {
    if (holds(d->chain, d->n_chain, node)) return true;
    if (d->n_chain == CHAIN_MAX) return false;
    int32_t at = d->n_chain++;
    for (; at > 0 && d->chain[at - 1] < node; at--) d->chain[at] = d->chain[at - 1];
    d->chain[at] = node;
    return true;
}

/* Follows the values back to what is in memory.  Arguments come before their users, so by falling id each node of the
 * chain is met after all that want it. */
static bool derive(const search *s, derivation *d) {
    const orr_plan *plan = s->plan;
    const size_t whole = bytes_of(plan, d->value[0]);
    d->n_chain = d->n_leaves = d->n_inputs = 0;
    for (int32_t i = 0; i < d->n_values; i++)
        if (!append(d, d->value[i])) return false;
    for (int32_t i = 0; i < d->n_chain; i++) {
        const orr_graph_node *n = &plan->g->nodes[d->chain[i]];
        for (int32_t k = 0; k < n->n_args; k++) {
            const int32_t arg = n->args[k].id, root = orr_plan_root(plan, arg);
            if (!root) continue; /* a fill */
            const bool source = plan->g->nodes[root].op->kind == ORR_KIND_SOURCE;
            if (!source && !holds(d->value, d->n_values, root) && !plan->in_memory[root]) {
                if (arg != root || !is_plain(plan, root) ||
                    !orr_shape_equal(&plan->g->nodes[root].type.shape, &plan->g->nodes[d->value[0]].type.shape) ||
                    !append(d, root))
                    return false;
                continue;
            }
            if (holds(d->value, d->n_values, root)) {
                if (arg != root) return false;
                continue;
            }
            d->n_inputs++;
            if (bytes_of(plan, root) * 2 <= whole || holds(d->leaf, d->n_leaves, root)) continue;
            if (d->n_leaves == LEAVES_MAX) return false;
            d->leaf[d->n_leaves++] = root;
        }
    }
    return true;
}

/* Units of what is computed once more: all but what its group no longer needs, where there is one reader. */
static int32_t work_of(const search *s, const derivation *d) {
    const orr_plan *plan = s->plan;
    int32_t moved[CHAIN_MAX], n_moved = 0, work = 0;
    for (int32_t i = 0; i < d->n_chain; i++) { /* readers first */
        const int32_t node = d->chain[i];
        bool needed = d->n_readers > 1;
        for (int32_t r = s->first_reader[node]; r > 0 && !needed; r = s->readers[r].next) {
            const int32_t user = s->readers[r].node;
            needed = !holds(moved, n_moved, user) && plan->group_of[user] != d->reader[0];
        }
        if (needed) work += orr_fused_work(plan->g->nodes[node].op->code) * d->n_readers;
        else moved[n_moved++] = node;
    }
    return work;
}

static bool reads_already(const search *s, int32_t group, int32_t root) {
    for (int32_t r = s->first_reader[root]; r > 0; r = s->readers[r].next)
        if (s->plan->group_of[s->readers[r].node] == group) return true;
    return false;
}

static bool pays(const search *s, const derivation *d) {
    const orr_plan *plan = s->plan;
    size_t spared = 0, kept = 0;
    int32_t passes = d->n_values * (1 + d->n_readers);
    for (int32_t i = 0; i < d->n_values; i++) spared += bytes_of(plan, d->value[i]);
    for (int32_t i = 0; i < d->n_leaves; i++) {
        if (plan->g->nodes[d->leaf[i]].op->kind != ORR_KIND_SOURCE) kept += bytes_of(plan, d->leaf[i]);
        for (int32_t k = 0; k < d->n_readers; k++) passes -= !reads_already(s, d->reader[k], d->leaf[i]);
    }
    if (kept > spared) return false;
    const int32_t work = work_of(s, d);
    return work <= TRAFFIC * passes || work <= TRAFFIC * d->n_values * d->n_readers;
}

static bool has_room(const orr_plan *plan, const derivation *d) {
    for (int32_t i = 0; i < d->n_readers; i++) {
        const orr_group *t = &plan->groups[d->reader[i]];
        if (t->n_nodes + t->n_copies + d->n_chain > ORR_FUSED_NODES || t->n_reads + d->n_inputs > ORR_FUSED_READS)
            return false;
    }
    return true;
}

/* Copies of a group stand in rising order of id, so that arguments come first. */
static void copy_into(orr_plan *plan, int32_t group, int32_t node) {
    orr_group *t = &plan->groups[group];
    if (orr_plan_copied(plan, group, node)) return;
    const int32_t made = ++plan->n_copies;
    int32_t *link = &t->first_copy;
    while (*link > 0 && plan->copies[*link].node < node) link = &plan->copies[*link].next;
    plan->copies[made] = (orr_copied_node){ .node = node, .next = *link };
    *link = made;
    t->n_copies++;
}

static bool try(search *s, derivation *d) {
    orr_plan *plan = s->plan;
    if (!derive(s, d) || !has_room(plan, d) || !pays(s, d) ||
        plan->n_copies + d->n_chain * d->n_readers > plan->copies_max)
        return false;
    for (int32_t i = 0; i < d->n_readers; i++) {
        for (int32_t k = 0; k < d->n_chain; k++) copy_into(plan, d->reader[i], d->chain[k]);
        plan->groups[d->reader[i]].n_reads += d->n_inputs;
    }
    for (int32_t i = 0; i < d->n_leaves; i++) s->fixed[d->leaf[i]] = true;
    for (int32_t i = 0; i < d->n_values; i++) plan->in_memory[d->value[i]] = false;
    return true;
}

/* The values of a group that no other group than `reader` reads from memory. */
static void gather(const search *s, int32_t group, int32_t reader_group, derivation *d) {
    const orr_plan *plan = s->plan;
    d->n_values = 0;
    for (int32_t i = plan->groups[group].first; i >= 0 && d->n_values < TOGETHER_MAX; i = plan->next_in_group[i]) {
        derivation one;
        if (is_candidate(s, i) && find_reader_groups(s, i, &one) && one.n_readers == 1 && one.reader[0] == reader_group)
            d->value[d->n_values++] = i;
    }
    d->reader[0] = reader_group, d->n_readers = 1;
}

static void weigh(search *s, int32_t node) {
    derivation d;
    if (!is_candidate(s, node) || !find_reader_groups(s, node, &d)) return;
    if (d.n_readers == 1) {
        gather(s, s->plan->group_of[node], d.reader[0], &d);
        if (d.n_values > 1 && try(s, &d)) return;
    }
    d.value[0] = node, d.n_values = 1;
    (void)try(s, &d);
}

static orr_status find_readers(search *s) {
    const orr_plan *plan = s->plan;
    const orr_graph *g = plan->g;
    int32_t n = 0;
    for (int32_t i = 1; i < g->n; i++) n += plan->group_of[i] >= 0 ? g->nodes[i].n_args : 0;
    s->first_reader = ORR_NEW(plan->scratch, int32_t, g->n);
    s->readers = ORR_NEW(plan->scratch, reader, n + 1);
    s->fixed = ORR_NEW(plan->scratch, bool, g->n);
    if (!s->first_reader || !s->readers || !s->fixed)
        return orr_fail(plan->ctx, ORR_ENOMEM, "compile: no memory for the readers of %d nodes", g->n);
    int32_t made = 0;
    for (int32_t i = 1; i < g->n; i++)
        for (int32_t k = 0; plan->group_of[i] >= 0 && k < g->nodes[i].n_args; k++) {
            const int32_t root = orr_plan_root(plan, g->nodes[i].args[k].id);
            if (!root) continue;
            s->readers[++made] = (reader){ i, k, s->first_reader[root] };
            s->first_reader[root] = made;
        }
    for (int32_t i = 0; i < plan->options->n_outputs; i++)
        s->fixed[orr_plan_root(plan, plan->options->outputs[i].id)] = true;
    for (int32_t i = 0; i < plan->options->n_updates; i++)
        s->fixed[orr_plan_root(plan, plan->options->updates[i].value.id)] = true;
    return ORR_OK;
}

/* ---- what is still needed ------------------------------------------------------------------------------------------ */

/* Marks what node i, run in `group`, needs. */
static void need_arguments(orr_plan *plan, int32_t i, int32_t group, bool *needed) {
    for (int32_t k = 0; k < plan->g->nodes[i].n_args; k++) {
        const int32_t root = orr_plan_root(plan, plan->g->nodes[i].args[k].id);
        if (!root) continue;
        const bool from_memory = orr_plan_reach(plan, i, k, group) == ORR_REACH_MEMORY;
        if (from_memory) plan->in_memory[root] = true;
        if (from_memory || !orr_plan_copied(plan, group, root)) needed[root] = true;
    }
}

static void need_results(orr_plan *plan, bool *needed) {
    for (int32_t i = 0; i < plan->options->n_outputs + plan->options->n_updates; i++) {
        const orr_node made = i < plan->options->n_outputs ? plan->options->outputs[i]
                                                           : plan->options->updates[i - plan->options->n_outputs].value;
        const int32_t root = orr_plan_root(plan, made.id);
        needed[root] = plan->in_memory[root] = true;
    }
}

/* Takes what nobody needs any more out of a group. */
static void thin_out(orr_plan *plan, int32_t group, const bool *needed) {
    orr_group *t = &plan->groups[group];
    int32_t *link = &t->first;
    t->last = -1;
    while (*link >= 0) {
        const int32_t node = *link;
        if (needed[node]) {
            t->last = node;
            link = &plan->next_in_group[node];
            continue;
        }
        *link = plan->next_in_group[node];
        plan->group_of[node] = -1;
        t->n_nodes--;
    }
    t->live = t->n_nodes > 0;
}

orr_status orr_plan_recompute(orr_plan *plan) {
    const int32_t n = plan->g->n;
    const bool fuses = plan->device->fused_run && !plan->options->no_fusion;
    search s = { .plan = plan };
    bool *needed = ORR_NEW(plan->scratch, bool, n);
    plan->copies_max = n;
    plan->copies = ORR_NEW(plan->scratch, orr_copied_node, n + 1);
    if (!needed || !plan->copies) return orr_fail(plan->ctx, ORR_ENOMEM, "compile: no memory to mark %d nodes", n);
    ORR_TRY(plan->ctx, find_readers(&s));
    for (int32_t i = 1; fuses && i < n; i++) weigh(&s, i);
    if (plan->n_copies == 0) return ORR_OK;
    memset(plan->in_memory, 0, (size_t)n * sizeof *plan->in_memory);
    need_results(plan, needed);
    for (int32_t t = 0; t < plan->n_groups; t++)
        for (int32_t c = plan->groups[t].first_copy; c > 0; c = plan->copies[c].next)
            need_arguments(plan, plan->copies[c].node, t, needed);
    for (int32_t i = n - 1; i > 0; i--)
        if (needed[i] && plan->group_of[i] >= 0) need_arguments(plan, i, plan->group_of[i], needed);
    for (int32_t t = 0; t < plan->n_groups; t++)
        if (plan->groups[t].live) thin_out(plan, t, needed);
    return ORR_OK;
}
