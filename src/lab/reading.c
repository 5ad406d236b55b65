#include "lab/reading.h"

#include <string.h>

#include "base/nearest.h"
#include "lab/overlay.h"

enum { NAMES_MAX = 128, WORDS_MAX = 4096, CHOICES_MAX = 64 };

bool orr_read_is(orr_mistakes *m, const orr_yaml *node, orr_yaml_type type, const char *what) {
    if (node->type == type && (type != ORR_YAML_WORD || node->word[0])) return true;
    orr_mistakes_add(m, node->at, "%s: expected %s, met %s", what, orr_yaml_type_words(type), orr_yaml_words(m, node));
    return false;
}

void orr_read_keys(orr_mistakes *m, const orr_yaml *map, const char *what, const char *const *names, int n) {
    char words[100] = "key of ";
    strncat(words, what, sizeof words - 20);
    for (int64_t i = 0; i < map->n; i++) {
        int at = 0;
        while (at < n && strcmp(names[at], map->key[i]->word) != 0) at++;
        if (at == n) orr_mistakes_unknown(m, map->key[i]->at, words, map->key[i]->word, names, n);
    }
}

/* ---- one value ----------------------------------------------------------------------------------------------------------------- */

/* "relu" for "rleu"; NULL where the parameter has no choices or none is near. */
static const char *nearest_choice(orr_mistakes *m, const orr_parameter *p, const char *word) {
    const char *names[CHOICES_MAX];
    int n = 0;
    char *copy = p->type == ORR_CHOICE ? orr_arena_string(m->arena, p->choices) : NULL;
    for (char *at = copy; at && *at && n < CHOICES_MAX;) {
        names[n++] = at;
        at += strcspn(at, " ");
        if (*at) *at++ = '\0';
    }
    return n ? orr_nearest(word, names, n) : NULL;
}

static void wrong_value(orr_mistakes *m, const orr_parameter *p, const orr_yaml *from, const char *expected) {
    const bool list = p->type == ORR_INTS || p->type == ORR_REALS;
    const char *met = orr_yaml_words(m, from);
    const char *near = from->type == ORR_YAML_WORD ? nearest_choice(m, p, from->word) : NULL;
    if (near)
        orr_mistakes_add(m, from->at, "%s: expected %s, met %s; did you mean '%s'?", p->name, expected, met, near);
    else if (list && from->type == ORR_YAML_WORD && from->word[0])
        orr_mistakes_add(m, from->at, "%s: expected %s, met %s alone; a list of one is written [%s]", p->name, expected,
                         met, ORR_SHOWN(from->word));
    else orr_mistakes_add(m, from->at, "%s: expected %s, met %s", p->name, expected, met);
}

/* The items of a list that won't do, each where it stands; false where every one would. */
static bool wrong_items(orr_mistakes *m, const orr_parameter *p, const orr_yaml *from) {
    bool found = false;
    for (int64_t i = 0; i < from->n; i++) {
        const orr_yaml *item = from->value[i];
        const char *expected = NULL;
        orr_value value;
        if (item->type == ORR_YAML_WORD && orr_parameter_read(m->arena, p, &item->word, 1, true, &value, &expected))
            continue;
        if (item->type == ORR_YAML_WORD && !expected) m->no_memory = true;
        if (!expected) expected = p->type == ORR_INTS ? "a list of whole numbers" : "a list of numbers";
        orr_mistakes_add(m, item->at, "%s: expected %s, met %s in it", p->name, expected, orr_yaml_words(m, item));
        found = true;
    }
    return found;
}

static bool read_value(orr_mistakes *m, const orr_parameter *p, const orr_yaml *from, orr_value *out) {
    const char *expected = NULL;
    const bool is_list = from->type == ORR_YAML_LIST;
    if (is_list && from->n > WORDS_MAX) {
        orr_mistakes_add(m, from->at, "%s: a list of %lld; at most %d are read", p->name, (long long)from->n,
                         WORDS_MAX);
        return false;
    }
    const int n = is_list ? (int)from->n : from->type == ORR_YAML_WORD ? 1 : 0;
    const char **words = ORR_NEW(m->arena, const char *, n);
    if (!words) return m->no_memory = true, false;
    bool all_words = true;
    if (from->type == ORR_YAML_WORD) words[0] = from->word;
    for (int i = 0; is_list && i < n; i++) {
        words[i] = from->value[i]->word;
        all_words = all_words && words[i];
    }
    /* an empty word is a key without a value: only a quoted text may be one */
    const bool nothing = from->type == ORR_YAML_WORD && !from->word[0] && p->type != ORR_TEXT;
    if (all_words && from->type != ORR_YAML_MAP && !nothing) {
        if (orr_parameter_read(m->arena, p, words, n, is_list, out, &expected)) return true;
        if (!expected) return m->no_memory = true, false;
    }
    const bool wants_list = p->type == ORR_INTS || p->type == ORR_REALS;
    orr_value none;
    if (!expected) (void)orr_parameter_read(m->arena, p, words, 0, !wants_list, &none, &expected); /* what would do */
    if (!expected) return m->no_memory = true, false;
    if (!is_list || !wants_list || !wrong_items(m, p, from)) wrong_value(m, p, from, expected);
    return false;
}

bool orr_read_mistyped(const orr_yaml *map, const char *const *names, int n, const char *name) {
    for (int64_t i = 0; i < map->n; i++) {
        int at = 0;
        while (at < n && strcmp(names[at], map->key[i]->word) != 0) at++;
        const char *near = at == n ? orr_nearest(map->key[i]->word, names, n) : NULL;
        if (near && strcmp(near, name) == 0) return true;
    }
    return false;
}

/* ---- a table, a kind ----------------------------------------------------------------------------------------------------------- */

orr_settings orr_read_table(orr_mistakes *m, const char *what, const orr_parameter *table, const orr_yaml *map,
                            bool whole) {
    const char *names[NAMES_MAX];
    int n = 0;
    orr_value *values = orr_parameter_fallbacks(m->arena, table);
    if (!values) return m->no_memory = true, (orr_settings){ table, NULL };
    for (; n < NAMES_MAX && table[n].name; n++) names[n] = table[n].name;
    for (int i = 0; table[i].name; i++) {
        const orr_yaml *from = orr_yaml_get(map, table[i].name);
        if (from) (void)read_value(m, &table[i], from, &values[i]);
        else if (whole && !table[i].fallback && !orr_read_mistyped(map, names, n, table[i].name))
            orr_mistakes_add(m, map->at, "%s: '%s' is missing (%s)", what, table[i].name,
                             table[i].help ? table[i].help : "it has no default");
    }
    return (orr_settings){ table, values };
}

static int find_kind(orr_mistakes *m, const orr_section *section, const orr_yaml *word) {
    const char *names[NAMES_MAX];
    int n = 0;
    if (!orr_read_is(m, word, ORR_YAML_WORD, "kind")) return -1;
    for (const orr_kind *kind; n < NAMES_MAX && (kind = section->kind(n)); n++) names[n] = kind->name;
    for (int i = 0; i < n; i++)
        if (strcmp(names[i], word->word) == 0) return i;
    orr_mistakes_unknown(m, word->at, section->name, word->word, names, n);
    return -1;
}

int orr_read_kind(orr_mistakes *m, const orr_section *section, const orr_yaml *node, const orr_yaml *parent, bool whole,
                  orr_settings *out) {
    const orr_yaml *word = NULL;
    const char *names[NAMES_MAX];
    int n = 0;
    if (!node && section->fallback)
        node = orr_yaml_with(m, NULL, orr_yaml_word(m, parent->at, "kind"),
                             orr_yaml_word(m, parent->at, section->fallback));
    else if (!node && whole) orr_mistakes_add(m, parent->at, "'%s' is missing (%s)", section->key, section->help);
    node = orr_overlay_expand(m, section, node);
    if (!node || !orr_read_is(m, node, ORR_YAML_MAP, section->name)) return -1;
    word = orr_yaml_get(node, "kind");
    if (!word && section->fallback) word = orr_yaml_word(m, node->at, section->fallback);
    else if (!word && whole) orr_mistakes_add(m, node->at, "%s: 'kind' is missing", section->name);
    const int index = word ? find_kind(m, section, word) : -1;
    if (index < 0) return -1;
    const orr_kind *kind = section->kind(index);
    const char *what = orr_arena_format(m->arena, "%s %s", section->name, kind->name);
    if (!what) return m->no_memory = true, -1;
    for (; n < NAMES_MAX - 1 && kind->parameters[n].name; n++) names[n] = kind->parameters[n].name;
    names[n++] = "kind";
    orr_read_keys(m, node, what, names, n);
    *out = orr_read_table(m, what, kind->parameters, node, whole);
    return out->value ? index : -1;
}
