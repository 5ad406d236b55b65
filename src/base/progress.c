#define _GNU_SOURCE /* clock_gettime, fileno, TIOCGWINSZ */
#include "base/progress.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

enum { LINE_SIZE = 256, COLUMNS = 80 };
static const double DRAW_EVERY = 0.1; /* seconds: faster than this, figures can't be read */

double orr_now(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t); /* can't fail for this clock on Linux */
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double now_monotonic(void *user) {
    (void)user;
    return orr_now();
}

orr_progress orr_progress_start(orr_context *ctx, const char *what, const char *unit, int64_t total) {
    return (orr_progress){ .ctx = ctx,
                           .what = what,
                           .unit = unit,
                           .total = total,
                           .started = orr_now(),
                           .drawn = -HUGE_VAL,
                           .clock = now_monotonic,
                           .visible = orr_context_log_is_terminal(ctx) };
}

void orr_progress_note(orr_progress *p, const char *format, ...) {
    va_list args;
    va_start(args, format);
    (void)vsnprintf(p->note, sizeof p->note, format, args);
    va_end(args);
}

void orr_seconds_in_words(double seconds, char words[32]) {
    if (seconds < 9.95) (void)snprintf(words, 32, "%.1f s", seconds);
    else if (seconds < 59.5) (void)snprintf(words, 32, "%.0f s", seconds);
    else if (seconds < 3599.5) {
        const int whole = (int)(seconds + 0.5);
        (void)snprintf(words, 32, "%d min %02d s", whole / 60, whole % 60);
    } else if (seconds < 1e9) {
        const int64_t minutes = (int64_t)(seconds / 60 + 0.5);
        (void)snprintf(words, 32, "%lld h %02d min", (long long)(minutes / 60), (int)(minutes % 60));
    } else (void)snprintf(words, 32, "years");
}

/* 1234567 as "1,234,567" */
static void grouped(int64_t n, char text[32]) {
    char digits[24];
    const int length = snprintf(digits, sizeof digits, "%lld", (long long)n);
    int at = 0;
    for (int i = 0; i < length; i++) {
        text[at++] = digits[i];
        const int left = length - 1 - i;
        if (left > 0 && left % 3 == 0 && digits[i] != '-') text[at++] = ',';
    }
    text[at] = '\0';
}

static int columns_of(FILE *log) {
    struct winsize size;
    return ioctl(fileno(log), TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : COLUMNS;
}

/* Writes over the line before it; what was longer there is blanked.  Cut to the window: a wrapped line can't be
 * rewritten. */
static void put_line(orr_progress *p, const char *line, bool finished) {
    FILE *log = orr_context_log(p->ctx);
    int *column = orr_context_log_column(p->ctx);
    const int room = columns_of(log) - 1, length = (int)strlen(line) < room ? (int)strlen(line) : room;
    const int blank = *column > length ? *column - length : 0;
    (void)fprintf(log, "\r%.*s%*s%s", length, line, blank, "", finished ? "\n" : "");
    (void)fflush(log);
    *column = finished ? 0 : length;
}

static void add(char line[LINE_SIZE], const char *format, ...) ORR_PRINTF(2, 3);
static void add(char line[LINE_SIZE], const char *format, ...) {
    const size_t used = strlen(line);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line + used, LINE_SIZE - used, format, args);
    va_end(args);
}

static void add_count(const orr_progress *p, char line[LINE_SIZE]) {
    char done[32], total[32];
    grouped(p->done, done);
    grouped(p->total, total);
    if (p->total > 0) add(line, "%.60s  %s/%s %.20s", p->what, done, total, p->unit);
    else add(line, "%.60s  %s %.20s", p->what, done, p->unit);
}

static void draw(orr_progress *p, double now) {
    char line[LINE_SIZE] = "", left[32];
    add_count(p, line);
    const double elapsed = now - p->started, rate = elapsed > 0 ? (double)(p->done - p->first) / elapsed : 0;
    if (p->total > 0) add(line, "  %d%%", (int)(100.0 * (double)p->done / (double)p->total));
    if (rate > 0) add(line, rate < 9.95 ? "  %.2g/s" : "  %.0f/s", rate);
    if (rate > 0 && p->total > p->done) {
        orr_seconds_in_words((double)(p->total - p->done) / rate, left);
        add(line, "  %s left", left);
    }
    if (*p->note) add(line, "  %s", p->note);
    put_line(p, line, false);
    p->drawn = now;
}

void orr_progress_update(orr_progress *p, int64_t done) {
    p->done = done;
    if (!p->visible) return;
    const double now = p->clock(p->user);
    if (now - p->drawn >= DRAW_EVERY) draw(p, now);
}

void orr_progress_end(orr_progress *p) {
    if (!p->visible) return;
    char line[LINE_SIZE] = "", taken[32];
    const double now = p->clock(p->user);
    add_count(p, line);
    orr_seconds_in_words(now - p->started, taken);
    add(line, "  in %s", taken);
    if (*p->note) add(line, "  %s", p->note);
    put_line(p, line, true);
}
