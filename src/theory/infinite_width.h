/* Kernels of random networks in the limit of infinite width, layer by layer: the covariance of what neurons compute (NNGP) and
 * the tangent kernel.
 *
 *     K(x, x')     = E h(x) h(x')                    over the neurons of a layer
 *     Theta(x, x') = <dh(x)/dw, dh(x')/dw>           over all parameters up to it
 *
 *   linear       K' = sw2 K + sb2                      Theta' = rw K + rb + sw2 Theta
 *   convolution  K' = sw2 A(K) + sb2                   Theta' = rw A(K) + rb + sw2 A(Theta)
 *                A(M)[p, p'] = 1/q sum_delta M[p + delta, p' + delta], q numbers in the window; outside of the image 0, or around
 *   activation   K' = F(K)                             Theta' = D Theta                           theory/pair_map.h
 *   norm         K' = (K - m m')/sqrt(v v') + sb2      Theta' = Theta/sqrt(v v') + rw (K - m m')/sqrt(v v') + rb
 *                v = K(x, x) - m^2 + epsilon, m the mean over neurons.  Before an activation, whose slope goes with the gain's input,
 *                the gain's part is rw E u phi'(u) v phi'(v) behind it
 *   sum          K' = K_shortcut + a^2 K_branch        Theta likewise; a branch ends with a linear map of its own
 *   pool         K' = mean over two windows of K[p, p'], Theta likewise; flatten: mean over K[p, p]
 *   position     K' = K + sw2 [p = p']                 Theta' = Theta + rw [p = p']
 *   attention    below
 *
 *   paper     here            meaning
 *   sw2, sb2  variance, bias_variance   of a weight times its fan-in, of a bias
 *   rw, rb    rate, bias_rate           (dW/dw)^2 times the fan-in, (db/dw)^2 of the trained numbers w: sw2 and sb2 in the NTK
 *                                       parameterization W = sw/sqrt(n) w, w ~ N(0, 1); 0 where they aren't trained
 *   x, p      point         an input at one of its positions: pixels, tokens
 *
 * Attention (Hron et al. 2020), many heads; Q, K, V are linear maps of h, then A V, then a linear map:
 *   fixed     A = zeta(score K(x, x)): tied queries and keys with scores q.k/d; untied ones have score = 0.  Its own gradient
 *             vanishes.                                K' = A K A'', Theta' = A Theta A''
 *   random    A = score q.k/sqrt d, independent queries and keys, no softmax:
 *             K'_tt' = c K^q_tt' <K^k, K^v>            Theta'_tt' = c (Theta^q_tt' <K^k, K^v> + K^q_tt' (<Theta^k, K^v> + <K^k, Theta^v>))
 *             c = score^2, <.,.> a sum over positions
 *
 * Sources: Jacot et al. 2018 (1806.07572); Arora et al. 2019 (1904.11955); Yang 2020 (2006.14548); Hron et al. 2020 (2006.10540).
 * Sheet: laws/limits/infinite-width-kernels.md */
#ifndef ORR_THEORY_INFINITE_WIDTH_H
#define ORR_THEORY_INFINITE_WIDTH_H

#include "base/arena.h"
#include "orrery.h"
#include "theory/pair_map.h"

typedef struct orr_wide_map {
    double variance, bias_variance, rate, bias_rate;
} orr_wide_map;

/* Where a convolution or a pool looks: for output y the inputs stride y - low, ..., + kernel - 1. */
typedef struct orr_wide_window {
    int64_t kernel[2], stride[2], low[2], out[2]; /* out: the image that is left */
    bool circular;                                /* else zeros around */
} orr_wide_window;

typedef enum orr_wide_zeta { ORR_ZETA_SOFTMAX = 0, ORR_ZETA_IDENTITY, ORR_ZETA_RELU, ORR_ZETA_ABS } orr_wide_zeta;

typedef struct orr_wide_attention {
    orr_wide_map query, key, value, output; /* query and key: random only */
    orr_wide_zeta zeta;
    bool random, causal; /* causal: fixed only */
    double score;
} orr_wide_attention;

typedef enum orr_wide_kind {
    ORR_WIDE_END = 0,
    ORR_WIDE_LINEAR,      /* map */
    ORR_WIDE_CONVOLUTION, /* map, window */
    ORR_WIDE_ACTIVATION,  /* phi */
    ORR_WIDE_NORM,        /* map: rate of the gain; bias_variance and bias_rate of the shift.  epsilon, joint */
    ORR_WIDE_SUM,         /* branch, shortcut (NULL: nothing), scale = a */
    ORR_WIDE_POOL,        /* window */
    ORR_WIDE_SELECT,      /* position: only this one stays */
    ORR_WIDE_FLATTEN,
    ORR_WIDE_POSITION, /* map.variance, map.rate */
    ORR_WIDE_ATTENTION /* attention */
} orr_wide_kind;

/* A network is an array of layers that ends with kind 0. */
typedef struct orr_wide_layer {
    orr_wide_kind kind;
    orr_wide_map map;
    orr_wide_window window;
    const orr_pair_map *phi;
    double epsilon;
    bool joint; /* norm: over positions as well as neurons */
    const struct orr_wide_layer *branch, *shortcut;
    double scale;
    int64_t position;
    orr_wide_attention attention;
} orr_wide_layer;

/* `all`: matrices over all points, [inputs positions, inputs positions], point (i, p) being i positions + p.  Otherwise equal
 * positions only, [positions, inputs, inputs]: all that a network needs which mixes positions by convolutions and flattens. */
typedef struct orr_wide_kernels {
    int64_t inputs, height, width; /* positions = height width */
    bool all;
    double *k, *theta;
    double *mean; /* m of each point, [inputs, positions] or [positions, inputs] */
} orr_wide_kernels;

/* Number i, p, c of the inputs is x[i example + p position + c channel]. */
typedef struct orr_wide_inputs {
    const double *x;
    int64_t inputs, height, width, channels;
    int64_t example, position, channel;
} orr_wide_inputs;

/* K = x.x'/channels, Theta = 0: what the first layer maps. */
orr_status orr_wide_start(orr_context *ctx, orr_arena *out_arena, const orr_wide_inputs *in, bool all,
                          orr_wide_kernels *out) ORR_MUST_USE;

/* Takes the kernels through the layers, in place.  scratch: two copies, and two more for each nested sum.
 * Fails: ORR_ENOMEM; ORR_EINPUT where a layer needs all positions and the kernels have equal ones only. */
orr_status orr_wide_through(orr_context *ctx, orr_arena *scratch, const orr_wide_layer *layers,
                            orr_wide_kernels *io) ORR_MUST_USE;

#endif
