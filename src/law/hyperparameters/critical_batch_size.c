/* The critical batch size: with the learning rate tuned at each batch size B, the updates S and examples E = B S that a loss takes
 *
 *     (S/S_min - 1)(E/E_min - 1) = 1,  S = S_min (1 + B_crit/B),  B_crit = E_min/S_min
 *     B_crit = tr(H Sigma)/(G'H G) = B_noise, where that stays the same along the path; else about its mean
 *
 *   paper     here                meaning                                              unit
 *   S         steps               updates to the target, on a line in log loss         updates
 *   B_crit    batch_critical      where updates and examples are twice their least     examples
 *   B_noise   noise.weighted      curvature-weighted gradient noise scale              examples
 *   B_simple  noise.simple        tr Sigma/|G|^2                                       examples
 *
 * For linear regression on Gaussian inputs all of it is known beforehand, by the exact recursion of second moments: S of each batch
 * size and learning rate, B_noise along the path of the largest batch, and with it what the two estimators of B_simple must show.
 * For other networks the form is what is sealed, and B_noise is measured (per-example-gradients with `curvature`); of B_simple its two
 * estimators must agree.
 *
 * S is that of a mean loss: seeds make three groups where there are six or more, and each group gives a value; else each seed does.
 * Theory: theory/critical_batch.h, theory/batch_fit.h, theory/sgd_moments.h.  Sources: McCandlish et al. 2018 (1812.06162); Ma, Bassily,
 * Belkin 2018 (1712.06559).  Sheet: laws/hyperparameters/critical-batch-size.md */
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "lab/training.h"
#include "law/conditions.h"
#include "law/grouping.h"
#include "law/hyperparameters/batch_noise.h"
#include "law/hyperparameters/batch_regression.h"
#include "law/measuring.h"
#include "law/predicting.h"
#include "report/page.h"
#include "theory/batch_fit.h"

extern const char orr_law_yaml_critical_batch_size[];
extern const size_t orr_law_yaml_critical_batch_size_size;

/* Whose target is to be reached. */
static const orr_observation *loss_of(const orr_point *p) {
    static const char *const names[] = { "excess-loss", "loss" };
    for (int i = 0; i < 2; i++) {
        const orr_observation *o = orr_point_observation(p, names[i]);
        if (o && orr_real(&o->settings, "target") > 0.0) return o;
    }
    return NULL;
}

static const char *series_of(const orr_point *p, const orr_problem *problem) {
    const orr_observation *o = loss_of(p);
    if (strcmp(o->instrument->kind.name, "loss") != 0) return "excess_loss";
    return problem->data.n_test > 0 && !orr_settings_say(&o->settings, "part", "train") ? "loss_test" : "loss";
}

static double target_of(const orr_point *p) { return orr_real(&loss_of(p)->settings, "target"); }

static double batch_of(const orr_point *p, const orr_problem *problem) {
    return (double)orr_training_batch(&p->rule_settings, problem->data.n);
}

static double rate_of(const orr_point *p) { return orr_real(&p->rule_settings, "learning_rate"); }

/* ---- regime ------------------------------------------------------------------------------------------------------------- */

static bool has_target(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    (void)problem;
    *why = orr_arena_string(out_arena, "observe needs { kind: loss, target: ... }, or excess-loss");
    return loss_of(p) != NULL;
}

static bool has_batches(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    (void)problem;
    *why = orr_arena_format(out_arena, "the rule %s has none", p->rule->kind.name);
    return orr_settings_has(&p->rule_settings, "batch") && orr_settings_has(&p->rule_settings, "learning_rate");
}

/* Batch size, learning rate and length may differ from point to point, and when is measured. */
static orr_status is_one_problem(orr_context *ctx, orr_arena *out_arena, const orr_premises *in, bool *holds,
                                 const char **why) {
    const orr_experiment *e = in->experiment;
    (void)ctx;
    *holds = true;
    for (int64_t i = 1; i < e->n_points && *holds; i++) {
        *holds = in->problems[i * e->seeds] == in->problems[0] && e->points[i].rule == e->points[0].rule &&
                 target_of(&e->points[i]) == target_of(&e->points[0]) &&
                 loss_of(&e->points[i])->instrument == loss_of(&e->points[0])->instrument;
        *why = orr_arena_format(out_arena, "%s has another problem, rule or target than %s", e->points[i].name,
                                e->points[0].name);
    }
    return ORR_OK;
}

static int64_t points_of_batch(const orr_premises *in, double batch) {
    int64_t n = 0;
    for (int64_t i = 0; i < in->experiment->n_points; i++)
        n += batch_of(&in->experiment->points[i], in->problems[i * in->experiment->seeds]) == batch;
    return n;
}

/* Distinct batch sizes, ascending: batch[at most n_points]. */
static int64_t find_batches(const orr_premises *in, double *batch) {
    const orr_experiment *e = in->experiment;
    int64_t n = 0;
    for (int64_t i = 0; i < e->n_points; i++)
        orr_insert_ascending(batch, &n, batch_of(&e->points[i], in->problems[i * e->seeds]));
    return n;
}

static orr_status is_scanned(orr_context *ctx, orr_arena *out_arena, const orr_premises *in, bool *holds,
                             const char **why) {
    double *batch = ORR_NEW(out_arena, double, in->experiment->n_points);
    if (!batch) return orr_fail(ctx, ORR_ENOMEM, "critical batch size: no memory");
    const int64_t n = find_batches(in, batch);
    *holds = n >= 4 && batch[n - 1] >= 16.0 * batch[0];
    *why = orr_arena_format(out_arena, "%lld, from %g to %g", (long long)n, batch[0], batch[n - 1]);
    for (int64_t i = 0; i < n && *holds; i++) {
        *holds = points_of_batch(in, batch[i]) >= 3;
        *why = orr_arena_format(out_arena, "batch %g has %lld learning rates", batch[i],
                                (long long)points_of_batch(in, batch[i]));
    }
    return ORR_OK;
}

static bool is_known(const orr_premises *in) {
    const orr_point *p = &in->experiment->points[0];
    return orr_is_batch_regression(p, in->problems[0]) && strcmp(series_of(p, in->problems[0]), "excess_loss") == 0;
}

/* The noise is low enough for the target at every batch size, with a learning rate of the scan. */
static orr_status is_reached(orr_context *ctx, orr_arena *out_arena, const orr_premises *in, bool *holds,
                             const char **why) {
    const orr_experiment *e = in->experiment;
    double *batch = ORR_NEW(out_arena, double, e->n_points);
    orr_batch_regression g = { 0 };
    *holds = true;
    if (!batch) return orr_fail(ctx, ORR_ENOMEM, "critical batch size: no memory");
    if (!is_known(in)) return ORR_OK;
    ORR_TRY(ctx, orr_batch_regression_of(ctx, out_arena, in, 0, &g));
    const int64_t n = find_batches(in, batch);
    for (int64_t b = 0; b < n && *holds; b++) {
        *holds = false;
        for (int64_t i = 0; i < e->n_points && !*holds; i++) {
            double steps;
            if (batch_of(&e->points[i], in->problems[i * e->seeds]) != batch[b]) continue;
            ORR_TRY(ctx, orr_batch_regression_updates(ctx, out_arena, &g, batch[b], rate_of(&e->points[i]),
                                                      target_of(&e->points[i]), (double)e->points[i].steps, &steps));
            *holds = isfinite(steps);
        }
        *why = orr_arena_format(out_arena, "with batches of %g it is not, by theory", batch[b]);
    }
    return ORR_OK;
}

static const orr_condition regime[] = {
    { "a loss to reach is named", .point = has_target },
    { "the rule has batches and a learning rate", .point = has_batches },
    { "points differ in batch size, learning rate and length alone", .check = is_one_problem },
    { "there are at least 4 batch sizes, over a factor of 16, with at least 3 learning rates each",
      .check = is_scanned },
    { "the learning rate is constant", .point = orr_has_constant_rate, .beyond = true },
    { "the rule is without decay and clipping", .point = orr_is_bare_rule, .beyond = true },
    { "the rule is gradient descent on batches", .point = orr_is_plain_descent, .beyond = true },
    { "no run ends before its last update", .point = orr_runs_to_its_end },
    { "batches are drawn independently: with replacement, or fresh examples", .point = orr_draws_independently,
      .beyond = true },
    { "the target is reached at every batch size", .check = is_reached, .beyond = true },
    { 0 },
};

/* ---- prediction --------------------------------------------------------------------------------------------------------- */

static orr_status no_memory(orr_context *ctx) {
    return orr_fail(ctx, ORR_ENOMEM, "critical batch size: no memory for a prediction");
}

/* How many examples batches are drawn from; NaN: from a distribution. */
static double population_of(const orr_premises *in) {
    const orr_point *p = &in->experiment->points[0];
    const bool fresh =
        orr_settings_has(&p->rule_settings, "sampling") && orr_settings_say(&p->rule_settings, "sampling", "online");
    return fresh ? (double)NAN : (double)in->problems[0]->data.n;
}

static bool observes_noise(const orr_point *p) {
    return orr_point_observation(p, "gradient-noise") || orr_point_observation(p, "per-example-gradients");
}

/* (new) { point, name, batch, learning_rate, and for regression: steps, noise where it is observed }.  known: an
 * orr_batch_regression; NULL for other networks. */
static orr_status predict_point(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point,
                                const void *known, json_t **out) {
    const orr_batch_regression *g = known;
    const orr_point *p = &in->experiment->points[point];
    const double batch = batch_of(p, in->problems[point * in->experiment->seeds]);
    double steps = (double)NAN;
    json_t *noise = json_null();
    if (g)
        ORR_TRY(ctx, orr_batch_regression_updates(ctx, scratch, g, batch, rate_of(p), target_of(p), (double)p->steps,
                                                  &steps));
    if (g && observes_noise(p))
        ORR_TRY(ctx, orr_batch_regression_noise(ctx, scratch, g, batch, rate_of(p), p->steps, &noise));
    *out = json_pack("{s:I, s:s, s:f, s:f, s:o, s:o}", "point", (json_int_t)point, "name", p->name, "batch", batch,
                     "learning_rate", rate_of(p), "steps", orr_json_real(steps), "noise", noise);
    return ORR_OK;
}

/* The fewest updates among points of a batch size; -1: none gets there. */
static int64_t best_of(const json_t *points, double batch) {
    int64_t best = -1;
    double least = (double)INFINITY;
    for (size_t i = 0; i < json_array_size(points); i++) {
        const double steps = orr_number_of(json_array_get(points, i), "steps");
        if (orr_number_of(json_array_get(points, i), "batch") != batch || !(steps < least)) continue;
        least = steps;
        best = (int64_t)i;
    }
    return best;
}

/* (new) { batches: [{ batch, steps, learning_rate }], steps_min, batch_critical, noise: along the path of the largest batch, noise_mean }. */
static orr_status predict_regression(orr_context *ctx, orr_arena *scratch, const orr_batch_regression *g,
                                     const json_t *points, const double *batch, int64_t n, json_t **out) {
    orr_batch_cell *cell = ORR_NEW(scratch, orr_batch_cell, n);
    orr_batch_law law = { 0 };
    json_t *batches = json_array(), *noise = NULL;
    int64_t reached = 0;
    if (!cell) return no_memory(ctx);
    for (int64_t b = 0; b < n; b++) {
        const json_t *best = json_array_get(points, (size_t)best_of(points, batch[b]));
        if (!best) continue;
        cell[reached++] = (orr_batch_cell){ batch[b], orr_number_of(best, "steps") };
        orr_json_row(batches, "{s:f, s:f, s:f}", "batch", batch[b], "steps", orr_number_of(best, "steps"),
                     "learning_rate", orr_number_of(best, "learning_rate"));
    }
    *out = json_pack("{s:o}", "batches", batches);
    if (reached >= ORR_BATCH_CELLS_MIN) ORR_TRY(ctx, orr_batch_fit(ctx, scratch, cell, reached, &law));
    const json_t *last = json_array_get(batches, json_array_size(batches) - 1);
    const double steps = orr_number_of(last, "steps");
    if (!(steps > 0.0)) return ORR_OK; /* beyond the regime */
    ORR_TRY(ctx, orr_batch_regression_noise(ctx, scratch, g, orr_number_of(last, "batch"),
                                            orr_number_of(last, "learning_rate"), (int64_t)steps, &noise));
    double mean = 0.0;
    for (size_t i = 0; i <= (size_t)steps; i++)
        mean += orr_number_at(json_object_get(noise, "weighted"), i) / (floor(steps) + 1.0);
    const int failed = json_object_set_new(*out, "noise", noise) |
                       json_object_set_new(*out, "noise_mean", orr_json_real(mean)) |
                       json_object_set_new(*out, "steps_min", orr_json_real(law.steps_min)) |
                       json_object_set_new(*out, "batch_critical", orr_json_real(law.batch_critical));
    return failed ? no_memory(ctx) : ORR_OK;
}

static orr_status predict(orr_context *ctx, orr_arena *scratch, const orr_premises *in, json_t **prediction) {
    const orr_experiment *e = in->experiment;
    const bool known = is_known(in);
    double *batch = ORR_NEW(scratch, double, e->n_points);
    orr_batch_regression g = { 0 };
    json_t *points, *exact = NULL;
    if (!batch) return no_memory(ctx);
    const int64_t n = find_batches(in, batch);
    if (known) ORR_TRY(ctx, orr_batch_regression_of(ctx, scratch, in, 0, &g));
    ORR_TRY(ctx, orr_predict_points(ctx, scratch, in, predict_point, known ? &g : NULL, &points));
    const orr_status status = known ? predict_regression(ctx, scratch, &g, points, batch, n, &exact) : ORR_OK;
    *prediction = json_pack("{s:s, s:s, s:s, s:f, s:I, s:o, s:o, s:o, s:o*}", "law", "critical-batch-size", "form",
                            "S = S_min (1 + B_crit/B)", "series", series_of(&e->points[0], in->problems[0]), "target",
                            target_of(&e->points[0]), "seeds", (json_int_t)e->seeds, "population",
                            orr_json_real(population_of(in)), "points", points, "batches", orr_json_reals(batch, n),
                            "regression", exact);
    if (status == ORR_OK) return *prediction ? ORR_OK : no_memory(ctx);
    json_decref(*prediction);
    *prediction = NULL;
    return status;
}

/* ---- measurement -------------------------------------------------------------------------------------------------------- */

static orr_status measure_run(orr_context *ctx, orr_arena *scratch, const orr_records *records, int64_t point,
                              int64_t seed, json_t **out) {
    static const char *const names[] = { "excess_loss",      "loss_test",         "loss", "batch_noise_*",
                                         "gradient_noise_*", "gradient_curved_*", NULL };
    return orr_measure_series(ctx, scratch, records, point, seed, names, out);
}

static orr_status measure(orr_context *ctx, orr_arena *scratch, const orr_records *records, json_t **measurement) {
    return orr_measure_runs(ctx, scratch, records, measure_run, measurement);
}

/* ---- judgement ---------------------------------------------------------------------------------------------------------- */

/* ORDER checks */
static const orr_check checks[] = {
    /* the first three tolerances: sheet, Agreement */
    { "largest log residual of the hyperbola", 0.0, 0.08 },
    { "exponent of B_crit/B", 0.93, 1.07 },
    { "B_crit over the mean of B_noise", 0.5, 2.0 },
    /* the sheet's estimate from 200 batches is 11 % off */
    { "noise scale from two batch sizes, measured over exact", 0.85, 1.15 },
    { "noise scale from single examples, measured over exact", 0.85, 1.15 },
    { "noise scale from two batch sizes over that from single examples", 0.85, 1.15 }, /* where neither is known */
    { 0 },
};
enum { RESIDUAL, EXPONENT, CRITICAL, TWO_BATCHES, EXAMPLES, AGREEMENT };

/* Sum over records up to the target of B_noise at a point; *n of them. */
static double sum_noise(const orr_batch_group *g, const json_t *point, double steps, double *n) {
    const json_t *step = orr_noise_steps(g, point, ORR_NOISE_WEIGHTED);
    double sum = 0.0;
    for (size_t i = 0; i < json_array_size(step) && orr_number_at(step, i) <= steps; i++, ++*n)
        sum += orr_noise_seen_at(g, point, ORR_NOISE_WEIGHTED, i);
    return sum;
}

/* Mean of B_noise on the way of the largest batch: predicted, or measured where it was recorded; false where neither is. */
static bool mean_noise(const orr_batch_group *g, const orr_batch_tuned *largest, double *mean) {
    const json_t *exact = json_object_get(g->prediction, "regression"),
                 *points = json_object_get(g->prediction, "points");
    double sum = 0.0, n = 0.0;
    *mean = orr_number_of(exact, "noise_mean");
    if (exact) return true;
    for (size_t i = 0; i < json_array_size(points); i++)
        if (orr_number_of(json_array_get(points, i), "batch") == largest->batch)
            sum += sum_noise(g, json_array_get(points, i), largest->steps, &n);
    *mean = sum / n;
    return n > 0.0;
}

/* The two estimators of B_simple at a point: against what is exact, until its own target; where nothing is, against each other at the
 * same updates, until `last`, when the largest batch is at the target. */
static void judge_point(const orr_batch_group *g, const json_t *point, double last, orr_check_values *values) {
    static const orr_noise_by by[2] = { ORR_NOISE_BY_BATCHES, ORR_NOISE_BY_EXAMPLES };
    const bool exact = json_is_object(json_object_get(point, "noise"));
    double until = exact ? orr_number_of(point, "steps") : last;
    if (isnan(until)) until = (double)INFINITY; /* the target is not reached */
    double scale[2];
    int there = 0;
    for (int k = 0; k < 2; k++) {
        if (json_array_size(orr_noise_steps(g, point, by[k])) == 0) continue;
        scale[k] = orr_noise_seen(g, point, by[k], until);
        if (exact)
            orr_check_add(&values[k ? EXAMPLES : TWO_BATCHES], scale[k] / orr_noise_predicted(g, point, by[k], until));
        there++;
    }
    if (there == 2 && !exact && json_equal(orr_noise_steps(g, point, by[0]), orr_noise_steps(g, point, by[1])))
        orr_check_add(&values[AGREEMENT], scale[0] / scale[1]);
}

static orr_status judge(orr_context *ctx, orr_arena *out_arena, const json_t *prediction, const json_t *measurement,
                        orr_check_values *values) {
    const size_t n = json_array_size(json_object_get(prediction, "batches")), groups = orr_batch_groups(prediction);
    orr_batch_tuned *best = ORR_NEW(out_arena, orr_batch_tuned, n);
    if (!best) return orr_fail(ctx, ORR_ENOMEM, "critical batch size: no memory to judge");
    ORR_TRY(ctx,
            orr_check_values_new(ctx, out_arena, checks,
                                 (int64_t)(groups * json_array_size(json_object_get(prediction, "points"))), values));
    for (size_t k = 0; k < groups; k++) {
        const orr_batch_group g = orr_batch_group_of(prediction, measurement, k);
        orr_batch_law law;
        double noise;
        ORR_TRY(ctx, orr_batch_group_fit(ctx, out_arena, &g, best, n, &law));
        orr_check_add(&values[RESIDUAL], law.residual_max);
        orr_check_add(&values[EXPONENT], law.exponent);
        if (!isfinite(law.exponent)) orr_check_add(&values[CRITICAL], (double)NAN);
        else if (mean_noise(&g, &best[n - 1], &noise)) orr_check_add(&values[CRITICAL], law.batch_critical / noise);
        for (size_t i = 0; i < json_array_size(json_object_get(prediction, "points")); i++)
            judge_point(&g, json_array_get(json_object_get(prediction, "points"), i), best[n - 1].steps, values);
    }
    return ORR_OK;
}

/* ---- figure ------------------------------------------------------------------------------------------------------------- */

typedef struct drawing {
    orr_context *ctx; /* for fits, and nothing else */
    orr_arena *arena;
    const json_t *prediction, *measurement;
    json_t *measured, *fitted, *predicted, *least; /* of the trade: rows { batch, steps, examples, learning_rate } */
    json_t *noise, *estimates, *critical;
} drawing;

static json_t *trade_row(double batch, double steps, double rate, const char *kind) {
    return json_pack("{s:f, s:f, s:f, s:o, s:s}", "batch", batch, "steps", steps, "examples", batch * steps,
                     "learning_rate", orr_json_real(rate), "kind", kind);
}

static void draw_fit(drawing *d, const orr_batch_law *law, double low, double high) {
    enum { LINE = 49 };
    for (int i = 0; i < LINE; i++) {
        const double batch = low / 2.0 * pow(4.0 * high / low, (double)i / (LINE - 1));
        orr_json_add(d->fitted, trade_row(batch, orr_batch_steps(law, batch), (double)NAN, "hyperbola, fitted"));
    }
    orr_json_row(d->least, "{s:f, s:f}", "steps", law->steps_min, "examples", law->examples_min);
    orr_json_row(d->critical, "{s:f}", "scale", law->batch_critical);
}

static void draw_exact(drawing *d) {
    const json_t *exact = json_object_get(d->prediction, "regression"), *batches = json_object_get(exact, "batches");
    const json_t *noise = json_object_get(exact, "noise"), *points = json_object_get(d->prediction, "points");
    static const char *const names[2][2] = { { "simple", "B_simple, predicted" },
                                             { "weighted", "B_noise, predicted" } };
    for (size_t i = 0; i < json_array_size(batches); i++) {
        const json_t *b = json_array_get(batches, i);
        orr_json_add(d->predicted, trade_row(orr_number_of(b, "batch"), orr_number_of(b, "steps"),
                                             orr_number_of(b, "learning_rate"), "predicted"));
    }
    for (size_t i = 0; i < json_array_size(points); i++) /* the way of the point that is observed, where one is */
        if (json_is_object(json_object_get(json_array_get(points, i), "noise")))
            noise = json_object_get(json_array_get(points, i), "noise");
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < json_array_size(json_object_get(noise, names[k][0])); i++)
            orr_json_row(d->noise, "{s:I, s:O, s:s}", "step", (json_int_t)i, "scale",
                         json_array_get(json_object_get(noise, names[k][0]), i), "kind", names[k][1]);
}

/* Estimates of a point at each record. */
static void draw_estimates(drawing *d, const orr_batch_group *all, const json_t *point, orr_noise_by by,
                           const char *kind) {
    const json_t *step = orr_noise_steps(all, point, by);
    for (size_t i = 0; i < json_array_size(step); i++) {
        const double scale = orr_noise_seen_at(all, point, by, i);
        if (!isnan(scale))
            orr_json_row(d->estimates, "{s:O, s:f, s:s}", "step", json_array_get(step, i), "scale", scale, "kind",
                         kind);
    }
}

static void draw_noise(drawing *d) {
    const json_t *points = json_object_get(d->prediction, "points");
    const orr_batch_group all = { d->prediction, d->measurement, 0,
                                  (size_t)json_integer_value(json_object_get(d->prediction, "seeds")) };
    double largest = 0.0;
    for (size_t i = 0; i < json_array_size(points); i++)
        largest = fmax(largest, orr_number_of(json_array_get(points, i), "batch"));
    for (size_t i = 0; i < json_array_size(points); i++) {
        const json_t *point = json_array_get(points, i);
        if (orr_number_of(point, "batch") != largest) continue;
        draw_estimates(d, &all, point, ORR_NOISE_BY_BATCHES, "B_simple, two batch sizes");
        draw_estimates(d, &all, point, ORR_NOISE_BY_EXAMPLES, "B_simple, single examples");
        draw_estimates(d, &all, point, ORR_NOISE_WEIGHTED, "B_noise, single examples");
    }
}

static orr_status draw(drawing *d) {
    const json_t *batches = json_object_get(d->prediction, "batches");
    const size_t n = json_array_size(batches), groups = orr_batch_groups(d->prediction);
    orr_batch_tuned *best = ORR_NEW(d->arena, orr_batch_tuned, n);
    if (!best) return orr_fail(d->ctx, ORR_ENOMEM, "critical batch size: no memory for a figure");
    for (size_t k = 0; k < groups; k++) {
        const orr_batch_group g = orr_batch_group_of(d->prediction, d->measurement, k);
        orr_batch_law law;
        ORR_TRY(d->ctx, orr_batch_group_fit(d->ctx, d->arena, &g, best, n, &law));
        for (size_t i = 0; i < n; i++)
            if (best[i].point)
                orr_json_add(d->measured, trade_row(best[i].batch, best[i].steps, best[i].learning_rate, "measured"));
        if (json_array_size(d->fitted) == 0 && isfinite(law.batch_critical))
            draw_fit(d, &law, orr_number_at(batches, 0), orr_number_at(batches, n - 1));
    }
    draw_exact(d);
    draw_noise(d);
    return ORR_OK;
}

static void add_panels(const drawing *d, json_t *panels) {
    orr_json_add(
        panels, orr_page_panel("batch_trade", "Updates against examples",
                               "Each point is a batch size with its best learning rate, for each group of seeds. Line: "
                               "the hyperbola, fitted; "
                               "dotted: what no batch size goes below. Crosses: predicted, where it can be.",
                               "Updates to the target loss against examples to it, by batch size.", true,
                               json_pack("{s:O, s:O, s:O, s:O}", "measured", d->measured, "fitted", d->fitted,
                                         "predicted", d->predicted, "least", d->least)));
    orr_json_add(panels,
                 orr_page_panel("batch_rate", "The best learning rate", "It grows with the batch size, then saturates.",
                                "Best learning rate against batch size.", false,
                                json_pack("{s:O, s:O}", "measured", d->measured, "predicted", d->predicted)));
    if (json_array_size(d->noise) + json_array_size(d->estimates) > 0)
        orr_json_add(panels, orr_page_panel(
                                 "noise_scale", "The gradient noise scale along training",
                                 "Dashed: the critical batch size that was fitted. Points: estimates, sums over seeds.",
                                 "Gradient noise scales against updates, with the critical batch size.", false,
                                 json_pack("{s:O, s:O, s:O}", "predicted", d->noise, "estimates", d->estimates,
                                           "critical", d->critical)));
}

static json_t *figure(const json_t *prediction, const json_t *measurement) {
    drawing d = { .prediction = prediction, .measurement = measurement };
    json_t **rows[] = { &d.measured, &d.fitted, &d.predicted, &d.least, &d.noise, &d.estimates, &d.critical };
    json_t *panels = json_array();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) *rows[i] = json_array();
    orr_status status = orr_context_new(&(orr_context_options){ .threads = 1 }, &d.ctx);
    if (status == ORR_OK) status = orr_arena_new(d.ctx, &d.arena);
    if (status == ORR_OK) status = draw(&d);
    if (status == ORR_OK) add_panels(&d, panels);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) json_decref(*rows[i]);
    orr_arena_free(d.arena);
    orr_context_free(d.ctx);
    return panels;
}

const orr_law orr_law_critical_batch_size = {
    .id = "critical-batch-size",
    .title = "The critical batch size",
    .statement = "Larger batches save updates only up to a critical size, which the gradient noise scale sets; updates "
                 "and examples to "
                 "a loss lie on a hyperbola.",
    .equation = "S(B) = S_{\\min}\\left(1 + \\frac{B_{\\mathrm{crit}}}{B}\\right),\\quad E(B) = B\\,S(B),\\qquad "
                "B_{\\mathrm{noise}} = \\frac{\\operatorname{tr} H\\Sigma}{G^\\top H G}",
    .section = "2.4",
    .sources = "McCandlish et al. 2018 (arXiv 1812.06162); Ma, Bassily, Belkin 2018 (1712.06559); Shallue et al. 2019 "
               "(1811.03600)",
    .breaks_along = "data.noise=0.0632:0.632:5,log",
    .regime = regime,
    .checks = checks,
    .defaults = orr_law_yaml_critical_batch_size,
    .defaults_size = &orr_law_yaml_critical_batch_size_size,
    .predict = predict,
    .measure = measure,
    .judge = judge,
    .figure = figure,
};
