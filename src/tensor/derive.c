/* vjp, jvp, vmap: each appends nodes to the graph that it reads, so that it can read its own results again.
 *
 * Nodes stand in the order in which they were made, arguments before users; a pass is one walk over the ids that
 * existed when it began.  The xs are independent variables: the walk doesn't look behind them. */
#define ORR_TENSOR_INSIDE
#include <string.h>

#include "tensor/graph.h"
#include "tensor/op_shape.h"

typedef struct walk {
    orr_graph *g;
    orr_node *value; /* [n]: cotangent, tangent or replacement of each node; ORR_NONE where there is none */
    bool *moves;     /* [n]: an x, or a user of what moves */
    int32_t n;       /* nodes when the walk began */
    orr_arena_mark mark;
    const char *file; /* the caller's line: while a node is treated, mistakes speak of the node's own line */
    int line;
} walk;

static bool node_ok(const orr_graph *g, orr_node a) { return a.id > 0 && a.id < g->n; }

/* Marks what depends on the xs.  False where an argument is no node or memory is out. */
static bool walk_begin(walk *w, orr_graph *g, const char *name, const orr_node *y, int32_t n_y, const orr_node *x,
                       int32_t n_x) {
    *w = (walk){ .g = g, .n = g->n, .file = g->file, .line = g->line };
    if (orr_graph_failed(g)) return false;
    for (int32_t i = 0; i < n_y; i++)
        if (!node_ok(g, y[i])) return orr_graph_fail(g, name, "y[%d] is no node of this graph", i);
    for (int32_t i = 0; i < n_x; i++)
        if (!node_ok(g, x[i])) return orr_graph_fail(g, name, "x[%d] is no node of this graph", i);
    w->value = orr_allocate(g->ctx, (size_t)g->n * sizeof *w->value);
    w->moves = orr_allocate(g->ctx, (size_t)g->n * sizeof *w->moves);
    if (!w->value || !w->moves) return orr_graph_out_of_memory(g, name);
    memset(w->value, 0, (size_t)g->n * sizeof *w->value);
    memset(w->moves, 0, (size_t)g->n * sizeof *w->moves);
    for (int32_t i = 0; i < n_x; i++) w->moves[x[i].id] = true;
    for (int32_t i = 1; i < w->n; i++)
        for (int32_t k = 0; !w->moves[i] && k < g->nodes[i].n_args; k++) w->moves[i] = w->moves[g->nodes[i].args[k].id];
    return true;
}

static void walk_end(walk *w) {
    orr_release(w->g->ctx, w->value);
    orr_release(w->g->ctx, w->moves);
    (void)orr_here(w->g, w->file, w->line);
}

static void treat(walk *w, int32_t i) { (void)orr_here(w->g, w->g->nodes[i].file, w->g->nodes[i].line); }

static bool check_like(orr_graph *g, const char *name, const char *what, orr_node given, orr_node of) {
    if (!node_ok(g, given)) return orr_graph_fail(g, name, "%s is no node of this graph", what);
    const orr_type *a = orr_graph_type(g, given), *b = orr_graph_type(g, of);
    if (a->dtype == b->dtype && orr_shape_equal(&a->shape, &b->shape)) return true;
    char ta[ORR_TYPE_TEXT], tb[ORR_TYPE_TEXT];
    return orr_graph_fail(g, name, "%s is %s where %s was expected", what, orr_type_print(a, ta, sizeof ta),
                          orr_type_print(b, tb, sizeof tb));
}

/* What a transformation gives where the graph has failed.  Results are written last, so that they may stand where the
 * arguments stood: orr_vmap(g, &y, 1, ..., &y). */
static void none_if_failed(const orr_graph *g, orr_node *out, int32_t n) {
    for (int32_t i = 0; i < n && orr_graph_failed(g); i++) out[i] = ORR_NONE;
}

/* Which nodes lead to a y: only they get cotangents or replacements. */
static bool *leads_to(const walk *w, const orr_node *y, int32_t n_y) {
    bool *wanted = orr_allocate(w->g->ctx, (size_t)w->n * sizeof *wanted);
    if (!wanted) return NULL;
    memset(wanted, 0, (size_t)w->n * sizeof *wanted);
    for (int32_t i = 0; i < n_y; i++) wanted[y[i].id] = true;
    for (int32_t i = w->n - 1; i > 0; i--)
        for (int32_t k = 0; wanted[i] && k < w->g->nodes[i].n_args; k++) wanted[w->g->nodes[i].args[k].id] = true;
    return wanted;
}

static bool is_x(const orr_node *x, int32_t n_x, int32_t id) {
    for (int32_t i = 0; i < n_x; i++)
        if (x[i].id == id) return true;
    return false;
}

/* ---- reverse --------------------------------------------------------------------------------------------------------
 */

static void pull_back(walk *w, int32_t i) {
    orr_graph *g = w->g;
    const orr_call call = orr_graph_call_of(g, (orr_node){ i });
    const orr_node ybar = w->value[i];
    if (!call.op->vjp) return;
    treat(w, i);
    for (int32_t k = 0; k < call.n_args && !orr_graph_failed(g); k++) {
        const int32_t a = call.args[k].id;
        if (!w->moves[a]) continue;
        const orr_node part = call.op->vjp(g, &call, ybar, k);
        w->value[a] = orr_add_maybe(g, w->value[a], part);
    }
}

void orr_vjp(orr_graph *g, const orr_node *y, const orr_node *ybar, int32_t n_y, const orr_node *x, int32_t n_x,
             orr_node *xbar) {
    walk w;
    if (!walk_begin(&w, g, "vjp", y, n_y, x, n_x)) goto done;
    for (int32_t i = 0; i < n_y; i++) {
        if (ybar && !check_like(g, "vjp", "ybar", ybar[i], y[i])) goto done;
        if (!w.moves[y[i].id]) continue;
        const orr_node seed = ybar ? ybar[i] : orr_fill_like(g, y[i], 1.0);
        w.value[y[i].id] = orr_add_maybe(g, w.value[y[i].id], seed);
    }
    for (int32_t i = w.n - 1; i > 0 && !orr_graph_failed(g); i--)
        if (w.value[i].id && w.moves[i] && !is_x(x, n_x, i)) pull_back(&w, i);
    (void)orr_here(g, w.file, w.line);
    for (int32_t i = 0; i < n_x && !orr_graph_failed(g); i++)
        xbar[i] = w.value[x[i].id].id ? w.value[x[i].id] : orr_fill_like(g, x[i], 0.0);
done:
    none_if_failed(g, xbar, n_x);
    walk_end(&w);
}

/* ---- forward --------------------------------------------------------------------------------------------------------
 */

enum { FEW_ARGS = 16 };

/* Scratch for one value an argument; concat has any number of them, all else three at most. */
static void *args_scratch(walk *w, int32_t n, size_t size, void *few) {
    if (n <= FEW_ARGS) return memset(few, 0, (size_t)n * size);
    void *many = orr_arena_take(w->g->arena, n, size);
    if (!many) (void)orr_graph_out_of_memory(w->g, "derive");
    return many;
}

static void push_forward(walk *w, int32_t i) {
    orr_graph *g = w->g;
    const orr_call call = orr_graph_call_of(g, (orr_node){ i });
    if (!call.op->jvp) return;
    orr_node few[FEW_ARGS];
    orr_node *adot = args_scratch(w, call.n_args, sizeof *adot, few);
    if (!adot) return;
    bool any = false;
    for (int32_t k = 0; k < call.n_args; k++) {
        adot[k] = w->value[call.args[k].id];
        any = any || adot[k].id;
    }
    treat(w, i);
    if (any) w->value[i] = call.op->jvp(g, &call, adot);
}

void orr_jvp(orr_graph *g, const orr_node *y, int32_t n_y, const orr_node *x, const orr_node *xdot, int32_t n_x,
             orr_node *ydot) {
    walk w;
    bool *wanted = NULL;
    if (!walk_begin(&w, g, "jvp", y, n_y, x, n_x)) goto done;
    for (int32_t i = 0; i < n_x; i++) {
        if (!check_like(g, "jvp", "xdot", xdot[i], x[i])) goto done;
        w.value[x[i].id] = orr_add_maybe(g, w.value[x[i].id], xdot[i]);
    }
    wanted = leads_to(&w, y, n_y);
    if (!wanted) {
        (void)orr_graph_out_of_memory(g, "jvp");
        goto done;
    }
    for (int32_t i = 1; i < w.n && !orr_graph_failed(g); i++)
        if (w.moves[i] && wanted[i] && !is_x(x, n_x, i)) push_forward(&w, i);
    (void)orr_here(g, w.file, w.line);
    for (int32_t i = 0; i < n_y && !orr_graph_failed(g); i++)
        ydot[i] = w.value[y[i].id].id ? w.value[y[i].id] : orr_fill_like(g, y[i], 0.0);
done:
    none_if_failed(g, ydot, n_y);
    orr_release(g->ctx, wanted);
    walk_end(&w);
}

/* ---- batch and substitute -------------------------------------------------------------------------------------- */

/* The node again on replaced arguments: n < 0 without a batch axis, else over an axis of extent n. */
static void replace(walk *w, int32_t i, int64_t n) {
    orr_graph *g = w->g;
    const orr_call call = orr_graph_call_of(g, (orr_node){ i });
    orr_node few_args[FEW_ARGS];
    bool few_flags[FEW_ARGS];
    orr_node *args = args_scratch(w, call.n_args, sizeof *args, few_args);
    bool *batched = args_scratch(w, call.n_args, sizeof *batched, few_flags);
    if (!args || !batched) return;
    for (int32_t k = 0; k < call.n_args; k++) {
        const orr_node instead = w->value[call.args[k].id];
        batched[k] = instead.id != 0;
        args[k] = instead.id ? instead : call.args[k];
    }
    treat(w, i);
    if (n == 0) { /* nothing to compute, and no op need think of it */
        const orr_type t = *orr_graph_type(g, call.out);
        w->value[i] = orr_fill(g, t.dtype, orr_shape_insert(t.shape, 0, 0), 0.0);
        return;
    }
    w->value[i] = n < 0 ? orr_graph_call(g, call.op->code, args, call.n_args, call.attr)
                        : call.op->vmap(g, &call, args, batched, n);
}

static void replace_all(orr_graph *g, const char *name, const orr_node *y, int32_t n_y, const orr_node *x,
                        const orr_node *value, int32_t n_x, int64_t n, orr_node *out) {
    walk w;
    bool *wanted = NULL;
    if (!walk_begin(&w, g, name, y, n_y, x, n_x)) goto done;
    for (int32_t i = 0; i < n_x; i++) w.value[x[i].id] = value[i];
    wanted = leads_to(&w, y, n_y);
    if (!wanted) {
        (void)orr_graph_out_of_memory(g, name);
        goto done;
    }
    for (int32_t i = 1; i < w.n && !orr_graph_failed(g); i++)
        if (w.moves[i] && wanted[i] && !is_x(x, n_x, i)) replace(&w, i, n);
    (void)orr_here(g, w.file, w.line);
    for (int32_t i = 0; i < n_y && !orr_graph_failed(g); i++) {
        const orr_node made = w.value[y[i].id];
        out[i] = made.id ? made : n < 0 ? y[i] : orr_batch(g, y[i], false, n);
    }
done:
    none_if_failed(g, out, n_y);
    orr_release(g->ctx, wanted);
    walk_end(&w);
}

/* The extent of the axis that all batches carry in front; -1 after orr_graph_fail. */
static int64_t batch_extent(orr_graph *g, const orr_node *x, const orr_node *batched, int32_t n_x) {
    int64_t n = -1;
    if (n_x < 1) (void)orr_graph_fail(g, "vmap", "over no input");
    for (int32_t i = 0; i < n_x && !orr_graph_failed(g); i++) {
        if (!node_ok(g, x[i]) || !node_ok(g, batched[i])) {
            (void)orr_graph_fail(g, "vmap", "x[%d] or its batch is no node of this graph", i);
            break;
        }
        const orr_type *tx = orr_graph_type(g, x[i]), *tb = orr_graph_type(g, batched[i]);
        const bool fits = tb->dtype == tx->dtype && tb->shape.rank == tx->shape.rank + 1;
        const orr_shape behind = fits ? orr_shape_remove(tb->shape, 0) : tb->shape;
        if (!fits || !orr_shape_equal(&behind, &tx->shape) || (n >= 0 && n != tb->shape.size[0])) {
            char ta[ORR_TYPE_TEXT], tt[ORR_TYPE_TEXT];
            (void)orr_graph_fail(g, "vmap", "%s is no batch of %s with the others' extent",
                                 orr_type_print(tb, ta, sizeof ta), orr_type_print(tx, tt, sizeof tt));
            break;
        }
        n = tb->shape.size[0];
    }
    return orr_graph_failed(g) ? -1 : n;
}

void orr_vmap(orr_graph *g, const orr_node *y, int32_t n_y, const orr_node *x, const orr_node *batched, int32_t n_x,
              orr_node *out) {
    const int64_t n = batch_extent(g, x, batched, n_x);
    if (n < 0) none_if_failed(g, out, n_y);
    else replace_all(g, "vmap", y, n_y, x, batched, n_x, n, out);
}

void orr_substitute(orr_graph *g, const orr_node *y, int32_t n_y, const orr_node *x, const orr_node *value, int32_t n_x,
                    orr_node *out) {
    for (int32_t i = 0; i < n_x && !orr_graph_failed(g); i++)
        if (node_ok(g, x[i])) (void)check_like(g, "substitute", "value", value[i], x[i]); /* else replace_all says so */
    replace_all(g, "substitute", y, n_y, x, value, n_x, -1, out);
}

/* ---- the two that everybody wants ------------------------------------------------------------------------------ */

void orr_grad(orr_graph *g, orr_node y, const orr_node *x, int32_t n_x, orr_node *gradient) {
    if (!orr_graph_failed(g) && node_ok(g, y) && orr_node_shape(g, y).rank != 0) {
        char text[ORR_TYPE_TEXT];
        (void)orr_graph_fail(g, "grad", "of a scalar; got %s (sum it first, or use orr_vjp)",
                             orr_type_print(orr_graph_type(g, y), text, sizeof text));
    }
    orr_vjp(g, &y, NULL, 1, x, n_x, gradient);
}

/* H v = d/de grad f(x + e v): forward over reverse. */
void orr_hvp(orr_graph *g, orr_node y, const orr_node *x, const orr_node *v, int32_t n_x, orr_node *out) {
    orr_node *gradient = ORR_NEW(g->arena, orr_node, n_x);
    if (!gradient) (void)orr_graph_out_of_memory(g, "hvp");
    else orr_grad(g, y, x, n_x, gradient);
    if (!orr_graph_failed(g)) orr_jvp(g, gradient, n_x, x, v, n_x, out);
    none_if_failed(g, out, n_x);
}
