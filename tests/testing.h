/* What every test needs: cmocka with its headers in order, and a context that fails the test where something leaks. */
#ifndef ORR_TESTS_TESTING_H
#define ORR_TESTS_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <math.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/context.h"
#include "orrery.h"

/* Asserts that a call ends with ORR_OK and prints its message where it doesn't. */
#define assert_ok(ctx, call)                                                                                           \
    do {                                                                                                               \
        const orr_status got_ = (call);                                                                                \
        if (got_ != ORR_OK)                                                                                            \
            fail_msg("%s: %s\n%s", orr_status_name(got_), orr_context_message(ctx), orr_context_trace(ctx));           \
    } while (0)

/* |got - expected| <= limit, or both NaN; says all three where not. */
#define assert_close(got, expected, limit)                                                                             \
    do {                                                                                                               \
        const double g_ = (double)(got), e_ = (double)(expected), l_ = (double)(limit);                                \
        if (!(fabs(g_ - e_) <= l_) && !(isnan(g_) && isnan(e_)) && g_ != e_)                                           \
            fail_msg("%s: got %.17g, expected %.17g, differs by %.3g, limit %.3g", #got, g_, e_, fabs(g_ - e_), l_);   \
    } while (0)

/* For cmocka's setup and teardown: *state is an orr_context. */
static inline int context_setup(void **state) {
    orr_context *ctx;
    if (orr_context_new(&(orr_context_options){ .threads = 2, .hostile = getenv("ORRERY_HOSTILE") != NULL }, &ctx) !=
        ORR_OK)
        return -1;
    *state = ctx;
    return 0;
}

static inline int context_teardown(void **state) {
    orr_context_free(*state);
    return 0;
}

#endif
