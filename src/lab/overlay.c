#include "lab/overlay.h"

#include <stdio.h>
#include <string.h>

const orr_yaml *orr_overlay_expand(orr_mistakes *m, const orr_section *section, const orr_yaml *value) {
    if (!value || value->type != ORR_YAML_WORD || !value->word[0]) return value;
    const bool path = section == &orr_sections[ORR_SECTION_INITIAL] && strpbrk(value->word, "./");
    const orr_yaml *kind = path ? orr_yaml_word(m, value->at, "file") : value;
    const orr_yaml *map = orr_yaml_with(m, NULL, orr_yaml_word(m, value->at, "kind"), kind);
    return path && map ? orr_yaml_with(m, map, orr_yaml_word(m, value->at, "path"), value) : map;
}

static const char *kind_of(const orr_yaml *section) {
    const orr_yaml *kind = orr_yaml_get(section, "kind");
    return kind && kind->type == ORR_YAML_WORD ? kind->word : NULL;
}

static const orr_yaml *change_section(orr_mistakes *m, const orr_section *section, const orr_yaml *base,
                                      const orr_yaml *change) {
    base = orr_overlay_expand(m, section, base);
    change = orr_overlay_expand(m, section, change);
    if (!base || !change || base->type != ORR_YAML_MAP || change->type != ORR_YAML_MAP) return change;
    const char *old = kind_of(base) ? kind_of(base) : section->fallback, *new = kind_of(change);
    if (new &&old && strcmp(new, old) != 0) return change;
    for (int64_t i = 0; base && i < change->n; i++) base = orr_yaml_with(m, base, change->key[i], change->value[i]);
    return base;
}

/* { sharpness: { every: 10 } } over [ loss, { kind: sharpness, every: 50 } ] */
static const orr_yaml *change_observations(orr_mistakes *m, const orr_yaml *base, const orr_yaml *change) {
    enum { NAMES_MAX = 100 };
    const orr_section *section = &orr_sections[ORR_SECTION_INSTRUMENT];
    const char *names[NAMES_MAX];
    if (change->type != ORR_YAML_MAP || (base && base->type != ORR_YAML_LIST)) return change;
    const int64_t n = base ? base->n : 0;
    orr_yaml *list = ORR_NEW(m->arena, orr_yaml, 1);
    const orr_yaml **item = ORR_NEW(m->arena, const orr_yaml *, n);
    if (!list || !item) return m->no_memory = true, NULL;
    *list = (orr_yaml){ .type = ORR_YAML_LIST, .at = base ? base->at : change->at, .n = n, .value = item };
    for (int64_t i = 0; i < n; i++) {
        item[i] = orr_overlay_expand(m, section, base->value[i]);
        if (!item[i]) return NULL;
    }
    for (int64_t k = 0; k < change->n; k++) {
        int known = 0;
        bool found = false;
        for (int64_t i = 0; i < n; i++) {
            const char *kind = kind_of(item[i]);
            if (!kind) continue;
            if (known < NAMES_MAX) names[known++] = kind;
            if (strcmp(kind, change->key[k]->word) != 0) continue;
            item[i] = change_section(m, section, item[i], change->value[k]);
            found = true;
        }
        if (!found)
            orr_mistakes_unknown(m, change->key[k]->at, "instrument of observe", change->key[k]->word, names, known);
    }
    return m->no_memory ? NULL : list;
}

const orr_yaml *orr_overlay(orr_mistakes *m, const orr_yaml *base, const orr_yaml *change) {
    for (int64_t i = 0; base && i < change->n; i++) {
        const orr_yaml *key = change->key[i], *value = change->value[i], *old = orr_yaml_get(base, key->word);
        for (int s = 0; s < ORR_SECTIONS; s++)
            if (strcmp(orr_sections[s].key, key->word) == 0)
                value = s == ORR_SECTION_INSTRUMENT ? change_observations(m, old, value)
                                                    : change_section(m, &orr_sections[s], old, value);
        const char *other = strcmp(key->word, "steps") == 0    ? "epochs"
                            : strcmp(key->word, "epochs") == 0 ? "steps"
                                                               : NULL;
        if (other && !orr_yaml_get(change, other) && orr_yaml_get(base, other))
            base = orr_yaml_with(m, base, orr_yaml_word(m, key->at, other), NULL);
        base = value ? orr_yaml_with(m, base, key, value) : NULL;
    }
    return m->no_memory ? NULL : base;
}

/* ---- a name ----------------------------------------------------------------------------------------------------------------- */

enum { NAME_SIZE = 200 };

static void append(char *name, const char *text) {
    const size_t used = strlen(name);
    (void)snprintf(name + used, NAME_SIZE - used, "%s", text);
}

static void append_leaves(char *name, const char *key, const orr_yaml *node) {
    if (node->type == ORR_YAML_MAP) {
        for (int64_t i = 0; i < node->n && strlen(name) + 1 < NAME_SIZE; i++)
            append_leaves(name, node->key[i]->word, node->value[i]);
        return;
    }
    append(name, name[0] ? " " : "");
    append(name, key);
    append(name, "=");
    if (node->type == ORR_YAML_WORD) append(name, node->word);
    for (int64_t i = 0; node->type == ORR_YAML_LIST && i < node->n; i++) {
        append(name, i ? "," : "");
        append(name, node->value[i]->type == ORR_YAML_WORD ? node->value[i]->word : "...");
    }
}

const char *orr_overlay_name(orr_mistakes *m, const orr_yaml *change) {
    char name[NAME_SIZE] = "";
    append_leaves(name, "", change);
    char *copy = orr_arena_string(m->arena, name);
    if (!copy) m->no_memory = true;
    return copy ? copy : "";
}
