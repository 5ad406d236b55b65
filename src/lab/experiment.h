/* An experiment: the four ingredients, what to observe, for how long, and the laws that speak about it, from YAML.
 *
 *     name: edge-of-stability
 *     architecture: { kind: mlp, widths: [32, 32] }
 *     data: { kind: fashion-mnist, n: 500 }
 *     task: { kind: mse }
 *     rule: { kind: gd, learning_rate: 0.1 }
 *     steps: 2000
 *     observe: [ { kind: sharpness, every: 50 } ]
 *     laws: [ edge-of-stability ]
 *     seeds: 3
 *     sweep:                               # several points; each changes what it names
 *       - { name: small, rule: { learning_rate: 0.05 } }
 *     sizes:                               # changes for --size quick or full, before the sweep's
 *       full: { data: { n: 5000 } }
 *
 * A change of an ingredient is made key by key; with another `kind` it replaces the whole ingredient. */
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
    int64_t
        steps; /* updates; from `epochs` where it is given: epochs times ceil(n / batch) (0 where both are left out is
                          a mistake) */
    int64_t epochs; /* 0: counted in steps */
    double until;   /* training ends where the training loss is below; 0: never */
    orr_dtype precision;
    const char *json; /* all of it, defaults included */
} orr_point;

typedef struct orr_experiment {
    const char *name, *notes, *size;
    const char *text; /* the file, as read */
    const orr_point *points;
    int64_t n_points;
    int64_t seeds; /* 0 .. seeds - 1 */
    const char *const *laws;
    int64_t n_laws;
} orr_experiment;

/* Reads and checks a whole experiment; nothing is run.  file: stands in messages.  size: "quick", "full", or "" for the
 * file as it is.  The first mistake is told with file, line, column, what was expected and the nearest valid name.
 * Everything lives in out_arena.  Fails: ORR_EINPUT, ORR_ENOMEM. */
orr_status orr_experiment_parse(orr_context *ctx, orr_arena *out_arena, const char *file, const char *text, size_t n,
                                const char *size, orr_experiment *out) ORR_MUST_USE;
/* The same from a file.  Fails too: ORR_EIO. */
orr_status orr_experiment_read(orr_context *ctx, orr_arena *out_arena, const char *path, const char *size,
                               orr_experiment *out) ORR_MUST_USE;

/* A kind with all its values, defaults included (new). */
json_t *orr_settings_json(const orr_kind *kind, const orr_settings *s);

#endif
