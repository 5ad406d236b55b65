#include "numeric/minimise.h"

#include <lbfgs.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "numeric/vector.h"

enum { BLOCK = 16 }; /* libLBFGS with SSE wants vectors of whole blocks */

typedef struct search {
    const orr_objective *objective;
    orr_minimised *out;
    orr_status status; /* the first trouble of evaluate */
    bool give_up;
} search;

/* To leave early, libLBFGS is told of a flat bottom: its line search accepts that, and `progress` then cancels. */
static lbfgsfloatval_t give_up(search *s, lbfgsfloatval_t *gradient, int n) {
    s->give_up = true;
    memset(gradient, 0, (size_t)n * sizeof *gradient);
    return -HUGE_VAL;
}

static lbfgsfloatval_t evaluate(void *instance, const lbfgsfloatval_t *x, lbfgsfloatval_t *gradient, const int n,
                                const lbfgsfloatval_t step) {
    (void)step;
    search *s = instance;
    double f = 0;
    if (s->give_up) return give_up(s, gradient, n);
    s->status = s->objective->evaluate(s->objective->self, x, &f, gradient);
    if (s->status != ORR_OK) return give_up(s, gradient, n);
    const bool finite = isfinite(f) && orr_vector_is_finite(s->objective->n, gradient);
    if (s->out->evaluations++ == 0 && !finite) {
        s->out->reason = ORR_REASON_NONFINITE;
        return give_up(s, gradient, n);
    }
    if (finite) return f;
    memset(gradient, 0, (size_t)n * sizeof *gradient); /* not read: +inf fails the first condition */
    return HUGE_VAL;
}

static int progress(void *instance, const lbfgsfloatval_t *x, const lbfgsfloatval_t *g, const lbfgsfloatval_t fx,
                    const lbfgsfloatval_t xnorm, const lbfgsfloatval_t gnorm, const lbfgsfloatval_t step, int n, int k,
                    int ls) {
    (void)x, (void)g, (void)fx, (void)xnorm, (void)gnorm, (void)step, (void)n, (void)ls;
    search *s = instance;
    if (!s->give_up) s->out->steps = k;
    return s->give_up;
}

static orr_status reason_of(orr_context *ctx, int code, orr_reason *reason) {
    switch (code) {
    case LBFGS_SUCCESS:
    case LBFGS_ALREADY_MINIMIZED: *reason = ORR_REASON_CONVERGED; return ORR_OK;
    case LBFGSERR_MAXIMUMITERATION: *reason = ORR_REASON_LIMIT; return ORR_OK;
    case LBFGSERR_ROUNDING_ERROR:
    case LBFGSERR_MINIMUMSTEP:
    case LBFGSERR_MAXIMUMSTEP:
    case LBFGSERR_MAXIMUMLINESEARCH:
    case LBFGSERR_WIDTHTOOSMALL:
    case LBFGSERR_INCREASEGRADIENT:
    case LBFGSERR_INCORRECT_TMINMAX:
    case LBFGSERR_OUTOFINTERVAL:
    case LBFGSERR_LOGICERROR: *reason = ORR_REASON_STALLED; return ORR_OK;
    case LBFGSERR_OUTOFMEMORY: return orr_fail(ctx, ORR_ENOMEM, "L-BFGS: no memory for its vectors");
    default: return orr_fail(ctx, ORR_EINTERNAL, "L-BFGS: libLBFGS ended with %d", code);
    }
}

static orr_status run(orr_context *ctx, const orr_objective *objective, const orr_minimise_options *o, double *padded,
                      double *gradient, int padded_n, orr_minimised *out) {
    lbfgs_parameter_t p;
    lbfgs_parameter_init(&p);
    p.m = o->memory ? (int)o->memory : 10;
    p.epsilon = o->tolerance > 0 ? o->tolerance : 1e-8;
    p.max_iterations = o->max_steps ? (int)o->max_steps : 10000;
    p.linesearch = LBFGS_LINESEARCH_BACKTRACKING_WOLFE;
    p.max_linesearch = 60;
    search s = { .objective = objective, .out = out };
    const int code = lbfgs(padded_n, padded, NULL, evaluate, progress, &s, &p);
    if (s.status != ORR_OK) return s.status;
    if (out->reason == ORR_REASON_NONFINITE) return ORR_OK;
    ORR_TRY(ctx, reason_of(ctx, code, &out->reason));
    ORR_TRY(ctx, objective->evaluate(objective->self, padded, &out->f, gradient));
    out->evaluations++;
    out->gradient_norm = orr_vector_norm(objective->n, gradient);
    return ORR_OK;
}

orr_status orr_minimise_lbfgs(orr_context *ctx, orr_arena *scratch, const orr_objective *objective,
                              const orr_minimise_options *options, double *x, orr_minimised *out) {
    const orr_minimise_options o = options ? *options : (orr_minimise_options){ 0 };
    const int64_t n = objective->n, padded_n = (n + BLOCK - 1) / BLOCK * BLOCK;
    *out = (orr_minimised){ .f = (double)NAN, .gradient_norm = (double)NAN };
    if (n < 1 || padded_n > INT_MAX) return orr_fail(ctx, ORR_EINPUT, "L-BFGS: %lld variables", (long long)n);
    if (o.max_steps < 0 || o.max_steps > INT_MAX || o.memory < 0 || o.memory > 10000)
        return orr_fail(ctx, ORR_EINPUT, "L-BFGS: %lld steps, memory of %lld", (long long)o.max_steps,
                        (long long)o.memory);
    if (!orr_vector_is_finite(n, x)) return orr_fail(ctx, ORR_EINPUT, "L-BFGS: the first guess is not finite");
    const orr_arena_mark mark = orr_arena_here(scratch);
    double *padded = ORR_NEW(scratch, double, padded_n), *gradient = ORR_NEW(scratch, double, padded_n);
    orr_status status;
    if (!padded || !gradient)
        status = orr_fail(ctx, ORR_ENOMEM, "L-BFGS: no memory for two vectors of %lld", (long long)n);
    else {
        memcpy(padded, x, (size_t)n * sizeof *x);
        status = run(ctx, objective, &o, padded, gradient, (int)padded_n, out);
        memcpy(x, padded, (size_t)n * sizeof *x);
    }
    orr_arena_rewind(scratch, mark);
    return status;
}
