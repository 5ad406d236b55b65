/* The neural feature ansatz: W_l' W_l of a trained layer is proportional to a power of the average gradient outer product
 * with respect to that layer's input (AGOP).
 *
 *     AGOP_l = 1/n sum_i J(a_i)' J(a_i),  J = df/da at layer l's input, W_l included        W_l' W_l ~ AGOP_l^s
 *     deep linear and balanced (W_{l+1}' W_{l+1} = W_l W_l'):  W_l' W_l = AGOP_l^{1/(L-l+1)}, l = 1 .. L
 *
 * Sources: Radhakrishnan et al. 2024 (2212.13881), 2401.04553.   Sheet: laws/empirical/neural-feature-ansatz.md */
#ifndef ORR_THEORY_FEATURE_ANSATZ_H
#define ORR_THEORY_FEATURE_ANSATZ_H

#include "base/arena.h"
#include "orrery.h"

/* s = 1/(L - l + 1) */
double orr_ansatz_power(int64_t layers, int64_t layer);

/* cos(W_l' W_l, AGOP_l), the power 1 in place of the right one, for a balanced product of singular values t[k]:
 * sum t^{2/L + 2(L-l+1)/L} / sqrt(sum t^{4/L} sum t^{4(L-l+1)/L}). */
double orr_ansatz_cosine_of_power_1(int64_t layers, int64_t layer, int64_t k, const double *t);

/* |W_{l+1}' W_{l+1} - W_l W_l'|_F / |W_l W_l'|_F of two matrices that follow each other, [b, c] and [a, b].
 * Fails: ORR_ENOMEM. */
orr_status orr_ansatz_imbalance(orr_context *ctx, orr_arena *scratch, int64_t a, int64_t b, int64_t c,
                                const double *first, const double *second, double *out) ORR_MUST_USE;

/* How two matrices of n entries agree. */
typedef struct orr_agreement {
    double correlation; /* Pearson's, of all entries */
    double cosine;      /* <A, B>/(|A| |B|) */
    double difference;  /* |A - B|/|A| */
} orr_agreement;
orr_agreement orr_agreement_of(int64_t n, const double *a, const double *b);

/* A^s of a positive semidefinite A [n, n]; negative eigenvalues, rounding, count as 0.  Fails as orr_matrix_function. */
orr_status orr_matrix_power(orr_context *ctx, orr_arena *scratch, int64_t n, const double *a, double s,
                            double *out) ORR_MUST_USE;

#endif
