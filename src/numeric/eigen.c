/* What ARPACK and Lanczos share: defaults, the start vector, the order of values. */
#include "numeric/eigen.h"

#include <math.h>
#include <string.h>

#include "base/context.h"
#include "numeric/eigen_private.h"
#include "numeric/vector.h"

orr_status orr_eigen_defaults(orr_context *ctx, const orr_operator *a, const orr_eigen_options *options,
                              orr_eigen_options *out) {
    *out = options ? *options : (orr_eigen_options){ 0 };
    if (!out->pairs) out->pairs = 1;
    if (out->tolerance == 0) out->tolerance = 1e-10;
    if (!out->key.purpose) out->key.purpose = ORR_PURPOSE_PROBE;
    if (!out->steps) out->steps = 40;
    if (!out->basis) out->basis = 2 * out->pairs + 1 > 20 ? 2 * out->pairs + 1 : 20;
    if (!out->max_products) out->max_products = 3000;
    if (a->n < 1) return orr_fail(ctx, ORR_EINPUT, "eigenpairs: the operator has %lld rows", (long long)a->n);
    if (out->pairs < 1 || out->pairs > a->n)
        return orr_fail(ctx, ORR_EINPUT, "eigenpairs: %lld asked of an operator of %lld rows", (long long)out->pairs,
                        (long long)a->n);
    if (!(out->tolerance > 0) || out->steps < 1 || out->max_products < 1)
        return orr_fail(ctx, ORR_EINPUT, "eigenpairs: tolerance, steps and products must be positive");
    if (out->basis <= out->pairs)
        return orr_fail(ctx, ORR_EINPUT, "eigenpairs: a basis of %lld can't hold %lld pairs, it needs one vector more",
                        (long long)out->basis, (long long)out->pairs);
    return ORR_OK;
}

orr_status orr_eigen_start(orr_context *ctx, const orr_operator *a, const orr_eigen_options *options, double *v) {
    if (options->start) memcpy(v, options->start, (size_t)a->n * sizeof *v);
    else orr_random_fill_normal(options->key, 0, a->n, v);
    const double norm = orr_vector_norm(a->n, v);
    if (!(norm > 0) || !isfinite(norm))
        return orr_fail(ctx, ORR_EINPUT, "eigenpairs: the start vector has length %g, expected a positive one", norm);
    orr_vector_scale(a->n, 1 / norm, v);
    return ORR_OK;
}

void orr_eigen_order(orr_which which, int64_t m, const double *ascending, int64_t count, int64_t *order) {
    if (which == ORR_WHICH_BOTH_ENDS) {
        const int64_t above = (count + 1) / 2, below = count - above;
        for (int64_t i = 0; i < above; i++) order[i] = m - 1 - i;
        for (int64_t i = 0; i < below; i++) order[above + i] = below - 1 - i;
        for (int64_t i = count; i < m; i++) order[i] = m - 1 - (i - below);
        return;
    }
    for (int64_t i = 0, low = 0, high = m - 1; i < m; i++) { /* a finger at each end */
        const bool take_high = which == ORR_WHICH_LARGEST ||
                               (which == ORR_WHICH_LARGEST_MAGNITUDE && fabs(ascending[high]) >= fabs(ascending[low]));
        order[i] = take_high ? high-- : low++;
    }
}
