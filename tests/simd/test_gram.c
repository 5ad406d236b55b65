/* Products of a matrix with its own transpose, or with that of its first rows, against plain loops, of every size up to some
 * blocks. */
#include "testing.h"

#include "base/context.h"
#include "simd/gram.h"

enum { SIZES = 150, INNER = 9 };

static size_t size_of(orr_dtype dtype) { return dtype == ORR_F64 ? sizeof(double) : sizeof(float); }

static double get(orr_dtype dtype, const void *x, int64_t i) {
    return dtype == ORR_F64 ? ((const double *)x)[i] : (double)((const float *)x)[i];
}

static void put(orr_dtype dtype, void *x, int64_t i, double value) {
    if (dtype == ORR_F64) ((double *)x)[i] = value;
    else ((float *)x)[i] = (float)value;
}

/* entry + i + j, once for each entry up to the diagonal */
static void add_places(const void *self, int64_t row, int64_t first, int64_t n, void *entries) {
    const orr_dtype dtype = *(const orr_dtype *)self;
    assert_true(first >= 0 && n > 0 && first + n <= row + 1);
    for (int64_t j = 0; j < n; j++) put(dtype, entries, j, get(dtype, entries, j) + (double)(row + first + j));
}

static void check(orr_context *ctx, orr_dtype dtype, bool with_code, bool transposed, int64_t m, int64_t n, int64_t k) {
    enum { TERMS = 2 };
    const int threads = orr_context_threads(ctx);
    const int64_t lda = transposed ? m : k, gap = m * k;
    const orr_operands of = { dtype, m, n, k, lda, lda, n, transposed, !transposed };
    orr_product p;
    orr_product_prepare(&p, &of, ORR_PRODUCT_LOWER, threads);
    p.generated = p.generated && with_code;
    char *a = calloc((size_t)(TERMS * gap), size_of(dtype)), *c = calloc((size_t)(m * n), size_of(dtype)),
         *workspace = aligned_alloc(64, orr_product_workspace(&p, threads) + 64);
    assert_true(a && c && workspace);
    for (int64_t i = 0; i < TERMS * gap; i++) put(dtype, a, i, (double)((i * 7919 + n) % 13 - 6));
    orr_gram_run(&p, orr_context_pool(ctx), TERMS, gap, a, n % 2 ? add_places : NULL, &dtype, c, workspace);
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            double sum = n % 2 ? (double)(i + j) : 0.0;
            for (int64_t t = 0; t < TERMS * k; t++) {
                const int64_t at = t / k * gap, l = t % k;
                sum += get(dtype, a, at + (transposed ? l * m + i : i * k + l)) *
                       get(dtype, a, at + (transposed ? l * m + j : j * k + l));
            }
            if (get(dtype, c, i * n + j) != sum)
                fail_msg("%lld x %lld x %lld, f%d%s%s: entry %lld, %lld is %g, expected %g", (long long)m, (long long)n,
                         (long long)k, dtype == ORR_F64 ? 64 : 32, transposed ? ", transposed" : "",
                         with_code ? "" : ", by BLAS", (long long)i, (long long)j, get(dtype, c, i * n + j), sum);
        }
    free(a), free(c), free(workspace);
}

static void a_gram_of_any_size_is_that_of_plain_loops(void **state) {
    (void)state;
    orr_context *ctx;
    assert_int_equal(orr_context_new(&(orr_context_options){ .threads = 3 }, &ctx), ORR_OK);
    for (int64_t n = 1; n <= SIZES; n++)
        for (int how = 0; how < 8; how++)
            for (int64_t more = 0; more < 90; more += 1 + 11 * (how + n % 7))
                check(ctx, how & 1 ? ORR_F64 : ORR_F32, !(how & 2), how & 4, n + more, n, 1 + n % INNER);
    check(ctx, ORR_F64, true, false, 600, 600, 300); /* more columns than are shared at a time, two pieces deep */
    check(ctx, ORR_F32, true, true, 1100, 1100, 270);
    check(ctx, ORR_F64, true, false, 700, 433, 300);
    orr_context_free(ctx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gram_of_any_size_is_that_of_plain_loops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
