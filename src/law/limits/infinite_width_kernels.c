/* Infinite-width kernels: as its layers grow wide, a random network becomes a Gaussian process, and its tangent kernel a
 * number that doesn't depend on the draw.
 *
 *     K(x, x') = E f(x) f(x')          Theta(x, x') = <df(x)/dw, df(x')/dw>         both layer by layer (theory/infinite_width)
 *     e = |Theta_hat - Theta|_F / |Theta|_F ~ n^{-1/2}                              one network of width n
 *
 *   paper       here      meaning                                                      unit
 *   n           width     of the narrowest hidden layer                                1
 *   R           seeds     networks drawn
 *   Theta_hat   ntk       measured tangent kernel over N inputs, a scalar output's     (output / parameter)^2
 *   K_hat       nngp      sw2 h.h'/n + sb2 from the features h that the readout sees   output^2
 *
 * Nothing is trained: the initial network is measured, whatever the rule and the task.
 * Sources: Jacot et al. 2018 (1806.07572); Lee et al. 2018 (1711.00165); Yang 2020 (2006.14548); Hron et al. 2020 (2006.10540).
 * Sheet: laws/limits/infinite-width-kernels.md */
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "law/conditions.h"
#include "law/grouping.h"
#include "law/law.h"
#include "law/measuring.h"
#include "law/predicting.h"
#include "law/wide_network.h"
#include "report/page.h"

extern const char orr_law_yaml_infinite_width_kernels[];
extern const size_t orr_law_yaml_infinite_width_kernels_size;

/* ---- regime ------------------------------------------------------------------------------------------------------------- */

static bool has_limit(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    orr_wide_network network;
    return orr_wide_network_of(out_arena, p, problem, &network, why);
}

static bool is_normal(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    (void)problem;
    *why = orr_arena_format(out_arena, "they start as %s", p->initial->kind.name);
    return strcmp(p->initial->kind.name, "normal") == 0;
}

static bool is_one_dataset(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    (void)problem;
    *why = orr_arena_string(out_arena, "resample is true");
    return !orr_settings_has(&p->data_settings, "resample") || !orr_flag(&p->data_settings, "resample");
}

/* Kernels of more inputs would make large records, and say little more. */
enum { EXAMPLES_MAX = 128 };

static int64_t examples_of(const orr_point *p, const orr_problem *problem) {
    const int64_t n = orr_int(&orr_point_observation(p, "ntk")->settings, "examples");
    return n < problem->data.n ? n : problem->data.n;
}

static bool is_observed(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    const orr_observation *ntk = orr_point_observation(p, "ntk"), *nngp = orr_point_observation(p, "nngp");
    (void)problem;
    *why = orr_arena_string(
        out_arena, "observe needs { kind: ntk, gram: true } and nngp, with equal `examples`, both due at step 0");
    return ntk && nngp && orr_flag(&ntk->settings, "gram") && orr_instrument_due(&ntk->settings, 0) &&
           orr_instrument_due(&nngp->settings, 0) &&
           orr_int(&ntk->settings, "examples") == orr_int(&nngp->settings, "examples");
}

static bool is_small(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    /* 5e7 pairs: 0.8 GB, and two or three times that on the way; half a millisecond a pair of quadrature: some minutes */
    const double closed = 5e7, quadrature = 4e5;
    orr_wide_network network;
    if (!orr_wide_network_of(out_arena, p, problem, &network, why)) return false;
    const int64_t n = examples_of(p, problem);
    const double pairs = orr_wide_network_pairs(&network, n), most = network.closed ? closed : quadrature;
    *why = n > EXAMPLES_MAX ? orr_arena_format(out_arena, "%lld examples are compared", (long long)n)
                            : orr_arena_format(out_arena, "%.3g pairs of points are more than %.3g%s", pairs, most,
                                               network.closed ? "" : ", for an activation without closed form");
    return n <= EXAMPLES_MAX && pairs <= most;
}

/* ---- networks that differ by their width alone ----------------------------------------------------------------------------- */

/* "mlp relu", with what is special about it. */
static const char *label_of(orr_arena *arena, const orr_point *p) {
    static const char *const settings[] = { "residual", "norm", "readout", "attention" };
    const orr_settings *s = &p->architecture_settings;
    const char *label = p->architecture->kind.name;
    if (orr_settings_has(s, "activation") && !(orr_settings_has(s, "attention_only") && orr_flag(s, "attention_only")))
        label = orr_arena_format(arena, "%s %s", label, orr_text(s, "activation"));
    for (size_t i = 0; label && i < sizeof settings / sizeof settings[0]; i++)
        if (orr_settings_has(s, settings[i]) && strcmp(orr_text(s, settings[i]), "none") != 0)
            label = orr_arena_format(arena, "%s, %s %s", label, settings[i], orr_text(s, settings[i]));
    return label;
}

/* How wide and how many networks must be for the tolerance (sheet, Agreement). */
typedef struct sample {
    int64_t width, seeds;
} sample;

static sample needed(const orr_wide_network *network) {
    return network->attention ? (sample){ 512, 24 } : network->convolution ? (sample){ 128, 40 } : (sample){ 512, 40 };
}

/* The widest of each network is judged by the mean over its seeds. */
static orr_status is_sampled(orr_context *ctx, orr_arena *out_arena, const orr_premises *in, bool *holds,
                             const char **why) {
    const orr_experiment *e = in->experiment;
    orr_wide_network *network = ORR_NEW(out_arena, orr_wide_network, e->n_points);
    int64_t *first;
    if (!network) return orr_fail(ctx, ORR_ENOMEM, "infinite-width kernels: no memory");
    ORR_TRY(ctx, orr_points_by_network(ctx, out_arena, e, &first));
    *holds = true;
    for (int64_t i = 0; i < e->n_points; i++)
        if (!orr_wide_network_of(out_arena, &e->points[i], in->problems[i * e->seeds], &network[i], why))
            *holds = false;
    for (int64_t i = 0; i < e->n_points && *holds; i++) {
        bool widest = true;
        for (int64_t j = 0; j < e->n_points; j++)
            widest = widest && (first[i] != first[j] || network[j].width <= network[i].width);
        const sample least = needed(&network[i]);
        *holds = !widest || (network[i].width >= least.width && e->seeds >= least.seeds);
        if (!*holds)
            *why = orr_arena_format(out_arena, "%s: width %lld and %lld seeds, of %lld and %lld", e->points[i].name,
                                    (long long)network[i].width, (long long)e->seeds, (long long)least.width,
                                    (long long)least.seeds);
    }
    return ORR_OK;
}

static const orr_condition regime[] = {
    { "the network has a limit of infinite width that is known layer by layer", .point = has_limit },
    { "initial parameters are independent normal numbers", .point = is_normal, .beyond = true },
    { "all seeds see the same data", .point = is_one_dataset },
    { "the kernels of the initial network are observed", .point = is_observed },
    { "kernels are small enough: at most 128 examples, and memory for all pairs of positions", .point = is_small },
    { "the widest of each network has 512 units (convolutions: 128 channels) in every layer, and there are 40 seeds "
      "(24 "
      "with attention)",
      .check = is_sampled, .beyond = true },
    { 0 },
};

/* ---- prediction --------------------------------------------------------------------------------------------------------- */

static orr_status predict_point(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point,
                                const void *known, json_t **out) {
    const int64_t *first = known; /* point of each network */
    const orr_point *p = &in->experiment->points[point];
    const orr_problem *problem = in->problems[point * in->experiment->seeds];
    const int64_t n = examples_of(p, problem);
    const char *why = NULL;
    orr_wide_network network;
    double *k, *theta;
    if (!orr_wide_network_of(scratch, p, problem, &network, &why))
        return orr_fail(ctx, why ? ORR_EINPUT : ORR_ENOMEM, "infinite-width kernels: %s", why ? why : "no memory");
    ORR_TRY(ctx, orr_wide_network_kernels(ctx, scratch, scratch, &network, problem, n, &k, &theta));
    const char *label = label_of(scratch, p);
    *out = label
               ? json_pack("{s:s, s:I, s:s, s:b, s:I, s:I, s:f, s:f, s:o, s:o}", "point", p->name, "network",
                           (json_int_t)first[point], "label", label, "attention", network.attention, "width",
                           (json_int_t)network.width, "outputs", (json_int_t)problem->signature.outputs,
                           "readout_variance", network.readout.variance, "readout_bias", network.readout.bias_variance,
                           "k", orr_json_reals(k, n * n), "theta", orr_json_reals(theta, n * n))
               : NULL;
    return *out ? ORR_OK : orr_fail(ctx, ORR_ENOMEM, "infinite-width kernels: no memory for a prediction");
}

static orr_status predict(orr_context *ctx, orr_arena *scratch, const orr_premises *in, json_t **prediction) {
    int64_t *first;
    ORR_TRY(ctx, orr_points_by_network(ctx, scratch, in->experiment, &first));
    return orr_predict_each(ctx, scratch, in, "infinite-width-kernels", predict_point, first, prediction);
}

/* ---- measurement -------------------------------------------------------------------------------------------------------- */

/* (new) the numbers of an array at step 0; null where the run recorded none. */
static orr_status kernel_of(orr_context *ctx, orr_arena *scratch, const orr_records *records, int64_t point,
                            int64_t seed, const char *name, json_t **out) {
    orr_array a;
    const orr_status status = orr_records_array(records, scratch, point, seed, name, 0, &a);
    if (status == ORR_EINPUT) {
        orr_context_clear(ctx);
        *out = json_null();
        return ORR_OK;
    }
    ORR_TRY(ctx, status);
    *out = json_array();
    for (int64_t i = 0; i < orr_shape_count(&a.shape); i++) orr_json_add(*out, orr_json_real(orr_array_value(&a, i)));
    return ORR_OK;
}

static orr_status measure_run(orr_context *ctx, orr_arena *scratch, const orr_records *records, int64_t point,
                              int64_t seed, json_t **out) {
    json_t *ntk, *nngp;
    ORR_TRY(ctx, kernel_of(ctx, scratch, records, point, seed, "ntk", &ntk));
    const orr_status status = kernel_of(ctx, scratch, records, point, seed, "nngp", &nngp);
    if (status != ORR_OK) {
        json_decref(ntk);
        return status;
    }
    *out = json_pack("{s:o, s:o}", "ntk", ntk, "nngp", nngp);
    return *out ? ORR_OK : orr_fail(ctx, ORR_ENOMEM, "infinite-width kernels: no memory for a measurement");
}

static orr_status measure(orr_context *ctx, orr_arena *scratch, const orr_records *records, json_t **measurement) {
    return orr_measure_runs(ctx, scratch, records, measure_run, measurement);
}

/* ---- judgement ---------------------------------------------------------------------------------------------------------- */

/* ORDER checks: in `judge` */
static const orr_check checks[] = {
    /* all tolerances: sheet, Agreement */
    { "slope of log e against log n, e the mean error of one network's tangent kernel", -0.6, -0.4 },
    { "tangent kernel averaged over networks: |mean - Theta|/|Theta|", 0.0, 0.05 },
    { "NNGP kernel averaged over networks: |mean - K|/|K|", 0.0, 0.05 },
    { "attention: |mean - Theta|/|Theta|", 0.0, 0.08 },
    { "attention: |mean - K|/|K|", 0.0, 0.08 },
    { 0 },
};
enum { SLOPE, DENSE_THETA, DENSE_K, ATTENTION_THETA, ATTENTION_K };

/* Of an entry of a run's array: as the prediction has it. */
static double theta_hat(const json_t *point, const json_t *run, size_t i) {
    return orr_number_at(json_object_get(run, "ntk"), i) / orr_number_of(point, "outputs");
}
static double k_hat(const json_t *point, const json_t *run, size_t i) {
    return orr_number_of(point, "readout_variance") * orr_number_at(json_object_get(run, "nngp"), i) +
           orr_number_of(point, "readout_bias");
}

typedef double entry(const json_t *point, const json_t *run, size_t i);

/* |mean over runs first .. end - 1 of hat - theory|_F / |theory|_F */
static double error_of(const json_t *point, const json_t *runs, size_t first, size_t end, const char *theory,
                       entry *hat) {
    const json_t *limit = json_object_get(point, theory);
    double difference = 0.0, norm = 0.0;
    for (size_t i = 0; i < json_array_size(limit); i++) {
        const double x = orr_number_at(limit, i);
        double mean = 0.0;
        for (size_t r = first; r < end; r++) mean += hat(point, json_array_get(runs, r), i) / (double)(end - first);
        difference += (mean - x) * (mean - x);
        norm += x * x;
    }
    return sqrt(difference / norm); /* NaN where there is no run, no record, or nothing is predicted */
}

/* Mean over seeds of one network's e. */
static double single_error(const json_t *point, const json_t *runs) {
    const size_t n = json_array_size(runs);
    double sum = 0.0;
    for (size_t r = 0; r < n; r++) sum += error_of(point, runs, r, r + 1, "theta", theta_hat);
    return sum / (double)n;
}

static bool is_same_network(const json_t *a, const json_t *b) {
    return json_equal(json_object_get(a, "network"), json_object_get(b, "network"));
}

/* Least squares of log e against log n over the points of one network; NaN for fewer than three of them. */
static double slope_of(const json_t *points, const json_t *measurement, const json_t *network, size_t *n) {
    double x = 0.0, y = 0.0, xx = 0.0, xy = 0.0, count = 0.0;
    for (size_t i = 0; i < json_array_size(points); i++) {
        const json_t *point = json_array_get(points, i);
        if (!is_same_network(point, network)) continue;
        const double log_n = log(orr_number_of(point, "width")),
                     log_e = log(single_error(point, json_array_get(measurement, i)));
        x += log_n, y += log_e, xx += log_n * log_n, xy += log_n * log_e, count++;
    }
    *n = (size_t)count;
    return (count * xy - x * y) / (count * xx - x * x);
}

static void judge_network(const json_t *points, const json_t *measurement, size_t widest, orr_check_values *values) {
    const json_t *point = json_array_get(points, widest), *runs = json_array_get(measurement, widest);
    const bool attention = json_is_true(json_object_get(point, "attention"));
    const size_t n = json_array_size(runs);
    size_t widths;
    const double slope = slope_of(points, measurement, point, &widths);
    if (widths >= 3) orr_check_add(&values[SLOPE], slope);
    orr_check_add(&values[attention ? ATTENTION_THETA : DENSE_THETA], error_of(point, runs, 0, n, "theta", theta_hat));
    if (orr_number_of(point, "readout_variance") > 0) /* a readout of zeros has no K */
        orr_check_add(&values[attention ? ATTENTION_K : DENSE_K], error_of(point, runs, 0, n, "k", k_hat));
}

static orr_status judge(orr_context *ctx, orr_arena *out_arena, const json_t *prediction, const json_t *measurement,
                        orr_check_values *values) {
    const json_t *points = json_object_get(prediction, "points");
    const size_t n = json_array_size(points);
    ORR_TRY(ctx, orr_check_values_new(ctx, out_arena, checks, (int64_t)n, values));
    for (size_t i = 0; i < n; i++) {
        const json_t *point = json_array_get(points, i);
        bool widest = true; /* of its network; of equally wide ones, the last */
        for (size_t j = 0; j < n; j++) {
            const json_t *other = json_array_get(points, j);
            const double w = orr_number_of(point, "width"), v = orr_number_of(other, "width");
            widest = widest && !(is_same_network(point, other) && (v > w || (v == w && j > i)));
        }
        if (widest) judge_network(points, measurement, i, values);
    }
    return ORR_OK;
}

/* ---- figure ------------------------------------------------------------------------------------------------------------- */

/* The entries of the mean over networks against theory, over the size of the largest: kernels of all sizes on one plot. */
static void add_scatter(json_t *rows, double *least, const json_t *point, const json_t *runs) {
    const json_t *theta = json_object_get(point, "theta");
    const size_t n = json_array_size(runs);
    double most = 0.0;
    for (size_t i = 0; i < json_array_size(theta); i++) most = fmax(most, fabs(orr_number_at(theta, i)));
    for (size_t i = 0; i < json_array_size(theta); i++) {
        *least = fmin(*least, orr_number_at(theta, i) / most);
        double mean = 0.0;
        for (size_t r = 0; r < n; r++) mean += theta_hat(point, json_array_get(runs, r), i) / (double)n;
        orr_json_row(rows, "{s:o, s:o, s:O}", "predicted", orr_json_real(orr_number_at(theta, i) / most), "measured",
                     orr_json_real(mean / most), "label", json_object_get(point, "label"));
    }
}

static json_t *figure(const json_t *prediction, const json_t *measurement) {
    const json_t *points = json_object_get(prediction, "points");
    json_t *errors = json_array(), *guides = json_array(), *scatter = json_array(), *panels = json_array();
    double least = 0.0;
    for (size_t i = 0; i < json_array_size(points); i++) {
        const json_t *point = json_array_get(points, i), *runs = json_array_get(measurement, i);
        size_t widths;
        (void)slope_of(points, measurement, point, &widths);
        const double n = orr_number_of(point, "width"), e = single_error(point, runs);
        json_t *label = json_object_get(point, "label");
        orr_json_row(errors, "{s:f, s:o, s:O}", "n", n, "error", orr_json_real(e), "label", label);
        orr_json_row(errors, "{s:f, s:o, s:s, s:O}", "n", n, "mean_error",
                     orr_json_real(error_of(point, runs, 0, json_array_size(runs), "theta", theta_hat)), "kind", "mean",
                     "label", label);
        if (widths >= 3 && json_array_size(guides) == 0) /* through the first point, 1/sqrt n */
            for (int m = 1; m <= 16; m *= 2)
                orr_json_row(guides, "{s:f, s:o}", "n", m * n, "error", orr_json_real(e * sqrt(1.0 / m)));
        add_scatter(scatter, &least, point, runs);
    }
    orr_json_add(panels, orr_page_panel(
                             "width_error", "One network's tangent kernel nears the limit as n^-1/2",
                             "Filled: mean error of one network. Open: error of the mean over all, which the grey line "
                             "(5 %) bounds at the largest width. Dashed: n^-1/2.",
                             "Error of the tangent kernel against width, on logarithmic axes, for each network.", true,
                             json_pack("{s:o, s:o, s:[{s:f}]}", "measured", errors, "guide", guides, "tolerance",
                                       "high", checks[DENSE_THETA].high)));
    orr_json_add(
        panels,
        orr_page_panel(
            "identity", "Every entry of the tangent kernel, measured against predicted",
            "Mean over networks against the limit, each kernel over its largest entry; line: equality.",
            "Entries of measured tangent kernels against predicted ones.", true,
            json_pack("{s:o, s:[{s:f}, {s:f}]}", "measured", scatter, "equality", "value", least, "value", 1.0)));
    return panels;
}

const orr_law orr_law_infinite_width_kernels = {
    .id = "infinite-width-kernels",
    .title = "Kernels of networks of infinite width",
    .statement =
        "As its layers grow wide, a random network becomes a Gaussian process whose covariance, and whose tangent "
        "kernel, follow layer by layer from its architecture; one network of width n is n^-1/2 away from them.",
    .equation = "\\begin{aligned} K^{l+1} &= \\sigma_w^2\\, \\mathbb E\\,\\phi(u)\\phi(v) + \\sigma_b^2, \\quad (u,v) "
                "\\sim \\mathcal N(0, K^l) \\\\ "
                "\\Theta^{l+1} &= K^{l+1} + \\sigma_w^2\\, \\mathbb E\\,\\phi'(u)\\phi'(v)\\;\\Theta^l \\end{aligned}",
    .section = "2.2",
    .sources = "Neal 1996; Jacot et al. 2018 (arXiv 1806.07572); Lee et al. 2018 (1711.00165); Arora et al. 2019 "
               "(1904.11955); Yang 2020 (2006.14548); Hron et al. 2020 (2006.10540)",
    .breaks_along = "architecture.widths=16:512:6,log",
    .regime = regime,
    .checks = checks,
    .defaults = orr_law_yaml_infinite_width_kernels,
    .defaults_size = &orr_law_yaml_infinite_width_kernels_size,
    .predict = predict,
    .measure = measure,
    .judge = judge,
    .figure = figure,
};
