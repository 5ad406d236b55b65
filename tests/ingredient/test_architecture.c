#define _POSIX_C_SOURCE 200809L
#include "testing.h"

#include "ingredient/architecture/architecture.h"
#include "settings.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

/* Inputs, weights and loss by the formulas of make_architectures.py. */
enum { N = 4, D = 5, WORDS = 16, OUTPUTS = 12, TENSORS = 24 };

static const struct golden {
    const char *kind, *settings[WORDS];
    int64_t outputs;
    double output[OUTPUTS];
    int n_tensors;
    struct {
        const char *name;
        int64_t n;
        double along[2];
    } tensor[TENSORS];
} goldens[] = {
#include "architectures.def"
};

static const orr_architecture *kind(const char *name) {
    for (int i = 0; orr_architecture_at(i); i++)
        if (strcmp(orr_architecture_at(i)->kind.name, name) == 0) return orr_architecture_at(i);
    fail_msg("no architecture %s", name);
    return NULL;
}

static orr_settings settings(const char *name, const char *const words[WORDS]) {
    const orr_parameter *table = kind(name)->kind.parameters;
    orr_value *value = orr_parameter_fallbacks(arena, table);
    assert_non_null(value);
    for (int i = 0; words[i]; i += 2) {
        const orr_settings one = settings_of(arena, table, words[i], words[i + 1], NULL);
        const int at = orr_parameter_find(table, words[i]);
        value[at] = one.value[at];
    }
    return (orr_settings){ table, value };
}

typedef struct example_net {
    orr_signature signature;
    orr_network network;
    orr_graph *g;
    orr_program *program;
    orr_node x, parameter[TENSORS], output, gradient[TENSORS];
    orr_taps taps;
} example_net;

static void open_net(orr_context *ctx, const char *name, const orr_settings *s, orr_shape input, int64_t outputs,
                     example_net *out) {
    *out = (example_net){ .signature = { .input = input, .outputs = outputs } };
    assert_ok(ctx, kind(name)->declare(ctx, arena, s, &out->signature, &out->network));
    assert_true(out->network.n_tensors <= TENSORS);
    assert_ok(ctx, orr_graph_new(ctx, &out->g));
    for (int64_t t = 0; t < out->network.n_tensors; t++)
        out->parameter[t] = orr_input(out->g, out->network.tensors[t].name, ORR_F64, out->network.tensors[t].shape);
    orr_shape batch = { .rank = input.rank + 1, .size = { N } };
    for (int32_t i = 0; i < input.rank; i++) batch.size[i + 1] = input.size[i];
    out->x = orr_input(out->g, "x", ORR_F64, batch);
    out->output = kind(name)->forward(out->g, s, &out->signature, out->parameter, out->x, &out->taps);
    double along[OUTPUTS];
    for (int64_t i = 0; i < N * outputs; i++) along[i] = sin(0.7 * (double)i + 0.2);
    const orr_node loss =
        orr_sum_all(out->g, orr_mul(out->g, out->output, orr_literal(out->g, ORR_F64, ORR_SHAPE(N, outputs), along)));
    orr_grad(out->g, loss, out->parameter, (int32_t)out->network.n_tensors, out->gradient);
    orr_node outputs_of[TENSORS + 1] = { out->output };
    for (int64_t t = 0; t < out->network.n_tensors; t++) outputs_of[t + 1] = out->gradient[t];
    const orr_compile_options options = { .outputs = outputs_of, .n_outputs = (int32_t)out->network.n_tensors + 1 };
    assert_ok(ctx, orr_compile(ctx, out->g, &options, &out->program));
    double *x = orr_program_data(out->program, out->x);
    for (int i = 0; i < N * D; i++) x[i] = 1.2 * sin(1.1 * i + 0.3);
    for (int64_t t = 0; t < out->network.n_tensors; t++) {
        const orr_tensor *tensor = &out->network.tensors[t];
        double *w = orr_program_data(out->program, out->parameter[t]);
        for (int64_t i = 0; w && i < orr_shape_count(&tensor->shape); i++)
            w[i] = tensor->mean + 0.8 * sin(0.9 * (double)i + 1.7 * (double)t + 0.5);
    }
    assert_ok(ctx, orr_program_run(out->program));
}

static void close_net(example_net *n) {
    orr_program_free(n->program);
    orr_graph_free(n->g);
}

static void outputs_and_gradients_are_those_of_pytorch(void **state) {
    for (size_t i = 0; i < sizeof goldens / sizeof *goldens; i++) {
        const struct golden *want = &goldens[i];
        const orr_settings s = settings(want->kind, want->settings);
        example_net n;
        open_net(*state, want->kind, &s, ORR_SHAPE(D), want->outputs, &n);
        assert_int_equal(n.network.n_tensors, want->n_tensors);
        const double *f = orr_program_data(n.program, n.output);
        /* hundreds of roundings at most, of numbers up to some thousands (quadratic) */
        for (int64_t j = 0; j < N * want->outputs; j++)
            assert_close(f[j], want->output[j], 1e-12 * (1 + fabs(want->output[j])));
        for (int t = 0; t < want->n_tensors; t++) {
            const double *gradient = orr_program_data(n.program, n.gradient[t]);
            double sum = 0.0, wave = 0.0, size = 1.0;
            assert_string_equal(n.network.tensors[t].name, want->tensor[t].name);
            assert_int_equal(orr_shape_count(&n.network.tensors[t].shape), want->tensor[t].n);
            for (int64_t j = 0; j < want->tensor[t].n; j++) {
                sum += gradient[j];
                wave += gradient[j] * sin(1.3 * (double)j + 0.1);
                size += fabs(gradient[j]);
            }
            assert_close(sum, want->tensor[t].along[0], 1e-12 * size);
            assert_close(wave, want->tensor[t].along[1], 1e-12 * size);
        }
        close_net(&n);
    }
}

/* The same numbers as an image of 1 x 5 x 1. */
static void inputs_of_several_axes_are_flattened(void **state) {
    for (int i = 0; i < 5; i++) {
        const char *name = orr_architecture_at(i)->kind.name;
        const orr_settings s = settings_of(arena, orr_architecture_at(i)->kind.parameters, NULL);
        example_net flat, image;
        open_net(*state, name, &s, ORR_SHAPE(D), 1, &flat);
        open_net(*state, name, &s, ORR_SHAPE(1, D, 1), 1, &image);
        assert_memory_equal(orr_program_data(flat.program, flat.output), orr_program_data(image.program, image.output),
                            N * sizeof(double));
        close_net(&flat);
        close_net(&image);
    }
}

static void taps_are_the_layers_and_the_last_is_what_the_readout_sees(void **state) {
    static const struct {
        const char *kind, *words[WORDS];
        int n;
        const char *first, *last;
        int64_t width;
    } want[] = {
        { "mlp", { "widths", "4 3" }, 2, "layer1", "layer2", 3 },
        { "mlp", { "widths", "4 4 4", "residual", "double", "norm", "layer" }, 3, "layer1", "layer3", 4 },
        { "linear", { "widths", "7 6" }, 2, "layer1", "layer2", 6 },
        { "diagonal-linear", { NULL }, 1, "input", "input", 5 },
        { "committee", { "units", "9" }, 1, "layer1", "layer1", 9 },
        { "random-features", { "features", "8" }, 1, "layer1", "layer1", 8 },
    };
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        const orr_settings s = settings(want[i].kind, want[i].words);
        example_net n;
        open_net(*state, want[i].kind, &s, ORR_SHAPE(D), 1, &n);
        assert_int_equal(n.taps.n, want[i].n);
        assert_string_equal(n.taps.tap[0].name, want[i].first);
        assert_string_equal(n.taps.tap[n.taps.n - 1].name, want[i].last);
        const orr_shape shape = orr_node_shape(n.g, n.taps.tap[n.taps.n - 1].node);
        assert_true(shape.rank == 2 && shape.size[0] == N && shape.size[1] == want[i].width);
        close_net(&n);
    }
}

static void declared(orr_context *ctx, const char *name, const char *const words[WORDS], int64_t outputs,
                     orr_network *out) {
    const orr_settings s = settings(name, words);
    const orr_signature signature = { .input = ORR_SHAPE(D), .outputs = outputs };
    assert_ok(ctx, kind(name)->declare(ctx, arena, &s, &signature, out));
}

/* Which sides grow (sheet mup-transfer), and what is trained. */
static void tensors_have_their_roles_and_deviations(void **state) {
    orr_network net;
    const char *mlp[WORDS] = { "widths", "4 4 4", "residual", "double", "norm", "batch", "weight_variance", "2" };
    static const struct {
        const char *name;
        orr_role role;
        bool block, branch;
        double mean, deviation;
    } want[] = {
        { "layer1.weight", ORR_ROLE_INPUT, false, false, 0, 0.63245553203367588 }, /* sqrt(2/5) */
        { "layer1.bias", ORR_ROLE_VECTOR, false, false, 0, 0 },
        { "layer2.gain", ORR_ROLE_VECTOR, true, false, 1, 0 },
        { "layer2.shift", ORR_ROLE_VECTOR, true, false, 0, 0 },
        { "layer2.inner.weight", ORR_ROLE_HIDDEN, true, false, 0, 0.70710678118654752 },
        { "layer2.inner.bias", ORR_ROLE_VECTOR, true, false, 0, 0 },
        { "layer2.weight", ORR_ROLE_HIDDEN, true, true, 0, 0.70710678118654752 },
        { "layer2.bias", ORR_ROLE_VECTOR, true, false, 0, 0 },
    };
    declared(*state, "mlp", mlp, 3, &net);
    assert_int_equal(net.width, 4);
    assert_int_equal(net.depth, 2); /* branches */
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        const orr_tensor *t = &net.tensors[i];
        assert_string_equal(t->name, want[i].name);
        assert_int_equal(t->role, want[i].role);
        assert_int_equal(t->branch, want[i].branch);
        if (t->role == ORR_ROLE_VECTOR) assert_int_equal(t->block, want[i].block);
        assert_true(t->mean == want[i].mean);
        assert_close(t->deviation, want[i].deviation, 1e-15);
        assert_false(t->frozen);
    }
    assert_int_equal(net.tensors[net.n_tensors - 2].role, ORR_ROLE_READOUT);
    assert_int_equal(net.tensors[net.n_tensors - 1].role, ORR_ROLE_FIXED);
    assert_string_equal(net.tensors[net.n_tensors - 3].name, "layer4.shift");
    assert_false(net.tensors[net.n_tensors - 3].block); /* behind the last block */

    declared(*state, "committee", (const char *[WORDS]){ "units", "4", "head", "mean" }, 1, &net);
    assert_close(net.tensors[0].deviation, sqrt(1.0 / D), 1e-15);
    assert_true(net.tensors[1].frozen && net.tensors[1].mean == 0.25 && net.tensors[1].deviation == 0);
    declared(*state, "committee", (const char *[WORDS]){ "units", "4", "head", "trained", "root", "true" }, 2, &net);
    assert_true(net.tensors[0].deviation == 1 && !net.tensors[1].frozen && net.tensors[1].deviation == 0.5);
    declared(*state, "random-features", (const char *[WORDS]){ "features", "4", "bias", "true" }, 2, &net);
    assert_true(net.tensors[0].frozen && net.tensors[1].frozen && !net.tensors[2].frozen);
    declared(*state, "linear", (const char *[WORDS]){ "weight_deviation", "0.01" }, 2, &net);
    assert_true(net.tensors[0].deviation == 0.01 && net.tensors[1].deviation == 0.01);
    declared(*state, "diagonal-linear", (const char *[WORDS]){ "scale", "0.3" }, 1, &net);
    assert_true(net.tensors[0].mean == 0.3 && net.tensors[1].mean == 0.3 && net.tensors[0].deviation == 0);
}

/* All widths differ, so that a tensor that went along the wrong one would be seen. */
static void tensors_go_along_the_widths_that_their_sides_have(void **state) {
    static const struct {
        const char *kind, *words[WORDS];
        orr_signature signature;
        int64_t n_widths;
    } net[] = {
        { "mlp", { "widths", "4 6 10", "norm", "layer" }, { .input = { 1, { D } }, .outputs = 3 }, 3 },
        { "linear", { "widths", "4 6 10" }, { .input = { 1, { D } }, .outputs = 3 }, 3 },
        { "cnn", { "channels", "4 6 10" }, { .input = { 3, { 3, 8, 8 } }, .outputs = 3 }, 3 },
        { "resnet", { "channels", "4 6 10", "blocks", "2" }, { .input = { 3, { 3, 8, 8 } }, .outputs = 3 }, 3 },
        { "transformer",
          { "width", "8", "heads", "2", "mlp_ratio", "3" },
          { .input = { 1, { 5 } }, .vocabulary = 7, .outputs = 3 },
          2 },
    };
    for (size_t i = 0; i < sizeof net / sizeof *net; i++) {
        const orr_settings s = settings(net[i].kind, net[i].words);
        orr_network out;
        assert_non_null(kind(net[i].kind)->width);
        assert_true(orr_settings_has(&s, kind(net[i].kind)->width));
        assert_ok(*state, kind(net[i].kind)->declare(*state, arena, &s, &net[i].signature, &out));
        assert_int_equal(out.n_widths, net[i].n_widths);
        assert_int_equal(out.widths[0], out.width);
        for (int64_t t = 0; t < out.n_tensors; t++) {
            const orr_tensor *at = &out.tensors[t];
            if (at->role == ORR_ROLE_INPUT || at->role == ORR_ROLE_HIDDEN || at->role == ORR_ROLE_VECTOR)
                assert_int_equal(at->fan_out, out.widths[at->width_out]);
            if (at->role == ORR_ROLE_HIDDEN) assert_int_equal(at->shape.size[1], out.widths[at->width_in]);
            if (at->role == ORR_ROLE_READOUT) assert_int_equal(at->fan_in % out.widths[at->width_in], 0);
        }
    }
}

static void what_an_architecture_cannot_take_it_refuses(void **state) {
    static const struct {
        const char *kind, *words[WORDS];
        orr_signature signature;
        const char *message;
    } bad[] = {
        { "mlp",
          { "widths", "4 5", "residual", "single" },
          { .input = { 1, { D } }, .outputs = 1 },
          "mlp: residual branches need layers of one width; layer 2 has 5, not 4" },
        { "mlp", { NULL }, { .input = { 1, { D } }, .vocabulary = 7, .outputs = 1 }, "mlp: takes numbers" },
        { "linear", { NULL }, { .input = { 1, { D } }, .sequence = true, .outputs = 1 }, "linear: takes numbers" },
        { "diagonal-linear",
          { NULL },
          { .input = { 1, { D } }, .vocabulary = 7, .outputs = 1 },
          "diagonal-linear: takes" },
        { "random-features",
          { NULL },
          { .input = { 1, { D } }, .vocabulary = 7, .outputs = 1 },
          "random-features: takes" },
        { "committee", { NULL }, { .input = { 1, { D } }, .vocabulary = 7, .outputs = 1 }, "committee: takes numbers" },
        { "committee",
          { NULL },
          { .input = { 1, { D } }, .outputs = 3 },
          "committee: head one gives 1 output, not 3; head: trained gives any" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const orr_settings s = settings(bad[i].kind, bad[i].words);
        orr_network out;
        assert_int_equal(kind(bad[i].kind)->declare(*state, arena, &s, &bad[i].signature, &out), ORR_EINPUT);
        assert_non_null(strstr(orr_context_message(*state), bad[i].message));
        orr_context_clear(*state);
    }
}

/* Every name of ORR_ACTIVATIONS is in the table behind it, at 0.7, from closed forms. */
static void activations_are_their_formulas(void **state) {
    static const double a = 0.7;
    const struct {
        const char *name;
        double value;
    } want[] = { { "tanh", tanh(a) },
                 { "relu", a },
                 { "erf", erf(a) },
                 { "erf-scaled", erf(a / sqrt(2.0)) },
                 { "gelu", a * 0.5 * (1 + erf(a / sqrt(2.0))) },
                 { "silu", a / (1 + exp(-a)) },
                 { "softplus", log1p(exp(a)) },
                 { "sin", sin(a) },
                 { "quadratic", a * a },
                 { "linear", a } };
    char *list = orr_arena_string(arena, ORR_ACTIVATIONS), *save;
    int i = 0;
    for (char *name = strtok_r(list, " ", &save); name; name = strtok_r(NULL, " ", &save), i++) {
        orr_graph *g;
        orr_program *p;
        assert_string_equal(name, want[i].name);
        assert_ok(*state, orr_graph_new(*state, &g));
        const orr_node y = orr_activation(g, name, orr_fill(g, ORR_F64, ORR_SCALAR, a));
        assert_ok(*state, orr_compile(*state, g, &(orr_compile_options){ .outputs = &y, .n_outputs = 1 }, &p));
        assert_ok(*state, orr_program_run(p));
        assert_close(*(const double *)orr_program_data(p, y), want[i].value, 4e-16); /* a rounding or two */
        orr_program_free(p);
        orr_graph_free(g);
    }
    assert_int_equal(i, sizeof want / sizeof *want);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_and_gradients_are_those_of_pytorch),
        cmocka_unit_test(inputs_of_several_axes_are_flattened),
        cmocka_unit_test(taps_are_the_layers_and_the_last_is_what_the_readout_sees),
        cmocka_unit_test(tensors_have_their_roles_and_deviations),
        cmocka_unit_test(tensors_go_along_the_widths_that_their_sides_have),
        cmocka_unit_test(what_an_architecture_cannot_take_it_refuses),
        cmocka_unit_test(activations_are_their_formulas),
    };
    return cmocka_run_group_tests_name("ingredient/architecture", tests, setup, teardown);
}
