/* An experiment: the four ingredients, what to observe, for how long, and the laws that speak about it, from YAML.
 *
 *     name: edge-of-stability
 *     architecture: { kind: mlp, widths: [32, 32] }
 *     data: { kind: fashion-mnist, n: 500 }
 *     task: { kind: mse }
 *     rule: { kind: gd, learning_rate: 0.1 }
 *     steps: 2000
 *     observe: [ { kind: sharpness, every: 50 } ]
 *     laws: [ edge-of-stability ]          # or `auto`: every law whose regime admits the experiment
 *     seeds: 3
 *     sweep:                               # several points; each changes what it names
 *       - { name: small, rule: { learning_rate: 0.05 } }
 *     sizes:                               # changes for --size quick or full, before the sweep's
 *       full: { data: { n: 5000 } }
 *
 * A change of an ingredient is made key by key; with another `kind` it replaces the whole ingredient.  A sweep may also be
 *
 *     sweep: { grid: { rule.learning_rate: [0.1, 0.2], architecture.widths: [[32], [64]] } }    # four points
 *     sweep: { zip: { rule.learning_rate: [0.1, 0.2], architecture.widths: [[32], [64]] } }     # two
 *
 * whose points are named "learning_rate=0.1 widths=32".  Items of the list may have a grid or a zip too:
 *
 *     sweep: [ { name: slow, rule: { learning_rate: 0.01 }, grid: { architecture.widths: [[32], [64]] } } ]
 *
 * has the points "slow widths=32" and "slow widths=64".  `initial: FILE.npz` is short for { kind: file, path: FILE.npz }, and
 * the name of a kind is short for that kind with its defaults: `observe: [loss]`. */
#ifndef ORR_LAB_EXPERIMENT_H
#define ORR_LAB_EXPERIMENT_H

#include "base/arena.h"
#include "base/json.h"
#include "ingredient/architecture/architecture.h"
#include "ingredient/data/data.h"
#include "ingredient/initial/initial.h"
#include "ingredient/parameterization.h"
#include "ingredient/rule/rule.h"
#include "ingredient/task/task.h"
#include "instrument/instrument.h"
#include "lab/mistakes.h"
#include "orrery.h"

typedef struct orr_observation {
    const orr_instrument *instrument;
    orr_settings settings;
} orr_observation;

/* One point of the sweep: everything that a run needs but its seed. */
typedef struct orr_point {
    const char *name;
    const orr_architecture *architecture;
    const orr_data *data;
    const orr_task *task;
    const orr_rule *rule;
    const orr_parameterization *parameterization; /* `standard` where the file has none */
    const orr_initial *initial;                   /* `normal` where the file has none */
    orr_settings architecture_settings, data_settings, task_settings, rule_settings, parameterization_settings,
        initial_settings;
    const orr_observation *observations;
    int64_t n_observations;
    int64_t steps;        /* updates; 0 where epochs are given: epochs times ceil(n / batch), once the data are there */
    int64_t epochs;       /* 0: counted in steps */
    double until;         /* training ends where the training loss is below; 0: never */
    int64_t patience;     /* and where so many of `loss_test` in turn were no new minimum; 0: never */
    bool keep_parameters; /* at the end, in the store */
    orr_dtype precision;
    const char *json; /* all of it, defaults included */
} orr_point;

typedef struct orr_experiment {
    const char *name, *notes, *size;
    const char *text;       /* the file, as read */
    const char *const *set; /* [n_set]: what options changed of it, as they were given */
    int n_set;
    const orr_point *points;
    int64_t n_points;
    int64_t seeds; /* 0 .. seeds - 1 */
    const char *const *laws;
    int64_t n_laws;
    bool laws_auto; /* `laws: auto`: all that there are, each where its regime admits the experiment */
} orr_experiment;

/* A zero means the default. */
typedef struct orr_experiment_options {
    const char *size; /* "quick", "full", or "" for the file as it is, which is the default */
    const char *const
        *set; /* [n_set]: "rule.learning_rate=0.2"; stronger than the file and its sizes, weaker than its sweep */
    int n_set;
    const char *const *laws; /* ids that the file may name, ending with NULL; default: any */
} orr_experiment_options;

/* Reads and checks a whole experiment, all points and all sizes; nothing is run.  file: stands in messages.  options: NULL
 * for none.  ALL mistakes are told at once, a line each, in the order of the file, with line, column, what was expected and
 * the nearest valid name.  Everything lives in out_arena.  Fails: ORR_EINPUT, ORR_ENOMEM. */
orr_status orr_experiment_parse(orr_context *ctx, orr_arena *out_arena, const char *file, const char *text, size_t n,
                                const orr_experiment_options *options, orr_experiment *out) ORR_MUST_USE;
/* The same from a file.  Fails too as orr_file_trouble says. */
orr_status orr_experiment_read(orr_context *ctx, orr_arena *out_arena, const char *path,
                               const orr_experiment_options *options, orr_experiment *out) ORR_MUST_USE;

/* The text of a file, for who reads it in another way; *text ends with a zero that *n doesn't count. */
orr_status orr_experiment_load(orr_context *ctx, orr_arena *out_arena, const char *path, char **text,
                               size_t *n) ORR_MUST_USE;
/* As orr_experiment_parse, but the mistakes are left in m: m->n = 0 where there are none, and *out is whole.  m: context,
 * arena and file. */
void orr_experiment_check(orr_mistakes *m, const char *text, size_t n, const orr_experiment_options *options,
                          orr_experiment *out);

/* A kind with all its values, defaults included (new). */
json_t *orr_settings_json(const orr_kind *kind, const orr_settings *s);

#endif
