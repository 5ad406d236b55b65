/* Contractions at work. */
#include "device/cpu/einsum_plan.h"

#include "simd/simd.h"

typedef struct job {
    const contraction *c;
    orr_pool *pool;
    const char *a, *b;
    char *out, *scratch;
} job;

static void copy_matrix(orr_dtype dtype, int64_t rows, int64_t columns, const char *from, int64_t row, int64_t column,
                        char *to) {
    if (dtype == ORR_F64) {
        const double *x = (const double *)(const void *)from;
        double *y = (double *)(void *)to;
        for (int64_t i = 0; i < rows; i++)
            for (int64_t j = 0; j < columns; j++) y[i * columns + j] = x[i * row + j * column];
    } else {
        const float *x = (const float *)(const void *)from;
        float *y = (float *)(void *)to;
        for (int64_t i = 0; i < rows; i++)
            for (int64_t j = 0; j < columns; j++) y[i * columns + j] = x[i * row + j * column];
    }
}

/* Matrix times vector, either way round. */
static void multiply_vector(const contraction *c, const char *a, const char *b, char *out, char *scratch) {
    const bool vector_is_b = c->n == 1;
    const char *x = vector_is_b ? b : a, *matrix = vector_is_b ? a : b;
    const int64_t incx = vector_is_b ? c->k_axis.b : c->k_axis.a, ld = vector_is_b ? c->lda : c->ldb;
    const int64_t rows = vector_is_b ? c->m : c->n, incy = vector_is_b ? c->ldc : 1,
                  size = (int64_t)orr_dtype_size(c->dtype);
    if (c->how == METHOD_ROWS) {
        if (incx != 1 && c->k > 1) {
            copy_matrix(c->dtype, c->k, 1, x, incx, 0, scratch);
            x = scratch;
        }
        const int64_t step = incy == 1 || rows == 1 ? rows : 1; /* results that don't lie together, one by one */
        for (int64_t i = 0; i < rows; i += step) {
            const void *row = matrix + i * ld * size;
            void *y = out + i * incy * size;
            if (c->dtype == ORR_F64) c->kernels->gemv_rows_f64(step, c->k, row, ld, (const void *)x, y);
            else c->kernels->gemv_rows_f32(step, c->k, row, ld, (const void *)x, y);
        }
    } else if (c->dtype == ORR_F64) {
        c->kernels->gemv_columns_f64(c->k, rows, (const void *)matrix, ld, (const void *)x, incx, (void *)out);
    } else {
        c->kernels->gemv_columns_f32(c->k, rows, (const void *)matrix, ld, (const void *)x, incx, (void *)out);
    }
}

static void product(const job *j, int64_t tile, const char *a, const char *b, char *out, char *scratch, bool add) {
    const contraction *c = j->c;
    const int64_t size = (int64_t)orr_dtype_size(c->dtype);
    const int64_t row = tile * c->rows, rows = row + c->rows <= c->m ? c->rows : c->m - row;
    if (c->how == METHOD_ROWS || c->how == METHOD_COLUMNS) {
        multiply_vector(c, a, b, out, scratch);
        return;
    }
    if (c->how == METHOD_PIECES) {
        orr_product_run(&c->product, c->together ? j->pool : NULL, ORR_PRODUCT_WHOLE, a, b, out, add, NULL, NULL,
                        scratch);
        return;
    }
    a += row * c->m_axis.a * size, out += row * c->ldc * size;
    if (c->tb) {
        if (c->dtype == ORR_F64) orr_simd()->transpose_f64(c->n, c->k, (const void *)b, c->ldb, (void *)scratch, c->n);
        else orr_simd()->transpose_f32(c->n, c->k, (const void *)b, c->ldb, (void *)scratch, c->n);
        b = scratch;
    }
    orr_code_run(&c->small[rows != c->rows][add], a, b, out);
}

/* A task is a tile of one product, or a run of whole products; loops over k stay inside. */
static void run_task(void *arg, int64_t task, int worker) {
    const job *j = arg;
    const contraction *c = j->c;
    const int64_t size = (int64_t)orr_dtype_size(c->dtype);
    char *scratch = j->scratch + (size_t)worker * c->worker_bytes;
    const int32_t outer = c->loops.n - c->k_loops;
    int64_t steps = 1, k_steps = 1;
    for (int32_t i = 0; i < outer; i++) steps *= c->loops.at[i].n;
    for (int32_t i = outer; i < c->loops.n; i++) k_steps *= c->loops.at[i].n;
    const int64_t tile = c->row_tiles > 1 ? task % c->row_tiles : 0;
    const int64_t first = c->row_tiles > 1 ? task / c->row_tiles : task * c->pack_rows;
    const int64_t end = c->row_tiles > 1 ? first + 1 : first + c->pack_rows < steps ? first + c->pack_rows : steps;
    for (int64_t step = first; step < end; step++) {
        int64_t a = 0, b = 0, out = 0, rest = step;
        for (int32_t i = outer - 1; i >= 0; i--) {
            const axis *x = &c->loops.at[i];
            const int64_t at = rest % x->n;
            rest /= x->n;
            a += at * x->a, b += at * x->b, out += at * x->out;
        }
        for (int64_t k = 0; k < k_steps; k++) {
            int64_t ka = a, kb = b;
            rest = k;
            for (int32_t i = c->loops.n - 1; i >= outer; i--) {
                const axis *x = &c->loops.at[i];
                const int64_t at = rest % x->n;
                rest /= x->n;
                ka += at * x->a, kb += at * x->b;
            }
            product(j, tile, j->a + ka * size, j->b + kb * size, j->out + out * size, scratch, k > 0);
        }
    }
}

/* An operand into contiguous memory: loops outermost, then rows, then columns. */
static void copy_operand(const einsum_plan *p, orr_pool *pool, int which, const void *from, void *to) {
    const original_axes *o = &p->before;
    orr_view source = { .data = (void *)(uintptr_t)from, .dtype = p->c.dtype };
    for (int32_t i = 0; i < o->loops.n; i++) {
        const int64_t stride = which == 0 ? o->loops.at[i].a : o->loops.at[i].b;
        if (stride == 0) continue;
        source.stride[source.shape.rank] = stride;
        source.shape.size[source.shape.rank++] = o->loops.at[i].n;
    }
    const axis *rows = which == 0 ? &o->m : &o->k, *columns = which == 0 ? &o->k : &o->n;
    source.stride[source.shape.rank] = which == 0 ? rows->a : rows->b;
    source.shape.size[source.shape.rank++] = rows->n;
    source.stride[source.shape.rank] = which == 0 ? columns->a : columns->b;
    source.shape.size[source.shape.rank++] = columns->n;
    orr_view target = orr_view_contiguous(p->c.dtype, &source.shape);
    target.data = to;
    orr_cpu_copy_view(pool, &source, &target);
}

orr_status orr_cpu_einsum_run(orr_context *ctx, const orr_launch *l) {
    const einsum_plan *p = l->plan;
    const contraction *c = &p->c;
    if (c->how == METHOD_REF) return orr_device_ref.kernel[ORR_OP_einsum].run(ctx, l);
    const void *operand[2] = { l->args[c->swapped].data, l->args[!c->swapped].data };
    if (c->symmetric && operand[0] == operand[1]) {
        const axis *term = &c->loops.at[0];
        orr_gram_run(&c->product, l->pool, c->loops.n ? term->n : 1, c->loops.n ? term->a : 0, operand[0], NULL, NULL,
                     l->out.data, (char *)l->workspace + c->workers_at);
        return ORR_OK;
    }
    char *workspace = l->workspace;
    for (int i = 0; i < 2; i++)
        if (c->copies[i]) {
            copy_operand(p, l->pool, i, operand[i], workspace + c->copy_at[i]);
            operand[i] = workspace + c->copy_at[i];
        }
    job j = { .c = c,
              .pool = l->pool,
              .a = operand[0],
              .b = operand[1],
              .out = l->out.data,
              .scratch = workspace + c->workers_at };
    orr_parallel(l->pool, c->tasks, run_task, &j);
    return ORR_OK;
}
