#include "theory/stability_threshold.h"

/* With g = S x each rule is a 2 x 2 iteration of (m, x); det(A + I) = 0 (an eigenvalue at -1) is linear in S:
 *
 *   heavy ball      A = [[beta, S], [-eta beta,   1 - eta S]]             2 (1 + beta) - eta S = 0
 *   Nesterov        A = [[beta, S], [-eta beta^2, 1 - eta S (1 + beta)]]  2 (1 + beta) - eta S (1 + 2 beta) = 0
 *   EMA heavy ball  heavy ball with (1 - beta) S in place of S */

double orr_stability_threshold_gd(double learning_rate) { return 2.0 / learning_rate; }

double orr_stability_threshold_heavy_ball(double learning_rate, double momentum) {
    return (2.0 + 2.0 * momentum) / learning_rate;
}

double orr_stability_threshold_nesterov(double learning_rate, double momentum) {
    return (2.0 + 2.0 * momentum) / (learning_rate * (1.0 + 2.0 * momentum));
}

double orr_stability_threshold_ema_heavy_ball(double learning_rate, double momentum) {
    return (2.0 + 2.0 * momentum) / (learning_rate * (1.0 - momentum));
}
