/* Architecture: the first ingredient.  A kind is one file here, one row in architecture.def. */
#ifndef ORR_INGREDIENT_ARCHITECTURE_ARCHITECTURE_H
#define ORR_INGREDIENT_ARCHITECTURE_ARCHITECTURE_H

#include "base/arena.h"
#include "base/parameter.h"
#include "orrery.h"

/* What a parameter tensor is in the limit of large width: which of its two sides grow (laws/mup-transfer). */
typedef enum orr_role {
    ORR_ROLE_INPUT = 0, /* only its outputs grow: input weights, embeddings */
    ORR_ROLE_HIDDEN,    /* both sides grow: hidden matrices, attention, convolutions */
    ORR_ROLE_READOUT,   /* only its inputs grow */
    ORR_ROLE_VECTOR,    /* a bias or a gain along a side that grows */
    ORR_ROLE_FIXED      /* nothing grows: the readout's bias */
} orr_role;

/* One parameter tensor of a network, and how it starts: elements N(mean, deviation^2).  The architecture sets the first
 * part, for the standard parameterization; ingredient/parameterization.h the second. */
typedef struct orr_tensor {
    const char *name; /* "layer1.weight"; names its stream of random numbers too */
    orr_shape shape;  /* a matrix is [fan out, fan in, ...] */
    orr_role role;
    int64_t fan_in, fan_out;
    int64_t width_in, width_out; /* which of the network's widths a side goes with, where it grows */
    double mean, deviation;      /* deviation 0: starts at its mean */
    bool frozen;                 /* a feature that is not trained */
    bool branch;                 /* the last matrix of a residual branch */
    bool block;                  /* a gain or a bias within one; hidden matrices are taken to be */

    double multiplier;               /* the network sees multiplier times the tensor */
    double rate_gradient, rate_sign; /* times the learning rate: rules that follow the gradient's size; rules that
                                                 divide by it (Adam, RMSProp, sign) */
    double epsilon;                  /* times the eps of rules that have one */
} orr_tensor;

/* What data and task ask of a network. */
typedef struct orr_signature {
    orr_shape input;    /* of one example */
    int64_t vocabulary; /* > 0: inputs are tokens (i32) in [0, vocabulary) */
    int64_t outputs;    /* numbers that come out, for each example or for each of its positions */
    bool sequence;      /* outputs at each position: [n, positions, outputs] */
} orr_signature;

typedef struct orr_network {
    orr_tensor *tensors;
    int64_t n_tensors;
    int64_t width, depth;  /* the nominal ones, that parameterizations scale by */
    const int64_t *widths; /* [n_widths]: every size that can grow by itself; NULL: `width` is the only one */
    int64_t n_widths;
} orr_network;

/* Values inside of a network, for instruments: what forward() passes by, in order. */
enum { ORR_TAPS_MAX = 128 };
typedef struct orr_taps {
    int n;
    struct {
        char name[32]; /* "layer1" */
        orr_node node; /* [n, ...] */
    } tap[ORR_TAPS_MAX];
} orr_taps;

/* "layer3" for ("layer", 3), the bare name for index 0.  taps may be NULL; what goes over ORR_TAPS_MAX is left out. */
void orr_tap(orr_taps *taps, const char *name, int64_t index, orr_node node);

typedef struct orr_architecture {
    orr_kind kind;
    const char *width; /* the setting that makes it wider, a number or a list of them; NULL: none does */
    /* The tensors, in out_arena.  Fails: ORR_EINPUT where this architecture can't take such inputs or give such outputs
     * (with what it takes), ORR_ENOMEM. */
    orr_status (*declare)(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, const orr_signature *signature,
                          orr_network *out);
    /* x[n, input] -> [n, outputs], or [n, positions, outputs]; `parameter` has a node for each tensor, multiplied already.
     * The last tap is what the readout sees. */
    orr_node (*forward)(orr_graph *g, const orr_settings *s, const orr_signature *signature, const orr_node *parameter,
                        orr_node x, orr_taps *taps);
} orr_architecture;

const orr_architecture *orr_architecture_at(int i); /* the kinds in their order; NULL past the last */

/* Fills in a tensor: multiplier, rates and epsilon 1, fan_in and fan_out from the shape's second and first axes and what is
 * behind (vectors: 1 and their length). */
orr_tensor orr_tensor_of(const char *name, orr_shape shape, orr_role role, double deviation);

/* x[n, input] as [n, numbers of one example]. */
orr_node orr_flat(orr_graph *g, const orr_signature *signature, orr_node x);

/* Activations by name, for tables of parameters: ORR_ACTIVATIONS is the list of choices. */
#define ORR_ACTIVATIONS "tanh relu erf erf-scaled gelu silu softplus sin quadratic linear"
orr_node orr_activation(orr_graph *g, const char *name, orr_node a);

#endif
