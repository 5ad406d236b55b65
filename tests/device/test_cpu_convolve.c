/* Convolution and its two adjoints on the CPU against plain loops.  Entries are small whole numbers, so that sums are
 * exact in any order; then fractions, of which any number of threads makes the same bits. */
#include "tensor/op/convolve.h"
#include "testing.h"

typedef struct convolution {
    const char *label;
    orr_shape a, w;
    orr_convolution how;
} convolution;

static const convolution cases[] = {
    { "a last panel of few positions",
      { 4, { 3, 10, 14, 14 } },
      { 4, { 9, 10, 3, 3 } },
      { .low = { 1, 1 }, .high = { 1, 1 } } },
    { "fewer positions than a vector", { 4, { 5, 9, 4, 3 } }, { 4, { 5, 9, 3, 3 } }, { .groups = 1 } },
    { "one position", { 4, { 2, 3, 3, 3 } }, { 4, { 5, 3, 3, 3 } }, { .groups = 1 } },
    { "d in two parts", { 4, { 6, 9, 11, 10 } }, { 4, { 80, 9, 3, 3 } }, { .low = { 1, 1 }, .high = { 1, 1 } } },
    { "several chunks of channels",
      { 4, { 2, 100, 9, 7 } },
      { 4, { 13, 100, 3, 3 } },
      { .low = { 1, 1 }, .high = { 1, 1 } } },
    { "several bands, the last short",
      { 4, { 2, 9, 61, 30 } },
      { 4, { 4, 9, 3, 3 } },
      { .low = { 1, 1 }, .high = { 1, 1 } } },
    { "rows longer than a block",
      { 4, { 1, 6, 9, 301 } },
      { 4, { 5, 6, 3, 5 } },
      { .low = { 2, 2 }, .high = { 1, 0 } } },
    { "windows of 1", { 4, { 3, 20, 9, 9 } }, { 4, { 17, 20, 1, 1 } }, { .groups = 1 } },
    { "padding wider than the window",
      { 4, { 2, 12, 5, 4 } },
      { 4, { 13, 12, 2, 2 } },
      { .low = { 3, 4 }, .high = { 5, 2 } } },
    { "rows that see nothing", { 4, { 1, 9, 2, 2 } }, { 4, { 9, 9, 3, 3 } }, { .low = { 5, 0 }, .high = { 5, 6 } } },
    { "stride",
      { 4, { 3, 4, 17, 19 } },
      { 4, { 6, 4, 3, 3 } },
      { .stride = { 2, 2 }, .low = { 1, 1 }, .high = { 1, 1 } } },
    { "stride along rows alone",
      { 4, { 3, 4, 17, 19 } },
      { 4, { 6, 4, 3, 3 } },
      { .stride = { 1, 3 }, .low = { 1, 1 } } },
    { "stride of rows alone", { 4, { 3, 4, 17, 19 } }, { 4, { 6, 4, 3, 3 } }, { .stride = { 2, 1 }, .low = { 1, 1 } } },
    { "stride, several bands and chunks", { 4, { 1, 70, 45, 43 } }, { 4, { 3, 70, 2, 2 } }, { .stride = { 2, 2 } } },
    { "dilation",
      { 4, { 2, 9, 15, 16 } },
      { 4, { 11, 9, 3, 3 } },
      { .dilation = { 3, 2 }, .low = { 3, 1 }, .high = { 2, 2 } } },
    { "dilation longer than a band", { 4, { 1, 13, 50, 40 } }, { 4, { 3, 13, 3, 2 } }, { .dilation = { 20, 9 } } },
    { "groups", { 4, { 3, 27, 9, 8 } }, { 4, { 24, 9, 3, 3 } }, { .groups = 3, .low = { 1, 1 }, .high = { 1, 1 } } },
    { "depthwise", { 4, { 2, 10, 13, 9 } }, { 4, { 10, 1, 3, 3 } }, { .groups = 10, .low = { 1, 1 } } },
    { "depthwise, stride and dilation",
      { 4, { 2, 6, 13, 19 } },
      { 4, { 12, 1, 3, 3 } },
      { .groups = 6, .stride = { 2, 2 }, .dilation = { 2, 3 } } },
    { "one axis", { 3, { 3, 5, 1203 } }, { 3, { 11, 5, 7 } }, { .low = { 3 }, .high = { 3 } } },
    { "one axis, many channels", { 3, { 2, 140, 61 } }, { 3, { 25, 140, 3 } }, { .low = { 1 }, .high = { 1 } } },
    { "few channels", { 4, { 3, 1, 29, 28 } }, { 4, { 9, 1, 3, 3 } }, { .low = { 1, 1 }, .high = { 1, 1 } } },
    { "one axis, dilation", { 3, { 2, 25, 700 } }, { 3, { 30, 25, 3 } }, { .dilation = { 100 } } },
    { "one axis, stride", { 3, { 3, 5, 1203 } }, { 3, { 11, 5, 7 } }, { .stride = { 3 }, .low = { 3 } } },
    { "three axes", { 5, { 2, 3, 5, 7, 9 } }, { 5, { 10, 3, 3, 3, 3 } }, { .low = { 1, 1, 1 }, .high = { 1, 1, 1 } } },
    { "three axes, all at once",
      { 5, { 2, 4, 9, 7, 11 } },
      { 5, { 6, 2, 3, 2, 3 } },
      { .stride = { 2, 1, 2 }, .low = { 1, 2, 0 }, .high = { 0, 1, 2 }, .dilation = { 1, 2, 3 }, .groups = 2 } },
};
enum { CASES = sizeof cases / sizeof *cases, TEAMS = 3 };
static const int teams[TEAMS] = { 1, 2, 5 };
typedef enum partial { FORWARD, INPUT, KERNEL, PARTIALS } partial;
static const char *const partial_name[PARTIALS] = { "convolve", "convolve_input", "convolve_kernel" };

static orr_shape result_of(const convolution *t) {
    orr_shape y = { t->a.rank, { t->a.size[0], t->w.size[0] } };
    for (int32_t i = 0; i < y.rank - 2; i++) {
        const int64_t dilation = t->how.dilation[i] ? t->how.dilation[i] : 1,
                      stride = t->how.stride[i] ? t->how.stride[i] : 1;
        y.size[i + 2] =
            (t->a.size[i + 2] + t->how.low[i] + t->how.high[i] - (t->w.size[i + 2] - 1) * dilation - 1) / stride + 1;
    }
    return y;
}

static void fill(orr_program *program, orr_graph *g, orr_node node, orr_dtype dtype, int salt, double scale) {
    const orr_shape shape = orr_node_shape(g, node);
    void *data = orr_program_data(program, node);
    for (int64_t i = 0; i < orr_shape_count(&shape); i++) {
        const double x = scale * ((double)(i * (7919 + salt) % 13) - 6);
        if (dtype == ORR_F64) ((double *)data)[i] = x;
        else ((float *)data)[i] = (float)x;
    }
}

/* The result as doubles, to be freed. */
static double *run(orr_context *ctx, const convolution *t, partial which, orr_dtype dtype, const char *device,
                   double scale, int64_t *n) {
    orr_graph *g;
    orr_program *program;
    assert_ok(ctx, orr_graph_new(ctx, &g));
    orr_convolution how = t->how;
    for (int i = 0; i < 3; i++) {
        if (how.stride[i] == 0) how.stride[i] = 1;
        if (how.dilation[i] == 0) how.dilation[i] = 1;
    }
    if (how.groups == 0) how.groups = 1;
    const orr_shape y = result_of(t);
    const orr_node first = orr_input(g, "first", dtype, which == INPUT ? y : t->a),
                   second = orr_input(g, "second", dtype, which == KERNEL ? y : t->w);
    const orr_node out = which == FORWARD ? orr_convolve_forward(g, first, second, &how)
                         : which == INPUT ? orr_convolve_input(g, first, second, &how, t->a)
                                          : orr_convolve_kernel(g, first, second, &how, t->w);
    const orr_compile_options options = { .outputs = &out, .n_outputs = 1, .device = device };
    assert_ok(ctx, orr_compile(ctx, g, &options, &program));
    fill(program, g, first, dtype, 0, scale), fill(program, g, second, dtype, 4, scale);
    for (int again = 0; again < 2; again++)
        assert_ok(ctx, orr_program_run(program)); /* scratch has what was left there */
    const orr_shape shape = orr_node_shape(g, out);
    *n = orr_shape_count(&shape);
    double *result = malloc((size_t)*n * sizeof *result);
    assert_non_null(result);
    const void *data = orr_program_data(program, out);
    for (int64_t i = 0; i < *n; i++)
        result[i] = dtype == ORR_F64 ? ((const double *)data)[i] : (double)((const float *)data)[i];
    orr_program_free(program);
    orr_graph_free(g);
    return result;
}

static void compare(orr_context *const *ctx, const convolution *t, partial which, orr_dtype dtype, double scale) {
    int64_t n, m;
    const bool exact = scale == 1;
    double *expected = run(ctx[0], t, which, dtype, exact ? "ref" : "cpu", scale, &n);
    for (int team = exact ? 0 : 1; team < TEAMS; team++) {
        double *got = run(ctx[team], t, which, dtype, "cpu", scale, &m);
        assert_int_equal(n, m);
        for (int64_t i = 0; i < n; i++)
            if (exact ? expected[i] != got[i] : memcmp(&expected[i], &got[i], sizeof *got) != 0)
                fail_msg("%s, %s in f%d, %d threads: entry %lld of %lld is %.17g, expected %.17g", partial_name[which],
                         t->label, dtype == ORR_F64 ? 64 : 32, teams[team], (long long)i, (long long)n, got[i],
                         expected[i]);
        free(got);
    }
    free(expected);
}

static void run_all(double scale) {
    orr_context *ctx[TEAMS];
    for (int t = 0; t < TEAMS; t++)
        assert_int_equal(orr_context_new(&(orr_context_options){ .threads = teams[t] }, &ctx[t]), ORR_OK);
    for (int i = 0; i < CASES; i++)
        for (int which = 0; which < PARTIALS; which++)
            for (int k = 0; k < 2; k++) compare(ctx, &cases[i], (partial)which, k ? ORR_F64 : ORR_F32, scale);
    for (int t = 0; t < TEAMS; t++) orr_context_free(ctx[t]);
}

static void convolutions_and_their_adjoints_are_those_of_plain_loops(void **state) {
    (void)state;
    run_all(1);
}

static void threads_change_no_bit(void **state) {
    (void)state;
    run_all(0.1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolutions_and_their_adjoints_are_those_of_plain_loops),
        cmocka_unit_test(threads_change_no_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
