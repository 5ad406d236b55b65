/* y[m, i] = element i of the stream of key[m, :] = (seed low, seed high, purpose, step).  ORDER random: base/random.h
 */
#include <string.h>

#include "base/random.h"
#include "device/ref/ref.h"
#include "device/ref/walk.h"

enum { CHUNK = 256 }; /* even: a normal pair is never cut */

static orr_key key_at(const orr_view *key, int64_t at) {
    const int64_t step = key->stride[key->shape.rank - 1];
    const int32_t *k = (const int32_t *)key->data + at;
    const uint64_t low = (uint32_t)k[0], high = (uint32_t)k[step];
    return (orr_key){ .seed = low | high << 32, .purpose = (uint32_t)k[2 * step], .step = (uint32_t)k[3 * step] };
}

/* Elements [first, first + n) of one stream, as elements of a contiguous array of the result's type. */
static void draw(const orr_attr_random *attr, orr_key key, int64_t first, int64_t n, void *out) {
    const bool f32 = attr->type.dtype == ORR_F32;
    const uint64_t at = (uint64_t)first;
    switch (attr->distribution) {
    case ORR_UNIFORM:
        if (f32) orr_random_fill_uniform_f32(key, at, n, out);
        else orr_random_fill_uniform(key, at, n, out);
        break;
    case ORR_NORMAL:
        if (f32) orr_random_fill_normal_f32(key, at, n, out);
        else orr_random_fill_normal(key, at, n, out);
        break;
    case ORR_SIGN:
        if (f32) orr_random_fill_sign_f32(key, at, n, out);
        else orr_random_fill_sign(key, at, n, out);
        break;
    case ORR_INT: orr_random_fill_int(key, at, n, attr->below, out); break;
    }
}

orr_status orr_ref_random(orr_context *ctx, const orr_launch *l) {
    (void)ctx;
    const orr_attr_random *attr = l->attr;
    const orr_view *key = &l->args[0];
    const int32_t members_rank = key->shape.rank - 1;
    orr_shape members = key->shape;
    members.rank = members_rank;
    const size_t size = orr_dtype_size(attr->type.dtype);
    _Alignas(double) char drawn[CHUNK * sizeof(double)];
    char *out = l->out.data;
    orr_walk outer = orr_walk_over(&members), inner = orr_walk_over(&attr->type.shape);
    orr_walk_with(&outer, key->stride);
    orr_walk_with(&outer, l->out.stride);
    orr_walk_with(&inner, l->out.stride + members_rank);
    for (; outer.left > 0; orr_walk_next(&outer)) {
        for (orr_walk_restart(&inner); inner.left > 0; orr_walk_next(&inner)) {
            const int64_t i = inner.count - inner.left;
            if (i % CHUNK == 0) draw(attr, key_at(key, outer.at[0]), i, inner.left < CHUNK ? inner.left : CHUNK, drawn);
            memcpy(out + (outer.at[1] + inner.at[0]) * (int64_t)size, drawn + (size_t)(i % CHUNK) * size, size);
        }
    }
    return ORR_OK;
}
