/* Convolution at work. */
#include "device/cpu/convolve_plan.h"
#include "simd/simd.h"

#include <cblas.h>
#include <string.h>

static void multiply(orr_dtype dtype, const conv_product *p, const void *x, const void *y, void *out) {
    if (orr_code_is_there(&p->code)) {
        orr_code_run(&p->code, x, y, out);
    } else if (dtype == ORR_F64) {
        cblas_dgemm(CblasRowMajor, p->x_transposed ? CblasTrans : CblasNoTrans, CblasNoTrans, (blasint)p->m,
                    (blasint)p->n, (blasint)p->k, 1.0, x, (blasint)p->ldx, y, (blasint)p->ldy, p->add, out,
                    (blasint)p->ldo);
    } else {
        cblas_sgemm(CblasRowMajor, p->x_transposed ? CblasTrans : CblasNoTrans, CblasNoTrans, (blasint)p->m,
                    (blasint)p->n, (blasint)p->k, 1.0f, x, (blasint)p->ldx, y, (blasint)p->ldy, (float)p->add, out,
                    (blasint)p->ldo);
    }
}

typedef struct job {
    const conv *c;
    const char *first, *second;
    char *out, *weights, *workers, *sums;
} job;

/* Where a unit lies. */
typedef struct unit {
    int64_t sample, group, plane, row, rows; /* rows of the band */
} unit;

static unit find_unit(const conv *c, int64_t i) {
    const int64_t band = i % c->bands, plane = i / c->bands % c->out[0], of = i / c->bands / c->out[0];
    const int64_t row = band * c->band;
    return (unit){ of / c->groups, of % c->groups, plane, row, rows_at(row, c->band, c->out[ROWS]) };
}

static int64_t channels_of(const conv *c, int64_t chunk) { return rows_at(chunk * c->chunk, c->chunk, c->c); }

/* Bytes from the begin of an array that has windows, or of the other, to a sample's group. */
static int64_t in_at(const conv *c, const unit *u) {
    return (u->sample * c->groups + u->group) * c->c * c->in_count * (int64_t)c->size;
}
static int64_t out_at(const conv *c, const unit *u) {
    return ((u->sample * c->groups + u->group) * c->d * c->out_count + (u->plane * c->out[ROWS] + u->row) * c->out[2]) *
           (int64_t)c->size;
}

/* Where the element of a kernel is that weights [group, shift, d, c, taps] show; its neighbours are that of the next
 * window element along the last axis and of the next channel c. */
static int64_t kernel_at(const conv *c, int64_t group, int64_t d, int64_t channel) {
    return (c->flipped ? (group * c->c + channel) * c->d + d : (group * c->d + d) * c->c + channel) * c->k_count;
}

/* The element of the window for a tap and a shift. */
static int64_t window_at(const conv *c, int64_t shift, int64_t tap) {
    const int64_t i = c->shifts == 1 ? tap : (tap / c->k[2] * c->k[ROWS] + shift) * c->k[2] + tap % c->k[2];
    return c->flipped ? c->k_count - 1 - i : i;
}

#define KERNEL(TYPE)                                                                                                   \
    /* Weights for one group and d. */                                                                                 \
    static void arrange_##TYPE(const conv *c, int64_t group, int64_t d, const TYPE *kernel, TYPE *weights) {           \
        for (int64_t shift = 0; shift < c->shifts; shift++)                                                            \
            for (int64_t tap = 0; tap < c->taps; tap++) {                                                              \
                TYPE *to = weights + ((group * c->shifts + shift) * c->d + d) * c->depth + tap;                        \
                const TYPE *from = kernel + kernel_at(c, group, d, 0) + window_at(c, shift, tap);                      \
                const int64_t step = c->flipped ? c->d * c->k_count : c->k_count;                                      \
                for (int64_t i = 0; i < c->c; i++) to[i * c->taps] = from[i * step];                                   \
            }                                                                                                          \
    }                                                                                                                  \
    /* The gradient of one group and channel from a row of its sum. */                                                 \
    static void unpack_##TYPE(const conv *c, int64_t n, const TYPE *row, TYPE *to) {                                   \
        for (int64_t d = 0; d < n; d++) to[d * c->c * c->k_count] = row[d];                                            \
    }
KERNEL(float)
KERNEL(double)

static void arrange_task(void *arg, int64_t task, int worker) {
    (void)worker;
    const job *j = arg;
    const conv *c = j->c;
    const int64_t group = task / c->d, d = task % c->d;
    if (c->dtype == ORR_F64) arrange_double(c, group, d, (const void *)j->second, (void *)j->weights);
    else arrange_float(c, group, d, (const void *)j->second, (void *)j->weights);
}

static void run_forward(const job *j, int64_t index, char *col) {
    const conv *c = j->c;
    const unit u = find_unit(c, index);
    const int64_t size = (int64_t)c->size, n = u.rows * c->out[2];
    const char *from = j->first + in_at(c, &u), *kernel = orr_cpu_convolve_is_arranged(c) ? j->weights : j->second;
    char *to = j->out + out_at(c, &u), *tile = col + c->other_at;
    int64_t behind = 0; /* positions in the tile: a last panel that isn't whole vectors */
    for (int64_t chunk = 0; chunk < c->chunks; chunk++) {
        const int64_t channel = chunk * c->chunk, channels = channels_of(c, chunk);
        orr_cpu_convolve_gather(c, u.plane, u.row, u.rows, from + channel * c->in_count * size, channels, col);
        for (int64_t i = 0, x = 0, w; (w = orr_cpu_convolve_panel_width(c, n, i)) > 0; i++, x += w * c->vector) {
            if (x + w * c->vector > n) behind = n - x;
            for (int64_t shift = 0; shift < c->shifts; shift++) {
                const int64_t weights = (u.group * c->shifts + shift) * c->d * c->depth + channel * c->taps;
                multiply(c->dtype, &c->products[w - 1][behind > 0][chunk == c->chunks - 1][chunk > 0 || shift > 0],
                         kernel + weights * size, col + (x + shift * c->shift) * size, behind ? tile : to + x * size);
            }
        }
        if (chunk < c->chunks - 1) behind = 0;
    }
    for (int64_t d = 0; behind && d < c->d; d++)
        memcpy(to + (d * c->out_count + n - behind) * size, tile + d * PANEL * c->vector * size,
               (size_t)(behind * size));
}

/* Positions as rows of whole vectors; what fills them up goes where nothing is read. */
static void transpose_part(const conv *c, int64_t positions, const void *y, char *out) {
    if (c->dtype == ORR_F64) orr_simd()->transpose_f64(c->part, positions, y, c->out_count, (void *)out, c->sum_pitch);
    else orr_simd()->transpose_f32(c->part, positions, y, c->out_count, (void *)out, c->sum_pitch);
}

/* `fresh`: sum has nothing in it yet. */
static void run_kernel(const job *j, int64_t index, int64_t part, bool fresh, char *col, char *sum) {
    const conv *c = j->c;
    const unit u = find_unit(c, index);
    const int64_t size = (int64_t)c->size;
    const char *a = j->first + in_at(c, &u), *y = j->second + out_at(c, &u) + part * c->part * c->out_count * size;
    char *y_transposed = col + c->other_at;
    transpose_part(c, u.rows * c->out[2], y, y_transposed);
    for (int64_t chunk = 0; chunk < c->chunks; chunk++) {
        const int64_t channel = chunk * c->chunk;
        orr_cpu_convolve_gather(c, u.plane, u.row, u.rows, a + channel * c->in_count * size, channels_of(c, chunk),
                                col);
        for (int64_t row = 0; row < u.rows; row += c->block) {
            const int64_t at = row * c->out[2];
            const bool last = u.row + row + c->block >= c->out[ROWS];
            for (int64_t i = 0, d = 0, w; (w = orr_cpu_convolve_panel_width(c, c->part, i)) > 0;
                 i++, d += w * c->vector)
                for (int64_t shift = 0; shift < c->shifts; shift++) {
                    const int64_t to = (shift * c->depth + channel * c->taps) * c->sum_pitch + d;
                    multiply(c->dtype, &c->products[w - 1][last][chunk == c->chunks - 1][!fresh || row > 0],
                             col + (at + shift * c->shift) * size, y_transposed + (at * c->sum_pitch + d) * size,
                             sum + to * size);
                }
        }
    }
}

static void run_scatter(const job *j, int64_t index, char *col) {
    const conv *c = j->c;
    const int64_t size = (int64_t)c->size, units = c->out[0] * c->bands;
    for (int64_t i = index * units; i < (index + 1) * units; i++) {
        const unit u = find_unit(c, i);
        char *to = j->out + in_at(c, &u);
        if (i == index * units) memset(to, 0, (size_t)(c->c * c->in_count * size));
        for (int64_t chunk = 0; chunk < c->chunks; chunk++) {
            const int64_t channel = chunk * c->chunk, channels = channels_of(c, chunk);
            const conv_product p = { .m = channels * c->taps,
                                     .n = u.rows * c->out[2],
                                     .k = c->d,
                                     .ldx = c->depth,
                                     .ldy = c->out_count,
                                     .ldo = c->pitch,
                                     .x_transposed = true };
            multiply(c->dtype, &p, j->second + (u.group * c->d * c->depth + channel * c->taps) * size,
                     j->first + out_at(c, &u), col);
            orr_cpu_convolve_scatter(c, u.plane, u.row, u.rows, col, channels, to + channel * c->in_count * size);
        }
    }
}

/* Tasks are runs of units; for kernel gradients once for each part of d, with a sum. */
static void run_task(void *arg, int64_t task, int worker) {
    const job *j = arg;
    const conv *c = j->c;
    char *col = j->workers + (size_t)worker * c->worker_bytes;
    const int64_t run = task / c->parts, part = task % c->parts;
    const int64_t group_bytes = c->shifts * c->depth * c->sum_pitch * (int64_t)c->size;
    char *sum = j->sums + (size_t)run * c->sum_bytes + part * c->groups * group_bytes;
    if (c->how == METHOD_KERNEL && c->groups > 1) memset(sum, 0, (size_t)(c->groups * group_bytes));
    for (int64_t i = run * c->each; i < least((run + 1) * c->each, orr_cpu_convolve_units(c)); i++) switch (c->how) {
        case METHOD_FORWARD: run_forward(j, i, col); break;
        case METHOD_KERNEL:
            run_kernel(j, i, part, c->groups == 1 && i == run * c->each, col,
                       sum + find_unit(c, i).group * group_bytes);
            break;
        case METHOD_SCATTER: run_scatter(j, i, col); break;
        }
}

/* Sums of runs to the gradient of one channel. */
static void sum_task(void *arg, int64_t task, int worker) {
    (void)worker;
    const job *j = arg;
    const conv *c = j->c;
    const int64_t size = (int64_t)c->size, group = task / c->c, channel = task % c->c;
    for (int64_t part = 0; part < c->parts; part++)
        for (int64_t shift = 0; shift < c->shifts; shift++) {
            const int64_t row = ((part * c->groups + group) * c->shifts + shift) * c->depth + channel * c->taps;
            char *sum = j->sums + row * c->sum_pitch * size;
            for (int64_t run = 1; run < c->runs; run++)
                c->kernels->elementwise[ORR_OP_add][c->dtype][ORR_VV](c->taps * c->sum_pitch, sum,
                                                                      sum + (size_t)run * c->sum_bytes, NULL, sum);
            for (int64_t tap = 0; tap < c->taps; tap++, sum += c->sum_pitch * size) {
                char *to = j->out + (kernel_at(c, group, part * c->part, channel) + window_at(c, shift, tap)) * size;
                if (c->dtype == ORR_F64) unpack_double(c, c->part, (const void *)sum, (void *)to);
                else unpack_float(c, c->part, (const void *)sum, (void *)to);
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
    if (c->samples == 0) return orr_device_ref.kernel[l->code].run(ctx, l);
    job j = { .c = c,
              .first = contiguous(l, c, 0),
              .second = contiguous(l, c, 1),
              .out = l->out.data,
              .weights = (char *)l->workspace + c->weights_at,
              .workers = (char *)l->workspace + c->workers_at,
              .sums = (char *)l->workspace + c->sums_at };
    if (orr_cpu_convolve_is_arranged(c)) orr_parallel(l->pool, c->groups * c->d, arrange_task, &j);
    orr_parallel(l->pool, c->runs * c->parts, run_task, &j);
    if (c->how == METHOD_KERNEL) orr_parallel(l->pool, c->groups * c->c, sum_task, &j);
    return ORR_OK;
}
