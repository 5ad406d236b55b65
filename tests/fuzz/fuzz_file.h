/* What targets of file readers share: a context and an arena for one input, and what must be true of every refusal. */
#ifndef ORR_TESTS_FUZZ_FILE_H
#define ORR_TESTS_FUZZ_FILE_H

#include <string.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/context.h"
#include "base/file/file.h"
#include "fuzz.h"

typedef struct fuzz_world {
    orr_context *ctx;
    orr_arena *arena, *scratch;
} fuzz_world;

static inline fuzz_world fuzz_begin(void) {
    fuzz_world w;
    if (orr_context_new(&(orr_context_options){ .threads = 1 }, &w.ctx) != ORR_OK ||
        orr_arena_new(w.ctx, &w.arena) != ORR_OK || orr_arena_new(w.ctx, &w.scratch) != ORR_OK)
        fuzz_fail("no memory to begin");
    return w;
}

static inline int fuzz_end(fuzz_world w) {
    orr_arena_free(w.scratch);
    orr_arena_free(w.arena);
    orr_context_free(w.ctx);
    return 0;
}

/* True where the call was accepted; a refusal has one line of words, with the place in front. */
static inline bool fuzz_accepted(fuzz_world w, orr_status status) {
    const char *message = orr_context_message(w.ctx);
    if (status == ORR_OK) return true;
    if (status == ORR_EINTERNAL) fuzz_fail("an error of our own");
    if (strncmp(message, "fuzz", 4) != 0) fuzz_fail("a refusal that does not begin with the place");
    for (const char *p = message; *p; p++)
        if ((unsigned char)*p < 0x20) fuzz_fail("a refusal with a control character");
    orr_context_clear(w.ctx);
    return false;
}

static inline orr_bytes fuzz_bytes(const uint8_t *bytes, size_t n) {
    orr_bytes b = { NULL, n };
    memcpy(&b.data, &bytes, sizeof bytes); /* readers don't write into it; AddressSanitizer and libFuzzer would tell */
    return b;
}

static inline void fuzz_same_array(const orr_array *a, const orr_array *b) {
    const size_t n = (size_t)orr_shape_count(&a->shape) * orr_dtype_size(a->dtype);
    if (a->dtype != b->dtype || !orr_shape_equal(&a->shape, &b->shape) || strcmp(a->name, b->name) != 0 ||
        (n && memcmp(a->data, b->data, n) != 0))
        fuzz_fail("what was written does not read back");
}

#endif
