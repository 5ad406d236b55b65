/* The largest curvature that an update rule tolerates: on L(x) = 1/2 S x^2 the iteration x -> x' is linear, and one of
 * its eigenvalues leaves the unit circle, through -1, as S passes S*.
 *
 *   paper    here            meaning                                     unit
 *   eta      learning_rate   step length                                 parameter^2 / loss
 *   beta     momentum        memory of the buffer m                      1
 *   S*       returned        ceiling of the sharpness lambda_max(H)      loss / parameter^2
 *
 * Sources: Cohen et al. 2021 (2103.00065) for gradient descent and momentum, Cohen et al. 2022 (2207.14484) for
 * adaptive rules.  Sheet: laws/empirical/edge-of-stability.md, Prediction (a). */
#ifndef ORR_THEORY_STABILITY_THRESHOLD_H
#define ORR_THEORY_STABILITY_THRESHOLD_H

/* w -= eta g:  S* = 2/eta */
double orr_stability_threshold_gd(double learning_rate);

/* m = beta m + g, w -= eta m:  S* = (2 + 2 beta)/eta */
double orr_stability_threshold_heavy_ball(double learning_rate, double momentum);

/* m = beta m + g, w -= eta (g + beta m) with the new m:  S* = (2 + 2 beta)/(eta (1 + 2 beta)) */
double orr_stability_threshold_nesterov(double learning_rate, double momentum);

/* m = beta m + (1 - beta) g, w -= eta m:  S* = (2 + 2 beta)/(eta (1 - beta)).
 * Also Adam's, with beta = beta1, for the preconditioned sharpness lambda_max(P^-1/2 H P^-1/2),
 * P = diag(sqrt(v/(1 - beta2^k)) + eps); and RMSProp's, with beta = 0. */
double orr_stability_threshold_ema_heavy_ball(double learning_rate, double momentum);

#endif
