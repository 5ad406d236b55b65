/* The text reader on any bytes, in each unit: a refusal in words, or tokens that point into the vocabulary, whose counts
 * are right and whose texts, put together, are the file (bytes, characters). */
#include "fuzz_file.h"
#include "ingredient/data/text.h"

static void check_tokens(const orr_tokens *t, const uint8_t *bytes, size_t n, bool whole) {
    size_t at = 0;
    int64_t counted = 0;
    for (int32_t i = 0; i < t->n_vocabulary; i++) counted += t->vocabulary[i].count;
    if (counted != t->n) fuzz_fail("counts that don't add up");
    for (int64_t i = 0; i < t->n; i++) {
        if (t->token[i] < 0 || t->token[i] >= t->n_vocabulary) fuzz_fail("a token out of range");
        const orr_token *v = &t->vocabulary[t->token[i]];
        if (whole && ((size_t)v->length > n - at || memcmp(bytes + at, v->text, (size_t)v->length) != 0))
            fuzz_fail("tokens that are not the text");
        at += (size_t)v->length;
    }
    if (whole && at != n) fuzz_fail("tokens that are less than the text");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    static const orr_text_options options[] = { { .unit = ORR_TEXT_BYTES },
                                                { .unit = ORR_TEXT_CHARACTERS },
                                                { .unit = ORR_TEXT_CHARACTERS, .sorted = true },
                                                { .unit = ORR_TEXT_WORDS },
                                                { .unit = ORR_TEXT_WORDS, .words = 3 } };
    for (int i = 0; i < 5; i++) {
        const fuzz_world w = fuzz_begin();
        orr_tokens t;
        if (fuzz_accepted(w, orr_text_parse(w.ctx, w.arena, "fuzz", fuzz_bytes(bytes, n), &options[i], &t)))
            check_tokens(&t, bytes, n, options[i].unit != ORR_TEXT_WORDS);
        (void)fuzz_end(w);
    }
    return 0;
}
