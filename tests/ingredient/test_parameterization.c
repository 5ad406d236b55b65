#define _POSIX_C_SOURCE 200809L
#include "testing.h"

#include "ingredient/parameterization.h"
#include "settings.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

enum { D = 10, K = 3, INPUT = 0, BIAS, GAIN, HIDDEN, BRANCH, READOUT, FIXED, TENSORS };

/* One tensor of each class, of a network of width n with L blocks. */
static orr_network network_of(orr_tensor tensor[TENSORS], int64_t n, int64_t depth) {
    tensor[INPUT] = orr_tensor_of("input", ORR_SHAPE(n, D), ORR_ROLE_INPUT, sqrt(2.0 / D));
    tensor[BIAS] = orr_tensor_of("bias", ORR_SHAPE(n), ORR_ROLE_VECTOR, 0.5);
    tensor[GAIN] = orr_tensor_of("gain", ORR_SHAPE(n), ORR_ROLE_VECTOR, 0);
    tensor[GAIN].mean = 1;
    tensor[GAIN].block = true;
    tensor[HIDDEN] = orr_tensor_of("hidden", ORR_SHAPE(n, n), ORR_ROLE_HIDDEN, sqrt(2.0 / (double)n));
    tensor[BRANCH] = tensor[HIDDEN];
    tensor[BRANCH].branch = true;
    tensor[READOUT] = orr_tensor_of("readout", ORR_SHAPE(K, n), ORR_ROLE_READOUT, sqrt(2.0 / (double)n));
    tensor[FIXED] = orr_tensor_of("readout bias", ORR_SHAPE(K), ORR_ROLE_FIXED, 0.5);
    return (orr_network){ .tensors = tensor, .n_tensors = TENSORS, .width = n, .depth = depth };
}

static const orr_parameterization *kind(const char *name) {
    for (int i = 0; orr_parameterization_at(i); i++)
        if (strcmp(orr_parameterization_at(i)->kind.name, name) == 0) return orr_parameterization_at(i);
    fail_msg("no parameterization %s", name);
    return NULL;
}

/* settings_of with the kind's own table */
#define APPLY(name, network, ...)                                                                                      \
    do {                                                                                                               \
        const orr_settings s_ = settings_of(arena, kind(name)->kind.parameters, __VA_ARGS__);                          \
        assert_ok(*state, kind(name)->apply(*state, &s_, &(network)));                                                 \
    } while (0)

/* powers of two and their roots: a few roundings of pow */
#define SAME(got, expected) assert_close(got, expected, 1e-13 * (1 + fabs((double)(expected))))

static void assert_tensor(const orr_tensor *t, double multiplier, double deviation, double gradient, double sign,
                          double epsilon) {
    SAME(t->multiplier, multiplier);
    SAME(t->deviation, deviation);
    SAME(t->rate_gradient, gradient);
    SAME(t->rate_sign, sign);
    SAME(t->epsilon, epsilon);
}

/* Sheet mup-transfer, golden multipliers: n_0 = 64, n = 512. */
static void mup_has_the_golden_multipliers_of_the_sheet(void **state) {
    orr_tensor t[TENSORS];
    orr_network network = network_of(t, 512, 4);
    APPLY("mup", network, "base_width", "64", NULL);
    assert_tensor(&t[HIDDEN], 1, sqrt(2.0 / 512), 1, 0.125, 0.125);
    assert_tensor(&t[INPUT], 1, sqrt(2.0 / D), 8, 1, 0.125);
    assert_tensor(&t[BIAS], 1, 0.5, 8, 1, 0.125);
    assert_tensor(&t[GAIN], 1, 0, 8, 1, 0.125);
    SAME(t[GAIN].mean, 1);
    assert_tensor(&t[READOUT], 0.125, sqrt(2.0 / 64), 8, 1, 0.125);
    assert_tensor(&t[FIXED], 1, 0.5, 1, 1, 1);
}

/* Sheet mup-transfer, unequal widths: d_model x 8, d_ffn x 4.  eps goes as the gradient's entries, 1/r of what a tensor makes. */
static void mup_scales_each_tensor_by_its_own_widths(void **state) {
    static const int64_t widths[2] = { 512, 256 };
    orr_tensor t[4];
    orr_network network = { .tensors = t, .n_tensors = 4, .width = 512, .depth = 1, .widths = widths, .n_widths = 2 };
    t[0] = orr_tensor_of("first", ORR_SHAPE(256, 512), ORR_ROLE_HIDDEN, sqrt(2.0 / 512));
    t[0].width_out = 1;
    t[1] = orr_tensor_of("first bias", ORR_SHAPE(256), ORR_ROLE_VECTOR, 0);
    t[1].width_out = 1;
    t[2] = orr_tensor_of("second", ORR_SHAPE(512, 256), ORR_ROLE_HIDDEN, sqrt(2.0 / 256));
    t[2].width_in = 1;
    t[3] = orr_tensor_of("readout", ORR_SHAPE(K, 512), ORR_ROLE_READOUT, sqrt(2.0 / 512));
    APPLY("mup", network, "base_widths", "64 64", NULL);
    assert_tensor(&t[0], 1, sqrt(2.0 / 512), 0.5, 0.125, 0.25);
    assert_tensor(&t[1], 1, 0, 4, 1, 0.25);
    assert_tensor(&t[2], 1, sqrt(2.0 / 256), 2, 0.25, 0.125);
    assert_tensor(&t[3], 0.125, sqrt(2.0 / 64), 8, 1, 0.125);
    /* coupled decays: 1/rate of the tensor */
    SAME(1 / t[0].rate_gradient, 2);
    SAME(1 / t[0].rate_sign, 8);
    SAME(1 / t[2].rate_gradient, 0.5);
    SAME(1 / t[2].rate_sign, 4);
}

static void base_widths_that_are_not_one_for_each_width_are_refused(void **state) {
    orr_tensor t[TENSORS];
    orr_network network = network_of(t, 512, 4);
    const orr_settings s = settings_of(arena, kind("mup")->kind.parameters, "base_widths", "64 32", NULL);
    assert_int_equal(kind("mup")->apply(*state, &s, &network), ORR_EINPUT);
    assert_non_null(strstr(orr_context_message(*state), "base_widths has 2 numbers; this network has 1 width"));
}

/* Sheet depth-mup-completep, golden multipliers: L_0 = 4, L = 32, n = n_0. */
static void depth_mup_has_the_golden_multipliers_of_the_sheet(void **state) {
    static const struct {
        const char *alpha;
        double branch, sign, gradient;
    } golden[] = { { "1", 0.125, 1, 8 }, { "0.5", 0.35355339059327373, 0.35355339059327373, 1 } };
    for (int i = 0; i < 2; i++) {
        orr_tensor t[TENSORS];
        orr_network network = network_of(t, 64, 32);
        APPLY("depth-mup", network, "base_depth", "4", "branch_exponent", golden[i].alpha, NULL);
        const double deviation = sqrt(2.0 / 64), epsilon = golden[i].branch;
        assert_tensor(&t[BRANCH], golden[i].branch, deviation, golden[i].gradient, golden[i].sign, epsilon);
        assert_tensor(&t[HIDDEN], 1, deviation, golden[i].gradient, golden[i].sign, epsilon);
        assert_tensor(&t[GAIN], 1, 0, golden[i].gradient, golden[i].sign, epsilon);
        assert_tensor(&t[INPUT], 1, sqrt(2.0 / D), 1, 1, 1);
        assert_tensor(&t[READOUT], 1, deviation, 1, 1, 1);
    }
}

/* The combined table: block matrices m^{alpha-1}/r, output r and 1/r. */
static void depth_mup_is_mup_in_the_width(void **state) {
    orr_tensor t[TENSORS];
    orr_network network = network_of(t, 512, 32);
    APPLY("depth-mup", network, "base_width", "64", "base_depth", "4", "branch_exponent", "0.5", NULL);
    assert_tensor(&t[BRANCH], sqrt(0.125), sqrt(2.0 / 512), 1, sqrt(0.125) / 8, sqrt(0.125) / 8);
    assert_tensor(&t[GAIN], 1, 0, 8, sqrt(0.125), sqrt(0.125) / 8);
    assert_tensor(&t[READOUT], 0.125, sqrt(2.0 / 64), 8, 1, 0.125);
    network = network_of(t, 512, 32);
    t[BRANCH].branch = false; /* no residual branch: the depth doesn't matter */
    APPLY("depth-mup", network, "base_width", "64", "base_depth", "4", NULL);
    assert_tensor(&t[HIDDEN], 1, sqrt(2.0 / 512), 1, 0.125, 0.125);
}

static void at_the_base_size_every_scaled_kind_is_the_standard_one(void **state) {
    static const char *const kinds[] = { "standard", "mup", "depth-mup", "mean-field", "abc" };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        orr_tensor t[TENSORS], plain[TENSORS];
        orr_network network = network_of(t, 96, 6);
        (void)network_of(plain, 96, 6);
        if (strcmp(kinds[i], "standard") == 0) APPLY(kinds[i], network, NULL);
        else APPLY(kinds[i], network, "base_width", i % 2 ? "96" : "0", NULL);
        for (int j = 0; j < TENSORS; j++) {
            assert_tensor(&t[j], 1, plain[j].deviation, 1, 1, 1);
            SAME(t[j].mean, plain[j].mean);
        }
    }
}

/* m, s, e and m c, s / c, e / c^2 are one network under rules that follow the gradient: (m s, m^2 e) decides. */
static void assert_equivalent(const orr_tensor *a, const orr_tensor *b) {
    SAME(a->multiplier * a->deviation, b->multiplier * b->deviation);
    SAME(a->multiplier * a->multiplier * a->rate_gradient, b->multiplier * b->multiplier * b->rate_gradient);
    SAME(a->multiplier * a->mean, b->multiplier * b->mean);
}

/* Sheet: muP is a = (-1/2, 0, 1/2), b = 1/2, c = 0; adding t to a, -t to b, -2t to c changes nothing. */
static void abc_with_the_exponents_of_mup_is_mup(void **state) {
    static const char *const shifted[][9] = {
        { "-0.5", "0", "0.5", "0.5", "0.5", "0.5", "0", "0", "0" },
        { "0", "0.5", "1", "0", "0", "0", "-1", "-1", "-1" },
        { "0.25", "0", "2", "-0.25", "0.5", "-1", "-1.5", "0", "-3" },
    };
    orr_tensor mup[TENSORS], t[TENSORS];
    orr_network reference = network_of(mup, 256, 4);
    APPLY("mup", reference, "base_width", "32", NULL);
    for (int i = 0; i < 3; i++) {
        const char *const *e = shifted[i];
        orr_network network = network_of(t, 256, 4);
        APPLY("abc", network, "base_width", "32", "a_input", e[0], "a_hidden", e[1], "a_readout", e[2], "b_input", e[3],
              "b_hidden", e[4], "b_readout", e[5], "c_input", e[6], "c_hidden", e[7], "c_readout", e[8], NULL);
        for (int j = INPUT; j < FIXED; j++) assert_equivalent(&t[j], &mup[j]);
    }
}

/* The same for rules that divide by the gradient: m c, s / c, e / c, eps c. */
static void mean_field_is_mup_with_every_layer_shifted(void **state) {
    orr_tensor mup[TENSORS], t[TENSORS];
    orr_network a = network_of(mup, 256, 4), b = network_of(t, 256, 4);
    APPLY("mup", a, "base_width", "32", NULL);
    APPLY("mean-field", b, "base_width", "32", NULL);
    for (int j = 0; j < TENSORS; j++) {
        assert_equivalent(&t[j], &mup[j]);
        SAME(t[j].multiplier * t[j].rate_sign, mup[j].multiplier * mup[j].rate_sign);
        SAME(t[j].epsilon / t[j].multiplier, mup[j].epsilon / mup[j].multiplier);
    }
    /* f = 1/N sum_i a_i phi, a_i of order one, rate N eta (sheet mean-field-two-layer) */
    b = network_of(t, 100, 1);
    APPLY("mean-field", b, NULL);
    assert_tensor(&t[READOUT], 0.01, sqrt(2.0), 100, 1, 0.01);
    assert_tensor(&t[INPUT], 1, sqrt(2.0 / D), 100, 1, 0.01);
}

/* Sheet infinite-width-kernels: sw / sqrt(fan_in) W, sb b, every W_ij, b_i ~ N(0, 1), one learning rate. */
static void ntk_takes_every_size_out_of_the_weights(void **state) {
    orr_tensor t[TENSORS];
    orr_network network = network_of(t, 128, 4);
    APPLY("ntk", network, NULL);
    assert_tensor(&t[INPUT], sqrt(2.0 / D), 1, 1, 1, 1);
    assert_tensor(&t[HIDDEN], sqrt(2.0 / 128), 1, 1, 1, 1);
    assert_tensor(&t[READOUT], sqrt(2.0 / 128), 1, 1, 1, 1);
    assert_tensor(&t[BIAS], 0.5, 1, 1, 1, 1);
    assert_tensor(&t[FIXED], 0.5, 1, 1, 1, 1);
    assert_tensor(&t[GAIN], 1, 0, 1, 1, 1);
    network = network_of(t, 64, 4);
    t[READOUT].deviation = 0; /* starts at nothing, and still goes as 1/sqrt(fan_in) */
    APPLY("ntk", network, NULL);
    assert_tensor(&t[READOUT], 0.125, 0, 1, 1, 1);
}

static void scales_multiply_the_output_and_what_is_drawn(void **state) {
    for (int i = 0; orr_parameterization_at(i); i++) {
        orr_tensor t[TENSORS], plain[TENSORS];
        orr_network network = network_of(t, 64, 4), reference = network_of(plain, 64, 4);
        const char *name = orr_parameterization_at(i)->kind.name;
        APPLY(name, reference, NULL);
        APPLY(name, network, "output_scale", "100", "initial_scale", "0.25", "readout_scale", "0.5", NULL);
        for (int j = 0; j < TENSORS; j++) {
            SAME(t[j].multiplier, plain[j].multiplier * (j >= READOUT ? 100 : 1));
            SAME(t[j].deviation, plain[j].deviation / (j == READOUT ? 8 : 4));
            SAME(t[j].mean, plain[j].mean);
            SAME(t[j].rate_gradient, plain[j].rate_gradient);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mup_has_the_golden_multipliers_of_the_sheet),
        cmocka_unit_test(mup_scales_each_tensor_by_its_own_widths),
        cmocka_unit_test(base_widths_that_are_not_one_for_each_width_are_refused),
        cmocka_unit_test(depth_mup_has_the_golden_multipliers_of_the_sheet),
        cmocka_unit_test(depth_mup_is_mup_in_the_width),
        cmocka_unit_test(at_the_base_size_every_scaled_kind_is_the_standard_one),
        cmocka_unit_test(abc_with_the_exponents_of_mup_is_mup),
        cmocka_unit_test(mean_field_is_mup_with_every_layer_shifted),
        cmocka_unit_test(ntk_takes_every_size_out_of_the_weights),
        cmocka_unit_test(scales_multiply_the_output_and_what_is_drawn),
    };
    return cmocka_run_group_tests_name("ingredient/parameterization", tests, setup, teardown);
}
