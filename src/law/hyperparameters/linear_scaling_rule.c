/* The linear scaling rule: batch and learning rate multiplied by the same factor leave training at equal numbers of examples as it
 * is, as long as a step is small against the curvature.
 *
 *     dw = -grad L dt + sqrt(tau) C^{1/2} dW,   tau = eta/B,  t = eta k      SGD knows eta and B by tau alone
 *
 * Two things are tested.  On linear regression with Gaussian inputs the moments of SGD are known for any batch
 * (theory/sgd_moments.h): the mean loss of training is compared with them, and shown beside the limit of small steps.  On any
 * other network, runs of one tau are predicted to have one curve of losses, and a control whose rate was not scaled another.
 *
 *   paper   here                meaning                                                       unit
 *   B       batch               examples an update
 *   eta     learning_rate       of the mean over a batch; with momentum beta eta/(1 - beta)   parameter^2 / loss
 *   tau     temperature         eta/B                                                         parameter^2 / loss
 *   lambda_max   sharpness      largest curvature, at the initial parameters                  loss / parameter^2
 *
 * Sources: Goyal et al. 2017 (1706.02677); Li, Tai, E 2019 (1811.01558); Smith et al. 2018 (1711.00489); Li, Malladi, Arora 2021
 * (2102.12470).  Sheet: laws/hyperparameters/linear-scaling-rule.md */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "lab/training.h"
#include "law/conditions.h"
#include "law/grouping.h"
#include "law/hyperparameters/batch_regression.h"
#include "law/law.h"
#include "law/measuring.h"
#include "law/predicting.h"
#include "law/start.h"
#include "report/page.h"

extern const char orr_law_yaml_linear_scaling_rule[];
extern const size_t orr_law_yaml_linear_scaling_rule_size;

static orr_status no_memory(orr_context *ctx) {
    return orr_fail(ctx, ORR_ENOMEM, "linear scaling rule: out of memory");
}

static int64_t batch_of(const orr_point *p, const orr_problem *problem) {
    return orr_training_batch(&p->rule_settings, problem->data.n);
}

/* eta of the mean over a batch: a sum over it is as many times more, and momentum adds up to 1/(1 - beta). */
static double rate_of(const orr_point *p, const orr_problem *problem) {
    const orr_settings *s = &p->rule_settings;
    const bool momentum = orr_settings_has(s, "momentum");
    const bool summed =
        orr_settings_has(&p->task_settings, "examples") && orr_settings_say(&p->task_settings, "examples", "sum");
    return orr_real(s, "learning_rate") * (summed ? (double)batch_of(p, problem) : 1.0) *
           (momentum ? (1.0 - orr_real(s, "dampening")) / (1.0 - orr_real(s, "momentum")) : 1.0);
}

/* ---- what a point is ---------------------------------------------------------------------------------------------------- */

/* Linear regression whose moments are known: one layer on Gaussian inputs, fresh in each update, its loss recorded. */
static bool is_regression(const orr_point *p) {
    int64_t hidden;
    if (strcmp(p->architecture->kind.name, "linear") != 0 || strcmp(p->data->kind.name, "gaussian") != 0 ||
        strcmp(p->task->kind.name, "mse") != 0)
        return false;
    (void)orr_ints(&p->architecture_settings, "widths", &hidden);
    const orr_settings *rule = &p->rule_settings;
    const orr_observation *excess = orr_point_observation(p, "excess-loss");
    return hidden == 0 && orr_settings_say(&p->data_settings, "targets", "linear") &&
           orr_settings_say(rule, "sampling", "online") &&
           (!orr_settings_has(rule, "momentum") || orr_real(rule, "momentum") == 0.0) &&
           orr_real(&p->task_settings, "ridge") == 0.0 && orr_real(&p->task_settings, "target_scale") == 1.0 &&
           !orr_flag(&p->parameterization_settings, "centred") && excess && orr_is_periodic(excess);
}

/* The loss of one run scatters by up to 0.08 of its start (default experiment, simulated), for 20 outputs together by half: so
 * many seeds bring their mean to 0.006, a third of the tolerance. */
enum { SEEDS_MIN = 48, SAMPLES_MIN = 192, OUTPUTS_THAT_COUNT = 4 };

static bool has_enough_seeds(int64_t seeds, const orr_problem *problem) {
    const int64_t outputs = problem->signature.outputs;
    return seeds >= SEEDS_MIN && seeds * (outputs < OUTPUTS_THAT_COUNT ? outputs : OUTPUTS_THAT_COUNT) >= SAMPLES_MIN;
}

/* What the rule scales, and when it looks. */
static const char *const scaled_settings[] = { "name",           "rule.learning_rate",
                                               "rule.batch",     "rule.momentum",
                                               "rule.dampening", "rule.nesterov",
                                               "steps",          "epochs",
                                               "observe",        NULL };

/* reference[n_points]: the point of the smallest batch among those that differ from a point by the rule alone. */
static orr_status find_references(orr_context *ctx, orr_arena *out_arena, const orr_premises *in, int64_t **reference) {
    const orr_experiment *e = in->experiment;
    int64_t *first;
    ORR_TRY(ctx, orr_points_alike(ctx, out_arena, in, scaled_settings, &first));
    *reference = ORR_NEW(out_arena, int64_t, e->n_points);
    if (!*reference) return no_memory(ctx);
    for (int64_t i = 0; i < e->n_points; i++) {
        int64_t least = i;
        for (int64_t j = 0; j < e->n_points; j++)
            if (first[j] == first[i] && batch_of(&e->points[j], in->problems[j * e->seeds]) <
                                            batch_of(&e->points[least], in->problems[least * e->seeds]))
                least = j;
        (*reference)[i] = least;
    }
    return ORR_OK;
}

typedef enum part { REFERENCE = 0, SCALED, CONTROL, OTHER } part;
static const char *const part_words[] = { "reference", "scaled", "control", "other" };

/* A control keeps the rate where the batch is 16 times larger, or differs as much: the sheet's is 16. */
static part part_of(const orr_premises *in, int64_t i, int64_t reference) {
    const orr_experiment *e = in->experiment;
    const orr_problem *problem = in->problems[i * e->seeds], *first = in->problems[reference * e->seeds];
    const double ratio = rate_of(&e->points[i], problem) / (double)batch_of(&e->points[i], problem) /
                         (rate_of(&e->points[reference], first) / (double)batch_of(&e->points[reference], first));
    if (i == reference) return REFERENCE;
    if (fabs(ratio - 1.0) < 1e-6) return SCALED;
    return ratio < (1.0 + 1e-6) / 16.0 ? CONTROL : OTHER;
}

/* ---- how large a step is ------------------------------------------------------------------------------------------------- */

/* A step that overshoots along the sharpest direction, eta lambda_max > 1, is not small. */
static const double small_step = 1.0;

/* lambda_max of linear regression, in the units of rate_of. */
static orr_status largest_curvature(orr_context *ctx, const orr_premises *in, int64_t point, double *out) {
    const double rate = rate_of(&in->experiment->points[point], in->problems[point * in->experiment->seeds]);
    orr_batch_regression g;
    orr_arena *arena;
    ORR_TRY(ctx, orr_arena_new(ctx, &arena));
    const orr_status status = orr_batch_regression_of(ctx, arena, in, point, &g);
    *out = 0.0;
    for (int64_t j = 0; status == ORR_OK && j < g.r.n; j++) *out = fmax(*out, g.r.curvature[j]);
    if (status == ORR_OK) *out = *out * (rate * g.rate) / rate;
    orr_arena_free(arena);
    return status;
}

/* Of the mean over examples: the largest curvature of linear regression; else the largest sharpness at the initial parameters of
 * the first seeds, which is much the same for all. */
static orr_status initial_sharpness(orr_context *ctx, const orr_premises *in, int64_t point, double *largest) {
    const orr_experiment *e = in->experiment;
    const orr_settings *task = &e->points[point].task_settings;
    const bool summed = orr_settings_has(task, "examples") && orr_settings_say(task, "examples", "sum");
    orr_status status = ORR_OK;
    orr_start start = { 0 };
    *largest = 0.0;
    if (is_regression(&e->points[point])) return largest_curvature(ctx, in, point, largest);
    for (int64_t seed = 0; status == ORR_OK && seed < e->seeds && seed < 8; seed++) {
        const double n = summed ? (double)in->problems[point * e->seeds + seed]->data.n : 1.0;
        double sharpness;
        ORR_TRY_DONE(ctx, orr_premises_tick(in));
        ORR_TRY_DONE(ctx, orr_start_at(ctx, in, point, seed, false, &start));
        ORR_TRY_DONE(ctx, orr_start_sharpness(ctx, &start, &sharpness));
        *largest = orr_larger(*largest, sharpness / n);
    }
done:
    orr_start_end(&start);
    return status;
}

/* What the law says of a point: whether a check is for it, and whether its step is small. */
typedef struct step_size {
    part part;
    int64_t reference;
    bool speaks, small;
    double sharpness;
} step_size;

/* (*out)[n_points].  Points of one reference have one loss, whose sharpness is computed once. */
static orr_status step_sizes(orr_context *ctx, orr_arena *out_arena, const orr_premises *in, step_size **out) {
    const orr_experiment *e = in->experiment;
    int64_t *reference;
    ORR_TRY(ctx, find_references(ctx, out_arena, in, &reference));
    *out = ORR_NEW(out_arena, step_size, e->n_points);
    if (!*out) return no_memory(ctx);
    for (int64_t i = 0; i < e->n_points; i++) {
        const orr_problem *problem = in->problems[i * e->seeds];
        const bool regression = is_regression(&e->points[i]);
        step_size *s = &(*out)[i];
        int64_t same = 0;
        s->reference = reference[i];
        s->part = part_of(in, i, s->reference);
        while (same < i && (regression || reference[same] != reference[i])) same++;
        if (same < i) s->sharpness = (*out)[same].sharpness;
        else ORR_TRY(ctx, initial_sharpness(ctx, in, i, &s->sharpness));
        s->speaks = regression ? has_enough_seeds(e->seeds, problem) : s->part == SCALED;
        s->small = rate_of(&e->points[i], problem) * s->sharpness <= small_step;
    }
    return ORR_OK;
}

/* ---- regime ------------------------------------------------------------------------------------------------------------- */

static bool is_gradient_descent(orr_arena *out_arena, const orr_point *p, const orr_problem *problem,
                                const char **why) {
    const char *rule = p->rule->kind.name;
    (void)problem;
    *why = orr_arena_format(out_arena, "the rule is %s", rule);
    return strcmp(rule, "sgd") == 0 || strcmp(rule, "gd") == 0;
}

static const orr_observation *loss_of(const orr_point *p) { return orr_point_observation(p, "loss"); }

static bool is_observed(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    (void)problem;
    *why = orr_arena_string(out_arena, "observe needs { kind: loss, every: ... }");
    return is_regression(p) || (loss_of(p) && orr_is_periodic(loss_of(p)));
}

/* Updates of one point at which its examples are also a multiple of the other's: the distance in records of both. */
static bool common_distance(const orr_premises *in, int64_t i, int64_t j, int64_t *steps_i, int64_t *steps_j,
                            int64_t *count) {
    const orr_experiment *e = in->experiment;
    const orr_point *a = &e->points[i], *b = &e->points[j];
    const int64_t batch_a = batch_of(a, in->problems[i * e->seeds]), batch_b = batch_of(b, in->problems[j * e->seeds]);
    const int64_t every_a = orr_int(&loss_of(a)->settings, "every"), every_b = orr_int(&loss_of(b)->settings, "every");
    int64_t x = batch_a * every_a, y = batch_b * every_b;
    assert(x > 0 && y > 0);
    while (y) { /* greatest common divisor */
        const int64_t rest = x % y;
        x = y, y = rest;
    }
    *steps_i = every_a * (batch_b * every_b / x);
    *steps_j = every_b * (batch_a * every_a / x);
    *count = a->steps / *steps_i < b->steps / *steps_j ? a->steps / *steps_i : b->steps / *steps_j;
    return *count >= 8;
}

/* There is something to compare: a pair of one tau, or moments. */
static orr_status has_pairs(orr_context *ctx, orr_arena *out_arena, const orr_premises *in, bool *holds,
                            const char **why) {
    const orr_experiment *e = in->experiment;
    bool found = false;
    int64_t *references;
    ORR_TRY(ctx, find_references(ctx, out_arena, in, &references));
    *holds = true;
    for (int64_t i = 0; i < e->n_points && *holds; i++) {
        int64_t steps_i, steps_j, count;
        if (is_regression(&e->points[i])) {
            found = found || has_enough_seeds(e->seeds, in->problems[i * e->seeds]);
            continue;
        }
        const int64_t reference = references[i];
        const part what = part_of(in, i, reference);
        found = found || what == SCALED;
        if (what != SCALED && what != CONTROL) continue;
        *holds = common_distance(in, i, reference, &steps_i, &steps_j, &count);
        *why = orr_arena_format(out_arena, "%s and %s have %lld records at equal numbers of examples",
                                e->points[i].name, e->points[reference].name, (long long)count);
    }
    if (!*holds || found) return ORR_OK;
    *holds = false;
    *why =
        orr_arena_string(out_arena, "no two points of the sweep have the same rate over batch and are equal else; nor "
                                    "is there linear regression with an excess-loss and 48 seeds");
    return ORR_OK;
}

static orr_status some_are_small(orr_context *ctx, orr_arena *out_arena, const orr_premises *in, bool *holds,
                                 const char **why) {
    const int64_t n = in->experiment->n_points;
    step_size *s;
    ORR_TRY(ctx, step_sizes(ctx, out_arena, in, &s));
    *holds = false;
    for (int64_t i = 0; i < n; i++) *holds = *holds || (s[i].speaks && s[i].small);
    *why = orr_arena_string(out_arena, "the rate times the initial sharpness is above 1 at all of them");
    return ORR_OK;
}

static const orr_condition regime[] = {
    { "the rule is sgd or gd", .point = is_gradient_descent },
    { "batches are drawn with replacement, or of fresh examples", .point = orr_draws_independently, .beyond = true },
    { "the learning rate is constant", .point = orr_has_constant_rate, .beyond = true },
    { "the rule is without decay and clipping", .point = orr_is_bare_rule, .beyond = true },
    { "no run ends before its last update", .point = orr_runs_to_its_end },
    { "the loss is observed at a constant distance", .point = is_observed },
    { "points of one rate over batch are compared, 8 times or more at equal numbers of examples", .check = has_pairs },
    { "the step is small at one or more scaled points: learning rate times initial sharpness at most 1",
      .check = some_are_small, .beyond = true },
    { 0 },
};

/* ---- prediction: moments of linear regression --------------------------------------------------------------------------- */

/* Excess loss at each record by the exact recursion and in the limit: adds { step, exact, limit } to the point. */
static orr_status predict_moments(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point,
                                  json_t *out) {
    const orr_point *p = &in->experiment->points[point];
    const orr_problem *problem = in->problems[point * in->experiment->seeds];
    const orr_observation *excess = orr_point_observation(p, "excess-loss");
    const int64_t every = orr_int(&excess->settings, "every"), count = orr_observed_updates(p, excess, NULL);
    const double batch = (double)batch_of(p, problem);
    double *step = ORR_NEW(scratch, double, count), *time = ORR_NEW(scratch, double, count),
           *exact = ORR_NEW(scratch, double, count), *limit = ORR_NEW(scratch, double, count);
    orr_batch_regression g;
    if (!step || !time || !exact || !limit) return no_memory(ctx);
    ORR_TRY(ctx, orr_batch_regression_of(ctx, scratch, in, point, &g));
    const double eta = rate_of(p, problem) * g.rate;
    (void)orr_observed_updates(p, excess, step);
    for (int64_t s = 0; s < count; s++) time[s] = eta * step[s];
    ORR_TRY(ctx, orr_sgd_limit_loss(ctx, scratch, &g.r, eta / batch, g.m_0, count, time, limit));
    for (int64_t s = 0; s < count; s++) {
        exact[s] = g.scale * orr_sgd_excess_loss(&g.r, g.m_0);
        limit[s] *= g.scale;
        for (int64_t k = 0; k < every; k++) orr_sgd_moments_step(&g.r, eta, batch, g.m_0);
    }
    json_t *rows = json_pack("{s:f, s:o, s:o, s:o}", "eta", eta, "step", orr_json_reals(step, count), "exact",
                             orr_json_reals(exact, count), "limit", orr_json_reals(limit, count));
    const bool failed = json_object_update(out, rows) != 0;
    json_decref(rows);
    return failed ? no_memory(ctx) : ORR_OK;
}

/* ---- prediction: pairs -------------------------------------------------------------------------------------------------- */

/* Adds { reference, every, reference_every, count } to a point that is compared. */
static orr_status predict_pair(orr_context *ctx, const orr_premises *in, int64_t point, int64_t reference,
                               json_t *out) {
    int64_t steps, reference_steps, count;
    (void)common_distance(in, point, reference, &steps, &reference_steps, &count);
    json_t *rows = json_pack("{s:I, s:I, s:I, s:I}", "reference", (json_int_t)reference, "every", (json_int_t)steps,
                             "reference_every", (json_int_t)reference_steps, "count", (json_int_t)count);
    const bool failed = json_object_update(out, rows) != 0;
    json_decref(rows);
    return failed ? no_memory(ctx) : ORR_OK;
}

/* The loss over test examples where they are there and looked at. */
static const char *series_of(const orr_point *p, const orr_problem *problem) {
    const orr_observation *o = loss_of(p);
    return problem->data.n_test && o && !orr_settings_say(&o->settings, "part", "train") ? "loss_test" : "loss";
}

/* What the law says of all points, and whether it says of one at least that its step is small. */
typedef struct sizes {
    step_size *point;
    bool some_small;
} sizes;

/* Points whose step is small are judged; where none is (past the regime) all are.  A control is judged whatever its step. */
static bool is_judged(const sizes *s, const orr_point *p, int64_t i) {
    const step_size *size = &s->point[i];
    return (size->speaks && (size->small || !s->some_small)) || (size->part == CONTROL && !is_regression(p));
}

static orr_status predict_point(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point,
                                const void *known, json_t **out) {
    const sizes *all = known;
    const step_size *size = &all->point[point];
    const orr_point *p = &in->experiment->points[point];
    const orr_problem *problem = in->problems[point * in->experiment->seeds];
    *out = json_pack("{s:s, s:I, s:f, s:o, s:s, s:s, s:b}", "point", p->name, "batch", (json_int_t)batch_of(p, problem),
                     "learning_rate", rate_of(p, problem), "sharpness", orr_json_real(size->sharpness), "series",
                     series_of(p, problem), "part", is_regression(p) ? "regression" : part_words[size->part], "judged",
                     (int)is_judged(all, p, point));
    if (is_regression(p)) return predict_moments(ctx, scratch, in, point, *out);
    return size->part == OTHER ? ORR_OK : predict_pair(ctx, in, point, size->reference, *out);
}

static orr_status predict(orr_context *ctx, orr_arena *scratch, const orr_premises *in, json_t **prediction) {
    sizes s = { 0 };
    ORR_TRY(ctx, step_sizes(ctx, scratch, in, &s.point));
    for (int64_t i = 0; i < in->experiment->n_points; i++)
        s.some_small = s.some_small || (s.point[i].speaks && s.point[i].small);
    return orr_predict_each(ctx, scratch, in, "linear-scaling-rule", predict_point, &s, prediction);
}

/* ---- measurement -------------------------------------------------------------------------------------------------------- */

static orr_status measure_run(orr_context *ctx, orr_arena *scratch, const orr_records *records, int64_t point,
                              int64_t seed, json_t **out) {
    static const char *const names[] = { "loss", "loss_test", "excess_loss", NULL };
    return orr_measure_series(ctx, scratch, records, point, seed, names, out);
}

static orr_status measure(orr_context *ctx, orr_arena *scratch, const orr_records *records, json_t **measurement) {
    return orr_measure_runs(ctx, scratch, records, measure_run, measurement);
}

/* ---- judgement ---------------------------------------------------------------------------------------------------------- */

/* ORDER checks: in `judge` */
static const orr_check checks[] = {
    /* all tolerances: sheet, Agreement */
    { "scaled rate: rms relative difference of losses from the smallest batch's", 0.0, 0.1 },
    { "rate not scaled: the same difference", 1.0, (double)INFINITY },
    { "linear regression: largest |mean excess loss less exact|, over the initial", 0.0, 0.02 },
    { 0 },
};
enum { PAIRS, CONTROLS, MOMENTS };

/* The mean over seeds first, first + stride, ... of a series at a step, record number `at`; NaN where one hasn't got it. */
static double mean_at(const json_t *runs, const char *name, size_t first, size_t stride, double step) {
    double sum = 0.0, n = 0.0;
    for (size_t seed = first; seed < json_array_size(runs); seed += stride, n++) {
        const json_t *series = json_object_get(json_array_get(runs, seed), name), *k = json_object_get(series, "step");
        const double every = orr_number_at(k, 1);
        const size_t at = every > 0.0 ? (size_t)(step / every + 0.5) : 0; /* records are at a constant distance */
        sum += orr_number_at(k, at) == step ? orr_number_at(json_object_get(series, "value"), at) : (double)NAN;
    }
    return sum / n;
}

/* rms over common records after the start of (L - L_ref)/L_ref, L means over a group of seeds. */
static double difference_of(const json_t *point, const json_t *runs, const json_t *reference_runs, size_t first,
                            size_t stride) {
    const char *name = json_string_value(json_object_get(point, "series"));
    const double count = orr_number_of(point, "count");
    double squares = 0.0;
    for (int64_t k = 1; k <= (int64_t)count; k++) {
        const double i = (double)k, loss = mean_at(runs, name, first, stride, i * orr_number_of(point, "every")),
                     other = mean_at(reference_runs, name, first, stride, i * orr_number_of(point, "reference_every"));
        squares += (loss - other) * (loss - other) / (other * other);
    }
    return sqrt(squares / count);
}

/* Largest |mean over seeds - predicted|/predicted at the start; `of` is "exact" or "limit". */
static double distance_of(const json_t *point, const json_t *runs, const char *of) {
    const json_t *step = json_object_get(point, "step"), *predicted = json_object_get(point, of);
    double largest = 0.0;
    for (size_t i = 0; i < json_array_size(step); i++) {
        const double d =
            fabs(mean_at(runs, "excess_loss", 0, 1, orr_number_at(step, i)) - orr_number_at(predicted, i)) /
            orr_number_at(predicted, 0);
        largest = orr_larger(largest, d);
    }
    return json_array_size(step) && json_array_size(runs) ? largest : (double)NAN;
}

static bool is_part(const json_t *point, const char *what) {
    return strcmp(json_string_value(json_object_get(point, "part")), what) == 0;
}

/* Curves are compared as means over three groups of seeds: of one each, where there are three.  Moments are means over all seeds:
 * a value for each point. */
enum { GROUPS = 3 };

static orr_status judge(orr_context *ctx, orr_arena *out_arena, const json_t *prediction, const json_t *measurement,
                        orr_check_values *values) {
    const json_t *points = json_object_get(prediction, "points");
    ORR_TRY(ctx, orr_check_values_new(ctx, out_arena, checks, (int64_t)json_array_size(points) * GROUPS, values));
    for (size_t i = 0; i < json_array_size(points); i++) {
        const json_t *point = json_array_get(points, i), *runs = json_array_get(measurement, i);
        if (!json_is_true(json_object_get(point, "judged"))) continue;
        if (is_part(point, "regression")) {
            orr_check_add(&values[MOMENTS], distance_of(point, runs, "exact"));
            continue;
        }
        const json_t *reference =
            json_array_get(measurement, (size_t)json_integer_value(json_object_get(point, "reference")));
        for (size_t group = 0; group < GROUPS; group++)
            orr_check_add(&values[is_part(point, "control") ? CONTROLS : PAIRS],
                          difference_of(point, runs, reference, group, GROUPS));
    }
    return ORR_OK;
}

/* ---- figure ------------------------------------------------------------------------------------------------------------- */

/* Mean curves: loss against examples, or loss against eta k with the exact one beside it. */
static void add_curve(const json_t *point, const json_t *runs, json_t *losses, json_t *excesses, json_t *exact) {
    const bool regression = is_part(point, "regression");
    const char *name = regression ? "excess_loss" : json_string_value(json_object_get(point, "series"));
    const json_t *step = json_object_get(json_object_get(json_array_get(runs, 0), name), "step"),
                 *label = json_object_get(point, "point");
    const double unit = orr_number_of(point, regression ? "eta" : "batch");
    for (size_t i = 0; i < json_array_size(step); i++) {
        const double k = orr_number_at(step, i);
        orr_json_row(regression ? excesses : losses, "{s:o, s:o, s:O}", "x", orr_json_real(k * unit), "loss",
                     orr_json_real(mean_at(runs, name, 0, 1, k)), "label", label);
        if (regression)
            orr_json_row(exact, "{s:o, s:O, s:O}", "x", orr_json_real(k * unit), "loss",
                         json_array_get(json_object_get(point, "exact"), i), "label", label);
    }
}

static void add_row(json_t *rows, const json_t *point, const char *what, double deviation) {
    orr_json_row(rows, "{s:o, s:o, s:s, s:O}", "step",
                 orr_json_real(orr_number_of(point, "learning_rate") * orr_number_of(point, "sharpness")), "deviation",
                 orr_json_real(deviation), "label", what, "point", json_object_get(point, "point"));
}

/* The largest |exact - limit| over the initial. */
static double predicted_distance(const json_t *point) {
    const json_t *exact = json_object_get(point, "exact"), *limit = json_object_get(point, "limit");
    double largest = 0.0;
    for (size_t i = 0; i < json_array_size(exact); i++)
        largest = fmax(largest, fabs(orr_number_at(exact, i) - orr_number_at(limit, i)) / orr_number_at(limit, 0));
    return largest;
}

/* Deviations from the rule against eta lambda_max. */
static void add_deviations(const json_t *point, const json_t *runs, const json_t *measurement, json_t *predicted,
                           json_t *measured) {
    if (is_part(point, "regression")) {
        add_row(predicted, point, "linear regression: loss from the limit", predicted_distance(point));
        add_row(measured, point, "linear regression: loss from the limit", distance_of(point, runs, "limit"));
    }
    const json_t *reference =
        json_array_get(measurement, (size_t)json_integer_value(json_object_get(point, "reference")));
    for (size_t group = 0; group < GROUPS && is_part(point, "scaled"); group++)
        add_row(measured, point, "network: loss from the smallest batch's",
                difference_of(point, runs, reference, group, GROUPS));
}

/* (new) The tolerance of networks, from the smallest step shown to one that isn't small any more. */
static json_t *tolerance_of(const json_t *measured) {
    double from = small_step;
    for (size_t i = 0; i < json_array_size(measured); i++)
        from = fmin(from, orr_number_of(json_array_get(measured, i), "step"));
    return json_pack("[{s:f, s:f, s:f}]", "from", from, "to", small_step, "high", checks[PAIRS].high);
}

static json_t *figure(const json_t *prediction, const json_t *measurement) {
    const json_t *points = json_object_get(prediction, "points");
    json_t *panels = json_array(), *losses = json_array(), *excesses = json_array(), *exact = json_array(),
           *predicted = json_array(), *measured = json_array();
    for (size_t i = 0; i < json_array_size(points); i++) {
        const json_t *point = json_array_get(points, i), *runs = json_array_get(measurement, i);
        add_curve(point, runs, losses, excesses, exact);
        add_deviations(point, runs, measurement, predicted, measured);
    }
    orr_page_add_panel(panels, losses,
                       orr_page_panel("scaling_rule", "One curve for all batches whose rate is scaled along",
                                      "Mean over seeds. The control keeps the rate of the smallest batch.",
                                      "Loss against examples seen, for each batch.", true,
                                      json_pack("{s:o}", "measured", losses)));
    orr_page_add_panel(panels, excesses,
                       orr_page_panel("scaling_regression", "Linear regression: the moments are exact",
                                      "Lines: exact recursion for the mean. Points: training, mean over seeds.",
                                      "Excess loss against time for each batch, predicted and measured.", false,
                                      json_pack("{s:o, s:o}", "predicted", exact, "measured", excesses)));
    orr_json_add(
        panels,
        orr_page_panel(
            "scaling_deviation", "The rule bends with the step, then breaks",
            "Deviation against \u03b7 \u03bb_max. Line: predicted, slope 1. Shaded: tolerance of networks, up to "
            "\u03b7 \u03bb_max = 1.",
            "Deviation from the rule against the step.", false,
            json_pack("{s:o, s:o, s:o}", "predicted", predicted, "measured", measured, "tolerance",
                      tolerance_of(measured))));
    return panels;
}

const orr_law orr_law_linear_scaling_rule = {
    .id = "linear-scaling-rule",
    .title = "The linear scaling rule",
    .statement =
        "Multiplying batch and learning rate by the same factor leaves training at equal numbers of examples as it is, "
        "as long as a step is small against the curvature.",
    .equation = "\\begin{aligned} m_i(k+1) &= (1-\\eta\\lambda_i)^2 m_i(k) + \\tfrac{\\eta^2}{B}\\left(\\lambda_i^2 "
                "m_i + \\lambda_i "
                "\\textstyle\\sum_j \\lambda_j m_j + \\sigma^2 \\lambda_i\\right) \\\\ (B, \\eta) &\\sim (\\kappa B, "
                "\\kappa\\eta) \\end{aligned}",
    .section = "2.4",
    .sources =
        "Goyal et al. 2017 (arXiv 1706.02677); Li, Tai, E 2019 (1811.01558); Smith et al. 2018 (1711.00489); Li, "
        "Malladi, Arora 2021 (2102.12470)",
    .breaks_along = "task.factor=0.5:32:7,log",
    .regime = regime,
    .checks = checks,
    .defaults = orr_law_yaml_linear_scaling_rule,
    .defaults_size = &orr_law_yaml_linear_scaling_rule_size,
    .predict = predict,
    .measure = measure,
    .judge = judge,
    .figure = figure,
};
