/* Sharpness: the algebraically largest eigenvalues of the Hessian H of the loss over all examples, without forming H.
 *
 *     H v = d/de grad L(w + e v)      (jvp of the gradient, exact)
 *
 * Preconditioned, for rules that divide by P:  P^-1/2 H P^-1/2, P on both sides, so that it stays symmetric.
 *
 * Method: Lanczos with full re-orthogonalisation, `first_steps` steps from a random vector at the first measurement, then
 * `steps` steps from the last leading Ritz vector.  At the edge of stability 3 to 10 eigenvalues crowd below the ceiling,
 * where power iteration stalls.
 * Cost: `steps` Hessian products a measurement, `steps` + 4 vectors of doubles.
 * Records: sharpness, or sharpness_preconditioned, and for the i-th of `top` (from 2) the same with _i at the end; each of
 * them again with _residual: r = |A u - value u|, and an eigenvalue lies within r of the value.  With `vectors`, the array of
 * the same name, [top, n].
 *
 * With a `threshold`, also sharpness_above (or sharpness_preconditioned_above): how many eigenvalues lie above it, at least.
 * Counted are all Ritz values with  value - r > threshold.  The Ritz values are the eigenvalues of V'AV for an orthonormal V,
 * so the i-th of them is at most the i-th eigenvalue (Cauchy's interlacing): those above the threshold stand for as many
 * eigenvalues above it, also where they crowd and their intervals overlap.  To take r away, which that doesn't need, leaves
 * room for rounding: r is that of the recurrence, and products are those of the network's precision, so the bound is that of
 * the operator as it is computed.  sharpness_above_most, at most, is recorded only where it can be had: where as many steps
 * are made as there are parameters, V is square and Ritz values are all the eigenvalues: those with value + r > threshold. */
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "instrument/hessian.h"
#include "numeric/eigen.h"

static const orr_parameter parameters[] = {
    ORR_INSTRUMENT_SCHEDULE("50"),
    { "top", ORR_INT, .fallback = "1", .range = "[1, 16]", .help = "how many eigenvalues" },
    { "preconditioned", ORR_FLAG, .fallback = "false", .help = "of P^-1/2 H P^-1/2 in place of H" },
    { "first_steps", ORR_INT, .fallback = "40", .range = "[1, 1000]",
      .help = "Lanczos steps at the first measurement" },
    { "steps", ORR_INT, .fallback = "16", .range = "[1, 1000]", .help = "Lanczos steps at the later ones" },
    { "vectors", ORR_FLAG, .fallback = "false", .help = "record the eigenvectors too" },
    { "threshold", ORR_REAL, .fallback = "0", .range = "[0, inf)",
      .help = "count the eigenvalues that are certainly above it; 0: off" },
    { 0 },
};

enum { NAME_MAX_BYTES = 48 };

typedef struct state {
    orr_context *ctx;
    orr_hessian *hessian;
    orr_arena *scratch, *results;
    int64_t n, top, first_steps, steps;
    double threshold;
    bool preconditioned, vectors;
} state;

static void close_sharpness(void *self) {
    state *s = self;
    if (!s) return;
    orr_arena_free(s->results);
    orr_arena_free(s->scratch);
    orr_hessian_close(s->hessian);
    orr_release(s->ctx, s);
}

static orr_status prepare(state *s, const orr_subject *subject) {
    ORR_TRY(s->ctx, orr_arena_new(s->ctx, &s->scratch));
    ORR_TRY(s->ctx, orr_arena_new(s->ctx, &s->results));
    return orr_hessian_open(s->ctx, subject, s->preconditioned, &s->hessian);
}

static orr_status open_sharpness(orr_context *ctx, const orr_settings *settings, const orr_subject *subject,
                                 void **out) {
    state *s = orr_allocate(ctx, sizeof *s);
    *out = NULL;
    if (!s) return orr_fail(ctx, ORR_ENOMEM, "sharpness: no memory for the instrument");
    *s = (state){
        .ctx = ctx,
        .n = subject->n,
        .top = orr_int(settings, "top"),
        .first_steps = orr_int(settings, "first_steps"),
        .steps = orr_int(settings, "steps"),
        .threshold = orr_real(settings, "threshold"),
        .preconditioned = orr_flag(settings, "preconditioned"),
        .vectors = orr_flag(settings, "vectors"),
    };
    if (s->top > s->n) s->top = s->n;
    const orr_status status = prepare(s, subject);
    if (status == ORR_OK) *out = s;
    else close_sharpness(s);
    return status;
}

/* Ritz values above the threshold by more than `sign` residuals; NaN where the network is none. */
static double count_above(const state *s, const orr_eigenpairs *pairs, double sign) {
    double count = pairs->k ? 0.0 : (double)NAN;
    for (int64_t i = 0; i < pairs->k; i++) count += pairs->value[i] - sign * pairs->residual[i] > s->threshold;
    return count;
}

static orr_status record_count(state *s, const char *base, int64_t step, const orr_eigenpairs *pairs,
                               const orr_sink *sink) {
    char name[NAME_MAX_BYTES];
    (void)snprintf(name, sizeof name, "%s_above", base);
    ORR_TRY(s->ctx, sink->record(sink->self, name, step, count_above(s, pairs, 1.0)));
    if (pairs->k < s->n) return ORR_OK;
    (void)snprintf(name, sizeof name, "%s_above_most", base);
    return sink->record(sink->self, name, step, count_above(s, pairs, -1.0));
}

static orr_status record(state *s, int64_t step, const orr_eigenpairs *pairs, const orr_sink *sink) {
    const char *base = s->preconditioned ? "sharpness_preconditioned" : "sharpness";
    char name[NAME_MAX_BYTES];
    for (int64_t i = 0; i < s->top; i++) {
        const int n = snprintf(name, sizeof name, i ? "%s_%lld" : "%s", base, (long long)i + 1);
        ORR_TRY(s->ctx, sink->record(sink->self, name, step, i < pairs->k ? pairs->value[i] : (double)NAN));
        (void)snprintf(name + n, sizeof name - (size_t)n, "_residual");
        ORR_TRY(s->ctx, sink->record(sink->self, name, step, i < pairs->k ? pairs->residual[i] : (double)NAN));
    }
    if (s->threshold > 0.0) ORR_TRY(s->ctx, record_count(s, base, step, pairs, sink));
    if (s->vectors && pairs->vectors > 0)
        ORR_TRY(s->ctx,
                sink->record_array(sink->self, base, step, ORR_F64, &ORR_SHAPE(pairs->vectors, s->n), pairs->vector));
    return ORR_OK;
}

/* Remembered between measurements: the last leading Ritz vector [n], behind a flag that there is one. */
static size_t memory_of(const orr_settings *settings, const orr_subject *subject) {
    (void)settings;
    return (size_t)(subject->n + 1) * sizeof(double);
}

static orr_status measure(void *self, int64_t step, uint64_t seed, void *memory, const orr_sink *sink) {
    state *s = self;
    double *started = memory, *ritz = started + 1;
    const orr_arena_mark mark = orr_arena_here(s->results);
    const orr_operator hessian = orr_hessian_operator(s->hessian);
    const orr_eigen_options options = { .pairs = s->top,
                                        .steps = *started > 0.0 ? s->steps : s->first_steps,
                                        .start = *started > 0.0 ? ritz : NULL,
                                        .key = { .seed = seed } };
    orr_eigenpairs pairs;
    orr_status status = orr_eigen_lanczos(s->ctx, s->results, s->scratch, &hessian, &options, &pairs);
    if (status == ORR_OK) status = record(s, step, &pairs, sink);
    if (status == ORR_OK && pairs.vectors > 0) {
        memcpy(ritz, pairs.vector, (size_t)s->n * sizeof *ritz);
        *started = 1.0;
    }
    orr_arena_rewind(s->results, mark);
    return status;
}

/* A Hessian product is about four forward passes. */
static double cost_of(const orr_settings *settings, const orr_subject *subject) {
    (void)subject;
    return 4.0 * (double)orr_int(settings, "steps");
}

const orr_instrument orr_instrument_sharpness = {
    .kind = { "sharpness", "largest eigenvalues of the Hessian of the loss", parameters },
    .cost = cost_of,
    .memory = memory_of,
    .open = open_sharpness,
    .measure = measure,
    .close = close_sharpness,
};
