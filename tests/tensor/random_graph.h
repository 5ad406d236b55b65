/* Random graphs: grown op by op from a seed, of all kinds of primitives, with numbers of moderate size and no kink near the
 * point at which they are evaluated. */
#ifndef ORR_TESTS_TENSOR_RANDOM_GRAPH_H
#define ORR_TESTS_TENSOR_RANDOM_GRAPH_H

#include "tensor/host.h"

enum { GRAPH_POOL = 40, GRAPH_INPUTS = 10, GRAPH_OUTPUTS = 3 };

typedef struct random_graph {
    orr_context *ctx;
    orr_arena *arena;
    orr_graph *g;
    orr_dtype dtype; /* of all floats */
    uint64_t seed;
    int steps;
    dice dice;
    orr_node pool[GRAPH_POOL]; /* what has been computed so far */
    int n_pool;
    orr_node x[GRAPH_INPUTS]; /* inputs that move */
    host at[GRAPH_INPUTS];
    int n_x;
    feed held;                       /* inputs that don't: indices, conditions, keys */
    int64_t below[64];               /* for each of those: whole numbers in [0, below) */
    orr_node y[GRAPH_OUTPUTS], loss; /* loss: a scalar of all y */
    int n_y;
} random_graph;

/* Equal seeds and steps give equal graphs.  Ends with random_graph_close. */
void random_graph_open(orr_context *ctx, uint64_t seed, int steps, orr_dtype dtype, random_graph *out);
void random_graph_close(random_graph *r);
/* All inputs at their values. */
feed random_graph_feed(const random_graph *r);
/* New numbers for an input that doesn't move, of the kind that it has. */
void random_graph_draw_held(random_graph *r, int32_t i, host *out);

#endif
