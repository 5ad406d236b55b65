#include "law/map.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/context.h"
#include "report/page.h"

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

double orr_map_boundary(const orr_axis *axis, const orr_map_point *p, int64_t i) {
    return axis->log ? sqrt(p[i].value * p[i + 1].value) : (p[i].value + p[i + 1].value) / 2;
}

static const char *note_of(const orr_map_point *p) {
    return p->trouble ? p->trouble : p->outcome.outside[0] ? p->outcome.outside : p->outcome.note;
}

json_t *orr_map_json(const orr_law *law, const orr_axis *axis, const orr_map_point *p, int64_t n) {
    json_t *points = json_array(), *boundaries = json_array();
    for (int64_t i = 0; i < n; i++) {
        json_t *one = p[i].trouble ? json_pack("{s:s, s:s}", "verdict", "NOT RUN", "note", p[i].trouble)
                                   : orr_law_outcome_json(&p[i].outcome);
        (void)json_object_set_new(one, "at", orr_json_real(p[i].value));
        (void)json_object_set_new(one, "in_regime", json_boolean(is_judged(&p[i]) && p[i].outcome.outside[0] == 0));
        (void)json_array_append_new(points, one);
        if (i + 1 < n && orr_map_holds(&p[i]) != orr_map_holds(&p[i + 1]))
            (void)json_array_append_new(boundaries, orr_json_real(orr_map_boundary(axis, p, i)));
    }
    return json_pack("{s:s, s:s, s:b, s:o, s:o}", "law", law->id, "axis", axis->key, "log", axis->log, "points", points,
                     "boundaries", boundaries);
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

/* ---- its page ------------------------------------------------------------------------------------------------------------- */

static double halfway(const orr_axis *axis, const orr_map_point *p, int64_t n, int64_t i) {
    return i < 0 ? p[0].value : i + 1 >= n ? p[n - 1].value : orr_map_boundary(axis, p, i);
}

static json_t *panel(const orr_law *law, const orr_axis *axis, const orr_map_point *p, int64_t n, int64_t check) {
    json_t *measured = json_array(), *outside = json_array(), *edges = json_array();
    const orr_check *c = &law->checks[check];
    for (int64_t i = 0; i < n; i++) {
        const orr_judgement *j = is_judged(&p[i]) ? &p[i].outcome.check[check] : NULL;
        if (j && j->n)
            (void)json_array_append_new(measured,
                                        json_pack("{s:f, s:o, s:o, s:o, s:s, s:s}", "at", p[i].value, "value",
                                                  orr_json_real(j->value), "low", orr_json_real(j->interval[0]), "high",
                                                  orr_json_real(j->interval[1]), "verdict",
                                                  orr_verdict_words(j->verdict), "note", note_of(&p[i])));
        if (!is_judged(&p[i]) || p[i].outcome.outside[0])
            (void)json_array_append_new(outside, json_pack("{s:f, s:f, s:s}", "from", halfway(axis, p, n, i - 1), "to",
                                                           halfway(axis, p, n, i), "note", note_of(&p[i])));
        if (i + 1 < n && orr_map_holds(&p[i]) != orr_map_holds(&p[i + 1]))
            (void)json_array_append_new(edges, json_pack("{s:f}", "at", orr_map_boundary(axis, p, i)));
    }
    json_t *tolerance = json_pack("[{s:o, s:o}]", "low", orr_json_real(c->low), "high", orr_json_real(c->high));
    return orr_page_panel(axis->log ? "map_log" : "map", c->metric,
                          "Points: measured, with the range over seeds. Band: tolerance. Grey: outside the regime that "
                          "the law states. Dashed: where the verdict of the whole law changes.",
                          "Agreement with the law along the axis.", true,
                          json_pack("{s:o, s:o, s:o, s:o}", "measured", measured, "outside", outside, "edges", edges,
                                    "tolerance", tolerance));
}

orr_status orr_map_write_page(orr_context *ctx, orr_arena *scratch, const orr_law *law, const orr_axis *axis,
                              const orr_map_point *p, int64_t n, const char *command, const char *path) {
    const char *words = orr_map_words(scratch, p, n);
    const char *title = orr_arena_format(scratch, "%s, along %s", law->title, axis->key);
    const char *kicker = orr_arena_format(scratch, "Map of a regime, section %s of the paper", law->section);
    json_t *panels = json_array();
    for (int64_t c = 0; law->checks[c].metric; c++) {
        bool any = false;
        for (int64_t i = 0; i < n; i++) any = any || (is_judged(&p[i]) && p[i].outcome.check[c].n > 0);
        if (any) (void)json_array_append_new(panels, panel(law, axis, p, n, c));
    }
    json_t *verdict =
        json_pack("{s:s, s:s, s:n, s:s}", "metric", axis->key, "verdict", "MAP", "value", "note", words ? words : "");
    json_t *facts = json_array(), *checks = json_array();
    for (int64_t i = 0; i < n; i++)
        (void)json_array_append_new(
            facts, json_pack("[o, o]", json_string(orr_arena_format(scratch, "%s = %g", axis->key, p[i].value)),
                             json_string(orr_arena_format(
                                 scratch, "%s%s%s", p[i].trouble ? "NOT RUN" : orr_verdict_words(p[i].outcome.verdict),
                                 note_of(&p[i])[0] ? "; " : "", note_of(&p[i])))));
    const orr_page_entry page = { .kicker = kicker,
                                  .title = title,
                                  .statement = law->statement,
                                  .sources = law->sources,
                                  .command = command,
                                  .verdict = verdict,
                                  .checks = checks,
                                  .facts = facts,
                                  .panels = panels };
    const orr_status status = words && title && kicker && verdict && facts && panels && checks
                                  ? orr_page_write(ctx, scratch, &page, path)
                                  : orr_fail(ctx, ORR_ENOMEM, "%s: no memory for the page", path);
    json_decref(verdict);
    json_decref(facts);
    json_decref(checks);
    json_decref(panels);
    return status;
}
