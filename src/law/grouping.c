#include "law/grouping.h"

#include <stdlib.h>
#include <string.h>

#include "base/context.h"

static void delete_dotted(json_t *object, const char *key) {
    for (const char *dot = strchr(key, '.'); dot && object; key = dot + 1, dot = strchr(key, '.'))
        object = json_object_getn(object, key, (size_t)(dot - key));
    (void)json_object_del(object, key);
}

/* All settings of a point but some, and the number of layers, which a width may hold (new); NULL is out of memory. */
static json_t *rest_of(const orr_point *p, const orr_problem *problem, const char *const *but) {
    json_t *all = json_loads(p->json, 0, NULL);
    for (; *but; but++)
        if (strcmp(*but, "width") != 0) delete_dotted(all, *but);
        else if (p->architecture->width)
            (void)json_object_del(json_object_get(all, "architecture"), p->architecture->width);
    (void)json_object_set_new(all, "depth", json_integer(problem->network.depth));
    return all;
}

orr_status orr_points_alike(orr_context *ctx, orr_arena *out_arena, const orr_premises *in, const char *const *but,
                            int64_t **first) {
    const orr_experiment *e = in->experiment;
    json_t **rest = ORR_NEW(out_arena, json_t *, e->n_points);
    *first = ORR_NEW(out_arena, int64_t, e->n_points);
    bool good = rest && *first;
    for (int64_t i = 0; i < e->n_points && good; i++) {
        rest[i] = rest_of(&e->points[i], in->problems[i * e->seeds], but);
        good = rest[i] != NULL;
        while (good && !json_equal(rest[i], rest[(*first)[i]])) (*first)[i]++;
    }
    for (int64_t i = 0; rest && i < e->n_points; i++) json_decref(rest[i]);
    return good ? ORR_OK : orr_fail(ctx, ORR_ENOMEM, "no memory for the points of an experiment");
}

/* All that makes a point's network, its parameterization and its data, but for the width (new); NULL is out of memory. */
static char *network_text(const orr_point *p) {
    json_t *architecture = orr_settings_json(&p->architecture->kind, &p->architecture_settings);
    if (p->architecture->width) {
        const json_t *width = json_object_get(architecture, p->architecture->width);
        json_t *layers = json_integer((json_int_t)json_array_size(width)); /* 0 for a number */
        (void)json_object_set_new(architecture, p->architecture->width, layers);
    }
    json_t *all = json_pack("[o, o, o]", architecture,
                            orr_settings_json(&p->parameterization->kind, &p->parameterization_settings),
                            orr_settings_json(&p->data->kind, &p->data_settings));
    char *text = json_dumps(all, JSON_COMPACT);
    json_decref(all);
    return text;
}

orr_status orr_points_by_network(orr_context *ctx, orr_arena *out_arena, const orr_experiment *e, int64_t **first) {
    char **text = ORR_NEW(out_arena, char *, e->n_points);
    bool good = text != NULL;
    *first = ORR_NEW(out_arena, int64_t, e->n_points);
    good = good && *first;
    for (int64_t i = 0; i < e->n_points && good; i++) {
        text[i] = network_text(&e->points[i]);
        good = text[i] != NULL;
        while (good && strcmp(text[i], text[(*first)[i]]) != 0) (*first)[i]++;
    }
    for (int64_t i = 0; text && i < e->n_points; i++) free(text[i]);
    return good ? ORR_OK : orr_fail(ctx, ORR_ENOMEM, "no memory for the points of an experiment");
}

void orr_insert_ascending(double *list, int64_t *n, double x) {
    int64_t at = 0;
    while (at < *n && list[at] < x) at++;
    if (at < *n && list[at] == x) return;
    memmove(list + at + 1, list + at, (size_t)(*n - at) * sizeof *list);
    list[at] = x;
    ++*n;
}

int64_t orr_point_width(const orr_point *p) {
    const orr_settings *s = &p->architecture_settings;
    const char *name = p->architecture->width;
    const int at = name ? orr_parameter_find(s->table, name) : -1;
    int64_t n, least = 0;
    if (at < 0) return 0;
    if (s->table[at].type == ORR_INT) return orr_int(s, name);
    const int64_t *widths = orr_ints(s, name, &n);
    for (int64_t i = 0; i < n; i++) least = i == 0 || widths[i] < least ? widths[i] : least;
    return least;
}
