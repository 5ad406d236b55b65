/* The inside of a graph: nodes in the order in which they were made, so that arguments come before their users. */
#ifndef ORR_TENSOR_GRAPH_H
#define ORR_TENSOR_GRAPH_H

#include "base/arena.h"
#include "base/context.h"
#include "tensor/op.h"

typedef struct orr_graph_node {
    const orr_op *op;
    const void *attr;
    const orr_node *args;
    int32_t n_args;
    int line;
    const char *file;
    orr_type type;
    uint64_t hash;
    int32_t next_alike; /* next node in the same hash bucket */
} orr_graph_node;

struct orr_graph {
    orr_context *ctx;
    orr_arena *arena;      /* attributes, argument lists, names */
    orr_graph_node *nodes; /* [capacity]; 0 is no node */
    int32_t n, capacity;
    int32_t *buckets; /* [n_buckets], a power of two */
    int32_t n_buckets;
    const char *file; /* the caller's line */
    int line;
    orr_status status;
    char message[512];
};

#endif
