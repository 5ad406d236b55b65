/* Launches of kernels on views of every layout, element by element in float64, in row-major order of the view. */
#ifndef ORR_TESTS_DEVICE_LAUNCH_H
#define ORR_TESTS_DEVICE_LAUNCH_H

#include "device/device.h"
#include "testing.h"

/* How a view lies in memory.  What it doesn't own is filled with POISON. */
typedef enum layout {
    CONTIGUOUS,
    REVERSED,  /* first axis fastest: a transposed tensor */
    GAPPED,    /* a hole after each element, and before the first */
    BACKWARDS, /* all strides negative */
    LAYOUTS
} layout;
enum { POISON = 0xa5 };
static const orr_dtype dtypes[] = { ORR_F32, ORR_F64, ORR_I32, ORR_BOOL };

typedef struct tensor {
    orr_view view;
    unsigned char *base;
    size_t bytes;
} tensor;

typedef struct fixture {
    orr_context *ctx;
    orr_arena *arena;
} fixture;

static inline int setup(void **state) {
    static fixture f;
    if (context_setup(state) != 0) return -1;
    f.ctx = *state;
    *state = &f;
    return orr_arena_new(f.ctx, &f.arena) == ORR_OK ? 0 : -1;
}

static inline int teardown(void **state) {
    fixture *f = *state;
    orr_arena_free(f->arena);
    orr_context_free(f->ctx);
    return 0;
}

/* Where element i of a view is, by division: not the way in which the kernels walk. */
static inline int64_t offset_of(const orr_view *v, int64_t i) {
    int64_t at = 0;
    for (int32_t k = v->shape.rank - 1; k >= 0; k--) {
        at += i % v->shape.size[k] * v->stride[k];
        i /= v->shape.size[k];
    }
    return at;
}

static inline void put(const orr_view *v, int64_t i, double x) {
    const int64_t at = offset_of(v, i);
    switch (v->dtype) {
    case ORR_F32: ((float *)v->data)[at] = (float)x; break;
    case ORR_F64: ((double *)v->data)[at] = x; break;
    case ORR_I32: ((int32_t *)v->data)[at] = (int32_t)x; break;
    case ORR_BOOL: ((uint8_t *)v->data)[at] = (uint8_t)x; break;
    }
}

static inline double get(const orr_view *v, int64_t i) {
    const int64_t at = offset_of(v, i);
    switch (v->dtype) {
    case ORR_F32: return (double)((const float *)v->data)[at];
    case ORR_F64: return ((const double *)v->data)[at];
    case ORR_I32: return (double)((const int32_t *)v->data)[at];
    default: return (double)((const uint8_t *)v->data)[at];
    }
}

static inline tensor blank(fixture *f, orr_dtype dtype, orr_shape shape, layout how) {
    const int64_t count = orr_shape_count(&shape), step = how == GAPPED ? 2 : how == BACKWARDS ? -1 : 1;
    const size_t size = orr_dtype_size(dtype);
    tensor t = { .view = orr_view_contiguous(dtype, &shape), .bytes = (size_t)(2 * count + 1) * size };
    t.base = ORR_NEW(f->arena, unsigned char, t.bytes);
    assert_non_null(t.base);
    memset(t.base, POISON, t.bytes);
    for (int32_t i = 0; i < shape.rank; i++) t.view.stride[i] *= step;
    for (int32_t i = 0, stride = 1; how == REVERSED && i < shape.rank; i++) {
        t.view.stride[i] = stride;
        stride *= (int32_t)shape.size[i];
    }
    const int64_t first = how == GAPPED ? 1 : how == BACKWARDS && count > 0 ? count - 1 : 0;
    t.view.data = t.base + (size_t)first * size;
    return t;
}

static inline tensor filled(fixture *f, orr_dtype dtype, orr_shape shape, layout how, const double *values) {
    const tensor t = blank(f, dtype, shape, how);
    for (int64_t i = 0; i < orr_shape_count(&shape); i++) put(&t.view, i, values[i]);
    return t;
}

/* Small whole numbers, exact in every type and in every sum of them; booleans 0 and 1. */
static inline tensor pattern(fixture *f, orr_dtype dtype, orr_shape shape, layout how, int64_t salt) {
    const tensor t = blank(f, dtype, shape, how);
    for (int64_t i = 0; i < orr_shape_count(&shape); i++) {
        const int64_t x = ((i + salt) * 7919 + salt * salt) % 17 - 8;
        put(&t.view, i, dtype == ORR_BOOL ? (double)(x & 1) : (double)x);
    }
    return t;
}

static inline orr_status launch(fixture *f, orr_op_code code, const void *attr, const orr_view *args, int32_t n_args,
                                const orr_view *out) {
    const orr_launch l = {
        .code = code, .attr = attr, .n_args = n_args, .args = args, .out = *out, .pool = orr_context_pool(f->ctx)
    };
    return orr_device_ref.kernel[code].run(f->ctx, &l);
}

/* Overwrites the elements with poison: then everything is, or something was written that is no element. */
static inline void assert_nothing_else_written(const tensor *t) {
    const size_t size = orr_dtype_size(t->view.dtype);
    for (int64_t i = 0; i < orr_shape_count(&t->view.shape); i++)
        memset((char *)t->view.data + offset_of(&t->view, i) * (int64_t)size, POISON, size);
    for (size_t i = 0; i < t->bytes; i++)
        if (t->base[i] != POISON) fail_msg("byte %zu of %zu was written and is no element of the view", i, t->bytes);
}

#endif
