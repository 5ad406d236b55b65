/* The order of groups: each after those that it reads.
 *
 * Two orders are made, and the one that has less alive at its most is taken, the first where they are alike:
 *
 *   as written   as the graph was written, and groups that make new values of inputs last
 *   lean         among those that are ready, the one that frees most; new values of inputs as soon as the old ones have
 *                been read, so that gradients go early
 *
 * In both, an input is overwritten in place when all its readers are done. */
#define ORR_TENSOR_INSIDE
#include <string.h>

#include "tensor/plan.h"

typedef struct scheduler {
    orr_plan *plan;
    int32_t n;
    /* edges, with repeats: users[i] in [first_user[g], first_user[g + 1]) wait for g */
    int32_t *first_user, *users;
    int32_t *waits; /* [groups]: how many edges a group waits for */
    /* buffers that a group reads, each once: reads[i] in [first_read[g], first_read[g + 1]), roots */
    int32_t *first_read, *reads;
    int32_t *n_readers; /* [nodes]: groups that read a root */
    int64_t *makes;     /* [groups]: bytes of temporaries that it writes */
    bool *lasts;        /* [nodes]: an output or an input: not freed */
    /* updates whose new value a group makes, plus one: the first [groups], the next of the same group [updates] */
    int32_t *first_update, *next_update;
    /* of one order at a time */
    int32_t *waiting, *left, *ready, n_ready;
} scheduler;

/* What a group reads, argument by argument: members, then copies.  Calls `visit` with each root. */
typedef void visitor(scheduler *s, int32_t group, int32_t root);

static void visit_arguments(scheduler *s, int32_t group, int32_t node, visitor *visit) {
    const orr_plan *plan = s->plan;
    for (int32_t k = 0; k < plan->g->nodes[node].n_args; k++) {
        const int32_t root = orr_plan_root(plan, plan->g->nodes[node].args[k].id);
        if (root && plan->group_of[root] != group && !orr_plan_copied(plan, group, root)) visit(s, group, root);
    }
}

static void visit_group(scheduler *s, int32_t group, visitor *visit) {
    const orr_plan *plan = s->plan;
    for (int32_t i = plan->groups[group].first; i >= 0; i = plan->next_in_group[i]) visit_arguments(s, group, i, visit);
    for (int32_t c = plan->groups[group].first_copy; c > 0; c = plan->copies[c].next)
        visit_arguments(s, group, plan->copies[c].node, visit);
}

/* ---- who waits for whom, who reads what -------------------------------------------------------------------------- */

static void count_edge(scheduler *s, int32_t group, int32_t root) {
    const int32_t from = s->plan->group_of[root];
    s->first_read[group + 1]++; /* at most */
    if (from >= 0) s->first_user[from + 1]++, s->waits[group]++;
}

static void add_edge(scheduler *s, int32_t group, int32_t root) {
    const int32_t from = s->plan->group_of[root];
    if (from >= 0) s->users[s->first_user[from] + s->left[from]++] = group;
    for (int32_t i = s->first_read[group]; i < s->first_read[group] + s->waiting[group]; i++)
        if (s->reads[i] == root) return;
    s->reads[s->first_read[group] + s->waiting[group]++] = root;
    s->n_readers[root]++;
}

static int64_t bytes_of(const orr_plan *plan, int32_t node) {
    const orr_type *t = &plan->g->nodes[node].type;
    return orr_shape_count(&t->shape) * (int64_t)orr_dtype_size(t->dtype);
}

static void find_sizes(scheduler *s) {
    const orr_plan *plan = s->plan;
    for (int32_t i = 0; i < plan->options->n_outputs; i++)
        s->lasts[orr_plan_root(plan, plan->options->outputs[i].id)] = true;
    for (int32_t i = 0; i < plan->options->n_updates; i++) {
        const int32_t root = orr_plan_root(plan, plan->options->updates[i].value.id);
        if (!root || plan->group_of[root] < 0) continue;
        plan->groups[plan->group_of[root]].updates = true;
        s->lasts[root] = true; /* written over the input */
        s->next_update[i] = s->first_update[plan->group_of[root]];
        s->first_update[plan->group_of[root]] = i + 1;
    }
    for (int32_t i = 1; i < plan->g->n; i++) {
        if (plan->group_of[i] < 0) s->lasts[i] = true;
        else if (plan->in_memory[i] && !s->lasts[i]) s->makes[plan->group_of[i]] += bytes_of(plan, i);
    }
}

static orr_status prepare(scheduler *s) {
    orr_arena *scratch = s->plan->scratch;
    const int32_t n = s->n, nodes = s->plan->g->n;
    s->first_user = ORR_NEW(scratch, int32_t, n + 1), s->first_read = ORR_NEW(scratch, int32_t, n + 1);
    s->waits = ORR_NEW(scratch, int32_t, n), s->makes = ORR_NEW(scratch, int64_t, n);
    s->waiting = ORR_NEW(scratch, int32_t, n), s->left = ORR_NEW(scratch, int32_t, nodes > n ? nodes : n);
    s->ready = ORR_NEW(scratch, int32_t, n);
    s->n_readers = ORR_NEW(scratch, int32_t, nodes), s->first_update = ORR_NEW(scratch, int32_t, n);
    s->next_update = ORR_NEW(scratch, int32_t, s->plan->options->n_updates);
    s->lasts = ORR_NEW(scratch, bool, nodes);
    if (!s->first_user || !s->first_read || !s->waits || !s->makes || !s->waiting || !s->left || !s->ready ||
        !s->n_readers || !s->first_update || !s->next_update || !s->lasts)
        return orr_fail(s->plan->ctx, ORR_ENOMEM, "compile: no memory to order %d launches", n);
    for (int32_t i = 0; i < n; i++)
        if (s->plan->groups[i].live) visit_group(s, i, count_edge);
    for (int32_t i = 0; i < n; i++) s->first_user[i + 1] += s->first_user[i], s->first_read[i + 1] += s->first_read[i];
    s->users = ORR_NEW(scratch, int32_t, s->first_user[n]), s->reads = ORR_NEW(scratch, int32_t, s->first_read[n]);
    if (!s->users || !s->reads)
        return orr_fail(s->plan->ctx, ORR_ENOMEM, "compile: no memory for %d edges between launches", s->first_user[n]);
    for (int32_t i = 0; i < n; i++)
        if (s->plan->groups[i].live) visit_group(s, i, add_edge);
    for (int32_t i = 0; i < n; i++) /* fewer reads than edges: the rest of each list is nobody's */
        for (int32_t k = s->first_read[i] + s->waiting[i]; k < s->first_read[i + 1]; k++) s->reads[k] = 0;
    find_sizes(s);
    return ORR_OK;
}

/* ---- one order --------------------------------------------------------------------------------------------------- */

/* Largest member first gives the order in which the graph was written. */
static bool written_before(const orr_group *a, const orr_group *b) {
    if (a->updates != b->updates) return b->updates;
    return a->last < b->last;
}

/* Bytes that running a group frees: of what it is the last to read. */
static int64_t frees(const scheduler *s, int32_t group) {
    int64_t bytes = 0;
    for (int32_t i = s->first_read[group]; i < s->first_read[group + 1]; i++)
        if (s->reads[i] && !s->lasts[s->reads[i]] && s->left[s->reads[i]] == 1) bytes += bytes_of(s->plan, s->reads[i]);
    return bytes;
}

/* Whether a group makes the new value of an input that others have yet to read. */
static bool must_wait(const scheduler *s, int32_t group) {
    for (int32_t i = s->first_update[group]; i > 0; i = s->next_update[i - 1]) {
        const int32_t input = s->plan->options->updates[i - 1].input.id;
        bool reads = false;
        for (int32_t k = s->first_read[group]; k < s->first_read[group + 1]; k++) reads = reads || s->reads[k] == input;
        if (s->left[input] > reads) return true;
    }
    return false;
}

static bool leaner(const scheduler *s, int32_t a, int32_t b) {
    const bool wait_a = must_wait(s, a), wait_b = must_wait(s, b);
    if (wait_a != wait_b) return wait_b;
    const int64_t grows_a = s->makes[a] - frees(s, a), grows_b = s->makes[b] - frees(s, b);
    if (grows_a != grows_b) return grows_a < grows_b;
    return s->plan->groups[a].last < s->plan->groups[b].last;
}

static int32_t take_best(scheduler *s, bool lean) {
    const orr_group *groups = s->plan->groups;
    int32_t best = 0; /* a search of all: a graph of thousands of nodes has few groups ready at a time */
    for (int32_t i = 1; i < s->n_ready; i++)
        if (lean ? leaner(s, s->ready[i], s->ready[best])
                 : written_before(&groups[s->ready[i]], &groups[s->ready[best]]))
            best = i;
    const int32_t group = s->ready[best];
    s->ready[best] = s->ready[--s->n_ready];
    return group;
}

/* Fills in an order; gives its length, and the most that is alive. */
static int32_t run(scheduler *s, bool lean, int32_t *order, int64_t *most) {
    int32_t n = 0;
    int64_t alive = 0;
    memcpy(s->waiting, s->waits, (size_t)s->n * sizeof *s->waiting);
    memcpy(s->left, s->n_readers, (size_t)s->plan->g->n * sizeof *s->left);
    *most = 0, s->n_ready = 0;
    for (int32_t i = 0; i < s->n; i++)
        if (s->plan->groups[i].live && s->waiting[i] == 0) s->ready[s->n_ready++] = i;
    while (s->n_ready) {
        const int32_t group = take_best(s, lean);
        order[n++] = group;
        /* what is fused writes over what it is the last to read, mostly */
        const int64_t made = s->makes[group], freed = frees(s, group),
                      over = !s->plan->groups[group].fused ? 0
                             : made < freed                ? made
                                                           : freed;
        if (alive + made - over > *most) *most = alive + made - over;
        alive += made - freed;
        for (int32_t i = s->first_read[group]; i < s->first_read[group + 1]; i++)
            if (s->reads[i]) s->left[s->reads[i]]--;
        for (int32_t i = s->first_user[group]; i < s->first_user[group + 1]; i++)
            if (--s->waiting[s->users[i]] == 0) s->ready[s->n_ready++] = s->users[i];
    }
    return n;
}

orr_status orr_plan_schedule(orr_plan *plan) {
    scheduler s = { .plan = plan, .n = plan->n_groups };
    ORR_TRY(plan->ctx, prepare(&s));
    int32_t *lean = ORR_NEW(plan->scratch, int32_t, s.n), *written = ORR_NEW(plan->scratch, int32_t, s.n);
    if (!lean || !written) return orr_fail(plan->ctx, ORR_ENOMEM, "compile: no memory to order %d launches", s.n);
    int64_t most_lean, most_written;
    plan->n_order = run(&s, false, written, &most_written);
    (void)run(&s, true, lean, &most_lean);
    plan->order = most_lean < most_written ? lean : written;
    for (int32_t i = 0; i < plan->n_order; i++) plan->groups[plan->order[i]].position = i;
    for (int32_t i = 0; i < s.n; i++)
        if (plan->groups[i].live && s.waiting[i] > 0)
            return orr_fail(plan->ctx, ORR_EINTERNAL, "compile: launches wait for each other (group %d)", i);
    return ORR_OK;
}
