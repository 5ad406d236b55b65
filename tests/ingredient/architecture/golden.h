/* Architectures against PyTorch: the same numbers go into both, and of what comes out (outputs, gradients of a scalar in
 * float64) goldens_<name>.def holds the length and the product with a fixed direction.
 *
 * Both sides fill tensors from a formula.  ORDER golden: goldens.py */
#ifndef ORR_TESTS_INGREDIENT_ARCHITECTURE_GOLDEN_H
#define ORR_TESTS_INGREDIENT_ARCHITECTURE_GOLDEN_H

#include "testing.h"

#include "ingredient/architecture/architecture.h"

typedef struct golden {
    const char *test, *tensor;
    double length, direction;
} golden;
#define GOLDEN(test, tensor, length, direction) { test, tensor, length, direction },

/* Element i of a stream, in [0, 1): splitmix64 behind FNV-1a of "test.tensor". */
static inline double golden_uniform(const char *test, const char *tensor, int64_t i) {
    uint64_t h = 14695981039346656037u;
    for (const char *c = test; *c; c++) h = (h ^ (uint8_t)*c) * 1099511628211u;
    h = (h ^ (uint8_t)'.') * 1099511628211u;
    for (const char *c = tensor; *c; c++) h = (h ^ (uint8_t)*c) * 1099511628211u;
    uint64_t z = h + (uint64_t)(i + 1) * 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

/* "key=words;key=words" over the fallbacks. */
static inline orr_settings golden_settings(orr_arena *arena, const orr_parameter *table, const char *text) {
    orr_value *value = orr_parameter_fallbacks(arena, table);
    assert_non_null(value);
    for (char *at = orr_arena_string(arena, text); at && *at;) {
        char *end = at + strcspn(at, ";"), *next = *end ? end + 1 : end, *words = at + strcspn(at, "=");
        const char *word[16], *expected = NULL;
        int n = 0;
        *end = '\0';
        *words++ = '\0';
        for (; *words && n < 16; n++) {
            word[n] = words;
            words += strcspn(words, " ");
            if (*words) *words++ = '\0';
        }
        const int i = orr_parameter_find(table, at);
        if (i < 0) fail_msg("no parameter %s", at);
        const bool list = table[i].type == ORR_INTS || table[i].type == ORR_REALS;
        if (!orr_parameter_read(arena, &table[i], word, n, list, &value[i], &expected))
            fail_msg("%s: expected %s", at, expected ? expected : "memory");
        at = next;
    }
    return (orr_settings){ table, value };
}

static inline void golden_check(const golden *goldens, size_t n, const char *test, const char *tensor,
                                const double *got, int64_t count) {
    double length = 0.0, direction = 0.0;
    char stream[96];
    (void)snprintf(stream, sizeof stream, "%s.direction", tensor);
    for (int64_t i = 0; i < count; i++) {
        length += got[i] * got[i];
        direction += got[i] * (2.0 * golden_uniform(test, stream, i) - 1.0);
    }
    length = sqrt(length);
    for (size_t i = 0; i < n; i++)
        if (strcmp(goldens[i].test, test) == 0 && strcmp(goldens[i].tensor, tensor) == 0) {
            /* both sides in float64: rounding of a few hundred terms, through some layers; a bias in front of a norm has a
             * gradient of 0, of which rounding is left */
            const double limit = 1e-12 * (1.0 + goldens[i].length) * sqrt((double)count + 1.0);
            if (!(fabs(length - goldens[i].length) <= limit) || !(fabs(direction - goldens[i].direction) <= limit))
                fail_msg("%s, %s: got %.17g and %.17g, expected %.17g and %.17g, limit %.3g", test, tensor, length,
                         direction, goldens[i].length, goldens[i].direction, limit);
            return;
        }
    fail_msg("%s, %s: PyTorch's network has no such tensor", test, tensor);
}

/* Builds the network, fills it, and compares outputs and gradients of sum(output * c) with the goldens; also that every
 * golden is met, and that the readout's last two tensors make the output out of the last tap. */
static inline void golden_test(orr_context *ctx, const orr_architecture *architecture, const char *test,
                               const char *text, orr_signature signature, int64_t batch, const golden *goldens,
                               size_t n_goldens) {
    orr_arena *arena;
    orr_graph *g;
    orr_program *program;
    orr_network network;
    assert_ok(ctx, orr_arena_new(ctx, &arena));
    assert_ok(ctx, orr_graph_new(ctx, &g));
    const orr_settings s = golden_settings(arena, architecture->kind.parameters, text);
    assert_ok(ctx, architecture->declare(ctx, arena, &s, &signature, &network));
    const int64_t n = network.n_tensors;
    orr_node *parameter = ORR_NEW(arena, orr_node, n + 1), *output = ORR_NEW(arena, orr_node, n + 3);
    assert_true(parameter && output);
    for (int64_t i = 0; i < n; i++)
        parameter[i] = orr_input(g, network.tensors[i].name, ORR_F64, network.tensors[i].shape);
    orr_shape shape = { .rank = signature.input.rank + 1, .size = { batch } };
    for (int32_t i = 1; i < shape.rank; i++) shape.size[i] = signature.input.size[i - 1];
    const bool tokens = signature.vocabulary > 0;
    const orr_node x = orr_input(g, "x", tokens ? ORR_I32 : ORR_F64, shape);
    orr_taps *taps = ORR_NEW(arena, orr_taps, 1);
    output[0] = architecture->forward(g, &s, &signature, parameter, x, taps);
    if (orr_graph_status(g) != ORR_OK) fail_msg("%s: %s", test, orr_graph_message(g));
    const orr_shape out_shape = orr_node_shape(g, output[0]);
    assert_true(out_shape.rank == (signature.sequence ? 3 : 2) && out_shape.size[0] == batch);
    assert_true(out_shape.size[out_shape.rank - 1] == signature.outputs);
    const orr_node c = orr_input(g, "c", ORR_F64, out_shape);
    parameter[n] = x;
    orr_grad(g, orr_sum_all(g, orr_mul(g, output[0], c)), parameter, (int32_t)(tokens ? n : n + 1), output + 2);
    const bool bias = network.tensors[n - 1].shape.rank == 1;
    assert_true(taps->n > 0);
    output[1] =
        orr_linear(g, taps->tap[taps->n - 1].node, parameter[bias ? n - 2 : n - 1], bias ? parameter[n - 1] : ORR_NONE);
    assert_ok(ctx,
              orr_compile(ctx, g,
                          &(orr_compile_options){ .outputs = output, .n_outputs = (int32_t)(tokens ? n + 2 : n + 3) },
                          &program));
    for (int64_t i = 0; i < n; i++) {
        const orr_tensor *t = &network.tensors[i];
        double *data = orr_program_data(program, parameter[i]);
        int64_t fan_in = 1;
        for (int32_t k = 1; k < t->shape.rank; k++) fan_in *= t->shape.size[k];
        const double scale = t->shape.rank > 1 ? sqrt(3.0 / (double)fan_in) : 0.3;
        for (int64_t k = 0; k < orr_shape_count(&t->shape); k++)
            data[k] = t->mean + scale * (2.0 * golden_uniform(test, t->name, k) - 1.0);
    }
    void *xs = orr_program_data(program, x);
    for (int64_t k = 0; k < orr_shape_count(&shape); k++) {
        const double u = golden_uniform(test, "x", k);
        if (tokens) ((int32_t *)xs)[k] = (int32_t)(u * (double)signature.vocabulary);
        else ((double *)xs)[k] = sqrt(3.0) * (2.0 * u - 1.0);
    }
    double *cs = orr_program_data(program, c);
    for (int64_t k = 0; k < orr_shape_count(&out_shape); k++) cs[k] = 2.0 * golden_uniform(test, "c", k) - 1.0;
    assert_ok(ctx, orr_program_run(program));

    const double *out = orr_program_data(program, output[0]), *again = orr_program_data(program, output[1]);
    golden_check(goldens, n_goldens, test, "output", out, orr_shape_count(&out_shape));
    for (int64_t k = 0; k < orr_shape_count(&out_shape); k++)
        assert_close(again[k], out[k], 1e-12 * (1.0 + fabs(out[k])));
    for (int64_t i = 0; i < n; i++)
        golden_check(goldens, n_goldens, test, network.tensors[i].name, orr_program_data(program, output[2 + i]),
                     orr_shape_count(&network.tensors[i].shape));
    if (!tokens)
        golden_check(goldens, n_goldens, test, "x", orr_program_data(program, output[2 + n]), orr_shape_count(&shape));
    int64_t expected = 0;
    for (size_t i = 0; i < n_goldens; i++) expected += strcmp(goldens[i].test, test) == 0;
    assert_int_equal(expected, tokens ? n + 1 : n + 2);
    orr_program_free(program);
    orr_graph_free(g);
    orr_arena_free(arena);
}

/* Declares and expects ORR_EINPUT with these words in the message. */
static inline void golden_refused(orr_context *ctx, const orr_architecture *architecture, const char *text,
                                  orr_signature signature, const char *words) {
    orr_arena *arena;
    orr_network network;
    assert_ok(ctx, orr_arena_new(ctx, &arena));
    const orr_settings s = golden_settings(arena, architecture->kind.parameters, text);
    assert_int_equal(architecture->declare(ctx, arena, &s, &signature, &network), ORR_EINPUT);
    if (!strstr(orr_context_message(ctx), words))
        fail_msg("got \"%s\", expected it to say \"%s\"", orr_context_message(ctx), words);
    orr_context_clear(ctx);
    orr_arena_free(arena);
}

/* The tensor of that name; what it is in the limit of large width. */
static inline const orr_tensor *golden_tensor(const orr_network *network, const char *name) {
    for (int64_t i = 0; i < network->n_tensors; i++)
        if (strcmp(network->tensors[i].name, name) == 0) return &network->tensors[i];
    fail_msg("no tensor %s", name);
    return NULL;
}

#endif
