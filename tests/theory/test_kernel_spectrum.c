#include "testing.h"

#include "theory/kernel_function.h"
#include "theory/kernel_spectrum.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) == 0 && orr_arena_new(*state, &arena) == ORR_OK ? 0 : -1; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

/* ---- kernels -------------------------------------------------------------------------------------------------------------- */

static double on_sphere(void *self, double t) { return orr_kernel_of(self, 1.0, t, 1.0); }

static void kernels_are_their_formulas(void **state) {
    const double pi = acos(-1.0);
    orr_kernel ntk = { ORR_KERNEL_NTK, 1 }, rbf = { ORR_KERNEL_RBF, 0.7 }, laplace = { ORR_KERNEL_LAPLACE, 2 },
               linear = { ORR_KERNEL_LINEAR, 1 };
    (void)state;
    assert_close(on_sphere(&ntk, 1.0), 2.0, 1e-15);
    assert_close(on_sphere(&ntk, 0.0), 1.0 / pi, 1e-15);
    assert_close(on_sphere(&ntk, -1.0), 0.0, 1e-15);
    assert_close(orr_kernel_of(&ntk, 4.0, 0.0, 9.0), 6.0 / pi, 1e-14); /* homogeneous in both lengths */
    assert_close(orr_kernel_of(&ntk, 0.0, 0.0, 1.0), 0.0, 0.0);
    assert_close(orr_kernel_of(&rbf, 1.0, 0.5, 1.0), exp(-1.0 / (2 * 0.49)), 1e-15);
    assert_close(orr_kernel_of(&laplace, 4.0, -1.0, 1.0), exp(-sqrt(7.0) / 2), 1e-15);
    assert_close(orr_kernel_of(&linear, 4.0, -1.0, 1.0), -1.0, 0.0);
}

static void a_matrix_holds_the_kernel_of_each_pair(void **state) {
    const double x[6] = { 1, 2, 0, -1, 0.5, 0.1 }, z[4] = { 0.3, 1, -2, 0 };
    double k[6], gram[9];
    for (int kind = ORR_KERNEL_LINEAR; kind <= ORR_KERNEL_RBF; kind++) {
        const orr_kernel kernel = { (orr_kernel_kind)kind, 1.3 };
        assert_ok(*state, orr_kernel_matrix(*state, arena, &kernel, 3, 2, 2, x, z, k));
        assert_ok(*state, orr_kernel_matrix(*state, arena, &kernel, 3, 3, 2, x, x, gram));
        for (int i = 0; i < 3; i++)
            for (int j = 0; j < 3; j++) {
                const double *a = x + 2 * i, *b = j < 2 ? z + 2 * j : x, *c = x + 2 * j;
                if (j < 2)
                    assert_close(k[i * 2 + j],
                                 orr_kernel_of(&kernel, a[0] * a[0] + a[1] * a[1], a[0] * b[0] + a[1] * b[1],
                                               b[0] * b[0] + b[1] * b[1]),
                                 1e-14);
                assert_close(gram[i * 3 + j],
                             orr_kernel_of(&kernel, a[0] * a[0] + a[1] * a[1], a[0] * c[0] + a[1] * c[1],
                                           c[0] * c[0] + c[1] * c[1]),
                             1e-7); /* r = sqrt of a cancelled square: laplace */
                assert_true(gram[i * 3 + j] == gram[j * 3 + i]);
            }
    }
}

/* Larger than a task of theirs: with itself, and with a copy. */
static void a_matrix_of_points_with_themselves_is_that_with_their_copies(void **state) {
    enum { N = 75, D = 3 };
    static double x[N * D], z[N * D], with_itself[N * N], with_copy[N * N];
    for (int i = 0; i < N * D; i++) x[i] = z[i] = sin(i);
    for (int kind = ORR_KERNEL_LINEAR; kind <= ORR_KERNEL_RBF; kind++) {
        const orr_kernel kernel = { (orr_kernel_kind)kind, 1.3 };
        assert_ok(*state, orr_kernel_matrix(*state, arena, &kernel, N, N, D, x, x, with_itself));
        assert_ok(*state, orr_kernel_matrix(*state, arena, &kernel, N, N, D, x, z, with_copy));
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) {
                assert_close(with_itself[i * N + j], with_copy[i * N + j], 1e-7); /* r = sqrt of a cancelled square */
                assert_true(with_itself[i * N + j] == with_itself[j * N + i]);
            }
    }
}

/* ---- the sphere ------------------------------------------------------------------------------------------------------------ */

static void goldens_of_the_sheet_on_the_sphere_of_dimension_8(void **state) {
    static const double g[7] = { 1, 8, 35, 112, 294, 672, 1386 };
    static const double ntk[7] = { 0.381133073, 0.125, 0.0130704072, 0, 2.11718992e-4, 0, 1.86382255e-5 };
    static const double rbf[5] = { 0.649135394, 0.0359743975, 1.59623764e-3, 5.90505435e-5, 1.87296991e-6 };
    orr_kernel kernel = { ORR_KERNEL_NTK, 1 }, other = { ORR_KERNEL_RBF, 1.5 }; /* |x-z|^2 = 2 (1 - t) */
    double value[41], trace = 0.0;
    (void)state;
    orr_sphere_eigenvalues(8, 41, on_sphere, &kernel, value);
    for (int l = 0; l < 7; l++) {
        assert_close(orr_sphere_multiplicity(8, l), g[l], 1e-9);
        assert_close(value[l], ntk[l], 5.1e-10); /* to half a unit of the digits that it prints, or of 1e-9 */
    }
    assert_close(value[3], 0.0, 0.0);
    assert_close(value[5], 0.0, 0.0);
    for (int l = 0; l <= 40; l++) {
        trace += orr_sphere_multiplicity(8, l) * value[l];
        if (l == 8) assert_close(trace, 1.94127, 5.1e-6);
    }
    assert_close(trace, 1.98518, 5.1e-6);
    orr_sphere_eigenvalues(8, 9, on_sphere, &other, value);
    trace = 0.0;
    for (int l = 0; l < 9; l++) {
        if (l < 5) assert_close(value[l] / rbf[l], 1.0, 1e-8);
        trace += orr_sphere_multiplicity(8, l) * value[l];
    }
    assert_close(1.0 - trace, 9e-11, 1e-11);
}

/* E P_l P_m = delta_lm / g_l, by the same mean over the sphere: the eigenvalues of k = P_m. */
typedef struct polynomial {
    int64_t d, l;
} polynomial;
static double of_degree(void *self, double t) {
    const polynomial *p = self;
    return orr_sphere_polynomial(p->d, p->l, t);
}

static void polynomials_of_different_degree_are_orthogonal_and_have_mean_square_1_over_g(void **state) {
    (void)state;
    for (int64_t d = 2; d < 12; d += 3)
        for (int64_t m = 0; m < 6; m++) {
            polynomial p = { d, m };
            double value[6];
            orr_sphere_eigenvalues(d, 6, of_degree, &p, value);
            for (int64_t l = 0; l < 6; l++)
                assert_close(value[l], l == m ? 1.0 / orr_sphere_multiplicity(d, l) : 0.0, 1e-9);
        }
}

/* ---- a pool ------------------------------------------------------------------------------------------------------------------ */

/* Two inputs with K = 1 and K = c: (1, 1)/sqrt 2 and (1, -1)/sqrt 2. */
static void a_pool_of_two_is_known_by_heart(void **state) {
    double gram[4] = { 1.0, 0.3, 0.3, 1.0 };
    const double y[4] = { 1.0, 2.0, 0.0, 2.0 }; /* targets (1, 0) and (2, 2) */
    orr_pool_spectrum s;
    assert_ok(*state, orr_pool_spectrum_of(*state, arena, arena, 2, 2, gram, y, &s));
    assert_close(s.value[0], 0.65, 1e-15);
    assert_close(s.value[1], 0.35, 1e-15);
    assert_close(s.coefficient2[0], 0.25, 1e-15);
    assert_close(s.coefficient2[1], 0.25, 1e-15);
    assert_close(s.coefficient2[2], 4.0, 1e-14);
    assert_close(s.coefficient2[3], 0.0, 1e-14);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_are_their_formulas),
        cmocka_unit_test(a_matrix_holds_the_kernel_of_each_pair),
        cmocka_unit_test(a_matrix_of_points_with_themselves_is_that_with_their_copies),
        cmocka_unit_test(goldens_of_the_sheet_on_the_sphere_of_dimension_8),
        cmocka_unit_test(polynomials_of_different_degree_are_orthogonal_and_have_mean_square_1_over_g),
        cmocka_unit_test(a_pool_of_two_is_known_by_heart),
    };
    return cmocka_run_group_tests_name("theory/kernel_spectrum", tests, setup, teardown);
}
