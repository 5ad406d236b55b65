/* Contractions: what is decided once. */
#include "device/cpu/einsum_plan.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

enum { LABELS = 30, SMALL = 80, ROW_BLOCK = 8 /* of a tile: of the kernels' registers */ };
static const double TASK_FLOPS = 16e6;
enum { TASKS_MAX = 16 };

static void classify(const orr_launch *l, axes kind[4]) {
    const orr_attr_einsum *e = l->attr;
    const orr_view *a = &l->args[0], *b = &l->args[1];
    axis of[LABELS] = { 0 };
    uint32_t in_a = 0, in_b = 0, in_out = 0;
    for (int32_t i = 0; i < a->shape.rank; i++)
        of[e->a[i]].n = a->shape.size[i], of[e->a[i]].a = a->stride[i], in_a |= 1u << e->a[i];
    for (int32_t i = 0; i < b->shape.rank; i++)
        of[e->b[i]].n = b->shape.size[i], of[e->b[i]].b = b->stride[i], in_b |= 1u << e->b[i];
    for (int32_t i = 0; i < e->rank_out; i++) of[e->out[i]].out = l->out.stride[i], in_out |= 1u << e->out[i];
    for (int32_t i = 0; i < LABELS; i++) {
        const uint32_t bit = 1u << i;
        if (!((in_a | in_b) & bit) || of[i].n == 1) continue;
        const int which = (in_a & in_b & in_out & bit) ? 0 : !(in_b & bit) ? 1 : !(in_a & bit) ? 2 : 3;
        kind[which].at[kind[which].n++] = of[i];
    }
}

static int64_t key_of(const axis *x) { return x->out ? x->out : x->a ? x->a : x->b; }

/* Outermost first, then neighbours that lie one behind the other in every operand become one. */
static void merge(axes *x) {
    for (int32_t i = 1; i < x->n; i++)
        for (int32_t j = i; j > 0 && key_of(&x->at[j - 1]) < key_of(&x->at[j]); j--) {
            const axis t = x->at[j];
            x->at[j] = x->at[j - 1];
            x->at[j - 1] = t;
        }
    int32_t n = 0;
    for (int32_t i = 0; i < x->n; i++) {
        axis *last = n ? &x->at[n - 1] : NULL;
        const axis *now = &x->at[i];
        if (last && last->a == now->a * now->n && last->b == now->b * now->n && last->out == now->out * now->n) {
            const int64_t total = last->n * now->n;
            *last = *now;
            last->n = total;
        } else {
            x->at[n++] = *now;
        }
    }
    x->n = n;
}

/* Takes the axis that makes the best matrix: one of unit stride, in the result before the operands (a matrix without
 * one is copied), else the longest. */
static axis take(axes *x, bool by_out) {
    if (x->n == 0) return (axis){ .n = 1 };
    int32_t best = 0;
    for (int32_t i = 1; i < x->n; i++) {
        const axis *c = &x->at[i], *d = &x->at[best];
        const int unit_c = 2 * (by_out && c->out == 1) + (c->a == 1 || c->b == 1),
                  unit_d = 2 * (by_out && d->out == 1) + (d->a == 1 || d->b == 1);
        if (unit_c != unit_d ? unit_c > unit_d : c->n > d->n) best = i;
    }
    const axis taken = x->at[best];
    for (int32_t i = best; i + 1 < x->n; i++) x->at[i] = x->at[i + 1];
    x->n--;
    return taken;
}

static void swap_operands(contraction *c) {
    const axis m = c->m_axis;
    c->m_axis = c->n_axis;
    c->n_axis = m;
    axis *all[3] = { &c->m_axis, &c->n_axis, &c->k_axis };
    for (int i = 0; i < 3; i++) {
        const int64_t a = all[i]->a;
        all[i]->a = all[i]->b, all[i]->b = a;
    }
    for (int32_t i = 0; i < c->loops.n; i++) {
        const int64_t a = c->loops.at[i].a;
        c->loops.at[i].a = c->loops.at[i].b, c->loops.at[i].b = a;
    }
    c->swapped = !c->swapped;
}

/* Whether a matrix with these strides is what a call takes, and how: the other stride is the leading dimension. */
static bool matrix_layout(int64_t rows, int64_t columns, int64_t row, int64_t column, bool *transposed, int64_t *ld) {
    if ((column == 1 || columns == 1) && (row >= columns || rows == 1)) {
        *transposed = false;
        *ld = rows == 1 || row < columns ? columns : row;
        return true;
    }
    if ((row == 1 || rows == 1) && (column >= rows || columns == 1)) {
        *transposed = true;
        *ld = columns == 1 || column < rows ? rows : column;
        return true;
    }
    return false;
}

/* b is straightened into the worker's scratch (k x n, rows without gaps) where it is stored transposed. */
static bool prepare_small(contraction *c) {
    for (int last = 0; last < 2; last++)
        for (int add = 0; add <= c->accumulate; add++) {
            const orr_code_shape s = { .m = last ? c->m - (c->row_tiles - 1) * c->rows : c->rows,
                                       .n = c->n,
                                       .k = c->k,
                                       .lda = c->lda,
                                       .ldb = c->tb ? c->n : c->ldb,
                                       .ldc = c->ldc,
                                       .a_transposed = c->ta,
                                       .add = add };
            c->small[last][add] = orr_code_generate(c->dtype, &s);
            if (!orr_code_is_there(&c->small[last][add])) return false;
        }
    c->worker_bytes = c->tb ? (size_t)(c->k * c->n) * orr_dtype_size(c->dtype) : 0;
    return true;
}

static bool fits_small(const contraction *c) {
    const double volume = (double)c->m * (double)c->n * (double)c->k;
    if (volume <= (double)SMALL * SMALL * SMALL) return true;
    /* tall products over a b that stays in the second-level cache, in float64: in tiles of rows */
    return c->dtype == ORR_F64 && c->k * c->n * 8 <= 256 * 1024 && c->n <= 256 && c->k <= 512;
}

/* Halves rows until a task is short enough: a power of two of equal tasks is shared out evenly by as many threads. */
static void choose_tiles(contraction *c) {
    const double flops = 2.0 * (double)c->m * (double)c->n * (double)c->k;
    double rows = (double)c->m;
    for (int tasks = 1; tasks < TASKS_MAX && flops / tasks >= 2 * TASK_FLOPS; tasks *= 2) rows /= 2;
    const int64_t whole = (int64_t)ceil(rows / ROW_BLOCK) * ROW_BLOCK;
    c->rows = whole < c->m ? whole : c->m;
    c->row_tiles = (c->m + c->rows - 1) / c->rows;
}

/* Contiguous copy of an operand with its loop axes outermost; strides follow. */
static void plan_copy(contraction *c, int which, size_t *at) {
    const bool first = which == 0;
    axis *rows = first ? &c->m_axis : &c->k_axis, *columns = first ? &c->k_axis : &c->n_axis;
    int64_t total = 1;
    *(first ? &columns->a : &columns->b) = 1;
    *(first ? &rows->a : &rows->b) = columns->n;
    total = rows->n * columns->n;
    for (int32_t i = c->loops.n - 1; i >= 0; i--) {
        int64_t *stride = first ? &c->loops.at[i].a : &c->loops.at[i].b;
        if (*stride == 0) continue;
        *stride = total;
        total *= c->loops.at[i].n;
    }
    c->copies[which] = true;
    c->copy_bytes[which] = (size_t)total * orr_dtype_size(c->dtype);
    c->copy_at[which] = *at;
    *at += (c->copy_bytes[which] + 63) & ~(size_t)63;
}

/* Whether the result is that of an array with its own transpose, if both operands turn out to be one array. */
static bool is_symmetric(const contraction *c, const orr_operands *of) {
    const bool loops_fit = c->loops.n == c->k_loops && c->loops.n <= 1 && c->loops.at[0].a == c->loops.at[0].b;
    return loops_fit && c->m == c->n && c->m_axis.a == c->n_axis.b && c->k_axis.a == c->k_axis.b && !c->copies[0] &&
           !c->copies[1] && orr_gram_pays(of);
}

/* Threads share a product where it keeps them all busy for longer than it takes them to meet, or where there are too few of them. */
static void prepare_pieces(contraction *c, int threads) {
    const orr_operands of = { c->dtype, c->m, c->n, c->k, c->lda, c->ldb, c->ldc, c->ta, c->tb };
    int64_t steps = 1;
    for (int32_t i = 0; i < c->loops.n - c->k_loops; i++) steps *= c->loops.at[i].n;
    c->together = steps < 2 * threads || 2.0 * (double)c->m * (double)c->n * (double)c->k >= 2 * TASK_FLOPS;
    c->symmetric = is_symmetric(c, &of);
    orr_product_prepare(&c->product, &of, c->symmetric ? ORR_PRODUCT_LOWER : ORR_PRODUCT_WHOLE,
                        c->together ? threads : 1);
    c->worker_bytes = orr_product_workspace(&c->product, c->together ? threads : 1);
    c->rows = c->m, c->row_tiles = 1;
    c->how = METHOD_PIECES;
}

orr_status orr_cpu_einsum_prepare(orr_context *ctx, orr_arena *arena, const orr_launch *l, void **plan,
                                  size_t *workspace) {
    einsum_plan *p = ORR_NEW(arena, einsum_plan, 1);
    if (!p) return orr_fail(ctx, ORR_ENOMEM, "einsum: no memory for its plan");
    contraction *c = &p->c;
    axes kind[4] = { 0 };
    *plan = p;
    c->dtype = l->out.dtype;
    c->kernels = orr_cpu_kernels_choose();
    if (orr_shape_count(&l->out.shape) == 0 || orr_shape_count(&l->args[0].shape) == 0 ||
        orr_shape_count(&l->args[1].shape) == 0) {
        c->how = METHOD_REF;
        return ORR_OK;
    }
    openblas_set_num_threads(1); /* tasks are ours: its own threads would fight with them over the cores */
    classify(l, kind);
    for (int i = 0; i < 4; i++) merge(&kind[i]);
    c->m_axis = take(&kind[1], true);
    c->n_axis = take(&kind[2], true);
    c->k_axis = take(&kind[3], false);
    for (int i = 0; i < 3; i++)
        for (int32_t k = 0; k < kind[i].n; k++) c->loops.at[c->loops.n++] = kind[i].at[k];
    c->k_loops = kind[3].n;
    for (int32_t k = 0; k < kind[3].n; k++) c->loops.at[c->loops.n++] = kind[3].at[k];
    c->accumulate = c->k_loops > 0;
    c->loop_count = 1;
    for (int32_t i = 0; i < c->loops.n; i++) c->loop_count *= c->loops.at[i].n;
    /* Rows of the result are contiguous: otherwise the product is written transposed, b' a'. */
    if (c->n_axis.n > 1 ? c->n_axis.out != 1 : c->m_axis.n > 1 && c->m_axis.out == 1) swap_operands(c);
    c->m = c->m_axis.n, c->n = c->n_axis.n, c->k = c->k_axis.n;
    if (c->n > 1 && c->n_axis.out != 1) {
        c->how = METHOD_REF; /* the fastest axis of the result is a batch: plain loops */
        return ORR_OK;
    }
    c->ldc = c->m > 1 ? c->m_axis.out : c->n;
    if (c->ldc < c->n) {
        c->how = METHOD_REF;
        return ORR_OK;
    }
    p->before = (original_axes){ .m = c->m_axis, .n = c->n_axis, .k = c->k_axis, .loops = c->loops };
    size_t at = 0;
    if (!matrix_layout(c->m, c->k, c->m_axis.a, c->k_axis.a, &c->ta, &c->lda)) {
        plan_copy(c, 0, &at);
        (void)matrix_layout(c->m, c->k, c->m_axis.a, c->k_axis.a, &c->ta, &c->lda);
    }
    if (!matrix_layout(c->k, c->n, c->k_axis.b, c->n_axis.b, &c->tb, &c->ldb)) {
        plan_copy(c, 1, &at);
        (void)matrix_layout(c->k, c->n, c->k_axis.b, c->n_axis.b, &c->tb, &c->ldb);
    }
    choose_tiles(c);
    if (!c->accumulate && c->n == 1 && !c->ta) c->how = METHOD_ROWS;                       /* y = A x */
    else if (!c->accumulate && c->n == 1 && c->ta && c->ldc == 1) c->how = METHOD_COLUMNS; /* y = A' x */
    else if (!c->accumulate && c->m == 1 && !c->tb) c->how = METHOD_COLUMNS;               /* y' = x' B */
    else if (!c->accumulate && c->m == 1 && c->tb) c->how = METHOD_ROWS;                   /* y' = x' B' */
    else if (fits_small(c) && prepare_small(c)) c->how = METHOD_SMALL;
    else prepare_pieces(c, orr_context_threads(ctx));
    if ((c->how == METHOD_ROWS || c->how == METHOD_COLUMNS)) {
        c->rows = c->m;
        c->row_tiles = 1;
        /* rows are multiplied by a vector without gaps: one that has some is straightened */
        const int64_t gap = c->n == 1 ? c->k_axis.b : c->k_axis.a;
        if (c->how == METHOD_ROWS && gap != 1) c->worker_bytes = (size_t)c->k * orr_dtype_size(c->dtype);
    }
    /* Several products of a loop make one task where each alone is short. */
    c->pack_rows = 1;
    int64_t steps = 1;
    for (int32_t i = 0; i < c->loops.n - c->k_loops; i++) steps *= c->loops.at[i].n;
    if (c->how == METHOD_PIECES) {
        c->pack_rows = c->together ? steps : 1;
    } else if (c->row_tiles == 1) {
        const double flops = 2.0 * (double)c->m * (double)c->n * (double)c->k;
        int64_t tasks = (int64_t)(flops * (double)c->loop_count / 1e6);
        if (tasks > 64) tasks = 64;
        if (tasks < 1) tasks = 1;
        c->pack_rows = (steps + tasks - 1) / tasks;
    }
    c->tasks = c->row_tiles > 1 ? steps * c->row_tiles : (steps + c->pack_rows - 1) / c->pack_rows;
    c->worker_bytes = (c->worker_bytes + 63) & ~(size_t)63;
    c->workers_at = at;
    *workspace = at + (size_t)orr_parallel_workers(orr_context_pool(ctx), c->tasks) * c->worker_bytes;
    return ORR_OK;
}
