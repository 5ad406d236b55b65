/* Norms of parameters, how far they moved, and the norm of the gradient; over all trained tensors, and with `each` tensor by tensor.
 *
 *     norm, norm.NAME     |w|
 *     gradient_norm       |grad L(w)|, of the loss over all training examples
 *     update_size         |w - w'|, w' the parameters at the last measurement, or w_0; not after 0 updates
 *     distance            |w - w_0|, w_0 the initial parameters */
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "base/parallel.h"
#include "instrument/instrument.h"
#include "simd/simd.h"

static const orr_parameter parameters[] = {
    ORR_INSTRUMENT_SCHEDULE("10"),
    { "each", ORR_FLAG, .fallback = "false", .help = "the norm of each tensor too" },
    { 0 },
};

typedef struct state {
    orr_context *ctx;
    orr_arena *arena;
    orr_subject own; /* a copy: it lives as long as this */
    bool each;
    int64_t *chunk; /* [tensors + 1] the first of each tensor; the last one is their number */
    double *sum;    /* [chunks, SUMS] */
} state;

/* ---- sums over a tensor ------------------------------------------------------------------------------------------------- */

enum { CHUNK = 8192, SUMS = ORR_SIMD_SQUARES };

/* All tensors in chunks: what `last` holds is w' before, w after.  Sums of chunks are added in their order, so the number of threads is
 * of no consequence. */
typedef struct pass {
    const state *s;
    const char *first; /* w_0, tensor by tensor */
    char *last;
} pass;

static void pass_chunk(void *self, int64_t chunk, int worker) {
    const pass *p = self;
    const orr_subject *own = &p->s->own;
    int64_t t = 0, before = 0; /* elements of the tensors before */
    (void)worker;
    for (; chunk >= p->s->chunk[t + 1]; t++) before += orr_shape_count(&own->shape[t]);
    const int64_t at = (chunk - p->s->chunk[t]) * CHUNK, left = orr_shape_count(&own->shape[t]) - at,
                  n = left < CHUNK ? left : CHUNK, size = (int64_t)orr_dtype_size(own->dtype);
    const void *w = (const char *)own->parameter[t] + at * size, *first = p->first + (before + at) * size;
    void *last = p->last + (before + at) * size;
    double *sum = p->s->sum + SUMS * chunk;
    if (own->dtype == ORR_F32) orr_simd()->squares_f32(n, w, first, last, sum);
    else orr_simd()->squares_f64(n, w, first, last, sum);
}

/* ---- measuring ------------------------------------------------------------------------------------------------------------ */

static int64_t chunks_of(int64_t n) { return (n + CHUNK - 1) / CHUNK; }

static void close_norms(void *self) {
    state *s = self;
    if (!s) return;
    orr_arena_free(s->arena);
    orr_release(s->ctx, s);
}

static orr_status prepare(state *s) {
    ORR_TRY(s->ctx, orr_arena_new(s->ctx, &s->arena));
    s->chunk = ORR_NEW(s->arena, int64_t, s->own.n_tensors + 1);
    if (!s->chunk) return orr_fail(s->ctx, ORR_ENOMEM, "norms: out of memory");
    for (int64_t t = 0; t < s->own.n_tensors; t++)
        s->chunk[t + 1] = s->chunk[t] + chunks_of(orr_shape_count(&s->own.shape[t]));
    s->sum = ORR_NEW(s->arena, double, SUMS * s->chunk[s->own.n_tensors]);
    return s->sum ? ORR_OK : orr_fail(s->ctx, ORR_ENOMEM, "norms: out of memory");
}

static orr_status open_norms(orr_context *ctx, const orr_settings *settings, const orr_subject *subject, void **out) {
    state *s = orr_allocate(ctx, sizeof *s);
    *out = NULL;
    if (!s) return orr_fail(ctx, ORR_ENOMEM, "norms: out of memory");
    *s = (state){ .ctx = ctx, .own = *subject, .each = orr_flag(settings, "each") };
    const orr_status status = prepare(s);
    if (status == ORR_OK) *out = s;
    else close_norms(s);
    return status;
}

/* Remembered: w_0 [n] and w' [n], tensor by tensor, behind a flag that there are some. */
static size_t memory_of(const orr_settings *settings, const orr_subject *subject) {
    (void)settings;
    return sizeof(double) + 2 * (size_t)subject->n * orr_dtype_size(subject->dtype);
}

static orr_status measure(void *self, int64_t step, uint64_t seed, void *memory, const orr_sink *sink) {
    state *s = self;
    const size_t one = orr_dtype_size(s->own.dtype), all = (size_t)s->own.n * one;
    double *started = memory, square[SUMS] = { 0.0 };
    char *first = (char *)(started + 1), *last = first + all;
    (void)seed;
    for (int64_t t = 0; t < s->own.n_tensors && *started == 0.0; t++) {
        const size_t bytes = (size_t)orr_shape_count(&s->own.shape[t]) * one;
        memcpy(first, s->own.parameter[t], bytes);
        memcpy(last, s->own.parameter[t], bytes);
        first += bytes, last += bytes;
    }
    pass p = { s, (char *)(started + 1), (char *)(started + 1) + all };
    orr_parallel(orr_context_pool(s->ctx), s->chunk[s->own.n_tensors], pass_chunk, &p);
    for (int64_t t = 0; t < s->own.n_tensors; t++) {
        double of_one[SUMS] = { 0.0 };
        char name[64];
        for (int64_t c = s->chunk[t]; c < s->chunk[t + 1]; c++)
            for (int q = 0; q < SUMS; q++) of_one[q] += s->sum[SUMS * c + q];
        (void)snprintf(name, sizeof name, "norm.%s", s->own.name[t]);
        if (s->each) ORR_TRY(s->ctx, sink->record(sink->self, name, step, sqrt(of_one[ORR_SIMD_OF_ITSELF])));
        for (int q = 0; q < SUMS; q++) square[q] += of_one[q];
    }
    ORR_TRY(s->ctx, sink->record(sink->self, "norm", step, sqrt(square[ORR_SIMD_OF_ITSELF])));
    ORR_TRY(s->ctx, sink->record(sink->self, "distance", step, sqrt(square[ORR_SIMD_FROM_FIRST])));
    if (*started > 0.0)
        ORR_TRY(s->ctx, sink->record(sink->self, "update_size", step, sqrt(square[ORR_SIMD_FROM_LAST])));
    *started = 1.0;
    return ORR_OK;
}

static unsigned needs(const orr_settings *s) {
    (void)s;
    return ORR_NEEDS_GRADIENT;
}

static orr_status take(void *self, int64_t step, const orr_evaluation *e, const orr_sink *sink) {
    (void)self;
    return sink->record(sink->self, "gradient_norm", step, sqrt(e->gradient_square));
}

static double cost_of(const orr_settings *s, const orr_subject *subject) {
    (void)s, (void)subject;
    return 0.0; /* one pass over the parameters */
}

const orr_instrument orr_instrument_norms = {
    .kind = { "norms", "norms of parameters and gradient, and how far parameters moved", parameters },
    .cost = cost_of,
    .memory = memory_of,
    .from_start = orr_instrument_from_start,
    .open = open_norms,
    .measure = measure,
    .close = close_norms,
    .needs = needs,
    .take = take,
};
