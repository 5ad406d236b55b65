#include "numeric/conjugate_gradient.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "numeric/vector.h"

typedef struct search {
    const orr_operator *a;
    const double *b, *diagonal;
    double *x, *r, *z, *p, *ap;
    double target; /* tolerance |b| */
    int64_t max_steps;
    orr_conjugate_gradient *out;
} search;

/* r = b - A x, and its length. */
static orr_status true_residual(orr_context *ctx, search *s) {
    ORR_TRY(ctx, s->a->apply(s->a->self, s->x, s->r));
    s->out->products++;
    for (int64_t i = 0; i < s->a->n; i++) s->r[i] = s->b[i] - s->r[i];
    s->out->residual = orr_vector_norm(s->a->n, s->r);
    return ORR_OK;
}

/* z = M^-1 r;  returns <r, z>. */
static double precondition(search *s) {
    for (int64_t i = 0; i < s->a->n; i++) s->z[i] = s->diagonal ? s->r[i] / s->diagonal[i] : s->r[i];
    return orr_vector_dot(s->a->n, s->r, s->z);
}

/* From the residual in r until the recurrence says done or something ends it:
 *     x += alpha p,  r -= alpha A p,  alpha = <r, z> / <p, A p>;   p = z + beta p,  beta = <r, z>_new / <r, z>_old */
static orr_status descend(orr_context *ctx, search *s) {
    const int64_t n = s->a->n;
    orr_conjugate_gradient *out = s->out;
    double rz = precondition(s);
    memcpy(s->p, s->z, (size_t)n * sizeof *s->p);
    out->reason = ORR_REASON_CONVERGED;
    while (out->history[out->steps] > s->target) {
        if (out->steps == s->max_steps) {
            out->reason = ORR_REASON_LIMIT;
            break;
        }
        ORR_TRY(ctx, s->a->apply(s->a->self, s->p, s->ap));
        out->products++;
        const double curvature = orr_vector_dot(n, s->p, s->ap);
        if (!isfinite(curvature) || !(curvature > 0)) {
            out->reason = isfinite(curvature) ? ORR_REASON_INDEFINITE : ORR_REASON_NONFINITE;
            break;
        }
        const double alpha = rz / curvature;
        orr_vector_axpy(n, alpha, s->p, s->x);
        orr_vector_axpy(n, -alpha, s->ap, s->r);
        out->history[++out->steps] = orr_vector_norm(n, s->r);
        const double rz_new = precondition(s), beta = rz_new / rz;
        for (int64_t i = 0; i < n; i++) s->p[i] = s->z[i] + beta * s->p[i];
        rz = rz_new;
    }
    return ORR_OK;
}

static orr_status iterate(orr_context *ctx, search *s) {
    orr_conjugate_gradient *out = s->out;
    ORR_TRY(ctx, true_residual(ctx, s));
    for (double last = 2 * out->residual;;) {
        out->history[out->steps] = out->residual;
        if (!isfinite(out->residual)) out->reason = ORR_REASON_NONFINITE;
        if (!isfinite(out->residual) || out->residual <= s->target) return ORR_OK;
        if (!(out->residual <= last / 2)) { /* a whole descent gave less than a factor of two: rounding rules */
            out->reason = ORR_REASON_STALLED;
            return ORR_OK;
        }
        last = out->residual;
        ORR_TRY(ctx, descend(ctx, s));
        const orr_reason reason = out->reason;
        if (reason != ORR_REASON_NONFINITE) ORR_TRY(ctx, true_residual(ctx, s));
        if (reason != ORR_REASON_CONVERGED) return ORR_OK;
    }
}

static orr_status check(orr_context *ctx, const orr_operator *a, const double *b, const double *diagonal,
                        const double *x) {
    if (a->n < 0) return orr_fail(ctx, ORR_EINPUT, "conjugate gradients: %lld rows", (long long)a->n);
    if (!orr_vector_is_finite(a->n, b) || !orr_vector_is_finite(a->n, x))
        return orr_fail(ctx, ORR_EINPUT, "conjugate gradients: the right side or the first guess is not finite");
    for (int64_t i = 0; diagonal && i < a->n; i++)
        if (!(diagonal[i] > 0) || !isfinite(diagonal[i]))
            return orr_fail(ctx, ORR_EINPUT,
                            "conjugate gradients: entry %lld of the preconditioner is %g, not positive", (long long)i,
                            diagonal[i]);
    return ORR_OK;
}

orr_status orr_solve_conjugate_gradient(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch,
                                        const orr_operator *a, const double *b,
                                        const orr_conjugate_gradient_options *options, double *x,
                                        orr_conjugate_gradient *out) {
    assert(scratch != out_arena && "scratch gets rewound");
    const orr_conjugate_gradient_options o = options ? *options : (orr_conjugate_gradient_options){ 0 };
    const int64_t n = a->n, fallback = n < 1000 ? 10 * n : 10000, max_steps = o.max_steps ? o.max_steps : fallback;
    *out = (orr_conjugate_gradient){ 0 };
    ORR_TRY(ctx, check(ctx, a, b, o.diagonal, x));
    out->history = ORR_NEW(out_arena, double, max_steps + 1);
    const orr_arena_mark mark = orr_arena_here(scratch);
    search s = { .a = a, .b = b, .diagonal = o.diagonal, .x = x, .max_steps = max_steps, .out = out };
    s.target = (o.tolerance > 0 ? o.tolerance : 1e-10) * orr_vector_norm(n, b);
    s.r = ORR_NEW(scratch, double, n);
    s.z = ORR_NEW(scratch, double, n);
    s.p = ORR_NEW(scratch, double, n);
    s.ap = ORR_NEW(scratch, double, n);
    const orr_status status =
        out->history && s.r && s.z && s.p && s.ap
            ? iterate(ctx, &s)
            : orr_fail(ctx, ORR_ENOMEM, "conjugate gradients: no memory for vectors of %lld", (long long)n);
    orr_arena_rewind(scratch, mark);
    return status;
}
