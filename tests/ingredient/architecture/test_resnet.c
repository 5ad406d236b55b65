#include "golden.h"

static const golden goldens[] = {
#include "goldens_resnet.def"
};
enum { N_GOLDENS = sizeof goldens / sizeof goldens[0] };
extern const orr_architecture orr_architecture_resnet;
static const orr_architecture *const resnet = &orr_architecture_resnet;

static void outputs_and_gradients_are_pytorchs(void **state) {
    golden_test(*state, resnet, "batch", "channels=4 6;blocks=2 1",
                (orr_signature){ .input = ORR_SHAPE(3, 6, 5), .outputs = 3 }, 4, goldens, N_GOLDENS);
    golden_test(*state, resnet, "layer",
                "channels=3 3 4;norm=layer;activation=gelu;sum_activation=false;branch_exponent=0.5;"
                "stem_size=5;stem_stride=2",
                (orr_signature){ .input = ORR_SHAPE(64), .outputs = 2 }, 3, goldens, N_GOLDENS);
    golden_test(*state, resnet, "none", "channels=3 2;blocks=1 2;norm=none;activation=silu;branch_exponent=1",
                (orr_signature){ .input = ORR_SHAPE(2, 5, 5), .outputs = 2 }, 2, goldens, N_GOLDENS);
    golden_test(*state, resnet, "no_bias", "channels=2;norm=none;bias=false",
                (orr_signature){ .input = ORR_SHAPE(2, 4, 4), .outputs = 2 }, 2, goldens, N_GOLDENS);
}

static void what_does_not_fit_is_refused(void **state) {
    golden_refused(*state, resnet, "", (orr_signature){ .input = ORR_SHAPE(50), .outputs = 2 }, "resnet: takes images");
    golden_refused(*state, resnet, "channels=3 3 3;blocks=1 2", (orr_signature){ .input = ORR_SHAPE(49), .outputs = 2 },
                   "blocks has 2 numbers");
}

static void branches_end_with_a_marked_matrix(void **state) {
    orr_context *ctx = *state;
    orr_arena *arena;
    orr_network network;
    assert_ok(ctx, orr_arena_new(ctx, &arena));
    const orr_settings s = golden_settings(arena, resnet->kind.parameters, "channels=4 8;blocks=2");
    assert_ok(ctx, resnet->declare(ctx, arena, &s, &(orr_signature){ .input = ORR_SHAPE(49), .outputs = 3 }, &network));
    assert_int_equal(network.depth, 4);
    assert_int_equal(network.width, 4);
    int64_t branches = 0;
    for (int64_t i = 0; i < network.n_tensors; i++) branches += network.tensors[i].branch;
    assert_int_equal(branches, 4);
    assert_true(golden_tensor(&network, "block3.second.weight")->branch);
    assert_int_equal(golden_tensor(&network, "stem.weight")->role, ORR_ROLE_INPUT);
    assert_int_equal(golden_tensor(&network, "block3.shortcut.weight")->role, ORR_ROLE_HIDDEN);
    assert_int_equal(golden_tensor(&network, "block3.first.norm.gain")->role, ORR_ROLE_VECTOR);
    assert_true(golden_tensor(&network, "block3.first.norm.gain")->mean == 1.0);
    orr_arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(outputs_and_gradients_are_pytorchs, context_setup, context_teardown),
        cmocka_unit_test_setup_teardown(what_does_not_fit_is_refused, context_setup, context_teardown),
        cmocka_unit_test_setup_teardown(branches_end_with_a_marked_matrix, context_setup, context_teardown),
    };
    return cmocka_run_group_tests_name("ingredient/architecture/resnet", tests, NULL, NULL);
}
