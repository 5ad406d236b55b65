/* ARPACK-NG, by reverse communication: it hands out a vector, we hand back A times it. */
#define _GNU_SOURCE /* a mutex that tells of a relock */
#include <arpack/arpack.h>
#include <assert.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "base/context.h"
#include "numeric/dense.h"
#include "numeric/eigen_private.h"
#include "numeric/vector.h"

/* ARPACK's routines hold their state between calls in SAVE variables: one solve at a time in the process.  The lock
 * guards that state, which is not ours to make local. */
static pthread_mutex_t one_solve = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;

enum { DENSE_BELOW = 32 }; /* n products and a dense solve cost less than restarts, and have no corner cases */

typedef struct arpack {
    a_int n, nev, ncv;
    a_int iparam[11], ipntr[11], lworkl;
    char which[3];
    double *v, *workd, *workl, *resid, *d;
    a_int *select;
    a_int info;
} arpack;

static const char *which_name(orr_which which) {
    static const char *const names[] = { "LA", "SA", "LM", "BE" };
    return names[which];
}

static orr_status arrays(orr_context *ctx, orr_arena *scratch, arpack *s) {
    const int64_t n = s->n, ncv = s->ncv;
    s->lworkl = (a_int)(ncv * (ncv + 8));
    s->v = orr_arena_take(scratch, ncv, (size_t)n * sizeof(double));
    s->workd = ORR_NEW(scratch, double, 3 * n);
    s->workl = ORR_NEW(scratch, double, s->lworkl);
    s->resid = ORR_NEW(scratch, double, n);
    s->d = ORR_NEW(scratch, double, s->nev);
    s->select = ORR_NEW(scratch, a_int, ncv);
    if (s->v && s->workd && s->workl && s->resid && s->d && s->select) return ORR_OK;
    return orr_fail(ctx, ORR_ENOMEM, "ARPACK: no memory for %lld vectors of %lld", (long long)ncv, (long long)n);
}

/* Runs dsaupd to its end.  out->reason is CONVERGED, STALLED, LIMIT or NONFINITE. */
static orr_status iterate(orr_context *ctx, const orr_operator *a, const orr_eigen_options *o, arpack *s,
                          orr_eigenpairs *out) {
    a_int ido = 0;
    for (;;) {
        dsaupd_c(&ido, "I", s->n, s->which, s->nev, o->tolerance, s->resid, s->ncv, s->v, s->n, s->iparam, s->ipntr,
                 s->workd, s->workl, s->lworkl, &s->info);
        if (ido == 99) break;
        if (ido != 1 && ido != -1) return orr_fail(ctx, ORR_EINTERNAL, "ARPACK: asked for %d", (int)ido);
        double *y = s->workd + s->ipntr[1] - 1;
        ORR_TRY(ctx, a->apply(a->self, s->workd + s->ipntr[0] - 1, y));
        out->products++;
        if (!orr_vector_is_finite(a->n, y)) {
            out->reason = ORR_REASON_NONFINITE;
            return ORR_OK;
        }
    }
    switch (s->info) {
    case 0: out->reason = ORR_REASON_CONVERGED; return ORR_OK;
    case 1: out->reason = ORR_REASON_LIMIT; return ORR_OK;
    case 3: out->reason = ORR_REASON_STALLED; return ORR_OK; /* no shifts could be applied */
    default: return orr_fail(ctx, ORR_ENUMERIC, "ARPACK: dsaupd ended with %d", (int)s->info);
    }
}

/* dseupd gives the pairs whose error bounds meet a tolerance, iparam[4] of them; infinitely lenient it gives the best
 * nev, which after a limit is what we want.  The vectors overwrite v. */
static orr_status extract(orr_context *ctx, arpack *s) {
    a_int info = 0;
    double tolerance = 0x1p1000;
    s->iparam[4] = s->nev;
    dseupd_c(1, "A", s->select, s->d, s->v, s->n, 0, "I", s->n, s->which, s->nev, tolerance, s->resid, s->ncv, s->v,
             s->n, s->iparam, s->ipntr, s->workd, s->workl, s->lworkl, &info);
    if (info == 0) return ORR_OK;
    return orr_fail(ctx, ORR_ENUMERIC, "ARPACK: dseupd ended with %d", (int)info);
}

/* Residuals as they are, one product each, and whether they agree with the claim that all converged. */
static orr_status measure(orr_context *ctx, orr_arena *scratch, const orr_operator *a, const orr_eigen_options *o,
                          orr_eigenpairs *out) {
    double *au = ORR_NEW(scratch, double, a->n), largest = 0;
    if (!au) return orr_fail(ctx, ORR_ENOMEM, "eigenpairs: no memory for a vector of %lld", (long long)a->n);
    for (int64_t i = 0; i < out->k; i++) largest = fmax(largest, fabs(out->value[i]));
    for (int64_t i = 0; i < out->k; i++) {
        const double *u = out->vector + i * a->n;
        ORR_TRY(ctx, a->apply(a->self, u, au));
        out->products++;
        orr_vector_axpy(a->n, -out->value[i], u, au);
        out->residual[i] = orr_vector_norm(a->n, au);
        if (!isfinite(out->residual[i])) {
            out->reason = ORR_REASON_NONFINITE;
            out->k = out->vectors = 0;
            return ORR_OK;
        }
        /* ten times the tolerance, or a few thousand roundings of the largest: beyond, the recurrence has lost touch */
        const double allowed = fmax(10 * o->tolerance * fabs(out->value[i]), 0x1p-40 * largest);
        if (out->reason == ORR_REASON_CONVERGED && out->residual[i] > allowed) out->reason = ORR_REASON_STALLED;
    }
    return ORR_OK;
}

static orr_status solve_arpack(orr_context *ctx, orr_arena *scratch, const orr_operator *a, const orr_eigen_options *o,
                               orr_eigenpairs *out) {
    const int64_t ncv = o->basis < a->n ? o->basis : a->n, restarts = (o->max_products - ncv) / (ncv - o->pairs);
    arpack s = { .n = (a_int)a->n, .nev = (a_int)o->pairs, .ncv = (a_int)ncv, .info = 1 /* resid is the start */ };
    s.iparam[0] = 1; /* exact shifts */
    s.iparam[2] = (a_int)(restarts < 1 ? 1 : restarts);
    s.iparam[6] = 1; /* A x = lambda x */
    memcpy(s.which, which_name(o->which), sizeof s.which);
    ORR_TRY(ctx, arrays(ctx, scratch, &s));
    ORR_TRY(ctx, orr_eigen_start(ctx, a, o, s.resid));
    ORR_TRY(ctx, iterate(ctx, a, o, &s, out));
    if (out->reason == ORR_REASON_NONFINITE) return ORR_OK;
    ORR_TRY(ctx, extract(ctx, &s));
    /* dseupd gives ascending values; ours go best first. */
    int64_t *order = ORR_NEW(scratch, int64_t, o->pairs);
    if (!order) return orr_fail(ctx, ORR_ENOMEM, "ARPACK: no memory to order %lld pairs", (long long)o->pairs);
    orr_eigen_order(o->which, o->pairs, s.d, o->pairs, order);
    out->k = out->vectors = o->pairs;
    for (int64_t i = 0; i < o->pairs; i++) {
        out->value[i] = s.d[order[i]];
        memcpy(out->vector + i * a->n, s.v + order[i] * a->n, (size_t)a->n * sizeof(double));
    }
    return measure(ctx, scratch, a, o, out);
}

/* The matrix itself, a product with each unit vector, then LAPACK. */
static orr_status solve_dense(orr_context *ctx, orr_arena *scratch, const orr_operator *a, const orr_eigen_options *o,
                              orr_eigenpairs *out) {
    const int64_t n = a->n;
    double *matrix = orr_arena_take(scratch, n, (size_t)n * sizeof(double)), *unit = ORR_NEW(scratch, double, n);
    int64_t *order = ORR_NEW(scratch, int64_t, n);
    if (!matrix || !unit || !order)
        return orr_fail(ctx, ORR_ENOMEM, "eigenpairs: no memory for %lld x %lld", (long long)n, (long long)n);
    for (int64_t i = 0; i < n; i++) {
        unit[i] = 1;
        ORR_TRY(ctx, a->apply(a->self, unit, matrix + i * n));
        unit[i] = 0;
        out->products++;
    }
    if (!orr_vector_is_finite(n * n, matrix)) {
        out->reason = ORR_REASON_NONFINITE;
        return ORR_OK;
    }
    orr_symmetric_eigen all;
    ORR_TRY(ctx, orr_eigen_symmetric(ctx, scratch, scratch, n, matrix, &all));
    orr_eigen_order(o->which, n, all.value, o->pairs, order);
    out->k = out->vectors = o->pairs;
    for (int64_t i = 0; i < o->pairs; i++) {
        out->value[i] = all.value[order[i]];
        memcpy(out->vector + i * n, all.vector + order[i] * n, (size_t)n * sizeof(double));
    }
    return measure(ctx, scratch, a, o, out);
}

static orr_status locked(orr_context *ctx, orr_arena *scratch, const orr_operator *a, const orr_eigen_options *o,
                         orr_eigenpairs *out) {
    if (pthread_mutex_lock(&one_solve) != 0)
        return orr_fail(ctx, ORR_EINPUT, "ARPACK: called from within the operator of another solve; use Lanczos there");
    const orr_status status = solve_arpack(ctx, scratch, a, o, out);
    pthread_mutex_unlock(&one_solve);
    return status;
}

orr_status orr_eigen_arpack(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch, const orr_operator *a,
                            const orr_eigen_options *options, orr_eigenpairs *out) {
    assert(scratch != out_arena && "scratch gets rewound");
    orr_eigen_options o;
    *out = (orr_eigenpairs){ .n = a->n };
    ORR_TRY(ctx, orr_eigen_defaults(ctx, a, options, &o));
    if (a->n > INT_MAX / 3 || o.basis > 30000)
        return orr_fail(ctx, ORR_EINPUT, "ARPACK: %lld rows, basis of %lld: its integers have 32 bits", (long long)a->n,
                        (long long)o.basis);
    out->value = ORR_NEW(out_arena, double, o.pairs);
    out->residual = ORR_NEW(out_arena, double, o.pairs);
    out->vector = orr_arena_take(out_arena, o.pairs, (size_t)a->n * sizeof(double));
    if (!out->value || !out->residual || !out->vector)
        return orr_fail(ctx, ORR_ENOMEM, "eigenpairs: no memory for %lld vectors of %lld", (long long)o.pairs,
                        (long long)a->n);
    const orr_arena_mark mark = orr_arena_here(scratch);
    const bool small = a->n <= DENSE_BELOW || o.pairs + 1 >= a->n;
    const orr_status status = (small ? solve_dense : locked)(ctx, scratch, a, &o, out);
    orr_arena_rewind(scratch, mark);
    return status;
}
