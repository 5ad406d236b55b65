/* (a op b) mod p for all pairs, shuffled, a part of them for training and the rest for testing.
 *
 *   tokens     x = (a, b, =): three tokens, "=" being token p
 *   one-hot    x = (e_a, e_b): 2 p numbers
 *
 * The target is the class (a op b) mod p.  divide: a b^-1 for b = 1 .. p-1, p prime. */
#include <math.h>
#include <string.h>

#include "base/context.h"
#include "ingredient/data/draw.h"

static const orr_parameter parameters[] = {
    { "modulus", ORR_INT, .fallback = "97", .range = "[2, 10000]", .help = "p" },
    { "operation", ORR_CHOICE, .fallback = "add", .choices = "add subtract multiply divide", .help = "op" },
    { "inputs", ORR_CHOICE, .fallback = "tokens", .choices = "tokens one-hot", .help = "how a pair is written" },
    { "train_fraction", ORR_REAL, .fallback = "0.5", .range = "(0, 1]", .help = "part of the pairs to train on" },
    { "seed", ORR_INT, .fallback = "0", .range = "[0, inf)", .help = "of the shuffle" },
    { "resample", ORR_FLAG, .fallback = "false", .help = "shuffle anew for each run's seed, not once for all" },
    { 0 },
};

/* c with b c = a mod p, p prime, 0 < b < p: a b^(p-2). */
static int64_t divide(int64_t a, int64_t b, int64_t p) {
    int64_t power = b % p, result = a % p;
    for (int64_t e = p - 2; e > 0; e /= 2) {
        if (e % 2 == 1) result = result * power % p;
        power = power * power % p;
    }
    return result;
}

static int32_t combine(const char *operation, int64_t a, int64_t b, int64_t p) {
    if (strcmp(operation, "add") == 0) return (int32_t)((a + b) % p);
    if (strcmp(operation, "subtract") == 0) return (int32_t)((a - b + p) % p);
    if (strcmp(operation, "multiply") == 0) return (int32_t)(a * b % p);
    return (int32_t)divide(a, b, p);
}

static bool is_prime(int64_t p) {
    for (int64_t i = 2; i * i <= p; i++)
        if (p % i == 0) return false;
    return true;
}

/* Pair `pair` is example i. */
static void write_example(const char *operation, bool tokens, int64_t p, int64_t a, int64_t b, int64_t i,
                          int32_t *token, double *x, int32_t *label) {
    label[i] = combine(operation, a, b, p);
    if (tokens) {
        token[3 * i] = (int32_t)a;
        token[3 * i + 1] = (int32_t)b;
        token[3 * i + 2] = (int32_t)p;
    } else {
        x[2 * p * i + a] = 1.0;
        x[2 * p * i + p + b] = 1.0;
    }
}

static orr_status fill(orr_context *ctx, orr_arena *scratch, orr_arena *out_arena, const orr_settings *s, uint64_t seed,
                       orr_dataset *out) {
    const int64_t p = orr_int(s, "modulus"), all = out->n + out->n_test, first = all == p * p ? 0 : 1;
    const bool tokens = out->vocabulary > 0;
    int64_t *order = ORR_NEW(scratch, int64_t, all);
    int32_t *token = tokens ? ORR_NEW(out_arena, int32_t, all * 3) : NULL, *label = ORR_NEW(out_arena, int32_t, all);
    double *x = tokens ? NULL : ORR_NEW(out_arena, double, all * 2 * p);
    if (!order || !label || (!token && !x))
        return orr_fail(ctx, ORR_ENOMEM, "modular-arithmetic: no memory for %lld pairs", (long long)all);
    orr_random_permutation((orr_key){ seed, ORR_PURPOSE_SPLIT, 0 }, all, order);
    for (int64_t i = 0; i < all; i++)
        write_example(orr_text(s, "operation"), tokens, p, order[i] / (p - first), order[i] % (p - first) + first, i,
                      token, x, label);
    out->token = token;
    out->x = x;
    out->label = label;
    return ORR_OK;
}

static orr_status load(orr_context *ctx, orr_arena *out_arena, const orr_settings *s, uint64_t run_seed,
                       orr_dataset *out) {
    const int64_t p = orr_int(s, "modulus");
    const bool tokens = strcmp(orr_text(s, "inputs"), "tokens") == 0;
    const bool division = strcmp(orr_text(s, "operation"), "divide") == 0;
    const int64_t pairs = division ? p * (p - 1) : p * p;
    orr_arena *scratch;
    if (division && !is_prime(p))
        return orr_fail(ctx, ORR_EINPUT, "modular-arithmetic: division needs a prime modulus, %lld is none",
                        (long long)p);
    *out = (orr_dataset){ .n = llround(orr_real(s, "train_fraction") * (double)pairs),
                          .input = tokens ? ORR_SHAPE(3) : ORR_SHAPE(2 * p),
                          .vocabulary = tokens ? p + 1 : 0,
                          .target = ORR_SCALAR,
                          .classes = p };
    out->n_test = pairs - out->n;
    out->source = orr_arena_format(out_arena, "pairs modulo %lld (%s)", (long long)p, orr_text(s, "operation"));
    if (!out->source) return orr_fail(ctx, ORR_ENOMEM, "modular-arithmetic: no memory");
    if (out->n < 1)
        return orr_fail(ctx, ORR_EINPUT, "modular-arithmetic: train_fraction %g of %lld pairs is not even one",
                        orr_real(s, "train_fraction"), (long long)pairs);
    ORR_TRY(ctx, orr_arena_new(ctx, &scratch));
    const orr_status status = fill(ctx, scratch, out_arena, s, orr_data_seed(s, run_seed), out);
    orr_arena_free(scratch);
    return status;
}

const orr_data orr_data_modular_arithmetic = {
    .kind = { "modular-arithmetic", "(a op b) mod p for all pairs, a part of them to train on", parameters },
    .load = load,
};
