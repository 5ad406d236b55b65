/* The empirical neural tangent kernel over the first N = `examples` training examples, traced over outputs:
 *
 *     K_ij = sum_c sum_p df_c(x_i)/dw_p df_c(x_j)/dw_p
 *
 *     ntk_trace       tr K
 *     ntk_drift       |K - K_0|_F / |K_0|_F, K_0 that of the first measurement
 *     ntk_alignment   <Kc, Yc> / (|Kc|_F |Yc|_F), Y = y y' of the targets (one-hot where they are labels); c: centred, H K H with
 *                     H = 1 - 11'/N (Cortes, Mohri, Rostamizadeh 2012).  Left out where data have no targets
 *     ntk             the array [N, N], with `gram: true`
 *
 * With `layers: true` the first three and the array also of each tensor's part, p in that tensor alone, as ntk_trace.NAME and so on:
 * the parts sum to K.
 *
 * w are the trained parameters as they are stored, before the parameterization's multipliers.  Cost: one backward pass an output over
 * those examples; the Jacobian of one output at a time is held. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/context.h"
#include "instrument/probe.h"

static const orr_parameter parameters[] = {
    ORR_INSTRUMENT_SCHEDULE("100"),
    { "examples", ORR_INT, .fallback = "64", .range = "[2, 20000]", .help = "the first ones, at most all" },
    { "layers", ORR_FLAG, .fallback = "false", .help = "the part of each parameter tensor too" },
    { "gram", ORR_FLAG, .fallback = "false", .help = "record the whole matrix as an array" },
    { 0 },
};

typedef struct state {
    orr_probe probe;
    int64_t n, classes, targets;
    bool gram;
    orr_dtype target_type;
    const void *target;
    const char *const *name; /* of each tensor */
    int64_t kernels;         /* 1: of all tensors together; behind it, with `layers`, of each */
    orr_node *kernel;
    double *k, *y; /* [n, n] */
} state;

static int64_t kernels_of(const orr_settings *s, const orr_subject *subject) {
    return orr_flag(s, "layers") ? 1 + subject->n_tensors : 1;
}

static void close_ntk(void *self) {
    state *s = self;
    if (!s) return;
    orr_context *ctx = s->probe.ctx;
    orr_probe_end(&s->probe);
    orr_release(ctx, s);
}

/* K, one output's Jacobian J_c [n, parameters] at a time: K = sum_c J_c J_c'. */
static orr_status prepare(orr_context *ctx, state *s, const orr_subject *subject) {
    const int32_t n = (int32_t)subject->n_tensors;
    orr_probe *p = &s->probe;
    orr_probe_examples e;
    ORR_TRY(ctx, orr_probe_begin_examples(ctx, subject, s->n, p, &e));
    orr_node *g = ORR_NEW(p->arena, orr_node, n), *many = ORR_NEW(p->arena, orr_node, n);
    s->k = ORR_NEW(p->arena, double, s->n * s->n);
    s->y = ORR_NEW(p->arena, double, s->n * s->n);
    s->kernel = ORR_NEW(p->arena, orr_node, s->kernels);
    if (!g || !many || !s->k || !s->y || !s->kernel)
        return orr_fail(ctx, ORR_ENOMEM, "ntk: no memory for %lld examples", (long long)s->n);
    orr_node flat;
    int64_t outputs;
    ORR_TRY(ctx, orr_probe_outputs(p, "ntk", &flat, &outputs));
    for (int64_t i = 0; i < s->kernels; i++) s->kernel[i] = orr_fill(p->g, subject->dtype, ORR_SHAPE(s->n, s->n), 0.0);
    for (int64_t c = 0; c < outputs; c++) {
        const orr_node one = orr_sum_all(p->g, orr_slice(p->g, flat, 0, c, c + 1, 1));
        orr_grad(p->g, one, p->graph.parameter, n, g);
        orr_probe_map(p, &e, g, n, many);
        for (int32_t t = 0; t < n; t++) {
            const orr_node j = orr_reshape(p->g, many[t], ORR_SHAPE(s->n, -1));
            const orr_node part = orr_einsum(p->g, "ip,jp->ij", j, j);
            s->kernel[0] = orr_add(p->g, s->kernel[0], part);
            if (s->kernels > 1) s->kernel[t + 1] = orr_add(p->g, s->kernel[t + 1], part);
        }
    }
    return orr_probe_compile(p, s->kernel, (int32_t)s->kernels);
}

static orr_status open_ntk(orr_context *ctx, const orr_settings *settings, const orr_subject *subject, void **out) {
    state *s = orr_allocate(ctx, sizeof *s);
    *out = NULL;
    if (!s) return orr_fail(ctx, ORR_ENOMEM, "ntk: out of memory");
    *s = (state){ .probe = { .ctx = ctx },
                  .n = orr_probe_examples_of(settings, subject),
                  .classes = subject->classes,
                  .targets = orr_shape_count(&subject->target_of_one),
                  .name = subject->name,
                  .kernels = kernels_of(settings, subject),
                  .gram = orr_flag(settings, "gram"),
                  .target_type = subject->target_type,
                  .target = subject->target };
    const orr_status status = prepare(ctx, s, subject);
    if (status == ORR_OK) *out = s;
    else close_ntk(s);
    return status;
}

/* y_i . y_j; for labels 1 where they are equal, at each position. */
static double target_product(const state *s, int64_t i, int64_t j) {
    double sum = 0.0;
    for (int64_t c = 0; c < s->targets; c++) {
        const int64_t a = i * s->targets + c, b = j * s->targets + c;
        if (s->target_type == ORR_I32) sum += ((const int32_t *)s->target)[a] == ((const int32_t *)s->target)[b];
        else if (s->target_type == ORR_F32)
            sum += (double)((const float *)s->target)[a] * (double)((const float *)s->target)[b];
        else sum += ((const double *)s->target)[a] * ((const double *)s->target)[b];
    }
    return sum;
}

/* a = H a H: mean 0 in every row and column. */
static void centre(int64_t n, double *a) {
    for (int64_t i = 0; i < n; i++) {
        double mean = 0.0;
        for (int64_t j = 0; j < n; j++) mean += a[i * n + j];
        for (int64_t j = 0; j < n; j++) a[i * n + j] -= mean / (double)n;
    }
    for (int64_t j = 0; j < n; j++) {
        double mean = 0.0;
        for (int64_t i = 0; i < n; i++) mean += a[i * n + j];
        for (int64_t i = 0; i < n; i++) a[i * n + j] -= mean / (double)n;
    }
}

static double inner(int64_t n, const double *a, const double *b) {
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

/* "ntk_trace", or with the tensor's name behind it */
static const char *name_of(const state *s, int64_t kernel, const char *what, char *room, size_t size) {
    (void)snprintf(room, size, "%s%s%s", what, kernel ? "." : "", kernel ? s->name[kernel - 1] : "");
    return room;
}

/* Of s->k, which it leaves centred. */
static orr_status record(state *s, int64_t step, int64_t kernel, const double *first, const orr_sink *sink) {
    orr_context *ctx = s->probe.ctx;
    const int64_t n = s->n, all = n * n;
    double trace = 0.0, drift = 0.0;
    char name[96];
    for (int64_t i = 0; i < n; i++) trace += s->k[i * n + i];
    for (int64_t i = 0; i < all; i++) drift += (s->k[i] - first[i]) * (s->k[i] - first[i]);
    ORR_TRY(ctx, sink->record(sink->self, name_of(s, kernel, "ntk_trace", name, sizeof name), step, trace));
    ORR_TRY(ctx, sink->record(sink->self, name_of(s, kernel, "ntk_drift", name, sizeof name), step,
                              sqrt(drift / inner(all, first, first))));
    if (s->gram)
        ORR_TRY(ctx, sink->record_array(sink->self, name_of(s, kernel, "ntk", name, sizeof name), step, ORR_F64,
                                        &ORR_SHAPE(n, n), s->k));
    if (!s->target) return ORR_OK;
    for (int64_t i = 0; i < all; i++) s->y[i] = target_product(s, i / n, i % n);
    centre(n, s->y);
    centre(n, s->k);
    const double norm = sqrt(inner(all, s->y, s->y) * inner(all, s->k, s->k));
    return norm > 0.0 ? sink->record(sink->self, name_of(s, kernel, "ntk_alignment", name, sizeof name), step,
                                     inner(all, s->y, s->k) / norm)
                      : ORR_OK;
}

/* Remembered: K_0 [n, n] of each kernel, behind a flag that there is one. */
static size_t memory_of(const orr_settings *settings, const orr_subject *subject) {
    const size_t n = (size_t)orr_probe_examples_of(settings, subject);
    return (n * n * (size_t)kernels_of(settings, subject) + 1) * sizeof(double);
}

static orr_status measure(void *self, int64_t step, uint64_t seed, void *memory, const orr_sink *sink) {
    state *s = self;
    const int64_t all = s->n * s->n;
    double *started = memory, *first = started + 1;
    (void)seed;
    ORR_TRY(s->probe.ctx, orr_probe_run(&s->probe));
    for (int64_t i = 0; i < s->kernels; i++, first += all) {
        orr_probe_read(&s->probe, s->kernel[i], all, s->k);
        if (*started == 0.0) memcpy(first, s->k, (size_t)all * sizeof *first);
        ORR_TRY(s->probe.ctx, record(s, step, i, first, sink));
    }
    *started = 1.0;
    return ORR_OK;
}

static double cost_of(const orr_settings *s, const orr_subject *subject) {
    return 3.0 * (double)subject->outputs * (double)orr_probe_examples_of(s, subject) / (double)subject->examples;
}

const orr_instrument orr_instrument_ntk = {
    .kind = { "ntk", "the empirical neural tangent kernel: trace, drift, alignment with the targets", parameters },
    .cost = cost_of,
    .memory = memory_of,
    .open = open_ntk,
    .measure = measure,
    .close = close_ntk,
};
