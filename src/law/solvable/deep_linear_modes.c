/* Deep linear networks learn the singular modes of the input-output correlation one after another, each along a sigmoid of its
 * own: strong modes first, the loss a staircase.
 *
 *     S = E y x' = U diag(s) V',  E x x' = 1        a_k = u_k' W_L ... W_1 v_k        t = eta times updates
 *     spectral start  w <- w + eta w^{L-1} (s - w^L),  a = w^L           gradient descent, exactly
 *                     da/dt = L a^{2-2/L} (s - a)                        its flow
 *     random start    the flow with L = 2 from a0_k = |c_k_perp|^2       theory/deep_linear.h
 *     l - l_inf = 1/2 sum_k (s_k - a_k)^2
 *
 *   paper    here         meaning                                                   unit
 *   L        layers       matrices in the product                                   1
 *   s_k      s            k-th singular value of the correlation                    y x
 *   a_k      exact, flow  strength of the mode in the network, predicted            y / x
 *   a0_k     a_0          its (effective) start                                     y / x
 *   t_half   half_time    when a_k = s_k/2                                          time
 *
 * A network narrower than the number of modes learns as many, the strongest: the others have a0_k = 0.  The law is judged on modes
 * whose predicted half-time lies within the run.  Factors of the loss other than 1/2 E|y - f|^2 go into eta.
 * Sources: Saxe, McClelland, Ganguli 2014 (1312.6120); Gidel et al. 2019 (1904.13262); Atanasov et al. 2021 (2111.00034).
 * Sheet: laws/solvable/deep-linear-modes.md */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/context.h"
#include "law/conditions.h"
#include "law/law.h"
#include "law/linear_network.h"
#include "law/measuring.h"
#include "law/predicting.h"
#include "report/page.h"

extern const char orr_law_yaml_deep_linear_modes[];
extern const size_t orr_law_yaml_deep_linear_modes_size;

enum { MODES_MAX = 16 }; /* that are followed; the strongest */

/* What a run starts from. */
typedef struct start {
    orr_linear_task task;
    int64_t layers, modes; /* followed: s_k > 1e-8 s_1 */
    int64_t learnt;        /* the first of them, whose half-time lies within the run */
    bool spectral;
    double a_0[MODES_MAX], half_time[MODES_MAX];
    double rate; /* learning rate for the loss 1/2 E|y - f|^2 */
    double end;  /* of the run, in time */
} start;

static const orr_observation *modes_of(const orr_point *p) { return orr_point_observation(p, "modes"); }

/* The loss over 1/2 E|y - f|^2. */
static double loss_scale(const orr_point *p, const orr_problem *problem) {
    const orr_settings *s = &p->task_settings;
    const double factor = 2.0 * orr_real(s, "factor"),
                 examples = orr_settings_say(s, "examples", "sum") ? (double)problem->data.n : 1.0,
                 outputs = orr_settings_say(s, "outputs", "mean") ? (double)problem->signature.outputs : 1.0;
    return factor * examples / outputs;
}

/* ---- what is known before training --------------------------------------------------------------------------------------- */

/* Everything of one run that the conditions and the prediction ask.  A start is spectral where it is so to rounding: 1e-8. */
static orr_status study(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point, int64_t seed,
                        start *out) {
    const orr_point *p = &in->experiment->points[point];
    const orr_problem *problem = in->problems[point * in->experiment->seeds + seed];
    orr_linear_chain chain;
    double deviation;
    *out = (start){ .layers = problem->n_tensors };
    out->rate = orr_real(&p->rule_settings, "learning_rate") * loss_scale(p, problem);
    out->end = out->rate * (double)p->steps;
    ORR_TRY(ctx, orr_linear_task_of(ctx, scratch, problem, &out->task));
    ORR_TRY(ctx, orr_linear_chain_of(ctx, scratch, problem, seed, &chain));
    while (out->modes < MODES_MAX && out->modes < out->task.modes && out->task.s[out->modes] > 1e-8 * out->task.s[0])
        out->modes++;
    ORR_TRY(ctx, orr_linear_start_spectral(ctx, scratch, &chain, &out->task, out->modes, out->a_0, &deviation));
    out->spectral = deviation < 1e-8;
    if (!out->spectral && out->layers == 2)
        ORR_TRY(ctx, orr_linear_start_random(ctx, scratch, &chain, &out->task, out->modes, out->a_0));
    for (int64_t k = 0; k < out->modes; k++) {
        out->half_time[k] = orr_mode_time(out->layers, out->task.s[k], out->a_0[k], 0.5 * out->task.s[k]);
        if (out->learnt == k && out->half_time[k] < 0.9 * out->end) out->learnt++;
    }
    return ORR_OK;
}

/* One mode at the recorded updates: gradient descent and flow. */
static orr_status follow(orr_context *ctx, orr_arena *scratch, const start *s, int64_t k, int64_t n, const double *step,
                         double *exact, double *flow) {
    double *time = ORR_NEW(scratch, double, n);
    if (!time) return orr_fail(ctx, ORR_ENOMEM, "deep linear modes: no memory for %lld records", (long long)n);
    orr_mode_descent(s->layers, s->task.s[k], s->a_0[k], s->rate, step, n, exact);
    for (int64_t i = 0; i < n; i++) time[i] = s->rate * step[i];
    return orr_mode_flow(ctx, scratch, s->layers, s->task.s[k], s->a_0[k], time, n, flow);
}

/* The largest |exact - flow|/s over learnt modes: what the length of a step does, known before training. */
static orr_status step_error(orr_context *ctx, orr_arena *scratch, const orr_point *p, const start *s, double *out) {
    const int64_t n = orr_observed_updates(p, modes_of(p), NULL);
    double *step = ORR_NEW(scratch, double, 3 * n), *exact = step + n, *flow = exact + n;
    *out = 0.0;
    if (!step) return orr_fail(ctx, ORR_ENOMEM, "deep linear modes: no memory for %lld records", (long long)n);
    (void)orr_observed_updates(p, modes_of(p), step);
    for (int64_t k = 0; k < s->learnt; k++) {
        ORR_TRY(ctx, follow(ctx, scratch, s, k, n, step, exact, flow));
        for (int64_t i = 0; i < n; i++) /* a step too long: NaN */
            *out = orr_larger(*out, fabs(exact[i] - flow[i]) / s->task.s[k]);
    }
    return ORR_OK;
}

/* ---- regime -------------------------------------------------------------------------------------------------------------- */

static bool is_product(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    const orr_settings *s = &p->architecture_settings;
    const char *kind = p->architecture->kind.name;
    *why = orr_arena_format(out_arena, "%s with %lld tensors is none", kind, (long long)problem->n_tensors);
    if (problem->n_tensors < 2) return false;
    for (int64_t i = 0; i < problem->n_tensors; i++)
        if (problem->tensors[i].shape.rank != 2) return false;
    return strcmp(kind, "linear") == 0 ||
           (strcmp(kind, "mlp") == 0 && orr_settings_say(s, "activation", "linear") &&
            orr_settings_say(s, "norm", "none") && orr_settings_say(s, "residual", "none"));
}

static bool is_plain(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    (void)p;
    for (int64_t i = 0; i < problem->n_tensors; i++) {
        const orr_tensor *t = &problem->tensors[i];
        *why = orr_arena_format(out_arena, "%s is multiplied by %g", t->name, t->multiplier);
        if (t->multiplier != 1.0) return false;
    }
    return true;
}

static bool is_squared(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    return orr_has_squared_error(out_arena, p, problem, why) && orr_has_no_ridge(out_arena, p, problem, why);
}

static bool is_observed(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    (void)problem;
    *why = orr_arena_format(out_arena, "observe needs { kind: modes }, with top: %d", MODES_MAX);
    return modes_of(p) && orr_int(&modes_of(p)->settings, "top") >= MODES_MAX;
}

/* Conditions of a run read what `study` finds. */
static orr_status is_white(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point, int64_t seed,
                           bool *holds, const char **why) {
    start s;
    ORR_TRY(ctx, study(ctx, scratch, in, point, seed, &s));
    const double colour = orr_linear_task_colour(&s.task, s.modes);
    *holds = colour < 1e-6; /* data in single precision are white to 1e-7 */
    *why = orr_arena_format(scratch, "C v_k is %.2g off v_k", colour);
    return ORR_OK;
}

static orr_status starts_known(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point,
                               int64_t seed, bool *holds, const char **why) {
    start s;
    ORR_TRY(ctx, study(ctx, scratch, in, point, seed, &s));
    *holds = s.spectral || s.layers == 2;
    *why = orr_arena_format(scratch, "it is neither, with %lld layers", (long long)s.layers);
    return ORR_OK;
}

static orr_status is_long(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point, int64_t seed,
                          bool *holds, const char **why) {
    start s;
    ORR_TRY(ctx, study(ctx, scratch, in, point, seed, &s));
    *holds = s.learnt > 0;
    *why =
        orr_arena_format(scratch, "the first is half learnt at time %.4g, the run ends at %.4g", s.half_time[0], s.end);
    return ORR_OK;
}

/* h sigma^2/2, which is about a0, against the weakest mode that is judged: at 0.06 the sheet's error is twice the tolerance. */
static orr_status starts_small(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point,
                               int64_t seed, bool *holds, const char **why) {
    double largest = 0.0;
    start s;
    ORR_TRY(ctx, study(ctx, scratch, in, point, seed, &s));
    for (int64_t k = 0; k < s.learnt; k++) largest = fmax(largest, s.a_0[k] / s.task.s[s.learnt - 1]);
    *holds = s.spectral || largest <= 0.02;
    *why = orr_arena_format(scratch, "a mode starts at %.2g of it", largest);
    return ORR_OK;
}

static orr_status is_distinct(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point, int64_t seed,
                              bool *holds, const char **why) {
    start s;
    ORR_TRY(ctx, study(ctx, scratch, in, point, seed, &s));
    *holds = true;
    for (int64_t k = 0; k < s.learnt && !s.spectral && *holds; k++) {
        const double next = k + 1 < s.task.modes ? s.task.s[k + 1] : 0.0;
        *holds = next <= 0.8 * s.task.s[k];
        *why = orr_arena_format(scratch, "s is %.4g, then %.4g", s.task.s[k], next);
    }
    return ORR_OK;
}

/* Half of the tolerance of 0.03 may come from the step. */
static orr_status steps_are_small(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point,
                                  int64_t seed, bool *holds, const char **why) {
    double error;
    start s;
    ORR_TRY(ctx, study(ctx, scratch, in, point, seed, &s));
    ORR_TRY(ctx, step_error(ctx, scratch, &in->experiment->points[point], &s, &error));
    *holds = s.spectral || error <= 0.015;
    *why = orr_arena_format(scratch, "it leaves the flow by %.2g of s; rate times s_1 is %.2g", error,
                            s.rate * s.task.s[0]);
    return ORR_OK;
}

static const orr_condition regime[] = {
    { "the network is a product of at least two matrices, without biases", .point = is_product },
    { "the task is mse without ridge", .point = is_squared },
    { "the rule is gradient descent without momentum", .point = orr_is_plain_descent },
    { "every update sees all examples", .point = orr_is_full_batch, .beyond = true },
    { "the learning rate is constant", .point = orr_has_constant_rate, .beyond = true },
    { "the rule is without decay and clipping", .point = orr_is_bare_rule, .beyond = true },
    { "all parameters learn at one rate", .point = orr_has_one_rate, .beyond = true },
    { "the network sees its matrices as they are stored", .point = is_plain },
    { "no run ends before its last update", .point = orr_runs_to_its_end },
    { "modes are observed", .point = is_observed },
    { "inputs are white: their covariance is the identity on every mode", .run = is_white, .beyond = true },
    { "the start is spectral, or random with two layers", .run = starts_known },
    { "training is long enough for the first mode", .run = is_long },
    { "a random start is small: each mode at most 0.02 of the weakest that is learnt", .run = starts_small,
      .beyond = true },
    { "from a random start, modes are apart: each at most 0.8 of the one before", .run = is_distinct, .beyond = true },
    { "from a random start, the step is small: gradient descent stays near its flow", .run = steps_are_small,
      .beyond = true },
    { 0 },
};

/* ---- prediction ----------------------------------------------------------------------------------------------------------- */

static orr_status no_memory(orr_context *ctx) { return orr_fail(ctx, ORR_ENOMEM, "deep linear modes: no memory"); }

/* (new) { s, a_0, half_time, exact, flow } of mode k; what is left of it goes off the loss. */
static orr_status predict_mode(orr_context *ctx, orr_arena *scratch, const start *s, int64_t k, int64_t n,
                               const double *step, double *loss, json_t **out) {
    double *exact = ORR_NEW(scratch, double, n), *flow = ORR_NEW(scratch, double, n);
    if (!exact || !flow) return no_memory(ctx);
    ORR_TRY(ctx, follow(ctx, scratch, s, k, n, step, exact, flow));
    for (int64_t i = 0; i < n; i++) {
        const double left = s->task.s[k] - (s->spectral ? exact[i] : flow[i]);
        loss[i] += 0.5 * (left * left - s->task.s[k] * s->task.s[k]);
    }
    *out = json_pack("{s:f, s:f, s:o, s:o, s:o}", "s", s->task.s[k], "a_0", s->a_0[k], "half_time",
                     orr_json_real(s->half_time[k]), "exact", s->spectral ? orr_json_reals(exact, n) : json_array(),
                     "flow", orr_json_reals(flow, n));
    return *out ? ORR_OK : no_memory(ctx);
}

/* When modes are recorded. */
typedef struct schedule {
    int64_t n;
    double *step;
} schedule;

/* (new) { spectral, learnt, step_error, modes, loss, least_loss } of one run. */
static orr_status predict_run(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point, int64_t seed,
                              const void *known, json_t **out) {
    const schedule *r = known;
    const orr_point *p = &in->experiment->points[point];
    const double scale = loss_scale(p, in->problems[point * in->experiment->seeds + seed]);
    double *loss = ORR_NEW(scratch, double, r->n), error;
    json_t *modes = json_array();
    orr_status status = loss ? ORR_OK : no_memory(ctx);
    start s;
    if (status != ORR_OK) goto done;
    ORR_TRY_DONE(ctx, study(ctx, scratch, in, point, seed, &s));
    ORR_TRY_DONE(ctx, step_error(ctx, scratch, p, &s, &error));
    double least = 0.5 * s.task.squares;
    for (int64_t i = 0; i < r->n; i++) loss[i] = 0.5 * s.task.squares;
    for (int64_t k = 0; k < s.modes; k++) {
        json_t *mode = NULL;
        ORR_TRY_DONE(ctx, predict_mode(ctx, scratch, &s, k, r->n, r->step, loss, &mode));
        orr_json_add(modes, mode);
        least -= 0.5 * s.task.s[k] * s.task.s[k];
    }
    for (int64_t i = 0; i < r->n; i++) loss[i] *= scale;
    *out = json_pack("{s:b, s:I, s:o, s:O, s:o, s:f, s:f}", "spectral", s.spectral, "learnt", (json_int_t)s.learnt,
                     "step_error", orr_json_real(error), "modes", modes, "loss", orr_json_reals(loss, r->n),
                     "least_loss", scale * least, "loss_scale", scale);
done:
    json_decref(modes);
    return status;
}

static orr_status predict_point(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point,
                                const void *known, json_t **out) {
    const orr_point *p = &in->experiment->points[point];
    const orr_problem *problem = in->problems[point * in->experiment->seeds];
    const int64_t n = orr_observed_updates(p, modes_of(p), NULL);
    const schedule r = { n, ORR_NEW(scratch, double, n) };
    json_t *runs;
    (void)known;
    if (!r.step) return no_memory(ctx);
    (void)orr_observed_updates(p, modes_of(p), r.step);
    ORR_TRY(ctx, orr_predict_runs(ctx, scratch, in, point, predict_run, &r, &runs));
    *out = json_pack("{s:s, s:I, s:f, s:b, s:o, s:o}", "point", p->name, "layers", (json_int_t)problem->n_tensors,
                     "rate", orr_real(&p->rule_settings, "learning_rate") * loss_scale(p, problem), "double",
                     p->precision == ORR_F64, "step", orr_json_reals(r.step, n), "runs", runs);
    return ORR_OK;
}

static orr_status predict(orr_context *ctx, orr_arena *scratch, const orr_premises *in, json_t **prediction) {
    return orr_predict_each(ctx, scratch, in, "deep-linear-modes", predict_point, NULL, prediction);
}

/* ---- measurement ----------------------------------------------------------------------------------------------------------- */

/* Of mode k: "mode_strength.1" is the first. */
typedef struct series_name {
    char text[40];
} series_name;

static series_name series_of(size_t k) {
    series_name name;
    (void)snprintf(name.text, sizeof name.text, "mode_strength.%zu", k + 1);
    return name;
}

static orr_status measure_run(orr_context *ctx, orr_arena *scratch, const orr_records *records, int64_t point,
                              int64_t seed, json_t **out) {
    static const char *const names[] = { "mode_strength.*", "mode_leakage", "loss", NULL };
    return orr_measure_series(ctx, scratch, records, point, seed, names, out);
}

static orr_status measure(orr_context *ctx, orr_arena *scratch, const orr_records *records, json_t **measurement) {
    return orr_measure_runs(ctx, scratch, records, measure_run, measurement);
}

/* ---- judgement ----------------------------------------------------------------------------------------------------------- */

/* Tolerances are the sheet's.  Those of the flow are for a step that lets gradient descent stay as near to it; whether it does
 * is known before training (step_error), and where it doesn't the exact law alone speaks. */
static const orr_check checks[] = {
    { "random start: largest |a - flow|/s", 0.0, 0.03 },
    { "random start: largest error of a half-time", 0.0, 0.015 },
    { "spectral start: largest |a - gradient descent|/s", 0.0, 1e-10 },
    { "spectral start, two layers: largest |a - flow|/s", 0.0, 0.01 },
    { "spectral start, three or four layers: largest |a - flow|/s", 0.0, 0.03 },
    { "spectral start: largest part outside of the modes", 0.0, 1e-12 },
    { 0 },
};
enum { RANDOM_FLOW, RANDOM_HALF, SPECTRAL_EXACT, SPECTRAL_FLOW_TWO, SPECTRAL_FLOW_DEEP, SPECTRAL_LEAKAGE };

/* max |a - predicted|/s over records of one mode; NaN where there are not as many. */
static double distance(const json_t *measured, const json_t *predicted, double s) {
    const size_t n = json_array_size(predicted);
    double worst = n > 0 && json_array_size(measured) == n ? 0.0 : (double)NAN;
    for (size_t i = 0; i < n; i++)
        worst = orr_larger(worst, fabs(orr_number_at(measured, i) - orr_number_at(predicted, i)) / s);
    return worst;
}

/* The time of the first crossing of s/2, between records in a straight line; NaN where there is none. */
static double half_time(const json_t *step, const json_t *a, double s, double rate) {
    for (size_t i = 1; i < json_array_size(a); i++) {
        const double low = orr_number_at(a, i - 1), high = orr_number_at(a, i), from = orr_number_at(step, i - 1),
                     to = orr_number_at(step, i);
        if (low < 0.5 * s && high >= 0.5 * s) return rate * (from + (to - from) * (0.5 * s - low) / (high - low));
    }
    return (double)NAN;
}

/* The largest part outside of the modes; NaN where not all n records are there. */
static double leakage(const json_t *run, size_t n) {
    const json_t *x = orr_measured_values(run, "mode_leakage");
    double worst = json_array_size(x) == n ? 0.0 : (double)NAN;
    for (size_t i = 0; i < n; i++) worst = orr_larger(worst, orr_number_at(x, i));
    return worst;
}

static void judge_run(const json_t *point, const json_t *predicted, const json_t *run, orr_check_values *values) {
    const json_t *modes = json_object_get(predicted, "modes"), *step = json_object_get(point, "step");
    const double rate = orr_number_of(point, "rate"), error = orr_number_of(predicted, "step_error"),
                 layers = orr_number_of(point, "layers");
    const size_t learnt = (size_t)json_integer_value(json_object_get(predicted, "learnt"));
    double exact = learnt ? 0.0 : (double)NAN, flow = exact, half = exact;
    for (size_t k = 0; k < learnt && k < MODES_MAX; k++) {
        const json_t *mode = json_array_get(modes, k), *a = orr_measured_values(run, series_of(k).text);
        const double s = orr_number_of(mode, "s"), expected = orr_number_of(mode, "half_time");
        exact = orr_larger(exact, distance(a, json_object_get(mode, "exact"), s));
        flow = orr_larger(flow, distance(a, json_object_get(mode, "flow"), s));
        half = orr_larger(half, fabs(half_time(step, a, s, rate) / expected - 1.0));
    }
    if (!json_is_true(json_object_get(predicted, "spectral"))) {
        orr_check_add(&values[RANDOM_FLOW], flow);
        orr_check_add(&values[RANDOM_HALF], half);
        return;
    }
    const bool is_double = json_is_true(json_object_get(point, "double")); /* rounding of floats is above 1e-10 */
    const int check = layers <= 2.0 ? SPECTRAL_FLOW_TWO : SPECTRAL_FLOW_DEEP;
    if (is_double) orr_check_add(&values[SPECTRAL_EXACT], exact);
    if (is_double) orr_check_add(&values[SPECTRAL_LEAKAGE], leakage(run, json_array_size(step)));
    if (layers <= 4.0 && error <= checks[check].high) orr_check_add(&values[check], flow);
}

static orr_status judge(orr_context *ctx, orr_arena *out_arena, const json_t *prediction, const json_t *measurement,
                        orr_check_values *values) {
    return orr_judge_runs(ctx, out_arena, checks, 1, prediction, "runs", measurement, judge_run, values);
}

/* ---- figure ------------------------------------------------------------------------------------------------------------- */

enum { DOTS = 50, PANELS = 4 }; /* measured points of a line; points of a sweep that get a panel */

/* Records of a point up to twice the last half-time of its first run. */
static size_t shown(const json_t *point) {
    const json_t *run = json_array_get(json_object_get(point, "runs"), 0), *step = json_object_get(point, "step");
    const size_t last = (size_t)json_integer_value(json_object_get(run, "learnt")) - 1;
    const double end = 2.0 * orr_number_of(json_array_get(json_object_get(run, "modes"), last), "half_time");
    size_t n = 0;
    while (n < json_array_size(step) && orr_number_of(point, "rate") * orr_number_at(step, n) <= end) n++;
    return n;
}

/* y against time: every record after the first, or so many of them. */
static void add_line(json_t *rows, const json_t *point, const json_t *y, double less, size_t most, const char *field,
                     const char *by, const char *label) {
    const json_t *step = json_object_get(point, "step");
    const size_t n = shown(point), stride = n / most + 1;
    for (size_t i = stride; i < n && i < json_array_size(y); i += stride)
        orr_json_row(rows, "{s:o, s:o, s:s}", "time",
                     orr_json_real(orr_number_of(point, "rate") * orr_number_at(step, i)), field,
                     orr_json_real(orr_number_at(y, i) - less), by, label);
}

static json_t *modes_panel(const json_t *point, const json_t *predicted, const json_t *run) {
    const json_t *modes = json_object_get(predicted, "modes");
    const bool spectral = json_is_true(json_object_get(predicted, "spectral"));
    json_t *lines = json_array(), *dots = json_array();
    for (size_t k = 0; k < json_array_size(modes); k++) {
        const json_t *mode = json_array_get(modes, k);
        json_t *label = json_sprintf("%d: s = %.3g", (int)k + 1, orr_number_of(mode, "s"));
        add_line(lines, point, json_object_get(mode, spectral ? "exact" : "flow"), 0.0, 400, "strength", "mode",
                 json_string_value(label));
        add_line(dots, point, orr_measured_values(run, series_of(k).text), 0.0, DOTS, "strength", "mode",
                 json_string_value(label));
        json_decref(label);
    }
    return orr_page_panel_of("modes", "Singular modes", json_object_get(point, "point"),
                             "Lines: predicted from data and initial weights. Points: measured, seed 0.",
                             "Strength of each singular mode against time, predicted and measured.", false,
                             json_pack("{s:o, s:o}", "predicted", lines, "measured", dots));
}

/* 1/2 sum_{k > m} s_k^2, m = 0, 1, ... */
static void add_plateaus(json_t *rows, const json_t *predicted) {
    const json_t *modes = json_object_get(predicted, "modes");
    double left = 0.0;
    for (size_t k = json_array_size(modes); k-- > 0;) {
        const double s = orr_number_of(json_array_get(modes, k), "s");
        left += 0.5 * s * s * orr_number_of(predicted, "loss_scale");
        orr_json_row(rows, "{s:f}", "loss", left);
    }
}

static void add_half_times(json_t *rows, const json_t *point, const json_t *predicted, const json_t *run) {
    const size_t learnt = (size_t)json_integer_value(json_object_get(predicted, "learnt"));
    for (size_t k = 0; k < learnt && k < MODES_MAX; k++) {
        const json_t *mode = json_array_get(json_object_get(predicted, "modes"), k);
        orr_json_row(
            rows, "{s:O, s:o, s:O}", "predicted", json_object_get(mode, "half_time"), "measured",
            orr_json_real(half_time(json_object_get(point, "step"), orr_measured_values(run, series_of(k).text),
                                    orr_number_of(mode, "s"), orr_number_of(point, "rate"))),
            "label", json_object_get(point, "point"));
    }
}

/* The band of the tolerance around the diagonal, as far as the points go. */
static json_t *band_of(const json_t *rows) {
    double last = 0.0;
    json_t *band = json_array();
    for (size_t i = 0; i < json_array_size(rows); i++)
        last = fmax(last, orr_number_of(json_array_get(rows, i), "predicted"));
    for (int end = 0; end < 2; end++)
        orr_json_row(band, "{s:f, s:f, s:f}", "predicted", end * last, "low",
                     end * last * (1 - checks[RANDOM_HALF].high), "high", end * last * (1 + checks[RANDOM_HALF].high));
    return band;
}

static json_t *figure(const json_t *prediction, const json_t *measurement) {
    const json_t *points = json_object_get(prediction, "points");
    json_t *panels = json_array(), *loss = json_array(), *dots = json_array(), *plateaus = json_array(),
           *half = json_array();
    for (size_t i = 0; i < json_array_size(points); i++) {
        const json_t *point = json_array_get(points, i), *runs = json_object_get(point, "runs"),
                     *first = json_array_get(runs, 0), *run = orr_measured(measurement, i, 0);
        for (size_t seed = 0; seed < json_array_size(runs); seed++)
            add_half_times(half, point, json_array_get(runs, seed), orr_measured(measurement, i, seed));
        if (i >= PANELS) continue;
        const double least = orr_number_of(first, "least_loss");
        const char *name = json_string_value(json_object_get(point, "point"));
        orr_json_add(panels, modes_panel(point, first, run));
        add_line(loss, point, json_object_get(first, "loss"), least, 400, "loss", "label", name);
        add_line(dots, point, orr_measured_values(run, "loss"), least, DOTS, "loss", "label", name);
        if (i == 0) add_plateaus(plateaus, first);
    }
    json_t *band = band_of(half);
    orr_json_add(
        panels,
        orr_page_panel(
            "staircase", "The loss is a staircase",
            "Lines: predicted. Points: measured, seed 0. Dashed: the plateaus, half the squares of the modes that are "
            "still to come, of the first network.",
            "Loss against time, predicted and measured.", true,
            json_pack("{s:o, s:o, s:o}", "predicted", loss, "measured", dots, "plateaus", plateaus)));
    orr_json_add(panels, orr_page_panel("diagonal", "When each mode is half learnt",
                                        "Every mode of every seed. Shaded: the tolerance for random starts, 1.5 %.",
                                        "Measured against predicted half-times.", false,
                                        json_pack("{s:o, s:o}", "measured", half, "tolerance", band)));
    return panels;
}

const orr_law orr_law_deep_linear_modes = {
    .id = "deep-linear-modes",
    .title = "Deep linear networks learn singular modes one after another",
    .statement =
        "A deep linear network that starts small, on white inputs, learns each singular mode of the input-output "
        "correlation by itself, along a sigmoid whose time that mode's singular value sets: strong modes first, "
        "with plateaus of the loss between.",
    .equation = "\\frac{da}{dt} = L\\, a^{2-2/L}\\,(s - a),\\qquad "
                "a(t) = \\frac{s\\, e^{2st}}{e^{2st} - 1 + s/a_0}\\quad (L = 2)",
    .section = "2.1",
    .sources = "Saxe, McClelland, Ganguli 2014 (arXiv 1312.6120); Gidel et al. 2019 (1904.13262); Atanasov et al. 2021 "
               "(2111.00034)",
    .breaks_along = "architecture.weight_deviation=0.001:0.1:5,log",
    .regime = regime,
    .checks = checks,
    .defaults = orr_law_yaml_deep_linear_modes,
    .defaults_size = &orr_law_yaml_deep_linear_modes_size,
    .predict = predict,
    .measure = measure,
    .judge = judge,
    .figure = figure,
};
