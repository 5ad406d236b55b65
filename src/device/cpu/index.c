/* gather and scatter_add over whole rows: index[b, k] names a row of `rest` elements that lie together. */
#include "device/cpu/cpu.h"

#include <string.h>

/* Whether axes [first, last) of a view walk as one, of what count and with which stride. */
static bool as_one(const orr_view *v, int32_t first, int32_t last, int64_t *count, int64_t *stride) {
    *count = 1, *stride = 0;
    for (int32_t i = last - 1; i >= first; i--) {
        if (v->shape.size[i] == 1) continue;
        if (*count == 1) *stride = v->stride[i];
        else if (v->stride[i] != *stride * *count) return false;
        *count *= v->shape.size[i];
    }
    return true;
}

/* The indices one after the other, whatever their strides: those of a slice are not contiguous. */
typedef struct indices {
    const orr_view *view;
    int64_t position[ORR_RANK_MAX], at; /* at: elements from the first */
} indices;

static int32_t next_index(indices *x) {
    const orr_view *v = x->view;
    const int32_t index = ((const int32_t *)v->data)[x->at];
    for (int32_t i = v->shape.rank - 1; i >= 0; i--) {
        x->at += v->stride[i];
        if (++x->position[i] < v->shape.size[i]) break;
        x->at -= v->stride[i] * v->shape.size[i];
        x->position[i] = 0;
    }
    return index;
}

static orr_status out_of_range(orr_context *ctx, const char *op, int32_t index, int64_t at, int64_t extent) {
    return orr_fail(ctx, ORR_EINPUT, "%s: index %d at position %lld is outside 0 to %lld", op, index, (long long)at,
                    (long long)extent - 1);
}

orr_status orr_cpu_gather_run(orr_context *ctx, const orr_launch *l) {
    const int32_t n_batch = ((const orr_attr_index *)l->attr)->n_batch;
    const orr_view *a = &l->args[0], *index = &l->args[1];
    const int64_t extent = a->shape.size[n_batch];
    int64_t rest, rest_stride, batch, batch_stride;
    const bool fits = as_one(a, n_batch + 1, a->shape.rank, &rest, &rest_stride) && (rest == 1 || rest_stride == 1) &&
                      as_one(a, 0, n_batch, &batch, &batch_stride);
    if (!fits || orr_shape_count(&l->out.shape) == 0) return orr_device_ref.kernel[ORR_OP_gather].run(ctx, l);
    const int64_t k_count = orr_shape_count(&index->shape) / batch;
    const size_t size = orr_dtype_size(a->dtype), bytes = (size_t)rest * size;
    indices next = { .view = index };
    char *to = l->out.data;
    for (int64_t b = 0; b < batch; b++)
        for (int64_t k = 0; k < k_count; k++, to += bytes) {
            const int32_t at = next_index(&next);
            if (at < 0 || at >= extent) return out_of_range(ctx, "gather", at, b * k_count + k, extent);
            const int64_t row = b * batch_stride + at * a->stride[n_batch];
            memcpy(to, (const char *)a->data + row * (int64_t)size, bytes);
        }
    return ORR_OK;
}

/* The order of k is the order of addition. */
orr_status orr_cpu_scatter_add_run(orr_context *ctx, const orr_launch *l) {
    const orr_attr_index *attr = l->attr;
    const orr_view *a = &l->args[0], *index = &l->args[1];
    if (!orr_view_is_contiguous(a) || orr_shape_count(&a->shape) == 0 || a->dtype == ORR_I32)
        return orr_device_ref.kernel[ORR_OP_scatter_add].run(ctx, l);
    int64_t batch = 1;
    for (int32_t i = 0; i < attr->n_batch; i++) batch *= a->shape.size[i];
    const int64_t count = orr_shape_count(&index->shape), k_count = count / batch,
                  rest = orr_shape_count(&a->shape) / count;
    indices next = { .view = index };
    memset(l->out.data, 0, (size_t)orr_shape_count(&l->out.shape) * orr_dtype_size(a->dtype));
    const orr_cpu_kernels *kernels = orr_cpu_kernels_choose();
    for (int64_t b = 0; b < batch; b++)
        for (int64_t k = 0; k < k_count; k++) {
            const int32_t at = next_index(&next);
            if (at < 0 || at >= attr->extent)
                return out_of_range(ctx, "scatter_add", at, b * k_count + k, attr->extent);
            const int64_t from = (b * k_count + k) * rest, to = (b * attr->extent + at) * rest;
            const char *x = (const char *)a->data + from * (int64_t)orr_dtype_size(a->dtype);
            char *y = (char *)l->out.data + to * (int64_t)orr_dtype_size(a->dtype);
            kernels->elementwise[ORR_OP_add][a->dtype][ORR_VV](rest, y, x, NULL, y);
        }
    return ORR_OK;
}
