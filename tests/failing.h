/* Memory that runs out when told to: each allocation of a scenario is made to fail in turn, and the scenario must end
 * with ORR_ENOMEM, a message and nothing left allocated.  [Lua, curl] */
#ifndef ORR_TESTS_FAILING_H
#define ORR_TESTS_FAILING_H

#include "testing.h"

typedef struct failing {
    int64_t made, live, fail_at; /* the allocation that fails, counted from 0; < 0: none */
    bool for_good;               /* all later ones fail too */
} failing;

static inline void *failing_allocate(void *user, size_t bytes) {
    failing *f = user;
    const int64_t index = f->made++;
    if (f->fail_at >= 0 && (index == f->fail_at || (f->for_good && index > f->fail_at))) return NULL;
    void *p = aligned_alloc(64, bytes);
    if (p) f->live++;
    return p;
}

static inline void failing_release(void *user, void *p) {
    ((failing *)user)->live -= p != NULL;
    free(p);
}

/* What is tried.  Frees all that it made, whether it returns ORR_OK or the status of what failed. */
typedef orr_status failing_scenario(orr_context *ctx, void *arg);

static inline orr_status failing_once(failing *f, failing_scenario *scenario, void *arg) {
    const orr_allocator allocator = { failing_allocate, failing_release, f };
    orr_context *ctx;
    orr_status status =
        orr_context_new(&(orr_context_options){ .threads = 2, .allocator = &allocator, .hostile = true }, &ctx);
    if (status == ORR_OK) {
        status = scenario(ctx, arg);
        if (status != ORR_OK && !*orr_context_message(ctx))
            fail_msg("allocation %lld: no message", (long long)f->fail_at);
        orr_context_free(ctx);
    }
    if (f->live) fail_msg("allocation %lld failed: %lld leaked", (long long)f->fail_at, (long long)f->live);
    return status;
}

/* Runs the scenario with its allocation 0, 1, 2, ... failing, alone and for good, until one run needs no more than are
 * given.  Asserts the status of each run and that nothing leaks.  Returns the number of allocations, those of the
 * context included, so that a test can say that there were some. */
static inline int64_t fail_each_allocation(failing_scenario *scenario, void *arg) {
    failing whole = { .fail_at = -1 };
    const orr_status status = failing_once(&whole, scenario, arg);
    if (status != ORR_OK) fail_msg("with all its memory the scenario ends with %s", orr_status_name(status));
    for (int64_t k = 0; k < whole.made; k++)
        for (int for_good = 0; for_good < 2; for_good++) {
            failing f = { .fail_at = k, .for_good = for_good };
            const orr_status got = failing_once(&f, scenario, arg);
            if (got != ORR_ENOMEM)
                fail_msg("allocation %lld of %lld failed, status %s", (long long)k, (long long)whole.made,
                         orr_status_name(got));
        }
    return whole.made;
}

#endif
