/* Pooling and up-sampling over the last two axes of a[n, c, y, x].
 *
 * Windows that tile the image are a reshape away: [n, c, y/wy, wy, x/wx, wx], reduced over wy and wx in one pass.
 * Windows that overlap or leave gaps are strided slices, one for each place in the window. */
#define ORR_TENSOR_INSIDE
#include <float.h>

#include "tensor/compose/compose.h"

typedef struct windows {
    const char *name;
    int64_t window[2], stride[2], low[2], high[2];
    int64_t out[2]; /* windows along each axis */
    orr_type type;  /* of the image, padding included */
    bool tile;
} windows;

static bool check(orr_graph *g, const char *name, orr_node a, const orr_pooling *how, windows *w) {
    if (!orr_compose_float(g, name, "the argument", a, 0)) return false;
    *w = (windows){ .name = name, .type = *orr_graph_type(g, a), .tile = true };
    char text[ORR_TYPE_TEXT];
    if (w->type.shape.rank != 4)
        return orr_graph_fail(g, name, "needs a[n, c, y, x], got %s", orr_type_print(&w->type, text, sizeof text));
    for (int i = 0; i < 2; i++) {
        const int64_t limit = INT64_C(1) << 31, n = w->type.shape.size[i + 2];
        w->window[i] = how->window[i], w->low[i] = how->low[i], w->high[i] = how->high[i];
        w->stride[i] = how->stride[i] ? how->stride[i] : how->window[i];
        if (w->window[i] < 1 || w->stride[i] < 1 || w->low[i] < 0 || w->high[i] < 0 || w->window[i] > limit ||
            w->stride[i] > limit || w->low[i] >= w->window[i] || w->high[i] >= w->window[i])
            return orr_graph_fail(
                g, name,
                "along %s: window %lld, stride %lld, padding %lld and %lld; expected a window and a stride of 1 "
                "at least, and padding from 0 to less than the window",
                i ? "x" : "y", (long long)w->window[i], (long long)w->stride[i], (long long)w->low[i],
                (long long)w->high[i]);
        const int64_t padded = n + w->low[i] + w->high[i];
        if (padded < w->window[i])
            return orr_graph_fail(g, name,
                                  "a window of %lld along %s is larger than the image of %lld with its padding",
                                  (long long)w->window[i], i ? "x" : "y", (long long)n);
        w->out[i] = (padded - w->window[i]) / w->stride[i] + 1;
        w->type.shape.size[i + 2] = padded;
        if (w->out[i] > 1 && w->stride[i] != w->window[i]) w->tile = false;
    }
    return true;
}

static orr_node pad_zeros(orr_graph *g, orr_node a, const windows *w) {
    a = orr_pad(g, a, 2, w->low[0], w->high[0], 0);
    return orr_pad(g, a, 3, w->low[1], w->high[1], 0);
}

/* The padding loses against every number. */
static orr_node pad_lowest(orr_graph *g, orr_node a, const windows *w) {
    if (!w->low[0] && !w->high[0] && !w->low[1] && !w->high[1]) return a;
    const orr_shape s = orr_node_shape(g, a);
    const orr_node inside = pad_zeros(g, orr_fill(g, ORR_BOOL, ORR_SHAPE(1, 1, s.size[2], s.size[3]), 1.0), w);
    const orr_node padded = pad_zeros(g, a, w);
    if (orr_graph_failed(g)) return ORR_NONE;
    const double lowest = w->type.dtype == ORR_F32 ? (double)-FLT_MAX : -DBL_MAX;
    return orr_select(g, inside, padded, orr_fill_like(g, padded, lowest));
}

/* [n, c, y, x] -> [n, c, out y, window y, out x, window x], what no window covers cut away */
static orr_node tiles(orr_graph *g, orr_node a, const windows *w) {
    const orr_shape *s = &w->type.shape;
    for (int i = 0; i < 2; i++) a = orr_slice(g, a, i + 2, 0, w->out[i] * w->window[i], 1);
    return orr_reshape(g, a, ORR_SHAPE(s->size[0], s->size[1], w->out[0], w->window[0], w->out[1], w->window[1]));
}

/* What stands at place k of every window along one axis */
static orr_node places(orr_graph *g, orr_node a, const windows *w, int i, int64_t k) {
    return orr_slice(g, a, i + 2, k, k + (w->out[i] - 1) * w->stride[i] + 1, w->stride[i]);
}

/* y = 1/(wy wx) sum over the window of a; zeros of the padding count.  Along one axis after the other: wy + wx slices.
 */
orr_node orr_average_pool(orr_graph *g, orr_node a, orr_pooling how) {
    windows w;
    if (!check(g, "average_pool", a, &how, &w)) return ORR_NONE;
    a = pad_zeros(g, a, &w);
    if (w.tile) return orr_mean(g, tiles(g, a, &w), ORR_AXES(3, 5));
    for (int i = 1; i >= 0; i--) {
        orr_node sum = ORR_NONE;
        for (int64_t k = 0; k < w.window[i]; k++) sum = orr_add_maybe(g, sum, places(g, a, &w, i, k));
        a = sum;
    }
    return orr_graph_failed(g) ? ORR_NONE
                               : orr_div(g, a, orr_fill_like(g, a, (double)w.window[0] * (double)w.window[1]));
}

/* y = max over the window of a; the derivative at ties is shared equally, as reduce_max does.  Overlapping windows are
 * copied side by side, [wy wx, n, c, out y, out x], to keep that so. */
orr_node orr_max_pool(orr_graph *g, orr_node a, orr_pooling how) {
    windows w;
    if (!check(g, "max_pool", a, &how, &w)) return ORR_NONE;
    a = pad_lowest(g, a, &w);
    if (w.tile) return orr_reduce_max(g, tiles(g, a, &w), ORR_AXES(3, 5));
    const int64_t n = w.window[0] * w.window[1];
    orr_node *parts = n <= INT32_MAX ? ORR_NEW(g->arena, orr_node, n) : NULL;
    if (!parts) {
        (void)orr_graph_fail(g, "max_pool", "no memory for a window of %lld places", (long long)n);
        return ORR_NONE;
    }
    for (int64_t k = 0; k < n; k++)
        parts[k] = orr_expand(g, places(g, places(g, a, &w, 0, k / w.window[1]), &w, 1, k % w.window[1]), 0);
    return orr_reduce_max(g, orr_concat(g, parts, (int32_t)n, 0), ORR_AXES(0));
}

/* y[n, c, i, k] = a[n, c, i / factor, k / factor] */
orr_node orr_upsample(orr_graph *g, orr_node a, int64_t factor) {
    if (!orr_compose_float(g, "upsample", "the argument", a, 0)) return ORR_NONE;
    const orr_type t = *orr_graph_type(g, a);
    if (t.shape.rank != 4 || factor < 1 || factor > INT32_MAX) {
        char text[ORR_TYPE_TEXT];
        (void)orr_graph_fail(g, "upsample", "needs a[n, c, y, x] and a factor of 1 at least, got %s and %lld",
                             orr_type_print(&t, text, sizeof text), (long long)factor);
        return ORR_NONE;
    }
    const int64_t *s = t.shape.size;
    const orr_node thin = orr_reshape(g, a, ORR_SHAPE(s[0], s[1], s[2], 1, s[3], 1));
    const orr_node wide = orr_broadcast(g, thin, ORR_SHAPE(s[0], s[1], s[2], factor, s[3], factor));
    return orr_reshape(g, wide, ORR_SHAPE(s[0], s[1], s[2] * factor, s[3] * factor));
}
