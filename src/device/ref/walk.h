/* A walk over the elements of a shape in row-major order, which keeps the offsets of up to four views over it:
 *
 *     orr_walk w = orr_walk_over(&out->shape);
 *     orr_walk_with(&w, out->stride);              // w.at[0]
 *     orr_walk_with(&w, a->stride);                // w.at[1]
 *     for (; w.left > 0; orr_walk_next(&w)) y[w.at[0]] = f(x[w.at[1]]);
 *
 * At its end a walk stands at its first element again, so that an inner one is set up once and restarted. */
#ifndef ORR_DEVICE_REF_WALK_H
#define ORR_DEVICE_REF_WALK_H

#include <assert.h>

#include "device/device.h"

enum { ORR_WALK_VIEWS = 4 };

typedef struct orr_walk {
    int32_t rank, n_views;
    int64_t count, left; /* elements in all; still to visit, this one included */
    int64_t size[ORR_RANK_MAX], index[ORR_RANK_MAX];
    int64_t stride[ORR_RANK_MAX][ORR_WALK_VIEWS]; /* 0 for views that aren't there */
    int64_t at[ORR_WALK_VIEWS];
} orr_walk;

static inline orr_walk orr_walk_over(const orr_shape *shape) {
    orr_walk w = { .rank = shape->rank, .count = 1 };
    for (int32_t i = 0; i < shape->rank; i++) {
        w.size[i] = shape->size[i];
        w.count *= shape->size[i];
    }
    w.left = w.count;
    return w;
}

static inline void orr_walk_with(orr_walk *w, const int64_t *stride) {
    assert(w->n_views < ORR_WALK_VIEWS && "a walk with too many views");
    for (int32_t i = 0; i < w->rank; i++) w->stride[i][w->n_views] = stride[i];
    w->n_views++;
}

static inline void orr_walk_restart(orr_walk *w) { w->left = w->count; }

static inline void orr_walk_next(orr_walk *w) {
    w->left--;
    for (int32_t i = w->rank - 1; i >= 0; i--) {
        for (int v = 0; v < ORR_WALK_VIEWS; v++) w->at[v] += w->stride[i][v];
        if (++w->index[i] < w->size[i]) return;
        for (int v = 0; v < ORR_WALK_VIEWS; v++) w->at[v] -= w->stride[i][v] * w->size[i];
        w->index[i] = 0;
    }
}

#endif
