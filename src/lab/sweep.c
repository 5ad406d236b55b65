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

const orr_yaml *orr_sweep_points(orr_mistakes *m, const orr_yaml *sweep) {
    axis axes[AXES_MAX + 1]; /* those of the grid, and the zip */
    int64_t points = 1;
    if (sweep->type == ORR_YAML_WORD) {
        orr_mistakes_add(m, sweep->at, "sweep: expected a list of changes, or a map with grid or zip, met %s",
                         orr_yaml_words(m, sweep));
        return NULL;
    }
    const bool list = sweep->type == ORR_YAML_LIST;
    const int n = list ? 0 : find_axes(m, sweep, axes);
    for (int a = 0; a < n && points <= ORR_SWEEP_POINTS_MAX; a++)
        points = axes[a].n <= ORR_SWEEP_POINTS_MAX ? points * axes[a].n : ORR_SWEEP_POINTS_MAX + 1;
    if (list || sweep->n == 0) points = sweep->n;
    else if (n == 0) return NULL;
    if (points == 0 || points > ORR_SWEEP_POINTS_MAX) {
        orr_mistakes_add(m, sweep->at, "sweep: %s; 1 to %d points can be run", points ? "too many" : "it has no points",
                         ORR_SWEEP_POINTS_MAX);
        return NULL;
    }
    if (list) return sweep;
    orr_yaml *all = ORR_NEW(m->arena, orr_yaml, 1);
    const orr_yaml **item = ORR_NEW(m->arena, const orr_yaml *, points);
    if (!all || !item) return m->no_memory = true, NULL;
    *all = (orr_yaml){ .type = ORR_YAML_LIST, .at = sweep->at, .n = points, .value = item };
    for (int64_t i = 0; i < points; i++)
        if (!(item[i] = product(m, axes, n, i))) return NULL;
    return all;
}
