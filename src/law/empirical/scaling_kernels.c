#include "law/empirical/scaling_kernels.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/context.h"
#include "law/conditions.h"
#include "law/measuring.h"
#include "theory/kernel_function.h"
#include "theory/kernel_regression.h"
#include "theory/kernel_spectrum.h"

const orr_settings *orr_scaling_kernel(const orr_point *p) {
    const orr_observation *o = orr_point_observation(p, "kernel-regression");
    return p->steps == 0 && p->epochs == 0 && o ? &o->settings : NULL;
}

/* ---- regime ------------------------------------------------------------------------------------------------------------- */

bool orr_scaling_kernel_is_known(orr_arena *out_arena, const orr_point *p, const orr_problem *problem,
                                 const char **why) {
    const orr_settings *s = orr_scaling_kernel(p);
    if (!s) return true;
    const bool features = strcmp(p->data->kind.name, "gaussian") == 0 && orr_settings_say(s, "kernel", "linear") &&
                          orr_dataset_fact(&problem->data, "eigenvalues") &&
                          orr_dataset_fact(&problem->data, "teacher");
    *why = orr_arena_string(out_arena,
                            orr_settings_say(s, "test", "test")
                                ? "take `test: pool`, or `exact` for gaussian data"
                                : "inputs must be numbers with targets; `exact` needs gaussian data, a teacher and "
                                  "the linear kernel");
    if (orr_settings_say(s, "test", "exact")) return features;
    return orr_settings_say(s, "test", "pool") && problem->data.x &&
           (problem->data.y || (problem->data.label && problem->data.target.rank == 0));
}

bool orr_scaling_kernel_is_in_pool(orr_arena *out_arena, const orr_point *p, const orr_problem *problem,
                                   const char **why) {
    const orr_settings *s = orr_scaling_kernel(p);
    int64_t n = 0;
    const int64_t *samples = s ? orr_ints(s, "samples", &n) : NULL;
    for (int64_t i = 0; i < n; i++) {
        *why = orr_arena_format(out_arena, "%lld of %lld", (long long)samples[i], (long long)problem->data.n);
        if (samples[i] < 10 || 10 * samples[i] > 6 * problem->data.n) return false;
    }
    return true;
}

/* ---- prediction --------------------------------------------------------------------------------------------------------- */

static orr_status no_memory(orr_context *ctx) {
    return orr_fail(ctx, ORR_ENOMEM, "neural scaling laws: no memory for the curve of a kernel");
}

typedef struct population {
    orr_kernel_spectrum spectrum;
    const double *coefficient2; /* summed over outputs */
    double size;                /* N_s; 0: a distribution */
} population;

/* phi_j = x_j/sqrt(l_j), v_j = W_j sqrt(l_j) */
static orr_status features(orr_context *ctx, orr_arena *arena, const orr_problem *p, population *out) {
    const int64_t d = orr_dataset_features(&p->data), outputs = orr_dataset_targets(&p->data);
    const double *l = orr_dataset_fact(&p->data, "eigenvalues")->data, *w = orr_dataset_fact(&p->data, "teacher")->data;
    double *v2 = ORR_NEW(arena, double, d);
    if (!v2) return no_memory(ctx);
    for (int64_t i = 0; i < outputs * d; i++) v2[i % d] += w[i] * w[i] * l[i % d];
    *out = (population){ { .n = d, .value = l }, v2, 0.0 };
    return ORR_OK;
}

/* l_j = e_j/N_s, v_j^2 = |V_j' Y|^2/N_s of the Gram matrix of all training examples; Y one-hot where they have labels. */
static orr_status pool_of(orr_context *ctx, orr_arena *arena, orr_arena *big, const orr_settings *s,
                          const orr_problem *p, population *out) {
    static const char *const kinds[] = { "linear", "ntk", "laplace", "rbf" }; /* ORDER orr_kernel_kind */
    const int64_t n = p->data.n, outputs = p->data.classes ? p->data.classes : orr_dataset_targets(&p->data);
    orr_kernel kernel = { .bandwidth = orr_real(s, "bandwidth") };
    orr_pool_spectrum spectrum;
    for (int i = 0; i < 4; i++)
        if (orr_settings_say(s, "kernel", kinds[i])) kernel.kind = (orr_kernel_kind)i;
    double *gram = orr_arena_take(big, n, (size_t)n * sizeof *gram), *y = ORR_NEW(big, double, n *outputs);
    double *v2 = ORR_NEW(arena, double, n);
    if (!gram || !y || !v2) return no_memory(ctx);
    orr_dataset_answers(&p->data, outputs, y);
    ORR_TRY(ctx,
            orr_kernel_matrix(ctx, big, &kernel, n, n, orr_dataset_features(&p->data), p->data.x, p->data.x, gram));
    ORR_TRY(ctx, orr_pool_spectrum_of(ctx, arena, big, n, outputs, gram, y, &spectrum));
    for (int64_t i = 0; i < outputs * n; i++) v2[i % n] += spectrum.coefficient2[i];
    *out = (population){ { .n = n, .value = spectrum.value }, v2, (double)n };
    return ORR_OK;
}

/* The error that is measured: over what n samples leave of a pool. */
static double beyond_samples(double size, double n, double test, double train) {
    return size > 0.0 ? (size * test - n * train) / (size - n) : test;
}

/* (new) errors at n samples and a ridge: [samples, ridges]. */
static orr_status predict_errors(orr_context *ctx, orr_arena *arena, const population *of, const double *n,
                                 int64_t count, const double *ridges, int64_t n_ridges, json_t **out) {
    double *error = ORR_NEW(arena, double, count *n_ridges);
    if (!error) return no_memory(ctx);
    for (int64_t i = 0; i < count * n_ridges; i++) {
        const orr_arena_mark mark = orr_arena_here(arena);
        orr_kernel_learning l;
        ORR_TRY(ctx, orr_kernel_learn(ctx, arena, &of->spectrum, n[i / n_ridges], ridges[i % n_ridges], &l));
        error[i] =
            beyond_samples(of->size, n[i / n_ridges], orr_kernel_test_error(&of->spectrum, &l, of->coefficient2, 0.0),
                           orr_kernel_train_error(&of->spectrum, &l, of->coefficient2, 0.0));
        orr_arena_rewind(arena, mark);
    }
    *out = orr_json_reals(error, count * n_ridges);
    return *out ? ORR_OK : no_memory(ctx);
}

enum { CURVE = 33 }; /* points of the figure's line */

/* (new) { samples, error, line_samples, line_error } of one seed. */
static orr_status predict_seed(orr_context *ctx, orr_arena *arena, orr_arena *big, const orr_settings *s,
                               const orr_problem *problem, json_t **out) {
    int64_t count, n_ridges;
    const int64_t *samples = orr_ints(s, "samples", &count);
    const double *ridges = orr_reals(s, "ridges", &n_ridges);
    double *n = ORR_NEW(arena, double, count), line[CURVE], low = (double)INFINITY, high = 0.0;
    population of;
    json_t *error = NULL, *line_error = NULL;
    if (!n) return no_memory(ctx);
    for (int64_t i = 0; i < count; i++) {
        n[i] = (double)samples[i];
        low = fmin(low, n[i]);
        high = fmax(high, n[i]);
    }
    for (int i = 0; i < CURVE; i++) line[i] = low * pow(high / low, (double)i / (CURVE - 1));
    if (orr_settings_say(s, "test", "exact")) ORR_TRY(ctx, features(ctx, arena, problem, &of));
    else ORR_TRY(ctx, pool_of(ctx, arena, big, s, problem, &of));
    ORR_TRY(ctx, predict_errors(ctx, arena, &of, n, count, ridges, n_ridges, &error));
    const orr_status status = predict_errors(ctx, arena, &of, line, CURVE, ridges, n_ridges, &line_error);
    *out = json_pack("{s:o, s:o, s:o, s:o}", "samples", orr_json_reals(n, count), "error", error, "line_samples",
                     orr_json_reals(line, CURVE), "line_error", line_error);
    return status == ORR_OK && !*out ? no_memory(ctx) : status;
}

orr_status orr_scaling_kernel_predict(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t i,
                                      json_t *kernels) {
    const orr_point *p = &in->experiment->points[i];
    const orr_settings *s = orr_scaling_kernel(p);
    const orr_problem *const *problems = in->problems + i * in->experiment->seeds;
    int64_t n_ridges;
    const double *ridges = orr_reals(s, "ridges", &n_ridges);
    json_t *seeds = json_array();
    json_t *kernel = json_pack("{s:I, s:s, s:s, s:I, s:o, s:o}", "point", (json_int_t)i, "name", p->name, "of",
                               orr_settings_say(s, "test", "exact") ? "features" : "pool", "size",
                               (json_int_t)(orr_settings_say(s, "test", "exact") ? 0 : problems[0]->data.n), "ridges",
                               orr_json_reals(ridges, n_ridges), "seeds", seeds);
    if (json_array_append_new(kernels, kernel) != 0) return no_memory(ctx);
    for (int64_t seed = 0; seed < in->experiment->seeds; seed++) {
        const orr_arena_mark mark = orr_arena_here(scratch);
        json_t *one = NULL;
        orr_arena *big = NULL; /* a Gram matrix: freed before anything is trained */
        orr_status status = orr_arena_new(ctx, &big);
        if (seed > 0 && problems[seed] == problems[seed - 1])
            one = json_incref(json_array_get(seeds, (size_t)seed - 1));
        else if (status == ORR_OK) status = predict_seed(ctx, scratch, big, s, problems[seed], &one);
        orr_arena_free(big);
        orr_arena_rewind(scratch, mark);
        if (json_array_append_new(seeds, one) != 0 && status == ORR_OK) status = no_memory(ctx);
        if (status == ORR_OK && in->tick) status = in->tick(in->user);
        ORR_TRY(ctx, status);
    }
    return ORR_OK;
}

/* ---- after training ----------------------------------------------------------------------------------------------------- */

/* Means over draws of the errors summed over outputs, [samples, ridges]; null where the array wasn't recorded. */
orr_status orr_scaling_kernel_measure(orr_context *ctx, orr_arena *scratch, const orr_records *records, int64_t point,
                                      int64_t seed, const char *name, json_t **out) {
    orr_array a;
    *out = json_null();
    if (orr_records_array(records, scratch, point, seed, name, 0, &a) != ORR_OK) return orr_context_clear(ctx), ORR_OK;
    const int64_t cells = a.shape.size[0] * a.shape.size[1], draws = a.shape.size[2],
                  each = orr_shape_count(&a.shape) / cells;
    double *mean = ORR_NEW(scratch, double, cells);
    if (!mean) return no_memory(ctx);
    for (int64_t i = 0; i < cells * each; i++) mean[i / each] += orr_array_value(&a, i) / (double)draws;
    *out = orr_json_reals(mean, cells);
    return ORR_OK;
}

/* Slope of log y against log x, by least squares. */
static double slope_of(const json_t *x, const json_t *y, size_t stride, size_t offset) {
    const size_t n = json_array_size(x);
    double sx = 0.0, sy = 0.0, sxx = 0.0, sxy = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double a = log(orr_number_at(x, i)), b = log(orr_number_at(y, i * stride + offset));
        sx += a, sy += b, sxx += a * a, sxy += a * b;
    }
    return (sxy - sx * sy / (double)n) / (sxx - sx * sx / (double)n);
}

/* What was measured of cell i of [samples, ridges]. */
double orr_scaling_kernel_error(const json_t *kernel, const json_t *run, double n, size_t i) {
    return beyond_samples(orr_number_of(kernel, "size"), n, orr_number_at(json_object_get(run, "test"), i),
                          orr_number_at(json_object_get(run, "train"), i));
}

void orr_scaling_kernel_judge(const json_t *kernel, const json_t *measurement, size_t seed, orr_check_values *pool,
                              orr_check_values *few, orr_check_values *many, orr_check_values *slope) {
    const json_t *run = orr_measured(measurement, (size_t)json_integer_value(json_object_get(kernel, "point")), seed),
                 *predicted = json_array_get(json_object_get(kernel, "seeds"), seed),
                 *samples = json_object_get(predicted, "samples"), *error = json_object_get(predicted, "error");
    const bool is_pool = strcmp(json_string_value(json_object_get(kernel, "of")), "pool") == 0;
    const size_t ridges = json_array_size(json_object_get(kernel, "ridges"));
    for (size_t i = 0; i < json_array_size(error); i++) {
        const double n = orr_number_at(samples, i / ridges);
        orr_check_values *to = is_pool ? pool : n <= 32.0 ? few : many; /* sheet: two tolerances */
        orr_check_add(to, orr_scaling_kernel_error(kernel, run, n, i) / orr_number_at(error, i));
    }
    for (size_t r = 0; r < ridges && !is_pool && json_array_size(samples) > 1; r++)
        orr_check_add(slope,
                      slope_of(samples, json_object_get(run, "test"), ridges, r) - slope_of(samples, error, ridges, r));
}

static json_t *row_of(const char *name, double n, double error, size_t seed) {
    return json_pack("{s:s, s:s, s:f, s:o, s:o, s:o, s:I}", "case", name, "part", "test", "n", n, "error",
                     orr_json_real(error), "low", orr_json_real(error), "high", orr_json_real(error), "seed",
                     (json_int_t)seed);
}

void orr_scaling_kernel_draw(const json_t *kernel, const json_t *measurement, json_t *lines, json_t *dots) {
    const json_t *seeds = json_object_get(kernel, "seeds"), *ridges = json_object_get(kernel, "ridges");
    const size_t n_ridges = json_array_size(ridges);
    for (size_t r = 0; r < n_ridges; r++) {
        const json_t *first = json_array_get(seeds, 0), *line = json_object_get(first, "line_error");
        char name[160];
        (void)snprintf(name, sizeof name, "%s, ridge %g, slope %.3f",
                       json_string_value(json_object_get(kernel, "name")), orr_number_at(ridges, r),
                       slope_of(json_object_get(first, "samples"), json_object_get(first, "error"), n_ridges, r));
        for (size_t i = r; i < json_array_size(line); i += n_ridges)
            orr_json_add(lines, row_of(name, orr_number_at(json_object_get(first, "line_samples"), i / n_ridges),
                                       orr_number_at(line, i), 0));
        for (size_t seed = 0; seed < json_array_size(seeds); seed++) {
            const json_t *samples = json_object_get(json_array_get(seeds, seed), "samples"),
                         *run = orr_measured(measurement, (size_t)json_integer_value(json_object_get(kernel, "point")),
                                             seed);
            for (size_t i = 0; i < json_array_size(samples); i++) {
                const double n = orr_number_at(samples, i);
                orr_json_add(dots, row_of(name, n, orr_scaling_kernel_error(kernel, run, n, i * n_ridges + r), seed));
            }
        }
    }
}
