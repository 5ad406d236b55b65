/* Probe: the graph and program of an instrument in one object, so that an instrument is its formula and little more.
 *
 *     ORR_TRY(ctx, orr_probe_begin(ctx, subject, ORR_PART_TRAIN, &p));
 *     node = ...p.graph.loss...;
 *     ORR_TRY(ctx, orr_probe_compile(&p, &node, 1));
 *     ORR_TRY(ctx, orr_probe_run(&p)); orr_probe_read(&p, node, 1, &value);        at each measurement
 *     orr_probe_end(&p);
 *
 * Where the nodes are formulas of layers and outputs, orr_probe_share in place of orr_probe_compile lets it have the evaluation of the
 * network in common with others (shared.h).  A probe that is open stays where it is in memory. */
#ifndef ORR_INSTRUMENT_PROBE_H
#define ORR_INSTRUMENT_PROBE_H

#include "instrument/shared.h"

typedef struct orr_probe {
    orr_context *ctx;
    orr_arena *arena;
    orr_graph *g;
    orr_program *program;
    orr_subject_graph graph;
    orr_dtype dtype;
    orr_feed example[2]; /* of orr_probe_examples: x and target */
    /* the network's examples, the first ones of a part; 0: others */
    orr_part part;
    int64_t examples;
    /* of a probe whose program has formulas of values that another evaluates */
    const orr_node *output;
    int32_t n_outputs;
    const orr_node *value; /* inputs that stand for the values */
    bool *reads;           /* of each value: some formula does */
    const orr_node
        *formula; /* the outputs over those inputs; NULL: not compiled yet, or the program has the whole network */
    struct orr_probe *network;
    /* of a user of a pass (shared.c) */
    orr_pass *pass;
    struct orr_probe *next;
} orr_probe;

/* The network over a part of the data.  Whatever fails, orr_probe_end may be called. */
orr_status orr_probe_begin(orr_context *ctx, const orr_subject *subject, orr_part part, orr_probe *p) ORR_MUST_USE;

/* Only an arena and a graph, to be filled by hand. */
orr_status orr_probe_begin_empty(orr_context *ctx, const orr_subject *subject, orr_probe *p) ORR_MUST_USE;
/* The network over the first n training examples. */
orr_status orr_probe_begin_first(orr_context *ctx, const orr_subject *subject, int64_t n, orr_probe *p) ORR_MUST_USE;

/* The network over one example, as a function that is mapped over the first n training examples by orr_probe_map: p->graph is
 * that of the one. */
typedef struct orr_probe_examples {
    orr_node one[2], many[2]; /* x and target; a target may be ORR_NONE */
    int32_t n_inputs;
} orr_probe_examples;
orr_status orr_probe_begin_examples(orr_context *ctx, const orr_subject *subject, int64_t n, orr_probe *p,
                                    orr_probe_examples *e) ORR_MUST_USE;
/* The outputs of the one example as a vector [n]: for instruments that derive each by itself, whose graph grows with n.  Fails:
 * ORR_EINPUT where there are more than ORR_PROBE_OUTPUTS_MAX, as over a vocabulary at each position; `what` begins the message. */
enum { ORR_PROBE_OUTPUTS_MAX = 256 };
orr_status orr_probe_outputs(orr_probe *p, const char *what, orr_node *out, int64_t *n) ORR_MUST_USE;
/* out[i][example] = y_i of that example. */
void orr_probe_map(orr_probe *p, const orr_probe_examples *e, const orr_node *y, int32_t n_y, orr_node *out);

orr_status orr_probe_compile(orr_probe *p, const orr_node *outputs, int32_t n) ORR_MUST_USE;
/* The same for formulas of the taps and the output of orr_probe_begin or orr_probe_begin_first.  They are compiled when they are first
 * asked for, or by orr_probe_ready, behind which inputs of their own can be written. */
orr_status orr_probe_share(orr_probe *p, const orr_subject *subject, const orr_node *outputs, int32_t n) ORR_MUST_USE;
orr_status orr_probe_ready(orr_probe *p) ORR_MUST_USE;
orr_status orr_probe_run(orr_probe *p) ORR_MUST_USE;
/* An output's memory, until the next evaluation; and n numbers of it as doubles. */
const void *orr_probe_data(const orr_probe *p, orr_node output);
void orr_probe_read(const orr_probe *p, orr_node output, int64_t n, double *out);
void orr_probe_end(orr_probe *p);

/* What formulas are of, the values: layers in the order of the taps, and the output behind them. */
int64_t orr_probe_values(const orr_probe *p);
orr_node orr_probe_value(const orr_probe *p, int64_t i);
/* Formulas as a program by themselves, which reads in memory those values that p->reads says; and its network: the probe of an equal
 * graph whose program has these among its outputs.  What formulas say depends on the values alone, to the bit, whatever evaluates them. */
orr_status orr_probe_compile_formulas(orr_probe *p, const orr_node *outputs, int32_t n) ORR_MUST_USE;
orr_status orr_probe_read_from(orr_probe *p, orr_probe *network) ORR_MUST_USE;

/* The parameter `examples` of an instrument, at most all of them. */
int64_t orr_probe_examples_of(const orr_settings *s, const orr_subject *subject);
/* [n, one example's shape] */
orr_shape orr_probe_behind(int64_t n, orr_shape one);
/* n live numbers of dtype f32 or f64 as doubles, and a live tensor */
void orr_probe_widen(orr_dtype dtype, const void *from, int64_t n, double *out);
void orr_probe_parameter(const orr_subject *subject, int64_t tensor, double *out);
/* Into an input, from doubles; nothing happens where the program doesn't need it. */
void orr_probe_write(const orr_probe *p, orr_node input, int64_t n, const double *from);

#endif
