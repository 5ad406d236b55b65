#include "lab/sweep.h"

#include <string.h>

/* Values that one key, or several in step, takes. */
typedef struct axis {
    const orr_yaml *const *key;  /* [n_keys] */
    const orr_yaml *const *list; /* [n_keys]: each of n values */
    int64_t n_keys, n;
} axis;

enum { AXES_MAX = 16 };

static bool is_axis(orr_mistakes *m, const orr_yaml *key, const orr_yaml *list) {
    if (list->type != ORR_YAML_LIST)
        orr_mistakes_add(m, list->at, "%s: expected a list of the values that it takes, met %s", ORR_SHOWN(key->word),
                         orr_yaml_words(m, list));
    else if (list->n == 0) orr_mistakes_add(m, list->at, "%s: an empty list of values", ORR_SHOWN(key->word));
    else return true;
    return false;
}

/* Whether the lists of a zip are of one length. */
static bool is_in_step(orr_mistakes *m, const orr_yaml *map) {
    bool good = true;
    for (int64_t k = 1; k < map->n; k++) {
        if (map->value[k]->n == map->value[0]->n) continue;
        orr_mistakes_add(m, map->value[k]->at, "%s: %lld values; '%s' has %lld, and a zip takes them in step",
                         ORR_SHOWN(map->key[k]->word), (long long)map->value[k]->n, ORR_SHOWN(map->key[0]->word),
                         (long long)map->value[0]->n);
        good = false;
    }
    return good;
}

/* The axes of { grid: ..., zip: ... }; those with mistakes are left out. */
static int find_axes(orr_mistakes *m, const orr_yaml *sweep, axis *out) {
    static const char *const names[] = { "grid", "zip" };
    int n = 0;
    for (int64_t i = 0; i < sweep->n; i++) {
        const orr_yaml *key = sweep->key[i], *map = sweep->value[i];
        const bool zip = strcmp(key->word, names[1]) == 0;
        bool good = true;
        if (!zip && strcmp(key->word, names[0]) != 0) {
            orr_mistakes_unknown(m, key->at, "kind of sweep", key->word, names, 2);
            continue;
        }
        if (map->type != ORR_YAML_MAP || map->n == 0) {
            orr_mistakes_add(m, map->at, "%s: expected a map of keys, each with its list of values, met %s", key->word,
                             map->type == ORR_YAML_MAP ? "an empty one" : orr_yaml_words(m, map));
            continue;
        }
        if (map->n > AXES_MAX) {
            orr_mistakes_add(m, map->at, "%s: %lld keys; at most %d are taken", key->word, (long long)map->n, AXES_MAX);
            continue;
        }
        for (int64_t k = 0; k < map->n; k++) {
            if (!is_axis(m, map->key[k], map->value[k])) good = false;
            else if (!zip) out[n++] = (axis){ &map->key[k], &map->value[k], 1, map->value[k]->n };
        }
        if (zip && good && is_in_step(m, map)) out[n++] = (axis){ map->key, map->value, map->n, map->value[0]->n };
    }
    return n;
}

/* Point `index` of the product: the last axis moves fastest. */
static const orr_yaml *product(orr_mistakes *m, const axis *axes, int n, int64_t index) {
    int64_t place[AXES_MAX + 1];
    const orr_yaml *change = NULL;
    for (int a = n - 1; a >= 0; a--) {
        place[a] = index % axes[a].n;
        index /= axes[a].n;
    }
    for (int a = 0; a < n; a++)
        for (int64_t k = 0; k < axes[a].n_keys; k++) {
            const orr_yaml *one = orr_yaml_dotted(m, axes[a].key[k], axes[a].list[k]->value[place[a]]);
            if (!one || !(change = change ? orr_yaml_join(m, change, one) : one)) return NULL;
        }
    return change;
}

/* An item of the list, or the whole sweep where it is a map: one change, or the axes of many. */
typedef struct part {
    const orr_yaml *change; /* of each of its points; with axes NULL where there is nothing but them */
    const orr_yaml *name;   /* that the names of its points begin with; NULL: none */
    axis *axes;             /* those of the grid, and the zip; NULL: one point */
    int n;
    int64_t points; /* 0: a mistake */
} part;

static bool has_axes(const orr_yaml *item) { return orr_yaml_get(item, "grid") || orr_yaml_get(item, "zip"); }

/* What an item changes beside its grid and zip, and its name, go into *p; its grid and zip come back. */
static const orr_yaml *take_apart(orr_mistakes *m, const orr_yaml *item, part *p) {
    const orr_yaml *axes = NULL;
    for (int64_t i = 0; i < item->n && !m->no_memory; i++) {
        const char *key = item->key[i]->word;
        if (strcmp(key, "name") == 0) p->name = item->value[i];
        else if (strcmp(key, "grid") == 0 || strcmp(key, "zip") == 0)
            axes = orr_yaml_with(m, axes, item->key[i], item->value[i]);
        else p->change = orr_yaml_with(m, p->change, item->key[i], item->value[i]);
    }
    return axes;
}

/* of_list: whether other keys than grid and zip may stand beside them. */
static part read_part(orr_mistakes *m, const orr_yaml *from, bool by_axes, bool of_list) {
    part p = { .change = by_axes ? NULL : from, .points = 1 };
    if (!by_axes) return p;
    if (of_list) from = take_apart(m, from, &p);
    p.axes = ORR_NEW(m->arena, axis, AXES_MAX + 1);
    if (!p.axes || m->no_memory) return m->no_memory = true, (part){ 0 };
    p.n = find_axes(m, from, p.axes);
    for (int a = 0; a < p.n && p.points <= ORR_SWEEP_POINTS_MAX; a++)
        p.points = p.axes[a].n <= ORR_SWEEP_POINTS_MAX ? p.points * p.axes[a].n : ORR_SWEEP_POINTS_MAX + 1;
    if (p.n == 0) p.points = 0;
    return p;
}

/* The parts of a sweep and how many points they make; -1 where one is no sweep. */
static int64_t read_parts(orr_mistakes *m, const orr_yaml *sweep, int64_t n, part *parts) {
    const bool list = sweep->type == ORR_YAML_LIST;
    int64_t points = 0;
    for (int64_t i = 0; i < n; i++) {
        parts[i] =
            list ? read_part(m, sweep->value[i], has_axes(sweep->value[i]), true) : read_part(m, sweep, true, false);
        if (parts[i].points == 0) return -1;
        if (points <= ORR_SWEEP_POINTS_MAX) points += parts[i].points;
    }
    return points;
}

/* Point k of a part: "name learning_rate=0.1" where it has a name. */
static const orr_yaml *point_of(orr_mistakes *m, const part *p, int64_t k) {
    if (!p->axes) return p->change;
    const orr_yaml *change = product(m, p->axes, p->n, k),
                   *point = change && p->change ? orr_yaml_join(m, p->change, change) : change;
    if (!point || !p->name || p->name->type != ORR_YAML_WORD) return point;
    const char *name = orr_arena_format(m->arena, "%s %s", p->name->word, orr_overlay_name(m, change));
    if (!name) return m->no_memory = true, NULL;
    return orr_yaml_with(m, point, orr_yaml_word(m, p->name->at, "name"), orr_yaml_word(m, p->name->at, name));
}

const orr_yaml *orr_sweep_points(orr_mistakes *m, const orr_yaml *sweep) {
    if (sweep->type == ORR_YAML_WORD) {
        orr_mistakes_add(m, sweep->at, "sweep: expected a list of changes, or a map with grid or zip, met %s",
                         orr_yaml_words(m, sweep));
        return NULL;
    }
    const int64_t n = sweep->type == ORR_YAML_LIST || sweep->n == 0 ? sweep->n : 1;
    part *parts = ORR_NEW(m->arena, part, n);
    if (!parts) return m->no_memory = true, NULL;
    const int64_t points = read_parts(m, sweep, n, parts);
    if (points < 0) return NULL;
    if (points == 0 || points > ORR_SWEEP_POINTS_MAX) {
        orr_mistakes_add(m, sweep->at, "sweep: %s; 1 to %d points can be run", points ? "too many" : "it has no points",
                         ORR_SWEEP_POINTS_MAX);
        return NULL;
    }
    orr_yaml *all = ORR_NEW(m->arena, orr_yaml, 1);
    const orr_yaml **item = ORR_NEW(m->arena, const orr_yaml *, points);
    if (!all || !item) return m->no_memory = true, NULL;
    *all = (orr_yaml){ .type = ORR_YAML_LIST, .at = sweep->at, .n = points, .value = item };
    for (int64_t i = 0, at = 0; i < n; i++)
        for (int64_t k = 0; k < parts[i].points; k++) {
            item[at] = point_of(m, &parts[i], k);
            if (!item[at++]) return NULL;
        }
    return all;
}
