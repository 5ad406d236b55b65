/* Arena: memory with one owner and one end.  Allocation is a pointer bump; everything goes at once.
 *
 * What a function returns lives in the arena passed for it (`out_arena`); what it needs on the way comes from
 * `scratch`, which it rewinds before it returns.  Every block is zeroed and aligned to 64 bytes. */
#ifndef ORR_BASE_ARENA_H
#define ORR_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include "orrery.h"

typedef struct orr_arena orr_arena;
typedef struct orr_arena_mark {
    void *block;
    size_t used;
} orr_arena_mark;

/* Fails: ORR_ENOMEM. */
orr_status orr_arena_new(orr_context *ctx, orr_arena **out) ORR_MUST_USE;
void orr_arena_free(orr_arena *arena);

/* count * size zeroed bytes, aligned to 64; NULL where memory is out or the product overflows.  count = 0 gives a
 * pointer that may not be read. */
void *orr_arena_take(orr_arena *arena, int64_t count, size_t size);
#define ORR_NEW(arena, type, count) ((type *)orr_arena_take((arena), (int64_t)(count), sizeof(type)))

/* A copy of a string, or a formatted one; NULL where memory is out. */
char *orr_arena_string(orr_arena *arena, const char *text);
char *orr_arena_format(orr_arena *arena, const char *format, ...) ORR_PRINTF(2, 3);

/* Gives what one call of orr_arena_take returned back before the arena's end, where it is so large that it has a block of its own
 * (1 MiB or more always has); else nothing happens.  p isn't used again, and no mark was taken since it was. */
void orr_arena_give_back(orr_arena *arena, const void *p);

orr_arena_mark orr_arena_here(const orr_arena *arena);
void orr_arena_rewind(orr_arena *arena, orr_arena_mark mark);

/* Bytes handed out and not rewound. */
size_t orr_arena_used(const orr_arena *arena);

#endif
