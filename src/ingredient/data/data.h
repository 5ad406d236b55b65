/* Data: the second ingredient.  A kind of data is one file here, one row in data.def. */
#ifndef ORR_INGREDIENT_DATA_DATA_H
#define ORR_INGREDIENT_DATA_DATA_H

#include "base/arena.h"
#include "base/array.h"
#include "base/parameter.h"
#include "orrery.h"

/* Examples, prepared: what a network sees.  The training examples come first, those for testing behind them. */
typedef struct orr_dataset {
    int64_t n, n_test;
    orr_shape input;      /* of one example: [features], [channels, y, x], [positions] */
    int64_t vocabulary;   /* > 0: inputs are tokens in [0, vocabulary); 0: inputs are numbers */
    orr_shape target;     /* of one example: ORR_SCALAR for one label, [outputs], [positions] */
    int64_t classes;      /* > 0: targets are labels in [0, classes); 0: targets are numbers */
    const double *x;      /* [n + n_test, input], where inputs are numbers */
    const int32_t *token; /* the same, where they are tokens */
    const double *y;      /* [n + n_test, target], where targets are numbers; NULL where data have no targets */
    const int32_t *label; /* the same, where they are labels */
    orr_arrays facts;     /* f64: what the data were drawn from, like a teacher's weights; a law may read it */
    const char *source;   /* where they came from, for people */
} orr_dataset;

/* Numbers in one input, and in one target. */
int64_t orr_dataset_features(const orr_dataset *d);
int64_t orr_dataset_targets(const orr_dataset *d);
/* y[n, outputs]: the targets of the training examples as numbers; a label is 1 of as many outputs as there are classes, else 0. */
void orr_dataset_answers(const orr_dataset *d, int64_t outputs, double *y);

typedef struct orr_data {
    orr_kind kind;
    /* The whole dataset, in out_arena.  `seed` is the run's: only data whose parameter `resample` is true look at it.
     * Fails: ORR_EIO, ORR_EINPUT, ORR_ENOMEM, with the place and what to do. */
    orr_status (*load)(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, uint64_t seed, orr_dataset *out);
    /* Fresh examples, for kinds that generate them; else NULL.  key is i32[4] (seed low, seed high, purpose, step), fact[i]
     * stands for d->facts.item[i] in `dtype`.  *x is [n, input] and *y is [n, target], in dtype or i32 as `d` says. */
    void (*sample)(orr_graph *g, const orr_settings *s, const orr_dataset *d, const orr_node *fact, orr_node key,
                   int64_t n, orr_dtype dtype, orr_node *x, orr_node *y);
} orr_data;

const orr_data *orr_data_at(int i); /* the kinds in their order; NULL past the last */

/* ---- what kinds share ------------------------------------------------------------------------------------------------------ */

/* Rows that every kind that generates examples starts with. */
#define ORR_DATA_GENERATED                                                                                             \
    { "n", ORR_INT, .fallback = "500", .range = "[1, 100000000]", .unit = "examples", .help = "to train on" },         \
        { "n_test", ORR_INT, .fallback = "0", .range = "[0, 100000000]", .unit = "examples", .help = "to test on" },   \
        { "seed", ORR_INT, .fallback = "0", .range = "[0, inf)", .help = "of what is drawn" }, {                       \
        "resample", ORR_FLAG, .fallback = "false", .help = "draw anew for each run's seed, not once for all"           \
    }

/* The seed of all that is drawn: `seed` itself; where `resample` is true, two words of Philox's block (seed, purpose
 * "resample") number run_seed. */
uint64_t orr_data_seed(const orr_settings *s, uint64_t run_seed);

/* The key of one of several things that a sample draws: its purpose moved by part 2^16, 0 <= part < 2^14. */
orr_node orr_data_key(orr_graph *g, orr_node key, int32_t part);

/* The fact of that name; NULL where the data have none. */
const orr_array *orr_dataset_fact(const orr_dataset *d, const char *name);
/* Room for n facts, and the next of them, zeros.  Fails: ORR_ENOMEM. */
orr_status orr_data_facts(orr_context *ctx, orr_arena *out_arena, int n, orr_dataset *d) ORR_MUST_USE;
orr_status orr_data_fact(orr_context *ctx, orr_arena *out_arena, orr_dataset *d, const char *name, orr_shape shape,
                         double **data) ORR_MUST_USE;

/* Fills x, token, y, label of a dataset whose n, n_test, shapes and facts are set, from kind->sample in float64: training
 * examples with step 0, test examples with step 1 of the purpose "data". */
orr_status orr_data_generate(orr_context *ctx, orr_arena *out_arena, const orr_data *kind, const orr_settings *s,
                             uint64_t seed, orr_dataset *d) ORR_MUST_USE;

/* Rows for preparing data that come from a file, at the end of a kind's table. */
#define ORR_DATA_PREPARATION                                                                                           \
    { "subset", ORR_CHOICE, .fallback = "first", .choices = "first random balanced",                                   \
      .help = "which examples are taken: the first, drawn without replacement by `subset_seed`, or as many first "     \
              "ones of each class" },                                                                                  \
        { "subset_seed", ORR_INT, .fallback = "0", .range = "[0, inf)", .help = "of what is drawn here" },             \
        { "keep_classes", ORR_INTS, .fallback = "", .range = "[0, 1000000]",                                           \
          .help = "only examples of these classes, renumbered 0, 1, ... in this order; empty: all" },                  \
        { "standardise", ORR_CHOICE, .fallback = "none", .choices = "none features all lengths",                       \
          .help = "mean 0 and variance 1 over the training examples: for each feature, or for all together; lengths: " \
                  "every input is divided by its length" },                                                            \
        { "whiten", ORR_FLAG, .fallback = "false",                                                                     \
          .help =                                                                                                      \
              "take off the mean and multiply by C^-1/2, C the covariance of the training inputs (pseudo-inverse)" },  \
        { "flatten", ORR_FLAG, .fallback = "false", .help = "one axis of features" },                                  \
        { "positive_classes", ORR_INTS, .fallback = "", .range = "[0, 1000000]",                                       \
          .help = "targets become numbers: +1 for these classes, as keep_classes numbers them, -1 for the others; "    \
                  "empty: labels stay" },                                                                              \
    {                                                                                                                  \
        "label_noise", ORR_REAL, .fallback = "0", .range = "[0, 1]",                                                   \
                                 .help = "part of the training labels replaced by a class drawn from all"              \
    }

/* How many examples a reader has to bring for them: `n` where it takes the first of all classes, else 0, which means all. */
int64_t orr_data_needed(const orr_settings *s, int64_t n);

/* The examples that stay, by their places among those that were read: for training, then for testing. */
typedef struct orr_selection {
    int64_t n, n_test;
    const int64_t *index; /* [n + n_test] */
} orr_selection;

/* keep_classes and subset: d comes with all examples that were read, d->n for training and d->n_test for testing.  Of them `n` and
 * `n_test` of the settings stay (n = 0: all); where d->n_test is 0, the test examples are taken from the training ones, behind them
 * (n = 0: what they leave).  The arrays that d has become those of the examples that stay, in out_arena, which gives back what they
 * replace where it was its own.  A reader that makes numbers of bytes comes without x and makes them of those that stay alone.
 * Fails: ORR_EINPUT where there are too few examples, or where a row makes no sense for the data; ORR_ENOMEM. */
orr_status orr_data_select(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, orr_dataset *d,
                           orr_selection *out) ORR_MUST_USE;

/* The other rows, in this order: keep_classes' new numbers, center (a kind may have that row: "none" or "mean-image", which is taken
 * off), standardise, whiten, flatten, label_noise, positive_classes; test examples get the training examples' mean and scale.
 * Replaced labels: the fact "label" keeps the clean ones.  Memory and failures as above. */
orr_status orr_data_transform(orr_context *ctx, orr_arena *out_arena, const orr_settings *s,
                              orr_dataset *d) ORR_MUST_USE;

/* Both, of data that are there as a whole. */
orr_status orr_data_prepare(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, orr_dataset *d) ORR_MUST_USE;

#endif
