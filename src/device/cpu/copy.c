/* Movement that views can't do: copies, padding, concatenation.
 *
 * A copy walks the collapsed axes in the order of the target.  Where source and target run along different axes (a
 * transposition), it goes in square blocks, so that both sides use whole cache lines. */
#include "device/cpu/cpu.h"

#include <string.h>

enum { BLOCK = 16, TASK_BYTES = 1 << 18, TASKS_MAX = 16 };

typedef struct walk {
    int32_t rank;
    int64_t size[ORR_RANK_MAX], from[ORR_RANK_MAX], to[ORR_RANK_MAX]; /* strides in elements */
} walk;

/* Axes of extent 1 go, neighbours that both sides walk through as one merge. */
static walk collapse(const orr_view *from, const orr_view *to) {
    walk w = { 0 };
    for (int32_t i = 0; i < to->shape.rank; i++) {
        const int64_t n = to->shape.size[i];
        if (n == 1) continue;
        const int32_t last = w.rank - 1;
        if (last >= 0 && w.from[last] == from->stride[i] * n && w.to[last] == to->stride[i] * n) {
            w.size[last] *= n;
            w.from[last] = from->stride[i], w.to[last] = to->stride[i];
            continue;
        }
        w.size[w.rank] = n;
        w.from[w.rank] = from->stride[i], w.to[w.rank] = to->stride[i];
        w.rank++;
    }
    if (w.rank == 0) w.rank = 1, w.size[0] = 1;
    return w;
}

#define COPY_LINE(TYPE)                                                                                                \
    static void copy_line_##TYPE(int64_t n, const void *vf, int64_t from, void *vt, int64_t to) {                      \
        const TYPE *f = vf;                                                                                            \
        TYPE *t = vt;                                                                                                  \
        if (from == 0) {                                                                                               \
            const TYPE x = n > 0 ? f[0] : 0;                                                                           \
            for (int64_t i = 0; i < n; i++) t[i * to] = x;                                                             \
        } else if (from == 1 && to == 1) {                                                                             \
            memmove(t, f, (size_t)n * sizeof *t);                                                                      \
        } else {                                                                                                       \
            for (int64_t i = 0; i < n; i++) t[i * to] = f[i * from];                                                   \
        }                                                                                                              \
    }                                                                                                                  \
    static void copy_plane_##TYPE(int64_t m, int64_t n, const void *vf, int64_t fm, int64_t fn, void *vt, int64_t tm,  \
                                  int64_t tn) {                                                                        \
        const TYPE *f = vf;                                                                                            \
        TYPE *t = vt;                                                                                                  \
        for (int64_t i0 = 0; i0 < m; i0 += BLOCK)                                                                      \
            for (int64_t j0 = 0; j0 < n; j0 += BLOCK) {                                                                \
                const int64_t i1 = i0 + BLOCK < m ? i0 + BLOCK : m, j1 = j0 + BLOCK < n ? j0 + BLOCK : n;              \
                for (int64_t i = i0; i < i1; i++)                                                                      \
                    for (int64_t j = j0; j < j1; j++) t[i * tm + j * tn] = f[i * fm + j * fn];                         \
            }                                                                                                          \
    }                                                                                                                  \
    /* each of m elements n times; pairs, which are most, apart: the compiler makes vectors of them */                 \
    static void copy_repeats_##TYPE(int64_t m, int64_t n, const void *vf, int64_t fm, void *vt) {                      \
        const TYPE *restrict f = vf;                                                                                   \
        TYPE *restrict t = vt;                                                                                         \
        if (n == 2 && fm == 1)                                                                                         \
            for (int64_t i = 0; i < m; i++) t[2 * i] = f[i], t[2 * i + 1] = f[i];                                      \
        else                                                                                                           \
            for (int64_t i = 0; i < m; i++)                                                                            \
                for (int64_t j = 0; j < n; j++) t[i * n + j] = f[i * fm];                                              \
    }
COPY_LINE(uint8_t)
COPY_LINE(uint32_t)
COPY_LINE(uint64_t)

static void copy_line(size_t size, int64_t n, const char *from, int64_t f, char *to, int64_t t) {
    if (size == 8) copy_line_uint64_t(n, from, f, to, t);
    else if (size == 4) copy_line_uint32_t(n, from, f, to, t);
    else copy_line_uint8_t(n, from, f, to, t);
}

static void copy_plane(size_t size, int64_t m, int64_t n, const char *from, int64_t fm, int64_t fn, char *to,
                       int64_t tm, int64_t tn) {
    if (size == 8) copy_plane_uint64_t(m, n, from, fm, fn, to, tm, tn);
    else if (size == 4) copy_plane_uint32_t(m, n, from, fm, fn, to, tm, tn);
    else copy_plane_uint8_t(m, n, from, fm, fn, to, tm, tn);
}

static void copy_repeats(size_t size, int64_t m, int64_t n, const char *from, int64_t fm, char *to) {
    if (size == 8) copy_repeats_uint64_t(m, n, from, fm, to);
    else if (size == 4) copy_repeats_uint32_t(m, n, from, fm, to);
    else copy_repeats_uint8_t(m, n, from, fm, to);
}

/* The last two axes as a plane where the last one repeats: an expanded axis, as the gradient of a mean has. */
static bool repeats(const walk *w) {
    const int32_t last = w->rank - 1;
    return w->rank >= 2 && w->from[last] == 0 && w->to[last] == 1 && w->to[last - 1] == w->size[last] &&
           w->size[last] < BLOCK;
}

/* The last two axes as a plane where the source runs along the first of them. */
static bool transposes(const walk *w) {
    const int32_t last = w->rank - 1;
    return w->rank >= 2 && w->from[last] != 1 && w->from[last] != 0 && w->from[last - 1] == 1;
}

/* Axes, the last, that one step of a walk copies. */
static int32_t axes_of_step(const walk *w) { return transposes(w) || repeats(w) ? 2 : 1; }

static void copy_range(const walk *w, size_t size, const char *from, char *to, int64_t first, int64_t n) {
    const bool plane = transposes(w), repeat = repeats(w);
    const int32_t outer = w->rank - axes_of_step(w);
    int64_t index[ORR_RANK_MAX], f = 0, t = 0, rest = first;
    for (int32_t i = outer - 1; i >= 0; i--) {
        index[i] = rest % w->size[i];
        rest /= w->size[i];
        f += index[i] * w->from[i], t += index[i] * w->to[i];
    }
    for (int64_t k = 0; k < n; k++) {
        const char *source = from + f * (int64_t)size;
        char *target = to + t * (int64_t)size;
        if (plane)
            copy_plane(size, w->size[outer], w->size[outer + 1], source, w->from[outer], w->from[outer + 1], target,
                       w->to[outer], w->to[outer + 1]);
        else if (repeat) copy_repeats(size, w->size[outer], w->size[outer + 1], source, w->from[outer], target);
        else copy_line(size, w->size[outer], source, w->from[outer], target, w->to[outer]);
        for (int32_t i = outer - 1; i >= 0; i--) {
            f += w->from[i], t += w->to[i];
            if (++index[i] < w->size[i]) break;
            f -= w->from[i] * w->size[i], t -= w->to[i] * w->size[i];
            index[i] = 0;
        }
    }
}

typedef struct job {
    const walk *w;
    size_t size;
    const char *from;
    char *to;
    int64_t steps, each;
} job;

static void run_task(void *arg, int64_t task, int worker) {
    const job *j = arg;
    (void)worker;
    const int64_t first = task * j->each, left = j->steps - first;
    copy_range(j->w, j->size, j->from, j->to, first, left < j->each ? left : j->each);
}

void orr_cpu_copy_view(orr_pool *pool, const orr_view *from, const orr_view *to) {
    const int64_t count = orr_shape_count(&to->shape);
    if (count == 0) return;
    if (count * (int64_t)orr_dtype_size(to->dtype) < TASK_BYTES && orr_view_is_contiguous(from) &&
        orr_view_is_contiguous(to)) {
        memmove(to->data, from->data, (size_t)count * orr_dtype_size(to->dtype));
        return;
    }
    const walk w = collapse(from, to);
    const size_t size = orr_dtype_size(to->dtype);
    job j = { .w = &w, .size = size, .from = from->data, .to = to->data, .steps = 1 };
    for (int32_t i = 0; i < w.rank - axes_of_step(&w); i++) j.steps *= w.size[i];
    int64_t tasks = count * (int64_t)size / TASK_BYTES;
    if (tasks > TASKS_MAX) tasks = TASKS_MAX;
    if (tasks > j.steps) tasks = j.steps;
    if (tasks < 1 || !pool) tasks = 1;
    j.each = (j.steps + tasks - 1) / tasks;
    orr_parallel(pool, (j.steps + j.each - 1) / j.each, run_task, &j);
}

/* ---- the kernels ----------------------------------------------------------------------------------------------- */

orr_status orr_cpu_copy_run(orr_context *ctx, const orr_launch *l) { /* stop and reshape */
    (void)ctx;
    orr_view to = l->out;
    if (l->code == ORR_OP_reshape) { /* in row-major order of the source */
        to = orr_view_contiguous(l->out.dtype, &l->args[0].shape);
        to.data = l->out.data;
    }
    orr_cpu_copy_view(l->pool, &l->args[0], &to);
    return ORR_OK;
}

orr_status orr_cpu_pad_run(orr_context *ctx, const orr_launch *l) {
    (void)ctx;
    const orr_attr_pad *p = l->attr;
    const int64_t n = l->args[0].shape.size[p->axis], size = l->out.shape.size[p->axis], step = p->interior + 1;
    memset(l->out.data, 0, (size_t)orr_shape_count(&l->out.shape) * orr_dtype_size(l->out.dtype));
    const int64_t first = p->low >= 0 ? 0 : (-p->low + step - 1) / step, room = size - 1 - p->low;
    const int64_t last = room < 0 ? -1 : room / step < n - 1 ? room / step : n - 1;
    if (last < first) return ORR_OK;
    orr_view from = l->args[0], to = l->out;
    from.shape.size[p->axis] = to.shape.size[p->axis] = last - first + 1;
    from.data = (char *)from.data + first * from.stride[p->axis] * (int64_t)orr_dtype_size(from.dtype);
    to.data = (char *)to.data + (p->low + first * step) * to.stride[p->axis] * (int64_t)orr_dtype_size(to.dtype);
    to.stride[p->axis] *= step;
    orr_cpu_copy_view(l->pool, &from, &to);
    return ORR_OK;
}

orr_status orr_cpu_concat_run(orr_context *ctx, const orr_launch *l) {
    (void)ctx;
    const int32_t axis = ((const orr_attr_concat *)l->attr)->axis;
    int64_t at = 0;
    const size_t size = orr_dtype_size(l->out.dtype);
    for (int32_t i = 0; i < l->n_args; i++) {
        if (orr_shape_count(&l->args[i].shape) == 1) { /* words of a key, once a step of small programs */
            memcpy((char *)l->out.data + (size_t)(at++ * l->out.stride[axis]) * size, l->args[i].data, size);
            continue;
        }
        orr_view to = l->out;
        to.shape = l->args[i].shape;
        to.data = (char *)to.data + (size_t)(at * to.stride[axis]) * size;
        orr_cpu_copy_view(l->pool, &l->args[i], &to);
        at += l->args[i].shape.size[axis];
    }
    return ORR_OK;
}
