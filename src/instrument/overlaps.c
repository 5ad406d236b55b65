/* Overlaps of the first layer's weight vectors W (as the network sees them, multiplier included) among each other, and with the
 * directions B that the data were made by: W[K, inputs], B[M, inputs].
 *
 *     overlap.student.i.k   W_i . W_k,  k <= i, from 1
 *     overlap.teacher.i.m   W_i . B_m
 *
 * B is the first of the data's facts that has a row of the inputs' length: a teacher's first layer, an index's direction.  In the
 * limit of large dimension they are all that a small network's learning depends on (sheet solvable/saad-solla).  Cost: no
 * forward pass. */
#include <stdio.h>
#include <string.h>

#include "base/context.h"
#include "instrument/probe.h"

static const orr_parameter parameters[] = { ORR_INSTRUMENT_SCHEDULE("10"), { 0 } };

enum { UNITS_MAX = 64 }; /* of each: a series for each pair */

typedef struct state {
    orr_probe probe;
    orr_subject own; /* a copy: it lives as long as this */
    orr_node weight;
    int64_t students, inputs, fact, teachers;
    double *w; /* [students, inputs] */
} state;

static void close_overlaps(void *self) {
    state *s = self;
    if (!s) return;
    orr_context *ctx = s->probe.ctx;
    orr_probe_end(&s->probe);
    orr_release(ctx, s);
}

/* The first fact whose rows are as long as inputs: where it stands and how many rows it has. */
static orr_status find_teacher(state *s) {
    const orr_arrays *facts = s->own.facts(s->own.self);
    for (s->fact = 0; s->fact < facts->n; s->fact++) {
        const orr_shape *shape = &facts->item[s->fact].shape;
        if (shape->rank < 1 || shape->rank > 2 || shape->size[shape->rank - 1] != s->inputs) continue;
        s->teachers = shape->rank == 2 ? shape->size[0] : 1;
        return ORR_OK;
    }
    return orr_fail(s->probe.ctx, ORR_EINPUT,
                    "overlaps: these data were made by no directions of %lld numbers; data: teacher are",
                    (long long)s->inputs);
}

static orr_status prepare(orr_context *ctx, state *s) {
    orr_probe *p = &s->probe;
    int64_t t = 0;
    while (t < s->own.n_tensors && s->own.shape[t].rank != 2) t++;
    if (t == s->own.n_tensors) return orr_fail(ctx, ORR_EINPUT, "overlaps: this network has no matrices");
    s->students = s->own.shape[t].size[0];
    s->inputs = s->own.shape[t].size[1];
    ORR_TRY(ctx, find_teacher(s));
    if (s->students > UNITS_MAX || s->teachers > UNITS_MAX)
        return orr_fail(ctx, ORR_EINPUT, "overlaps: %lld units and %lld directions; at most %d of each are recorded",
                        (long long)s->students, (long long)s->teachers, (int)UNITS_MAX);
    ORR_TRY(ctx, orr_probe_begin(ctx, &s->own, ORR_PART_TRAIN, p));
    s->weight = p->graph.effective[t];
    s->w = ORR_NEW(p->arena, double, s->students * s->inputs);
    if (!s->w) return orr_fail(ctx, ORR_ENOMEM, "overlaps: no memory for a layer");
    return orr_probe_compile(p, &s->weight, 1);
}

static orr_status open_overlaps(orr_context *ctx, const orr_settings *settings, const orr_subject *subject,
                                void **out) {
    state *s = orr_allocate(ctx, sizeof *s);
    (void)settings;
    *out = NULL;
    if (!s) return orr_fail(ctx, ORR_ENOMEM, "overlaps: out of memory");
    *s = (state){ .probe = { .ctx = ctx }, .own = *subject };
    const orr_status status = prepare(ctx, s);
    if (status == ORR_OK) *out = s;
    else close_overlaps(s);
    return status;
}

static double dot(int64_t n, const double *a, const double *b) {
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

static orr_status record(const orr_sink *sink, const char *with, int64_t i, int64_t k, int64_t step, double value) {
    char name[64];
    (void)snprintf(name, sizeof name, "overlap.%s.%lld.%lld", with, (long long)i + 1, (long long)k + 1);
    return sink->record(sink->self, name, step, value);
}

static orr_status measure(void *self, int64_t step, uint64_t seed, void *memory, const orr_sink *sink) {
    state *s = self;
    orr_context *ctx = s->probe.ctx;
    const int64_t n = s->inputs;
    const double *b = s->own.facts(s->own.self)->item[s->fact].data, *w = s->w;
    (void)seed, (void)memory;
    ORR_TRY(ctx, orr_probe_run(&s->probe));
    orr_probe_read(&s->probe, s->weight, s->students * n, s->w);
    for (int64_t i = 0; i < s->students; i++) {
        for (int64_t k = 0; k <= i; k++)
            ORR_TRY(ctx, record(sink, "student", i, k, step, dot(n, w + i * n, w + k * n)));
        for (int64_t m = 0; m < s->teachers; m++)
            ORR_TRY(ctx, record(sink, "teacher", i, m, step, dot(n, w + i * n, b + m * n)));
    }
    return ORR_OK;
}

static double cost_of(const orr_settings *s, const orr_subject *subject) {
    (void)s, (void)subject;
    return 0.0;
}

const orr_instrument orr_instrument_overlaps = {
    .kind = { "overlaps", "overlaps of the first layer's units with each other and with the data's directions",
              parameters },
    .cost = cost_of,
    .open = open_overlaps,
    .measure = measure,
    .close = close_overlaps,
};
