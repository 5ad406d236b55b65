/* Convolution and its adjoints: the three partial derivatives of
 *
 *     T(a, w, y) = sum over n, d, x, c, k of  y[n, d, x] w[d, c, k] a[n, c', s x + r k - low]     c' = (group of d) C +
 * c
 *
 * each element a sum in float64 over the indices that it doesn't have.  Missing spatial axes have extent 1. */
#include "device/ref/ref.h"
#include "device/ref/walk.h"

enum { SPATIAL = 3 };

typedef struct tensor {
    void *data;
    int64_t size[2 + SPATIAL], stride[2 + SPATIAL];
} tensor;

typedef struct form {
    tensor a, w, y;           /* a[n, c', p...], w[d, c, k...], y[n, d, x...] */
    int64_t d_group, c_group; /* of d and of c' in one group */
    int64_t s[SPATIAL], r[SPATIAL], low[SPATIAL];
} form;

static tensor tensor_of(const orr_view *v) {
    tensor t = { .data = v->data };
    const int32_t missing = 2 + SPATIAL - v->shape.rank;
    for (int32_t i = 0; i < 2 + SPATIAL; i++) {
        const int32_t from = i < 2 ? i : i - missing;
        const bool there = i < 2 || from >= 2;
        t.size[i] = there ? v->shape.size[from] : 1;
        t.stride[i] = there ? v->stride[from] : 0;
    }
    return t;
}

static form form_of(const orr_launch *l, const orr_view *a, const orr_view *w, const orr_view *y) {
    const orr_convolution *how = &((const orr_attr_convolve *)l->attr)->how;
    form f = { .a = tensor_of(a), .w = tensor_of(w), .y = tensor_of(y) };
    const int32_t missing = 2 + SPATIAL - a->shape.rank;
    for (int32_t i = 0; i < SPATIAL; i++) {
        const bool there = i >= missing;
        f.s[i] = there ? how->stride[i - missing] : 1;
        f.r[i] = there ? how->dilation[i - missing] : 1;
        f.low[i] = there ? how->low[i - missing] : 0;
    }
    f.d_group = f.w.size[0] / how->groups;
    f.c_group = f.w.size[1];
    return f;
}

/* A walk over (first, second, z...), which is how every loop below goes; at stays unused: the offsets depend on more.
 */
static orr_walk walk_over(int64_t first, int64_t second, const int64_t *spatial) {
    orr_shape shape = { .rank = 2 + SPATIAL, .size = { first, second, spatial[0], spatial[1], spatial[2] } };
    return orr_walk_over(&shape);
}

static int64_t offset(const tensor *t, int64_t first, int64_t second, const int64_t *z) {
    return first * t->stride[0] + second * t->stride[1] + z[0] * t->stride[2] + z[1] * t->stride[3] +
           z[2] * t->stride[4];
}

/* p = s x + r k - low; false outside a. */
static bool find_p(const form *f, const int64_t *x, const int64_t *k, int64_t *p) {
    for (int i = 0; i < SPATIAL; i++) {
        p[i] = f->s[i] * x[i] + f->r[i] * k[i] - f->low[i];
        if (p[i] < 0 || p[i] >= f->a.size[2 + i]) return false;
    }
    return true;
}

/* The x with s x + r k - low = p; false where there is none. */
static bool find_x(const form *f, const int64_t *p, const int64_t *k, int64_t *x) {
    for (int i = 0; i < SPATIAL; i++) {
        const int64_t sx = p[i] + f->low[i] - f->r[i] * k[i];
        if (sx < 0 || sx % f->s[i] != 0) return false;
        x[i] = sx / f->s[i];
        if (x[i] >= f->y.size[2 + i]) return false;
    }
    return true;
}

#define REAL    float
#define NAME(f) f##_f32
#include "device/ref/convolve.inc"

#define REAL    double
#define NAME(f) f##_f64
#include "device/ref/convolve.inc"

orr_status orr_ref_convolve(orr_context *ctx, const orr_launch *l) {
    (void)ctx;
    const form f = form_of(l, &l->args[0], &l->args[1], &l->out);
    if (l->out.dtype == ORR_F32) make_y_f32(&f);
    else make_y_f64(&f);
    return ORR_OK;
}

orr_status orr_ref_convolve_input(orr_context *ctx, const orr_launch *l) {
    (void)ctx;
    const form f = form_of(l, &l->out, &l->args[1], &l->args[0]);
    if (l->out.dtype == ORR_F32) make_a_f32(&f);
    else make_a_f64(&f);
    return ORR_OK;
}

orr_status orr_ref_convolve_kernel(orr_context *ctx, const orr_launch *l) {
    (void)ctx;
    const form f = form_of(l, &l->args[0], &l->out, &l->args[1]);
    if (l->out.dtype == ORR_F32) make_w_f32(&f);
    else make_w_f64(&f);
    return ORR_OK;
}
