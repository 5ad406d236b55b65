/* Online learning of a committee machine: with a fresh example in each update, a student's weight vectors J_i and a teacher's B_m
 * are described in high dimension by their overlaps alone, which obey closed equations in alpha = update/N.
 *
 *     Q = J J',  R = J B',  T = B B'       dQ/dalpha, dR/dalpha, e_g = 1/2 E (s - t)^2: theory/committee.h
 *
 *   paper   here                 meaning                                                     unit
 *   N       dimension            of the inputs
 *   alpha   alpha                updates over dimension
 *   eta     committee.learning_rate   N times the step length of J on 1/2 (y - s)^2
 *   Q_ik    overlap.student.i.k  of the instrument `overlaps`
 *   R_im    overlap.teacher.i.m  of the same
 *
 * The equations start from the overlaps of the initial weights.  Where each student unit has a teacher's of its own from the start,
 * overlaps and error are predicted; from a random start only the error is, since chance decides when the plateau is left and
 * which unit follows which.
 * Sources: Saad, Solla 1995 (PRL 74, 4337; PRE 52, 4225); Goldt et al. 2019 (1906.08632).  Sheet: laws/solvable/saad-solla.md */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/context.h"
#include "lab/training.h"
#include "law/conditions.h"
#include "law/law.h"
#include "law/measuring.h"
#include "law/predicting.h"
#include "report/page.h"
#include "theory/committee.h"

extern const char orr_law_yaml_saad_solla[];
extern const size_t orr_law_yaml_saad_solla_size;

/* Agreement is judged up to here (sheet): later all is at its end, and would dilute the mean over time. */
static const double alpha_max = 100.0;

static const orr_observation *overlaps_of(const orr_point *p) { return orr_point_observation(p, "overlaps"); }
static int64_t dimension_of(const orr_problem *problem) { return orr_dataset_features(&problem->data); }

/* ---- regime ------------------------------------------------------------------------------------------------------------- */

static bool is_committee(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    const orr_settings *s = &p->architecture_settings;
    (void)problem;
    *why = orr_arena_format(out_arena, "the architecture is %s", p->architecture->kind.name);
    if (strcmp(p->architecture->kind.name, "committee") != 0) return false;
    *why = orr_arena_format(out_arena, "activation %s, head %s, bias %s, root %s", orr_text(s, "activation"),
                            orr_text(s, "head"), orr_flag(s, "bias") ? "true" : "false",
                            orr_flag(s, "root") ? "true" : "false");
    if (orr_flag(&p->parameterization_settings, "centred")) {
        *why = orr_arena_string(out_arena, "its output is centred");
        return false;
    }
    return orr_settings_say(s, "activation", "erf-scaled") && !orr_settings_say(s, "head", "trained") &&
           !orr_flag(s, "bias") && !orr_flag(s, "root");
}

static bool learns_a_committee(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    const orr_settings *s = &p->data_settings;
    (void)problem;
    *why = orr_arena_format(out_arena, "the data are %s", p->data->kind.name);
    if (strcmp(p->data->kind.name, "teacher") != 0) return false;
    *why = orr_arena_format(out_arena, "network %s, activation %s", orr_text(s, "network"), orr_text(s, "activation"));
    return orr_settings_say(s, "network", "committee") && orr_settings_say(s, "activation", "erf-scaled");
}

enum { UNITS_MAX = 40, DIMENSION_MIN = 400 };

static bool is_small(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    const int64_t n =
        problem->tensors[0].shape.size[0] + orr_dataset_fact(&problem->data, "teacher.0.weight")->shape.size[0];
    (void)p;
    *why = orr_arena_format(out_arena, "there are %lld", (long long)n);
    return n <= UNITS_MAX;
}

static bool is_squared_error(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    if (!orr_has_squared_error(out_arena, p, problem, why) || !orr_has_no_ridge(out_arena, p, problem, why))
        return false;
    const double scale = orr_real(&p->task_settings, "target_scale");
    *why = orr_arena_format(out_arena, "target_scale %g", scale);
    return scale == 1.0;
}

static bool is_observed(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    (void)problem;
    *why = orr_arena_string(out_arena, "observe needs { kind: overlaps, every: ... }");
    return overlaps_of(p) && orr_is_periodic(overlaps_of(p));
}

static int64_t last_judged(const orr_problem *problem) { return (int64_t)(alpha_max * (double)dimension_of(problem)); }

/* Deviations are largest before units specialise; tolerances are for the mean over all of it. */
static bool is_long(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    *why = orr_arena_format(out_arena, "training ends at alpha = %g", (double)p->steps / (double)dimension_of(problem));
    return p->steps >= last_judged(problem);
}

static bool is_recorded(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    const int64_t n = last_judged(problem) / orr_int(&overlaps_of(p)->settings, "every");
    *why = orr_arena_format(out_arena, "they are recorded %lld times", (long long)n);
    return n >= 20;
}

/* rms of Q and R falls as 1/sqrt N, and is 0.018 on average at N = 100, 0.008 at 400 (sheet, Agreement). */
static bool is_wide(orr_arena *out_arena, const orr_point *p, const orr_problem *problem, const char **why) {
    (void)p;
    *why = orr_arena_format(out_arena, "it is %lld", (long long)dimension_of(problem));
    return dimension_of(problem) >= DIMENSION_MIN;
}

static const orr_condition regime[] = {
    { "the student is a committee of erf-scaled units without biases or root, its head fixed", .point = is_committee },
    { "the teacher is a committee of erf-scaled units", .point = learns_a_committee },
    { "student and teacher have at most 40 units: the equations cost units^4", .point = is_small },
    { "the task is mse without ridge, targets as they are", .point = is_squared_error },
    { "the rule is gd, or sgd without momentum", .point = orr_is_plain_descent },
    { "every update sees fresh examples: sampling online", .point = orr_is_online, .beyond = true },
    { "the learning rate is constant", .point = orr_has_constant_rate, .beyond = true },
    { "the rule is without decay and clipping", .point = orr_is_bare_rule, .beyond = true },
    { "no run ends before its last update", .point = orr_runs_to_its_end },
    { "overlaps are observed at a constant distance", .point = is_observed },
    { "training is long enough: alpha = updates/dimension reaches 100", .point = is_long, .beyond = true },
    { "overlaps are recorded at least 20 times before alpha = 100", .point = is_recorded },
    { "the dimension is at least 400: deviations grow as 1/sqrt(dimension)", .point = is_wide, .beyond = true },
    { 0 },
};

/* ---- prediction --------------------------------------------------------------------------------------------------------- */

/* J_i moves by -rate times the gradient of factor (y - s)^2 of an example in multiplier w: eta = N rate 2 factor multiplier^2. */
static orr_committee committee_of(const orr_point *p, const orr_problem *problem) {
    const orr_tensor *j = &problem->tensors[0], *head = &problem->tensors[1];
    const orr_settings *rule = &p->rule_settings;
    const orr_array *b = orr_dataset_fact(&problem->data, "teacher.0.weight"),
                    *readout = orr_dataset_fact(&problem->data, "teacher.1.weight");
    const double batch = (double)orr_training_batch(rule, problem->data.n);
    const double summed = orr_settings_say(&p->task_settings, "examples", "sum") ? batch : 1.0;
    const double deviation = orr_real(&p->data_settings, "noise");
    return (orr_committee){
        .students = j->shape.size[0],
        .teachers = b->shape.size[0],
        .student_head = head->mean * head->multiplier,
        .teacher_head = ((const double *)readout->data)[0],
        .learning_rate = (double)dimension_of(problem) * orr_real(rule, "learning_rate") * j->rate_gradient * summed *
                         2.0 * orr_real(&p->task_settings, "factor") * j->multiplier * j->multiplier,
        .batch = batch,
        .noise = deviation * deviation,
    };
}

static double inner(int64_t d, const double *u, const double *v) {
    double sum = 0.0;
    for (int64_t l = 0; l < d; l++) sum += u[l] * v[l];
    return sum;
}

/* C of the initial weights of a seed: [n, n] in out_arena. */
static orr_status initial_covariance(orr_context *ctx, orr_arena *out_arena, const orr_problem *problem, uint64_t seed,
                                     const orr_committee *m, double **c) {
    const int64_t n = m->students + m->teachers, d = dimension_of(problem);
    const double *b = orr_dataset_fact(&problem->data, "teacher.0.weight")->data;
    double *w = ORR_NEW(out_arena, double, problem->n);
    *c = ORR_NEW(out_arena, double, n *n);
    if (!w || !*c) return orr_fail(ctx, ORR_ENOMEM, "saad-solla: no memory for %lld weights", (long long)problem->n);
    ORR_TRY(ctx, orr_problem_initial(ctx, problem, seed, w));
    for (int64_t i = 0; i < m->students * d; i++) w[i] *= problem->tensors[0].multiplier;
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < n; k++)
            (*c)[i * n + k] = inner(d, i < m->students ? w + i * d : b + (i - m->students) * d,
                                    k < m->students ? w + k * d : b + (k - m->students) * d);
    return ORR_OK;
}

/* Whether each student unit overlaps with a teacher's of its own more than with any other: by over 3 deviations |J| |B|/sqrt N of an
 * overlap by chance at the least dimension of the regime. */
static bool is_specialised(const orr_committee *m, const double *c) {
    const int64_t K = m->students, n = K + m->teachers;
    int64_t taken[UNITS_MAX];
    if (K > m->teachers) return false;
    for (int64_t i = 0; i < K; i++) {
        double largest = 0.0, second = 0.0;
        taken[i] = K;
        for (int64_t j = K; j < n; j++) {
            const double r = fabs(c[i * n + j]) / sqrt(c[j * n + j]);
            if (r > largest) second = largest, largest = r, taken[i] = j;
            else if (r > second) second = r;
        }
        if (largest - second <= 3.0 * sqrt(c[i * n + i] / (double)DIMENSION_MIN)) return false;
        for (int64_t k = 0; k < i; k++)
            if (taken[k] == taken[i]) return false;
    }
    return true;
}

/* Name of the series of the entry (i, j) of C, i a student: "overlap.student.2.1", "overlap.teacher.1.2". */
typedef struct series_name {
    char text[64];
} series_name;

static series_name name_of(const orr_committee *m, int64_t i, int64_t j) {
    const bool teacher = j >= m->students;
    const int64_t first = teacher || i > j ? i : j, second = teacher ? j - m->students : i > j ? j : i;
    series_name name;
    (void)snprintf(name.text, sizeof name.text, "overlap.%s.%lld.%lld", teacher ? "teacher" : "student",
                   (long long)first + 1, (long long)second + 1);
    return name;
}

/* When overlaps are recorded. */
typedef struct schedule {
    int64_t n;
    double *step, *alpha;
} schedule;

/* Path and error of a seed: (new) { seed, specialised, error: [...], overlap: { NAME: [...] } }. */
static orr_status predict_seed(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point,
                               int64_t seed, const void *known, json_t **out) {
    const schedule *r = known;
    const orr_problem *problem = in->problems[point * in->experiment->seeds + seed];
    const orr_committee m = committee_of(&in->experiment->points[point], problem);
    const int64_t n = m.students + m.teachers;
    double *c_0, *path = ORR_NEW(scratch, double, r->n *n *n), *one = ORR_NEW(scratch, double, r->n),
                 *error = ORR_NEW(scratch, double, r->n);
    if (!path || !one || !error)
        return orr_fail(ctx, ORR_ENOMEM, "saad-solla: no memory for %lld times", (long long)r->n);
    ORR_TRY(ctx, initial_covariance(ctx, scratch, problem, (uint64_t)seed, &m, &c_0));
    ORR_TRY(ctx, orr_committee_path(ctx, scratch, &m, c_0, r->n, r->alpha, path, error));
    json_t *overlap = json_object();
    for (int64_t i = 0; i < m.students; i++)
        for (int64_t j = 0; j < n; j++) {
            if (j > i && j < m.students) continue;
            for (int64_t s = 0; s < r->n; s++) one[s] = path[(s * n + i) * n + j];
            (void)json_object_set_new(overlap, name_of(&m, i, j).text, orr_json_reals(one, r->n));
        }
    *out = json_pack("{s:I, s:b, s:o, s:o}", "seed", (json_int_t)seed, "specialised", (int)is_specialised(&m, c_0),
                     "error", orr_json_reals(error, r->n), "overlap", overlap);
    return ORR_OK;
}

static orr_status predict_point(orr_context *ctx, orr_arena *scratch, const orr_premises *in, int64_t point,
                                const void *known, json_t **out) {
    const orr_point *p = &in->experiment->points[point];
    const orr_problem *problem = in->problems[point * in->experiment->seeds];
    const int64_t n = orr_observed_updates(p, overlaps_of(p), NULL), d = dimension_of(problem);
    const schedule r = { n, ORR_NEW(scratch, double, n), ORR_NEW(scratch, double, n) };
    const orr_committee m = committee_of(p, problem);
    const double *b = orr_dataset_fact(&problem->data, "teacher.0.weight")->data;
    json_t *runs, *t = json_array(); /* T, row by row */
    (void)known;
    if (!r.step || !r.alpha) return orr_fail(ctx, ORR_ENOMEM, "saad-solla: no memory for %lld times", (long long)n);
    (void)orr_observed_updates(p, overlaps_of(p), r.step);
    for (int64_t s = 0; s < n; s++) r.alpha[s] = r.step[s] / (double)d;
    for (int64_t i = 0; i < m.teachers * m.teachers; i++)
        orr_json_add(t, orr_json_real(inner(d, b + i / m.teachers * d, b + i % m.teachers * d)));
    const orr_status status = orr_predict_runs(ctx, scratch, in, point, predict_seed, &r, &runs);
    if (status != ORR_OK) json_decref(t);
    ORR_TRY(ctx, status);
    *out = json_pack("{s:s, s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:I, s:o, s:o, s:o, s:o}", "point", p->name,
                     "dimension", (json_int_t)d, "students", (json_int_t)m.students, "teachers", (json_int_t)m.teachers,
                     "student_head", m.student_head, "teacher_head", m.teacher_head, "learning_rate", m.learning_rate,
                     "batch", m.batch, "noise", m.noise, "last_judged", (json_int_t)last_judged(problem), "teacher", t,
                     "step", orr_json_reals(r.step, n), "alpha", orr_json_reals(r.alpha, n), "runs", runs);
    return ORR_OK;
}

static orr_status predict(orr_context *ctx, orr_arena *scratch, const orr_premises *in, json_t **prediction) {
    return orr_predict_each(ctx, scratch, in, "saad-solla", predict_point, NULL, prediction);
}

/* ---- measurement -------------------------------------------------------------------------------------------------------- */

static orr_status measure_run(orr_context *ctx, orr_arena *scratch, const orr_records *records, int64_t point,
                              int64_t seed, json_t **out) {
    static const char *const names[] = { "overlap.*", NULL };
    return orr_measure_series(ctx, scratch, records, point, seed, names, out);
}

static orr_status measure(orr_context *ctx, orr_arena *scratch, const orr_records *records, json_t **measurement) {
    return orr_measure_runs(ctx, scratch, records, measure_run, measurement);
}

/* ---- judgement ---------------------------------------------------------------------------------------------------------- */

/* ORDER checks: in `judge` */
static const orr_check checks[] = {
    /* all tolerances: sheet, Agreement */
    { "specialised start: rms of measured less predicted Q and R", 0.0, 0.02 },
    { "specialised start: rms of measured less predicted e_g, over e_g(0)", 0.0, 0.008 },
    { "random start: rms of measured less predicted e_g", 0.0, 0.02 },
    { 0 },
};
enum { OVERLAPS, SPECIALISED_ERROR, RANDOM_ERROR };

static orr_committee committee_from(const json_t *point) {
    return (orr_committee){ .students = json_integer_value(json_object_get(point, "students")),
                            .teachers = json_integer_value(json_object_get(point, "teachers")),
                            .student_head = orr_number_of(point, "student_head"),
                            .teacher_head = orr_number_of(point, "teacher_head") };
}

/* Measured value number s of a series; NaN where it isn't, or not of that step. */
static double measured_at(const json_t *run, const char *name, double step, size_t s) {
    return orr_number_at(orr_measured_steps(run, name), s) == step ? orr_number_at(orr_measured_values(run, name), s)
                                                                   : (double)NAN;
}

/* C of record s, as measured; T as predicted. */
typedef struct covariance {
    double c[UNITS_MAX * UNITS_MAX];
} covariance;

static void measured_covariance(const orr_committee *m, const json_t *point, const json_t *run, size_t s,
                                covariance *out) {
    const int64_t K = m->students, n = K + m->teachers;
    const json_t *teacher = json_object_get(point, "teacher");
    const double step = orr_number_at(json_object_get(point, "step"), s);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j <= i; j++)
            out->c[i * n + j] = out->c[j * n + i] =
                j >= K ? orr_number_at(teacher, (size_t)((i - K) * m->teachers + j - K))
                       : measured_at(run, name_of(m, j, i).text, step, s);
}

/* Root mean squares over records up to alpha_max: over all entries of Q and R, and of e_g.  NaN where a record is missing. */
typedef struct deviation {
    double overlaps, error, error_0;
} deviation;

static deviation deviation_of(const json_t *point, const json_t *predicted, const json_t *run) {
    const orr_committee m = committee_from(point);
    const int64_t K = m.students, n = K + m.teachers;
    const json_t *step = json_object_get(point, "step"), *error = json_object_get(predicted, "error"),
                 *overlap = json_object_get(predicted, "overlap");
    double squares = 0.0, error_squares = 0.0, count = 0.0;
    covariance measured = { 0 };
    for (size_t s = 0; s < json_array_size(step); s++, count++) {
        if (orr_number_at(step, s) > orr_number_of(point, "last_judged")) break;
        measured_covariance(&m, point, run, s, &measured);
        for (int64_t i = 0; i < K; i++)
            for (int64_t j = 0; j < n; j++) {
                const double d =
                    measured.c[i * n + j] - orr_number_at(json_object_get(overlap, name_of(&m, i, j).text), s);
                squares += d * d;
            }
        const double d = orr_committee_error(&m, measured.c) - orr_number_at(error, s);
        error_squares += d * d;
    }
    return (deviation){ sqrt(squares / (count * (double)(K * n))), sqrt(error_squares / count),
                        orr_number_at(error, 0) };
}

static void judge_run(const json_t *point, const json_t *predicted, const json_t *run, orr_check_values *values) {
    const deviation d = deviation_of(point, predicted, run);
    if (json_is_true(json_object_get(predicted, "specialised"))) {
        orr_check_add(&values[OVERLAPS], d.overlaps);
        orr_check_add(&values[SPECIALISED_ERROR], d.error / d.error_0);
    } else {
        orr_check_add(&values[RANDOM_ERROR], d.error);
    }
}

static orr_status judge(orr_context *ctx, orr_arena *out_arena, const json_t *prediction, const json_t *measurement,
                        orr_check_values *values) {
    return orr_judge_runs(ctx, out_arena, checks, 1, prediction, "runs", measurement, judge_run, values);
}

/* ---- figure ------------------------------------------------------------------------------------------------------------- */

enum { DOTS = 80 }; /* of measurement along a curve */

static size_t stride_of(const json_t *step, size_t dots) { return json_array_size(step) / dots + 1; }

/* e_g against alpha of one run: a line predicted, dots measured. */
static void add_errors(const json_t *point, const json_t *predicted, const json_t *run, json_t *lines, json_t *dots) {
    const orr_committee m = committee_from(point);
    const json_t *alpha = json_object_get(point, "alpha"), *label = json_object_get(point, "point"),
                 *seed = json_object_get(predicted, "seed"), *error = json_object_get(predicted, "error");
    covariance measured = { 0 };
    for (size_t s = 0; s < json_array_size(alpha); s += stride_of(alpha, 4 * DOTS))
        orr_json_row(lines, "{s:O, s:O, s:O, s:O}", "alpha", json_array_get(alpha, s), "error",
                     json_array_get(error, s), "label", label, "seed", seed);
    for (size_t s = 0; s < json_array_size(alpha); s += stride_of(alpha, DOTS)) {
        measured_covariance(&m, point, run, s, &measured);
        orr_json_row(dots, "{s:O, s:o, s:O, s:O}", "alpha", json_array_get(alpha, s), "error",
                     orr_json_real(orr_committee_error(&m, measured.c)), "label", label, "seed", seed);
    }
}

/* Where e_g falls least before it falls to a third: the plateau from which units specialise.  (new) rows { alpha, error }. */
static void add_plateau(const json_t *point, const json_t *predicted, json_t *rows) {
    const json_t *alpha = json_object_get(point, "alpha"), *error = json_object_get(predicted, "error");
    const size_t n = json_array_size(error);
    double slowest = (double)INFINITY;
    size_t at = n;
    for (size_t s = 1; s + 1 < n; s++) {
        const double fall = log(orr_number_at(error, s) / orr_number_at(error, s + 1));
        const bool high = orr_number_at(error, s) > 1e-3 * orr_number_at(error, 0);
        if (high && fall < slowest && orr_number_at(error, n - 1) < orr_number_at(error, s) / 3.0)
            slowest = fall, at = s;
    }
    if (at < n)
        orr_json_row(rows, "{s:O, s:O}", "alpha", json_array_get(alpha, at), "error", json_array_get(error, at));
}

/* "Q 12" of overlap.student.1.2, "R 12" of overlap.teacher.1.2 */
static json_t *short_name(const char *name) {
    int i, k;
    char kind[16] = "", text[32] = "";
    if (sscanf(name, "overlap.%15[a-z].%d.%d", kind, &i, &k) == 3)
        (void)snprintf(text, sizeof text, "%c %d,%d", strcmp(kind, "student") == 0 ? 'Q' : 'R', i, k);
    return json_string(text);
}

static void add_overlaps(const json_t *point, const json_t *predicted, const json_t *run, json_t *lines, json_t *dots) {
    const json_t *alpha = json_object_get(point, "alpha"), *step = json_object_get(point, "step");
    const char *name;
    json_t *values;
    json_object_foreach(json_object_get(predicted, "overlap"), name, values) {
        json_t *label = short_name(name);
        for (size_t s = 0; s < json_array_size(alpha); s += stride_of(alpha, 4 * DOTS))
            orr_json_row(lines, "{s:O, s:O, s:O}", "alpha", json_array_get(alpha, s), "overlap",
                         json_array_get(values, s), "label", label);
        for (size_t s = 0; s < json_array_size(alpha); s += stride_of(alpha, DOTS))
            orr_json_row(dots, "{s:O, s:o, s:O}", "alpha", json_array_get(alpha, s), "overlap",
                         orr_json_real(measured_at(run, name, orr_number_at(step, s), s)), "label", label);
        json_decref(label);
    }
}

static void add_deviation(const json_t *point, const json_t *predicted, const json_t *run, json_t *rows) {
    const deviation d = deviation_of(point, predicted, run);
    orr_json_row(rows, "{s:O, s:o, s:O, s:O}", "dimension", json_object_get(point, "dimension"), "rms",
                 orr_json_real(d.overlaps), "label", json_object_get(point, "point"), "seed",
                 json_object_get(predicted, "seed"));
}

/* rms falling as 1/sqrt N through the mean of the first point, from the smallest dimension to the largest. */
static json_t *guide_of(const json_t *deviations) {
    double low = (double)INFINITY, high = 0.0, scaled = 0.0, n = 0.0;
    size_t i;
    json_t *row, *guide = json_array();
    json_array_foreach(deviations, i, row) {
        const double dimension = orr_number_of(row, "dimension"), rms = orr_number_of(row, "rms");
        low = fmin(low, dimension), high = fmax(high, dimension);
        if (isfinite(rms)) scaled += rms * sqrt(dimension), n++;
    }
    for (int end = 0; end < 2; end++)
        orr_json_row(guide, "{s:f, s:o}", "dimension", end ? high : low, "rms",
                     orr_json_real(scaled / n / sqrt(end ? high : low)));
    return guide;
}

static bool has_one_dimension(const json_t *points) {
    for (size_t i = 1; i < json_array_size(points); i++)
        if (orr_number_of(json_array_get(points, i), "dimension") !=
            orr_number_of(json_array_get(points, 0), "dimension"))
            return false;
    return true;
}

static json_t *figure(const json_t *prediction, const json_t *measurement) {
    const json_t *points = json_object_get(prediction, "points");
    json_t *panels = json_array(), *lines = json_array(), *dots = json_array(), *plateaus = json_array(),
           *deviations = json_array(), *overlap_lines = json_array(), *overlap_dots = json_array();
    for (size_t i = 0; i < json_array_size(points); i++) {
        const json_t *point = json_array_get(points, i), *runs = json_object_get(point, "runs");
        for (size_t seed = 0; seed < json_array_size(runs); seed++) {
            const json_t *predicted = json_array_get(runs, seed), *run = orr_measured(measurement, i, seed);
            const bool specialised = json_is_true(json_object_get(predicted, "specialised"));
            add_errors(point, predicted, run, lines, dots);
            if (!specialised) add_plateau(point, predicted, plateaus);
            else add_deviation(point, predicted, run, deviations);
            if (i == 0 && seed == 0) add_overlaps(point, predicted, run, overlap_lines, overlap_dots);
        }
    }
    orr_json_add(
        panels,
        orr_page_panel("committee_error", "The error of generalisation follows the closed equations",
                       "Lines: predicted from the initial overlaps. Points: training, from its overlaps; all seeds.",
                       "Error of generalisation against alpha, predicted and measured.", true,
                       json_pack("{s:o, s:o, s:o}", "predicted", lines, "measured", dots, "plateaus", plateaus)));
    orr_json_add(panels,
                 orr_page_panel("committee_overlaps", "Each unit turns to a teacher's",
                                "Overlaps R with the teacher and Q among students, of the first point's first seed. "
                                "Lines: predicted; points: measured.",
                                "Overlaps against alpha, predicted and measured.", has_one_dimension(points),
                                json_pack("{s:o, s:o}", "predicted", overlap_lines, "measured", overlap_dots)));
    if (!has_one_dimension(points) && json_array_size(deviations) > 0)
        orr_json_add(panels,
                     orr_page_panel(
                         "committee_deviation", "Deviations fall as 1/\u221aN",
                         "A point for each run with a specialised start. Line: slope \u22121/2. Shaded: tolerance.",
                         "Root mean square of measured less predicted overlaps, against the dimension.", false,
                         json_pack("{s:O, s:o, s:[{s:f, s:f}]}", "measured", deviations, "guide", guide_of(deviations),
                                   "tolerance", "low", checks[OVERLAPS].low, "high", checks[OVERLAPS].high)));
    json_decref(deviations);
    return panels;
}

const orr_law orr_law_saad_solla = {
    .id = "saad-solla",
    .title = "Online learning of a committee machine",
    .statement =
        "One-pass training of a two-layer network on the answers of another closes, in high dimension, on their "
        "overlaps: differential equations predict the error, its plateau and the specialisation of units.",
    .equation =
        "\\begin{aligned} \\frac{dR_{in}}{d\\alpha} &= \\eta\\, \\langle \\delta_i y_n \\rangle,\\qquad "
        "\\frac{dQ_{ik}}{d\\alpha} = \\eta\\, \\langle \\delta_i x_k + \\delta_k x_i \\rangle + \\eta^2 \\langle "
        "\\delta_i \\delta_k \\rangle \\\\ "
        "\\epsilon_g &= \\tfrac12 \\langle (\\textstyle\\sum_i g(x_i) - \\sum_n g(y_n))^2 \\rangle \\end{aligned}",
    .section = "2.1",
    .sources = "Saad, Solla 1995 (PRL 74, 4337; PRE 52, 4225); Goldt et al. 2019 (arXiv 1906.08632); Veiga et al. 2022 "
               "(2202.00293)",
    .breaks_along = "data.dimension=20:400:5,log",
    .regime = regime,
    .checks = checks,
    .defaults = orr_law_yaml_saad_solla,
    .defaults_size = &orr_law_yaml_saad_solla_size,
    .predict = predict,
    .measure = measure,
    .judge = judge,
    .figure = figure,
};
