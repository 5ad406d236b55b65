#include "law/hyperparameters/batch_tuning.h"

#include <math.h>

#include "base/context.h"
#include "law/measuring.h"

size_t orr_batch_groups(const json_t *prediction) {
    const size_t seeds = (size_t)json_integer_value(json_object_get(prediction, "seeds"));
    return seeds >= 6 ? 3 : seeds;
}

orr_batch_group orr_batch_group_of(const json_t *prediction, const json_t *measurement, size_t k) {
    const size_t seeds = (size_t)json_integer_value(json_object_get(prediction, "seeds")),
                 n = orr_batch_groups(prediction);
    return (orr_batch_group){ prediction, measurement, k * seeds / n, (k + 1) * seeds / n };
}

const json_t *orr_batch_series(const orr_batch_group *g, const json_t *point, size_t seed, const char *name) {
    return json_object_get(
        orr_measured(g->measurement, (size_t)json_integer_value(json_object_get(point, "point")), seed), name);
}

/* Mean loss at record i; NaN where a run has none: it diverged. */
static double mean_loss(const orr_batch_group *g, const json_t *point, size_t i) {
    const char *name = json_string_value(json_object_get(g->prediction, "series"));
    double sum = 0.0;
    for (size_t seed = g->from; seed < g->to; seed++)
        sum += orr_number_at(json_object_get(orr_batch_series(g, point, seed, name), "value"), i);
    return sum / (double)(g->to - g->from);
}

/* The update at which the mean loss is the target, on a line in log loss between records; infinite where it isn't reached. */
static double updates_to_target(const orr_batch_group *g, const json_t *point) {
    const json_t *step = json_object_get(
        orr_batch_series(g, point, g->from, json_string_value(json_object_get(g->prediction, "series"))), "step");
    const double target = orr_number_of(g->prediction, "target");
    double before = mean_loss(g, point, 0);
    for (size_t i = 1; i < json_array_size(step) && before >= target; i++) {
        const double after = mean_loss(g, point, i), k = orr_number_at(step, i - 1);
        if (!isfinite(after)) break;
        if (after < target) return k + (orr_number_at(step, i) - k) * log(before / target) / log(before / after);
        before = after;
    }
    return (double)INFINITY;
}

static orr_batch_tuned tune(const orr_batch_group *g, double batch) {
    const json_t *points = json_object_get(g->prediction, "points");
    orr_batch_tuned out = { .batch = batch, .steps = (double)INFINITY, .learning_rate = (double)NAN };
    for (size_t i = 0; i < json_array_size(points); i++) {
        const json_t *point = json_array_get(points, i);
        if (orr_number_of(point, "batch") != batch) continue;
        const double steps = updates_to_target(g, point);
        if (steps < out.steps) out = (orr_batch_tuned){ batch, steps, orr_number_of(point, "learning_rate"), point };
    }
    return out;
}

/* Of all batch sizes: best[n], in the prediction's order; false where one doesn't reach the target. */
static bool tune_all(const orr_batch_group *g, orr_batch_tuned *best) {
    const json_t *batches = json_object_get(g->prediction, "batches");
    bool all = true;
    for (size_t i = 0; i < json_array_size(batches); i++) {
        best[i] = tune(g, orr_number_at(batches, i));
        all = all && best[i].point;
    }
    return all;
}

orr_status orr_batch_group_fit(orr_context *ctx, orr_arena *arena, const orr_batch_group *g, orr_batch_tuned *best,
                               size_t n, orr_batch_law *law) {
    orr_batch_cell *cell = ORR_NEW(arena, orr_batch_cell, n);
    if (!cell) return orr_fail(ctx, ORR_ENOMEM, "critical batch size: no memory to judge");
    *law = (orr_batch_law){ (double)NAN, (double)NAN, (double)NAN, (double)NAN, (double)NAN };
    if (!tune_all(g, best)) return ORR_OK;
    for (size_t i = 0; i < n; i++) cell[i] = (orr_batch_cell){ best[i].batch, best[i].steps };
    return orr_batch_fit(ctx, arena, cell, (int64_t)n, law);
}
