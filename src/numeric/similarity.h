/* How alike two sets of features of the same n inputs are: X [n, p], Y [n, q], rows are inputs.
 *
 * All but the metrics of distances first take the mean off each column.  K = X X', L = Y Y', H = 1 - 11'/n:
 *
 *     cka           <HKH, HLH> / (|HKH| |HLH|)                                 Kornblith et al. 2019 (1905.00414)
 *     cka-unbiased  HSIC_u(K, L)/sqrt(HSIC_u(K, K) HSIC_u(L, L)), K~ = K with zeros on the diagonal,        Song et al. 2012
 *                   HSIC_u = (<K~, L~> + (1'K~1)(1'L~1)/((n-1)(n-2)) - 2 (K~1).(L~1)/(n-2)) / (n (n-3))
 *     cka-rbf       cka of exp(-d_ij^2/(2 f^2 med)), med the median of the squared distances over pairs i < j
 *     svcca         mean singular value of U_x' U_y, U the leading left singular vectors with 99 % of the squares    Raghu 2017
 *     cca           the same with all of them (singular value above the largest times n eps): mean correlation r_i
 *     pwcca         sum a_i r_i/sum a_i, a_i = sum_j |<h_i, X_j>|, h_i the canonical vectors of X            Morcos 2018
 *     procrustes    d^2 = 2 - 2 nu, nu the nuclear norm of X'Y after dividing each by its Frobenius norm   (a distance)
 *     angle         arccos(min(1, nu))                                        Williams et al. 2021 (2110.14739; a distance)
 *     rsa           Spearman correlation of the distances d_ij, i < j, with average ranks
 *     mutual-knn    mean over i of |N_k^X(i) intersected N_k^Y(i)|/k, itself excluded, ties by index       Huh et al. 2024
 *
 * Null: the rows of Y permuted.  Metrics that are <A, B>/(|A| |B|) of two n x n matrices have the exact mean
 *     (tr A tr B/n + off A off B/(n (n-1)))/(|A| |B|),   off A the sum of what is off the diagonal:
 * tr HKH tr HLH/((n-1) |HKH| |HLH|) of cka, k/(n-1) of mutual-knn, 0 of rsa; cka-unbiased has 0.
 * p q matrices are never formed where n is smaller.  Sheet: laws/universal/representation-similarity.md */
#ifndef ORR_NUMERIC_SIMILARITY_H
#define ORR_NUMERIC_SIMILARITY_H

#include "base/arena.h"
#include "base/random.h"
#include "orrery.h"

/* ORDER metrics: names in similarity.c */
typedef enum orr_similarity_metric {
    ORR_SIMILARITY_CKA = 0,
    ORR_SIMILARITY_CKA_UNBIASED,
    ORR_SIMILARITY_CKA_RBF,
    ORR_SIMILARITY_SVCCA,
    ORR_SIMILARITY_CCA,
    ORR_SIMILARITY_PWCCA,
    ORR_SIMILARITY_PROCRUSTES,
    ORR_SIMILARITY_ANGLE,
    ORR_SIMILARITY_RSA,
    ORR_SIMILARITY_NEIGHBOURS,
    ORR_SIMILARITY_METRICS
} orr_similarity_metric;

const char *orr_similarity_name(orr_similarity_metric metric); /* "cka" */
bool orr_similarity_is_distance(orr_similarity_metric metric); /* the less the more alike */

/* A zero means the default. */
typedef struct orr_similarity_options {
    double bandwidth;   /* f of cka-rbf; 1 */
    bool median_of_all; /* med over all n^2 entries, zeros of the diagonal included, as published code often has it */
    double variance;    /* kept by svcca; 0.99 */
    int64_t neighbours; /* k of mutual-knn; 10 */
} orr_similarity_options;

/* What a metric needs of one set of features.  Those that are compared have the same metric, options and n. */
typedef struct orr_representation {
    orr_similarity_metric metric;
    int64_t n, rank, p;
    double *matrix;            /* [n, n]: A */
    double *row;               /* [n]: K~1 */
    double norm, trace, total; /* |A|; sum of the diagonal, and of all */
    double *basis;             /* [n, rank]: U, or U S of procrustes and angle */
    double *weight;            /* [rank, p]: U'X of pwcca */
} orr_representation;

/* Fails: ORR_EINPUT (a number that isn't finite, with its row; fewer than 4 rows; k not below n), ORR_ENOMEM, ORR_ENUMERIC. */
orr_status orr_representation_new(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch,
                                  orr_similarity_metric metric, const orr_similarity_options *options, int64_t n,
                                  int64_t p, const double *x, orr_representation *out) ORR_MUST_USE;

/* Of x with the rows of y in the order of `permutation` [n] (NULL: as they are).  NaN where one of them is the same for all inputs. */
orr_status orr_similarity(orr_context *ctx, orr_arena *scratch, const orr_representation *x,
                          const orr_representation *y, const int64_t *permutation, double *out) ORR_MUST_USE;

/* The exact mean over all permutations; NaN where no formula is known. */
double orr_similarity_null(const orr_representation *x, const orr_representation *y);

typedef struct orr_calibration {
    double score;
    double null_exact;         /* NaN: not known */
    double null_mean, null_sd; /* over the permutations */
    double calibrated; /* (score - mean)/(1 - mean), of distances 1 - score/mean; the exact mean where it is known */
    double p;          /* (1 + permutations that are at least as alike)/(1 + permutations) */
} orr_calibration;
orr_status orr_similarity_calibrate(orr_context *ctx, orr_arena *scratch, const orr_representation *x,
                                    const orr_representation *y, int64_t permutations, uint64_t seed,
                                    orr_calibration *out) ORR_MUST_USE;

#endif
