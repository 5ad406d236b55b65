#include "lab/experiment.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/context.h"
#include "base/file/file.h"
#include "lab/reading.h"
#include "lab/sweep.h"

enum { NAMES_MAX = 64 };

/* ---- a point ----------------------------------------------------------------------------------------------------------------- */

static void read_observations(orr_mistakes *m, const orr_yaml *list, bool whole, orr_point *out) {
    if (!list || !orr_read_is(m, list, ORR_YAML_LIST, "observe")) return;
    orr_observation *all = ORR_NEW(m->arena, orr_observation, list->n);
    if (!all) {
        m->no_memory = true;
        return;
    }
    for (int64_t i = 0; i < list->n; i++) {
        const int index =
            orr_read_kind(m, &orr_sections[ORR_SECTION_INSTRUMENT], list->value[i], list, whole, &all[i].settings);
        all[i].instrument = index < 0 ? NULL : orr_instrument_at(index);
        for (int64_t j = 0; j < i && all[i].instrument; j++) /* their series would have the same names */
            if (all[j].instrument == all[i].instrument)
                orr_mistakes_add(m, list->value[i]->at, "instrument '%s' stands twice in this list",
                                 all[i].instrument->kind.name);
    }
    out->observations = all;
    out->n_observations = list->n;
}

static void write_json(orr_mistakes *m, orr_point *p) {
    json_t *observe = json_array();
    for (int64_t i = 0; i < p->n_observations; i++)
        (void)json_array_append_new(
            observe, orr_settings_json(&p->observations[i].instrument->kind, &p->observations[i].settings));
    json_t *all = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:o, s:I, s:s, s:b, s:o}", "architecture",
                            orr_settings_json(&p->architecture->kind, &p->architecture_settings), "parameterization",
                            orr_settings_json(&p->parameterization->kind, &p->parameterization_settings), "initial",
                            orr_settings_json(&p->initial->kind, &p->initial_settings), "data",
                            orr_settings_json(&p->data->kind, &p->data_settings), "task",
                            orr_settings_json(&p->task->kind, &p->task_settings), "rule",
                            orr_settings_json(&p->rule->kind, &p->rule_settings), "steps", (json_int_t)p->steps,
                            "epochs", (json_int_t)p->epochs, "until", orr_json_real(p->until), "patience",
                            (json_int_t)p->patience, "precision", orr_dtype_name(p->precision), "keep_parameters",
                            (int)p->keep_parameters, "observe", observe);
    char *text;
    const orr_status status = orr_json_text(m->ctx, m->arena, all, 17, &text);
    json_decref(all);
    if (status == ORR_OK) p->json = text;
    else m->no_memory = true;
}

static bool is_zero(const orr_yaml *word) { return word && word->word && strcmp(word->word, "0") == 0; }

/* How long to train: one of steps and epochs. */
static void check_length(orr_mistakes *m, const orr_yaml *tree, bool whole) {
    static const char *const names[] = { "steps", "epochs" };
    const orr_yaml *steps = orr_yaml_get(tree, "steps"), *epochs = orr_yaml_get(tree, "epochs");
    if (steps && epochs)
        orr_mistakes_add(m, epochs->at, "'steps' and 'epochs' are both given; one says how long to train");
    else if (!steps && !epochs && whole && !orr_read_mistyped(tree, names, 2, names[0]) &&
             !orr_read_mistyped(tree, names, 2, names[1]))
        orr_mistakes_add(m, tree->at, "'steps' or 'epochs' is missing (how long to train)");
    else if (whole && is_zero(epochs))
        orr_mistakes_add(m, epochs->at, "epochs: a run of no length; `steps: 0` measures the initial network alone");
    else if (whole && is_zero(steps) && !orr_yaml_get(tree, "observe"))
        orr_mistakes_add(m, steps->at, "steps: a run of no length that observes nothing");
}

/* whole: nothing may be missing, and the point can be run where there is no mistake. */
static void read_point(orr_mistakes *m, const orr_yaml *tree, bool whole, orr_point *out) {
    orr_settings *const settings[ORR_SECTION_INSTRUMENT] = {
        &out->architecture_settings, &out->parameterization_settings,
        &out->initial_settings,      &out->data_settings,
        &out->task_settings,         &out->rule_settings,
    };
    int index[ORR_SECTION_INSTRUMENT];
    const orr_settings keys = orr_read_table(m, "an experiment", orr_experiment_keys, tree, whole);
    for (int s = 0; s < ORR_SECTION_INSTRUMENT; s++)
        index[s] =
            orr_read_kind(m, &orr_sections[s], orr_yaml_get(tree, orr_sections[s].key), tree, whole, settings[s]);
    read_observations(m, orr_yaml_get(tree, "observe"), whole, out);
    if (m->no_memory) return;
    out->name = orr_text(&keys, "name");
    out->steps = orr_int(&keys, "steps");
    out->epochs = orr_int(&keys, "epochs");
    out->until = orr_real(&keys, "until");
    out->patience = orr_int(&keys, "patience");
    out->keep_parameters = orr_flag(&keys, "keep_parameters");
    out->precision = strcmp(orr_text(&keys, "precision"), "f64") == 0 ? ORR_F64 : ORR_F32;
    check_length(m, tree, whole);
    if (!whole || m->n > 0) return;
    out->architecture = orr_architecture_at(index[ORR_SECTION_ARCHITECTURE]);
    out->parameterization = orr_parameterization_at(index[ORR_SECTION_PARAMETERIZATION]);
    out->initial = orr_initial_at(index[ORR_SECTION_INITIAL]);
    out->data = orr_data_at(index[ORR_SECTION_DATA]);
    out->task = orr_task_at(index[ORR_SECTION_TASK]);
    out->rule = orr_rule_at(index[ORR_SECTION_RULE]);
    write_json(m, out);
}

/* ---- the whole ----------------------------------------------------------------------------------------------------------------- */

/* Which keys a map may have: of a whole experiment, of a size (no sizes in it), of a point of the sweep. */
typedef enum scope { WHOLE, SIZE, POINT } scope;

static bool check_keys(orr_mistakes *m, const orr_yaml *map, const char *what, scope of) {
    const char *names[NAMES_MAX];
    int n = 0;
    if (!orr_read_is(m, map, ORR_YAML_MAP, what)) return false;
    for (int i = 0; orr_experiment_keys[i].name && (of != POINT || i < ORR_POINT_KEYS); i++)
        names[n++] = orr_experiment_keys[i].name;
    for (int s = 0; s < ORR_SECTIONS; s++) names[n++] = orr_sections[s].key;
    for (int i = 0; orr_experiment_parts[i].name && of != POINT; i++)
        if (of == WHOLE || strcmp(orr_experiment_parts[i].name, "sizes") != 0)
            names[n++] = orr_experiment_parts[i].name;
    orr_read_keys(m, map, what, names, n);
    return true;
}

static void read_sweep(orr_mistakes *m, const orr_yaml *tree, orr_experiment *out) {
    const orr_yaml *sweep = orr_yaml_get(tree, "sweep");
    const orr_yaml *changes = sweep ? orr_sweep_points(m, sweep) : NULL;
    out->n_points = changes ? changes->n : 1;
    orr_point *points = ORR_NEW(m->arena, orr_point, out->n_points);
    out->points = points;
    if (!points) m->no_memory = true;
    else if (!changes) read_point(m, tree, !sweep, &points[0]); /* a broken sweep may have given what is missing */
    /* In strides, so that the first thousand meet every value of a grid: where there are mistakes, they will do. */
    const int64_t stride = out->n_points % 7919 ? 7919 : 1; /* a prime */
    for (int64_t k = 0; changes && k < changes->n && !m->no_memory && (m->n == 0 || k < 1000); k++) {
        const int64_t i = k * stride % changes->n;
        const orr_yaml *change = changes->value[i];
        if (!check_keys(m, change, "a point of the sweep", POINT)) continue;
        const orr_yaml *point = orr_overlay(m, tree, change);
        if (point) read_point(m, point, true, &points[i]);
        if (!orr_yaml_get(change, "name") && change->n > 0) points[i].name = orr_overlay_name(m, change);
    }
}

/* The changes that a size asks for, or NULL.  All sizes are checked with their points, whichever is asked for. */
static const orr_yaml *find_size(orr_mistakes *m, const orr_yaml *root, const char *size) {
    static const char *const names[] = { "quick", "full" };
    const orr_yaml *sizes = orr_yaml_get(root, "sizes"), *found = NULL;
    if (!sizes || !orr_read_is(m, sizes, ORR_YAML_MAP, "sizes")) return NULL;
    for (int64_t i = 0; i < sizes->n; i++) {
        const char *name = sizes->key[i]->word;
        orr_experiment other = { 0 };
        if (strcmp(name, names[0]) != 0 && strcmp(name, names[1]) != 0)
            orr_mistakes_unknown(m, sizes->key[i]->at, "size", name, names, 2);
        if (!check_keys(m, sizes->value[i], "a size", SIZE)) continue;
        if (strcmp(name, size) == 0) found = sizes->value[i];
        const orr_yaml *tree = orr_overlay(m, root, sizes->value[i]);
        if (tree) read_sweep(m, tree, &other);
    }
    return found;
}

/* `auto`: all that are known. */
static void take_all_laws(orr_mistakes *m, const char *const *known, int n_known, orr_experiment *out) {
    const char **laws = ORR_NEW(m->arena, const char *, n_known);
    if (!laws) m->no_memory = true;
    for (int i = 0; laws && i < n_known; i++) laws[i] = known[i];
    out->laws = laws;
    out->n_laws = laws ? n_known : 0;
    out->laws_auto = true;
}

static void read_laws(orr_mistakes *m, const orr_yaml *list, const char *const *known, orr_experiment *out) {
    int n_known = 0;
    while (known && known[n_known]) n_known++;
    if (list && list->type == ORR_YAML_WORD && strcmp(list->word, "auto") == 0) {
        take_all_laws(m, known, n_known, out);
        return;
    }
    if (!list || !orr_read_is(m, list, ORR_YAML_LIST, "laws")) return;
    const char **laws = ORR_NEW(m->arena, const char *, list->n);
    if (!laws) {
        m->no_memory = true;
        return;
    }
    for (int64_t i = 0; i < list->n; i++) {
        if (!orr_read_is(m, list->value[i], ORR_YAML_WORD, "laws")) continue;
        int at = 0;
        laws[i] = list->value[i]->word;
        while (at < n_known && strcmp(known[at], laws[i]) != 0) at++;
        if (known && at == n_known) orr_mistakes_unknown(m, list->value[i]->at, "law", laws[i], known, n_known);
    }
    out->laws = laws;
    out->n_laws = list->n;
}

/* One --set as a tree; NULL, with a mistake, where it is none. */
static const orr_yaml *read_set(orr_mistakes *m, const char *text, int source) {
    const orr_place at = { .source = source, .line = 1, .column = 1 };
    const char *equals = strchr(text, '=');
    if (!equals || equals == text) {
        orr_mistakes_add(m, at, "expected KEY=VALUE, as in rule.learning_rate=0.1, met '%s'", ORR_SHOWN(text));
        return NULL;
    }
    char *key = orr_arena_format(m->arena, "%.*s", (int)(equals - text), text);
    if (!key) return m->no_memory = true, NULL;
    const orr_yaml *value = orr_yaml_parse(m, equals + 1, strlen(equals + 1), source);
    return value ? orr_yaml_dotted(m, orr_yaml_word(m, at, key), value) : NULL;
}

static const orr_yaml *apply_sets(orr_mistakes *m, const orr_yaml *tree, const orr_yaml *const *set, int n) {
    for (int i = 0; tree && i < n; i++)
        if (set[i]) tree = orr_overlay(m, tree, set[i]);
    return tree;
}

static void read_experiment(orr_mistakes *m, const orr_yaml *root, const orr_experiment_options *o,
                            orr_experiment *out) {
    orr_point base = { 0 };
    const orr_yaml **set = ORR_NEW(m->arena, const orr_yaml *, o->n_set);
    if (!set) m->no_memory = true;
    for (int i = 0; set && i < o->n_set; i++) set[i] = read_set(m, o->set[i], i + 1);
    if (m->no_memory || !root || !check_keys(m, root, "an experiment", WHOLE)) return;
    read_point(m, root, false, &base); /* what the file says is checked, even where a change hides it */
    const orr_yaml *tree = apply_sets(m, root, set, o->n_set);
    if (!tree || !check_keys(m, tree, "an experiment", WHOLE)) return;
    const orr_yaml *change = find_size(m, tree, out->size);
    if (change) tree = apply_sets(m, orr_overlay(m, tree, change), set, o->n_set);
    if (!tree) return;
    const orr_settings keys = orr_read_table(m, "an experiment", orr_experiment_keys, tree, true);
    if (m->no_memory) return;
    out->name = orr_text(&keys, "name");
    out->notes = orr_text(&keys, "notes");
    out->seeds = orr_int(&keys, "seeds");
    read_laws(m, orr_yaml_get(tree, "laws"), o->laws, out);
    read_sweep(m, tree, out);
}

/* Copies, so that the experiment says what it is whatever becomes of the options. */
static bool keep_changes(orr_mistakes *m, const orr_experiment_options *o, orr_experiment *out) {
    const char **set = ORR_NEW(m->arena, const char *, o->n_set);
    bool good = set != NULL;
    for (int i = 0; good && i < o->n_set; i++) good = (set[i] = orr_arena_string(m->arena, o->set[i])) != NULL;
    out->set = set;
    out->n_set = good ? o->n_set : 0;
    m->no_memory = m->no_memory || !good;
    return good;
}

void orr_experiment_check(orr_mistakes *m, const char *text, size_t n, const orr_experiment_options *options,
                          orr_experiment *out) {
    const orr_experiment_options o = options ? *options : (orr_experiment_options){ 0 };
    *out = (orr_experiment){ 0 };
    char *copy = ORR_NEW(m->arena, char, n + 1);
    out->size = orr_arena_string(m->arena, o.size ? o.size : "");
    out->text = copy;
    if (!copy || !out->size) {
        m->no_memory = true;
        return;
    }
    memcpy(copy, text, n);
    if (!keep_changes(m, &o, out)) return;
    read_experiment(m, orr_yaml_parse(m, text, n, 0), &o, out);
}

orr_status orr_experiment_parse(orr_context *ctx, orr_arena *out_arena, const char *file, const char *text, size_t n,
                                const orr_experiment_options *options, orr_experiment *out) {
    orr_mistakes m = { .ctx = ctx, .arena = out_arena, .file = file };
    orr_experiment_check(&m, text, n, options, out);
    return orr_mistakes_tell(&m);
}

/* Not base/file: a pipe is welcome here, as in `orrery check <(sed ... a.yaml)`. */
orr_status orr_experiment_load(orr_context *ctx, orr_arena *out_arena, const char *path, char **text, size_t *n) {
    enum { CHUNK = 1 << 16, ROOM_MAX = 1 << 26 };
    FILE *file = fopen(path, "rb");
    char *bytes = NULL;
    size_t room = 0;
    orr_status status = ORR_OK;
    *n = 0;
    if (!file) return orr_fail(ctx, orr_file_trouble(errno), "%s: can't be opened (%s)", path, strerror(errno));
    for (size_t got = 1; got > 0; *n += got) {
        if (room - *n < CHUNK) { /* twice the room; the YAML reader says what is too large */
            char *larger = orr_allocate(ctx, room = 2 * room + 2 * CHUNK);
            if (larger) memcpy(larger, bytes ? bytes : "", *n);
            orr_release(ctx, bytes);
            bytes = larger;
            if (!bytes || room > ROOM_MAX) {
                status = bytes ? orr_fail(ctx, ORR_EINPUT, "%s: larger than any experiment", path)
                               : orr_fail(ctx, ORR_ENOMEM, "%s: out of memory", path);
                goto done;
            }
        }
        got = fread(bytes + *n, 1, CHUNK, file);
    }
    *text = ORR_NEW(out_arena, char, *n + 1);
    if (ferror(file)) /* a folder opens, but isn't read */
        status = orr_fail(ctx, orr_file_trouble(errno), "%s: can't be read (%s)", path, strerror(errno));
    else if (!*text) status = orr_fail(ctx, ORR_ENOMEM, "%s: out of memory", path);
    else memcpy(*text, bytes, *n);
done:
    orr_release(ctx, bytes);
    (void)fclose(file);
    return status;
}

orr_status orr_experiment_read(orr_context *ctx, orr_arena *out_arena, const char *path,
                               const orr_experiment_options *options, orr_experiment *out) {
    char *text;
    size_t n;
    ORR_TRY(ctx, orr_experiment_load(ctx, out_arena, path, &text, &n));
    return orr_experiment_parse(ctx, out_arena, path, text, n, options, out);
}

/* ---- JSON -------------------------------------------------------------------------------------------------------------------------- */

static json_t *value_json(const orr_parameter *p, const orr_value *v) {
    switch (p->type) {
    case ORR_INT: return json_integer(v->integer);
    case ORR_REAL: return orr_json_real(v->real);
    case ORR_FLAG: return json_boolean(v->integer != 0);
    case ORR_CHOICE:
    case ORR_TEXT: return json_string(v->text);
    case ORR_REALS: return orr_json_reals(v->reals, v->n);
    case ORR_INTS: break;
    }
    json_t *list = json_array();
    for (int64_t i = 0; i < v->n; i++) (void)json_array_append_new(list, json_integer(v->items[i]));
    return list;
}

json_t *orr_settings_json(const orr_kind *kind, const orr_settings *s) {
    json_t *all = json_pack("{s:s}", "kind", kind->name);
    for (int i = 0; s->table[i].name; i++)
        (void)json_object_set_new(all, s->table[i].name, value_json(&s->table[i], &s->value[i]));
    return all;
}
