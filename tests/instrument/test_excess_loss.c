/* The excess loss against sums over the weights, of one layer and of two, and what it refuses. */
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

enum { D = 5, OUTPUTS = 2, HIDDEN = 3 };

/* y = W* x + noise, lambda_j = 1/j; n and noise don't matter. */
static orr_problem gaussian(orr_context *ctx, const char *architecture, const char *widths, const char *targets) {
    const orr_architecture *network = architecture_called(architecture);
    const orr_data *data = data_called("gaussian");
    const orr_task *mse = toy_task("mse");
    const orr_ingredients kinds = {
        .architecture = network,
        .data = data,
        .task = mse,
        .architecture_settings = settings_of(arena, network->kind.parameters, "widths", widths, NULL),
        .data_settings = settings_of(arena, data->kind.parameters, "dimension", "5", "covariance", "power-law",
                                     "outputs", "2", "noise", "1", "n", "3", "targets", targets, NULL),
        .task_settings = settings_of(arena, mse->kind.parameters, NULL),
    };
    orr_dataset *set = ORR_NEW(arena, orr_dataset, 1);
    orr_problem out;
    assert_non_null(set);
    assert_ok(ctx, data->load(ctx, arena, &kinds.data_settings, 0, set));
    assert_ok(ctx, orr_problem_new(ctx, arena, &kinds, set, ORR_F64, &out));
    return out;
}

static double loss_of(const orr_problem *p, const double *map) {
    const double *teacher = p->data.facts.item[1].data;
    double sum = 0.0;
    for (int o = 0; o < OUTPUTS; o++)
        for (int j = 0; j < D; j++) {
            const double e = map[o * D + j] - teacher[o * D + j];
            sum += e * e / (j + 1.0);
        }
    return 0.5 * sum;
}

static void one_layer_and_two_have_the_loss_of_their_map(void **state) {
    static notes t;
    double w[HIDDEN * (D + OUTPUTS)], map[OUTPUTS * D] = { 0 };
    const orr_problem one = gaussian(*state, "linear", "", "linear"), two = gaussian(*state, "linear", "3", "linear");
    assert_ok(*state, orr_problem_initial(*state, &one, NOTE_SEED, w));
    measure_with(*state, arena, &one, "excess-loss", NULL, 0, &t);
    assert_close(noted(&t, "excess_loss"), loss_of(&one, w), 1e-14); /* rounding of ten terms */
    assert_ok(*state, orr_problem_initial(*state, &two, NOTE_SEED, w));
    for (int o = 0; o < OUTPUTS; o++)
        for (int j = 0; j < D; j++)
            for (int k = 0; k < HIDDEN; k++) map[o * D + j] += w[HIDDEN * D + o * HIDDEN + k] * w[k * D + j];
    measure_with(*state, arena, &two, "excess-loss", NULL, 0, &t);
    assert_close(noted(&t, "excess_loss"), loss_of(&two, map), 1e-14);
}

/* Opens, and measures where that went well: refused with these words. */
static void assert_refused(orr_context *ctx, const orr_problem *p, const char *words) {
    const orr_instrument *excess = instrument_called("excess-loss");
    const orr_settings s = choose(arena, excess, NULL);
    static notes t;
    orr_training *training = start_training(ctx, arena, p);
    const orr_subject subject = orr_training_subject(training);
    const orr_sink sink = { note, note_array, &t };
    void *self = NULL;
    orr_status status = excess->open(ctx, &s, &subject, &self);
    if (status == ORR_OK) status = excess->measure(self, 0, NOTE_SEED, NULL, &sink);
    assert_int_equal(status, ORR_EINPUT);
    assert_non_null(strstr(orr_context_message(ctx), words));
    orr_context_clear(ctx);
    excess->close(self);
    orr_training_free(training);
}

static void other_networks_and_data_are_refused_in_words(void **state) {
    const orr_problem tanh = gaussian(*state, "mlp", "3", "linear");
    const orr_problem toy = toy_problem(*state, arena, "mse", ORR_F64);
    assert_refused(*state, &tanh, "not linear in its inputs");
    assert_refused(*state, &toy, "must be numbers, of data: gaussian");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_layer_and_two_have_the_loss_of_their_map),
        cmocka_unit_test(other_networks_and_data_are_refused_in_words),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
