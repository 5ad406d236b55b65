/* The parameters themselves, as an array: parameters [n], the trained tensors one behind the other in their order, in the type
 * that the network computes in.
 * Cost: a copy of them. */
#include <string.h>

#include "base/context.h"
#include "instrument/instrument.h"

static const orr_parameter parameters[] = {
    ORR_INSTRUMENT_SCHEDULE("1000"),
    { 0 },
};

typedef struct state {
    orr_context *ctx;
    orr_subject own; /* a copy: it lives as long as this */
    char *w;         /* [n] of its dtype */
} state;

static void close_parameters(void *self) {
    state *s = self;
    if (!s) return;
    orr_context *ctx = s->ctx;
    orr_release(ctx, s->w);
    orr_release(ctx, s);
}

static orr_status open_parameters(orr_context *ctx, const orr_settings *settings, const orr_subject *subject,
                                  void **out) {
    state *s = orr_allocate(ctx, sizeof *s);
    (void)settings;
    *out = NULL;
    if (!s) return orr_fail(ctx, ORR_ENOMEM, "parameters: out of memory");
    *s = (state){ .ctx = ctx, .own = *subject };
    s->w = orr_allocate(ctx, (size_t)subject->n * orr_dtype_size(subject->dtype));
    if (!s->w) {
        close_parameters(s);
        return orr_fail(ctx, ORR_ENOMEM, "parameters: no memory for %lld of them", (long long)subject->n);
    }
    *out = s;
    return ORR_OK;
}

static orr_status measure(void *self, int64_t step, uint64_t seed, void *memory, const orr_sink *sink) {
    state *s = self;
    char *to = s->w;
    (void)seed, (void)memory;
    for (int64_t t = 0; t < s->own.n_tensors; t++) {
        const size_t bytes = (size_t)orr_shape_count(&s->own.shape[t]) * orr_dtype_size(s->own.dtype);
        memcpy(to, s->own.parameter[t], bytes);
        to += bytes;
    }
    return sink->record_array(sink->self, "parameters", step, s->own.dtype, &ORR_SHAPE(s->own.n), s->w);
}

static double cost_of(const orr_settings *s, const orr_subject *subject) {
    (void)s, (void)subject;
    return 0.0;
}

const orr_instrument orr_instrument_parameters = {
    .kind = { "parameters", "the parameters, as an array", parameters },
    .cost = cost_of,
    .open = open_parameters,
    .measure = measure,
    .close = close_parameters,
};
