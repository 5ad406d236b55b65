/* Overlaps of a student with the teacher that made its data: by hand, and against sums over the initial weights. */
#include "instrument/measuring.h"

#include "ingredient/settings.h"

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

#define NAMED(what, at)                                                                                                \
    static const what *at##_called(const char *name) {                                                                 \
        int i = 0;                                                                                                     \
        while (orr_##at##_at(i) && strcmp(orr_##at##_at(i)->kind.name, name) != 0) i++;                                \
        assert_non_null(orr_##at##_at(i));                                                                             \
        return orr_##at##_at(i);                                                                                       \
    }
NAMED(orr_architecture, architecture)
NAMED(orr_data, data)
NAMED(orr_parameterization, parameterization)
NAMED(orr_initial, initial)

enum { K = 3, M = 2, D = 6 };

/* K units that learn M in D dimensions, weights times 1/sqrt D; planted on the teacher's with so much noise. */
static orr_problem student(orr_context *ctx, const char *noise) {
    const orr_architecture *committee = architecture_called("committee");
    const orr_data *teacher = data_called("teacher");
    const orr_parameterization *ntk = parameterization_called("ntk");
    const orr_initial *planted = initial_called("planted");
    const orr_task *mse = toy_task("mse");
    const orr_ingredients kinds = {
        .architecture = committee,
        .parameterization = ntk,
        .initial = planted,
        .data = teacher,
        .task = mse,
        .architecture_settings = settings_of(arena, committee->kind.parameters, "units", "3", NULL),
        .parameterization_settings = settings_of(arena, ntk->kind.parameters, NULL),
        .initial_settings = settings_of(arena, planted->kind.parameters, "overlap", "0.5", "noise", noise, NULL),
        .data_settings = settings_of(arena, teacher->kind.parameters, "dimension", "6", "widths", "2", "n", "4", NULL),
        .task_settings = settings_of(arena, mse->kind.parameters, NULL),
    };
    orr_dataset *data = ORR_NEW(arena, orr_dataset, 1);
    orr_problem out;
    assert_non_null(data);
    assert_ok(ctx, teacher->load(ctx, arena, &kinds.data_settings, 0, data));
    assert_ok(ctx, orr_problem_new(ctx, arena, &kinds, data, ORR_F64, &out));
    return out;
}

static double overlap(const notes *t, const char *with, int i, int k) {
    char name[NOTE_NAME];
    (void)snprintf(name, sizeof name, "overlap.%s.%d.%d", with, i + 1, k + 1);
    return noted(t, name);
}

/* Without noise W = B/2 for two units and 0 for the third, B orthonormal. */
static void a_student_on_its_teacher_by_hand(void **state) {
    static notes t;
    const orr_problem p = student(*state, "0");
    measure_with(*state, arena, &p, "overlaps", NULL, 0, &t);
    assert_int_equal(t.n, K * (K + 1) / 2 + K * M);
    for (int i = 0; i < K; i++) {
        for (int k = 0; k <= i; k++)
            assert_close(overlap(&t, "student", i, k), i == k && i < M ? 0.25 : 0.0, 1e-15); /* rounding of B */
        for (int m = 0; m < M; m++) assert_close(overlap(&t, "teacher", i, m), i == m ? 0.5 : 0.0, 1e-15);
    }
}

static void overlaps_are_sums_over_the_weights_as_the_network_sees_them(void **state) {
    static notes t;
    const orr_problem p = student(*state, "1");
    const double *b = p.data.facts.item[0].data;
    double w[K * D + K];
    assert_int_equal(p.n, K * D + K);
    assert_ok(*state, orr_problem_initial(*state, &p, NOTE_SEED, w));
    measure_with(*state, arena, &p, "overlaps", NULL, 0, &t);
    for (int i = 0; i < K; i++)
        for (int k = 0; k < K; k++) {
            double q = 0, r = 0;
            for (int j = 0; j < D; j++) {
                q += w[i * D + j] * w[k * D + j] / D;
                if (k < M) r += w[i * D + j] * b[k * D + j] / sqrt((double)D);
            }
            if (k <= i) assert_close(overlap(&t, "student", i, k), q, 1e-14); /* another order of six terms */
            if (k < M) assert_close(overlap(&t, "teacher", i, k), r, 1e-14);
        }
}

static void data_without_directions_are_refused_in_words(void **state) {
    const orr_problem p = toy_problem(*state, arena, "mse", ORR_F64);
    orr_training *t = start_training(*state, arena, &p);
    const orr_subject subject = orr_training_subject(t);
    const orr_instrument *overlaps = instrument_called("overlaps");
    const orr_settings s = choose(arena, overlaps, NULL);
    void *self;
    assert_int_equal(overlaps->open(*state, &s, &subject, &self), ORR_EINPUT);
    assert_non_null(strstr(orr_context_message(*state), "these data were made by no directions of 4 numbers"));
    orr_context_clear(*state);
    orr_training_free(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_student_on_its_teacher_by_hand),
        cmocka_unit_test(overlaps_are_sums_over_the_weights_as_the_network_sees_them),
        cmocka_unit_test(data_without_directions_are_refused_in_words),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
