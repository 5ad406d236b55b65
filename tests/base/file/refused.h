/* A call must be refused: with a status, and one line that begins with the place and contains what is said. */
#ifndef ORR_TESTS_REFUSED_H
#define ORR_TESTS_REFUSED_H

#include "testing.h"

static inline void check_refused(orr_context *ctx, orr_status got, orr_status expected, const char *where,
                                 const char *says, const char *file, int line) {
    const char *message = orr_context_message(ctx);
    if (got != expected) {
        print_error("expected %s, got %s: %s\n", orr_status_name(expected), orr_status_name(got), message);
        _fail(file, line);
    }
    if (strncmp(message, where, strlen(where)) != 0 || !strstr(message, says)) {
        print_error("expected \"%s ... %s\"\n     got %s\n", where, says, message);
        _fail(file, line);
    }
    for (const char *p = message; *p; p++)
        if ((unsigned char)*p < 0x20) {
            print_error("a control character in: %s\n", message);
            _fail(file, line);
        }
    orr_context_clear(ctx);
}

#define assert_refused(ctx, call, status, where, says)                                                                 \
    do {                                                                                                               \
        const orr_status got_ = (call);                                                                                \
        check_refused((ctx), got_, (status), (where), (says), __FILE__, __LINE__);                                     \
    } while (0)

#endif
