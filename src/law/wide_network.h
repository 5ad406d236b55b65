/* A point's architecture and parameterization as layers of theory/infinite_width: what its network tends to as it grows wide.
 *
 * Each map's numbers are read off the problem's own tensors, so that every parameterization is spoken for, frozen features and
 * biases that start at 0 included: variance = (multiplier deviation)^2 fan_in, rate = multiplier^2 fan_in where it is trained. */
#ifndef ORR_LAW_WIDE_NETWORK_H
#define ORR_LAW_WIDE_NETWORK_H

#include "law/law.h"
#include "theory/infinite_width.h"

typedef struct orr_wide_network {
    const orr_wide_layer *layers;
    bool all;                    /* it needs the kernels of all pairs of positions */
    bool convolution, attention; /* it has some */
    bool closed;                 /* its activation's pair map has a closed form */
    int64_t width;               /* of its narrowest hidden layer */
    orr_wide_map readout;
    int64_t height, image_width, channels; /* of an input */
} orr_wide_network;

/* False where its kernels have no closed form that we know, and *why says what stands in the way; NULL there is out of memory. */
bool orr_wide_network_of(orr_arena *out_arena, const orr_point *point, const orr_problem *problem,
                         orr_wide_network *out, const char **why);

/* Pairs of points that the kernels of n examples have. */
double orr_wide_network_pairs(const orr_wide_network *network, int64_t n);

/* Theta and K over the first n training examples, [n, n] each, in out_arena. */
orr_status orr_wide_network_kernels(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch,
                                    const orr_wide_network *network, const orr_problem *problem, int64_t n, double **k,
                                    double **theta) ORR_MUST_USE;

#endif
