/* Movement: each op says where an element comes from by a view, and a copy does the rest. */
#include <string.h>

#include "device/ref/ref.h"
#include "device/ref/walk.h"

static orr_walk walk_pair(const orr_view *from, const orr_view *to) {
    assert(from->dtype == to->dtype && orr_shape_equal(&from->shape, &to->shape) && "a copy keeps type and shape");
    orr_walk w = orr_walk_over(&to->shape);
    orr_walk_with(&w, from->stride);
    orr_walk_with(&w, to->stride);
    return w;
}

/* memcpy, as an element may be of any type of its size. */
static inline void copy_elements(const orr_view *from, const orr_view *to, size_t size) {
    const char *x = from->data;
    char *y = to->data;
    for (orr_walk w = walk_pair(from, to); w.left > 0; orr_walk_next(&w))
        memmove(y + w.at[1] * (int64_t)size, x + w.at[0] * (int64_t)size, size);
}

void orr_ref_copy(const orr_view *from, const orr_view *to) {
    switch (orr_dtype_size(to->dtype)) { /* a constant size makes memmove one load and one store */
    case 1: copy_elements(from, to, 1); break;
    case 4: copy_elements(from, to, 4); break;
    default: copy_elements(from, to, 8); break;
    }
}

static void put(const orr_view *out, int64_t at, double value) {
    switch (out->dtype) {
    case ORR_F32: ((float *)out->data)[at] = (float)value; break;
    case ORR_F64: ((double *)out->data)[at] = value; break;
    case ORR_I32: ((int32_t *)out->data)[at] = orr_ref_to_i32(value); break;
    case ORR_BOOL: ((uint8_t *)out->data)[at] = value != 0.0; break;
    }
}

void orr_ref_fill(const orr_view *out, double value) {
    orr_walk w = orr_walk_over(&out->shape);
    for (orr_walk_with(&w, out->stride); w.left > 0; orr_walk_next(&w)) put(out, w.at[0], value);
}

void orr_ref_iota(const orr_view *out, int32_t axis) {
    orr_walk w = orr_walk_over(&out->shape);
    for (orr_walk_with(&w, out->stride); w.left > 0; orr_walk_next(&w)) put(out, w.at[0], (double)w.index[axis]);
}

/* The view of n elements along an axis, from `start` on, `step` apart. */
static orr_view part(const orr_view *v, int32_t axis, int64_t start, int64_t n, int64_t step) {
    orr_view p = *v;
    p.shape.size[axis] = n;
    p.stride[axis] = v->stride[axis] * step;
    if (orr_shape_count(&p.shape) > 0) /* nothing has no first element */
        p.data = (char *)v->data + start * v->stride[axis] * (int64_t)orr_dtype_size(v->dtype);
    return p;
}

orr_status orr_ref_reshape(orr_context *ctx, const orr_launch *l) {
    (void)ctx;
    const size_t size = orr_dtype_size(l->out.dtype);
    const char *x = l->args[0].data;
    char *y = l->out.data;
    orr_walk from = orr_walk_over(&l->args[0].shape), to = orr_walk_over(&l->out.shape);
    assert(from.count == to.count && "a reshape keeps the number of elements");
    orr_walk_with(&from, l->args[0].stride);
    orr_walk_with(&to, l->out.stride);
    for (; to.left > 0; orr_walk_next(&from), orr_walk_next(&to))
        memcpy(y + to.at[0] * (int64_t)size, x + from.at[0] * (int64_t)size, size);
    return ORR_OK;
}

orr_status orr_ref_broadcast(orr_context *ctx, const orr_launch *l) {
    (void)ctx;
    const orr_view *a = &l->args[0];
    const int32_t lead = l->out.shape.rank - a->shape.rank;
    orr_view from = { .data = a->data, .dtype = a->dtype, .shape = l->out.shape };
    for (int32_t i = 0; i < a->shape.rank; i++) from.stride[i + lead] = a->shape.size[i] == 1 ? 0 : a->stride[i];
    orr_ref_copy(&from, &l->out);
    return ORR_OK;
}

orr_status orr_ref_transpose(orr_context *ctx, const orr_launch *l) {
    (void)ctx;
    const int32_t *order = ((const orr_attr_transpose *)l->attr)->order;
    orr_view from = l->args[0];
    for (int32_t i = 0; i < from.shape.rank; i++) {
        from.shape.size[i] = l->args[0].shape.size[order[i]];
        from.stride[i] = l->args[0].stride[order[i]];
    }
    orr_ref_copy(&from, &l->out);
    return ORR_OK;
}

orr_status orr_ref_slice(orr_context *ctx, const orr_launch *l) {
    (void)ctx;
    const orr_attr_slice *s = l->attr;
    const orr_view from = part(&l->args[0], s->axis, s->start, l->out.shape.size[s->axis], s->step);
    orr_ref_copy(&from, &l->out);
    return ORR_OK;
}

/* a[i] goes to low + i (interior + 1), where that is in the result. */
orr_status orr_ref_pad(orr_context *ctx, const orr_launch *l) {
    (void)ctx;
    const orr_attr_pad *p = l->attr;
    const int64_t n = l->args[0].shape.size[p->axis], size = l->out.shape.size[p->axis], step = p->interior + 1;
    const int64_t first = p->low >= 0 ? 0 : (-p->low + step - 1) / step, room = size - 1 - p->low;
    int64_t last = room < 0 ? -1 : room / step;
    if (last > n - 1) last = n - 1;
    orr_ref_fill(&l->out, 0.0);
    if (last < first) return ORR_OK;
    const orr_view from = part(&l->args[0], p->axis, first, last - first + 1, 1);
    const orr_view to = part(&l->out, p->axis, p->low + first * step, last - first + 1, step);
    orr_ref_copy(&from, &to);
    return ORR_OK;
}

orr_status orr_ref_concat(orr_context *ctx, const orr_launch *l) {
    (void)ctx;
    const int32_t axis = ((const orr_attr_concat *)l->attr)->axis;
    int64_t start = 0;
    for (int32_t i = 0; i < l->n_args; i++) {
        const int64_t n = l->args[i].shape.size[axis];
        const orr_view to = part(&l->out, axis, start, n, 1);
        orr_ref_copy(&l->args[i], &to);
        start += n;
    }
    return ORR_OK;
}
