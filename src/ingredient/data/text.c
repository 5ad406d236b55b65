#include "ingredient/data/text.h"

#include <inttypes.h>
#include <string.h>

#include "base/context.h"
#include "base/utf8.h"
#include "base/words.h"

enum { BYTES = 256 };

static orr_status no_memory(orr_context *ctx, const char *where) {
    return orr_fail(ctx, ORR_ENOMEM, "%s: no memory for its tokens", where);
}

static orr_status check_utf8(orr_context *ctx, const char *where, orr_bytes b) {
    uint32_t code;
    int64_t line = 1;
    for (size_t at = 0; at < b.n;) {
        const int length = orr_utf8_decode(b.data + at, b.n - at, &code);
        if (length == 0)
            return orr_fail(ctx, ORR_EINPUT,
                            "%s:%" PRId64
                            ": byte %zu of the file (0x%02x) is not UTF-8; convert it (iconv -t UTF-8) or read "
                            "bytes",
                            where, line, at, b.data[at]);
        line += code == '\n';
        at += (size_t)length;
    }
    return ORR_OK;
}

/* vocabulary[new_of[i]] <- word i, unless `first` names what 0 is; the tokens are renumbered. */
static orr_status finish(orr_context *ctx, orr_arena *out_arena, const char *where, const orr_words *words,
                         const int32_t *new_of, orr_token first, int32_t n_vocabulary, int32_t *token, int64_t n,
                         orr_tokens *out) {
    orr_token *vocabulary = ORR_NEW(out_arena, orr_token, n_vocabulary);
    if (!vocabulary) return no_memory(ctx, where);
    vocabulary[0] = first;
    for (int32_t i = 0; i < words->n; i++) {
        orr_token *t = &vocabulary[new_of[i]];
        if (!t->text) *t = (orr_token){ .text = words->word[i].text, .length = (int32_t)words->word[i].length };
        t->count += words->word[i].count;
    }
    for (int64_t i = 0; i < n; i++) token[i] = new_of[token[i]];
    *out = (orr_tokens){ .n = n, .token = token, .n_vocabulary = n_vocabulary, .vocabulary = vocabulary };
    return ORR_OK;
}

static orr_status tokenize_bytes(orr_context *ctx, orr_arena *out_arena, const char *where, orr_bytes b,
                                 orr_tokens *out) {
    int32_t *token = ORR_NEW(out_arena, int32_t, b.n);
    orr_token *vocabulary = ORR_NEW(out_arena, orr_token, BYTES);
    char *text = ORR_NEW(out_arena, char, 2 * BYTES);
    if (!token || !vocabulary || !text) return no_memory(ctx, where);
    for (int i = 0; i < BYTES; i++) {
        text[2 * i] = (char)i;
        vocabulary[i] = (orr_token){ .text = text + 2 * i, .length = 1 };
    }
    for (size_t i = 0; i < b.n; i++) {
        token[i] = b.data[i];
        vocabulary[b.data[i]].count++;
    }
    *out = (orr_tokens){ .n = (int64_t)b.n, .token = token, .n_vocabulary = BYTES, .vocabulary = vocabulary };
    return ORR_OK;
}

/* order[0 .. n-1] by `before`, by merging: what is equal stays as it was. */
static void sort(const orr_word *w, int32_t *order, int32_t *spare, int32_t n,
                 bool (*before)(const orr_word *a, const orr_word *b)) {
    if (n < 2) return;
    const int32_t half = n / 2;
    sort(w, order, spare, half, before);
    sort(w, order + half, spare, n - half, before);
    for (int32_t i = 0, left = 0, right = half; i < n; i++)
        spare[i] =
            right == n || (left < half && !before(&w[order[right]], &w[order[left]])) ? order[left++] : order[right++];
    memcpy(order, spare, (size_t)n * sizeof *order);
}

/* The bytes of UTF-8 are in the order of code points, by its design. */
static bool is_lower(const orr_word *a, const orr_word *b) {
    const int order = memcmp(a->text, b->text, a->length < b->length ? a->length : b->length);
    return order < 0 || (order == 0 && a->length < b->length);
}
static bool is_more_frequent(const orr_word *a, const orr_word *b) { return a->count > b->count; }

/* new_of[i]: the place of word i in the sorted order.  NULL where memory is out. */
static int32_t *rank(orr_arena *arena, const orr_words *words, bool (*before)(const orr_word *a, const orr_word *b)) {
    int32_t *order = ORR_NEW(arena, int32_t, words->n), *spare = ORR_NEW(arena, int32_t, words->n);
    if (!order || !spare) return NULL;
    for (int32_t i = 0; i < words->n; i++) order[i] = i;
    if (before) sort(words->word, order, spare, words->n, before);
    for (int32_t i = 0; i < words->n; i++) spare[order[i]] = i;
    return spare;
}

static orr_status tokenize_characters(orr_context *ctx, orr_arena *out_arena, const char *where, orr_bytes b,
                                      bool sorted, orr_tokens *out) {
    orr_words words = orr_words_new(out_arena);
    int64_t n = 0;
    uint32_t code;
    for (size_t i = 0; i < b.n; i++) n += (b.data[i] & 0xc0) != 0x80; /* every byte but those that continue one */
    int32_t *token = ORR_NEW(out_arena, int32_t, n);
    if (!token) return no_memory(ctx, where);
    n = 0;
    for (size_t at = 0; at < b.n;) {
        const int length = orr_utf8_decode(b.data + at, b.n - at, &code);
        token[n] = orr_words_add(&words, b.data + at, (size_t)length);
        if (token[n++] < 0) return no_memory(ctx, where);
        at += (size_t)length;
    }
    const int32_t *new_of = rank(out_arena, &words, sorted ? is_lower : NULL);
    if (!new_of) return no_memory(ctx, where);
    return finish(ctx, out_arena, where, &words, new_of, (orr_token){ 0 }, words.n, token, n, out);
}

static bool is_blank(unsigned char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* The next word from *at on, which is moved behind it; 0 where there is none. */
static size_t next_word(orr_bytes b, size_t *at, const unsigned char **word) {
    while (*at < b.n && is_blank(b.data[*at])) ++*at;
    const size_t start = *at;
    while (*at < b.n && !is_blank(b.data[*at])) ++*at;
    *word = b.data + start;
    return *at - start;
}

static const char unknown[] = "<unk>";
enum { UNKNOWN = sizeof unknown - 1 };

/* Places by frequency become tokens: 0 is <unk>, wherever the corpus has that word, the first `most` others follow.
 * Returns how many follow. */
static int32_t number_words(const orr_words *words, int32_t most, int32_t *new_of) {
    int32_t own = words->n; /* the place of a word that is <unk> itself */
    for (int32_t i = 0; i < words->n; i++)
        if (words->word[i].length == UNKNOWN && memcmp(words->word[i].text, unknown, UNKNOWN) == 0) own = new_of[i];
    const int32_t others = words->n - (own < words->n), kept = most > 0 && most < others ? most : others;
    for (int32_t i = 0; i < words->n; i++) {
        const int32_t token = new_of[i] < own ? new_of[i] + 1 : new_of[i] == own ? 0 : new_of[i];
        new_of[i] = token <= kept ? token : 0;
    }
    return kept;
}

static orr_status tokenize_words(orr_context *ctx, orr_arena *out_arena, const char *where, orr_bytes b, int32_t most,
                                 orr_tokens *out) {
    orr_words words = orr_words_new(out_arena);
    const unsigned char *word;
    int64_t n = 0;
    size_t length;
    for (size_t at = 0; next_word(b, &at, &word);) n++;
    if (n == 0) return orr_fail(ctx, ORR_EINPUT, "%s: nothing but blanks; expected words", where);
    int32_t *token = ORR_NEW(out_arena, int32_t, n);
    if (!token) return no_memory(ctx, where);
    n = 0;
    for (size_t at = 0; (length = next_word(b, &at, &word));) {
        if (length > INT32_MAX) return orr_fail(ctx, ORR_EINPUT, "%s: a word of %zu bytes", where, length);
        token[n] = orr_words_add(&words, word, length);
        if (token[n++] < 0) return no_memory(ctx, where);
    }
    int32_t *new_of = rank(out_arena, &words, is_more_frequent);
    if (!new_of) return no_memory(ctx, where);
    const int32_t kept = number_words(&words, most, new_of);
    const orr_token first = { .text = unknown, .length = UNKNOWN };
    return finish(ctx, out_arena, where, &words, new_of, first, kept + 1, token, n, out);
}

orr_status orr_text_parse(orr_context *ctx, orr_arena *out_arena, const char *where, orr_bytes bytes,
                          const orr_text_options *options, orr_tokens *out) {
    const orr_text_options o = options ? *options : (orr_text_options){ 0 };
    *out = (orr_tokens){ 0 };
    if (bytes.n == 0) return orr_fail(ctx, ORR_EINPUT, "%s: the file is empty; expected text", where);
    if (o.unit == ORR_TEXT_BYTES) return tokenize_bytes(ctx, out_arena, where, bytes, out);
    ORR_TRY(ctx, check_utf8(ctx, where, bytes));
    if (o.unit == ORR_TEXT_CHARACTERS) return tokenize_characters(ctx, out_arena, where, bytes, o.sorted, out);
    return tokenize_words(ctx, out_arena, where, bytes, o.words, out);
}

orr_status orr_text_read(orr_context *ctx, orr_arena *out_arena, const char *path, const orr_text_options *options,
                         orr_tokens *out) {
    orr_bytes bytes;
    *out = (orr_tokens){ 0 };
    orr_status status = orr_file_read_plain(ctx, path, 0, &bytes);
    if (status == ORR_OK) status = orr_text_parse(ctx, out_arena, path, bytes, options, out);
    orr_release(ctx, bytes.data);
    return status;
}
