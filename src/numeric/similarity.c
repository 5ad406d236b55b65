#include "numeric/similarity.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/context.h"
#include "numeric/dense.h"

/* ORDER metrics: orr_similarity_metric */
static const struct {
    const char *name;
    bool distance, matrix; /* matrix: <A, B>/(|A| |B|), or HSIC_u */
} metrics[ORR_SIMILARITY_METRICS] = {
    { "cka", false, true },  { "cka-unbiased", false, true }, { "cka-rbf", false, true },    { "svcca", false, false },
    { "cca", false, false }, { "pwcca", false, false },       { "procrustes", true, false }, { "angle", true, false },
    { "rsa", false, true },  { "mutual-knn", false, true },
};

const char *orr_similarity_name(orr_similarity_metric metric) { return metrics[metric].name; }
bool orr_similarity_is_distance(orr_similarity_metric metric) { return metrics[metric].distance; }

static orr_status no_memory(orr_context *ctx, int64_t n) {
    return orr_fail(ctx, ORR_ENOMEM, "similarity: no memory for %lld inputs", (long long)n);
}

/* ---- matrices -------------------------------------------------------------------------------------------------------------- */

/* A column of equal numbers gets zeros, without the rounding of their mean. */
static void centre_columns(int64_t n, int64_t p, double *x) {
    for (int64_t j = 0; j < p; j++) {
        double sum = 0.0;
        bool equal = true;
        for (int64_t i = 0; i < n; i++) {
            sum += x[i * p + j];
            equal = equal && x[i * p + j] == x[j];
        }
        const double mean = equal ? x[j] : sum / (double)n;
        for (int64_t i = 0; i < n; i++) x[i * p + j] -= mean;
    }
}

/* K <- H K H */
static void centre_both(int64_t n, double *k, double *mean) {
    double all = 0.0;
    for (int64_t i = 0; i < n; i++) {
        mean[i] = 0.0;
        for (int64_t j = 0; j < n; j++) mean[i] += k[i * n + j] / (double)n;
        all += mean[i] / (double)n;
    }
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) k[i * n + j] += all - mean[i] - mean[j];
}

/* d[i, j] = |x_i - x_j|^2 */
static void squared_distances(int64_t n, int64_t p, const double *x, double *d) {
    for (int64_t i = 0; i < n; i++) {
        d[i * n + i] = 0.0;
        for (int64_t j = 0; j < i; j++) {
            double sum = 0.0;
            for (int64_t c = 0; c < p; c++) sum += (x[i * p + c] - x[j * p + c]) * (x[i * p + c] - x[j * p + c]);
            d[i * n + j] = d[j * n + i] = sum;
        }
    }
}

typedef struct pair {
    double distance;
    int64_t at; /* i n + j, i < j */
} pair;

static int by_distance(const void *a, const void *b) {
    const pair *x = a, *y = b;
    return x->distance < y->distance ? -1 : x->distance > y->distance ? 1 : x->at < y->at ? -1 : x->at > y->at;
}

/* The pairs i < j by their distance; NULL is out of memory. */
static pair *sorted_pairs(orr_arena *scratch, int64_t n, const double *d) {
    pair *out = ORR_NEW(scratch, pair, n * (n - 1) / 2), *to = out;
    if (!out) return NULL;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = i + 1; j < n; j++) *to++ = (pair){ d[i * n + j], i * n + j };
    qsort(out, (size_t)(n * (n - 1) / 2), sizeof *out, by_distance);
    return out;
}

/* of_all: n zeros come first, then each pair twice */
static double median_of(const pair *sorted, int64_t n, bool of_all) {
    const int64_t pairs = n * (n - 1) / 2, count = of_all ? n * n : pairs;
    double sum = 0.0;
    for (int64_t k = (count - 1) / 2; k <= count / 2; k++)
        sum += !of_all ? sorted[k].distance : k < n ? 0.0 : sorted[(k - n) / 2].distance;
    return (count - 1) / 2 == count / 2 ? sum : sum / 2;
}

static orr_status kernel_rbf(orr_context *ctx, orr_arena *scratch, const orr_similarity_options *o, int64_t n,
                             double *a) {
    const pair *sorted = sorted_pairs(scratch, n, a);
    if (!sorted) return no_memory(ctx, n);
    const double f = o->bandwidth > 0 ? o->bandwidth : 1.0, width = 2 * f * f * median_of(sorted, n, o->median_of_all);
    for (int64_t i = 0; i < n * n; i++) a[i] = a[i] == 0 ? 1.0 : exp(-a[i] / width);
    return ORR_OK;
}

/* Average ranks of the distances less their mean, zeros on the diagonal. */
static orr_status ranks(orr_context *ctx, orr_arena *scratch, int64_t n, double *a) {
    const int64_t pairs = n * (n - 1) / 2;
    const pair *sorted = sorted_pairs(scratch, n, a);
    if (!sorted) return no_memory(ctx, n);
    for (int64_t first = 0, end; first < pairs; first = end) {
        for (end = first + 1; end < pairs && sorted[end].distance == sorted[first].distance;) end++;
        const double rank = 0.5 * (double)(first + end - 1) - 0.5 * (double)(pairs - 1);
        for (int64_t k = first; k < end; k++) {
            const int64_t i = sorted[k].at / n, j = sorted[k].at % n;
            a[i * n + j] = a[j * n + i] = rank;
        }
    }
    return ORR_OK;
}

/* A[i, j] = 1 where j is among the k nearest of i. */
static orr_status neighbours(orr_context *ctx, orr_arena *scratch, int64_t n, int64_t k, double *a) {
    pair *row = ORR_NEW(scratch, pair, n);
    if (!row) return no_memory(ctx, n);
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < n; j++) row[j] = (pair){ j == i ? (double)INFINITY : a[i * n + j], j };
        qsort(row, (size_t)n, sizeof *row, by_distance);
        memset(a + i * n, 0, (size_t)n * sizeof *a);
        for (int64_t j = 0; j < k; j++) a[i * n + row[j].at] = 1.0;
    }
    return ORR_OK;
}

/* <A, B> with rows and columns of B permuted */
static double inner(int64_t n, const double *a, const double *b, const int64_t *permutation) {
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) {
        const double *row = b + (permutation ? permutation[i] : i) * n;
        double part = 0.0;
        if (permutation)
            for (int64_t j = 0; j < n; j++) part += a[i * n + j] * row[permutation[j]];
        else
            for (int64_t j = 0; j < n; j++) part += a[i * n + j] * row[j];
        sum += part;
    }
    return sum;
}

static double hsic_unbiased(const orr_representation *x, const orr_representation *y, const int64_t *permutation) {
    const double n = (double)x->n;
    double rows = 0.0;
    for (int64_t i = 0; i < x->n; i++) rows += x->row[i] * y->row[permutation ? permutation[i] : i];
    return (inner(x->n, x->matrix, y->matrix, permutation) + x->total * y->total / ((n - 1) * (n - 2)) -
            2 / (n - 2) * rows) /
           (n * (n - 3));
}

/* x: centred where the metric wants it. */
static orr_status represent_by_matrix(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch,
                                      const orr_similarity_options *o, const double *x, orr_representation *out) {
    const int64_t n = out->n;
    double *a = out->matrix = ORR_NEW(out_arena, double, n *n);
    out->row = ORR_NEW(out_arena, double, n);
    if (!a || !out->row) return no_memory(ctx, n);
    const bool linear = out->metric == ORR_SIMILARITY_CKA || out->metric == ORR_SIMILARITY_CKA_UNBIASED;
    if (linear) orr_dense_multiply(n, n, out->p, x, false, x, true, a);
    else squared_distances(n, out->p, x, a);
    if (out->metric == ORR_SIMILARITY_CKA_RBF) ORR_TRY(ctx, kernel_rbf(ctx, scratch, o, n, a));
    if (out->metric == ORR_SIMILARITY_RSA) ORR_TRY(ctx, ranks(ctx, scratch, n, a));
    if (out->metric == ORR_SIMILARITY_NEIGHBOURS)
        ORR_TRY(ctx, neighbours(ctx, scratch, n, o->neighbours > 0 ? o->neighbours : 10, a));
    const double before = inner(n, a, a, NULL); /* |A|^2 */
    if (out->metric == ORR_SIMILARITY_CKA || out->metric == ORR_SIMILARITY_CKA_RBF) centre_both(n, a, out->row);
    for (int64_t i = 0; i < n; i++) {
        if (out->metric == ORR_SIMILARITY_CKA_UNBIASED) a[i * n + i] = 0.0;
        out->row[i] = 0.0;
        for (int64_t j = 0; j < n; j++) out->row[i] += a[i * n + j];
        out->total += out->row[i];
        out->trace += a[i * n + i];
    }
    const double square =
        out->metric == ORR_SIMILARITY_CKA_UNBIASED ? hsic_unbiased(out, out, NULL) : inner(n, a, a, NULL);
    const double rounding = (double)n * DBL_EPSILON;
    out->norm = square > rounding * rounding * before ? sqrt(square) : (double)NAN; /* nothing is left but rounding */
    return ORR_OK;
}

/* ---- bases ------------------------------------------------------------------------------------------------------------------ */

/* Directions that are kept: those above rounding, or the fewest with so much of the squares. */
static int64_t rank_of(const orr_svd *svd, orr_similarity_metric metric, double variance) {
    const double floor = svd->s[0] * (double)svd->m * DBL_EPSILON;
    double all = 0.0, part = 0.0;
    int64_t k = 0;
    for (int64_t i = 0; i < svd->k; i++) all += svd->s[i] * svd->s[i];
    while (k < svd->k && svd->s[k] > floor && !(metric == ORR_SIMILARITY_SVCCA && part >= variance * all)) {
        part += svd->s[k] * svd->s[k];
        k++;
    }
    return k;
}

static orr_status represent_by_basis(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch,
                                     const orr_similarity_options *o, const double *x, orr_representation *out) {
    const bool shape = metrics[out->metric].distance;
    const double variance = o->variance > 0 ? o->variance : 0.99;
    orr_svd svd;
    ORR_TRY(ctx, orr_svd_thin(ctx, scratch, scratch, out->n, out->p, x, &svd));
    const int64_t k = out->rank = svd.k ? rank_of(&svd, out->metric, variance) : 0;
    double squares = 0.0;
    for (int64_t a = 0; a < k; a++) squares += svd.s[a] * svd.s[a];
    out->norm = sqrt(squares);
    out->basis = ORR_NEW(out_arena, double, out->n *k);
    if (!out->basis) return no_memory(ctx, out->n);
    for (int64_t i = 0; i < out->n; i++)
        for (int64_t a = 0; a < k; a++)
            out->basis[i * k + a] = svd.u[i * svd.k + a] * (shape ? svd.s[a] / out->norm : 1.0);
    if (out->metric != ORR_SIMILARITY_PWCCA) return ORR_OK;
    out->weight = ORR_NEW(out_arena, double, k * out->p);
    if (!out->weight) return no_memory(ctx, out->n);
    for (int64_t a = 0; a < k; a++)
        for (int64_t j = 0; j < out->p; j++) out->weight[a * out->p + j] = svd.s[a] * svd.vt[a * out->p + j];
    return ORR_OK;
}

/* sum a_i r_i/sum a_i, a_i = sum_j |l_i.(U'X)_j|, l_i the left singular vectors of U_x'U_y */
static double weighted_mean(const orr_representation *x, const orr_svd *c) {
    double sum = 0.0, all = 0.0;
    for (int64_t i = 0; i < c->k; i++) {
        double a = 0.0;
        for (int64_t j = 0; j < x->p; j++) {
            double part = 0.0;
            for (int64_t b = 0; b < x->rank; b++) part += c->u[b * c->k + i] * x->weight[b * x->p + j];
            a += fabs(part);
        }
        sum += a * fmin(1.0, c->s[i]);
        all += a;
    }
    return sum / all;
}

static orr_status similarity_by_basis(orr_context *ctx, orr_arena *scratch, const orr_representation *x,
                                      const orr_representation *y, const int64_t *permutation, double *out) {
    const double *basis = y->basis;
    orr_svd c;
    double sum = 0.0;
    *out = (double)NAN;
    if (x->rank == 0 || y->rank == 0) return ORR_OK;
    double *product = ORR_NEW(scratch, double, x->rank * y->rank);
    if (!product) return no_memory(ctx, x->n);
    if (permutation) {
        double *permuted = ORR_NEW(scratch, double, y->n * y->rank);
        if (!permuted) return no_memory(ctx, x->n);
        for (int64_t i = 0; i < y->n; i++)
            memcpy(permuted + i * y->rank, y->basis + permutation[i] * y->rank, (size_t)y->rank * sizeof(double));
        basis = permuted;
    }
    orr_dense_multiply(x->rank, y->rank, x->n, x->basis, true, basis, false, product);
    if (x->metric == ORR_SIMILARITY_PWCCA) {
        ORR_TRY(ctx, orr_svd_thin(ctx, scratch, scratch, x->rank, y->rank, product, &c));
        *out = weighted_mean(x, &c);
        return ORR_OK;
    }
    const int64_t k = x->rank < y->rank ? x->rank : y->rank;
    double *s = ORR_NEW(scratch, double, k);
    if (!s) return no_memory(ctx, x->n);
    ORR_TRY(ctx, orr_singular_values(ctx, scratch, x->rank, y->rank, product, s));
    for (int64_t i = 0; i < k; i++) sum += s[i];
    *out = x->metric == ORR_SIMILARITY_PROCRUSTES ? 2 - 2 * sum
           : x->metric == ORR_SIMILARITY_ANGLE    ? acos(fmin(1.0, sum))
                                                  : sum / (double)k; /* svcca, cca */
    return ORR_OK;
}

/* ---- what others see ------------------------------------------------------------------------------------------------------------ */

orr_status orr_representation_new(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch,
                                  orr_similarity_metric metric, const orr_similarity_options *options, int64_t n,
                                  int64_t p, const double *x, orr_representation *out) {
    static const orr_similarity_options defaults = { 0 };
    const orr_similarity_options *o = options ? options : &defaults;
    const int64_t k = o->neighbours > 0 ? o->neighbours : 10;
    const bool distances =
        metric == ORR_SIMILARITY_CKA_RBF || metric == ORR_SIMILARITY_RSA || metric == ORR_SIMILARITY_NEIGHBOURS;
    *out = (orr_representation){ .metric = metric, .n = n, .p = p };
    if (n < 4 || p < 1)
        return orr_fail(ctx, ORR_EINPUT, "similarity needs 4 inputs and a feature; there are %lld and %lld",
                        (long long)n, (long long)p);
    if (metric == ORR_SIMILARITY_NEIGHBOURS && k >= n)
        return orr_fail(ctx, ORR_EINPUT,
                        "mutual-knn: %lld neighbours among %lld inputs; less than %lld can be asked for", (long long)k,
                        (long long)n, (long long)n);
    for (int64_t i = 0; i < n * p; i++)
        if (!isfinite(x[i]))
            return orr_fail(ctx, ORR_EINPUT, "row %lld, column %lld is %g; features must be finite", (long long)(i / p),
                            (long long)(i % p), x[i]);
    const orr_arena_mark mark = orr_arena_here(scratch);
    assert(scratch != out_arena && "scratch gets rewound");
    double *own = distances ? NULL : ORR_NEW(scratch, double, n *p);
    orr_status status = distances || own ? ORR_OK : no_memory(ctx, n);
    if (own) {
        memcpy(own, x, (size_t)(n * p) * sizeof *own);
        centre_columns(n, p, own);
    }
    if (status == ORR_OK)
        status = metrics[metric].matrix ? represent_by_matrix(ctx, out_arena, scratch, o, own ? own : x, out)
                                        : represent_by_basis(ctx, out_arena, scratch, o, own, out);
    orr_arena_rewind(scratch, mark);
    return status;
}

orr_status orr_similarity(orr_context *ctx, orr_arena *scratch, const orr_representation *x,
                          const orr_representation *y, const int64_t *permutation, double *out) {
    assert(x->metric == y->metric && x->n == y->n && "features of the same inputs, seen by the same metric");
    if (metrics[x->metric].matrix) {
        const double product = x->metric == ORR_SIMILARITY_CKA_UNBIASED
                                   ? hsic_unbiased(x, y, permutation)
                                   : inner(x->n, x->matrix, y->matrix, permutation);
        *out = product / (x->norm * y->norm);
        return ORR_OK;
    }
    const orr_arena_mark mark = orr_arena_here(scratch);
    const orr_status status = similarity_by_basis(ctx, scratch, x, y, permutation, out);
    orr_arena_rewind(scratch, mark);
    return status;
}

double orr_similarity_null(const orr_representation *x, const orr_representation *y) {
    const double n = (double)x->n;
    if (x->metric == ORR_SIMILARITY_CKA_UNBIASED) return 0.0;
    if (!metrics[x->metric].matrix) return (double)NAN;
    return (x->trace * y->trace / n + (x->total - x->trace) * (y->total - y->trace) / (n * (n - 1))) /
           (x->norm * y->norm);
}

orr_status orr_similarity_calibrate(orr_context *ctx, orr_arena *scratch, const orr_representation *x,
                                    const orr_representation *y, int64_t permutations, uint64_t seed,
                                    orr_calibration *out) {
    const bool distance = metrics[x->metric].distance;
    const orr_arena_mark mark = orr_arena_here(scratch);
    int64_t *permutation = ORR_NEW(scratch, int64_t, x->n);
    double sum = 0.0, squares = 0.0, alike = 0.0, count = (double)permutations;
    if (!permutation) return no_memory(ctx, x->n);
    *out = (orr_calibration){ .null_exact = orr_similarity_null(x, y) };
    orr_status status = orr_similarity(ctx, scratch, x, y, NULL, &out->score);
    for (int64_t r = 0; r < permutations && status == ORR_OK; r++) {
        const orr_key key = { seed, ORR_PURPOSE_RESAMPLE, (uint32_t)r };
        double score = (double)NAN;
        orr_random_permutation(key, x->n, permutation);
        status = orr_similarity(ctx, scratch, x, y, permutation, &score);
        sum += score;
        squares += (score - out->score) * (score - out->score); /* shifted: no cancellation where the null is narrow */
        alike += distance ? score <= out->score : score >= out->score;
    }
    orr_arena_rewind(scratch, mark);
    const double shift = sum / count - out->score;
    out->null_mean = sum / count;
    out->null_sd = sqrt(fmax(0.0, squares / count - shift * shift) * count / (count - 1));
    const double mean = isnan(out->null_exact) ? out->null_mean : out->null_exact;
    out->calibrated = distance ? 1 - out->score / mean : (out->score - mean) / (1 - mean);
    out->p = isnan(out->score) || permutations == 0 ? (double)NAN : (1 + alike) / (1 + count);
    return status;
}
