#include "base/words.h"

#include <string.h>

enum { FIRST_SLOTS = 64 };

orr_words orr_words_new(orr_arena *arena) { return (orr_words){ .arena = arena }; }

/* FNV-1a, 64 bits (Fowler, Noll, Vo), its bits mixed once more because slots take the lowest. */
static uint64_t hash(const unsigned char *text, size_t length) {
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < length; i++) h = (h ^ text[i]) * UINT64_C(0x100000001b3);
    return h ^ h >> 32;
}

/* The slot that holds the word, or the free one where it belongs; slots is a power of two and never full. */
static int64_t find_slot(const orr_words *w, const void *text, size_t length) {
    uint64_t at = hash(text, length);
    for (;; at++) {
        const int32_t i = w->slot[at & (uint64_t)(w->slots - 1)];
        if (i == 0 || (w->word[i - 1].length == length && memcmp(w->word[i - 1].text, text, length) == 0))
            return (int64_t)(at & (uint64_t)(w->slots - 1));
    }
}

/* Twice the slots, and room for as many words as fill half of them. */
static bool grow(orr_words *w) {
    const int64_t slots = w->slots ? 2 * w->slots : FIRST_SLOTS;
    orr_word *word = ORR_NEW(w->arena, orr_word, slots / 2);
    int32_t *slot = ORR_NEW(w->arena, int32_t, slots);
    if (!word || !slot) return false;
    if (w->n) memcpy(word, w->word, (size_t)w->n * sizeof *word);
    w->word = word;
    w->slot = slot;
    w->slots = slots;
    for (int32_t i = 0; i < w->n; i++) slot[find_slot(w, word[i].text, word[i].length)] = i + 1;
    return true;
}

int32_t orr_words_add(orr_words *w, const void *text, size_t length) {
    if (w->n >= w->slots / 2 && (w->n > INT32_MAX / 4 || !grow(w))) return -1;
    const int64_t slot = find_slot(w, text, length);
    if (w->slot[slot] == 0) {
        char *copy = ORR_NEW(w->arena, char, length + 1);
        if (!copy) return -1;
        if (length) memcpy(copy, text, length);
        w->word[w->n] = (orr_word){ .text = copy, .length = length };
        w->slot[slot] = ++w->n;
    }
    const int32_t index = w->slot[slot] - 1;
    w->word[index].count++;
    return index;
}
