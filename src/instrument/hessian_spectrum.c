/* The density of the Hessian's eigenvalues, of the loss over all training examples, by stochastic Lanczos quadrature
 * (numeric/spectrum.h; Ghorbani, Krishnan, Xiao 2019, 1901.10159).
 *
 *     hessian_lowest, hessian_highest    the extreme nodes: inside the true extremes, and near them
 *     hessian_spectrum                   [2, points]: values, and the density there, its integral 1
 *     hessian_spectrum_rule              [2, nodes]: the quadrature itself, nodes and weights that sum to 1
 *
 * The density is seen through a Gaussian whose width is `width` times the distance of the extreme nodes; points are even between
 * them, and four widths beyond.  Probes are those of the run's seed at every measurement, so that what changes between them is
 * the network.  Where the network is no number, the extremes are none, and no array is recorded.
 * Cost: probes times steps products, four forward passes each; `steps` vectors of doubles. */
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "base/random.h"
#include "instrument/hessian.h"
#include "numeric/spectrum.h"

static const orr_parameter parameters[] = {
    ORR_INSTRUMENT_SCHEDULE("1000"),
    { "probes", ORR_INT, .fallback = "4", .range = "[1, 10000]", .help = "random vectors" },
    { "steps", ORR_INT, .fallback = "40", .range = "[1, 1000]", .help = "Lanczos steps from each" },
    { "points", ORR_INT, .fallback = "512", .range = "[2, 1000000]", .help = "of the density" },
    { "width", ORR_REAL, .fallback = "0.01", .range = "(0, 1]",
      .help = "of the Gaussian that smooths it, in parts of the whole range" },
    { 0 },
};

typedef struct state {
    orr_context *ctx;
    orr_hessian *hessian;
    orr_arena *scratch, *results;
    int64_t probes, steps, points;
    double width;
} state;

static void close_spectrum(void *self) {
    state *s = self;
    if (!s) return;
    orr_arena_free(s->results);
    orr_arena_free(s->scratch);
    orr_hessian_close(s->hessian);
    orr_release(s->ctx, s);
}

static orr_status open_spectrum(orr_context *ctx, const orr_settings *settings, const orr_subject *subject,
                                void **out) {
    state *s = orr_allocate(ctx, sizeof *s);
    *out = NULL;
    if (!s) return orr_fail(ctx, ORR_ENOMEM, "hessian-spectrum: out of memory");
    *s = (state){ .ctx = ctx,
                  .probes = orr_int(settings, "probes"),
                  .steps = orr_int(settings, "steps"),
                  .points = orr_int(settings, "points"),
                  .width = orr_real(settings, "width") };
    orr_status status = orr_arena_new(ctx, &s->scratch);
    if (status == ORR_OK) status = orr_arena_new(ctx, &s->results);
    if (status == ORR_OK) status = orr_hessian_open(ctx, subject, false, &s->hessian);
    if (status == ORR_OK) *out = s;
    else close_spectrum(s);
    return status;
}

static orr_status record_density(state *s, int64_t step, const orr_spectrum *spectrum, const orr_sink *sink) {
    const int64_t n = s->points;
    double *x = ORR_NEW(s->results, double, 2 * n);
    if (!x) return orr_fail(s->ctx, ORR_ENOMEM, "hessian-spectrum: no memory for %lld points", (long long)n);
    double width = s->width * (spectrum->highest - spectrum->lowest);
    if (!(width > 0.0)) width = s->width * fmax(fabs(spectrum->highest), 1e-300); /* one eigenvalue, n times */
    const double low = spectrum->lowest - 4.0 * width, high = spectrum->highest + 4.0 * width;
    for (int64_t i = 0; i < n; i++) x[i] = low + (high - low) * (double)i / (double)(n - 1);
    orr_spectrum_density(spectrum, width, n, x, x + n);
    return sink->record_array(sink->self, "hessian_spectrum", step, ORR_F64, &ORR_SHAPE(2, n), x);
}

static orr_status record_rule(state *s, int64_t step, const orr_spectrum *spectrum, const orr_sink *sink) {
    const int64_t n = spectrum->count;
    double *rule = ORR_NEW(s->results, double, 2 * n);
    if (!rule) return orr_fail(s->ctx, ORR_ENOMEM, "hessian-spectrum: no memory for %lld nodes", (long long)n);
    memcpy(rule, spectrum->node, (size_t)n * sizeof *rule);
    memcpy(rule + n, spectrum->weight, (size_t)n * sizeof *rule);
    return sink->record_array(sink->self, "hessian_spectrum_rule", step, ORR_F64, &ORR_SHAPE(2, n), rule);
}

static orr_status record(state *s, int64_t step, const orr_spectrum *spectrum, const orr_sink *sink) {
    const bool is_finite = spectrum->count > 0;
    ORR_TRY(s->ctx, sink->record(sink->self, "hessian_lowest", step, is_finite ? spectrum->lowest : (double)NAN));
    ORR_TRY(s->ctx, sink->record(sink->self, "hessian_highest", step, is_finite ? spectrum->highest : (double)NAN));
    if (!is_finite) return ORR_OK;
    ORR_TRY(s->ctx, record_density(s, step, spectrum, sink));
    return record_rule(s, step, spectrum, sink);
}

static orr_status measure(void *self, int64_t step, uint64_t seed, void *memory, const orr_sink *sink) {
    state *s = self;
    const orr_arena_mark mark = orr_arena_here(s->results);
    const orr_operator hessian = orr_hessian_operator(s->hessian);
    const orr_spectrum_options options = { .probes = s->probes, .steps = s->steps, .key = { .seed = seed } };
    orr_spectrum spectrum;
    (void)memory;
    orr_status status = orr_spectrum_lanczos(s->ctx, s->results, s->scratch, &hessian, &options, &spectrum);
    if (status == ORR_OK) status = record(s, step, &spectrum, sink);
    orr_arena_rewind(s->results, mark);
    return status;
}

static double cost_of(const orr_settings *s, const orr_subject *subject) {
    (void)subject;
    return 4.0 * (double)orr_int(s, "probes") * (double)orr_int(s, "steps");
}

const orr_instrument orr_instrument_hessian_spectrum = {
    .kind = { "hessian-spectrum", "the density of the Hessian's eigenvalues", parameters },
    .cost = cost_of,
    .open = open_spectrum,
    .measure = measure,
    .close = close_spectrum,
};
