/* The neural feature ansatz: the Gram matrix of a trained layer's weights is a power of the average gradient outer product with
 * respect to the layer's input, and a kernel machine that takes it for its metric learns features.
 *
 *     W_l' W_l ~ AGOP_l^s,  s = 1/(L - l + 1)      an equality for balanced deep linear networks, up to O(learning rate)
 *     s = 1 instead:  cos(W_l' W_l, AGOP_l) = sum t^{2/L + 2(L-l+1)/L}/sqrt(sum t^{4/L} sum t^{4(L-l+1)/L})
 *     recursive feature machine:  K_M(x, z) = exp(-sqrt((x - z)' M (x - z))/bandwidth),  M <- AGOP^power
 *
 *   paper    here        meaning                                                        unit
 *   L, l     layers      matrices, from the input on                                    1
 *   t        target      singular values of the map that is learned                     y / x
 *   Pearson  correlation of all entries of W_l' W_l and AGOP_l^s                        1
 *
 * What is predicted depends on the start:
 *   balanced   a linear network with W_{l+1}' W_{l+1} = W_l W_l': the equality
 *   small      two ReLU layers from weights of a fifth of 2/fan-in or less: the ansatz comes true at the first layer
 *   usual      the same from weights near 2/fan-in, lazy: nothing is gained
 *   machine    a recursive feature machine: its test R^2 grows, and M finds the directions of the target
 * Measured by instrument/feature_ansatz.c and instrument/recursive_features.c.  A matrix near the identity makes any power look right:
 * judged is the gain over the initial network too.
 * Sources: Radhakrishnan et al. 2024 (2212.13881); Radhakrishnan, Belkin, Drusvyatskiy 2024 (2401.04553).
 * Sheet: laws/empirical/neural-feature-ansatz.md */
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "law/conditions.h"
#include "law/law.h"
#include "law/linear_network.h"
#include "law/measuring.h"
#include "law/predicting.h"
#include "numeric/dense.h"
#include "report/page.h"
#include "theory/feature_ansatz.h"

extern const char orr_law_yaml_neural_feature_ansatz[];
extern const size_t orr_law_yaml_neural_feature_ansatz_size;

typedef enum start_kind { BALANCED = 0, SMALL, USUAL, MACHINE, NONE } start_kind;
static const char *const start_names[] = { "balanced", "small", "usual", "machine", "none" };

static const orr_observation *ansatz_of(const orr_point *p) { return orr_point_observation(p, "feature-ansatz"); }
static bool is_machine(const orr_point *p) { return orr_point_observation(p, "recursive-features") != NULL; }

static bool is_linear(const orr_point *p) {
    return strcmp(p->architecture->kind.name, "linear") == 0 ||
           (strcmp(p->architecture->kind.name, "mlp") == 0 &&
            orr_settings_say(&p->architecture_settings, "activation", "identity"));
}

/* All tensors are matrices that follow each other. */
static bool is_chain(const orr_problem *problem) {
    for (int64_t t = 0; t < problem->n_tensors; t++) {
        const orr_shape *shape = &problem->tensors[t].shape;
        if (shape->rank != 2 || (t > 0 && shape->size[1] != problem->tensors[t - 1].shape.size[0])) return false;
    }
    return problem->n_tensors > 0;
}

/* ---- regime ------------------------------------------------------------------------------------------------------------- */

static bool is_observed(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    (void)problem;
    *why = orr_arena_string(out_arena, "observe needs { kind: feature-ansatz } or { kind: recursive-features }");
    return ansatz_of(p) || is_machine(p);
}

static bool is_chain_of_matrices(orr_arena *out_arena, const orr_point *p, const orr_problem *problem,
                                 const char **why) {
    *why = orr_arena_format(out_arena, "%s has other tensors, biases say", p->architecture->kind.name);
    return is_machine(p) || is_chain(problem);
}

static bool has_ends(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    (void)problem;
    *why = orr_arena_format(out_arena, "feature-ansatz isn't measured after 0 and after %lld updates",
                            (long long)p->steps);
    return is_machine(p) || (p->steps > 0 && orr_instrument_due(&ansatz_of(p)->settings, 0) &&
                             orr_instrument_due(&ansatz_of(p)->settings, p->steps));
}

static bool runs_to_its_end(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    return is_machine(p) ? (*why = "", true) : orr_runs_to_its_end(out_arena, p, problem, why);
}

static bool has_squared_error(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    return is_machine(p) ? (*why = "", true) : orr_has_squared_error(out_arena, p, problem, why);
}

static bool is_full_batch(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    return is_machine(p) ? (*why = "", true) : orr_is_full_batch(out_arena, p, problem, why);
}

static bool is_known_target(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    (void)problem;
    *why = orr_arena_string(out_arena, "tolerances are known for z_1 z_2 + z_3 of normal inputs");
    return !is_machine(p) ||
           (strcmp(p->data->kind.name, "multi-index") == 0 && orr_settings_say(&p->data_settings, "link", "pairs") &&
            orr_settings_say(&p->data_settings, "inputs", "normal") && orr_int(&p->data_settings, "rank") == 3);
}

/* The largest imbalance of two layers that follow each other. */
static orr_status imbalance_of(orr_context *ctx, orr_arena *scratch, const orr_linear_chain *c, double *out) {
    *out = 0.0;
    for (int64_t l = 0; l + 1 < c->layers; l++) {
        double one;
        ORR_TRY(ctx, orr_ansatz_imbalance(ctx, scratch, c->width[l], c->width[l + 1], c->width[l + 2], c->w[l],
                                          c->w[l + 1], &one));
        *out = fmax(*out, one);
    }
    return ORR_OK;
}

/* Root mean square of the first matrix over sqrt(2/fan-in). */
static double scale_of(const orr_linear_chain *c) {
    const int64_t rows = c->width[1], columns = c->width[0];
    double sum = 0.0;
    for (int64_t i = 0; i < rows * columns; i++) sum += c->w[0][i] * c->w[0][i];
    return sqrt(sum / (double)(rows * columns) * (double)columns / 2.0);
}

typedef struct start {
    start_kind kind; /* the nearest; NONE for other networks */
    double scale;    /* of the weights, or the imbalance */
    bool inside;     /* the law speaks about it */
} start;

static orr_status classify(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point, int64_t seed,
                           start *out) {
    const orr_point *p = &in->experiment->points[point];
    const orr_problem *problem = in->problems[point * in->experiment->seeds + seed];
    *out = (start){ is_machine(p) ? MACHINE : NONE, (double)NAN, is_machine(p) };
    if (is_machine(p)) return ORR_OK;
    orr_linear_chain chain;
    ORR_TRY(ctx, orr_linear_chain_of(ctx, scratch, problem, seed, &chain));
    if (is_linear(p)) {
        ORR_TRY(ctx, imbalance_of(ctx, scratch, &chain, &out->scale));
        out->kind = BALANCED;
        out->inside = out->scale < 1e-6;
    } else if (orr_settings_say(&p->architecture_settings, "activation", "relu") && problem->n_tensors == 2) {
        out->scale = scale_of(&chain);
        out->kind = out->scale < 0.7 ? SMALL : USUAL;
        out->inside = out->scale <= 0.2 || out->scale >= 0.7;
    }
    return ORR_OK;
}

static orr_status is_of_a_kind(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point,
                               int64_t seed, bool *holds, const char **why) {
    start s;
    ORR_TRY(ctx, classify(ctx, scratch, in, point, seed, &s));
    *holds = s.kind != NONE;
    *why = orr_arena_string(scratch, "it is neither");
    return ORR_OK;
}

static orr_status has_known_start(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point,
                                  int64_t seed, bool *holds, const char **why) {
    const bool linear = is_linear(&in->experiment->points[point]);
    start s;
    ORR_TRY(ctx, classify(ctx, scratch, in, point, seed, &s));
    *holds = s.inside;
    *why =
        orr_arena_format(scratch, "%s %.3g", linear ? "the imbalance is" : "weights over sqrt(2/fan-in) are", s.scale);
    return ORR_OK;
}

static bool is_double(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    (void)problem;
    *why = orr_arena_string(out_arena, "precision is f32, whose rounding is above the tolerance of the last layer");
    return is_machine(p) || !is_linear(p) || p->precision == ORR_F64;
}

static const orr_condition regime[] = {
    { "the ansatz or a recursive feature machine is observed", .point = is_observed },
    { "a network is matrices that follow each other", .point = is_chain_of_matrices },
    { "the ansatz is measured before the first update and after the last", .point = has_ends },
    { "no network ends before its last update", .point = runs_to_its_end },
    { "the task is mse", .point = has_squared_error, .beyond = true },
    { "every update sees all examples", .point = is_full_batch, .beyond = true },
    { "linear networks have float64", .point = is_double, .beyond = true },
    { "a machine learns a target that has pairs of directions", .point = is_known_target, .beyond = true },
    { "the network is linear, or has two layers and relu", .run = is_of_a_kind },
    { "a linear network starts balanced, another with weights below 0.2 or above 0.7 of sqrt(2/fan-in)",
      .run = has_known_start, .beyond = true },
    { 0 },
};

/* ---- prediction --------------------------------------------------------------------------------------------------------- */

static orr_status no_memory(orr_context *ctx) { return orr_fail(ctx, ORR_ENOMEM, "feature ansatz: no memory"); }

/* Singular values of the least squares map from inputs to targets: what a linear network ends at.  s[min(inputs, outputs)] */
static orr_status target_of(orr_context *ctx, orr_arena *scratch, const orr_problem *p, orr_svd *out) {
    const int64_t n = p->data.n, d = orr_dataset_features(&p->data), outputs = p->signature.outputs;
    double *y = ORR_NEW(scratch, double, n *outputs);
    orr_least_squares map;
    orr_arena *work;
    if (!y) return no_memory(ctx);
    orr_dataset_answers(&p->data, outputs, y);
    ORR_TRY(ctx, orr_arena_new(ctx, &work));
    orr_status status = orr_least_squares_solve(ctx, scratch, work, n, d, p->data.x, outputs, y, 0.0, &map);
    if (status == ORR_OK) status = orr_svd_thin(ctx, scratch, work, d, outputs, map.x, out);
    orr_arena_free(work);
    return status;
}

/* (new) For each layer the cosine at power 1; [] where the start isn't balanced. */
static orr_status predict_seed(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point,
                               int64_t seed, const void *known, json_t **out) {
    const orr_problem *p = in->problems[point * in->experiment->seeds + seed];
    orr_svd target = { 0 };
    start s;
    (void)known;
    ORR_TRY(ctx, classify(ctx, scratch, in, point, seed, &s));
    if (s.kind == BALANCED) ORR_TRY(ctx, target_of(ctx, scratch, p, &target));
    *out = json_array();
    for (int64_t l = 1; l <= p->n_tensors && s.kind == BALANCED; l++)
        orr_json_add(*out, orr_json_real(orr_ansatz_cosine_of_power_1(p->n_tensors, l, target.k, target.s)));
    return ORR_OK;
}

/* The column of power 1 in what the instrument records; 0 where it isn't asked for. */
static int64_t column_of_power_1(const orr_point *p) {
    int64_t n = 0;
    if (!ansatz_of(p)) return 0;
    const double *powers = orr_reals(&ansatz_of(p)->settings, "powers", &n);
    for (int64_t k = 0; k < n; k++)
        if (powers[k] == 1.0) return k + 1;
    return 0;
}

/* A point's starts are of one kind; where past the regime they aren't, the last seed's counts. */
static orr_status predict_point(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point,
                                const void *known, json_t **out) {
    const int64_t seeds = in->experiment->seeds;
    const orr_point *p = &in->experiment->points[point];
    const orr_problem *problem = in->problems[point * seeds];
    const double rate =
        orr_settings_has(&p->rule_settings, "learning_rate") ? orr_real(&p->rule_settings, "learning_rate") : 1.0;
    json_t *cosines;
    start s;
    (void)known;
    ORR_TRY(ctx, classify(ctx, scratch, in, point, seeds - 1, &s));
    ORR_TRY(ctx, orr_predict_runs(ctx, scratch, in, point, predict_seed, NULL, &cosines));
    *out = json_pack("{s:s, s:s, s:I, s:I, s:I, s:f, s:I, s:o}", "point", p->name, "start", start_names[s.kind],
                     "power_1", (json_int_t)column_of_power_1(p), "layers", (json_int_t)problem->n_tensors, "dimension",
                     (json_int_t)orr_dataset_features(&problem->data), "learning_rate", rate, "last_step",
                     (json_int_t)p->steps, "cosines", cosines);
    return ORR_OK;
}

static orr_status predict(orr_context *ctx, orr_arena *scratch, const orr_premises *in, json_t **prediction) {
    return orr_predict_each(ctx, scratch, in, "neural-feature-ansatz", predict_point, NULL, prediction);
}

/* ---- measurement -------------------------------------------------------------------------------------------------------- */

/* An array at a step, -1 for the last, under a key; left out where there is none. */
static orr_status measure_array(orr_context *ctx, orr_arena *scratch, const orr_records *records, int64_t point,
                                int64_t seed, const char *array, int64_t step, const char *key, json_t *out) {
    orr_array a;
    if (orr_records_array(records, scratch, point, seed, array, step, &a) != ORR_OK) {
        orr_context_clear(ctx);
        return ORR_OK;
    }
    return json_object_set_new(out, key, orr_json_reals(a.data, orr_shape_count(&a.shape))) == 0 ? ORR_OK
                                                                                                 : no_memory(ctx);
}

static orr_status measure_run(orr_context *ctx, orr_arena *scratch, const orr_records *records, int64_t point,
                              int64_t seed, json_t **out) {
    static const struct {
        const char *array;
        int64_t step;
        const char *key;
    } arrays[] = {
        { "ansatz_correlation", 0, "initial" },
        { "ansatz_correlation", -1, "correlation" },
        { "ansatz_cosine", -1, "cosine" },
        { "ansatz_difference", -1, "difference" },
        { "ansatz_entries.layer1", -1, "entries" },
        { "rfm_r2", 0, "r2" },
        { "rfm_energy", 0, "energy" },
        { "rfm_diagonal", 0, "diagonal" },
    };
    static const char *const series[] = { "ansatz_correlation.layer1", NULL };
    json_t *run = NULL;
    ORR_TRY(ctx, orr_measure_series(ctx, scratch, records, point, seed, series, &run));
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
        const orr_status status =
            measure_array(ctx, scratch, records, point, seed, arrays[i].array, arrays[i].step, arrays[i].key, run);
        if (status == ORR_OK) continue;
        json_decref(run);
        return status;
    }
    *out = run;
    return ORR_OK;
}

static orr_status measure(orr_context *ctx, orr_arena *scratch, const orr_records *records, json_t **measurement) {
    return orr_measure_runs(ctx, scratch, records, measure_run, measurement);
}

/* ---- judgement ---------------------------------------------------------------------------------------------------------- */

/* ORDER checks: in `judge` */
static const orr_check checks[] = {
    /* all tolerances: sheet, Agreement; a cosine may round above 1 */
    { "balanced: least cosine of W'W and AGOP^s over layers", 0.9999, 1.0 + 1e-9 },
    { "balanced: largest relative difference over layers", 0.0, 0.01 },
    { "balanced: relative difference of the last layer", 0.0, 1e-10 },
    /* in proportion to the rate: the sheet has 3.3 (layer 1) for a quarter of the rate */
    { "balanced: difference over learning rate, of two rates", 0.7, 1.3 },
    /* an equality up to O(learning rate), as the difference: the sheet has 5 digits in common at 0.01 */
    { "balanced: largest distance of the cosine at power 1 from its closed form", 0.0, 0.001 },
    { "small weights: correlation of the first layer", 0.92, 1.0 },
    { "small weights: gain of correlation by training", 0.1, 1.0 },
    { "usual weights: gain of correlation by training", -1.0, 0.03 },
    { "machine, less than 35 dimensions: gain of test R^2", 0.15, 1.0 },
    { "machine, 35 dimensions or more: gain of test R^2", 0.25, 1.0 },
    { "machine: energy of the metric in the target's directions", 0.95, 1.0 + 1e-9 },
    { 0 },
};
enum { COSINE, DIFFERENCE, LAST, PROPORTION, WRONG, RICH, RICH_GAIN, LAZY_GAIN, FEW, MANY, ENERGY };

/* Entry (layer l, power k) of an array [layers, 1 + powers]; NaN where the run wasn't recorded to its end. */
static double entry(const json_t *point, const json_t *run, const char *key, int64_t l, size_t k) {
    const json_t *list = json_object_get(run, key);
    const int64_t layers = json_integer_value(json_object_get(point, "layers"));
    const size_t n = json_array_size(list);
    if (layers < 1 || n % (size_t)layers != 0 || n == 0) return (double)NAN;
    if (!orr_measured_until(run, "ansatz_correlation.layer1", orr_number_of(point, "last_step"))) return (double)NAN;
    return orr_number_at(list, (size_t)l * (n / (size_t)layers) + k);
}

/* The largest over layers, of differences; NaN where one is. */
static double largest_difference(const json_t *point, const json_t *run) {
    double max = 0.0;
    for (int64_t l = 0; l < json_integer_value(json_object_get(point, "layers")); l++)
        max = orr_larger(max, entry(point, run, "difference", l, 0));
    return max;
}

static void judge_balanced(const json_t *point, const json_t *run, const json_t *cosines, orr_check_values *values) {
    const int64_t layers = json_integer_value(json_object_get(point, "layers"));
    const json_int_t power_1 = json_integer_value(json_object_get(point, "power_1"));
    double least = 1.0, wrong = 0.0;
    for (int64_t l = 0; l < layers; l++) {
        const double cosine = entry(point, run, "cosine", l, 0),
                     at_1 = entry(point, run, "cosine", l, (size_t)power_1) - orr_number_at(cosines, (size_t)l);
        least = isnan(cosine) || isnan(least) ? (double)NAN : fmin(least, cosine);
        wrong = orr_larger(wrong, fabs(at_1));
    }
    orr_check_add(&values[COSINE], least);
    orr_check_add(&values[DIFFERENCE], largest_difference(point, run));
    orr_check_add(&values[LAST], entry(point, run, "difference", layers - 1, 0));
    if (power_1 > 0) orr_check_add(&values[WRONG], wrong);
}

/* Last less first of a list, and its last. */
static double gain_of(const json_t *list) {
    const size_t n = json_array_size(list);
    return n > 0 ? orr_number_at(list, n - 1) - orr_number_at(list, 0) : (double)NAN;
}
static double last_of(const json_t *list) {
    const size_t n = json_array_size(list);
    return n > 0 ? orr_number_at(list, n - 1) : (double)NAN;
}

static void judge_run(const json_t *point, const json_t *cosines, const json_t *run, orr_check_values *values) {
    const char *kind = json_string_value(json_object_get(point, "start"));
    const double correlation = entry(point, run, "correlation", 0, 0), initial = entry(point, run, "initial", 0, 0);
    if (strcmp(kind, "balanced") == 0) judge_balanced(point, run, cosines, values);
    if (strcmp(kind, "small") == 0) {
        orr_check_add(&values[RICH], correlation);
        orr_check_add(&values[RICH_GAIN], correlation - initial);
    }
    if (strcmp(kind, "usual") == 0) orr_check_add(&values[LAZY_GAIN], correlation - initial);
    if (strcmp(kind, "machine") == 0) {
        orr_check_add(&values[orr_number_of(point, "dimension") < 35.0 ? FEW : MANY],
                      gain_of(json_object_get(run, "r2")));
        orr_check_add(&values[ENERGY], last_of(json_object_get(run, "energy")));
    }
}

/* Two balanced points of different rates, seed by seed: the ratio of differences over that of rates. */
static void judge_proportion(const json_t *points, const json_t *measurement, orr_check_values *values) {
    size_t first = 0;
    for (size_t i = 0; i < json_array_size(points); i++) {
        const json_t *a = json_array_get(points, first), *b = json_array_get(points, i);
        if (strcmp(json_string_value(json_object_get(b, "start")), "balanced") != 0) continue;
        if (strcmp(json_string_value(json_object_get(a, "start")), "balanced") != 0) first = i, a = b;
        const double rates = orr_number_of(a, "learning_rate") / orr_number_of(b, "learning_rate");
        if (first == i || rates == 1.0) continue;
        for (size_t seed = 0; seed < json_array_size(json_object_get(b, "cosines")); seed++)
            orr_check_add(&values[PROPORTION], largest_difference(a, orr_measured(measurement, first, seed)) /
                                                   largest_difference(b, orr_measured(measurement, i, seed)) / rates);
    }
}

static orr_status judge(orr_context *ctx, orr_arena *out_arena, const json_t *prediction, const json_t *measurement,
                        orr_check_values *values) {
    ORR_TRY(ctx, orr_judge_runs(ctx, out_arena, checks, 1, prediction, "cosines", measurement, judge_run, values));
    judge_proportion(json_object_get(prediction, "points"), measurement, values);
    return ORR_OK;
}

/* ---- figure ------------------------------------------------------------------------------------------------------------- */

/* The first seed's entries of a point: W'W against the scaled AGOP^s. */
static void add_entries(json_t *rows, const json_t *point, const json_t *run) {
    const json_t *entries = json_object_get(run, "entries");
    const size_t n = json_array_size(entries) / 2;
    for (size_t i = 0; i < n; i++)
        orr_json_row(rows, "{s:O, s:O, s:O}", "measured", json_array_get(entries, i), "predicted",
                     json_array_get(entries, n + i), "label", json_object_get(point, "point"));
}

static json_t *equality_of(const json_t *rows) {
    double low = 0.0, high = 0.0;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        low = fmin(low, orr_number_of(json_array_get(rows, i), "predicted"));
        high = fmax(high, orr_number_of(json_array_get(rows, i), "predicted"));
    }
    return json_pack("[{s:f}, {s:f}]", "value", low, "value", high);
}

static void add_curve(json_t *rows, const json_t *point, size_t seed, const json_t *steps, const json_t *values) {
    for (size_t i = 0; i < json_array_size(values); i++)
        orr_json_row(rows, "{s:o, s:O, s:O, s:I}", "step",
                     steps ? json_incref(json_array_get(steps, i)) : json_integer((json_int_t)i + 1), "value",
                     json_array_get(values, i), "run", json_object_get(point, "point"), "seed", (json_int_t)seed);
}

static json_t *figure(const json_t *prediction, const json_t *measurement) {
    const json_t *points = json_object_get(prediction, "points");
    json_t *panels = json_array(), *entries = json_array(), *curves = json_array(), *scores = json_array();
    for (size_t i = 0; i < json_array_size(points); i++) {
        const json_t *point = json_array_get(points, i);
        const char *kind = json_string_value(json_object_get(point, "start"));
        const bool relu = strcmp(kind, "small") == 0 || strcmp(kind, "usual") == 0;
        for (size_t seed = 0; seed < json_array_size(json_object_get(point, "cosines")); seed++) {
            const json_t *run = orr_measured(measurement, i, seed),
                         *curve = json_object_get(run, "ansatz_correlation.layer1");
            if (seed == 0) add_entries(entries, point, run);
            if (relu) add_curve(curves, point, seed, json_object_get(curve, "step"), json_object_get(curve, "value"));
            if (seed == 0) add_curve(scores, point, seed, NULL, json_object_get(run, "r2"));
        }
    }
    orr_page_add_panel(
        panels, entries,
        orr_page_panel(
            "identity", "Entries of W'W at the first layer, against AGOP^s",
            "Each dot is an entry of the trained layer's W'W, measured, against that of the scaled power of "
            "its average gradient outer product; dashed: the ansatz.",
            "Entries of the Gram matrix of weights against those of the power of the gradient outer product.", true,
            json_pack("{s:o, s:o}", "measured", entries, "equality", equality_of(entries))));
    orr_page_add_panel(panels, curves,
                       orr_page_panel("series", "Correlation at the first layer, in training",
                                      "A line for each seed. From small weights the ansatz comes true; from usual ones "
                                      "nothing is gained over the initial network.",
                                      "Correlation of the Gram matrix with the power of the gradient outer product "
                                      "against updates.",
                                      false, json_pack("{s:o}", "series", curves)));
    orr_page_add_panel(panels, scores,
                       orr_page_panel("machine_score", "Test R\u00b2 of recursive feature machines, by iteration",
                                      "The first machine has the metric 1; each next one that of the gradients before "
                                      "it.",
                                      "Test R squared of kernel machines against iteration.", false,
                                      json_pack("{s:o}", "series", scores)));
    return panels;
}

const orr_law orr_law_neural_feature_ansatz = {
    .id = "neural-feature-ansatz",
    .title = "Neural feature ansatz and recursive feature machines",
    .statement =
        "In trained networks the Gram matrix of a layer's weights is proportional to a power of the average outer "
        "product of the network's gradient with respect to that layer's input; as the metric of a kernel machine "
        "the same matrix learns features.",
    .section = "2.3",
    .sources = "Radhakrishnan et al. 2024 (arXiv 2212.13881); Radhakrishnan, Belkin, Drusvyatskiy 2024 (2401.04553); "
               "Beaglehole et al. 2023, 2024 (2309.00570, 2402.05271)",
    .equation = "W_l^\\top W_l \\propto \\left(\\frac1n \\sum_i J_l(x_i)^\\top J_l(x_i)\\right)^{s},\\quad s = "
                "\\frac{1}{L-l+1}",
    .breaks_along = "architecture.weight_variance=0.005:0.5:5,log",
    .regime = regime,
    .checks = checks,
    .defaults = orr_law_yaml_neural_feature_ansatz,
    .defaults_size = &orr_law_yaml_neural_feature_ansatz_size,
    .predict = predict,
    .measure = measure,
    .judge = judge,
    .figure = figure,
};
