/* orrery export: a series or an array, for other programs. */
#define _POSIX_C_SOURCE 200809L /* isatty, fileno */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/context.h"
#include "base/file/npy.h"
#include "base/file/npz.h"
#include "base/nearest.h"
#include "cli/inspect.h"

static const char usage[] =
    "usage: orrery export [RUN] --series NAME | --array NAME [options]\n"
    "\n"
    "  orrery export --series loss                             of the latest run, as CSV, to the terminal\n"
    "  orrery export 12 --series sharpness -o sharpness.npz    np.load(...)['step'], ['value']\n"
    "  orrery export 12 --array weights --step 500 -o weights.npy\n"
    "  orrery export 12 --series loss --format json | jq '.value[-1]'\n"
    "\n"
    "What a run has, `orrery show RUN` lists.\n"
    "\n"
    "            a series                                  an array\n"
    "  csv       step,value, 17 digits; nan, inf           a row a line (one or two axes)\n"
    "  json      name, step, value; null is NaN            name, step, dtype, shape, data (row-major)\n"
    "  npy       float64 [n, 2]: step, value               as it is\n"
    "  npz       step and value, float64                   under its name\n"
    "\n"
    "  --format FORMAT     csv, json, npy or npz; default: by the ending of the file, else csv\n"
    "  --step STEP         of an array; default: the last\n"
    "  -o, --output FILE   default: standard output; written whole or not at all\n"
    "  --store FILE        default: what ORRERY_STORE names, else orrery.db in this folder\n"
    "\n"
    "Exit codes: 0 done, 2 wrong usage, or no such run or series, 3 the machine could not do it.\n";

static const char *const formats[] = { "csv", "json", "npy", "npz", NULL };

typedef struct options {
    int64_t run, step;
    const char *series, *array, *format, *output;
} options;

/* ---- text that grows ------------------------------------------------------------------------------------------------ */

typedef struct text {
    orr_context *ctx;
    orr_arena *arena;
    unsigned char *data;
    size_t n, room;
} text;

static orr_status put(text *t, const char *words) {
    const size_t length = strlen(words);
    if (t->n + length >= t->room) { /* also for no words: data is never NULL afterwards */
        const size_t room = 2 * (t->room + length) + 4096;
        unsigned char *data = orr_arena_take(t->arena, (int64_t)room, 1);
        if (!data) return orr_fail(t->ctx, ORR_ENOMEM, "no memory for the text of an export");
        if (t->n) memcpy(data, t->data, t->n);
        t->data = data;
        t->room = room;
    }
    memcpy(t->data + t->n, words, length);
    t->n += length;
    return ORR_OK;
}

static orr_status put_number(text *t, double x, const char *before) {
    char words[48];
    (void)snprintf(words, sizeof words, "%s%.17g", before, x);
    return put(t, words);
}

/* A name within CSV: quoted where it has to be (RFC 4180). */
static orr_status put_field(text *t, const char *name) {
    if (!strpbrk(name, ",\"\n\r")) return put(t, name);
    ORR_TRY(t->ctx, put(t, "\""));
    for (const char *c = name; *c; c++) ORR_TRY(t->ctx, put(t, *c == '"' ? "\"\"" : (const char[]){ *c, '\0' }));
    return put(t, "\"");
}

static orr_status put_json(text *t, json_t *value) {
    char *words;
    const orr_status status = orr_json_text(t->ctx, t->arena, value, 17, &words);
    json_decref(value);
    ORR_TRY(t->ctx, status);
    ORR_TRY(t->ctx, put(t, words));
    return put(t, "\n");
}

/* ---- a series ------------------------------------------------------------------------------------------------------- */

static orr_status no_such_series(orr_inspection *in, int64_t run, const char *name) {
    orr_series_row *rows;
    int64_t n;
    ORR_TRY(in->ctx, orr_query_series(in->store, in->arena, run, &rows, &n));
    if (n == 0) return orr_fail(in->ctx, ORR_EINPUT, "run %lld recorded no series", (long long)run);
    const char **names = ORR_NEW(in->arena, const char *, n);
    const char *all = "";
    if (!names) return orr_fail(in->ctx, ORR_ENOMEM, "no memory for names");
    for (int64_t i = 0; i < n && all; i++) {
        names[i] = rows[i].name;
        if (i < 12)
            all =
                orr_arena_format(in->arena, "%s%s%s%s", all, i ? ", " : "", names[i], i == 11 && n > 12 ? ", ..." : "");
    }
    const char *near = orr_nearest(name, names, (int)n);
    if (near)
        return orr_fail(in->ctx, ORR_EINPUT, "run %lld has no series '%s'; did you mean '%s'?", (long long)run, name,
                        near);
    return orr_fail(in->ctx, ORR_EINPUT, "run %lld has no series '%s'; it has %s", (long long)run, name,
                    all ? all : "");
}

static orr_status series_csv(text *t, const char *name, const orr_series *s) {
    ORR_TRY(t->ctx, put(t, "step,"));
    ORR_TRY(t->ctx, put_field(t, name));
    ORR_TRY(t->ctx, put(t, "\n"));
    for (int64_t i = 0; i < s->n; i++) {
        ORR_TRY(t->ctx, put_number(t, s->x[i], ""));
        ORR_TRY(t->ctx, put_number(t, s->y[i], ","));
        ORR_TRY(t->ctx, put(t, "\n"));
    }
    return ORR_OK;
}

static orr_status series_npy(orr_inspection *in, const orr_series *s, orr_bytes *out) {
    orr_array pairs;
    ORR_TRY(in->ctx, orr_array_new(in->ctx, in->arena, "series", ORR_F64, ORR_SHAPE(s->n, 2), &pairs));
    for (int64_t i = 0; i < s->n; i++) {
        ((double *)pairs.data)[2 * i] = s->x[i];
        ((double *)pairs.data)[2 * i + 1] = s->y[i];
    }
    return orr_npy_bytes(in->ctx, in->arena, &pairs, out);
}

static orr_status series_npz(orr_inspection *in, const orr_series *s, orr_bytes *out) {
    orr_array both[2] = { { "step", ORR_F64, ORR_SHAPE(s->n), s->x }, { "value", ORR_F64, ORR_SHAPE(s->n), s->y } };
    return orr_npz_bytes(in->ctx, in->arena, &(orr_arrays){ both, 2 }, false, out);
}

static orr_status series_bytes(orr_inspection *in, int64_t run, orr_bytes *out) {
    const options *o = in->user;
    orr_series s;
    text t = { .ctx = in->ctx, .arena = in->arena };
    ORR_TRY(in->ctx, orr_store_series(in->store, in->arena, run, o->series, &s));
    if (s.n == 0) return no_such_series(in, run, o->series);
    if (strcmp(o->format, "npy") == 0) return series_npy(in, &s, out);
    if (strcmp(o->format, "npz") == 0) return series_npz(in, &s, out);
    if (strcmp(o->format, "csv") == 0) ORR_TRY(in->ctx, series_csv(&t, o->series, &s));
    else
        ORR_TRY(in->ctx, put_json(&t, json_pack("{s:I, s:s, s:o, s:o}", "run", (json_int_t)run, "name", o->series,
                                                "step", orr_json_reals(s.x, s.n), "value", orr_json_reals(s.y, s.n))));
    *out = (orr_bytes){ t.data, t.n };
    return ORR_OK;
}

/* ---- an array ------------------------------------------------------------------------------------------------------- */

static orr_status array_csv(text *t, const orr_array *a) {
    if (a->shape.rank > 2)
        return orr_fail(t->ctx, ORR_EINPUT, "array %s has %d axes, a CSV file two at most: use --format npy", a->name,
                        (int)a->shape.rank);
    const int64_t columns = a->shape.rank == 2 ? a->shape.size[1] : 1, n = orr_shape_count(&a->shape);
    for (int64_t i = 0; i < n; i++) {
        ORR_TRY(t->ctx, put_number(t, orr_array_value(a, i), i % columns ? "," : ""));
        if ((i + 1) % columns == 0) ORR_TRY(t->ctx, put(t, "\n"));
    }
    return ORR_OK;
}

static orr_status array_json(text *t, const orr_array *a, int64_t run, int64_t step) {
    json_t *shape = json_array(), *data = json_array();
    for (int32_t i = 0; i < a->shape.rank; i++)
        (void)json_array_append_new(shape, json_integer((json_int_t)a->shape.size[i]));
    for (int64_t i = 0; i < orr_shape_count(&a->shape); i++)
        (void)json_array_append_new(data, orr_json_real(orr_array_value(a, i)));
    return put_json(t, json_pack("{s:I, s:s, s:I, s:s, s:o, s:o}", "run", (json_int_t)run, "name", a->name, "step",
                                 (json_int_t)step, "dtype", orr_dtype_name(a->dtype), "shape", shape, "data", data));
}

static orr_status array_bytes(orr_inspection *in, int64_t run, orr_bytes *out) {
    const options *o = in->user;
    orr_array a;
    int64_t step;
    text t = { .ctx = in->ctx, .arena = in->arena };
    ORR_TRY(in->ctx, orr_query_array(in->store, in->arena, run, o->array, o->step, &a, &step));
    if (strcmp(o->format, "npy") == 0) return orr_npy_bytes(in->ctx, in->arena, &a, out);
    if (strcmp(o->format, "npz") == 0) return orr_npz_bytes(in->ctx, in->arena, &(orr_arrays){ &a, 1 }, false, out);
    if (strcmp(o->format, "csv") == 0) ORR_TRY(in->ctx, array_csv(&t, &a));
    else ORR_TRY(in->ctx, array_json(&t, &a, run, step));
    *out = (orr_bytes){ t.data, t.n };
    return ORR_OK;
}

static orr_status export(orr_inspection *in) {
    const options *o = in->user;
    orr_run_row run;
    orr_bytes bytes = { 0 };
    ORR_TRY(in->ctx, orr_cli_run_row(in, o->run, &run));
    ORR_TRY(in->ctx, o->series ? series_bytes(in, run.id, &bytes) : array_bytes(in, run.id, &bytes));
    if (o->output) return orr_file_write(in->ctx, o->output, bytes);
    if (bytes.n > 0) (void)fwrite(bytes.data, 1, bytes.n, stdout); /* main() tells what stdout could not take */
    return ORR_OK;
}

static bool ends_with(const char *path, const char *ending) {
    const size_t n = strlen(path), m = strlen(ending);
    return n > m + 1 && path[n - m - 1] == '.' && strcmp(path + n - m, ending) == 0;
}

int orr_cli_export(int argc, char **argv) {
    options o = { .step = -1 };
    const char *store = NULL, *word = NULL, *at = NULL;
    const orr_cli_option table[] = { { .name = "--series", .value = &o.series },
                                     { .name = "--array", .value = &o.array },
                                     { .name = "--format", .value = &o.format },
                                     { .name = "--step", .value = &at },
                                     { .name = "--output", .alias = "-o", .value = &o.output },
                                     { .name = "--store", .value = &store },
                                     { 0 } };
    int n, code = orr_cli_parse("export", usage, "run", argc, argv, table, &word, 1, &n);
    if (code == ORR_CLI_GO && n) code = orr_cli_run_id("export", word, &o.run);
    if (code != ORR_CLI_GO) return code;
    if (!o.series == !o.array) return orr_cli_usage("export", "needs one of --series NAME and --array NAME");
    if (o.output && strcmp(o.output, "-") == 0) o.output = NULL;
    long long step = -1;
    if (at && (!orr_cli_int(at, 0, INT64_MAX, &step) || o.series))
        return orr_cli_usage("export", "--step: expected the step of an array, from 0, met '%s'", at);
    o.step = step;
    bool known = false;
    for (int i = 0; formats[i]; i++) {
        if (!o.format && o.output && ends_with(o.output, formats[i])) o.format = formats[i];
        known = known || (o.format && strcmp(o.format, formats[i]) == 0);
    }
    if (o.format && !known) return orr_cli_unknown("export", "format", o.format, formats);
    if (!o.format) o.format = "csv";
    if (o.format[0] == 'n' && !o.output && isatty(fileno(stdout)))
        return orr_cli_usage("export", "%s is not for a terminal: add -o FILE", o.format);
    return orr_cli_inspect("export", store, export, &o);
}
