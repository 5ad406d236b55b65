/* Conservation laws of gradient flow: what the symmetries of a network's parameters keep, and how finite steps break it.
 *
 *     balance      Q = W_2' W_2 - (W_1 W_1' + b_1 b_1')/r      all of it of linear units and of attention's heads, the
 *                  Q' = s^2 Q + eta^2 Q(g)                     diagonal of units homogeneous of degree r
 *     scale        |w'|^2 = s^2 |w|^2 + eta^2 |g|^2            what a norm reads, directions
 *     translation  c' = s c,  c = sum_k W_k                    under a softmax, for any eta and with momentum too (s = 1)
 *     drift over a fixed time eta T, s = 1:    |Q(T) - Q(0)| = eta |integral of Q(grad L) dt|, so power 1 in eta
 *     decay and gradient noise:  |w|^4 = eta^2 E|gt|^2 / (1 - s^2),  turning by sqrt(2 eta lambda) in a step
 *
 *   paper      here       meaning                                               unit
 *   eta        rate       learning rate                                         parameter^2 / loss
 *   lambda     decay      weight decay, s = 1 - eta lambda                      loss / parameter^2
 *   Q, n, c    balance, scale, translation     series of the instrument conserved
 *   gt         noise      gradient at unit norm; E|gt|^2                        loss^2
 *
 * The instrument follows the laws of one step with the gradients of the run itself, since these say nothing about where training
 * goes: the sealed prediction is that nothing is left over.  Drifts are predicted from the flow, which needs no run.
 * Sources: Saxe et al. 2014 (1312.6120); Du et al. 2018 (1806.00900); Arora et al. 2019 (1810.02281); Kunin et al. 2021 (2012.04728);
 * Tanaka, Kunin 2021 (2105.02716); Marcotte et al. 2023 (2307.00144).  Sheet: laws/empirical/gradient-flow-conservation.md */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/context.h"
#include "law/conditions.h"
#include "law/empirical/symmetry.h"
#include "law/grouping.h"
#include "law/law.h"
#include "law/measuring.h"
#include "law/predicting.h"
#include "law/start.h"
#include "report/page.h"

extern const char orr_law_yaml_gradient_flow_conservation[];
extern const size_t orr_law_yaml_gradient_flow_conservation_size;

static const char *const kept_words[] = { "linear", "units", "attention", "scale", "translation" };

/* ---- which laws speak about a point ---------------------------------------------------------------------------------------- */

static bool is_kind(const orr_point *p, const char *architecture) {
    return strcmp(p->architecture->kind.name, architecture) == 0;
}

static const orr_observation *conserved_of(const orr_point *p) { return orr_point_observation(p, "conserved"); }

static double decay_of(const orr_point *p) {
    return orr_settings_has(&p->rule_settings, "weight_decay") ? orr_real(&p->rule_settings, "weight_decay") : 0.0;
}

/* E|gt|^2 where it is known in advance: f = w.x/|w|, x ~ N(0, 1), y ~ N(0, sigma^2) whatever x is.  Then gt is the mean over the batch of
 * factor 2 (f - y) (x - f w/|w|), whose parts are independent: 4 factor^2 (d - 1)(1 + sigma^2)/batch.  0 elsewhere. */
static double known_noise(const orr_point *p, const orr_problem *problem) {
    const orr_settings *data = &p->data_settings, *rule = &p->rule_settings;
    if (!orr_settings_say(rule, "sampling", "online") || decay_of(p) == 0.0 ||
        orr_settings_say(rule, "decay_coupling", "none"))
        return 0.0;
    if (!is_kind(p, "direction") || problem->signature.outputs != 1 || strcmp(p->task->kind.name, "mse") != 0 ||
        orr_settings_say(&p->task_settings, "examples", "sum"))
        return 0.0;
    if (strcmp(p->data->kind.name, "gaussian") != 0 || !orr_settings_say(data, "covariance", "isotropic") ||
        orr_real(data, "teacher_gain") != 0.0)
        return 0.0;
    const double factor = orr_real(&p->task_settings, "factor"), sigma = orr_real(data, "noise"),
                 batch = (double)(orr_int(rule, "batch") ? orr_int(rule, "batch") : problem->data.n);
    return 4.0 * factor * factor * ((double)problem->n - 1.0) * (1.0 + sigma * sigma) / batch;
}

static bool has_equilibrium(const orr_point *p, const orr_problem *problem) { return known_noise(p, problem) > 0.0; }

/* Whether laws of squares are judged step by step. */
static bool has_squares(const orr_point *p, const orr_problem *problem) {
    if (has_equilibrium(p, problem)) return false;
    for (int64_t t = 0; t < problem->n_tensors; t++)
        if (orr_has_scale(p, problem, t)) return true;
    return is_kind(p, "transformer") || (orr_is_plain_chain(p) && problem->n_tensors > 1 && orr_kept_degree(p) > 0.0);
}

/* ---- regime --------------------------------------------------------------------------------------------------------------- */

static bool has_symmetry(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    *why = orr_arena_format(out_arena, "%s has none that is known here", p->architecture->kind.name);
    return has_equilibrium(p, problem) || has_squares(p, problem) || orr_has_softmax(p);
}

static bool is_followed(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    const orr_observation *o = conserved_of(p);
    (void)problem;
    *why = orr_arena_format(out_arena,
                            "observe needs { kind: conserved, every: 1, exact: true, heads: %lld, degree: %g } and a "
                            "record_every that divides %lld updates",
                            (long long)orr_kept_heads(p), orr_kept_degree(p) > 0.0 ? orr_kept_degree(p) : 1.0,
                            (long long)p->steps);
    return o && orr_flag(&o->settings, "exact") && orr_int(&o->settings, "heads") == orr_kept_heads(p) &&
           (orr_kept_degree(p) == 0.0 || orr_real(&o->settings, "degree") == orr_kept_degree(p)) &&
           p->steps % orr_int(&o->settings, "record_every") == 0;
}

static bool is_double(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    (void)problem;
    *why = orr_arena_string(out_arena, "precision is f32");
    return p->precision == ORR_F64;
}

static bool is_memoryless(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    const char *kind = p->rule->kind.name;
    const bool plain = orr_is_plain_descent(out_arena, p, problem, why);
    if (plain || has_squares(p, problem) || has_equilibrium(p, problem)) return plain;
    if (decay_of(p) > 0.0) {
        *why = orr_arena_format(out_arena, "%s with decay", kind);
        return false;
    }
    *why = orr_arena_format(out_arena, "the rule is %s", kind);
    return strcmp(kind, "sgd") == 0 || strcmp(kind, "heavy-ball") == 0 || strcmp(kind, "nesterov") == 0;
}

static bool is_full_batch(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    *why = "";
    return !has_squares(p, problem) || orr_is_full_batch(out_arena, p, problem, why);
}

static bool has_constant_rate(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    return orr_has_constant_rate(out_arena, p, problem, why) ||
           (*why && !has_squares(p, problem) && decay_of(p) == 0.0);
}

static bool is_unclipped(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    const double clip = orr_settings_has(&p->rule_settings, "clip") ? orr_real(&p->rule_settings, "clip") : 0.0;
    (void)problem;
    *why = orr_arena_format(out_arena, "clip is %g", clip);
    return clip == 0.0;
}

static bool is_scale_free(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    const double epsilon = orr_has_norm(p) ? orr_real(&p->architecture_settings, "norm_epsilon") : 0.0;
    (void)problem;
    *why = orr_arena_format(out_arena, "norm_epsilon is %g", epsilon);
    return epsilon == 0.0;
}

/* 1/(2 eta lambda) updates is the memory of |w|^2; the second half is averaged. */
static bool is_long(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    const double times = decay_of(p) * orr_real(&p->rule_settings, "learning_rate") * (double)p->steps;
    *why = orr_arena_format(out_arena, "eta lambda times updates is %g", times);
    return !has_equilibrium(p, problem) || times >= 20.0;
}

static const orr_condition regime[] = {
    { "network and task have a symmetry: linear layers, homogeneous units, attention, norms, directions or a softmax",
      .point = has_symmetry },
    { "the laws of a step are followed", .point = is_followed },
    { "no run ends before its last update", .point = orr_runs_to_its_end },
    { "precision is f64: what is left over is judged to 1e-10", .point = is_double, .beyond = true },
    { "the rule is gradient descent without momentum; under a softmax alone, momentum without decay",
      .point = is_memoryless, .beyond = true },
    { "every update sees all examples, but for the equilibrium and under a softmax alone", .point = is_full_batch,
      .beyond = true },
    { "the learning rate is constant", .point = has_constant_rate, .beyond = true },
    { "the rule is without clipping", .point = is_unclipped, .beyond = true },
    { "the task is without ridge; decay is the rule's", .point = orr_has_no_ridge, .beyond = true },
    { "all parameters learn at one rate", .point = orr_has_one_rate, .beyond = true },
    { "norms add nothing to the variance", .point = is_scale_free, .beyond = true },
    { "training is long enough for the equilibrium: eta lambda times updates is at least 20", .point = is_long,
      .beyond = true },
    { 0 },
};

/* ---- prediction ------------------------------------------------------------------------------------------------------------ */

static orr_status no_memory(orr_context *ctx) { return orr_fail(ctx, ORR_ENOMEM, "conservation: no memory"); }

static double eta_of(const orr_point *p) { return orr_real(&p->rule_settings, "learning_rate"); }

static double time_of(const orr_point *p) { return eta_of(p) * (double)p->steps; }

/* (*group)[i]: the first point of the sweep that differs from point i by its learning rate alone and takes the same time. */
static orr_status find_groups(orr_context *ctx, orr_arena *out_arena, const orr_premises *in, int64_t **group) {
    static const char *const but[] = { "name", "rule.learning_rate", "steps", "observe", NULL };
    const orr_experiment *e = in->experiment;
    int64_t *first;
    ORR_TRY(ctx, orr_points_alike(ctx, out_arena, in, but, &first));
    *group = ORR_NEW(out_arena, int64_t, e->n_points);
    if (!*group) return no_memory(ctx);
    for (int64_t i = 0; i < e->n_points; i++) {
        const double time = time_of(&e->points[i]);
        int64_t *g = &(*group)[i];
        while (*g < i && (first[*g] != first[i] || !(fabs(time_of(&e->points[*g]) - time) < 1e-9 * time))) ++*g;
    }
    return ORR_OK;
}

/* What the walk over points knows: their groups, and the seeds' step of a group. */
typedef struct groups {
    const int64_t *of; /* [n_points] */
    double step;       /* of Euler's: half the smallest rate of the group */
} groups;

/* The drift over eta of each kept balance in gradient flow, (new) { name: number }. */
static orr_status predict_drift(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point,
                                int64_t seed, const void *known, json_t **out) {
    const groups *group = known;
    const orr_point *p = &in->experiment->points[point];
    const double time = time_of(p);
    orr_balances balances;
    orr_start start = { 0 };
    orr_status status;
    double **drift = NULL;
    ORR_TRY_DONE(ctx,
                 orr_kept_balances(ctx, scratch, p, in->problems[point * in->experiment->seeds + seed], &balances));
    drift = ORR_NEW(scratch, double *, balances.n);
    status = drift ? ORR_OK : no_memory(ctx);
    for (int64_t i = 0; status == ORR_OK && i < balances.n; i++) {
        drift[i] = ORR_NEW(scratch, double, balances.item[i].h *balances.item[i].h);
        if (!drift[i]) status = no_memory(ctx);
    }
    if (status != ORR_OK) goto done;
    ORR_TRY_DONE(ctx, orr_start_at(ctx, in, point, seed, false, &start));
    ORR_TRY_DONE(ctx, orr_balance_drift(ctx, scratch, &start.landscape, &balances, time,
                                        (int64_t)ceil(time / group->step), start.w, drift));
    *out = json_object();
    for (int64_t i = 0; i < balances.n; i++) {
        double whole, diagonal;
        const orr_kept k = orr_kept_of_balance(p, &balances.item[i]);
        orr_balance_distance(balances.item[i].h, drift[i], NULL, &whole, &diagonal);
        if (k != ORR_KEPT_NOTHING)
            (void)json_object_set_new(*out, balances.item[i].name,
                                      orr_json_real(k == ORR_KEPT_UNITS ? diagonal : whole));
    }
done:
    orr_start_end(&start);
    return status;
}

/* (new) [ { name, what } ]: everything that is kept. */
static orr_status list_kept(orr_context *ctx, orr_arena *scratch, const orr_point *p, const orr_problem *problem,
                            json_t *list) {
    orr_balances balances;
    const char *last = NULL;
    ORR_TRY(ctx, orr_kept_balances(ctx, scratch, p, problem, &balances));
    for (int64_t i = 0; i < balances.n; i++) {
        const orr_kept k = orr_kept_of_balance(p, &balances.item[i]);
        if (k != ORR_KEPT_NOTHING)
            orr_json_row(list, "{s:s, s:s}", "name", balances.item[i].name, "what", kept_words[k]);
    }
    for (int64_t t = 0; t < problem->n_tensors; t++) {
        if (problem->tensors[t].shape.rank >= 2) last = problem->tensors[t].name;
        if (orr_has_scale(p, problem, t) && !has_equilibrium(p, problem))
            orr_json_row(list, "{s:s, s:s}", "name", problem->tensors[t].name, "what", kept_words[ORR_KEPT_SCALE]);
    }
    if (orr_has_softmax(p) && last)
        orr_json_row(list, "{s:s, s:s}", "name", last, "what", kept_words[ORR_KEPT_TRANSLATION]);
    return ORR_OK;
}

static orr_status predict_point(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point,
                                const void *known, json_t **out) {
    const groups *group = known;
    const orr_experiment *e = in->experiment;
    const orr_point *p = &e->points[point];
    const orr_problem *problem = in->problems[point * e->seeds];
    const double decay = decay_of(p), noise = known_noise(p, problem);
    groups own = { group->of, (double)INFINITY };
    int64_t rates = 0;
    json_t *kept_list = json_array(), *drifts = NULL;
    for (int64_t i = 0; i < e->n_points; i++) {
        if (group->of[i] != group->of[point]) continue;
        own.step = fmin(own.step, eta_of(&e->points[i]) / 2.0);
        rates++;
    }
    const bool powers = rates >= 3 && decay == 0.0 && has_squares(p, problem);
    orr_status status = list_kept(ctx, scratch, p, problem, kept_list);
    if (status == ORR_OK && powers && group->of[point] == point)
        status = orr_predict_runs(ctx, scratch, in, point, predict_drift, &own, &drifts);
    if (status != ORR_OK) json_decref(kept_list);
    ORR_TRY(ctx, status);
    *out = json_pack("{s:s, s:f, s:f, s:I, s:I, s:b, s:o, s:o, s:o, s:o}", "point", p->name, "rate", eta_of(p), "decay",
                     decay, "steps", (json_int_t)p->steps, "group", (json_int_t)group->of[point], "powers", powers,
                     "kept", kept_list, "drift_over_rate", drifts ? drifts : json_array(), "fourth",
                     noise > 0.0 ? json_real(orr_scale_equilibrium(eta_of(p), decay, noise)) : json_null(), "rotation",
                     noise > 0.0 ? json_real(orr_scale_rotation(eta_of(p), decay)) : json_null());
    return ORR_OK;
}

/* (new) How many functions products U V' keep, by Lie closure and in closed form: the sheet's cases. */
static orr_status predict_counts(orr_context *ctx, orr_arena *scratch, json_t **out) {
    static const int64_t cases[][3] = { { 2, 3, 2 }, { 3, 3, 2 }, { 2, 2, 3 }, { 1, 1, 3 },
                                        { 2, 1, 4 }, { 2, 2, 4 }, { 2, 2, 5 } };
    *out = json_array();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const int64_t n = cases[i][0], m = cases[i][1], r = cases[i][2];
        orr_conserved_count c;
        ORR_TRY(ctx, orr_conserved_count_product(ctx, scratch, n, m, r, false, &c));
        orr_json_row(*out, "{s:o, s:I, s:I}", "case", json_sprintf("%d×%d, rank %d", (int)n, (int)m, (int)r), "counted",
                     (json_int_t)c.count, "closed", (json_int_t)orr_conserved_closed_form(n, m, r, false));
    }
    return ORR_OK;
}

static orr_status predict(orr_context *ctx, orr_arena *scratch, const orr_premises *in, json_t **prediction) {
    json_t *counts = NULL;
    int64_t *group;
    ORR_TRY(ctx, find_groups(ctx, scratch, in, &group));
    ORR_TRY(ctx, orr_predict_each(ctx, scratch, in, "gradient-flow-conservation", predict_point,
                                  &(groups){ group, 0.0 }, prediction));
    const orr_status status = predict_counts(ctx, scratch, &counts);
    (void)json_object_set_new(*prediction, "counts", counts);
    if (status == ORR_OK) return ORR_OK;
    json_decref(*prediction);
    *prediction = NULL;
    return status;
}

/* ---- measurement ----------------------------------------------------------------------------------------------------------- */

/* Names depend on the network: every series of the instrument. */
static orr_status measure_run(orr_context *ctx, orr_arena *scratch, const orr_records *records, int64_t point,
                              int64_t seed, json_t **out) {
    static const char *const names[] = { "balance*", "neuron_balance*", "scale*", "rotation*", "translation*", NULL };
    return orr_measure_series(ctx, scratch, records, point, seed, names, out);
}

static orr_status measure(orr_context *ctx, orr_arena *scratch, const orr_records *records, json_t **measurement) {
    return orr_measure_runs(ctx, scratch, records, measure_run, measurement);
}

/* ---- judgement ------------------------------------------------------------------------------------------------------------- */

/* Tolerances are the sheet's: exact laws to 1e-10 (rounding leaves 1e-13), powers 1 +- 0.15, the equilibrium 2 %. */
static const orr_check checks[] = {
    { "linear layers: largest |Q - exact law|", 0.0, 1e-10 },
    { "homogeneous units: largest |q - exact law|", 0.0, 1e-10 },
    { "attention: largest |Q - exact law|", 0.0, 1e-10 },
    { "scale: largest ||w|^2 - exact law|", 0.0, 1e-10 },
    { "translation: largest |c - exact law|", 0.0, 1e-10 },
    { "linear layers: power of the drift in the learning rate", 0.85, 1.15 },
    { "homogeneous units: power of the drift in the learning rate", 0.85, 1.15 },
    { "attention: power of the drift in the learning rate", 0.85, 1.15 },
    { "equilibrium: |w|^4 over predicted", 0.98, 1.02 },
    { "equilibrium: rotation in a step over predicted", 0.98, 1.02 },
    { 0 },
};
enum { POWERS = 5, FOURTH = 8, ROTATION = 9, RATES_MAX = 64 };

typedef struct series_name {
    char text[160];
} series_name;

static series_name name_of(const char *prefix, const char *name) {
    series_name out;
    (void)snprintf(out.text, sizeof out.text, "%s.%s", prefix, name);
    return out;
}

/* The values of a series; NULL where it wasn't recorded to the run's last update. */
static const json_t *whole(const json_t *run, series_name name, double steps) {
    return orr_measured_until(run, name.text, steps) ? orr_measured_values(run, name.text) : NULL;
}

static double largest(const json_t *run, series_name name, double steps) {
    const json_t *x = whole(run, name, steps);
    double worst = x ? 0.0 : (double)NAN;
    for (size_t i = 0; i < json_array_size(x); i++) worst = orr_larger(worst, orr_number_at(x, i));
    return worst;
}

/* The mean of x^power over the second half of the records. */
static double mean_power(const json_t *run, const char *prefix, double power, double steps) {
    const json_t *x = whole(run, name_of(prefix, "layer1.weight"), steps);
    const size_t n = json_array_size(x), half = n / 2;
    double sum = 0.0;
    for (size_t i = half; i < n; i++) sum += pow(orr_number_at(x, i), power);
    return sum / (double)(n - half);
}

static orr_kept kept_called(const json_t *item) {
    const char *word = json_string_value(json_object_get(item, "what"));
    int k = 0;
    while (k < ORR_KEPT_NOTHING && strcmp(kept_words[k], word) != 0) k++;
    return (orr_kept)k;
}

static void judge_exact(const json_t *point, const json_t *run, orr_check_values *values) {
    static const char *const series[] = { "balance_error", "neuron_balance_error", "balance_error", "scale_error",
                                          "translation_error" };
    const json_t *list = json_object_get(point, "kept");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        const orr_kept k = kept_called(item);
        if (k != ORR_KEPT_NOTHING)
            orr_check_add(&values[k], largest(run, name_of(series[k], json_string_value(json_object_get(item, "name"))),
                                              orr_number_of(point, "steps")));
    }
}

static void judge_equilibrium(const json_t *point, const json_t *run, orr_check_values *values) {
    const double steps = orr_number_of(point, "steps");
    if (!json_is_real(json_object_get(point, "fourth"))) return;
    orr_check_add(&values[FOURTH], mean_power(run, "scale", 2.0, steps) / orr_number_of(point, "fourth"));
    orr_check_add(&values[ROTATION], sqrt(mean_power(run, "rotation", 2.0, steps)) / orr_number_of(point, "rotation"));
}

static const char *drift_series(orr_kept k) { return k == ORR_KEPT_UNITS ? "neuron_balance_drift" : "balance_drift"; }

/* The drifts of a kept balance at the points of a group. */
static int64_t drifts_of(const json_t *points, const json_t *measurement, size_t group, size_t seed, const json_t *item,
                         double rate[RATES_MAX], double drift[RATES_MAX]) {
    int64_t n = 0;
    for (size_t i = group; i < json_array_size(points) && n < RATES_MAX; i++) {
        const json_t *point = json_array_get(points, i);
        if ((size_t)json_integer_value(json_object_get(point, "group")) != group) continue;
        rate[n] = orr_number_of(point, "rate");
        const char *name = json_string_value(json_object_get(item, "name"));
        drift[n++] =
            orr_measured_last(orr_measured(measurement, i, seed), name_of(drift_series(kept_called(item)), name).text,
                              orr_number_of(point, "steps"));
    }
    return n;
}

static void judge_powers(const json_t *points, const json_t *measurement, size_t group, size_t seeds,
                         orr_check_values *values) {
    const json_t *list = json_object_get(json_array_get(points, group), "kept");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        const orr_kept k = kept_called(item);
        for (size_t seed = 0; k <= ORR_KEPT_ATTENTION && seed < seeds; seed++) {
            double rate[RATES_MAX], drift[RATES_MAX];
            const int64_t n = drifts_of(points, measurement, group, seed, item, rate, drift);
            orr_check_add(&values[POWERS + k], orr_fitted_power(n, rate, drift));
        }
    }
}

static orr_status judge(orr_context *ctx, orr_arena *out_arena, const json_t *prediction, const json_t *measurement,
                        orr_check_values *values) {
    const json_t *points = json_object_get(prediction, "points");
    size_t room = 1;
    for (size_t i = 0; i < json_array_size(points); i++)
        room += (json_array_size(json_object_get(json_array_get(points, i), "kept")) + 1) *
                json_array_size(json_array_get(measurement, i));
    ORR_TRY(ctx, orr_check_values_new(ctx, out_arena, checks, (int64_t)room, values));
    for (size_t i = 0; i < json_array_size(points); i++) {
        const json_t *point = json_array_get(points, i);
        const size_t seeds = json_array_size(json_array_get(measurement, i));
        for (size_t seed = 0; seed < seeds; seed++) {
            judge_exact(point, orr_measured(measurement, i, seed), values);
            judge_equilibrium(point, orr_measured(measurement, i, seed), values);
        }
        if (json_is_true(json_object_get(point, "powers")) &&
            json_integer_value(json_object_get(point, "group")) == (json_int_t)i)
            judge_powers(points, measurement, i, seeds, values);
    }
    return ORR_OK;
}

/* ---- figure ---------------------------------------------------------------------------------------------------------------- */

/* One line and its points: the drift of a kept balance of a seed against the learning rate. */
static void add_drifts(json_t *lines, json_t *dots, const json_t *points, const json_t *measurement, size_t group,
                       size_t seed, const json_t *item) {
    const json_t *predicted = json_array_get(json_object_get(json_array_get(points, group), "drift_over_rate"), seed);
    const char *name = json_string_value(json_object_get(item, "name"));
    double rate[RATES_MAX], drift[RATES_MAX];
    const int64_t n = drifts_of(points, measurement, group, seed, item, rate, drift);
    json_t *line = json_sprintf("%d %d %s", (int)group, (int)seed, name);
    for (int64_t i = 0; i < n; i++) {
        orr_json_row(lines, "{s:f, s:o, s:O, s:O}", "rate", rate[i], "drift",
                     orr_json_real(rate[i] * orr_number_of(predicted, name)), "what", json_object_get(item, "what"),
                     "line", line);
        orr_json_row(dots, "{s:f, s:o, s:O, s:s, s:I}", "rate", rate[i], "drift", orr_json_real(drift[i]), "what",
                     json_object_get(item, "what"), "name", name, "seed", (json_int_t)seed);
    }
    json_decref(line);
}

static json_t *drift_panel(const json_t *points, const json_t *measurement) {
    json_t *lines = json_array(), *dots = json_array();
    for (size_t i = 0; i < json_array_size(points); i++) {
        const json_t *point = json_array_get(points, i), *list = json_object_get(point, "kept");
        if (!json_is_true(json_object_get(point, "powers")) ||
            json_integer_value(json_object_get(point, "group")) != (json_int_t)i)
            continue;
        for (size_t k = 0; k < json_array_size(list); k++)
            for (size_t seed = 0; seed < json_array_size(json_array_get(measurement, i)); seed++)
                if (kept_called(json_array_get(list, k)) <= ORR_KEPT_ATTENTION)
                    add_drifts(lines, dots, points, measurement, i, seed, json_array_get(list, k));
    }
    return orr_page_panel(
        "drift", "Finite steps break conservation in proportion to the learning rate",
        "Points: drift over a fixed time, measured. Lines: the learning rate times an integral along the flow from "
        "the same initial weights, predicted.",
        "Drift of conserved quantities against the learning rate, both logarithmic.", true,
        json_pack("{s:o, s:o}", "predicted", lines, "measured", dots));
}

/* Of the first relu layer: what moves, and what doesn't. */
static json_t *units_panel(const json_t *points, const json_t *measurement) {
    static const char *const series[] = { "balance_drift", "neuron_balance_drift" }, *const labels[] = {
        "all entries of Q: not kept", "its diagonal: kept"
    };
    json_t *rows = json_array();
    json_t *caption = NULL;
    for (size_t i = 0; i < json_array_size(points) && json_array_size(rows) == 0; i++) {
        const json_t *point = json_array_get(points, i), *item = json_array_get(json_object_get(point, "kept"), 0);
        if (!item || kept_called(item) != ORR_KEPT_UNITS) continue;
        caption = json_sprintf("First seed of the point %s.", json_string_value(json_object_get(point, "point")));
        for (int s = 0; s < 2; s++) {
            const series_name name = name_of(series[s], json_string_value(json_object_get(item, "name")));
            const json_t *run = orr_measured(measurement, i, 0), *k = orr_measured_steps(run, name.text),
                         *x = orr_measured_values(run, name.text);
            const size_t n = json_array_size(k);
            for (size_t j = 0; j < n; j += n / 200 + 1)
                orr_json_row(rows, "{s:f, s:O, s:s}", "time", orr_number_of(point, "rate") * orr_number_at(k, j),
                             "drift", json_array_get(x, j), "label", labels[s]);
        }
    }
    json_t *panel = orr_page_panel(
        "kept", "Of homogeneous units the diagonal alone is kept", caption ? json_string_value(caption) : "",
        "Distance of a balance from its start against time, for all entries and for the diagonal.", false,
        json_pack("{s:o}", "measured", rows));
    json_decref(caption);
    return panel;
}

static json_t *figure(const json_t *prediction, const json_t *measurement) {
    const json_t *points = json_object_get(prediction, "points"), *counts = json_object_get(prediction, "counts");
    json_t *panels = json_array(), *bars = json_array();
    for (size_t i = 0; i < json_array_size(counts); i++) {
        const json_t *c = json_array_get(counts, i);
        orr_json_row(bars, "{s:O, s:O, s:s}", "case", json_object_get(c, "case"), "count",
                     json_object_get(c, "counted"), "by", "Lie closure");
        orr_json_row(bars, "{s:O, s:O, s:s}", "case", json_object_get(c, "case"), "count", json_object_get(c, "closed"),
                     "by", "closed form");
    }
    orr_json_add(panels, drift_panel(points, measurement));
    orr_json_add(panels, units_panel(points, measurement));
    orr_json_add(panels, orr_page_panel("counts", "How many functions a product keeps",
                                        "U V′ of n × r and m × r numbers, written n×m, rank r.",
                                        "Number of conserved functions, counted and in closed form.", false,
                                        json_pack("{s:o}", "counts", bars)));
    return panels;
}

const orr_law orr_law_gradient_flow_conservation = {
    .id = "gradient-flow-conservation",
    .title = "Conservation laws of gradient flow, and how finite steps break them",
    .statement =
        "Each continuous symmetry of the parameters gives quantities that gradient flow keeps. A step of gradient "
        "descent changes them by exactly the same form of the gradients times the learning rate squared, so that over "
        "a "
        "fixed time they drift in proportion to the learning rate.",
    .equation = "\\begin{aligned} Q_l &= W_{l+1}^\\top W_{l+1} - W_l W_l^\\top, \\qquad \\dot Q_l = 0 \\\\ "
                "Q_l(t+1) &= (1-\\eta\\lambda)^2 Q_l(t) + \\eta^2 \\left(G_{l+1}^\\top G_{l+1} - G_l G_l^\\top\\right) "
                "\\end{aligned}",
    .section = "2.3",
    .sources = "Saxe et al. 2014 (arXiv 1312.6120); Du et al. 2018 (1806.00900); Arora et al. 2019 (1810.02281); Kunin "
               "et al. 2021 "
               "(2012.04728); Tanaka, Kunin 2021 (2105.02716); Marcotte et al. 2023 (2307.00144)",
    .breaks_along = "rule.learning_rate=0.0125:0.8:7,log",
    .regime = regime,
    .checks = checks,
    .defaults = orr_law_yaml_gradient_flow_conservation,
    .defaults_size = &orr_law_yaml_gradient_flow_conservation_size,
    .predict = predict,
    .measure = measure,
    .judge = judge,
    .figure = figure,
};
