/* The central flow: full-batch training that oscillates at the edge of stability follows, averaged over its oscillations, a flow
 * whose curvature penalty is what keeps every eigenvalue of the effective Hessian at or below the edge.
 *
 *     dw/dt = -P^-1 [grad L + 1/2 grad <H, Sigma>],  Sigma from complementarity: theory/central_flow.h, theory/central_path.h
 *     averages over windows of updates:   loss  L + tr X      squared gradient  |g|^2 + 4 tr P^2 Sigma      oscillation  tr Sigma
 *
 *   paper      here                meaning                                                          unit
 *   w*_t       midpoint            (w_{t-1} + 2 w_t + w_{t+1})/4
 *   w_t - w*_t oscillation         -(w_{t+1} - 2 w_t + w_{t-1})/4; tr Sigma is its mean square      parameter^2
 *   t_edge     edge                first update at which the flow has X > 0                         updates
 *
 * Compared are windows of `WINDOW` updates that begin after the edge.  Training and flow start from the same weights; RMSProp, whose
 * nu starts at 0, first makes updates of its own until it is below the edge.  The oscillation begins with a kick of the rule: from
 * rounding alone it would overshoot for hundreds of updates.
 * Sources: Cohen, Damian, Talwalkar, Kolter, Lee 2025 (2410.24206).  Sheet: laws/hyperparameters/central-flow.md */
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "law/conditions.h"
#include "law/law.h"
#include "law/measuring.h"
#include "law/predicting.h"
#include "law/start.h"
#include "report/page.h"
#include "theory/central_path.h"

extern const char orr_law_yaml_central_flow[];
extern const size_t orr_law_yaml_central_flow_size;

enum { WINDOW = 80 };      /* updates; sheet: 60 to 100 */
enum { WINDOWS_MIN = 3 };  /* after the edge */
enum { START_LIMIT = 10 }; /* RMSProp starts within so many times its memory 1/(1 - beta2) */
enum { GD, SCALAR, RMSPROP, RULES };

static int rule_of(const orr_point *p) {
    if (strcmp(p->rule->kind.name, "gd") == 0) return GD;
    if (strcmp(p->rule->kind.name, "rmsprop") != 0) return -1;
    return orr_flag(&p->rule_settings, "scalar") ? SCALAR : RMSPROP;
}

static orr_central_path_options options_of(const orr_point *p) {
    const orr_settings *s = &p->rule_settings;
    const int rule = rule_of(p);
    orr_central_path_options o = { .updates = p->steps, .substeps = rule == GD ? 1 : 4, .window = WINDOW };
    o.flow.learning_rate = orr_real(s, "learning_rate");
    o.flow.rule = rule == GD ? ORR_CENTRAL_GD : rule == SCALAR ? ORR_CENTRAL_SCALAR_RMSPROP : ORR_CENTRAL_RMSPROP;
    if (rule != GD) {
        o.flow.beta2 = orr_real(s, "beta2");
        o.flow.eps = orr_real(s, "eps");
    }
    return o;
}

/* Where the flow begins; -1 where there is no place below the edge. */
static orr_status find_start(orr_context *ctx, const orr_start *run, const orr_central_path_options *o, int64_t *start,
                             double *s_1) {
    const double memory = o->flow.rule == ORR_CENTRAL_GD ? 0.0 : 1.0 / (1.0 - o->flow.beta2);
    return orr_central_path_start(ctx, &run->landscape, &o->flow, run->w, (int64_t)ceil(START_LIMIT * memory), start,
                                  s_1);
}

/* ---- regime ------------------------------------------------------------------------------------------------------------- */

static bool is_known(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    (void)problem;
    *why = orr_arena_format(out_arena, "the rule is %s", p->rule->kind.name);
    return rule_of(p) >= 0;
}

static bool is_quiet(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    (void)problem;
    *why = orr_arena_string(out_arena, "task denoising draws new noise in each update");
    return strcmp(p->task->kind.name, "denoising") != 0;
}

/* loss, norms and parameters, at each update */
static bool is_observed(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    static const char *const needed[] = { "loss", "norms", "parameters" };
    (void)problem;
    for (int i = 0; i < 3; i++) {
        const orr_observation *o = orr_point_observation(p, needed[i]);
        *why = orr_arena_format(out_arena, "observe needs { kind: %s, every: 1 }", needed[i]);
        if (!o || !orr_is_periodic(o) || orr_int(&o->settings, "every") != 1) return false;
    }
    return true;
}

static bool is_kicked(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    (void)problem;
    *why =
        orr_arena_string(out_arena, "the rule's kick is 0: without one the oscillation begins at the size of rounding");
    return orr_real(&p->rule_settings, "kick") > 0.0;
}

/* Third derivatives need digits: the loss is in float64, whatever the network computes in. */
static orr_status begin(orr_context *ctx, const orr_premises *in, int64_t point, int64_t seed, orr_start *run) {
    return orr_start_at(ctx, in, point, seed, true, run);
}

/* s_1 < 2 at the start of the flow. */
static orr_status starts_below(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point,
                               int64_t seed, bool *holds, const char **why) {
    const orr_central_path_options o = options_of(&in->experiment->points[point]);
    int64_t start = 0;
    double s_1 = (double)NAN;
    orr_start run = { 0 };
    orr_status status = begin(ctx, in, point, seed, &run);
    if (status == ORR_OK) status = find_start(ctx, &run, &o, &start, &s_1);
    orr_start_end(&run);
    *holds = start >= 0;
    *why = orr_arena_format(scratch, "it is at %.4g", s_1);
    return status;
}

/* Whether the stable flow of a run passes the edge soon enough. */
static orr_status passes(orr_context *ctx, const orr_start *run, orr_central_path_options o, bool *holds) {
    orr_central_path path;
    double s_1;
    ORR_TRY(ctx, find_start(ctx, run, &o, &o.start, &s_1));
    if (o.start < 0) o.start = 0;
    o.flow.stable = true;
    o.updates -= WINDOWS_MIN * WINDOW;
    *holds = false;
    if (o.updates < 1) return ORR_OK;
    ORR_TRY(ctx, orr_central_path_follow(ctx, run->arena, &run->landscape, &o, run->w, &path));
    for (int64_t k = 0; k < path.made; k++) *holds = *holds || path.s[k * ORR_CENTRAL_SHOWN] > 2.0;
    return ORR_OK;
}

static orr_status reaches_edge(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point,
                               int64_t seed, bool *holds, const char **why) {
    orr_start run = { 0 };
    orr_status status = begin(ctx, in, point, seed, &run);
    if (status == ORR_OK) status = passes(ctx, &run, options_of(&in->experiment->points[point]), holds);
    orr_start_end(&run);
    *why = orr_arena_string(scratch, "the stable flow stays below it");
    return status;
}

static const orr_condition regime[] = {
    { "the rule is gd or rmsprop, scalar or not", .point = is_known },
    { "every update sees all examples", .point = orr_is_full_batch, .beyond = true },
    { "the learning rate is constant", .point = orr_has_constant_rate },
    { "the rule is without decay and clipping", .point = orr_is_bare_rule },
    { "all parameters learn at one rate", .point = orr_has_one_rate },
    { "the loss is the same in every update", .point = is_quiet },
    { "no run ends before its last update", .point = orr_runs_to_its_end },
    { "loss, norms and parameters are recorded at each update", .point = is_observed },
    { "the rule has a kick, which begins the oscillation", .point = is_kicked, .beyond = true },
    { "the network is smooth", .point = orr_is_smooth, .beyond = true },
    { "the flow starts below the edge, at an effective sharpness below 2", .run = starts_below, .beyond = true },
    { "the edge is passed at least 240 updates before the end", .run = reaches_edge,
      .beyond = true }, /* WINDOWS_MIN WINDOW */
    { 0 },
};

/* ---- prediction --------------------------------------------------------------------------------------------------------- */

/* Mean over each whole window of x[made] (new). */
static json_t *window_means(const double *x, int64_t windows) {
    json_t *out = json_array();
    for (int64_t i = 0; i < windows; i++) {
        double sum = 0.0;
        for (int64_t k = i * WINDOW; k < (i + 1) * WINDOW; k++) sum += x[k];
        orr_json_add(out, orr_json_real(sum / WINDOW));
    }
    return out;
}

static json_t *window_vectors(const double *w, int64_t windows, int64_t n) {
    json_t *out = json_array();
    for (int64_t i = 0; i < windows; i++) orr_json_add(out, orr_json_reals(w + i * n, n));
    return out;
}

/* s_i of all updates (new). */
static json_t *eigenvalue(const orr_central_path *p, int64_t i) {
    json_t *out = json_array();
    for (int64_t k = 0; k < p->made; k++) orr_json_add(out, orr_json_real(p->s[k * ORR_CENTRAL_SHOWN + i]));
    return out;
}

static json_t *flow_json(const orr_central_path *p) {
    return json_pack("{s:o, s:I, s:o, s:o, s:o, s:o, s:[o, o, o], s:{s:o, s:o, s:o, s:o}}", "edge",
                     p->edge < 0 ? json_null() : json_integer(p->edge), "critical_most", (json_int_t)p->critical_most,
                     "loss", orr_json_reals(p->loss, p->made), "loss_mean", orr_json_reals(p->loss_mean, p->made),
                     "gradient2_mean", orr_json_reals(p->gradient2_mean, p->made), "trace_sigma",
                     orr_json_reals(p->trace_sigma, p->made), "s", eigenvalue(p, 0), eigenvalue(p, 1), eigenvalue(p, 2),
                     "windows", "loss", window_means(p->loss_mean, p->windows), "gradient2",
                     window_means(p->gradient2_mean, p->windows), "trace_sigma",
                     window_means(p->trace_sigma, p->windows), "w", window_vectors(p->w, p->windows, p->n));
}

static json_t *stable_json(const orr_central_path *p) {
    return json_pack("{s:o, s:[o], s:{s:o}}", "loss", orr_json_reals(p->loss, p->made), "s", eigenvalue(p, 0),
                     "windows", "w", window_vectors(p->w, p->windows, p->n));
}

static orr_status tick(void *user) { return orr_premises_tick(user); }

static orr_status predict_run(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point, int64_t seed,
                              const void *known, json_t **out) {
    orr_central_path_options o = options_of(&in->experiment->points[point]);
    orr_central_path flow, stable;
    double s_1;
    orr_start run = { 0 };
    orr_status status;
    (void)scratch, (void)known;
    ORR_TRY_DONE(ctx, begin(ctx, in, point, seed, &run));
    o.tick = tick;
    o.user = (void *)(uintptr_t)in; /* tick only reads it */
    ORR_TRY_DONE(ctx, find_start(ctx, &run, &o, &o.start, &s_1));
    if (o.start < 0) o.start = 0;
    ORR_TRY_DONE(ctx, orr_central_path_follow(ctx, run.arena, &run.landscape, &o, run.w, &flow));
    o.flow.stable = true;
    ORR_TRY_DONE(ctx, orr_central_path_follow(ctx, run.arena, &run.landscape, &o, run.w, &stable));
    *out = json_pack("{s:I, s:I, s:o, s:o, s:o}", "seed", (json_int_t)seed, "start", (json_int_t)o.start,
                     "s_1_at_start", orr_json_real(s_1), "flow", flow_json(&flow), "stable", stable_json(&stable));
done:
    orr_start_end(&run);
    return status;
}

static orr_status predict_point(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point,
                                const void *known, json_t **out) {
    const orr_point *p = &in->experiment->points[point];
    json_t *runs;
    (void)known;
    ORR_TRY(ctx, orr_predict_runs(ctx, scratch, in, point, predict_run, NULL, &runs));
    *out = json_pack("{s:s, s:i, s:I, s:f, s:o}", "point", p->name, "rule", rule_of(p), "updates", (json_int_t)p->steps,
                     "learning_rate", orr_real(&p->rule_settings, "learning_rate"), "runs", runs);
    return ORR_OK;
}

static orr_status predict(orr_context *ctx, orr_arena *scratch, const orr_premises *in, json_t **prediction) {
    json_t *points;
    ORR_TRY(ctx, orr_predict_points(ctx, scratch, in, predict_point, NULL, &points));
    *prediction = json_pack("{s:s, s:i, s:o}", "law", "central-flow", "window", WINDOW, "points", points);
    return *prediction ? ORR_OK : orr_fail(ctx, ORR_ENOMEM, "central flow: no memory for a prediction");
}

/* ---- measurement -------------------------------------------------------------------------------------------------------- */

/* w_t of a run as doubles in the arena; *n = 0 where it wasn't recorded. */
static orr_status parameters_at(orr_context *ctx, orr_arena *arena, const orr_records *records, int64_t point,
                                int64_t seed, int64_t step, double **w, int64_t *n) {
    orr_array a;
    *n = 0;
    const orr_status status = orr_records_array(records, arena, point, seed, "parameters", step, &a);
    if (status == ORR_EINPUT) return orr_context_clear(ctx), ORR_OK;
    if (status != ORR_OK) return status;
    *n = orr_shape_count(&a.shape);
    *w = ORR_NEW(arena, double, *n);
    if (!*w) return orr_fail(ctx, ORR_ENOMEM, "central flow: no memory for %lld parameters", (long long)*n);
    for (int64_t i = 0; i < *n; i++) (*w)[i] = orr_array_value(&a, i);
    return ORR_OK;
}

/* Mean over updates from .. from + WINDOW - 1 of w_t, and of |w_{t+1} - 2 w_t + w_{t-1}|^2/16; *there: all were recorded.  The first
 * update has no w_{t-1} and no oscillation yet. */
static orr_status measure_window(orr_context *ctx, orr_arena *arena, const orr_records *records, int64_t point,
                                 int64_t seed, int64_t from, bool *there, json_t *vectors, json_t *traces) {
    double *at[3] = { NULL, NULL, NULL }, *mean = NULL, square = 0.0;
    int64_t n = 0;
    *there = false;
    for (int64_t t = from - 1; t <= from + WINDOW; t++) {
        double *w = NULL;
        if (t >= 0) {
            ORR_TRY(ctx, parameters_at(ctx, arena, records, point, seed, t, &w, &n));
            if (n == 0) return ORR_OK;
        }
        at[0] = at[1], at[1] = at[2], at[2] = w;
        if (!mean && n > 0) mean = ORR_NEW(arena, double, n);
        if (n > 0 && !mean)
            return orr_fail(ctx, ORR_ENOMEM, "central flow: no memory for %lld parameters", (long long)n);
        for (int64_t i = 0; i < n && t > from; i++) {
            const double o = at[0] ? (at[2][i] - 2.0 * at[1][i] + at[0][i]) / 4.0 : 0.0;
            mean[i] += at[1][i] / WINDOW;
            square += o * o / WINDOW;
        }
    }
    *there = true;
    orr_json_add(vectors, orr_json_reals(mean, n));
    orr_json_add(traces, orr_json_real(square));
    return ORR_OK;
}

/* Values of a series at updates 0, 1, ...: how many there are without a gap, none of them no number. */
static int64_t unbroken(const orr_series *s) {
    int64_t n = 0;
    while (n < s->n && s->x[n] == (double)n && isfinite(s->y[n])) n++;
    return n;
}

static orr_status measure_run(orr_context *ctx, orr_arena *scratch, const orr_records *records, int64_t point,
                              int64_t seed, json_t **out) {
    static const char *const eigenvalues[] = { "sharpness", "sharpness_preconditioned", NULL };
    orr_series loss, norm;
    json_t *all = NULL;
    ORR_TRY(ctx, orr_records_series(records, scratch, point, seed, "loss", &loss));
    ORR_TRY(ctx, orr_records_series(records, scratch, point, seed, "gradient_norm", &norm));
    for (int64_t i = 0; i < norm.n; i++) norm.y[i] *= norm.y[i];
    const int64_t n = unbroken(&loss) < unbroken(&norm) ? unbroken(&loss) : unbroken(&norm);
    json_t *vectors = json_array(), *traces = json_array();
    orr_status status = ORR_OK;
    bool there = true;
    int64_t windows = 0;
    for (; there && status == ORR_OK && (windows + 1) * WINDOW < n; windows += there) {
        const orr_arena_mark mark = orr_arena_here(scratch);
        status = measure_window(ctx, scratch, records, point, seed, windows * WINDOW, &there, vectors, traces);
        orr_arena_rewind(scratch, mark);
    }
    if (status == ORR_OK) status = orr_measure_series(ctx, scratch, records, point, seed, eigenvalues, &all);
    if (status == ORR_OK) {
        *out = json_pack("{s:o, s:O, s:{s:o, s:o, s:O, s:O}}", "loss", orr_json_reals(loss.y, n), "eigenvalues", all,
                         "windows", "loss", window_means(loss.y, windows), "gradient2", window_means(norm.y, windows),
                         "trace_sigma", traces, "w", vectors);
        if (!*out) status = orr_fail(ctx, ORR_ENOMEM, "central flow: no memory for a measurement");
    }
    json_decref(all);
    json_decref(vectors);
    json_decref(traces);
    return status;
}

static orr_status measure(orr_context *ctx, orr_arena *scratch, const orr_records *records, json_t **measurement) {
    return orr_measure_runs(ctx, scratch, records, measure_run, measurement);
}

/* ---- judgement ---------------------------------------------------------------------------------------------------------- */

/* ORDER checks: `measures` for each rule, in the order of the rules */
static const orr_check checks[] = {
    /* all tolerances: sheet, Agreement; scalar RMSProp counts as RMSProp */
    { "gd: mean loss over L + tr X", 0.95, 1.05 },
    { "gd: mean squared oscillation over tr Sigma", 0.95, 1.05 },
    { "gd: mean squared gradient over its prediction", 0.95, 1.05 },
    { "gd: distance to the central flow over distance to gradient flow", 0.0, 0.1 },
    { "scalar RMSProp: mean loss over L + tr X", 0.92, 1.08 },
    { "scalar RMSProp: mean squared oscillation over tr Sigma", 0.92, 1.08 },
    { "scalar RMSProp: mean squared gradient over its prediction", 0.92, 1.08 },
    { "scalar RMSProp: distance to the central flow over distance to the stable flow", 0.0, 0.1 },
    { "RMSProp: mean loss over L + tr X", 0.92, 1.08 },
    { "RMSProp: mean squared oscillation over tr Sigma", 0.92, 1.08 },
    { "RMSProp: mean squared gradient over its prediction", 0.92, 1.08 },
    { "RMSProp: distance to the central flow over distance to the stable flow", 0.0, 0.1 },
    { 0 },
};
enum { RATIOS = 3, MEASURES = 4 };
static const char *const ratio_names[RATIOS] = { "loss", "trace_sigma", "gradient2" };

/* NaN where they aren't of one length. */
static double distance(const json_t *a, const json_t *b) {
    double sum = 0.0;
    const size_t n = json_array_size(a);
    if (n == 0 || json_array_size(b) != n) return (double)NAN;
    for (size_t i = 0; i < n; i++) sum += pow(orr_number_at(a, i) - orr_number_at(b, i), 2.0);
    return sqrt(sum);
}

/* The first window after the edge, and behind the last that the run should have; none where there is no edge. */
static void span(const json_t *point, const json_t *run, size_t *first, size_t *end) {
    const json_t *edge = json_object_get(json_object_get(run, "flow"), "edge");
    *end = (size_t)(json_integer_value(json_object_get(point, "updates")) / WINDOW);
    *first = json_is_integer(edge) ? (size_t)(json_integer_value(edge) / WINDOW + 1) : *end;
}

/* Sums over the windows after the edge, measured over predicted; a window that is missing on either side makes NaN. */
static void judge_run(const json_t *point, const json_t *run, const json_t *measured, orr_check_values *values) {
    const json_t *flow = json_object_get(json_object_get(run, "flow"), "windows"),
                 *stable = json_object_get(json_object_get(run, "stable"), "windows"),
                 *windows = json_object_get(measured, "windows");
    orr_check_values *own = values + MEASURES * json_integer_value(json_object_get(point, "rule"));
    size_t first, end;
    span(point, run, &first, &end);
    for (int c = 0; c < RATIOS; c++) {
        double up = 0.0, down = 0.0;
        for (size_t i = first; i < end; i++) {
            up += orr_number_at(json_object_get(windows, ratio_names[c]), i);
            down += orr_number_at(json_object_get(flow, ratio_names[c]), i);
        }
        orr_check_add(&own[c], up / down); /* 0/0 without an edge */
    }
    double central = 0.0, baseline = 0.0;
    const size_t known = json_array_size(json_object_get(stable, "w")); /* the stable flow may end early, far away */
    for (size_t i = first; i < end && i < known; i++) {
        const json_t *w = json_array_get(json_object_get(windows, "w"), i);
        central += distance(w, json_array_get(json_object_get(flow, "w"), i));
        baseline += distance(w, json_array_get(json_object_get(stable, "w"), i));
    }
    orr_check_add(&own[RATIOS], central / baseline);
}

static orr_status judge(orr_context *ctx, orr_arena *out_arena, const json_t *prediction, const json_t *measurement,
                        orr_check_values *values) {
    return orr_judge_runs(ctx, out_arena, checks, 1, prediction, "runs", measurement, judge_run, values);
}

/* ---- figure ------------------------------------------------------------------------------------------------------------- */

enum { SHOWN_EVERY = 2 }; /* updates, of lines */

/* { step, value, label, seed, kind } */
static json_t *row_of(double step, double value, const json_t *label, int64_t seed, const char *kind) {
    return json_pack("{s:o, s:o, s:O, s:I, s:s}", "step", orr_json_real(step), "value", orr_json_real(value), "label",
                     label, "seed", (json_int_t)seed, "kind", kind);
}

/* A list that has one entry for each update, in the mean of two: at a step of one update the flow goes to one side of the edge and to
 * the other in turn, so that every second entry alone would show one side only. */
static void add_line(json_t *rows, const json_t *list, const json_t *label, int64_t seed, const char *kind,
                     int64_t every) {
    for (size_t k = 0; k + 1 < json_array_size(list); k += (size_t)every)
        orr_json_add(rows, row_of((double)k + 0.5, (orr_number_at(list, k) + orr_number_at(list, k + 1)) / 2, label,
                                  seed, kind));
}

/* A list that has one entry for each window. */
static void add_windows(json_t *rows, const json_t *list, size_t first, const json_t *label, int64_t seed,
                        const char *kind) {
    for (size_t i = first; i < json_array_size(list); i++)
        orr_json_add(rows, row_of(((double)i + 0.5) * WINDOW, orr_number_at(list, i), label, seed, kind));
}

static void add_distances(json_t *rows, const json_t *windows, const json_t *path, const json_t *label, int64_t seed,
                          const char *kind) {
    const json_t *a = json_object_get(windows, "w"), *b = json_object_get(json_object_get(path, "windows"), "w");
    for (size_t i = 0; i < json_array_size(a) && i < json_array_size(b); i++)
        orr_json_add(rows, row_of(((double)i + 0.5) * WINDOW, distance(json_array_get(a, i), json_array_get(b, i)),
                                  label, seed, kind));
}

/* Measured eigenvalues times eta are those of the effective Hessian. */
static void add_eigenvalues(json_t *rows, const json_t *measured, const char *name, double eta, const json_t *label) {
    const json_t *one = json_object_get(json_object_get(measured, "eigenvalues"), name),
                 *step = json_object_get(one, "step"), *value = json_object_get(one, "value");
    for (size_t i = 0; i < json_array_size(step); i++)
        orr_json_add(rows, row_of(orr_number_at(step, i), eta * orr_number_at(value, i), label, 0, name));
}

/* The loss of the first seed. */
static json_t *loss_panel(const json_t *point, const json_t *measured) {
    const json_t *run = json_array_get(json_object_get(point, "runs"), 0), *flow = json_object_get(run, "flow"),
                 *label = json_object_get(point, "point");
    json_t *lines = json_array(), *raw = json_array(), *windows = json_array();
    for (size_t k = 0; k < json_array_size(json_object_get(measured, "loss")); k++)
        orr_json_add(raw, row_of((double)k, orr_number_at(json_object_get(measured, "loss"), k), label, 0, "training"));
    add_windows(windows, json_object_get(json_object_get(measured, "windows"), "loss"), 0, label, 0,
                "training, averaged");
    add_line(lines, json_object_get(flow, "loss_mean"), label, 0, "L + tr X", SHOWN_EVERY);
    add_line(lines, json_object_get(flow, "loss"), label, 0, "L alone", SHOWN_EVERY);
    add_line(lines, json_object_get(json_object_get(run, "stable"), "loss"), label, 0, "stable flow", SHOWN_EVERY);
    return orr_page_panel_of(
        "central_loss", "Loss", label,
        "Thin: training, which oscillates. Points: its averages over windows. Lines: predicted, on the central "
        "flow with and without the oscillation, and on the flow that knows no edge.",
        "Loss by update: training, its averages, and the flows that were predicted.", false,
        json_pack("{s:o, s:o, s:o}", "raw", raw, "windows", windows, "predicted", lines));
}

typedef struct rows {
    json_t *sigma, *sigma_measured, *distance, *s, *s_measured;
} rows;

static void add_point(rows *r, const json_t *point, const json_t *measurement, size_t at) {
    const json_t *runs = json_object_get(point, "runs"), *label = json_object_get(point, "point");
    const double eta = orr_number_of(point, "learning_rate");
    for (size_t seed = 0; seed < json_array_size(runs); seed++) {
        const json_t *run = json_array_get(runs, seed), *measured = orr_measured(measurement, at, seed),
                     *windows = json_object_get(measured, "windows"), *flow = json_object_get(run, "flow");
        size_t first, end;
        span(point, run, &first, &end);
        add_line(r->sigma, json_object_get(flow, "trace_sigma"), label, (int64_t)seed, "predicted", 4 * SHOWN_EVERY);
        add_windows(r->sigma_measured, json_object_get(windows, "trace_sigma"), first, label, (int64_t)seed,
                    "measured");
        add_distances(r->distance, windows, flow, label, (int64_t)seed, "central flow");
        add_distances(r->distance, windows, json_object_get(run, "stable"), label, (int64_t)seed, "stable flow");
        if (seed > 0) continue;
        const json_t *s = json_object_get(flow, "s");
        static const char *const name[] = { "s1", "s2", "s3" };
        for (size_t i = 0; i < 3; i++) add_line(r->s, json_array_get(s, i), label, 0, name[i], 2 * SHOWN_EVERY);
        add_eigenvalues(r->s_measured, measured, "sharpness", eta, label);
        add_eigenvalues(r->s_measured, measured, "sharpness_preconditioned", eta, label);
    }
}

static json_t *figure(const json_t *prediction, const json_t *measurement) {
    const json_t *points = json_object_get(prediction, "points");
    json_t *panels = json_array();
    rows r = { json_array(), json_array(), json_array(), json_array(), json_array() };
    for (size_t i = 0; i < json_array_size(points); i++) {
        orr_json_add(panels, loss_panel(json_array_get(points, i), orr_measured(measurement, i, 0)));
        add_point(&r, json_array_get(points, i), measurement, i);
    }
    orr_json_add(
        panels, orr_page_panel("central_sigma", "The size of the oscillation, tr \u03a3",
                               "Lines: the covariance that the flow needs to stay at the edge, each seed. Points: mean "
                               "squared oscillation of training, over windows.",
                               "Trace of the covariance of the oscillation by update, predicted and measured.", false,
                               json_pack("{s:o, s:o}", "predicted", r.sigma, "measured", r.sigma_measured)));
    orr_json_add(
        panels,
        orr_page_panel("central_distance", "How far training is from each flow",
                       "From the averaged weights of training to the central flow, and to the flow that knows no edge.",
                       "Distance of the averaged weights to the central and to the stable flow.", false,
                       json_pack("{s:o}", "distance", r.distance)));
    orr_json_add(
        panels,
        orr_page_panel("central_eigenvalues", "Eigenvalues of the effective Hessian",
                       "Lines: the three largest on the central flow, first seed. Points: the largest in training, "
                       "which swings around the edge at 2.",
                       "Largest eigenvalues of the effective Hessian by update; the edge is at 2.", false,
                       json_pack("{s:o, s:o}", "predicted", r.s, "measured", r.s_measured)));
    return panels;
}

const orr_law orr_law_central_flow = {
    .id = "central-flow",
    .title = "The central flow",
    .statement =
        "At the edge of stability, training averaged over its oscillations follows a flow with a curvature penalty, "
        "whose strength is what keeps every eigenvalue of the effective Hessian at or below the edge.",
    .equation = "\\begin{aligned} \\frac{dw}{dt} &= -P^{-1}\\left[\\nabla L + \\tfrac12 \\nabla \\langle H, \\Sigma "
                "\\rangle\\right], \\quad "
                "\\frac{d\\nu}{dt} = \\tfrac{1-\\beta_2}{\\beta_2}\\left(g^2 - \\nu + 4P^2 "
                "\\operatorname{diag}\\Sigma\\right) \\\\ "
                "0 &\\preceq \\Sigma \\;\\perp\\; 2P - H \\;\\succeq\\; 0 \\end{aligned}",
    .section = "2.4",
    .sources = "Cohen, Damian, Talwalkar, Kolter, Lee 2025 (arXiv 2410.24206); Damian, Nichani, Lee 2023 (2209.15594)",
    .breaks_along = "architecture.weight_variance=1:5:5",
    .regime = regime,
    .checks = checks,
    .defaults = orr_law_yaml_central_flow,
    .defaults_size = &orr_law_yaml_central_flow_size,
    .predict = predict,
    .measure = measure,
    .judge = judge,
    .figure = figure,
};
