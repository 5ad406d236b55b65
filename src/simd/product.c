#include "simd/product.h"

#include <cblas.h>
#include <string.h>

#include "simd/simd.h"

enum {
    VECTOR_BYTES = 32,
    PANEL_BYTES = 4 * VECTOR_BYTES,
    LINE = 64,
    DEPTH = 256, /* of a piece, at most: a panel of it is 32 KiB */
    ROWS = 72,
    FEWEST_ROWS = 24,          /* of a block: more read a panel less often */
    BLOCKS = 12,               /* for each thread, where rows are enough: so that threads end together */
    KERNEL_ROWS = 3,           /* that generated code has in registers, beside four vectors of b */
    TRANSPOSED = 8,            /* by 8 columns at once; what is left over takes several times as long */
    LOWER_ROWS = 64,           /* of a block of the lower part, at most */
    GROUP = 8,                 /* panels of a task that copies, at most: lines that follow each other in memory */
    SHARED_ROWS = 64,          /* of a task that copies what is shared: some microseconds */
    AHEAD = 8,                 /* rows: what lies that far is fetched, for rows are too short to be seen as streams */
    SHARED_BYTES = 512 * 1024, /* of what is shared at a time, about */
    ALIASING = 4096            /* rows so far apart share the sets of a cache */
};

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t over(int64_t n, int64_t by) { return (n + by - 1) / by; }
static size_t rounded(size_t n) { return (n + 63) & ~(size_t)63; }

/* The longest part of n that is at most `longest` when `tasks` or a multiple of it share n evenly. */
static int64_t share_of(int64_t n, int64_t longest, int64_t tasks) { return over(n, tasks * over(n, tasks * longest)); }

/* Columns that a panel at `column` has, and the elements between its rows: up to whole vectors. */
static int64_t columns_of(const orr_product *p, int64_t column) { return least(p->width, p->of.n - column); }
static int64_t vectors_of(const orr_product *p, int64_t n) {
    const int64_t vector = VECTOR_BYTES / (int64_t)orr_dtype_size(p->of.dtype);
    return over(n, vector) * vector;
}

/* ---- planning ----------------------------------------------------------------------------------------------------------- */

/* Elements of a shared piece for each row of a or column of b. */
static int64_t stride_of(const orr_product *p) { return p->shares_a ? p->pitch : p->depth; }

static bool generate(orr_product *p) {
    const orr_operands *of = &p->of;
    const int64_t edge = vectors_of(p, p->edge);
    const int64_t last_k = of->k - (over(of->k, p->depth) - 1) * p->depth;
    for (int i = 0; i < 16; i++) {
        const bool at_k = i & 8, at_rows = i & 4, at_edge = i & 2, add = i & 1;
        orr_code_shape s = { .k = at_k ? last_k : p->depth, .add = add };
        s.m = at_rows ? of->m % p->rows : p->rows;
        s.n = at_edge ? edge : p->width;
        s.lda = p->copies_a ? p->pitch : of->lda, s.ldb = s.n;
        s.ldc = at_edge && edge != p->edge ? edge : of->ldc;
        if (s.m == 0 || s.n == 0 || (!at_edge && of->n < p->width)) continue;
        p->code[at_k][at_rows][at_edge][add] = orr_code_generate(of->dtype, &s);
        if (!orr_code_is_there(&p->code[at_k][at_rows][at_edge][add])) return false;
    }
    return true;
}

/* Whole panels, so that no block writes into another's part above the diagonal, where half of its rows are in vain. */
static int64_t rows_of_lower(const orr_product *p) {
    return least(LOWER_ROWS, most(p->of.m / (LOWER_ROWS / 2) / p->width, 1) * p->width);
}

/* Blocks of whole groups of the rows that are transposed together or else multiplied, so many that threads end together. */
static int64_t rows_of_whole(const orr_product *p, int threads) {
    if (p->shares_a) threads = 1;
    const int64_t longest = least(ROWS, most(FEWEST_ROWS, p->of.m / (BLOCKS * threads)));
    const int64_t whole = p->of.a_transposed ? TRANSPOSED : KERNEL_ROWS;
    return over(share_of(p->of.m, longest, threads), whole) * whole;
}

void orr_product_prepare(orr_product *p, const orr_operands *of, orr_product_part part, int threads) {
    const int64_t size = (int64_t)orr_dtype_size(of->dtype);
    *p = (orr_product){ .of = *of };
    p->width = PANEL_BYTES / size, p->edge = of->n % p->width;
    p->depth = share_of(of->k, DEPTH, 1), p->pitch = p->depth + LINE / size;
    p->shares_a = of->m < of->n;
    p->copies_a = of->a_transposed || of->lda * size % ALIASING == 0;
    const bool lower = part == ORR_PRODUCT_LOWER;
    p->rows = lower ? rows_of_lower(p) : rows_of_whole(p, threads);
    p->rows = least(of->m, p->rows);
    const int64_t other = p->shares_a ? of->m : of->n, step = p->shares_a ? p->rows
                                                              : lower     ? over(p->rows, p->width) * p->width
                                                                          : p->width;
    const bool shares = !p->shares_a || p->copies_a;
    /* all of the other side and as many pieces as there is room for, else two pieces */
    const int64_t pieces = over(of->k, p->depth), all = over(other, step) * step,
                  room = SHARED_BYTES / (p->depth * size);
    const int64_t at_once = least(pieces, !shares ? pieces : room >= all ? room / all : 2);
    p->chunk_k = at_once * p->depth;
    p->chunk = !shares ? all : least(all, most(room / at_once / step, 1) * step);
    p->group = share_of(over(of->n, p->width), GROUP, 2 * threads);
    const int64_t panels = p->shares_a ? p->group : 0, blocks = p->copies_a && !p->shares_a ? 1 : 0;
    p->shared_bytes = !shares ? 0 : rounded((size_t)(over(p->chunk_k, p->depth) * p->chunk * stride_of(p) * size));
    p->worker_bytes = rounded((size_t)(p->rows * p->width * size)) +
                      rounded((size_t)(panels * p->width * p->depth * size)) +
                      rounded((size_t)(blocks * p->rows * p->pitch * size));
    p->generated = generate(p);
}

size_t orr_product_workspace(const orr_product *p, int threads) {
    return p->shared_bytes + (size_t)threads * p->worker_bytes;
}

/* ---- copying ------------------------------------------------------------------------------------------------------------ */

/* A chunk: rows of a or columns of b from `first`, and k from k0. */
typedef struct chunk {
    const orr_product *p;
    const char *a, *b; /* of the whole matrices */
    char *c;
    char *shared, *workers;
    int64_t first, n, k0, k;
    bool add;
    orr_product_part part;
    orr_product_done *done;
    const void *self;
} chunk;

/* Rows i0 to i1 of a piece, which begins at k0, of the panels from `column` to `end`: `width` columns each, the edge filled up with
 * zeros.  Row by row of what b is in memory, for the sake of its lines. */
static void copy_panels(const orr_product *p, const char *b, int64_t k0, int64_t i0, int64_t i1, int64_t column,
                        int64_t end, char *to) {
    const orr_operands *of = &p->of;
    const int64_t size = (int64_t)orr_dtype_size(of->dtype), panel = p->width * p->depth * size;
    const int64_t whole = (end - column) / p->width, edge = (end - column) % p->width, pitch = vectors_of(p, edge);
    char *to_edge = to + whole * panel;
    if (edge < pitch) memset(to_edge + i0 * pitch * size, 0, (size_t)((i1 - i0) * pitch * size));
    if (of->b_transposed) {
        for (int64_t j = column; j < end; j += p->width, to += panel) {
            const int64_t n = least(p->width, end - j), step = vectors_of(p, n);
            const char *from = b + (j * of->ldb + k0 + i0) * size;
            char *row = to + i0 * step * size;
            if (of->dtype == ORR_F64)
                orr_simd()->transpose_f64(n, i1 - i0, (const void *)from, of->ldb, (void *)row, step);
            else orr_simd()->transpose_f32(n, i1 - i0, (const void *)from, of->ldb, (void *)row, step);
        }
        return;
    }
    for (int64_t i = i0; i < i1; i++) {
        const char *from = b + ((k0 + i) * of->ldb + column) * size;
        for (int64_t j = 0; j < whole * PANEL_BYTES; j += LINE) __builtin_prefetch(from + AHEAD * of->ldb * size + j);
        for (int64_t j = 0; j < whole; j++)
            memcpy(to + j * panel + i * PANEL_BYTES, from + j * PANEL_BYTES, PANEL_BYTES);
        if (edge) memcpy(to_edge + i * pitch * size, from + whole * PANEL_BYTES, (size_t)(edge * size));
    }
}

/* A block as rows of k elements. */
static void copy_block(const orr_product *p, const char *a, int64_t row, int64_t rows, int64_t k0, int64_t k,
                       char *to) {
    const orr_operands *of = &p->of;
    const int64_t size = (int64_t)orr_dtype_size(of->dtype);
    if (!of->a_transposed) {
        for (int64_t i = 0; i < rows; i++)
            memcpy(to + i * p->pitch * size, a + ((row + i) * of->lda + k0) * size, (size_t)(k * size));
        return;
    }
    const char *from = a + (k0 * of->lda + row) * size;
    if (of->dtype == ORR_F64) orr_simd()->transpose_f64(k, rows, (const void *)from, of->lda, (void *)to, p->pitch);
    else orr_simd()->transpose_f32(k, rows, (const void *)from, of->lda, (void *)to, p->pitch);
}

/* Where the shared copy of a piece begins: pieces of `depth` one after the other, in each the blocks or panels. */
static char *shared_at(const chunk *h, int64_t k, int64_t from_first) {
    const orr_product *p = h->p;
    return h->shared + (k / p->depth * p->chunk + from_first) * stride_of(p) * (int64_t)orr_dtype_size(p->of.dtype);
}

/* Tasks: groups of panels, SHARED_ROWS rows of them. */
static int64_t tasks_of_rows(const chunk *h) { return over(h->k, SHARED_ROWS); }

static void share_panels(void *arg, int64_t task, int worker) {
    const chunk *h = arg;
    const orr_product *p = h->p;
    const int64_t first = task % tasks_of_rows(h) * SHARED_ROWS, end = least(h->k, first + SHARED_ROWS),
                  at = task / tasks_of_rows(h) * GROUP * p->width, until = least(h->n, at + GROUP * p->width);
    (void)worker;
    for (int64_t i = first, piece; i < end; i = piece + p->depth) { /* the part in each piece */
        piece = i / p->depth * p->depth;
        copy_panels(p, h->b, h->k0 + piece, i - piece, least(p->depth, end - piece), h->first + at, h->first + until,
                    shared_at(h, piece, at));
    }
}

static void share_block(void *arg, int64_t task, int worker) {
    const chunk *h = arg;
    const int64_t at = task * h->p->rows, rows = least(h->p->rows, h->n - at);
    (void)worker;
    for (int64_t k = 0; k < h->k; k += h->p->depth) {
        const int64_t depth = least(h->p->depth, h->k - k);
        copy_block(h->p, h->a, h->first + at, rows, h->k0 + k, depth, shared_at(h, k, at));
    }
}

/* ---- multiplying -------------------------------------------------------------------------------------------------------- */

/* One block of rows times one panel, both copied or in place. */
static void multiply_piece(const chunk *h, int64_t k0, int64_t row, int64_t column, const char *a, const char *panel,
                           char *tile) {
    const orr_product *p = h->p;
    const orr_operands *of = &p->of;
    const int64_t size = (int64_t)orr_dtype_size(of->dtype), n = columns_of(p, column), pitch = vectors_of(p, n),
                  rows = least(p->rows, of->m - row);
    const bool add = h->add || k0 > 0;
    const orr_code *code = &p->code[k0 + p->depth >= of->k][rows < p->rows][n < p->width][add];
    char *c = h->c + (row * of->ldc + column) * size;
    if (n == pitch) {
        orr_code_run(code, a, panel, c);
        return;
    }
    for (int64_t i = 0; add && i < rows; i++)
        memcpy(tile + i * pitch * size, c + i * of->ldc * size, (size_t)(n * size));
    orr_code_run(code, a, panel, tile);
    for (int64_t i = 0; i < rows; i++) memcpy(c + i * of->ldc * size, tile + i * pitch * size, (size_t)(n * size));
}

/* A block of rows with the panels of the shared chunk.  The last rows come first: of the lower part they have most. */
static void block_task(void *arg, int64_t task, int worker) {
    const chunk *h = arg;
    const orr_product *p = h->p;
    const int64_t size = (int64_t)orr_dtype_size(p->of.dtype), row = (over(p->of.m, p->rows) - 1 - task) * p->rows,
                  rows = least(p->rows, p->of.m - row),
                  n = h->part == ORR_PRODUCT_LOWER ? least(h->n, row + rows - h->first) : h->n;
    char *tile = h->workers + (size_t)worker * p->worker_bytes,
         *copy = tile + rounded((size_t)(p->rows * p->width * size));
    for (int64_t k = 0; k < h->k && n > 0; k += p->depth) {
        const int64_t depth = least(p->depth, h->k - k), k0 = h->k0 + k;
        if (p->copies_a) copy_block(p, h->a, row, rows, k0, depth, copy);
        const char *a = p->copies_a ? copy : h->a + (row * p->of.lda + k0) * size;
        for (int64_t j = 0; j < n; j += p->width) multiply_piece(h, k0, row, h->first + j, a, shared_at(h, k, j), tile);
    }
    if (h->done && n > 0 && h->k0 + h->k == p->of.k) h->done(h->self, row, rows, h->first, n);
}

/* A group of panels with all rows of the shared chunk. */
static void group_task(void *arg, int64_t task, int worker) {
    const chunk *h = arg;
    const orr_product *p = h->p;
    const int64_t size = (int64_t)orr_dtype_size(p->of.dtype), column = task * p->group * p->width,
                  end = least(p->of.n, column + p->group * p->width);
    char *tile = h->workers + (size_t)worker * p->worker_bytes,
         *copy = tile + rounded((size_t)(p->rows * p->width * size));
    for (int64_t k = 0; k < h->k; k += p->depth) {
        const int64_t depth = least(p->depth, h->k - k), k0 = h->k0 + k;
        copy_panels(p, h->b, k0, 0, depth, column, end, copy);
        for (int64_t i = 0; i < h->n; i += p->rows) {
            const char *a = p->copies_a ? shared_at(h, k, i) : h->a + ((h->first + i) * p->of.lda + k0) * size;
            for (int64_t j = column; j < end; j += p->width)
                multiply_piece(h, k0, h->first + i, j, a, copy + (j - column) * p->depth * size, tile);
        }
    }
}

/* ---- where there is no generated code ------------------------------------------------------------------------------------ */

/* A block of rows, by BLAS, which has one thread. */
static void blas_task(void *arg, int64_t task, int worker) {
    const chunk *h = arg;
    const orr_operands *of = &h->p->of;
    const int64_t size = (int64_t)orr_dtype_size(of->dtype), row = task * h->p->rows;
    const CBLAS_TRANSPOSE ta = of->a_transposed ? CblasTrans : CblasNoTrans,
                          tb = of->b_transposed ? CblasTrans : CblasNoTrans;
    const blasint m = (blasint)least(h->p->rows, of->m - row),
                  n = (blasint)(h->part == ORR_PRODUCT_LOWER ? least(row + m, of->n) : of->n), k = (blasint)of->k,
                  lda = (blasint)of->lda, ldb = (blasint)of->ldb, ldc = (blasint)of->ldc;
    const char *a = h->a + (of->a_transposed ? row : row * of->lda) * size;
    char *c = h->c + row * of->ldc * size;
    (void)worker;
    if (of->dtype == ORR_F64)
        cblas_dgemm(CblasRowMajor, ta, tb, m, n, k, 1.0, (const void *)a, lda, (const void *)h->b, ldb, h->add,
                    (void *)c, ldc);
    else
        cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, 1.0f, (const void *)a, lda, (const void *)h->b, ldb, (float)h->add,
                    (void *)c, ldc);
    if (h->done) h->done(h->self, row, m, 0, n);
}

/* ---- running ------------------------------------------------------------------------------------------------------------- */

static void each(orr_pool *pool, int64_t tasks, orr_task *body, void *arg) {
    if (pool) orr_parallel(pool, tasks, body, arg);
    else
        for (int64_t task = 0; task < tasks; task++) body(arg, task, 0);
}

void orr_product_run(const orr_product *p, orr_pool *pool, orr_product_part part, const void *a, const void *b, void *c,
                     bool add, orr_product_done *done, const void *self, void *workspace) {
    const int64_t all = p->shares_a ? p->of.m : p->of.n;
    chunk h = {
        .p = p, .a = a, .b = b, .c = c, .add = add, .part = part, .done = done, .self = self, .shared = workspace
    };
    h.workers = h.shared + p->shared_bytes;
    if (!p->generated) {
        each(pool, over(p->of.m, p->rows), blas_task, &h);
        return;
    }
    for (h.first = 0; h.first < all; h.first += p->chunk)
        for (h.k0 = 0; h.k0 < p->of.k; h.k0 += p->chunk_k) {
            h.n = least(p->chunk, all - h.first), h.k = least(p->chunk_k, p->of.k - h.k0);
            if (p->shares_a) {
                if (p->copies_a) each(pool, over(h.n, p->rows), share_block, &h);
                each(pool, over(p->of.n, p->group * p->width), group_task, &h);
            } else {
                each(pool, over(h.n, GROUP * p->width) * tasks_of_rows(&h), share_panels, &h);
                each(pool, over(p->of.m, p->rows), block_task, &h);
            }
        }
}
