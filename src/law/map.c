#include "law/map.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/context.h"
#include "lab/stored.h"
#include "report/page.h"
#include "store/query.h"

/* ---- the axis ------------------------------------------------------------------------------------------------------------- */

/* A number up to one of `ends`, which *text then points to. */
static bool read_number(const char **text, const char *ends, double *out) {
    char *end;
    *out = strtod(*text, &end);
    const bool good = end != *text && isfinite(*out) && (*end == 0 || strchr(ends, *end));
    *text = end;
    return good;
}

orr_status orr_axis_parse(orr_context *ctx, orr_arena *out_arena, const char *text, orr_axis *out) {
    const char *equals = strchr(text, '='), *at = equals ? equals + 1 : text;
    double n = ORR_AXIS_VALUES;
    *out = (orr_axis){ 0 };
    bool good = equals && equals != text && read_number(&at, ":", &out->from) && *at++ == ':' &&
                read_number(&at, ":,", &out->to) && (*at != ':' || (at++, read_number(&at, ",", &n)));
    out->log = good && strcmp(at, ",log") == 0;
    good = good && (out->log || *at == 0);
    if (!good)
        return orr_fail(ctx, ORR_EINPUT,
                        "axis '%s': expected KEY=FROM:TO[:N][,log], as in rule.learning_rate=0.01:1:5,log", text);
    if (n < 2 || n > ORR_AXIS_VALUES_MAX || n != floor(n))
        return orr_fail(ctx, ORR_EINPUT, "axis '%s': expected 2 to %d values", text, ORR_AXIS_VALUES_MAX);
    if (out->from == out->to || (out->log && !(out->from > 0.0 && out->to > 0.0)))
        return orr_fail(ctx, ORR_EINPUT, "axis '%s': expected two different %snumbers", text,
                        out->log ? "positive " : "");
    out->n = (int64_t)n;
    out->key = orr_arena_format(out_arena, "%.*s", (int)(equals - text), text);
    return out->key ? ORR_OK : orr_fail(ctx, ORR_ENOMEM, "no memory for an axis");
}

/* The value of a dotted key in a point's settings (borrowed); NULL where there is none. */
static const json_t *value_of(const json_t *settings, const char *key) {
    const json_t *at = settings;
    while (at && *key) {
        const size_t n = strcspn(key, ".");
        at = json_object_getn(at, key, n);
        key += n + (key[n] == '.');
    }
    return at;
}

static orr_status settings_of(orr_context *ctx, const orr_point *p, json_t **out) {
    *out = json_loads(p->json, 0, NULL);
    return *out ? ORR_OK : orr_fail(ctx, ORR_ENOMEM, "no memory for the settings of %s", p->name);
}

orr_status orr_axis_set(orr_context *ctx, orr_arena *out_arena, const orr_axis *axis, int64_t i,
                        const orr_experiment *base, double *value, const char **set) {
    const double at = (double)i / (double)(axis->n - 1);
    json_t *settings;
    ORR_TRY(ctx, settings_of(ctx, &base->points[0], &settings));
    const json_t *own = value_of(settings, axis->key);
    const size_t places = json_array_size(own);
    const json_t *one = json_is_array(own) ? json_array_get(own, 0) : own;
    const bool number = json_is_number(one), whole = json_is_integer(one);
    json_decref(settings);
    if (!number)
        return orr_fail(ctx, ORR_EINPUT,
                        "axis '%s': no number of the experiment has that key (keys are dotted, as in data.n)",
                        axis->key);
    *value = axis->log ? axis->from * pow(axis->to / axis->from, at) : axis->from + at * (axis->to - axis->from);
    if (whole) *value = round(*value);
    const char *word =
        whole ? orr_arena_format(out_arena, "%.0f", *value) : orr_arena_format(out_arena, "%.6g", *value);
    if (word && !whole) *value = strtod(word, NULL);
    const char *text = places ? "[" : word;
    for (size_t k = 0; text && k < places; k++)
        text = orr_arena_format(out_arena, "%s%s%s", text, word, k + 1 < places ? ", " : "]");
    *set = text ? orr_arena_format(out_arena, "%s=%s", axis->key, text) : NULL;
    return *set ? ORR_OK : orr_fail(ctx, ORR_ENOMEM, "no memory for an axis");
}

orr_status orr_axis_check(orr_context *ctx, const orr_axis *axis, double value, const orr_experiment *e) {
    for (int64_t i = 0; i < e->n_points; i++) {
        json_t *settings;
        ORR_TRY(ctx, settings_of(ctx, &e->points[i], &settings));
        const json_t *own = value_of(settings, axis->key);
        if (json_is_array(own)) own = json_array_get(own, 0);
        const bool same = json_is_number(own) && json_number_value(own) == value;
        json_decref(settings);
        if (!same)
            return orr_fail(ctx, ORR_EINPUT,
                            "axis '%s': the sweep of the experiment sets that key itself (point %s); take another",
                            axis->key, e->points[i].name);
    }
    return ORR_OK;
}

/* ---- the map -------------------------------------------------------------------------------------------------------------- */

static bool is_judged(const orr_map_point *p) { return !p->trouble && p->outcome.verdict != ORR_OUT_OF_REGIME; }

bool orr_map_holds(const orr_map_point *p) { return !p->trouble && p->outcome.verdict == ORR_HOLDS; }

static double halfway(bool log, double a, double b) { return log ? sqrt(a * b) : (a + b) / 2; }

double orr_map_boundary(const orr_axis *axis, const orr_map_point *p, int64_t i) {
    return halfway(axis->log, p[i].value, p[i + 1].value);
}

static const char *note_of(const orr_map_point *p) {
    return p->trouble ? p->trouble : p->outcome.outside[0] ? p->outcome.outside : p->outcome.note;
}

json_t *orr_map_json(const orr_law *law, const orr_axis *axis, const char *words, const orr_map_point *p, int64_t n) {
    json_t *points = json_array(), *boundaries = json_array();
    for (int64_t i = 0; i < n; i++) {
        json_t *one = p[i].trouble ? json_pack("{s:s}", "verdict", "NOT RUN") : orr_law_outcome_json(&p[i].outcome);
        (void)json_object_set_new(one, "at", orr_json_real(p[i].value));
        (void)json_object_set_new(one, "in_regime", json_boolean(is_judged(&p[i]) && p[i].outcome.outside[0] == 0));
        (void)json_object_set_new(one, "note", json_string(note_of(&p[i])));
        orr_json_add(points, one);
        if (i + 1 < n && orr_map_holds(&p[i]) != orr_map_holds(&p[i + 1]))
            orr_json_add(boundaries, orr_json_real(orr_map_boundary(axis, p, i)));
    }
    return json_pack("{s:s, s:s, s:b, s:s, s:o, s:o}", "law", law->id, "axis", axis->key, "log", axis->log, "words",
                     words, "points", points, "boundaries", boundaries);
}

/* "16 to 256, 1024": the values whose verdict is like `holds`. */
static const char *ranges(orr_arena *arena, const orr_map_point *p, int64_t n, bool holds) {
    const char *out = "";
    for (int64_t i = 0, last; out && i < n; i = last + 1) {
        for (last = i; last + 1 < n && orr_map_holds(&p[last + 1]) == orr_map_holds(&p[i]);) last++;
        if (orr_map_holds(&p[i]) != holds) continue;
        out = last > i ? orr_arena_format(arena, "%s%s%g to %g", out, out[0] ? ", " : "", p[i].value, p[last].value)
                       : orr_arena_format(arena, "%s%s%g", out, out[0] ? ", " : "", p[i].value);
    }
    return out;
}

const char *orr_map_words(orr_arena *out_arena, const orr_map_point *p, int64_t n) {
    const char *in = ranges(out_arena, p, n, true), *out = ranges(out_arena, p, n, false);
    if (!in || !out) return NULL;
    if (!out[0]) return orr_arena_format(out_arena, "holds at %s: no boundary on this axis", in);
    if (!in[0]) return orr_arena_format(out_arena, "holds nowhere here: not at %s", out);
    return orr_arena_format(out_arena, "holds at %s; not at %s", in, out);
}

/* ---- in the store --------------------------------------------------------------------------------------------------------- */

/* The text by which an experiment is known again; the data follow from it. */
static orr_status text_of(orr_context *ctx, orr_arena *arena, const orr_experiment *e, const char **text) {
    return orr_stored_text(ctx, arena, e, &(orr_stored_notes){ 0 }, text);
}

orr_status orr_map_keep(orr_context *ctx, orr_arena *scratch, orr_store *store, const orr_law *law, const char *axis,
                        const orr_experiment *base, const json_t *map) {
    orr_store_map row = { .law = law->id, .axis = axis, .size = base->size };
    char *text;
    ORR_TRY(ctx, text_of(ctx, scratch, base, &row.experiment));
    ORR_TRY(ctx, orr_json_text(ctx, scratch, map, 17, &text));
    row.text = text;
    return orr_store_add_map(store, &row);
}

orr_status orr_map_recall(orr_context *ctx, orr_arena *out_arena, orr_store *store, const orr_law *law,
                          const orr_experiment *base, const char **axis, json_t **map) {
    const char *text;
    orr_store_map *row;
    int64_t n;
    *map = NULL;
    ORR_TRY(ctx, text_of(ctx, out_arena, base, &text));
    ORR_TRY(ctx, orr_query_maps(store, out_arena, law->id, &row, &n));
    while (n > 0 && (strcmp(row[n - 1].size, base->size) != 0 || strcmp(row[n - 1].experiment, text) != 0)) n--;
    if (n == 0) return ORR_OK;
    *axis = row[n - 1].axis;
    *map = json_loads(row[n - 1].text, 0, NULL);
    return *map ? ORR_OK : orr_fail(ctx, ORR_EIO, "store %s: a map of %s is damaged", orr_store_path(store), law->id);
}

/* ---- its page ------------------------------------------------------------------------------------------------------------- */

static double at(const json_t *points, size_t i) {
    return json_number_value(json_object_get(json_array_get(points, i), "at"));
}

/* Where the stretch of the i-th value ends, towards the next (step 1) or the one before (-1). */
static double end_of(const json_t *map, size_t i, int step) {
    const json_t *points = json_object_get(map, "points");
    const size_t next = step < 0 && i == 0 ? i : step > 0 && i + 1 == json_array_size(points) ? i : i + (size_t)step;
    return halfway(json_is_true(json_object_get(map, "log")), at(points, i), at(points, next));
}

/* The check of that metric at a point (borrowed); NULL where it didn't speak. */
static json_t *check_at(const json_t *point, const char *metric) {
    size_t i;
    json_t *check;
    json_array_foreach(json_object_get(point, "checks"), i, check) {
        if (strcmp(json_string_value(json_object_get(check, "metric")), metric) == 0) return check;
    }
    return NULL;
}

/* The title of the horizontal axis, in each layer that has one. */
static void name_axis(json_t *panel, json_t *key) {
    json_t *layer;
    size_t i;
    json_array_foreach(json_object_get(json_object_get(panel, "spec"), "layer"), i, layer) {
        json_t *x = json_object_get(json_object_get(layer, "encoding"), "x");
        if (json_object_get(x, "title")) (void)json_object_set(x, "title", key);
    }
}

static json_t *panel(const orr_check *c, const json_t *map) {
    json_t *measured = json_array(), *outside = json_array(), *edges = json_array(), *point, *edge;
    size_t i;
    json_array_foreach(json_object_get(map, "points"), i, point) {
        const json_t *check = check_at(point, c->metric), *interval = json_object_get(check, "interval");
        json_t *note = json_object_get(point, "note");
        if (check)
            orr_json_row(measured, "{s:O, s:O, s:O, s:O, s:O, s:O}", "at", json_object_get(point, "at"), "value",
                         json_object_get(check, "value"), "low", json_array_get(interval, 0), "high",
                         json_array_get(interval, 1), "verdict", json_object_get(check, "verdict"), "note", note);
        if (!json_is_true(json_object_get(point, "in_regime")))
            orr_json_row(outside, "{s:f, s:f, s:O}", "from", end_of(map, i, -1), "to", end_of(map, i, 1), "note", note);
    }
    json_array_foreach(json_object_get(map, "boundaries"), i, edge) { orr_json_row(edges, "{s:O}", "at", edge); }
    json_t *tolerance = json_pack("[{s:o, s:o}]", "low", orr_json_real(c->low), "high", orr_json_real(c->high));
    json_t *out =
        orr_page_panel(json_is_true(json_object_get(map, "log")) ? "map_log" : "map", c->metric,
                       "Points: measured, with the range over seeds. Band: tolerance. Grey: outside the regime that "
                       "the law states. Dashed: where the verdict of the whole law changes.",
                       "Agreement with the law along the axis.", false,
                       json_pack("{s:o, s:o, s:o, s:o}", "measured", measured, "outside", outside, "edges", edges,
                                 "tolerance", tolerance));
    name_axis(out, json_object_get(map, "axis"));
    return out;
}

json_t *orr_map_panels(const orr_law *law, const json_t *map) {
    const json_t *points = json_object_get(map, "points");
    json_t *panels = json_array(), *point;
    size_t i;
    for (const orr_check *c = law->checks; c->metric; c++) {
        bool any = false;
        json_array_foreach(points, i, point) any = any || check_at(point, c->metric);
        if (any) orr_json_add(panels, panel(c, map));
    }
    return panels;
}

/* A line for each value: its verdict, and what there is to say (new). */
static json_t *facts_of(orr_arena *arena, const json_t *map) {
    const char *key = json_string_value(json_object_get(map, "axis"));
    json_t *facts = json_array(), *point;
    size_t i;
    json_array_foreach(json_object_get(map, "points"), i, point) {
        const char *note = json_string_value(json_object_get(point, "note"));
        const char *name = orr_arena_format(arena, "%s = %g", key, json_number_value(json_object_get(point, "at")));
        const char *words = orr_arena_format(arena, "%s%s%s", json_string_value(json_object_get(point, "verdict")),
                                             note[0] ? "; " : "", note);
        orr_json_add(facts, name && words ? json_pack("[s, s]", name, words) : NULL);
    }
    return facts;
}

orr_status orr_map_write_page(orr_context *ctx, orr_arena *scratch, const orr_law *law, const json_t *map,
                              const char *command, const char *path) {
    json_t *key = json_object_get(map, "axis");
    const char *title = orr_arena_format(scratch, "%s, along %s", law->title, json_string_value(key));
    const char *kicker = orr_arena_format(scratch, "Map of a regime, section %s of the paper", law->section);
    json_t *panels = orr_map_panels(law, map), *facts = facts_of(scratch, map), *checks = json_array();
    json_t *verdict = json_pack("{s:O, s:s, s:n, s:O}", "metric", key, "verdict", "MAP", "value", "note",
                                json_object_get(map, "words"));
    const orr_page_entry page = { .kicker = kicker,
                                  .title = title,
                                  .statement = law->statement,
                                  .sources = law->sources,
                                  .command = command,
                                  .verdict = verdict,
                                  .checks = checks,
                                  .facts = facts,
                                  .panels = panels };
    const orr_status status = title && kicker && verdict && facts && panels && checks
                                  ? orr_page_write(ctx, scratch, &page, path)
                                  : orr_fail(ctx, ORR_ENOMEM, "%s: no memory for the page", path);
    json_decref(verdict);
    json_decref(facts);
    json_decref(checks);
    json_decref(panels);
    return status;
}
