#include "numeric/complementarity.h"

#include <math.h>
#include <string.h>

#include "base/context.h"
#include "numeric/dense.h"
#include "numeric/vector.h"

static const double standing_still = 1e-14, certain = 1e-9;
enum { ITERATIONS_MAX = 5000 };

typedef struct problem {
    orr_context *ctx;
    orr_arena *scratch, *pairs;
    int64_t k, n; /* n = k^2 */
    double *b;    /* symmetrised */
    const double *z0;
    double s; /* lambda_max(B) */
} problem;

static double distance(int64_t n, const double *a, const double *b) {
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sqrt(sum);
}

/* a <- the nearest positive semidefinite matrix.  *lowest: the smallest eigenvalue that a had. */
static orr_status clip(const problem *p, double *a, double *lowest) {
    const orr_arena_mark mark = orr_arena_here(p->pairs);
    const int64_t k = p->k;
    orr_symmetric_eigen e;
    const orr_status status = orr_eigen_symmetric(p->ctx, p->pairs, p->scratch, k, a, &e);
    if (status == ORR_OK) {
        *lowest = e.value[0];
        memset(a, 0, (size_t)p->n * sizeof *a);
        for (int64_t i = 0; i < k; i++)
            for (int64_t r = 0; r < k && e.value[i] > 0.0; r++)
                orr_vector_axpy(k, e.value[i] * e.vector[i * k + r], e.vector + i * k, a + r * k);
    }
    orr_arena_rewind(p->pairs, mark);
    return status;
}

/* z = Z0 + B[y] */
static void slack(const problem *p, const double *y, double *z) {
    for (int64_t i = 0; i < p->n; i++) z[i] = p->z0[i] + orr_vector_dot(p->n, p->b + i * p->n, y);
}

/* xn = clip(y - (Z0 + B[y])/s) */
static orr_status project(const problem *p, const double *y, double *z, double *xn) {
    double lowest;
    slack(p, y, z);
    for (int64_t i = 0; i < p->n; i++) xn[i] = y[i] - z[i] / p->s;
    return clip(p, xn, &lowest);
}

/* x[n] is 0 at the start; y, xn, z: n numbers each. */
static orr_status iterate(const problem *p, double *x, double *y, double *xn, double *z, int64_t *iterations) {
    double tau = 1.0;
    for (*iterations = 0; *iterations < ITERATIONS_MAX;) {
        double turn = 0.0;
        ORR_TRY(p->ctx, project(p, y, z, xn));
        ++*iterations;
        const double moved = distance(p->n, xn, x), size = orr_vector_norm(p->n, x);
        for (int64_t i = 0; i < p->n; i++) turn += (y[i] - xn[i]) * (xn[i] - x[i]);
        if (turn > 0.0) tau = 1.0; /* the momentum points uphill */
        const double next = (1.0 + sqrt(1.0 + 4.0 * tau * tau)) / 2.0;
        for (int64_t i = 0; i < p->n; i++) y[i] = xn[i] + (tau - 1.0) / next * (xn[i] - x[i]);
        memcpy(x, xn, (size_t)p->n * sizeof *x);
        tau = next;
        if (moved <= standing_still * fmax(size, 1e-300)) break;
    }
    return ORR_OK;
}

/* s = lambda_max of B, which gets symmetric to the bit. */
static orr_status largest(problem *p, const double *b) {
    const orr_arena_mark mark = orr_arena_here(p->pairs);
    orr_symmetric_eigen e;
    for (int64_t i = 0; i < p->n; i++)
        for (int64_t j = 0; j < p->n; j++) p->b[i * p->n + j] = (b[i * p->n + j] + b[j * p->n + i]) / 2.0;
    const orr_status status = orr_eigen_symmetric_range(p->ctx, p->pairs, p->scratch, p->n, p->b, p->n - 1, 1, &e);
    if (status == ORR_OK) p->s = e.value[0];
    orr_arena_rewind(p->pairs, mark);
    return status;
}

/* The certificate of x, and its slack z.  work: n numbers. */
static orr_status certify(const problem *p, const double *x, double *z, double *work, orr_complementarity *out) {
    const double scale = orr_vector_norm(p->n, p->z0), size = orr_vector_norm(p->n, x);
    ORR_TRY(p->ctx, project(p, x, z, work));
    out->certificate = p->s * distance(p->n, x, work) / scale;
    memcpy(work, z, (size_t)p->n * sizeof *work);
    ORR_TRY(p->ctx, clip(p, work, &out->lowest));
    out->lowest /= scale;
    out->product = size > 0.0 ? orr_vector_dot(p->n, x, z) / (size * scale) : 0.0;
    if (out->certificate < certain) return ORR_OK;
    return orr_fail(p->ctx, ORR_ENUMERIC,
                    "complementarity: certificate %.3g after %lld iterations, limit %.3g: no solution where B vanishes "
                    "on a direction in which Z0 is negative",
                    out->certificate, (long long)out->iterations, certain);
}

static orr_status solve(problem *p, const double *b, double *x, double *z, orr_complementarity *out) {
    double *y = ORR_NEW(p->scratch, double, p->n), *xn = ORR_NEW(p->scratch, double, p->n);
    p->b = ORR_NEW(p->scratch, double, p->n * p->n);
    if (!y || !xn || !p->b)
        return orr_fail(p->ctx, ORR_ENOMEM, "complementarity: no memory for k = %lld", (long long)p->k);
    memset(x, 0, (size_t)p->n * sizeof *x);
    memcpy(z, p->z0, (size_t)p->n * sizeof *z);
    memcpy(xn, p->z0, (size_t)p->n * sizeof *xn);
    ORR_TRY(p->ctx, clip(p, xn, &out->lowest));
    if (out->lowest >= 0.0) { /* X = 0 */
        const double scale = orr_vector_norm(p->n, p->z0);
        if (scale > 0.0) out->lowest /= scale;
        return ORR_OK;
    }
    ORR_TRY(p->ctx, largest(p, b));
    if (!(p->s > 0.0))
        return orr_fail(p->ctx, ORR_ENUMERIC, "complementarity: B vanishes and Z0 is negative: no solution");
    ORR_TRY(p->ctx, iterate(p, x, y, xn, z, &out->iterations));
    return certify(p, x, z, y, out);
}

orr_status orr_complementarity_solve(orr_context *ctx, orr_arena *scratch, int64_t k, const double *b, const double *z0,
                                     double *x, double *z, orr_complementarity *out) {
    problem p = { .ctx = ctx, .scratch = scratch, .k = k, .n = k * k, .z0 = z0 };
    const orr_arena_mark mark = orr_arena_here(scratch);
    *out = (orr_complementarity){ 0 };
    if (k == 0) return ORR_OK;
    ORR_TRY(ctx, orr_arena_new(ctx, &p.pairs));
    const orr_status status = solve(&p, b, x, z, out);
    orr_arena_free(p.pairs);
    orr_arena_rewind(scratch, mark);
    return status;
}
