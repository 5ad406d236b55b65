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

/* Borrowed, all of them.  verdict and each check: { metric, verdict, value, tolerance: [low, high], interval: [low, high],
 * note }; facts: [[name, value], ...]; panels: of orr_page_panel. */
typedef struct orr_page {
    const char *kicker, *title, *statement, *sources, *command;
    json_t *verdict, *checks, *facts, *panels;
} orr_page;

/* Writes the page beside `path` and moves it there when it is whole.  Fails: ORR_EIO, ORR_ENOMEM, with the path. */
orr_status orr_page_write(orr_context *ctx, orr_arena *scratch, const orr_page *page, const char *path) ORR_MUST_USE;

/* Whether a page can be written there: asked before hours of work go into it.  Fails as orr_page_write. */
orr_status orr_page_try(orr_context *ctx, orr_arena *scratch, const char *path) ORR_MUST_USE;

#endif
