/* Learning curves of kernel regression: the test and train error of kernel ridge regression on n samples follow from the
 * kernel's eigenvalues, the target's coefficients, the noise and the ridge.
 *
 *     n = sum_i g_i lambda_i/(lambda_i + kappa) + delta/kappa      L_i = lambda_i/(lambda_i + kappa)
 *     E_test = E0 (sum_i (1 - L_i)^2 v_i^2 + s2),  E0 = n/(n - sum_i g_i L_i^2)
 *     E_train = (delta/(n kappa))^2 E_test         sum_i g_i L_i = n - delta/kappa
 *
 *   paper        here           meaning                                             unit
 *   delta        ridges         ridge of the solver                                 kernel
 *   n            samples        examples that are learned                           1
 *   kappa        kappa          eigenvalue that is half learned                     kernel
 *   L_i          learnability   share of mode i that is learned                     1
 *   sum g_i L_i  learned        mean of tr K (K + delta I)^-1                       1
 *   s2           noise          variance of label noise                             target^2
 *
 * lambda_i and v_i are known before anything is solved: law/kernel_population.h.
 * Theory: theory/kernel_regression.h, theory/kernel_spectrum.h.  Measured by instrument/kernel_regression.c.
 * Sources: Simon, Dickens, Karkada, DeWeese 2023 (2110.03922); Canatar, Bordelon, Pehlevan 2021 (2006.13198).
 * Sheet: laws/solvable/kernel-learning-curves.md */
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "law/conditions.h"
#include "law/kernel_population.h"
#include "law/law.h"
#include "law/measuring.h"
#include "law/predicting.h"
#include "report/page.h"
#include "theory/kernel_regression.h"

extern const char orr_law_yaml_kernel_learning_curves[];
extern const size_t orr_law_yaml_kernel_learning_curves_size;

/* ---- regime ------------------------------------------------------------------------------------------------------------- */

static bool is_observed(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    (void)problem;
    *why = orr_arena_string(out_arena, "observe needs { kind: kernel-regression }");
    return orr_kernel_settings(p) != NULL;
}

static bool has_numbers(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    (void)p;
    *why = orr_arena_format(out_arena, "%s", problem->data.x ? "the data have no targets" : "inputs are tokens");
    return problem->data.x && (problem->data.y || (problem->data.label && problem->data.target.rank == 0));
}

static bool is_known(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    *why = orr_arena_string(out_arena, "`test: exact` needs gaussian data with a teacher and the linear kernel");
    if (orr_settings_say(orr_kernel_settings(p), "test", "exact") &&
        orr_population_kind_of(p) != ORR_POPULATION_FEATURES)
        return false;
    return orr_population_kind_of(p) != ORR_POPULATION_FEATURES ||
           (orr_dataset_fact(&problem->data, "eigenvalues") && orr_dataset_fact(&problem->data, "teacher"));
}

static bool is_full_batch_of_data(orr_arena *out_arena, const orr_point *p, const orr_problem *problem,
                                  const char **why) {
    int64_t n;
    const int64_t *samples = orr_ints(orr_kernel_settings(p), "samples", &n);
    for (int64_t i = 0; i < n; i++) {
        *why = orr_arena_format(out_arena, "%lld samples of %lld examples", (long long)samples[i],
                                (long long)problem->data.n);
        if (samples[i] > problem->data.n / (orr_population_kind_of(p) == ORR_POPULATION_POOL ? 10 : 1)) return false;
    }
    return n > 0;
}

static bool has_ten_samples(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    int64_t n;
    const int64_t *samples = orr_ints(orr_kernel_settings(p), "samples", &n);
    (void)problem;
    for (int64_t i = 0; i < n; i++) {
        *why = orr_arena_format(out_arena, "there are %lld", (long long)samples[i]);
        if (samples[i] < 10) return false;
    }
    return true;
}

/* At no ridge and n = rank E0 diverges.  The linear kernel has the rank of its inputs' dimension. */
static bool is_off_rank(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    const int64_t rank = orr_dataset_features(&problem->data);
    int64_t n, n_ridges;
    const int64_t *samples = orr_ints(orr_kernel_settings(p), "samples", &n);
    const double *ridges = orr_reals(orr_kernel_settings(p), "ridges", &n_ridges);
    double least = (double)INFINITY;
    for (int64_t i = 0; i < n_ridges; i++) least = fmin(least, ridges[i]);
    for (int64_t i = 0; i < n; i++) {
        *why = orr_arena_format(out_arena, "%lld samples, rank %lld", (long long)samples[i], (long long)rank);
        if (least == 0.0 && orr_settings_say(orr_kernel_settings(p), "kernel", "linear") &&
            5 * llabs(samples[i] - rank) < rank)
            return false;
    }
    return true;
}

static const orr_condition regime[] = {
    { "kernel regression is observed", .point = is_observed },
    { "inputs are numbers, and each has a target", .point = has_numbers },
    { "the population is known", .point = is_known },
    { "samples are at most a tenth of a pool", .point = is_full_batch_of_data, .beyond = true },
    { "there are at least 10 samples", .point = has_ten_samples, .beyond = true },
    { "without a ridge no number of samples is within a fifth of the kernel's rank", .point = is_off_rank,
      .beyond = true },
    { 0 },
};

/* ---- prediction --------------------------------------------------------------------------------------------------------- */

static orr_status no_memory(orr_context *ctx) { return orr_fail(ctx, ORR_ENOMEM, "kernel learning curves: no memory"); }

/* (new) { samples, kappa, learned, test, train } at numbers of samples: [n, ridges], and [n, ridges, outputs] for errors. */
static orr_status predict_curves(orr_context *ctx, orr_arena *scratch, const orr_population *of, int64_t outputs,
                                 const double *samples, int64_t n, const double *ridges, int64_t n_ridges,
                                 json_t **out) {
    double *kappa = ORR_NEW(scratch, double, n *n_ridges), *learned = ORR_NEW(scratch, double, n *n_ridges);
    double *test = ORR_NEW(scratch, double, n *n_ridges *outputs),
           *train = ORR_NEW(scratch, double, n *n_ridges *outputs);
    if (!kappa || !learned || !test || !train) return no_memory(ctx);
    for (int64_t i = 0; i < n * n_ridges; i++) {
        const orr_arena_mark mark = orr_arena_here(scratch);
        orr_kernel_learning l;
        ORR_TRY(ctx, orr_kernel_learn(ctx, scratch, &of->spectrum, samples[i / n_ridges], ridges[i % n_ridges], &l));
        kappa[i] = l.kappa;
        learned[i] = l.learned;
        for (int64_t c = 0; c < outputs; c++) {
            const double *v2 = of->coefficient2 + c * of->spectrum.n;
            test[i * outputs + c] = orr_kernel_test_error(&of->spectrum, &l, v2, of->noise);
            train[i * outputs + c] = orr_kernel_train_error(&of->spectrum, &l, v2, of->noise);
        }
        orr_arena_rewind(scratch, mark);
    }
    *out =
        json_pack("{s:o, s:o, s:o, s:o, s:o}", "samples", orr_json_reals(samples, n), "kappa",
                  orr_json_reals(kappa, n * n_ridges), "learned", orr_json_reals(learned, n * n_ridges), "test",
                  orr_json_reals(test, n * n_ridges * outputs), "train", orr_json_reals(train, n * n_ridges * outputs));
    return *out ? ORR_OK : no_memory(ctx);
}

enum { CURVE = 33 }; /* numbers of samples of the figure's lines */

/* (new) { at: curves where it is measured, line: curves in between } of one seed. */
static orr_status predict_seed(orr_context *ctx, orr_arena *arena, const orr_point *p, const orr_problem *problem,
                               json_t **out) {
    const orr_settings *s = orr_kernel_settings(p);
    int64_t n, n_ridges;
    const int64_t *samples = orr_ints(s, "samples", &n);
    const double *ridges = orr_reals(s, "ridges", &n_ridges);
    double *at = ORR_NEW(arena, double, n), line[CURVE], low = (double)INFINITY, high = 0.0;
    orr_population of;
    json_t *measured = NULL, *between = NULL;
    if (!at) return no_memory(ctx);
    for (int64_t i = 0; i < n; i++) {
        at[i] = (double)samples[i];
        low = fmin(low, at[i]);
        high = fmax(high, at[i]);
    }
    for (int i = 0; i < CURVE; i++) line[i] = low * pow(high / low, (double)i / (CURVE - 1));
    ORR_TRY(ctx, orr_population_find(ctx, arena, p, problem, &of));
    ORR_TRY(ctx, predict_curves(ctx, arena, &of, orr_target_outputs(problem), at, n, ridges, n_ridges, &measured));
    const orr_status status =
        predict_curves(ctx, arena, &of, orr_target_outputs(problem), line, CURVE, ridges, n_ridges, &between);
    if (status != ORR_OK) {
        json_decref(measured);
        return status;
    }
    *out = json_pack("{s:o, s:o}", "at", measured, "line", between);
    return *out ? ORR_OK : no_memory(ctx);
}

/* (new) a list of what predict_seed says; seeds that share their data share it. */
static orr_status predict_seeds(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point,
                                json_t **out) {
    const orr_problem *const *problems = in->problems + point * in->experiment->seeds;
    orr_status status = ORR_OK;
    json_t *seeds = json_array();
    for (int64_t i = 0; i < in->experiment->seeds && status == ORR_OK; i++) {
        json_t *one = NULL;
        const orr_arena_mark mark = orr_arena_here(scratch);
        status = orr_premises_tick(in);
        if (i > 0 && problems[i] == problems[i - 1]) one = json_incref(json_array_get(seeds, (size_t)i - 1));
        else if (status == ORR_OK)
            status = predict_seed(ctx, scratch, &in->experiment->points[point], problems[i], &one);
        orr_arena_rewind(scratch, mark);
        if (json_array_append_new(seeds, one) != 0 && status == ORR_OK) status = no_memory(ctx);
    }
    if (status == ORR_OK) *out = seeds;
    else json_decref(seeds);
    return status;
}

static orr_status predict_point(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point,
                                const void *known, json_t **out) {
    const orr_point *p = &in->experiment->points[point];
    const orr_problem *const *problems = in->problems + point * in->experiment->seeds;
    const orr_settings *s = orr_kernel_settings(p);
    int64_t n_ridges;
    const double *ridges = orr_reals(s, "ridges", &n_ridges);
    json_t *seeds;
    (void)known;
    ORR_TRY(ctx, predict_seeds(ctx, scratch, in, point, &seeds));
    /* exact errors are without the noise of a test label */
    const double added = orr_settings_say(s, "test", "exact") ? orr_population_noise(problems[0]) : 0.0;
    *out = json_pack("{s:s, s:s, s:s, s:I, s:o, s:f, s:o}", "point", p->name, "population",
                     orr_population_names[orr_population_kind_of(p)], "kernel", orr_text(s, "kernel"), "outputs",
                     (json_int_t)orr_target_outputs(problems[0]), "ridges", orr_json_reals(ridges, n_ridges), "added",
                     added, "seeds", seeds);
    return ORR_OK;
}

static orr_status predict(orr_context *ctx, orr_arena *scratch, const orr_premises *in, json_t **prediction) {
    return orr_predict_each(ctx, scratch, in, "kernel-learning-curves", predict_point, NULL, prediction);
}

/* ---- measurement -------------------------------------------------------------------------------------------------------- */

/* Means over draws of an array [samples, ridges, draws, outputs], and their standard errors: [samples, ridges, outputs]. */
static orr_status over_draws(orr_context *ctx, orr_arena *scratch, const orr_array *a, json_t **mean, json_t **error) {
    const int64_t outputs = a->shape.rank > 3 ? a->shape.size[3] : 1, draws = a->shape.size[2];
    const int64_t cells = a->shape.size[0] * a->shape.size[1];
    double *m = ORR_NEW(scratch, double, cells *outputs), *e = ORR_NEW(scratch, double, cells *outputs);
    if (!m || !e) return no_memory(ctx);
    for (int64_t i = 0; i < cells * outputs; i++) {
        const int64_t first = i / outputs * draws * outputs + i % outputs;
        double sum = 0.0, squares = 0.0;
        for (int64_t k = 0; k < draws; k++) sum += orr_array_value(a, first + k * outputs);
        m[i] = sum / (double)draws;
        for (int64_t k = 0; k < draws; k++) squares += pow(orr_array_value(a, first + k * outputs) - m[i], 2.0);
        e[i] = draws > 1 ? sqrt(squares / (double)(draws - 1) / (double)draws) : (double)NAN;
    }
    *mean = orr_json_reals(m, cells * outputs);
    *error = orr_json_reals(e, cells * outputs);
    return *mean && *error ? ORR_OK : no_memory(ctx);
}

/* { NAME, NAME_error } */
static orr_status measure_array(orr_context *ctx, orr_arena *scratch, const orr_records *records, int64_t point,
                                int64_t seed, const char *name, json_t *out) {
    json_t *mean = NULL, *error = NULL;
    const char *array = orr_arena_format(scratch, "kernel_regression_%s", name);
    const char *error_name = orr_arena_format(scratch, "%s_error", name);
    orr_array a;
    if (!array || !error_name) return no_memory(ctx);
    ORR_TRY(ctx, orr_records_array(records, scratch, point, seed, array, 0, &a));
    const orr_status status = over_draws(ctx, scratch, &a, &mean, &error);
    const int failed = json_object_set_new(out, name, mean) | json_object_set_new(out, error_name, error);
    return status == ORR_OK && failed ? no_memory(ctx) : status;
}

/* { learnability, values }, where they were recorded. */
static orr_status measure_modes(orr_context *ctx, orr_arena *scratch, const orr_records *records, int64_t point,
                                int64_t seed, json_t *out) {
    static const char *const names[] = { "learnability", "values" };
    for (int i = 0; i < 2; i++) {
        const char *array = orr_arena_format(scratch, "kernel_regression_%s", names[i]);
        orr_array a;
        if (!array) return no_memory(ctx);
        if (orr_records_array(records, scratch, point, seed, array, 0, &a) != ORR_OK) {
            orr_context_clear(ctx); /* `modes: 0` */
            return ORR_OK;
        }
        if (json_object_set_new(out, names[i], orr_json_reals(a.data, orr_shape_count(&a.shape))) != 0)
            return no_memory(ctx);
    }
    return ORR_OK;
}

static orr_status measure_run(orr_context *ctx, orr_arena *scratch, const orr_records *records, int64_t point,
                              int64_t seed, json_t **out) {
    orr_status status;
    json_t *run = json_object();
    ORR_TRY_DONE(ctx, measure_array(ctx, scratch, records, point, seed, "test", run));
    ORR_TRY_DONE(ctx, measure_array(ctx, scratch, records, point, seed, "train", run));
    ORR_TRY_DONE(ctx, measure_array(ctx, scratch, records, point, seed, "learned", run));
    ORR_TRY_DONE(ctx, measure_modes(ctx, scratch, records, point, seed, run));
done:
    if (status != ORR_OK) json_decref(run);
    else *out = run;
    return status;
}

static orr_status measure(orr_context *ctx, orr_arena *scratch, const orr_records *records, json_t **measurement) {
    return orr_measure_runs(ctx, scratch, records, measure_run, measurement);
}

/* ---- judgement ---------------------------------------------------------------------------------------------------------- */

/* ORDER checks: in `judge` */
static const orr_check checks[] = {
    /* all tolerances: sheet, Agreement.  Test errors below 1e-3 aren't scored: rare draws dominate them */
    { "features: root mean square of the relative error of the test error", 0.0, 0.04 },
    { "features: largest relative error at n >= 100, in units of max(3 %, 2 standard errors)", 0.0, 1.0 },
    { "features: largest error of the sum of learnabilities over n, at n >= 100", 0.0, 0.001 },
    { "sphere: largest relative error of test errors above 0.05", 0.0, 0.1 },
    { "pool: largest relative error of the test error", 0.0, 0.08 },
    { "pool: largest distance of the train error", 0.0, 0.005 },
    { 0 },
};
enum { FEATURES_RMS, FEATURES_LARGEST, FEATURES_LEARNED, SPHERE_LARGEST, POOL_LARGEST, POOL_TRAIN };

/* The larger; NaN where either is. */
static double larger(double a, double b) { return isnan(a) || b > a || isnan(b) ? (isnan(a) ? a : b) : a; }

/* One seed's prediction beside its measurement. */
typedef struct pair {
    const json_t *at, *run; /* predict_curves, measure_run */
    int64_t ridges, outputs, n;
    double added;
} pair;

/* Relative error of test error i; 0 where the prediction is not above `least`. */
static double relative(const pair *p, size_t i, double least) {
    const double predicted = orr_number_at(json_object_get(p->at, "test"), i),
                 measured = orr_number_at(json_object_get(p->run, "test"), i) + p->added;
    return predicted <= least ? 0.0 : fabs(measured / predicted - 1.0);
}

static double largest_relative(const pair *p, double least) {
    double max = p->n > 0 ? 0.0 : (double)NAN;
    for (int64_t i = 0; i < p->n; i++) max = larger(max, relative(p, (size_t)i, least));
    return max;
}

static double rms_relative(const pair *p, double least) {
    double sum = 0.0, n = 0.0;
    for (int64_t i = 0; i < p->n; i++) {
        const double e = relative(p, (size_t)i, least);
        sum += e * e;
        n += orr_number_at(json_object_get(p->at, "test"), (size_t)i) > least;
    }
    return sqrt(sum / n);
}

/* Over n >= 100: |relative error| / max(3 %, 2 standard errors). */
static double largest_scaled(const pair *p, double least) {
    double max = -1.0;
    for (int64_t i = 0; i < p->n; i++) {
        const double predicted = orr_number_at(json_object_get(p->at, "test"), (size_t)i),
                     error = orr_number_at(json_object_get(p->run, "test_error"), (size_t)i);
        if (orr_number_at(json_object_get(p->at, "samples"), (size_t)(i / (p->ridges * p->outputs))) >= 100.0)
            max = larger(max, relative(p, (size_t)i, least) / fmax(0.03, 2.0 * error / predicted));
    }
    return max;
}

/* In units of n, and over n >= 100: the theory's trace has a correction of its own, which is 0.17 % of n at n = 10, 0.11 % at 30,
 * 0.05 % at 100 and 0.015 % at 300 for lambda_i = i^-1.5 and ridge 0.1 (400 draws in NumPy).  Negative where there is no such
 * n. */
static double largest_of_learned(const pair *p) {
    const json_t *predicted = json_object_get(p->at, "learned"), *measured = json_object_get(p->run, "learned");
    double max = -1.0;
    for (size_t i = 0; i < json_array_size(predicted); i++) {
        const double n = orr_number_at(json_object_get(p->at, "samples"), i / (size_t)p->ridges);
        if (n >= 100.0) max = larger(max, fabs(orr_number_at(measured, i) - orr_number_at(predicted, i)) / n);
    }
    return max;
}

static double largest_of_train(const pair *p) {
    double max = p->n > 0 ? 0.0 : (double)NAN;
    for (size_t i = 0; i < (size_t)p->n; i++)
        max = larger(max, fabs(orr_number_at(json_object_get(p->run, "train"), i) -
                               orr_number_at(json_object_get(p->at, "train"), i)));
    return max;
}

/* A value that a run gives where it has such n; NaN is one. */
static void add_unless_negative(orr_check_values *values, double x) {
    if (!(x < 0.0)) orr_check_add(values, x);
}

static pair pair_of(const json_t *point, const json_t *predicted, const json_t *run) {
    const json_t *at = json_object_get(predicted, "at");
    return (pair){ .at = at,
                   .run = run,
                   .ridges = (int64_t)json_array_size(json_object_get(point, "ridges")),
                   .outputs = json_integer_value(json_object_get(point, "outputs")),
                   .n = (int64_t)json_array_size(json_object_get(at, "test")),
                   .added = orr_number_of(point, "added") };
}

static void judge_run(const json_t *point, const json_t *predicted, const json_t *run, orr_check_values *values) {
    const char *of = json_string_value(json_object_get(point, "population"));
    const pair p = pair_of(point, predicted, run);
    static const double least = 1e-3;
    if (strcmp(of, "features") == 0) {
        orr_check_add(&values[FEATURES_RMS], rms_relative(&p, least));
        add_unless_negative(&values[FEATURES_LARGEST], largest_scaled(&p, least));
        add_unless_negative(&values[FEATURES_LEARNED], largest_of_learned(&p));
    }
    if (strcmp(of, "sphere") == 0) orr_check_add(&values[SPHERE_LARGEST], largest_relative(&p, 0.05));
    if (strcmp(of, "pool") == 0) {
        orr_check_add(&values[POOL_LARGEST], largest_relative(&p, least));
        orr_check_add(&values[POOL_TRAIN], largest_of_train(&p));
    }
}

static orr_status judge(orr_context *ctx, orr_arena *out_arena, const json_t *prediction, const json_t *measurement,
                        orr_check_values *values) {
    return orr_judge_runs(ctx, out_arena, checks, 1, prediction, "seeds", measurement, judge_run, values);
}

/* ---- figure ------------------------------------------------------------------------------------------------------------- */

/* Of cell i of [samples, ridges, outputs]. */
static double samples_of(const json_t *curves, const pair *p, size_t i) {
    return orr_number_at(json_object_get(curves, "samples"), i / (size_t)(p->ridges * p->outputs));
}
static double ridge_of(const json_t *point, const pair *p, size_t i) {
    return orr_number_at(json_object_get(point, "ridges"), i / (size_t)p->outputs % (size_t)p->ridges);
}
static json_t *case_of(const json_t *point, const pair *p, size_t i) {
    const char *name = json_string_value(json_object_get(point, "point"));
    return p->outputs > 1 ? json_sprintf("%s, target %d", name, (int)(i % (size_t)p->outputs) + 1) : json_string(name);
}

static const char *const parts[] = { "test", "train" }, *const deviations[] = { "test_error", "train_error" };
static const double smallest = 1e-6; /* of a logarithmic axis */

static void add_line(json_t *rows, const json_t *point, const pair *p, const json_t *line) {
    for (int part = 0; part < 2; part++) {
        const json_t *errors = json_object_get(line, parts[part]);
        for (size_t i = 0; i < json_array_size(errors); i++) {
            const double error = orr_number_at(errors, i);
            if (error <= smallest) continue;
            orr_json_row(rows, "{s:f, s:o, s:s, s:o, s:f}", "n", samples_of(line, p, i), "error", orr_json_real(error),
                         "part", parts[part], "case", case_of(point, p, i), "ridge", ridge_of(point, p, i));
        }
    }
}

static void add_dots(json_t *rows, const json_t *point, const pair *p, size_t seed) {
    for (int part = 0; part < 2; part++)
        for (size_t i = 0; i < (size_t)p->n; i++) {
            const double error = orr_number_at(json_object_get(p->run, parts[part]), i) + (part == 0 ? p->added : 0.0),
                         bar = 2 * orr_number_at(json_object_get(p->run, deviations[part]), i);
            if (!(error > smallest)) continue;
            orr_json_row(rows, "{s:f, s:o, s:o, s:o, s:s, s:o, s:f, s:I}", "n", samples_of(p->at, p, i), "error",
                         orr_json_real(error), "low", orr_json_real(fmax(error - bar, smallest)), "high",
                         orr_json_real(error + bar), "part", parts[part], "case", case_of(point, p, i), "ridge",
                         ridge_of(point, p, i), "seed", (json_int_t)seed);
        }
}

/* Learnabilities against lambda/kappa, of all n and ridges. */
static void add_modes(json_t *rows, const json_t *point, const pair *p) {
    const json_t *values = json_object_get(p->run, "values"), *l = json_object_get(p->run, "learnability");
    const size_t modes = json_array_size(values);
    for (size_t i = 0; i < json_array_size(l); i++) {
        const double kappa = orr_number_at(json_object_get(p->at, "kappa"), i / modes);
        if (!(kappa > 0.0)) continue;
        orr_json_row(rows, "{s:o, s:o, s:o, s:O}", "ratio", orr_json_real(orr_number_at(values, i % modes) / kappa),
                     "learnability", orr_json_real(orr_number_at(l, i)), "n",
                     orr_json_real(orr_number_at(json_object_get(p->at, "samples"), i / modes / (size_t)p->ridges)),
                     "point", json_object_get(point, "point"));
    }
}

static json_t *figure(const json_t *prediction, const json_t *measurement) {
    static const char *const titles[] = { "Gaussian features", "Sphere", "All examples of a pool" };
    const json_t *points = json_object_get(prediction, "points");
    json_t *panels = json_array(), *modes = json_array();
    for (int k = 0; k < 3; k++) {
        json_t *lines = json_array(), *dots = json_array();
        for (size_t i = 0; i < json_array_size(points); i++) {
            const json_t *point = json_array_get(points, i), *seeds = json_object_get(point, "seeds");
            if (strcmp(json_string_value(json_object_get(point, "population")), orr_population_names[k]) != 0) continue;
            for (size_t seed = 0; seed < json_array_size(seeds); seed++) {
                const pair p = pair_of(point, json_array_get(seeds, seed), orr_measured(measurement, i, seed));
                if (seed == 0) add_line(lines, point, &p, json_object_get(json_array_get(seeds, seed), "line"));
                add_dots(dots, point, &p, seed);
                if (seed == 0) add_modes(modes, point, &p);
            }
        }
        if (json_array_size(lines) > 0)
            orr_json_add(
                panels,
                orr_page_panel("learning_curve", titles[k],
                               "Lines: predicted from the spectrum, one for each ridge. Dots: measured, a mean "
                               "over draws for each seed, bars two standard errors. Dashed and hollow: train error.",
                               "Test and train error against the number of samples, predicted and measured.", true,
                               json_pack("{s:O, s:O}", "predicted", lines, "measured", dots)));
        json_decref(lines);
        json_decref(dots);
    }
    if (json_array_size(modes) > 0)
        orr_json_add(panels,
                     orr_page_panel("learnability", "Which modes are learned",
                                    "Measured learnabilities of all numbers of samples and ridges fall on one line.",
                                    "Learnability of eigenfunctions against their eigenvalue over kappa.", false,
                                    json_pack("{s:O}", "measured", modes)));
    json_decref(modes);
    return panels;
}

const orr_law orr_law_kernel_learning_curves = {
    .id = "kernel-learning-curves",
    .title = "Learning curves of kernel regression from the spectrum alone",
    .statement =
        "The expected test and train error of kernel ridge regression on n samples depend only on the kernel's "
        "eigenvalues, the target's coefficients, the noise and the ridge; at zero ridge the learnabilities sum "
        "to n.",
    .equation =
        "\\begin{aligned} n &= \\sum_i \\frac{\\lambda_i}{\\lambda_i + \\kappa} + \\frac{\\delta}{\\kappa},\\qquad "
        "\\mathcal L_i = \\frac{\\lambda_i}{\\lambda_i+\\kappa},\\qquad \\mathcal E_0 = \\frac{n}{n - \\sum_i "
        "\\mathcal L_i^2} \\\\ "
        "E_{\\mathrm{test}} &= \\mathcal E_0\\left[\\sum_i (1-\\mathcal L_i)^2 v_i^2 + \\sigma^2\\right],\\qquad "
        "E_{\\mathrm{train}} = \\left(\\frac{\\delta}{n\\kappa}\\right)^2 E_{\\mathrm{test}} \\end{aligned}",
    .section = "2.1",
    .sources =
        "Simon, Dickens, Karkada, DeWeese 2023 (arXiv 2110.03922); Canatar, Bordelon, Pehlevan 2021 (2006.13198); "
        "Jacot et al. 2020 (2006.09796); Loureiro et al. 2021 (2102.08127)",
    .breaks_along = "data.n=160:1280:4,log",
    .regime = regime,
    .checks = checks,
    .defaults = orr_law_yaml_kernel_learning_curves,
    .defaults_size = &orr_law_yaml_kernel_learning_curves_size,
    .predict = predict,
    .measure = measure,
    .judge = judge,
    .figure = figure,
};
