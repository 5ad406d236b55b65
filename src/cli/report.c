/* orrery report: runs of one's own on a page: series, spectra over time, verdicts. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/context.h"
#include "cli/inspect.h"
#include "law/run.h"
#include "report/page.h"

static const char usage[] =
    "usage: orrery report [RUN...] [options]\n"
    "\n"
    "  orrery report                  the latest run on one page that works offline: orrery-report.html\n"
    "  orrery report 4 5 6            several runs, laid over each other\n"
    "  orrery report 4 5 6 -o mine.html\n"
    "\n"
    "Each series is a figure with a line for each run; what an instrument recorded as a list (singular values, a "
    "spectrum) is a heat\n"
    "map over time, a square matrix (CKA between layers) is shown at the last step.  Verdicts of the laws that were "
    "judged stand above.\n"
    "\n"
    "  --series NAME    only this series; may stand several times\n"
    "  -o, --page FILE  default: orrery-report.html\n"
    "  --store FILE     default: what ORRERY_STORE names, else orrery.db in this folder\n"
    "\n"
    "Exit codes: 0 done, 2 wrong usage, or no such run, 3 the machine could not do it.\n";

enum { RUNS_MAX = 64, ROWS_MAX = 1500, LIST_MAX = 400, MATRIX_MAX = 64 };

typedef struct report_options {
    const char *word[RUNS_MAX];
    int64_t id[RUNS_MAX];
    int n;
    const char *page, *store;
    orr_cli_list series;
} report_options;

typedef struct report {
    orr_inspection *in;
    const report_options *options;
    orr_run_row run[RUNS_MAX];
    const char *label[RUNS_MAX];
    int n;
    json_t *panels, *checks, *facts, *verdict;
} report;

static orr_status no_memory(report *r) { return orr_fail(r->in->ctx, ORR_ENOMEM, "no memory for a report"); }

/* ---- series --------------------------------------------------------------------------------------------------------------- */

static bool is_wanted(const report *r, const char *name) {
    for (int i = 0; i < r->options->series.n; i++)
        if (strcmp(r->options->series.item[i], name) == 0) return true;
    return r->options->series.n == 0;
}

/* Rows of a long series: at most ROWS_MAX, evenly spaced, the last among them. */
static void add_rows(json_t *rows, const orr_series *s, const char *label) {
    const int64_t every = (s->n + ROWS_MAX - 1) / ROWS_MAX;
    for (int64_t i = 0; i < s->n; i++)
        if (i % every == 0 || i == s->n - 1)
            (void)json_array_append_new(rows, json_pack("{s:o, s:o, s:s}", "step", orr_json_real(s->x[i]), "value",
                                                        orr_json_real(s->y[i]), "run", label));
}

static orr_status add_series(report *r, const char *name) {
    orr_inspection *in = r->in;
    json_t *rows = json_array();
    orr_status status = ORR_OK;
    for (int i = 0; i < r->n && status == ORR_OK; i++) {
        orr_series s;
        const orr_arena_mark mark = orr_arena_here(in->arena);
        status = orr_store_series(in->store, in->arena, r->run[i].id, name, &s);
        if (status == ORR_OK) add_rows(rows, &s, r->label[i]);
        orr_arena_rewind(in->arena, mark);
    }
    if (status != ORR_OK) {
        json_decref(rows);
        return status;
    }
    json_t *panel = orr_page_panel("series", name, "", "The series against updates, a line for each run.", false,
                                   json_pack("{s:o}", "series", rows));
    return json_array_append_new(r->panels, panel) == 0 ? ORR_OK : no_memory(r);
}

/* Names of all runs, each once, in the order in which they come. */
static orr_status add_all_series(report *r) {
    orr_inspection *in = r->in;
    int64_t done = 0;
    for (int i = 0; i < r->n; i++) {
        orr_series_row *row;
        int64_t n;
        ORR_TRY(in->ctx, orr_query_series(in->store, in->arena, r->run[i].id, &row, &n));
        for (int64_t k = 0; k < n; k++) {
            bool seen = false;
            for (int before = 0; before < i && !seen; before++) {
                orr_series s;
                ORR_TRY(in->ctx, orr_store_series(in->store, in->arena, r->run[before].id, row[k].name, &s));
                seen = s.n > 0;
            }
            if (seen || !is_wanted(r, row[k].name)) continue;
            ORR_TRY(in->ctx, add_series(r, row[k].name));
            done++;
        }
    }
    if (done == 0 && r->options->series.n)
        return orr_fail(in->ctx, ORR_EINPUT, "no series '%s' in these runs; `orrery show %lld` names them",
                        r->options->series.item[0], (long long)r->run[0].id);
    return ORR_OK;
}

/* ---- arrays --------------------------------------------------------------------------------------------------------------- */

/* A list recorded at several steps, or pairs (value, weight) of a spectrum, as cells of a heat map. */
static void add_cells(json_t *cells, const orr_array *a, int64_t from, int64_t to) {
    const bool pairs = a->shape.rank == 2;
    const int64_t n = pairs ? a->shape.size[1] : a->shape.size[0];
    for (int64_t i = 0; i < n; i++) {
        const double at = pairs ? orr_array_value(a, i) : (double)(i + 1);
        const double next =
            pairs ? (i + 1 < n ? orr_array_value(a, i + 1) : 2 * at - orr_array_value(a, i - 1)) : at + 1;
        (void)json_array_append_new(cells, json_pack("{s:f, s:f, s:o, s:o, s:o}", "step", (double)from, "until",
                                                     (double)to, "low", orr_json_real(at), "high", orr_json_real(next),
                                                     "value", orr_json_real(orr_array_value(a, pairs ? n + i : i))));
    }
}

static void add_matrix(json_t *cells, const orr_array *a) {
    for (int64_t i = 0; i < a->shape.size[0]; i++)
        for (int64_t j = 0; j < a->shape.size[1]; j++)
            (void)json_array_append_new(cells, json_pack("{s:I, s:I, s:o}", "row", (json_int_t)i, "column",
                                                         (json_int_t)j, "value",
                                                         orr_json_real(orr_array_value(a, i * a->shape.size[1] + j))));
}

/* The arrays of one name, row[0..n): one panel, or none where they aren't for the eye.  first: it begins a row of the page. */
static orr_status add_arrays(report *r, int run, const orr_array_row *row, int64_t n, bool first) {
    orr_inspection *in = r->in;
    const orr_arena_mark mark = orr_arena_here(in->arena);
    orr_array a;
    int64_t at;
    ORR_TRY(in->ctx, orr_query_array(in->store, in->arena, r->run[run].id, row[n - 1].name, -1, &a, &at));
    const bool is_list = a.shape.rank == 1 && a.shape.size[0] > 1 && a.shape.size[0] <= LIST_MAX;
    const bool is_spectrum =
        a.shape.rank == 2 && a.shape.size[0] == 2 && a.shape.size[1] > 3 && a.shape.size[1] <= LIST_MAX;
    const bool is_matrix = a.shape.rank == 2 && a.shape.size[0] == a.shape.size[1] && a.shape.size[0] > 1 &&
                           a.shape.size[0] <= MATRIX_MAX && a.shape.size[0] > 2;
    const bool over_time = (is_list || is_spectrum) && n > 1;
    json_t *cells = json_array();
    orr_status status = ORR_OK;
    for (int64_t k = 0; over_time && k < n && status == ORR_OK; k++) {
        status = orr_query_array(in->store, in->arena, r->run[run].id, row[k].name, row[k].step, &a, &at);
        if (status == ORR_OK)
            add_cells(cells, &a, row[k].step, k + 1 < n ? row[k + 1].step : 2 * row[k].step - row[k - 1].step);
    }
    if (is_matrix) add_matrix(cells, &a);
    const char *title = orr_arena_format(in->arena, "%s, %s", row[0].name, r->label[run]);
    json_t *panel = NULL;
    const bool drawn = over_time || is_matrix;
    if (status == ORR_OK && drawn && title)
        panel = orr_page_panel(over_time ? "heat" : "matrix", title,
                               is_spectrum ? "Density of the spectrum over time."
                               : over_time ? "The recorded list over time, by index."
                                           : "At the last step.",
                               title, false, json_pack("{s:O}", "cells", cells));
    if (over_time && panel) {
        json_t *encoding = json_object_get(json_object_get(panel, "spec"), "encoding");
        (void)json_object_set_new(json_object_get(encoding, "y"), "title",
                                  json_string(is_spectrum ? "eigenvalue" : "index"));
        if (is_spectrum) (void)json_object_set_new(json_object_get(encoding, "color"), "title", json_string("density"));
    }
    if (first && panel) (void)json_object_set_new(panel, "row", json_true());
    json_decref(cells);
    orr_arena_rewind(in->arena, mark);
    ORR_TRY(in->ctx, status);
    return !drawn || json_array_append_new(r->panels, panel) == 0 ? ORR_OK : no_memory(r);
}

/* Rows of one name, sorted by name: where they begin, and how many; 0: none. */
static int64_t rows_called(const char *name, const orr_array_row *row, int64_t n, int64_t *begin) {
    int64_t count = 0;
    for (*begin = 0; *begin < n && strcmp(row[*begin].name, name) != 0;) (*begin)++;
    while (*begin + count < n && strcmp(row[*begin + count].name, name) == 0) count++;
    return count;
}

/* Not parameters, which are for reading, nor the nodes of a quadrature, whose density is shown. */
static bool is_for_the_eye(const char *name) {
    const char *rule = strstr(name, "_rule");
    return strncmp(name, "parameter.", 10) != 0 && !(rule && rule[5] == 0);
}

/* Each name once, for all runs that have it, side by side. */
static orr_status add_all_arrays(report *r) {
    orr_inspection *in = r->in;
    orr_array_row *row[RUNS_MAX] = { NULL };
    int64_t n[RUNS_MAX] = { 0 }, begin, count;
    if (r->options->series.n) return ORR_OK;
    for (int i = 0; i < r->n; i++)
        ORR_TRY(in->ctx, orr_query_arrays(in->store, in->arena, r->run[i].id, &row[i], &n[i]));
    for (int i = 0; i < r->n; i++)
        for (int64_t k = 0; k < n[i]; k += count) {
            const char *name = row[i][k].name;
            bool seen = !is_for_the_eye(name);
            count = rows_called(name, row[i], n[i], &begin);
            for (int before = 0; before < i && !seen; before++)
                seen = rows_called(name, row[before], n[before], &begin) > 0;
            for (int run = i; run < r->n && !seen; run++) {
                const int64_t m = rows_called(name, row[run], n[run], &begin);
                if (m > 0) ORR_TRY(in->ctx, add_arrays(r, run, row[run] + begin, m, run == i && r->n > 1));
            }
        }
    return ORR_OK;
}

/* ---- verdicts and facts --------------------------------------------------------------------------------------------------- */

static json_t *check_json(const orr_store_verdict *v) {
    return json_pack("{s:s++, s:s, s:o, s:[o,o], s:[o,o], s:s}", "metric", v->law, ": ", v->metric, "verdict",
                     v->verdict, "value", isfinite(v->value) ? orr_json_real(v->value) : json_null(), "tolerance",
                     orr_json_real(v->tolerance[0]), orr_json_real(v->tolerance[1]), "interval",
                     orr_json_real(v->interval[0]), orr_json_real(v->interval[1]), "note", v->note ? v->note : "");
}

static orr_status add_verdicts(report *r) {
    orr_inspection *in = r->in;
    for (int i = 0; i < r->n; i++) {
        orr_store_verdict *v;
        int64_t n;
        if (i && r->run[i].experiment == r->run[i - 1].experiment) continue;
        ORR_TRY(in->ctx, orr_query_verdicts(in->store, in->arena, r->run[i].experiment, &v, &n));
        for (int64_t k = 0; k < n; k++) {
            if (!r->verdict) r->verdict = check_json(&v[k]);
            if (json_array_append_new(r->checks, check_json(&v[k])) != 0) return no_memory(r);
        }
    }
    return ORR_OK;
}

static void add_fact(report *r, const char *name, const char *value) {
    (void)json_array_append_new(r->facts, name && value ? json_pack("[s, s]", name, value) : NULL);
}

static bool is_unset(const json_t *value) {
    return json_is_null(value) || json_is_false(value) || (json_is_number(value) && json_number_value(value) == 0.0) ||
           (json_is_array(value) && json_array_size(value) == 0);
}

/* An ingredient as words, anything else that is set as JSON. */
static orr_status add_settings(report *r, const orr_run_row *run) {
    orr_inspection *in = r->in;
    json_t *all = json_loads(run->settings, 0, NULL), *value;
    const char *key;
    orr_status status = ORR_OK;
    json_object_foreach(all, key, value) {
        char *json = NULL;
        if (is_unset(value)) continue;
        const char *words = orr_law_kind_words(in->ctx, in->arena, value);
        if (words && !words[0]) {
            status = orr_json_text(in->ctx, in->arena, value, 6, &json);
            words = json;
        }
        if (status != ORR_OK) break;
        add_fact(r, orr_arena_format(in->arena, "run %lld, %s", (long long)run->id, key), words);
    }
    json_decref(all);
    return status;
}

static orr_status add_facts(report *r) {
    orr_inspection *in = r->in;
    for (int i = 0; i < r->n; i++) {
        orr_experiment_row e;
        ORR_TRY(in->ctx, orr_query_experiment(in->store, in->arena, r->run[i].experiment, &e));
        add_fact(r, orr_arena_format(in->arena, "run %lld", (long long)r->run[i].id),
                 orr_arena_format(in->arena, "%s, seed %lld, %s after %lld updates; experiment %lld \"%s\"%s%s",
                                  r->run[i].name, (long long)r->run[i].seed, r->run[i].state,
                                  (long long)r->run[i].steps, (long long)r->run[i].experiment, e.name,
                                  e.seal ? ", seal " : "", e.seal ? e.seal : ""));
    }
    for (int i = 0; i < r->n; i++)
        if (i == 0 || strcmp(r->run[i].settings, r->run[i - 1].settings) != 0)
            ORR_TRY(in->ctx, add_settings(r, &r->run[i]));
    return ORR_OK;
}

/* ---- the command ---------------------------------------------------------------------------------------------------------- */

static orr_status write_page(report *r) {
    orr_inspection *in = r->in;
    const char *command = "orrery report", *title = r->run[0].experiment_name;
    for (int i = 0; command && i < r->n; i++)
        command = orr_arena_format(in->arena, "%s %lld", command, (long long)r->run[i].id);
    const char *statement = r->n == 1
                                ? orr_arena_format(in->arena, "Run %lld, point %s, seed %lld.", (long long)r->run[0].id,
                                                   r->run[0].name, (long long)r->run[0].seed)
                                : orr_arena_format(in->arena, "%d runs, from %lld to %lld.", r->n,
                                                   (long long)r->run[0].id, (long long)r->run[r->n - 1].id);
    if (!command || !statement) return no_memory(r);
    const orr_page_entry entry = { .id = "report",
                                   .kicker = "Report",
                                   .title = title,
                                   .statement = statement,
                                   .sources = "",
                                   .command = command,
                                   .verdict = r->verdict,
                                   .checks = r->checks,
                                   .facts = r->facts,
                                   .panels = r->panels };
    return orr_page_write(in->ctx, in->arena, &entry, r->options->page);
}

static orr_status gather_runs(report *r) {
    orr_inspection *in = r->in;
    r->n = r->options->n ? r->options->n : 1;
    for (int i = 0; i < r->n; i++) {
        ORR_TRY(in->ctx, orr_cli_run_row(in, r->options->n ? r->options->id[i] : 0, &r->run[i]));
        r->label[i] = orr_arena_format(in->arena, "%lld %s, seed %lld", (long long)r->run[i].id, r->run[i].name,
                                       (long long)r->run[i].seed);
        if (!r->label[i]) return no_memory(r);
    }
    return ORR_OK;
}

static orr_status body(orr_inspection *in) {
    report r = { .in = in, .options = in->user };
    orr_status status;
    r.panels = json_array();
    r.checks = json_array();
    r.facts = json_array();
    ORR_TRY_DONE(in->ctx, orr_page_try(in->ctx, in->arena, r.options->page));
    ORR_TRY_DONE(in->ctx, gather_runs(&r));
    ORR_TRY_DONE(in->ctx, add_all_series(&r));
    ORR_TRY_DONE(in->ctx, add_all_arrays(&r));
    ORR_TRY_DONE(in->ctx, add_verdicts(&r));
    ORR_TRY_DONE(in->ctx, add_facts(&r));
    ORR_TRY_DONE(in->ctx, write_page(&r));
    printf("%d %s, %zu figures\npage: %s\n", r.n, r.n == 1 ? "run" : "runs", json_array_size(r.panels),
           r.options->page);
done:
    json_decref(r.panels);
    json_decref(r.checks);
    json_decref(r.facts);
    json_decref(r.verdict);
    return status;
}

int orr_cli_report(int argc, char **argv) {
    report_options o = { .page = "orrery-report.html" };
    const orr_cli_option table[] = {
        { .name = "--series", .list = &o.series },
        { .name = "--page", .alias = "-o", .value = &o.page },
        { .name = "--store", .value = &o.store },
        { 0 },
    };
    int code = orr_cli_parse("report", usage, "run", argc, argv, table, o.word, RUNS_MAX, &o.n);
    for (int i = 0; i < o.n && code == ORR_CLI_GO; i++) code = orr_cli_run_id("report", o.word[i], &o.id[i]);
    return code == ORR_CLI_GO ? orr_cli_inspect("report", o.store, body, &o) : code;
}
