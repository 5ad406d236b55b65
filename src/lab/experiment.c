#include "lab/experiment.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/context.h"
#include "base/nearest.h"
#include "lab/yaml.h"

enum { NAMES_MAX = 64, WORDS_MAX = 256, POINTS_MAX = 1000 };

/* Keys of a file with one value each. */
static const orr_parameter settings_table[] = {
    { "name", ORR_TEXT, .help = "of the experiment" },
    { "steps", ORR_INT, .fallback = "0", .range = "[0, 2000000000]", .unit = "updates", .help = "how long to train" },
    { "epochs", ORR_INT, .fallback = "0", .range = "[0, 1000000000]", .unit = "passes over the training examples",
      .help = "how long to train, instead of steps" },
    { "until", ORR_REAL, .fallback = "0", .range = "[0, inf)", .unit = "loss",
      .help = "training ends earlier where the training loss is below; 0: never" },
    { "precision", ORR_CHOICE, .fallback = "f32", .choices = "f32 f64", .help = "of parameters and data" },
    { "notes", ORR_TEXT, .fallback = "", .help = "for people" },
    { "seeds", ORR_INT, .fallback = "1", .range = "[1, 100000]", .help = "how many: 0, 1, ..." },
    { 0 },
};
enum { N_POINT_SETTINGS = 5, N_SETTINGS = 7 }; /* the first ones may change from point to point */
/* Keys with more inside; in a point of the sweep, the first ones. */
static const char *const sections[] = { "architecture", "parameterization", "initial", "data",  "task",
                                        "rule",         "observe",          "laws",    "sweep", "sizes" };
enum { N_SECTIONS = sizeof sections / sizeof sections[0], N_POINT_SECTIONS = 7 };

typedef struct reader {
    orr_context *ctx;
    orr_arena *arena;
    const char *file;
} reader;

/* A tree of YAML and the trees that change it, the last the strongest.  Overlays are looked at, never copied. */
enum { LAYERS_MAX = 3 };
typedef struct layers {
    const orr_yaml *tree[LAYERS_MAX];
    int n;
} layers;

static orr_status no_memory(reader *r) { return orr_fail(r->ctx, ORR_ENOMEM, "%s: out of memory", r->file); }

static orr_status mistake(reader *r, const orr_yaml *at, const char *format, ...) ORR_PRINTF(3, 4);
static orr_status mistake(reader *r, const orr_yaml *at, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return orr_fail(r->ctx, ORR_EINPUT, "%s:%d:%d: %s", r->file, at->line, at->column, text);
}

/* "'lerning_rate' is unknown here; did you mean 'learning_rate'?", or all names where none is near. */
static orr_status unknown(reader *r, const orr_yaml *at, const char *what, const char *const *names, int n) {
    char all[400] = "";
    const char *near = orr_nearest(at->word, names, n);
    if (near) return mistake(r, at, "unknown %s '%s'; did you mean '%s'?", what, at->word, near);
    for (int i = 0; i < n; i++) {
        const size_t used = strlen(all);
        (void)snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", names[i]);
    }
    return mistake(r, at, "unknown %s '%s'; there %s: %s", what, at->word, n == 1 ? "is" : "are", all);
}

static orr_status expect(reader *r, const orr_yaml *at, orr_yaml_type type, const char *what) {
    if (at->type == type) return ORR_OK;
    return mistake(r, at, "%s: expected %s, met %s", what, orr_yaml_type_words(type), orr_yaml_type_words(at->type));
}

/* ---- one kind with its values ------------------------------------------------------------------------------------------- */

/* One value into its place. */
static orr_status read_value(reader *r, const orr_parameter *p, const orr_yaml *from, orr_value *out) {
    const char *words[WORDS_MAX], *expected = NULL;
    int n = 0;
    if (from->type == ORR_YAML_MAP) return mistake(r, from, "%s: expected a value, met a map", p->name);
    if (from->type == ORR_YAML_LIST && from->n > WORDS_MAX)
        return mistake(r, from, "%s: a list of %lld; at most %d are read", p->name, (long long)from->n, WORDS_MAX);
    if (from->type == ORR_YAML_WORD) words[n++] = from->word;
    for (int64_t i = 0; from->type == ORR_YAML_LIST && i < from->n; i++) {
        ORR_TRY(r->ctx, expect(r, from->value[i], ORR_YAML_WORD, p->name));
        words[n++] = from->value[i]->word;
    }
    if (orr_parameter_read(r->arena, p, words, n, from->type == ORR_YAML_LIST, out, &expected)) return ORR_OK;
    if (!expected) return no_memory(r);
    if (from->type == ORR_YAML_LIST)
        return mistake(r, from, "%s: expected %s, met a list that is none", p->name, expected);
    return mistake(r, from, "%s: expected %s, met '%s'", p->name, expected, from->word);
}

static int names_of(const orr_parameter *table, const char **names) {
    int n = 0;
    for (; table[n].name && n < NAMES_MAX - 1; n++) names[n] = table[n].name;
    return n;
}

/* All keys of a map but `kind`, `name` where it is allowed, into the values of a table. */
static orr_status read_values(reader *r, const char *what, const orr_parameter *table, const orr_yaml *map,
                              orr_value *values, bool *given) {
    const char *names[NAMES_MAX];
    for (int64_t i = 0; i < map->n; i++) {
        const char *key = map->key[i]->word;
        if (strcmp(key, "kind") == 0) continue;
        const int at = orr_parameter_find(table, key);
        if (at < 0) {
            int n = names_of(table, names);
            names[n++] = "kind";
            return unknown(r, map->key[i], orr_arena_format(r->arena, "key of %s", what), names, n);
        }
        ORR_TRY(r->ctx, read_value(r, &table[at], map->value[i], &values[at]));
        given[at] = true;
    }
    return ORR_OK;
}

static orr_status check_given(reader *r, const char *what, const orr_parameter *table, const bool *given,
                              const orr_yaml *at) {
    for (int i = 0; table[i].name; i++)
        if (!table[i].fallback && !given[i])
            return mistake(r, at, "%s: '%s' is missing (%s)", what, table[i].name, table[i].help);
    return ORR_OK;
}

typedef const orr_kind *kind_at(int i);
static const orr_kind *architecture_kind(int i) {
    return orr_architecture_at(i) ? &orr_architecture_at(i)->kind : NULL;
}
static const orr_kind *data_kind(int i) { return orr_data_at(i) ? &orr_data_at(i)->kind : NULL; }
static const orr_kind *task_kind(int i) { return orr_task_at(i) ? &orr_task_at(i)->kind : NULL; }
static const orr_kind *rule_kind(int i) { return orr_rule_at(i) ? &orr_rule_at(i)->kind : NULL; }
static const orr_kind *parameterization_kind(int i) {
    return orr_parameterization_at(i) ? &orr_parameterization_at(i)->kind : NULL;
}
static const orr_kind *initial_kind(int i) { return orr_initial_at(i) ? &orr_initial_at(i)->kind : NULL; }
static const orr_kind *instrument_kind(int i) { return orr_instrument_at(i) ? &orr_instrument_at(i)->kind : NULL; }

/* The index of the kind that `word` names. */
static orr_status find_kind(reader *r, const char *what, kind_at *at, const orr_yaml *word, int *index) {
    const char *names[NAMES_MAX];
    int n = 0;
    ORR_TRY(r->ctx, expect(r, word, ORR_YAML_WORD, "kind"));
    for (const orr_kind *kind; n < NAMES_MAX && (kind = at(n)); n++) names[n] = kind->name;
    for (*index = 0; *index < n; ++*index)
        if (strcmp(names[*index], word->word) == 0) return ORR_OK;
    return unknown(r, word, what, names, n);
}

/* What layers say about one section, from the last that names another kind on. */
static orr_status read_kind(reader *r, const char *what, kind_at *at, const layers *all, const orr_yaml *parent,
                            int *index, orr_settings *out) {
    bool given[NAMES_MAX] = { false };
    orr_value *values = NULL;
    const orr_kind *kind = NULL;
    for (int i = 0; i < all->n; i++) {
        const orr_yaml *map = all->tree[i], *word;
        ORR_TRY(r->ctx, expect(r, map, ORR_YAML_MAP, what));
        if ((word = orr_yaml_get(map, "kind"))) {
            int found = -1;
            ORR_TRY(r->ctx, find_kind(r, what, at, word, &found));
            if (!kind || found != *index) {
                kind = at(*index = found);
                assert(kind && "a kind that was found is in the list");
                values = orr_parameter_fallbacks(r->arena, kind->parameters);
                if (!values) return no_memory(r);
                memset(given, 0, sizeof given);
            }
        }
        if (!kind) return mistake(r, map, "%s: 'kind' is missing", what);
        ORR_TRY(r->ctx, read_values(r, orr_arena_format(r->arena, "%s %s", what, kind->name), kind->parameters, map,
                                    values, given));
        parent = map;
    }
    if (!kind) return mistake(r, parent, "'%s' is missing", what);
    *out = (orr_settings){ kind->parameters, values };
    return check_given(r, orr_arena_format(r->arena, "%s %s", what, kind->name), kind->parameters, given, parent);
}

/* The same where the section may be left out: `fallback` is its kind then. */
static orr_status read_optional(reader *r, const char *what, kind_at *at, const layers *all, const orr_yaml *root,
                                const char *fallback, int *index, orr_settings *out) {
    orr_yaml *tree = ORR_NEW(r->arena, orr_yaml, 3);
    const orr_yaml **links = ORR_NEW(r->arena, const orr_yaml *, 2);
    if (!tree || !links) return no_memory(r);
    tree[1] = (orr_yaml){ .line = root->line, .column = root->column, .word = "kind" };
    tree[2] = (orr_yaml){ .line = root->line, .column = root->column, .word = fallback };
    links[0] = &tree[1], links[1] = &tree[2];
    tree[0] = (orr_yaml){
        .type = ORR_YAML_MAP, .line = root->line, .column = root->column, .n = 1, .key = links, .value = links + 1
    };
    const layers one = { .tree = { tree }, .n = 1 };
    return read_kind(r, what, at, all->n ? all : &one, root, index, out);
}

/* A word under `initial` is a path: { kind: file, path: WORD }. */
static orr_status expand_initial(reader *r, layers *all) {
    for (int i = 0; i < all->n; i++) {
        const orr_yaml *word = all->tree[i];
        if (word->type != ORR_YAML_WORD) continue;
        orr_yaml *tree = ORR_NEW(r->arena, orr_yaml, 4);
        const orr_yaml **links = ORR_NEW(r->arena, const orr_yaml *, 4);
        if (!tree || !links) return no_memory(r);
        for (int k = 0; k < 4; k++) tree[k] = *word;
        tree[1].word = "kind", tree[2].word = "file", tree[3].word = "path";
        links[0] = &tree[1], links[1] = &tree[3], links[2] = &tree[2], links[3] = word;
        tree[0] = (orr_yaml){
            .type = ORR_YAML_MAP, .line = word->line, .column = word->column, .n = 2, .key = links, .value = links + 2
        };
        all->tree[i] = tree;
    }
    return ORR_OK;
}

/* ---- a point -------------------------------------------------------------------------------------------------------------- */

static layers section_of(const layers *all, const char *name) {
    layers some = { .n = 0 };
    for (int i = 0; i < all->n; i++) {
        const orr_yaml *section = orr_yaml_get(all->tree[i], name);
        if (section) some.tree[some.n++] = section;
    }
    return some;
}

/* The strongest layer's value of a key; NULL where no layer has it. */
static const orr_yaml *last_of(const layers *all, const char *name) {
    const layers some = section_of(all, name);
    return some.n ? some.tree[some.n - 1] : NULL;
}

static orr_status read_observations(reader *r, const orr_yaml *list, orr_point *out) {
    if (!list) return ORR_OK;
    ORR_TRY(r->ctx, expect(r, list, ORR_YAML_LIST, "observe"));
    orr_observation *all = ORR_NEW(r->arena, orr_observation, list->n);
    if (!all) return no_memory(r);
    for (int64_t i = 0; i < list->n; i++) {
        int index = 0;
        const layers one = { .tree = { list->value[i] }, .n = 1 };
        ORR_TRY(r->ctx, read_kind(r, "instrument", instrument_kind, &one, list, &index, &all[i].settings));
        all[i].instrument = orr_instrument_at(index);
        for (int64_t j = 0; j < i; j++) /* their series would have the same names */
            if (all[j].instrument == all[i].instrument)
                return mistake(r, list->value[i], "instrument '%s' stands twice in this list",
                               all[i].instrument->kind.name);
    }
    out->observations = all;
    out->n_observations = list->n;
    return ORR_OK;
}

static orr_status point_json(reader *r, orr_point *p) {
    json_t *observe = json_array();
    for (int64_t i = 0; i < p->n_observations; i++)
        (void)json_array_append_new(
            observe, orr_settings_json(&p->observations[i].instrument->kind, &p->observations[i].settings));
    json_t *all = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:o, s:s, s:o}", "architecture",
                            orr_settings_json(&p->architecture->kind, &p->architecture_settings), "parameterization",
                            orr_settings_json(&p->parameterization->kind, &p->parameterization_settings), "initial",
                            orr_settings_json(&p->initial->kind, &p->initial_settings), "data",
                            orr_settings_json(&p->data->kind, &p->data_settings), "task",
                            orr_settings_json(&p->task->kind, &p->task_settings), "rule",
                            orr_settings_json(&p->rule->kind, &p->rule_settings), "steps", (json_int_t)p->steps,
                            "epochs", (json_int_t)p->epochs, "until", orr_json_real(p->until), "precision",
                            orr_dtype_name(p->precision), "observe", observe);
    char *text;
    const orr_status status = orr_json_text(r->ctx, r->arena, all, 17, &text);
    json_decref(all);
    p->json = text;
    return status;
}

/* The keys with one value each, from all layers. */
static orr_status read_settings(reader *r, const layers *all, orr_settings *out) {
    bool given[NAMES_MAX] = { false };
    orr_value *values = orr_parameter_fallbacks(r->arena, settings_table);
    if (!values) return no_memory(r);
    for (int i = 0; settings_table[i].name; i++) {
        const orr_yaml *from = last_of(all, settings_table[i].name);
        if (!from) continue;
        ORR_TRY(r->ctx, read_value(r, &settings_table[i], from, &values[i]));
        given[i] = true;
    }
    *out = (orr_settings){ settings_table, values };
    return check_given(r, "experiment", settings_table, given, all->tree[0]);
}

static orr_status read_point(reader *r, const layers *all, orr_point *out) {
    int architecture = 0, data = 0, task = 0, rule = 0, parameterization = 0, initial = 0;
    orr_settings settings;
    const orr_yaml *root = all->tree[0];
    ORR_TRY(r->ctx, read_settings(r, all, &settings));
    layers section = section_of(all, "architecture");
    ORR_TRY(r->ctx, read_kind(r, "architecture", architecture_kind, &section, root, &architecture,
                              &out->architecture_settings));
    section = section_of(all, "data");
    ORR_TRY(r->ctx, read_kind(r, "data", data_kind, &section, root, &data, &out->data_settings));
    section = section_of(all, "task");
    ORR_TRY(r->ctx, read_kind(r, "task", task_kind, &section, root, &task, &out->task_settings));
    section = section_of(all, "rule");
    ORR_TRY(r->ctx, read_kind(r, "rule", rule_kind, &section, root, &rule, &out->rule_settings));
    section = section_of(all, "parameterization");
    ORR_TRY(r->ctx, read_optional(r, "parameterization", parameterization_kind, &section, root, "standard",
                                  &parameterization, &out->parameterization_settings));
    section = section_of(all, "initial");
    ORR_TRY(r->ctx, expand_initial(r, &section));
    ORR_TRY(r->ctx,
            read_optional(r, "initial", initial_kind, &section, root, "normal", &initial, &out->initial_settings));
    ORR_TRY(r->ctx, read_observations(r, last_of(all, "observe"), out));
    out->parameterization = orr_parameterization_at(parameterization);
    out->initial = orr_initial_at(initial);
    out->architecture = orr_architecture_at(architecture);
    out->data = orr_data_at(data);
    out->task = orr_task_at(task);
    out->rule = orr_rule_at(rule);
    out->name = orr_text(&settings, "name");
    out->steps = orr_int(&settings, "steps");
    out->epochs = orr_int(&settings, "epochs");
    out->until = orr_real(&settings, "until");
    if (!out->steps && !out->epochs)
        return mistake(r, root, "experiment: 'steps' or 'epochs' is missing (how long to train)");
    if (out->steps && out->epochs)
        return mistake(r, root, "experiment: 'steps' and 'epochs' are both given; one says how long to train");
    out->precision = strcmp(orr_text(&settings, "precision"), "f64") == 0 ? ORR_F64 : ORR_F32;
    return point_json(r, out);
}

/* ---- the whole ------------------------------------------------------------------------------------------------------------- */

/* Every key of a map is one of the first settings or of the first sections. */
static orr_status check_keys(reader *r, const orr_yaml *map, const char *what, int n_settings, int n_sections) {
    const char *names[NAMES_MAX];
    int n = 0;
    for (; n < n_settings; n++) names[n] = settings_table[n].name;
    for (int i = 0; i < n_sections; i++) names[n++] = sections[i];
    ORR_TRY(r->ctx, expect(r, map, ORR_YAML_MAP, what));
    for (int64_t i = 0; i < map->n; i++) {
        int at = 0;
        while (at < n && strcmp(names[at], map->key[i]->word) != 0) at++;
        if (at == n) return unknown(r, map->key[i], orr_arena_format(r->arena, "key of %s", what), names, n);
    }
    return ORR_OK;
}

/* The changes that --size asks for, or NULL.  All sizes are checked, whichever is asked for. */
static orr_status find_size(reader *r, const orr_yaml *root, const char *size, const orr_yaml **out) {
    static const char *const names[] = { "quick", "full" };
    const orr_yaml *sizes = orr_yaml_get(root, "sizes");
    *out = NULL;
    if (!sizes) return ORR_OK;
    ORR_TRY(r->ctx, expect(r, sizes, ORR_YAML_MAP, "sizes"));
    for (int64_t i = 0; i < sizes->n; i++) {
        const char *name = sizes->key[i]->word;
        if (strcmp(name, names[0]) != 0 && strcmp(name, names[1]) != 0)
            return unknown(r, sizes->key[i], "size", names, 2);
        ORR_TRY(r->ctx, check_keys(r, sizes->value[i], "a size", N_SETTINGS, N_SECTIONS - 1));
        if (strcmp(name, size) == 0) *out = sizes->value[i];
    }
    return ORR_OK;
}

static orr_status read_laws(reader *r, const orr_yaml *list, orr_experiment *out) {
    if (!list) return ORR_OK;
    ORR_TRY(r->ctx, expect(r, list, ORR_YAML_LIST, "laws"));
    const char **laws = ORR_NEW(r->arena, const char *, list->n);
    if (!laws) return no_memory(r);
    for (int64_t i = 0; i < list->n; i++) {
        ORR_TRY(r->ctx, expect(r, list->value[i], ORR_YAML_WORD, "laws"));
        laws[i] = list->value[i]->word;
    }
    out->laws = laws;
    out->n_laws = list->n;
    return ORR_OK;
}

static orr_status read_points(reader *r, const layers *base, const orr_yaml *sweep, orr_experiment *out) {
    const int64_t n = sweep ? sweep->n : 1;
    if (sweep && (n == 0 || n > POINTS_MAX))
        return mistake(r, sweep, "sweep: %lld points; 1 to %d can be run", (long long)n, POINTS_MAX);
    orr_point *points = ORR_NEW(r->arena, orr_point, n);
    if (!points) return no_memory(r);
    for (int64_t i = 0; i < n; i++) {
        layers all = *base;
        if (sweep) {
            ORR_TRY(r->ctx, check_keys(r, sweep->value[i], "a point of the sweep", N_POINT_SETTINGS, N_POINT_SECTIONS));
            all.tree[all.n++] = sweep->value[i];
        }
        ORR_TRY(r->ctx, read_point(r, &all, &points[i]));
    }
    out->points = points;
    out->n_points = n;
    return ORR_OK;
}

static orr_status read_experiment(reader *r, const orr_yaml *root, const char *size, orr_experiment *out) {
    orr_settings settings;
    layers base = { .tree = { root }, .n = 1 };
    ORR_TRY(r->ctx, check_keys(r, root, "an experiment", N_SETTINGS, N_SECTIONS));
    const orr_yaml *change;
    ORR_TRY(r->ctx, find_size(r, root, size, &change));
    if (change) base.tree[base.n++] = change;
    ORR_TRY(r->ctx, read_settings(r, &base, &settings));
    out->name = orr_text(&settings, "name");
    out->notes = orr_text(&settings, "notes");
    out->seeds = orr_int(&settings, "seeds");
    ORR_TRY(r->ctx, read_laws(r, last_of(&base, "laws"), out));
    const orr_yaml *sweep = last_of(&base, "sweep");
    if (sweep) ORR_TRY(r->ctx, expect(r, sweep, ORR_YAML_LIST, "sweep"));
    return read_points(r, &base, sweep, out);
}

orr_status orr_experiment_parse(orr_context *ctx, orr_arena *out_arena, const char *file, const char *text, size_t n,
                                const char *size, orr_experiment *out) {
    reader r = { ctx, out_arena, file };
    const orr_yaml *root;
    *out = (orr_experiment){ 0 };
    ORR_TRY(ctx, orr_yaml_parse(ctx, out_arena, file, text, n, &root));
    out->size = orr_arena_string(out_arena, size);
    char *copy = ORR_NEW(out_arena, char, n + 1);
    if (!out->size || !copy) return no_memory(&r);
    memcpy(copy, text, n);
    out->text = copy;
    return read_experiment(&r, root, size, out);
}

orr_status orr_experiment_read(orr_context *ctx, orr_arena *out_arena, const char *path, const char *size,
                               orr_experiment *out) {
    enum { CHUNK = 1 << 16 };
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    size_t n = 0, room = 0;
    orr_status status = ORR_OK;
    if (!file) return orr_fail(ctx, ORR_EIO, "%s: can't be opened (%s)", path, strerror(errno));
    for (size_t got = 1; got > 0; n += got) {
        if (room - n < CHUNK) { /* twice the room; the YAML reader says what is too large */
            char *larger = orr_allocate(ctx, room = 2 * room + 2 * CHUNK);
            if (larger) memcpy(larger, text ? text : "", n);
            orr_release(ctx, text);
            text = larger;
            if (!text || room > (64u << 20)) {
                status = text ? orr_fail(ctx, ORR_EINPUT, "%s: larger than any experiment", path)
                              : orr_fail(ctx, ORR_ENOMEM, "%s: out of memory", path);
                goto done;
            }
        }
        got = fread(text + n, 1, CHUNK, file);
    }
    if (ferror(file)) status = orr_fail(ctx, ORR_EIO, "%s: can't be read (%s)", path, strerror(errno));
    else status = orr_experiment_parse(ctx, out_arena, path, text, n, size, out);
done:
    orr_release(ctx, text);
    (void)fclose(file);
    return status;
}

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
