/* Context: what a call may use and where its trouble is told.  One per thread of the caller; no globals behind it. */
#ifndef ORR_BASE_CONTEXT_H
#define ORR_BASE_CONTEXT_H

#include <stddef.h>
#include <stdio.h>

#include "orrery.h"

enum { ORR_MESSAGE_SIZE = 16384 }; /* bytes of the longest message: all mistakes of a file, a line each */

/* Raises a status that isn't ORR_OK, once, where the facts are: what was expected, what was met, what to do.  Returns it.
 * The first message since the last orr_context_clear is the one kept. */
orr_status orr_fail(orr_context *ctx, orr_status status, const char *format, ...) ORR_PRINTF(3, 4);

/* Adds file and line to the trace of a status on its way up; ORR_TRY calls it.  Returns status. */
orr_status orr_passed(orr_context *ctx, orr_status status, const char *file, int line);

#if defined(__clang_analyzer__) && !defined(ORR_CONTEXT_INSIDE)
/* Static analysis sees one file at a time: this tells it that what fails doesn't return ORR_OK. */
static inline orr_status orr_failed(orr_status status) {
    __builtin_assume(status != ORR_OK);
    return status;
}
#define orr_fail(ctx, status, ...)          ((void)orr_fail((ctx), (status), __VA_ARGS__), orr_failed(status))
#define orr_passed(ctx, status, file, line) ((void)orr_passed((ctx), (status), (file), (line)), orr_failed(status))
#endif

#define ORR_TRY(ctx, call)                                                                                             \
    do {                                                                                                               \
        orr_status try_ = (call);                                                                                      \
        if (try_ != ORR_OK) return orr_passed((ctx), try_, __FILE__, __LINE__);                                        \
    } while (0)

/* The same where foreign handles are held: leaves through `done:`, which returns `status`. */
#define ORR_TRY_DONE(ctx, call)                                                                                        \
    do {                                                                                                               \
        status = (call);                                                                                               \
        if (status != ORR_OK) {                                                                                        \
            (void)orr_passed((ctx), status, __FILE__, __LINE__);                                                       \
            goto done;                                                                                                 \
        }                                                                                                              \
    } while (0)

/* Uninitialised bytes aligned to 64, from the context's allocator; NULL where memory is out.  Prefer an arena. */
void *orr_allocate(orr_context *ctx, size_t bytes);
void orr_release(orr_context *ctx, void *p); /* NULL is fine */

/* Allocations made so far: a test asserts that a training step makes none. */
int64_t orr_context_allocations(const orr_context *ctx);

/* Tiny first buffers and poisoned rewound memory, to bring lifetime bugs to light (ORRERY_HOSTILE=1). */
bool orr_context_is_hostile(const orr_context *ctx);

/* Threads that kernels may use, and the pool that they share (base/parallel.h). */
int orr_context_threads(const orr_context *ctx);
struct orr_pool *orr_context_pool(orr_context *ctx);

/* Where progress and log lines go; NULL for nowhere.  Write to it through base/log.h and base/progress.h. */
FILE *orr_context_log(const orr_context *ctx);
orr_log_level orr_context_log_level(const orr_context *ctx);
bool orr_context_log_is_terminal(const orr_context *ctx);
bool orr_context_log_has_colour(const orr_context *ctx);
/* Letters of the unfinished line that stands on the terminal, 0 where there is none; kept by log and progress. */
int *orr_context_log_column(orr_context *ctx);

/* Does nothing but wait for a breakpoint: called at the first failure and at the first non-finite value. */
void orr_break(void);

#endif
