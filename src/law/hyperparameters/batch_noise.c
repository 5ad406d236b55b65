#include "law/hyperparameters/batch_noise.h"

#include <math.h>

#include "law/measuring.h"

typedef struct estimate {
    double trace, signal;
} estimate;

static const struct {
    const char *trace, *signal;
} series[] = { { "batch_noise_trace", "batch_noise_signal" }, /* ORDER orr_noise_by */
               { "gradient_noise_trace", "gradient_noise_signal" },
               { "gradient_curved_trace", "gradient_curved_signal" } };

static double sum_over_seeds(const orr_batch_group *g, const json_t *point, const char *name, size_t i) {
    double sum = 0.0;
    for (size_t seed = g->from; seed < g->to; seed++)
        sum += orr_number_at(json_object_get(orr_batch_series(g, point, seed, name), "value"), i);
    return sum;
}

static estimate estimate_at(const orr_batch_group *g, const json_t *point, orr_noise_by by, size_t i) {
    const double population = orr_number_of(g->prediction, "population"); /* NaN: a distribution */
    estimate e = { sum_over_seeds(g, point, series[by].trace, i), sum_over_seeds(g, point, series[by].signal, i) };
    if (population > 0.0) e.signal += e.trace / population;
    return e;
}

const json_t *orr_noise_steps(const orr_batch_group *g, const json_t *point, orr_noise_by by) {
    return json_object_get(orr_batch_series(g, point, g->from, series[by].trace), "step");
}

double orr_noise_seen_at(const orr_batch_group *g, const json_t *point, orr_noise_by by, size_t i) {
    const estimate e = estimate_at(g, point, by, i);
    return e.signal > 0.0 ? e.trace / e.signal : (double)NAN;
}

double orr_noise_seen(const orr_batch_group *g, const json_t *point, orr_noise_by by, double until) {
    const json_t *step = orr_noise_steps(g, point, by);
    estimate sum = { 0.0, 0.0 };
    for (size_t i = 0; i < json_array_size(step) && orr_number_at(step, i) <= until; i++) {
        const estimate e = estimate_at(g, point, by, i);
        sum.trace += e.trace;
        sum.signal += e.signal;
    }
    return sum.trace / sum.signal;
}

double orr_noise_predicted(const orr_batch_group *g, const json_t *point, orr_noise_by by, double until) {
    const json_t *noise = json_object_get(point, "noise"), *step = orr_noise_steps(g, point, by);
    estimate sum = { 0.0, 0.0 };
    for (size_t i = 0; i < json_array_size(step) && orr_number_at(step, i) <= until; i++) {
        const size_t k = (size_t)orr_number_at(step, i);
        sum.trace += orr_number_at(json_object_get(noise, "trace"), k);
        sum.signal += orr_number_at(json_object_get(noise, "signal"), k);
    }
    return sum.trace / sum.signal;
}
