/* Products in pieces, of every orientation: against plain loops, and of any number of threads against that of one. */
#include "testing.h"

#include <float.h>
#include <string.h>

#include "base/context.h"
#include "simd/product.h"

typedef struct shape {
    int64_t m, n, k, gap; /* gap: elements between the rows of every array */
} shape;

static const shape shapes[] = {
    { 1, 1, 1, 0 },        { 97, 33, 5, 0 },      { 5, 64, 300, 3 },     { 64, 5, 300, 0 },
    { 150, 150, 150, 1 },  { 128, 1024, 260, 0 }, { 260, 130, 513, 2 },  { 33, 700, 1500, 0 },
    { 700, 33, 1500, 0 },  { 3, 1100, 40, 0 },    { 520, 600, 1024, 0 }, /* more than is shared at a time */
    { 600, 520, 1024, 0 },
};
static const int teams[] = { 1, 2, 5 };
enum { SHAPES = sizeof shapes / sizeof *shapes, TEAMS = sizeof teams / sizeof *teams };

static size_t size_of(orr_dtype dtype) { return dtype == ORR_F64 ? sizeof(double) : sizeof(float); }

static double get(orr_dtype dtype, const void *x, int64_t i) {
    return dtype == ORR_F64 ? ((const double *)x)[i] : (double)((const float *)x)[i];
}

/* n elements: small whole numbers, whose sums are exact in any order, or sevenths of them. */
static void *numbers(orr_dtype dtype, int64_t n, bool whole, uint32_t seed) {
    void *x = calloc((size_t)n, size_of(dtype));
    assert_non_null(x);
    for (int64_t i = 0; i < n; i++) {
        const double entry = (double)((uint32_t)(i + 1) * (2654435761u + 2 * seed) >> 16) / 9362.0 - 3.5;
        const double value = whole ? (double)(int)entry : entry / 7.0;
        if (dtype == ORR_F64) ((double *)x)[i] = value;
        else ((float *)x)[i] = (float)value;
    }
    return x;
}

static orr_operands operands_of(const shape *s, orr_dtype dtype, bool ta, bool tb) {
    return (orr_operands){ .dtype = dtype,
                           .m = s->m,
                           .n = s->n,
                           .k = s->k,
                           .lda = (ta ? s->m : s->k) + s->gap,
                           .ldb = (tb ? s->k : s->n) + s->gap,
                           .ldc = s->n + s->gap,
                           .a_transposed = ta,
                           .b_transposed = tb };
}

/* A workspace of exactly what is asked for, so that sanitizers see who takes more. */
static void run(orr_context *ctx, const orr_operands *of, bool with_code, bool pooled, const void *a, const void *b,
                void *c, bool add) {
    const int threads = pooled ? orr_context_threads(ctx) : 1;
    orr_product p;
    orr_product_prepare(&p, of, ORR_PRODUCT_WHOLE, threads);
    assert_true(p.generated || !with_code);
    p.generated = p.generated && with_code;
    void *workspace = aligned_alloc(64, orr_product_workspace(&p, threads));
    assert_non_null(workspace);
    orr_product_run(&p, pooled ? orr_context_pool(ctx) : NULL, ORR_PRODUCT_WHOLE, a, b, c, add, NULL, NULL, workspace);
    free(workspace);
}

static void expect(const orr_operands *of, const void *a, const void *b, const void *before, const void *c, bool add,
                   double tolerance) {
    for (int64_t i = 0; i < of->m; i++)
        for (int64_t j = 0; j < of->ldc; j++) {
            const int64_t at = i * of->ldc + j;
            double sum = j >= of->n || add ? get(of->dtype, before, at) : 0.0;
            for (int64_t k = 0; j < of->n && k < of->k; k++)
                sum += get(of->dtype, a, of->a_transposed ? k * of->lda + i : i * of->lda + k) *
                       get(of->dtype, b, of->b_transposed ? j * of->ldb + k : k * of->ldb + j);
            const double got = get(of->dtype, c, at), allowed = j < of->n ? tolerance : 0.0;
            if (!(got - sum <= allowed && sum - got <= allowed))
                fail_msg("%lld x %lld x %lld, f%d%s%s%s: c[%lld, %lld] is %.17g, expected %.17g", (long long)of->m,
                         (long long)of->n, (long long)of->k, of->dtype == ORR_F64 ? 64 : 32,
                         of->a_transposed ? ", a transposed" : "", of->b_transposed ? ", b transposed" : "",
                         add ? ", added" : "", (long long)i, (long long)j, got, sum);
        }
}

/* c v = a (b v) for a vector of whole numbers, exactly: as sure as plain loops, and as fast as the product (Freivalds 1979). */
static void expect_times_vector(const orr_operands *of, const void *a, const void *b, const void *before, const void *c,
                                bool add) {
    double *v = numbers(ORR_F64, of->n, true, 4), *bv = numbers(ORR_F64, of->k, true, 5);
    for (int64_t k = 0; k < of->k; k++) {
        bv[k] = 0.0;
        for (int64_t j = 0; j < of->n; j++)
            bv[k] += get(of->dtype, b, of->b_transposed ? j * of->ldb + k : k * of->ldb + j) * v[j];
    }
    for (int64_t i = 0; i < of->m; i++) {
        double got = 0.0, expected = 0.0;
        for (int64_t j = 0; j < of->n; j++) {
            got += get(of->dtype, c, i * of->ldc + j) * v[j];
            expected += add ? get(of->dtype, before, i * of->ldc + j) * v[j] : 0.0;
        }
        for (int64_t k = 0; k < of->k; k++)
            expected += get(of->dtype, a, of->a_transposed ? k * of->lda + i : i * of->lda + k) * bv[k];
        assert_true(got == expected);
        for (int64_t j = of->n; j < of->ldc; j++)
            assert_true(get(of->dtype, c, i * of->ldc + j) == get(of->dtype, before, i * of->ldc + j));
    }
    free(v), free(bv);
}

static void check(orr_context *const *ctx, const shape *s, orr_dtype dtype, int how) {
    const bool ta = how & 1, tb = how & 2, add = how & 4, whole = how & 8, with_code = !(how & 16);
    const orr_operands of = operands_of(s, dtype, ta, tb);
    const int64_t n = s->m * of.ldc;
    void *a = numbers(dtype, (ta ? s->k : s->m) * of.lda, whole, 1);
    void *b = numbers(dtype, (tb ? s->n : s->k) * of.ldb, whole, 2);
    void *before = numbers(dtype, n, whole, 3), *first = numbers(dtype, n, whole, 3), *c = numbers(dtype, n, whole, 3);
    run(ctx[0], &of, with_code, false, a, b, first, add);
    if (whole) expect_times_vector(&of, a, b, before, first, add);
    else if (s->m * s->n * s->k < 4000000) {
        /* k terms below 1/4, each rounded at most k + 1 times (Higham 2002, 3.1), and what is added, below 1/2 */
        const double unit = dtype == ORR_F64 ? DBL_EPSILON / 2 : (double)FLT_EPSILON / 2;
        expect(&of, a, b, before, first, add, (double)(s->k + 1) * unit * (0.25 * (double)s->k + 0.5));
    }
    for (int t = 0; t < TEAMS; t++) {
        memcpy(c, before, (size_t)n * size_of(dtype));
        run(ctx[t], &of, with_code, true, a, b, c, add);
        if (with_code) assert_memory_equal(c, first, (size_t)n * size_of(dtype));
        else if (whole) expect_times_vector(&of, a, b, before, c, add);
    }
    free(a), free(b), free(c), free(before), free(first);
}

static void a_product_in_pieces_is_that_of_plain_loops_whatever_the_threads(void **state) {
    (void)state;
    orr_context *ctx[TEAMS];
    for (int t = 0; t < TEAMS; t++)
        assert_int_equal(orr_context_new(&(orr_context_options){ .threads = teams[t] }, &ctx[t]), ORR_OK);
    for (int i = 0; i < SHAPES; i++)
        for (int how = 0; how < 32; how++) {
            if (how & 16 && shapes[i].m * shapes[i].n > 100000)
                continue; /* BLAS: what is ours of it doesn't depend on size */
            check(ctx, &shapes[i], ORR_F32, how);
            check(ctx, &shapes[i], ORR_F64, how);
        }
    for (int t = 0; t < TEAMS; t++) orr_context_free(ctx[t]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_product_in_pieces_is_that_of_plain_loops_whatever_the_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
