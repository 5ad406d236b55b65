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
 * Work is cut by shapes alone; kernel gradients have a sum for each run of bands, added in order.
 *
 *   prepare (convolve_plan.c)     shapes; what is columns; bands, channels at a time, tasks; the code of every product
 *   columns (convolve_columns.c)  a band's windows written as columns, and columns added back
 *   run     (convolve_run.c)      the kernel in the order of products, bands, sums of runs */
#ifndef ORR_DEVICE_CPU_CONVOLVE_PLAN_H
#define ORR_DEVICE_CPU_CONVOLVE_PLAN_H

#include "device/cpu/cpu.h"
#include "simd/generated.h"

enum { SPATIAL = 3, ROWS = 1 }; /* axes of a window; which of them is that of rows */
enum { PANEL = 4 };             /* vectors of a panel */

typedef enum conv_method { METHOD_FORWARD, METHOD_KERNEL, METHOD_SCATTER } conv_method;

/* A product of row-major matrices: out[m, n] = x[m, k] y[k, n], or added to it. */
typedef struct conv_product {
    int64_t m, n, k, ldx, ldy, ldo;
    bool add, x_transposed; /* x is stored k x m */
    orr_code code;          /* or none: OpenBLAS */
} conv_product;

typedef struct conv {
    conv_method how;
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
    int64_t each, runs;                   /* units of a run, see orr_cpu_convolve_units */
    size_t copy_at[2], copy_bytes[2], weights_at, workers_at, worker_bytes, other_at, sums_at, sum_bytes;
    /* by width of the panel; forward: to the tile; gradient: of the last block; by the last chunk; by addition */
    conv_product products[PANEL][2][2][2];
    const orr_cpu_kernels *kernels;
} conv;

static inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
static inline int64_t over(int64_t a, int64_t b) { return (a + b - 1) / b; }
/* `rows`, or as many as there are from `at` on, of all. */
static inline int64_t rows_at(int64_t at, int64_t rows, int64_t all) { return least(rows, all - at); }

/* `n` elements are some vectors, and those panels of about one width, of at most PANEL vectors.  The first panels are
 * a vector wider.  Gives the width of panel i, 0 behind the last. */
static inline int64_t orr_cpu_convolve_panel_width(const conv *c, int64_t n, int64_t i) {
    const int64_t vectors = over(n, c->vector), panels = over(vectors, PANEL);
    if (i >= panels) return 0;
    return vectors / panels + (i < vectors % panels);
}

/* Rows of a plane that the columns of some rows show. */
static inline int64_t orr_cpu_convolve_rows_of_columns(const conv *c, int64_t rows) {
    return rows + (c->shifts - 1) * c->dilation[ROWS];
}

/* A unit is a band of one sample, group and plane; where bands add to the same elements, all of them. */
static inline int64_t orr_cpu_convolve_units(const conv *c) {
    return c->samples * c->groups * (c->how == METHOD_SCATTER ? 1 : c->out[0] * c->bands);
}

/* Whether the kernel's elements stand in another order than products want. */
static inline bool orr_cpu_convolve_is_arranged(const conv *c) {
    return c->how == METHOD_FORWARD && (c->flipped || c->shifts > 1);
}

/* col of n channels. */
void orr_cpu_convolve_gather(const conv *c, int64_t plane, int64_t at, int64_t rows, const char *from, int64_t n,
                             char *col);

/* col added into n channels. */
void orr_cpu_convolve_scatter(const conv *c, int64_t plane, int64_t at, int64_t rows, const char *col, int64_t n,
                              char *to);

#endif
