/* Kernel ridge regression on n independent samples, on average over them, from the kernel's spectrum alone.
 *
 *     f(x) = K(x, X) (K(X, X) + delta_0 I)^-1 y        K is not divided by n, nor delta_0 multiplied by it
 *     K(x, x') = sum_i lambda_i phi_i(x) phi_i(x'),  E phi_i phi_j = delta_ij,  y = sum_i v_i phi_i(x) + noise
 *
 *     n = sum_i g_i lambda_i/(lambda_i + kappa) + delta/kappa,   delta = delta_0 + tail
 *     L_i = lambda_i/(lambda_i + kappa),   E0 = n/(n - sum_i g_i L_i^2),   E vhat_i = L_i v_i
 *     E_test = E0 (sum_i (1 - L_i)^2 v_i^2 + s2),   E_train = (delta_0/(n kappa))^2 E_test
 *
 *   paper      here              meaning
 *   lambda_i   value             eigenvalue of level i; g_i functions share it
 *   g_i        multiplicity      of level i, a real number
 *   tail       tail              E K(x, x) - sum_i g_i lambda_i: what a truncated spectrum misses acts as a ridge
 *   v_i^2      coefficient2      squared coefficient of the target, summed over the functions of the level
 *   s2         noise             variance of the noise on each label, that of test labels included
 *   L_i        learnability      of a function of level i; sum_i g_i L_i = n - delta/kappa
 *   E0         overfitting       test error over that of n -> infinity at the same kappa
 *
 * Errors are means of (y - f)^2.  Sources: Simon, Dickens, Karkada, DeWeese 2023 (2110.03922); Canatar, Bordelon, Pehlevan
 * 2021 (2006.13198); Jacot et al. 2020 (2006.09796).  Sheet: laws/solvable/kernel-learning-curves.md */
#ifndef ORR_THEORY_KERNEL_REGRESSION_H
#define ORR_THEORY_KERNEL_REGRESSION_H

#include "base/arena.h"
#include "orrery.h"

typedef struct orr_kernel_spectrum {
    int64_t n;                  /* levels */
    const double *value;        /* n, >= 0, in any order */
    const double *multiplicity; /* n, >= 0; NULL: 1 each */
    double tail;                /* >= 0; 0 where the spectrum is complete */
} orr_kernel_spectrum;

/* What n samples learn of a spectrum, whatever the target. */
typedef struct orr_kernel_learning {
    double samples, ridge; /* as they were given */
    double kappa;          /* 0 where the samples determine every mode: delta = 0 and rank <= n */
    double *learnability;  /* one a level */
    double learned;        /* sum_i g_i L_i */
    double overfitting;    /* E0; infinite where delta = 0 and rank = n */
} orr_kernel_learning;

/* samples > 0 may be any real, ridge >= 0 is the solver's delta_0.  Cost: about 60 sums over the levels.
 * Fails: ORR_EINPUT where a value is negative or not finite, ORR_ENOMEM. */
orr_status orr_kernel_learn(orr_context *ctx, orr_arena *out_arena, const orr_kernel_spectrum *spectrum, double samples,
                            double ridge, orr_kernel_learning *out) ORR_MUST_USE;

/* Errors for a target, coefficient2[levels].  The train error at kappa > 0 and ridge 0 is 0. */
double orr_kernel_test_error(const orr_kernel_spectrum *spectrum, const orr_kernel_learning *learning,
                             const double *coefficient2, double noise);
double orr_kernel_train_error(const orr_kernel_spectrum *spectrum, const orr_kernel_learning *learning,
                              const double *coefficient2, double noise);

#endif
