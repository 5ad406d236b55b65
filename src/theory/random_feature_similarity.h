/* How alike two independent draws of random features are, by linear CKA: the law of large numbers.
 *
 *     phi(omega) in R^n: one feature phi(omega.x_i + b) of n inputs, phi_c the same less its mean over inputs
 *     S = E phi_c phi_c'      q = |S|_F^2      V = E |phi_c|^4 - q
 *     m features:  E <K, L> = m^2 q,   E |K|^2 = m^2 q + m V
 *     two draws         CKA(m) = 1/(1 + V/(m q))
 *     against the limit          1/sqrt(1 + V/(m q))
 *
 *   paper    here        meaning                                                    unit
 *   S        -           the limit kernel, centred; in closed form by pair maps      feature^2
 *   V/q      ratio       features that make CKA 1/2                                  1
 *
 * Sheet: laws/universal/representation-similarity.md, Prediction. */
#ifndef ORR_THEORY_RANDOM_FEATURE_SIMILARITY_H
#define ORR_THEORY_RANDOM_FEATURE_SIMILARITY_H

#include "base/arena.h"
#include "base/random.h"
#include "orrery.h"
#include "theory/pair_map.h"

/* omega.x + b of variance sw2 |x|^2/d + sb2 */
typedef struct orr_random_features {
    const orr_pair_map *phi;
    double weight_variance, bias_variance; /* sw2, sb2 */
} orr_random_features;

/* *ratio = V/q over x [n, d]; q is exact (to quadrature, where phi has no closed form), E |phi_c|^4 the mean over `draws` features
 * of the stream of key: 20000 leave half a percent.  Fails: ORR_ENOMEM. */
orr_status orr_random_feature_ratio(orr_context *ctx, orr_arena *scratch, const orr_random_features *f, int64_t n,
                                    int64_t d, const double *x, int64_t draws, orr_key key, double *ratio) ORR_MUST_USE;

double orr_random_feature_cka(double ratio, double features);
double orr_random_feature_cka_to_limit(double ratio, double features);

#endif
