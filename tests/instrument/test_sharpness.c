#include "testing.h"

#include "instrument/instrument.h"

enum { N = 30 };

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

/* L = 1/2 sum d_i w_i^2 + 1/24 sum w_i^4 over two tensors, d_i = i - 10: at w = 0 the eigenvalues are the d_i.  P = p_i. */
typedef struct bowl {
    orr_context *ctx;
    orr_dtype dtype;
    bool divides;
    void *w[2]; /* live, [N] and [2, N/2]: the second half is flat, and its Hessian 1/2 w^2 */
} bowl;

static const orr_shape shapes[2] = { { 1, { N } }, { 2, { 2, N / 2 } } };

static orr_status build(void *self, orr_arena *out_arena, orr_graph *g, orr_part part, orr_subject_graph *out) {
    (void)part;
    bowl *b = self;
    orr_node *parameter = ORR_NEW(out_arena, orr_node, 2), *p = ORR_NEW(out_arena, orr_node, 2);
    orr_feed *feeds = ORR_NEW(out_arena, orr_feed, 2);
    if (!parameter || !p || !feeds) return ORR_ENOMEM;
    parameter[0] = orr_input(g, "a", b->dtype, shapes[0]);
    parameter[1] = orr_input(g, "b", b->dtype, shapes[1]);
    const orr_node d = orr_shift(g, orr_iota(g, b->dtype, shapes[0], 0), -10.0);
    const orr_node square = orr_square(g, parameter[1]);
    out->loss = orr_add(g, orr_scale(g, orr_sum_all(g, orr_mul(g, d, orr_square(g, parameter[0]))), 0.5),
                        orr_scale(g, orr_sum_all(g, orr_square(g, square)), 1.0 / 24.0));
    p[0] = orr_shift(g, orr_iota(g, b->dtype, shapes[0], 0), 1.0); /* p_i = i + 1 */
    p[1] = orr_fill(g, b->dtype, shapes[1], 2.0);
    for (int t = 0; t < 2; t++) feeds[t] = (orr_feed){ parameter[t], b->w[t] };
    *out = (orr_subject_graph){
        .parameter = parameter, .loss = out->loss, .preconditioner = b->divides ? p : NULL, .feeds = feeds, .n_feeds = 2
    };
    return ORR_OK;
}

typedef struct note {
    int n, arrays;
    char name[32][48];
    double value[32];
    double vector[2 * 2 * N];
} note;

static orr_status record(void *self, const char *series, int64_t step, double value) {
    note *t = self;
    (void)step;
    (void)snprintf(t->name[t->n], sizeof t->name[0], "%s", series);
    t->value[t->n++] = value;
    return ORR_OK;
}
static orr_status record_array(void *self, const char *name, int64_t step, orr_dtype dtype, const orr_shape *shape,
                               const void *data) {
    note *t = self;
    (void)step;
    assert_string_equal(name, "sharpness");
    assert_int_equal(dtype, ORR_F64);
    assert_int_equal(shape->size[0], 2);
    assert_int_equal(shape->size[1], 2 * N);
    memcpy(t->vector, data, sizeof t->vector);
    t->arrays++;
    return ORR_OK;
}

static double noted(const note *t, const char *name) {
    for (int i = 0; i < t->n; i++)
        if (strcmp(t->name[i], name) == 0) return t->value[i];
    fail_msg("nothing was recorded as %s", name);
    return 0;
}

static const orr_instrument *sharpness(void) {
    int i = 0;
    while (strcmp(orr_instrument_at(i)->kind.name, "sharpness") != 0) i++;
    return orr_instrument_at(i);
}

static orr_settings settings(int64_t top, bool preconditioned, bool vectors) {
    const orr_parameter *table = sharpness()->kind.parameters;
    orr_value *value = orr_parameter_fallbacks(arena, table);
    assert_non_null(value);
    value[orr_parameter_find(table, "top")].integer = top;
    value[orr_parameter_find(table, "preconditioned")].integer = preconditioned;
    value[orr_parameter_find(table, "vectors")].integer = vectors;
    return (orr_settings){ table, value };
}

static bowl make_bowl(orr_context *ctx, orr_dtype dtype, bool divides) {
    bowl b = { .ctx = ctx, .dtype = dtype, .divides = divides };
    for (int t = 0; t < 2; t++) b.w[t] = orr_arena_take(arena, N, orr_dtype_size(dtype));
    return b;
}

static void measure(orr_context *ctx, bowl *b, const orr_settings *s, int times, note *out) {
    const orr_subject subject = {
        .dtype = b->dtype, .shape = shapes, .n_tensors = 2, .n = 2 * N, .build = build, .self = b
    };
    const orr_sink sink = { record, record_array, out };
    void *state, *memory = orr_arena_take(arena, 1, sharpness()->memory(s, &subject));
    assert_non_null(memory);
    assert_ok(ctx, sharpness()->open(ctx, s, &subject, &state));
    for (int i = 0; i < times; i++) {
        *out = (note){ 0 };
        assert_ok(ctx, sharpness()->measure(state, 50 * i, 5, memory, &sink));
    }
    sharpness()->close(state);
}

/* Algebraically: -10 is the largest in magnitude at first, and no eigenvalue that is asked for. */
static void sharpness_of_a_quadratic_is_its_largest_eigenvalues(void **state) {
    static note t;
    for (int dtype = ORR_F32; dtype <= ORR_F64; dtype++)
        for (int times = 1; times <= 3; times++) { /* from a random vector; then from the last Ritz vector */
            bowl b = make_bowl(*state, (orr_dtype)dtype, false);
            const orr_settings s = settings(2, false, true);
            const double limit = dtype == ORR_F64 ? 1e-9 : 1e-4; /* rounding of products of size 30, times some */
            measure(*state, &b, &s, times, &t);
            assert_close(noted(&t, "sharpness"), 19.0, limit);
            if (times == 1) assert_close(noted(&t, "sharpness_2"), 18.0, limit); /* 40 steps of 60 dimensions */
            assert_true(noted(&t, "sharpness_residual") < 1e-3);
            assert_int_equal(t.arrays, 1);
            assert_close(fabs(t.vector[N - 1]), 1.0, 1e-3); /* e_29, in the first tensor */
        }
}

/* 1/24 w^4 has the second derivative w^2/2: live parameters are seen anew at each measurement. */
static void it_follows_the_live_parameters(void **state) {
    static note t;
    bowl b = make_bowl(*state, ORR_F64, false);
    const orr_settings s = settings(1, false, false);
    ((double *)b.w[1])[4] = 10.0;
    measure(*state, &b, &s, 2, &t);
    assert_close(noted(&t, "sharpness"), 50.0, 1e-9);
    assert_int_equal(t.arrays, 0);
}

/* (i - 10) / (i + 1) grows with i: the largest is 19/30. */
static void preconditioned_it_is_that_of_both_sides_divided_by_the_root_of_p(void **state) {
    static note t;
    bowl b = make_bowl(*state, ORR_F64, true), plain = make_bowl(*state, ORR_F64, false);
    const orr_settings s = settings(1, true, false);
    measure(*state, &b, &s, 1, &t);
    assert_close(noted(&t, "sharpness_preconditioned"), 19.0 / 30.0, 1e-9);
    ((double *)b.w[1])[0] = 3.0;
    measure(*state, &b, &s, 1, &t);
    assert_close(noted(&t, "sharpness_preconditioned"), 9.0 / 2.0 / 2.0, 1e-9);
    measure(*state, &plain, &s, 1, &t); /* a rule without P: P = 1 */
    assert_close(noted(&t, "sharpness_preconditioned"), 19.0, 1e-9);
}

/* The bowl's eigenvalues are -10 .. 19, and 0 in the flat half: 4 lie above 15.5, by half a unit and more. */
static void eigenvalues_above_a_threshold_are_counted_from_below_and_where_all_are_seen_from_above(void **state) {
    static note t;
    bowl b = make_bowl(*state, ORR_F64, false);
    const orr_settings s = settings(3, false, false);
    orr_value *value = (orr_value *)(uintptr_t)s.value;
    value[orr_parameter_find(s.table, "threshold")].real = 15.5;
    for (int64_t steps = 1; steps <= 40; steps += 3) { /* never too many, however few the steps */
        value[orr_parameter_find(s.table, "first_steps")].integer = steps;
        measure(*state, &b, &s, 1, &t);
        assert_true(noted(&t, "sharpness_above") <= 4.0);
        for (int i = 0; i < t.n; i++) assert_string_not_equal(t.name[i], "sharpness_above_most");
    }
    assert_close(noted(&t, "sharpness_above"), 4.0, 0.0);
    value[orr_parameter_find(s.table, "first_steps")].integer = 2 * N;
    measure(*state, &b, &s, 1, &t);
    assert_close(noted(&t, "sharpness_above"), 4.0, 0.0);
    assert_close(noted(&t, "sharpness_above_most"), 4.0, 0.0);
    assert_true(noted(&t, "sharpness_3_residual") < 1e-9);
    assert_close(noted(&t, "sharpness_3"), 17.0, 1e-9);
}

/* After few steps values are rough, and each says how rough: a true eigenvalue, a whole number here, lies that near. */
static void each_value_has_a_bound_of_its_own(void **state) {
    static note t;
    bowl b = make_bowl(*state, ORR_F64, false);
    const orr_settings s = settings(3, false, false);
    ((orr_value *)(uintptr_t)s.value)[orr_parameter_find(s.table, "first_steps")].integer = 12;
    static const char *const name[] = { "sharpness", "sharpness_2", "sharpness_3" };
    measure(*state, &b, &s, 1, &t);
    for (int i = 0; i < 3; i++) {
        char residual[48];
        (void)snprintf(residual, sizeof residual, "%s_residual", name[i]);
        const double value = noted(&t, name[i]), r = noted(&t, residual);
        assert_true(r > 1e-6 && fabs(value - round(value)) <= r);
    }
}

static void where_the_network_is_no_number_neither_is_its_sharpness(void **state) {
    static note t;
    bowl b = make_bowl(*state, ORR_F64, false);
    const orr_settings s = settings(1, false, false);
    ((double *)b.w[1])[2] = (double)NAN;
    measure(*state, &b, &s, 2, &t);
    assert_true(isnan(noted(&t, "sharpness")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sharpness_of_a_quadratic_is_its_largest_eigenvalues),
        cmocka_unit_test(it_follows_the_live_parameters),
        cmocka_unit_test(preconditioned_it_is_that_of_both_sides_divided_by_the_root_of_p),
        cmocka_unit_test(eigenvalues_above_a_threshold_are_counted_from_below_and_where_all_are_seen_from_above),
        cmocka_unit_test(each_value_has_a_bound_of_its_own),
        cmocka_unit_test(where_the_network_is_no_number_neither_is_its_sharpness),
    };
    return cmocka_run_group_tests_name("instrument/sharpness", tests, setup, teardown);
}
