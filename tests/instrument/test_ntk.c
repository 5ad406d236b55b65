/* The tangent kernel in blocks of examples, against that of all at once. */
#include <math.h>

#include "instrument/measuring.h"

enum { N = 23, FEATURES = 20, WIDTH = 1000, LAYERS = 4 };

static orr_arena *arena;
static orr_problem problem; /* 24,003 parameters: the Jacobian of an output is 4.2 MiB */

static int setup(void **state) {
    orr_context *ctx;
    int32_t label[N];
    for (int i = 0; i < N; i++) label[i] = (i * i + i / 5) % TOY_CLASSES;
    if (orr_context_new(NULL, &ctx) != ORR_OK || orr_arena_new(ctx, &arena) != ORR_OK) return -1;
    problem = toy_problem_of(ctx, arena, "cross-entropy", ORR_F64, N, label, FEATURES, WIDTH);
    *state = ctx;
    return 0;
}

static int teardown(void **state) {
    orr_arena_free(arena);
    orr_context_free(*state);
    return 0;
}

static double difference(const note_of_array *a, const note_of_array *b) {
    double most = 0.0, scale = 0.0;
    for (int64_t i = 0; i < (int64_t)N * N; i++) {
        most = fmax(most, fabs(a->data[i] - b->data[i]));
        scale = fmax(scale, fabs(b->data[i]));
    }
    return most / scale;
}

/* Blocks of few to half of the examples, those of the last size overlapping; after training too, whose drift is of the same K_0. */
static void blocks_give_the_kernel_of_all_examples_at_once(void **state) {
    static notes whole, blocks;
    measure_with(*state, arena, &problem, "ntk", (const choice[]){ { "gram", 1 }, { "layers", 1 }, { 0 } }, 3, &whole);
    for (int bound = 2; bound <= 5; bound++) {
        measure_with(*state, arena, &problem, "ntk",
                     (const choice[]){ { "gram", 1 }, { "layers", 1 }, { "memory", bound }, { 0 } }, 3, &blocks);
        assert_int_equal(blocks.arrays, 2 * (1 + LAYERS));
        assert_int_equal(blocks.n, whole.n);
        for (int i = 0; i < whole.arrays; i++) assert_true(difference(&blocks.array[i], &whole.array[i]) < 1e-13);
        for (int i = 0; i < whole.n; i++) {
            assert_string_equal(blocks.name[i], whole.name[i]);
            assert_close(blocks.value[i], whole.value[i], 1e-12 * (1.0 + fabs(whole.value[i])));
        }
    }
}

/* <H K H, H Y H> / (|H K H| |H Y H|) with every matrix written out */
static void the_alignment_is_that_of_centred_matrices(void **state) {
    static notes t;
    static double k[N][N], y[N][N];
    double ky = 0.0, kk = 0.0, yy = 0.0;
    measure_with(*state, arena, &problem, "ntk", (const choice[]){ { "gram", 1 }, { 0 } }, 0, &t);
    const double *gram = noted_array(&t, "ntk")->data;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            for (int a = 0; a < N; a++)
                for (int b = 0; b < N; b++) {
                    const double h = ((i == a) - 1.0 / N) * ((j == b) - 1.0 / N);
                    k[i][j] += h * gram[a * N + b];
                    y[i][j] += h * (problem.data.label[a] == problem.data.label[b]);
                }
    for (int i = 0; i < N * N; i++) {
        ky += k[i / N][i % N] * y[i / N][i % N];
        kk += k[i / N][i % N] * k[i / N][i % N];
        yy += y[i / N][i % N] * y[i / N][i % N];
    }
    assert_close(noted(&t, "ntk_alignment"), ky / sqrt(kk * yy), 1e-12);
}

/* Bands of rows are shared out, in one block and in several; sums have an order of their own. */
static void threads_change_no_bit(void **state) {
    enum { MANY = 150 };
    static notes one, three;
    int32_t label[MANY];
    (void)state;
    for (int i = 0; i < MANY; i++) label[i] = (i * i + i / 5) % TOY_CLASSES;
    for (int bound = 2; bound <= 512; bound *= 256) {
        for (int threads = 1; threads <= 3; threads += 2) {
            orr_context *ctx;
            orr_arena *own;
            assert_int_equal(orr_context_new(&(orr_context_options){ .threads = threads }, &ctx), ORR_OK);
            assert_ok(ctx, orr_arena_new(ctx, &own));
            const orr_problem many = toy_problem_of(ctx, own, "cross-entropy", ORR_F64, MANY, label, FEATURES, 200);
            measure_with(ctx, own, &many, "ntk", (const choice[]){ { "memory", bound }, { "layers", 1 }, { 0 } }, 3,
                         threads == 1 ? &one : &three);
            orr_arena_free(own);
            orr_context_free(ctx);
        }
        assert_int_equal(one.n, three.n);
        assert_memory_equal(one.value, three.value, (size_t)one.n * sizeof one.value[0]);
    }
}

static void a_bound_below_two_examples_is_refused(void **state) {
    const int32_t label[] = { 0, 1, 2, 0 };
    const orr_problem wide = toy_problem_of(*state, arena, "mse", ORR_F64, 4, label, FEATURES, 20000);
    const orr_instrument *ntk = instrument_called("ntk");
    const orr_settings settings = choose(arena, ntk, (const choice[]){ { "memory", 1 }, { 0 } });
    orr_training *t = start_training(*state, arena, &wide);
    const orr_subject subject = orr_training_subject(t);
    void *self;
    assert_int_equal(ntk->open(*state, &settings, &subject, &self), ORR_EINPUT);
    assert_null(self);
    assert_non_null(strstr(orr_context_message(*state), "memory"));
    orr_context_clear(*state);
    orr_training_free(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_give_the_kernel_of_all_examples_at_once),
        cmocka_unit_test(the_alignment_is_that_of_centred_matrices),
        cmocka_unit_test(threads_change_no_bit),
        cmocka_unit_test(a_bound_below_two_examples_is_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
