#include "testing.h"

#include "theory/infinite_width.h"

/* Golden numbers: sheet limits/infinite-width-kernels, from an independent program.  They have 8 digits behind the point (10 for
 * pair maps), half a unit of which is the limit. */
#define DIGITS 0.51e-8

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

/* ---- pair maps ----------------------------------------------------------------------------------------------------------- */

static void pair_maps_are_the_sheets(void **state) {
    static const struct {
        const char *phi;
        double k12, f, d;
    } golden[] = {
        { "relu", 0.5, .3017237069, .3352347363 },   { "erf", 0.5, .2183758229, .4547284088 },
        { "gelu", 0.5, .2247438079, .3432902534 },   { "tanh", 0.5, .1878372515, .3881205160 },
        { "gelu", -0.5, -.0252561921, .1567097466 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof golden / sizeof golden[0]; i++) {
        const orr_pair got = orr_pair_of(orr_pair_map_find(golden[i].phi), 1.2, golden[i].k12, 0.8);
        assert_close(got.f, golden[i].f, 0.51e-10);
        assert_close(got.d, golden[i].d, 0.51e-10);
    }
}

static const char *const names[] = { "linear", "relu",      "erf",  "erf-scaled", "gelu",
                                     "sin",    "quadratic", "tanh", "silu",       "softplus" };
enum { NAMES = sizeof names / sizeof names[0] };

/* Against the trapezoid rule with fine steps; ReLU's kink leaves 2e-3 there (sheet). */
static void closed_forms_agree_with_quadrature(void **state) {
    static const double pairs[][3] = { { 1.2, 0.5, 0.8 }, { 0.3, -0.29, 0.3 }, { 2.0, 1.9, 2.0 }, { 4.0, 0.0, 0.5 } };
    (void)state;
    for (int i = 0; i < NAMES; i++)
        for (int c = 0; c < 4; c++) {
            const orr_pair_map *map = orr_pair_map_find(names[i]);
            const double k11 = pairs[c][0], k12 = pairs[c][1], k22 = pairs[c][2], h = 0.03;
            double f = 0.0, d = 0.0, total = 0.0;
            for (double z1 = -9.0; z1 <= 9.0; z1 += h)
                for (double z2 = -9.0; z2 <= 9.0; z2 += h) {
                    const double w = exp(-0.5 * (z1 * z1 + z2 * z2)), u = sqrt(k11) * z1,
                                 v = k12 / sqrt(k11) * z1 + sqrt(k22 - k12 * k12 / k11) * z2;
                    f += w * map->phi(u) * map->phi(v);
                    d += w * map->slope(u) * map->slope(v);
                    total += w;
                }
            const orr_pair got = orr_pair_of(map, k11, k12, k22);
            const double limit = strcmp(names[i], "relu") == 0 ? 2e-2 : 1e-11;
            assert_close(got.f, f / total, limit);
            assert_close(got.d, d / total, limit);
        }
}

/* G of x phi'(x) by the same quadrature; ReLU's kink leaves what it leaves. */
static void gains_agree_with_quadrature(void **state) {
    (void)state;
    for (int i = 0; i < NAMES; i++) {
        const orr_pair_map *map = orr_pair_map_find(names[i]);
        const double k11 = 1.2, k12 = 0.5, k22 = 0.8, h = 0.03;
        double g = 0.0, total = 0.0;
        for (double z1 = -9.0; z1 <= 9.0; z1 += h)
            for (double z2 = -9.0; z2 <= 9.0; z2 += h) {
                const double w = exp(-0.5 * (z1 * z1 + z2 * z2)), u = sqrt(k11) * z1,
                             v = k12 / sqrt(k11) * z1 + sqrt(k22 - k12 * k12 / k11) * z2;
                g += w * u * map->slope(u) * v * map->slope(v);
                total += w;
            }
        assert_close(orr_pair_gain(map, k11, k12, k22), g / total, strcmp(names[i], "relu") == 0 ? 2e-2 : 1e-11);
    }
}

static void slopes_are_derivatives(void **state) {
    (void)state;
    for (int i = 0; i < NAMES; i++)
        for (double x = -2.05; x < 2.5; x += 0.5) { /* central differences: h^2 phi''' / 6 */
            const orr_pair_map *map = orr_pair_map_find(names[i]);
            assert_close((map->phi(x + 1e-4) - map->phi(x - 1e-4)) / 2e-4, map->slope(x), 2e-8);
        }
}

/* E phi' phi' = dF/dk12 (Price 1958), which the acos of ReLU and the asin of erf must satisfy too. */
static void d_is_the_derivative_of_f(void **state) {
    (void)state;
    for (int i = 0; i < NAMES; i++) {
        const orr_pair_map *map = orr_pair_map_find(names[i]);
        for (double c = -0.9; c < 0.95; c += 0.3) {
            const double h = 1e-5, up = orr_pair_of(map, 1.3, c + h, 0.9).f, down = orr_pair_of(map, 1.3, c - h, 0.9).f;
            assert_close((up - down) / (2 * h), orr_pair_of(map, 1.3, c, 0.9).d, 1e-8);
        }
    }
}

static void a_pair_of_equals_tends_to_the_diagonal(void **state) {
    (void)state;
    for (int i = 0; i < NAMES; i++)
        for (double k = 0.1; k < 20.0; k *= 3) {
            const orr_pair_map *map = orr_pair_map_find(names[i]);
            const orr_pair same = orr_pair_same(map, k), near = orr_pair_of(map, k, k * (1.0 + 1e-9), k);
            assert_close(near.f, same.f,
                         1e-9 * (1.0 + fabs(same.f))); /* rounding, times the condition of acos near 1 */
            assert_close(near.d, same.d, 1e-7 * (1.0 + fabs(same.d)));
        }
}

static void an_input_of_zeros_has_f_0_and_half_of_the_slopes_of_relu(void **state) {
    (void)state;
    const orr_pair_map *relu = orr_pair_map_find("relu");
    const orr_pair zero = orr_pair_of(relu, 0.0, 0.0, 1.0), same = orr_pair_same(relu, 0.0);
    assert_close(zero.f, 0.0, 0.0);
    assert_close(zero.d, 0.5, 0.0);
    assert_close(same.f, 0.0, 0.0);
    assert_close(same.d, 0.5, 0.0);
    assert_close(orr_pair_of(orr_pair_map_find("tanh"), 0.0, 0.0, 1.0).f, 0.0, 1e-15);
    assert_true(isnan(orr_pair_of(relu, (double)NAN, 0.5, 1.0).f));
    assert_null(orr_pair_map_find("snake"));
}

static double one(double x) { return (void)x, 1.0; }

static void means_agree_with_quadrature(void **state) {
    (void)state;
    for (int i = 0; i < NAMES; i++) {
        const orr_pair_map *map = orr_pair_map_find(names[i]);
        if (strcmp(names[i], "relu") == 0) continue; /* a kink: sqrt(k/(2 pi)) is worked out by hand */
        const orr_pair_map with_one = { "with 1", map->phi, one, NULL, NULL };
        assert_close(orr_pair_mean(map, 1.7), orr_pair_mean(&with_one, 1.7), 1e-13);
    }
}

/* ---- networks -------------------------------------------------------------------------------------------------------------- */

static const double rows[3][4] = { { 1, 0, 2, -1 }, { .5, -1, 1, 1 }, { -1, 2, 0, .5 } };

/* NTK parameterization */
#define LINEAR(sw2, sb2)                                                                                               \
    {                                                                                                                  \
        .kind = ORR_WIDE_LINEAR, .map = { sw2, sb2, sw2, sb2 }                                                         \
    }
#define PHI(name)                                                                                                      \
    { .kind = ORR_WIDE_ACTIVATION, .phi = orr_pair_map_find(name) }
#define END                                                                                                            \
    { .kind = ORR_WIDE_END }

static void go(orr_context *ctx, const orr_wide_inputs *in, bool all, const orr_wide_layer *layers,
               orr_wide_kernels *s) {
    assert_ok(ctx, orr_wide_start(ctx, arena, in, all, s));
    assert_ok(ctx, orr_wide_through(ctx, arena, layers, s));
    assert_int_equal(s->height * s->width, 1);
    for (int64_t i = 0; i < s->inputs; i++)
        for (int64_t j = 0; j < i; j++) {
            assert_true(s->k[i * s->inputs + j] == s->k[j * s->inputs + i]);
            assert_true(s->theta[i * s->inputs + j] == s->theta[j * s->inputs + i]);
        }
}

/* Rows as vectors. */
static void dense(orr_context *ctx, const orr_wide_layer *layers, orr_wide_kernels *s) {
    const orr_wide_inputs in = {
        .x = rows[0], .inputs = 3, .height = 1, .width = 1, .channels = 4, .example = 4, .channel = 1
    };
    go(ctx, &in, true, layers, s);
    orr_wide_kernels own; /* with one position the two forms are the same */
    go(ctx, &in, false, layers, &own);
    for (int i = 0; i < 9; i++) assert_true(own.k[i] == s->k[i] && own.theta[i] == s->theta[i]);
}

/* K00 K01 K12 | T00 T01 T12 */
static void assert_golden(const orr_wide_kernels *s, const double g[6]) {
    const int64_t n = s->inputs;
    const double got[6] = { s->k[0], s->k[1], s->k[n + 2], s->theta[0], s->theta[1], s->theta[n + 2] };
    for (int i = 0; i < 6; i++) assert_close(got[i], g[i], DIGITS);
}

static void dense_networks_are_the_sheets(void **state) {
    static const struct {
        const char *phi;
        double sw2, sb2;
        int layers;
        double golden[6];
    } nets[] = {
        { "relu", 2, .1, 1, { 3.2, 1.31139079, .40048733, 6.3, 1.83823029, .07311901 } },
        { "relu", 2, .1, 3, { 3.4, 1.89996135, 1.44540525, 13, 4.00165992, 2.13720270 } },
        { "erf", 1.5, .05, 3, { .65999330, .26372836, -.06155294, 3.31695549, .81701413, -.51691654 } },
        { "gelu", 1.5, .05, 3, { .81784036, .34336045, .22077115, 3.33822053, .80268652, .29847346 } },
        { "tanh", 1.5, .05, 3, { .50705511, .22422499, -.02634374, 2.24134121, .66010682, -.36176703 } },
        { "linear", 1, .1, 3, { 1.9, .775, -.1, 7, 2.5, -1 } },
    };
    for (size_t i = 0; i < sizeof nets / sizeof nets[0]; i++) {
        orr_wide_layer layers[8] = { LINEAR(nets[i].sw2, nets[i].sb2) };
        orr_wide_kernels s;
        for (int l = 0; l < nets[i].layers; l++) {
            layers[2 * l + 1] = (orr_wide_layer)PHI(nets[i].phi);
            layers[2 * l + 2] = layers[0];
        }
        dense(*state, layers, &s);
        assert_golden(&s, nets[i].golden);
    }
}

static void residual_and_normalised_networks_are_the_sheets(void **state) {
    orr_wide_kernels s;
    const orr_wide_layer map = LINEAR(2, .1), branch[] = { PHI("relu"), map, END },
                         block = { .kind = ORR_WIDE_SUM, .branch = branch, .scale = sqrt(.3) },
                         residual[] = { map, block, block, block, PHI("relu"), map, END };
    dense(*state, residual, &s);
    assert_close(s.k[0], 7.0304, DIGITS);
    assert_close(s.k[1], 3.19492372, DIGITS);
    assert_close(s.theta[0], 18.7083, DIGITS);
    assert_close(s.theta[1], 5.39575409, DIGITS);

    const orr_wide_layer norm = { .kind = ORR_WIDE_NORM }, erf = PHI("erf"), relu = PHI("relu"),
                         before[] = { map, norm, erf, map, norm, erf, map, END },
                         behind[] = { map, relu, norm, map, relu, norm, map, END };
    dense(*state, before, &s);
    assert_close(s.k[0], 1.02911811, DIGITS);
    assert_close(s.k[1], .44674402, DIGITS);
    assert_close(s.theta[0], 3.42815422, DIGITS);
    assert_close(s.theta[1], 1.07791717, DIGITS);
    dense(*state, behind, &s);
    assert_close(s.k[0], 2.1, DIGITS);
    assert_close(s.k[1], .64394258, DIGITS);
    assert_close(s.theta[0], 9.13277858, DIGITS);
    assert_close(s.theta[1], 1.81016286, DIGITS);
}

static void convolutions_are_the_sheets(void **state) {
    const orr_wide_inputs in = {
        .x = rows[0], .inputs = 2, .height = 1, .width = 4, .channels = 1, .example = 4, .position = 1
    };
    const orr_wide_layer convolution = { .kind = ORR_WIDE_CONVOLUTION,
                                         .map = { 2, .1, 2, .1 },
                                         .window = { { 1, 3 }, { 1, 1 }, { 0, 1 }, { 1, 4 }, true } },
                         pool = { .kind = ORR_WIDE_POOL, .window = { { 1, 4 }, { 1, 1 }, { 0, 0 }, { 1, 1 }, false } },
                         flatten = { .kind = ORR_WIDE_FLATTEN }, relu = PHI("relu"), map = LINEAR(2, .1),
                         flat[] = { convolution, relu, convolution, relu, flatten, map, END },
                         pooled[] = { convolution, relu, convolution, relu, pool, map, END };
    orr_wide_kernels s;
    for (int all = 0; all < 2; all++) {
        go(*state, &in, all, flat, &s);
        assert_close(s.k[0], 3.3, DIGITS);
        assert_close(s.k[1], 1.65780420, DIGITS);
        assert_close(s.theta[0], 9.6, DIGITS);
        assert_close(s.theta[1], 2.99584480, DIGITS);
    }
    go(*state, &in, true, pooled, &s);
    assert_close(s.k[0], 2.14974613, DIGITS);
    assert_close(s.k[1], 1.56225980, DIGITS);
    assert_close(s.theta[0], 4.48265516, DIGITS);
    assert_close(s.theta[1], 2.72904227, DIGITS);
}

static void attention_is_the_sheets(void **state) {
    /* tokens are the halves of each row */
    const orr_wide_inputs in = {
        .x = rows[0], .inputs = 3, .height = 1, .width = 2, .channels = 2, .example = 4, .position = 2, .channel = 1
    };
    const orr_wide_layer pool = { .kind = ORR_WIDE_POOL, .window = { { 1, 2 }, { 1, 1 }, { 0, 0 }, { 1, 1 }, false } };
    static const struct {
        orr_wide_zeta zeta;
        bool random;
        double golden[6];
    } kinds[] = {
        { ORR_ZETA_SOFTMAX, false, { 1.83844125, .73463623, -.12546620, 7.15376498, 2.73854494, -.70186479 } },
        { ORR_ZETA_IDENTITY, false, { 10.6625, .93203125, .04433594, 42.45, 3.528125, -.02265625 } },
        { ORR_ZETA_RELU, false, { 10.6625, 1.33046875, -.09628906, 42.45, 5.121875, -.58515625 } },
        { ORR_ZETA_IDENTITY, true, { 10.725, .97890625, -.26328125, 85.2, 7.23125, -2.70625 } },
    };
    orr_wide_kernels s;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const orr_wide_map bare = { 1, 0, 1, 0 };
        const orr_wide_layer layers[] = {
            LINEAR(1, 0),
            { .kind = ORR_WIDE_ATTENTION,
              .attention = { bare, bare, bare, { 1, .1, 1, .1 }, kinds[i].zeta, kinds[i].random, false, 1.0 } },
            pool,
            LINEAR(1, 0),
            END
        };
        go(*state, &in, true, layers, &s);
        assert_golden(&s, kinds[i].golden);
    }
    const orr_wide_layer branch[] = { { .kind = ORR_WIDE_NORM },
                                      { .kind = ORR_WIDE_ATTENTION,
                                        .attention = { .value = { 1, 0, 1, 0 },
                                                       .output = { 1, 0, 1, 0 },
                                                       .score = 2 } },
                                      END },
                         block[] = { LINEAR(1, 0),
                                     { .kind = ORR_WIDE_SUM, .branch = branch, .scale = 1 },
                                     LINEAR(2, .1),
                                     PHI("relu"),
                                     pool,
                                     LINEAR(2, .1),
                                     END };
    static const double golden[6] = { 4.62597193, 2.80201631, 1.24713984, 16.35456048, 7.71030607, 2.00036512 };
    go(*state, &in, true, block, &s);
    assert_golden(&s, golden);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pair_maps_are_the_sheets, setup, teardown),
        cmocka_unit_test_setup_teardown(closed_forms_agree_with_quadrature, setup, teardown),
        cmocka_unit_test_setup_teardown(gains_agree_with_quadrature, setup, teardown),
        cmocka_unit_test_setup_teardown(slopes_are_derivatives, setup, teardown),
        cmocka_unit_test_setup_teardown(d_is_the_derivative_of_f, setup, teardown),
        cmocka_unit_test_setup_teardown(a_pair_of_equals_tends_to_the_diagonal, setup, teardown),
        cmocka_unit_test_setup_teardown(an_input_of_zeros_has_f_0_and_half_of_the_slopes_of_relu, setup, teardown),
        cmocka_unit_test_setup_teardown(means_agree_with_quadrature, setup, teardown),
        cmocka_unit_test_setup_teardown(dense_networks_are_the_sheets, setup, teardown),
        cmocka_unit_test_setup_teardown(residual_and_normalised_networks_are_the_sheets, setup, teardown),
        cmocka_unit_test_setup_teardown(convolutions_are_the_sheets, setup, teardown),
        cmocka_unit_test_setup_teardown(attention_is_the_sheets, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
