/* A wide network follows its own linearisation: its outputs, on training and test examples, are those of regression with the
 * tangent kernel Theta of its gradients at the start; what differs falls as a power of the width m.
 *
 *     f_t(x) = f_0(x) + k(x)' V [ g_t(lam)/lam r_0 ]      g_t = 1 - (1 - eta s lam)^t, or 1 - e^{-s lam T} along the flow
 *     D(t)   = rms(f_net - f_t) / rms(f_net - f_0)        ~ 1/m for smooth activations, between m^{-1/2} and 1/m with kinks
 *
 *   paper        here       meaning                                                     unit
 *   Theta, k(x)  kernel     ingredient/tangent_kernel.h: at the start, learning rates of the tensors included
 *   s            curvature  the loss is s/2 sum (f - y)^2: 1 where examples are summed  1
 *   D            distance   of network and theory, in units of what was learnt; rms over seeds  1
 *   m            width      the network's nominal one                                   units
 *
 * Each network has its own Theta: no average over initial weights, no infinite width.
 * Sources: Jacot et al. 2018 (1806.07572), Lee et al. 2019 (1902.06720), Liu et al. 2020 (2010.01092).
 * Sheet: laws/solvable/linearized-network-dynamics.md */
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "law/conditions.h"
#include "law/curve.h"
#include "law/grouping.h"
#include "law/law.h"
#include "law/linearization.h"
#include "law/measuring.h"
#include "law/predicting.h"
#include "report/page.h"
#include "store/query.h"

extern const char orr_law_yaml_linearized_network_dynamics[];
extern const size_t orr_law_yaml_linearized_network_dynamics_size;

static const orr_observation *outputs_of(const orr_point *p) { return orr_point_observation(p, "outputs"); }

/* The last update after which outputs are recorded. */
static int64_t last_record(const orr_point *p) {
    int64_t last = 0;
    for (int64_t t = orr_instrument_next(&outputs_of(p)->settings, 0); t <= p->steps;
         t = orr_instrument_next(&outputs_of(p)->settings, t))
        last = t;
    return last;
}

/* ---- regime ------------------------------------------------------------------------------------------------------------- */

static bool has_one_answer(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    (void)p;
    *why = orr_arena_string(out_arena, "examples have a label at each position");
    return !problem->data.classes || problem->data.target.rank == 0;
}

static bool is_observed(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    (void)problem;
    *why = orr_arena_string(out_arena, "observe needs { kind: outputs, at: [0, 10, 100] }, after the start too");
    return outputs_of(p) && last_record(p) > 0;
}

static bool is_tested(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    (void)p;
    *why = orr_arena_string(out_arena, "the data have none (n_test)");
    return problem->data.n_test > 0;
}

static bool keeps_its_kernel(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    const char *name = p->parameterization->kind.name;
    (void)problem;
    *why = orr_arena_format(out_arena, "%s: features change at any width", name);
    return strcmp(name, "ntk") == 0 || strcmp(name, "standard") == 0;
}

enum { WIDE = 1024, VERY_WIDE = 4096 }; /* widths that the sheet has tolerances for */

/* One of the points is enough. */
static orr_status is_wide(orr_context *ctx, orr_arena *out_arena, const orr_premises *in, bool *holds,
                          const char **why) {
    const orr_experiment *e = in->experiment;
    int64_t widest = 0;
    for (int64_t i = 0; i < e->n_points; i++) {
        const int64_t width = in->problems[i * e->seeds]->network.width;
        widest = width > widest ? width : widest;
    }
    *holds = widest >= WIDE;
    *why = orr_arena_format(out_arena, "the widest is %lld", (long long)widest);
    return *why ? ORR_OK : orr_fail(ctx, ORR_ENOMEM, "linearized dynamics: no memory");
}

static const orr_condition regime[] = {
    { "the rule is gd or gradient-flow", .point = orr_follows_gradient },
    { "the task is mse", .point = orr_has_squared_error },
    { "an example has one answer", .point = has_one_answer },
    { "outputs are observed", .point = is_observed },
    { "there are test examples", .point = is_tested },
    { "test outputs depend on one example alone", .point = orr_has_no_batch_norm },
    { "no run ends before its last update", .point = orr_runs_to_its_end },
    { "at most 5000 numbers are fitted: examples times outputs", .point = orr_can_be_linearized },
    { "every update sees all examples", .point = orr_is_full_batch, .beyond = true },
    { "the learning rate is constant", .point = orr_has_constant_rate, .beyond = true },
    { "the rule is without decay and clipping", .point = orr_is_bare_rule, .beyond = true },
    { "the loss is without ridge", .point = orr_has_no_ridge, .beyond = true },
    { "the kernel stands still as the width grows: the parameterization is ntk or standard", .point = keeps_its_kernel,
      .beyond = true },
    { "a network is at least 1024 wide", .check = is_wide, .beyond = true },
    { "gradient descent on the linear model is stable: learning rate times lambda_max is below 2",
      .run = orr_is_stable_at_start, .beyond = true },
    { 0 },
};

/* ---- prediction --------------------------------------------------------------------------------------------------------- */

/* (new) { seed, largest, train, test }: f_t at the recorded updates, [record][number]. */
static orr_status predict_run(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point, int64_t seed,
                              const void *known, json_t **out) {
    const orr_point *p = &in->experiment->points[point];
    const int64_t last = last_record(p);
    orr_linearization l;
    (void)known;
    ORR_TRY(ctx, orr_linearization_of(ctx, in, point, seed, &l));
    const int64_t n = l.kernel.n, m = l.kernel.m;
    double *f = ORR_NEW(l.arena, double, n + m);
    json_t *train = json_array(), *test = json_array();
    orr_status status = f ? ORR_OK : orr_fail(ctx, ORR_ENOMEM, "linearized dynamics: no memory");
    for (int64_t k = 0; k <= last && status == ORR_OK; k++) {
        if (k > 0 && !orr_instrument_due(&outputs_of(p)->settings, k)) continue;
        const orr_linearized_time at = orr_linearization_time(&l, k);
        status = orr_linearized_outputs(ctx, scratch, &l.modes, at, n, l.kernel.train, l.kernel.f, f);
        if (status == ORR_OK)
            status = orr_linearized_outputs(ctx, scratch, &l.modes, at, m, l.kernel.test, l.kernel.f_test, f + n);
        orr_json_add(train, orr_json_reals(f, n));
        orr_json_add(test, orr_json_reals(f + n, m));
    }
    *out =
        json_pack("{s:I, s:f, s:o, s:o}", "seed", (json_int_t)seed, "largest", l.largest, "train", train, "test", test);
    orr_linearization_free(&l);
    return status;
}

static bool has_kink(const orr_point *p) {
    const orr_settings *s = &p->architecture_settings;
    return orr_settings_has(s, "activation") && strcmp(orr_text(s, "activation"), "relu") == 0;
}

/* "erf", "relu, 2 hidden layers": a curve's name; new. */
static json_t *label_of(const orr_point *p, const orr_problem *problem) {
    const orr_settings *s = &p->architecture_settings;
    const char *name = orr_settings_has(s, "activation") ? orr_text(s, "activation") : p->architecture->kind.name;
    const json_int_t depth = (json_int_t)problem->network.depth;
    return depth > 1 ? json_sprintf("%s, depth %lld", name, (long long)depth) : json_string(name);
}

static json_t *records_of(const orr_point *p) {
    json_t *steps = json_array();
    for (int64_t k = 0, last = last_record(p); k <= last; k++)
        if (k == 0 || orr_instrument_due(&outputs_of(p)->settings, k)) orr_json_add(steps, json_integer(k));
    return steps;
}

static orr_status predict_point(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point,
                                const void *known, json_t **out) {
    const int64_t *first = known; /* point of each curve */
    const orr_point *p = &in->experiment->points[point];
    const orr_problem *problem = in->problems[point * in->experiment->seeds];
    json_t *runs;
    ORR_TRY(ctx, orr_predict_runs(ctx, scratch, in, point, predict_run, NULL, &runs));
    *out = json_pack("{s:s, s:I, s:o, s:I, s:b, s:o, s:o}", "point", p->name, "curve", (json_int_t)first[point],
                     "label", label_of(p, problem), "width", (json_int_t)problem->network.width, "kink", has_kink(p),
                     "step", records_of(p), "runs", runs);
    return ORR_OK;
}

static orr_status predict(orr_context *ctx, orr_arena *scratch, const orr_premises *in, json_t **prediction) {
    static const char *const but[] = { "name", "rule.learning_rate", "width", NULL };
    int64_t *first;
    ORR_TRY(ctx, orr_points_alike(ctx, scratch, in, but, &first));
    return orr_predict_each(ctx, scratch, in, "linearized-network-dynamics", predict_point, first, prediction);
}

/* ---- measurement -------------------------------------------------------------------------------------------------------- */

/* { step, train, test: outputs at each recorded update; ntk_drift: the kernel's movement, where it is observed } */
static orr_status measure_run(orr_context *ctx, orr_arena *scratch, const orr_records *records, int64_t point,
                              int64_t seed, json_t **out) {
    static const char *const series[] = { "ntk_drift", NULL };
    static const char *const arrays[] = { "output", "output_test" }, *const keys[] = { "train", "test" };
    orr_array_row *rows;
    int64_t n;
    ORR_TRY(ctx, orr_query_arrays(records->store, scratch, records->run[point * records->seeds + seed], &rows, &n));
    ORR_TRY(ctx, orr_measure_series(ctx, scratch, records, point, seed, series, out));
    json_t *steps = json_array();
    (void)json_object_set_new(*out, "step", steps);
    for (int part = 0; part < 2; part++) {
        json_t *all = json_array();
        (void)json_object_set_new(*out, keys[part], all);
        for (int64_t i = 0; i < n; i++) {
            orr_array a;
            if (strcmp(rows[i].name, arrays[part]) != 0) continue;
            ORR_TRY(ctx, orr_records_array(records, scratch, point, seed, arrays[part], rows[i].step, &a));
            json_t *numbers = json_array();
            for (int64_t j = 0, count = orr_shape_count(&a.shape); j < count; j++)
                orr_json_add(numbers, orr_json_real(orr_array_value(&a, j)));
            if (json_array_append_new(all, numbers) != 0)
                return orr_fail(ctx, ORR_ENOMEM, "linearized dynamics: no memory for what was measured");
            if (part == 0) orr_json_add(steps, json_integer(rows[i].step));
        }
    }
    return ORR_OK;
}

static orr_status measure(orr_context *ctx, orr_arena *scratch, const orr_records *records, json_t **measurement) {
    return orr_measure_runs(ctx, scratch, records, measure_run, measurement);
}

/* ---- judgement ---------------------------------------------------------------------------------------------------------- */

/* ORDER checks: in `judge` */
static const orr_check checks[] = {
    /* all tolerances: sheet, Agreement */
    { "test D at the last record, widths from 1024 (else the widest)", 0.0, 0.03 },
    { "test D at the last record, widths from 4096", 0.0, 0.01 },
    { "smooth activation: slope of ln D against ln width", -1.2, -0.7 },
    { "relu: slope of ln D against ln width", -1.0, -0.4 },
    { 0 },
};
enum { D_WIDE, D_VERY_WIDE, SLOPE_SMOOTH, SLOPE_KINK };

/* rms(a - b), NaN where they aren't as long as each other. */
static double rms_difference(const json_t *a, const json_t *b) {
    const size_t n = json_array_size(a);
    double sum = 0.0;
    if (n == 0 || json_array_size(b) != n) return (double)NAN;
    for (size_t i = 0; i < n; i++) {
        const double d = orr_number_at(a, i) - orr_number_at(b, i);
        sum += d * d;
    }
    return sqrt(sum / (double)n);
}

/* D at record r of the prediction; NaN where the run has no such record (it diverged). */
static double distance(const json_t *point, const json_t *theory_run, const json_t *run, const char *part, size_t r) {
    const json_t *f = json_object_get(theory_run, part), *net = json_object_get(run, part);
    const json_t *steps = json_object_get(run, "step");
    const double k = orr_number_at(json_object_get(point, "step"), r);
    for (size_t i = 0; i < json_array_size(steps); i++)
        if (orr_number_at(steps, i) == k)
            return rms_difference(json_array_get(net, i), json_array_get(f, r)) /
                   rms_difference(json_array_get(net, i), json_array_get(f, 0));
    return (double)NAN;
}

static double last_distance(const json_t *prediction, const json_t *measurement, size_t point, size_t seed,
                            const char *part) {
    const json_t *p = json_array_get(json_object_get(prediction, "points"), point);
    const size_t records = json_array_size(json_object_get(p, "step"));
    if (records < 2) return (double)NAN;
    return distance(p, json_array_get(json_object_get(p, "runs"), seed), orr_measured(measurement, point, seed), part,
                    records - 1);
}

static double width_of(const json_t *point) { return orr_number_of(point, "width"); }

/* The points of one curve over the width, D of each of their runs. */
static void take_curve(const json_t *prediction, const json_t *measurement, size_t first, orr_curve *c) {
    const json_t *points = json_object_get(prediction, "points");
    c->n = 0;
    for (size_t i = first; i < json_array_size(points); i++) {
        const json_t *p = json_array_get(points, i);
        if (json_integer_value(json_object_get(p, "curve")) != (json_int_t)first) continue;
        double *d = orr_curve_add(c, width_of(p));
        for (int64_t s = 0; s < c->seeds; s++) d[s] = last_distance(prediction, measurement, i, (size_t)s, "test");
    }
}

/* Three widths or more that span a factor of 10, where D is above rounding. */
static bool has_slope(const orr_curve *c) {
    double largest = 0.0;
    for (int64_t i = 0; i < c->n * c->seeds; i++) largest = fmax(largest, c->y[i]);
    return c->n >= 3 && orr_curve_span(c) >= 10.0 && largest > 1e-6;
}

static double widest_of(const json_t *points) {
    double widest = 0.0;
    for (size_t i = 0; i < json_array_size(points); i++) widest = fmax(widest, width_of(json_array_get(points, i)));
    return widest;
}

static orr_status judge(orr_context *ctx, orr_arena *out_arena, const json_t *prediction, const json_t *measurement,
                        orr_check_values *values) {
    const json_t *points = json_object_get(prediction, "points");
    const size_t n = json_array_size(points), seeds = json_array_size(json_array_get(measurement, 0));
    const double from = fmin(WIDE, widest_of(points));
    orr_curve c;
    ORR_TRY(ctx, orr_curve_new(ctx, out_arena, (int64_t)n, (int64_t)seeds, &c));
    ORR_TRY(ctx, orr_check_values_new(ctx, out_arena, checks, (int64_t)(3 * n), values));
    for (size_t i = 0; i < n; i++) {
        const json_t *p = json_array_get(points, i);
        if (json_integer_value(json_object_get(p, "curve")) != (json_int_t)i) continue;
        take_curve(prediction, measurement, i, &c);
        for (int64_t k = 0; k < c.n; k++) { /* the sheet's D is root-mean-squared over seeds */
            if (c.x[k] >= from) orr_curve_add_mean(&c, ORR_CURVE_RMS, k, &values[D_WIDE]);
            if (c.x[k] >= VERY_WIDE) orr_curve_add_mean(&c, ORR_CURVE_RMS, k, &values[D_VERY_WIDE]);
        }
        if (has_slope(&c))
            orr_curve_add_slope(&c, ORR_CURVE_RMS,
                                &values[json_is_true(json_object_get(p, "kink")) ? SLOPE_KINK : SLOPE_SMOOTH]);
    }
    return ORR_OK;
}

/* ---- figure ------------------------------------------------------------------------------------------------------------- */

enum { SHOWN = 4 }; /* test numbers whose way is drawn */

static void add_way(json_t *rows, const json_t *steps, const json_t *outputs, const char *who) {
    for (size_t i = 0; i < json_array_size(steps); i++)
        for (size_t j = 0; j < SHOWN && j < json_array_size(json_array_get(outputs, i)); j++)
            orr_json_row(rows, "{s:O, s:O, s:I, s:s}", "step", json_array_get(steps, i), "f",
                         json_array_get(json_array_get(outputs, i), j), "example", (json_int_t)j + 1, "who", who);
}

static json_t *ways(const json_t *point, const json_t *run) {
    json_t *theory = json_array(), *measured = json_array();
    const json_t *f = json_array_get(json_object_get(point, "runs"), 0);
    add_way(theory, json_object_get(point, "step"), json_object_get(f, "test"), "theory");
    add_way(measured, json_object_get(run, "step"), json_object_get(run, "test"), "network");
    return orr_page_panel_of("output_ways", "Outputs in training", json_object_get(point, "point"),
                             "Outputs on four test examples by update, first seed. Lines: the linearised network, "
                             "predicted. Points: the network.",
                             "Outputs of network and linear theory on test examples against the update.", false,
                             json_pack("{s:o, s:o}", "theory", theory, "measured", measured));
}

/* Lines of slope -1/2 and -1 through the first point of a curve. */
static json_t *guides(double from, double to, double value) {
    json_t *rows = json_array();
    for (int i = 1; i <= 2; i++)
        for (int end = 0; end < 2; end++)
            orr_json_row(rows, "{s:f, s:f, s:s}", "width", end ? to : from, "value",
                         end ? value * pow(to / from, -0.5 * i) : value, "slope", i == 1 ? "slope -1/2" : "slope -1");
    return rows;
}

static json_t *against_width(json_t *rows, const char *title, const char *caption, json_t *tolerance) {
    double from = (double)INFINITY, to = 0.0, top = 0.0;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        const double width = orr_number_of(row, "width");
        if (width < from) top = 0.0;
        from = fmin(from, width);
        to = fmax(to, width);
        if (width == from) top = fmax(top, orr_number_of(row, "value"));
    }
    return orr_page_panel(
        "against_width", title, caption, title, false,
        json_pack("{s:o, s:o, s:o}", "measured", rows, "guides", guides(from, to, top), "tolerance", tolerance));
}

static json_t *figure(const json_t *prediction, const json_t *measurement) {
    const json_t *points = json_object_get(prediction, "points");
    json_t *panels = json_array(), *d = json_array(), *movement = json_array();
    size_t narrow = 0, wide = 0; /* of the first curve */
    for (size_t i = 0; i < json_array_size(points); i++) {
        const json_t *p = json_array_get(points, i);
        const json_t *label = json_object_get(p, "label");
        if (json_integer_value(json_object_get(p, "curve")) == 0 &&
            width_of(p) > width_of(json_array_get(points, wide)))
            wide = i;
        for (size_t s = 0; s < json_array_size(json_array_get(measurement, i)); s++) {
            const json_t *run = orr_measured(measurement, i, s);
            const json_t *moved = json_object_get(json_object_get(run, "ntk_drift"), "value");
            const double last = orr_number_at(moved, json_array_size(moved) - 1),
                         now = last_distance(prediction, measurement, i, s, "test");
            if (now > 0.0)
                orr_json_row(d, "{s:f, s:f, s:O, s:I}", "width", width_of(p), "value", now, "label", label, "seed",
                             (json_int_t)s);
            if (last > 0.0)
                orr_json_row(movement, "{s:f, s:f, s:O, s:I}", "width", width_of(p), "value", last, "label", label,
                             "seed", (json_int_t)s);
        }
    }
    orr_json_add(panels, ways(json_array_get(points, narrow), orr_measured(measurement, narrow, 0)));
    if (wide != narrow) orr_json_add(panels, ways(json_array_get(points, wide), orr_measured(measurement, wide, 0)));
    orr_page_add_panel(
        panels, d,
        against_width(d, "Distance of network and theory",
                      "D on test examples at the last record, a point for each seed. Shaded: tolerance.",
                      json_pack("[{s:i, s:i, s:f}, {s:i, s:f, s:f}]", "from", WIDE, "to", VERY_WIDE, "high",
                                checks[D_WIDE].high, "from", VERY_WIDE, "to", fmax(1.2 * VERY_WIDE, widest_of(points)),
                                "high", checks[D_VERY_WIDE].high)));
    orr_page_add_panel(panels, movement,
                       against_width(movement, "Movement of the kernel",
                                     "|\u0398(t) - \u0398(0)| / |\u0398(0)| over the training examples.",
                                     json_array()));
    return panels;
}

const orr_law orr_law_linearized_network_dynamics = {
    .id = "linearized-network-dynamics",
    .title = "A wide network follows its own linearisation",
    .statement =
        "Outputs of a wide network in training, on training and test examples, are the closed-form solution of "
        "linear regression with the tangent kernel of its initial gradients; the difference falls as a power of "
        "the width.",
    .equation = "\\begin{aligned} f_t(x) &= f_0(x) + k(x)^\\top V \\left[\\frac{1-(1-\\eta\\lambda)^t}{\\lambda}\\, "
                "V^\\top (y-f_0)\\right],\\qquad \\Theta = J_0 J_0^\\top = V \\lambda V^\\top \\end{aligned}",
    .section = "2.1",
    .sources =
        "Jacot, Gabriel, Hongler 2018 (arXiv 1806.07572); Lee et al. 2019 (1902.06720); Liu et al. 2020 (2010.01092)",
    .breaks_along = "task.target_scale=0.3:30:7,log",
    .regime = regime,
    .checks = checks,
    .defaults = orr_law_yaml_linearized_network_dynamics,
    .defaults_size = &orr_law_yaml_linearized_network_dynamics_size,
    .predict = predict,
    .measure = measure,
    .judge = judge,
    .figure = figure,
};
