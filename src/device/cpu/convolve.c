/* Convolution and its adjoints on the CPU: for each sample and group, the windows are written as columns of a matrix
 *
 *     col[(c, k), x] = a[c, s x + r k - low]      (zero outside)
 *
 * and  y = w col,  abar = scatter of w' y,  wbar = sum over samples of y col'  are products of matrices.
 * A task is a run of samples, cut by their number alone; kernel gradients have a sum for each task, added in order. */
#include "device/cpu/cpu.h"

#include <assert.h>
#include <cblas.h>
#include <dnnl.h>
#include <string.h>

extern void omp_set_num_threads(int n);

enum { SPATIAL = 3, TASKS_MAX = 16 };

typedef struct conv {
    orr_dtype dtype;
    size_t size;
    int64_t samples, groups, c, d; /* channels of one group */
    int64_t in[SPATIAL], out[SPATIAL], k[SPATIAL], stride[SPATIAL], low[SPATIAL], dilation[SPATIAL];
    int64_t in_count, out_count, k_count; /* products of the three */
    bool identity;                        /* 1 x 1 windows, stride 1, no padding: col is a itself */
    int64_t each, tasks;                  /* samples of a task */
    size_t col_bytes, kernel_bytes, copy_at[2], copy_bytes[2], workers_at, sums_at;
} conv;

/* The three shapes in the trilinear form: a, w, y. */
static void shapes_of(const orr_launch *l, const orr_shape **a, const orr_shape **w, const orr_shape **y) {
    const orr_shape *first = &l->args[0].shape, *second = &l->args[1].shape, *made = &l->out.shape;
    *a = l->code == ORR_OP_convolve_input ? made : first;
    *w = l->code == ORR_OP_convolve_kernel ? made : second;
    *y = l->code == ORR_OP_convolve ? made : l->code == ORR_OP_convolve_input ? first : second;
}

orr_status orr_cpu_convolve_prepare(orr_context *ctx, orr_arena *arena, const orr_launch *l, void **plan,
                                    size_t *workspace) {
    conv *c = ORR_NEW(arena, conv, 1);
    if (!c) return orr_fail(ctx, ORR_ENOMEM, "convolution: no memory for its plan");
    const orr_convolution *how = &((const orr_attr_convolve *)l->attr)->how;
    const orr_shape *a, *w, *y;
    shapes_of(l, &a, &w, &y);
    *plan = c;
    c->dtype = l->out.dtype, c->size = orr_dtype_size(c->dtype);
    c->samples = a->size[0], c->groups = how->groups, c->c = a->size[1] / how->groups, c->d = w->size[0] / how->groups;
    c->in_count = c->out_count = c->k_count = 1;
    c->identity = true;
    for (int i = 0; i < SPATIAL; i++) { /* missing axes in front have extent 1 */
        const int32_t at = i - (SPATIAL - (a->rank - 2));
        c->in[i] = at < 0 ? 1 : a->size[at + 2], c->out[i] = at < 0 ? 1 : y->size[at + 2],
        c->k[i] = at < 0 ? 1 : w->size[at + 2];
        c->stride[i] = at < 0 ? 1 : how->stride[at], c->low[i] = at < 0 ? 0 : how->low[at];
        c->dilation[i] = at < 0 ? 1 : how->dilation[at];
        c->in_count *= c->in[i], c->out_count *= c->out[i], c->k_count *= c->k[i];
        c->identity = c->identity && c->k[i] == 1 && c->stride[i] == 1 && c->low[i] == 0 && c->in[i] == c->out[i];
    }
    openblas_set_num_threads(1); /* tasks are ours */
    const double flops = 2.0 * (double)(c->samples * c->groups * c->c * c->d) * (double)(c->out_count * c->k_count);
    c->tasks = (int64_t)(flops / 4e6);
    if (c->tasks > TASKS_MAX) c->tasks = TASKS_MAX;
    if (c->tasks > c->samples) c->tasks = c->samples;
    if (c->tasks < 1) c->tasks = 1;
    c->each = (c->samples + c->tasks - 1) / c->tasks;
    c->tasks = c->each ? (c->samples + c->each - 1) / c->each : 0;
    size_t at = 0;
    for (int i = 0; i < 2; i++) {
        if (orr_view_is_contiguous(&l->args[i])) continue;
        c->copy_at[i] = at, c->copy_bytes[i] = (size_t)orr_shape_count(&l->args[i].shape) * c->size;
        at += (c->copy_bytes[i] + 63) & ~(size_t)63;
    }
    c->col_bytes = c->identity ? 0 : ((size_t)(c->c * c->k_count * c->out_count) * c->size + 63) & ~(size_t)63;
    c->workers_at = at;
    at += (size_t)orr_context_threads(ctx) * c->col_bytes;
    c->sums_at = at;
    c->kernel_bytes = ((size_t)orr_shape_count(w) * c->size + 63) & ~(size_t)63;
    if (l->code == ORR_OP_convolve_kernel) at += (size_t)c->tasks * c->kernel_bytes;
    *workspace = at;
    return ORR_OK;
}

/* ---- columns --------------------------------------------------------------------------------------------------- */

/* For window offset k along an axis: the first and last x whose element lies inside. */
static void inside(const conv *c, int axis, int64_t k, int64_t *first, int64_t *end) {
    const int64_t shift = k * c->dilation[axis] - c->low[axis], s = c->stride[axis], n = c->in[axis];
    *first = shift >= 0 ? 0 : (-shift + s - 1) / s;
    *end = shift >= n ? 0 : (n - 1 - shift) / s + 1;
    if (*end > c->out[axis]) *end = c->out[axis];
    if (*first > *end) *first = *end;
}

#define COLUMNS(TYPE)                                                                                                  \
    /* One row of col from or into its channel. */                                                                     \
    static void row_##TYPE(const conv *c, const int64_t k[SPATIAL], const TYPE *channel, TYPE *row, TYPE *back) {      \
        int64_t lo[SPATIAL], hi[SPATIAL];                                                                              \
        for (int i = 0; i < SPATIAL; i++) inside(c, i, k[i], &lo[i], &hi[i]);                                          \
        if (!back &&                                                                                                   \
            (lo[0] > 0 || lo[1] > 0 || lo[2] > 0 || hi[0] < c->out[0] || hi[1] < c->out[1] || hi[2] < c->out[2]))      \
            memset(row, 0, (size_t)c->out_count * sizeof *row);                                                        \
        for (int64_t z = lo[0]; z < hi[0]; z++)                                                                        \
            for (int64_t y = lo[1]; y < hi[1]; y++) {                                                                  \
                const int64_t iz = z * c->stride[0] + k[0] * c->dilation[0] - c->low[0];                               \
                const int64_t iy = y * c->stride[1] + k[1] * c->dilation[1] - c->low[1];                               \
                const int64_t ix = k[2] * c->dilation[2] - c->low[2], s = c->stride[2];                                \
                const int64_t line = (iz * c->in[1] + iy) * c->in[2] + ix;                                             \
                TYPE *r = row + (z * c->out[1] + y) * c->out[2];                                                       \
                if (back) {                                                                                            \
                    TYPE *b = back + line;                                                                             \
                    if (s == 1)                                                                                        \
                        for (int64_t x = lo[2]; x < hi[2]; x++) b[x] += r[x];                                          \
                    else                                                                                               \
                        for (int64_t x = lo[2]; x < hi[2]; x++) b[x * s] += r[x];                                      \
                } else if (s == 1) {                                                                                   \
                    memcpy(r + lo[2], channel + line + lo[2], (size_t)(hi[2] - lo[2]) * sizeof *r);                    \
                } else {                                                                                               \
                    for (int64_t x = lo[2]; x < hi[2]; x++) r[x] = channel[line + x * s];                              \
                }                                                                                                      \
            }                                                                                                          \
    }                                                                                                                  \
    static void columns_##TYPE(const conv *c, const TYPE *a, TYPE *col, TYPE *back) {                                  \
        assert((a || back) && "columns of nothing");                                                                   \
        TYPE *row = col;                                                                                               \
        for (int64_t channel = 0; channel < c->c; channel++) {                                                         \
            const int64_t at = channel * c->in_count;                                                                  \
            int64_t k[SPATIAL];                                                                                        \
            for (k[0] = 0; k[0] < c->k[0]; k[0]++)                                                                     \
                for (k[1] = 0; k[1] < c->k[1]; k[1]++)                                                                 \
                    for (k[2] = 0; k[2] < c->k[2]; k[2]++, row += c->out_count)                                        \
                        row_##TYPE(c, k, a ? a + at : NULL, row, back ? back + at : NULL);                             \
        }                                                                                                              \
    }
COLUMNS(float)
COLUMNS(double)

/* col from a, or col added into back. */
static void columns(const conv *c, const void *a, void *col, void *back) {
    if (c->dtype == ORR_F64) columns_double(c, a, col, back);
    else columns_float(c, a, col, back);
}

/* out[m, n] = op(x) op(y) (+ out), row-major without gaps; op(x) is m x k, stored transposed where tx. */
static void multiply(const conv *c, bool tx, bool ty, int64_t m, int64_t n, int64_t k, const void *x, const void *y,
                     void *out, bool add) {
    const int64_t ldx = tx ? m : k, ldy = ty ? k : n;
    if (c->dtype == ORR_F64) {
        cblas_dgemm(CblasRowMajor, tx ? CblasTrans : CblasNoTrans, ty ? CblasTrans : CblasNoTrans, (blasint)m,
                    (blasint)n, (blasint)k, 1.0, x, (blasint)ldx, y, (blasint)ldy, add, out, (blasint)n);
        return;
    }
    omp_set_num_threads(1);
    (void)dnnl_sgemm(tx ? 'T' : 'N', ty ? 'T' : 'N', m, n, k, 1.0f, x, ldx, y, ldy, add ? 1.0f : 0.0f, out, n);
}

/* ---- run ------------------------------------------------------------------------------------------------------- */

typedef struct job {
    const conv *c;
    orr_op_code code;
    const char *first, *second;
    char *out, *workers, *sums;
} job;

static void run_task(void *arg, int64_t task, int worker) {
    const job *j = arg;
    const conv *c = j->c;
    char *col = j->workers + (size_t)worker * c->col_bytes;
    const int64_t size = (int64_t)c->size, kc = c->c * c->k_count;
    const int64_t end = (task + 1) * c->each < c->samples ? (task + 1) * c->each : c->samples;
    char *sum = j->sums + (size_t)task * c->kernel_bytes;
    for (int64_t n = task * c->each; n < end; n++)
        for (int64_t g = 0; g < c->groups; g++) {
            const int64_t a_at = (n * c->groups + g) * c->c * c->in_count * size;
            const int64_t y_at = (n * c->groups + g) * c->d * c->out_count * size, w_at = g * c->d * kc * size;
            if (j->code == ORR_OP_convolve) {
                const char *from = j->first + a_at;
                if (!c->identity) columns(c, from, col, NULL);
                multiply(c, false, false, c->d, c->out_count, kc, j->second + w_at, c->identity ? from : col,
                         j->out + y_at, false);
            } else if (j->code == ORR_OP_convolve_input) {
                char *to = j->out + a_at;
                multiply(c, true, false, kc, c->out_count, c->d, j->second + w_at, j->first + y_at,
                         c->identity ? to : col, false);
                if (c->identity) continue;
                memset(to, 0, (size_t)(c->c * c->in_count * size));
                columns(c, NULL, col, to);
            } else {
                const char *from = j->first + a_at;
                if (!c->identity) columns(c, from, col, NULL);
                multiply(c, false, true, c->d, kc, c->out_count, j->second + y_at, c->identity ? from : col, sum + w_at,
                         n > task * c->each);
            }
        }
}

static const void *contiguous(const orr_launch *l, const conv *c, int which) {
    if (!c->copy_bytes[which]) return l->args[which].data;
    orr_view to = orr_view_contiguous(c->dtype, &l->args[which].shape);
    to.data = (char *)l->workspace + c->copy_at[which];
    orr_cpu_copy_view(l->pool, &l->args[which], &to);
    return to.data;
}

orr_status orr_cpu_convolve_run(orr_context *ctx, const orr_launch *l) {
    const conv *c = l->plan;
    if (orr_shape_count(&l->out.shape) == 0 || orr_shape_count(&l->args[0].shape) == 0 ||
        orr_shape_count(&l->args[1].shape) == 0)
        return orr_device_ref.kernel[l->code].run(ctx, l);
    job j = { .c = c,
              .code = l->code,
              .first = contiguous(l, c, 0),
              .second = contiguous(l, c, 1),
              .out = l->out.data,
              .workers = (char *)l->workspace + c->workers_at,
              .sums = (char *)l->workspace + c->sums_at };
    orr_parallel(l->pool, c->tasks, run_task, &j);
    if (l->code != ORR_OP_convolve_kernel) return ORR_OK;
    const int64_t n = orr_shape_count(&l->out.shape);
    memcpy(l->out.data, j.sums, (size_t)n * c->size);
    const orr_cpu_kernels *kernels = orr_cpu_kernels_choose();
    for (int64_t t = 1; t < c->tasks; t++)
        kernels->elementwise[ORR_OP_add][c->dtype][ORR_VV](n, l->out.data, j.sums + (size_t)t * c->kernel_bytes, NULL,
                                                           l->out.data);
    return ORR_OK;
}
