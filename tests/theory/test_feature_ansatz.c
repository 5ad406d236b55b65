#include "testing.h"

#include "theory/feature_ansatz.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) == 0 && orr_arena_new(*state, &arena) == ORR_OK ? 0 : -1; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

/* The sheet: four layers, singular values 2, 1.2, .7, .3. */
static void goldens_of_the_sheet(void **state) {
    static const double t[4] = { 2, 1.2, 0.7, 0.3 }, golden[4] = { .8770377216, .9243877102, .9730765433, 1 };
    (void)state;
    for (int l = 1; l <= 4; l++) {
        assert_close(orr_ansatz_cosine_of_power_1(4, l, 4, t), golden[l - 1], 5.1e-11);
        assert_close(orr_ansatz_power(4, l), 1.0 / (5 - l), 0.0);
    }
    assert_close(orr_ansatz_power(2, 1), 0.5, 0.0); /* two layers: s = 1/2 at the first, 1 at the last */
}

/* diag(4, 9), rotated: its square root has eigenvalues 2 and 3; a small negative eigenvalue counts as 0. */
static void a_power_of_a_matrix_is_one_of_its_eigenvalues(void **state) {
    const double c = cos(0.3), s = sin(0.3);
    double a[4] = { 4 * c * c + 9 * s * s, -5 * c * s, -5 * c * s, 4 * s * s + 9 * c * c }, root[4];
    assert_ok(*state, orr_matrix_power(*state, arena, 2, a, 0.5, root));
    assert_close(root[0] + root[3], 5.0, 1e-14);
    assert_close(root[0] * root[3] - root[1] * root[2], 6.0, 1e-13);
    double negative[4] = { 1, 0, 0, -1e-17 };
    assert_ok(*state, orr_matrix_power(*state, arena, 2, negative, 0.25, root));
    assert_close(root[0], 1.0, 1e-15);
    assert_close(root[3], 0.0, 0.0);
}

static void agreement_sees_shape_direction_and_size(void **state) {
    const double a[4] = { 1, 2, 3, 4 }, shifted[4] = { 3, 5, 7, 9 }, twice[4] = { 2, 4, 6, 8 };
    (void)state;
    assert_close(orr_agreement_of(4, a, shifted).correlation, 1.0, 1e-15);
    assert_true(orr_agreement_of(4, a, shifted).cosine < 1.0);
    assert_close(orr_agreement_of(4, a, twice).cosine, 1.0, 1e-15);
    assert_close(orr_agreement_of(4, a, twice).difference, 1.0, 1e-15);
}

/* W_1 = U diag(s) V', W_2 = R diag(s) U': balanced; doubled, W_2' W_2 is four times W_1 W_1'. */
static void balance_is_the_equality_of_two_grams(void **state) {
    const double first[6] = { 1, 0, 0, 0, 2, 0 }, second[4] = { 0, 2, 1, 0 }, doubled[4] = { 0, 4, 2, 0 };
    double imbalance;
    assert_ok(*state, orr_ansatz_imbalance(*state, arena, 3, 2, 2, first, second, &imbalance));
    assert_close(imbalance, 0.0, 1e-15);
    assert_ok(*state, orr_ansatz_imbalance(*state, arena, 3, 2, 2, first, doubled, &imbalance));
    assert_close(imbalance, 3.0, 1e-14);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goldens_of_the_sheet),
        cmocka_unit_test(a_power_of_a_matrix_is_one_of_its_eigenvalues),
        cmocka_unit_test(agreement_sees_shape_direction_and_size),
        cmocka_unit_test(balance_is_the_equality_of_two_grams),
    };
    return cmocka_run_group_tests_name("theory/feature_ansatz", tests, setup, teardown);
}
