#define _XOPEN_SOURCE 700 /* mkdtemp, nftw */
/* What every law must be: whole, readable, and asked about any experiment it answers or says why it doesn't. */
#include "../lab/laboratory.h"

#include "law/map.h"
#include "law/run.h"

enum { LAWS_MAX = 200 };

static orr_arena *arena;

static int setup(void **state) { return context_setup(state) || orr_arena_new(*state, &arena) != ORR_OK ? -1 : 0; }
static int teardown(void **state) {
    orr_arena_free(arena);
    return context_teardown(state);
}

static void every_law_says_what_it_is(void **state) {
    (void)state;
    for (int i = 0; orr_law_at(i); i++) {
        const orr_law *law = orr_law_at(i);
        const char *const texts[] = { law->id,      law->title,    law->statement,    law->section,
                                      law->sources, law->equation, law->breaks_along, orr_law_approach(i) };
        for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++)
            if (!texts[k] || !texts[k][0]) fail_msg("%s: text %zu is missing", law->id, k);
        assert_ptr_equal(orr_law_find(law->id), law);
        assert_non_null(law->regime[0].words);
        assert_non_null(law->checks[0].metric);
        assert_non_null(law->figure);
        for (const orr_check *c = law->checks; c->metric; c++)
            if (!(c->low < c->high || c->low == c->high)) fail_msg("%s: %s can't hold", law->id, c->metric);
        for (const orr_condition *c = law->regime; c->words; c++)
            if (!!c->point + !!c->run + !!c->check != 1) fail_msg("%s: \"%s\" needs one check", law->id, c->words);
        for (int j = 0; j < i; j++) assert_string_not_equal(orr_law_at(j)->id, law->id);
    }
}

static void every_default_experiment_can_be_read_in_both_sizes(void **state) {
    static const char *const sizes[] = { "quick", "full" };
    for (int i = 0; orr_law_at(i); i++)
        for (size_t k = 0; k < 2; k++) {
            const orr_law *law = orr_law_at(i);
            orr_experiment e;
            assert_ok(*state, orr_experiment_parse(*state, arena, law->id, law->defaults, *law->defaults_size,
                                                   &(orr_experiment_options){ .size = sizes[k] }, &e));
            assert_true(e.seeds >= ORR_LAW_SEEDS_MIN);
            bool named = false;
            for (int64_t l = 0; l < e.n_laws; l++) named = named || strcmp(e.laws[l], law->id) == 0;
            if (!named) fail_msg("%s: its experiment doesn't name it", law->id);
        }
}

/* Parameters, data and task go together, and nothing of it is refused: as far as a run can come before it trains. */
static void every_default_experiment_can_be_prepared(void **state) {
    for (int i = 0; orr_law_at(i); i++) {
        const orr_law *law = orr_law_at(i);
        orr_experiment e;
        const orr_problem **problems;
        const orr_arena_mark mark = orr_arena_here(arena);
        const char *one = "seeds=1";
        const orr_experiment_options options = { .size = "quick", .set = &one, .n_set = 1 };
        assert_ok(*state,
                  orr_experiment_parse(*state, arena, law->id, law->defaults, *law->defaults_size, &options, &e));
        assert_ok(*state, orr_lab_prepare(*state, arena, &e, &problems));
        orr_arena_rewind(arena, mark);
    }
}

static void every_law_has_an_axis_that_can_be_read(void **state) {
    for (int i = 0; orr_law_at(i); i++) {
        orr_axis axis;
        assert_ok(*state, orr_axis_parse(*state, arena, orr_law_at(i)->breaks_along, &axis));
    }
}

#define SMALL "name: small\nsteps: 20\nprecision: f64\nobserve: [ { kind: loss, every: 5 } ]\n"
static const char *const experiments[] = {
    SMALL "architecture: { kind: mlp, widths: [4] }\ndata: { kind: gaussian, n: 12, dimension: 3 }\ntask: mse\n"
          "rule: { kind: gd, learning_rate: 0.1 }\n",
    SMALL "architecture: { kind: mlp, widths: [4, 4], activation: tanh }\ndata: { kind: gaussian-mixture, n: 12, "
          "dimension: 3 }\ntask: cross-entropy\nrule: { kind: adam, learning_rate: 0.01, batch: 4 }\n",
    SMALL "architecture: { kind: linear, widths: [3] }\ndata: { kind: whitened-linear, n: 40 }\ntask: mse\n"
          "rule: { kind: gradient-flow, time_step: 0.1 }\n",
    SMALL "architecture: linear\ndata: { kind: gaussian, n: 12, dimension: 3 }\ntask: mse\n"
          "rule: { kind: sgd, learning_rate: 0.01, batch: 2, sampling: online }\n",
    SMALL "architecture: { kind: committee, units: 2 }\ndata: { kind: teacher, n: 12, dimension: 5 }\ntask: mse\n"
          "rule: { kind: sgd, learning_rate: 0.1, batch: 1, sampling: online }\n",
    SMALL "architecture: diagonal-linear\ndata: { kind: gaussian, n: 12, dimension: 3 }\ntask: mse\n"
          "rule: { kind: label-noise-sgd, learning_rate: 0.01, noise: 0.1 }\n",
    SMALL "architecture: { kind: random-features, features: 6 }\ndata: { kind: hypersphere, n: 12, dimension: 4 }\n"
          "task: mse\nrule: { kind: gd, learning_rate: 0.1 }\n",
    SMALL "architecture: { kind: cnn, channels: [2] }\ndata: { kind: fashion-mnist, n: 6 }\ntask: cross-entropy\n"
          "rule: { kind: sgd, learning_rate: 0.1, batch: 3 }\n",
    SMALL "architecture: { kind: resnet, channels: [2] }\ndata: { kind: fashion-mnist, n: 6 }\ntask: mse\n"
          "rule: { kind: nesterov, learning_rate: 0.01 }\n",
    SMALL "architecture: { kind: transformer }\ndata: { kind: modular-arithmetic, modulus: 5 }\ntask: cross-entropy\n"
          "rule: { kind: adamw, learning_rate: 0.001 }\n",
    SMALL "architecture: { kind: rnn }\ndata: { kind: modular-arithmetic, modulus: 5 }\ntask: cross-entropy\n"
          "rule: { kind: sign, learning_rate: 0.001 }\n",
    SMALL
    "architecture: { kind: mlp, widths: [4] }\ndata: { kind: gaussian-mixture, n: 12, dimension: 3, classes: 2 }\n"
    "task: logistic\nrule: { kind: muon, learning_rate: 0.01 }\n",
    SMALL "architecture: { kind: mlp, widths: [4] }\ndata: { kind: gaussian, n: 12, dimension: 3 }\n"
          "task: barlow-twins\nrule: { kind: sam, learning_rate: 0.01 }\n",
};

static void asked_about_any_experiment_a_law_answers_or_says_why_not(void **state) {
    const orr_law *laws[LAWS_MAX];
    int64_t n = 0;
    while (orr_law_at((int)n)) laws[n] = orr_law_at((int)n), n++;
    for (size_t i = 0; i < sizeof experiments / sizeof experiments[0]; i++) {
        orr_experiment e;
        orr_laws_outcome outcome = { 0 };
        assert_ok(*state,
                  orr_experiment_parse(*state, arena, "small.yaml", experiments[i], strlen(experiments[i]), NULL, &e));
        assert_ok(*state, orr_laws_predict(*state, arena, laws, n, &e, NULL, &outcome));
        for (int64_t l = 0; l < n; l++) {
            const orr_law_outcome *o = &outcome.law[l];
            if (o->verdict == ORR_OUT_OF_REGIME ? !o->note[0] : !json_is_object(o->prediction))
                fail_msg("%s says nothing about experiment %zu", laws[l]->id, i);
            json_decref(o->prediction);
        }
    }
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        CLAIM(every_law_says_what_it_is),
        CLAIM(every_default_experiment_can_be_read_in_both_sizes),
        CLAIM(every_default_experiment_can_be_prepared),
        CLAIM(every_law_has_an_axis_that_can_be_read),
        CLAIM(asked_about_any_experiment_a_law_answers_or_says_why_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
