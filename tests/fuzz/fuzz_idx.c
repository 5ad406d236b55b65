/* The IDX reader on any bytes: a status or an array, never more, and every element can be read. */
#include <stdint.h>

#include "fuzz.h"
#include "ingredient/data/idx.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    orr_context *ctx;
    orr_arena *arena;
    orr_idx idx;
    volatile double sum = 0.0;
    if (orr_context_new(&(orr_context_options){ .threads = 1 }, &ctx) != ORR_OK) return 0;
    if (orr_arena_new(ctx, &arena) == ORR_OK) {
        const int64_t items = n ? bytes[n - 1] % 4 : 0; /* 0: all of them */
        if (orr_idx_parse(ctx, arena, "fuzz", bytes, n, items, &idx) == ORR_OK)
            for (int64_t i = 0; i < idx.count; i++) sum = sum + orr_idx_value(&idx, i);
        else if (!orr_context_message(ctx)[0]) fuzz_fail("a refusal without a message");
        orr_arena_free(arena);
    }
    orr_context_free(ctx);
    return 0;
}
