/* Task: the third ingredient, what the network's outputs are for.  A kind is one file here, one row in task.def. */
#ifndef ORR_INGREDIENT_TASK_TASK_H
#define ORR_INGREDIENT_TASK_TASK_H

#include "base/parameter.h"
#include "ingredient/architecture/architecture.h"
#include "ingredient/data/data.h"
#include "orrery.h"

typedef struct orr_task {
    orr_kind kind;
    bool one_hot; /* takes labels as one-hot numbers too, to which noise can be added */
    /* What a network must look like for these data; or false and *why not ("needs labels; these data have numbers"). */
    bool (*signature)(const orr_settings *s, const orr_dataset *d, orr_signature *out, const char **why);
    /* Changes what the network sees and what is asked of it: noise, two views.  NULL: both as the data have them.
     * key is i32[4].  x[n, input], target[n, target] or ORR_NONE. */
    void (*corrupt)(orr_graph *g, const orr_settings *s, orr_node key, orr_node *x, orr_node *target);
    /* The loss of each example, [n]: summed or averaged over outputs as its conventions say.  NULL where the loss is of the
     * batch as a whole. */
    orr_node (*each)(orr_graph *g, const orr_settings *s, orr_node output, orr_node target, int64_t classes);
    /* The loss of a batch, a scalar; NULL: the mean or the sum of each. */
    orr_node (*loss)(orr_graph *g, const orr_settings *s, orr_node output, orr_node target, int64_t classes);
    /* 1 or 0 for each answer that is right or wrong, of the output's type; NULL where answers are numbers. */
    orr_node (*correct)(orr_graph *g, const orr_settings *s, orr_node output, orr_node target, int64_t classes);
} orr_task;

const orr_task *orr_task_at(int i); /* the kinds in their order; NULL past the last */

/* ---- what kinds share ------------------------------------------------------------------------------------------------------ */

/* Conventions in which papers differ; at the end of every kind's table. */
#define ORR_TASK_CONVENTIONS                                                                                           \
    { "examples", ORR_CHOICE, .fallback = "mean", .choices = "mean sum", .help = "how examples are put together" },    \
        { "ridge", ORR_REAL, .fallback = "0", .range = "[0, inf)",                                                     \
          .help = "lambda of lambda/2 |w|^2, added to the loss" },                                                     \
    {                                                                                                                  \
        "ridge_times", ORR_CHOICE, .fallback = "1", .choices = "1 n",                                                  \
                                   .help = "what the ridge is multiplied by: 1, or the number of examples"             \
    }

/* The scalar loss of a batch as the conventions say, without the ridge. */
orr_node orr_task_loss(orr_graph *g, const orr_task *task, const orr_settings *s, orr_node output, orr_node target,
                       int64_t classes);

/* The signature of a task on one label for each example: an output for each class. */
bool orr_task_classes(const orr_dataset *d, orr_signature *out, const char **why);

/* Tasks of two classes and one output f: y = -1, 1 for labels 0, 1, or for numbers that are -1 and 1 already. */
bool orr_task_two_classes(const orr_dataset *d, orr_signature *out, const char **why);
orr_node orr_task_margin(orr_graph *g, orr_node output, orr_node target); /* y f, [n] */
orr_node orr_task_margin_correct(orr_graph *g, const orr_settings *s, orr_node output, orr_node target,
                                 int64_t classes);

/* Whether the largest output is the label's: of logits[..., classes], labels [...]. */
orr_node orr_task_largest_is(orr_graph *g, orr_node output, orr_node label);

#endif
