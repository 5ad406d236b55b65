/* A panel of a page as a few lines of text, for a terminal. */
#ifndef ORR_REPORT_TEXTPLOT_H
#define ORR_REPORT_TEXTPLOT_H

#include "base/arena.h"
#include "base/json.h"
#include "orrery.h"

/* Draws the marks of a panel (orr_page_panel) that have numbers on both axes into `columns` by `rows` characters, with its
 * title, axes and a legend: `o` measured, `.` all else.  *text is "" where the panel has no such marks.  Fails: ORR_ENOMEM. */
orr_status orr_textplot(orr_context *ctx, orr_arena *out_arena, const json_t *panel, int columns, int rows,
                        const char **text) ORR_MUST_USE;

#endif
