/* gather:       y[b, k, r] = a[b, index[b, k], r]
 * scatter_add:  y[b, v, r] = sum of a[b, k, r] over the k with index[b, k] = v, added in the order of k, in y's type
 *
 * Both move rows r between a long tensor, whose axis v is indexed, and a listed one, which has the axes k of the index.
 */
#include <string.h>

#include "device/ref/ref.h"
#include "device/ref/walk.h"

/* outer over the index: at[0] the index, at[1] listed, at[2] long (axis v left out); inner over r: at[0] listed, at[1]
 * long. */
static void walks(const orr_view *index, const orr_view *listed, const orr_view *lng, int32_t n_batch, orr_walk *outer,
                  orr_walk *inner) {
    int64_t batch_stride[ORR_RANK_MAX] = { 0 };
    for (int32_t i = 0; i < n_batch; i++) batch_stride[i] = lng->stride[i];
    *outer = orr_walk_over(&index->shape);
    orr_walk_with(outer, index->stride);
    orr_walk_with(outer, listed->stride);
    orr_walk_with(outer, batch_stride);
    orr_shape rest = { .rank = lng->shape.rank - n_batch - 1 };
    for (int32_t i = 0; i < rest.rank; i++) rest.size[i] = lng->shape.size[n_batch + 1 + i];
    *inner = orr_walk_over(&rest);
    orr_walk_with(inner, listed->stride + index->shape.rank);
    orr_walk_with(inner, lng->stride + n_batch + 1);
}

static orr_status out_of_range(orr_context *ctx, const char *op, int32_t i, const orr_walk *outer, int64_t extent) {
    const int64_t position = outer->count - outer->left;
    if (extent == 0)
        return orr_fail(ctx, ORR_EINPUT, "%s: index %d at position %lld of an axis that has no elements", op, i,
                        (long long)position);
    return orr_fail(ctx, ORR_EINPUT, "%s: index %d at position %lld is outside 0 to %lld", op, i, (long long)position,
                    (long long)extent - 1);
}

orr_status orr_ref_gather(orr_context *ctx, const orr_launch *l) {
    const int32_t n_batch = ((const orr_attr_index *)l->attr)->n_batch;
    const orr_view *a = &l->args[0], *index = &l->args[1];
    const int64_t extent = a->shape.size[n_batch], size = (int64_t)orr_dtype_size(a->dtype);
    const char *x = a->data;
    char *y = l->out.data;
    orr_walk outer, inner;
    for (walks(index, &l->out, a, n_batch, &outer, &inner); outer.left > 0; orr_walk_next(&outer)) {
        const int32_t i = ((const int32_t *)index->data)[outer.at[0]];
        if (i < 0 || i >= extent) return out_of_range(ctx, "gather", i, &outer, extent);
        const int64_t row = outer.at[2] + i * a->stride[n_batch];
        for (orr_walk_restart(&inner); inner.left > 0; orr_walk_next(&inner))
            memcpy(y + (outer.at[1] + inner.at[0]) * size, x + (row + inner.at[1]) * size, (size_t)size);
    }
    return ORR_OK;
}

#define SCATTER_ADD(name, TYPE, SUM)                                                                                   \
    static orr_status name(orr_context *ctx, const orr_launch *l) {                                                    \
        const int32_t n_batch = ((const orr_attr_index *)l->attr)->n_batch;                                            \
        const orr_view *a = &l->args[0], *index = &l->args[1];                                                         \
        const int64_t extent = l->out.shape.size[n_batch];                                                             \
        const TYPE *x = a->data;                                                                                       \
        TYPE *y = l->out.data;                                                                                         \
        orr_walk outer, inner;                                                                                         \
        orr_ref_fill(&l->out, 0.0);                                                                                    \
        for (walks(index, a, &l->out, n_batch, &outer, &inner); outer.left > 0; orr_walk_next(&outer)) {               \
            const int32_t i = ((const int32_t *)index->data)[outer.at[0]];                                             \
            if (i < 0 || i >= extent) return out_of_range(ctx, "scatter_add", i, &outer, extent);                      \
            const int64_t row = outer.at[2] + i * l->out.stride[n_batch];                                              \
            for (orr_walk_restart(&inner); inner.left > 0; orr_walk_next(&inner)) {                                    \
                TYPE *to = y + row + inner.at[1];                                                                      \
                *to = (TYPE)((SUM)*to + (SUM)x[outer.at[1] + inner.at[0]]);                                            \
            }                                                                                                          \
        }                                                                                                              \
        return ORR_OK;                                                                                                 \
    }

SCATTER_ADD(scatter_add_f32, float, float)
SCATTER_ADD(scatter_add_f64, double, double)
SCATTER_ADD(scatter_add_i32, int32_t, uint32_t) /* wraps */

orr_status orr_ref_scatter_add(orr_context *ctx, const orr_launch *l) {
    if (l->out.dtype == ORR_F32) return scatter_add_f32(ctx, l);
    return l->out.dtype == ORR_F64 ? scatter_add_f64(ctx, l) : scatter_add_i32(ctx, l);
}
