/* Words numbered in the order of their first appearance. */
#ifndef ORR_BASE_WORDS_H
#define ORR_BASE_WORDS_H

#include "base/arena.h"
#include "orrery.h"

typedef struct orr_word {
    const char *text; /* a copy in the arena, with a '\0' behind it */
    size_t length;
    int64_t count; /* how often it was added */
} orr_word;

typedef struct orr_words {
    orr_arena *arena;
    orr_word *word;
    int32_t n;
    int32_t *slot; /* open addressing: index + 1, 0 free */
    int64_t slots;
} orr_words;

/* An empty collection; word and slot grow in the arena. */
orr_words orr_words_new(orr_arena *arena);
/* The index of a word, added where it is new; -1 where memory is out or there are 2^31 - 1 already. */
int32_t orr_words_add(orr_words *words, const void *text, size_t length);

#endif
