#include "testing.h"

#include "theory/random_feature_similarity.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

enum { N = 300, D = 20, DRAWS = 20000 };

static double *draw(uint64_t seed, int64_t n) {
    double *x = ORR_NEW(arena, double, n);
    assert_non_null(x);
    orr_random_fill_normal((orr_key){ seed, ORR_PURPOSE_TEST, 0 }, 0, n, x);
    return x;
}

static double ratio_of(orr_context *ctx, const char *phi, double sb2, int64_t n, int64_t d, const double *x) {
    const orr_random_features f = { orr_pair_map_find(phi), 1.0, sb2 };
    double ratio;
    assert_ok(ctx,
              orr_random_feature_ratio(ctx, arena, &f, n, d, x, DRAWS, (orr_key){ 1, ORR_PURPOSE_TEST, 1 }, &ratio));
    return ratio;
}

/* Sheet: V/q = 34.95, 35.48, 35.16 for three draws of Z, and CKA(m) = .186, .478, .786, .9361, .9832 of the first. */
static void relu_features_of_normal_inputs_have_the_sheets_ratio(void **state) {
    for (uint64_t seed = 0; seed < 3; seed++) {
        const double ratio = ratio_of(*state, "relu", 0.0, N, D, draw(seed, N * D));
        assert_close(ratio, 35.2, 1.0); /* three times the scatter over draws of Z */
    }
    assert_close(orr_random_feature_cka(34.95, 8), .186, 5e-4);
    assert_close(orr_random_feature_cka(34.95, 32), .478, 5e-4);
    assert_close(orr_random_feature_cka(34.95, 128), .786, 1e-3);
    assert_close(orr_random_feature_cka(34.95, 512), .9361, 1e-4);
    assert_close(orr_random_feature_cka(34.95, 2048), .9832, 1e-4);
    assert_close(orr_random_feature_cka_to_limit(34.95, 8), sqrt(1.0 / (1.0 + 34.95 / 8)), 1e-15);
}

/* A linear feature is Gaussian, N(0, S): E |phi_c|^4 = (tr S)^2 + 2 |S|^2, so V/q = (tr S)^2/|S|^2 + 1.  A bias adds nothing, for it
 * is the same for all inputs. */
static void linear_features_have_the_fourth_moment_of_a_gaussian(void **state) {
    enum { INPUTS = 40, WIDTH = 6 };
    double *x = draw(3, INPUTS * WIDTH), trace = 0.0, square = 0.0, centred[INPUTS][WIDTH];
    for (int j = 0; j < WIDTH; j++) {
        double mean = 0.0;
        for (int i = 0; i < INPUTS; i++) mean += x[i * WIDTH + j] / INPUTS;
        for (int i = 0; i < INPUTS; i++) centred[i][j] = x[i * WIDTH + j] - mean;
    }
    for (int i = 0; i < INPUTS; i++)
        for (int k = 0; k < INPUTS; k++) {
            double dot = 0.0;
            for (int j = 0; j < WIDTH; j++) dot += centred[i][j] * centred[k][j] / WIDTH;
            square += dot * dot;
            if (i == k) trace += dot;
        }
    const double exact = trace * trace / square + 1.0;
    for (int bias = 0; bias < 2; bias++) /* four standard errors of 20000 draws: |phi_c|^4 varies by about its mean */
        assert_close(ratio_of(*state, "linear", bias, INPUTS, WIDTH, x), exact, 4.0 * (exact + 1.0) / sqrt(DRAWS));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(relu_features_of_normal_inputs_have_the_sheets_ratio, setup, teardown),
        cmocka_unit_test_setup_teardown(linear_features_have_the_fourth_moment_of_a_gaussian, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
