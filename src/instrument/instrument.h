/* Instruments: what can be measured of a network in the middle of its training.  One file an observable, one row in
 * instrument.def.  An instrument builds a graph of its own over the live parameters, and records series and arrays. */
#ifndef ORR_INSTRUMENT_INSTRUMENT_H
#define ORR_INSTRUMENT_INSTRUMENT_H

#include "base/arena.h"
#include "base/parameter.h"
#include "orrery.h"

/* An input of a graph and the live memory that it stands for. */
typedef struct orr_feed {
    orr_node input;
    void *memory;
} orr_feed;

/* The loss over the parameters of a subject, in a graph of the instrument's. */
typedef struct orr_subject_graph {
    orr_node *parameter;      /* an input for each tensor */
    orr_node *preconditioner; /* P of each tensor's elements (ingredient/rule/rule.h); NULL where the rule has none */
    orr_node loss;
    const orr_feed *feeds;
    int64_t n_feeds;
} orr_subject_graph;

/* A network in training.  Borrowed; it outlives the instrument. */
typedef struct orr_subject {
    orr_dtype dtype;
    const orr_shape *shape; /* of each parameter tensor */
    int64_t n_tensors;
    int64_t n; /* numbers in all of them together */
    orr_status (*build)(void *self, orr_arena *out_arena, orr_graph *g, orr_subject_graph *out);
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

/* Every instrument has the parameter `every`: it measures at k = 0, every, 2 every, ... updates. */
typedef struct orr_instrument {
    orr_kind kind;
    /* *state is closed by close(), which NULL doesn't disturb; on failure nothing is left open. */
    orr_status (*open)(orr_context *ctx, const orr_settings *s, const orr_subject *subject, uint64_t seed,
                       void **state);
    orr_status (*measure)(void *state, int64_t step, const orr_sink *sink);
    void (*close)(void *state);
} orr_instrument;

const orr_instrument *orr_instrument_at(int i); /* the kinds in their order; NULL past the last */

#endif
