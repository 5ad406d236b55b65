#define _POSIX_C_SOURCE 200809L
#include "testing.h"

#include <stdio.h>
#include <unistd.h>

#include "base/file/npz.h"
#include "base/file/safetensors.h"
#include "base/random.h"
#include "ingredient/initial/initial.h"
#include "numeric/dense.h"
#include "settings.h"

static orr_arena *arena, *scratch;

static int setup(void **state) {
    return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK || orr_arena_new(*state, &scratch) != ORR_OK
               ? -1
               : 0;
}
static int teardown(void **state) {
    orr_arena_free(scratch);
    orr_arena_free(arena);
    return context_teardown(state);
}

static const orr_initial *kind(const char *name) {
    for (int i = 0; orr_initial_at(i); i++)
        if (strcmp(orr_initial_at(i)->kind.name, name) == 0) return orr_initial_at(i);
    fail_msg("no initial %s", name);
    return NULL;
}

/* A chain 5 - 4 - 6 - 3 of matrices, a bias behind the first; the last is seen halved. */
enum { MATRICES = 3, TENSORS = 4, NUMBERS = 20 + 4 + 24 + 18 };
static const int64_t width[] = { 5, 4, 6, 3 };
static const int64_t offset[] = { 0, 24, 48 }; /* of the matrices in w */

static orr_network network_of(orr_tensor t[TENSORS]) {
    t[0] = orr_tensor_of("layer1.weight", ORR_SHAPE(4, 5), ORR_ROLE_INPUT, 0.5);
    t[1] = orr_tensor_of("layer1.bias", ORR_SHAPE(4), ORR_ROLE_VECTOR, 0.25);
    t[1].mean = 1.0;
    t[2] = orr_tensor_of("layer2.weight", ORR_SHAPE(6, 4), ORR_ROLE_HIDDEN, 0.5);
    t[3] = orr_tensor_of("layer3.weight", ORR_SHAPE(3, 6), ORR_ROLE_READOUT, 0.5);
    t[3].multiplier = 0.5;
    return (orr_network){ .tensors = t, .n_tensors = TENSORS, .width = 6, .depth = 2 };
}

#define DRAW(name, seed, w, ...)                                                                                       \
    do {                                                                                                               \
        orr_tensor t_[TENSORS];                                                                                        \
        const orr_network network_ = network_of(t_);                                                                   \
        const orr_settings s_ = settings_of(arena, kind(name)->kind.parameters, __VA_ARGS__);                          \
        assert_ok(*state, kind(name)->draw(*state, scratch, &s_, &network_, NULL, seed, w));                           \
    } while (0)

/* W_3 W_2 W_1 as the network sees it, 3 x 5, and its singular values. */
static void singular_values_of_the_product(orr_context *ctx, const double *w, orr_svd *svd) {
    double a[6 * 5], b[3 * 5];
    orr_dense_multiply(6, 5, 4, w + offset[1], false, w, false, a);
    orr_dense_multiply(3, 5, 6, w + offset[2], false, a, false, b);
    for (int i = 0; i < 15; i++) b[i] *= 0.5;
    assert_ok(ctx, orr_svd_thin(ctx, arena, scratch, 3, 5, b, svd));
}

static void normal_is_mean_plus_deviation_times_the_stream_of_the_name(void **state) {
    double w[NUMBERS], z[4];
    DRAW("normal", 7, w, NULL);
    orr_random_fill_normal((orr_key){ .seed = 7, .purpose = orr_purpose_of("layer1.bias") }, 0, 4, z);
    for (int i = 0; i < 4; i++) assert_true(w[20 + i] == 1.0 + 0.25 * z[i]);
    orr_random_fill_normal((orr_key){ .seed = 7, .purpose = orr_purpose_of("layer3.weight") }, 0, 4, z);
    for (int i = 0; i < 4; i++) assert_true(w[offset[2] + i] == 0.5 * z[i]);
}

static void the_first_kind_is_normal_and_a_seed_gives_the_same_numbers(void **state) {
    static const char *const kinds[] = { "normal", "orthogonal", "balanced" };
    assert_string_equal(orr_initial_at(0)->kind.name, "normal");
    for (int i = 0; i < 3; i++) {
        double w[NUMBERS], again[NUMBERS], other[NUMBERS];
        DRAW(kinds[i], 3, w, NULL);
        DRAW(kinds[i], 3, again, NULL);
        DRAW(kinds[i], 4, other, NULL);
        assert_memory_equal(w, again, sizeof w);
        for (int j = 0; j < NUMBERS; j++) assert_true(w[j] != other[j]);
    }
}

static void orthogonal_layers_have_one_singular_value(void **state) {
    double w[NUMBERS];
    orr_svd svd;
    for (int given = 0; given < 2; given++) {
        if (given) DRAW("orthogonal", 1, w, "scale", "1.5", NULL);
        else DRAW("orthogonal", 1, w, NULL);
        for (int l = 0; l < MATRICES; l++) {
            const int64_t m = width[l + 1], n = width[l];
            const double expected = !given ? 0.5 * sqrt((double)(m > n ? m : n)) : l == 2 ? 3.0 : 1.5;
            assert_ok(*state, orr_svd_thin(*state, arena, scratch, m, n, w + offset[l], &svd));
            for (int64_t k = 0; k < svd.k; k++) assert_close(svd.s[k], expected, 1e-14); /* rounding of an SVD */
        }
    }
}

/* Entries of a uniform rotation: mean 0, variance 1/n, and so for a corner, where a wrong sign of a QR would show. */
static void orthogonal_matrices_are_uniform(void **state) {
    enum { N = 3, DRAWS = 4000 };
    double q[N * N], first = 0, square = 0, trace = 0;
    for (uint64_t seed = 0; seed < DRAWS; seed++) {
        assert_ok(*state, orr_initial_haar(*state, scratch, N, N, seed, "q", q));
        first += q[0];
        square += q[0] * q[0];
        trace += q[0] + q[4] + q[8];
    }
    /* deviations of one draw: sqrt(1/3), sqrt(E q^4 - 1/9) = 0.30, and of the trace 1 (Haar); four of the mean's */
    assert_close(first / DRAWS, 0.0, 4 * 0.58 / sqrt(DRAWS));
    assert_close(square / DRAWS, 1.0 / N, 4 * 0.30 / sqrt(DRAWS));
    assert_close(trace / DRAWS, 0.0, 4 / sqrt(DRAWS));
}

static void balanced_layers_are_balanced_and_their_product_has_the_strengths(void **state) {
    static const char *const frames[] = { "random", "axes", "ends" };
    for (int f = 0; f < 3; f++) {
        double w[NUMBERS];
        orr_svd svd;
        DRAW("balanced", 5, w, "strength", "2 0.5 0.125", "frames", frames[f], NULL);
        singular_values_of_the_product(*state, w, &svd);
        assert_close(svd.s[0], 2.0, 1e-14); /* rounding */
        assert_close(svd.s[1], 0.5, 1e-14);
        assert_close(svd.s[2], 0.125, 1e-14);
        if (f) assert_close(fabs(svd.vt[0]), 1.0, 1e-14);       /* the first mode reads the first input */
        if (f == 2) assert_true(fabs(w[0]) < 0.99 * cbrt(2.0)); /* and not on the first unit, as with axes */
        for (int l = 0; l + 1 < MATRICES; l++) {                /* W_{l+1}' W_{l+1} = W_l W_l' */
            const int64_t h = width[l + 1];
            double above[36], below[36];
            const double seen = l + 1 == 2 ? 0.25 : 1.0; /* the multiplier squared */
            orr_dense_multiply(h, h, width[l + 2], w + offset[l + 1], true, w + offset[l + 1], false, above);
            orr_dense_multiply(h, h, width[l], w + offset[l], false, w + offset[l], true, below);
            for (int64_t i = 0; i < h * h; i++) assert_close(above[i] * seen, below[i], 1e-14);
        }
    }
}

static void one_strength_is_that_of_every_mode(void **state) {
    double w[NUMBERS];
    orr_svd svd;
    DRAW("balanced", 5, w, NULL);
    singular_values_of_the_product(*state, w, &svd);
    for (int k = 0; k < 3; k++) assert_close(svd.s[k], 1e-3, 1e-17);
}

/* Sheet lambda-balanced-exact-dynamics. */
static void lambda_is_what_the_two_layers_differ_by(void **state) {
    static const char *const lambdas[] = { "3", "-0.7", "0" };
    const double value[] = { 3, -0.7, 0 };
    for (int i = 0; i < 3; i++) {
        orr_tensor t[2] = { orr_tensor_of("a", ORR_SHAPE(3, 5), ORR_ROLE_INPUT, 1),
                            orr_tensor_of("b", ORR_SHAPE(4, 3), ORR_ROLE_READOUT, 1) };
        const orr_network network = { .tensors = t, .n_tensors = 2, .width = 3, .depth = 1 };
        const orr_settings s =
            settings_of(arena, kind("balanced")->kind.parameters, "lambda", lambdas[i], "strength", "0.25", NULL);
        double w[27], w1[9], w2[9], product[20];
        orr_svd svd;
        assert_ok(*state, kind("balanced")->draw(*state, scratch, &s, &network, NULL, 1, w));
        orr_dense_multiply(3, 3, 5, w, false, w, true, w1);
        orr_dense_multiply(3, 3, 4, w + 15, true, w + 15, false, w2);
        for (int j = 0; j < 9; j++) assert_close(w2[j] - w1[j], j % 4 == 0 ? value[i] : 0, 1e-14);
        orr_dense_multiply(4, 5, 3, w + 15, false, w, false, product);
        assert_ok(*state, orr_svd_thin(*state, arena, scratch, 4, 5, product, &svd));
        for (int k = 0; k < 3; k++) assert_close(svd.s[k], 0.25, 1e-14);
        assert_close(svd.s[3], 0.0, 1e-14);
    }
}

static void balanced_says_what_it_cannot_start(void **state) {
    orr_tensor t[TENSORS];
    double w[NUMBERS];
    orr_network network = network_of(t);
    const orr_parameter *table = kind("balanced")->kind.parameters;
    orr_settings s = settings_of(arena, table, "strength", "1 1 1 1", NULL);
    assert_int_equal(kind("balanced")->draw(*state, scratch, &s, &network, NULL, 1, w), ORR_EINPUT);
    assert_string_equal(orr_context_message(*state),
                        "initial balanced: strength: expected 1 to 3 values, the narrowest layer; got 4");
    orr_context_clear(*state);
    s = settings_of(arena, table, "lambda", "1", NULL);
    assert_int_equal(kind("balanced")->draw(*state, scratch, &s, &network, NULL, 1, w), ORR_EINPUT);
    assert_string_equal(orr_context_message(*state),
                        "initial balanced: lambda: needs two layers whose hidden width (4) is at most the inputs and "
                        "outputs, with a strength for each unit; got 3 layers, 3 modes");
    orr_context_clear(*state);
    s = settings_of(arena, table, NULL);
    t[2].shape.size[1] = 3;
    assert_int_equal(kind("balanced")->draw(*state, scratch, &s, &network, NULL, 1, w), ORR_EINPUT);
    assert_string_equal(
        orr_context_message(*state),
        "initial balanced: starts networks whose matrices are one chain, each reading what the one before "
        "it wrote; this one's are not");
    orr_context_clear(*state);
}

static void identity_is_scale_on_the_diagonal_and_noise(void **state) {
    double w[NUMBERS], noisy[NUMBERS], normal[NUMBERS];
    DRAW("identity", 2, w, "scale", "3", NULL);
    DRAW("identity", 2, noisy, "scale", "3", "noise", "0.5", NULL);
    DRAW("normal", 2, normal, NULL);
    for (int l = 0; l < MATRICES; l++)
        for (int64_t i = 0; i < width[l + 1]; i++)
            for (int64_t j = 0; j < width[l]; j++) {
                const int64_t at = offset[l] + i * width[l] + j;
                assert_true(w[at] == (i == j ? l == 2 ? 6 : 3 : 0)); /* the last is seen halved */
                assert_close(noisy[at], w[at] + 0.5 * normal[at], 1e-15);
            }
    for (int i = 20; i < 24; i++) assert_true(w[i] == normal[i]); /* the bias */
}

/* ---- files --------------------------------------------------------------------------------------------------------- */

static char path[64];

static orr_array array_of(orr_context *ctx, const char *name, orr_dtype dtype, orr_shape shape, double first) {
    orr_array a;
    assert_ok(ctx, orr_array_new(ctx, arena, name, dtype, shape, &a));
    for (int64_t i = 0; i < orr_shape_count(&shape); i++)
        if (dtype == ORR_F64) ((double *)a.data)[i] = first + (double)i / 8;
        else if (dtype == ORR_F32) ((float *)a.data)[i] = (float)(first + (double)i / 8);
    return a;
}

static void write_arrays(orr_context *ctx, orr_array *item, int n, bool npz) {
    const orr_arrays arrays = { item, n };
    (void)snprintf(path, sizeof path, "/tmp/orrery-initial-%ld.%s", (long)getpid(), npz ? "npz" : "safetensors");
    if (npz) assert_ok(ctx, orr_npz_write(ctx, path, &arrays, true));
    else assert_ok(ctx, orr_safetensors_write(ctx, path, &arrays));
}

/* The teacher's units on the first of the network's, as the network sees them; where the teacher ends, noise alone. */
static void planted_is_the_teachers_weights_and_noise(void **state) {
    double first[2 * 5], third[3 * 2], w[NUMBERS], z[NUMBERS];
    orr_array facts[] = { { "teacher.0.weight", ORR_F64, ORR_SHAPE(2, 5), first },
                          { "teacher.2.weight", ORR_F64, ORR_SHAPE(3, 2), third } };
    const orr_dataset data = { .facts = { facts, 2 } };
    orr_tensor t[TENSORS];
    const orr_network network = network_of(t);
    const orr_settings s = settings_of(arena, kind("planted")->kind.parameters, "overlap", "3", "noise", "0.5", NULL);
    for (int i = 0; i < 10; i++) first[i] = i + 1;
    for (int i = 0; i < 6; i++) third[i] = i + 1;
    assert_ok(*state, kind("planted")->draw(*state, scratch, &s, &network, &data, 7, w));
    DRAW("normal", 7, z, NULL);
    for (int i = 0; i < 20; i++) assert_true(w[i] == 0.5 * z[i] + (i < 10 ? 3.0 * first[i] : 0.0));
    for (int i = 20; i < 24; i++) assert_true(w[i] == z[i]); /* a vector starts as it would */
    for (int i = 24; i < 48; i++) assert_true(w[i] == 0.5 * z[i]);
    for (int i = 0; i < 18; i++) /* 3 x 6, halved: rows of 3 x 2 at their beginnings */
        assert_true(w[48 + i] == 0.5 * z[48 + i] + (i % 6 < 2 ? 6.0 * third[i / 6 * 2 + i % 6] : 0.0));
    assert_int_equal(kind("planted")->draw(*state, scratch, &s, &network, NULL, 7, w), ORR_EINPUT);
    assert_non_null(strstr(orr_context_message(*state), "made by no teacher"));
    orr_context_clear(*state);
}

static void weights_of_a_file_are_taken_by_name(void **state) {
    for (int npz = 0; npz < 2; npz++) {
        orr_array item[] = { array_of(*state, "layer3.weight", ORR_F64, ORR_SHAPE(3, 6), 300),
                             array_of(*state, "layer1.bias", ORR_F32, ORR_SHAPE(4), 100),
                             array_of(*state, "layer2.weight", ORR_F64, ORR_SHAPE(6, 4), 200),
                             array_of(*state, "layer1.weight", ORR_F32, ORR_SHAPE(4, 5), 10) };
        double w[NUMBERS];
        write_arrays(*state, item, 4, npz);
        DRAW("file", 0, w, "path", path, NULL);
        for (int i = 0; i < 20; i++) assert_true(w[i] == 10 + i / 8.0);
        for (int i = 0; i < 4; i++) assert_true(w[20 + i] == 100 + i / 8.0);
        for (int i = 0; i < 24; i++) assert_true(w[24 + i] == 200 + i / 8.0);
        for (int i = 0; i < 18; i++) assert_true(w[48 + i] == 300 + i / 8.0);
        (void)unlink(path);
    }
}

static void all_mistakes_of_a_file_stand_in_one_message(void **state) {
    orr_array item[] = { array_of(*state, "layer3.weight", ORR_F64, ORR_SHAPE(6, 3), 0),
                         array_of(*state, "layer1.bais", ORR_F64, ORR_SHAPE(4), 0),
                         array_of(*state, "layer2.weight", ORR_F64, ORR_SHAPE(6, 4), 0),
                         array_of(*state, "epoch", ORR_F64, ORR_SCALAR, 0),
                         array_of(*state, "layer1.weight", ORR_BOOL, ORR_SHAPE(4, 5), 0) };
    orr_tensor t[TENSORS];
    const orr_network network = network_of(t);
    double w[NUMBERS];
    char expected[1024];
    ((double *)item[2].data)[5] = (double)NAN;
    write_arrays(*state, item, 5, true);
    const orr_settings s = settings_of(arena, kind("file")->kind.parameters, "path", path, NULL);
    assert_int_equal(kind("file")->draw(*state, scratch, &s, &network, NULL, 0, w), ORR_EINPUT);
    (void)snprintf(expected, sizeof expected,
                   "%s: 6 mistakes: layer1.weight holds truth values, expected numbers; no array layer1.bias (did you "
                   "mean layer1.bais?); layer2.weight holds nan at element 5; layer3.weight has the shape [6, 3], "
                   "expected [3, 6]; the network has no tensor layer1.bais; the network has no tensor epoch",
                   path);
    assert_string_equal(orr_context_message(*state), expected);
    orr_context_clear(*state);
    (void)unlink(path);
}

static void a_file_of_another_kind_is_refused(void **state) {
    static const struct {
        const char *path, *message;
        orr_status status;
    } bad[] = { { "weights.pt", "initial file: expected a path that ends with .npz or .safetensors, got weights.pt",
                  ORR_EINPUT },
                { "/nowhere/weights.npz", "/nowhere/weights.npz", ORR_EINPUT } };
    for (int i = 0; i < 2; i++) {
        orr_tensor t[TENSORS];
        const orr_network network = network_of(t);
        double w[NUMBERS];
        const orr_settings s = settings_of(arena, kind("file")->kind.parameters, "path", bad[i].path, NULL);
        assert_int_equal(kind("file")->draw(*state, scratch, &s, &network, NULL, 0, w), bad[i].status);
        assert_non_null(strstr(orr_context_message(*state), bad[i].message));
        orr_context_clear(*state);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(normal_is_mean_plus_deviation_times_the_stream_of_the_name),
        cmocka_unit_test(the_first_kind_is_normal_and_a_seed_gives_the_same_numbers),
        cmocka_unit_test(orthogonal_layers_have_one_singular_value),
        cmocka_unit_test(orthogonal_matrices_are_uniform),
        cmocka_unit_test(balanced_layers_are_balanced_and_their_product_has_the_strengths),
        cmocka_unit_test(one_strength_is_that_of_every_mode),
        cmocka_unit_test(lambda_is_what_the_two_layers_differ_by),
        cmocka_unit_test(balanced_says_what_it_cannot_start),
        cmocka_unit_test(identity_is_scale_on_the_diagonal_and_noise),
        cmocka_unit_test(planted_is_the_teachers_weights_and_noise),
        cmocka_unit_test(weights_of_a_file_are_taken_by_name),
        cmocka_unit_test(all_mistakes_of_a_file_stand_in_one_message),
        cmocka_unit_test(a_file_of_another_kind_is_refused),
    };
    return cmocka_run_group_tests_name("ingredient/initial", tests, setup, teardown);
}
