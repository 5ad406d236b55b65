/* out[lo] = sum over the labels that aren't in lo of a[la] b[lb], in the order in which a has them; sums in float64. */
#include "device/ref/ref.h"
#include "device/ref/walk.h"

/* The stride of a view along a label; 0 where it doesn't have it. */
static int64_t stride_of(const orr_view *v, const uint8_t *labels, uint8_t label) {
    for (int32_t i = 0; i < v->shape.rank; i++)
        if (labels[i] == label) return v->stride[i];
    return 0;
}

/* outer over the labels of the result: at[0] the result, at[1] a, at[2] b; inner over those summed: at[0] a, at[1] b.
 */
static void walks(const orr_launch *l, orr_walk *outer, orr_walk *inner) {
    const orr_attr_einsum *e = l->attr;
    const orr_view *a = &l->args[0], *b = &l->args[1];
    uint32_t kept = 0;
    int64_t sa[ORR_RANK_MAX] = { 0 }, sb[ORR_RANK_MAX] = { 0 };
    for (int32_t i = 0; i < e->rank_out; i++) {
        kept |= 1u << e->out[i];
        sa[i] = stride_of(a, e->a, e->out[i]);
        sb[i] = stride_of(b, e->b, e->out[i]);
    }
    *outer = orr_walk_over(&l->out.shape);
    orr_walk_with(outer, l->out.stride);
    orr_walk_with(outer, sa);
    orr_walk_with(outer, sb);
    orr_shape summed = { .rank = 0 };
    for (int32_t i = 0; i < a->shape.rank; i++) { /* each summed label stands in a and in b */
        if (kept >> e->a[i] & 1u) continue;
        sa[summed.rank] = a->stride[i];
        sb[summed.rank] = stride_of(b, e->b, e->a[i]);
        summed.size[summed.rank++] = a->shape.size[i];
    }
    *inner = orr_walk_over(&summed);
    orr_walk_with(inner, sa);
    orr_walk_with(inner, sb);
}

#define EINSUM(name, REAL)                                                                                             \
    static void name(const orr_launch *l) {                                                                            \
        const REAL *a = l->args[0].data, *b = l->args[1].data;                                                         \
        REAL *out = l->out.data;                                                                                       \
        orr_walk outer, inner;                                                                                         \
        for (walks(l, &outer, &inner); outer.left > 0; orr_walk_next(&outer)) {                                        \
            double sum = 0.0;                                                                                          \
            for (orr_walk_restart(&inner); inner.left > 0; orr_walk_next(&inner))                                      \
                sum += (double)a[outer.at[1] + inner.at[0]] * (double)b[outer.at[2] + inner.at[1]];                    \
            out[outer.at[0]] = (REAL)sum;                                                                              \
        }                                                                                                              \
    }

EINSUM(einsum_f32, float)
EINSUM(einsum_f64, double)

orr_status orr_ref_einsum(orr_context *ctx, const orr_launch *l) {
    (void)ctx;
    if (l->out.dtype == ORR_F32) einsum_f32(l);
    else einsum_f64(l);
    return ORR_OK;
}
