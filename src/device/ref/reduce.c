/* Reductions: out[kept axes] = sum or max over the axes of attr, in row-major order of those. */
#include <math.h>

#include "device/ref/ref.h"
#include "device/ref/walk.h"

/* outer over the axes that stay: at[0] the result, at[1] the argument; inner over those that go: at[0] the argument. */
static void walks(const orr_launch *l, orr_walk *outer, orr_walk *inner) {
    const orr_view *a = &l->args[0];
    const uint32_t axes = ((const orr_attr_reduce *)l->attr)->axes;
    orr_shape gone = { .rank = 0 };
    int64_t gone_stride[ORR_RANK_MAX] = { 0 }, kept_stride[ORR_RANK_MAX] = { 0 };
    int32_t kept = 0;
    for (int32_t i = 0; i < a->shape.rank; i++) {
        if (axes >> i & 1u) {
            gone_stride[gone.rank] = a->stride[i];
            gone.size[gone.rank++] = a->shape.size[i];
        } else kept_stride[kept++] = a->stride[i];
    }
    assert(kept == l->out.shape.rank && "the result of a reduction has the axes that stay");
    *outer = orr_walk_over(&l->out.shape);
    orr_walk_with(outer, l->out.stride);
    orr_walk_with(outer, kept_stride);
    *inner = orr_walk_over(&gone);
    orr_walk_with(inner, gone_stride);
}

#define REDUCE(name, TYPE, ACC, FIRST, STEP)                                                                           \
    static void name(const orr_launch *l) {                                                                            \
        const TYPE *x = l->args[0].data;                                                                               \
        TYPE *out = l->out.data;                                                                                       \
        orr_walk outer, inner;                                                                                         \
        for (walks(l, &outer, &inner); outer.left > 0; orr_walk_next(&outer)) {                                        \
            ACC a = FIRST;                                                                                             \
            for (orr_walk_restart(&inner); inner.left > 0; orr_walk_next(&inner)) {                                    \
                const ACC b = (ACC)x[outer.at[1] + inner.at[0]];                                                       \
                a = STEP;                                                                                              \
            }                                                                                                          \
            out[outer.at[0]] = (TYPE)a;                                                                                \
        }                                                                                                              \
    }

REDUCE(sum_f32, float, double, 0.0, a + b)
REDUCE(sum_f64, double, double, 0.0, a + b)
REDUCE(sum_i32, int32_t, uint32_t, 0u, a + b) /* wraps */
REDUCE(max_f32, float, float, -INFINITY, a > b || a != a ? a : b)
REDUCE(max_f64, double, double, (double)-INFINITY, a > b || a != a ? a : b)
REDUCE(max_i32, int32_t, int32_t, INT32_MIN, a > b ? a : b)

orr_status orr_ref_sum(orr_context *ctx, const orr_launch *l) {
    (void)ctx;
    if (l->out.dtype == ORR_F32) sum_f32(l);
    else if (l->out.dtype == ORR_F64) sum_f64(l);
    else sum_i32(l);
    return ORR_OK;
}

orr_status orr_ref_reduce_max(orr_context *ctx, const orr_launch *l) {
    (void)ctx;
    if (l->out.dtype == ORR_F32) max_f32(l);
    else if (l->out.dtype == ORR_F64) max_f64(l);
    else max_i32(l);
    return ORR_OK;
}
