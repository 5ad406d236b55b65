/* Text as tokens: a file of text becomes whole numbers and the vocabulary that they point into.  A gzipped file is
 * decompressed.
 *
 *   bytes        token = the byte; the vocabulary is all 256
 *   characters   code points of UTF-8; the vocabulary holds those that occur, in the order of first appearance or sorted by
 *                code point.  Nothing is normalised, and a mark at the start (U+FEFF) is a character
 *   words        what stands between ASCII blanks (space, tab, line ends, form feed, vertical tab), case and punctuation
 *                kept.  Token 0 is <unk>; then the `words` most frequent ones, the most frequent first, equally frequent ones
 *                by first appearance; all others read as <unk>, and so does the word <unk> itself where a corpus has it */
#ifndef ORR_INGREDIENT_DATA_TEXT_H
#define ORR_INGREDIENT_DATA_TEXT_H

#include "base/arena.h"
#include "base/file/file.h"
#include "orrery.h"

typedef enum orr_text_unit { ORR_TEXT_BYTES = 0, ORR_TEXT_CHARACTERS, ORR_TEXT_WORDS } orr_text_unit;

/* A zero means the default. */
typedef struct orr_text_options {
    orr_text_unit unit;
    bool sorted;   /* characters: by code point, not by first appearance */
    int32_t words; /* words: the size of the vocabulary without <unk>; default: all */
} orr_text_options;

typedef struct orr_token {
    const char *text; /* its bytes, and a '\0' behind them that does not count */
    int32_t length;
    int64_t count; /* how often it occurs */
} orr_token;

typedef struct orr_tokens {
    int64_t n;
    const int32_t *token; /* [n], each in [0, n_vocabulary) */
    int32_t n_vocabulary;
    const orr_token *vocabulary; /* [n_vocabulary] */
} orr_tokens;

/* Fails: ORR_EIO; ORR_EINPUT where the file is empty or blank, or (characters, words) is not UTF-8, with the line;
 * ORR_ENOMEM. */
orr_status orr_text_read(orr_context *ctx, orr_arena *out_arena, const char *path, const orr_text_options *options,
                         orr_tokens *out) ORR_MUST_USE;
/* The same from bytes in memory, which are read only during the call. */
orr_status orr_text_parse(orr_context *ctx, orr_arena *out_arena, const char *where, orr_bytes bytes,
                          const orr_text_options *options, orr_tokens *out) ORR_MUST_USE;

#endif
