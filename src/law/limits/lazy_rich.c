/* Lazy and rich training: dividing the output by gamma, and learning gamma^2 times as fast, moves a network from a frozen kernel to
 * features that change at order one.
 *
 *     f = (F(w) - F(w_0))/gamma,  rate eta gamma^2,  gamma = gamma_0 sqrt(n):     |dz|/|z| ~ gamma_0
 *     dK = |Theta(T) - Theta(0)|_F/|Theta(0)|_F,   dK^2 = (c_1 gamma_0/sqrt n)^2 + (c_2 gamma_0^2)^2
 *
 * at fixed n: dK has slope 1, then 2 in gamma_0, then saturates; at fixed gamma (NTK parameterization) dK ~ 1/n and features ~
 * n^{-1/2}; at fixed gamma_0 of order one (mean field) neither depends on n.  Two-layer linear networks on white inputs are
 * predicted one by one: theory/linear_richness.h.
 *
 *   paper      here       meaning                                                       unit
 *   gamma      gamma      1/output_scale, with `centred` and `matched_rate`             1
 *   gamma_0    richness   gamma / sqrt(n)                                               1
 *   n          width      the network's nominal one                                     units
 *   dK         kernel     the last ntk_drift
 *   |dz|/|z|   features   the last feature_drift, root-mean-squared over layers
 *
 * Sources: Chizat, Oyallon, Bach 2019 (1812.07956), Geiger et al. 2020 (1906.08034), Bordelon, Pehlevan 2022 (2205.09653).
 * Sheet: laws/limits/lazy-rich.md */
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "law/conditions.h"
#include "law/curve.h"
#include "law/grouping.h"
#include "law/law.h"
#include "law/linear_network.h"
#include "law/linearization.h"
#include "law/measuring.h"
#include "law/predicting.h"
#include "report/page.h"
#include "store/query.h"

extern const char orr_law_yaml_lazy_rich[];
extern const size_t orr_law_yaml_lazy_rich_size;

static const orr_problem *problem_of(const orr_premises *in, int64_t point) {
    return in->problems[point * in->experiment->seeds];
}

static double gamma_of(const orr_point *p) { return 1.0 / orr_real(&p->parameterization_settings, "output_scale"); }

static double richness_of(const orr_premises *in, int64_t point) {
    return gamma_of(&in->experiment->points[point]) / sqrt((double)problem_of(in, point)->network.width);
}

/* ---- which points make a curve ---------------------------------------------------------------------------------------------- */

/* ORDER checks: all tolerances but the last two: sheet, Agreement, Tolerance */
static const orr_check checks[] = {
    { "features: slope in gamma_0, up to 0.03", 0.9, 1.1 },
    { "kernel: slope in gamma_0, up to 1/(4 sqrt n)", 0.8, 1.2 },
    /* above 1.4 in the sheet; 2 is the larger of the two terms' exponents */
    { "kernel: slope in gamma_0 from 0.03 to 0.1, n from 256", 1.4, 2.0 },
    { "gamma held: slope of the kernel's change in n", -1.25, -0.75 },
    { "gamma held: slope of features' change in n", -0.6, -0.4 },
    { "gamma_0 held: slope of the kernel's change in n", -0.1, 0.1 },
    { "gamma_0 held: slope of features' change in n", -0.1, 0.1 },
    /* "to 1e-3 relative": sheet, Prediction */
    { "two-layer linear: kernel's change over that predicted", 0.999, 1.001 },
    { 0 },
};
enum { LINEAR = 7 };

typedef enum axis { RICHNESS = 0, WIDTH, AXES } axis;

/* The curve of check i: over the richness, or over the width with gamma or gamma_0 held. */
static const struct family {
    const char *what;
    axis axis;
    bool holds_gamma;
    double low, high; /* of gamma_0; a high of 0: 1/(4 sqrt n) */
    int64_t width;    /* at least */
    int points;
    double span; /* largest over smallest, at least */
} families[LINEAR] = {
    { "features", RICHNESS, false, 0.0, 0.03, 1, 2, 3.0 }, { "kernel", RICHNESS, false, 0.0, 0.0, 1, 2, 3.0 },
    { "kernel", RICHNESS, false, 0.03, 0.1, 256, 2, 3.0 }, { "kernel", WIDTH, true, 0.0, 0.25, 1, 3, 8.0 },
    { "features", WIDTH, true, 0.0, 0.25, 1, 3, 8.0 },     { "kernel", WIDTH, false, 0.3, 3.0, 1, 3, 8.0 },
    { "features", WIDTH, false, 0.3, 3.0, 1, 3, 8.0 },
};

/* (*first[a])[i]: the first point that may lie on a curve with point i, over the richness and over the width. */
static orr_status find_alike(orr_context *ctx, orr_arena *arena, const orr_premises *in, int64_t *first[AXES]) {
    static const char *const richness[] = { "name", "parameterization.output_scale", "steps", NULL }, *const width[] = {
        "name", "parameterization.output_scale", "steps", "width", NULL
    };
    ORR_TRY(ctx, orr_points_alike(ctx, arena, in, richness, &first[RICHNESS]));
    return orr_points_alike(ctx, arena, in, width, &first[WIDTH]);
}

/* Lengths may differ where training goes to a loss. */
static bool same_curve(const orr_premises *in, const struct family *f, const int64_t *first, int64_t i, int64_t j) {
    const orr_point *p = &in->experiment->points[i], *q = &in->experiment->points[j];
    if (first[i] != first[j] || (p->until == 0.0 && p->steps != q->steps)) return false;
    if (f->axis == RICHNESS) return true;
    const double a = f->holds_gamma ? gamma_of(&in->experiment->points[i]) : richness_of(in, i),
                 b = f->holds_gamma ? gamma_of(&in->experiment->points[j]) : richness_of(in, j);
    return fabs(a - b) <= 1e-3 * a;
}

static bool in_range(const orr_premises *in, const struct family *f, int64_t i) {
    const double r = richness_of(in, i), n = (double)problem_of(in, i)->network.width;
    const double high = f->high > 0.0 ? f->high : 1.0 / (4.0 * sqrt(n));
    return n >= (double)f->width && r >= f->low * (1.0 - 1e-6) && r <= high * (1.0 + 1e-6);
}

/* (new) The curve of family `check` that starts with point i; NULL where there is none. */
static json_t *curve_from(const orr_premises *in, int check, const int64_t *alike, int64_t i) {
    const struct family *f = &families[check];
    double low = (double)INFINITY, high = 0.0;
    json_t *members = json_array(), *x = json_array();
    bool first = true;
    for (int64_t j = 0; j < in->experiment->n_points; j++) {
        if (!in_range(in, f, j) || !same_curve(in, f, alike, i, j)) continue;
        const double at = f->axis == RICHNESS ? richness_of(in, j) : (double)problem_of(in, j)->network.width;
        if (j < i) first = false;
        low = fmin(low, at);
        high = fmax(high, at);
        orr_json_add(members, json_integer(j));
        orr_json_add(x, json_real(at));
    }
    if (first && json_array_size(x) >= (size_t)f->points && high >= f->span * low)
        return json_pack("{s:i, s:s, s:o, s:o}", "check", check, "what", f->what, "x", x, "points", members);
    json_decref(members);
    json_decref(x);
    return NULL;
}

/* (new) All curves of the experiment. */
static orr_status find_curves(orr_context *ctx, orr_arena *scratch, const orr_premises *in, json_t **curves) {
    int64_t *alike[AXES];
    ORR_TRY(ctx, find_alike(ctx, scratch, in, alike));
    *curves = json_array();
    for (int check = 0; check < LINEAR; check++)
        for (int64_t i = 0; i < in->experiment->n_points; i++) {
            json_t *curve =
                in_range(in, &families[check], i) ? curve_from(in, check, alike[families[check].axis], i) : NULL;
            if (curve) orr_json_add(*curves, curve);
        }
    return *curves ? ORR_OK : orr_fail(ctx, ORR_ENOMEM, "lazy-rich: no memory");
}

/* ---- regime ------------------------------------------------------------------------------------------------------------- */

static bool has_ntk_layers(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    (void)problem;
    *why = orr_arena_format(out_arena, "it is %s", p->parameterization->kind.name);
    return strcmp(p->parameterization->kind.name, "ntk") == 0;
}

static bool is_centred(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    (void)problem;
    *why = orr_arena_string(out_arena, "parameterization.centred is false");
    return orr_flag(&p->parameterization_settings, "centred");
}

static bool is_matched(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    (void)problem;
    *why = orr_arena_string(out_arena, "parameterization.matched_rate is false");
    return orr_flag(&p->parameterization_settings, "matched_rate");
}

static bool is_observed(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    static const char *const kinds[] = { "loss", "ntk", "feature-drift" };
    (void)problem;
    for (int i = 0; i < 3; i++) {
        const orr_observation *o = orr_point_observation(p, kinds[i]);
        *why = orr_arena_format(out_arena, "observe needs { kind: %s }, at the start and later", kinds[i]);
        if (!o || !orr_instrument_due(&o->settings, 0) || orr_instrument_next(&o->settings, 0) > p->steps) return false;
    }
    return true;
}

/* There is a curve, or a network that is predicted by itself. */
static orr_status has_something(orr_context *ctx, orr_arena *out_arena, const orr_premises *in, bool *holds,
                                const char **why) {
    json_t *curves;
    ORR_TRY(ctx, find_curves(ctx, out_arena, in, &curves));
    *holds = json_array_size(curves) > 0;
    json_decref(curves);
    for (int64_t i = 0; i < in->experiment->n_points; i++) *holds = *holds || orr_is_two_layer_linear(in, i);
    *why = "a curve has 2 values of gamma_0 up to 0.1, or 3 widths that span a factor of 8";
    return ORR_OK;
}

/* Of the first seed: the kernels of wide networks are much alike. */
static orr_status is_stable(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point, int64_t seed,
                            bool *holds, const char **why) {
    *holds = true;
    return seed > 0 ? ORR_OK : orr_is_stable_at_start(ctx, scratch, in, point, seed, holds, why);
}

static const orr_condition regime[] = {
    { "the rule is gd or gradient-flow", .point = orr_follows_gradient },
    { "the task is mse", .point = orr_has_squared_error },
    { "the parameterization is ntk", .point = has_ntk_layers },
    { "loss, ntk and feature-drift are observed", .point = is_observed },
    { "at most 5000 numbers are fitted: examples times outputs", .point = orr_can_be_linearized },
    { "gamma_0 or the width is swept, or a two-layer linear network is trained", .check = has_something },
    { "outputs are centred at the start", .point = is_centred, .beyond = true },
    { "learning rates follow the output scale", .point = is_matched, .beyond = true },
    { "every update sees all examples", .point = orr_is_full_batch, .beyond = true },
    { "the learning rate is constant", .point = orr_has_constant_rate, .beyond = true },
    { "the rule is without decay and clipping", .point = orr_is_bare_rule, .beyond = true },
    { "the loss is without ridge", .point = orr_has_no_ridge, .beyond = true },
    { "outputs depend on one example alone", .point = orr_has_no_batch_norm, .beyond = true },
    { "training starts stable: learning rate times lambda_max is below 2", .run = is_stable, .beyond = true },
    { 0 },
};

/* ---- prediction --------------------------------------------------------------------------------------------------------- */

/* (new) Loss of the linearised network at the updates where loss is recorded: { step, value }. */
static orr_status predict_loss(orr_context *ctx, const orr_premises *in, int64_t point, json_t **out) {
    const orr_point *p = &in->experiment->points[point];
    const orr_settings *when = &orr_point_observation(p, "loss")->settings;
    orr_linearization l;
    ORR_TRY(ctx, orr_linearization_of(ctx, in, point, 0, &l));
    json_t *steps = json_array(), *losses = json_array();
    for (int64_t k = 0; k <= p->steps; k = orr_instrument_next(when, k)) {
        orr_json_add(steps, json_integer(k));
        orr_json_add(losses, orr_json_real(l.curvature * orr_linearized_loss(&l.modes, orr_linearization_time(&l, k))));
    }
    orr_linearization_free(&l);
    *out = json_pack("{s:o, s:o}", "step", steps, "value", losses);
    return *out ? ORR_OK : orr_fail(ctx, ORR_ENOMEM, "lazy-rich: no memory");
}

static int64_t last_record(const orr_point *p) {
    const orr_settings *when = &orr_point_observation(p, "ntk")->settings;
    int64_t last = 0;
    for (int64_t k = 0; k <= p->steps; k = orr_instrument_next(when, k)) last = k;
    return last;
}

static orr_status predict_kernel(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point,
                                 json_t *changes) {
    for (int64_t seed = 0; seed < in->experiment->seeds; seed++) {
        double change = (double)NAN;
        ORR_TRY(ctx, orr_two_layer_change(ctx, scratch, in, point, seed, last_record(&in->experiment->points[point]),
                                          &change));
        if (isfinite(change)) orr_json_add(changes, json_real(change));
    }
    return ORR_OK;
}

static orr_status predict_point(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point,
                                const void *known, json_t **out) {
    const orr_point *p = &in->experiment->points[point];
    const bool exact = orr_is_two_layer_linear(in, point) && p->until == 0.0;
    json_t *changes = json_array(), *loss = NULL;
    (void)known;
    orr_status status = predict_loss(ctx, in, point, &loss);
    if (status == ORR_OK && exact) status = predict_kernel(ctx, scratch, in, point, changes);
    *out = json_pack("{s:s, s:f, s:f, s:I, s:f, s:I, s:o?, s:o}", "point", p->name, "gamma", gamma_of(p), "gamma_0",
                     richness_of(in, point), "width", (json_int_t)problem_of(in, point)->network.width, "until",
                     p->until, "last", (json_int_t)last_record(p), "linear_loss", loss, "kernel", changes);
    return status;
}

static orr_status predict(orr_context *ctx, orr_arena *scratch, const orr_premises *in, json_t **prediction) {
    json_t *points = NULL, *curves = NULL;
    ORR_TRY(ctx, find_curves(ctx, scratch, in, &curves));
    const orr_status status = orr_predict_points(ctx, scratch, in, predict_point, NULL, &points);
    if (status != ORR_OK) json_decref(curves);
    ORR_TRY(ctx, status);
    *prediction = json_pack("{s:s, s:o, s:o}", "law", "lazy-rich", "curves", curves, "points", points);
    return *prediction ? ORR_OK : orr_fail(ctx, ORR_ENOMEM, "lazy-rich: no memory");
}

/* ---- measurement -------------------------------------------------------------------------------------------------------- */

static double last_of(const orr_series *s) { return s->n ? s->y[s->n - 1] : (double)NAN; }

/* Root mean square over layers of the last feature_drift.LAYER. */
static orr_status measure_features(orr_context *ctx, orr_arena *scratch, const orr_records *records, int64_t point,
                                   int64_t seed, double *out) {
    orr_series_row *rows;
    int64_t n;
    double sum = 0.0, count = 0.0;
    ORR_TRY(ctx, orr_query_series(records->store, scratch, records->run[point * records->seeds + seed], &rows, &n));
    for (int64_t i = 0; i < n; i++) {
        if (strncmp(rows[i].name, "feature_drift.", 14) != 0 || strcmp(rows[i].name + 14, "output") == 0) continue;
        sum += rows[i].value * rows[i].value;
        count++;
    }
    *out = sqrt(sum / count);
    return ORR_OK;
}

/* { last, kernel, features, alignment, loss: { step, value } } */
static orr_status measure_run(orr_context *ctx, orr_arena *scratch, const orr_records *records, int64_t point,
                              int64_t seed, json_t **out) {
    orr_series kernel, alignment, loss;
    double features = (double)NAN;
    ORR_TRY(ctx, orr_records_series(records, scratch, point, seed, "ntk_drift", &kernel));
    ORR_TRY(ctx, orr_records_series(records, scratch, point, seed, "ntk_alignment", &alignment));
    ORR_TRY(ctx, orr_records_series(records, scratch, point, seed, "loss", &loss));
    ORR_TRY(ctx, measure_features(ctx, scratch, records, point, seed, &features));
    *out = json_pack("{s:o, s:o, s:o, s:o, s:{s:o, s:o}}", "last",
                     orr_json_real(kernel.n ? kernel.x[kernel.n - 1] : (double)NAN), "kernel",
                     orr_json_real(last_of(&kernel)), "features", orr_json_real(features), "alignment",
                     orr_json_real(last_of(&alignment)), "loss", "step", orr_json_reals(loss.x, loss.n), "value",
                     orr_json_reals(loss.y, loss.n));
    return *out ? ORR_OK : orr_fail(ctx, ORR_ENOMEM, "lazy-rich: no memory for a measurement");
}

static orr_status measure(orr_context *ctx, orr_arena *scratch, const orr_records *records, json_t **measurement) {
    return orr_measure_runs(ctx, scratch, records, measure_run, measurement);
}

/* ---- judgement ---------------------------------------------------------------------------------------------------------- */

/* Trained to its loss, or where none is asked for to its last update; else its change of kernel is of something else. */
static bool is_whole(const json_t *point, const json_t *run) {
    const json_t *losses = json_object_get(json_object_get(run, "loss"), "value");
    const size_t n = json_array_size(losses);
    const double until = orr_number_of(point, "until");
    if (until > 0.0) return n > 0 && orr_number_at(losses, n - 1) <= until;
    return orr_number_of(run, "last") >= orr_number_of(point, "last");
}

static double value_of(const json_t *prediction, const json_t *measurement, size_t point, size_t seed,
                       const char *what) {
    const json_t *run = orr_measured(measurement, point, seed);
    return is_whole(json_array_get(json_object_get(prediction, "points"), point), run) ? orr_number_of(run, what)
                                                                                       : (double)NAN;
}

static void judge_curve(const json_t *prediction, const json_t *measurement, const json_t *curve, orr_curve *c,
                        orr_check_values *values) {
    const json_t *points = json_object_get(curve, "points"), *x = json_object_get(curve, "x");
    c->n = 0;
    for (size_t i = 0; i < json_array_size(points); i++) {
        double *y = orr_curve_add(c, orr_number_at(x, i));
        for (int64_t s = 0; s < c->seeds; s++)
            y[s] = value_of(prediction, measurement, (size_t)orr_number_at(points, i), (size_t)s,
                            json_string_value(json_object_get(curve, "what")));
    }
    orr_curve_add_slope(c, ORR_CURVE_MEAN, &values[json_integer_value(json_object_get(curve, "check"))]);
}

static orr_status judge(orr_context *ctx, orr_arena *out_arena, const json_t *prediction, const json_t *measurement,
                        orr_check_values *values) {
    const json_t *points = json_object_get(prediction, "points"), *curves = json_object_get(prediction, "curves");
    const size_t n = json_array_size(points), seeds = json_array_size(json_array_get(measurement, 0));
    orr_curve c;
    ORR_TRY(ctx, orr_curve_new(ctx, out_arena, (int64_t)n, (int64_t)seeds, &c));
    ORR_TRY(ctx,
            orr_check_values_new(ctx, out_arena, checks, (int64_t)(n * seeds + 3 * json_array_size(curves)), values));
    for (size_t i = 0; i < json_array_size(curves); i++)
        judge_curve(prediction, measurement, json_array_get(curves, i), &c, values);
    for (size_t i = 0; i < n; i++) {
        const json_t *predicted = json_object_get(json_array_get(points, i), "kernel");
        for (size_t s = 0; s < seeds && json_array_size(predicted) > 0; s++)
            orr_check_add(&values[LINEAR],
                          value_of(prediction, measurement, i, s, "kernel") / orr_number_at(predicted, s));
    }
    return ORR_OK;
}

/* ---- figure ------------------------------------------------------------------------------------------------------------- */

static void add_row(json_t *rows, double x, const char *key, double value, json_t *label, size_t seed) {
    if (value > 0.0)
        orr_json_row(rows, "{s:f, s:f, s:O, s:I}", key, x, "value", value, "label", label, "seed", (json_int_t)seed);
    json_decref(label);
}

/* Rows of all curves over one axis, and of the linear networks over the richness. */
static json_t *curve_rows(const json_t *prediction, const json_t *measurement, axis a) {
    const json_t *points = json_object_get(prediction, "points"), *curves = json_object_get(prediction, "curves");
    json_t *rows = json_array();
    for (size_t i = 0; i < json_array_size(points); i++) {
        const json_t *p = json_array_get(points, i);
        const long long width = (long long)orr_number_of(p, "width");
        const bool linear = json_array_size(json_object_get(p, "kernel")) > 0;
        bool on[2] = { false, false }; /* a curve with gamma held, with gamma_0 held */
        for (size_t k = 0; k < json_array_size(curves); k++) {
            const json_t *curve = json_array_get(curves, k), *members = json_object_get(curve, "points");
            const struct family *f = &families[json_integer_value(json_object_get(curve, "check"))];
            for (size_t j = 0; j < json_array_size(members); j++)
                if (f->axis == WIDTH && orr_number_at(members, j) == (double)i) on[f->holds_gamma ? 0 : 1] = true;
        }
        for (size_t s = 0; s < json_array_size(json_array_get(measurement, i)); s++)
            for (int what = 0; what < 2; what++) {
                const char *name = what ? "features" : "kernel";
                const double y = value_of(prediction, measurement, i, s, name);
                if (a == RICHNESS && !on[0] && !on[1])
                    add_row(rows, orr_number_of(p, "gamma_0"), "gamma_0", y,
                            json_sprintf(linear ? "%s, two-layer linear n = %lld" : "%s, n = %lld", name, width), s);
                if (a == WIDTH && on[0])
                    add_row(rows, (double)width, "width", y,
                            json_sprintf("%s, gamma = %.3g", name, orr_number_of(p, "gamma")), s);
                if (a == WIDTH && on[1])
                    add_row(rows, (double)width, "width", y,
                            json_sprintf("%s, gamma_0 = %.3g", name, orr_number_of(p, "gamma_0")), s);
            }
    }
    return rows;
}

/* Lines of two slopes through (from, value). */
static json_t *guides(const char *key, double from, double to, double value, const double slope[2]) {
    json_t *rows = json_array();
    for (int i = 0; i < 2; i++)
        for (int end = 0; end < 2; end++) {
            json_t *words = json_sprintf("slope %g", slope[i]);
            orr_json_row(rows, "{s:f, s:f, s:o}", key, end ? to : from, "value",
                         end ? value * pow(to / from, slope[i]) : value, "slope", words);
        }
    return rows;
}

/* What was predicted of the two-layer linear networks, seed 0 first. */
static json_t *linear_rows(const json_t *prediction) {
    const json_t *points = json_object_get(prediction, "points");
    json_t *rows = json_array();
    for (size_t i = 0; i < json_array_size(points); i++) {
        const json_t *p = json_array_get(points, i), *kernel = json_object_get(p, "kernel");
        for (size_t s = 0; s < json_array_size(kernel); s++)
            orr_json_row(rows, "{s:O, s:O, s:I}", "gamma_0", json_object_get(p, "gamma_0"), "value",
                         json_array_get(kernel, s), "seed", (json_int_t)s);
    }
    return rows;
}

static json_t *losses(const json_t *prediction, const json_t *measurement) {
    const json_t *points = json_object_get(prediction, "points");
    json_t *measured = json_array(), *linear = json_array();
    double widest = 0.0;
    for (size_t i = 0; i < json_array_size(points); i++)
        if (json_array_size(json_object_get(json_array_get(points, i), "kernel")) == 0)
            widest = fmax(widest, orr_number_of(json_array_get(points, i), "width"));
    double shown[3] = { (double)INFINITY, 0.0, 0.0 }; /* gamma_0: least, near 0.3, largest */
    size_t which[3] = { 0, 0, 0 };
    for (size_t i = 0; i < json_array_size(points); i++) {
        const json_t *p = json_array_get(points, i);
        const double r = orr_number_of(p, "gamma_0");
        if (4.0 * orr_number_of(p, "width") < widest || json_array_size(json_object_get(p, "kernel")) > 0) continue;
        if (r < shown[0]) shown[0] = r, which[0] = i;
        if (fabs(log(r / 0.3)) < fabs(log(shown[1] / 0.3))) shown[1] = r, which[1] = i;
        if (r > shown[2]) shown[2] = r, which[2] = i;
    }
    for (int k = 0; k < 3; k++) {
        const json_t *p = json_array_get(points, which[k]), *l = json_object_get(p, "linear_loss"),
                     *m = json_object_get(orr_measured(measurement, which[k], 0), "loss");
        const size_t n = json_array_size(json_object_get(m, "step"));
        for (size_t i = 0; i < n; i++)
            for (int who = 0; who < 2; who++) {
                const json_t *from = who ? l : m;
                const double step = orr_number_at(json_object_get(from, "step"), i),
                             y = orr_number_at(json_object_get(from, "value"), i);
                if (y > 0.0)
                    orr_json_row(who ? linear : measured, "{s:f, s:f, s:o}", "step", step, "loss", y, "label",
                                 json_sprintf("gamma_0 = %.3g", orr_number_of(p, "gamma_0")));
            }
    }
    return orr_page_panel("linear_loss", "From lazy to rich: loss",
                          "Lines: training. Dashed: the linearised network, predicted from the kernel at the start.",
                          "Loss against updates of a lazy, an intermediate and a rich network.", true,
                          json_pack("{s:o, s:o}", "measured", measured, "theory", linear));
}

static json_t *figure(const json_t *prediction, const json_t *measurement) {
    static const double up[2] = { 1.0, 2.0 }, down[2] = { -0.5, -1.0 };
    json_t *panels = json_array(), *richness = curve_rows(prediction, measurement, RICHNESS),
           *width = curve_rows(prediction, measurement, WIDTH);
    orr_page_add_panel(
        panels, richness,
        orr_page_panel("against_richness", "Change of kernel and features",
                       "At the end of training, a point for each seed. Crosses: predicted for each two-layer "
                       "linear network.",
                       "Change of kernel and features against gamma_0.", true,
                       json_pack("{s:o, s:o, s:o}", "measured", richness, "guides",
                                 guides("gamma_0", 0.003, 0.3, 0.002, up), "theory", linear_rows(prediction))));
    orr_page_add_panel(
        panels, width,
        orr_page_panel("against_width", "With \u03b3 held features freeze, with \u03b3\u2080 held they don't",
                       "\u03b3 = 1 is the NTK parameterization, \u03b3\u2080 of order one the mean-field one.",
                       "Change of kernel and features against the width.", true,
                       json_pack("{s:o, s:o, s:[]}", "measured", width, "guides", guides("width", 32, 512, 0.6, down),
                                 "tolerance")));
    orr_json_add(panels, losses(prediction, measurement));
    return panels;
}

const orr_law orr_law_lazy_rich = {
    .id = "lazy-rich",
    .title = "Lazy and rich: output scale and the movement of features",
    .statement =
        "Dividing a network's output by \u03b3 = \u03b3\u2080\u221an, and learning \u03b3\u00b2 times as fast, moves "
        "it from a frozen "
        "kernel to features that change at order one; at fixed \u03b3 both freeze as it widens, at fixed \u03b3\u2080 "
        "neither does.",
    .equation = "\\begin{aligned} f = \\frac{F(w)-F(w_0)}{\\gamma_0\\sqrt n},\\quad \\frac{|\\Delta z|}{|z|} \\propto "
                "\\gamma_0,\\quad \\left(\\frac{|\\Delta\\Theta|}{|\\Theta|}\\right)^2 = "
                "\\left(c_1\\frac{\\gamma_0}{\\sqrt n}\\right)^2 + (c_2\\gamma_0^2)^2 \\end{aligned}",
    .section = "2.2",
    .sources =
        "Chizat, Oyallon, Bach 2019 (arXiv 1812.07956); Geiger et al. 2020 (1906.08034); Bordelon, Pehlevan 2022 "
        "(2205.09653)",
    .breaks_along = "rule.learning_rate=0.2:20:5,log",
    .regime = regime,
    .checks = checks,
    .defaults = orr_law_yaml_lazy_rich,
    .defaults_size = &orr_law_yaml_lazy_rich_size,
    .predict = predict,
    .measure = measure,
    .judge = judge,
    .figure = figure,
};
