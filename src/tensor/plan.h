/* The inside of compile: what each pass leaves for the next.
 *
 *   layout    where each live node's elements stand: in a buffer of its own, or as a view of another's
 *   fuse      elementwise nodes and the reductions after them into groups
 *   recompute values that are cheaper to compute again than to keep: copies of nodes in the groups that read them
 *   schedule  groups into an order; updates last, so that parameters are overwritten when nobody reads them any more
 *   join      concatenations whose parts are written where they belong
 *   memory    buffers, shared by those that don't live at the same time
 *   program   launches with their views, bound to addresses */
#ifndef ORR_TENSOR_PLAN_H
#define ORR_TENSOR_PLAN_H

#include "device/fused.h"
#include "tensor/graph.h"

/* How a live node has its elements. */
typedef enum orr_holding {
    ORR_HOLD_NOTHING, /* not live */
    ORR_HOLD_FILL,    /* one value, no memory */
    ORR_HOLD_VIEW,    /* a view of root's buffer */
    ORR_HOLD_BUFFER   /* computed, or given, into a buffer of its own, contiguous */
} orr_holding;

typedef struct orr_layout {
    orr_holding holding;
    int32_t root;   /* the node whose buffer it is; itself for ORR_HOLD_BUFFER */
    int64_t offset; /* elements */
    orr_view view;  /* data NULL */
    double fill;
} orr_layout;

/* Nodes that run as one launch. */
typedef struct orr_group {
    bool live;
    bool fused;          /* elementwise and reductions; else exactly one node */
    orr_shape shape;     /* fused: what it iterates over */
    uint32_t reduced;    /* fused: axes of its reductions; 0: none yet */
    int32_t first, last; /* smallest and largest node */
    int32_t n_nodes, n_reads;
    int32_t first_copy, n_copies; /* nodes of other groups that it computes again; 0: none */
    bool updates;                 /* makes the new value of an input */
    int32_t position;
} orr_group;

typedef struct orr_copied_node {
    int32_t node, next; /* next of the same group, by rising id; 0 at the end */
} orr_copied_node;

typedef struct orr_plan {
    orr_context *ctx;
    const orr_graph *g;
    const orr_device *device;
    const orr_compile_options *options;
    orr_arena *scratch;
    orr_layout *layout;     /* [g->n] */
    int32_t *group_of;      /* [g->n]; -1: runs nowhere (a source or a view) */
    bool *in_memory;        /* [g->n]: someone outside its group reads it */
    bool *is_row;           /* [g->n]: in its group, one element a row: a reduction of the last axis, or made of such */
    int32_t *next_in_group; /* [g->n]: members in order of id, -1 at the end */
    orr_group *groups;      /* [g->n] */
    int32_t n_groups;
    orr_copied_node *copies; /* [copies_max + 1], from 1 */
    int32_t n_copies, copies_max;
    int32_t *order; /* groups in the order of running */
    int32_t n_order;
    bool *joined; /* [g->n]: a concatenation that needs no launch */
} orr_plan;

orr_status orr_plan_layout(orr_plan *plan) ORR_MUST_USE;
orr_status orr_plan_fuse(orr_plan *plan) ORR_MUST_USE;
orr_status orr_plan_recompute(orr_plan *plan) ORR_MUST_USE;
orr_status orr_plan_schedule(orr_plan *plan) ORR_MUST_USE;
orr_status orr_plan_join(orr_plan *plan) ORR_MUST_USE;

/* Whether a group computes a node of another again. */
bool orr_plan_copied(const orr_plan *plan, int32_t group, int32_t node);

/* An einsum that sums over nothing is a product, element by element, of views: memory-bound, so it fuses like one. */
bool orr_plan_is_outer(const orr_graph *g, int32_t node);
/* How argument k of a node is seen where the node runs: for an outer product, over the shape of the result. */
orr_view orr_plan_arg_view(const orr_plan *plan, int32_t node, int32_t k);
/* How a node of a group gets argument k. */
typedef enum orr_reach {
    ORR_REACH_MEMORY, /* from outside the group, or a fill */
    ORR_REACH_SAME,   /* from a register, element for element */
    ORR_REACH_SPREAD, /* a row value, the same for the whole row */
    ORR_REACH_NEVER   /* computed in the group, but seen through a view that registers don't have */
} orr_reach;
orr_reach orr_plan_reach(const orr_plan *plan, int32_t node, int32_t k, int32_t group);

/* The node that has the memory which `node` reads: itself, or the root of its view; 0 for a fill. */
int32_t orr_plan_root(const orr_plan *plan, int32_t node);

#endif
