/* Maximal updates: among all ways in which initialisation and learning rates can go with the width n, one keeps every layer's
 * activations and their changes of order one, and under it the best learning rate stays where it is.
 *
 *     mean |h^l(k) - h^l(0)| ~ n^{d_l}, and so the output:  d_l = 0 under muP;  standard, SGD -1/2, 1/2, .., 1, Adam 0, 1, .., 3/2
 *     best learning rate ~ n^{-max_l u_l}, u_l of each layer's own update: n^0 under muP, 1/n under standard
 *
 *   paper           here           meaning                                                      unit
 *   n               widths         of the points of a group, which differ in nothing else
 *   a_l, b_l, c_l   scaling_of     exponents of multiplier, deviation, rate: read off the group's own tensors
 *   d_l             first, later   slopes after the first update, and after some                 1
 *   R               r              features change as n^-R                                       1
 *
 * Points that differ in width and learning rate alone make a group.  What is measured is averaged over seeds, as in the sheet: the
 * narrowest network of one seed is 20% off by itself.
 * Sources: Yang, Hu 2021 (2011.14522); Yang et al. 2022 (2203.03466).  Sheet: laws/hyperparameters/mup-transfer.md */
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "law/conditions.h"
#include "law/grouping.h"
#include "law/hyperparameters/mup_transfer.h"
#include "law/law.h"
#include "law/measuring.h"
#include "report/page.h"
#include "theory/width_scaling.h"

extern const char orr_law_yaml_mup_transfer[];
extern const size_t orr_law_yaml_mup_transfer_size;

static const char change_prefix[] = "feature_change.";
enum { WIDTHS_MIN = 3, RATES_MIN = 3 };

static orr_status no_memory(orr_context *ctx) { return orr_fail(ctx, ORR_ENOMEM, "mup-transfer: no memory"); }

static double rate_of(const orr_point *p) { return orr_real(&p->rule_settings, "learning_rate"); }
static bool is_changing(const orr_point *p) { /* its features' changes are recorded */
    const orr_observation *o = orr_point_observation(p, "feature-drift");
    return o && orr_flag(&o->settings, "absolute");
}

/* ---- groups: points that differ in width and learning rate alone --------------------------------------------------------- */

typedef struct width_group {
    const orr_experiment *e;
    int64_t *point; /* [n], by ascending width and rate */
    int64_t n, widths, rates;
    double *width, *rate; /* [widths], [rates]: ascending */
} width_group;

static double width_at(const orr_premises *in, int64_t point) {
    return (double)in->problems[point * in->experiment->seeds]->network.width;
}

/* The group of the points whose first is `at`. */
static orr_status gather(orr_context *ctx, orr_arena *arena, const orr_premises *in, const int64_t *first, int64_t at,
                         width_group *out) {
    const orr_experiment *e = in->experiment;
    *out = (width_group){ .e = e,
                          .point = ORR_NEW(arena, int64_t, e->n_points),
                          .width = ORR_NEW(arena, double, e->n_points),
                          .rate = ORR_NEW(arena, double, e->n_points) };
    if (!out->point || !out->width || !out->rate) return no_memory(ctx);
    for (int64_t i = at; i < e->n_points; i++) {
        if (first[i] != at) continue;
        out->point[out->n++] = i;
        orr_insert_ascending(out->width, &out->widths, width_at(in, i));
        orr_insert_ascending(out->rate, &out->rates, rate_of(&e->points[i]));
    }
    return ORR_OK;
}

/* The group's point of a width and a rate; -1 where there is none. */
static int64_t point_at(const orr_premises *in, const width_group *g, int64_t w, int64_t r) {
    for (int64_t i = 0; i < g->n; i++)
        if (width_at(in, g->point[i]) == g->width[w] && rate_of(&g->e->points[g->point[i]]) == g->rate[r])
            return g->point[i];
    return -1;
}

/* All groups, in the order of their first points. */
static orr_status find_groups(orr_context *ctx, orr_arena *arena, const orr_premises *in, width_group **out,
                              int64_t *n) {
    static const char *const but[] = { "name", "width", "rule.learning_rate", NULL };
    int64_t *first;
    ORR_TRY(ctx, orr_points_alike(ctx, arena, in, but, &first));
    *n = 0;
    *out = ORR_NEW(arena, width_group, in->experiment->n_points);
    if (!*out) return no_memory(ctx);
    for (int64_t i = 0; i < in->experiment->n_points; i++)
        if (first[i] == i) ORR_TRY(ctx, gather(ctx, arena, in, first, i, &(*out)[(*n)++]));
    return ORR_OK;
}

/* ---- regime ------------------------------------------------------------------------------------------------------------- */

static bool has_width(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    (void)problem;
    *why = orr_arena_format(out_arena, "the architecture %s has no width", p->architecture->kind.name);
    return p->architecture->width != NULL;
}

/* Rules whose updates are the gradient, or the gradient over its size element by element. */
static bool is_elementwise(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    static const char *const names[] = { "gd", "sgd", "heavy-ball", "nesterov", "adam", "adamw", "rmsprop", "sign" };
    (void)problem;
    *why = orr_arena_format(out_arena, "the rule %s is none of them", p->rule->kind.name);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(p->rule->kind.name, names[i]) == 0) return true;
    return false;
}

static bool decays_with_the_rate(orr_arena *out_arena, const orr_point *p, const orr_problem *problem,
                                 const char **why) {
    const orr_settings *s = &p->rule_settings;
    (void)problem;
    *why = orr_arena_string(out_arena, "L2 inside a rule that divides by the gradient's size doesn't transfer; use "
                                       "decay_coupling: rate, or none");
    return !p->rule->divides || !orr_settings_has(s, "weight_decay") || orr_real(s, "weight_decay") == 0.0 ||
           strcmp(orr_text(s, "decay_coupling"), "gradient") != 0;
}

static bool is_trained(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    (void)p;
    for (int64_t t = 0; t < problem->n_tensors; t++)
        if (problem->tensors[t].frozen) {
            *why = orr_arena_format(out_arena, "%s is frozen", problem->tensors[t].name);
            return false;
        }
    return true;
}

static bool attends_by_width(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    const orr_settings *s = &p->architecture_settings;
    const bool mup = strcmp(p->parameterization->kind.name, "standard") != 0;
    (void)problem;
    *why = orr_arena_string(out_arena, "attention_scale is 1/sqrt-d, under which logits drift; 1/d with base_head");
    return !mup || !orr_settings_has(s, "attention_scale") || strcmp(orr_text(s, "attention_scale"), "1/d") == 0;
}

static bool is_wide(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    (void)p;
    *why = orr_arena_format(out_arena, "a width is %lld", (long long)problem->network.width);
    return problem->network.width >= 64;
}

static bool records_changes(const width_group *g) {
    return is_changing(&g->e->points[g->point[0]]) && g->widths >= WIDTHS_MIN;
}
static bool records_rates(const width_group *g) {
    const orr_observation *loss = orr_point_observation(&g->e->points[g->point[0]], "loss");
    return loss && orr_is_periodic(loss) && g->rates >= RATES_MIN && g->widths >= 2;
}

/* Each group can be measured in one way at least, and its widths go far enough. */
static orr_status is_swept(orr_context *ctx, orr_arena *out_arena, const orr_premises *in, bool *holds,
                           const char **why) {
    width_group *g;
    int64_t n;
    ORR_TRY(ctx, find_groups(ctx, out_arena, in, &g, &n));
    *holds = true;
    for (int64_t i = 0; i < n && *holds; i++) {
        const char *name = in->experiment->points[g[i].point[0]].name;
        *holds = records_changes(&g[i]) || records_rates(&g[i]);
        *why = orr_arena_format(out_arena,
                                "%s: %lld widths and %lld learning rates; it takes %d widths with { kind: "
                                "feature-drift, absolute: true }, or 2 widths, %d rates and a periodic loss",
                                name, (long long)g[i].widths, (long long)g[i].rates, WIDTHS_MIN, RATES_MIN);
    }
    return *why || *holds ? ORR_OK : no_memory(ctx);
}

static orr_status spans_widths(orr_context *ctx, orr_arena *out_arena, const orr_premises *in, bool *holds,
                               const char **why) {
    width_group *g;
    int64_t n;
    ORR_TRY(ctx, find_groups(ctx, out_arena, in, &g, &n));
    *holds = true;
    for (int64_t i = 0; i < n && *holds; i++) {
        const double ratio = g[i].width[g[i].widths - 1] / g[i].width[0];
        *holds = ratio >= 16.0;
        *why = orr_arena_format(out_arena, "%s: a factor of %g", in->experiment->points[g[i].point[0]].name, ratio);
    }
    return *why || *holds ? ORR_OK : no_memory(ctx);
}

static const orr_condition regime[] = {
    { "the architecture has a width", .point = has_width },
    { "the rule follows the gradient, or its elements' signs", .point = is_elementwise },
    { "weight decay goes with the learning rate", .point = decays_with_the_rate, .beyond = true },
    { "everything is trained", .point = is_trained },
    { "attention scales as 1/d but in the standard parameterization", .point = attends_by_width, .beyond = true },
    { "no run ends before its last update", .point = orr_runs_to_its_end },
    { "points that differ in width and learning rate alone can be compared", .check = is_swept },
    { "widths span a factor of 16", .check = spans_widths, .beyond = true },
    { "the narrowest network is at least 64 wide", .point = is_wide, .beyond = true },
    { 0 },
};

/* ---- prediction --------------------------------------------------------------------------------------------------------- */

/* Exponents a, b, c between two widths of the first tensor of a role; false where there is none. */
static bool scaling_of(const orr_problem *narrow, const orr_problem *wide, orr_role role, bool divides,
                       orr_layer_scaling *out) {
    const double span = log((double)wide->network.width / (double)narrow->network.width);
    for (int64_t t = 0; t < narrow->n_tensors; t++) {
        const orr_tensor *u = &narrow->tensors[t], *v = &wide->tensors[t];
        if (u->role != role) continue;
        const double rate = divides ? v->rate_sign / u->rate_sign : v->rate_gradient / u->rate_gradient;
        out->a = -log(v->multiplier / u->multiplier) / span;
        out->b = u->deviation > 0 ? -log(v->deviation / u->deviation) / span : (double)INFINITY; /* starts at 0 */
        out->c = -log(rate) / span;
        return true;
    }
    return false;
}

/* Names of the values that instruments see, the output last: new array. */
static orr_status find_taps(orr_context *ctx, orr_arena *scratch, const orr_problem *problem, json_t **taps) {
    orr_problem_graph nodes;
    orr_graph *g = NULL;
    orr_status status;
    *taps = json_array();
    ORR_TRY_DONE(ctx, orr_graph_new(ctx, &g));
    ORR_TRY_DONE(ctx, orr_problem_build(ctx, scratch, problem, g, &nodes));
    for (int i = 0; i < nodes.taps.n; i++) orr_json_add(*taps, json_string(nodes.taps.tap[i].name));
    orr_json_add(*taps, json_string("output"));
done:
    orr_graph_free(g);
    return status;
}

/* Under gradients attention's logits move in second order of the rate alone: its start-up is long (sheet, Agreement). */
static bool is_branch(const char *tap) { return strncmp(tap, "attention", 9) == 0 || strncmp(tap, "mlp", 3) == 0; }

/* The taps' layers: the first reads the input, the last is the readout. */
static orr_status predict_slopes(orr_context *ctx, orr_arena *scratch, const orr_problem *narrow,
                                 const orr_problem *wide, bool divides, json_t *out) {
    json_t *taps = NULL, *first = json_array(), *later = json_array(), *judged = json_array();
    orr_status status = find_taps(ctx, scratch, narrow, &taps);
    const int64_t layers = (int64_t)json_array_size(taps);
    orr_layer_scaling *layer = ORR_NEW(scratch, orr_layer_scaling, layers), at[3];
    double *slope = ORR_NEW(scratch, double, layers);
    if (status == ORR_OK && (!layer || !slope)) status = no_memory(ctx);
    if (status == ORR_OK) {
        const bool input = scaling_of(narrow, wide, ORR_ROLE_INPUT, divides, &at[0]),
                   readout = scaling_of(narrow, wide, ORR_ROLE_READOUT, divides, &at[2]);
        if (!scaling_of(narrow, wide, ORR_ROLE_HIDDEN, divides, &at[1])) at[1] = (orr_layer_scaling){ 0, 0.5, 1 };
        if (!input || !readout || layers < 2)
            status = orr_fail(ctx, ORR_EINPUT, "mup-transfer: a network needs an input layer and a readout");
    }
    for (int64_t l = 0; status == ORR_OK && l < layers; l++) layer[l] = at[l == 0 ? 0 : l == layers - 1 ? 2 : 1];
    for (int k = 0; status == ORR_OK && k < 2; k++) {
        orr_width_slopes(layers, layer, divides, k == 1, slope);
        for (int64_t l = 0; l < layers; l++) orr_json_add(k ? later : first, orr_json_real(slope[l]));
    }
    for (int64_t l = 0; status == ORR_OK && l < layers; l++)
        orr_json_add(judged, json_boolean(divides || !is_branch(json_string_value(json_array_get(taps, (size_t)l)))));
    if (status == ORR_OK) {
        const orr_width_limit limit = orr_width_limit_of(layers, layer);
        (void)json_object_set_new(out, "rate_exponent", orr_json_real(orr_width_rate_exponent(layers, layer, divides)));
        if (!divides) (void)json_object_set_new(out, "r", orr_json_real(limit.r));
    }
    (void)json_object_set_new(out, "taps", taps);
    (void)json_object_set_new(out, "judged", judged);
    (void)json_object_set_new(out, "first", first);
    (void)json_object_set_new(out, "later", later);
    return status;
}

static orr_status predict_group(orr_context *ctx, orr_arena *scratch, const orr_premises *in, const width_group *g,
                                json_t *out) {
    const orr_point *p = &g->e->points[g->point[0]];
    const int64_t seeds = g->e->seeds;
    int64_t ends[2] = { g->point[0], g->point[0] };
    json_t *points = json_array();
    for (int64_t w = 0; w < g->widths; w++) {
        json_t *row = json_array();
        for (int64_t r = 0; r < g->rates; r++) orr_json_add(row, json_integer((json_int_t)point_at(in, g, w, r)));
        orr_json_add(points, row);
    }
    for (int64_t i = 0; i < g->n; i++) {
        if (width_at(in, g->point[i]) == g->width[0]) ends[0] = g->point[i];
        if (width_at(in, g->point[i]) == g->width[g->widths - 1]) ends[1] = g->point[i];
    }
    const orr_observation *loss = orr_point_observation(p, "loss");
    const int64_t every = loss ? orr_int(&loss->settings, "every") : 1;
    json_t *about =
        json_pack("{s:o, s:b, s:b, s:b, s:I, s:o, s:o, s:o}", "name",
                  json_sprintf("%s, %s", p->parameterization->kind.name, p->rule->kind.name), "divides",
                  (int)p->rule->divides, "changes", (int)records_changes(g), "rates_swept", (int)records_rates(g),
                  "last_step", (json_int_t)p->steps / every * every, "widths", orr_json_reals(g->width, g->widths),
                  "rates", orr_json_reals(g->rate, g->rates), "points", points);
    (void)json_object_update(out, about);
    json_decref(about);
    return predict_slopes(ctx, scratch, in->problems[ends[0] * seeds], in->problems[ends[1] * seeds], p->rule->divides,
                          out);
}

static orr_status predict(orr_context *ctx, orr_arena *scratch, const orr_premises *in, json_t **prediction) {
    width_group *g;
    int64_t n;
    ORR_TRY(ctx, find_groups(ctx, scratch, in, &g, &n));
    json_t *groups = json_array();
    orr_status status = ORR_OK;
    for (int64_t i = 0; i < n && status == ORR_OK; i++) {
        json_t *one = json_object();
        status = predict_group(ctx, scratch, in, &g[i], one);
        orr_json_add(groups, one);
    }
    *prediction = json_pack("{s:s, s:o}", "law", "mup-transfer", "groups", groups);
    if (status == ORR_OK && *prediction) return ORR_OK;
    json_decref(*prediction);
    *prediction = NULL;
    return status != ORR_OK ? status : no_memory(ctx);
}

/* ---- measurement -------------------------------------------------------------------------------------------------------- */

static orr_status measure_run(orr_context *ctx, orr_arena *scratch, const orr_records *records, int64_t point,
                              int64_t seed, json_t **out) {
    static const char *const names[] = { "feature_change.*", "loss", NULL };
    return orr_measure_series(ctx, scratch, records, point, seed, names, out);
}

static orr_status measure(orr_context *ctx, orr_arena *scratch, const orr_records *records, json_t **measurement) {
    return orr_measure_runs(ctx, scratch, records, measure_run, measurement);
}

/* ---- judgement ---------------------------------------------------------------------------------------------------------- */

/* ORDER checks: in `judge` */
static const orr_check checks[] = {
    /* all tolerances: sheet, Agreement */
    { "muP: slopes in width of the changes of every layer and the output", -0.15, 0.15 },
    { "muP: octaves that the best learning rate drifts", -1.0, 1.0 },
    { "standard: slope in width of the output's first change", 0.8, (double)INFINITY },
    { "standard: octaves that the best learning rate falls over a factor 16", 2.0, (double)INFINITY },
    { 0 },
};
enum { MUP_SLOPE, MUP_DRIFT, STANDARD_SLOPE, STANDARD_DRIFT };

enum { SIZE_MAX_ = 64 }; /* widths and rates of a group that are judged */

static size_t size_of(const json_t *list) {
    return json_array_size(list) < SIZE_MAX_ ? json_array_size(list) : SIZE_MAX_;
}

/* The value of a series at a step; NaN where there is none. */
static double value_at(const json_t *series, double step) {
    const json_t *k = json_object_get(series, "step");
    for (size_t i = 0; i < json_array_size(k); i++)
        if (orr_number_at(k, i) == step) return orr_number_at(json_object_get(series, "value"), i);
    return (double)NAN;
}

/* Mean over the last third of the updates; NaN where the run was not recorded to its end. */
static double final_loss(const json_t *series, double last_step) {
    const json_t *k = json_object_get(series, "step"), *y = json_object_get(series, "value");
    const size_t n = json_array_size(k);
    double sum = 0, count = 0;
    if (n == 0 || orr_number_at(k, n - 1) < last_step) return (double)NAN;
    for (size_t i = 0; i < n; i++)
        if (orr_number_at(k, i) > last_step * 2 / 3) sum += orr_number_at(y, i), count++;
    return sum / count;
}

/* Mean over seeds at a point of a group: of a tap's change after `step` updates, or, without a tap, of the final loss. */
static double mean_over_seeds(const json_t *measurement, const json_t *group, size_t w, size_t r, const char *tap,
                              double step) {
    const double point = orr_number_at(json_array_get(json_object_get(group, "points"), w), r);
    const json_t *runs = point >= 0 ? json_array_get(measurement, (size_t)point) : NULL;
    char name[96];
    double sum = 0;
    (void)snprintf(name, sizeof name, "%s%s", tap ? change_prefix : "loss", tap ? tap : "");
    for (size_t seed = 0; seed < json_array_size(runs); seed++) {
        const json_t *series = json_object_get(json_array_get(runs, seed), name);
        sum += tap ? value_at(series, step) : final_loss(series, step);
    }
    return json_array_size(runs) ? sum / (double)json_array_size(runs) : (double)NAN;
}

/* Slope in width of a tap's change after `step` updates, at the smallest learning rate. */
static double slope_of(const json_t *measurement, const json_t *group, const char *tap, double step) {
    const json_t *widths = json_object_get(group, "widths");
    const size_t n = size_of(widths);
    double x[SIZE_MAX_], y[SIZE_MAX_];
    for (size_t w = 0; w < n; w++) {
        x[w] = orr_number_at(widths, w);
        y[w] = mean_over_seeds(measurement, group, w, 0, tap, step);
    }
    return orr_log_slope((int64_t)n, x, y);
}

/* log2 of the best learning rate at a width; *loss there on the grid.  NaN where the grid doesn't bracket it. */
static double best_rate(const json_t *measurement, const json_t *group, size_t w, double *loss) {
    const json_t *rates = json_object_get(group, "rates");
    const size_t n = size_of(rates);
    double x[SIZE_MAX_], y[SIZE_MAX_];
    *loss = (double)INFINITY;
    for (size_t r = 0; r < n; r++) {
        x[r] = log2(orr_number_at(rates, r));
        y[r] = mean_over_seeds(measurement, group, w, r, NULL, orr_number_of(group, "last_step"));
        if (y[r] < *loss) *loss = y[r];
    }
    return orr_parabola_minimum((int64_t)n, x, y);
}

/* Steps after the start at which changes were recorded, of the group's first run. */
static const json_t *steps_of(const json_t *measurement, const json_t *group) {
    const double point = orr_number_at(json_array_get(json_object_get(group, "points"), 0), 0);
    const json_t *run = point >= 0 ? orr_measured(measurement, (size_t)point, 0) : NULL;
    return json_object_get(json_object_get(run, "feature_change.output"), "step");
}

static bool is_number(const json_t *list, size_t i, double x) { return fabs(orr_number_at(list, i) - x) < 1e-6; }

/* Every slope is predicted to be 0. */
static bool is_maximal(const json_t *group) {
    const json_t *later = json_object_get(group, "later");
    for (size_t i = 0; i < json_array_size(later); i++)
        if (!is_number(later, i, 0)) return false;
    return true;
}

static void judge_changes(const json_t *measurement, const json_t *group, orr_check_values *values) {
    const json_t *taps = json_object_get(group, "taps"), *steps = steps_of(measurement, group);
    const size_t output = json_array_size(taps) - 1;
    double first = (double)NAN;
    for (size_t k = json_array_size(steps); k-- > 0;)
        if (orr_number_at(steps, k) > 0) first = orr_number_at(steps, k);
    if (orr_number_at(json_object_get(group, "first"), output) > 1 - 1e-6)
        orr_check_add(&values[STANDARD_SLOPE], slope_of(measurement, group, "output", first));
    if (!is_maximal(group)) return;
    if (isnan(first)) orr_check_add(&values[MUP_SLOPE], first);
    for (size_t k = 0; k < json_array_size(steps) && k < SIZE_MAX_; k++)
        for (size_t t = 0; t <= output && orr_number_at(steps, k) > 0; t++)
            if (json_is_true(json_array_get(json_object_get(group, "judged"), t)))
                orr_check_add(
                    &values[MUP_SLOPE],
                    slope_of(measurement, group, json_string_value(json_array_get(taps, t)), orr_number_at(steps, k)));
}

static void judge_rates(const json_t *measurement, const json_t *group, orr_check_values *values) {
    const json_t *widths = json_object_get(group, "widths");
    const double exponent = orr_number_of(group, "rate_exponent");
    const size_t n = size_of(widths);
    double loss;
    const double narrow = best_rate(measurement, group, 0, &loss), wide = best_rate(measurement, group, n - 1, &loss);
    const double span = log2(orr_number_at(widths, n - 1) / orr_number_at(widths, 0));
    for (size_t w = 1; w < n && fabs(exponent) < 1e-6 && is_maximal(group); w++)
        orr_check_add(&values[MUP_DRIFT], best_rate(measurement, group, w, &loss) - narrow);
    if (exponent < -1 + 1e-6) orr_check_add(&values[STANDARD_DRIFT], (narrow - wide) * 4 / span);
}

static orr_status judge(orr_context *ctx, orr_arena *out_arena, const json_t *prediction, const json_t *measurement,
                        orr_check_values *values) {
    const json_t *groups = json_object_get(prediction, "groups"), *group;
    size_t i;
    int64_t room = 0;
    json_array_foreach(groups, i, group) room +=
        SIZE_MAX_ * ((int64_t)json_array_size(json_object_get(group, "taps")) + 2);
    ORR_TRY(ctx, orr_check_values_new(ctx, out_arena, checks, room, values));
    json_array_foreach(groups, i, group) {
        if (json_is_true(json_object_get(group, "changes"))) judge_changes(measurement, group, values);
        if (json_is_true(json_object_get(group, "rates_swept"))) judge_rates(measurement, group, values);
    }
    return ORR_OK;
}

/* ---- figure ------------------------------------------------------------------------------------------------------------- */

json_t *orr_mup_slopes(const json_t *measurement, const json_t *group) {
    const json_t *taps = json_object_get(group, "taps"), *steps = steps_of(measurement, group);
    json_t *rows = json_array();
    for (size_t t = 0; t < json_array_size(taps); t++)
        for (size_t k = 0; k < json_array_size(steps); k++) {
            const double step = orr_number_at(steps, k);
            const char *tap = json_string_value(json_array_get(taps, t));
            if (step > 0)
                orr_json_row(rows, "{s:s, s:O, s:o, s:O}", "layer", tap, "step", json_array_get(steps, k), "slope",
                             orr_json_real(slope_of(measurement, group, tap, step)), "judged",
                             json_array_get(json_object_get(group, "judged"), t));
        }
    return rows;
}

static void add_slopes(json_t *panels, const json_t *measurement, const json_t *group) {
    const json_t *taps = json_object_get(group, "taps");
    json_t *rows = orr_mup_slopes(measurement, group), *predicted = json_array();
    for (size_t t = 0; t < json_array_size(taps); t++)
        orr_json_row(predicted, "{s:O, s:i, s:O}", "layer", json_array_get(taps, t), "step", 1, "slope",
                     json_array_get(json_object_get(group, "first"), t));
    json_t *band = is_maximal(group)
                       ? json_pack("[{s:f, s:f}]", "low", checks[MUP_SLOPE].low, "high", checks[MUP_SLOPE].high)
                       : json_array();
    orr_json_add(
        panels,
        orr_page_panel_of("width_slopes", "How changes grow with width", json_object_get(group, "name"),
                          "How the change after k updates goes with the width: its exponent. Diamonds: predicted "
                          "for the first update; shaded: tolerance.",
                          "Exponents in width of the changes of each layer, by update.", false,
                          json_pack("{s:o, s:o, s:o}", "measured", rows, "predicted", predicted, "tolerance", band)));
}

static void add_rates(json_t *panels, const json_t *measurement, const json_t *group) {
    const json_t *widths = json_object_get(group, "widths"), *rates = json_object_get(group, "rates");
    json_t *rows = json_array(), *best = json_array(), *predicted = json_array();
    double loss, narrow = best_rate(measurement, group, 0, &loss);
    for (size_t w = 0; w < size_of(widths); w++) {
        const double at = best_rate(measurement, group, w, &loss),
                     octaves = log2(orr_number_at(widths, w) / orr_number_at(widths, 0));
        orr_json_row(best, "{s:O, s:o, s:o}", "width", json_array_get(widths, w), "rate", orr_json_real(at), "loss",
                     orr_json_real(loss));
        orr_json_row(predicted, "{s:O, s:o}", "width", json_array_get(widths, w), "rate",
                     orr_json_real(narrow + octaves * orr_number_of(group, "rate_exponent")));
        for (size_t r = 0; r < size_of(rates); r++)
            orr_json_row(
                rows, "{s:O, s:f, s:o}", "width", json_array_get(widths, w), "rate", log2(orr_number_at(rates, r)),
                "loss",
                orr_json_real(mean_over_seeds(measurement, group, w, r, NULL, orr_number_of(group, "last_step"))));
    }
    orr_json_add(panels, orr_page_panel_of(
                             "rate_transfer", "Loss against learning rate", json_object_get(group, "name"),
                             "Loss against learning rate, a line for each width; circles: the best ones, joined; "
                             "dotted: where they are predicted from the narrowest.",
                             "Loss against learning rate for several widths, with the best rates joined.", false,
                             json_pack("{s:o, s:o, s:o}", "measured", rows, "best", best, "predicted", predicted)));
}

static json_t *figure(const json_t *prediction, const json_t *measurement) {
    const json_t *groups = json_object_get(prediction, "groups"), *group;
    json_t *panels = json_array();
    size_t i;
    json_array_foreach(groups, i, group) if (json_is_true(json_object_get(group, "rates_swept")))
        add_rates(panels, measurement, group);
    json_array_foreach(groups, i, group) if (json_is_true(json_object_get(group, "changes")))
        add_slopes(panels, measurement, group);
    return panels;
}

const orr_law orr_law_mup_transfer = {
    .id = "mup-transfer",
    .title = "Maximal updates and the transfer of learning rates",
    .statement =
        "Under the maximal update parameterization every layer changes by the same amount at every width, and the "
        "best learning rate of a narrow network is that of a wide one; under the standard one it falls as 1/width.",
    .equation = "W^l = n^{-a_l} w^l,\\quad w^l_{ij} \\sim \\mathcal N(0, n^{-2b_l}),\\quad \\eta\\, n^{-c};\\qquad "
                "\\text{changes of features} \\sim n^{-R},\\quad R = 0 \\text{ under maximal updates}",
    .section = "2.4",
    .sources = "Yang, Hu 2021 (arXiv 2011.14522); Yang et al. 2022 (2203.03466); Yang, Littwin 2023 (2308.01814)",
    .breaks_along = "steps=30:480:5,log",
    .regime = regime,
    .checks = checks,
    .defaults = orr_law_yaml_mup_transfer,
    .defaults_size = &orr_law_yaml_mup_transfer_size,
    .predict = predict,
    .measure = measure,
    .judge = judge,
    .figure = figure,
};
