/* The empirical neural tangent kernel over the first N = `examples` training examples, traced over outputs:
 *
 *     K_ij = sum_c sum_p df_c(x_i)/dw_p df_c(x_j)/dw_p
 *
 *     ntk_trace       tr K
 *     ntk_drift       |K - K_0|_F / |K_0|_F, K_0 that of the initial network
 *     ntk_alignment   <Kc, Yc> / (|Kc|_F |Yc|_F), Y = y y' of the targets (one-hot where they are labels); c: centred, H K H with
 *                     H = 1 - 11'/N (Cortes, Mohri, Rostamizadeh 2012).  Left out where data have no targets
 *     ntk             the array [N, N], with `gram: true`
 *
 * With `layers: true` the first three and the array also of each tensor's part, p in that tensor alone, as ntk_trace.NAME and so on:
 * the parts sum to K.
 *
 * w are the trained parameters as they are stored, before the parameterization's multipliers.
 *
 * Cost: one backward pass an output over those examples and N^2 inner products of derivatives.  The Jacobian of one output at a time is
 * held; where it doesn't fit into `memory`, that of two blocks of examples at a time, for each pair of blocks.  Blocks are as large as
 * the bound allows, so that derivatives, made anew for each pair, cost little beside the products.  K, K_0 stand beside that. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/context.h"
#include "base/parallel.h"
#include "instrument/probe.h"
#include "simd/simd.h"

static const orr_parameter parameters[] = {
    ORR_INSTRUMENT_SCHEDULE("100"),
    { "examples", ORR_INT, .fallback = "64", .range = "[2, 20000]", .help = "the first ones, at most all" },
    { "memory", ORR_INT, .fallback = "512", .range = "[1, 1000000]", .unit = "MiB",
      .help = "at most, for derivatives of blocks of examples" },
    { "layers", ORR_FLAG, .fallback = "false", .help = "the part of each parameter tensor too" },
    { "gram", ORR_FLAG, .fallback = "false", .help = "record the whole matrix as an array" },
    { 0 },
};

typedef struct state {
    orr_probe probe;     /* a block of examples with itself */
    orr_program *across; /* two blocks, on the same graph; NULL where one holds all */
    orr_probe_examples examples[2];
    int64_t n, block, classes, targets;
    const orr_subject *subject; /* while it is opened */
    bool gram;
    orr_dtype target_type;
    const void *target;
    const char *const *name; /* of each tensor */
    int64_t kernels;         /* 1: of all tensors together; behind it, with `layers`, of each */
    orr_node *kernel[2];     /* of a block with itself; of two */
    const void *x;
    size_t x_bytes, target_bytes; /* of one example */
    double *k;                    /* [kernels, n, n] */
    double *tile;                 /* [block, block]; NULL where one holds all */
    double *targets_of_row;       /* [threads, n]: a row of Y each */
    struct row *row;              /* [n] */
} state;

/* Sums over a row. */
typedef struct row {
    double trace, drift, first; /* k_ii; of (k - k_0)^2; of k_0^2 */
    double k, y;                /* means of K and Y */
    double ky, kk, yy;          /* up to the diagonal, of centred entries, for all of the matrix */
} row;

static int64_t kernels_of(const orr_settings *s, const orr_subject *subject) {
    return orr_flag(s, "layers") ? 1 + subject->n_tensors : 1;
}

static void close_program(state *s) {
    orr_program_free(s->across);
    s->across = NULL;
    orr_probe_end(&s->probe);
}

static void close_ntk(void *self) {
    state *s = self;
    if (!s) return;
    orr_context *ctx = s->probe.ctx;
    close_program(s);
    orr_release(ctx, s->k);
    orr_release(ctx, s);
}

/* K between two blocks of examples, which may be the same, one output's Jacobians J_c [block, parameters] at a time:
 * K = sum_c J_c J_c'. */
static orr_status build_kernel(state *s, orr_node flat, int64_t outputs, bool across) {
    const int32_t n = (int32_t)s->subject->n_tensors;
    orr_probe *p = &s->probe;
    orr_node *g = ORR_NEW(p->arena, orr_node, n), *a = ORR_NEW(p->arena, orr_node, n),
             *b = ORR_NEW(p->arena, orr_node, n), *k = ORR_NEW(p->arena, orr_node, s->kernels);
    if (!g || !a || !b || !k) return orr_fail(p->ctx, ORR_ENOMEM, "ntk: out of memory");
    for (int64_t i = 0; i < s->kernels; i++) k[i] = orr_fill(p->g, p->dtype, ORR_SHAPE(s->block, s->block), 0.0);
    for (int64_t c = 0; c < outputs; c++) {
        orr_grad(p->g, orr_sum_all(p->g, orr_slice(p->g, flat, 0, c, c + 1, 1)), p->graph.parameter, n, g);
        orr_probe_map(p, &s->examples[0], g, n, a);
        orr_probe_map(p, &s->examples[across], g, n, b);
        for (int32_t t = 0; t < n; t++) {
            const orr_shape rows = ORR_SHAPE(s->block, -1);
            const orr_node part =
                orr_einsum(p->g, "ip,jp->ij", orr_reshape(p->g, a[t], rows), orr_reshape(p->g, b[t], rows));
            k[0] = orr_add(p->g, k[0], part);
            if (s->kernels > 1) k[t + 1] = orr_add(p->g, k[t + 1], part);
        }
    }
    s->kernel[across] = k;
    return ORR_OK;
}

/* The programs for blocks of s->block examples, and what they hold at a time. */
static orr_status build_blocks(orr_context *ctx, state *s, int64_t *bytes) {
    orr_probe *p = &s->probe;
    const bool several = s->block < s->n;
    orr_node flat;
    int64_t outputs;
    ORR_TRY(ctx, orr_probe_begin_examples(ctx, s->subject, s->block, p, &s->examples[0]));
    s->examples[1] = s->examples[0];
    const int32_t inputs = s->examples[0].n_inputs;
    assert(inputs <= 2);
    for (int32_t i = 0; several && i < inputs; i++) {
        static const char *const names[] = { "others.x", "others.target" };
        const orr_node one = s->examples[0].many[i];
        s->examples[1].many[i] = orr_input(p->g, names[i], orr_node_dtype(p->g, one), orr_node_shape(p->g, one));
    }
    if (several) p->example[0].memory = p->example[1].memory = NULL; /* blocks are copied in */
    ORR_TRY(ctx, orr_probe_outputs(p, "ntk", &flat, &outputs));
    ORR_TRY(ctx, build_kernel(s, flat, outputs, false));
    ORR_TRY(ctx, orr_probe_compile(p, s->kernel[0], (int32_t)s->kernels));
    if (several) {
        ORR_TRY(ctx, build_kernel(s, flat, outputs, true));
        const orr_compile_options options = { .outputs = s->kernel[1], .n_outputs = (int32_t)s->kernels };
        ORR_TRY(ctx, orr_compile(ctx, p->g, &options, &s->across));
        ORR_TRY(ctx, orr_subject_attach(ctx, &p->graph, s->across));
    }
    const orr_cost cost = orr_program_cost(several ? s->across : p->program);
    *bytes = cost.peak_bytes + cost.workspace_bytes;
    return ORR_OK;
}

/* Blocks of one size that cover n; the last may overlap the one before it. */
static int64_t evenly(int64_t n, int64_t most) {
    const int64_t blocks = (n + most - 1) / most;
    return (n + blocks - 1) / blocks;
}

/* As large as the bound allows: guessed from the Jacobian's size, then made smaller until what was compiled fits. */
static orr_status choose_block(orr_context *ctx, state *s, int64_t bound) {
    const int64_t bytes_of_row = s->subject->n * (int64_t)orr_dtype_size(s->subject->dtype);
    int64_t most = bound / bytes_of_row >= s->n ? s->n : bound / (2 * bytes_of_row), bytes = 0;
    for (;; most = s->block / 2) {
        s->block = evenly(s->n, most > 1 ? most : 1);
        ORR_TRY(ctx, build_blocks(ctx, s, &bytes));
        if (bytes <= bound) return ORR_OK;
        if (s->block == 1)
            return orr_fail(ctx, ORR_EINPUT, "ntk: derivatives of two examples need %lld MiB, more than `memory`",
                            (long long)((bytes >> 20) + 1));
        close_program(s);
    }
}

static orr_status prepare(orr_context *ctx, state *s, const orr_settings *settings) {
    ORR_TRY(ctx, choose_block(ctx, s, orr_int(settings, "memory") << 20));
    orr_arena *arena = s->probe.arena;
    /* by itself: an arena would fill it with zeros first */
    s->k = orr_allocate(ctx, (size_t)(s->kernels * s->n * s->n) * sizeof *s->k);
    s->tile = s->across ? ORR_NEW(arena, double, s->block * s->block) : NULL;
    s->targets_of_row = ORR_NEW(arena, double, orr_context_threads(ctx) * s->n);
    s->row = ORR_NEW(arena, row, s->n);
    s->subject = NULL;
    if (s->k && (s->tile || !s->across) && s->targets_of_row && s->row) return ORR_OK;
    return orr_fail(ctx, ORR_ENOMEM, "ntk: no memory for %lld examples", (long long)s->n);
}

static orr_status open_ntk(orr_context *ctx, const orr_settings *settings, const orr_subject *subject, void **out) {
    state *s = orr_allocate(ctx, sizeof *s);
    *out = NULL;
    if (!s) return orr_fail(ctx, ORR_ENOMEM, "ntk: out of memory");
    *s = (state){ .probe = { .ctx = ctx },
                  .subject = subject,
                  .n = orr_probe_examples_of(settings, subject),
                  .classes = subject->classes,
                  .targets = orr_shape_count(&subject->target_of_one),
                  .name = subject->name,
                  .kernels = kernels_of(settings, subject),
                  .gram = orr_flag(settings, "gram"),
                  .target_type = subject->target_type,
                  .x = subject->x,
                  .target = subject->target,
                  .x_bytes = (size_t)orr_shape_count(&subject->input) * orr_dtype_size(subject->x_type),
                  .target_bytes =
                      (size_t)orr_shape_count(&subject->target_of_one) * orr_dtype_size(subject->target_type) };
    const orr_status status = prepare(ctx, s, settings);
    if (status == ORR_OK) *out = s;
    else close_ntk(s);
    return status;
}

/* ---- the Gram -------------------------------------------------------------------------------------------------------- */

static void put_block(state *s, orr_program *program, const orr_probe_examples *e, int64_t first) {
    void *x = orr_program_data(program, e->many[0]),
         *target = e->n_inputs > 1 ? orr_program_data(program, e->many[1]) : NULL;
    if (x) memcpy(x, (const char *)s->x + (size_t)first * s->x_bytes, (size_t)s->block * s->x_bytes);
    if (target)
        memcpy(target, (const char *)s->target + (size_t)first * s->target_bytes, (size_t)s->block * s->target_bytes);
}

enum { BAND = 64 }; /* rows of a task */

/* What a program computed, on its way into K: rows `first`, columns `other`. */
typedef struct tile {
    const state *s;
    const void *values; /* [block, block], in the network's type */
    double *k;
    int64_t first, other;
} tile;

static int64_t end_of_band(int64_t band, int64_t n) { return (band + 1) * BAND < n ? (band + 1) * BAND : n; }

static void put_rows(void *arg, int64_t band, int worker) {
    const tile *t = arg;
    const state *s = t->s;
    const int64_t n = s->block, size = (int64_t)orr_dtype_size(s->probe.dtype);
    (void)worker;
    for (int64_t i = band * BAND; i < end_of_band(band, n); i++) {
        double *to = t->k + (t->first + i) * s->n + t->other;
        orr_probe_widen(s->probe.dtype, (const char *)t->values + i * n * size, n, to);
        if (t->first != t->other) memcpy(s->tile + i * n, to, (size_t)n * sizeof *to);
    }
}

static void put_columns(void *arg, int64_t band, int worker) {
    const tile *t = arg;
    const state *s = t->s;
    const int64_t i = band * BAND, rows = end_of_band(band, s->block) - i;
    (void)worker;
    orr_simd()->transpose_f64(rows, s->block, s->tile + i * s->block, s->block, t->k + t->other * s->n + t->first + i,
                              s->n);
}

/* A tile and its mirror image. */
static void take_tile(state *s, orr_program *program, const orr_node *kernel, int64_t first, int64_t other) {
    orr_pool *pool = orr_context_pool(s->probe.ctx);
    const int64_t bands = (s->block + BAND - 1) / BAND;
    for (int64_t q = 0; q < s->kernels; q++) {
        tile t = { s, orr_program_data(program, kernel[q]), s->k + q * s->n * s->n, first, other };
        orr_parallel(pool, bands, put_rows, &t);
        if (first != other) orr_parallel(pool, bands, put_columns, &t);
    }
}

static orr_status compute_gram(state *s) {
    orr_context *ctx = s->probe.ctx;
    const bool several = s->across != NULL;
    for (int64_t i = 0; i < s->n; i += s->block) {
        const int64_t first = i + s->block <= s->n ? i : s->n - s->block;
        if (several) put_block(s, s->probe.program, &s->examples[0], first);
        ORR_TRY(ctx, orr_probe_run(&s->probe));
        take_tile(s, s->probe.program, s->kernel[0], first, first);
        if (several) put_block(s, s->across, &s->examples[0], first);
        for (int64_t j = 0; j < i; j += s->block) {
            put_block(s, s->across, &s->examples[1], j);
            ORR_TRY(ctx, orr_program_run(s->across));
            take_tile(s, s->across, s->kernel[1], first, j);
        }
    }
    return ORR_OK;
}

/* ---- what is recorded of it ------------------------------------------------------------------------------------------ */

/* out[j] = y_i . y_j for j < n; of labels 1 where they are equal, at each position. */
static void fill_targets(const state *s, int64_t i, int64_t n, double *out) {
    const int64_t d = s->targets;
    for (int64_t j = 0; j < n; j++) out[j] = 0.0;
#define ADD(type, product)                                                                                             \
    for (int64_t c = 0; c < d; c++) {                                                                                  \
        const type *y = (const type *)s->target + c, a = y[i * d];                                                     \
        for (int64_t j = 0; j < n; j++) {                                                                              \
            const type b = y[j * d];                                                                                   \
            out[j] += (product);                                                                                       \
        }                                                                                                              \
    }
    if (s->target_type == ORR_I32) ADD(int32_t, a == b)
    else if (s->target_type == ORR_F32) ADD(float, (double)a *(double)b)
    else ADD(double, a *b)
#undef ADD
}

/* Sums go over eight lanes, so that compilers make vectors of them. */
enum { LANES = 8 };
static double sum_of(const double lane[LANES]) {
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}
#define OVER_LANES(n, body)                                                                                            \
    do {                                                                                                               \
        int64_t j0 = 0;                                                                                                \
        for (; j0 + LANES <= (n); j0 += LANES)                                                                         \
            for (int l = 0; l < LANES; l++) {                                                                          \
                const int64_t j = j0 + l;                                                                              \
                body;                                                                                                  \
            }                                                                                                          \
        for (int l = 0; j0 + l < (n); l++) {                                                                           \
            const int64_t j = j0 + l;                                                                                  \
            body;                                                                                                      \
        }                                                                                                              \
    } while (0)

typedef struct matrix {
    const state *s;
    const double *k, *first; /* [n, n]: K, K_0 */
    double mean_k, mean_y;
} matrix;

static void sum_rows(void *arg, int64_t band, int worker) {
    const matrix *m = arg;
    const state *s = m->s;
    const int64_t n = s->n;
    double *y = s->targets_of_row + worker * n;
    for (int64_t i = band * BAND; i < end_of_band(band, n); i++) {
        const double *k = m->k + i * n, *first = m->first + i * n;
        double sum[LANES] = { 0 }, drift[LANES] = { 0 }, square[LANES] = { 0 }, targets[LANES] = { 0 };
        OVER_LANES(n, sum[l] += k[j]);
        OVER_LANES(n, drift[l] += (k[j] - first[j]) * (k[j] - first[j]));
        OVER_LANES(n, square[l] += first[j] * first[j]);
        if (s->target) {
            fill_targets(s, i, n, y);
            OVER_LANES(n, targets[l] += y[j]);
        }
        s->row[i] = (row){ .trace = k[i],
                           .drift = sum_of(drift),
                           .first = sum_of(square),
                           .k = sum_of(sum) / (double)n,
                           .y = sum_of(targets) / (double)n };
    }
}

/* Kc_ij = K_ij - m_i - m_j + m, m_i the mean of row i, and Yc alike; both are symmetric. */
static void multiply_rows(void *arg, int64_t band, int worker) {
    const matrix *m = arg;
    const state *s = m->s;
    double *y = s->targets_of_row + worker * s->n;
    for (int64_t i = band * BAND; i < end_of_band(band, s->n); i++) {
        const double *k = m->k + i * s->n, k_i = s->row[i].k - m->mean_k, y_i = s->row[i].y - m->mean_y;
        double ky[LANES] = { 0 }, kk[LANES] = { 0 }, yy[LANES] = { 0 };
        fill_targets(s, i, i + 1, y);
        OVER_LANES(i, const double kc = k[j] - k_i - s->row[j].k; const double yc = y[j] - y_i - s->row[j].y;
                   ky[l] += kc * yc; kk[l] += kc * kc; yy[l] += yc * yc);
        const double kc = k[i] - k_i - s->row[i].k, yc = y[i] - y_i - s->row[i].y;
        s->row[i].ky = 2.0 * sum_of(ky) + kc * yc;
        s->row[i].kk = 2.0 * sum_of(kk) + kc * kc;
        s->row[i].yy = 2.0 * sum_of(yy) + yc * yc;
    }
}

static void add_row(row *total, const row *r) {
    total->trace += r->trace, total->drift += r->drift, total->first += r->first;
    total->k += r->k, total->y += r->y;
    total->ky += r->ky, total->kk += r->kk, total->yy += r->yy;
}

static row sum_of_rows(const state *s) {
    row total = { 0 };
    for (int64_t i = 0; i < s->n; i++) add_row(&total, &s->row[i]);
    return total;
}

/* "ntk_trace", or with the tensor's name behind it */
static const char *name_of(const state *s, int64_t kernel, const char *what, char *room, size_t size) {
    (void)snprintf(room, size, "%s%s%s", what, kernel ? "." : "", kernel ? s->name[kernel - 1] : "");
    return room;
}

static orr_status record(const state *s, int64_t step, int64_t kernel, const double *k, const double *first,
                         const orr_sink *sink) {
    orr_context *ctx = s->probe.ctx;
    const int64_t n = s->n, bands = (n + BAND - 1) / BAND;
    matrix m = { .s = s, .k = k, .first = first };
    char name[96];
    orr_parallel(orr_context_pool(ctx), bands, sum_rows, &m);
    row total = sum_of_rows(s);
    ORR_TRY(ctx, sink->record(sink->self, name_of(s, kernel, "ntk_trace", name, sizeof name), step, total.trace));
    ORR_TRY(ctx, sink->record(sink->self, name_of(s, kernel, "ntk_drift", name, sizeof name), step,
                              sqrt(total.drift / total.first)));
    if (s->gram)
        ORR_TRY(ctx, sink->record_array(sink->self, name_of(s, kernel, "ntk", name, sizeof name), step, ORR_F64,
                                        &ORR_SHAPE(n, n), k));
    if (!s->target) return ORR_OK;
    m.mean_k = total.k / (double)n, m.mean_y = total.y / (double)n;
    orr_parallel(orr_context_pool(ctx), bands, multiply_rows, &m);
    total = sum_of_rows(s);
    const double alignment = total.ky / sqrt(total.kk * total.yy); /* NaN where a centred matrix is 0 */
    return isnan(alignment)
               ? ORR_OK
               : sink->record(sink->self, name_of(s, kernel, "ntk_alignment", name, sizeof name), step, alignment);
}

/* Remembered: K_0 [n, n] of each kernel, behind a flag that there is one. */
static size_t memory_of(const orr_settings *settings, const orr_subject *subject) {
    const size_t n = (size_t)orr_probe_examples_of(settings, subject);
    return (n * n * (size_t)kernels_of(settings, subject) + 1) * sizeof(double);
}

static orr_status measure(void *self, int64_t step, uint64_t seed, void *memory, const orr_sink *sink) {
    state *s = self;
    const int64_t all = s->n * s->n;
    double *started = memory, *first = started + 1;
    (void)seed;
    ORR_TRY(s->probe.ctx, compute_gram(s));
    for (int64_t i = 0; i < s->kernels; i++, first += all) {
        double *k = s->k + i * all;
        if (*started == 0.0) memcpy(first, k, (size_t)all * sizeof *first);
        ORR_TRY(s->probe.ctx, record(s, step, i, k, first, sink));
    }
    *started = 1.0;
    return ORR_OK;
}

static double cost_of(const orr_settings *s, const orr_subject *subject) {
    return 3.0 * (double)subject->outputs * (double)orr_probe_examples_of(s, subject) / (double)subject->examples;
}

const orr_instrument orr_instrument_ntk = {
    .kind = { "ntk", "the empirical neural tangent kernel: trace, drift, alignment with the targets", parameters },
    .cost = cost_of,
    .memory = memory_of,
    .from_start = orr_instrument_from_start,
    .open = open_ntk,
    .measure = measure,
    .close = close_ntk,
};
