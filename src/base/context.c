#define _GNU_SOURCE /* sched_getaffinity: the cores that this process may use, not those of the machine; fileno */
#define ORR_CONTEXT_INSIDE
#include "base/context.h"

#include <assert.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/parallel.h"

enum { TRACE_SIZE = 2048, THREADS_MAX = 256 };

struct orr_context {
    orr_allocator allocator;
    FILE *log;
    orr_log_level log_level;
    int log_column;
    bool log_is_terminal, log_has_colour;
    orr_pool *pool;
    int64_t allocations;
    int threads;
    bool hostile;
    bool failed; /* a message is held */
    char message[ORR_MESSAGE_SIZE];
    char trace[TRACE_SIZE];
};

/* Large arrays in pages of 2 MiB where the system has them to give: products of matrices walk over megabytes, and a
 * translation of each 4 KiB costs them a few percent.  A wish: without, all stays as it is. */
static void *allocate_default(void *user, size_t bytes) {
    enum { LARGE_PAGE = 1 << 21 };
    (void)user;
    if (bytes < 2 * LARGE_PAGE) return aligned_alloc(64, bytes);
    void *p = aligned_alloc(LARGE_PAGE, (bytes + LARGE_PAGE - 1) & ~(size_t)(LARGE_PAGE - 1));
    if (p) (void)madvise(p, bytes & ~(size_t)(LARGE_PAGE - 1), MADV_HUGEPAGE);
    return p;
}

static void release_default(void *user, void *p) {
    (void)user;
    free(p);
}

static int usable_cores(void) {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

/* https://no-color.org: set and not empty means no colour. */
static bool colour_is_welcome(void) {
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return !(no && *no) && term && strcmp(term, "dumb") != 0;
}

orr_status orr_context_new(const orr_context_options *options, orr_context **out) {
    const orr_context_options given = options ? *options : (orr_context_options){ 0 };
    const orr_allocator allocator =
        given.allocator ? *given.allocator : (orr_allocator){ allocate_default, release_default, NULL };
    *out = NULL;
    if (given.threads < 0 || given.threads > THREADS_MAX) return ORR_EINPUT;
    orr_context *ctx = allocator.allocate(allocator.user, (sizeof *ctx + 63) & ~(size_t)63);
    if (!ctx) return ORR_ENOMEM;
    memset(ctx, 0, sizeof *ctx);
    ctx->allocator = allocator;
    ctx->log = given.log;
    ctx->log_level = given.log_level;
    ctx->log_is_terminal = given.log && (given.log_is_terminal || isatty(fileno(given.log)));
    ctx->log_has_colour = ctx->log_is_terminal && colour_is_welcome();
    ctx->threads = given.threads ? given.threads : usable_cores();
    ctx->hostile = given.hostile;
    const orr_status status = orr_pool_new(ctx, ctx->threads, &ctx->pool);
    if (status != ORR_OK) {
        allocator.release(allocator.user, ctx);
        return status;
    }
    *out = ctx;
    return ORR_OK;
}

void orr_context_free(orr_context *ctx) {
    if (!ctx) return;
    orr_pool_free(ctx->pool);
    const orr_allocator allocator = ctx->allocator;
    allocator.release(allocator.user, ctx);
}

const char *orr_context_message(const orr_context *ctx) { return ctx->message; }
const char *orr_context_trace(const orr_context *ctx) { return ctx->trace; }

void orr_context_clear(orr_context *ctx) {
    ctx->failed = false;
    ctx->message[0] = ctx->trace[0] = '\0';
}

orr_status orr_fail(orr_context *ctx, orr_status status, const char *format, ...) {
    assert(status != ORR_OK);
    if (ctx->failed) return status;
    ctx->failed = true;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(ctx->message, ORR_MESSAGE_SIZE, format, args);
    va_end(args);
    ctx->trace[0] = '\0';
    orr_break();
    return status;
}

orr_status orr_passed(orr_context *ctx, orr_status status, const char *file, int line) {
    const size_t used = strlen(ctx->trace);
    (void)snprintf(ctx->trace + used, TRACE_SIZE - used, "%s:%d\n", file, line);
    return status;
}

void *orr_allocate(orr_context *ctx, size_t bytes) {
    if (bytes > SIZE_MAX / 2) return NULL;
    ctx->allocations++;
    return ctx->allocator.allocate(ctx->allocator.user, bytes ? (bytes + 63) & ~(size_t)63 : 64);
}

void orr_release(orr_context *ctx, void *p) {
    if (p) ctx->allocator.release(ctx->allocator.user, p);
}

int64_t orr_context_allocations(const orr_context *ctx) { return ctx->allocations; }
bool orr_context_is_hostile(const orr_context *ctx) { return ctx->hostile; }
int orr_context_threads(const orr_context *ctx) { return ctx->threads; }
struct orr_pool *orr_context_pool(orr_context *ctx) {
    return ctx->pool;
}
FILE *orr_context_log(const orr_context *ctx) { return ctx->log; }
orr_log_level orr_context_log_level(const orr_context *ctx) { return ctx->log_level; }
bool orr_context_log_is_terminal(const orr_context *ctx) { return ctx->log_is_terminal; }
bool orr_context_log_has_colour(const orr_context *ctx) { return ctx->log_has_colour; }
int *orr_context_log_column(orr_context *ctx) { return &ctx->log_column; }
void orr_break(void) {}

static const struct {
    const char *name, *words;
    int exit_code;
} statuses[] = {
#define ORR_STATUS(name, exit_code, words) { "ORR_" #name, words, exit_code },
#include "base/status.def"
#undef ORR_STATUS
};

const char *orr_status_name(orr_status status) { return statuses[status].name; }
const char *orr_status_words(orr_status status) { return statuses[status].words; }
int orr_status_exit_code(orr_status status) { return statuses[status].exit_code; }
