/* Products of an array with itself, of which the CPU device computes half: against plain loops.  Entries are small whole
 * numbers, so that sums are exact in any order. */
#include "testing.h"

typedef struct product {
    const char *equation;
    orr_shape a;
    int64_t rows; /* of the result, which is square */
} product;

static const product products[] = {
    { "id,jd->ij", { .rank = 2, .size = { 300, 131 } }, 300 },       /* tiles of three sizes */
    { "di,dj->ij", { .rank = 2, .size = { 131, 300 } }, 300 },       /* stored transposed */
    { "id,jd->ij", { .rank = 2, .size = { 128, 128 } }, 128 },       /* the smallest that takes this way */
    { "cia,cib->ab", { .rank = 3, .size = { 3, 70, 529 } }, 529 },   /* sums over two axes that lie behind each other */
    { "cik,cjk->ij", { .rank = 3, .size = { 3, 157, 130 } }, 157 },  /* and over two that don't */
    { "cdi,cdj->cij", { .rank = 3, .size = { 3, 130, 140 } }, 140 }, /* a batch: whole products */
    { "ij,jk->ik", { .rank = 2, .size = { 140, 140 } }, 140 },       /* a a: not symmetric */
    { "dic,djc->ij", { .rank = 3, .size = { 129, 130, 2 } }, 130 },  /* sums over axes around the kept one */
    { "ikc,jck->ij", { .rank = 3, .size = { 130, 37, 37 } }, 130 },  /* one array, in two orders */
};
static const int teams[] = { 1, 2, 4 };
enum { PRODUCTS = sizeof products / sizeof *products, TEAMS = sizeof teams / sizeof *teams };

/* One or two inputs of this shape; out: [n] as doubles. */
static int64_t run(orr_context *ctx, const product *p, orr_dtype dtype, const char *device, bool twice, double *out) {
    orr_graph *g;
    orr_program *program;
    assert_ok(ctx, orr_graph_new(ctx, &g));
    const orr_node a = orr_input(g, "a", dtype, p->a), b = twice ? orr_input(g, "b", dtype, p->a) : a;
    const orr_node c = orr_einsum(g, p->equation, a, b);
    assert_ok(ctx,
              orr_compile(ctx, g, &(orr_compile_options){ .outputs = &c, .n_outputs = 1, .device = device }, &program));
    const orr_node inputs[] = { a, b };
    for (int k = 0; k <= twice; k++) {
        void *data = orr_program_data(program, inputs[k]);
        for (int64_t i = 0; i < orr_shape_count(&p->a); i++) {
            const int x = (int)(i * (7919 + k) % 13) - 6;
            if (dtype == ORR_F64) ((double *)data)[i] = x;
            else ((float *)data)[i] = (float)x;
        }
    }
    assert_ok(ctx, orr_program_run(program));
    const orr_shape shape = orr_node_shape(g, c);
    const int64_t n = orr_shape_count(&shape);
    const void *data = orr_program_data(program, c);
    for (int64_t i = 0; out && i < n; i++)
        out[i] = dtype == ORR_F64 ? ((const double *)data)[i] : (double)((const float *)data)[i];
    orr_program_free(program);
    orr_graph_free(g);
    return n;
}

static void compare(orr_context *const *ctx, const product *p, orr_dtype dtype, bool twice) {
    const int64_t room = 3 * p->rows * p->rows;
    double *expected = calloc((size_t)room, sizeof *expected), *got = calloc((size_t)room, sizeof *got);
    assert_true(expected && got);
    const int64_t n = run(ctx[0], p, dtype, "ref", twice, expected);
    for (int t = 0; t < TEAMS; t++) {
        assert_true(n <= room && run(ctx[t], p, dtype, "cpu", twice, got) == n);
        for (int64_t i = 0; i < n; i++)
            if (expected[i] != got[i])
                fail_msg("%s in f%d of %s, %d threads: entry %lld is %g, expected %g", p->equation,
                         dtype == ORR_F64 ? 64 : 32, twice ? "two arrays" : "one array", teams[t], (long long)i, got[i],
                         expected[i]);
    }
    free(expected);
    free(got);
}

static void a_product_of_an_array_with_itself_is_that_of_plain_loops(void **state) {
    (void)state;
    orr_context *ctx[TEAMS];
    for (int t = 0; t < TEAMS; t++)
        assert_int_equal(orr_context_new(&(orr_context_options){ .threads = teams[t] }, &ctx[t]), ORR_OK);
    for (int i = 0; i < PRODUCTS; i++)
        for (int k = 0; k < 4; k++) compare(ctx, &products[i], k % 2 ? ORR_F64 : ORR_F32, k / 2);
    for (int t = 0; t < TEAMS; t++) orr_context_free(ctx[t]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_product_of_an_array_with_itself_is_that_of_plain_loops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
