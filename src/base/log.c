#include "base/log.h"

#include <stdarg.h>

static const char *word_of(orr_log_level level) {
    return level >= ORR_LOG_ERROR ? "error: " : level == ORR_LOG_WARNING ? "warning: " : level < 0 ? "debug: " : "";
}

/* ANSI select graphic rendition: red, yellow, dim (ECMA-48, 8.3.117) */
static const char *colour_of(orr_log_level level) {
    return level >= ORR_LOG_ERROR ? "\033[31m" : level == ORR_LOG_WARNING ? "\033[33m" : "\033[2m";
}

void orr_log_line(orr_context *ctx, orr_log_level level, const char *format, ...) {
    FILE *log = orr_context_log(ctx);
    if (!log || level < orr_context_log_level(ctx)) return;
    int *line = orr_context_log_column(ctx);
    if (*line > 0) (void)fprintf(log, "\r%*s\r", *line, "");
    *line = 0;
    const char *word = word_of(level);
    if (*word && orr_context_log_has_colour(ctx)) (void)fprintf(log, "%s%s\033[0m", colour_of(level), word);
    else (void)fputs(word, log);
    va_list args;
    va_start(args, format);
    (void)vfprintf(log, format, args);
    va_end(args);
    (void)fputc('\n', log);
    (void)fflush(log);
}
