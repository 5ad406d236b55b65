/* Text to predict: windows of `context` tokens, and at each position the token that follows.
 *
 *     x = (t_a, ..., t_{a+T-1})      y = (t_{a+1}, ..., t_{a+T})       T = context
 *
 *   even     windows that don't overlap, evenly spread: of the M = floor((N-1) / T) windows that there are, window k of n is
 *            number floor(k M / n); those to test on come last
 *   drawn    starts drawn uniformly, with replacement, from the text before the windows to test on, which are its last ones
 * data/text.h says what a token is. */
#include <string.h>

#include "base/context.h"
#include "base/random.h"
#include "ingredient/data/data.h"
#include "ingredient/data/text.h"

static const orr_parameter parameters[] = {
    { "n", ORR_INT, .fallback = "0", .range = "[0, 100000000]", .unit = "windows", .help = "to train on; 0: all" },
    { "n_test", ORR_INT, .fallback = "0", .range = "[0, 100000000]", .unit = "windows", .help = "to test on" },
    { "path", ORR_TEXT, .help = "of the text, plain or gzipped" },
    { "unit", ORR_CHOICE, .fallback = "bytes", .choices = "bytes characters words", .help = "what a token is" },
    { "context", ORR_INT, .fallback = "64", .range = "[1, 1000000]", .unit = "tokens",
      .help = "T: length of a window" },
    { "windows", ORR_CHOICE, .fallback = "even", .choices = "even drawn", .help = "where they start" },
    { "seed", ORR_INT, .fallback = "0", .range = "[0, inf)", .help = "of drawn windows" },
    { "resample", ORR_FLAG, .fallback = "false", .help = "draw anew for each run's seed, not once for all" },
    { "sorted", ORR_FLAG, .fallback = "false",
      .help = "characters: the vocabulary by code point, not by first appearance" },
    { "words", ORR_INT, .fallback = "0", .range = "[0, 2147483000]",
      .help = "words: how many of the most frequent ones are in the vocabulary; 0: all" },
    { 0 },
};

/* start[0 .. n + n_test - 1] */
static orr_status choose_windows(orr_context *ctx, const orr_settings *s, uint64_t seed, const orr_tokens *text,
                                 int64_t *n, int64_t n_test, orr_arena *out_arena, int64_t **start) {
    const int64_t t = orr_int(s, "context"), most = (text->n - 1) / t;
    const bool drawn = strcmp(orr_text(s, "windows"), "drawn") == 0;
    *n = orr_int(s, "n") ? orr_int(s, "n") : most - n_test;
    if (*n < 1 || most - n_test < 1 || (!drawn && *n + n_test > most))
        return orr_fail(ctx, ORR_EINPUT,
                        "%s: %lld windows to train on and %lld to test on are asked for; %lld tokens make %lld windows "
                        "of %lld",
                        orr_text(s, "path"), (long long)(*n < 0 ? 0 : *n), (long long)n_test, (long long)text->n,
                        (long long)most, (long long)t);
    const int64_t all = *n + n_test, before = text->n - n_test * t; /* tokens to train on, with the last target */
    *start = ORR_NEW(out_arena, int64_t, all);
    double *u = ORR_NEW(out_arena, double, drawn ? *n : 0);
    if (!*start || !u) return orr_fail(ctx, ORR_ENOMEM, "text: no memory for %lld windows", (long long)all);
    if (drawn) orr_random_fill_uniform((orr_key){ seed, ORR_PURPOSE_DATA, 0 }, 0, *n, u);
    for (int64_t k = 0; k < all; k++) {
        if (!drawn) (*start)[k] = k * most / all * t;
        else (*start)[k] = k < *n ? (int64_t)(u[k] * (double)(before - t)) : before - 1 + (k - *n) * t;
    }
    return ORR_OK;
}

static orr_status read(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, orr_tokens *out) {
    const char *unit = orr_text(s, "unit");
    const orr_text_options options = {
        .unit = strcmp(unit, "bytes") == 0 ? ORR_TEXT_BYTES
                                           : (strcmp(unit, "words") == 0 ? ORR_TEXT_WORDS : ORR_TEXT_CHARACTERS),
        .sorted = orr_flag(s, "sorted"),
        .words = (int32_t)orr_int(s, "words"),
    };
    return orr_text_read(ctx, out_arena, orr_text(s, "path"), &options, out);
}

static orr_status load(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, uint64_t run_seed,
                       orr_dataset *out) {
    const int64_t t = orr_int(s, "context"), n_test = orr_int(s, "n_test");
    int64_t n, *start = NULL;
    orr_tokens text;
    ORR_TRY(ctx, read(ctx, out_arena, s, &text));
    ORR_TRY(ctx, choose_windows(ctx, s, orr_data_seed(s, run_seed), &text, &n, n_test, out_arena, &start));
    int32_t *x = ORR_NEW(out_arena, int32_t, (n + n_test) * t), *y = ORR_NEW(out_arena, int32_t, (n + n_test) * t);
    if (!x || !y) return orr_fail(ctx, ORR_ENOMEM, "text: no memory for %lld windows", (long long)(n + n_test));
    for (int64_t k = 0; k < n + n_test; k++) {
        memcpy(x + k * t, text.token + start[k], (size_t)t * sizeof *x);
        memcpy(y + k * t, text.token + start[k] + 1, (size_t)t * sizeof *y);
    }
    *out = (orr_dataset){ .n = n,
                          .n_test = n_test,
                          .input = ORR_SHAPE(t),
                          .vocabulary = text.n_vocabulary,
                          .target = ORR_SHAPE(t),
                          .classes = text.n_vocabulary,
                          .token = x,
                          .label = y,
                          .source = orr_text(s, "path") };
    return ORR_OK;
}

const orr_data orr_data_text_windows = {
    .kind = { "text", "windows of a text, to predict each next token", parameters },
    .load = load,
};
