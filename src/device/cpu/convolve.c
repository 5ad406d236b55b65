/* Convolution and its adjoints on the CPU, as products of matrices.
 *
 *     y[d, x] = sum over c, k of  w[d, c, k] a[c, s x + r k - low]
 *
 * Windows are written as columns, but not along the axis of rows (the last but one): where its stride is 1, a step of
 * the window along it is a step of whole rows, the same matrix read from further on,
 *
 *     y = sum over taps t of rows  W_t col[., x + t r row],     col[(c, k without t), x]
 *
 * so that columns are a third of what they would be for a window of 3 x 3.  They are made for a band of rows and some
 * channels at a time, which stay in the second-level cache, and multiplied by code that libxsmm generates for a panel of
 * four vectors, which stays in the first.
 *
 *   convolve         columns of a
 *   convolve_input   stride 1: columns of y, by the transposed kernel back to front; else w' y, scattered to a
 *   convolve_kernel  y times columns of a, summed over positions and samples
 *
 * Work is cut by shapes alone; kernel gradients have a sum for each run of bands, added in order. */
#include "device/cpu/cpu.h"

#include <cblas.h>
#include <dnnl.h>
#include <libxsmm.h>
#include <string.h>

static const double TASK_FLOPS = 2e6;

extern void omp_set_num_threads(int n);

enum { SPATIAL = 3, ROWS = 1, TASKS_MAX = 64, SUMS_MAX = 16 };                 /* sums: tasks of a kernel's gradient */
enum { PANEL = 4 };                                                            /* vectors of a panel */
enum { POSITIONS = 256, DEPTH = 128, FEWEST = 24, COLUMN_BYTES = 192 * 1024 }; /* of a block, a product, columns */

typedef enum method { METHOD_FORWARD, METHOD_KERNEL, METHOD_SCATTER } method;

/* A product of row-major matrices: out[m, n] = x[m, k] y[k, n], or added to it. */
typedef struct product {
    int64_t m, n, k, ldx, ldy, ldo;
    bool add, x_transposed;  /* x is stored k x m */
    libxsmm_smmfunction f32; /* NULL: oneDNN, OpenBLAS */
    libxsmm_dmmfunction f64;
} product;

typedef struct conv {
    method how;
    orr_dtype dtype;
    size_t size;
    int64_t samples, groups, c, d; /* channels of one group: of what has windows, and of the other array */
    int64_t in[SPATIAL], out[SPATIAL], k[SPATIAL], stride[SPATIAL], low[SPATIAL], dilation[SPATIAL];
    bool flipped;                         /* the kernel is read back to front, its channels exchanged */
    int64_t in_count, out_count, k_count; /* products of the three */
    int64_t shifts, shift;                /* taps that are no columns, and the elements from one to the next */
    int64_t taps, depth;                  /* rows of col for a channel, and for all */
    int64_t chunk, chunks;                /* channels of one col */
    int64_t block, band, bands;           /* rows of a block of positions and of a band; bands of a plane */
    int64_t pitch;                        /* of a row of col */
    int64_t vector;                       /* elements that a panel's width is counted in */
    int64_t parts, part, sum_pitch;       /* kernel gradients: d in so many parts, of so many, rounded up to vectors */
    int64_t each, runs;                   /* units of a run, see units_of */
    size_t copy_at[2], copy_bytes[2], weights_at, workers_at, worker_bytes, other_at, sums_at, sum_bytes;
    /* by width of the panel; forward: to the tile; gradient: of the last block; by the last chunk; by addition */
    product products[PANEL][2][2][2];
    const orr_cpu_kernels *kernels;
} conv;

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t over(int64_t a, int64_t b) { return (a + b - 1) / b; }
static size_t rounded(size_t n) { return (n + 63) & ~(size_t)63; }

/* ---- products -------------------------------------------------------------------------------------------------- */

static void generate(orr_dtype dtype, product *p) {
    /* libxsmm is column-major: out' = y' x' */
    const int m = (int)p->n, n = (int)p->m, k = (int)p->k, lda = (int)p->ldy, ldb = (int)p->ldx, ldc = (int)p->ldo;
    const int flags = LIBXSMM_GEMM_FLAG_NONE;
    if (dtype == ORR_F64) {
        const double alpha = 1, beta = p->add;
        p->f64 = libxsmm_dmmdispatch(m, n, k, &lda, &ldb, &ldc, &alpha, &beta, &flags, NULL);
    } else {
        const float alpha = 1, beta = p->add;
        p->f32 = libxsmm_smmdispatch(m, n, k, &lda, &ldb, &ldc, &alpha, &beta, &flags, NULL);
    }
}

static void multiply(orr_dtype dtype, const product *p, const void *x, const void *y, void *out) {
    if (p->f64) {
        p->f64(y, x, out);
    } else if (p->f32) {
        p->f32(y, x, out);
    } else if (dtype == ORR_F64) {
        cblas_dgemm(CblasRowMajor, p->x_transposed ? CblasTrans : CblasNoTrans, CblasNoTrans, (blasint)p->m,
                    (blasint)p->n, (blasint)p->k, 1.0, x, (blasint)p->ldx, y, (blasint)p->ldy, p->add, out,
                    (blasint)p->ldo);
    } else {
        omp_set_num_threads(1);
        (void)dnnl_sgemm(p->x_transposed ? 'T' : 'N', 'N', p->m, p->n, p->k, 1.0f, x, p->ldx, y, p->ldy,
                         p->add ? 1.0f : 0.0f, out, p->ldo);
    }
}

/* `n` elements are some vectors, and those panels of about one width, of at most PANEL vectors.  The first panels are
 * a vector wider.  Gives the width of panel i, 0 behind the last. */
static int64_t panel_width(const conv *c, int64_t n, int64_t i) {
    const int64_t vectors = over(n, c->vector), panels = over(vectors, PANEL);
    if (i >= panels) return 0;
    return vectors / panels + (i < vectors % panels);
}

/* ---- plan ------------------------------------------------------------------------------------------------------ */

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

/* Rows of a plane that the columns of some rows show. */
static int64_t rows_of_columns(const conv *c, int64_t rows) { return rows + (c->shifts - 1) * c->dilation[ROWS]; }

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
    const int64_t shared = rows_of_columns(c, 1) - 1;
    c->band = least(over(2 * shared + 1, c->block), over(rows, c->block)) * c->block;
    c->bands = over(rows, c->band);
    /* Room for a vector behind the last row; an odd number of lines, or rows of col push each other out of the cache. */
    c->pitch = (over(rows_of_columns(c, c->band) * row + c->vector, line) | 1) * line;
    c->chunk = least(DEPTH, most(COLUMN_BYTES / (c->pitch * size), FEWEST)) / c->taps;
    c->chunks = over(c->c, most(c->chunk, 1));
    c->chunk = over(c->c, c->chunks), c->chunks = over(c->c, c->chunk);
}

/* A unit is a band of one sample, group and plane; where bands add to the same elements, all of them. */
static int64_t units_of(const conv *c) {
    return c->samples * c->groups * (c->how == METHOD_SCATTER ? 1 : c->out[0] * c->bands);
}

static void plan_tasks(conv *c) {
    const double flops = 2.0 * (double)(c->samples * c->groups * c->c * c->d) * (double)(c->out_count * c->k_count);
    c->parts = c->how == METHOD_KERNEL && c->d >= 2 * PANEL * c->vector && c->d % (2 * c->vector) == 0 ? 2 : 1;
    c->part = c->d / c->parts, c->sum_pitch = over(c->part, c->vector) * c->vector;
    int64_t tasks = 1; /* a power of two is shared out evenly by as many threads */
    while (tasks < (c->how == METHOD_KERNEL ? SUMS_MAX : TASKS_MAX) && flops / (double)tasks >= 2 * TASK_FLOPS)
        tasks *= 2;
    const int64_t units = units_of(c);
    c->each = over(units, most(tasks / c->parts, 1));
    c->runs = over(units, c->each);
}

static int64_t rows_at(int64_t at, int64_t rows, int64_t all) { return least(rows, all - at); }

static product product_of(const conv *c, int64_t width, int64_t positions, int64_t channels, bool tile, bool add) {
    product p = { .n = width, .add = add };
    if (c->how == METHOD_FORWARD) { /* [d, depth] [depth, positions] */
        p.m = c->d, p.k = channels * c->taps;
        p.ldx = c->depth, p.ldy = c->pitch, p.ldo = tile ? PANEL * c->vector : c->out_count;
    } else { /* [depth, positions] [positions, d] */
        p.m = channels * c->taps, p.k = positions;
        p.ldx = c->pitch, p.ldy = p.ldo = c->sum_pitch;
    }
    generate(c->dtype, &p);
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
        for (int64_t i = 0, x = 0, w; (w = panel_width(c, n, i)) > 0; i++, x += w * c->vector)
            for (int chunk_last = 0; chunk_last < 2; chunk_last++)
                for (int add = 0; add < 2; add++) {
                    const bool second = forward ? x + w * c->vector > n : at_last;
                    const int64_t channels = chunk_last ? c->c - (c->chunks - 1) * c->chunk : c->chunk;
                    if (!chunk_last && c->chunks == 1) continue;
                    product *p = &c->products[w - 1][second][chunk_last][add];
                    if (p->m == 0) *p = product_of(c, w * c->vector, positions, channels, second, add);
                }
    }
}

/* Whether the kernel's elements stand in another order than products want. */
static bool is_arranged(const conv *c) { return c->how == METHOD_FORWARD && (c->flipped || c->shifts > 1); }

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
    if (is_arranged(c)) at += rounded((size_t)(c->groups * c->shifts * c->d * c->depth) * c->size);
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

/* ---- columns --------------------------------------------------------------------------------------------------- */

/* A row of col, for a band of rows: those and the x whose element lies inside, and where the first would lie. */
typedef struct row_of_columns {
    int64_t rows, first, end, x_first, x_end, at;
} row_of_columns;

/* i from `first` to `end`, of n, have an element s i + shift of `all`. */
static void inside(int64_t n, int64_t s, int64_t shift, int64_t all, int64_t *first, int64_t *end) {
    *first = shift >= 0 ? 0 : least(over(-shift, s), n);
    *end = shift >= all ? 0 : least((all - 1 - shift) / s + 1, n);
    if (*end < *first) *end = *first;
}

static row_of_columns find_row(const conv *c, int64_t tap, int64_t plane, int64_t row, int64_t rows) {
    int64_t shift[SPATIAL] = { plane * c->stride[0] - c->low[0], row * c->stride[ROWS] - c->low[ROWS], -c->low[2] };
    for (int i = SPATIAL - 1; i >= 0; i--) {
        if (i == ROWS && c->shifts > 1) continue;
        shift[i] += tap % c->k[i] * c->dilation[i];
        tap /= c->k[i];
    }
    row_of_columns r = { .rows = rows, .at = (shift[0] * c->in[ROWS] + shift[ROWS]) * c->in[2] + shift[2] };
    inside(rows, c->stride[ROWS], shift[ROWS], c->in[ROWS], &r.first, &r.end);
    inside(c->out[2], c->stride[2], shift[2], c->in[2], &r.x_first, &r.x_end);
    if (shift[0] < 0 || shift[0] >= c->in[0] || r.x_first == r.x_end) r.first = r.end = 0;
    return r;
}

#define COLUMNS(TYPE)                                                                                                  \
    static void gather_##TYPE(const conv *c, const row_of_columns *r, const TYPE *channel, TYPE *col) {                \
        const int64_t row = c->out[2], step = c->stride[ROWS] * c->in[2], s = c->stride[2], end = r->end * row;        \
        const int64_t n = r->x_end - r->x_first, at = r->first * row + r->x_first;                                     \
        const TYPE *from = channel + r->at + r->first * step + r->x_first * s;                                         \
        if (r->first > 0) memset(col, 0, (size_t)(r->first * row) * sizeof *col);                                      \
        if (r->rows > r->end) memset(col + end, 0, (size_t)(r->rows * row - end) * sizeof *col);                       \
        if (r->first == r->end) return;                                                                                \
        if (s == 1 && step == row) /* one row lies behind the other here as there */                                   \
            memcpy(col + at, from, (size_t)(end - row + r->x_end - at) * sizeof *col);                                 \
        else if (s == 1)                                                                                               \
            for (TYPE *to = col + at; to < col + end; to += row, from += step)                                         \
                memcpy(to, from, (size_t)n * sizeof *to);                                                              \
        else                                                                                                           \
            for (TYPE *to = col + at; to < col + end; to += row, from += step)                                         \
                for (int64_t x = 0; x < n; x++) to[x] = from[x * s];                                                   \
        for (int64_t x = 0; x < r->x_first; x++)                                                                       \
            for (int64_t i = r->first * row + x; i < end; i += row) col[i] = 0;                                        \
        for (int64_t x = r->x_end; x < row; x++)                                                                       \
            for (int64_t i = r->first * row + x; i < end; i += row) col[i] = 0;                                        \
    }                                                                                                                  \
    static void scatter_##TYPE(const conv *c, const row_of_columns *r, const TYPE *col, TYPE *channel) {               \
        const int64_t row = c->out[2], step = c->stride[ROWS] * c->in[2], s = c->stride[2];                            \
        for (int64_t y = r->first; y < r->end; y++) {                                                                  \
            const TYPE *from = col + y * row;                                                                          \
            TYPE *to = channel + r->at + y * step;                                                                     \
            for (int64_t x = r->x_first; x < r->x_end; x++) to[x * s] += from[x];                                      \
        }                                                                                                              \
    }
COLUMNS(float)
COLUMNS(double)

/* col of n channels. */
static void gather(const conv *c, int64_t plane, int64_t at, int64_t rows, const char *from, int64_t n, char *col) {
    const size_t channel = (size_t)c->in_count * c->size, pitch = (size_t)c->pitch * c->size;
    for (int64_t tap = 0; tap < c->taps; tap++) {
        const row_of_columns r = find_row(c, tap, plane, at, rows_of_columns(c, rows));
        for (int64_t i = 0; i < n; i++) {
            const void *a = from + (size_t)i * channel;
            void *row = col + (size_t)(i * c->taps + tap) * pitch;
            if (c->dtype == ORR_F64) gather_double(c, &r, a, row);
            else gather_float(c, &r, a, row);
        }
    }
}

/* col added into n channels. */
static void scatter(const conv *c, int64_t plane, int64_t at, int64_t rows, const char *col, int64_t n, char *to) {
    const size_t channel = (size_t)c->in_count * c->size, pitch = (size_t)c->pitch * c->size;
    for (int64_t tap = 0; tap < c->taps; tap++) {
        const row_of_columns r = find_row(c, tap, plane, at, rows);
        for (int64_t i = 0; i < n; i++) {
            void *a = to + (size_t)i * channel;
            const void *row = col + (size_t)(i * c->taps + tap) * pitch;
            if (c->dtype == ORR_F64) scatter_double(c, &r, row, a);
            else scatter_float(c, &r, row, a);
        }
    }
}

/* ---- run ------------------------------------------------------------------------------------------------------- */

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
    const char *from = j->first + in_at(c, &u), *kernel = is_arranged(c) ? j->weights : j->second;
    char *to = j->out + out_at(c, &u), *tile = col + c->other_at;
    int64_t behind = 0; /* positions in the tile: a last panel that isn't whole vectors */
    for (int64_t chunk = 0; chunk < c->chunks; chunk++) {
        const int64_t channel = chunk * c->chunk, channels = channels_of(c, chunk);
        gather(c, u.plane, u.row, u.rows, from + channel * c->in_count * size, channels, col);
        for (int64_t i = 0, x = 0, w; (w = panel_width(c, n, i)) > 0; i++, x += w * c->vector) {
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
    if (c->dtype == ORR_F64) c->kernels->transpose_f64(c->part, positions, y, c->out_count, (void *)out);
    else c->kernels->transpose_f32(c->part, positions, y, c->out_count, (void *)out);
    const size_t row = (size_t)c->part * c->size, pitch = (size_t)c->sum_pitch * c->size;
    for (int64_t i = positions - 1; row < pitch && i > 0; i--)
        memmove(out + (size_t)i * pitch, out + (size_t)i * row, row);
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
        gather(c, u.plane, u.row, u.rows, a + channel * c->in_count * size, channels_of(c, chunk), col);
        for (int64_t row = 0; row < u.rows; row += c->block) {
            const int64_t at = row * c->out[2];
            const bool last = u.row + row + c->block >= c->out[ROWS];
            for (int64_t i = 0, d = 0, w; (w = panel_width(c, c->part, i)) > 0; i++, d += w * c->vector)
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
            const product p = { .m = channels * c->taps,
                                .n = u.rows * c->out[2],
                                .k = c->d,
                                .ldx = c->depth,
                                .ldy = c->out_count,
                                .ldo = c->pitch,
                                .x_transposed = true };
            multiply(c->dtype, &p, j->second + (u.group * c->d * c->depth + channel * c->taps) * size,
                     j->first + out_at(c, &u), col);
            scatter(c, u.plane, u.row, u.rows, col, channels, to + channel * c->in_count * size);
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
    for (int64_t i = run * c->each; i < least((run + 1) * c->each, units_of(c)); i++) switch (c->how) {
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
    if (is_arranged(c)) orr_parallel(l->pool, c->groups * c->d, arrange_task, &j);
    orr_parallel(l->pool, c->runs * c->parts, run_task, &j);
    if (c->how == METHOD_KERNEL) orr_parallel(l->pool, c->groups * c->c, sum_task, &j);
    return ORR_OK;
}
