#include "measuring.h"

#include "numeric/dense.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

enum { D = TOY_FEATURES, O = TOY_CLASSES };

/* The toy problem as a linear network without biases: f = W2 W1 x. */
static orr_problem linear_problem(orr_context *ctx, orr_dtype dtype) {
    orr_problem problem = toy_problem(ctx, arena, "mse", dtype);
    orr_settings *mlp = &problem.kind.architecture_settings;
    const int n = orr_parameter_count(mlp->table);
    orr_value *value = ORR_NEW(arena, orr_value, n);
    assert_non_null(value);
    memcpy(value, mlp->value, (size_t)n * sizeof *value);
    value[orr_parameter_find(mlp->table, "activation")].text = "linear";
    value[orr_parameter_find(mlp->table, "bias")].integer = 0;
    mlp->value = value;
    const orr_ingredients kinds = problem.kind;
    const orr_dataset data = problem.data;
    assert_ok(ctx, orr_problem_new(ctx, arena, &kinds, &data, dtype, &problem));
    assert_int_equal(problem.n_tensors, 2);
    return problem;
}

/* The strongest mode of a[O, D] by power iteration; it is taken off.  Returns s. */
static double take_mode(double a[O * D], double u[O], double v[D]) {
    double s = 0.0;
    for (int j = 0; j < D; j++) v[j] = 1.0 + 0.3 * j;
    for (int i = 0; i < 20000; i++) {
        double square = 0.0;
        for (int o = 0; o < O; o++) {
            u[o] = 0.0;
            for (int j = 0; j < D; j++) u[o] += a[o * D + j] * v[j];
            square += u[o] * u[o];
        }
        for (int o = 0; o < O; o++) u[o] /= sqrt(square);
        square = 0.0;
        for (int j = 0; j < D; j++) {
            v[j] = 0.0;
            for (int o = 0; o < O; o++) v[j] += a[o * D + j] * u[o];
            square += v[j] * v[j];
        }
        s = sqrt(square);
        for (int j = 0; j < D; j++) v[j] /= s;
    }
    for (int o = 0; o < O; o++)
        for (int j = 0; j < D; j++) a[o * D + j] -= s * u[o] * v[j];
    return s;
}

/* Of a linear network P is W2 W1, whatever the inputs' covariance; modes by power iteration. */
static void strengths_are_those_of_the_product_of_matrices(void **state) {
    for (int dtype = ORR_F32; dtype <= ORR_F64; dtype++) {
        static notes t;
        const orr_problem problem = linear_problem(*state, (orr_dtype)dtype);
        double w[TOY_WIDTH * D + O * TOY_WIDTH], p[O * D], s[O * D] = { 0 }, u[O][O], v[O][D], outside = 0, whole = 0;
        const double limit = dtype == ORR_F64 ? 1e-12 : 1e-5; /* rounding times the condition of C, about 30 */
        assert_ok(*state, orr_problem_initial(*state, &problem, NOTE_SEED, w));
        orr_dense_multiply(O, D, TOY_WIDTH, w + TOY_WIDTH * D, false, w, false, p);
        for (int i = 0; i < TOY_N; i++)
            for (int j = 0; j < D; j++) s[toy_label[i] * D + j] += problem.data.x[i * D + j] / TOY_N;
        for (int k = 0; k < O; k++) (void)take_mode(s, u[k], v[k]);
        measure_with(*state, arena, &problem, "modes", NULL, 0, &t);
        for (int k = 0; k < O; k++)
            for (int l = 0; l < O; l++) {
                double m = 0.0;
                for (int o = 0; o < O; o++)
                    for (int j = 0; j < D; j++) m += u[k][o] * p[o * D + j] * v[l][j];
                char name[NOTE_NAME];
                (void)snprintf(name, sizeof name, "mode_strength.%d", k + 1);
                if (k == l) assert_close(noted(&t, name), m, limit);
                else outside += m * m;
            }
        for (int i = 0; i < O * D; i++) whole += p[i] * p[i];
        assert_close(noted(&t, "mode_leakage"), sqrt(outside / whole), limit);
        assert_int_equal(t.n, O + 1);
    }
}

static void only_so_many_as_are_asked_for_are_recorded(void **state) {
    static const choice one[] = { { "top", 1 }, { 0 } };
    static notes t;
    const orr_problem problem = linear_problem(*state, ORR_F64);
    measure_with(*state, arena, &problem, "modes", one, 3, &t);
    assert_int_equal(t.n, 4); /* two measurements of one mode and the leakage */
    assert_true(is_noted(&t, "mode_strength.1") && !is_noted(&t, "mode_strength.2"));
}

static void tokens_and_foreign_targets_are_refused(void **state) {
    const orr_problem problem = linear_problem(*state, ORR_F64);
    const orr_instrument *modes = instrument_called("modes");
    const orr_settings s = choose(arena, modes, NULL);
    orr_training *t = start_training(*state, arena, &problem);
    for (int what = 0; what < 2; what++) {
        orr_subject subject = orr_training_subject(t);
        void *self = &subject;
        if (what == 0) subject.x_type = ORR_I32;
        else subject.target = NULL;
        assert_int_equal(modes->open(*state, &s, &subject, &self), ORR_EINPUT);
        assert_null(self);
        orr_context_clear(*state);
    }
    orr_training_free(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strengths_are_those_of_the_product_of_matrices),
        cmocka_unit_test(only_so_many_as_are_asked_for_are_recorded),
        cmocka_unit_test(tokens_and_foreign_targets_are_refused),
    };
    return cmocka_run_group_tests_name("instrument/modes", tests, setup, teardown);
}
