/* An outcome in JSON, and as a page. */
#include <string.h>

#include "base/context.h"
#include "base/json.h"
#include "law/map.h"
#include "report/page.h"

static json_t *check_json(const orr_check *c, const orr_judgement *j, const char *verdict, const char *note) {
    return json_pack("{s:s, s:s, s:o, s:[o,o], s:[o,o], s:s}", "metric", c->metric, "verdict", verdict, "value",
                     j->n ? orr_json_real(j->value) : json_null(), "tolerance", orr_json_real(c->low),
                     orr_json_real(c->high), /* null: open to that side */
                     "interval", j->n ? orr_json_real(j->interval[0]) : json_null(),
                     j->n ? orr_json_real(j->interval[1]) : json_null(), "note", note);
}

static json_t *all_checks(const orr_law_outcome *o) {
    json_t *list = json_array();
    for (int64_t i = 0; i < o->n_checks; i++)
        if (o->check[i].n)
            orr_json_add(list,
                         check_json(&o->law->checks[i], &o->check[i], orr_verdict_words(o->check[i].verdict), ""));
    return list;
}

static json_t *text_or_null(const char *text) { return text[0] ? json_string(text) : json_null(); }

json_t *orr_law_outcome_json(const orr_law_outcome *o) {
    json_t *seeds = json_array(), *runs = json_array();
    const bool ran = o->verdict != ORR_OUT_OF_REGIME;
    for (int64_t i = 0; ran && i < o->seeds; i++) orr_json_add(seeds, json_integer(i));
    for (int64_t i = 0; ran && i < o->points * o->seeds; i++) orr_json_add(runs, json_integer(o->runs[i]));
    json_t *head =
        check_json(&o->law->checks[o->headline], &o->check[o->headline], orr_verdict_words(o->verdict), o->note);
    json_t *out = json_pack("{s:s}", "law", o->law->id);
    (void)json_object_update(out, head);
    json_decref(head);
    json_t *rest =
        json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "seeds", seeds, "sealed_at", text_or_null(o->sealed_at),
                  "started_at", text_or_null(o->started_at), "finished_at", text_or_null(o->finished_at),
                  "prediction_sha256", text_or_null(o->sha256), "runs", runs, "checks", all_checks(o));
    (void)json_object_update(out, rest);
    json_decref(rest);
    if (o->outside[0]) (void)json_object_set_new(out, "outside", json_string(o->outside));
    return out;
}

/* ---- the page ------------------------------------------------------------------------------------------------------------- */

const char *orr_law_kind_words(orr_context *ctx, orr_arena *scratch, const json_t *kind) {
    const char *key, *words = json_string_value(json_object_get(kind, "kind"));
    const char *open = " (";
    json_t *value;
    if (!words) return "";
    json_object_foreach((json_t *)kind, key, value) {
        char *text = NULL;
        if (strcmp(key, "kind") == 0 || !words) continue;
        if (json_is_string(value)) text = orr_arena_string(scratch, json_string_value(value));
        else if (json_is_array(value) || json_is_object(value)) {
            if (orr_json_text(ctx, scratch, value, 6, &text) != ORR_OK) return NULL;
        } else {
            text = json_is_number(value) ? orr_arena_format(scratch, "%g", json_number_value(value))
                                         : orr_arena_string(scratch, json_is_true(value) ? "yes" : "no");
        }
        words = text ? orr_arena_format(scratch, "%s%s%s %s", words, open, key, text[0] ? text : "-") : NULL;
        open = ", ";
    }
    return words && open[0] == ',' ? orr_arena_format(scratch, "%s)", words) : words;
}

static void add_fact(json_t *facts, const char *name, const char *value) {
    orr_json_add(facts, value ? json_pack("[s, s]", name, value) : NULL);
}

/* The names of the points, the first dozen. */
static const char *point_names(orr_arena *scratch, const orr_experiment *e) {
    const char *words = "";
    for (int64_t i = 0; words && i < e->n_points && i < 12; i++)
        words = orr_arena_format(scratch, "%s%s%s", words, i ? "; " : "", e->points[i].name);
    return words && e->n_points > 12
               ? orr_arena_format(scratch, "%s; and %lld more", words, (long long)e->n_points - 12)
               : words;
}

/* The four ingredients of the first point, and how the others differ (new). */
static json_t *ingredients_of(orr_context *ctx, orr_arena *scratch, const orr_experiment *e) {
    static const char *const keys[] = { "architecture", "parameterization", "initial", "data", "task", "rule" };
    json_t *facts = json_array(), *all = json_loads(e->points[0].json, 0, NULL);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        add_fact(facts, keys[i], orr_law_kind_words(ctx, scratch, json_object_get(all, keys[i])));
    json_decref(all);
    if (e->n_points > 1)
        add_fact(facts, orr_arena_format(scratch, "%lld points", (long long)e->n_points), point_names(scratch, e));
    add_fact(facts, "updates", orr_arena_format(scratch, "%lld", (long long)e->points[0].steps));
    add_fact(facts, "seeds", orr_arena_format(scratch, "%lld", (long long)e->seeds));
    add_fact(facts, "precision", orr_dtype_name(e->points[0].precision));
    return facts;
}

static json_t *regime_of(const orr_law *law) {
    json_t *list = json_array();
    for (const orr_condition *c = law->regime; c->words; c++) orr_json_add(list, json_string(c->words));
    return list;
}

static const char *approach_of(const orr_law *law) {
    int i = 0;
    while (orr_law_at(i) && orr_law_at(i) != law) i++;
    return orr_law_approach(i);
}

/* What the page holds of an outcome: its parts are new. */
static orr_page_entry new_entry(orr_context *ctx, orr_arena *scratch, const orr_law_outcome *o,
                                const orr_experiment *experiment, const char *command) {
    const bool drawn = o->prediction && o->measurement && o->law->figure;
    return (orr_page_entry){
        .id = o->law->id,
        .approach = approach_of(o->law),
        .kicker = orr_arena_format(scratch, "Law, section %s of the paper", o->law->section),
        .title = o->law->title,
        .statement = o->law->statement,
        .sources = o->law->sources,
        .command = command,
        .equation = o->law->equation,
        .verdict =
            check_json(&o->law->checks[o->headline], &o->check[o->headline], orr_verdict_words(o->verdict), o->note),
        .checks = all_checks(o),
        .facts =
            json_pack("[[s,s], [s,s], [s,s], [s,s]]", "prediction sealed", o->sealed_at, "sha256 of the prediction",
                      o->sha256, "first run started", o->started_at, "last run finished", o->finished_at),
        .panels = drawn ? o->law->figure(o->prediction, o->measurement) : json_array(),
        .ingredients = ingredients_of(ctx, scratch, experiment),
        .regime = regime_of(o->law),
    };
}

static void forget(orr_page_entry *e) {
    json_t *const parts[] = { e->verdict, e->checks, e->facts, e->panels, e->ingredients, e->regime, e->map };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) json_decref(parts[i]);
}

static bool is_whole(const orr_page_entry *e) {
    return e->verdict && e->checks && e->facts && e->panels && e->ingredients && e->regime && e->kicker;
}

/* The map that the store keeps, and the command that makes one. */
static orr_status add_map(orr_context *ctx, orr_arena *scratch, orr_store *store, const orr_law *law,
                          const orr_experiment *experiment, orr_page_entry *e) {
    const char *axis = law->breaks_along;
    json_t *map;
    ORR_TRY(ctx, orr_map_recall(ctx, scratch, store, law, experiment, &axis, &map));
    if (map) {
        e->map = json_pack("{s:O, s:o}", "words", json_object_get(map, "words"), "panels", orr_map_panels(law, map));
        json_decref(map);
        if (!e->map) return orr_fail(ctx, ORR_ENOMEM, "%s: no memory for a map", law->id);
    }
    /* an experiment of one's own has a command of its own */
    if (axis && experiment->size[0] && strcmp(experiment->text, law->defaults) == 0)
        e->map_command =
            orr_arena_format(scratch, "orrery law map %s --axis %s --size %s", law->id, axis, experiment->size);
    return ORR_OK;
}

/* The parts of an entry (new), to be forgotten also after a failure. */
static orr_status entry_of(orr_context *ctx, orr_arena *scratch, orr_store *store, const orr_law_outcome *o,
                           const orr_experiment *experiment, const char *command, orr_page_entry *e) {
    *e = new_entry(ctx, scratch, o, experiment, command);
    if (!is_whole(e)) return orr_fail(ctx, ORR_ENOMEM, "%s: no memory for the page", o->law->id);
    return add_map(ctx, scratch, store, o->law, experiment, e);
}

orr_status orr_law_entry(orr_context *ctx, orr_arena *scratch, orr_store *store, const orr_law_outcome *o,
                         const orr_experiment *experiment, const char *command, json_t **entry) {
    orr_page_entry e;
    const orr_status status = entry_of(ctx, scratch, store, o, experiment, command, &e);
    *entry = status == ORR_OK ? orr_page_entry_json(&e) : NULL;
    forget(&e);
    ORR_TRY(ctx, status);
    return *entry ? ORR_OK : orr_fail(ctx, ORR_ENOMEM, "%s: no memory for the page", o->law->id);
}

orr_status orr_law_write_page(orr_context *ctx, orr_arena *scratch, orr_store *store, const orr_law_outcome *o,
                              const orr_experiment *experiment, const char *command, const char *path) {
    orr_page_entry e;
    orr_status status = entry_of(ctx, scratch, store, o, experiment, command, &e);
    if (status == ORR_OK) status = orr_page_write(ctx, scratch, &e, path);
    forget(&e);
    return status;
}
