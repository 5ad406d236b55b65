/* Representations of networks that differ by their seed: the wider, the more alike.
 *
 *     random features   CKA(m) = 1/(1 + V/(m q)) of two independent draws, q = |S|^2, V = E |phi_c|^4 - q: the law of large
 *                       numbers, from the data alone (theory/random_feature_similarity)
 *     null              E CKA over permuted inputs = tr K_c tr L_c/((n-1) |K_c| |L_c|)
 *     trained           two seeds are more alike after training than before, and at width 4 w than at w, w <= 16
 *
 *   paper   here      meaning                                                  unit
 *   m, w    width     random features; hidden units of the narrowest layer     1
 *   n       inputs    over which features are compared                         1
 *   V/q     ratio     features that make CKA 1/2                               1
 *
 * What is judged are means over all pairs of seeds.  Sources: Kornblith et al. 2019 (1905.00414); Huh et al. 2024 (2405.07987);
 * Song et al. 2012.  Sheet: laws/universal/representation-similarity.md */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/context.h"
#include "law/conditions.h"
#include "law/grouping.h"
#include "law/law.h"
#include "law/measuring.h"
#include "law/predicting.h"
#include "numeric/similarity.h"
#include "report/page.h"
#include "store/query.h"
#include "theory/random_feature_similarity.h"

extern const char orr_law_yaml_representation_similarity[];
extern const size_t orr_law_yaml_representation_similarity_size;

static bool is_random(const orr_point *p) { return strcmp(p->architecture->kind.name, "random-features") == 0; }

/* ---- regime ------------------------------------------------------------------------------------------------------------- */

static bool is_random_or_trained(orr_arena *out_arena, const orr_point *p, const orr_problem *problem,
                                 const char **why) {
    (void)problem;
    *why = orr_arena_string(out_arena, "steps is 0");
    return is_random(p) || p->steps > 0;
}

static bool has_pair_map(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    *why = orr_arena_string(out_arena, "the activation has no pair map, or inputs are tokens");
    if (!is_random(p)) return true;
    return orr_pair_map_find(orr_text(&p->architecture_settings, "activation")) && !problem->signature.vocabulary;
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

/* On other tasks layers that are wide enough stay where they started, and so as alike as they were. */
static bool is_classification(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    (void)problem;
    *why = orr_arena_format(out_arena, "the task is %s", p->task->kind.name);
    return is_random(p) || strcmp(p->task->kind.name, "cross-entropy") == 0;
}

static bool is_recorded(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    const orr_observation *o = orr_point_observation(p, "activations");
    (void)problem;
    *why = orr_arena_format(out_arena, "observe needs activations, due after 0 and %lld updates", (long long)p->steps);
    return o && orr_instrument_due(&o->settings, 0) && orr_instrument_due(&o->settings, p->steps);
}

static bool on_test(const orr_point *p) {
    return strcmp(orr_text(&orr_point_observation(p, "activations")->settings, "part"), "test") == 0;
}

static int64_t inputs_of(const orr_point *p, const orr_problem *problem) {
    const int64_t wanted = orr_int(&orr_point_observation(p, "activations")->settings, "examples"),
                  all = on_test(p) ? problem->data.n_test : problem->data.n;
    return wanted < all ? wanted : all;
}

static bool has_inputs(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    const int64_t n = inputs_of(p, problem);
    *why = orr_arena_format(out_arena, "activations of %lld are recorded", (long long)n);
    return n >= 50 && n <= 2000;
}

static bool is_wide(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    const int64_t m = orr_point_width(p);
    (void)problem;
    *why = orr_arena_format(out_arena, "there are %lld", (long long)m);
    return !is_random(p) || m >= 8;
}

static orr_status has_pairs(orr_context *ctx, orr_arena *out_arena, const orr_premises *in, bool *holds,
                            const char **why) {
    const orr_experiment *e = in->experiment;
    (void)ctx;
    *holds = true;
    for (int64_t i = 0; i < e->n_points; i++) *holds = *holds && (!is_random(&e->points[i]) || e->seeds >= 5);
    *why = orr_arena_format(out_arena, "%lld seeds make %lld", (long long)e->seeds,
                            (long long)(e->seeds * (e->seeds - 1) / 2));
    return ORR_OK;
}

static const orr_condition regime[] = {
    { "features are random, or the network is trained", .point = is_random_or_trained },
    { "random features have a limit that is known in closed form or by quadrature", .point = has_pair_map },
    { "initial parameters are independent normal numbers", .point = is_normal, .beyond = true },
    { "all seeds see the same data", .point = is_one_dataset },
    { "trained networks learn classes, by cross-entropy", .point = is_classification, .beyond = true },
    { "no run ends before its last update", .point = orr_runs_to_its_end },
    { "activations are recorded at the start and at the end", .point = is_recorded },
    { "features are compared over 50 to 2000 inputs", .point = has_inputs },
    { "there are 8 random features or more", .point = is_wide, .beyond = true },
    { "random features are compared over 10 pairs of draws", .check = has_pairs, .beyond = true },
    { 0 },
};

/* ---- prediction --------------------------------------------------------------------------------------------------------- */

/* V/q over the inputs whose features are recorded. */
static orr_status ratio_of(orr_context *ctx, orr_arena *scratch, const orr_point *p, const orr_problem *problem,
                           double *ratio) {
    enum { DRAWS = 20000 }; /* sheet, Prediction */
    const orr_tensor *w = &problem->tensors[0], *b = w + 1;
    const bool bias = orr_flag(&p->architecture_settings, "bias");
    const int64_t d = orr_shape_count(&problem->signature.input);
    const double sw = w->multiplier * w->deviation, sb = bias ? b->multiplier * b->deviation : 0.0;
    const orr_random_features f = { orr_pair_map_find(orr_text(&p->architecture_settings, "activation")),
                                    sw * sw * (double)d, sb * sb };
    const double *x = problem->data.x + (on_test(p) ? problem->data.n * d : 0);
    /* a stream of its own: no run's initial features are among its draws */
    const orr_key key = { 0, orr_purpose_of("representation-similarity"), 0 };
    return orr_random_feature_ratio(ctx, scratch, &f, inputs_of(p, problem), d, x, DRAWS, key, ratio);
}

static orr_status predict_point(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point,
                                const void *known, json_t **out) {
    const int64_t *first = known; /* point of each network */
    const orr_point *p = &in->experiment->points[point];
    const orr_problem *problem = in->problems[point * in->experiment->seeds];
    *out = json_pack("{s:s, s:I, s:b, s:I, s:I}", "point", p->name, "network", (json_int_t)first[point], "random",
                     is_random(p), "width", (json_int_t)orr_point_width(p), "last_step", (json_int_t)p->steps);
    if (!*out) return orr_fail(ctx, ORR_ENOMEM, "representation similarity: no memory for a prediction");
    if (!is_random(p)) return ORR_OK;
    double ratio;
    ORR_TRY(ctx, ratio_of(ctx, scratch, p, problem, &ratio));
    (void)json_object_set_new(*out, "ratio", orr_json_real(ratio));
    (void)json_object_set_new(*out, "cka", orr_json_real(orr_random_feature_cka(ratio, (double)orr_point_width(p))));
    return ORR_OK;
}

static orr_status predict(orr_context *ctx, orr_arena *scratch, const orr_premises *in, json_t **prediction) {
    int64_t *first;
    ORR_TRY(ctx, orr_points_by_network(ctx, scratch, in->experiment, &first));
    return orr_predict_each(ctx, scratch, in, "representation-similarity", predict_point, first, prediction);
}

/* ---- measurement -------------------------------------------------------------------------------------------------------- */

/* What is compared: a recorded array, at a step, by a metric. */
typedef struct subject {
    const orr_records *records;
    int64_t point, step;
    const char *array; /* "activation.layer1" */
    orr_similarity_metric metric;
} subject;

/* One run's features; *there is false where it recorded none, or none that are numbers: nothing can be said then. */
static orr_status represent(orr_context *ctx, orr_arena *out_arena, orr_arena *scratch, const subject *s, int64_t seed,
                            orr_representation *out, bool *there) {
    orr_array a, doubles;
    orr_status status = orr_records_array(s->records, scratch, s->point, seed, s->array, s->step, &a);
    if (status == ORR_OK) status = orr_array_cast(ctx, scratch, s->array, &a, ORR_F64, &doubles);
    if (status == ORR_OK) {
        const int64_t n = a.shape.size[0];
        status = orr_representation_new(ctx, out_arena, scratch, s->metric, NULL, n,
                                        n ? orr_shape_count(&a.shape) / n : 0, doubles.data, out);
    }
    *there = status == ORR_OK;
    if (status != ORR_EINPUT) return status;
    orr_context_clear(ctx);
    return ORR_OK;
}

/* The first two seeds: (new) { exact, mean, sd, permutations }. */
static orr_status null_of(orr_context *ctx, orr_arena *scratch, const orr_representation *x,
                          const orr_representation *y, json_t **out) {
    enum { PERMUTATIONS = 200 };
    orr_calibration c;
    ORR_TRY(ctx, orr_similarity_calibrate(ctx, scratch, x, y, PERMUTATIONS, 0, &c));
    *out = json_pack("{s:o, s:o, s:o, s:i}", "exact", orr_json_real(c.null_exact), "mean", orr_json_real(c.null_mean),
                     "sd", orr_json_real(c.null_sd), "permutations", PERMUTATIONS);
    return ORR_OK;
}

/* (new) the similarities of all pairs of seeds, null where one has no features; *null (new) where asked for. */
static orr_status pairs_of(orr_context *ctx, orr_arena *scratch, const subject *s, json_t **out, json_t **null) {
    const int64_t seeds = s->records->seeds;
    orr_arena *arena = NULL;
    orr_status status;
    *out = json_array();
    ORR_TRY_DONE(ctx, orr_arena_new(ctx, &arena));
    orr_representation *r = ORR_NEW(arena, orr_representation, seeds);
    bool *there = ORR_NEW(arena, bool, seeds);
    if (!r || !there) {
        status = orr_fail(ctx, ORR_ENOMEM, "representation similarity: no memory for %lld seeds", (long long)seeds);
        goto done;
    }
    for (int64_t i = 0; i < seeds; i++) {
        const orr_arena_mark mark = orr_arena_here(scratch);
        ORR_TRY_DONE(ctx, represent(ctx, arena, scratch, s, i, &r[i], &there[i]));
        orr_arena_rewind(scratch, mark);
        for (int64_t j = 0; j < i; j++) {
            double value = (double)NAN;
            if (there[i] && there[j]) ORR_TRY_DONE(ctx, orr_similarity(ctx, scratch, &r[i], &r[j], NULL, &value));
            orr_json_add(*out, orr_json_real(value));
        }
    }
    if (null && there[0] && there[1]) ORR_TRY_DONE(ctx, null_of(ctx, scratch, &r[0], &r[1], null));
done:
    orr_arena_free(arena);
    return status;
}

/* (new) { cka: [..], ... } of one layer at one step. */
static orr_status measure_layer(orr_context *ctx, orr_arena *scratch, subject s, bool all, json_t **out) {
    static const orr_similarity_metric metrics[] = { ORR_SIMILARITY_CKA, ORR_SIMILARITY_NEIGHBOURS,
                                                     ORR_SIMILARITY_CKA_UNBIASED, ORR_SIMILARITY_CKA_RBF };
    *out = json_object();
    for (size_t m = 0; m < (all ? 4 : 2); m++) {
        json_t *pairs = NULL, *null = NULL;
        s.metric = metrics[m];
        const orr_status status = pairs_of(ctx, scratch, &s, &pairs, m == 0 ? &null : NULL);
        (void)json_object_set_new(*out, orr_similarity_name(s.metric), pairs);
        if (null) (void)json_object_set_new(*out, "null", null);
        ORR_TRY(ctx, status);
    }
    return ORR_OK;
}

/* Whether it is features of a layer: "activation.layer1" or "activation_test.layer1", not the outputs; *layer: its name. */
static bool is_layer(const char *array, const char **layer) {
    const char *dot = strchr(array, '.');
    *layer = dot ? dot + 1 : "";
    return strncmp(array, "activation", 10) == 0 && dot && strcmp(*layer, "output") != 0;
}

/* (new) { last_step, layers: { layer1: { untrained: { cka: [..] }, trained: { .. } } } }, by what the first seed recorded. */
static orr_status measure_point(orr_context *ctx, orr_arena *scratch, const orr_records *records, int64_t point,
                                json_t **out) {
    orr_array_row *rows;
    int64_t n, last = 0;
    json_t *layers = json_object();
    *out = json_pack("{s:o}", "layers", layers);
    ORR_TRY(ctx, orr_query_arrays(records->store, scratch, records->run[point * records->seeds], &rows, &n));
    for (int64_t i = 0; i < n; i++) last = rows[i].step > last ? rows[i].step : last;
    (void)json_object_set_new(*out, "last_step", json_integer((json_int_t)last));
    for (int64_t i = 0; i < n; i++) {
        const char *layer;
        if (!is_layer(rows[i].name, &layer) || (rows[i].step != 0 && rows[i].step != last)) continue;
        if (!json_object_get(layers, layer)) (void)json_object_set_new(layers, layer, json_object());
        const subject s = { .records = records, .point = point, .step = rows[i].step, .array = rows[i].name };
        json_t *values;
        const orr_status status = measure_layer(ctx, scratch, s, last == 0, &values);
        (void)json_object_set_new(json_object_get(layers, layer), rows[i].step == 0 ? "untrained" : "trained", values);
        ORR_TRY(ctx, status);
    }
    return ORR_OK;
}

static orr_status measure(orr_context *ctx, orr_arena *scratch, const orr_records *records, json_t **measurement) {
    json_t *points = json_array();
    orr_status status = ORR_OK;
    for (int64_t i = 0; i < records->points && status == ORR_OK; i++) {
        json_t *point = NULL;
        const orr_arena_mark mark = orr_arena_here(scratch);
        status = measure_point(ctx, scratch, records, i, &point);
        orr_arena_rewind(scratch, mark);
        orr_json_add(points, point);
    }
    if (status == ORR_OK) *measurement = points;
    else json_decref(points);
    return status;
}

/* ---- judgement ---------------------------------------------------------------------------------------------------------- */

/* ORDER checks: in `judge` */
static const orr_check checks[] = {
    /* all tolerances: sheet, Agreement; of means over pairs, one value for each width or layer */
    { "128 random features or more: |mean CKA - predicted|", 0.0, 0.012 },
    { "32 to 127 random features: |mean CKA - predicted|", 0.0, 0.035 },
    { "8 to 31 random features: |mean CKA - predicted|", 0.0, 0.05 },
    { "CKA of permuted inputs: |mean - exact| in standard errors", 0.0, 3.0 },
    { "trained less untrained: mean CKA", 0.0, 1.0 },
    { "trained less untrained: mean mutual-knn", 0.0, 1.0 },
    { "trained, width 4 w less width w <= 16: mean CKA", 0.0, 1.0 },
    { "trained, width 4 w less width w <= 16: mean mutual-knn", 0.0, 1.0 },
    { 0 },
};
enum { RANDOM_128, RANDOM_32, RANDOM_8, PERMUTED, TRAINED_CKA, TRAINED_KNN, WIDER_CKA, WIDER_KNN };

static double mean_of(const json_t *point, const char *layer, const char *moment, const char *metric) {
    const json_t *values =
        json_object_get(json_object_get(json_object_get(json_object_get(point, "layers"), layer), moment), metric);
    const size_t n = json_array_size(values);
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) sum += orr_number_at(values, i);
    return sum / (double)n; /* NaN where there is none */
}

/* Training went to its end, and its features are those of the end. */
static bool is_whole(const json_t *point, const json_t *measured) {
    return orr_number_of(measured, "last_step") == orr_number_of(point, "last_step");
}

static double null_errors(const json_t *point, const char *layer, const char *moment) {
    const json_t *null =
        json_object_get(json_object_get(json_object_get(json_object_get(point, "layers"), layer), moment), "null");
    return fabs(orr_number_of(null, "mean") - orr_number_of(null, "exact")) /
           (orr_number_of(null, "sd") / sqrt(orr_number_of(null, "permutations")));
}

static void judge_random(const json_t *point, const json_t *measured, orr_check_values *values) {
    const double m = orr_number_of(point, "width"),
                 distance = fabs(mean_of(measured, "layer1", "untrained", "cka") - orr_number_of(point, "cka"));
    orr_check_add(&values[m >= 128 ? RANDOM_128 : m >= 32 ? RANDOM_32 : RANDOM_8], distance);
    orr_check_add(&values[PERMUTED], null_errors(measured, "layer1", "untrained"));
}

/* The point of the same network, trained, whose width is 4 times as large or a little more; -1: none. */
static int64_t wider_than(const json_t *points, const json_t *point) {
    const double w = orr_number_of(point, "width");
    double best = (double)INFINITY;
    int64_t found = -1;
    for (size_t i = 0; i < json_array_size(points); i++) {
        const json_t *other = json_array_get(points, i);
        const double v = orr_number_of(other, "width");
        if (v < 4 * w || v >= best || !json_equal(json_object_get(other, "network"), json_object_get(point, "network")))
            continue;
        best = v;
        found = (int64_t)i;
    }
    return found;
}

static void judge_trained(const json_t *points, const json_t *measurement, size_t i, orr_check_values *values) {
    static const char *const metrics[] = { "cka", "mutual-knn" };
    const json_t *point = json_array_get(points, i);
    json_t *measured = json_array_get(measurement, i), *layer;
    const int64_t wider = orr_number_of(point, "width") <= 16 ? wider_than(points, point) : -1;
    const bool whole = is_whole(point, measured);
    const char *name;
    if (json_object_size(json_object_get(measured, "layers")) == 0) /* nothing was recorded */
        for (int m = 0; m < 2; m++) orr_check_add(&values[TRAINED_CKA + m], (double)NAN);
    json_object_foreach(json_object_get(measured, "layers"), name, layer) for (int m = 0; m < 2; m++) {
        const double trained = whole ? mean_of(measured, name, "trained", metrics[m]) : (double)NAN;
        orr_check_add(&values[TRAINED_CKA + m], trained - mean_of(measured, name, "untrained", metrics[m]));
        if (wider < 0) continue;
        const json_t *other = json_array_get(measurement, (size_t)wider);
        const double wide = is_whole(json_array_get(points, (size_t)wider), other)
                                ? mean_of(other, name, "trained", metrics[m])
                                : (double)NAN;
        orr_check_add(&values[WIDER_CKA + m], wide - trained);
    }
}

static orr_status judge(orr_context *ctx, orr_arena *out_arena, const json_t *prediction, const json_t *measurement,
                        orr_check_values *values) {
    const json_t *points = json_object_get(prediction, "points");
    int64_t room = 1;
    for (size_t i = 0; i < json_array_size(points); i++)
        room += 1 + (int64_t)json_object_size(json_object_get(json_array_get(measurement, i), "layers"));
    ORR_TRY(ctx, orr_check_values_new(ctx, out_arena, checks, room, values));
    for (size_t i = 0; i < json_array_size(points); i++) {
        const json_t *point = json_array_get(points, i);
        if (json_is_true(json_object_get(point, "random"))) judge_random(point, json_array_get(measurement, i), values);
        else judge_trained(points, measurement, i, values);
    }
    return ORR_OK;
}

/* ---- figure ------------------------------------------------------------------------------------------------------------- */

static const char *const shown[] = { "cka", "cka-unbiased", "cka-rbf", "mutual-knn" };

static void add_random_rows(json_t *rows, json_t *curve, json_t *band, const json_t *point, const json_t *measured) {
    json_t *width = json_object_get(point, "width");
    const json_t *layer = json_object_get(json_object_get(measured, "layers"), "layer1"),
                 *null = json_object_get(json_object_get(layer, "untrained"), "null");
    const double m = orr_number_of(point, "width"), ratio = orr_number_of(point, "ratio"),
                 exact = orr_number_of(null, "exact"), sd = orr_number_of(null, "sd");
    for (size_t k = 0; k < sizeof shown / sizeof shown[0]; k++)
        orr_json_row(rows, "{s:O, s:o, s:s}", "width", width, "value",
                     orr_json_real(mean_of(measured, "layer1", "untrained", shown[k])), "metric", shown[k]);
    for (int k = -4; k <= 4; k++) { /* from half to twice: neighbouring widths overlap, one curve */
        const double v = m * pow(2, k / 4.0);
        orr_json_row(curve, "{s:f, s:o}", "width", v, "value", orr_json_real(orr_random_feature_cka(ratio, v)));
    }
    orr_json_row(band, "{s:O, s:o, s:o}", "width", width, "low", orr_json_real(exact - 2 * sd), "high",
                 orr_json_real(exact + 2 * sd));
}

static void add_trained_rows(json_t *rows, const json_t *point, const json_t *measured) {
    static const char *const moments[] = { "untrained", "trained" };
    json_t *layers = json_object_get(measured, "layers"), *layer;
    const char *name;
    json_object_foreach(layers, name, layer) for (int t = 0; t < 2; t++) for (int k = 0; k < 4; k += 3) {
        char series[128];
        (void)snprintf(series, sizeof series, "%s, %s", name, shown[k]);
        orr_json_row(rows, "{s:O, s:o, s:s, s:s}", "width", json_object_get(point, "width"), "value",
                     orr_json_real(mean_of(measured, name, moments[t], shown[k])), "series", series, "moment",
                     moments[t]);
    }
}

/* Pairs of seeds as a square: one for each layer. */
static void add_heat_rows(json_t *rows, const json_t *measured) {
    json_t *layers = json_object_get(measured, "layers"), *layer;
    const char *name;
    json_object_foreach(layers, name, layer) {
        const json_t *pairs = json_object_get(json_object_get(layer, "trained"), "cka");
        size_t k = 0;
        for (json_int_t i = 0; k < json_array_size(pairs); i++)
            for (json_int_t j = 0; j <= i; j++) {
                json_t *value = j == i ? json_real(1.0) : json_incref(json_array_get(pairs, k++));
                orr_json_row(rows, "{s:I, s:I, s:O, s:s}", "a", i, "b", j, "cka", value, "layer", name);
                if (j < i) orr_json_row(rows, "{s:I, s:I, s:O, s:s}", "a", j, "b", i, "cka", value, "layer", name);
                json_decref(value);
            }
    }
}

static json_t *figure(const json_t *prediction, const json_t *measurement) {
    const json_t *points = json_object_get(prediction, "points"), *widest = NULL;
    json_t *panels = json_array(), *random = json_array(), *curve = json_array(), *band = json_array(),
           *trained = json_array(), *heat = json_array();
    double w = 0.0;
    for (size_t i = 0; i < json_array_size(points); i++) {
        const json_t *point = json_array_get(points, i), *measured = json_array_get(measurement, i);
        if (json_is_true(json_object_get(point, "random"))) add_random_rows(random, curve, band, point, measured);
        else {
            add_trained_rows(trained, point, measured);
            if (orr_number_of(point, "width") >= w) widest = measured;
            w = fmax(w, orr_number_of(point, "width"));
        }
    }
    if (json_array_size(random) > 0)
        orr_json_add(
            panels,
            orr_page_panel("similarity", "Random features: two draws, the more features the more alike",
                           "Points: means over pairs of draws. Dashed: CKA predicted from the data, 1/(1 + V/(m q)). "
                           "Shaded: CKA of permuted inputs, two deviations around its exact mean.",
                           "Similarity by several metrics against the number of random features.", true,
                           json_pack("{s:O, s:O, s:O}", "measured", random, "predicted", curve, "null", band)));
    if (json_array_size(trained) > 0) {
        add_heat_rows(heat, widest);
        orr_json_add(panels,
                     orr_page_panel("similarity_trained", "Networks of different seeds, before and after training",
                                    "Means over pairs of seeds; hollow and dotted: before training.",
                                    "Similarity of layers against width, before and after training.", false,
                                    json_pack("{s:O}", "measured", trained)));
        orr_json_add(panels, orr_page_panel("seeds", "Every pair of seeds",
                                            "CKA of trained networks, the widest, layer by layer.",
                                            "Matrix of similarities between seeds, for each layer.", false,
                                            json_pack("{s:O}", "measured", heat)));
    }
    json_decref(random);
    json_decref(curve);
    json_decref(band);
    json_decref(trained);
    json_decref(heat);
    return panels;
}

const orr_law orr_law_representation_similarity = {
    .id = "representation-similarity",
    .title = "Representations of different seeds",
    .statement =
        "Networks of different seeds learn similar representations, the wider the more so. For random features "
        "it is the law of large numbers: CKA of two draws of m features is 1/(1 + V/(m q)), V/q known from the data.",
    .equation = "\\mathrm{CKA}(m) = \\frac{1}{1 + V/(m q)},\\qquad S = \\mathbb E\\,\\phi_c \\phi_c^\\top,\\quad q = "
                "|S|_F^2,\\quad "
                "V = \\mathbb E\\,|\\phi_c|^4 - q",
    .section = "2.5",
    .sources =
        "Kornblith et al. 2019 (arXiv 1905.00414); Raghu et al. 2017 (1706.05806); Morcos et al. 2018 (1806.05759); "
        "Williams et al. 2021 (2110.14739); Huh et al. 2024 (2405.07987); Song et al. 2012",
    .breaks_along = "architecture.features=1:128:8,log",
    .regime = regime,
    .checks = checks,
    .defaults = orr_law_yaml_representation_similarity,
    .defaults_size = &orr_law_yaml_representation_similarity_size,
    .predict = predict,
    .measure = measure,
    .judge = judge,
    .figure = figure,
};
