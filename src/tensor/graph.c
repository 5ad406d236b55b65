#define ORR_TENSOR_INSIDE
#define ORR_GRAPH_INSIDE
#include "tensor/graph.h"

#include <stdarg.h>
#include <string.h>

enum { FIRST_CAPACITY = 256 };

orr_status orr_graph_new(orr_context *ctx, orr_graph **out) {
    *out = NULL;
    orr_arena *arena;
    ORR_TRY(ctx, orr_arena_new(ctx, &arena));
    orr_graph *g = ORR_NEW(arena, orr_graph, 1);
    const int32_t capacity = orr_context_is_hostile(ctx) ? 2 : FIRST_CAPACITY;
    orr_graph_node *nodes = orr_allocate(ctx, (size_t)capacity * sizeof *nodes);
    int32_t *buckets = orr_allocate(ctx, (size_t)capacity * sizeof *buckets);
    if (!g || !nodes || !buckets) {
        orr_release(ctx, nodes);
        orr_release(ctx, buckets);
        orr_arena_free(arena);
        return orr_fail(ctx, ORR_ENOMEM, "graph: no memory for its first nodes");
    }
    memset(nodes, 0, sizeof *nodes);
    memset(buckets, 0, (size_t)capacity * sizeof *buckets);
    *g = (orr_graph){ .ctx = ctx,
                      .arena = arena,
                      .nodes = nodes,
                      .n = 1,
                      .capacity = capacity,
                      .buckets = buckets,
                      .n_buckets = capacity,
                      .file = "?" };
    *out = g;
    return ORR_OK;
}

void orr_graph_free(orr_graph *g) {
    if (!g) return;
    orr_release(g->ctx, g->nodes);
    orr_release(g->ctx, g->buckets);
    orr_arena_free(g->arena);
}

orr_status orr_graph_status(const orr_graph *g) { return g->status; }
const char *orr_graph_message(const orr_graph *g) { return g->message; }
int32_t orr_graph_size(const orr_graph *g) { return g->n; }
bool orr_graph_failed(const orr_graph *g) { return g->status != ORR_OK; }

orr_graph *orr_here(orr_graph *g, const char *file, int line) {
    g->file = file;
    g->line = line;
    return g;
}

static void stick(orr_graph *g, orr_status status, const char *op, const char *format, va_list args) {
    if (g->status != ORR_OK) return;
    g->status = status;
    const char *slash = strrchr(g->file, '/');
    const int n = snprintf(g->message, sizeof g->message, "%s:%d: %s: ", slash ? slash + 1 : g->file, g->line, op);
    if (n > 0 && (size_t)n < sizeof g->message)
        (void)vsnprintf(g->message + n, sizeof g->message - (size_t)n, format, args);
    orr_break();
}

bool orr_graph_fail(orr_graph *g, const char *op, const char *format, ...) {
    va_list args;
    va_start(args, format);
    stick(g, ORR_EINPUT, op, format, args);
    va_end(args);
    return false;
}

static void stick_memory(orr_graph *g, const char *op, const char *format, ...) {
    va_list args;
    va_start(args, format);
    stick(g, ORR_ENOMEM, op, format, args);
    va_end(args);
}

bool orr_graph_out_of_memory(orr_graph *g, const char *op) {
    stick_memory(g, op, "out of memory after %d nodes", g->n - 1);
    return false;
}

const orr_type *orr_graph_type(const orr_graph *g, orr_node a) { return &g->nodes[a.id].type; }
orr_dtype orr_node_dtype(const orr_graph *g, orr_node a) { return g->nodes[a.id].type.dtype; }
orr_shape orr_node_shape(const orr_graph *g, orr_node a) { return g->nodes[a.id].type.shape; }

orr_call orr_graph_call_of(const orr_graph *g, orr_node a) {
    const orr_graph_node *n = &g->nodes[a.id];
    return (orr_call){ .op = n->op, .attr = n->attr, .args = n->args, .n_args = n->n_args, .out = a };
}

bool orr_graph_is_fill(const orr_graph *g, orr_node a, double *value) {
    const orr_graph_node *n = &g->nodes[a.id];
    if (!n->op || n->op->code != ORR_OP_fill) return false;
    *value = ((const orr_attr_fill *)n->attr)->value;
    return true;
}

/* ---- appending ----------------------------------------------------------------------------------------------------
 */

static bool grow(orr_graph *g) {
    if (g->n < g->capacity) return true;
    if (g->capacity > INT32_MAX / 2) return false;
    const int32_t capacity = 2 * g->capacity;
    orr_graph_node *nodes = orr_allocate(g->ctx, (size_t)capacity * sizeof *nodes);
    int32_t *buckets = orr_allocate(g->ctx, (size_t)capacity * sizeof *buckets);
    if (!nodes || !buckets) {
        orr_release(g->ctx, nodes);
        orr_release(g->ctx, buckets);
        return false;
    }
    memcpy(nodes, g->nodes, (size_t)g->n * sizeof *nodes);
    memset(buckets, 0, (size_t)capacity * sizeof *buckets);
    for (int32_t i = 1; i < g->n; i++) {
        int32_t *bucket = &buckets[nodes[i].hash & (uint64_t)(capacity - 1)];
        nodes[i].next_alike = *bucket;
        *bucket = i;
    }
    orr_release(g->ctx, g->nodes);
    orr_release(g->ctx, g->buckets);
    g->nodes = nodes;
    g->buckets = buckets;
    g->capacity = g->n_buckets = capacity;
    return true;
}

/* FNV-1a over 64-bit words would miss tails; bytes are few here. */
static uint64_t hash_bytes(uint64_t h, const void *data, size_t n) {
    const unsigned char *p = data;
    for (size_t i = 0; i < n; i++) h = (h ^ p[i]) * UINT64_C(0x100000001b3);
    return h;
}

/* Two inputs or literals are never one; all else with equal arguments and attributes is. */
static bool is_shareable(const orr_op *op) { return op->code != ORR_OP_input && op->code != ORR_OP_literal; }

static int32_t find_alike(const orr_graph *g, const orr_op *op, const orr_node *args, int32_t n, const void *attr,
                          uint64_t hash) {
    for (int32_t i = g->buckets[hash & (uint64_t)(g->n_buckets - 1)]; i; i = g->nodes[i].next_alike) {
        const orr_graph_node *c = &g->nodes[i];
        if (c->hash != hash || c->op != op || c->n_args != n) continue;
        if (n && memcmp(c->args, args, (size_t)n * sizeof *args) != 0) continue;
        if (op->attr_size && memcmp(c->attr, attr, op->attr_size) != 0) continue;
        return i;
    }
    return 0;
}

static bool check_args(orr_graph *g, const orr_op *op, const orr_node *args, int32_t n) {
    if (op->arity >= 0 ? n != op->arity : n < 1)
        return orr_graph_fail(g, op->name, "takes %d arguments, got %d", op->arity, n);
    for (int32_t i = 0; i < n; i++) {
        if (args[i].id <= 0 || args[i].id >= g->n)
            return orr_graph_fail(g, op->name, "argument %d is no node of this graph (ORR_NONE?)", i + 1);
        const orr_type *t = orr_graph_type(g, args[i]);
        char text[ORR_TYPE_TEXT];
        if (!(op->accepts & (1u << t->dtype)))
            return orr_graph_fail(g, op->name, "argument %d is %s, a type it doesn't take; see orr_cast", i + 1,
                                  orr_type_print(t, text, sizeof text));
    }
    return true;
}

bool orr_graph_check_size(orr_graph *g, const orr_op *op, const orr_type *type) {
    if (type->shape.rank < 0 || type->shape.rank > ORR_RANK_MAX)
        return orr_graph_fail(g, op->name, "the result has %d axes; at most %d are possible", type->shape.rank,
                              ORR_RANK_MAX);
    int64_t bytes = 8;
    for (int32_t i = 0; i < type->shape.rank; i++) {
        const int64_t size = type->shape.size[i];
        if (size < 0) return orr_graph_fail(g, op->name, "axis %d has extent %lld", i, (long long)size);
        if (size > 0 && bytes > INT64_MAX / 4 / size)
            return orr_graph_fail(g, op->name, "the result is too large to count");
        bytes *= size > 0 ? size : 1;
    }
    return true;
}

orr_node orr_graph_call(orr_graph *g, orr_op_code code, const orr_node *args, int32_t n_args, const void *attr) {
    const orr_op *op = orr_ops[code];
    if (g->status != ORR_OK || !check_args(g, op, args, n_args)) return ORR_NONE;
    uint64_t hash = hash_bytes(UINT64_C(0xcbf29ce484222325), &op, sizeof op);
    if (n_args) hash = hash_bytes(hash, args, (size_t)n_args * sizeof *args);
    if (op->attr_size) hash = hash_bytes(hash, attr, op->attr_size);
    if (is_shareable(op)) {
        const int32_t alike = find_alike(g, op, args, n_args, attr, hash);
        if (alike) return (orr_node){ alike };
    }
    orr_type type = { 0 };
    const orr_call call = { .op = op, .attr = attr, .args = args, .n_args = n_args };
    if (!op->type(g, &call, &type) || !orr_graph_check_size(g, op, &type)) return ORR_NONE;
    orr_node *kept_args = ORR_NEW(g->arena, orr_node, n_args);
    void *kept_attr = op->attr_size ? orr_arena_take(g->arena, 1, op->attr_size) : NULL;
    if (!kept_args || (op->attr_size && !kept_attr) || !grow(g)) {
        (void)orr_graph_out_of_memory(g, op->name);
        return ORR_NONE;
    }
    if (n_args) memcpy(kept_args, args, (size_t)n_args * sizeof *args);
    if (kept_attr) memcpy(kept_attr, attr, op->attr_size);
    int32_t *bucket = &g->buckets[hash & (uint64_t)(g->n_buckets - 1)];
    g->nodes[g->n] = (orr_graph_node){ .op = op,
                                       .attr = kept_attr,
                                       .args = kept_args,
                                       .n_args = n_args,
                                       .line = g->line,
                                       .file = g->file,
                                       .type = type,
                                       .hash = hash,
                                       .next_alike = *bucket };
    *bucket = g->n;
    return (orr_node){ g->n++ };
}

/* ---- printing -----------------------------------------------------------------------------------------------------
 */

const char *orr_type_print(const orr_type *type, char *text, size_t size) {
    size_t used = (size_t)snprintf(text, size, "%s[", orr_dtype_name(type->dtype));
    for (int32_t i = 0; i < type->shape.rank && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%lld", i ? ", " : "", (long long)type->shape.size[i]);
    if (used < size) (void)snprintf(text + used, size - used, "]");
    return text;
}

void orr_graph_print(const orr_graph *g, FILE *to) {
    char text[ORR_TYPE_TEXT];
    for (int32_t i = 1; i < g->n; i++) {
        const orr_graph_node *n = &g->nodes[i];
        fprintf(to, "%%%d = %s(", i, n->op->name);
        for (int32_t k = 0; k < n->n_args; k++) fprintf(to, "%s%%%d", k ? ", " : "", n->args[k].id);
        if (n->op->code == ORR_OP_input) fprintf(to, "\"%s\"", ((const orr_attr_input *)n->attr)->name);
        if (n->op->code == ORR_OP_fill) fprintf(to, "%.17g", ((const orr_attr_fill *)n->attr)->value);
        fprintf(to, ") %s\n", orr_type_print(&n->type, text, sizeof text));
    }
    if (g->status != ORR_OK) fprintf(to, "mistake: %s\n", g->message);
}
