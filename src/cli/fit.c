/* orrery fit: laws of section 2.3 and 2.4 fitted to a table of the user's own. */
#define _POSIX_C_SOURCE 200809L /* access */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/context.h"
#include "base/file/csv.h"
#include "base/json.h"
#include "base/number.h"
#include "cli/options.h"
#include "theory/batch_fit.h"
#include "theory/scaling_fit.h"

static const char usage[] =
    "usage: orrery fit scaling FILE.csv --loss COLUMN --params COLUMN --data COLUMN [--compute C] [options]\n"
    "       orrery fit batch FILE.csv --batch COLUMN --steps COLUMN | --examples COLUMN [options]\n"
    "\n"
    "  orrery fit scaling losses.csv --loss loss --params N --data D\n"
    "  orrery fit scaling losses.csv --loss loss --params N --data D --compute 5.76e23\n"
    "  orrery fit batch steps.csv --batch B --steps S\n"
    "\n"
    "scaling: L = E + A N^-alpha + B D^-beta, one row a training, L the least test loss it reached; the robust fit of "
    "Hoffmann et\n"
    "al. with intervals of 95 % from resampled rows; the split of compute C = 6 N D that has the least loss; and how "
    "far the rows\n"
    "with little data predict those with more than a quarter of the most. Leave out what is too small to be on the "
    "power law.\n"
    "\n"
    "batch: S = S_min (1 + B_crit/B), one row a batch size B, S the updates that it took to one and the same loss with "
    "the best\n"
    "learning rate (or E = B S, the examples). Beyond B_crit larger batches save few updates.\n"
    "\n"
    "  --loss, --params, --data, --batch, --steps, --examples COLUMN   names of columns; a first line names them\n"
    "  --compute C       floating-point operations of the training that is planned\n"
    "  --resamples N     for the intervals (default: 1000)\n"
    "  --json            one JSON object instead of the table\n"
    "\n"
    "Exit codes: 0 done, 2 wrong usage or bad input, 3 the machine could not do it.\n";

enum { RESAMPLES = 1000, RESAMPLES_MAX = 100000 };

typedef struct options {
    const char *kind, *file;
    const char *loss, *params, *data, *batch, *steps, *examples;
    double compute; /* 0: none */
    long long resamples;
    bool json;
} options;

typedef struct session {
    orr_context *ctx;
    orr_arena *arena;
    const options *o;
} session;

static int parse(int argc, char **argv, options *o) {
    static const char *const kinds[] = { "scaling", "batch", NULL };
    const char *word[2] = { NULL, NULL }, *compute = NULL;
    const orr_cli_option table[] = {
        { .name = "--loss", .value = &o->loss },
        { .name = "--params", .value = &o->params },
        { .name = "--data", .value = &o->data },
        { .name = "--compute", .value = &compute },
        { .name = "--batch", .value = &o->batch },
        { .name = "--steps", .value = &o->steps },
        { .name = "--examples", .value = &o->examples },
        { .name = "--resamples", .number = &o->resamples, .least = 40, .most = RESAMPLES_MAX },
        { .name = "--json", .flag = &o->json },
        { 0 },
    };
    int n;
    o->resamples = RESAMPLES;
    const int code = orr_cli_parse("fit", usage, "word", argc, argv, table, word, 2, &n);
    if (code != ORR_CLI_GO) return code;
    if (n == 0) return orr_cli_usage("fit", "needs what to fit, scaling or batch, and a file; see orrery fit --help");
    if (strcmp(word[0], kinds[0]) != 0 && strcmp(word[0], kinds[1]) != 0)
        return orr_cli_unknown("fit", "law to fit", word[0], kinds);
    o->kind = word[0];
    o->file = word[1];
    if (!o->file) return orr_cli_usage("fit", "%s needs a CSV file; see orrery fit --help", o->kind);
    if (!compute) return ORR_CLI_GO;
    if (orr_number_read(compute, strlen(compute), &o->compute) || !(o->compute > 0.0 && isfinite(o->compute)))
        return orr_cli_usage("fit", "--compute: expected a positive number such as 5.76e23, met '%s'", compute);
    return ORR_CLI_GO;
}

/* Which options a kind takes: those it must have, and none of the other's. */
static int check_columns(const options *o) {
    if (strcmp(o->kind, "scaling") == 0) {
        if (!o->loss || !o->params || !o->data)
            return orr_cli_usage("fit", "scaling needs %s, the name of a column; see orrery fit --help",
                                 !o->loss     ? "--loss"
                                 : !o->params ? "--params"
                                              : "--data");
        if (o->batch || o->steps || o->examples)
            return orr_cli_usage("fit", "--%s belongs to fit batch",
                                 o->batch   ? "batch"
                                 : o->steps ? "steps"
                                            : "examples");
        return ORR_CLI_GO;
    }
    if (!o->batch) return orr_cli_usage("fit", "batch needs --batch, the name of a column; see orrery fit --help");
    if (!o->steps == !o->examples)
        return orr_cli_usage("fit", "batch needs one of --steps and --examples, the name of a column");
    if (o->loss || o->params || o->data || o->compute > 0.0)
        return orr_cli_usage("fit", "--%s belongs to fit scaling",
                             o->loss     ? "loss"
                             : o->params ? "params"
                             : o->data   ? "data"
                                         : "compute");
    return ORR_CLI_GO;
}

/* Columns of positive numbers: value[rows, n]. */
static orr_status read_columns(session *s, const char *const *names, int n, int64_t least, const double **value,
                               int64_t *rows) {
    orr_csv csv;
    orr_array array;
    if (access(s->o->file, F_OK) != 0) /* a name that is wrong is the user's; all else the machine's */
        return orr_fail(s->ctx, ORR_EINPUT, "%s: can't be opened (%s)", s->o->file, strerror(errno));
    ORR_TRY(s->ctx, orr_csv_read(s->ctx, s->arena, s->o->file, NULL, &csv));
    ORR_TRY(s->ctx, orr_csv_numbers(s->ctx, s->arena, &csv, names, n, &array));
    *value = array.data;
    *rows = csv.rows;
    for (int64_t i = 0; i < csv.rows; i++)
        for (int j = 0; j < n; j++)
            if (!((*value)[i * n + j] > 0.0 && isfinite((*value)[i * n + j])))
                return orr_fail(s->ctx, ORR_EINPUT, "%s:%lld: column '%s': %g; expected a positive, finite number",
                                s->o->file, (long long)csv.line[i], names[j], (*value)[i * n + j]);
    if (csv.rows < least)
        return orr_fail(s->ctx, ORR_EINPUT, "%s: %lld row%s; this fit needs at least %lld", s->o->file,
                        (long long)csv.rows, csv.rows == 1 ? "" : "s", (long long)least);
    return ORR_OK;
}

/* Fewer different values of column j leave constants open that belong to it. */
static orr_status need_different(session *s, const double *value, int64_t rows, int n, int j, const char *name,
                                 int64_t least) {
    int64_t different = 0;
    for (int64_t i = 0; i < rows; i++) {
        bool seen = false;
        for (int64_t k = 0; k < i; k++) seen = seen || value[k * n + j] == value[i * n + j];
        different += !seen;
    }
    if (different >= least) return ORR_OK;
    return orr_fail(s->ctx, ORR_EINPUT, "%s: column '%s' has %lld different value%s; this fit needs at least %lld",
                    s->o->file, name, (long long)different, different == 1 ? "" : "s", (long long)least);
}

static orr_status print_json(session *s, json_t *object) {
    char *text;
    const orr_status status = orr_json_text(s->ctx, s->arena, object, 17, &text);
    json_decref(object);
    if (status == ORR_OK) printf("%s\n", text);
    return status;
}

/* ---- scaling ------------------------------------------------------------------------------------------------------------ */

/* One number with its interval. */
typedef struct estimate {
    const char *name, *key;
    double value, interval[2];
} estimate;

enum { E, ALPHA, BETA, A, B, CONSTANTS };
enum { N_EXPONENT = CONSTANTS, D_EXPONENT, FRONTIER, N_STAR, D_STAR, L_STAR, ESTIMATES };

/* ORDER estimate: the enums above.  As the table and as JSON have them. */
static const char *const estimate_names[ESTIMATES][2] = {
    { "E", "E" },
    { "alpha", "alpha" },
    { "beta", "beta" },
    { "A", "A" },
    { "B", "B" },
    { "N* exponent", "params_exponent" },
    { "D* exponent", "data_exponent" },
    { "L* exponent", "loss_exponent" },
    { "N*", "params" },
    { "D*", "data" },
    { "L*", "loss" },
};

static double estimate_of(const orr_scaling_law *law, double compute, int i) {
    const orr_scaling_optimum o = orr_scaling_optimum_at(law, compute);
    const double all[ESTIMATES] = {
        law->E,          law->alpha,          law->beta,    law->A, law->B, o.parameters_exponent,
        o.data_exponent, o.frontier_exponent, o.parameters, o.data, o.loss
    };
    return all[i];
}

/* An interval is of those resamples in which the number exists. */
static void estimate_all(const orr_scaling_law *law, const orr_scaling_law *drawn, int64_t n, double compute,
                         double *room, estimate out[ESTIMATES]) {
    for (int i = 0; i < ESTIMATES; i++) {
        int64_t finite = 0;
        out[i] = (estimate){ estimate_names[i][0], estimate_names[i][1], estimate_of(law, compute, i), { 0 } };
        for (int64_t k = 0; k < n; k++) {
            room[finite] = estimate_of(&drawn[k], compute, i);
            finite += isfinite(room[finite]);
        }
        orr_scaling_interval(room, finite, out[i].interval);
    }
}

typedef struct scaling {
    const orr_scaling_cell *cell;
    int64_t n;
    orr_scaling_law law;
    double rms;
    estimate estimate[ESTIMATES];
    orr_scaling_extrapolation beyond; /* held = 0: too few rows for it */
    double params_max, data_max;
} scaling;

static orr_status read_cells(session *s, scaling *out) {
    const char *const names[3] = { s->o->params, s->o->data, s->o->loss };
    const double *value = NULL;
    ORR_TRY(s->ctx, read_columns(s, names, 3, ORR_SCALING_CELLS_MIN, &value, &out->n));
    ORR_TRY(s->ctx, need_different(s, value, out->n, 3, 0, s->o->params, 3));
    ORR_TRY(s->ctx, need_different(s, value, out->n, 3, 1, s->o->data, 3));
    orr_scaling_cell *cell = ORR_NEW(s->arena, orr_scaling_cell, out->n);
    if (!cell) return orr_fail(s->ctx, ORR_ENOMEM, "no memory for %lld rows", (long long)out->n);
    for (int64_t i = 0; i < out->n; i++) {
        cell[i] = (orr_scaling_cell){ value[3 * i], value[3 * i + 1], value[3 * i + 2] };
        out->params_max = fmax(out->params_max, cell[i].parameters);
        out->data_max = fmax(out->data_max, cell[i].data);
    }
    out->cell = cell;
    return ORR_OK;
}

/* Where at least two amounts of data are left to fit. */
static orr_status extrapolate(session *s, scaling *out) {
    const double most = out->data_max / 4.0;
    int64_t fitted = 0;
    double low = (double)INFINITY, high = 0.0;
    for (int64_t i = 0; i < out->n; i++) {
        if (out->cell[i].data > most) continue;
        fitted++;
        low = fmin(low, out->cell[i].data);
        high = fmax(high, out->cell[i].data);
    }
    if (fitted < ORR_SCALING_CELLS_MIN || low == high) return ORR_OK;
    return orr_scaling_extrapolate(s->ctx, s->arena, out->cell, out->n, most, &out->beyond);
}

static orr_status fit_all(session *s, scaling *out) {
    const int64_t resamples = s->o->resamples;
    orr_scaling_law *drawn = ORR_NEW(s->arena, orr_scaling_law, resamples);
    double *room = ORR_NEW(s->arena, double, resamples);
    if (!drawn || !room) return orr_fail(s->ctx, ORR_ENOMEM, "no memory for %lld resamples", (long long)resamples);
    ORR_TRY(s->ctx, read_cells(s, out));
    ORR_TRY(s->ctx, orr_scaling_fit(s->ctx, s->arena, out->cell, out->n, &out->law));
    ORR_TRY(s->ctx, orr_scaling_bootstrap(s->ctx, s->arena, out->cell, out->n, &out->law, resamples, drawn));
    out->rms = orr_scaling_rms(&out->law, out->cell, out->n);
    estimate_all(&out->law, drawn, resamples, s->o->compute > 0.0 ? s->o->compute : 1.0, room, out->estimate);
    return extrapolate(s, out);
}

static void print_estimate(const estimate *e) {
    printf("%-12s %12.5g   [%.4g, %.4g]\n", e->name, e->value, e->interval[0], e->interval[1]);
}

static void print_scaling(const options *o, const scaling *f) {
    printf("L = E + A N^-alpha + B D^-beta, %lld trainings of %s\n\n", (long long)f->n, o->file);
    printf("%-12s %12s   95 %% of %lld resamples\n", "", "", o->resamples);
    for (int i = 0; i < CONSTANTS; i++) print_estimate(&f->estimate[i]);
    printf("\nroot mean square of log residuals %.3g\n", f->rms);
    if (f->beyond.held)
        printf("extrapolated: fitted on %lld trainings with D <= %.4g, the %lld others are predicted to %.2g %% on "
               "average, "
               "%.2g %% at worst\n",
               (long long)f->beyond.fitted, f->beyond.data_max, (long long)f->beyond.held, 100.0 * f->beyond.mean_error,
               100.0 * f->beyond.max_error);
    if (f->estimate[E].interval[0] < 1e-3 * f->estimate[E].value)
        printf("the floor E is open below: more data or larger models would show it\n");
    if (!isfinite(f->estimate[N_EXPONENT].value)) {
        printf("no compute-optimal split: alpha and beta must be positive\n");
        return;
    }
    printf("\ncompute-optimal: N* ~ C^%.4g, D* ~ C^%.4g, L* - E ~ C^-%.4g, C = 6 N D\n", f->estimate[N_EXPONENT].value,
           f->estimate[D_EXPONENT].value, f->estimate[FRONTIER].value);
    if (!(o->compute > 0.0)) return;
    printf("\nfor C = %.6g\n", o->compute);
    for (int i = N_STAR; i < ESTIMATES; i++) print_estimate(&f->estimate[i]);
    const double ratio = fmax(f->estimate[N_STAR].value / f->params_max, f->estimate[D_STAR].value / f->data_max);
    if (ratio > 10.0) printf("that is %.2g times beyond the largest training of the table\n", ratio);
}

static json_t *estimates_json(const estimate *e, int n) {
    json_t *object = json_object();
    for (int i = 0; i < n; i++)
        (void)json_object_set_new(object, e[i].key,
                                  json_pack("{s:o, s:[o, o]}", "value", orr_json_real(e[i].value), "interval",
                                            orr_json_real(e[i].interval[0]), orr_json_real(e[i].interval[1])));
    return object;
}

static json_t *scaling_json(const options *o, const scaling *f) {
    json_t *object = json_pack(
        "{s:s, s:s, s:I, s:I, s:o, s:f, s:o, s:o, s:o}", "fit", "scaling", "file", o->file, "rows", (json_int_t)f->n,
        "resamples", (json_int_t)o->resamples, "constants", estimates_json(f->estimate, CONSTANTS), "rms_log_residual",
        f->rms, "exponents", estimates_json(f->estimate + N_EXPONENT, N_STAR - N_EXPONENT), "extrapolation",
        f->beyond.held ? json_pack("{s:f, s:I, s:I, s:o, s:o}", "data_max", f->beyond.data_max, "fitted",
                                   (json_int_t)f->beyond.fitted, "held", (json_int_t)f->beyond.held, "mean_error",
                                   orr_json_real(f->beyond.mean_error), "max_error", orr_json_real(f->beyond.max_error))
                       : json_null(),
        "optimum", o->compute > 0.0 ? estimates_json(f->estimate + N_STAR, ESTIMATES - N_STAR) : json_null());
    if (o->compute > 0.0) (void)json_object_set_new(object, "compute", json_real(o->compute));
    return object;
}

static orr_status fit_scaling(session *s) {
    scaling f = { 0 };
    ORR_TRY(s->ctx, fit_all(s, &f));
    if (s->o->json) return print_json(s, scaling_json(s->o, &f));
    print_scaling(s->o, &f);
    return ORR_OK;
}

/* ---- batch -------------------------------------------------------------------------------------------------------------- */

static json_t *batch_json(const options *o, const orr_batch_cell *cell, int64_t n, const orr_batch_law *law) {
    json_t *rows = json_array();
    for (int64_t i = 0; i < n; i++)
        (void)json_array_append_new(rows, json_pack("{s:f, s:f, s:f}", "batch", cell[i].batch, "steps", cell[i].steps,
                                                    "fitted", orr_batch_steps(law, cell[i].batch)));
    return json_pack("{s:s, s:s, s:f, s:f, s:f, s:f, s:o, s:o}", "fit", "batch", "file", o->file, "critical_batch",
                     law->batch_critical, "steps_min", law->steps_min, "examples_min", law->examples_min,
                     "max_log_residual", law->residual_max, "exponent", orr_json_real(law->exponent), "rows", rows);
}

static void print_batch(const options *o, const orr_batch_cell *cell, int64_t n, const orr_batch_law *law) {
    double low = cell[0].batch, high = cell[0].batch;
    printf("S = S_min (1 + B_crit/B), E = B S, %lld batch sizes of %s\n\n", (long long)n, o->file);
    printf("B_crit  %12.5g   examples in a batch: half of both savings\n", law->batch_critical);
    printf("S_min   %12.5g   updates, of a very large batch\n", law->steps_min);
    printf("E_min   %12.5g   examples, of a very small batch\n\n", law->examples_min);
    printf("%12s %12s %12s %12s\n", "batch", "updates", "fitted", "examples");
    for (int64_t i = 0; i < n; i++) {
        printf("%12.6g %12.6g %12.6g %12.6g\n", cell[i].batch, cell[i].steps, orr_batch_steps(law, cell[i].batch),
               cell[i].batch * cell[i].steps);
        low = fmin(low, cell[i].batch);
        high = fmax(high, cell[i].batch);
    }
    printf("\nlargest log residual %.3g", law->residual_max);
    if (isfinite(law->exponent)) printf("; exponent of B_crit/B, 1 for a hyperbola: %.3g", law->exponent);
    printf("\n");
    if (law->residual_max > 0.08 || fabs(law->exponent - 1.0) > 0.07)
        printf("these are no hyperbola: is the learning rate tuned at each batch size, and the loss well above what "
               "noise leaves?\n");
    if (law->batch_critical < low || law->batch_critical > high)
        printf("B_crit is %s all batch sizes of the table: %s is not determined\n",
               law->batch_critical < low ? "below" : "above", law->batch_critical < low ? "E_min" : "S_min");
}

static orr_status fit_batch(session *s) {
    const char *const names[2] = { s->o->batch, s->o->steps ? s->o->steps : s->o->examples };
    const double *value = NULL;
    int64_t n = 0;
    orr_batch_law law;
    ORR_TRY(s->ctx, read_columns(s, names, 2, ORR_BATCH_CELLS_MIN, &value, &n));
    ORR_TRY(s->ctx, need_different(s, value, n, 2, 0, s->o->batch, 3));
    orr_batch_cell *cell = ORR_NEW(s->arena, orr_batch_cell, n);
    if (!cell) return orr_fail(s->ctx, ORR_ENOMEM, "no memory for %lld rows", (long long)n);
    for (int64_t i = 0; i < n; i++)
        cell[i] = (orr_batch_cell){ value[2 * i], s->o->steps ? value[2 * i + 1] : value[2 * i + 1] / value[2 * i] };
    ORR_TRY(s->ctx, orr_batch_fit(s->ctx, s->arena, cell, n, &law));
    if (s->o->json) return print_json(s, batch_json(s->o, cell, n, &law));
    print_batch(s->o, cell, n, &law);
    return ORR_OK;
}

int orr_cli_fit(int argc, char **argv) {
    options o = { 0 };
    session s = { .o = &o };
    int code = parse(argc, argv, &o);
    if (code == ORR_CLI_GO) code = check_columns(&o);
    if (code != ORR_CLI_GO) return code;
    if (orr_context_new(&(orr_context_options){ .threads = 1, .log = stderr }, &s.ctx) != ORR_OK)
        return fprintf(stderr, "orrery fit: out of memory\n"), ORR_EXIT_OURS;
    orr_status status = orr_arena_new(s.ctx, &s.arena);
    if (status == ORR_OK) status = strcmp(o.kind, "scaling") == 0 ? fit_scaling(&s) : fit_batch(&s);
    code = status == ORR_OK ? ORR_EXIT_HOLDS : orr_cli_fail(s.ctx, "fit", status);
    orr_arena_free(s.arena);
    orr_context_free(s.ctx);
    return code;
}
