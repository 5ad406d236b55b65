/* Progress of long work: one line on a terminal, rewritten in place; not a byte in a pipe or a file.
 *
 *     training  1,200/5,000 steps  24%  310/s  12 s left  loss 0.0312
 *
 * Starts, updates and ends around a loop; lives on the stack; allocates nothing.  An update costs a look at the clock
 * and draws at most ten times a second. */
#ifndef ORR_BASE_PROGRESS_H
#define ORR_BASE_PROGRESS_H

#include "base/context.h"

typedef struct orr_progress {
    orr_context *ctx;
    const char *what, *unit; /* "training", "steps"; borrowed until the end */
    int64_t done, total;
    int64_t first;         /* done before the start, by a run that was resumed: set it for an honest rate */
    double started, drawn; /* seconds */
    double (*clock)(void *user);
    void *user;
    char note[64];
    bool visible; /* false in a pipe: nothing is drawn */
} orr_progress;

/* total 0 means not known: no share and no time left are shown. */
orr_progress orr_progress_start(orr_context *ctx, const char *what, const char *unit, int64_t total);
/* A few words at the end of the line, from the next draw on: the loss, say. */
void orr_progress_note(orr_progress *p, const char *format, ...) ORR_PRINTF(2, 3);
void orr_progress_update(orr_progress *p, int64_t done);
/* Leaves one finished line: what was done and in how long. */
void orr_progress_end(orr_progress *p);

/* Seconds in words of few letters: "0.4 s", "12 s", "3 min 05 s", "2 h 10 min".  Writes at most 32 bytes. */
void orr_seconds_in_words(double seconds, char words[32]);
/* Seconds since some fixed moment, never going back. */
double orr_now(void);

#endif
