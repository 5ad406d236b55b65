#include "numeric/trace.h"

#include <math.h>
#include <string.h>

#include "base/context.h"
#include "numeric/vector.h"

typedef struct trace {
    const orr_operator *a;
    orr_key key;
    int64_t n, budget;
    int64_t next; /* probes drawn */
    double *sign, *product;
    double *range; /* products of the pilot, later an orthonormal basis of them; k rows */
    double *c, *partial;
    int64_t k;
    double sum, sum_of_squares; /* of samples minus the first one, `shift` */
    double shift;
    int64_t samples;
    bool finite;
    orr_trace_estimate *out;
} trace;

static orr_status multiply(orr_context *ctx, trace *t, const double *v, double *out) {
    ORR_TRY(ctx, t->a->apply(t->a->self, v, out));
    t->out->products++;
    if (!orr_vector_is_finite(t->n, out)) t->finite = false;
    return ORR_OK;
}

static void draw(trace *t) {
    orr_random_fill_sign(t->key, (uint64_t)(t->next * t->n), t->n, t->sign);
    t->next++;
}

static void sample(trace *t, double x) {
    if (t->samples++ == 0) t->shift = x;
    t->sum += x - t->shift;
    t->sum_of_squares += (x - t->shift) * (x - t->shift);
}

/* Of one sample. */
static double variance(const trace *t) {
    const double m = (double)t->samples, mean = t->sum / m;
    return fmax(t->sum_of_squares - m * mean * mean, 0) / (m - 1);
}

/* base + the mean of the samples, and its standard error. */
static void conclude(trace *t, double base) {
    const double m = (double)t->samples;
    t->out->value = base + t->shift + t->sum / m;
    t->out->standard_error = sqrt(variance(t) / m);
}

/* Hutchinson with what is left of the budget. */
static orr_status finish_hutchinson(orr_context *ctx, trace *t) {
    t->out->method = ORR_TRACE_HUTCHINSON;
    while (t->out->products < t->budget && t->finite) {
        draw(t);
        ORR_TRY(ctx, multiply(ctx, t, t->sign, t->product));
        sample(t, orr_vector_dot(t->n, t->sign, t->product));
    }
    conclude(t, 0);
    return ORR_OK;
}

/* k products with sign vectors into the rows of range; each is a sample of Hutchinson's as well. */
static orr_status pilot(orr_context *ctx, trace *t, int64_t k) {
    for (t->k = 0; t->k < k && t->finite; t->k++) {
        double *row = t->range + t->k * t->n;
        draw(t);
        ORR_TRY(ctx, multiply(ctx, t, t->sign, row));
        sample(t, orr_vector_dot(t->n, t->sign, row));
    }
    return ORR_OK;
}

/* Whether Hutch++ wins: 6 R < V (trace.h).  For signs s, E |A s|^2 = |A|_F^2, and likewise inside or outside a subspace
 * that doesn't depend on s: the first half of the pilot's products span it, the second half are the s.  Makes the first
 * half orthonormal, which changes no span. */
static bool hutchpp_wins(orr_pool *pool, trace *t) {
    const int64_t half = t->k / 2;
    const int64_t rank = orr_vector_orthonormalise(pool, half, t->n, t->range, t->c, t->partial);
    double inside = 0, outside = 0;
    for (int64_t i = half; i < t->k; i++) {
        memcpy(t->product, t->range + i * t->n, (size_t)t->n * sizeof(double));
        orr_vector_project_out(pool, rank, t->n, t->range, t->product, t->c, t->partial);
        inside += orr_vector_dot(rank, t->c, t->c);
        outside += orr_vector_dot(t->n, t->product, t->product);
    }
    t->out->captured = inside + outside > 0 ? inside / (inside + outside) : 0;
    const double r = outside / (double)(t->k - half), v = variance(t);
    /* Rows that were dropped leave room, not holes: the second half moves up. */
    memmove(t->range + rank * t->n, t->range + half * t->n, (size_t)((t->k - half) * t->n) * sizeof(double));
    t->k -= half - rank;
    return 6 * r < v;
}

/* tr A = tr Q'AQ + tr (1 - QQ') A (1 - QQ'). */
static orr_status finish_hutchpp(orr_context *ctx, trace *t) {
    orr_pool *pool = orr_context_pool(ctx);
    t->out->method = ORR_TRACE_HUTCHPP;
    t->k = orr_vector_orthonormalise(pool, t->k, t->n, t->range, t->c, t->partial);
    double inside = 0;
    for (int64_t i = 0; i < t->k && t->finite; i++) {
        ORR_TRY(ctx, multiply(ctx, t, t->range + i * t->n, t->product));
        inside += orr_vector_dot(t->n, t->range + i * t->n, t->product);
    }
    t->sum = t->sum_of_squares = 0;
    t->samples = 0;
    while (t->out->products < t->budget && t->finite) {
        draw(t);
        orr_vector_project_out(pool, t->k, t->n, t->range, t->sign, t->c, t->partial);
        ORR_TRY(ctx, multiply(ctx, t, t->sign, t->product));
        sample(t, orr_vector_dot(t->n, t->sign, t->product)); /* (1 - QQ') on one side is enough: it is in s already */
    }
    conclude(t, inside);
    return ORR_OK;
}

static orr_status exact(orr_context *ctx, trace *t) {
    t->out->method = ORR_TRACE_EXACT;
    memset(t->sign, 0, (size_t)t->n * sizeof(double));
    for (int64_t i = 0; i < t->n && t->finite; i++) {
        t->sign[i] = 1;
        ORR_TRY(ctx, multiply(ctx, t, t->sign, t->product));
        t->sign[i] = 0;
        t->out->value += t->product[i];
    }
    return ORR_OK;
}

static orr_status run(orr_context *ctx, orr_arena *scratch, orr_trace_method method, trace *t) {
    const int64_t k = method == ORR_TRACE_HUTCHPP || method == ORR_TRACE_AUTO ? t->budget / 6 * 2 : 0;
    t->sign = ORR_NEW(scratch, double, t->n);
    t->product = ORR_NEW(scratch, double, t->n);
    t->range = orr_arena_take(scratch, k, (size_t)t->n * sizeof(double));
    t->c = ORR_NEW(scratch, double, k);
    t->partial = ORR_NEW(scratch, double, orr_vector_project_scratch(k, t->n));
    if (!t->sign || !t->product || !t->range || !t->c || !t->partial)
        return orr_fail(ctx, ORR_ENOMEM, "trace: no memory for %lld vectors of %lld", (long long)(k + 3),
                        (long long)t->n);
    if (method == ORR_TRACE_EXACT) return exact(ctx, t);
    ORR_TRY(ctx, pilot(ctx, t, k));
    if (!t->finite) return ORR_OK;
    if (method == ORR_TRACE_AUTO && k > 0) {
        if (hutchpp_wins(orr_context_pool(ctx), t)) method = ORR_TRACE_HUTCHPP;
    }
    return method == ORR_TRACE_HUTCHPP ? finish_hutchpp(ctx, t) : finish_hutchinson(ctx, t);
}

orr_status orr_trace(orr_context *ctx, orr_arena *scratch, const orr_operator *a, const orr_trace_options *options,
                     orr_trace_estimate *out) {
    const orr_trace_options o = options ? *options : (orr_trace_options){ 0 };
    trace t = { .a = a, .key = o.key, .n = a->n, .budget = o.products ? o.products : 60, .finite = true, .out = out };
    if (!t.key.purpose) t.key.purpose = ORR_PURPOSE_PROBE;
    *out = (orr_trace_estimate){ 0 };
    if (a->n < 1) return orr_fail(ctx, ORR_EINPUT, "trace: the operator has %lld rows", (long long)a->n);
    const orr_trace_method method = a->n <= t.budget ? ORR_TRACE_EXACT : o.method;
    const int64_t least = method == ORR_TRACE_HUTCHPP ? 6 : 2;
    if (method != ORR_TRACE_EXACT && t.budget < least)
        return orr_fail(ctx, ORR_EINPUT, "trace: %lld products, this method needs %lld for an error bar",
                        (long long)t.budget, (long long)least);
    const orr_arena_mark mark = orr_arena_here(scratch);
    const orr_status status = run(ctx, scratch, method, &t);
    orr_arena_rewind(scratch, mark);
    if (t.finite && isfinite(out->value)) return status;
    out->value = out->standard_error = (double)NAN;
    out->reason = ORR_REASON_NONFINITE;
    return status;
}
