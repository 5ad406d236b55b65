#include "device/cpu/gram.h"

enum { PAYS = 128, SIDE = 64 /* of a tile that is mirrored at a time: it and its image fit the first-level cache */ };

bool orr_cpu_gram_pays(const orr_cpu_operands *of) { return of->n >= PAYS && of->k >= PAYS; }

typedef struct job {
    const orr_cpu_product *p;
    char *out;
} job;

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

#define MIRROR(suffix, TYPE)                                                                                           \
    static void mirror_within_##suffix(int64_t n, TYPE *a, int64_t ld) {                                               \
        for (int64_t i = 0; i < n; i++)                                                                                \
            for (int64_t j = 0; j < i; j++) a[j * ld + i] = a[i * ld + j];                                             \
    }
MIRROR(f32, float)
MIRROR(f64, double)

/* What lies left of the diagonal in some rows, to above it. */
static void mirror_task(void *arg, int64_t task, int worker) {
    const job *j = arg;
    const orr_cpu_operands *of = &j->p->of;
    const int64_t row = task * SIDE, rows = least(SIDE, of->n - row), size = (int64_t)orr_dtype_size(of->dtype);
    (void)worker;
    for (int64_t column = 0; column < row; column += SIDE) {
        const void *from = j->out + (row * of->ldc + column) * size;
        void *to = j->out + (column * of->ldc + row) * size;
        if (of->dtype == ORR_F64) j->p->kernels->transpose_f64(rows, SIDE, from, of->ldc, to, of->ldc);
        else j->p->kernels->transpose_f32(rows, SIDE, from, of->ldc, to, of->ldc);
    }
    void *corner = j->out + row * (of->ldc + 1) * size;
    if (of->dtype == ORR_F64) mirror_within_f64(rows, corner, of->ldc);
    else mirror_within_f32(rows, corner, of->ldc);
}

void orr_cpu_gram_run(const orr_cpu_product *p, orr_pool *pool, int64_t terms, int64_t gap, const void *a, void *out,
                      void *workspace) {
    const char *term = a;
    for (int64_t i = 0; i < terms; i++, term += gap * (int64_t)orr_dtype_size(p->of.dtype))
        orr_cpu_product_run(p, pool, ORR_CPU_LOWER, term, term, out, i > 0, workspace);
    job j = { p, out };
    orr_parallel(pool, (p->of.n + SIDE - 1) / SIDE, mirror_task, &j);
}
