/* Convolution: what is decided once. */
#include "device/cpu/convolve_plan.h"

#include <cblas.h>

static const double TASK_FLOPS = 2e6;

enum { TASKS_MAX = 64, SUMS_MAX = 16 };                                        /* sums: tasks of a kernel's gradient */
enum { POSITIONS = 256, DEPTH = 128, FEWEST = 24, COLUMN_BYTES = 192 * 1024 }; /* of a block, a product, columns */

static size_t rounded(size_t n) { return (n + 63) & ~(size_t)63; }

/* The three shapes in the trilinear form: a, w, y. */
static void shapes_of(const orr_launch *l, const orr_shape **a, const orr_shape **w, const orr_shape **y) {
    const orr_shape *first = &l->args[0].shape, *second = &l->args[1].shape, *made = &l->out.shape;
    *a = l->code == ORR_OP_convolve_input ? made : first;
    *w = l->code == ORR_OP_convolve_kernel ? made : second;
    *y = l->code == ORR_OP_convolve ? made : l->code == ORR_OP_convolve_input ? first : second;
}

/* The adjoint of a convolution of stride 1 is one of y: the window back to front, channels exchanged. */
static void transpose(conv *c) {
    for (int i = 0; i < SPATIAL; i++) {
        const int64_t in = c->in[i];
        c->in[i] = c->out[i], c->out[i] = in;
        c->low[i] = c->dilation[i] * (c->k[i] - 1) - c->low[i];
    }
    const int64_t channels = c->c;
    c->c = c->d, c->d = channels;
    c->flipped = true;
}

static void plan_extents(conv *c, const orr_launch *l) {
    const orr_convolution *how = &((const orr_attr_convolve *)l->attr)->how;
    const orr_shape *a, *w, *y;
    shapes_of(l, &a, &w, &y);
    c->dtype = l->out.dtype, c->size = orr_dtype_size(c->dtype);
    c->samples = a->size[0], c->groups = how->groups, c->c = a->size[1] / how->groups, c->d = w->size[0] / how->groups;
    bool unit = true;
    for (int i = 0; i < SPATIAL; i++) { /* a single axis is that of rows; what is missing has extent 1 */
        const int32_t rank = a->rank - 2, at = rank == 1 ? i - ROWS : i - (SPATIAL - rank);
        const bool is = at >= 0 && at < rank;
        c->in[i] = is ? a->size[at + 2] : 1, c->out[i] = is ? y->size[at + 2] : 1, c->k[i] = is ? w->size[at + 2] : 1;
        c->stride[i] = is ? how->stride[at] : 1, c->low[i] = is ? how->low[at] : 0;
        c->dilation[i] = is ? how->dilation[at] : 1;
        unit = unit && c->stride[i] == 1;
    }
    c->how = l->code == ORR_OP_convolve_kernel    ? METHOD_KERNEL
             : l->code == ORR_OP_convolve || unit ? METHOD_FORWARD
                                                  : METHOD_SCATTER;
    if (l->code == ORR_OP_convolve_input && unit) transpose(c);
    c->in_count = c->out_count = c->k_count = 1;
    for (int i = 0; i < SPATIAL; i++) c->in_count *= c->in[i], c->out_count *= c->out[i], c->k_count *= c->k[i];
}

static void plan_blocks(conv *c) {
    const int64_t rows = c->out[ROWS], row = c->out[2], size = (int64_t)c->size, line = 64 / size;
    /* Few channels: sums over shifts would be as many passes over the result, for few products each. */
    const bool deep = c->how == METHOD_KERNEL || c->c * c->k_count / c->k[ROWS] >= FEWEST;
    c->shifts = c->how != METHOD_SCATTER && c->stride[ROWS] == 1 && deep ? c->k[ROWS] : 1;
    c->shift = c->dilation[ROWS] * row;
    c->taps = c->k_count / c->shifts, c->depth = c->c * c->taps;
    c->vector = c->how == METHOD_KERNEL ? least(32 / size, c->d) : 32 / size;
    c->block = over(rows, over(rows, most(POSITIONS / row, 1)));
    /* The rows that windows of two bands share are made twice: bands are more than twice as long. */
    const int64_t shared = orr_cpu_convolve_rows_of_columns(c, 1) - 1;
    c->band = least(over(2 * shared + 1, c->block), over(rows, c->block)) * c->block;
    c->bands = over(rows, c->band);
    /* Room for a vector behind the last row; an odd number of lines, or rows of col push each other out of the cache. */
    c->pitch = (over(orr_cpu_convolve_rows_of_columns(c, c->band) * row + c->vector, line) | 1) * line;
    c->chunk = least(DEPTH, most(COLUMN_BYTES / (c->pitch * size), FEWEST)) / c->taps;
    c->chunks = over(c->c, most(c->chunk, 1));
    c->chunk = over(c->c, c->chunks), c->chunks = over(c->c, c->chunk);
}

static void plan_tasks(conv *c) {
    const double flops = 2.0 * (double)(c->samples * c->groups * c->c * c->d) * (double)(c->out_count * c->k_count);
    c->parts = c->how == METHOD_KERNEL && c->d >= 2 * PANEL * c->vector && c->d % (2 * c->vector) == 0 ? 2 : 1;
    c->part = c->d / c->parts, c->sum_pitch = over(c->part, c->vector) * c->vector;
    int64_t tasks = 1; /* a power of two is shared out evenly by as many threads */
    while (tasks < (c->how == METHOD_KERNEL ? SUMS_MAX : TASKS_MAX) && flops / (double)tasks >= 2 * TASK_FLOPS)
        tasks *= 2;
    const int64_t units = orr_cpu_convolve_units(c);
    c->each = over(units, most(tasks / c->parts, 1));
    c->runs = over(units, c->each);
}

static conv_product product_of(const conv *c, int64_t width, int64_t positions, int64_t channels, bool tile, bool add) {
    conv_product p = { .n = width, .add = add };
    if (c->how == METHOD_FORWARD) { /* [d, depth] [depth, positions] */
        p.m = c->d, p.k = channels * c->taps;
        p.ldx = c->depth, p.ldy = c->pitch, p.ldo = tile ? PANEL * c->vector : c->out_count;
    } else { /* [depth, positions] [positions, d] */
        p.m = channels * c->taps, p.k = positions;
        p.ldx = c->pitch, p.ldy = p.ldo = c->sum_pitch;
    }
    const orr_code_shape shape = { .m = p.m, .n = p.n, .k = p.k, .lda = p.ldx, .ldb = p.ldy, .ldc = p.ldo, .add = add };
    p.code = orr_code_generate(c->dtype, &shape);
    return p;
}

/* Every product that a run will meet. */
static void plan_products(conv *c) {
    if (c->how == METHOD_SCATTER) return;
    const bool forward = c->how == METHOD_FORWARD;
    const int64_t rows = c->out[ROWS], step = forward ? c->band : c->block, last = (rows - 1) / step * step;
    for (int at_last = 0; at_last < 2; at_last++) {
        const int64_t positions = rows_at(at_last ? last : 0, step, rows) * c->out[2];
        const int64_t n = forward ? positions : c->part;
        for (int64_t i = 0, x = 0, w; (w = orr_cpu_convolve_panel_width(c, n, i)) > 0; i++, x += w * c->vector)
            for (int chunk_last = 0; chunk_last < 2; chunk_last++)
                for (int add = 0; add < 2; add++) {
                    const bool second = forward ? x + w * c->vector > n : at_last;
                    const int64_t channels = chunk_last ? c->c - (c->chunks - 1) * c->chunk : c->chunk;
                    if (!chunk_last && c->chunks == 1) continue;
                    conv_product *p = &c->products[w - 1][second][chunk_last][add];
                    if (p->m == 0) *p = product_of(c, w * c->vector, positions, channels, second, add);
                }
    }
}

orr_status orr_cpu_convolve_prepare(orr_context *ctx, orr_arena *arena, const orr_launch *l, void **plan,
                                    size_t *workspace) {
    conv *c = ORR_NEW(arena, conv, 1);
    if (!c) return orr_fail(ctx, ORR_ENOMEM, "convolution: no memory for its plan");
    *plan = c;
    *workspace = 0;
    if (orr_shape_count(&l->out.shape) == 0 || orr_shape_count(&l->args[0].shape) == 0 ||
        orr_shape_count(&l->args[1].shape) == 0)
        return ORR_OK;
    openblas_set_num_threads(1); /* tasks are ours */
    c->kernels = orr_cpu_kernels_choose();
    plan_extents(c, l);
    plan_blocks(c);
    plan_tasks(c);
    plan_products(c);
    size_t at = 0;
    for (int i = 0; i < 2; i++) {
        if (orr_view_is_contiguous(&l->args[i])) continue;
        c->copy_at[i] = at, c->copy_bytes[i] = (size_t)orr_shape_count(&l->args[i].shape) * c->size;
        at += rounded(c->copy_bytes[i]);
    }
    c->weights_at = at;
    if (orr_cpu_convolve_is_arranged(c)) at += rounded((size_t)(c->groups * c->shifts * c->d * c->depth) * c->size);
    c->workers_at = at;
    c->other_at = rounded((size_t)(c->chunk * c->taps * c->pitch) * c->size);
    const int64_t other = c->how == METHOD_FORWARD  ? c->d * PANEL * c->vector
                          : c->how == METHOD_KERNEL ? c->band * c->out[2] * c->sum_pitch
                                                    : 0;
    c->worker_bytes = c->other_at + rounded((size_t)other * c->size);
    at += (size_t)orr_context_threads(ctx) * c->worker_bytes;
    c->sums_at = at;
    c->sum_bytes = rounded((size_t)(c->parts * c->groups * c->shifts * c->depth * c->sum_pitch) * c->size);
    if (c->how == METHOD_KERNEL) at += (size_t)c->runs * c->sum_bytes;
    *workspace = at;
    return ORR_OK;
}
