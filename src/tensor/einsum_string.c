/* einsum by string: brings any equation to the primitive, whose labels stand in two places at least. */
#define ORR_TENSOR_INSIDE
#include <ctype.h>
#include <string.h>

#include "tensor/graph.h"
#include "tensor/op_shape.h"

typedef struct labels {
    char axis[ORR_RANK_MAX + 1];
    int32_t n;
} labels;

static bool has(const labels *l, char c) { return memchr(l->axis, c, (size_t)l->n) != NULL; }

/* "bik,bkj->bij" or "ij->ji"; spaces are skipped. */
static bool parse(orr_graph *g, const char *equation, labels *a, labels *b, labels *out) {
    labels *part[3] = { a, b, out }, *now = a;
    memset(a, 0, sizeof *a), memset(b, 0, sizeof *b), memset(out, 0, sizeof *out);
    int stage = 0;
    for (const char *p = equation; *p; p++) {
        if (*p == ' ') continue;
        if (*p == ',' && stage == 0) now = part[stage = 1];
        else if (*p == '-' && p[1] == '>' && stage < 2) now = part[stage = 2], p++;
        else if (isalpha((unsigned char)*p) && now->n < ORR_RANK_MAX) now->axis[now->n++] = *p;
        else return orr_graph_fail(g, "einsum", "\"%s\": unexpected '%c'; written like \"bik,bkj->bij\"", equation, *p);
    }
    if (stage == 2) return true;
    return orr_graph_fail(g, "einsum", "\"%s\" has no ->; written like \"bik,bkj->bij\"", equation);
}

static bool check_operand(orr_graph *g, const char *equation, const labels *l, orr_node x) {
    const orr_shape shape = orr_node_shape(g, x);
    if (shape.rank == l->n) return true;
    return orr_graph_fail(g, "einsum", "\"%s\" names %d axes of an operand that has %d", equation, l->n, shape.rank);
}

/* A label that stands twice in one operand: its diagonal, as a gather along the two axes merged into one. */
static orr_node take_diagonals(orr_graph *g, orr_node x, labels *l) {
    for (int32_t i = 0; i < l->n; i++)
        for (int32_t k = l->n - 1; k > i; k--) {
            if (l->axis[i] != l->axis[k] || g->status != ORR_OK) continue;
            x = orr_move_axis(g, orr_move_axis(g, x, k, 0), i + 1, 0); /* [i, k, rest] */
            orr_shape s = orr_node_shape(g, x);
            if (s.size[0] != s.size[1]) {
                (void)orr_graph_fail(g, "einsum", "label '%c' stands twice, on extents %lld and %lld", l->axis[i],
                                     (long long)s.size[0], (long long)s.size[1]);
                return ORR_NONE;
            }
            const orr_shape line = ORR_SHAPE(s.size[0]);
            const orr_node diagonal =
                orr_mul(g, orr_iota(g, ORR_I32, line, 0), orr_fill(g, ORR_I32, line, (double)s.size[0] + 1.0));
            s.size[1] *= s.size[0];
            x = orr_gather(g, orr_reshape(g, x, orr_shape_remove(s, 0)), diagonal, 0);
            const char label = l->axis[i];
            memmove(l->axis + k, l->axis + k + 1, (size_t)(l->n - k));
            memmove(l->axis + i, l->axis + i + 1, (size_t)(l->n - 1 - i));
            memmove(l->axis + 1, l->axis, (size_t)(l->n - 2));
            l->axis[0] = label;
            l->n--;
            return take_diagonals(g, x, l);
        }
    return x;
}

/* Sums the axes whose label stands neither in the other operand nor in the result. */
static orr_node sum_lonely(orr_graph *g, orr_node x, labels *l, const labels *other, const labels *out) {
    orr_axes axes = { 0 };
    labels kept = { 0 };
    for (int32_t i = 0; i < l->n; i++)
        if (has(other, l->axis[i]) || has(out, l->axis[i])) kept.axis[kept.n++] = l->axis[i];
        else axes.axis[axes.n++] = i;
    *l = kept;
    return axes.n ? orr_sum(g, x, axes) : x;
}

static orr_node permute(orr_graph *g, orr_node x, const labels *l, const labels *out) {
    orr_axes order = { .n = out->n };
    for (int32_t i = 0; i < out->n; i++)
        order.axis[i] = (int32_t)((const char *)memchr(l->axis, out->axis[i], (size_t)l->n) - l->axis);
    return orr_transpose(g, x, order);
}

static bool check_result(orr_graph *g, const char *equation, const labels *a, const labels *b, const labels *out) {
    for (int32_t i = 0; i < out->n; i++) {
        if (!has(a, out->axis[i]) && !has(b, out->axis[i]))
            return orr_graph_fail(g, "einsum", "\"%s\": '%c' of the result stands in no operand", equation,
                                  out->axis[i]);
        for (int32_t k = 0; k < i; k++)
            if (out->axis[i] == out->axis[k])
                return orr_graph_fail(g, "einsum", "\"%s\": '%c' stands twice in the result", equation, out->axis[i]);
    }
    return true;
}

orr_node orr_einsum(orr_graph *g, const char *equation, orr_node a, orr_node b) {
    labels la, lb, lo;
    if (g->status != ORR_OK || !parse(g, equation, &la, &lb, &lo)) return ORR_NONE;
    const bool two = strchr(equation, ',') != NULL;
    if (a.id <= 0 || a.id >= g->n || (two && (b.id <= 0 || b.id >= g->n)) || (!two && b.id)) {
        (void)orr_graph_fail(g, "einsum", "\"%s\" needs %s", equation,
                             two ? "two operands" : "one operand, and ORR_NONE");
        return ORR_NONE;
    }
    if (!check_operand(g, equation, &la, a) || (two && !check_operand(g, equation, &lb, b)) ||
        !check_result(g, equation, &la, &lb, &lo))
        return ORR_NONE;
    a = sum_lonely(g, take_diagonals(g, a, &la), &la, &lb, &lo);
    if (!two) return g->status == ORR_OK ? permute(g, a, &la, &lo) : ORR_NONE;
    b = sum_lonely(g, take_diagonals(g, b, &lb), &lb, &la, &lo);
    orr_attr_einsum e;
    memset(&e, 0, sizeof e);
    char names[2 * ORR_RANK_MAX];
    uint8_t known = 0;
    const labels *part[3] = { &la, &lb, &lo };
    uint8_t *number[3] = { e.a, e.b, e.out };
    for (int p = 0; p < 3; p++)
        for (int32_t i = 0; i < part[p]->n; i++) {
            const char *found = memchr(names, part[p]->axis[i], known);
            if (!found) names[known++] = part[p]->axis[i], found = names + known - 1;
            number[p][i] = (uint8_t)(found - names);
        }
    e.rank_out = lo.n;
    return orr_graph_call(g, ORR_OP_einsum, (const orr_node[]){ a, b }, 2, &e);
}

/* NumPy's @: the last two axes are multiplied, those before are batches that broadcast; a vector is a row or a column.
 */
orr_node orr_matmul(orr_graph *g, orr_node a, orr_node b) {
    if (g->status != ORR_OK) return ORR_NONE;
    if (a.id <= 0 || a.id >= g->n || b.id <= 0 || b.id >= g->n || orr_node_shape(g, a).rank < 1 ||
        orr_node_shape(g, b).rank < 1) {
        (void)orr_graph_fail(g, "matmul", "needs two tensors with an axis each at least");
        return ORR_NONE;
    }
    orr_type ta = *orr_graph_type(g, a), tb = *orr_graph_type(g, b);
    const bool row = ta.shape.rank == 1, column = tb.shape.rank == 1;
    const int64_t k = ta.shape.size[ta.shape.rank - 1], kb = tb.shape.size[column ? 0 : tb.shape.rank - 2];
    if (k != kb) {
        char xa[ORR_TYPE_TEXT], xb[ORR_TYPE_TEXT];
        (void)orr_graph_fail(g, "matmul", "%s @ %s: inner extents %lld and %lld differ",
                             orr_type_print(&ta, xa, sizeof xa), orr_type_print(&tb, xb, sizeof xb), (long long)k,
                             (long long)kb);
        return ORR_NONE;
    }
    /* batch axes, aligned at the end; an extent of 1 that broadcasts is dropped from its operand */
    const int32_t na = row ? 0 : ta.shape.rank - 2, nb = column ? 0 : tb.shape.rank - 2, n = na > nb ? na : nb;
    orr_type batch_a = { .shape = { .rank = na } }, batch_b = { .shape = { .rank = nb } };
    memcpy(batch_a.shape.size, ta.shape.size, (size_t)na * sizeof(int64_t));
    memcpy(batch_b.shape.size, tb.shape.size, (size_t)nb * sizeof(int64_t));
    orr_shape batch;
    for (int32_t i = 1; i <= na && i <= nb; i++) {
        const int64_t xa = batch_a.shape.size[na - i], xb = batch_b.shape.size[nb - i];
        if (xa == xb || xa == 1 || xb == 1) continue;
        char ya[ORR_TYPE_TEXT], yb[ORR_TYPE_TEXT];
        (void)orr_graph_fail(g, "matmul", "%s @ %s: batch extents %lld and %lld differ",
                             orr_type_print(&ta, ya, sizeof ya), orr_type_print(&tb, yb, sizeof yb), (long long)xa,
                             (long long)xb);
        return ORR_NONE;
    }
    if (!orr_shape_broadcast(g, "matmul", &batch_a, &batch_b, &batch)) return ORR_NONE;
    orr_attr_einsum e;
    memset(&e, 0, sizeof e);
    orr_shape sa = { 0 }, sb = { 0 }, so = batch;
    const uint8_t label_m = (uint8_t)n, label_k = (uint8_t)(n + 1), label_n = (uint8_t)(n + 2);
    int32_t ro = 0;
    for (int32_t i = 0; i < n; i++) {
        const bool in_a = i >= n - na && (batch_a.shape.size[i - (n - na)] != 1),
                   in_b = i >= n - nb && (batch_b.shape.size[i - (n - nb)] != 1);
        if (in_a) e.a[sa.rank] = (uint8_t)i, sa.size[sa.rank++] = batch.size[i];
        if (in_b) e.b[sb.rank] = (uint8_t)i, sb.size[sb.rank++] = batch.size[i];
        if (in_a || in_b) e.out[ro++] = (uint8_t)i;
    }
    if (!row) e.a[sa.rank] = label_m, sa.size[sa.rank++] = ta.shape.size[na], e.out[ro++] = label_m;
    e.a[sa.rank] = label_k, sa.size[sa.rank++] = k;
    e.b[sb.rank] = label_k, sb.size[sb.rank++] = k;
    if (!column) e.b[sb.rank] = label_n, sb.size[sb.rank++] = tb.shape.size[nb + 1], e.out[ro++] = label_n;
    e.rank_out = ro;
    if (!row) so.size[so.rank++] = ta.shape.size[na];
    if (!column) so.size[so.rank++] = tb.shape.size[nb + 1];
    const orr_node out =
        orr_graph_call(g, ORR_OP_einsum, (const orr_node[]){ orr_reshape(g, a, sa), orr_reshape(g, b, sb) }, 2, &e);
    return out.id ? orr_reshape(g, out, so) : ORR_NONE;
}
