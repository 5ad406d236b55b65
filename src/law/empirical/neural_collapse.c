/* Neural collapse: at the end of training the last features collapse to their class means, the means form a simplex equiangular tight
 * frame, the readout's rows align with them, and with decay of features and readout their sizes have a closed form.
 *
 *     c = (K-1) sqrt(lw lh n)     m = log((K-1)(1-c)/c)     F = log(1 + (K-1) e^{-m}) + c m
 *     q = m (K-1)/K     |w_k|^2 = q sqrt(lh n/lw)     |h_i|^2 = q sqrt(lw/(lh n));     c >= (K-1)/K: all is 0, F = log K
 *
 *   paper      here            meaning                                                      unit
 *   lw, lh     readout_decay,  of lw/2 |W|^2 and lh/2 sum_i |h_i|^2 over all N features
 *              feature_decay
 *   K, n       classes, each   classes, examples of each
 *   F          objective       cross-entropy with both decays                               nats
 *   m          margin          right output over each other one                             1
 *   NC1..NC4   nc1 ..          metrics of the instrument neural-collapse, 0 at collapse      1
 *
 * The closed form (theory/neural_collapse) is that of features that can be placed at will; the network is trained.
 * Sources: Papyan, Han, Donoho 2020 (2008.08186); Zhu et al. 2021 (2105.02375).  Sheet: laws/empirical/neural-collapse.md */
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "law/conditions.h"
#include "law/law.h"
#include "law/measuring.h"
#include "law/predicting.h"
#include "report/page.h"
#include "theory/neural_collapse.h"

extern const char orr_law_yaml_neural_collapse[];
extern const size_t orr_law_yaml_neural_collapse_size;

static const orr_observation *metrics_of(const orr_point *p) { return orr_point_observation(p, "neural-collapse"); }
static double decay_of(const orr_point *p, const char *name) { return orr_real(&p->task_settings, name); }

/* ---- regime ------------------------------------------------------------------------------------------------------------- */

static bool decays(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    (void)problem;
    *why =
        orr_arena_string(out_arena, "task needs { kind: cross-entropy, readout_decay, feature_decay }, both above 0");
    return strcmp(p->task->kind.name, "cross-entropy") == 0 && decay_of(p, "readout_decay") > 0 &&
           decay_of(p, "feature_decay") > 0 && strcmp(orr_text(&p->task_settings, "examples"), "mean") == 0;
}

static bool decays_nothing_else(orr_arena *out_arena, const orr_point *p, const orr_problem *problem,
                                const char **why) {
    if (!orr_is_bare_rule(out_arena, p, problem, why)) return false;
    *why = orr_arena_format(out_arena, "ridge is %g", orr_real(&p->task_settings, "ridge"));
    return orr_real(&p->task_settings, "ridge") == 0;
}

/* Examples of each class where they are alike, else 0. */
static int64_t of_each_class(const orr_problem *problem) {
    const orr_dataset *d = &problem->data;
    const int64_t each = d->classes > 0 ? d->n / d->classes : 0;
    for (int64_t k = 0; k < d->classes; k++) {
        int64_t count = 0;
        for (int64_t i = 0; i < d->n; i++) count += d->label[i] == k;
        if (count != each) return 0;
    }
    return each;
}

static bool is_balanced(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    (void)p;
    *why = orr_arena_string(out_arena, "the classes differ; subset: balanced takes as many of each");
    return of_each_class(problem) > 0;
}

static const orr_tensor *readout_of(const orr_problem *problem) {
    for (int64_t t = 0; t < problem->n_tensors; t++)
        if (problem->tensors[t].role == ORR_ROLE_READOUT) return &problem->tensors[t];
    return NULL;
}

static bool has_room(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    const orr_tensor *w = readout_of(problem);
    (void)p;
    *why = orr_arena_format(out_arena, "%lld features for %lld classes", (long long)(w ? w->fan_in : 0),
                            (long long)problem->data.classes);
    return w && !w->frozen && w->fan_in >= problem->data.classes - 1;
}

static bool has_linear_features(orr_arena *out_arena, const orr_point *p, const orr_problem *problem,
                                const char **why) {
    const orr_settings *s = &p->architecture_settings;
    const char *kind = p->architecture->kind.name;
    (void)problem;
    *why = orr_arena_format(out_arena, "the features of %s can't have any sign; mlp has linear_features", kind);
    if (orr_settings_has(s, "linear_features") && orr_flag(s, "linear_features")) return true;
    return strcmp(kind, "linear") == 0 ||
           (strcmp(kind, "mlp") == 0 && strcmp(orr_text(s, "activation"), "linear") == 0);
}

static bool is_observed(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    const orr_observation *o = metrics_of(p), *loss = orr_point_observation(p, "loss");
    *why = orr_arena_format(out_arena,
                            "observe needs { kind: neural-collapse } and { kind: loss }, periodic, over all "
                            "%lld examples",
                            (long long)problem->data.n);
    return o && loss && orr_is_periodic(o) && orr_is_periodic(loss) &&
           orr_int(&o->settings, "examples") >= problem->data.n;
}

static const orr_condition regime[] = {
    { "features and readout decay, under the mean cross-entropy", .point = decays },
    { "nothing else decays", .point = decays_nothing_else, .beyond = true },
    { "all classes have as many examples", .point = is_balanced },
    { "features have at least K - 1 dimensions", .point = has_room, .beyond = true },
    { "the last features are linear", .point = has_linear_features, .beyond = true },
    { "no run ends before its last update", .point = orr_runs_to_its_end },
    { "loss and collapse are observed, over all examples", .point = is_observed },
    { 0 },
};

/* ---- prediction --------------------------------------------------------------------------------------------------------- */

static int64_t last_of(const orr_point *p, const orr_observation *o) {
    const int64_t every = orr_int(&o->settings, "every");
    return p->steps / every * every;
}

static orr_status predict_point(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point,
                                const void *known, json_t **out) {
    const orr_point *p = &in->experiment->points[point];
    const orr_problem *problem = in->problems[point * in->experiment->seeds];
    const orr_collapse c = orr_collapse_optimum(problem->data.classes, of_each_class(problem),
                                                decay_of(p, "readout_decay"), decay_of(p, "feature_decay"));
    (void)ctx, (void)scratch, (void)known;
    *out = json_pack("{s:s, s:f, s:f, s:b, s:f, s:f, s:f, s:f, s:I, s:I, s:I}", "point", p->name, "feature_decay",
                     decay_of(p, "feature_decay"), "c", c.c, "zero", (int)c.zero, "objective", c.objective, "margin",
                     c.margin, "readout_norm", c.readout_norm, "feature_norm", c.feature_norm, "classes",
                     (json_int_t)problem->data.classes, "last_step", (json_int_t)last_of(p, metrics_of(p)), "last_loss",
                     (json_int_t)last_of(p, orr_point_observation(p, "loss")));
    return ORR_OK;
}

static orr_status predict(orr_context *ctx, orr_arena *scratch, const orr_premises *in, json_t **prediction) {
    return orr_predict_each(ctx, scratch, in, "neural-collapse", predict_point, NULL, prediction);
}

/* ---- measurement -------------------------------------------------------------------------------------------------------- */

static orr_status measure_run(orr_context *ctx, orr_arena *scratch, const orr_records *records, int64_t point,
                              int64_t seed, json_t **out) {
    static const char *const names[] = { "loss", "nc_margin", "nc_readout_norm", "nc_feature_norm",
                                         "nc1",  "nc2_norm",  "nc2_angle",       "nc3",
                                         "nc4",  NULL };
    return orr_measure_series(ctx, scratch, records, point, seed, names, out);
}

static orr_status measure(orr_context *ctx, orr_arena *scratch, const orr_records *records, json_t **measurement) {
    return orr_measure_runs(ctx, scratch, records, measure_run, measurement);
}

/* ---- judgement ---------------------------------------------------------------------------------------------------------- */

/* ORDER checks: in `judge` */
static const orr_check checks[] = {
    /* all tolerances: sheet, Agreement (b) */
    { "objective over predicted", 0.98, 1.02 },
    { "margin over predicted", 0.97, 1.03 },
    { "norm of the readout's rows over predicted", 0.95, 1.05 },
    { "norm of the features over predicted", 0.95, 1.05 },
    { "NC1: within over between classes", 0.0, 0.02 },
    { "NC2: angles of class means from the simplex", 0.0, 0.02 },
    { "NC3: readout from class means", 0.0, 0.05 },
    { "NC4: answers that are not the nearest class mean", 0.0, 0.0 },
    { 0 },
};

/* Of each check: the series, and what of the prediction it is divided by. */
static const struct {
    const char *series, *over;
} values_of[] = { { "loss", "objective" },
                  { "nc_margin", "margin" },
                  { "nc_readout_norm", "readout_norm" },
                  { "nc_feature_norm", "feature_norm" },
                  { "nc1", NULL },
                  { "nc2_angle", NULL },
                  { "nc3", NULL },
                  { "nc4", NULL } };

static void judge_run(const json_t *point, const json_t *predicted, const json_t *run, orr_check_values *values) {
    const bool zero = json_is_true(json_object_get(point, "zero"));
    (void)predicted;
    for (int c = 0; checks[c].metric && (c == 0 || !zero); c++) { /* where all is zero, F = log K is left */
        const double last = orr_number_of(point, c == 0 ? "last_loss" : "last_step");
        const double over = values_of[c].over ? orr_number_of(point, values_of[c].over) : 1.0;
        orr_check_add(&values[c], orr_measured_last(run, values_of[c].series, last) / over);
    }
}

static orr_status judge(orr_context *ctx, orr_arena *out_arena, const json_t *prediction, const json_t *measurement,
                        orr_check_values *values) {
    return orr_judge_runs(ctx, out_arena, checks, 1, prediction, NULL, measurement, judge_run, values);
}

/* ---- figure ------------------------------------------------------------------------------------------------------------- */

static void add_metrics(json_t *rows, const json_t *run, size_t seed) {
    static const char *const names[] = { "nc1", "nc2_angle", "nc3", "nc4" };
    for (size_t m = 0; m < 4; m++) {
        const json_t *series = json_object_get(run, names[m]), *k = json_object_get(series, "step");
        for (size_t i = 0; i < json_array_size(k); i++) {
            const double y = orr_number_at(json_object_get(series, "value"), i);
            if (y > 0) /* the axis is logarithmic */
                orr_json_row(rows, "{s:s, s:O, s:f, s:I}", "metric", names[m], "step", json_array_get(k, i), "value", y,
                             "seed", (json_int_t)seed);
        }
    }
}

static void add_sizes(json_t *rows, const json_t *point, const json_t *run, size_t seed) {
    static const char *const words[] = { "objective", "margin", "readout rows", "features" };
    for (int c = 0; c < 4; c++) {
        const double last = orr_number_of(point, c == 0 ? "last_loss" : "last_step");
        orr_json_row(rows, "{s:s, s:f, s:o, s:I}", "quantity", words[c], "predicted",
                     orr_number_of(point, values_of[c].over), "measured",
                     orr_json_real(orr_measured_last(run, values_of[c].series, last)), "seed", (json_int_t)seed);
    }
}

static json_t *figure(const json_t *prediction, const json_t *measurement) {
    const json_t *points = json_object_get(prediction, "points"), *point;
    json_t *panels = json_array(), *sizes = json_array();
    size_t i;
    json_array_foreach(points, i, point) {
        json_t *rows = json_array();
        for (size_t seed = 0; seed < json_array_size(json_array_get(measurement, i)); seed++) {
            add_metrics(rows, orr_measured(measurement, i, seed), seed);
            add_sizes(sizes, point, orr_measured(measurement, i, seed), seed);
        }
        orr_json_add(panels,
                     orr_page_panel_of(
                         "collapse", "Four measures of collapse", json_object_get(point, "point"),
                         "A line for each seed: within over between classes (1), "
                         "angles of the means from the simplex (2), readout from means (3), answers that are "
                         "not the nearest mean (4). Predicted: 0.",
                         "Measures of neural collapse against updates.", true, json_pack("{s:o}", "measured", rows)));
    }
    orr_json_add(panels,
                 orr_page_panel("collapse_sizes", "The closed form",
                                "Objective, margin and norms at the end of training against "
                                "their closed form; the line is equality.",
                                "Measured against predicted sizes.", false, json_pack("{s:o}", "measured", sizes)));
    return panels;
}

const orr_law orr_law_neural_collapse = {
    .id = "neural-collapse",
    .title = "Neural collapse",
    .statement =
        "At the end of training the last features of a classifier collapse to class means that form a simplex, the "
        "readout aligns with them, and decay of both sets their sizes, margin and loss in closed form.",
    .equation = "c = (K-1)\\sqrt{\\lambda_W \\lambda_H n},\\quad m = \\log\\tfrac{(K-1)(1-c)}{c},\\quad F = "
                "\\log\\bigl(1+(K-1)e^{-m}\\bigr) + c\\,m,\\quad |w_k|\\,|h_i| = \\tfrac{K-1}{K}\\,m",
    .section = "2.3",
    .sources =
        "Papyan, Han, Donoho 2020 (arXiv 2008.08186); Zhu et al. 2021 (2105.02375); Mixon et al. 2020 (2011.11619)",
    .breaks_along = "task.feature_decay=5e-6:5e-2:5,log",
    .regime = regime,
    .checks = checks,
    .defaults = orr_law_yaml_neural_collapse,
    .defaults_size = &orr_law_yaml_neural_collapse_size,
    .predict = predict,
    .measure = measure,
    .judge = judge,
    .figure = figure,
};
