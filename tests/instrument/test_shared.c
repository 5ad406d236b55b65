/* What instruments have in common is computed once, and nobody's numbers depend on who else looks. */
#include "instrument/measuring.h"

#include "instrument/shared.h"

enum { LABELS = 40, FEATURES = 9, WIDTH = 11, UPDATES = 2 };

static orr_arena *arena;

static int setup(void **state) {
    orr_context *ctx;
    if (orr_context_new(NULL, &ctx) != ORR_OK || orr_arena_new(ctx, &arena) != ORR_OK) return -1;
    *state = ctx;
    return 0;
}

static int teardown(void **state) {
    orr_arena_free(arena);
    orr_context_free(*state);
    return 0;
}

static orr_problem problem_in(orr_context *ctx, orr_dtype dtype) {
    int32_t label[LABELS];
    for (int i = 0; i < LABELS; i++) label[i] = i % TOY_CLASSES;
    return toy_problem_of(ctx, arena, "mse", dtype, LABELS, label, FEATURES, WIDTH);
}

/* An instrument that is open, beside others. */
typedef struct opened {
    const char *kind;
    choice choices[2];
    const orr_instrument *instrument;
    orr_settings settings;
    void *self, *memory;
    orr_training *training;
} opened;

static void open_one(orr_context *ctx, orr_training *t, opened *o) {
    const orr_subject subject = orr_training_subject(t);
    o->instrument = instrument_called(o->kind);
    o->settings = choose(arena, o->instrument, o->choices);
    o->training = t;
    o->memory = orr_arena_take(arena, 1, o->instrument->memory ? o->instrument->memory(&o->settings, &subject) : 1);
    assert_non_null(o->memory);
    assert_ok(ctx, o->instrument->open(ctx, &o->settings, &subject, &o->self));
}

static unsigned needs_of(const opened *o) {
    return o->instrument->needs ? o->instrument->needs(&o->settings) : ORR_NEEDS_NOTHING;
}

/* `others`: what they need of the evaluation that this one takes. */
static void measure_beside(orr_context *ctx, const opened *o, unsigned others, int64_t step, notes *out) {
    const orr_sink sink = { note, note_array, out };
    orr_evaluation e;
    memset(out, 0, sizeof *out);
    assert_ok(ctx, o->instrument->measure(o->self, step, NOTE_SEED, o->memory, &sink));
    if (!needs_of(o)) return;
    assert_ok(ctx, orr_training_evaluate(o->training, needs_of(o) | others, &e));
    assert_ok(ctx, o->instrument->take(o->self, step, &e, &sink));
}

static void measure_one(orr_context *ctx, const opened *o, int64_t step, notes *out) {
    measure_beside(ctx, o, ORR_NEEDS_NOTHING, step, out);
}

#define USERS                                                                                                          \
    {                                                                                                                  \
        { .kind = "outputs" }, { .kind = "activations", .choices = { { "examples", LABELS } } },                       \
            { .kind = "nngp", .choices = { { "examples", LABELS } } }, { .kind = "neural-collapse" },                  \
            { .kind = "modes" }, { .kind = "cka", .choices = { { "examples", LABELS } } },                             \
            { .kind = "feature-drift", .choices = { { "examples", LABELS } } }, { .kind = "accuracy" },                \
            { .kind = "loss" },                                                                                        \
    }
enum { N_USERS = 9 };

static notes alone, together;

static void those_that_look_at_the_same_examples_cause_one_evaluation(void **state) {
    opened user[N_USERS] = USERS, few = { .kind = "activations", .choices = { { "examples", LABELS / 2 } } };
    const orr_problem problem = problem_in(*state, ORR_F32);
    orr_training *t = start_training(*state, arena, &problem);
    const orr_shared *shared = orr_training_subject(t).shared;
    for (int i = 0; i < N_USERS; i++) open_one(*state, t, &user[i]);
    assert_int_equal(orr_shared_evaluations(shared), 0);
    for (int step = 0; step < 3; step++) { /* and anew after each update */
        if (step) assert_ok(*state, orr_training_advance(t, 1));
        for (int i = 0; i < N_USERS; i++) measure_one(*state, &user[i], step, &together);
        assert_int_equal(orr_shared_evaluations(shared), step + 1);
    }
    open_one(*state, t, &few); /* other examples are another evaluation */
    measure_one(*state, &few, 3, &together);
    for (int i = 0; i < N_USERS; i++) measure_one(*state, &user[i], 3, &together);
    assert_int_equal(orr_shared_evaluations(shared), 4);
    few.instrument->close(few.self);
    for (int i = 0; i < N_USERS; i++) user[i].instrument->close(user[i].self);
    orr_training_free(t);
}

static void assert_same_notes(const char *kind) {
    if (memcmp(&alone, &together, sizeof alone) != 0) fail_msg("%s: differs where others look too", kind);
}

/* Whoever comes first, and whether the loss comes with a gradient that another wants. */
static void numbers_are_the_same_bits_whoever_else_looks(void **state) {
    for (int dtype = 0; dtype < 2; dtype++) {
        const orr_problem problem = problem_in(*state, dtype ? ORR_F64 : ORR_F32);
        for (int i = 0; i < N_USERS; i++) {
            opened single[N_USERS] = USERS, user[N_USERS] = USERS;
            orr_training *t = start_training(*state, arena, &problem),
                         *of_all = start_training(*state, arena, &problem);
            open_one(*state, t, &single[i]);
            for (int k = 0; k < N_USERS; k++) open_one(*state, of_all, &user[(i + k) % N_USERS]);
            for (int step = 0; step <= UPDATES; step += UPDATES) {
                if (step) assert_ok(*state, orr_training_advance(t, UPDATES));
                if (step) assert_ok(*state, orr_training_advance(of_all, UPDATES));
                for (int k = 1; k < N_USERS; k++) measure_one(*state, &user[(i + k) % N_USERS], step, &together);
                measure_one(*state, &single[i], step, &alone);
                measure_beside(*state, &user[i], ORR_NEEDS_GRADIENT, step, &together);
                assert_true(alone.n + alone.arrays > 0);
                assert_int_equal(orr_shared_evaluations(orr_training_subject(t).shared), step / UPDATES + 1);
                assert_int_equal(orr_shared_evaluations(orr_training_subject(of_all).shared), step / UPDATES + 1);
                assert_same_notes(user[i].kind);
            }
            single[i].instrument->close(single[i].self);
            for (int k = 0; k < N_USERS; k++) user[k].instrument->close(user[k].self);
            orr_training_free(t);
            orr_training_free(of_all);
        }
    }
}

/* The network is evaluated anew for one that comes late and looks at what nobody did. */
static void one_that_comes_late_shares_and_one_that_goes_takes_nothing_along(void **state) {
    opened first = { .kind = "outputs" }, like = { .kind = "modes" },
           late = { .kind = "activations", .choices = { { "examples", LABELS } } };
    const orr_problem problem = problem_in(*state, ORR_F64);
    orr_training *t = start_training(*state, arena, &problem);
    const orr_shared *shared = orr_training_subject(t).shared;
    open_one(*state, t, &first);
    measure_one(*state, &first, 0, &alone);
    assert_int_equal(orr_shared_evaluations(shared), 1);
    open_one(*state, t, &like);
    measure_one(*state, &like, 0, &together);
    assert_int_equal(orr_shared_evaluations(shared), 1);
    like.instrument->close(like.self);
    open_one(*state, t, &late);
    measure_one(*state, &late, 0, &together);
    measure_one(*state, &first, 0, &together);
    assert_same_notes("outputs");
    assert_int_equal(orr_shared_evaluations(shared), 2);
    late.instrument->close(late.self);
    measure_one(*state, &first, 0, &together);
    assert_same_notes("outputs");
    assert_ok(*state, orr_training_advance(t, 1));
    measure_one(*state, &first, 1, &together);
    assert_true(memcmp(alone.array[0].data, together.array[0].data, sizeof(double)) != 0);
    first.instrument->close(first.self);
    orr_training_free(t);
}

/* The Hessian's program outlives the instrument that opened it. */
static void products_with_the_hessian_share_their_program(void **state) {
    static const char *const kinds[] = { "sharpness", "hessian-trace", "hessian-spectrum" };
    const orr_problem problem = problem_in(*state, ORR_F64);
    for (int i = 0; i < 3; i++) {
        opened other = { .kind = kinds[(i + 1) % 3] }, single = { .kind = kinds[i] }, user = { .kind = kinds[i] };
        orr_training *t = start_training(*state, arena, &problem), *of_both = start_training(*state, arena, &problem);
        open_one(*state, t, &single);
        open_one(*state, of_both, &other);
        orr_shared *shared = orr_training_subject(of_both).shared;
        struct orr_hessian *opened_first = *orr_shared_hessian(shared, false);
        assert_non_null(opened_first);
        open_one(*state, of_both, &user);
        assert_ptr_equal(*orr_shared_hessian(shared, false), opened_first);
        measure_one(*state, &other, 0, &together);
        other.instrument->close(other.self);
        measure_one(*state, &single, 0, &alone);
        measure_one(*state, &user, 0, &together);
        assert_same_notes(kinds[i]);
        single.instrument->close(single.self);
        user.instrument->close(user.self);
        assert_null(*orr_shared_hessian(shared, false));
        orr_training_free(t);
        orr_training_free(of_both);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_that_look_at_the_same_examples_cause_one_evaluation),
        cmocka_unit_test(numbers_are_the_same_bits_whoever_else_looks),
        cmocka_unit_test(one_that_comes_late_shares_and_one_that_goes_takes_nothing_along),
        cmocka_unit_test(products_with_the_hessian_share_their_program),
    };
    return cmocka_run_group_tests_name("instrument/shared", tests, setup, teardown);
}
