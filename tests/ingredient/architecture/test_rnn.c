#include "golden.h"

static const golden goldens[] = {
#include "goldens_rnn.def"
};
enum { N_GOLDENS = sizeof goldens / sizeof goldens[0] };
extern const orr_architecture orr_architecture_rnn;
static const orr_architecture *const rnn = &orr_architecture_rnn;

static void vanilla_is_pytorchs_rnn(void **state) {
    golden_test(*state, rnn, "vanilla", "width=5;depth=2", (orr_signature){ .input = ORR_SHAPE(4, 2), .outputs = 3 }, 3,
                goldens, N_GOLDENS);
    golden_test(*state, rnn, "vanilla_tokens", "width=4;bias=false",
                (orr_signature){ .input = ORR_SHAPE(5), .vocabulary = 6, .outputs = 6, .sequence = true }, 2, goldens,
                N_GOLDENS);
}

static void gru_is_pytorchs(void **state) {
    golden_test(*state, rnn, "gru", "cell=gru;width=4",
                (orr_signature){ .input = ORR_SHAPE(5, 3), .outputs = 2, .sequence = true }, 2, goldens, N_GOLDENS);
    golden_test(*state, rnn, "gru_tokens", "cell=gru;width=3;depth=2",
                (orr_signature){ .input = ORR_SHAPE(4), .vocabulary = 7, .outputs = 2 }, 3, goldens, N_GOLDENS);
}

static void one_position_is_a_sequence(void **state) {
    golden_test(*state, rnn, "gru_plain", "cell=gru;width=4;depth=2;bias=false",
                (orr_signature){ .input = ORR_SHAPE(1, 3), .outputs = 2 }, 2, goldens, N_GOLDENS);
}

static void what_does_not_fit_is_refused(void **state) {
    golden_refused(*state, rnn, "", (orr_signature){ .input = ORR_SHAPE(49), .outputs = 2 },
                   "takes tokens [positions] or vectors [positions, features]; the data has numbers with 1 axes");
    golden_refused(*state, rnn, "", (orr_signature){ .input = ORR_SHAPE(2000), .vocabulary = 3, .outputs = 2 },
                   "takes 1 to 1024 positions, which it unrolls; the data has 2000");
}

static void a_gate_counts_its_own_units(void **state) {
    orr_context *ctx = *state;
    orr_arena *arena;
    orr_network network;
    assert_ok(ctx, orr_arena_new(ctx, &arena));
    const orr_settings s = golden_settings(arena, rnn->kind.parameters, "cell=gru;width=8;depth=2;weight_variance=2");
    assert_ok(ctx, rnn->declare(ctx, arena, &s, &(orr_signature){ .input = ORR_SHAPE(4, 2), .outputs = 3 }, &network));
    const orr_tensor *first = golden_tensor(&network, "layer1.input.weight");
    const orr_tensor *second = golden_tensor(&network, "layer2.input.weight");
    const orr_tensor *recurrent = golden_tensor(&network, "layer1.state.weight");
    assert_int_equal(first->role, ORR_ROLE_INPUT);
    assert_int_equal(second->role, ORR_ROLE_HIDDEN);
    assert_int_equal(recurrent->role, ORR_ROLE_HIDDEN);
    assert_int_equal(golden_tensor(&network, "layer1.state.bias")->role, ORR_ROLE_VECTOR);
    assert_int_equal(golden_tensor(&network, "readout.weight")->role, ORR_ROLE_READOUT);
    assert_int_equal(golden_tensor(&network, "readout.bias")->role, ORR_ROLE_FIXED);
    assert_int_equal(recurrent->fan_in, 8);
    assert_int_equal(recurrent->fan_out, 8);
    assert_close(first->deviation, 1.0, 1e-15);     /* sqrt(2 / 2), rounding */
    assert_close(recurrent->deviation, 0.5, 1e-15); /* sqrt(2 / 8) */
    orr_arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(vanilla_is_pytorchs_rnn, context_setup, context_teardown),
        cmocka_unit_test_setup_teardown(gru_is_pytorchs, context_setup, context_teardown),
        cmocka_unit_test_setup_teardown(one_position_is_a_sequence, context_setup, context_teardown),
        cmocka_unit_test_setup_teardown(what_does_not_fit_is_refused, context_setup, context_teardown),
        cmocka_unit_test_setup_teardown(a_gate_counts_its_own_units, context_setup, context_teardown),
    };
    return cmocka_run_group_tests_name("ingredient/architecture/rnn", tests, NULL, NULL);
}
