/* Runs an instrument over the toy problem in training by gradient descent, and keeps what it records. */
#ifndef ORR_TESTS_INSTRUMENT_MEASURING_H
#define ORR_TESTS_INSTRUMENT_MEASURING_H

#include "toy_problem.h"

#include "instrument/instrument.h"
#include "lab/training.h"

enum { NOTES_MAX = 128, NOTE_ARRAYS_MAX = 32, NOTE_NAME = 64, NOTE_NUMBERS_MAX = 2048 };
enum { NOTE_SEED = 3 };

typedef struct note_of_array {
    char name[NOTE_NAME];
    int64_t step;
    orr_dtype dtype;
    orr_shape shape;
    double data[NOTE_NUMBERS_MAX];
} note_of_array;

typedef struct notes {
    int n, arrays;
    char name[NOTES_MAX][NOTE_NAME];
    double value[NOTES_MAX];
    note_of_array array[NOTE_ARRAYS_MAX];
} notes;

static inline orr_status note(void *self, const char *name, int64_t step, double value) {
    notes *t = self;
    (void)step;
    assert_true(t->n < NOTES_MAX);
    (void)snprintf(t->name[t->n], NOTE_NAME, "%s", name);
    t->value[t->n++] = value;
    return ORR_OK;
}

static inline orr_status note_array(void *self, const char *name, int64_t step, orr_dtype dtype, const orr_shape *shape,
                                    const void *data) {
    notes *t = self;
    const int64_t n = orr_shape_count(shape);
    assert_true(t->arrays < NOTE_ARRAYS_MAX && n <= NOTE_NUMBERS_MAX);
    note_of_array *a = &t->array[t->arrays++];
    (void)snprintf(a->name, NOTE_NAME, "%s", name);
    a->step = step;
    a->dtype = dtype;
    a->shape = *shape;
    for (int64_t i = 0; i < n; i++)
        a->data[i] = dtype == ORR_F64 ? ((const double *)data)[i] : (double)((const float *)data)[i];
    return ORR_OK;
}

static inline bool is_noted(const notes *t, const char *name) {
    for (int i = 0; i < t->n; i++)
        if (strcmp(t->name[i], name) == 0) return true;
    return false;
}

/* the last one of a name */
static inline double noted(const notes *t, const char *name) {
    for (int i = t->n - 1; i >= 0; i--)
        if (strcmp(t->name[i], name) == 0) return t->value[i];
    fail_msg("nothing was recorded as %s", name);
    return 0;
}

static inline const note_of_array *noted_array(const notes *t, const char *name) {
    for (int i = t->arrays - 1; i >= 0; i--)
        if (strcmp(t->array[i].name, name) == 0) return &t->array[i];
    fail_msg("no array was recorded as %s", name);
    return NULL;
}

/* A parameter that is not left at its default; a list of them ends with a zero. */
typedef struct choice {
    const char *name;
    double value;
} choice;

static inline const orr_instrument *instrument_called(const char *kind) {
    int i = 0;
    while (orr_instrument_at(i) && strcmp(orr_instrument_at(i)->kind.name, kind) != 0) i++;
    assert_non_null(orr_instrument_at(i));
    return orr_instrument_at(i);
}

static inline orr_settings choose(orr_arena *arena, const orr_instrument *instrument, const choice *choices) {
    orr_value *values = orr_parameter_fallbacks(arena, instrument->kind.parameters);
    assert_non_null(values);
    for (; choices && choices->name; choices++) {
        const int at = orr_parameter_find(instrument->kind.parameters, choices->name);
        assert_true(at >= 0);
        values[at].integer = (int64_t)choices->value;
        values[at].real = choices->value;
    }
    return (orr_settings){ instrument->kind.parameters, values };
}

/* A training of the problem by gradient descent with rate 0.1; free it. */
static inline orr_training *start_training(orr_context *ctx, orr_arena *arena, const orr_problem *problem) {
    const orr_rule *gd = orr_rule_at(0);
    for (int r = 0; strcmp(gd->kind.name, "gd") != 0; r++) gd = orr_rule_at(r);
    orr_value *rule = orr_parameter_fallbacks(arena, gd->kind.parameters);
    orr_settings *settings = ORR_NEW(arena, orr_settings, 1); /* the training borrows it */
    assert_true(rule && settings);
    *settings = (orr_settings){ gd->kind.parameters, rule };
    const orr_member member = { .problem = problem, .seed = NOTE_SEED, .learning_rate = 0.1 };
    orr_training *t;
    assert_ok(ctx, orr_training_new(ctx, &member, 1,
                                    &(orr_training_options){ .rule = gd, .rule_settings = settings, .steps = 10 }, &t));
    return t;
}

/* What an instrument takes of the shared evaluation, where it takes some. */
static inline orr_status give_evaluation(orr_training *t, const orr_instrument *instrument,
                                         const orr_settings *settings, void *self, int64_t step, const orr_sink *sink) {
    const unsigned needs = instrument->needs ? instrument->needs(settings) : ORR_NEEDS_NOTHING;
    orr_evaluation e;
    if (!needs) return ORR_OK;
    const orr_status status = orr_training_evaluate(t, needs, &e);
    return status == ORR_OK ? instrument->take(self, step, &e, sink) : status;
}

/* Measures once at the start, and once more after `steps` updates, where there are some. */
static inline void measure_with(orr_context *ctx, orr_arena *arena, const orr_problem *problem, const char *kind,
                                const choice *choices, int64_t steps, notes *out) {
    const orr_instrument *instrument = instrument_called(kind);
    const orr_settings settings = choose(arena, instrument, choices);
    orr_training *t = start_training(ctx, arena, problem);
    void *self;
    memset(out, 0, sizeof *out);
    const orr_subject subject = orr_training_subject(t);
    const orr_sink sink = { note, note_array, out };
    void *memory = orr_arena_take(arena, 1, instrument->memory ? instrument->memory(&settings, &subject) : 1);
    assert_non_null(memory);
    if (instrument->cost) assert_true(instrument->cost(&settings, &subject) >= 0.0);
    assert_ok(ctx, instrument->open(ctx, &settings, &subject, &self));
    assert_ok(ctx, instrument->measure(self, 0, NOTE_SEED, memory, &sink));
    assert_ok(ctx, give_evaluation(t, instrument, &settings, self, 0, &sink));
    if (steps) {
        assert_ok(ctx, orr_training_advance(t, steps));
        assert_ok(ctx, instrument->measure(self, steps, NOTE_SEED, memory, &sink));
        assert_ok(ctx, give_evaluation(t, instrument, &settings, self, steps, &sink));
    }
    instrument->close(self);
    orr_training_free(t);
}

#endif
