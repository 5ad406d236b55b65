/* Workloads: what Orrery is timed on.
 *
 * Each does the arithmetic of the function of its name in peer_torch.py, on the same shapes and in the same precision:
 * that script is the specification.  A workload says what its graph is and by which law each input is filled; whoever
 * runs it chooses the numbers: random ones to time it (`orrery bench`), reproducible ones to compare results with the
 * peer's (tests/bench).  The graph is compiled once and run many times. */
#ifndef ORR_BENCH_WORKLOAD_H
#define ORR_BENCH_WORKLOAD_H

#include "base/arena.h"
#include "base/context.h"
#include "orrery.h"

/* How an input is filled, as the peer fills it. */
typedef enum orr_workload_law {
    ORR_LAW_NORMAL,   /* scale N(0, 1) */
    ORR_LAW_UNIFORM,  /* scale U(-1, 1) */
    ORR_LAW_CONSTANT, /* scale */
    ORR_LAW_INTEGER,  /* uniform in 0 .. scale - 1 */
    ORR_LAW_ONE_HOT   /* rows of the last axis: 1 at a uniform place, else 0 */
} orr_workload_law;

enum { ORR_WORKLOAD_NAME = 32, ORR_WORKLOAD_INPUTS = 192, ORR_WORKLOAD_OUTPUTS = 8 };

typedef struct orr_workload_input {
    char name[ORR_WORKLOAD_NAME];
    orr_node node;
    orr_dtype dtype;
    orr_shape shape;
    orr_workload_law law;
    double scale;
} orr_workload_input;

typedef struct orr_workload_output {
    char name[ORR_WORKLOAD_NAME];
    orr_node node;
} orr_workload_output;

/* A graph with what enters and leaves it.  Filled by a workload's build through the functions below. */
typedef struct orr_workload_graph {
    orr_graph *g;
    bool given_data; /* what the workload would draw at random in each step is an input instead */
    orr_workload_input inputs[ORR_WORKLOAD_INPUTS];
    orr_workload_output outputs[ORR_WORKLOAD_OUTPUTS];
    orr_update updates[ORR_WORKLOAD_INPUTS];
    int32_t n_inputs, n_outputs, n_updates;
    orr_node counter; /* i32 scalar, one more after each run; or ORR_NONE */
} orr_workload_graph;

orr_node orr_workload_in(orr_workload_graph *w, const char *name, orr_dtype dtype, orr_shape shape,
                         orr_workload_law law, double scale);
void orr_workload_out(orr_workload_graph *w, const char *name, orr_node node);
void orr_workload_update(orr_workload_graph *w, orr_node input, orr_node value);
/* Fills an input of `workload` that is declared in `in`, of which the node is not read. */
void orr_workload_fill(const char *workload, const orr_workload_input *in, bool reproducible, void *data);
/* Gradient descent: p <- p - rate dloss/dp for each of n parameters; the loss is an output, for the peer computes it.
 */
void orr_workload_descend(orr_workload_graph *w, orr_node loss, const orr_node *parameters, int32_t n, double rate);

typedef struct orr_workload {
    const char *name, *unit, *title;
    orr_dtype dtype;
    /* Of one unit, counted from the specification: multiply and add of its matrix products and convolutions, with half
     * of a symmetric product and each product once; 0 where they are not what bounds it. */
    double flops;
    double bytes;           /* that one unit must read and write, where memory bounds it; else 0 */
    int64_t units_per_call; /* between two looks at the clock, as the peer's */
    void (*build)(orr_workload_graph *w);

    /* A workload without a graph has these instead; `state` lives in the arena. */
    orr_status (*open)(orr_context *ctx, orr_arena *arena, bool reproducible, void **state);
    orr_status (*run)(orr_context *ctx, void *state, int64_t units);
    double *(*find)(void *state, const char *name, int64_t *count); /* a float64 result by name; may be NULL */
    void (*close)(void *state);                                     /* may be NULL */
} orr_workload;

/* NULL-terminated, in the order of workloads.def. */
extern const orr_workload *const orr_workloads[];
/* NULL where there is none. */
const orr_workload *orr_workload_find(const char *name);

/* ---- a workload compiled and filled -------------------------------------------------------------------------------
 */

typedef struct orr_instance orr_instance;

/* A zero means the default. */
typedef struct orr_instance_options {
    const char *device; /* as in orr_compile_options */
    bool reproducible;  /* inputs from the formula that tests/bench/make_peer_goldens.py shares */
    bool given_data;
    bool profile; /* as in orr_compile_options */
} orr_instance_options;

/* Fails: as orr_compile; ORR_ENOMEM. */
orr_status orr_instance_new(orr_context *ctx, const orr_workload *workload, const orr_instance_options *options,
                            orr_instance **out) ORR_MUST_USE;
void orr_instance_free(orr_instance *instance);
orr_status orr_instance_run(orr_instance *instance, int64_t units) ORR_MUST_USE;
/* An input or output by name, with its dtype and number of elements; NULL where there is none.  Borrowed. */
void *orr_instance_data(orr_instance *instance, const char *name, orr_dtype *dtype, int64_t *count);
/* NULL for a workload without a graph. */
const orr_program *orr_instance_program(const orr_instance *instance);

/* Element i of the reproducible stream `name`, uniform in [0, 1): the 53 high bits of splitmix64 (Steele et al. 2014)
 * at h + (i + 1) 0x9e3779b97f4a7c15, h = FNV-1a (64 bits) of the name.  ORDER golden: make_peer_goldens.py */
double orr_reproducible(uint64_t stream, int64_t i);
uint64_t orr_reproducible_stream(const char *workload, const char *input);

#endif
