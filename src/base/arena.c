#include "base/arena.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/context.h"

enum { ALIGN = 64, FIRST_BLOCK = 16 * 1024, LARGEST_STEP = 1 << 20 };

typedef struct block {
    struct block *previous;
    size_t size, used, before; /* before: bytes used in all earlier blocks */
    unsigned char *bytes;
    bool single; /* holds one thing that wouldn't have fitted into a usual block */
} block;

struct orr_arena {
    orr_context *ctx;
    block *top;
};

static size_t rounded(size_t n) { return (n + ALIGN - 1) & ~(size_t)(ALIGN - 1); }

static block *block_new(orr_context *ctx, block *previous, size_t size) {
    block *b = orr_allocate(ctx, rounded(sizeof(block)) + size);
    if (!b) return NULL;
    *b = (block){ .previous = previous, .size = size, .bytes = (unsigned char *)b + rounded(sizeof(block)) };
    if (previous) b->before = previous->before + previous->used;
    return b;
}

orr_status orr_arena_new(orr_context *ctx, orr_arena **out) {
    *out = NULL;
    orr_arena *arena = orr_allocate(ctx, sizeof *arena);
    if (!arena) return orr_fail(ctx, ORR_ENOMEM, "arena: no memory for its head");
    *arena = (orr_arena){ .ctx = ctx, .top = block_new(ctx, NULL, orr_context_is_hostile(ctx) ? ALIGN : FIRST_BLOCK) };
    if (!arena->top) {
        orr_release(ctx, arena);
        return orr_fail(ctx, ORR_ENOMEM, "arena: no memory for its first block");
    }
    *out = arena;
    return ORR_OK;
}

void orr_arena_free(orr_arena *arena) {
    if (!arena) return;
    orr_context *ctx = arena->ctx;
    for (block *b = arena->top; b;) {
        block *previous = b->previous;
        orr_release(ctx, b);
        b = previous;
    }
    orr_release(ctx, arena);
}

void *orr_arena_take(orr_arena *arena, int64_t count, size_t size) {
    if (count < 0 || (size && (uint64_t)count > (SIZE_MAX / 2) / size)) return NULL;
    const size_t need = rounded((size_t)count * size);
    block *b = arena->top;
    if (need > b->size - b->used) {
        size_t next = b->size < LARGEST_STEP ? 2 * b->size : LARGEST_STEP;
        b = block_new(arena->ctx, b, need > next ? need : next);
        if (!b) return NULL;
        b->single = need > next;
        arena->top = b;
    }
    void *p = b->bytes + b->used;
    b->used += need;
    if (need) memset(p, 0, need);
    return p;
}

void orr_arena_give_back(orr_arena *arena, const void *p) {
    block *b = arena->top, *later = NULL;
    for (; b && !(b->single && b->bytes == p); b = b->previous) later = b;
    if (!b) return;
    for (block *c = arena->top; c != b; c = c->previous) c->before -= b->used;
    if (later) later->previous = b->previous;
    else arena->top = b->previous; /* the first block is never a single one */
    orr_release(arena->ctx, b);
}

char *orr_arena_string(orr_arena *arena, const char *text) {
    const size_t n = strlen(text) + 1;
    char *copy = orr_arena_take(arena, (int64_t)n, 1);
    return copy ? memcpy(copy, text, n) : NULL;
}

char *orr_arena_format(orr_arena *arena, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    const int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = n < 0 ? NULL : orr_arena_take(arena, n + 1, 1);
    if (text) (void)vsnprintf(text, (size_t)n + 1, format, again);
    va_end(again);
    return text;
}

orr_arena_mark orr_arena_here(const orr_arena *arena) {
    return (orr_arena_mark){ .block = arena->top, .used = arena->top->used };
}

void orr_arena_rewind(orr_arena *arena, orr_arena_mark mark) {
    while (arena->top != mark.block) {
        block *previous = arena->top->previous;
        orr_release(arena->ctx, arena->top);
        arena->top = previous;
    }
    block *b = arena->top;
    /* A hostile build reads 0xA5 where a rewound block is still in use. */
    if (orr_context_is_hostile(arena->ctx)) memset(b->bytes + mark.used, 0xA5, b->used - mark.used);
    b->used = mark.used;
}

size_t orr_arena_used(const orr_arena *arena) { return arena->top->before + arena->top->used; }
