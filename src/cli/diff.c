/* orrery diff: two runs, what was set and what came out. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/context.h"
#include "cli/inspect.h"

static const char usage[] =
    "usage: orrery diff A B [options]\n"
    "\n"
    "  orrery diff 12 13            settings that differ; each series: equal to the bit, or where it differs most\n"
    "  orrery diff 12 13 --json\n"
    "\n"
    "  --store FILE     default: what ORRERY_STORE names, else orrery.db in this folder\n"
    "  --json           one object\n"
    "\n"
    "Exit codes: 0 same settings, seed and values to the bit, 1 something differs, 2 wrong usage, or no such run,\n"
    "3 the machine could not do it.\n";

typedef struct options {
    int64_t run[2];
    bool json;
} options;

/* ---- settings -------------------------------------------------------------------------------------------------------- */

/* "rule.learning_rate": 0.1 for each leaf; lists are leaves, but for those of objects ("observe.0.kind"). */
static void flatten(json_t *flat, const char *path, json_t *value) {
    char key[512];
    const char *name;
    json_t *item;
    size_t i;
    const bool branches = json_is_object(value) || (json_is_array(value) && json_is_object(json_array_get(value, 0)));
    if (!branches) {
        (void)json_object_set(flat, path, value);
        return;
    }
    json_object_foreach(value, name, item) {
        (void)snprintf(key, sizeof key, "%s%s%s", path, *path ? "." : "", name);
        flatten(flat, key, item);
    }
    if (json_is_array(value)) json_array_foreach(value, i, item) {
            (void)snprintf(key, sizeof key, "%s.%zu", path, i);
            flatten(flat, key, item);
        }
}

static json_t *flat_settings(const orr_run_row *r) {
    json_t *flat = json_object(), *all = json_loads(r->settings, JSON_DECODE_ANY, NULL);
    flatten(flat, "", all);
    json_decref(all);
    (void)json_object_set_new(flat, "seed", json_integer((json_int_t)r->seed));
    return flat;
}

static json_t *or_null(json_t *value) { return value ? json_incref(value) : json_null(); }

/* [{ "name", "a", "b" }] (new); a name that one of them lacks is null there. */
static json_t *compare_settings(const orr_run_row *a, const orr_run_row *b) {
    json_t *fa = flat_settings(a), *fb = flat_settings(b), *out = json_array(), *value;
    const char *key;
    json_object_foreach(fa, key, value) {
        json_t *other = json_object_get(fb, key);
        if (!other || !json_equal(value, other))
            (void)json_array_append_new(out,
                                        json_pack("{s:s, s:O, s:o}", "name", key, "a", value, "b", or_null(other)));
    }
    json_object_foreach(fb, key, value) if (!json_object_get(fa, key))(void)
        json_array_append_new(out, json_pack("{s:s, s:n, s:O}", "name", key, "a", "b", value));
    json_decref(fa);
    json_decref(fb);
    return out;
}

/* ---- series and arrays --------------------------------------------------------------------------------------------- */

typedef struct comparison {
    const char *name, *kind; /* "series" or "array" */
    int64_t step;            /* of an array */
    int64_t n[2], common;
    double largest, at; /* of |a - b| over common points: infinite where only one is a number; the step, or the index */
    double value[2];    /* there */
    bool equal;         /* the same points, to the bit; NaN is NaN */
} comparison;

static void compare_value(comparison *c, double at, double a, double b) {
    c->common++;
    if (isnan(a) && isnan(b)) return;
    if (memcmp((const void *)&a, (const void *)&b, sizeof a) == 0) return; /* as bits: -0 differs from 0 */
    c->equal = false;
    const double d = isnan(a - b) ? (double)INFINITY : fabs(a - b);
    if (c->largest >= d && c->at >= 0) return;
    c->largest = d;
    c->at = at;
    c->value[0] = a;
    c->value[1] = b;
}

static orr_status compare_series(orr_inspection *in, const char *name, comparison *c) {
    const options *o = in->user;
    orr_series s[2];
    *c = (comparison){ .name = name, .kind = "series", .at = -1, .equal = true };
    for (int i = 0; i < 2; i++) {
        ORR_TRY(in->ctx, orr_store_series(in->store, in->arena, o->run[i], name, &s[i]));
        c->n[i] = s[i].n;
    }
    for (int64_t i = 0, j = 0; i < s[0].n && j < s[1].n;) {
        if (s[0].x[i] < s[1].x[j]) i++;
        else if (s[0].x[i] > s[1].x[j]) j++;
        else {
            compare_value(c, s[0].x[i], s[0].y[i], s[1].y[j]);
            i++;
            j++;
        }
    }
    if (c->common != s[0].n || c->common != s[1].n) c->equal = false;
    return ORR_OK;
}

static const orr_array_row *array_like(const orr_array_row *rows, int64_t n, const orr_array_row *like) {
    for (int64_t i = 0; i < n; i++)
        if (rows[i].step == like->step && strcmp(rows[i].name, like->name) == 0) return &rows[i];
    return NULL;
}

static orr_status compare_array(orr_inspection *in, const orr_array_row *a, const orr_array_row *b, comparison *c) {
    const options *o = in->user;
    orr_array array[2];
    int64_t step;
    const orr_array_row *any = a ? a : b;
    *c = (comparison){ .name = any->name, .kind = "array", .step = any->step, .at = -1 };
    c->equal = a && b && strcmp(a->shape, b->shape) == 0 && strcmp(a->dtype, b->dtype) == 0;
    for (int i = 0; i < 2; i++) {
        if (!(i ? b : a)) continue;
        ORR_TRY(in->ctx, orr_query_array(in->store, in->arena, o->run[i], any->name, any->step, &array[i], &step));
        c->n[i] = orr_shape_count(&array[i].shape);
    }
    if (c->equal)
        for (int64_t i = 0; i < c->n[0]; i++)
            compare_value(c, (double)i, orr_array_value(&array[0], i), orr_array_value(&array[1], i));
    return ORR_OK;
}

typedef struct difference {
    orr_run_row run[2];
    json_t *settings;
    comparison *item;
    int64_t n;
    bool equal;
} difference;

static orr_status compare_all_series(orr_inspection *in, difference *d, orr_series_row *const rows[2],
                                     const int64_t n[2]) {
    /* both lists come by name: merge them */
    for (int64_t i = 0, j = 0; i < n[0] || j < n[1];) {
        const int order = i == n[0] ? 1 : j == n[1] ? -1 : strcmp(rows[0][i].name, rows[1][j].name);
        const char *name = order <= 0 ? rows[0][i].name : rows[1][j].name;
        const orr_arena_mark mark = orr_arena_here(in->arena); /* the values of one series at a time */
        ORR_TRY(in->ctx, compare_series(in, name, &d->item[d->n]));
        orr_arena_rewind(in->arena, mark);
        if (!d->item[d->n++].equal) d->equal = false;
        if (order <= 0) i++;
        if (order >= 0) j++;
    }
    return ORR_OK;
}

static orr_status compare_all_arrays(orr_inspection *in, difference *d, orr_array_row *const rows[2],
                                     const int64_t n[2]) {
    for (int side = 0; side < 2; side++)
        for (int64_t i = 0; i < n[side]; i++) {
            const orr_array_row *mine = &rows[side][i], *other = array_like(rows[!side], n[!side], mine);
            if (side == 1 && other) continue; /* seen from the first side */
            const orr_arena_mark mark = orr_arena_here(in->arena);
            ORR_TRY(in->ctx, compare_array(in, side ? NULL : mine, side ? mine : other, &d->item[d->n]));
            orr_arena_rewind(in->arena, mark);
            if (!d->item[d->n++].equal) d->equal = false;
        }
    return ORR_OK;
}

static orr_status compare(orr_inspection *in, difference *d) {
    const options *o = in->user;
    orr_series_row *series[2];
    orr_array_row *arrays[2];
    int64_t n_series[2], n_arrays[2];
    for (int i = 0; i < 2; i++) {
        ORR_TRY(in->ctx, orr_query_run(in->store, in->arena, o->run[i], &d->run[i]));
        ORR_TRY(in->ctx, orr_query_series(in->store, in->arena, o->run[i], &series[i], &n_series[i]));
        ORR_TRY(in->ctx, orr_query_arrays(in->store, in->arena, o->run[i], &arrays[i], &n_arrays[i]));
    }
    d->item = ORR_NEW(in->arena, comparison, n_series[0] + n_series[1] + n_arrays[0] + n_arrays[1]);
    if (!d->item) return orr_fail(in->ctx, ORR_ENOMEM, "no memory for a comparison");
    d->settings = compare_settings(&d->run[0], &d->run[1]);
    d->equal = json_array_size(d->settings) == 0;
    ORR_TRY(in->ctx, compare_all_series(in, d, series, n_series));
    return compare_all_arrays(in, d, arrays, n_arrays);
}

/* ---- printing ------------------------------------------------------------------------------------------------------- */

static void print_item(const comparison *c) {
    char name[128];
    if (strcmp(c->kind, "array") == 0)
        (void)snprintf(name, sizeof name, "%s at step %lld", c->name, (long long)c->step);
    else (void)snprintf(name, sizeof name, "%s", c->name);
    printf("  %-36s ", name);
    if (c->equal) {
        printf("equal to the bit (%lld values)\n", (long long)c->common);
        return;
    }
    if (c->n[0] == 0 || c->n[1] == 0) {
        printf("only in %s (%lld values)\n", c->n[0] ? "A" : "B", (long long)c->n[c->n[0] ? 0 : 1]);
        return;
    }
    if (c->at >= 0)
        printf("differs most by %.3g, at %s %.0f: %.9g and %.9g", c->largest,
               strcmp(c->kind, "array") == 0 ? "element" : "step", c->at, c->value[0], c->value[1]);
    else printf("equal where both have values");
    if (c->n[0] != c->n[1] || c->common != c->n[0])
        printf("; %lld and %lld values, %lld of them in both", (long long)c->n[0], (long long)c->n[1],
               (long long)c->common);
    printf("\n");
}

static void print(const difference *d) {
    for (int i = 0; i < 2; i++)
        printf("%c  run %lld: %s/%s, seed %lld, %s after %lld updates\n", "AB"[i], (long long)d -> run[i].id,
               d->run[i].experiment_name, d->run[i].name, (long long)d->run[i].seed, d->run[i].state,
               (long long)d->run[i].steps);
    printf("\nsettings: %s\n", json_array_size(d->settings) ? "" : "the same");
    json_t *row;
    size_t i;
    json_array_foreach(d->settings, i, row) {
        char *a = json_dumps(json_object_get(row, "a"), JSON_ENCODE_ANY | JSON_REAL_PRECISION(9)),
             *b = json_dumps(json_object_get(row, "b"), JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
        printf("  %-36s %s  ->  %s\n", json_string_value(json_object_get(row, "name")), a ? a : "?", b ? b : "?");
        free(a);
        free(b);
    }
    printf("\nrecorded:%s\n", d->n ? "" : " nothing");
    for (int64_t k = 0; k < d->n; k++) print_item(&d->item[k]);
}

static json_t *difference_json(const difference *d) {
    json_t *items = json_array();
    for (int64_t i = 0; i < d->n; i++) {
        const comparison *c = &d->item[i];
        json_t *row = json_pack("{s:s, s:s, s:b, s:[I,I], s:I}", "kind", c->kind, "name", c->name, "equal", c->equal,
                                "n", (json_int_t)c->n[0], (json_int_t)c->n[1], "common", (json_int_t)c->common);
        if (strcmp(c->kind, "array") == 0) (void)json_object_set_new(row, "step", json_integer((json_int_t)c->step));
        if (c->at >= 0) {
            (void)json_object_set_new(row, "largest_difference", orr_json_real(c->largest));
            (void)json_object_set_new(row, "at", orr_json_real(c->at));
            (void)json_object_set_new(row, "values", orr_json_reals(c->value, 2));
        }
        (void)json_array_append_new(items, row);
    }
    return json_pack("{s:o, s:o, s:b, s:O, s:o}", "a", orr_cli_run_json(&d->run[0]), "b", orr_cli_run_json(&d->run[1]),
                     "equal", d->equal, "settings", d->settings, "recorded", items);
}

static orr_status diff(orr_inspection *in) {
    const options *o = in->user;
    difference d = { 0 };
    orr_status status = compare(in, &d);
    if (status == ORR_OK && o->json) status = orr_cli_print_json(in, difference_json(&d));
    else if (status == ORR_OK) print(&d);
    if (!d.equal) in->code = ORR_EXIT_FAILS;
    json_decref(d.settings);
    return status;
}

int orr_cli_diff(int argc, char **argv) {
    options o = { 0 };
    const char *store = NULL, *word[2];
    const orr_cli_option table[] = { { .name = "--store", .value = &store },
                                     { .name = "--json", .flag = &o.json },
                                     { 0 } };
    int n, code = orr_cli_parse("diff", usage, "run", argc, argv, table, word, 2, &n);
    if (code == ORR_CLI_GO && n != 2)
        return orr_cli_usage("diff", "needs the numbers of two runs; `orrery runs` lists them");
    for (int i = 0; i < 2 && code == ORR_CLI_GO; i++) code = orr_cli_run_id("diff", word[i], &o.run[i]);
    return code == ORR_CLI_GO ? orr_cli_inspect("diff", store, diff, &o) : code;
}
