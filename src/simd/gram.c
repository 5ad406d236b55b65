#include "simd/gram.h"

#include "simd/simd.h"

enum { PAYS = 128 };

bool orr_gram_pays(const orr_operands *of) { return of->n >= PAYS && of->k >= PAYS; }

typedef struct gram {
    const orr_product *p;
    orr_gram_map *map;
    const void *self;
    char *out;
} gram;

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

#define MIRROR(suffix, TYPE)                                                                                           \
    static void mirror_within_##suffix(int64_t n, TYPE *a, int64_t ld) {                                               \
        for (int64_t i = 0; i < n; i++)                                                                                \
            for (int64_t j = 0; j < i; j++) a[j * ld + i] = a[i * ld + j];                                             \
    }
MIRROR(f32, float)
MIRROR(f64, double)

/* Mapped, and mirrored as far as there are columns for its rows; the part ends left of the block on the diagonal, or with it. */
static void finish(const void *self, int64_t row, int64_t rows, int64_t column, int64_t columns) {
    const gram *g = self;
    const orr_operands *of = &g->p->of;
    const int64_t size = (int64_t)orr_dtype_size(of->dtype), left = least(columns, row - column),
                  seen = least(rows, of->n - row);
    char *part = g->out + (row * of->ldc + column) * size, *image = g->out + (column * of->ldc + row) * size;
    for (int64_t i = 0; g->map && i < rows; i++)
        g->map(g->self, row + i, column, least(columns, left + i + 1), part + i * of->ldc * size);
    if (seen <= 0) return;
    char *corner = part + left * size;
    if (of->dtype == ORR_F64) {
        orr_simd()->transpose_f64(seen, left, (const void *)part, of->ldc, (void *)image, of->ldc);
        if (left < columns) mirror_within_f64(seen, (void *)corner, of->ldc);
    } else {
        orr_simd()->transpose_f32(seen, left, (const void *)part, of->ldc, (void *)image, of->ldc);
        if (left < columns) mirror_within_f32(seen, (void *)corner, of->ldc);
    }
}

void orr_gram_run(const orr_product *p, orr_pool *pool, int64_t terms, int64_t gap, const void *a, orr_gram_map *map,
                  const void *self, void *out, void *workspace) {
    const gram g = { p, map, self, out };
    const char *term = a;
    for (int64_t i = 0; i < terms; i++, term += gap * (int64_t)orr_dtype_size(p->of.dtype))
        orr_product_run(p, pool, ORR_PRODUCT_LOWER, term, term, out, i > 0, i == terms - 1 ? finish : NULL, &g,
                        workspace);
}
