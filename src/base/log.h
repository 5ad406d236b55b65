/* Log lines: one line each, to the log of the context (the command line gives stderr; a library has none). */
#ifndef ORR_BASE_LOG_H
#define ORR_BASE_LOG_H

#include "base/context.h"

/* Writes "warning: ..." and a new line where the level is at least the context's; nothing where there is no log.  An
 * info line has no word in front.  On a terminal the word is coloured, unless NO_COLOR is set (no-color.org) or TERM is
 * dumb, and a progress line gives way. */
void orr_log_line(orr_context *ctx, orr_log_level level, const char *format, ...) ORR_PRINTF(3, 4);

#endif
