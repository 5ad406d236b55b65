#include "golden.h"

static const golden goldens[] = {
#include "goldens_cnn.def"
};
enum { N_GOLDENS = sizeof goldens / sizeof goldens[0] };
extern const orr_architecture orr_architecture_cnn;
static const orr_architecture *const cnn = &orr_architecture_cnn;

static void outputs_and_gradients_are_pytorchs(void **state) {
    golden_test(*state, cnn, "plain", "channels=3 4;activation=tanh",
                (orr_signature){ .input = ORR_SHAPE(2, 5, 6), .outputs = 2 }, 3, goldens, N_GOLDENS);
    golden_test(*state, cnn, "strided", "channels=4 3 2;kernel_size=4 3 3;stride=2 2 1;activation=silu;readout=average",
                (orr_signature){ .input = ORR_SHAPE(1, 8, 7), .outputs = 2 }, 2, goldens, N_GOLDENS);
}

static void the_other_end_stands_around_an_image_that_is_circular(void **state) {
    golden_test(*state, cnn, "circular", "channels=3 4;kernel_size=3 4;stride=1 2;activation=tanh;padding=circular",
                (orr_signature){ .input = ORR_SHAPE(2, 5, 6), .outputs = 2 }, 2, goldens, N_GOLDENS);
    golden_refused(*state, cnn, "channels=2;kernel_size=5;padding=circular",
                   (orr_signature){ .input = ORR_SHAPE(1, 4, 6), .outputs = 2 }, "more than once around 4 pixels");
}

static void a_square_of_grey_pixels_is_an_image(void **state) {
    golden_test(*state, cnn, "max", "channels=3 2;kernel_size=3 2;activation=relu;pooling=max;pooling_size=2 1",
                (orr_signature){ .input = ORR_SHAPE(49), .outputs = 3 }, 2, goldens, N_GOLDENS);
}

static void pools_leave_out_what_is_not_full(void **state) {
    golden_test(*state, cnn, "average",
                "channels=4 5;stride=2 1;padding=valid;activation=gelu;pooling=average;pooling_size=2 1;"
                "readout=average;bias=false",
                (orr_signature){ .input = ORR_SHAPE(3, 15, 13), .outputs = 3 }, 2, goldens, N_GOLDENS);
}

static void what_is_no_image_is_refused(void **state) {
    golden_refused(*state, cnn, "", (orr_signature){ .input = ORR_SHAPE(50), .outputs = 2 },
                   "50 features, which is no square");
    golden_refused(*state, cnn, "", (orr_signature){ .input = ORR_SHAPE(2, 3, 4, 5), .outputs = 2 },
                   "the data has 4 axes");
    golden_refused(*state, cnn, "", (orr_signature){ .input = ORR_SHAPE(49), .outputs = 2, .vocabulary = 5 },
                   "no tokens");
    golden_refused(*state, cnn, "channels=2 2;padding=valid",
                   (orr_signature){ .input = ORR_SHAPE(1, 4, 4), .outputs = 2 }, "layer 2: a kernel of 3");
    golden_refused(*state, cnn, "channels=2 2 2;stride=1 2",
                   (orr_signature){ .input = ORR_SHAPE(1, 4, 4), .outputs = 2 }, "stride has 2 numbers");
}

static void roles_follow_what_grows_with_the_channels(void **state) {
    orr_context *ctx = *state;
    orr_arena *arena;
    orr_network network;
    assert_ok(ctx, orr_arena_new(ctx, &arena));
    const orr_settings s = golden_settings(arena, cnn->kind.parameters, "channels=8 4;weight_variance=3");
    assert_ok(ctx,
              cnn->declare(ctx, arena, &s, &(orr_signature){ .input = ORR_SHAPE(2, 5, 5), .outputs = 3 }, &network));
    assert_int_equal(golden_tensor(&network, "layer1.weight")->role, ORR_ROLE_INPUT);
    assert_int_equal(golden_tensor(&network, "layer2.weight")->role, ORR_ROLE_HIDDEN);
    assert_int_equal(golden_tensor(&network, "layer2.bias")->role, ORR_ROLE_VECTOR);
    assert_int_equal(golden_tensor(&network, "readout.weight")->role, ORR_ROLE_READOUT);
    assert_int_equal(golden_tensor(&network, "readout.bias")->role, ORR_ROLE_FIXED);
    assert_int_equal(golden_tensor(&network, "layer2.weight")->fan_in, 8 * 9);
    assert_close(golden_tensor(&network, "layer2.weight")->deviation, sqrt(3.0 / 72.0), 1e-15); /* rounding */
    assert_int_equal(network.width, 8);
    assert_int_equal(network.depth, 2);
    orr_arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(outputs_and_gradients_are_pytorchs, context_setup, context_teardown),
        cmocka_unit_test_setup_teardown(the_other_end_stands_around_an_image_that_is_circular, context_setup,
                                        context_teardown),
        cmocka_unit_test_setup_teardown(a_square_of_grey_pixels_is_an_image, context_setup, context_teardown),
        cmocka_unit_test_setup_teardown(pools_leave_out_what_is_not_full, context_setup, context_teardown),
        cmocka_unit_test_setup_teardown(what_is_no_image_is_refused, context_setup, context_teardown),
        cmocka_unit_test_setup_teardown(roles_follow_what_grows_with_the_channels, context_setup, context_teardown),
    };
    return cmocka_run_group_tests_name("ingredient/architecture/cnn", tests, NULL, NULL);
}
