/* A page: one self-contained HTML file that works offline, with text, tables and Vega-Lite figures.
 *
 * Its content is JSON, which web/page.js draws; a figure is a specification of web/figures with data of the caller.  All
 * that the page needs is inside it, and a policy in its head forbids it to ask for anything. */
#ifndef ORR_REPORT_PAGE_H
#define ORR_REPORT_PAGE_H

#include "base/arena.h"
#include "base/json.h"
#include "orrery.h"

/* One figure (new), or NULL where memory is out or `datasets` is NULL, which is taken over in any case.
 * figure    a name of figures.def
 * alt       what a screen reader says instead
 * datasets  an object: for each data set that the specification names, an array of rows */
json_t *orr_page_panel(const char *figure, const char *title, const char *caption, const char *alt, bool wide,
                       json_t *datasets);

/* The same with the title "WHAT: NAME", for one of several like it. */
json_t *orr_page_panel_of(const char *figure, const char *what, const json_t *name, const char *caption,
                          const char *alt, bool wide, json_t *datasets);

/* One more panel (new), unless it would show nothing: unless `rows`, which are among its data sets, are none. */
void orr_page_add_panel(json_t *panels, const json_t *rows, json_t *panel);

/* What there is to see of a law, a run or a map.  Borrowed, all of it; what may be NULL is said.
 * verdict and each check: { metric, verdict, value, tolerance: [low, high], interval: [low, high], note }; facts and ingredients:
 * [[name, value], ...]; panels: of orr_page_panel; regime: a list of texts; map: { words, panels }, what was measured along an
 * axis that leaves the regime. */
typedef struct orr_page_entry {
    const char *id, *approach; /* in an atlas; else NULL */
    const char *kicker, *title, *statement, *sources, *command;
    const char *equation;    /* TeX; NULL: none */
    const char *map_command; /* makes the map, or made it; NULL: there can be none */
    json_t *verdict;         /* NULL: none */
    json_t *checks, *facts, *panels;
    json_t *ingredients, *regime, *map; /* NULL: none */
} orr_page_entry;

/* As JSON (new); NULL where memory is out. */
json_t *orr_page_entry_json(const orr_page_entry *entry);

/* Writes a page about one entry beside `path` and moves it there when it is whole.  Fails with the path, as orr_file_trouble
 * says, or ORR_ENOMEM. */
orr_status orr_page_write(orr_context *ctx, orr_arena *scratch, const orr_page_entry *entry,
                          const char *path) ORR_MUST_USE;

/* A chapter of an atlas. */
typedef struct orr_page_approach {
    const char *id, *title, *words;
} orr_page_approach;

/* Many entries on one page: a home with a card for each, by approach, and a view for each.  approaches ends with { 0 };
 * entries: a list of orr_page_entry_json, borrowed.  Fails as orr_page_write. */
orr_status orr_page_write_atlas(orr_context *ctx, orr_arena *scratch, const char *title, const char *statement,
                                const orr_page_approach *approaches, json_t *entries, const char *path) ORR_MUST_USE;

/* Whether a page can be written there: asked before hours of work go into it.  Fails as orr_page_write. */
orr_status orr_page_try(orr_context *ctx, orr_arena *scratch, const char *path) ORR_MUST_USE;

#endif
