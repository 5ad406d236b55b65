#include "report/textplot.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/context.h"

/* One axis: what its numbers are and where they lie. */
typedef struct axis {
    const char *title;
    bool log;
    double low, high; /* of what is drawn, after the logarithm */
} axis;

typedef struct plot {
    axis x, y;
    char *cell; /* [rows, columns] */
    int columns, rows;
    bool any, measured, other; /* what the legend speaks of */
    bool drawing;              /* first the limits are found, then marks are drawn */
} plot;

static bool is_word(const json_t *value, const char *word) {
    return json_is_string(value) && strcmp(json_string_value(value), word) == 0;
}

static const char *mark_of(const json_t *unit) {
    const json_t *mark = json_object_get(unit, "mark");
    const char *type = json_string_value(json_is_object(mark) ? json_object_get(mark, "type") : mark);
    return type ? type : "";
}

/* A field on an axis, or NULL where the axis has none that is a number. */
static const char *field_of(const json_t *encoding, const char *channel, axis *a) {
    const json_t *e = json_object_get(encoding, channel);
    if (!is_word(json_object_get(e, "type"), "quantitative")) return NULL;
    if (is_word(json_object_get(json_object_get(e, "scale"), "type"), "log")) a->log = true;
    const char *title = json_string_value(json_object_get(e, "title"));
    if (title && !a->title) a->title = title;
    return json_string_value(json_object_get(e, "field"));
}

static bool value_of(const json_t *row, const char *field, const axis *a, double *out) {
    const json_t *value = json_object_get(row, field);
    if (!json_is_number(value)) return false;
    *out = json_number_value(value);
    if (a->log && !(*out > 0.0)) return false;
    if (a->log) *out = log10(*out);
    return isfinite(*out);
}

static void widen(axis *a, double x) {
    a->low = x < a->low ? x : a->low;
    a->high = x > a->high ? x : a->high;
}

static int place(const axis *a, double x, int n) {
    return a->high > a->low ? (int)lround((x - a->low) / (a->high - a->low) * (n - 1)) : n / 2;
}

static void add_mark(plot *p, double x, double y, bool measured) {
    if (!p->drawing) {
        widen(&p->x, x);
        widen(&p->y, y);
        p->any = true;
        return;
    }
    char *cell = &p->cell[(p->rows - 1 - place(&p->y, y, p->rows)) * p->columns + place(&p->x, x, p->columns)];
    if (*cell != 'o') *cell = measured ? 'o' : '.'; /* what was measured lies on top */
    if (measured) p->measured = true;
    else p->other = true;
}

/* One view of the specification: lines, points and rules; data names the rows that it inherits. */
static void add_unit(plot *p, const json_t *unit, const json_t *datasets, const char *data) {
    static const char *const marks[] = { "line", "point", "circle", "square", "trail" };
    const json_t *encoding = json_object_get(unit, "encoding"), *row;
    const char *own = json_string_value(json_object_get(json_object_get(unit, "data"), "name"));
    const char *name = own ? own : data, *mark = mark_of(unit);
    bool drawn = false;
    size_t i;
    for (i = 0; i < sizeof marks / sizeof marks[0]; i++) drawn = drawn || strcmp(mark, marks[i]) == 0;
    if (!drawn || !name || (json_object_get(unit, "data") && !own)) return;
    const char *x = field_of(encoding, "x", &p->x), *y = field_of(encoding, "y", &p->y);
    if (!x || !y) return;
    json_array_foreach(json_object_get(datasets, name), i, row) {
        double at[2];
        if (value_of(row, x, &p->x, &at[0]) && value_of(row, y, &p->y, &at[1]))
            add_mark(p, at[0], at[1], strncmp(name, "measured", 8) == 0);
    }
}

static void add_views(plot *p, const json_t *spec, const json_t *datasets, const char *data) {
    const char *own = json_string_value(json_object_get(json_object_get(spec, "data"), "name"));
    const json_t *view;
    size_t i;
    if (own) data = own;
    if (json_object_get(spec, "encoding") && json_object_get(spec, "mark")) add_unit(p, spec, datasets, data);
    json_array_foreach(json_object_get(spec, "layer"), i, view) add_views(p, view, datasets, data);
    /* of several figures side by side the first stands for all */
    static const char *const parts[] = { "hconcat", "vconcat", "concat" };
    for (size_t k = 0; k < sizeof parts / sizeof parts[0]; k++)
        if (json_object_get(spec, parts[k]))
            add_views(p, json_array_get(json_object_get(spec, parts[k]), 0), datasets, data);
}

static double shown(const axis *a, double x) { return a->log ? pow(10.0, x) : x; }

/* Rows from the top, the largest and the smallest y beside them, x below. */
static const char *write_text(orr_arena *arena, const plot *p, const char *title) {
    const char *text = orr_arena_format(arena, "%s%s%s%s\n", title, p->y.title ? " (" : "",
                                        p->y.title ? p->y.title : "", p->y.title ? ")" : "");
    for (int r = 0; text && r < p->rows; r++) {
        char label[16] = "";
        if (r == 0) (void)snprintf(label, sizeof label, "%.3g", shown(&p->y, p->y.high));
        if (r == p->rows - 1) (void)snprintf(label, sizeof label, "%.3g", shown(&p->y, p->y.low));
        text = orr_arena_format(arena, "%s%10s |%.*s\n", text, label, p->columns, p->cell + r * p->columns);
    }
    char low[16], high[16];
    (void)snprintf(low, sizeof low, "%.3g", shown(&p->x, p->x.low));
    (void)snprintf(high, sizeof high, "%.3g", shown(&p->x, p->x.high));
    const int room = p->columns - (int)strlen(low) - (int)strlen(high);
    if (!text) return NULL;
    const char *axis_title = p->x.title ? p->x.title : "";
    const int pad = room - (int)strlen(axis_title);
    return orr_arena_format(arena, "%s%12s%s%*s%s%*s%s\n%12s%s%s%s%s\n", text, "", low, pad > 0 ? pad / 2 : 1, "",
                            axis_title, pad > 0 ? pad - pad / 2 : 1, "", high, "", p->measured ? "o measured" : "",
                            p->measured && p->other ? "   " : "", p->other ? ". predicted" : "",
                            p->x.log || p->y.log ? "   (logarithmic)" : "");
}

orr_status orr_textplot(orr_context *ctx, orr_arena *out_arena, const json_t *panel, int columns, int rows,
                        const char **text) {
    const json_t *spec = json_object_get(panel, "spec"), *datasets = json_object_get(spec, "datasets");
    const char *title = json_string_value(json_object_get(panel, "title"));
    plot p = { .columns = columns, .rows = rows };
    p.x.low = p.y.low = (double)INFINITY;
    p.x.high = p.y.high = -(double)INFINITY;
    *text = "";
    p.cell = ORR_NEW(out_arena, char, (int64_t)columns *rows);
    if (!p.cell) return orr_fail(ctx, ORR_ENOMEM, "no memory for a plot");
    memset(p.cell, ' ', (size_t)columns * (size_t)rows);
    add_views(&p, spec, datasets, NULL); /* logarithms are known only after it */
    p.x.low = p.y.low = (double)INFINITY;
    p.x.high = p.y.high = -(double)INFINITY;
    p.any = false;
    add_views(&p, spec, datasets, NULL);
    if (!p.any) return ORR_OK;
    p.drawing = true;
    add_views(&p, spec, datasets, NULL);
    *text = write_text(out_arena, &p, title ? title : "");
    return *text ? ORR_OK : orr_fail(ctx, ORR_ENOMEM, "no memory for a plot");
}
