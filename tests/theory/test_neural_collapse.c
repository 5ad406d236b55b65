#include "testing.h"

#include "numeric/minimise.h"
#include "theory/neural_collapse.h"

/* Sheet neural-collapse, Agreement (a): closed form to 12 digits. */
static void the_optimum_has_the_golden_values_of_the_sheet(void **state) {
    (void)state;
    static const struct {
        int64_t classes, n;
        double lw, lh, f, m, w, h;
    } golden[] = {
        { 4, 10, 1e-2, 1e-3, .167700536840, 4.574710978503, 1.852304843668, 1.852304843668 },
        { 10, 20, 5e-3, 5e-5, .142741976332, 6.082706452467, 1.564685949538, 3.498744146605 },
        { 3, 50, 1e-3, 1e-4, .031755729188, 6.098554156895, 3.015159659596, 1.348420392374 },
        { 10, 100, 5e-4, 1e-5, .052509934164, 7.247944571906, 3.037289476100, 2.147687984977 },
        { 10, 100, 5e-3, 5e-6, .105908, 6.43528, 1.35333, 4.27962 },
    };
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
        const orr_collapse c = orr_collapse_optimum(golden[i].classes, golden[i].n, golden[i].lw, golden[i].lh);
        const double digits = i < 4 ? 1e-12 : 1e-5; /* as many as are printed */
        assert_false(c.zero);
        assert_close(c.objective, golden[i].f, digits);
        assert_close(c.margin, golden[i].m, digits);
        assert_close(c.readout_norm, golden[i].w, digits);
        assert_close(c.feature_norm, golden[i].h, digits);
    }
}

/* K = 4, n = 10, lw = .1: c = .7494 and .7506, on either side of (K-1)/K. */
static void past_the_transition_everything_is_zero(void **state) {
    (void)state;
    const orr_collapse before = orr_collapse_optimum(4, 10, 0.1, 0.0624),
                       after = orr_collapse_optimum(4, 10, 0.1, 0.0626);
    assert_false(before.zero);
    assert_close(before.c, 0.7494, 5e-5);
    assert_close(before.objective, 1.3862934008630, 1e-12);
    assert_true(after.zero);
    assert_close(after.objective, 1.3862943611199, 1e-12);
    assert_close(after.readout_norm + after.feature_norm + after.margin, 0, 0);
}

/* ---- the same by descent in W, H, b themselves ----------------------------------------------------------------------------- */

enum { K = 4, PER_CLASS = 10, N = K * PER_CLASS, D = 8, ALL = K * D + N * D + K };
static const double lw = 1e-2, lh = 1e-3;

static orr_status free_features(void *self, const double *x, double *f, double *gradient) {
    const double *w = x, *h = x + K * D, *b = h + N * D;
    double *gw = gradient, *gh = gradient + K * D, *gb = gh + N * D;
    (void)self;
    *f = 0;
    for (int j = 0; j < K * D; j++) *f += lw / 2 * w[j] * w[j], gw[j] = lw * w[j];
    for (int j = 0; j < N * D; j++) *f += lh / 2 * h[j] * h[j], gh[j] = lh * h[j];
    for (int k = 0; k < K; k++) gb[k] = 0;
    for (int i = 0; i < N; i++) {
        double z[K], sum = 0;
        for (int k = 0; k < K; k++) {
            z[k] = b[k];
            for (int j = 0; j < D; j++) z[k] += w[k * D + j] * h[i * D + j];
            sum += exp(z[k]);
        }
        *f += (log(sum) - z[i % K]) / N;
        for (int k = 0; k < K; k++) {
            const double delta = (exp(z[k]) / sum - (k == i % K)) / N;
            gb[k] += delta;
            for (int j = 0; j < D; j++) {
                gw[k * D + j] += delta * h[i * D + j];
                gh[i * D + j] += delta * w[k * D + j];
            }
        }
    }
    return ORR_OK;
}

static void descent_in_free_features_ends_at_the_closed_form(void **state) {
    orr_context *ctx = *state;
    orr_arena *arena;
    double x[ALL];
    orr_minimised out;
    assert_ok(ctx, orr_arena_new(ctx, &arena));
    for (int i = 0; i < ALL; i++)
        x[i] = 0.1 * sin(12.9898 * i + 0.3) * cos(78.233 * i * i); /* of order .1, no pattern */
    const orr_objective objective = { .n = ALL, .evaluate = free_features };
    assert_ok(ctx, orr_minimise_lbfgs(ctx, arena, &objective,
                                      &(orr_minimise_options){ .tolerance = 1e-10, .memory = 30 }, x, &out));
    const orr_collapse want = orr_collapse_optimum(K, PER_CLASS, lw, lh);
    assert_close(out.f, want.objective, 1e-9); /* gradient squared over the smallest curvature */
    double norm = 0;
    for (int j = 0; j < D; j++) norm += x[K * D + j] * x[K * D + j];
    assert_close(sqrt(norm), want.feature_norm, 1e-4); /* the sheet's tolerance for norms */
    orr_arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_optimum_has_the_golden_values_of_the_sheet),
        cmocka_unit_test(past_the_transition_everything_is_zero),
        cmocka_unit_test(descent_in_free_features_ends_at_the_closed_form),
    };
    return cmocka_run_group_tests_name("theory/neural_collapse", tests, context_setup, context_teardown);
}
