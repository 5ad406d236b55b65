/* Lanczos with full re-orthogonalisation, twice. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "numeric/dense.h"
#include "numeric/eigen_private.h"
#include "numeric/vector.h"

/* A fresh unit vector orthogonal to the first m of the basis.  The r-th one of a run reads a stretch of the stream of
 * its own, behind those of the start vector.  False where rounding leaves nothing: the basis is the whole space. */
static bool fresh_vector(orr_context *ctx, const orr_krylov *k, int64_t m, int64_t n, orr_key key, int64_t r, double *v,
                         double *c, double *partial) {
    orr_random_fill_normal(key, (uint64_t)(r * n), n, v);
    orr_vector_scale(n, 1 / orr_vector_norm(n, v), v);
    for (int pass = 0; pass < 2; pass++) orr_vector_project_out(orr_context_pool(ctx), m, n, k->basis, v, c, partial);
    const double norm = orr_vector_norm(n, v);
    if (norm < 1e-8) return false;
    orr_vector_scale(n, 1 / norm, v);
    return true;
}

/* beta_j v_{j+1} = A v_j - sum_{i <= j} <v_i, A v_j> v_i;  alpha_j = <v_j, A v_j>.
 * The sum over all i is what three-term recurrence plus re-orthogonalisation come to; the second pass takes away what
 * rounding left of the first. */
static orr_status run(orr_context *ctx, const orr_operator *a, int64_t steps, bool restart, orr_key key, double *c,
                      double *partial, double *w, orr_krylov *k) {
    const int64_t n = a->n;
    double scale = 0; /* an estimate of |T| from below */
    int64_t restarts = 0;
    for (int64_t j = 0; j < steps; j++) {
        double *v = k->basis + j * n;
        ORR_TRY(ctx, a->apply(a->self, v, w));
        k->products++;
        k->alpha[j] = k->beta[j] = 0;
        for (int pass = 0; pass < 2; pass++) {
            orr_vector_project_out(orr_context_pool(ctx), j + 1, n, k->basis, w, c, partial);
            k->alpha[j] += c[j];
        }
        const double beta = orr_vector_norm(n, w);
        k->made = j + 1;
        k->finite = isfinite(k->alpha[j]) && isfinite(beta);
        if (!k->finite) return ORR_OK;
        scale = fmax(scale, fabs(k->alpha[j]) + (j ? k->beta[j - 1] : 0));
        if (j + 1 == n) return ORR_OK;
        const bool closed = beta <= 64 * 0x1p-52 * scale; /* a few dozen roundings of A v: nothing else is left */
        if (!closed) k->beta[j] = beta;
        if (j + 1 == steps || (closed && !restart)) return ORR_OK;
        double *next = v + n;
        if (!closed) {
            memcpy(next, w, (size_t)n * sizeof *next);
            orr_vector_scale(n, 1 / beta, next);
        } else if (!fresh_vector(ctx, k, j + 1, n, key, ++restarts, next, c, partial)) return ORR_OK;
    }
    return ORR_OK;
}

orr_status orr_krylov_run(orr_context *ctx, orr_arena *arena, const orr_operator *a, const double *start, int64_t steps,
                          bool restart, orr_key key, orr_krylov *out) {
    const int64_t n = a->n, m = steps < n ? steps : n;
    double *w = ORR_NEW(arena, double, n), *c = ORR_NEW(arena, double, m);
    double *partial = ORR_NEW(arena, double, orr_vector_project_scratch(m, n));
    *out = (orr_krylov){ .basis = orr_arena_take(arena, m, (size_t)n * sizeof(double)),
                         .alpha = ORR_NEW(arena, double, m),
                         .beta = ORR_NEW(arena, double, m),
                         .finite = true };
    if (!w || !c || !partial || !out->basis || !out->alpha || !out->beta)
        return orr_fail(ctx, ORR_ENOMEM, "Lanczos: no memory for %lld vectors of %lld", (long long)m, (long long)n);
    memcpy(out->basis, start, (size_t)n * sizeof *start);
    return run(ctx, a, m, restart, key, c, partial, w, out);
}

/* A residual that is small as asked, or as small as rounding allows. */
static bool is_small(double residual, double tolerance, double value, double largest) {
    return residual <= fmax(tolerance * fabs(value), 0x1p-48 * largest);
}

/* From T to pairs of A. */
static orr_status ritz(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch, const orr_eigen_options *o,
                       const orr_krylov *k, int64_t n, orr_eigenpairs *out) {
    const int64_t m = k->made;
    double *theta = ORR_NEW(scratch, double, m), *s = ORR_NEW(scratch, double, m *m);
    int64_t *order = ORR_NEW(scratch, int64_t, m);
    out->k = m;
    out->vectors = o->pairs < m ? o->pairs : m;
    out->value = ORR_NEW(out_arena, double, m);
    out->residual = ORR_NEW(out_arena, double, m);
    out->vector = ORR_NEW(out_arena, double, out->vectors *n);
    if (!theta || !s || !order || !out->value || !out->residual || !out->vector)
        return orr_fail(ctx, ORR_ENOMEM, "Lanczos: no memory for %lld Ritz pairs", (long long)m);
    ORR_TRY(ctx, orr_tridiagonal_eigen(ctx, scratch, m, k->alpha, k->beta, theta, s));
    orr_eigen_order(o->which, m, theta, out->vectors, order);
    const double largest = fmax(fabs(theta[0]), fabs(theta[m - 1]));
    for (int64_t i = 0; i < m; i++) {
        out->value[i] = theta[order[i]];
        out->residual[i] = k->beta[m - 1] * fabs(s[order[i] * m + m - 1]);
    }
    out->reason = o->pairs <= m ? ORR_REASON_CONVERGED : ORR_REASON_LIMIT;
    for (int64_t i = 0; i < out->vectors; i++) {
        double *u = out->vector + i * n;
        orr_vector_combine(orr_context_pool(ctx), m, n, k->basis, s + order[i] * m, u);
        orr_vector_scale(n, 1 / orr_vector_norm(n, u), u);
        if (!is_small(out->residual[i], o->tolerance, out->value[i], largest)) out->reason = ORR_REASON_LIMIT;
    }
    return ORR_OK;
}

static orr_status lanczos(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch, const orr_operator *a,
                          const orr_eigen_options *o, orr_eigenpairs *out) {
    double *start = ORR_NEW(scratch, double, a->n);
    if (!start) return orr_fail(ctx, ORR_ENOMEM, "Lanczos: no memory for a vector of %lld", (long long)a->n);
    orr_krylov k;
    ORR_TRY(ctx, orr_eigen_start(ctx, a, o, start));
    ORR_TRY(ctx, orr_krylov_run(ctx, scratch, a, start, o->steps, true, o->key, &k));
    out->products = k.products;
    if (k.finite) return ritz(ctx, out_arena, scratch, o, &k, a->n, out);
    out->reason = ORR_REASON_NONFINITE;
    return ORR_OK;
}

orr_status orr_eigen_lanczos(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch, const orr_operator *a,
                             const orr_eigen_options *options, orr_eigenpairs *out) {
    assert(scratch != out_arena && "scratch gets rewound");
    orr_eigen_options o;
    *out = (orr_eigenpairs){ .n = a->n };
    ORR_TRY(ctx, orr_eigen_defaults(ctx, a, options, &o));
    const orr_arena_mark mark = orr_arena_here(scratch);
    const orr_status status = lanczos(ctx, out_arena, scratch, a, &o, out);
    orr_arena_rewind(scratch, mark);
    return status;
}
