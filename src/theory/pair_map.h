/* Pair maps: what an activation does to the covariance of a Gaussian pair.
 *
 *     F = E phi(u) phi(v),   D = E phi'(u) phi'(v),   (u, v) ~ N(0, [[k11, k12], [k12, k22]]),   m = E phi(u)
 *
 *     linear      F = k12                                      D = 1
 *     relu        F = s/(2 pi) (sin t + (pi - t) cos t)        D = (pi - t)/(2 pi)         s = sqrt(k11 k22), cos t = k12/s
 *     erf         F = 2/pi asin(2 k12/sqrt P)                  D = 4/pi / sqrt(P - 4 k12^2)     P = (1 + 2 k11)(1 + 2 k22)
 *     erf-scaled  erf(x/sqrt 2): erf's at half the covariance, D halved
 *     gelu        x Phi(x), Phi the normal distribution        pair_map.c
 *     sin         F = e^{-(k11 + k22)/2} sinh k12              D = e^{-(k11 + k22)/2} cosh k12
 *     quadratic   F = k11 k22 + 2 k12^2                        D = 4 k12                   (x^2)
 *     others      quadrature: the trapezoid rule in two variables, to about 12 digits
 *
 * and G = E u phi'(u) v phi'(v), which a trained gain before the activation adds to the tangent kernel: F of relu and linear,
 * 4 F of quadratic, 4/pi k12/(P - 4 k12^2)^(3/2) of erf, else quadrature.
 *
 * k12 is taken as sqrt(k11 k22) in size where rounding has made it larger.
 * Sources: Cho, Saul 2009; Williams 1996; Tsuchida et al. 2020 (gelu).  Sheet: laws/limits/infinite-width-kernels.md */
#ifndef ORR_THEORY_PAIR_MAP_H
#define ORR_THEORY_PAIR_MAP_H

typedef struct orr_pair {
    double f, d;
} orr_pair;

typedef struct orr_pair_map {
    const char *name;
    double (*phi)(double x), (*slope)(double x);        /* phi, phi' */
    orr_pair (*of)(double k11, double k12, double k22); /* closed form; NULL: quadrature */
    double (*mean)(double k);                           /* E phi(u) of variance k; NULL: quadrature */
} orr_pair_map;

/* The activations of ingredient/architecture, by their names; NULL where there is none. */
const orr_pair_map *orr_pair_map_find(const char *name);

orr_pair orr_pair_of(const orr_pair_map *map, double k11, double k12, double k22);
/* The same of u with itself: no rounding can make it less than certain. */
orr_pair orr_pair_same(const orr_pair_map *map, double k);
double orr_pair_gain(const orr_pair_map *map, double k11, double k12, double k22);
double orr_pair_mean(const orr_pair_map *map, double k);

#endif
