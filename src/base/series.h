/* A series: y against x, n points.  The arrays live in the arena that made them. */
#ifndef ORR_BASE_SERIES_H
#define ORR_BASE_SERIES_H

#include "base/arena.h"
#include "base/context.h"
#include "orrery.h"

typedef struct orr_series {
    int64_t n;
    double *x, *y;
} orr_series;

static inline orr_status orr_series_new(orr_context *ctx, orr_arena *out_arena, int64_t n, orr_series *out) {
    *out = (orr_series){ n, ORR_NEW(out_arena, double, n), ORR_NEW(out_arena, double, n) };
    if (out->x && out->y) return ORR_OK;
    return orr_fail(ctx, ORR_ENOMEM, "no memory for a series of %lld points", (long long)n);
}

#endif
