#include "golden.h"

static const golden goldens[] = {
#include "goldens_transformer.def"
};
enum { N_GOLDENS = sizeof goldens / sizeof goldens[0] };
extern const orr_architecture orr_architecture_transformer;
static const orr_architecture *const transformer = &orr_architecture_transformer;

static void decoders_are_pytorchs(void **state) {
    golden_test(*state, transformer, "decoder", "width=6;depth=2;heads=2",
                (orr_signature){ .input = ORR_SHAPE(5), .vocabulary = 7, .outputs = 7, .sequence = true }, 2, goldens,
                N_GOLDENS);
    golden_test(*state, transformer, "rotary",
                "width=8;depth=2;heads=2;positions=rotary;norm=post;activation=relu;mlp_ratio=2",
                (orr_signature){ .input = ORR_SHAPE(6), .vocabulary = 5, .outputs = 5, .sequence = true }, 2, goldens,
                N_GOLDENS);
    golden_test(*state, transformer, "mup",
                "width=6;depth=1;heads=1;attention_scale=1/d;base_head=4;positions=none;bias=false;activation=silu;"
                "mlp_ratio=3",
                (orr_signature){ .input = ORR_SHAPE(4), .vocabulary = 5, .outputs = 3, .sequence = true }, 3, goldens,
                N_GOLDENS);
    golden_test(*state, transformer, "linear",
                "width=6;depth=2;heads=3;attention=linear;attention_only=true;positions=none;norm=none;bias=false",
                (orr_signature){ .input = ORR_SHAPE(5, 3), .outputs = 1, .sequence = true }, 2, goldens, N_GOLDENS);
}

static void encoders_are_pytorchs(void **state) {
    golden_test(*state, transformer, "encoder", "width=5;depth=2;heads=1;positions=sinusoidal;branch_exponent=0.5",
                (orr_signature){ .input = ORR_SHAPE(4, 2), .outputs = 3 }, 3, goldens, N_GOLDENS);
    golden_test(*state, transformer, "first", "width=4;depth=1;heads=2;norm=post;pooling=first",
                (orr_signature){ .input = ORR_SHAPE(5), .vocabulary = 6, .outputs = 3 }, 2, goldens, N_GOLDENS);
    golden_test(*state, transformer, "last",
                "width=4;depth=1;heads=2;attention=linear;attention_scale=1/d;base_head=2;pooling=last;norm=none",
                (orr_signature){ .input = ORR_SHAPE(5, 3), .outputs = 2 }, 2, goldens, N_GOLDENS);
}

static void what_does_not_fit_is_refused(void **state) {
    const orr_signature tokens = { .input = ORR_SHAPE(5), .vocabulary = 7, .outputs = 7, .sequence = true };
    golden_refused(*state, transformer, "", (orr_signature){ .input = ORR_SHAPE(49), .outputs = 2 },
                   "takes tokens [positions] or vectors [positions, features]; the data has numbers with 1 axes");
    golden_refused(*state, transformer, "width=10;heads=4", tokens, "width 12 would do");
    golden_refused(*state, transformer, "width=6;heads=2;positions=rotary", tokens, "3 numbers is odd");
}

static void roles_and_branches_are_those_of_mup(void **state) {
    static const struct {
        const char *name;
        orr_role role;
        double mean, deviation;
        int64_t fan_in, fan_out;
        bool branch;
    } expected[] = {
        { "embedding.weight", ORR_ROLE_INPUT, 0, 0.5, 1, 8, false },
        { "position.weight", ORR_ROLE_INPUT, 0, 0.5, 1, 8, false },
        { "block2.norm1.gain", ORR_ROLE_VECTOR, 1, 0, 1, 8, false },
        { "block2.norm1.bias", ORR_ROLE_VECTOR, 0, 0, 1, 8, false },
        { "block2.query.weight", ORR_ROLE_HIDDEN, 0, 0.5, 8, 8, false },
        { "block2.query.bias", ORR_ROLE_VECTOR, 0, 0, 1, 8, false },
        { "block2.key.weight", ORR_ROLE_HIDDEN, 0, 0.5, 8, 8, false },
        { "block2.value.weight", ORR_ROLE_HIDDEN, 0, 0.5, 8, 8, false },
        { "block2.output.weight", ORR_ROLE_HIDDEN, 0, 0.5, 8, 8, true },
        { "block2.mlp1.weight", ORR_ROLE_HIDDEN, 0, 0.5, 8, 32, false },
        { "block2.mlp2.weight", ORR_ROLE_HIDDEN, 0, 0.25, 32, 8, true },
        { "norm.gain", ORR_ROLE_VECTOR, 1, 0, 1, 8, false },
        { "readout.weight", ORR_ROLE_READOUT, 0, 0.5, 8, 7, false },
        { "readout.bias", ORR_ROLE_FIXED, 0, 0, 1, 7, false },
    };
    orr_context *ctx = *state;
    orr_arena *arena;
    orr_network network;
    const orr_signature tokens = { .input = ORR_SHAPE(5), .vocabulary = 7, .outputs = 7, .sequence = true };
    assert_ok(ctx, orr_arena_new(ctx, &arena));
    const orr_settings s =
        golden_settings(arena, transformer->kind.parameters, "width=8;weight_variance=2;embedding_variance=0.25");
    assert_ok(ctx, transformer->declare(ctx, arena, &s, &tokens, &network));
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        const orr_tensor *t = golden_tensor(&network, expected[i].name);
        assert_int_equal(t->role, expected[i].role);
        assert_true(t->mean == expected[i].mean && t->branch == expected[i].branch);
        assert_close(t->deviation, expected[i].deviation, 1e-15); /* rounding of a root */
        assert_int_equal(t->fan_in, expected[i].fan_in);
        assert_int_equal(t->fan_out, expected[i].fan_out);
    }
    assert_int_equal(network.width, 8);
    assert_int_equal(network.depth, 2);
    orr_arena_free(arena);
}

/* The last tap is what the readout sees, whatever didn't fit; golden_test holds it against the output. */
static void a_deep_network_keeps_its_last_tap(void **state) {
    orr_context *ctx = *state;
    orr_arena *arena;
    orr_graph *g;
    orr_network network;
    const orr_signature tokens = { .input = ORR_SHAPE(3), .vocabulary = 3, .outputs = 3, .sequence = true };
    assert_ok(ctx, orr_arena_new(ctx, &arena));
    assert_ok(ctx, orr_graph_new(ctx, &g));
    const orr_settings s = golden_settings(arena, transformer->kind.parameters, "width=2;depth=100;heads=1");
    assert_ok(ctx, transformer->declare(ctx, arena, &s, &tokens, &network));
    orr_node *parameter = ORR_NEW(arena, orr_node, network.n_tensors);
    orr_taps *taps = ORR_NEW(arena, orr_taps, 1);
    assert_true(parameter && taps);
    for (int64_t i = 0; i < network.n_tensors; i++)
        parameter[i] = orr_input(g, network.tensors[i].name, ORR_F32, network.tensors[i].shape);
    const orr_node x = orr_input(g, "x", ORR_I32, ORR_SHAPE(2, 3));
    (void)transformer->forward(g, &s, &tokens, parameter, x, taps);
    assert_ok(ctx, orr_graph_status(g));
    assert_true(taps->n <= ORR_TAPS_MAX);
    assert_string_equal(taps->tap[0].name, "embedding");
    assert_string_equal(taps->tap[1].name, "attention1");
    assert_string_equal(taps->tap[taps->n - 1].name, "features");
    orr_graph_free(g);
    orr_arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(decoders_are_pytorchs, context_setup, context_teardown),
        cmocka_unit_test_setup_teardown(encoders_are_pytorchs, context_setup, context_teardown),
        cmocka_unit_test_setup_teardown(what_does_not_fit_is_refused, context_setup, context_teardown),
        cmocka_unit_test_setup_teardown(roles_and_branches_are_those_of_mup, context_setup, context_teardown),
        cmocka_unit_test_setup_teardown(a_deep_network_keeps_its_last_tap, context_setup, context_teardown),
    };
    return cmocka_run_group_tests_name("ingredient/architecture/transformer", tests, NULL, NULL);
}
