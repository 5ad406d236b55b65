/* Progressive sharpening and the edge of stability: the sharpness S = lambda_max(H) grows as under gradient flow until it
 * reaches the largest value that the rule tolerates, S*, and stays there.
 *
 *     gd  S* = 2/eta     heavy ball  (2 + 2 beta)/eta     Nesterov  (2 + 2 beta)/(eta (1 + 2 beta))
 *     Adam  (2 + 2 beta1)/(eta (1 - beta1)), for the preconditioned sharpness
 *     S_pred(k) = min(S_GF(eta k), S*)  for gd, S_GF the sharpness along dw/dt = -grad L from the same w(0)
 *
 *   paper   here            meaning                                          unit
 *   S*      threshold       ceiling of the sharpness                         loss / parameter^2
 *   S_GF    flow.sharpness  sharpness on the gradient flow, at time eta k    loss / parameter^2
 *   k_c     break_through   first recorded k with S_GF(eta k) > S*           updates
 *
 * The flow is integrated from the initial parameters by theory/gradient_flow: it is a prediction, no training run is asked.
 * Sources: Cohen et al. 2021 (2103.00065), 2022 (2207.14484).  Sheet: laws/empirical/edge-of-stability.md */
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "law/conditions.h"
#include "law/law.h"
#include "law/measuring.h"
#include "law/predicting.h"
#include "law/start.h"
#include "report/page.h"
#include "theory/gradient_flow.h"
#include "theory/stability_threshold.h"

extern const char orr_law_yaml_edge_of_stability[];
extern const size_t orr_law_yaml_edge_of_stability_size;

static bool is_rule(const orr_point *p, const char *name) { return strcmp(p->rule->kind.name, name) == 0; }

/* S* of a point's rule; NaN where the rule has none that we know. */
static double threshold_of(const orr_point *p) {
    const orr_settings *s = &p->rule_settings;
    if (!orr_settings_has(s, "learning_rate")) return (double)NAN; /* gradient flow */
    const double eta = orr_real(s, "learning_rate");
    if (is_rule(p, "gd")) return orr_stability_threshold_gd(eta);
    if (is_rule(p, "nesterov")) return orr_stability_threshold_nesterov(eta, orr_real(s, "momentum"));
    if (is_rule(p, "heavy-ball"))
        return orr_flag(s, "averaging") ? orr_stability_threshold_ema_heavy_ball(eta, orr_real(s, "momentum"))
                                        : orr_stability_threshold_heavy_ball(eta, orr_real(s, "momentum"));
    if (is_rule(p, "adam")) return orr_stability_threshold_ema_heavy_ball(eta, orr_real(s, "beta1"));
    return (double)NAN;
}

static bool is_preconditioned(const orr_point *p) { return p->rule->preconditioner != NULL; }

static const orr_observation *sharpness_of(const orr_point *p) { return orr_point_observation(p, "sharpness"); }

/* ---- regime ------------------------------------------------------------------------------------------------------------- */

static bool has_ceiling(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    (void)problem;
    *why = orr_arena_format(out_arena, "the rule %s is none of them", p->rule->kind.name);
    return isfinite(threshold_of(p));
}

static bool is_observed(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    const orr_observation *o = sharpness_of(p);
    (void)problem;
    *why = orr_arena_format(out_arena, "observe needs { kind: sharpness%s }",
                            is_preconditioned(p) ? ", preconditioned: true" : "");
    return o && orr_flag(&o->settings, "preconditioned") == is_preconditioned(p);
}

static bool is_mse(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    (void)problem;
    *why = orr_arena_format(out_arena, "under %s sharpness comes down again as the loss vanishes", p->task->kind.name);
    return strcmp(p->task->kind.name, "mse") == 0;
}

/* eta k >= 50, for gradient descent: else the ceiling isn't reached. */
static bool is_long(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    const double time = orr_real(&p->rule_settings, "learning_rate") * (double)p->steps;
    (void)problem;
    *why = orr_arena_format(out_arena, "learning rate times updates is %g", time);
    return !is_rule(p, "gd") || time >= 50.0;
}

static bool is_periodic(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    (void)problem;
    *why = orr_arena_string(out_arena, "sharpness has `per_decade` or `at`");
    return orr_is_periodic(sharpness_of(p));
}

/* The mean over the second half needs some records there. */
static bool is_recorded(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    const int64_t n = p->steps / 2 / orr_int(&sharpness_of(p)->settings, "every");
    (void)problem;
    *why = orr_arena_format(out_arena, "sharpness is recorded %lld times there", (long long)n);
    return n >= 5;
}

/* S(0) < S* for every seed: above it gradient descent is catapulted or diverges.  Points that differ by their rule alone share
 * a problem, whose S(0) is computed once and held against the lowest of their ceilings.  For adam too: its P is 1 before the first
 * update. */
static orr_status starts_below(orr_context *ctx, orr_arena *out_arena, const orr_premises *in, bool *holds,
                               const char **why) {
    const orr_experiment *e = in->experiment;
    orr_status status = ORR_OK;
    orr_start start = { 0 };
    *holds = true;
    for (int64_t i = 0; i < e->n_points && *holds; i++) {
        int64_t lowest = i, first = 0;
        while (in->problems[first * e->seeds] != in->problems[i * e->seeds]) first++;
        if (first < i) continue;
        for (int64_t j = i; j < e->n_points; j++)
            if (in->problems[j * e->seeds] == in->problems[i * e->seeds] &&
                threshold_of(&e->points[j]) < threshold_of(&e->points[lowest]))
                lowest = j;
        const double s_star = threshold_of(&e->points[lowest]);
        for (int64_t seed = 0; *holds && seed < e->seeds; seed++) {
            double s_0;
            ORR_TRY_DONE(ctx, orr_start_at(ctx, in, i, seed, false, &start));
            ORR_TRY_DONE(ctx, orr_start_sharpness(ctx, &start, &s_0));
            *holds = s_0 < s_star;
            *why = orr_arena_format(out_arena, "%s: with seed %lld it starts at %.4g, the ceiling is %.4g",
                                    e->points[lowest].name, (long long)seed, s_0, s_star);
        }
    }
done:
    orr_start_end(&start);
    return status;
}

static const orr_condition regime[] = {
    { "the rule is full-batch gd, nesterov, heavy-ball or adam, whose tolerances are known", .point = has_ceiling },
    { "every update sees all examples", .point = orr_is_full_batch, .beyond = true },
    { "the learning rate is constant", .point = orr_has_constant_rate, .beyond = true },
    { "the rule is without decay and clipping", .point = orr_is_bare_rule, .beyond = true },
    { "all parameters learn at one rate", .point = orr_has_one_rate, .beyond = true },
    { "no run ends before its last update", .point = orr_runs_to_its_end },
    { "sharpness is observed, preconditioned where the rule divides by P", .point = is_observed },
    { "sharpness is recorded at a constant distance", .point = is_periodic },
    { "the task is mse", .point = is_mse, .beyond = true },
    { "the activation is smooth", .point = orr_is_smooth, .beyond = true },
    { "training is long enough: learning rate times updates is at least 50 for gd", .point = is_long, .beyond = true },
    { "sharpness is recorded at least 5 times in the second half", .point = is_recorded },
    { "the initial sharpness is below the ceiling", .check = starts_below, .beyond = true },
    { 0 },
};

/* ---- prediction --------------------------------------------------------------------------------------------------------- */

static orr_status tick(void *user, int64_t record) {
    (void)record;
    return orr_premises_tick(user);
}

/* The flow is followed a little past the ceiling, for the eye; in the default experiment S_GF stays above it from there. */
static const double flow_end = 1.25;

/* S_GF along the flow from the initial parameters of a seed, until it is past S*: (new) { time, sharpness, loss,
 * break_through }. */
static orr_status predict_flow(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point,
                               int64_t seed, const void *known, json_t **out) {
    const orr_point *p = &in->experiment->points[point];
    const int64_t every = orr_int(&sharpness_of(p)->settings, "every");
    /* Euler steps of eta/4: S_GF shifts by less than 1 % against eta/8 (measured on the default experiment) */
    const orr_flow_options options = { .step = orr_real(&p->rule_settings, "learning_rate") / 4,
                                       .steps_per_record = 4 * every,
                                       .records = p->steps / every + 1,
                                       .stop_above = flow_end * threshold_of(p),
                                       .tick = tick,
                                       .user = (void *)(uintptr_t)in }; /* tick only reads it */
    orr_series sharpness, loss;
    orr_start start = { 0 };
    orr_status status;
    (void)known;
    ORR_TRY_DONE(ctx, orr_start_at(ctx, in, point, seed, false, &start));
    ORR_TRY_DONE(ctx,
                 orr_gradient_flow(ctx, start.arena, scratch, &start.landscape, &options, start.w, &sharpness, &loss));
    int64_t first = 0; /* record past S* */
    while (first < sharpness.n && !(sharpness.y[first] > threshold_of(p))) first++;
    *out = json_pack("{s:I, s:o, s:o, s:o, s:o}", "seed", (json_int_t)seed, "time",
                     orr_json_reals(sharpness.x, sharpness.n), "sharpness", orr_json_reals(sharpness.y, sharpness.n),
                     "loss", orr_json_reals(loss.y, loss.n), "break_through",
                     first < sharpness.n ? json_integer(first * every) : json_null());
done:
    orr_start_end(&start);
    return status;
}

static orr_status predict_point(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point,
                                const void *known, json_t **out) {
    const orr_point *p = &in->experiment->points[point];
    const int64_t every = orr_int(&sharpness_of(p)->settings, "every"), last_step = p->steps / every * every;
    json_t *flows = NULL;
    (void)known;
    if (is_rule(p, "gd")) ORR_TRY(ctx, orr_predict_runs(ctx, scratch, in, point, predict_flow, NULL, &flows));
    *out = json_pack("{s:s, s:s, s:I, s:f, s:f, s:s, s:o}", "point", p->name, "rule", p->rule->kind.name, "last_step",
                     (json_int_t)last_step, "learning_rate", orr_real(&p->rule_settings, "learning_rate"), "threshold",
                     threshold_of(p), "series", is_preconditioned(p) ? "sharpness_preconditioned" : "sharpness", "flow",
                     flows ? flows : json_array());
    return ORR_OK;
}

static orr_status predict(orr_context *ctx, orr_arena *scratch, const orr_premises *in, json_t **prediction) {
    return orr_predict_each(ctx, scratch, in, "edge-of-stability", predict_point, NULL, prediction);
}

/* ---- measurement -------------------------------------------------------------------------------------------------------- */

/* { sharpness, loss } of one run; which of the two sharpnesses was recorded is known by its name. */
static orr_status measure_run(orr_context *ctx, orr_arena *scratch, const orr_records *records, int64_t point,
                              int64_t seed, json_t **out) {
    static const char *const names[] = { "sharpness", "sharpness_preconditioned", "loss", NULL };
    ORR_TRY(ctx, orr_measure_series(ctx, scratch, records, point, seed, names, out));
    json_t *preconditioned = json_incref(json_object_get(*out, names[1]));
    (void)json_object_del(*out, names[1]);
    if (json_array_size(json_object_get(preconditioned, "step")) > 0)
        (void)json_object_set(*out, "sharpness", preconditioned);
    json_decref(preconditioned);
    return ORR_OK;
}

static orr_status measure(orr_context *ctx, orr_arena *scratch, const orr_records *records, json_t **measurement) {
    return orr_measure_runs(ctx, scratch, records, measure_run, measurement);
}

/* ---- judgement ---------------------------------------------------------------------------------------------------------- */

/* ORDER checks: in `judge` */
static const orr_check checks[] = {
    /* all tolerances: sheet, Agreement */
    { "gd: mean of S/S* over the second half", 0.97, 1.08 },
    { "gd: updates between k_c and the first S > S*", 0.0, 100.0 },
    { "gd: mean |S - S_pred|/S* up to k_c", 0.0, 0.02 },
    { "gd: mean |S - S_pred|/S* over the run", 0.0, 0.08 },
    { "nesterov: mean of S/S* over the second half", 0.97, 1.08 },
    { "heavy-ball: maximum of S/S*", 0.98, 1.1 },
    { "adam: mean of S/S* over the second half, preconditioned", 0.93, 1.06 },
    { 0 },
};
enum { GD_MEAN, GD_CROSSING, GD_BEFORE, GD_WHOLE, NESTEROV_MEAN, HEAVY_BALL_MAX, ADAM_MEAN };

/* Mean of S/S* over records with k > K/2, K the last. */
static double mean_second_half(const json_t *run, double threshold) {
    const json_t *k = orr_measured_steps(run, "sharpness"), *s = orr_measured_values(run, "sharpness");
    const size_t n = json_array_size(k);
    const double half = n ? orr_number_at(k, n - 1) / 2 : 0.0;
    double sum = 0.0, count = 0.0;
    for (size_t i = 0; i < n; i++)
        if (orr_number_at(k, i) > half) sum += orr_number_at(s, i) / threshold, count++;
    return sum / count;
}

static double largest(const json_t *run, double threshold) {
    const json_t *s = orr_measured_values(run, "sharpness");
    double max = -(double)INFINITY;
    for (size_t i = 0; i < json_array_size(s); i++) max = orr_larger(max, orr_number_at(s, i) / threshold);
    return json_array_size(s) ? max : (double)NAN;
}

/* |k_c - k|, k the first record with S > S*; 0 where neither comes, NaN where one does. */
static double crossing_distance(const json_t *run, const json_t *flow, double threshold) {
    const json_t *k = orr_measured_steps(run, "sharpness"), *s = orr_measured_values(run, "sharpness");
    const json_t *k_c = json_object_get(flow, "break_through");
    for (size_t i = 0; i < json_array_size(k); i++)
        if (orr_number_at(s, i) > threshold)
            return json_is_integer(k_c) ? fabs(orr_number_at(k, i) - (double)json_integer_value(k_c)) : (double)NAN;
    return json_is_integer(k_c) ? (double)NAN : 0.0;
}

/* Mean over records of |S - min(S_GF, S*)| / S*: up to k_c, or over the run.  Past its end the flow is past S*. */
static double mean_distance(const json_t *run, const json_t *flow, double threshold, bool whole) {
    const json_t *s = orr_measured_values(run, "sharpness"), *f = json_object_get(flow, "sharpness");
    const json_t *k = orr_measured_steps(run, "sharpness"), *k_c = json_object_get(flow, "break_through");
    const size_t n = json_array_size(s), n_flow = json_array_size(f);
    const bool ended_past = json_is_integer(k_c);
    const double last = ended_past && !whole ? (double)json_integer_value(k_c) : (double)INFINITY;
    double sum = 0.0, count = 0.0;
    for (size_t i = 0; i < n && orr_number_at(k, i) <= last; i++, count++) {
        const double flow_at = i < n_flow ? orr_number_at(f, i) : ended_past ? (double)INFINITY : (double)NAN;
        sum += fabs(orr_number_at(s, i) - (flow_at > threshold ? threshold : flow_at)) / threshold;
    }
    return sum / count;
}

static void add(orr_check_values *values, int check, double x) { orr_check_add(&values[check], x); }

/* A run counts where it was recorded to its end. */
static void judge_rule(const char *rule, double threshold, const json_t *run, const json_t *flow, bool whole,
                       orr_check_values *values) {
    const double none = (double)NAN;
    if (strcmp(rule, "gd") == 0) {
        add(values, GD_MEAN, whole ? mean_second_half(run, threshold) : none);
        add(values, GD_CROSSING, whole ? crossing_distance(run, flow, threshold) : none);
        add(values, GD_BEFORE, whole ? mean_distance(run, flow, threshold, false) : none);
        add(values, GD_WHOLE, whole ? mean_distance(run, flow, threshold, true) : none);
    }
    if (strcmp(rule, "nesterov") == 0) add(values, NESTEROV_MEAN, whole ? mean_second_half(run, threshold) : none);
    if (strcmp(rule, "heavy-ball") == 0) add(values, HEAVY_BALL_MAX, whole ? largest(run, threshold) : none);
    if (strcmp(rule, "adam") == 0) add(values, ADAM_MEAN, whole ? mean_second_half(run, threshold) : none);
}

static orr_status judge(orr_context *ctx, orr_arena *out_arena, const json_t *prediction, const json_t *measurement,
                        orr_check_values *values) {
    const json_t *points = json_object_get(prediction, "points");
    int64_t room = 0;
    for (size_t i = 0; i < json_array_size(measurement); i++)
        room += (int64_t)json_array_size(json_array_get(measurement, i));
    ORR_TRY(ctx, orr_check_values_new(ctx, out_arena, checks, room, values));
    for (size_t i = 0; i < json_array_size(points); i++) {
        const json_t *point = json_array_get(points, i), *runs = json_array_get(measurement, i);
        for (size_t seed = 0; seed < json_array_size(runs); seed++) {
            const json_t *run = json_array_get(runs, seed);
            judge_rule(json_string_value(json_object_get(point, "rule")), orr_number_of(point, "threshold"), run,
                       json_array_get(json_object_get(point, "flow"), seed),
                       orr_measured_until(run, "sharpness", json_number_value(json_object_get(point, "last_step"))),
                       values);
        }
    }
    return ORR_OK;
}

/* ---- figure ------------------------------------------------------------------------------------------------------------- */

static void add_flow_rows(json_t *rows, const json_t *flows) {
    for (size_t f = 0; f < json_array_size(flows); f++) {
        const json_t *flow = json_array_get(flows, f), *time = json_object_get(flow, "time");
        for (size_t i = 0; i < json_array_size(time); i++)
            orr_json_row(rows, "{s:O, s:O, s:O, s:O}", "time", json_array_get(time, i), "sharpness",
                         json_array_get(json_object_get(flow, "sharpness"), i), "loss",
                         json_array_get(json_object_get(flow, "loss"), i), "seed", json_object_get(flow, "seed"));
    }
}

static void add_run_rows(json_t *sharpness, json_t *losses, json_t *ratios, const json_t *point, const json_t *run,
                         json_int_t seed) {
    const json_t *k = orr_measured_steps(run, "sharpness"), *s = orr_measured_values(run, "sharpness");
    const json_t *label = json_object_get(point, "point"), *loss = orr_measured_values(run, "loss"),
                 *loss_k = orr_measured_steps(run, "loss");
    const double eta = json_number_value(json_object_get(point, "learning_rate")),
                 threshold = json_number_value(json_object_get(point, "threshold"));
    for (size_t i = 0; i < json_array_size(k); i++) {
        orr_json_row(sharpness, "{s:o, s:o, s:O, s:I, s:O}", "time", orr_json_real(eta * orr_number_at(k, i)), "step",
                     orr_json_real(orr_number_at(k, i)), "sharpness", json_array_get(s, i), "seed", seed, "label",
                     label);
        orr_json_row(ratios, "{s:o, s:o, s:I, s:O}", "step", orr_json_real(orr_number_at(k, i)), "ratio",
                     orr_json_real(orr_number_at(s, i) / threshold), "seed", seed, "label", label);
    }
    for (size_t i = 0; i < json_array_size(loss_k); i++)
        orr_json_row(losses, "{s:o, s:o, s:O, s:I, s:O}", "time", orr_json_real(eta * orr_number_at(loss_k, i)), "step",
                     orr_json_real(orr_number_at(loss_k, i)), "loss", json_array_get(loss, i), "seed", seed, "label",
                     label);
}

/* The tolerance of a point's mean over the second half: shown as a band; rules whose maximum is judged have it over all. */
static json_t *band_of(const char *rule, double last) {
    const orr_check *c = strcmp(rule, "nesterov") == 0     ? &checks[NESTEROV_MEAN]
                         : strcmp(rule, "heavy-ball") == 0 ? &checks[HEAVY_BALL_MAX]
                         : strcmp(rule, "adam") == 0       ? &checks[ADAM_MEAN]
                                                           : &checks[GD_MEAN];
    const double from = c == &checks[HEAVY_BALL_MAX] ? 0.0 : last / 2;
    return json_pack("[{s:f, s:f, s:f, s:f}]", "from", from, "to", last, "low", c->low, "high", c->high);
}

static json_t *figure(const json_t *prediction, const json_t *measurement) {
    const json_t *points = json_object_get(prediction, "points");
    json_t *panels = json_array(), *ceilings = json_array(), *flow = json_array(), *sharpness = json_array(),
           *losses = json_array();
    json_t *ratio_panels = json_array();
    for (size_t i = 0; i < json_array_size(points); i++) {
        const json_t *point = json_array_get(points, i), *runs = json_array_get(measurement, i);
        const char *rule = json_string_value(json_object_get(point, "rule"));
        const bool is_gd = strcmp(rule, "gd") == 0;
        json_t *ratios = json_array(), *unused = json_array(), *unused_losses = json_array();
        for (size_t seed = 0; seed < json_array_size(runs); seed++)
            add_run_rows(is_gd ? sharpness : unused, is_gd ? losses : unused_losses, ratios, point,
                         json_array_get(runs, seed), (json_int_t)seed);
        if (is_gd) {
            add_flow_rows(flow, json_object_get(point, "flow"));
            orr_json_row(ceilings, "{s:O, s:O}", "threshold", json_object_get(point, "threshold"), "label",
                         json_object_get(point, "point"));
        }
        const json_t *k = json_object_get(json_array_get(runs, 0), "step");
        const double last = json_array_size(k) ? orr_number_at(k, json_array_size(k) - 1) : 0.0;
        json_t *datasets = json_pack("{s:o, s:o}", "measured", ratios, "tolerance", band_of(rule, last));
        orr_json_add(ratio_panels,
                     orr_page_panel_of("ratio", "Sharpness over its ceiling", json_object_get(point, "point"),
                                       "Measured over predicted, by seed. Shaded: tolerance.",
                                       "Ratio of measured sharpness to its predicted ceiling, by update.", false,
                                       datasets));
        json_decref(unused);
        json_decref(unused_losses);
    }
    if (json_array_size(ceilings) > 0) { /* gradient descent is among the points */
        orr_json_add(
            panels,
            orr_page_panel(
                "sharpness", "Sharpness rises as under gradient flow, then stays at the ceiling",
                "Points: gradient descent, a line for each seed. Dotted: gradient flow, predicted from the same "
                "initial "
                "weights. Dashed: the ceiling 2/\u03b7.",
                "Sharpness against time for gradient descent, with the flow and the ceiling that were predicted.", true,
                json_pack("{s:O, s:O, s:O}", "measured", sharpness, "flow", flow, "ceilings", ceilings)));
        orr_json_add(panels, orr_page_panel("loss", "Loss", "The loss goes on falling at the edge of stability.",
                                            "Loss against time, of gradient descent and gradient flow.", true,
                                            json_pack("{s:O, s:O}", "measured", losses, "flow", flow)));
    }
    (void)json_array_extend(panels, ratio_panels);
    json_decref(ratio_panels);
    json_decref(sharpness);
    json_decref(losses);
    json_decref(ceilings);
    json_decref(flow);
    return panels;
}

const orr_law orr_law_edge_of_stability = {
    .id = "edge-of-stability",
    .title = "The edge of stability",
    .statement = "Full-batch training lets the largest Hessian eigenvalue grow as under gradient flow, then holds it "
                 "at the largest value "
                 "that the rule tolerates: 2/\u03b7 for gradient descent.",
    .equation = "\\begin{aligned} S^* &= \\tfrac{2}{\\eta}\\ \\text{(gd)},\\quad \\tfrac{2+2\\beta}{\\eta}\\ "
                "\\text{(heavy ball)},\\quad \\tfrac{2+2\\beta}{\\eta(1+2\\beta)}\\ \\text{(Nesterov)},\\quad "
                "\\tfrac{2+2\\beta_1}{\\eta(1-\\beta_1)}\\ \\text{(Adam)} \\\\ "
                "S_{\\text{pred}}(k) &= \\min\\{S_{\\text{GF}}(\\eta k),\\ S^*\\} \\end{aligned}",
    .section = "2.3",
    .sources =
        "Cohen et al. 2021 (arXiv 2103.00065); Cohen et al. 2022 (2207.14484); Damian, Nichani, Lee 2022 (2209.15594)",
    .breaks_along = "architecture.weight_variance=0.33:4:4,log",
    .regime = regime,
    .checks = checks,
    .defaults = orr_law_yaml_edge_of_stability,
    .defaults_size = &orr_law_yaml_edge_of_stability_size,
    .predict = predict,
    .measure = measure,
    .judge = judge,
    .figure = figure,
};
