/* Neural scaling laws: the least test loss that a family of networks reaches falls as a sum of powers of parameters and data, and
 * where the learner is a kernel the whole curve follows from its spectrum.
 *
 *     networks   L(N, D) = E + A N^-alpha + B D^-beta
 *                fitted on the cells with D <= D_max/4; the cells with more data are what is predicted
 *     kernels    sum_i l_i/(l_i + k) + delta/k = n,   M_i = l_i/(l_i + k)
 *                test error = sum_i (1 - M_i)^2 v_i^2 n/(n - sum_i M_i^2)
 *
 *   paper   here             meaning                                                        unit
 *   N       parameters       numbers in all tensors                                         1
 *   D       data             training examples                                              1
 *   L       loss             least of the test losses that were recorded                    loss
 *   n       samples          examples that a kernel learns                                  1
 *   l_i     spectrum.value   eigenvalue of the kernel                                       kernel
 *   v_i^2   coefficient2     of the target, summed over outputs                             target^2
 *   delta   ridges           ridge, added to the n x n Gram matrix                          kernel
 *
 * A point that trains is a cell of its family (architecture, data, task); what is sealed of it is which cells are fitted, and how.  A
 * point of no steps that observes kernel-regression is a kernel, whose errors are sealed as numbers (scaling_kernels.h).
 * Theory: theory/scaling_fit.h, theory/kernel_regression.h.  Sources: Hestness et al. 2017 (1712.00409); Hoffmann et al. 2022
 * (2203.15556); Besiroglu et al. 2024 (2404.10102); Simon et al. 2021 (2110.03922).  Sheet: laws/empirical/neural-scaling-laws.md */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/context.h"
#include "law/conditions.h"
#include "law/empirical/scaling_kernels.h"
#include "law/grouping.h"
#include "law/measuring.h"
#include "report/page.h"
#include "store/query.h"
#include "theory/scaling_fit.h"

extern const char orr_law_yaml_neural_scaling_laws[];
extern const size_t orr_law_yaml_neural_scaling_laws_size;

/* Cells with more than this part of the most data are held out: two doublings. */
static const double fitted_part = 0.25;

/* Cells of one family are fitted together. */
static bool same_family(const orr_point *a, const orr_point *b) {
    return a->architecture == b->architecture && a->data == b->data && a->task == b->task;
}

/* ---- regime ------------------------------------------------------------------------------------------------------------- */

static bool is_learner(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    const orr_observation *o = orr_point_observation(p, "loss");
    if (orr_scaling_kernel(p)) return true;
    *why = orr_arena_string(out_arena, p->steps == 0 ? "it trains nothing and observes no kernel-regression"
                                       : !o          ? "observe needs { kind: loss }"
                                       : problem->data.n_test == 0 ? "the data have no test examples (n_test)"
                                                                   : "loss is observed over training examples alone");
    return p->steps > 0 && o && problem->data.n_test > 0 && !orr_settings_say(&o->settings, "part", "train");
}

static bool is_recorded(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    const orr_observation *o = orr_point_observation(p, "loss");
    (void)problem;
    if (orr_scaling_kernel(p)) return true;
    const int64_t n = orr_is_periodic(o) ? p->steps / orr_int(&o->settings, "every") : 0;
    *why = orr_is_periodic(o) ? orr_arena_format(out_arena, "it is recorded %lld times", (long long)n)
                              : orr_arena_string(out_arena, "it is recorded at growing distances");
    return n >= 10;
}

static bool is_drawn_once(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    (void)problem;
    *why = orr_arena_string(out_arena, "sampling is online");
    return !orr_settings_has(&p->rule_settings, "sampling") ||
           !orr_settings_say(&p->rule_settings, "sampling", "online");
}

/* Too narrow networks stay at the trivial loss in some seeds, and few data are before the power law. */
static bool is_in_range(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    const int64_t width = orr_point_width(p);
    const bool wide = width == 0 || width >= 8;
    if (orr_scaling_kernel(p)) return true;
    *why = wide ? orr_arena_format(out_arena, "there are %lld", (long long)problem->data.n)
                : orr_arena_format(out_arena, "the width is %lld", (long long)width);
    return wide && problem->data.n >= 300;
}

/* What the cells of a family span. */
typedef struct span {
    int64_t sizes, fitted, beyond; /* different N; different D that are fitted and held out */
    double parameters, data;       /* largest over smallest */
    double data_max;
} span;

static span span_of(const orr_premises *in, int64_t first) {
    const orr_experiment *e = in->experiment;
    span s = { 0 };
    double n_low = (double)INFINITY, n_high = 0.0, d_low = (double)INFINITY, d_high = 0.0;
    for (int pass = 0; pass < 2; pass++)
        for (int64_t i = 0; i < e->n_points; i++) {
            if (orr_scaling_kernel(&e->points[i]) || !same_family(&e->points[i], &e->points[first])) continue;
            const double n = (double)in->problems[i * e->seeds]->n, d = (double)in->problems[i * e->seeds]->data.n;
            n_low = fmin(n_low, n), n_high = fmax(n_high, n), d_low = fmin(d_low, d), d_high = fmax(d_high, d);
            bool new_n = true, new_d = true;
            for (int64_t j = 0; j < i; j++) {
                if (orr_scaling_kernel(&e->points[j]) || !same_family(&e->points[j], &e->points[first])) continue;
                new_n = new_n && in->problems[j * e->seeds]->n != in->problems[i * e->seeds]->n;
                new_d = new_d && in->problems[j * e->seeds]->data.n != in->problems[i * e->seeds]->data.n;
            }
            if (pass == 0) continue; /* d_high isn't known yet */
            s.sizes += new_n;
            s.fitted += new_d && d <= fitted_part * d_high;
            s.beyond += new_d && d > fitted_part * d_high;
        }
    s.parameters = n_high / n_low;
    s.data = d_high / d_low;
    s.data_max = d_high;
    return s;
}

typedef bool span_check(orr_arena *out_arena, const span *s, const char **why);

static bool is_enough(orr_arena *out_arena, const span *s, const char **why) {
    *why = orr_arena_format(out_arena, "there are %lld, %lld and %lld", (long long)s->sizes, (long long)s->fitted,
                            (long long)s->beyond);
    return s->sizes >= 3 && s->fitted >= 3 && s->beyond >= 1;
}

static bool is_wide(orr_arena *out_arena, const span *s, const char **why) {
    *why = orr_arena_format(out_arena, "N spans a factor of %.3g, D one of %.3g", s->parameters, s->data);
    return s->parameters >= 7.9 && s->data >= 10.0;
}

static orr_status check_spans(orr_arena *out_arena, const orr_premises *in, span_check *good, bool *holds,
                              const char **why) {
    *holds = true;
    for (int64_t i = 0; i < in->experiment->n_points && *holds; i++) {
        if (orr_scaling_kernel(&in->experiment->points[i])) continue;
        const span s = span_of(in, i);
        *holds = good(out_arena, &s, why);
    }
    return ORR_OK;
}

static orr_status enough(orr_context *ctx, orr_arena *out_arena, const orr_premises *in, bool *holds,
                         const char **why) {
    (void)ctx;
    return check_spans(out_arena, in, is_enough, holds, why);
}

static orr_status wide(orr_context *ctx, orr_arena *out_arena, const orr_premises *in, bool *holds, const char **why) {
    (void)ctx;
    return check_spans(out_arena, in, is_wide, holds, why);
}

static const orr_condition regime[] = {
    { "a point trains a network and records its test loss, or is kernel regression", .point = is_learner },
    { "the test loss is recorded at least 10 times, at a constant distance", .point = is_recorded },
    { "training examples are drawn once", .point = is_drawn_once },
    { "the kernel's population is known", .point = orr_scaling_kernel_is_known },
    { "a kernel learns at least 10 samples, at most six tenths of the examples", .point = orr_scaling_kernel_is_in_pool,
      .beyond = true },
    { "networks have at least 3 sizes, 3 numbers of examples to fit and one beyond", .check = enough },
    { "networks have at least 300 examples and a width of at least 8", .point = is_in_range, .beyond = true },
    { "parameters span nearly a decade (a factor of 7.9), data a whole one", .check = wide, .beyond = true },
    { 0 },
};

/* ---- prediction --------------------------------------------------------------------------------------------------------- */

static orr_status no_memory(orr_context *ctx) {
    return orr_fail(ctx, ORR_ENOMEM, "neural scaling laws: no memory for a prediction");
}

static json_t *predict_cell(const orr_premises *in, int64_t i) {
    const orr_point *p = &in->experiment->points[i];
    const orr_problem *problem = in->problems[i * in->experiment->seeds];
    return json_pack("{s:I, s:s, s:o, s:I, s:I, s:f}", "point", (json_int_t)i, "name", p->name, "family",
                     json_sprintf("%s on %s, %s", p->architecture->kind.name, p->data->kind.name, p->task->kind.name),
                     "parameters", (json_int_t)problem->n, "data", (json_int_t)problem->data.n, "fitted_to",
                     fitted_part * span_of(in, i).data_max);
}

static orr_status predict(orr_context *ctx, orr_arena *scratch, const orr_premises *in, json_t **prediction) {
    json_t *cells = json_array(), *kernels = json_array();
    orr_status status = ORR_OK;
    for (int64_t i = 0; i < in->experiment->n_points && status == ORR_OK; i++) {
        if (orr_scaling_kernel(&in->experiment->points[i]))
            status = orr_scaling_kernel_predict(ctx, scratch, in, i, kernels);
        else if (json_array_append_new(cells, predict_cell(in, i)) != 0) status = no_memory(ctx);
    }
    *prediction = json_pack("{s:s, s:s, s:I, s:o, s:o}", "law", "neural-scaling-laws", "form",
                            "E + A N^-alpha + B D^-beta, least sum of Huber(log L - log of it), delta = 1e-3", "seeds",
                            (json_int_t)in->experiment->seeds, "cells", cells, "kernels", kernels);
    if (status == ORR_OK && !*prediction) return no_memory(ctx);
    if (status == ORR_OK) return ORR_OK;
    json_decref(*prediction);
    *prediction = NULL;
    return status;
}

/* ---- measurement -------------------------------------------------------------------------------------------------------- */

/* { loss, step: where the test loss is least, test, train: of kernel regression }; loss is null where the run diverged. */
static orr_status measure_run(orr_context *ctx, orr_arena *scratch, const orr_records *records, int64_t point,
                              int64_t seed, json_t **out) {
    orr_series s;
    json_t *test, *train;
    double least = (double)INFINITY, step = (double)NAN;
    orr_run_row row;
    ORR_TRY(ctx, orr_records_series(records, scratch, point, seed, "loss_test", &s));
    ORR_TRY(ctx, orr_query_run(records->store, scratch, records->run[point * records->seeds + seed], &row));
    if (strcmp(row.state, "diverged") == 0) least = (double)NAN; /* stays: nothing is below it */
    for (int64_t i = 0; i < s.n; i++) {
        if (!isfinite(s.y[i])) least = (double)NAN;
        if (s.y[i] < least) least = s.y[i], step = s.x[i];
    }
    ORR_TRY(ctx, orr_scaling_kernel_measure(ctx, scratch, records, point, seed, "kernel_regression_test", &test));
    const orr_status status =
        orr_scaling_kernel_measure(ctx, scratch, records, point, seed, "kernel_regression_train", &train);
    *out = json_pack("{s:o, s:o, s:o, s:o}", "loss", orr_json_real(least), "step", orr_json_real(step), "test", test,
                     "train", status == ORR_OK ? train : json_null());
    return status == ORR_OK && !*out ? no_memory(ctx) : status;
}

static orr_status measure(orr_context *ctx, orr_arena *scratch, const orr_records *records, json_t **measurement) {
    return orr_measure_runs(ctx, scratch, records, measure_run, measurement);
}

/* ---- judgement ---------------------------------------------------------------------------------------------------------- */

/* ORDER checks */
static const orr_check checks[] = {
    /* all tolerances: sheet, Agreement */
    { "networks: mean error of the cells held out", 0.0, 0.10 },
    { "networks: root mean square of log residuals", 0.0, 0.08 },
    { "kernel of a pool: error, measured over predicted", 0.94, 1.06 },
    { "Gaussian features: error at n <= 32, measured over predicted", 0.8, 1.2 },
    { "Gaussian features: error at n > 32, measured over predicted", 0.9, 1.1 },
    { "Gaussian features: slope, measured minus predicted", -0.06, 0.06 },
    { 0 },
};
enum { HELD_OUT, RESIDUAL, POOL, FEW, MANY, SLOPE };

/* The cells of cell k's family in one seed: cell[at most all]; *n < 0 where one has no loss. */
static void cells_of(const json_t *prediction, const json_t *measurement, size_t k, size_t seed, orr_scaling_cell *cell,
                     int64_t *n) {
    const json_t *all = json_object_get(prediction, "cells"),
                 *family = json_object_get(json_array_get(all, k), "family");
    *n = 0;
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *c = json_array_get(all, i);
        if (!json_equal(json_object_get(c, "family"), family)) continue;
        const double loss = orr_number_of(
            orr_measured(measurement, (size_t)json_integer_value(json_object_get(c, "point")), seed), "loss");
        if (!(loss > 0.0)) {
            *n = -1;
            return;
        }
        cell[(*n)++] = (orr_scaling_cell){ orr_number_of(c, "parameters"), orr_number_of(c, "data"), loss };
    }
}

static bool is_first_of_family(const json_t *cells, size_t k) {
    for (size_t i = 0; i < k; i++)
        if (json_equal(json_object_get(json_array_get(cells, i), "family"),
                       json_object_get(json_array_get(cells, k), "family")))
            return false;
    return true;
}

static orr_status judge_family(orr_context *ctx, orr_arena *arena, const json_t *prediction, const json_t *measurement,
                               size_t k, size_t seed, orr_check_values *values) {
    const json_t *cells = json_object_get(prediction, "cells");
    orr_scaling_cell *cell = ORR_NEW(arena, orr_scaling_cell, json_array_size(cells));
    orr_scaling_extrapolation beyond = { .mean_error = (double)NAN };
    orr_scaling_law law;
    double rms = (double)NAN;
    int64_t n;
    if (!cell) return no_memory(ctx);
    cells_of(prediction, measurement, k, seed, cell, &n);
    if (n > 0) {
        ORR_TRY(ctx, orr_scaling_extrapolate(ctx, arena, cell, n, orr_number_of(json_array_get(cells, k), "fitted_to"),
                                             &beyond));
        ORR_TRY(ctx, orr_scaling_fit(ctx, arena, cell, n, &law));
        rms = orr_scaling_rms(&law, cell, n);
    }
    orr_check_add(&values[HELD_OUT], beyond.mean_error);
    orr_check_add(&values[RESIDUAL], rms);
    return ORR_OK;
}

static orr_status judge(orr_context *ctx, orr_arena *out_arena, const json_t *prediction, const json_t *measurement,
                        orr_check_values *values) {
    const json_t *cells = json_object_get(prediction, "cells"), *kernels = json_object_get(prediction, "kernels");
    const size_t seeds = (size_t)json_integer_value(json_object_get(prediction, "seeds"));
    size_t room = json_array_size(cells) * seeds;
    for (size_t k = 0; k < json_array_size(kernels); k++)
        room += seeds * (1 + json_array_size(json_object_get(
                                 json_array_get(json_object_get(json_array_get(kernels, k), "seeds"), 0), "error")));
    ORR_TRY(ctx, orr_check_values_new(ctx, out_arena, checks, (int64_t)room, values));
    for (size_t k = 0; k < json_array_size(cells); k++)
        for (size_t seed = 0; seed < seeds && is_first_of_family(cells, k); seed++)
            ORR_TRY(ctx, judge_family(ctx, out_arena, prediction, measurement, k, seed, values));
    for (size_t k = 0; k < json_array_size(kernels); k++)
        for (size_t seed = 0; seed < seeds; seed++)
            orr_scaling_kernel_judge(json_array_get(kernels, k), measurement, seed, &values[POOL], &values[FEW],
                                     &values[MANY], &values[SLOPE]);
    return ORR_OK;
}

/* ---- figure ------------------------------------------------------------------------------------------------------------- */

/* Fits are made anew for the eye, of seed 0: the extrapolation, and all cells with resampled ones. */
enum { LINE = 25, DRAWN = 200 };

typedef struct drawing {
    orr_context *ctx;
    orr_arena *arena;
    const json_t *prediction, *measurement;
    json_t *measured, *fitted, *held, *frontier, *exponents;
    const char *family; /* the first one, which is drawn */
    double alpha[2], beta[2];
} drawing;

static json_t *cell_row(double parameters, double data, double loss, int64_t seed) {
    return json_pack("{s:f, s:f, s:f, s:f, s:I}", "parameters", parameters, "data", data, "compute",
                     6.0 * parameters * data, "loss", loss, "seed", (json_int_t)seed);
}

static void draw_measured(drawing *d, const orr_scaling_cell *cell, int64_t n, int64_t seed) {
    for (int64_t i = 0; i < n; i++)
        orr_json_add(d->measured, cell_row(cell[i].parameters, cell[i].data, cell[i].loss, seed));
}

static void draw_lines(drawing *d, const orr_scaling_cell *cell, int64_t n, const orr_scaling_law *law) {
    double low = (double)INFINITY, high = 0.0;
    for (int64_t i = 0; i < n; i++) low = fmin(low, cell[i].data), high = fmax(high, cell[i].data);
    for (int64_t i = 0; i < n; i++) {
        if (cell[i].data != low) continue; /* one line for each size */
        for (int k = 0; k < LINE; k++) {
            const double data = low * pow(high / low, (double)k / (LINE - 1));
            orr_json_add(d->fitted,
                         cell_row(cell[i].parameters, data, orr_scaling_loss(law, cell[i].parameters, data), 0));
        }
    }
}

static void draw_frontier(drawing *d, const orr_scaling_cell *cell, int64_t n, const orr_scaling_law *law) {
    double low = (double)INFINITY, high = 0.0;
    for (int64_t i = 0; i < n; i++) {
        const double compute = 6.0 * cell[i].parameters * cell[i].data;
        low = fmin(low, compute), high = fmax(high, compute);
    }
    for (int k = 0; k < LINE; k++) {
        const orr_scaling_optimum o = orr_scaling_optimum_at(law, low * pow(high / low, (double)k / (LINE - 1)));
        if (isfinite(o.loss)) orr_json_add(d->frontier, cell_row(o.parameters, o.data, o.loss, 0));
    }
}

static orr_status draw_exponents(drawing *d, const orr_scaling_cell *cell, int64_t n, const orr_scaling_law *law,
                                 int64_t seed) {
    orr_scaling_law *drawn = ORR_NEW(d->arena, orr_scaling_law, DRAWN);
    double *alpha = ORR_NEW(d->arena, double, DRAWN), *beta = ORR_NEW(d->arena, double, DRAWN), a[2], b[2];
    if (!drawn || !alpha || !beta) return no_memory(d->ctx);
    ORR_TRY(d->ctx, orr_scaling_bootstrap(d->ctx, d->arena, cell, n, law, DRAWN, drawn));
    for (int i = 0; i < DRAWN; i++) alpha[i] = drawn[i].alpha, beta[i] = drawn[i].beta;
    orr_scaling_interval(alpha, DRAWN, a);
    orr_scaling_interval(beta, DRAWN, b);
    for (int i = 0; i < DRAWN; i++) /* some draws leave an exponent open, which then is anything */
        if (drawn[i].alpha >= a[0] && drawn[i].alpha <= a[1] && drawn[i].beta >= b[0] && drawn[i].beta <= b[1])
            orr_json_row(d->exponents, "{s:f, s:f, s:I}", "alpha", drawn[i].alpha, "beta", drawn[i].beta, "seed",
                         (json_int_t)seed);
    for (int i = 0; i < 2 && seed == 0; i++) d->alpha[i] = a[i], d->beta[i] = b[i];
    return ORR_OK;
}

static orr_status draw_networks(drawing *d) {
    const json_t *cells = json_object_get(d->prediction, "cells");
    const size_t seeds = (size_t)json_integer_value(json_object_get(d->prediction, "seeds"));
    orr_scaling_cell *cell = ORR_NEW(d->arena, orr_scaling_cell, json_array_size(cells));
    const double fitted_to = orr_number_of(json_array_get(cells, 0), "fitted_to");
    double high = 0.0;
    if (!cell) return no_memory(d->ctx);
    d->family = json_string_value(json_object_get(json_array_get(cells, 0), "family"));
    for (size_t seed = 0; seed < seeds; seed++) {
        orr_scaling_extrapolation beyond;
        orr_scaling_law law;
        int64_t n;
        cells_of(d->prediction, d->measurement, 0, seed, cell, &n);
        if (n < 0) continue; /* a run diverged */
        draw_measured(d, cell, n, (int64_t)seed);
        ORR_TRY(d->ctx, orr_scaling_fit(d->ctx, d->arena, cell, n, &law));
        ORR_TRY(d->ctx, draw_exponents(d, cell, n, &law, (int64_t)seed));
        if (seed > 0) continue;
        draw_frontier(d, cell, n, &law);
        ORR_TRY(d->ctx, orr_scaling_extrapolate(d->ctx, d->arena, cell, n, fitted_to, &beyond));
        draw_lines(d, cell, n, &beyond.law);
        for (int64_t i = 0; i < n; i++) high = fmax(high, cell[i].data);
    }
    orr_json_row(d->held, "{s:f, s:f}", "from", fitted_to, "to", high);
    return ORR_OK;
}

static void add_networks(drawing *d, json_t *panels) {
    char title[160], caption[320];
    (void)snprintf(title, sizeof title, "Test loss against data: %s", d->family ? d->family : "");
    orr_json_add(
        panels,
        orr_page_panel("scaling", title,
                       "Points: the least test loss of each network, all seeds. Lines: E + A N^-\u03b1 + B D^-\u03b2, "
                       "fitted to seed 0 "
                       "left of the shaded part, which it predicts.",
                       "Test loss against training examples for each number of parameters, with fitted curves.", true,
                       json_pack("{s:O, s:O, s:O}", "measured", d->measured, "fitted", d->fitted, "held", d->held)));
    orr_json_add(
        panels,
        orr_page_panel(
            "frontier", "Test loss against compute",
            "Dashed: the least loss that compute C = 6 N D can buy, by the fit to all cells of seed 0.",
            "Test loss against compute with the compute-optimal frontier.", false,
            json_pack("{s:O, s:O, s:O}", "measured", d->measured, "fitted", d->fitted, "frontier", d->frontier)));
    (void)snprintf(caption, sizeof caption,
                   "%d fits to resampled cells of each seed. Seed 0: 95 %% of \u03b1 in [%.2f, %.2f], of \u03b2 in "
                   "[%.2f, %.2f]. They "
                   "wander; the loss that they predict doesn't.",
                   DRAWN, d->alpha[0], d->alpha[1], d->beta[0], d->beta[1]);
    orr_json_add(panels,
                 orr_page_panel("exponents", "Exponents", caption, "Exponents of resampled fits, beta against alpha.",
                                false, json_pack("{s:O}", "drawn", d->exponents)));
}

static void add_kernels(const json_t *prediction, const json_t *measurement, json_t *panels) {
    const json_t *kernels = json_object_get(prediction, "kernels");
    json_t *lines = json_array(), *dots = json_array();
    for (size_t k = 0; k < json_array_size(kernels); k++)
        orr_scaling_kernel_draw(json_array_get(kernels, k), measurement, lines, dots);
    if (json_array_size(lines) > 0)
        orr_json_add(
            panels,
            orr_page_panel(
                "learning_curve", "Kernels: the curve from the spectrum alone",
                "Lines: predicted from the eigenvalues and the target's coefficients, the exponent fitted over the "
                "line. Dots: measured, a mean over draws for each seed.",
                "Test error of kernel regression against the number of samples.", true,
                json_pack("{s:O, s:O}", "predicted", lines, "measured", dots)));
    json_decref(lines);
    json_decref(dots);
}

static json_t *figure(const json_t *prediction, const json_t *measurement) {
    drawing d = { .prediction = prediction,
                  .measurement = measurement,
                  .measured = json_array(),
                  .fitted = json_array(),
                  .held = json_array(),
                  .frontier = json_array(),
                  .exponents = json_array() };
    json_t *panels = json_array();
    orr_status status =
        orr_context_new(&(orr_context_options){ .threads = 1 }, &d.ctx); /* for fits, and nothing else */
    if (status == ORR_OK) status = orr_arena_new(d.ctx, &d.arena);
    if (status == ORR_OK && json_array_size(json_object_get(prediction, "cells")) > 0) {
        status = draw_networks(&d);
        if (status == ORR_OK && json_array_size(d.measured) > 0) add_networks(&d, panels);
    }
    add_kernels(prediction, measurement, panels);
    orr_arena_free(d.arena);
    orr_context_free(d.ctx);
    json_decref(d.measured);
    json_decref(d.fitted);
    json_decref(d.held);
    json_decref(d.frontier);
    json_decref(d.exponents);
    return panels;
}

const orr_law orr_law_neural_scaling_laws = {
    .id = "neural-scaling-laws",
    .title = "Neural scaling laws",
    .statement =
        "The least test loss that a family of networks reaches falls as a sum of powers of parameters and data above a "
        "floor, which predicts larger data from less; for kernels the whole curve follows from the spectrum.",
    .equation = "\\begin{aligned} L(N,D) &= E + A N^{-\\alpha} + B D^{-\\beta} \\\\ "
                "n &= \\sum_i \\frac{\\lambda_i}{\\lambda_i+\\kappa} + \\frac{\\delta}{\\kappa},\\qquad "
                "L(n) = \\frac{n}{n - \\sum_i M_i^2} \\sum_i (1-M_i)^2 v_i^2,\\quad M_i = "
                "\\frac{\\lambda_i}{\\lambda_i+\\kappa} \\end{aligned}",
    .section = "2.3",
    .sources =
        "Hestness et al. 2017 (arXiv 1712.00409); Kaplan et al. 2020 (2001.08361); Hoffmann et al. 2022 (2203.15556); "
        "Besiroglu et al. 2024 (2404.10102); Simon et al. 2021 (2110.03922)",
    .breaks_along = "rule.learning_rate=0.0005:0.128:5,log",
    .regime = regime,
    .checks = checks,
    .defaults = orr_law_yaml_neural_scaling_laws,
    .defaults_size = &orr_law_yaml_neural_scaling_laws_size,
    .predict = predict,
    .measure = measure,
    .judge = judge,
    .figure = figure,
};
