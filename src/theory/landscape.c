#include "theory/landscape.h"

#include <math.h>
#include <string.h>

#include "base/context.h"
#include "numeric/eigen.h"

enum { FIRST_STEPS = 40, NEXT_STEPS = 16 }; /* sheet edge-of-stability, Numerics */

static bool all_zero(const double *v, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        if (v[i] != 0.0) return false;
    return true;
}

orr_status orr_landscape_sharpness(orr_context *ctx, orr_arena *scratch, const orr_landscape *landscape,
                                   const double *w, double *ritz, double *value) {
    const bool first = all_zero(ritz, landscape->n);
    const orr_operator hessian = { landscape->n, landscape->hessian_product, landscape->self };
    const orr_eigen_options options = { .pairs = 1,
                                        .steps = first ? FIRST_STEPS : NEXT_STEPS,
                                        .start = first ? NULL : ritz };
    orr_eigenpairs pairs = { 0 };
    orr_arena *results;
    *value = (double)NAN;
    ORR_TRY(ctx, landscape->at(landscape->self, w));
    ORR_TRY(ctx, orr_arena_new(ctx, &results));
    const orr_status status = orr_eigen_lanczos(ctx, results, scratch, &hessian, &options, &pairs);
    if (status == ORR_OK && pairs.vectors > 0) {
        *value = pairs.value[0];
        memcpy(ritz, pairs.vector, (size_t)landscape->n * sizeof *ritz);
    }
    orr_arena_free(results);
    return status;
}
