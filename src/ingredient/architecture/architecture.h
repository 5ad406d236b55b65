/* Architecture: the first ingredient.  A kind is one file here, one row in architecture.def. */
#ifndef ORR_INGREDIENT_ARCHITECTURE_ARCHITECTURE_H
#define ORR_INGREDIENT_ARCHITECTURE_ARCHITECTURE_H

#include "base/arena.h"
#include "base/parameter.h"
#include "orrery.h"

/* One parameter tensor of a network, and how it starts: elements N(0, deviation^2). */
typedef struct orr_tensor {
    const char *name; /* "layer1.weight"; names its stream of random numbers too */
    orr_shape shape;
    double deviation; /* 0: starts at 0 */
} orr_tensor;

typedef struct orr_architecture {
    orr_kind kind;
    /* The tensors, in out_arena, for inputs of `features` numbers and `outputs` outputs. */
    orr_status (*declare)(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, int64_t features,
                          int64_t outputs, orr_tensor **tensors, int64_t *n);
    /* x[n, features] -> [n, outputs]; `parameter` has a node for each tensor declared. */
    orr_node (*forward)(orr_graph *g, const orr_settings *s, const orr_node *parameter, orr_node x);
} orr_architecture;

const orr_architecture *orr_architecture_at(int i); /* the kinds in their order; NULL past the last */

#endif
