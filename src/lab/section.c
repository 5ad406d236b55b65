#include "lab/section.h"

#include "ingredient/architecture/architecture.h"
#include "ingredient/data/data.h"
#include "ingredient/initial/initial.h"
#include "ingredient/parameterization.h"
#include "ingredient/rule/rule.h"
#include "ingredient/task/task.h"
#include "instrument/instrument.h"

#define KINDS(name)                                                                                                    \
    static const orr_kind *name##_kind(int i) { return orr_##name##_at(i) ? &orr_##name##_at(i)->kind : NULL; }
KINDS(architecture)
KINDS(parameterization)
KINDS(initial)
KINDS(data)
KINDS(task)
KINDS(rule)
KINDS(instrument)
#undef KINDS

/* ORDER section: section.h */
const orr_section orr_sections[ORR_SECTIONS] = {
    { "architecture", "architecture", "what the network is", NULL, architecture_kind },
    { "parameterization", "parameterization",
      "how initial sizes, multipliers and learning rates go with width and depth", "standard", parameterization_kind },
    { "initial", "initial", "where parameters start; a path is short for { kind: file, path: PATH }", "normal",
      initial_kind },
    { "data", "data", "what the network sees", NULL, data_kind },
    { "task", "task", "what its outputs are for: the loss, with every convention", NULL, task_kind },
    { "rule", "rule", "how it learns", NULL, rule_kind },
    { "instrument", "observe", "what is measured while it learns, and when", NULL, instrument_kind },
};

const orr_parameter orr_experiment_keys[] = {
    { "name", ORR_TEXT, .help = "of the experiment, or of a point of its sweep" },
    { "steps", ORR_INT, .fallback = "0", .range = "[0, 2000000000]", .unit = "updates",
      .help = "how long to train; 0: the initial network is measured, and that is all" },
    { "epochs", ORR_INT, .fallback = "0", .range = "[0, 1000000000]", .unit = "passes over the training examples",
      .help = "how long to train, instead of steps" },
    { "until", ORR_REAL, .fallback = "0", .range = "[0, inf)", .unit = "loss",
      .help = "training ends earlier where the training loss is below; 0: never" },
    { "patience", ORR_INT, .fallback = "0", .range = "[0, inf)", .unit = "measurements",
      .help =
          "training ends earlier where so many losses in turn over the test examples were no new minimum; 0: never" },
    { "precision", ORR_CHOICE, .fallback = "f32", .choices = "f32 f64", .help = "of parameters and data" },
    { "keep_parameters", ORR_FLAG, .fallback = "true",
      .help = "whether the store gets those that training ends with; many wide networks would fill it" },
    { "notes", ORR_TEXT, .fallback = "", .help = "for people" },
    { "seeds", ORR_INT, .fallback = "1", .range = "[1, 100000]", .help = "how many: 0, 1, ..." },
    { 0 },
};

const orr_part_of_file orr_experiment_parts[] = {
    { "laws",
      "a list of laws that speak about it (`orrery law list` names them), or auto: every law whose regime admits it" },
    { "sweep",
      "several points: a list of maps that change what they name, or { grid: { KEY: [VALUES] } } whose product "
      "is taken, or { zip: { KEY: [VALUES] } } in step; an item of the list may be such a map too, beside what it "
      "changes; keys are dotted, as "
      "rule.learning_rate" },
    { "sizes", "changes for --size quick and --size full" },
    { 0 },
};
