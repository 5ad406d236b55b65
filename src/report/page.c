#define _POSIX_C_SOURCE 200809L /* stat, open_memstream */
#include "report/page.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/context.h"
#include "base/file/deflate.h"
#include "base/file/file.h"
#include "report/web.h"

static const struct {
    const char *name, *spec;
} figures[] = {
#define ORR_FIGURE(name) { #name, orr_figure_##name },
#include "report/figures.def"
#undef ORR_FIGURE
};

json_t *orr_page_panel(const char *figure, const char *title, const char *caption, const char *alt, bool wide,
                       json_t *datasets) {
    size_t i = 0;
    while (i < sizeof figures / sizeof figures[0] && strcmp(figures[i].name, figure) != 0) i++;
    assert(i < sizeof figures / sizeof figures[0] && "a figure of figures.def");
    json_t *spec = json_loads(figures[i].spec, 0, NULL); /* NULL: memory; a test parses each */
    if (!spec || json_object_set_new(spec, "datasets", datasets) != 0) {
        if (!spec) json_decref(datasets);
        json_decref(spec);
        return NULL;
    }
    return json_pack("{s:s, s:s, s:s, s:b, s:o}", "title", title, "caption", caption, "alt", alt, "wide", (int)wide,
                     "spec", spec);
}

json_t *orr_page_panel_of(const char *figure, const char *what, const json_t *name, const char *caption,
                          const char *alt, bool wide, json_t *datasets) {
    json_t *title = json_sprintf("%s: %s", what, json_string_value(name));
    json_t *panel = orr_page_panel(figure, title ? json_string_value(title) : "", caption, alt, wide, datasets);
    json_decref(title);
    return panel;
}

void orr_page_add_panel(json_t *panels, const json_t *rows, json_t *panel) {
    if (!panel) return; /* then rows, which it would have held, are gone */
    if (json_array_size(rows) > 0) orr_json_add(panels, panel);
    else json_decref(panel);
}

/* Copies the characters of a text, without its end; returns where the next one goes. */
static char *put(char *to, const char *text) {
    while (*text) *to++ = *text++;
    return to;
}

/* Bytes as base64 (RFC 4648), which ends no element of HTML.  NULL where memory is out. */
static const char *base64(orr_arena *arena, orr_bytes bytes) {
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *text = ORR_NEW(arena, char, 4 * ((bytes.n + 2) / 3) + 1), *to = text;
    for (size_t i = 0; text && i < bytes.n; i += 3, to += 4) {
        const size_t n = bytes.n - i < 3 ? bytes.n - i : 3; /* of these three bytes */
        uint32_t word = 0;                                  /* 24 bits */
        for (size_t k = 0; k < 3; k++) word = word << 8 | (k < n ? bytes.data[i + k] : 0u);
        for (size_t k = 0; k < 4; k++) to[k] = k <= n ? digit[word >> (18 - 6 * k) & 63u] : '=';
    }
    return text;
}

/* A text as web/page.js unpacks it: base64 of a raw deflate stream. */
static orr_status pack(orr_context *ctx, orr_arena *arena, char *text, const char **packed) {
    orr_bytes stream;
    ORR_TRY(ctx, orr_deflate(ctx, arena, "page", (orr_bytes){ (unsigned char *)text, strlen(text) }, &stream));
    *packed = base64(arena, stream);
    return *packed ? ORR_OK : orr_fail(ctx, ORR_ENOMEM, "no memory for a page");
}

/* Text as HTML. */
static char *escaped(orr_arena *arena, const char *text) {
    char *html = ORR_NEW(arena, char, 5 * strlen(text) + 1), *to = html;
    for (const char *c = text; html && *c; c++) {
        const char *with = *c == '<' ? "&lt;" : *c == '>' ? "&gt;" : *c == '&' ? "&amp;" : NULL;
        if (with) to = put(to, with);
        else *to++ = *c;
    }
    return html;
}

typedef struct slot {
    const char *name, *text;
} slot;

/* The template with each %%NAME%% replaced.  False where the file could not be written; errno says why. */
static bool fill(FILE *file, const char *template, const slot *slots) {
    for (const char *at = template; *at;) {
        const char *mark = strstr(at, "%%");
        if (!mark) return fputs(at, file) >= 0;
        if (fwrite(at, 1, (size_t)(mark - at), file) != (size_t)(mark - at)) return false;
        const char *end = strstr(mark + 2, "%%");
        assert(end && "marks of web/page.html come in pairs");
        const slot *s = slots;
        while (s->name &&
               (strlen(s->name) != (size_t)(end - mark) - 2 || memcmp(s->name, mark + 2, strlen(s->name)) != 0))
            s++;
        assert(s->name && "every mark of web/page.html has its text");
        if (fputs(s->text, file) < 0) return false;
        at = end + 2;
    }
    return true;
}

orr_status orr_page_try(orr_context *ctx, orr_arena *scratch, const char *path) {
    const char *part = orr_arena_format(scratch, "%s.part", path);
    struct stat info;
    const bool exists = stat(path, &info) == 0, folder = exists && S_ISDIR(info.st_mode);
    if (!part) return orr_fail(ctx, ORR_ENOMEM, "page %s: out of memory", path);
    if (exists && !folder && !S_ISREG(info.st_mode)) return ORR_OK; /* a device or a pipe: written as it is */
    FILE *file = folder ? NULL : fopen(part, "w");
    const int cause = folder ? EISDIR : errno;
    if (!file) return orr_fail(ctx, orr_file_trouble(cause), "page %s: can't be written (%s)", path, strerror(cause));
    (void)fclose(file);
    (void)remove(part);
    return ORR_OK;
}

static orr_status write_whole(orr_context *ctx, const slot *slots, const char *path) {
    char *text = NULL;
    size_t n = 0;
    FILE *memory = open_memstream(&text, &n);
    const bool filled = memory && fill(memory, orr_web_page_html, slots);
    const bool closed = memory && fclose(memory) == 0;
    const orr_status status = filled && closed ? orr_file_write(ctx, path, (orr_bytes){ (unsigned char *)text, n })
                                               : orr_fail(ctx, ORR_ENOMEM, "page %s: out of memory", path);
    free(text);
    return status;
}

json_t *orr_page_entry_json(const orr_page_entry *e) {
    return json_pack("{s:s*, s:s*, s:s, s:s, s:s, s:s, s:s, s:s*, s:O*, s:O, s:O, s:O, s:O*, s:O*, s:O*, s:s*}", "id",
                     e->id, "approach", e->approach, "kicker", e->kicker, "title", e->title, "statement", e->statement,
                     "sources", e->sources, "command", e->command, "equation", e->equation, "verdict", e->verdict,
                     "checks", e->checks, "facts", e->facts, "panels", e->panels, "ingredients", e->ingredients,
                     "regime", e->regime, "map", e->map, "map_command", e->map_command);
}

/* content (taken over): what web/page.js draws. */
static orr_status write_content(orr_context *ctx, orr_arena *scratch, const char *title, json_t *content,
                                const char *path) {
    const orr_arena_mark mark = orr_arena_here(scratch);
    char *json = NULL;
    const char *packed = NULL;
    orr_status status = orr_json_text(ctx, scratch, content, 7, &json); /* a pixel is 1e-3 of a figure: 7 digits do */
    json_decref(content);
    if (status == ORR_OK) status = pack(ctx, scratch, json, &packed);
    if (status == ORR_OK) {
        const slot slots[] = {
            { "TITLE", escaped(scratch, title) },
            { "CONTENT", packed },
            { "STYLE", orr_web_page_css },
            { "KATEX_STYLE", orr_web_katex_css },
            { "FIGURE", orr_web_figure_js },
            { "SCRIPT", orr_web_page_js },
            { "KATEX", orr_web_katex },
            { "VEGA", orr_web_vega },
            { "VEGA_LITE", orr_web_vega_lite },
            { "VEGA_EMBED", orr_web_vega_embed },
            { NULL, NULL },
        };
        if (!slots[0].text) status = orr_fail(ctx, ORR_ENOMEM, "page %s: out of memory", path);
        else status = write_whole(ctx, slots, path);
    }
    orr_arena_rewind(scratch, mark);
    return status;
}

/* Who made the page. */
static const char foot[] = "Made by Orrery " ORR_VERSION ". Predictions were sealed before training.";

orr_status orr_page_write(orr_context *ctx, orr_arena *scratch, const orr_page_entry *entry, const char *path) {
    json_t *one = orr_page_entry_json(entry);
    if (!one) return orr_fail(ctx, ORR_ENOMEM, "page %s: out of memory", path);
    return write_content(ctx, scratch, entry->title,
                         json_pack("{s:s, s:s, s:[o]}", "title", entry->title, "foot", foot, "entries", one), path);
}

orr_status orr_page_write_atlas(orr_context *ctx, orr_arena *scratch, const char *title, const char *statement,
                                const orr_page_approach *approaches, json_t *entries, const char *path) {
    json_t *chapters = json_array();
    for (const orr_page_approach *a = approaches; a->id; a++)
        (void)json_array_append_new(chapters,
                                    json_pack("{s:s, s:s, s:s}", "id", a->id, "title", a->title, "words", a->words));
    json_t *content = json_pack("{s:s, s:s, s:s, s:b, s:o, s:O}", "title", title, "statement", statement, "foot", foot,
                                "home", 1, "approaches", chapters, "entries", entries);
    if (!content) return orr_fail(ctx, ORR_ENOMEM, "page %s: out of memory", path);
    return write_content(ctx, scratch, title, content, path);
}
