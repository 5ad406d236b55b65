/* Instruments: what can be measured of a network in the middle of its training.  One file an observable, one row in
 * instrument.def.  An instrument builds a graph of its own over the live parameters, and records series and arrays. */
#ifndef ORR_INSTRUMENT_INSTRUMENT_H
#define ORR_INSTRUMENT_INSTRUMENT_H

#include "base/arena.h"
#include "base/array.h"
#include "base/parameter.h"
#include "orrery.h"

/* An input of a graph and the live memory that it stands for. */
typedef struct orr_feed {
    orr_node input;
    void *memory;
} orr_feed;

typedef struct orr_subject_tap {
    const char *name;
    orr_node node; /* [examples, ...] */
} orr_subject_tap;

/* The network over the training examples, in a graph of the instrument's. */
typedef struct orr_subject_graph {
    orr_node *parameter;      /* an input for each tensor */
    orr_node *effective;      /* the same, multiplied as the network sees it */
    orr_node *preconditioner; /* P of each tensor's elements (ingredient/rule/rule.h); NULL where the rule has none */
    orr_node loss;            /* of all training examples, ridge included */
    orr_node each;            /* [n]: the loss of each; ORR_NONE where the task has none */
    orr_node correct;         /* [n, ...]: 1 where an answer is right; ORR_NONE where answers are numbers */
    orr_node x, target;       /* inputs: [n, input], [n, target] (i32 where tokens or labels) */
    orr_node output;          /* [n, outputs] or [n, positions, outputs] */
    const orr_subject_tap *tap;
    int64_t n_taps;
    const orr_feed *feeds;
    int64_t n_feeds;
} orr_subject_graph;

/* Which examples a graph is about. */
typedef enum orr_part { ORR_PART_TRAIN = 0, ORR_PART_TEST } orr_part;

/* What a forward pass over a part of the data says. */
typedef struct orr_answers {
    double loss;     /* ridge included */
    double accuracy; /* the part of answers that are right; NaN where answers are numbers */
} orr_answers;

typedef struct orr_shared orr_shared;

/* A network in training, or several that train together as one ensemble ("members").  Borrowed; it outlives the instrument.
 * The live memory holds the member that is being measured. */
typedef struct orr_subject {
    orr_dtype dtype;
    const orr_shape *shape;  /* of each parameter tensor */
    const char *const *name; /* of each parameter tensor: "layer1.weight" */
    int64_t n_tensors;
    int64_t n; /* numbers in all of them together */
    int64_t members;
    int64_t examples, test_examples;
    int64_t classes; /* 0: targets are numbers */
    int64_t outputs;
    bool right_or_wrong;          /* answers are; else they are numbers */
    const void *const *parameter; /* the live memory of each tensor */
    /* The live training examples: x[examples, input], target[examples, target_of_one], NULL where data have no targets. */
    const void *x, *target;
    const void *test_x, *test_target; /* those of the test examples; NULL where there are none */
    orr_dtype x_type, target_type;
    orr_shape input, target_of_one;
    orr_status (*build)(void *self, orr_arena *out_arena, orr_graph *g, orr_part part, orr_subject_graph *out);
    /* The same over other examples: x[n, input] and target[n, target] are the caller's nodes. */
    orr_status (*build_on)(void *self, orr_arena *out_arena, orr_graph *g, int64_t n, orr_node x, orr_node target,
                           orr_subject_graph *out);
    orr_shared *shared; /* what instruments have in common (shared.h); NULL: each is by itself */
    /* The measured member's answers, computed once for all instruments that ask for them after the same update. */
    orr_status (*answers)(void *self, orr_part part, orr_answers *out);
    /* The measured member's next update, where it is w' = keep w - rate gradient with constant factors; else rate is NaN, and so
     * is keep, unless nothing decays (1). */
    void (*next_update)(void *self, double *rate, double *keep);
    /* What the measured member's data were drawn from (ingredient/data/data.h). */
    const orr_arrays *(*facts)(void *self);
    void *self;
} orr_subject;

/* Lets a program of that graph read the live memory. */
orr_status orr_subject_attach(orr_context *ctx, const orr_subject_graph *graph, orr_program *program) ORR_MUST_USE;

/* Where measurements go. */
typedef struct orr_sink {
    orr_status (*record)(void *self, const char *series, int64_t step, double value);
    orr_status (*record_array)(void *self, const char *name, int64_t step, orr_dtype dtype, const orr_shape *shape,
                               const void *data);
    void *self;
} orr_sink;

/* The network over all training examples at the live parameters: what several instruments want of it is computed once for all of
 * them, or not at all where the next update computes it anyway. */
typedef enum orr_needs { ORR_NEEDS_NOTHING = 0, ORR_NEEDS_LOSS = 1, ORR_NEEDS_GRADIENT = 2 } orr_needs;
typedef struct orr_evaluation {
    double loss;            /* ridge included */
    double gradient_square; /* |grad L|^2; 0 where no gradient is needed */
} orr_evaluation;

typedef struct orr_instrument {
    orr_kind kind;
    /* Forward passes over the training examples that measure costs, about, without what is shared; NULL: 1. */
    double (*cost)(const orr_settings *s, const orr_subject *subject);
    /* Bytes of what it must remember of each member between measurements, zero at the start; NULL: none.  They are saved with
     * checkpoints, so that a resumed run measures the same bits. */
    size_t (*memory)(const orr_settings *s, const orr_subject *subject);
    /* Whether that starts with the initial network: then it measures after 0 updates whatever its schedule, and where it isn't due
     * nothing of it is recorded; NULL: no. */
    bool (*from_start)(const orr_settings *s);
    /* *state is closed by close(), which NULL doesn't disturb; on failure nothing is left open. */
    orr_status (*open)(orr_context *ctx, const orr_settings *s, const orr_subject *subject, void **state);
    /* After `step` updates of the member whose parameters are live: `memory` is its own, `seed` its run's. */
    orr_status (*measure)(void *state, int64_t step, uint64_t seed, void *memory, const orr_sink *sink);
    void (*close)(void *state);
    /* What it needs of the shared evaluation, ORR_NEEDS_ joined by |; NULL: nothing.  take gets it, of the same member and step as the
     * last measure, perhaps after the next update: it looks at nothing that is live. */
    unsigned (*needs)(const orr_settings *s);
    orr_status (*take)(void *state, int64_t step, const orr_evaluation *e, const orr_sink *sink);
} orr_instrument;

const orr_instrument *orr_instrument_at(int i); /* the kinds in their order; NULL past the last */
enum {
#define ORR_INSTRUMENT(name) ORR_INSTRUMENT_##name,
#include "instrument/instrument.def"
#undef ORR_INSTRUMENT
    ORR_INSTRUMENTS /* how many */
};

/* from_start of those that compare with the initial network whatever their settings. */
bool orr_instrument_from_start(const orr_settings *s);

/* ---- when ---------------------------------------------------------------------------------------------------------------- */

/* Rows that every instrument's table starts with. */
#define ORR_INSTRUMENT_SCHEDULE(distance)                                                                              \
    { "every",                                                                                                         \
      ORR_INT,                                                                                                         \
      .fallback = distance,                                                                                            \
      .range = "[1, inf)",                                                                                             \
      .unit = "updates",                                                                                               \
      .help = "measure after 0, every, 2 every, ... updates" },                                                        \
        { "per_decade", ORR_INT, .fallback = "0", .range = "[0, 1000]",                                                \
          .help = "measure after 0, 1, ... updates, this many in each factor of 10; 0: by `every`" },                  \
    {                                                                                                                  \
        "at", ORR_INTS, .fallback = "", .range = "[0, inf)", .unit = "updates",                                        \
                        .help = "measure after these updates; empty: by the rows above"                                \
    }

/* A row of instruments that record a loss. */
#define ORR_INSTRUMENT_TARGET                                                                                          \
    {                                                                                                                  \
        "target", ORR_REAL,                                                                                            \
            .fallback = "0", .range = "[0, inf)",                                                                      \
            .help = "a loss to reach; laws read it that ask how many updates it takes, training does not; 0: none"     \
    }

/* Whether it is due after `step` updates, and the first update after `step` when it is (INT64_MAX: never again). */
bool orr_instrument_due(const orr_settings *s, int64_t step);
int64_t orr_instrument_next(const orr_settings *s, int64_t step);

#endif
